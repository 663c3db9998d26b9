//! What every function of the System API answers and changes.

use hatchery_engine::machine::{Keep, PAGE_BYTES};
use hatchery_engine::message::{DataCertificate, Entry, Execution, Message, Mode, Response};
use ic_error_types::ErrorCode;
use ic_principal::Principal;

use crate::machine::rig::{Rig, principal, reply, rig, update};
use crate::machine::specification::imports;

/// A canister with all imports and one method `go`. `$out` answers with memory from 1000 on,
/// `$number` with a number; texts stand at fixed places.
fn probe(body: &str) -> Rig {
    rig(&format!(
        r#"(module {}
          (memory 1)
          (data (i32.const 0) "abcdefgh")
          (data (i32.const 16) "\04")
          (data (i32.const 32) "ROLE")
          (data (i32.const 48) "NONE")
          (data (i32.const 64) "test_key_1")
          (data (i32.const 80) "\ff\fe")
          (func $out (param $length i32)
            (call $msg_reply_data_append (i32.const 1000) (local.get $length))
            (call $msg_reply))
          (func $number (param $value i64)
            (i64.store (i32.const 1000) (local.get $value))
            (call $out (i32.const 8)))
          (func $small (param $value i32)
            (call $number (i64.extend_i32_u (local.get $value))))
          (func $go (export "canister_update go") {body})
          (func (export "canister_inspect_message") {body}))"#,
        imports()
    ))
}

