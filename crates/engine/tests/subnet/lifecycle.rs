//! Stopping, starting, emptying, deleting and upgrading canisters that are in the middle of
//! something.

use hatchery_engine::{
    CanisterStatus, Engine, ErrorCode, IngressStatus, InstallMode, MessageId, Principal, RejectCode,
};

use super::puppet::*;

/// A puppet with a call that will be answered two rounds from now.
fn busy(engine: &mut Engine) -> (Principal, MessageId) {
    let id = puppet(engine);
    let slow =
        program().call(&manage("raw_rand", encode(&())).on_reply(program().count(1).reply()));
    let open = engine.submit(owner(), id, "run", slow.0).expect("taken in");
    engine.tick();
    (id, open)
}

fn status(engine: &Engine, id: Principal) -> CanisterStatus {
    engine.canister(id).expect("exists").status
}

fn submit(engine: &mut Engine, method: &str, id: Principal) -> MessageId {
    engine
        .submit(owner(), MANAGEMENT, method, about(id))
        .expect("taken in")
}

fn rejected(engine: &Engine, id: MessageId) -> ErrorCode {
    match engine.status(&id) {
        IngressStatus::Rejected(reject) => reject.error,
        other => panic!("not rejected: {other:?}"),
    }
}

#[test]
fn a_stop_waits_for_open_contexts_and_answers_at_the_end_of_the_round() {
    let mut engine = engine();
    let (id, open) = busy(&mut engine);
    let stop = submit(&mut engine, "stop_canister", id);
    engine.tick();
    assert_eq!(status(&engine, id), CanisterStatus::Stopping);
    assert_eq!(engine.status(&stop), IngressStatus::Processing);
    let refused = engine
        .submit(owner(), id, "run", Vec::new())
        .expect_err("stopping");
    assert_eq!(refused.error, ErrorCode::CanisterStopping);
    engine.tick();
    assert_eq!(
        engine.status(&open),
        IngressStatus::Replied(Vec::new()),
        "the callback ran"
    );
    assert_eq!(status(&engine, id), CanisterStatus::Stopped);
    assert_eq!(
        engine.status(&stop),
        IngressStatus::Replied(encode_nothing())
    );
    let refused = engine
        .submit(owner(), id, "run", Vec::new())
        .expect_err("stopped");
    assert_eq!(refused.error, ErrorCode::CanisterStopped);
    let refused = ask(&mut engine, id, &program().reply()).expect_err("queries too");
    assert_eq!(refused.error, ErrorCode::CanisterStopped);
}

#[test]
fn a_stopping_canister_may_go_on_calling_from_its_callbacks() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let raw_rand = || manage("raw_rand", encode(&()));
    let again = program()
        .info(Info::Status)
        .call(&raw_rand().on_reply(program().info(Info::Status).reply()));
    let open = engine
        .submit(
            owner(),
            id,
            "run",
            program().call(&raw_rand().on_reply(again)).0,
        )
        .unwrap();
    engine.tick();
    submit(&mut engine, "stop_canister", id);
    for _ in 0..3 {
        engine.tick();
        assert_eq!(status(&engine, id), CanisterStatus::Stopping);
    }
    engine.tick();
    assert_eq!(status(&engine, id), CanisterStatus::Stopped);
    assert_eq!(
        engine.status(&open),
        IngressStatus::Replied(2u64.to_le_bytes().to_vec())
    );
}

#[test]
fn a_stop_gives_up_after_five_minutes_and_the_canister_stays_stopping() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    // Awaiting one's own stop never ends by itself.
    engine.set_controllers(id, vec![id, owner()]);
    let own = manage("stop_canister", about(id));
    let open = engine
        .submit(owner(), id, "run", program().call(&own).0)
        .unwrap();
    engine.tick();
    engine.tick();
    engine.advance_ns(299 * SECOND);
    engine.tick();
    assert_eq!(engine.status(&open), IngressStatus::Processing);
    engine.advance_ns(2 * SECOND);
    engine.tick();
    engine.tick();
    let IngressStatus::Replied(answer) = engine.status(&open) else {
        panic!("{:?}", engine.status(&open));
    };
    assert_eq!(number(&answer), RejectCode::SysTransient as u64);
    assert_eq!(
        status(&engine, id),
        CanisterStatus::Stopped,
        "nothing is open any more"
    );
}

