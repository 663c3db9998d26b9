//! What the methods of the management canister do, refuse and tell.

use hatchery_engine::{Engine, ErrorCode, InstallMode, Principal, RejectCode};
use ic_management_canister_types::{
    CanisterInfoArgs, CanisterInfoResult, CanisterMetadataArgs, CanisterMetadataResult,
    CanisterMetricsResult, CanisterSettings, CanisterStatusResult, CanisterStatusType, ChangeDetails,
    ChunkHash, CodeDeploymentMode, DeleteCanisterSnapshotArgs, EnvironmentVariable, FetchCanisterLogsArgs,
    FetchCanisterLogsResult, InstallChunkedCodeArgs, LoadCanisterSnapshotArgs, LogVisibility, Snapshot,
    UpdateSettingsArgs, UploadChunkArgs,
};
use sha2::{Digest, Sha256};

use super::puppet::*;

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
    let expected = u128::from(view.memory_bytes) * 127_000 * 86_400 >> 30;
    assert_eq!(status.idle_cycles_burned_per_day, expected);
}

#[test]
fn the_version_counts_what_may_have_changed_the_canister() {
    let mut engine = engine();
    let id = engine.create_canister(owner(), 10 * T);
    let version = |engine: &Engine| engine.canister(id).unwrap().version;
    assert_eq!(version(&engine), 0);
    engine.install(owner(), id, wasm(), Vec::new(), InstallMode::Install).unwrap();
    assert_eq!(version(&engine), 1);
    run(&mut engine, id, &program().info(Info::Version).reply()).unwrap();
    assert_eq!(version(&engine), 2);
    run(&mut engine, id, &program().trap("no")).expect_err("trapped");
    assert_eq!(version(&engine), 2);
    managed(&mut engine, "update_settings", settings(id, CanisterSettings::default())).unwrap();
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
        CanisterSettings { compute_allocation: Some(101u64.into()), ..default() },
        CanisterSettings { memory_allocation: Some(((1u64 << 48) + 1).into()), ..default() },
        CanisterSettings { freezing_threshold: Some((1u128 << 64).into()), ..default() },
        CanisterSettings { controllers: Some((0..11u8).map(|n| Principal::self_authenticating([n])).collect()), ..default() },
        CanisterSettings { environment_variables: Some((0..21).map(|n| variable(&n.to_string(), "")).collect()), ..default() },
        CanisterSettings { environment_variables: Some(vec![variable(&long, "")]), ..default() },
        CanisterSettings { environment_variables: Some(vec![variable("a", &long)]), ..default() },
        CanisterSettings { environment_variables: Some(vec![variable("a", "1"), variable("a", "2")]), ..default() },
    ];
    for bad in bad {
        let bad = CanisterSettings { log_visibility: Some(LogVisibility::Public), ..bad };
        assert_eq!(refused(&mut engine, "update_settings", settings(id, bad)), ErrorCode::InvalidManagementPayload);
    }
    assert_eq!(status(&mut engine, id).settings.log_visibility, LogVisibility::Controllers);
}

#[test]
fn uninstall_keeps_settings_and_cycles() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let with = CanisterSettings {
        environment_variables: Some(vec![EnvironmentVariable { name: "A".to_owned(), value: "1".to_owned() }]),
        memory_allocation: Some(5u64.into()),
        ..CanisterSettings::default()
    };
    managed(&mut engine, "update_settings", settings(id, with)).unwrap();
    run(&mut engine, id, &program().stable_grow(1).certify(b"x").timer_in(SECOND).print("log").reply()).unwrap();
    managed(&mut engine, "uninstall_code", about(id)).unwrap();
    let view = engine.canister(id).unwrap();
    assert_eq!(view.environment_variables, [("A".to_owned(), "1".to_owned())]);
    assert_eq!((view.heap_bytes, view.stable_bytes, view.timer_ns, view.module_hash), (0, 0, 0, None));
    assert!(view.certified_data.is_empty() && view.logs.is_empty());
    assert!(view.cycles > 999 * T);
    assert_eq!(status(&mut engine, id).settings.memory_allocation, 5u64);
}

