//! Cycles: attached, accepted, refunded, prepaid, burned; and that none is ever lost.

use hatchery_engine::message::Prices;
use hatchery_engine::{Engine, ErrorCode, InstallMode, RejectCode};
use ic_management_canister_types::{CanisterIdRecord, CanisterSettings, CreateCanisterArgs};

use super::puppet::*;

const ATTACHED: u64 = 1_000_000_000_000;

fn balance(engine: &hatchery_engine::Engine, id: hatchery_engine::Principal) -> u128 {
    engine.canister(id).expect("exists").cycles
}

#[test]
fn what_is_not_accepted_comes_back_before_the_callback_runs() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let (a_before, b_before) = (balance(&engine, a), balance(&engine, b));
    let callee = program()
        .info(Info::Available)
        .accept(400_000_000_000)
        .info(Info::Available)
        .reply();
    let call = call(b, &callee).cycles(ATTACHED).on_reply(
        program()
            .arg()
            .info(Info::Refunded)
            .info(Info::Balance)
            .reply(),
    );
    let answer = run(&mut engine, a, &program().call(&call)).unwrap();
    assert_eq!(cycles(&answer), u128::from(ATTACHED));
    assert_eq!(cycles(&answer[16..]), 600_000_000_000);
    assert_eq!(cycles(&answer[32..]), 600_000_000_000, "refunded");
    let seen_in_callback = cycles(&answer[48..]);
    let a_spent = a_before - balance(&engine, a);
    let b_gained = balance(&engine, b) - b_before;
    assert!(
        a_spent > 400_000_000_000 && a_spent < 400_100_000_000,
        "{a_spent}"
    );
    assert!(
        b_gained < 400_000_000_000 && b_gained > 399_900_000_000,
        "{b_gained}"
    );
    // In the callback its own prepayment is still withheld.
    let withheld = balance(&engine, a) - seen_in_callback;
    assert!(
        withheld > 39_900_000_000 && withheld < 40_010_000_000,
        "{withheld}"
    );
    assert_balanced(&engine);
}

#[test]
fn a_reject_returns_everything() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    for callee in [
        program().accept(ATTACHED).trap("no"),
        program().reject("no"),
    ] {
        let call = call(b, &callee)
            .cycles(ATTACHED)
            .on_reject(program().info(Info::Refunded).reply());
        let answer = run(&mut engine, a, &program().call(&call)).unwrap();
        assert_eq!(cycles(&answer), u128::from(ATTACHED));
    }
    assert_balanced(&engine);
}

#[test]
fn a_call_in_flight_locks_its_prepayment() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let prices = Prices::for_nodes(13);
    let before = balance(&engine, id);
    let arg = encode(&());
    let prepaid = prices.call_prepayment(("raw_rand".len() + arg.len()) as u64);
    assert!(
        (42_100_000_000..42_110_000_000).contains(&prepaid),
        "{prepaid}"
    );
    let open = program()
        .append(b"open")
        .reply()
        .call(&manage("raw_rand", arg).then(&program()));
    run(&mut engine, id, &open).unwrap();
    let locked = before - balance(&engine, id);
    assert!(
        (prepaid..prepaid + 50_000_000).contains(&locked),
        "{locked}"
    );
    assert_balanced(&engine);
    engine.tick();
    engine.tick();
    let spent = before - balance(&engine, id);
    assert!(spent < 50_000_000, "all but the fees came back: {spent}");
    assert_balanced(&engine);
}

#[test]
fn with_too_few_liquid_cycles_a_call_is_not_sent() {
    let mut engine = engine();
    // 5 T carry 118 calls (ENGINE facts, section 9).
    let id = puppet_with(&mut engine, 5 * T + 1_000_000_000, wasm(), &program());
    let call = manage("raw_rand", encode(&())).then(&program());
    let many = program()
        .repeat(200, &program().call(&call))
        .counter(REFUSED)
        .reply();
    let refused = number(&run(&mut engine, id, &many).unwrap());
    assert_eq!(
        engine.canister(id).unwrap().outstanding_calls as u64,
        200 - refused
    );
    assert!((116..=118).contains(&(200 - refused)), "{refused}");
    assert_balanced(&engine);
}

