//! The wasm level: a seed of it, with everything that it must have seen.

use crate::wasm;
use hatchery_sim::soak::{Modules, soak};

#[test]
fn a_fleet_of_a_hundred_survives_its_troubles() {
    let modules = Modules {
        root: wasm::load("hatchery_root"),
        worker: wasm::load("hatchery_worker"),
        cache_dir: Some(wasm::cache()),
    };
    let soaked = soak(1, &modules).unwrap_or_else(|failure| panic!("{failure} --wasm"));
    let seen = |what: &str| soaked.seen.get(what).copied().unwrap_or(0);
    for what in [
        "requested",
        "lease-answered",
        "leased",
        "upgraded",
        "topped-up",
    ] {
        assert!(seen(what) >= 1, "{what}: {soaked:?}");
    }
}
