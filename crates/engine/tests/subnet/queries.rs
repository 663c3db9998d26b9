//! Queries, composite queries, and worlds that are taken and gone back to.

use hatchery_engine::{ErrorCode, RejectCode};
use ic_management_canister_types::CanisterStatusResult;

use super::puppet::*;

#[test]
fn queries_change_nothing() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let before = engine.canister(id);
    let account = engine.cycles_account();
    let change = program().count(1).print("never").counter(1).reply();
    assert_eq!(number(&ask(&mut engine, id, &change).unwrap()), 1);
    assert_eq!(number(&ask(&mut engine, id, &change).unwrap()), 1);
    ask(&mut engine, id, &program().count(1).trap("no")).expect_err("trapped");
    assert_eq!(engine.canister(id), before);
    assert_eq!(engine.cycles_account(), account);
}

#[test]
fn a_query_of_what_is_no_query_is_refused() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    for method in ["run", "missing"] {
        let refused = engine
            .query(owner(), id, method, Vec::new())
            .expect_err("refused");
        assert_eq!(refused.error, ErrorCode::CanisterMethodNotFound);
    }
    let refused = engine.query(owner(), id, "ask", program().certify(b"x").0);
    assert_eq!(
        refused.expect_err("not in a query").error,
        ErrorCode::CanisterContractViolation
    );
}

#[test]
fn a_composite_query_sees_its_own_changes_and_other_canisters() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    run(&mut engine, b, &program().count(5).reply()).unwrap();
    let read = method_call(b, "ask", program().counter(5).reply().0)
        .on_reply(program().arg().counter(1).reply());
    let composite = program().count(1).call(&read);
    let answer = engine.query(owner(), a, "compose", composite.0).unwrap();
    assert_eq!((number(&answer), number(&answer[8..])), (1, 1));
    assert_eq!(counter(&mut engine, a, 1), 0);
    let bad = method_call(b, "run", Vec::new());
    let answer = engine
        .query(owner(), a, "compose", program().call(&bad).0)
        .unwrap();
    assert_eq!(number(&answer), RejectCode::CanisterError as u64);
}

#[test]
fn composite_queries_nest_six_deep_and_no_deeper() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let nested = |depth| {
        let innermost = program().append(b"bottom").reply();
        (1..depth).fold(innermost, |inner, _| {
            program().call(&method_call(id, "compose", inner.0))
        })
    };
    let fits = engine.query(owner(), id, "compose", nested(6).0);
    assert_eq!(fits, Ok(b"bottom".to_vec()));
    let too_deep = engine.query(owner(), id, "compose", nested(7).0).unwrap();
    assert_eq!(number(&too_deep), RejectCode::CanisterError as u64);
}

#[test]
fn query_statistics_become_visible_after_a_while() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    for _ in 0..3 {
        ask(&mut engine, id, &program().append(b"four").reply()).unwrap();
    }
    let calls = |engine: &mut hatchery_engine::Engine| {
        let reply = managed(engine, "canister_status", about(id)).unwrap();
        decode::<CanisterStatusResult>(&reply).query_stats
    };
    assert_eq!(calls(&mut engine).num_calls_total, 0u64);
    engine.advance_ns(1_000 * SECOND);
    engine.tick();
    let stats = calls(&mut engine);
    assert_eq!(
        (stats.num_calls_total, stats.response_payload_bytes_total),
        (3u64.into(), 12u64.into())
    );
}

#[test]
fn a_world_can_be_gone_back_to_and_forked() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let slow = program().count(1).call(&manage("raw_rand", encode(&())));
    let open = engine.submit(owner(), a, "run", slow.0).unwrap();
    engine.tick();
    let world = engine.snapshot();
    let finish = |engine: &mut hatchery_engine::Engine| {
        run(engine, b, &program().count(2).reply()).unwrap();
        engine.tick();
        (
            engine.status(&open),
            counter(engine, b, 2),
            engine.cycles_account(),
            engine.now_ns(),
        )
    };
    let first = finish(&mut engine);
    assert!(matches!(
        first.0,
        hatchery_engine::IngressStatus::Replied(_)
    ));
    let mut fork = engine.fork();
    engine.restore(&world);
    assert_eq!(counter(&mut engine, b, 2), 0);
    assert_eq!(finish(&mut engine), first, "the same future");
    fork.restore(&world);
    assert_eq!(finish(&mut fork), first, "also in another engine");
    assert_eq!(counter(&mut fork, a, 1), 1);
}