#[test]
fn creating_a_canister_costs_the_fee_and_gives_the_rest() {
    let mut engine = engine();
    let root = puppet(&mut engine);
    let create = |cycles| {
        let create = manage("create_canister", encode(&CreateCanisterArgs::default()));
        program().call(&create.cycles(cycles))
    };
    let before = balance(&engine, root);
    let reply = run(&mut engine, root, &create(1_500_000_000_000)).unwrap();
    let child = decode::<CanisterIdRecord>(&reply).canister_id;
    assert_eq!(balance(&engine, child), T);
    let spent = before - balance(&engine, root);
    assert!(
        (1_500_000_000_000..1_500_030_000_000).contains(&spent),
        "{spent}"
    );
    assert_eq!(engine.canister(child).unwrap().controllers, [root]);
    let refused = run(&mut engine, root, &create(499_999_999_999)).unwrap();
    assert_eq!(number(&refused), RejectCode::CanisterReject as u64);
    assert_balanced(&engine);
}

#[test]
fn deposits_reach_any_canister_whole() {
    let mut engine = engine();
    let root = puppet(&mut engine);
    let target = engine.create_canister(stranger(), 7);
    let deposit = manage("deposit_cycles", about(target)).cycles(ATTACHED);
    run(&mut engine, root, &program().call(&deposit)).unwrap();
    assert_eq!(balance(&engine, target), 7 + u128::from(ATTACHED));
}

#[test]
fn deleting_discards_what_a_canister_holds() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    managed(&mut engine, "stop_canister", about(id)).unwrap();
    let fees =
        Prices::for_nodes(13).ingress + 2_000 * ("delete_canister".len() + about(id).len()) as u128;
    let held = balance(&engine, id) - fees;
    managed(&mut engine, "delete_canister", about(id)).unwrap();
    assert_eq!(engine.cycles_account().discarded, held);
    assert_eq!(engine.canister(id), None);
    assert_balanced(&engine);
}

#[test]
fn burning_burns() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let before = engine.cycles_account().burned;
    run(&mut engine, id, &program().burn(ATTACHED).reply()).unwrap();
    let burned = engine.cycles_account().burned - before;
    assert!(burned >= u128::from(ATTACHED) && burned < u128::from(ATTACHED) + 50_000_000);
    assert_balanced(&engine);
}

#[test]
fn an_install_prepays_300_billion() {
    let mut engine = engine();
    let id = engine.create_canister(owner(), 300_000_000_000);
    let refused = engine.install(owner(), id, wasm(), Vec::new(), InstallMode::Install);
    assert_eq!(
        refused.expect_err("too poor").error,
        ErrorCode::CanisterOutOfCycles
    );
    engine.add_cycles(id, 100_000_000);
    engine
        .install(owner(), id, wasm(), Vec::new(), InstallMode::Install)
        .unwrap();
    assert!(
        balance(&engine, id) > 270_000_000_000,
        "the rest of the prepayment came back"
    );
    assert_balanced(&engine);
}

