//! Atomicity, call contexts, callbacks and cleanup as they show across canisters.

use hatchery_engine::{ErrorCode, IngressStatus, Principal, RejectCode};

use super::puppet::*;

fn code_and_error(answer: Result<Vec<u8>, hatchery_engine::Reject>) -> (RejectCode, ErrorCode) {
    let reject = answer.expect_err("a reject");
    (reject.code, reject.error)
}

#[test]
fn a_trap_undoes_the_message_and_is_told_to_the_caller() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let version = engine.canister(id).unwrap().version;
    let answer = run(
        &mut engine,
        id,
        &program().count(1).timer_in(5).certify(b"x").trap("no"),
    );
    assert_eq!(
        code_and_error(answer),
        (RejectCode::CanisterError, ErrorCode::CanisterCalledTrap)
    );
    assert_eq!(counter(&mut engine, id, 1), 0);
    let view = engine.canister(id).unwrap();
    assert_eq!(
        (view.timer_ns, view.certified_data, view.version),
        (0, Vec::new(), version)
    );
    assert!(!view.logs.is_empty(), "traps are logged");
}

#[test]
fn a_trap_undoes_the_calls_made_and_their_cycles() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let call = call(b, &program().count(1).reply()).cycles(1_000_000_000_000);
    run(&mut engine, a, &program().call(&call).trap("no")).expect_err("trapped");
    assert_eq!(counter(&mut engine, b, 1), 0);
    assert_eq!(engine.canister(a).unwrap().outstanding_calls, 0);
    assert_balanced(&engine);
}

#[test]
fn without_an_answer_the_caller_is_told_so() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let silent = program().count(1);
    let answer = run(&mut engine, b, &silent);
    assert_eq!(
        code_and_error(answer),
        (RejectCode::CanisterError, ErrorCode::CanisterDidNotReply)
    );
    assert_eq!(counter(&mut engine, b, 1), 1, "its changes stay");
    let answer = run(&mut engine, a, &program().call(&call(b, &silent)));
    assert_eq!(number(&answer.unwrap()), RejectCode::CanisterError as u64);
}

#[test]
fn an_await_commits_what_came_before_it() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let call = call(b, &program().reply()).on_reply(program().count(2).trap("in the callback"));
    let answer = run(&mut engine, a, &program().count(1).call(&call));
    assert_eq!(code_and_error(answer).1, ErrorCode::CanisterCalledTrap);
    assert_eq!(counter(&mut engine, a, 1), 1);
    assert_eq!(counter(&mut engine, a, 2), 0);
}

#[test]
fn cleanup_runs_when_a_callback_traps_and_its_changes_stay() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let call = call(b, &program().reply())
        .on_reply(program().count(2).trap("in the callback"))
        .on_cleanup(program().count(3));
    run(&mut engine, a, &program().call(&call)).expect_err("trapped");
    assert_eq!(counter(&mut engine, a, 2), 0);
    assert_eq!(counter(&mut engine, a, 3), 1);
}

#[test]
fn a_cleanup_that_traps_leaves_nothing() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let call = call(b, &program().reply())
        .on_reply(program().trap("in the callback"))
        .on_cleanup(program().count(3).trap("in cleanup"));
    let reject = run(&mut engine, a, &program().call(&call)).expect_err("trapped");
    assert!(
        reject.message.contains("call_on_cleanup also failed"),
        "{reject}"
    );
    assert_eq!(counter(&mut engine, a, 3), 0);
}

#[test]
fn a_trapping_callback_leaves_the_answer_to_the_next_one() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let first = call(b, &program().reply()).on_reply(program().trap("first"));
    let second = call(b, &program().append(b"2").reply());
    let answer = run(&mut engine, a, &program().call(&first).call(&second));
    assert_eq!(answer, Ok(b"2".to_vec()));
}