#[test]
fn a_start_cancels_the_stop() {
    let mut engine = engine();
    let (id, _) = busy(&mut engine);
    let stop = submit(&mut engine, "stop_canister", id);
    let start = submit(&mut engine, "start_canister", id);
    engine.tick();
    assert_eq!(
        rejected(&engine, stop),
        ErrorCode::CanisterStoppingCancelled
    );
    assert_eq!(
        engine.status(&start),
        IngressStatus::Replied(encode_nothing())
    );
    assert_eq!(status(&engine, id), CanisterStatus::Running);
}

#[test]
fn only_stopped_canisters_can_be_deleted_and_ids_are_not_used_again() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let refused = managed(&mut engine, "delete_canister", about(id)).expect_err("running");
    assert_eq!(refused.error, ErrorCode::CanisterNotStopped);
    managed(&mut engine, "stop_canister", about(id)).unwrap();
    managed(&mut engine, "delete_canister", about(id)).unwrap();
    let next = engine.create_canister(owner(), 0);
    assert!(next > id);
    let gone = engine
        .submit(owner(), id, "run", Vec::new())
        .expect_err("gone");
    assert_eq!(gone.error, ErrorCode::CanisterNotFound);
}

#[test]
fn uninstall_rejects_open_contexts_and_late_answers_do_not_run() {
    let mut engine = engine();
    let [a, b] = [(); 2].map(|()| puppet(&mut engine));
    let slow =
        program().call(&manage("raw_rand", encode(&())).on_reply(program().count(1).reply()));
    let out = call(b, &slow).cycles(5_000).on_reject(
        program()
            .info(Info::RejectCode)
            .info(Info::Refunded)
            .reply(),
    );
    let open = engine
        .submit(owner(), a, "run", program().call(&out).0)
        .unwrap();
    engine.tick();
    let ingress = engine.submit(owner(), b, "run", slow.0).unwrap();
    engine.tick();
    managed(&mut engine, "uninstall_code", about(b)).unwrap();
    assert_eq!(
        rejected(&engine, ingress),
        ErrorCode::CanisterRejectedMessage
    );
    let IngressStatus::Replied(answer) = engine.status(&open) else {
        panic!("{:?}", engine.status(&open));
    };
    assert_eq!(number(&answer), RejectCode::CanisterReject as u64);
    assert_eq!(cycles(&answer[8..]), 5_000);
    engine
        .install(owner(), b, wasm(), Vec::new(), InstallMode::Install)
        .unwrap();
    engine.tick();
    engine.tick();
    assert_eq!(
        counter(&mut engine, b, 1),
        0,
        "callbacks of the old code never run"
    );
    assert_eq!(engine.canister(b).unwrap().outstanding_calls, 0);
    assert_balanced(&engine);
}

/// A module whose function at table index 0 counts, adds up the environments it was called with,
/// and replies.
const RECORDER: &str = r#"(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (memory (export "memory") 1)
  (table 1 funcref)
  (elem (i32.const 0) $late)
  (func $late (param $env i32)
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
    (i32.store (i32.const 4) (local.get $env))
    (call $reply))
  (func (export "canister_query seen")
    (call $append (i32.const 0) (i32.const 8))
    (call $reply)))"#;

