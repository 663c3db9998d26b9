//! What the methods of the management canister do, refuse and tell.

use hatchery_engine::{Engine, ErrorCode, InstallMode, Principal, RejectCode};
use ic_management_canister_types::{
    CanisterInfoArgs, CanisterInfoResult, CanisterMetricsResult, CanisterSettings,
    CanisterStatusResult, CanisterStatusType, ChangeDetails, CodeDeploymentMode,
    EnvironmentVariable, FetchCanisterLogsArgs, FetchCanisterLogsResult, LogVisibility,
    StatusVisibility, UpdateSettingsArgs,
};
use sha2::{Digest, Sha256};

use super::puppet::*;
use crate::fuzz::targets::METHOD_NAMES;

fn status(engine: &mut Engine, id: Principal) -> CanisterStatusResult {
    decode(&managed(engine, "canister_status", about(id)).expect("a status"))
}

fn refused(engine: &mut Engine, method: &str, arg: Vec<u8>) -> ErrorCode {
    managed(engine, method, arg).expect_err("refused").error
}

#[test]
fn a_status_tells_everything() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    run(&mut engine, id, &program().stable_grow(2).reply()).unwrap();
    let status = status(&mut engine, id);
    let view = engine.canister(id).unwrap();
    assert_eq!(status.status, CanisterStatusType::Running);
    assert_eq!(status.module_hash, Some(Sha256::digest(wasm()).to_vec()));
    assert_eq!(status.cycles, view.cycles);
    assert_eq!(status.version, view.version);
    assert_eq!(status.memory_metrics.stable_memory_size, 131_072u64);
    assert_eq!(status.memory_size, view.memory_bytes);
    assert_eq!(status.settings.controllers, [owner()]);
    assert_eq!(status.settings.freezing_threshold, 2_592_000u64);
    let expected = (u128::from(view.memory_bytes) * 127_000 * 86_400) >> 30;
    assert_eq!(status.idle_cycles_burned_per_day, expected);
}

#[test]
fn the_version_counts_what_may_have_changed_the_canister() {
    let mut engine = engine();
    let id = engine.create_canister(owner(), 10 * T);
    let version = |engine: &Engine| engine.canister(id).unwrap().version;
    assert_eq!(version(&engine), 0);
    engine
        .install(owner(), id, wasm(), Vec::new(), InstallMode::Install)
        .unwrap();
    assert_eq!(version(&engine), 1);
    run(&mut engine, id, &program().info(Info::Version).reply()).unwrap();
    assert_eq!(version(&engine), 2);
    run(&mut engine, id, &program().trap("no")).expect_err("trapped");
    assert_eq!(version(&engine), 2);
    managed(
        &mut engine,
        "update_settings",
        settings(id, CanisterSettings::default()),
    )
    .unwrap();
    assert_eq!(version(&engine), 3);
    managed(&mut engine, "stop_canister", about(id)).unwrap();
    assert_eq!(version(&engine), 5, "to stopping and to stopped");
    managed(&mut engine, "stop_canister", about(id)).unwrap();
    assert_eq!(version(&engine), 6);
    managed(&mut engine, "start_canister", about(id)).unwrap();
    assert_eq!(version(&engine), 7);
    managed(&mut engine, "uninstall_code", about(id)).unwrap();
    assert_eq!(version(&engine), 8);
}

#[test]
fn settings_are_checked_as_a_whole() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let variable = |name: &str, value: &str| EnvironmentVariable {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let long = "x".repeat(129);
    let default = CanisterSettings::default;
    let bad = [
        CanisterSettings {
            compute_allocation: Some(101u64.into()),
            ..default()
        },
        CanisterSettings {
            memory_allocation: Some(((1u64 << 48) + 1).into()),
            ..default()
        },
        CanisterSettings {
            freezing_threshold: Some((1u128 << 64).into()),
            ..default()
        },
        CanisterSettings {
            controllers: Some(
                (0..11u8)
                    .map(|n| Principal::self_authenticating([n]))
                    .collect(),
            ),
            ..default()
        },
        CanisterSettings {
            environment_variables: Some((0..21).map(|n| variable(&n.to_string(), "")).collect()),
            ..default()
        },
        CanisterSettings {
            environment_variables: Some(vec![variable(&long, "")]),
            ..default()
        },
        CanisterSettings {
            environment_variables: Some(vec![variable("a", &long)]),
            ..default()
        },
        CanisterSettings {
            environment_variables: Some(vec![variable("a", "1"), variable("a", "2")]),
            ..default()
        },
    ];
    for bad in bad {
        let bad = CanisterSettings {
            log_visibility: Some(LogVisibility::Public),
            ..bad
        };
        assert_eq!(
            refused(&mut engine, "update_settings", settings(id, bad)),
            ErrorCode::InvalidManagementPayload
        );
    }
    assert_eq!(
        status(&mut engine, id).settings.log_visibility,
        LogVisibility::Controllers
    );
}

