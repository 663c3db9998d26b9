//! Faults on demand.

use hatchery_engine::faults::{Rule, Verdict};
use hatchery_engine::{Engine, ErrorCode, IngressStatus, RejectCode};

use super::puppet::*;

const TRANSIENT: Verdict = Verdict::Reject {
    code: RejectCode::SysTransient,
};

#[test]
fn a_rejected_management_call_did_not_run() {
    let mut engine = engine();
    let root = puppet(&mut engine);
    let child = child_of(&mut engine, root);
    engine
        .faults()
        .add(Rule::new(TRANSIENT).method("uninstall_code").at_most(1));
    let uninstall = program().call(&manage("uninstall_code", about(child)));
    let (rounds, answer) = rounds(&mut engine, root, &uninstall);
    assert_eq!(
        (rounds, number(&answer.unwrap())),
        (3, RejectCode::SysTransient as u64)
    );
    assert!(engine.canister(child).unwrap().module_hash.is_some());
    run(&mut engine, root, &uninstall).unwrap();
    assert!(
        engine.canister(child).unwrap().module_hash.is_none(),
        "once is enough"
    );
    assert_eq!(engine.faults().applied().len(), 1);
    assert_balanced(&engine);
}

#[test]
fn a_rejected_call_to_a_canister_did_not_run() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    engine
        .faults()
        .add(Rule::new(TRANSIENT).caller(a).callee(b).every(2));
    let once = program().call(&call(b, &program().count(1).counter(1).reply()).cycles(50));
    let answers: Vec<u64> = (0..4)
        .map(|_| number(&run(&mut engine, a, &once).unwrap()))
        .collect();
    assert_eq!(
        answers,
        [1, 2, 2, 2],
        "the second and the fourth say SYS_TRANSIENT, which is 2"
    );
    assert_eq!(counter(&mut engine, b, 1), 2);
    assert_balanced(&engine);
}

#[test]
fn a_trapping_callee_and_a_trapping_callback() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let out = call(b, &program().count(1).reply())
        .on_reply(program().count(2).reply())
        .on_cleanup(program().count(3));
    engine
        .faults()
        .add(Rule::new(Verdict::TrapCallee).callee(b).at_most(1));
    let answer = run(&mut engine, a, &program().call(&out)).unwrap();
    assert_eq!(number(&answer), RejectCode::CanisterError as u64);
    assert_eq!(counter(&mut engine, b, 1), 0);
    engine.faults().clear();
    engine
        .faults()
        .add(Rule::new(Verdict::TrapCallback).caller(a));
    let reject = run(&mut engine, a, &program().call(&out)).expect_err("the callback trapped");
    assert_eq!(reject.error, ErrorCode::CanisterTrapped);
    let counters =
        [1, 2, 3].map(|index| counter(&mut engine, if index == 1 { b } else { a }, index));
    assert_eq!(
        counters,
        [1, 0, 1],
        "the callee ran, the callback did not, cleanup did"
    );
    assert_balanced(&engine);
}

#[test]
fn a_full_queue_and_too_many_instructions() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    engine
        .faults()
        .add(Rule::new(Verdict::QueueFull).callee(b).at_most(1));
    let attempt = program()
        .call(&call(b, &program().count(1).reply()).then(&program()))
        .info(Info::Performed)
        .reply();
    assert_eq!(number(&run(&mut engine, a, &attempt).unwrap()), 2);
    assert_eq!(counter(&mut engine, b, 1), 0);
    for (method, performed) in [("other", 0), ("run", 2)] {
        engine.faults().clear();
        engine
            .faults()
            .add(Rule::new(Verdict::QueueFull).method(method));
        assert_eq!(
            number(&run(&mut engine, a, &attempt).unwrap()),
            performed,
            "{method}"
        );
    }
    engine.faults().clear();
    engine
        .faults()
        .add(Rule::new(Verdict::OutOfInstructions).callee(b));
    let before = engine.canister(b).unwrap().cycles;
    run(&mut engine, a, &attempt).unwrap();
    assert_eq!(before - engine.canister(b).unwrap().cycles, 40_005_000_000);
    assert_balanced(&engine);
}