#[test]
fn the_history_keeps_the_last_twenty_changes_and_counts_all() {
    let mut engine = engine();
    let [id, reader] = [(); 2].map(|()| puppet(&mut engine));
    let controllers = CanisterSettings { controllers: Some(vec![owner()]), ..CanisterSettings::default() };
    for _ in 0..21 {
        managed(&mut engine, "update_settings", settings(id, controllers.clone())).unwrap();
    }
    let mode = InstallMode::Upgrade { skip_pre_upgrade: false };
    engine.install(owner(), id, wasm(), Vec::new(), mode).unwrap();
    let arg = encode(&CanisterInfoArgs { canister_id: id, num_requested_changes: Some(50) });
    let reply = run(&mut engine, reader, &program().call(&manage("canister_info", arg))).unwrap();
    let info: CanisterInfoResult = decode(&reply);
    assert_eq!((info.total_num_changes, info.recent_changes.len()), (24, 20));
    let Some(ChangeDetails::CodeDeployment(last)) = &info.recent_changes[19].details else {
        panic!("{:?}", info.recent_changes[19]);
    };
    assert_eq!((&last.mode, last.module_hash.as_slice()), (&CodeDeploymentMode::Upgrade, &Sha256::digest(wasm())[..]));
}

#[test]
fn a_large_module_goes_through_the_chunk_store() {
    let mut engine = engine();
    let id = engine.create_canister(owner(), 100 * T);
    let wide = wasm_with(&format!(r#"(data (i32.const 20000) "{}")"#, "x".repeat(200_000)));
    let padded = [wide.clone(), custom_section(2_500_000)].concat();
    engine.install(owner(), id, &padded, Vec::new(), InstallMode::Install).unwrap();
    let view = engine.canister(id).unwrap();
    assert_eq!(view.module_hash, Some(Sha256::digest(&padded).into()));
    assert_eq!(view.chunks, 3);
}

/// A custom section of about so many bytes.
fn custom_section(bytes: usize) -> Vec<u8> {
    let mut size = Vec::new();
    let mut left = bytes + 4;
    while left >= 128 {
        size.push((left % 128) as u8 | 128);
        left /= 128;
    }
    size.push(left as u8);
    [vec![0], size, vec![3], b"pad".to_vec(), vec![0; bytes]].concat()
}

#[test]
fn chunks_are_checked() {
    let mut engine = engine();
    let id = engine.create_canister(owner(), 100 * T);
    let upload = |chunk: Vec<u8>| encode(&UploadChunkArgs { canister_id: id, chunk });
    assert_eq!(refused(&mut engine, "upload_chunk", upload(vec![0; (1 << 20) + 1])), ErrorCode::CanisterContractViolation);
    let (front, back) = wasm().split_at(1_000);
    for part in [back, front] {
        managed(&mut engine, "upload_chunk", upload(part.to_vec())).unwrap();
    }
    let stored: Vec<ChunkHash> = decode(&managed(&mut engine, "stored_chunks", about(id)).unwrap());
    assert_eq!(stored.len(), 2);
    let hash = |bytes: &[u8]| Sha256::digest(bytes).to_vec();
    let install = |parts: &[&[u8]], module: Vec<u8>| {
        encode(&InstallChunkedCodeArgs {
            mode: InstallMode::Install.into(),
            target_canister: id,
            store_canister: None,
            chunk_hashes_list: parts.iter().map(|part| ChunkHash { hash: hash(part) }).collect(),
            wasm_module_hash: module,
            arg: Vec::new(),
            sender_canister_version: None,
        })
    };
    let violation = ErrorCode::CanisterContractViolation;
    assert_eq!(refused(&mut engine, "install_chunked_code", install(&[back, front], hash(wasm()))), violation);
    assert_eq!(refused(&mut engine, "install_chunked_code", install(&[front, b"missing"], hash(wasm()))), violation);
    assert_eq!(engine.canister(id).unwrap().module_hash, None);
    managed(&mut engine, "install_chunked_code", install(&[front, back], hash(wasm()))).unwrap();
    assert!(engine.canister(id).unwrap().module_hash.is_some());
    managed(&mut engine, "clear_chunk_store", about(id)).unwrap();
    assert_eq!(engine.canister(id).unwrap().chunks, 0);
}

#[test]
fn only_controllers_may_manage_and_the_world_may_ask() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    for method in ["canister_status", "start_canister", "stop_canister", "uninstall_code", "delete_canister", "stored_chunks", "list_canister_snapshots", "take_canister_snapshot"] {
        let answer = run(&mut engine, a, &program().call(&manage(method, about(b)))).unwrap();
        assert_eq!(number(&answer), RejectCode::CanisterError as u64, "{method}");
    }
    let own = run(&mut engine, a, &program().call(&manage("canister_status", about(a)))).unwrap();
    assert!(decode::<CanisterStatusResult>(&own).module_hash.is_some(), "oneself");
}

#[test]
fn logs_are_kept_up_to_their_limit_and_read_by_whom_they_may() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    for line in 0..100 {
        run(&mut engine, id, &program().print(&format!("{line:0100}")).reply()).unwrap();
    }
    let arg = encode(&FetchCanisterLogsArgs { canister_id: id, filter: None });
    let read = |engine: &mut Engine, by| engine.query(by, MANAGEMENT, "fetch_canister_logs", arg.clone());
    let logs: FetchCanisterLogsResult = decode(&read(&mut engine, owner()).unwrap());
    let lines = logs.canister_log_records;
    assert!(lines.len() < 41 && lines.len() > 30, "{}", lines.len());
    assert_eq!(lines.last().unwrap().idx, 99);
    assert_eq!(read(&mut engine, stranger()).expect_err("private").error, ErrorCode::CanisterRejectedMessage);
    let public = CanisterSettings { log_visibility: Some(LogVisibility::Public), ..CanisterSettings::default() };
    managed(&mut engine, "update_settings", settings(id, public)).unwrap();
    read(&mut engine, stranger()).expect("public now");
}

