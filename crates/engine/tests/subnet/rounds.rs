//! How many rounds things take, as measured on the platform (ENGINE facts, section 9).

use hatchery_engine::{Engine, IngressStatus, InstallMode, Principal};
use ic_management_canister_types::{CanisterSettings, CreateCanisterArgs};

use super::puppet::*;

#[test]
fn an_update_takes_one_round() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let (rounds, answer) = rounds(&mut engine, id, &program().append(b"hi").reply());
    assert_eq!((rounds, answer), (1, Ok(b"hi".to_vec())));
}

#[test]
fn an_awaited_call_within_the_subnet_takes_no_further_round() {
    let mut engine = engine();
    let [a, b, c] = [(); 3].map(|()| puppet(&mut engine));
    let inner = program().call(&call(c, &program().append(b"deep").reply()));
    let outer = program().call(&call(b, &inner));
    assert_eq!(rounds(&mut engine, a, &outer), (1, Ok(b"deep".to_vec())));
}

#[test]
fn a_call_to_itself_takes_no_further_round() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let outer = program().call(&call(id, &program().append(b"me").reply()));
    assert_eq!(rounds(&mut engine, id, &outer), (1, Ok(b"me".to_vec())));
}

#[test]
fn each_awaited_management_call_takes_two_rounds_more() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let raw_rand = || manage("raw_rand", encode(&()));
    let one = program().call(&raw_rand());
    assert_eq!(rounds(&mut engine, id, &one).0, 3);
    let two = program().call(&raw_rand().on_reply(one.clone()));
    assert_eq!(rounds(&mut engine, id, &two).0, 5);
    let three = program().call(&raw_rand().on_reply(two));
    assert_eq!(rounds(&mut engine, id, &three).0, 7);
}

#[test]
fn every_management_method_takes_three_rounds() {
    let mut engine = engine();
    let root = puppet(&mut engine);
    let child = child_of(&mut engine, root);
    let snapshot = |engine: &mut Engine| {
        let take = manage("take_canister_snapshot", about(child));
        let reply = run(engine, root, &program().call(&take)).expect("taken");
        decode::<ic_management_canister_types::Snapshot>(&reply).id
    };
    let snapshot_id = snapshot(&mut engine);
    let load = encode(&ic_management_canister_types::LoadCanisterSnapshotArgs {
        canister_id: child,
        snapshot_id,
        sender_canister_version: None,
    });
    let create = encode(&CreateCanisterArgs::default());
    for (method, arg, cycles) in [
        ("create_canister", create, 1_000_000_000_000),
        (
            "update_settings",
            settings(child, CanisterSettings::default()),
            0,
        ),
        ("canister_status", about(child), 0),
        ("canister_info", about(child), 0),
        ("deposit_cycles", about(child), 5),
        ("take_canister_snapshot", about(child), 0),
        ("load_canister_snapshot", load, 0),
        ("stop_canister", about(child), 0),
        ("start_canister", about(child), 0),
        ("uninstall_code", about(child), 0),
        ("install_code", install(child), 0),
        ("stop_canister", about(child), 0),
        ("delete_canister", about(child), 0),
    ] {
        let call = manage(method, arg).cycles(cycles);
        let call = call.on_reject(program().trap("rejected"));
        let (rounds, answer) = rounds(&mut engine, root, &program().call(&call));
        assert!(answer.is_ok(), "{method}: {answer:?}");
        assert_eq!(rounds, 3, "{method}");
    }
}

#[test]
fn ingress_to_the_management_canister_takes_one_round() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    for method in ["canister_status", "stop_canister", "start_canister"] {
        let before = engine.round();
        managed(&mut engine, method, about(id)).expect(method);
        assert_eq!(engine.round() - before, 1, "{method}");
    }
}

#[test]
fn a_pipelined_chain_takes_three_rounds_and_keeps_its_order() {
    let mut engine = engine();
    let root = puppet(&mut engine);
    let child = child_of(&mut engine, root);
    // Settings, uninstall, variables, install: the install is refused unless the uninstall went
    // first, and its init sees the variables only if they went first too.
    let variables = CanisterSettings {
        environment_variables: Some(vec![ic_management_canister_types::EnvironmentVariable {
            name: "ROLE".to_owned(),
            value: "worker".to_owned(),
        }]),
        ..CanisterSettings::default()
    };
    let quiet = |method: &str, arg| manage(method, arg).then(&program());
    let chain = program()
        .call(&quiet("uninstall_code", about(child)))
        .call(&quiet("update_settings", settings(child, variables)))
        .call(&quiet("install_code", install(child)))
        .call(&manage("canister_status", about(child)));
    let (rounds, answer) = rounds(&mut engine, root, &chain);
    assert_eq!(rounds, 3);
    let status: ic_management_canister_types::CanisterStatusResult = decode(&answer.unwrap());
    assert!(status.module_hash.is_some());
    let seen = ask(&mut engine, child, &program().environment("ROLE").reply());
    assert_eq!(seen, Ok(b"worker".to_vec()));
}

