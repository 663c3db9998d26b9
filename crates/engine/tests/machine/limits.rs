//! What a message may use: instructions and their price list, stack, heap.

use hatchery_engine::machine::Keep;
use hatchery_engine::message::{Entry, Mode};
use ic_error_types::ErrorCode;

use crate::machine::rig::{number, rig, update};
use crate::machine::specification::imports;

/// Instructions of one run of `body`, less those of an empty function.
fn instructions(body: &str) -> u64 {
    let mut rig = rig(&format!(
        "(module {} (memory 1) (table 1 funcref) (elem (i32.const 0) $empty)
           (global $g (mut i32) (i32.const 0)) (func $empty)
           (func (export \"canister_update empty\"))
           (func (export \"canister_update go\") {body}))",
        imports()
    ));
    let empty = rig.update("empty").instructions;
    assert_eq!(empty, 1);
    let execution = rig.run_with(update("go"), Mode::Update, Keep::Never, |_| {});
    assert_eq!(execution.result, Ok(()), "{body}");
    execution.instructions - empty
}

#[test]
fn operators_cost_what_the_replica_charges() {
    let cases = [
        ("", 0),
        ("(nop)", 1),
        ("(block (nop))", 1),
        ("(drop (i32.const 1))", 2),
        ("(drop (i32.add (i32.const 1) (i32.const 1)))", 4),
        ("(drop (i32.div_u (i32.const 1) (i32.const 1)))", 13),
        ("(drop (i64.rem_s (i64.const 1) (i64.const 1)))", 13),
        ("(drop (f64.add (f64.const 1) (f64.const 1)))", 5),
        ("(drop (f64.div (f64.const 1) (f64.const 1)))", 8),
        ("(drop (f64.sqrt (f64.const 1)))", 10),
        ("(drop (f32.min (f32.const 1) (f32.const 1)))", 21),
        ("(drop (f64.lt (f64.const 1) (f64.const 1)))", 6),
        ("(drop (f64.convert_i32_s (i32.const 1)))", 5),
        ("(drop (f64.convert_i32_u (i32.const 1)))", 18),
        ("(drop (i32.trunc_f64_s (f64.const 1)))", 22),
        ("(global.set $g (global.get $g))", 4),
        ("(call $empty)", 6),
        ("(call_indirect (i32.const 0))", 12),
        ("(drop (ref.func $empty))", 131),
        ("(drop (memory.size))", 21),
        ("(drop (memory.grow (i32.const 1)))", 302),
        (
            "(memory.copy (i32.const 0) (i32.const 50) (i32.const 40))",
            143,
        ),
        (
            "(memory.fill (i32.const 0) (i32.const 0) (i32.const 40))",
            143,
        ),
        ("(if (i32.const 0) (then (nop)) (else (nop) (nop)))", 5),
        ("(drop (call $time))", 506),
        ("(drop (call $performance_counter (i32.const 0)))", 207),
        ("(drop (call $stable64_size))", 26),
        ("(call $debug_print (i32.const 0) (i32.const 10))", 117),
        (
            "(call $msg_reply_data_append (i32.const 0) (i32.const 10))",
            1_007,
        ),
        (
            "(call $msg_arg_data_copy (i32.const 0) (i32.const 0) (i32.const 0))",
            508,
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(instructions(body), expected, "{body}");
    }
}

/// Two reads of the counter in one message, apart by a loop with known weights: per turn two
/// local.get/const pairs and a tee (5), the comparison (1 + 1) and the branch (2).
#[test]
fn a_million_turns_cost_their_weights() {
    let turns = "(local $i i32) (loop (br_if 0 (i32.ne (i32.const 1000000)
        (local.tee $i (i32.add (local.get $i) (i32.const 1))))))";
    let per_turn = 1 + 1 + 1 + 1 + 1 + 1 + 2;
    assert_eq!(instructions(turns), per_turn * 1_000_000);
}

#[test]
fn dirtied_pages_cost_a_thousand_each() {
    let store = |address: u32| format!("(i32.store (i32.const {address}) (i32.const 1))");
    assert_eq!(instructions(&store(0)), 3 + 1_000);
    assert_eq!(instructions(&(store(0) + &store(4))), 6 + 1_000);
    assert_eq!(instructions(&(store(0) + &store(4096))), 6 + 2_000);
    assert_eq!(instructions(&store(4094)), 3 + 1_000);
    let stable = "(drop (call $stable64_grow (i64.const 1)))
        (call $stable64_write (i64.const 4090) (i64.const 0) (i64.const 10))";
    assert_eq!(instructions(stable), 507 + 20 + 10 + 8 + 2_000);
}

#[test]
fn the_limit_is_exact() {
    let mut rig = rig("(module (memory 1) (func (export \"canister_update go\")
        (i32.store (i32.const 0) (i32.const 1)) (loop (nop))))");
    let mut run = |limit| {
        rig.run_with(update("go"), Mode::Update, Keep::Never, |message| {
            message.instruction_limit = limit;
        })
    };
    let needed = run(1_000_000).instructions;
    assert_eq!(needed, 1_005);
    assert_eq!(run(needed).result, Ok(()));
    for limit in [0, 1, 4, 5, needed - 1] {
        let execution = run(limit);
        let trap = execution.result.expect_err("too few instructions");
        assert_eq!(trap.code, ErrorCode::CanisterInstructionLimitExceeded);
        assert_eq!(execution.instructions, limit);
    }
}

#[test]
fn system_calls_count_towards_the_limit() {
    let wat = format!(
        "(module {} (memory 1)
        (func (export \"canister_update go\") (loop (drop (call $time)) (br 0)))
        (func (export \"canister_update big\")
          (call $debug_print (i32.const 0) (i32.const 60000))))",
        imports()
    );
    let mut rig = rig(&wat);
    for name in ["go", "big"] {
        let execution = rig.run_with(update(name), Mode::Update, Keep::OnReturn, |message| {
            message.instruction_limit = 50_000;
        });
        let trap = execution.result.unwrap_err();
        assert_eq!(trap.code, ErrorCode::CanisterInstructionLimitExceeded);
        assert_eq!(execution.instructions, 50_000);
    }
}

#[test]
fn endless_recursion_is_a_trap() {
    // Test threads have 2 MiB of stack; the process must survive.
    let mut rig = rig("(module (memory 1) (global $depth (mut i64) (i64.const 0))
        (func $deep (param f64 f64 i64 i64) (result i64)
          (global.set $depth (i64.add (global.get $depth) (i64.const 1)))
          (i64.add (local.get 2) (call $deep (local.get 1) (local.get 0) (local.get 3) (local.get 2))))
        (func (export \"canister_update go\")
          (drop (call $deep (f64.const 0) (f64.const 0) (i64.const 0) (i64.const 0)))))");
    for _ in 0..3 {
        let trap = rig.update("go").result.unwrap_err();
        assert_eq!(trap.code, ErrorCode::CanisterTrapped);
        assert!(trap.message.ends_with("stack overflow"), "{trap}");
    }
}

#[test]
fn recursion_through_system_calls_is_a_trap() {
    let wat = format!(
        "(module {} (memory 1)
        (func $deep (param i64) (result i64)
          (call $canister_cycle_balance128 (i32.const 0))
          (i64.add (local.get 0) (call $deep (call $time))))
        (func (export \"canister_update go\") (drop (call $deep (i64.const 0)))))",
        imports()
    );
    let trap = rig(&wat).update("go").result.unwrap_err();
    assert!(trap.message.ends_with("stack overflow"), "{trap}");
}

#[test]
fn ten_thousand_frames_are_no_trouble() {
    let mut rig = rig("(module
        (func $deep (param i32) (result i32)
          (if (result i32) (local.get 0)
            (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
            (else (i32.const 0))))
        (func (export \"canister_update go\") (drop (call $deep (i32.const 10000)))))");
    assert_eq!(rig.update("go").result, Ok(()));
}

const GROWING: &str = "(memory 1 100)
    (func (export \"canister_update grow\")
      (i32.store (i32.const 0) (memory.grow (i32.const 2)))
      (call $msg_reply_data_append (i32.const 0) (i32.const 4)) (call $msg_reply))
    (func (export \"canister_update too_much\")
      (i32.store (i32.const 0) (memory.grow (i32.const 100)))
      (call $msg_reply_data_append (i32.const 0) (i32.const 4)) (call $msg_reply))
    (func (export \"canister_init\") (drop (memory.grow (i32.const 2))))";

#[test]
fn growth_beyond_the_headroom_answers_minus_one() {
    let mut rig = rig(&format!("(module {} {GROWING})", imports()));
    rig.canister.memory_headroom = 2 * 65_536 - 1;
    assert_eq!(number(rig.update("grow")), u64::from(u32::MAX));
    assert_eq!(rig.code.heap_bytes(), 65_536);
    rig.canister.memory_headroom = 2 * 65_536;
    assert_eq!(number(rig.update("grow")), 1);
    assert_eq!(rig.code.heap_bytes(), 3 * 65_536);
    assert_eq!(number(rig.update("too_much")), u64::from(u32::MAX));
}

#[test]
fn the_heap_limit_binds_updates_and_installs() {
    let mut rig = rig(&format!("(module {} {GROWING})", imports()));
    rig.canister.wasm_memory_limit = 3 * 65_536 - 1;
    for (entry, mode) in [(Entry::Init, Mode::Init), (update("grow"), Mode::Update)] {
        let trap = rig.run(entry, mode).result.unwrap_err();
        assert_eq!(
            trap.code,
            ErrorCode::CanisterWasmMemoryLimitExceeded,
            "{trap}"
        );
    }
    assert_eq!(rig.code.heap_bytes(), 65_536);
    // What must still work to get out of the situation is not bound.
    assert_eq!(rig.run(update("grow"), Mode::Reply).result, Ok(()));
    assert_eq!(rig.code.heap_bytes(), 3 * 65_536);
    let trap = rig.update("grow").result.unwrap_err();
    assert_eq!(trap.code, ErrorCode::CanisterWasmMemoryLimitExceeded);
}

#[test]
fn wasm_traps_keep_their_names() {
    let mut rig = rig(
        "(module (memory 1) (table 2 funcref) (type $t (func (param i32)))
        (func $f) (elem (i32.const 0) $f)
        (func (export \"canister_update unreachable\") (unreachable))
        (func (export \"canister_update integer divide by zero\")
          (drop (i32.div_s (i32.const 1) (i32.const 0))))
        (func (export \"canister_update heap out of bounds\")
          (drop (i32.load (i32.const 65533))))
        (func (export \"canister_update table out of bounds\") (call_indirect (i32.const 2)))
        (func (export \"canister_update indirect call to null\") (call_indirect (i32.const 1)))
        (func (export \"canister_update function invocation does not match its signature\")
          (call_indirect (type $t) (i32.const 1) (i32.const 0))))",
    );
    for name in rig
        .code
        .module()
        .methods()
        .keys()
        .cloned()
        .collect::<Vec<_>>()
    {
        let trap = rig.update(&name).result.unwrap_err();
        assert!(trap.message.ends_with(&name), "{name}: {trap}");
        assert!(
            trap.message
                .starts_with("Error from Canister rwlgt-iiaaa-aaaaa-aaaaa-cai: ")
        );
    }
}

#[test]
fn a_missing_method_is_named_and_a_missing_hook_is_nothing() {
    let mut rig = rig("(module (func (export \"canister_query q\")))");
    let trap = rig.update("q").result.unwrap_err();
    assert_eq!(trap.code, ErrorCode::CanisterMethodNotFound);
    assert!(trap.message.contains("update method 'q'"), "{trap}");
    for (entry, mode) in [
        (Entry::Init, Mode::Init),
        (Entry::PreUpgrade, Mode::PreUpgrade),
        (Entry::PostUpgrade, Mode::Init),
        (Entry::Start, Mode::Start),
        (Entry::Heartbeat, Mode::SystemTask),
        (Entry::GlobalTimer, Mode::SystemTask),
        (Entry::OnLowWasmMemory, Mode::SystemTask),
    ] {
        assert_eq!(rig.run(entry, mode).result, Ok(()));
    }
}

#[test]
fn a_system_call_can_be_a_method_itself() {
    let mut rig = rig("(module (import \"ic0\" \"msg_reply\" (func $reply))
        (export \"canister_update go\" (func $reply)) (start $reply))");
    assert_eq!(number(rig.update("go")), 0);
    let trap = rig.run(Entry::Init, Mode::Init).result.unwrap_err();
    assert_eq!(trap.code, ErrorCode::CanisterContractViolation, "{trap}");
}

#[test]
fn the_largest_heap_is_as_cheap_as_it_is_empty() {
    let mut rig = rig("(module (memory 65536) (func (export \"canister_update go\")
        (i32.store (i32.const -4) (i32.const 1)) (i32.store (i32.const 0) (memory.grow (i32.const 1)))))");
    let instructions = rig.update("go").instructions;
    assert!((2_000..3_000).contains(&instructions), "{instructions}");
    assert_eq!(rig.code.read_heap(0, 4), [255; 4]);
    assert_eq!(rig.code.read_heap((1 << 32) - 4, 8), [1, 0, 0, 0]);
}

#[test]
fn a_message_logs_at_most_two_mebibytes() {
    let mut rig = rig(&format!(
        "(module {} (memory 16) (global $line (mut i32) (i32.const 0))
        (func (export \"canister_update go\")
          (loop
            (global.set $line (i32.add (global.get $line) (i32.const 1)))
            (i32.store (i32.const 0) (global.get $line))
            (call $debug_print (i32.const 0) (i32.const 1000000))
            (br_if 0 (i32.lt_u (global.get $line) (i32.const 9))))))",
        imports()
    ));
    let logs = rig.update("go").effects.logs;
    let firsts: Vec<u8> = logs.iter().map(|line| line[0]).collect();
    assert_eq!(firsts, [8, 9]);
}