#[test]
fn metadata_is_public_or_for_controllers() {
    let mut engine = engine();
    let [reader, controller] = [(); 2].map(|()| puppet(&mut engine));
    let wasm = wasm_with(r#"(@custom "icp:public name" "open") (@custom "icp:private secret" "closed")"#);
    let id = puppet_with(&mut engine, 10 * T, &wasm, &program());
    engine.set_controllers(id, vec![controller]);
    let mut read = |by, name: &str| {
        let arg = encode(&CanisterMetadataArgs { canister_id: id, name: name.to_owned() });
        run(&mut engine, by, &program().call(&manage("canister_metadata", arg))).unwrap()
    };
    assert_eq!(decode::<CanisterMetadataResult>(&read(reader, "name")).value, b"open");
    assert_eq!(decode::<CanisterMetadataResult>(&read(controller, "secret")).value, b"closed");
    assert_eq!(number(&read(reader, "secret")), RejectCode::CanisterReject as u64);
    assert_eq!(number(&read(controller, "none")), RejectCode::CanisterReject as u64);
}

#[test]
fn snapshots_bring_everything_back() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    run(&mut engine, id, &program().count(1).stable_grow(1).stable_write(0, b"then").certify(b"then").reply()).unwrap();
    let taken: Snapshot = decode(&managed(&mut engine, "take_canister_snapshot", about(id)).unwrap());
    run(&mut engine, id, &program().count(1).stable_write(0, b"now!").certify(b"now!").reply()).unwrap();
    managed(&mut engine, "uninstall_code", about(id)).unwrap();
    let load = encode(&LoadCanisterSnapshotArgs {
        canister_id: id,
        snapshot_id: taken.id.clone(),
        sender_canister_version: None,
    });
    managed(&mut engine, "load_canister_snapshot", load.clone()).unwrap();
    let answer = ask(&mut engine, id, &program().stable(0, 4).counter(1).reply()).unwrap();
    assert_eq!((&answer[..4], number(&answer[4..])), (&b"then"[..], 1));
    assert_eq!(engine.canister(id).unwrap().certified_data, b"then");
    let list: Vec<Snapshot> = decode(&managed(&mut engine, "list_canister_snapshots", about(id)).unwrap());
    assert_eq!(list, [taken.clone()]);
    let delete = encode(&DeleteCanisterSnapshotArgs { canister_id: id, snapshot_id: taken.id });
    managed(&mut engine, "delete_canister_snapshot", delete).unwrap();
    assert_eq!(engine.canister(id).unwrap().snapshot_bytes, 0);
    assert_eq!(refused(&mut engine, "load_canister_snapshot", load), ErrorCode::CanisterSnapshotNotFound);
}

