//! A fleet behind HTTP behaves as in the simulator: the demo, where operator and user come in by
//! ic-agent, each call signed, each answer verified.
//!
//! The demo's time is virtual here as well. The engine starts at the wall clock's time and runs
//! ahead of it; ic-agent takes certificates from the future, and its requests are made to expire by
//! the engine's clock. So nothing waits, and nothing that is verified is left out.

mod door;
mod page;

use door::HttpDoor;
use hatchery_sim::demo::{Demo, DemoConfig, FLEET_TOML, Summary};
use hatchery_sim::world::{Door, Straight};
use std::path::{Path, PathBuf};

#[test]
fn the_demo_holds_when_every_call_goes_over_http() {
    let (door, told) = HttpDoor::new();
    let start_ns = door::wall_ns();
    let over_http = run(start_ns, Box::new(door));
    let told = told.lock().expect("bug: the door panicked");
    assert!(told.updates > over_http.jobs.submitted, "{told:?}");
    assert!(told.queries > over_http.virtual_seconds, "{told:?}");
    assert_eq!(told.unverified, 0);
    // Not alike: the same.
    assert_eq!(over_http, run(start_ns, Box::new(Straight)));
}

/// The demo's summary, all of whose conditions hold.
fn run(start_ns: u64, door: Box<dyn Door>) -> Summary {
    let config = DemoConfig {
        seed: 1,
        chaos: false,
        root_wasm: load("hatchery_root"),
        worker_wasm: load("hatchery_worker"),
        fleet_toml: FLEET_TOML.to_owned(),
        cache_dir: Some(target().join("hatchery-cache")),
    };
    let mut demo =
        Demo::start_behind(config, start_ns, door, &mut |_| {}).expect("the demo starts");
    while !demo.is_over() {
        demo.step().expect("root answers");
    }
    let summary = demo.finish().expect("root answers");
    let violations: Vec<&str> = demo.violations().collect();
    assert!(summary.ok, "{:?} {violations:?}", summary.what_fails());
    summary
}

/// The bytes of a canister built by `cargo xtask`.
pub(crate) fn load(name: &str) -> Vec<u8> {
    let path = folder().join(format!("{name}.wasm"));
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask test`", path.display()))
}

fn folder() -> PathBuf {
    match std::env::var_os("HATCHERY_WASM_DIR") {
        Some(folder) => folder.into(),
        None => target().join("wasm32-unknown-unknown/canister"),
    }
}

pub(crate) fn target() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    option_env!("CARGO_TARGET_DIR").map_or_else(|| here.join("../../target"), PathBuf::from)
}