#[test]
fn a_frozen_canister_rejects_calls_but_still_runs_callbacks() {
    let mut engine = engine();
    let [root, id] = [(); 2].map(|()| puppet(&mut engine));
    let slow =
        program().call(&manage("raw_rand", encode(&())).on_reply(program().count(1).reply()));
    let open = engine.submit(owner(), id, "run", slow.0).unwrap();
    engine.tick();
    let freeze = CanisterSettings {
        freezing_threshold: Some(u64::MAX.into()),
        ..CanisterSettings::default()
    };
    managed(&mut engine, "update_settings", settings(id, freeze)).unwrap();
    engine.tick();
    assert_eq!(
        engine.status(&open),
        hatchery_engine::IngressStatus::Replied(Vec::new())
    );
    let answer = run(
        &mut engine,
        root,
        &program().call(&call(id, &program().reply())),
    )
    .unwrap();
    assert_eq!(number(&answer), RejectCode::SysTransient as u64);
    let refused = engine
        .submit(owner(), id, "run", program().0)
        .expect_err("frozen");
    assert_eq!(refused.error, ErrorCode::CanisterOutOfCycles);
    let thaw = CanisterSettings {
        freezing_threshold: Some(0u64.into()),
        ..CanisterSettings::default()
    };
    managed(&mut engine, "update_settings", settings(id, thaw)).expect("a small update still goes");
    assert_eq!(run(&mut engine, id, &program().reply()), Ok(Vec::new()));
}

#[test]
fn storage_is_charged_and_who_runs_dry_loses_its_code() {
    let mut engine = engine();
    let id = puppet_with(&mut engine, 400_000_000_000, wasm(), &program());
    let before = balance(&engine, id);
    let stored = engine.canister(id).unwrap().memory_bytes;
    engine.advance_ns(1_000 * SECOND);
    engine.tick();
    let charged = before - balance(&engine, id);
    assert_eq!(charged, (u128::from(stored) * 127_000 * 1_000) >> 30);
    assert_balanced(&engine);
    let allocate = CanisterSettings {
        memory_allocation: Some((1u64 << 30).into()),
        compute_allocation: Some(1u64.into()),
        ..CanisterSettings::default()
    };
    let freezing = managed(
        &mut engine,
        "update_settings",
        settings(id, allocate.clone()),
    );
    assert_eq!(
        freezing.unwrap_err().error,
        ErrorCode::InsufficientCyclesInComputeAllocation
    );
    let allocate = CanisterSettings {
        freezing_threshold: Some(0u64.into()),
        ..allocate
    };
    managed(&mut engine, "update_settings", settings(id, allocate)).unwrap();
    engine.advance_ns(1_000_000 * SECOND);
    engine.tick();
    let view = engine.canister(id).unwrap();
    assert_eq!((view.cycles, view.module_hash), (0, None));
    assert_balanced(&engine);
}

#[test]
fn a_minimum_for_incoming_calls_is_kept() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let minimum = CanisterSettings {
        minimum_incoming_canister_call_cycles: Some(10u64.into()),
        ..CanisterSettings::default()
    };
    managed(&mut engine, "update_settings", settings(b, minimum)).unwrap();
    let attempt =
        |cycles| program().call(&call(b, &program().append(b"in").reply()).cycles(cycles));
    let refused = run(&mut engine, a, &attempt(9)).unwrap();
    assert_eq!(number(&refused), RejectCode::CanisterError as u64);
    assert_eq!(run(&mut engine, a, &attempt(10)), Ok(b"in".to_vec()));
    assert_eq!(
        run(&mut engine, b, &program().append(b"in").reply()),
        Ok(b"in".to_vec()),
        "ingress"
    );
}

