//! Whole-message atomicity: heap, size, globals, stable memory and effects after a return, a trap
//! and a message that keeps nothing.

use hatchery_engine::machine::Keep;
use hatchery_engine::message::{Entry, Mode};
use ic_error_types::ErrorCode;

use crate::machine::rig::{Rig, callback, number, query, rig, update};

/// State in every place where there can be some, `change` adds to all of it, `read_*` shows it.
const STATEFUL: &str = r#"
(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "stable64_grow" (func $stable_grow (param i64) (result i64)))
  (import "ic0" "stable64_size" (func $stable_size (result i64)))
  (import "ic0" "stable64_write" (func $stable_write (param i64 i64 i64)))
  (import "ic0" "stable64_read" (func $stable_read (param i64 i64 i64)))
  (import "ic0" "certified_data_set" (func $certify (param i32 i32)))
  (import "ic0" "global_timer_set" (func $timer (param i64) (result i64)))
  (import "ic0" "debug_print" (func $print (param i32 i32)))
  (memory 1)
  (table 4 funcref)
  (elem (i32.const 1) $on_call $wrong_type)
  (global $counter (mut i64) (i64.const 5))
  (global $fixed i32 (i32.const 9))
  (data (i32.const 0) "hello")
  (start $begin)
  (func $begin (global.set $counter (i64.const 6)))
  (func $answer (param $value i64)
    (i64.store (i32.const 64) (local.get $value))
    (call $append (i32.const 64) (i32.const 8))
    (call $reply))
  (func $on_call (param $env i32)
    (i64.store (i32.const 8) (i64.extend_i32_u (local.get $env))))
  (func $wrong_type (param i64))
  (func $change
    (global.set $counter (i64.add (global.get $counter) (i64.const 1)))
    (i64.store (i32.const 8) (i64.add (i64.load (i32.const 8)) (i64.const 1)))
    (drop (memory.grow (i32.const 1)))
    (i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)) (i32.const 77))
    (drop (call $stable_grow (i64.const 1)))
    (call $stable_write (i64.const 100) (i64.const 8) (i64.const 8))
    (call $certify (i32.const 0) (i32.const 4))
    (drop (call $timer (i64.const 99)))
    (call $print (i32.const 0) (i32.const 5)))
  (func (export "canister_update change") (call $change))
  (func (export "canister_update change_and_trap") (call $change) (unreachable))
  (func (export "canister_query change") (call $change) (call $answer (i64.load (i32.const 8))))
  (func (export "canister_update change_and_spin") (call $change) (loop (br 0)))
  (func (export "canister_query heap") (call $answer (i64.load (i32.const 8))))
  (func (export "canister_query size") (call $answer (i64.extend_i32_u (memory.size))))
  (func (export "canister_query global") (call $answer (global.get $counter)))
  (func (export "canister_query stable_size") (call $answer (call $stable_size)))
  (func (export "canister_query stable")
    (call $stable_read (i64.const 128) (i64.const 100) (i64.const 8))
    (call $answer (i64.load (i32.const 128))))
  (func (export "canister_query last_of_page")
    (call $answer (i64.extend_i32_u (i32.load
      (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)))))))
"#;

fn state(rig: &mut Rig) -> [u64; 5] {
    ["heap", "size", "global", "stable_size", "last_of_page"].map(|name| number(rig.query(name)))
}

#[test]
fn a_returned_message_keeps_everything() {
    let mut rig = rig(STATEFUL
        .replace("(export \"canister_query change\")", "")
        .as_str());
    assert!(rig.run(Entry::Init, Mode::Init).result.is_ok());
    let before = state(&mut rig);
    assert_eq!(before, [0, 1, 6, 0, 0]);
    let execution = rig.update("change");
    assert_eq!(execution.result, Ok(()));
    assert_eq!(
        execution.effects.certified_data.as_deref(),
        Some(&b"hell"[..])
    );
    assert_eq!(execution.effects.timer_ns, Some(99));
    assert_eq!(execution.effects.logs, [b"hello".to_vec()]);
    assert_eq!(state(&mut rig), [1, 2, 7, 1, 77]);
    assert_eq!(number(rig.query("stable")), 1);
    assert_eq!(rig.code.heap_bytes(), 2 * 65_536);
    assert_eq!(rig.code.stable_bytes(), 65_536);
}

#[test]
fn a_trap_takes_everything_back_but_logs() {
    let mut rig = rig(STATEFUL
        .replace("(export \"canister_query change\")", "")
        .as_str());
    rig.run(Entry::Init, Mode::Init);
    rig.update("change");
    let before = state(&mut rig);
    for method in ["change_and_trap", "change_and_spin"] {
        let execution = rig.run_with(update(method), Mode::Update, Keep::OnReturn, |message| {
            message.instruction_limit = 1_000_000;
        });
        let trap = execution.result.unwrap_err();
        let (code, instructions) = match method {
            "change_and_trap" => (ErrorCode::CanisterTrapped, 1..100_000),
            _ => (
                ErrorCode::CanisterInstructionLimitExceeded,
                1_000_000..1_000_001,
            ),
        };
        assert_eq!(trap.code, code, "{trap}");
        assert!(
            instructions.contains(&execution.instructions),
            "{}",
            execution.instructions
        );
        assert_eq!(execution.effects.logs[0], b"hello");
        assert_eq!(execution.effects.logs.len(), 2);
        assert_eq!(execution.effects.certified_data, None);
        assert_eq!(execution.effects.timer_ns, None);
        assert_eq!(state(&mut rig), before);
        assert_eq!(number(rig.query("stable")), 1);
    }
}

#[test]
fn a_message_that_keeps_nothing_sees_its_own_changes_only() {
    let wat = STATEFUL.replace("(export \"canister_update change\")", "");
    let mut rig = rig(&wat);
    rig.run(Entry::Init, Mode::Init);
    let before = state(&mut rig);
    for _ in 0..2 {
        let execution = rig.run_with(query("change"), Mode::ReplicatedQuery, Keep::Never, |_| {});
        // `certified_data_set` is not for queries: the module's query is a trap there.
        assert_eq!(
            execution.result.unwrap_err().code,
            ErrorCode::CanisterContractViolation
        );
        assert_eq!(state(&mut rig), before);
    }
    let execution = rig.run_with(callback(1, 41), Mode::Reply, Keep::Never, |_| {});
    assert_eq!(execution.result, Ok(()));
    assert_eq!(state(&mut rig), before);
}

#[test]
fn callbacks_run_by_table_index_and_environment() {
    let wat = STATEFUL.replace("(export \"canister_query change\")", "");
    let mut rig = rig(&wat);
    assert_eq!(rig.run(callback(1, 41), Mode::Reply).result, Ok(()));
    assert_eq!(number(rig.query("heap")), 41);
    let cases = [
        (0, ErrorCode::CanisterFunctionNotFound),
        (2, ErrorCode::CanisterContractViolation),
        (3, ErrorCode::CanisterFunctionNotFound),
        (4, ErrorCode::CanisterFunctionNotFound),
        (u32::MAX, ErrorCode::CanisterFunctionNotFound),
    ];
    for (index, code) in cases {
        let trap = rig.run(callback(index, 1), Mode::Reply).result.unwrap_err();
        assert_eq!(trap.code, code, "{index}: {trap}");
    }
    assert_eq!(number(rig.query("heap")), 41);
}
