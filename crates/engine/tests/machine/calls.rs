//! Building and sending calls: what leaves, what is withheld, and when nothing is sent.

use hatchery_engine::machine::Keep;
use hatchery_engine::message::{Callback, Execution, Message, Mode, OutgoingCall};
use ic_error_types::ErrorCode;

use crate::machine::rig::{Rig, number, principal, rig, update};
use crate::machine::specification::imports;

const CALLEE: &str = "rrkah-fqaaa-aaaaa-aaaaq-cai";
/// What a call with a method of 3 bytes and no argument withholds on 13 nodes.
const PREPAID: u128 = 260_000 + 3_000 + 2_097_152_000 + 5_000_000 + 40_000_000_000;

/// `$new` begins a call of method `abc` to `CALLEE`; `$perform` answers with the result.
fn caller(body: &str) -> Rig {
    let bytes = principal(CALLEE);
    let escaped = bytes.as_slice().iter().map(|byte| format!("\\{byte:02x}"));
    let callee = escaped.collect::<Vec<_>>().concat();
    rig(&format!(
        r#"(module {}
          (memory 1)
          (data (i32.const 0) "abcdefgh")
          (data (i32.const 16) "{callee}")
          (func $number (param $value i64)
            (i64.store (i32.const 1000) (local.get $value))
            (call $msg_reply_data_append (i32.const 1000) (i32.const 8))
            (call $msg_reply))
          (func $new
            (call $call_new (i32.const 16) (i32.const 10) (i32.const 0) (i32.const 3)
              (i32.const 11) (i32.const 12) (i32.const 13) (i32.const 14)))
          (func $perform (call $number (i64.extend_i32_u (call $call_perform))))
          (func (export "canister_update go") {body}))"#,
        imports()
    ))
}