#[test]
fn uninstall_keeps_settings_and_cycles() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let with = CanisterSettings {
        environment_variables: Some(vec![EnvironmentVariable {
            name: "A".to_owned(),
            value: "1".to_owned(),
        }]),
        memory_allocation: Some(5u64.into()),
        ..CanisterSettings::default()
    };
    managed(&mut engine, "update_settings", settings(id, with)).unwrap();
    run(
        &mut engine,
        id,
        &program()
            .stable_grow(1)
            .certify(b"x")
            .timer_in(SECOND)
            .print("log")
            .reply(),
    )
    .unwrap();
    managed(&mut engine, "uninstall_code", about(id)).unwrap();
    let view = engine.canister(id).unwrap();
    assert_eq!(
        view.environment_variables,
        [("A".to_owned(), "1".to_owned())]
    );
    assert_eq!(
        (
            view.heap_bytes,
            view.stable_bytes,
            view.timer_ns,
            view.module_hash
        ),
        (0, 0, 0, None)
    );
    assert!(view.certified_data.is_empty() && view.logs.is_empty());
    assert!(view.cycles > 999 * T);
    assert_eq!(status(&mut engine, id).settings.memory_allocation, 5u64);
}

#[test]
fn the_history_keeps_the_last_twenty_changes_and_counts_all() {
    let mut engine = engine();
    let [id, reader] = [(); 2].map(|()| puppet(&mut engine));
    let controllers = CanisterSettings {
        controllers: Some(vec![owner()]),
        ..CanisterSettings::default()
    };
    for _ in 0..21 {
        managed(
            &mut engine,
            "update_settings",
            settings(id, controllers.clone()),
        )
        .unwrap();
    }
    let mode = InstallMode::Upgrade {
        skip_pre_upgrade: false,
    };
    engine
        .install(owner(), id, wasm(), Vec::new(), mode)
        .unwrap();
    let arg = encode(&CanisterInfoArgs {
        canister_id: id,
        num_requested_changes: Some(50),
    });
    let reply = run(
        &mut engine,
        reader,
        &program().call(&manage("canister_info", arg)),
    )
    .unwrap();
    let info: CanisterInfoResult = decode(&reply);
    assert_eq!(
        (info.total_num_changes, info.recent_changes.len()),
        (24, 20)
    );
    let Some(ChangeDetails::CodeDeployment(last)) = &info.recent_changes[19].details else {
        panic!("{:?}", info.recent_changes[19]);
    };
    assert_eq!(
        (&last.mode, last.module_hash.as_slice()),
        (&CodeDeploymentMode::Upgrade, &Sha256::digest(wasm())[..])
    );
}

#[test]
fn only_controllers_may_manage_and_the_world_may_ask() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    for method in [
        "canister_status",
        "start_canister",
        "stop_canister",
        "uninstall_code",
        "delete_canister",
        "stored_chunks",
        "list_canister_snapshots",
        "take_canister_snapshot",
    ] {
        let answer = run(&mut engine, a, &program().call(&manage(method, about(b)))).unwrap();
        assert_eq!(
            number(&answer),
            RejectCode::CanisterError as u64,
            "{method}"
        );
    }
    let own = run(
        &mut engine,
        a,
        &program().call(&manage("canister_status", about(a))),
    )
    .unwrap();
    assert!(
        decode::<CanisterStatusResult>(&own).module_hash.is_some(),
        "oneself"
    );
}

#[test]
fn logs_are_kept_up_to_their_limit_and_read_by_whom_they_may() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    for line in 0..100 {
        run(
            &mut engine,
            id,
            &program().print(&format!("{line:0100}")).reply(),
        )
        .unwrap();
    }
    let arg = encode(&FetchCanisterLogsArgs {
        canister_id: id,
        filter: None,
    });
    let read =
        |engine: &mut Engine, by| engine.query(by, MANAGEMENT, "fetch_canister_logs", arg.clone());
    let logs: FetchCanisterLogsResult = decode(&read(&mut engine, owner()).unwrap());
    let lines = logs.canister_log_records;
    assert!(lines.len() < 41 && lines.len() > 30, "{}", lines.len());
    assert_eq!(lines.last().unwrap().idx, 99);
    assert_eq!(
        read(&mut engine, stranger()).expect_err("private").error,
        ErrorCode::CanisterRejectedMessage
    );
    let public = CanisterSettings {
        log_visibility: Some(LogVisibility::Public),
        ..CanisterSettings::default()
    };
    managed(&mut engine, "update_settings", settings(id, public)).unwrap();
    read(&mut engine, stranger()).expect("public now");
}