fn go(body: &str, mode: Mode, adjust: impl FnOnce(&mut Message<'_>)) -> Execution {
    probe(body).run_with(update("go"), mode, Keep::OnReturn, adjust)
}

fn shows(body: &str, mode: Mode, adjust: impl FnOnce(&mut Message<'_>), expected: &[u8]) {
    let bytes = reply(go(body, mode, adjust));
    assert_eq!(bytes, expected, "{body}");
}

/// In update mode, undisturbed.
fn shows_number(body: &str, expected: u64) {
    shows(body, Mode::Update, |_| {}, &expected.to_le_bytes());
}

fn cycles(amount: u128) -> [u8; 16] {
    amount.to_le_bytes()
}

/// The trap's code when `body` runs in this mode.
fn traps(body: &str, mode: Mode) -> ErrorCode {
    let execution = go(body, mode, |_| {});
    execution.result.expect_err(body).code
}

#[test]
fn arguments_callers_and_ids_are_copied_out() {
    let caller = principal("rrkah-fqaaa-aaaaa-aaaaq-cai");
    let set_caller = |message: &mut Message<'_>| message.caller = caller;
    shows_number("(call $small (call $msg_arg_data_size))", 8);
    let copy = |name: &str, offset: u32, size: u32| {
        format!(
            "(call ${name} (i32.const 1000) (i32.const {offset}) (i32.const {size})) \
             (call $out (i32.const {size}))"
        )
    };
    shows(
        &copy("msg_arg_data_copy", 3, 5),
        Mode::Update,
        |_| {},
        b"ument",
    );
    let bytes = caller.as_slice();
    shows(
        &copy("msg_caller_copy", 0, 10),
        Mode::Update,
        set_caller,
        bytes,
    );
    shows_number("(call $small (call $msg_caller_size))", 1);
    let own = principal("rwlgt-iiaaa-aaaaa-aaaaa-cai");
    shows(
        &copy("canister_self_copy", 0, 10),
        Mode::Update,
        |_| {},
        own.as_slice(),
    );
    shows_number("(call $small (call $canister_self_size))", 10);
    shows_number("(call $small (call $subnet_self_size))", 0);
    shows(&copy("root_key_copy", 1, 2), Mode::Update, |_| {}, &[2, 3]);
    shows_number("(call $small (call $root_key_size))", 3);
    shows_number("(call $small (call $subnet_self_node_count))", 13);
    shows_number("(call $small (call $msg_caller_info_data_size))", 0);
    shows_number("(call $small (call $msg_caller_info_signer_size))", 0);
}

#[test]
fn copies_out_of_range_trap() {
    for (offset, size) in [(0, 9), (9, 0), (8, 1), (u32::MAX, 1), (1, u32::MAX)] {
        let body = format!(
            "(call $msg_arg_data_copy (i32.const 0) (i32.const {offset}) (i32.const {size}))"
        );
        assert!(
            go(&body, Mode::Update, |_| {}).result.is_err(),
            "{offset} {size}"
        );
    }
    let beyond = "(call $msg_arg_data_copy (i32.const 65532) (i32.const 0) (i32.const 5))";
    assert_eq!(traps(beyond, Mode::Update), ErrorCode::CanisterTrapped);
    let edge = "(call $msg_arg_data_copy (i32.const 65532) (i32.const 0) (i32.const 4))";
    assert_eq!(go(edge, Mode::Update, |_| {}).result, Ok(()));
}

#[test]
fn rejects_show_code_and_text() {
    let rejected = |message: &mut Message<'_>| message.reject = Some((4, "no way".into()));
    let text = "(call $msg_reject_msg_copy (i32.const 1000) (i32.const 3) (i32.const 3)) \
                (call $out (call $msg_reject_msg_size))";
    shows(text, Mode::Reject, rejected, b"way\0\0\0");
    let code = "(call $small (call $msg_reject_code))";
    shows(code, Mode::Reject, rejected, &4u64.to_le_bytes());
    shows(code, Mode::Reply, |_| {}, &0u64.to_le_bytes());
    assert_eq!(
        traps("(drop (call $msg_reject_msg_size))", Mode::Reject),
        ErrorCode::CanisterContractViolation
    );
}

#[test]
fn facts_of_the_canister_and_the_round() {
    shows_number("(call $small (call $canister_status))", 1);
    shows_number("(call $number (call $canister_version))", 7);
    shows_number("(call $number (call $time))", 1_620_328_630_000_000_000);
    shows(
        "(call $number (call $msg_deadline))",
        Mode::Update,
        |m| m.deadline_ns = 55,
        &55u64.to_le_bytes(),
    );
    shows_number(
        "(call $small (call $is_controller (i32.const 16) (i32.const 1)))",
        1,
    );
    shows_number(
        "(call $small (call $is_controller (i32.const 0) (i32.const 1)))",
        0,
    );
    let long = "(drop (call $is_controller (i32.const 0) (i32.const 30)))";
    assert_eq!(
        traps(long, Mode::Update),
        ErrorCode::CanisterContractViolation
    );
    for (mode, replicated) in [
        (Mode::Update, 1u64),
        (Mode::ReplicatedQuery, 1),
        (Mode::Reply, 1),
        (Mode::Query, 0),
        (Mode::CompositeQuery, 0),
        (Mode::CompositeReply, 0),
    ] {
        let body = "(call $small (call $in_replicated_execution))";
        shows(body, mode, |_| {}, &replicated.to_le_bytes());
    }
}

#[test]
fn timer_returns_what_was_set_before() {
    let body = "(drop (call $global_timer_set (i64.const 40))) \
                (call $number (call $global_timer_set (i64.const 0)))";
    let execution = go(body, Mode::Update, |message| message.canister.timer_ns = 9);
    assert_eq!(execution.effects.timer_ns, Some(0));
    assert_eq!(reply(execution), 40u64.to_le_bytes());
    let first = "(call $number (call $global_timer_set (i64.const 40)))";
    shows(
        first,
        Mode::Update,
        |m| m.canister.timer_ns = 9,
        &9u64.to_le_bytes(),
    );
}

#[test]
fn certified_data_is_at_most_32_bytes() {
    let set = |size: u32| format!("(call $certified_data_set (i32.const 0) (i32.const {size}))");
    let execution = go(&set(32), Mode::Update, |_| {});
    assert_eq!(execution.effects.certified_data.unwrap().len(), 32);
    let execution = go(&set(0), Mode::Update, |_| {});
    assert_eq!(execution.effects.certified_data.unwrap(), b"");
    assert_eq!(
        traps(&set(33), Mode::Update),
        ErrorCode::CanisterContractViolation
    );
}

#[test]
fn certificates_are_shown_to_queries_alone() {
    let certificate: &DataCertificate<'_> =
        Box::leak(Box::new(DataCertificate::new(&|| vec![8, 9])));
    let certified = |message: &mut Message<'_>| message.data_certificate = Some(certificate);
    let present = "(call $small (call $data_certificate_present))";
    shows(present, Mode::Query, certified, &1u64.to_le_bytes());
    shows(present, Mode::Query, |_| {}, &0u64.to_le_bytes());
    shows(present, Mode::Update, certified, &0u64.to_le_bytes());
    let copy = "(call $data_certificate_copy (i32.const 1000) (i32.const 0) \
                (call $data_certificate_size)) (call $out (i32.const 2))";
    shows(copy, Mode::Query, certified, &[8, 9]);
    let size = "(drop (call $data_certificate_size))";
    assert_eq!(
        traps(size, Mode::Query),
        ErrorCode::CanisterContractViolation
    );
}

#[test]
fn environment_variables() {
    shows_number("(call $small (call $env_var_count))", 2);
    shows_number("(call $small (call $env_var_name_size (i32.const 1)))", 5);
    let name = "(call $env_var_name_copy (i32.const 0) (i32.const 1000) (i32.const 1) \
                (i32.const 3)) (call $out (i32.const 3))";
    shows(name, Mode::Query, |_| {}, b"OLE");
    shows_number(
        "(call $small (call $env_var_name_exists (i32.const 32) (i32.const 4)))",
        1,
    );
    shows_number(
        "(call $small (call $env_var_name_exists (i32.const 48) (i32.const 4)))",
        0,
    );
    shows_number(
        "(call $small (call $env_var_value_size (i32.const 32) (i32.const 4)))",
        6,
    );
    let value = "(call $env_var_value_copy (i32.const 32) (i32.const 4) (i32.const 1000) \
                 (i32.const 2) (i32.const 4)) (call $out (i32.const 4))";
    shows(value, Mode::Update, |_| {}, b"rker");
    for wrong in [
        "(drop (call $env_var_name_size (i32.const 2)))",
        "(drop (call $env_var_value_size (i32.const 48) (i32.const 4)))",
        "(drop (call $env_var_value_size (i32.const 0) (i32.const 129)))",
        "(drop (call $env_var_name_exists (i32.const 80) (i32.const 2)))",
    ] {
        assert_eq!(
            traps(wrong, Mode::Update),
            ErrorCode::CanisterContractViolation,
            "{wrong}"
        );
    }
}

#[test]
fn answers_are_given_once() {
    let both = "(call $msg_reply) (call $msg_reply)";
    assert_eq!(
        traps(both, Mode::Update),
        ErrorCode::CanisterContractViolation
    );
    for second in [
        "(call $msg_reject (i32.const 0) (i32.const 1))",
        "(call $msg_reply_data_append (i32.const 0) (i32.const 1))",
    ] {
        let body = format!("(call $msg_reply) {second}");
        assert_eq!(
            traps(&body, Mode::Update),
            ErrorCode::CanisterContractViolation
        );
    }
    let late = go("(call $msg_reply)", Mode::Reply, |message| {
        message.responded = true;
    });
    assert_eq!(
        late.result.unwrap_err().code,
        ErrorCode::CanisterContractViolation
    );
    let execution = go(
        "(call $msg_reject (i32.const 0) (i32.const 3))",
        Mode::Update,
        |_| {},
    );
    assert_eq!(
        execution.effects.response,
        Some(Response::Reject("abc".into()))
    );
    let not_text = "(call $msg_reject (i32.const 80) (i32.const 2))";
    assert_eq!(
        traps(not_text, Mode::Update),
        ErrorCode::CanisterContractViolation
    );
    let unsent = go(
        "(call $msg_reply_data_append (i32.const 0) (i32.const 1))",
        Mode::Update,
        |_| {},
    );
    assert_eq!(unsent.effects.response, None);
}

#[test]
fn answers_have_a_largest_size() {
    let big = |bytes: u32| {
        format!(
            "(drop (memory.grow (i32.const 64))) \
             (call $msg_reply_data_append (i32.const 0) (i32.const {bytes})) (call $msg_reply)"
        )
    };
    let (two, three) = (2 * 1024 * 1024, 3 * 1024 * 1024);
    assert_eq!(
        reply(go(&big(two), Mode::Update, |_| {})).len(),
        two as usize
    );
    assert_eq!(
        reply(go(&big(three), Mode::Query, |_| {})).len(),
        three as usize
    );
    for (bytes, mode) in [
        (two + 1, Mode::Update),
        (two + 1, Mode::ReplicatedQuery),
        (three + 1, Mode::Query),
    ] {
        assert_eq!(
            traps(&big(bytes), mode),
            ErrorCode::CanisterContractViolation
        );
    }
}

#[test]
fn cycles_are_accepted_up_to_what_is_there() {
    let accept = |wanted: u64| {
        format!(
            "(call $msg_cycles_accept128 (i64.const 0) (i64.const {wanted}) (i32.const 1000)) \
             (call $msg_cycles_available128 (i32.const 1016)) \
             (call $canister_cycle_balance128 (i32.const 1032)) (call $out (i32.const 48))"
        )
    };
    let rich = |message: &mut Message<'_>| {
        message.cycles_available = 50;
        message.canister.balance = 1_000;
    };
    for (wanted, accepted) in [(0, 0), (30, 30), (50, 50), (51, 50), (u64::MAX, 50)] {
        let execution = go(&accept(wanted), Mode::Update, rich);
        assert_eq!(execution.effects.cycles_accepted, accepted);
        let expected = [
            cycles(accepted),
            cycles(50 - accepted),
            cycles(1_000 + accepted),
        ];
        assert_eq!(reply(execution), expected.concat());
    }
    let after_answer = "(call $msg_reply) \
        (call $msg_cycles_accept128 (i64.const 0) (i64.const 9) (i32.const 1000))";
    assert_eq!(
        go(after_answer, Mode::Update, rich).effects.cycles_accepted,
        0
    );
    let refunded = "(call $msg_cycles_refunded128 (i32.const 1000)) (call $out (i32.const 16))";
    shows(
        refunded,
        Mode::Reply,
        |m| m.cycles_refunded = 1 << 70,
        &cycles(1 << 70),
    );
}

#[test]
fn cycles_burn_and_show_what_is_liquid() {
    let body = |wanted: u64| {
        format!(
            "(call $cycles_burn128 (i64.const 0) (i64.const {wanted}) (i32.const 1000)) \
             (call $canister_liquid_cycle_balance128 (i32.const 1016)) \
             (call $canister_cycle_balance128 (i32.const 1032)) (call $out (i32.const 48))"
        )
    };
    for (wanted, burned) in [(100u64, 100u128), (700, 700), (701, 700)] {
        let execution = go(&body(wanted), Mode::Update, |message| {
            message.canister.balance = 1_000;
            message.canister.freezing_limit = 300;
        });
        assert_eq!(execution.effects.cycles_burned, burned);
        let expected = [cycles(burned), cycles(700 - burned), cycles(1_000 - burned)];
        assert_eq!(reply(execution), expected.concat());
    }
}

#[test]
fn prices_are_quoted() {
    let quote = |call: &str| format!("{call} (call $out (i32.const 16))");
    let create = quote("(call $cost_create_canister (i32.const 1000))");
    shows(&create, Mode::Update, |_| {}, &cycles(500_000_000_000));
    let call = quote("(call $cost_call (i64.const 3) (i64.const 7) (i32.const 1000))");
    // 260,000 + 10 bytes + the largest reply + a callback of 40 B instructions.
    let expected = 260_000 + 10_000 + 2_097_152_000 + 5_000_000 + 40_000_000_000;
    shows(&call, Mode::Update, |_| {}, &cycles(expected));
    let http = quote("(call $cost_http_request (i64.const 1) (i64.const 2) (i32.const 1000))");
    let expected = (3_000_000 + 60_000 * 13 + 400 + 1_600) * 13;
    shows(&http, Mode::Update, |_| {}, &cycles(expected));
    for name in [
        "cost_sign_with_ecdsa",
        "cost_sign_with_schnorr",
        "cost_vetkd_derive_key",
    ] {
        let sign = |size: u32, algorithm: u32| {
            format!(
                "(call $small (call ${name} (i32.const 64) (i32.const {size}) \
                 (i32.const {algorithm}) (i32.const 1000)))"
            )
        };
        shows_number(&sign(10, 0), 0);
        shows_number(&sign(10, 9), 1);
        shows_number(&sign(9, 0), 2);
        let price = quote(&format!(
            "(drop (call ${name} (i32.const 64) (i32.const 10) (i32.const 0) (i32.const 1000)))"
        ));
        shows(&price, Mode::Update, |_| {}, &cycles(10_000_000_000));
    }
}

#[test]
fn stable_memory_is_read_written_and_bounded() {
    let body = "(drop (call $stable64_grow (i64.const 2))) \
        (call $stable64_write (i64.const 65530) (i64.const 0) (i64.const 8)) \
        (call $stable64_read (i64.const 1000) (i64.const 65532) (i64.const 8)) \
        (i64.store (i32.const 1008) (call $stable64_size)) (call $out (i32.const 16))";
    let expected = [*b"cdefgh\0\0", 2u64.to_le_bytes()].concat();
    shows(body, Mode::Update, |_| {}, &expected);
    let grow = "(call $number (call $stable64_grow (i64.const 3)))";
    shows_number(grow, 0);
    let tight = |m: &mut Message<'_>| m.canister.memory_headroom = 3 * 65_536 - 1;
    shows(grow, Mode::Update, tight, &u64::MAX.to_le_bytes());
    for pages in ["8192001", "-1", "0x7fffffffffffffff"] {
        let body = format!("(call $number (call $stable64_grow (i64.const {pages})))");
        shows_number(&body, u64::MAX);
    }
    for beyond in [
        "(call $stable64_write (i64.const 0) (i64.const 0) (i64.const 1))",
        "(call $stable64_read (i64.const 0) (i64.const -1) (i64.const 1))",
        "(call $stable64_read (i64.const 0) (i64.const 0) (i64.const 0x100000000))",
        "(call $stable64_read (i64.const 0x100000000) (i64.const 0) (i64.const 0))",
    ] {
        assert_eq!(
            traps(beyond, Mode::Update),
            ErrorCode::CanisterTrapped,
            "{beyond}"
        );
    }
}

#[test]
fn logs_and_explicit_traps() {
    let body = "(call $debug_print (i32.const 0) (i32.const 3)) \
        (call $debug_print (i32.const 65535) (i32.const 2)) \
        (call $trap (i32.const 2) (i32.const 4))";
    let execution = go(body, Mode::Update, |_| {});
    let trap = execution.result.unwrap_err();
    assert_eq!(trap.code, ErrorCode::CanisterCalledTrap);
    assert!(
        trap.message
            .ends_with("Canister called `ic0.trap` with message: 'cdef'"),
        "{trap}"
    );
    let logs: Vec<String> = execution
        .effects
        .logs
        .into_iter()
        .map(|line| String::from_utf8(line).unwrap())
        .collect();
    assert_eq!(
        logs,
        [
            "abc",
            "(debug_print message out of memory bounds)",
            "[TRAP]: cdef"
        ]
    );
    let outside = "(call $trap (i32.const 65535) (i32.const 4))";
    assert_eq!(traps(outside, Mode::Update), ErrorCode::CanisterCalledTrap);
}

#[test]
fn inspection_accepts_once_and_sees_the_method() {
    let entry = || Entry::InspectMessage("some method".into());
    let copy = "(call $msg_method_name_copy (i32.const 0) (i32.const 5) (i32.const 6)) \
                (call $debug_print (i32.const 0) (i32.const 6)) \
                (if (i32.eq (call $msg_method_name_size) (i32.const 11)) \
                  (then (call $accept_message)))";
    let execution = probe(copy).run_with(entry(), Mode::Inspect, Keep::Never, |_| {});
    assert_eq!(execution.result, Ok(()));
    assert!(execution.effects.ingress_accepted);
    assert_eq!(execution.effects.logs, [b"method".to_vec()]);
    let twice = "(call $accept_message) (call $accept_message)";
    let execution = probe(twice).run_with(entry(), Mode::Inspect, Keep::Never, |_| {});
    assert_eq!(
        execution.result.unwrap_err().code,
        ErrorCode::CanisterContractViolation
    );
    assert!(!execution.effects.ingress_accepted);
}

#[test]
fn counters_count_the_message_and_its_context() {
    let body = "(i64.store (i32.const 1000) (call $performance_counter (i32.const 0))) \
        (i64.store (i32.const 1008) (call $performance_counter (i32.const 1))) \
        (call $out (i32.const 16))";
    let execution = go(body, Mode::Update, |message| {
        message.context_instructions = 1_000_000;
    });
    let total = execution.instructions;
    let bytes = reply(execution);
    let first = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    let second = u64::from_le_bytes(bytes[8..].try_into().unwrap());
    assert!((200..300).contains(&first), "{first}");
    assert!(
        (first + 1_000_200..first + 1_000_300).contains(&second),
        "{second}"
    );
    assert!(total > second - 1_000_000);
    let other = "(drop (call $performance_counter (i32.const 2)))";
    assert_eq!(
        traps(other, Mode::Update),
        ErrorCode::CanisterContractViolation
    );
}

#[test]
fn unmodelled_prices_say_so() {
    let body = "(call $cost_http_request_v2 (i32.const 0) (i32.const 0) (i32.const 0))";
    let trap = go(body, Mode::Update, |_| {}).result.unwrap_err();
    assert!(trap.message.contains("cost_http_request_v2"), "{trap}");
}

#[test]
fn the_caller_of_system_tasks_is_the_management_canister() {
    let body = "(call $debug_print (i32.const 0) (call $msg_caller_size))";
    let execution = go(body, Mode::SystemTask, |message| {
        message.caller = Principal::management_canister();
    });
    assert_eq!(execution.effects.logs, [b"".to_vec()]);
    assert_eq!(PAGE_BYTES, 4096);
}