fn go(body: &str, adjust: impl FnOnce(&mut Message<'_>)) -> Execution {
    caller(body).run_with(update("go"), Mode::Update, Keep::OnReturn, adjust)
}

fn call() -> OutgoingCall {
    let callback = |function, environment| Callback {
        function,
        environment,
    };
    OutgoingCall {
        callee: principal(CALLEE),
        method: "abc".into(),
        arg: Vec::new(),
        cycles: 0,
        prepaid: PREPAID,
        best_effort_seconds: None,
        on_reply: callback(11, 12),
        on_reject: callback(13, 14),
        on_cleanup: None,
    }
}

#[test]
fn a_call_leaves_as_it_was_built() {
    let execution = go("(call $new) (call $perform)", |_| {});
    assert_eq!(execution.effects.calls, [call()]);
    assert_eq!(number(execution), 0);
    let body = "(call $new)
        (call $call_data_append (i32.const 3) (i32.const 2))
        (call $call_data_append (i32.const 7) (i32.const 1))
        (call $call_on_cleanup (i32.const 5) (i32.const 6))
        (call $call_with_best_effort_response (i32.const 1000))
        (call $call_cycles_add128 (i64.const 0) (i64.const 30))
        (call $call_cycles_add128 (i64.const 0) (i64.const 12))
        (call $perform)";
    let expected = OutgoingCall {
        arg: b"deh".to_vec(),
        cycles: 42,
        prepaid: PREPAID + 3_000,
        best_effort_seconds: Some(300),
        on_cleanup: Some(Callback {
            function: 5,
            environment: 6,
        }),
        ..call()
    };
    assert_eq!(go(body, |_| {}).effects.calls, [expected]);
}

#[test]
fn the_price_withheld_is_the_price_quoted() {
    let body = "(call $cost_call (i64.const 3) (i64.const 0) (i32.const 2000))
        (call $canister_cycle_balance128 (i32.const 2016))
        (call $new) (drop (call $call_perform))
        (call $canister_cycle_balance128 (i32.const 2032))
        (call $number (i64.sub (i64.load (i32.const 2016))
          (i64.add (i64.load (i32.const 2000)) (i64.load (i32.const 2032)))))";
    assert_eq!(number(go(body, |_| {})), 0);
    let quoted = "(call $cost_call (i64.const 3) (i64.const 0) (i32.const 2000))
        (call $number (i64.load (i32.const 2000)))";
    assert_eq!(u128::from(number(go(quoted, |_| {}))), PREPAID);
}

#[test]
fn too_few_cycles_send_nothing_and_give_back() {
    let body = "(call $new) (call $call_cycles_add128 (i64.const 0) (i64.const 7))
        (i64.store (i32.const 3000) (i64.extend_i32_u (call $call_perform)))
        (call $canister_cycle_balance128 (i32.const 2000))
        (call $number (i64.add (i64.load (i32.const 2000))
          (i64.mul (i64.const 0x1000000000000) (i64.load (i32.const 3000)))))";
    for (missing, sent) in [(0, true), (1, false)] {
        let execution = go(body, |message| {
            message.canister.freezing_limit = 1_000;
            message.canister.balance = 1_000 + 7 + PREPAID - missing;
        });
        assert_eq!(execution.effects.calls.len(), usize::from(sent));
        let (left, result) = if sent {
            (1_000, 0)
        } else {
            (1_007 + PREPAID - 1, 2)
        };
        assert_eq!(u128::from(number(execution)), left + (result << 48));
    }
}

#[test]
fn a_full_queue_sends_nothing_and_counts_this_message() {
    let twice = "(call $new) (drop (call $call_perform)) (call $new) (call $perform)";
    for (slots, sent, last) in [(0, 0, 2), (1, 1, 2), (2, 2, 0)] {
        let mut rig = caller(twice);
        rig.room.0 = slots;
        let execution = rig.update("go");
        assert_eq!(execution.effects.calls.len(), sent);
        assert_eq!(number(execution), last);
    }
}

#[test]
fn composite_queries_call_without_paying() {
    let mut rig = caller("(call $new) (call $perform)");
    rig.canister.balance = 0;
    let execution = rig.run_with(update("go"), Mode::CompositeQuery, Keep::Never, |_| {});
    assert_eq!(execution.effects.calls[0].prepaid, 0);
}

#[test]
fn an_abandoned_call_gives_its_cycles_back() {
    let body = "(call $new) (call $call_cycles_add128 (i64.const 0) (i64.const 7))
        (call $new) (call $canister_cycle_balance128 (i32.const 2000))
        (call $number (i64.load (i32.const 2000)))";
    let execution = go(body, |_| {});
    assert_eq!(execution.effects.calls, []);
    assert_eq!(number(execution), 1_000_000_000_000);
}

#[test]
fn a_trap_takes_calls_back() {
    let execution = go(
        "(call $new) (drop (call $call_perform)) (unreachable)",
        |_| {},
    );
    assert!(execution.result.is_err());
    assert_eq!(execution.effects.calls, []);
}

#[test]
fn wrong_construction_traps() {
    let cases = [
        "(drop (call $call_perform))",
        "(call $call_data_append (i32.const 0) (i32.const 0))",
        "(call $call_on_cleanup (i32.const 0) (i32.const 0))",
        "(call $call_cycles_add128 (i64.const 0) (i64.const 0))",
        "(call $call_with_best_effort_response (i32.const 1))",
        "(call $new) (drop (call $call_perform)) (drop (call $call_perform))",
        "(call $new) (call $call_on_cleanup (i32.const 0) (i32.const 0))
         (call $call_on_cleanup (i32.const 0) (i32.const 0))",
        "(call $new) (call $call_with_best_effort_response (i32.const 1))
         (call $call_with_best_effort_response (i32.const 1))",
        // More than the balance; a callee of 30 bytes; a name of 20,001 bytes; 10 MiB exceeded.
        "(call $new) (call $call_cycles_add128 (i64.const 1) (i64.const 0))",
        "(call $call_new (i32.const 0) (i32.const 30) (i32.const 0) (i32.const 1)
           (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))",
        "(call $call_new (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 20001)
           (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))",
        "(drop (memory.grow (i32.const 200))) (call $new)
         (call $call_data_append (i32.const 0) (i32.const 10485758))",
    ];
    for body in cases {
        let trap = go(body, |_| {}).result.expect_err(body);
        assert_eq!(
            trap.code,
            ErrorCode::CanisterContractViolation,
            "{body}: {trap}"
        );
    }
    let largest = "(drop (memory.grow (i32.const 200))) (call $new)
        (call $call_data_append (i32.const 0) (i32.const 10485757)) (call $perform)";
    assert_eq!(number(go(largest, |_| {})), 0);
}