#[test]
fn a_canister_has_at_most_ten_snapshots() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    for _ in 0..10 {
        managed(&mut engine, "take_canister_snapshot", about(id)).unwrap();
    }
    assert_eq!(refused(&mut engine, "take_canister_snapshot", about(id)), ErrorCode::CanisterRejectedMessage);
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
    assert_eq!(run(&mut engine, root, &attempt(version)), Ok(encode_nothing()));
    let wrong = run(&mut engine, root, &attempt(version)).unwrap();
    assert_eq!(number(&wrong), RejectCode::CanisterError as u64);
}

#[test]
fn metrics_say_what_cycles_went_for() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    run(&mut engine, id, &program().burn(1_000).call(&manage("raw_rand", encode(&())))).unwrap();
    let before = engine.canister(id).unwrap().cycles;
    let metrics: CanisterMetricsResult =
        decode(&engine.query(owner(), MANAGEMENT, "canister_metrics", about(id)).unwrap());
    let used = metrics.cycles_consumed;
    assert_eq!(used.burned_cycles, 1_000u64);
    let sum = used.instructions.clone() + used.ingress_induction.clone() + used.request_and_response_transmission.clone() + used.burned_cycles.clone();
    assert_eq!(sum, 1_000 * T - before);
    assert!(used.ingress_induction > 1_200_000u64 && used.request_and_response_transmission > 260_000u64);
}

#[test]
fn provisional_methods_mint() {
    let mut engine = engine();
    let reply = managed(&mut engine, "provisional_create_canister_with_cycles", candid::encode_one(()).unwrap());
    assert_eq!(reply.expect_err("an argument that is no record").error, ErrorCode::InvalidManagementPayload);
    #[derive(candid::CandidType)]
    struct Create {
        amount: Option<candid::Nat>,
    }
    let arg = encode(&Create { amount: Some(5u64.into()) });
    let reply = engine.update(stranger(), MANAGEMENT, "provisional_create_canister_with_cycles", arg).unwrap();
    let id = decode::<ic_management_canister_types::CanisterIdRecord>(&reply).canister_id;
    #[derive(candid::CandidType)]
    struct TopUp {
        canister_id: Principal,
        amount: candid::Nat,
    }
    managed(&mut engine, "provisional_top_up_canister", encode(&TopUp { canister_id: id, amount: 6u64.into() })).unwrap();
    let view = engine.canister(id).unwrap();
    assert_eq!((view.cycles, view.controllers), (11, vec![stranger()]));
    assert_eq!(engine.cycles_account().minted, 11);
}

#[test]
fn garbage_to_every_method_is_refused_cleanly() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let methods = [
        "create_canister", "provisional_create_canister_with_cycles", "provisional_top_up_canister",
        "update_settings", "install_code", "install_chunked_code", "upload_chunk", "stored_chunks",
        "clear_chunk_store", "uninstall_code", "start_canister", "stop_canister", "delete_canister",
        "canister_status", "canister_info", "canister_metadata", "canister_metrics", "deposit_cycles",
        "take_canister_snapshot", "load_canister_snapshot", "list_canister_snapshots",
        "delete_canister_snapshot", "sign_with_schnorr",
    ];
    for method in methods {
        for garbage in [&b""[..], b"DIDL", b"DIDL\x00\x00", b"DIDL\x01\x6c\x01\x00\x7f\x01\x00", &[0xff; 64]] {
            let answer = run(&mut engine, id, &program().call(&manage(method, garbage.to_vec()))).unwrap();
            assert_eq!(number(&answer), RejectCode::CanisterReject as u64, "{method} {garbage:?}");
        }
    }
    assert_balanced(&engine);
}
