//! Worlds in files: a saved world goes on exactly as the one it was saved from.

use hatchery_engine::faults::{Rule, Verdict};
use hatchery_engine::{Config, Engine, InstallMode, WorldError};
use ic_management_canister_types::TakeCanisterSnapshotArgs;

use super::puppet::*;

/// A world in the middle of everything: calls and management calls open, a stop and a long install
/// under way, timers set, snapshots taken, faults in force, messages waiting.
fn busy_world() -> Engine {
    let mut engine = engine();
    let root = puppet(&mut engine);
    let child = child_of(&mut engine, root);
    let empty = empty_child_of(&mut engine, root);
    let heart = "(func (export \"canister_heartbeat\") (call $heartbeat))";
    let beating = puppet_with(&mut engine, 100 * T, &wasm_with(heart), &program());
    run(
        &mut engine,
        beating,
        &program().on_heartbeat(&program().count(3)).reply(),
    )
    .unwrap();
    let take = encode(&TakeCanisterSnapshotArgs {
        canister_id: child,
        replace_snapshot: None,
        uninstall_code: None,
        sender_canister_version: None,
    });
    managed(&mut engine, "take_canister_snapshot", take).unwrap();
    let remember = program()
        .stable_grow(1)
        .stable_write(5_000, b"kept")
        .print("a line");
    run(&mut engine, child, &remember.certify(b"data").reply()).unwrap();
    let again = program().count(1).timer_in(2 * SECOND);
    run(
        &mut engine,
        root,
        &program().on_timer(&again).timer_in(SECOND).reply(),
    )
    .unwrap();
    let rule = Rule::new(Verdict::DelayAnswer { rounds: 2 });
    engine.faults().add(rule.caller(root).per_million(500_000));

    let asks = program()
        .call(&manage("canister_status", about(child)))
        .call(&manage("raw_rand", encode_nothing()).then(&program().count(2)))
        .call(&call(child, &program().append(b"yes").reply()).best_effort(30));
    engine.submit(owner(), root, "run", asks.0).unwrap();
    let large = large_wasm(1_000_000);
    let mode = InstallMode::Install;
    engine
        .submit_install(owner(), empty, &large, Vec::new(), mode)
        .unwrap();
    engine.tick();
    engine
        .submit(owner(), MANAGEMENT, "stop_canister", about(child))
        .unwrap();
    engine
        .submit(owner(), root, "run", program().count(9).reply().0)
        .unwrap();
    engine.advance_ns(SECOND);
    engine
}

fn go_on(mut engine: Engine) -> (Vec<String>, Vec<u8>) {
    engine.trace_keep(10_000);
    for step in 0..30 {
        engine.advance_ns(SECOND * (step % 3));
        engine.tick();
    }
    assert_balanced(&engine);
    let trace = engine.trace().map(ToString::to_string).collect();
    (trace, engine.to_bytes())
}

#[test]
fn a_saved_world_goes_on_as_if_it_had_never_stopped() {
    let mut engine = busy_world();
    let bytes = engine.to_bytes();
    assert_eq!(
        bytes,
        busy_world().to_bytes(),
        "equal worlds give equal bytes"
    );
    let mut loaded = Engine::from_bytes(&bytes, &Config::default()).unwrap();
    assert_eq!(loaded.to_bytes(), bytes);
    let (trace, end) = go_on(engine);
    let (trace_loaded, end_loaded) = go_on(loaded);
    assert!(trace.len() > 40, "the world was not busy");
    assert_eq!(trace, trace_loaded);
    assert!(end == end_loaded, "the worlds differ in the end");
}

#[test]
fn worlds_travel_through_files() {
    let folder = std::env::temp_dir().join(format!("hatchery-worlds-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("world");
    let mut engine = engine();
    let id = puppet(&mut engine);
    run(&mut engine, id, &program().count(4).reply()).unwrap();
    engine.save(&path).unwrap();
    run(&mut engine, id, &program().count(4).reply()).unwrap();
    let mut loaded = Engine::load(&path, &Config::default()).unwrap();
    assert_eq!(counter(&mut loaded, id, 4), 1);
    assert_eq!(counter(&mut engine, id, 4), 2);
    loaded.save(&path).unwrap();
    let missing = Engine::load(folder.join("none"), &Config::default());
    assert!(matches!(missing, Err(WorldError::Io(_))));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn damaged_and_foreign_files_are_clean_errors() {
    let mut engine = engine();
    puppet(&mut engine);
    let bytes = engine.to_bytes();
    let error = |bytes: &[u8]| match Engine::from_bytes(bytes, &Config::default()) {
        Ok(_) => panic!("a damaged world was loaded"),
        Err(error) => error,
    };
    assert!(matches!(error(b""), WorldError::Foreign));
    assert!(matches!(error(b"PNG something else"), WorldError::Foreign));
    let mut newer = bytes.clone();
    newer[8] = 9;
    assert!(matches!(error(&newer), WorldError::Version { found: 9 }));
    for cut in [9, 20, 44, 100, bytes.len() / 2, bytes.len() - 1] {
        assert!(
            matches!(error(&bytes[..cut]), WorldError::Damaged),
            "cut at {cut}"
        );
    }
    for at in (12..bytes.len()).step_by(bytes.len() / 50) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        assert!(
            matches!(error(&flipped), WorldError::Damaged),
            "flipped at {at}"
        );
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(matches!(error(&longer), WorldError::Damaged));
    // The checksum is right, the content is not.
    let body = &bytes[44..];
    for cut in (0..body.len()).step_by(body.len() / 200) {
        assert!(matches!(
            error(&Engine::sealed(&body[..cut])),
            WorldError::Damaged | WorldError::Module(_)
        ));
    }
}
