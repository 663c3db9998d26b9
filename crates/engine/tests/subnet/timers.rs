//! Global timer, heartbeat and the low-memory hook.

use hatchery_engine::InstallMode;
use ic_management_canister_types::CanisterSettings;

use super::puppet::*;

#[test]
fn a_timer_fires_once_in_the_first_round_after_its_deadline() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    run(
        &mut engine,
        id,
        &program()
            .on_timer(&program().count(1))
            .timer_in(10 * SECOND)
            .reply(),
    )
    .unwrap();
    engine.advance_ns(9 * SECOND);
    engine.tick();
    assert_eq!(counter(&mut engine, id, 1), 0);
    engine.advance_ns(2 * SECOND);
    engine.tick();
    assert_eq!(counter(&mut engine, id, 1), 1);
    assert_eq!(engine.canister(id).unwrap().timer_ns, 0);
    engine.advance_ns(100 * SECOND);
    engine.tick();
    assert_eq!(counter(&mut engine, id, 1), 1);
}

#[test]
fn a_timer_that_sets_itself_fires_once_a_round() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let again = program().count(1).timer_in(0);
    run(
        &mut engine,
        id,
        &program().on_timer(&again).timer_in(0).reply(),
    )
    .unwrap();
    for expected in 1..=3 {
        engine.tick();
        assert_eq!(counter(&mut engine, id, 1), expected);
    }
}

#[test]
fn a_trapping_timer_is_off_and_told_in_the_log() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    run(
        &mut engine,
        id,
        &program()
            .on_timer(&program().count(1).trap("tick"))
            .timer_in(0)
            .reply(),
    )
    .unwrap();
    engine.tick();
    let view = engine.canister(id).unwrap();
    assert_eq!(view.timer_ns, 0);
    let last = String::from_utf8(view.logs.last().unwrap().content.clone()).unwrap();
    assert!(last.contains("tick"), "{last}");
    assert_eq!(counter(&mut engine, id, 1), 0);
}

#[test]
fn a_stopped_canister_keeps_its_timer_until_it_runs_again() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    run(
        &mut engine,
        id,
        &program()
            .on_timer(&program().count(1))
            .timer_in(SECOND)
            .reply(),
    )
    .unwrap();
    managed(&mut engine, "stop_canister", about(id)).unwrap();
    engine.advance_ns(10 * SECOND);
    engine.tick();
    assert_ne!(engine.canister(id).unwrap().timer_ns, 0);
    managed(&mut engine, "start_canister", about(id)).unwrap();
    engine.tick();
    assert_eq!(counter(&mut engine, id, 1), 1);
}

#[test]
fn a_timer_may_await() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let body = program().call(&manage("raw_rand", encode(&())).on_reply(program().count(1)));
    run(
        &mut engine,
        id,
        &program().on_timer(&body).timer_in(0).reply(),
    )
    .unwrap();
    engine.tick();
    assert_eq!(engine.canister(id).unwrap().open_call_contexts, 1);
    engine.tick();
    engine.tick();
    assert_eq!(counter(&mut engine, id, 1), 1);
    assert_eq!(engine.canister(id).unwrap().open_call_contexts, 0);
    assert_balanced(&engine);
}

#[test]
fn a_heartbeat_runs_every_round_while_running() {
    let mut engine = engine();
    let wasm = wasm_with(r#"(export "canister_heartbeat" (func $heartbeat))"#);
    let id = puppet_with(
        &mut engine,
        100 * T,
        &wasm,
        &program().on_heartbeat(&program().count(1)),
    );
    for expected in 1..=3 {
        assert_eq!(
            counter(&mut engine, id, 1),
            expected,
            "the first beat is in the round of the install"
        );
        engine.tick();
    }
    managed(&mut engine, "stop_canister", about(id)).unwrap();
    engine.tick();
    managed(&mut engine, "start_canister", about(id)).unwrap();
    let started = counter(&mut engine, id, 1);
    engine.tick();
    assert_eq!(counter(&mut engine, id, 1), started + 1);
    assert!(
        started <= 5,
        "it does not beat while it is stopping or stopped: {started}"
    );
}

#[test]
fn the_low_memory_hook_runs_once_when_little_is_left() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let low = CanisterSettings {
        wasm_memory_limit: Some((4u64 << 20).into()),
        wasm_memory_threshold: Some((2u64 << 20).into()),
        ..CanisterSettings::default()
    };
    managed(&mut engine, "update_settings", settings(id, low)).unwrap();
    run(
        &mut engine,
        id,
        &program().on_low_memory(&program().count(1)).reply(),
    )
    .unwrap();
    assert_eq!(counter(&mut engine, id, 1), 0);
    run(&mut engine, id, &program().heap_grow(40).reply()).unwrap();
    run(&mut engine, id, &program().reply()).unwrap();
    run(&mut engine, id, &program().reply()).unwrap();
    assert_eq!(counter(&mut engine, id, 1), 1);
}

#[test]
fn time_stands_still_within_a_round_and_moves_between_rounds() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let now = |engine: &mut hatchery_engine::Engine| {
        number(&run(engine, id, &program().info(Info::Time).reply()).unwrap())
    };
    let first = now(&mut engine);
    assert_eq!(now(&mut engine), first + 1);
    engine.advance_ns(5 * SECOND);
    assert_eq!(now(&mut engine), first + 1 + 5 * SECOND);
    assert_eq!(engine.now_ns(), first + 1 + 5 * SECOND);
}

#[test]
fn an_upgrade_may_set_the_timer_again() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let mode = InstallMode::Upgrade {
        skip_pre_upgrade: false,
    };
    let post = program().on_timer(&program().count(1)).timer_in(0);
    engine.install(owner(), id, wasm(), post.0, mode).unwrap();
    engine.tick();
    assert_eq!(counter(&mut engine, id, 1), 1);
}