#[test]
fn after_a_forced_upgrade_late_answers_run_in_the_new_module_by_index_and_environment() {
    let recorder = wat::parse_str(RECORDER).unwrap();
    for mode in [
        InstallMode::Upgrade {
            skip_pre_upgrade: false,
        },
        InstallMode::Reinstall,
    ] {
        let mut engine = engine();
        let (id, open) = busy(&mut engine);
        engine
            .submit_install(owner(), id, &recorder, Vec::new(), mode)
            .unwrap();
        engine.tick();
        assert_eq!(engine.canister(id).unwrap().outstanding_calls, 1);
        engine.tick();
        let seen = engine.query(owner(), id, "seen", Vec::new()).unwrap();
        assert_eq!(seen[..4], [1, 0, 0, 0], "{mode:?}");
        let environment = u32::from_le_bytes(seen[4..].try_into().unwrap());
        assert!(
            environment >= 8192,
            "a place on the old heap: {environment}"
        );
        assert_eq!(engine.status(&open), IngressStatus::Replied(Vec::new()));
    }
}

#[test]
fn late_answers_that_find_no_function_are_lost_and_the_caller_is_told() {
    let empty = wat::parse_str("(module (table 0 funcref))").unwrap();
    let mut engine = engine();
    let (id, open) = busy(&mut engine);
    let mode = InstallMode::Upgrade {
        skip_pre_upgrade: false,
    };
    engine
        .submit_install(owner(), id, &empty, Vec::new(), mode)
        .unwrap();
    engine.tick();
    engine.tick();
    let IngressStatus::Rejected(reject) = engine.status(&open) else {
        panic!("{:?}", engine.status(&open));
    };
    assert_eq!(reject.code, RejectCode::CanisterError);
    assert_eq!(engine.canister(id).unwrap().open_call_contexts, 0);
    assert_balanced(&engine);
}

#[test]
fn creations_whose_answers_were_lost_did_happen_and_can_be_found() {
    let mut engine = engine();
    let [root, other] = [(); 2].map(|()| puppet(&mut engine));
    let create = manage(
        "create_canister",
        encode(&ic_management_canister_types::CreateCanisterArgs::default()),
    );
    let create = create
        .cycles(1_000_000_000_000)
        .on_reply(program().trap("lost"));
    let before = engine.canisters();
    run(&mut engine, root, &program().call(&create)).expect_err("the callback trapped");
    let created: Vec<_> = engine
        .canisters()
        .into_iter()
        .filter(|id| !before.contains(id))
        .collect();
    let [created] = created[..] else {
        panic!("{created:?}")
    };
    assert_eq!(engine.canister(created).unwrap().creator, root);
    let info = encode(&ic_management_canister_types::CanisterInfoArgs {
        canister_id: created,
        num_requested_changes: Some(20),
    });
    let seen = run(
        &mut engine,
        other,
        &program().call(&manage("canister_info", info)),
    )
    .unwrap();
    let info: ic_management_canister_types::CanisterInfoResult = decode(&seen);
    assert_eq!((info.total_num_changes, info.controllers), (1, vec![root]));
}

#[test]
fn an_upgrade_keeps_stable_memory_and_certified_data_and_turns_the_timer_off() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let before_upgrade = program().stable_write(8, b"pre");
    let setup = program()
        .stable_grow(1)
        .stable_write(0, b"stable")
        .certify(b"certified")
        .timer_in(1_000_000 * SECOND)
        .count(1)
        .before_upgrade(&before_upgrade)
        .reply();
    run(&mut engine, id, &setup).unwrap();
    let mode = InstallMode::Upgrade {
        skip_pre_upgrade: false,
    };
    let post = program().stable_write(16, b"post").print("upgraded");
    engine.install(owner(), id, wasm(), post.0, mode).unwrap();
    let view = engine.canister(id).unwrap();
    assert_eq!(
        (view.timer_ns, view.certified_data.as_slice()),
        (0, &b"certified"[..])
    );
    assert!(view.logs.iter().any(|line| line.content == b"upgraded"));
    let read = program()
        .stable(0, 6)
        .stable(8, 3)
        .stable(16, 4)
        .counter(1)
        .reply();
    let answer = ask(&mut engine, id, &read).unwrap();
    assert_eq!(&answer[..13], b"stableprepost");
    assert_eq!(number(&answer[13..]), 0, "the heap is new");
}

