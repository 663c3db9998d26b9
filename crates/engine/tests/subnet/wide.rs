//! Canisters with 64-bit memory: the same system calls behind wider types, at twice the price an
//! instruction.

use hatchery_engine::{Engine, InstallMode, Principal};

use super::puppet::{assert_balanced, engine};

const T: u128 = 1_000_000_000_000;

/// A canister that keeps eight bytes, asks itself for them, counts, and grows; `P` stands for the
/// type of its addresses.
const KEEPER: &str = r#"
(module
  (import "ic0" "msg_arg_data_copy" (func $argument (param P P P)))
  (import "ic0" "msg_arg_data_size" (func $size (result P)))
  (import "ic0" "msg_reply_data_append" (func $append (param P P)))
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "canister_self_size" (func $self_size (result P)))
  (import "ic0" "canister_self_copy" (func $self (param P P P)))
  (import "ic0" "call_new" (func $new (param P P P P P P P P)))
  (import "ic0" "call_perform" (func $perform (result i32)))
  (memory MEMORY 1)
  (table MEMORY 2 funcref)
  (elem (P.const 1) $answered)
  (data (P.const 0) "kept")
  (func (export "canister_update keep")
    (call $argument (P.const 64) (P.const 0) (call $size))
    (call $reply))
  (func (export "canister_query kept")
    (call $append (P.const 64) (P.const 8))
    (call $reply))
  (func $answered (param $env P)
    (P.store (P.const 128) (local.get $env))
    (call $argument (P.const 129) (P.const 0) (call $size))
    (call $append (P.const 128) (P.add (P.const 1) (call $size)))
    (call $reply))
  (func (export "canister_update ask_myself")
    (call $self (P.const 32) (P.const 0) (call $self_size))
    (call $new (P.const 32) (call $self_size) (P.const 0) (P.const 4)
      (P.const 1) (P.const 7) (P.const 1) (P.const 8))
    (drop (call $perform)))
  (func (export "canister_update count") (local $i i32)
    (loop $more
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $i) (i32.const 1000000))))
    (call $reply))
  (func (export "canister_update outside")
    (call $append (P.const -8) (P.const 8))
    (call $reply))
  (func (export "canister_update grow")
    (P.store (P.const 256) (memory.grow (P.const 70000)))
    (call $append (P.const 256) (P.const 4))
    (call $reply)))
"#;

fn keeper(engine: &mut Engine, wide: bool) -> Principal {
    let (address, memory) = if wide { ("i64", "i64") } else { ("i32", "") };
    let text = KEEPER.replace("P.", &format!("{address}."));
    let text = text.replace('P', address).replace("MEMORY", memory);
    let wasm = wat::parse_str(text).expect("it is a module");
    let id = engine.create_canister(Principal::anonymous(), 100 * T);
    let installed = engine.install(
        Principal::anonymous(),
        id,
        &wasm,
        Vec::new(),
        InstallMode::Install,
    );
    installed.expect("it installs");
    id
}

fn update(engine: &mut Engine, id: Principal, method: &str, argument: &[u8]) -> Vec<u8> {
    let answer = engine.update(Principal::anonymous(), id, method, argument.to_vec());
    answer.expect("it answers")
}

#[test]
fn a_canister_with_64_bit_memory_does_what_one_with_32_bits_does() {
    let mut engine = engine();
    for wide in [false, true] {
        let id = keeper(&mut engine, wide);
        update(&mut engine, id, "keep", b"8 bytes!");
        let kept = engine.query(Principal::anonymous(), id, "kept", Vec::new());
        assert_eq!(kept.expect("it answers"), b"8 bytes!");
        // The callback had its environment, 7, and the answer.
        assert_eq!(update(&mut engine, id, "ask_myself", b""), b"\x078 bytes!");
        let outside = engine.update(Principal::anonymous(), id, "outside", Vec::new());
        let text = outside.expect_err("nothing is there").to_string();
        assert!(text.contains("out of bounds"), "{text}");
        // 4 GiB is where a heap ends here, whatever its addresses could say.
        assert_eq!(update(&mut engine, id, "grow", b""), [0xff; 4]);
    }
    assert_balanced(&engine);
}

#[test]
fn its_heap_is_kept_over_save_and_load() {
    let mut engine = engine();
    let id = keeper(&mut engine, true);
    update(&mut engine, id, "keep", b"8 bytes!");
    let bytes = engine.to_bytes();
    let mut again = Engine::from_bytes(&bytes, &hatchery_engine::Config::default())
        .expect("it was saved whole");
    let kept = again.query(Principal::anonymous(), id, "kept", Vec::new());
    assert_eq!(kept.expect("it answers"), b"8 bytes!");
}

#[test]
fn an_instruction_costs_it_twice_as_much() {
    let mut engine = engine();
    let mut price = |wide| {
        let id = keeper(&mut engine, wide);
        let before = engine.canister(id).expect("it is there").cycles;
        update(&mut engine, id, "count", b"");
        before - engine.canister(id).expect("it is there").cycles
    };
    let (narrow, wide) = (price(false), price(true));
    // The message and its transport cost the same: what is more are the instructions, once more.
    let more = wide - narrow;
    assert!((4_000_000..20_000_000).contains(&more), "{narrow} {wide}");
    assert!(
        narrow > more && narrow - more < 8_000_000,
        "{narrow} {wide}"
    );
}
