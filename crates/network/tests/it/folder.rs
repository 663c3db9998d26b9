//! A network that was stopped and started again is the same one.

use std::path::PathBuf;

use hatchery_engine::{Config, Engine, InstallMode, Principal};
use hatchery_network::{Network, NetworkError, Options, engine_now};

use crate::client::{COUNTER, User, World, start};

/// An empty folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("network-{name}"));
    if path.exists() {
        std::fs::remove_dir_all(&path).expect("an old folder goes");
    }
    path
}

#[test]
fn a_network_survives_its_process() {
    let options = Options {
        folder: Some(folder("survives")),
        ..Options::default()
    };
    let network = start(&options);
    let root_key = network.root_key().to_vec();
    let owner = User::new(1);
    let (id, wasm) = (owner.id(), wat::parse_str(COUNTER).expect("valid"));
    let canister = network.visit(move |engine| {
        let canister = engine.create_canister(id, 100_000_000_000_000);
        let installed = engine.install(id, canister, &wasm, Vec::new(), InstallMode::Install);
        installed.map(|()| canister)
    });
    let canister = canister.expect("the network runs").expect("installed");
    let world = World {
        network,
        owner,
        canister,
    };
    let call = world.call("inc");
    world.update(call.clone()).expect("a reply");
    world.network.stop().expect("saved");

    // Another seed is asked for, but the world has its own.
    let other = || {
        engine_now(Config {
            seed: 5,
            ..Config::default()
        })
    };
    let network = Network::start(&options, other).expect("restored");
    let world = World {
        network,
        owner: User::new(1),
        canister,
    };
    assert_eq!(world.network.root_key(), root_key);
    assert_eq!(world.count(), 1);
    // The request of before is known, and answered as before.
    let again = world.update(call).expect("a reply");
    assert_eq!(again, 1_u64.to_le_bytes());
    assert_eq!(world.count(), 1);
    assert_eq!(
        world.update(world.call("inc")).expect("a reply"),
        2_u64.to_le_bytes()
    );
}

#[test]
fn a_damaged_folder_is_refused() {
    let path = folder("damaged");
    std::fs::create_dir_all(&path).expect("a folder");
    std::fs::write(path.join("world"), b"nonsense").expect("a file");
    let options = Options {
        folder: Some(path),
        ..Options::default()
    };
    let error = Network::start(&options, || engine_now(Config::default())).expect_err("damaged");
    assert!(matches!(error, NetworkError::Folder(_)), "{error}");
}

#[test]
fn a_world_in_virtual_time_is_refused() {
    let ahead = || -> Engine {
        let mut engine = engine_now(Config::default());
        engine.advance_ns(3_600_000_000_000);
        engine.tick();
        engine
    };
    let error = Network::start(&Options::default(), ahead).expect_err("ahead");
    assert!(matches!(error, NetworkError::Ahead { .. }), "{error}");
    let manual = Options {
        time: hatchery_network::Time::Manual,
        ..Options::default()
    };
    let network = Network::start(&manual, ahead).expect("its time is its own");
    let round = |engine: &mut Engine| (engine.round(), engine.canisters().len());
    let before = network.visit(round).expect("runs");
    assert_eq!(network.visit(round).expect("runs"), before);
    let taken = Options {
        address: network.address(),
        ..Options::default()
    };
    let error = Network::start(&taken, || engine_now(Config::default())).expect_err("taken");
    assert!(matches!(error, NetworkError::Listen { .. }), "{error}");
    let nobody = network.visit(|engine| engine.canister(Principal::anonymous()).is_none());
    assert!(nobody.expect("runs"));
}