#[test]
fn a_failing_upgrade_changes_nothing() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let setup = |before: Program| {
        program()
            .stable_grow(1)
            .stable_write(0, b"old")
            .before_upgrade(&before)
            .reply()
    };
    let mode = InstallMode::Upgrade {
        skip_pre_upgrade: false,
    };
    for (before, post) in [
        (
            program().stable_write(0, b"new"),
            program().stable_write(0, b"new").trap("post"),
        ),
        (program().stable_write(0, b"new").trap("pre"), program()),
    ] {
        run(&mut engine, id, &setup(before)).unwrap();
        let version = engine.canister(id).unwrap().version;
        engine
            .install(owner(), id, wasm(), post.0, mode)
            .expect_err("a hook traps");
        assert_eq!(
            ask(&mut engine, id, &program().stable(0, 3).reply()),
            Ok(b"old".to_vec())
        );
        assert_eq!(engine.canister(id).unwrap().version, version);
    }
    let skip = InstallMode::Upgrade {
        skip_pre_upgrade: true,
    };
    engine
        .install(owner(), id, wasm(), Vec::new(), skip)
        .expect("the trapping hook is skipped");
}

#[test]
fn install_wants_an_empty_canister_and_upgrade_a_full_one() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let again = engine.install(owner(), id, wasm(), Vec::new(), InstallMode::Install);
    assert_eq!(
        again.expect_err("not empty").error,
        ErrorCode::CanisterNonEmpty
    );
    let empty = engine.create_canister(owner(), T);
    let mode = InstallMode::Upgrade {
        skip_pre_upgrade: false,
    };
    let refused = engine.install(owner(), empty, wasm(), Vec::new(), mode);
    assert_eq!(
        refused.expect_err("empty").error,
        ErrorCode::CanisterWasmModuleNotFound
    );
    for bytes in [&b""[..], b"\0asm", b"not wasm at all"] {
        let refused = engine.install(owner(), empty, bytes, Vec::new(), InstallMode::Install);
        assert_eq!(
            refused.expect_err("no module").error,
            ErrorCode::CanisterInvalidWasm
        );
    }
}

/// `wasm_memory_persistence` (interface specification, section `install_code`): a module that keeps
/// its main memory must be asked to, and keeps it.
#[test]
fn main_memory_is_kept_where_the_module_is_made_for_it() {
    use ic_management_canister_types::{
        CanisterInstallMode, InstallCodeArgs, UpgradeFlags, WasmMemoryPersistence,
    };
    let marked = wasm_with(r#"(@custom "icp:private enhanced-orthogonal-persistence" "")"#);
    let mut engine = engine();
    let id = puppet_with(&mut engine, 1_000 * T, &marked, &program());
    run(&mut engine, id, &program().count(3).reply()).unwrap();
    let upgrade = |wasm: &[u8], persistence: Option<WasmMemoryPersistence>| {
        encode(&InstallCodeArgs {
            mode: CanisterInstallMode::Upgrade(Some(UpgradeFlags {
                skip_pre_upgrade: None,
                wasm_memory_persistence: persistence,
            })),
            canister_id: id,
            wasm_module: wasm.to_vec(),
            arg: Vec::new(),
            sender_canister_version: None,
        })
    };
    let violation = ErrorCode::CanisterContractViolation;
    let keep = Some(WasmMemoryPersistence::Keep);
    let silent = managed(&mut engine, "install_code", upgrade(&marked, None));
    assert_eq!(silent.unwrap_err().error, violation);
    let unmarked = managed(&mut engine, "install_code", upgrade(wasm(), keep));
    assert_eq!(unmarked.unwrap_err().error, violation);
    managed(&mut engine, "install_code", upgrade(&marked, keep)).unwrap();
    assert_eq!(counter(&mut engine, id, 3), 1);
    let replace = upgrade(wasm(), Some(WasmMemoryPersistence::Replace));
    managed(&mut engine, "install_code", replace).unwrap();
    assert_eq!(counter(&mut engine, id, 3), 0);
}