#[test]
fn a_stop_in_a_pipeline_is_cancelled_by_the_start_behind_it() {
    let mut engine = engine();
    let root = puppet(&mut engine);
    let child = child_of(&mut engine, root);
    let stop = manage("stop_canister", about(child))
        .on_reject(program().reject_text().reply())
        .on_reply(program().append(b"stopped").reply());
    let start = manage("start_canister", about(child)).then(&program());
    let answer = run(&mut engine, root, &program().call(&stop).call(&start)).unwrap();
    assert!(
        answer.starts_with(b"IC0511"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

#[test]
fn a_first_install_of_a_large_module_takes_one_round_more() {
    let mut engine = engine();
    let root = puppet(&mut engine);
    let [first, second] = [(); 2].map(|()| empty_child_of(&mut engine, root));
    let large = large_wasm(500_000);
    let install = |target| {
        let install = manage("install_code", install_of(target, &large));
        program().call(&install.on_reject(program().reject_text().reply()))
    };
    let (slow, answer) = rounds(&mut engine, root, &install(first));
    assert_eq!(answer, Ok(encode_nothing()));
    assert_eq!(
        slow, 4,
        "compiling 500,000 instructions costs 3 billion: two slices"
    );
    assert_eq!(
        rounds(&mut engine, root, &install(second)).0,
        3,
        "the module is known"
    );
}

#[test]
fn while_a_long_install_runs_two_management_calls_a_round_are_handled() {
    let mut engine = engine();
    let [root, other] = [(); 2].map(|()| puppet(&mut engine));
    let child = empty_child_of(&mut engine, root);
    let large = large_wasm(1_700_000 / 2);
    // 5.1 billion instructions: three slices.
    let id = engine
        .submit_install(owner(), child, &large, Vec::new(), InstallMode::Install)
        .expect("taken in");
    engine.tick();
    let raw_rand = manage("raw_rand", encode(&())).then(&program().count(1));
    let many = program().repeat(10, &program().call(&raw_rand));
    let open = engine
        .submit(owner(), other, "run", many.0)
        .expect("taken in");
    let mut answered = Vec::new();
    for _ in 0..5 {
        engine.tick();
        answered.push(counter(&mut engine, other, 1));
    }
    assert_eq!(
        answered,
        [0, 0, 2, 10, 10],
        "{:?} {:?}",
        engine.status(&id),
        engine.status(&open)
    );
}

#[test]
fn a_thousand_creations_with_500_lanes_take_five_rounds() {
    let mut engine = engine();
    let root = puppet(&mut engine);
    let create =
        manage("create_canister", encode(&CreateCanisterArgs::default())).cycles(600_000_000_000);
    let second = create.clone().then(&program());
    let first = create.then(&program().call(&second));
    let all = program()
        .append(b"go")
        .reply()
        .repeat(500, &program().call(&first));
    let before = engine.round();
    run(&mut engine, root, &all).expect("replies at once");
    finish(&mut engine, root);
    assert_eq!(engine.round() - before, 5);
    assert_eq!(engine.canisters().len(), 1_001);
    assert_balanced(&engine);
}

#[test]
fn a_thousand_pipelined_resets_with_166_lanes_take_fifteen_rounds() {
    assert_eq!(reset_thousand(166), 15);
}

#[test]
fn a_thousand_pipelined_resets_with_50_lanes_take_41_rounds() {
    assert_eq!(reset_thousand(50), 41);
}

fn reset_thousand(lanes: usize) -> u64 {
    let mut engine = engine();
    let root = puppet(&mut engine);
    let ids: Vec<Principal> = (0..1_000)
        .map(|_| engine.create_canister(root, 10_000_000_000))
        .collect();
    let start = (0..lanes).fold(program().append(b"go").reply(), |start, lane| {
        let mine = ids.iter().skip(lane).step_by(lanes).rev();
        let chain = mine.fold(program(), |after, id| reset_then(*id, root, &after));
        Program([start.0, chain.0].concat())
    });
    let before = engine.round();
    run(&mut engine, root, &start).expect("replies at once");
    finish(&mut engine, root);
    for id in ids {
        assert_eq!(
            engine.canister(id).unwrap().version,
            2,
            "settings and uninstall"
        );
    }
    engine.round() - before
}

fn reset_then(id: Principal, root: Principal, after: &Program) -> Program {
    let controllers = CanisterSettings {
        controllers: Some(vec![root]),
        ..CanisterSettings::default()
    };
    let quiet = |method: &str, arg| manage(method, arg).then(&program());
    program()
        .call(&quiet("update_settings", settings(id, controllers)))
        .call(&quiet("uninstall_code", about(id)))
        .call(&manage("canister_status", about(id)).on_reply(after.clone()))
}

/// Executes rounds until `id` waits for nothing.
fn finish(engine: &mut Engine, id: Principal) {
    while engine.canister(id).unwrap().outstanding_calls > 0 {
        engine.tick();
    }
}

#[test]
fn chunk_uploads_are_three_a_round() {
    let mut engine = engine();
    let root = puppet(&mut engine);
    let child = empty_child_of(&mut engine, root);
    let uploads = (0..6u8).fold(program(), |uploads, byte| {
        let arg = encode(&ic_management_canister_types::UploadChunkArgs {
            canister_id: child,
            chunk: vec![byte; 100],
        });
        uploads.call(&manage("upload_chunk", arg).then(&program().count(1)))
    });
    engine
        .submit(owner(), root, "run", uploads.0)
        .expect("taken in");
    let chunks: Vec<usize> = (0..4)
        .map(|_| {
            engine.tick();
            engine.canister(child).unwrap().chunks
        })
        .collect();
    assert_eq!(chunks, [0, 3, 6, 6]);
}

#[test]
fn one_install_per_canister_and_round() {
    let mut engine = engine();
    let root = puppet(&mut engine);
    let child = empty_child_of(&mut engine, root);
    let second = manage("install_code", install(child)).on_reject(program().reject_text().reply());
    let both = program()
        .call(&manage("install_code", install(child)).then(&program()))
        .call(&manage("uninstall_code", about(child)).then(&program()))
        .call(&second);
    let answer = run(&mut engine, root, &both).unwrap();
    assert!(
        answer.starts_with(b"IC0209"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

#[test]
fn senders_share_the_management_canister_in_turn() {
    // Two senders with six uploads each: three a round in all, so neither is served twice in a row.
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    for sender in [a, b] {
        let child = empty_child_of(&mut engine, sender);
        let uploads = (0..6u8).fold(program(), |uploads, byte| {
            let arg = encode(&ic_management_canister_types::UploadChunkArgs {
                canister_id: child,
                chunk: vec![byte; 10],
            });
            uploads.call(&manage("upload_chunk", arg).then(&program().count(1)))
        });
        engine
            .submit(owner(), sender, "run", uploads.0)
            .expect("taken in");
    }
    let mut seen = Vec::new();
    for _ in 0..6 {
        engine.tick();
        seen.push((counter(&mut engine, a, 1), counter(&mut engine, b, 1)));
    }
    assert!(seen.iter().all(|(a, b)| a.abs_diff(*b) <= 1), "{seen:?}");
    assert_eq!(seen.last(), Some(&(6, 6)));
}

#[test]
fn a_message_of_several_slices_occupies_its_canister_for_as_many_rounds() {
    let mut engine = engine();
    let [root, id] = [(); 2].map(|()| puppet(&mut engine));
    engine.set_controllers(id, vec![root, owner()]);
    let long = program().spin(700_000_000).reply();
    let first = engine.submit(owner(), id, "run", long.0).unwrap();
    let second = engine
        .submit(owner(), id, "run", program().reply().0)
        .unwrap();
    let status = program().call(&manage("canister_status", about(id)));
    engine.tick();
    assert_eq!(engine.status(&first), IngressStatus::Replied(Vec::new()));
    assert_eq!(engine.status(&second), IngressStatus::Received);
    let (rounds, _) = rounds(&mut engine, root, &status);
    assert!(rounds > 3, "calls about a busy canister wait: {rounds}");
    assert_eq!(engine.status(&second), IngressStatus::Replied(Vec::new()));
}