#[test]
fn a_stated_version_must_be_the_senders() {
    let mut engine = engine();
    let root = puppet(&mut engine);
    let child = child_of(&mut engine, root);
    let attempt = |version| {
        let arg = encode(&UpdateSettingsArgs {
            canister_id: child,
            settings: CanisterSettings::default(),
            sender_canister_version: Some(version),
        });
        program().call(&manage("update_settings", arg))
    };
    let version = engine.canister(root).unwrap().version;
    assert_eq!(
        run(&mut engine, root, &attempt(version)),
        Ok(encode_nothing())
    );
    let wrong = run(&mut engine, root, &attempt(version)).unwrap();
    assert_eq!(number(&wrong), RejectCode::CanisterError as u64);
}

#[test]
fn metrics_say_what_cycles_went_for() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    run(
        &mut engine,
        id,
        &program().burn(1_000).call(&manage("raw_rand", encode(&()))),
    )
    .unwrap();
    let before = engine.canister(id).unwrap().cycles;
    let metrics: CanisterMetricsResult = decode(
        &engine
            .query(owner(), MANAGEMENT, "canister_metrics", about(id))
            .unwrap(),
    );
    let used = metrics.cycles_consumed;
    assert_eq!(used.burned_cycles, 1_000u64);
    let sum = used.instructions.clone()
        + used.ingress_induction.clone()
        + used.request_and_response_transmission.clone()
        + used.burned_cycles.clone();
    assert_eq!(sum, 1_000 * T - before);
    assert!(
        used.ingress_induction > 1_200_000u64
            && used.request_and_response_transmission > 260_000u64
    );
}

#[derive(candid::CandidType)]
struct Create {
    amount: Option<candid::Nat>,
}

#[derive(candid::CandidType)]
struct TopUp {
    canister_id: Principal,
    amount: candid::Nat,
}

#[test]
fn provisional_methods_mint() {
    let mut engine = engine();
    let reply = managed(
        &mut engine,
        "provisional_create_canister_with_cycles",
        candid::encode_one(()).unwrap(),
    );
    assert_eq!(
        reply.expect_err("an argument that is no record").error,
        ErrorCode::InvalidManagementPayload
    );
    let arg = encode(&Create {
        amount: Some(5u64.into()),
    });
    let reply = engine
        .update(
            stranger(),
            MANAGEMENT,
            "provisional_create_canister_with_cycles",
            arg,
        )
        .unwrap();
    let id = decode::<ic_management_canister_types::CanisterIdRecord>(&reply).canister_id;
    managed(
        &mut engine,
        "provisional_top_up_canister",
        encode(&TopUp {
            canister_id: id,
            amount: 6u64.into(),
        }),
    )
    .unwrap();
    let view = engine.canister(id).unwrap();
    assert_eq!((view.cycles, view.controllers), (11, vec![stranger()]));
    assert_eq!(engine.cycles_account().minted, 11);
}

#[test]
fn garbage_to_every_method_is_refused_cleanly() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    // One takes no argument, two are no methods.
    let methods = METHOD_NAMES
        .into_iter()
        .filter(|method| !["raw_rand", "", "no such method"].contains(method));
    for method in methods {
        for garbage in [&b""[..], b"DIDL", b"DIDL\x00\x00", &[0xff; 64]] {
            let answer = run(
                &mut engine,
                id,
                &program().call(&manage(method, garbage.to_vec())),
            )
            .unwrap();
            assert_eq!(
                number(&answer),
                RejectCode::CanisterReject as u64,
                "{method} {garbage:?}"
            );
        }
    }
    assert_balanced(&engine);
}

#[test]
fn an_argument_that_unfolds_without_end_is_refused_in_bounded_time() {
    // vec null of 2^32 elements: eleven bytes.
    let bomb = b"DIDL\x01\x6d\x7f\x01\x00\xff\xff\xff\xff\x0f";
    let mut engine = engine();
    let id = puppet(&mut engine);
    let answer = run(
        &mut engine,
        id,
        &program().call(&manage("canister_status", bomb.to_vec())),
    );
    assert_eq!(number(&answer.unwrap()), RejectCode::CanisterReject as u64);
}

#[test]
fn who_may_read_the_status_can_be_set() {
    let mut engine = engine();
    let [id, reader] = [(); 2].map(|()| puppet(&mut engine));
    let visible = CanisterSettings {
        status_visibility: Some(StatusVisibility::AllowedViewers(vec![reader])),
        ..CanisterSettings::default()
    };
    managed(&mut engine, "update_settings", settings(id, visible)).unwrap();
    let read = program().call(&manage("canister_status", about(id)));
    let seen: CanisterStatusResult = decode(&run(&mut engine, reader, &read).unwrap());
    assert_eq!(seen.settings.controllers, [owner()]);
    let by_user = engine.query(stranger(), MANAGEMENT, "canister_status", about(id));
    assert_eq!(
        by_user.expect_err("not a viewer").error,
        ErrorCode::CanisterInvalidController
    );
    let by_owner = engine.query(owner(), MANAGEMENT, "canister_status", about(id));
    let by_owner: CanisterStatusResult = decode(&by_owner.unwrap());
    assert_eq!(by_owner.settings, seen.settings);
}