#[test]
fn a_delayed_request_keeps_its_place_and_a_delayed_answer_comes_later() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    run(&mut engine, b, &program().stable_grow(1).reply()).unwrap();
    engine
        .faults()
        .add(Rule::new(Verdict::Delay { rounds: 3 }).callee(b).at_most(1));
    let write =
        |byte| call(b, &program().stable_write(0, &[byte]).reply()).then(&program().count(1));
    run(
        &mut engine,
        a,
        &program().call(&write(1)).call(&write(2)).reply(),
    )
    .unwrap();
    assert_eq!(counter(&mut engine, a, 1), 0);
    engine.tick();
    engine.tick();
    assert_eq!(counter(&mut engine, a, 1), 0);
    assert_balanced(&engine);
    engine.tick();
    assert_eq!(counter(&mut engine, a, 1), 2);
    assert_eq!(
        ask(&mut engine, b, &program().stable(0, 1).reply()),
        Ok(vec![2])
    );
    engine.faults().clear();
    engine
        .faults()
        .add(Rule::new(Verdict::DelayAnswer { rounds: 2 }).callee(MANAGEMENT));
    let (rounds, _) = rounds(
        &mut engine,
        a,
        &program().call(&manage("raw_rand", encode(&()))),
    );
    assert_eq!(rounds, 5);
    assert_balanced(&engine);
}

#[test]
fn a_best_effort_call_can_be_expired_and_a_guaranteed_one_cannot() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let slow = program().count(1).call(&manage("raw_rand", encode(&())));
    engine.faults().add(Rule::new(Verdict::ExpireBestEffort));
    engine.faults().add(Rule::new(Verdict::Reject {
        code: RejectCode::SysUnknown,
    }));
    let guaranteed = run(&mut engine, a, &program().call(&call(b, &slow))).unwrap();
    assert!(guaranteed.len() > 8, "the random bytes came through");
    engine.faults().clear();
    engine.faults().add(Rule::new(Verdict::ExpireBestEffort));
    let best_effort = run(
        &mut engine,
        a,
        &program().call(&call(b, &slow).best_effort(30)),
    )
    .unwrap();
    assert_eq!(number(&best_effort), RejectCode::SysUnknown as u64);
    assert_eq!(counter(&mut engine, b, 1), 2, "it ran both times");
}

#[test]
fn faults_drawn_from_a_seed_are_the_same_again() {
    let story = || {
        let mut engine = engine();
        engine.trace_keep(usize::MAX);
        let [a, b] = [(); 2].map(|()| puppet(&mut engine));
        engine
            .faults()
            .add(Rule::new(TRANSIENT).per_million(300_000));
        engine
            .faults()
            .add(Rule::new(Verdict::TrapCallback).per_million(200_000));
        for _ in 0..50 {
            let _ = run(
                &mut engine,
                a,
                &program().call(&call(b, &program().count(1).reply())),
            );
        }
        let lines: Vec<String> = engine.trace().map(ToString::to_string).collect();
        (engine.faults().applied().len(), lines)
    };
    let (applied, lines) = story();
    assert!((10..40).contains(&applied), "{applied}");
    assert_eq!(story(), (applied, lines));
}

#[test]
fn behind_everybodys_back() {
    let mut engine = engine();
    let [a, b, c] = [(); 3].map(|()| puppet(&mut engine));
    let waiting = |engine: &mut Engine, callee| {
        let slow = program().call(&manage("raw_rand", encode(&())));
        let out = call(callee, &slow).cycles(700);
        let id = engine
            .submit(owner(), a, "run", program().call(&out).0)
            .unwrap();
        engine.tick();
        id
    };
    let open = waiting(&mut engine, b);
    assert!(engine.delete_canister(b));
    assert!(!engine.delete_canister(b));
    assert_balanced(&engine);
    engine.tick();
    let IngressStatus::Replied(answer) = engine.status(&open) else {
        panic!("{:?}", engine.status(&open));
    };
    assert_eq!(number(&answer), RejectCode::CanisterReject as u64);
    engine.tick();
    engine.tick();
    assert_balanced(&engine);
    assert!(engine.uninstall(c));
    assert_eq!(engine.canister(c).unwrap().module_hash, None);
    assert!(engine.set_controllers(c, vec![stranger()]));
    let refused = engine
        .submit(owner(), MANAGEMENT, "canister_status", about(c))
        .expect_err("taken over");
    assert_eq!(refused.error, ErrorCode::CanisterInvalidController);
    assert!(engine.stop(a));
    engine.tick();
    assert_eq!(
        engine.canister(a).unwrap().status,
        hatchery_engine::CanisterStatus::Stopped
    );
}