#[test]
fn an_early_answer_is_seen_while_callbacks_go_on() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let later = manage("raw_rand", encode(&())).on_reply(program().count(1));
    let (rounds, answer) = rounds(
        &mut engine,
        id,
        &program().append(b"now").reply().call(&later),
    );
    assert_eq!((rounds, answer), (1, Ok(b"now".to_vec())));
    assert_eq!(engine.canister(id).unwrap().open_call_contexts, 1);
    engine.tick();
    engine.tick();
    assert_eq!(counter(&mut engine, id, 1), 1);
    assert_eq!(engine.canister(id).unwrap().open_call_contexts, 0);
}

#[test]
fn the_caller_in_a_callback_is_the_one_of_its_call_context() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let call = call(b, &program().reply()).on_reply(program().caller().reply());
    let answer = run(&mut engine, a, &program().call(&call));
    assert_eq!(answer, Ok(owner().as_slice().to_vec()));
}

#[test]
fn reject_codes_of_a_call_say_what_happened() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let empty = engine.create_canister(owner(), T);
    let stopped = puppet(&mut engine);
    managed(&mut engine, "stop_canister", about(stopped)).unwrap();
    let nobody = Principal::from_slice(&[0, 0, 0, 0, 9, 9, 9, 9, 1, 1]);
    let run_nothing = program();
    for (expected, call) in [
        (RejectCode::DestinationInvalid, call(nobody, &run_nothing)),
        (RejectCode::CanisterReject, call(b, &program().reject("no"))),
        (RejectCode::CanisterError, call(b, &program().trap("no"))),
        (
            RejectCode::CanisterError,
            method_call(b, "missing", Vec::new()),
        ),
        (
            RejectCode::CanisterError,
            method_call(b, "compose", Vec::new()),
        ),
        (RejectCode::CanisterError, call(empty, &run_nothing)),
        (RejectCode::CanisterError, call(stopped, &run_nothing)),
        (
            RejectCode::CanisterError,
            manage("no_such_method", Vec::new()),
        ),
        (
            RejectCode::CanisterReject,
            manage("sign_with_ecdsa", Vec::new()),
        ),
        (
            RejectCode::CanisterReject,
            manage("canister_status", b"garbage".to_vec()),
        ),
        (
            RejectCode::DestinationInvalid,
            manage("canister_info", about(nobody)),
        ),
        (
            RejectCode::CanisterError,
            manage("uninstall_code", about(b)),
        ),
    ] {
        let name = format!("{} {}", call.callee, call.method);
        let answer = run(&mut engine, a, &program().call(&call)).unwrap();
        assert_eq!(number(&answer), expected as u64, "{name}");
    }
}

#[test]
fn what_is_refused_at_the_door() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let empty = engine.create_canister(owner(), T);
    let poor = engine.create_canister(owner(), 0);
    let nobody = Principal::from_slice(&[0, 0, 0, 0, 9, 9, 9, 9, 1, 1]);
    let mut refusal = |canister, method: &str, arg| {
        let refused = engine.submit(owner(), canister, method, arg);
        refused.expect_err("refused").error
    };
    assert_eq!(
        refusal(nobody, "run", Vec::new()),
        ErrorCode::CanisterNotFound
    );
    assert_eq!(
        refusal(empty, "run", Vec::new()),
        ErrorCode::CanisterWasmModuleNotFound
    );
    assert_eq!(
        refusal(id, "run", vec![0; 2 << 20]),
        ErrorCode::CanisterRejectedMessage
    );
    assert_eq!(
        refusal(MANAGEMENT, "raw_rand", encode(&())),
        ErrorCode::CanisterRejectedMessage
    );
    assert_eq!(
        refusal(MANAGEMENT, "canister_info", about(id)),
        ErrorCode::CanisterRejectedMessage
    );
    assert_eq!(
        refusal(MANAGEMENT, "nonsense", about(id)),
        ErrorCode::CanisterMethodNotFound
    );
    assert_eq!(
        refusal(MANAGEMENT, "canister_status", about(poor)),
        ErrorCode::CanisterOutOfCycles
    );
    let refused = engine.submit(stranger(), MANAGEMENT, "canister_status", about(id));
    assert_eq!(
        refused.expect_err("refused").error,
        ErrorCode::CanisterInvalidController
    );
}

