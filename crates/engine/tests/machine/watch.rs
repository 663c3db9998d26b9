//! The watched heap against the portable one: the same messages give the same instructions,
//! results and bytes, whichever way the heap is written.

use hatchery_engine::machine::{Keep, Machine};
use hatchery_engine::message::Mode;

use crate::machine::rig::{Rig, rig, update};
use crate::machine::specification::imports;

/// Writes at the address in the argument's first four bytes, each method in its own way.
fn writer() -> String {
    format!(
        r#"(module {}
          (memory 40)
          (global $turns (mut i32) (i32.const 0))
          (data (i32.const 100000) "initial")
          (func $at (result i32)
            (call $msg_arg_data_copy (i32.const 0) (i32.const 0) (i32.const 8))
            (i32.load (i32.const 0)))
          (func $store (export "canister_update store")
            (i32.store (call $at) (i32.load (i32.const 4))))
          (func (export "canister_update fill")
            (memory.fill (call $at) (i32.load8_u (i32.const 4)) (i32.const 20000)))
          (func (export "canister_update copy")
            (memory.copy (call $at) (i32.const 99000) (i32.const 9000)))
          (func (export "canister_update system_call")
            (call $msg_arg_data_copy (call $at) (i32.const 0) (i32.const 8)))
          (func (export "canister_update stable")
            (drop (call $stable64_grow (i64.const 1)))
            (call $stable64_write (i64.const 5) (i64.extend_i32_u (call $at)) (i64.const 5000))
            (call $stable64_read (i64.extend_i32_u (i32.load (i32.const 0))) (i64.const 0)
              (i64.const 9000)))
          (func (export "canister_update same")
            (i32.store (call $at) (i32.load (i32.load (i32.const 0)))))
          (func (export "canister_update spread") (local $i i32)
            (local.set $i (call $at))
            (loop
              (i32.store (local.get $i) (i32.load (i32.const 4)))
              (local.set $i (i32.add (local.get $i) (i32.const 8192)))
              (br_if 0 (i32.lt_u (local.get $i) (i32.const 2600000)))))
          (func (export "canister_update grow")
            (if (i32.lt_u (memory.size) (i32.const 60)) (then
              (drop (memory.grow (i32.const 1)))
              (i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 8))
                (call $at)))))
          (func (export "canister_update trap") (call $store) (unreachable))
          (func (export "canister_update grow_and_trap")
            (drop (memory.grow (i32.const 1))) (call $store) (unreachable)))"#,
        imports()
    )
}

const METHODS: [&str; 10] = [
    "store",
    "fill",
    "copy",
    "system_call",
    "stable",
    "same",
    "spread",
    "grow",
    "trap",
    "grow_and_trap",
];

/// A small generator: the test needs variety, not quality.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

fn portable(wat: &str) -> Rig {
    let mut rig = rig(wat);
    rig.machine = Machine::new(None).portable();
    let module = rig.machine.load(&wat::parse_str(wat).unwrap()).unwrap();
    rig.code = rig.machine.start(&module);
    rig
}

#[test]
fn a_watched_heap_behaves_as_a_portable_one() {
    let wat = writer();
    let (mut watched, mut plain) = (rig(&wat), portable(&wat));
    let mut dice = Dice(7);
    let mut failures = 0;
    for step in 0..400 {
        let method = METHODS[dice.roll(METHODS.len() as u64) as usize];
        let address = dice.roll(40 * 65_536 - 20_000) as u32;
        let arg = [address.to_le_bytes(), (dice.roll(5) as u32).to_le_bytes()].concat();
        let keep = if dice.roll(4) == 0 {
            Keep::Never
        } else {
            Keep::OnReturn
        };
        let run = |rig: &mut Rig| {
            rig.arg.clone_from(&arg);
            rig.run_with(update(method), Mode::Update, keep, |_| {})
        };
        let (one, two) = (run(&mut watched), run(&mut plain));
        assert_eq!(one.result, two.result, "{step} {method}");
        assert_eq!(
            one.instructions, two.instructions,
            "{step} {method} at {address}"
        );
        failures += usize::from(one.result.is_err());
        if step % 20 == 0 {
            let bytes = |rig: &mut Rig| rig.machine.image(&rig.code).to_bytes();
            assert!(bytes(&mut watched) == bytes(&mut plain), "{step} {method}");
        }
    }
    assert!(failures > 40, "{failures}");
}

#[test]
fn a_machine_moves_between_threads() {
    let mut rig = rig(&writer());
    rig.arg = vec![0, 0, 1, 0, 9, 0, 0, 0];
    assert_eq!(rig.run(update("system_call"), Mode::Update).result, Ok(()));
    #[expect(
        clippy::disallowed_methods,
        reason = "the test is about another thread"
    )]
    let mut rig = std::thread::spawn(move || {
        for method in ["spread", "fill", "system_call"] {
            assert_eq!(rig.run(update(method), Mode::Update).result, Ok(()));
        }
        rig
    })
    .join()
    .unwrap();
    assert_eq!(rig.run(update("spread"), Mode::Update).result, Ok(()));
}