#[test]
fn cycles_are_conserved_in_every_round_of_a_busy_world() {
    let mut engine = engine();
    let ids = [(); 6].map(|()| puppet(&mut engine));
    let mut state = 12_345u64;
    let mut random = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for step in 0..200 {
        let (from, to) = (ids[random(6)], ids[random(6)]);
        let callee = match random(5) {
            0 => program().accept(5_000).reply(),
            1 => program().accept(5_000).trap("no"),
            2 => program().accept(5_000),
            3 => program().call(&manage("raw_rand", encode(&())).cycles(77)),
            _ => program()
                .accept(1)
                .call(&call(ids[random(6)], &program().accept(9).reply()).cycles(9_000)),
        };
        let mut out = call(to, &callee).cycles(random(10_000) as u64);
        if random(3) == 0 {
            out = out.best_effort(1);
        }
        if random(4) == 0 {
            out = out.on_reply(program().trap("callback"));
        }
        let main = program()
            .call(&out)
            .call(&manage("deposit_cycles", about(to)).cycles(11));
        let _ = engine.submit(owner(), from, "run", main.0);
        match random(12) {
            0 => engine.advance_ns(2 * SECOND),
            1 => drop(engine.uninstall(ids[random(6)])),
            2 => drop(engine.submit_install(
                owner(),
                ids[random(6)],
                wasm(),
                Vec::new(),
                InstallMode::Reinstall,
            )),
            3 => drop(engine.submit(owner(), MANAGEMENT, "stop_canister", about(ids[random(6)]))),
            4 | 5 => {
                drop(engine.submit(owner(), MANAGEMENT, "start_canister", about(ids[random(6)])));
            }
            6 if step > 150 => drop(engine.delete_canister(ids[random(6)])),
            _ => {}
        }
        engine.tick();
        assert!(
            engine.cycles_account().is_balanced(),
            "step {step}: {:?}",
            engine.cycles_account()
        );
    }
    for _ in 0..20 {
        engine.advance_ns(400 * SECOND);
        engine.tick();
    }
    let account = engine.cycles_account();
    assert_eq!(account.in_flight, 0, "everything has come to rest");
    assert!(account.is_balanced());
}

/// A call in flight locks its prepayment, and the freezing limit grows with the message memory it
/// reserves: 42.75 billion together (ENGINE facts, 9), also for calls of one message.
#[test]
fn calls_of_one_message_lock_message_memory_too() {
    let mut engine = engine();
    let child = puppet(&mut engine);
    let sent = |engine: &mut Engine, best_effort: bool| {
        let id = puppet_with(engine, 10 * T, wasm(), &program());
        let one = call(child, &program().reply()).then(&program());
        let one = if best_effort {
            one.best_effort(30)
        } else {
            one
        };
        let calls = program().repeat(400, &program().call(&one));
        let reply = run(engine, id, &calls.counter(REFUSED).reply()).unwrap();
        400 - number(&reply)
    };
    let guaranteed = sent(&mut engine, false);
    let best_effort = sent(&mut engine, true);
    assert!((231..=234).contains(&guaranteed), "{guaranteed}");
    assert!((235..=238).contains(&best_effort), "{best_effort}");
}

/// No settings make the freezing limit overflow.
#[test]
fn absurd_settings_do_not_overflow() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let absurd = |threshold: u64, allocation: u64| CanisterSettings {
        freezing_threshold: Some(threshold.into()),
        memory_allocation: Some(allocation.into()),
        ..CanisterSettings::default()
    };
    let refused = managed(
        &mut engine,
        "update_settings",
        settings(id, absurd(u64::MAX, 1 << 48)),
    );
    assert_eq!(
        refused.unwrap_err().error,
        ErrorCode::InsufficientCyclesInMemoryAllocation
    );
    managed(
        &mut engine,
        "update_settings",
        settings(id, absurd(u64::MAX, 0)),
    )
    .unwrap();
    engine.tick();
    assert_balanced(&engine);
}

/// The compile discount ends at a checkpoint (ENGINE facts, 9), every 500 rounds.
#[test]
fn the_compile_discount_ends_at_a_checkpoint() {
    let mut engine = engine();
    let spent = |engine: &mut Engine| {
        let id = engine.create_canister(owner(), 100 * T);
        let burned = engine.cycles_account().burned;
        engine
            .install(owner(), id, wasm(), Vec::new(), InstallMode::Install)
            .unwrap();
        engine.cycles_account().burned - burned
    };
    let first = spent(&mut engine);
    let known = spent(&mut engine);
    assert!(known < first, "{known} is not below {first}");
    while engine.round() < 499 {
        engine.tick();
    }
    let account = |cost: u128| cost / 1_000_000;
    let after = spent(&mut engine);
    assert_eq!(account(after), account(first));
}