#[test]
fn inspect_message_decides_which_ingress_is_taken() {
    let mut engine = engine();
    let wasm = wasm_with(r#"(export "canister_inspect_message" (func $inspect))"#);
    let id = puppet_with(
        &mut engine,
        100 * T,
        &wasm,
        &program().on_inspect(&program().count(1)),
    );
    let refused = run(&mut engine, id, &program().reply());
    assert_eq!(
        code_and_error(refused),
        (
            RejectCode::CanisterReject,
            ErrorCode::CanisterRejectedMessage
        )
    );
    assert_eq!(counter(&mut engine, id, 1), 0, "its changes are never kept");
    let id = puppet_with(
        &mut engine,
        100 * T,
        &wasm,
        &program().on_inspect(&program().accept_message()),
    );
    assert_eq!(run(&mut engine, id, &program().reply()), Ok(Vec::new()));
}

#[test]
fn a_query_called_as_an_update_keeps_no_state() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let version = engine.canister(b).unwrap().version;
    let change = program().count(1).append(b"ok").reply();
    assert_eq!(
        engine.update(owner(), b, "ask", change.0.clone()),
        Ok(b"ok".to_vec())
    );
    let from_canister = program().call(&method_call(b, "ask", change.0));
    assert_eq!(run(&mut engine, a, &from_canister), Ok(b"ok".to_vec()));
    assert_eq!(counter(&mut engine, b, 1), 0);
    assert_eq!(engine.canister(b).unwrap().version, version);
}

#[test]
fn the_501st_unanswered_call_to_one_callee_is_refused() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let to_management = manage("raw_rand", encode(&())).then(&program());
    let to_b = call(b, &program().reply()).then(&program());
    let many = program()
        .repeat(501, &program().call(&to_management))
        .counter(REFUSED)
        .repeat(500, &program().call(&to_b))
        .counter(REFUSED)
        .reply();
    let answer = run(&mut engine, a, &many).unwrap();
    assert_eq!(
        (number(&answer), number(&answer[8..])),
        (1, 1),
        "500 to each callee go"
    );
    assert_eq!(engine.canister(a).unwrap().outstanding_calls, 500);
    let again = program().call(&to_management).counter(REFUSED).reply();
    assert_eq!(
        number(&run(&mut engine, a, &again).unwrap()),
        2,
        "still unanswered"
    );
    engine.tick();
    assert_eq!(number(&run(&mut engine, a, &again).unwrap()), 2, "answered");
}

#[test]
fn requests_to_one_callee_keep_their_order() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    run(&mut engine, b, &program().stable_grow(1).reply()).unwrap();
    let all = (0..20u8).fold(program(), |all, byte| {
        let write = program().stable_write(0, &[byte]).reply();
        all.call(&call(b, &write).then(&program()))
    });
    run(&mut engine, a, &all.reply()).unwrap();
    assert_eq!(
        ask(&mut engine, b, &program().stable(0, 1).reply()),
        Ok(vec![19])
    );
}

#[test]
fn an_endless_message_is_cut_off_and_paid() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let before = engine.canister(id).unwrap().cycles;
    let reject = run(&mut engine, id, &program().spin(u64::MAX)).expect_err("cut off");
    assert_eq!(reject.error, ErrorCode::CanisterInstructionLimitExceeded);
    let spent = before - engine.canister(id).unwrap().cycles;
    assert!(spent > 40_000_000_000 && spent < 40_020_000_000, "{spent}");
}

#[test]
fn a_best_effort_call_expires_while_its_callee_still_runs() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let slow =
        program().call(&manage("raw_rand", encode(&())).on_reply(program().count(1).reply()));
    let call = call(b, &slow).best_effort(1).cycles(1_000).on_reject(
        program()
            .info(Info::RejectCode)
            .info(Info::Refunded)
            .reply(),
    );
    let id = engine
        .submit(owner(), a, "run", program().call(&call).0)
        .unwrap();
    engine.tick();
    engine.advance_ns(3 * SECOND);
    engine.tick();
    let hatchery_engine::IngressStatus::Replied(answer) = engine.status(&id) else {
        panic!("{:?}", engine.status(&id));
    };
    assert_eq!(number(&answer), RejectCode::SysUnknown as u64);
    assert_eq!(cycles(&answer[8..]), 0, "the refund is lost to the caller");
    engine.tick();
    assert_eq!(counter(&mut engine, b, 1), 1);
    assert_eq!(engine.cycles_account().discarded, 1_000);
    assert_balanced(&engine);
}

#[test]
fn the_deadline_of_a_best_effort_call_is_seen_by_its_callee() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let asked = program().info(Info::Deadline).reply();
    let bounded = run(
        &mut engine,
        a,
        &program().call(&call(b, &asked).best_effort(1_000)),
    )
    .unwrap();
    let now = engine.now_ns() / SECOND * SECOND;
    assert_eq!(
        number(&bounded),
        now + 300 * SECOND,
        "capped to 300 seconds"
    );
    let unbounded = run(&mut engine, a, &program().call(&call(b, &asked))).unwrap();
    assert_eq!(number(&unbounded), 0);
}

#[test]
fn equal_seeds_give_equal_worlds() {
    let story = |seed| {
        let config = hatchery_engine::Config {
            seed,
            ..Default::default()
        };
        let mut engine = hatchery_engine::Engine::new(config);
        engine.trace_keep(usize::MAX);
        let [a, b] = [(); 2].map(|()| puppet(&mut engine));
        let random = manage("raw_rand", encode(&()));
        let inner = program().count(0).call(&random);
        let outer = program().call(&call(b, &inner));
        let bytes = run(&mut engine, a, &outer).unwrap();
        let lines: Vec<String> = engine.trace().map(ToString::to_string).collect();
        (bytes, lines, engine.cycles_account())
    };
    assert_eq!(story(1), story(1));
    assert_ne!(story(1).0, story(2).0, "raw_rand is drawn from the seed");
}

#[test]
fn each_event_is_one_line_and_nothing_is_kept_when_nobody_listens() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let call = program().call(&call(b, &program().trap("no")).cycles(7));
    run(&mut engine, a, &call).unwrap();
    assert_eq!(engine.trace().count(), 0);
    engine.trace_keep(5);
    run(&mut engine, a, &call).unwrap();
    let kept: Vec<String> = engine.trace().map(ToString::to_string).collect();
    let verbs: Vec<&str> = kept
        .iter()
        .map(|line| line.split_whitespace().nth(2).unwrap())
        .collect();
    assert_eq!(
        verbs,
        ["send", "execute", "answer", "execute", "finish"],
        "{kept:?}"
    );
    assert!(
        kept[1].ends_with("IC0503") && kept[2].ends_with("IC0503 +7"),
        "{kept:?}"
    );
    let lines = std::rc::Rc::new(std::cell::Cell::new(0));
    let seen = lines.clone();
    engine.trace_stream(Box::new(move |_| seen.set(seen.get() + 1)));
    run(&mut engine, a, &call).unwrap();
    assert_eq!(lines.get(), 7);
}

#[test]
fn a_round_has_its_budget_and_what_is_left_waits_for_the_next() {
    // Each message counts 2 million instructions and more; a core starts them for 5 billion.
    let mut engine = engine();
    let id = puppet(&mut engine);
    let message = program().count(1).reply();
    let all: Vec<_> = (0..3_000)
        .map(|_| {
            engine
                .submit(owner(), id, "run", message.0.clone())
                .unwrap()
        })
        .collect();
    engine.tick();
    let first = counter(&mut engine, id, 1);
    assert!((2_400..2_500).contains(&first), "{first}");
    engine.tick();
    assert_eq!(counter(&mut engine, id, 1), 3_000);
    let replied = IngressStatus::Replied(Vec::new());
    assert!(all.iter().all(|id| engine.status(id) == replied));
}
