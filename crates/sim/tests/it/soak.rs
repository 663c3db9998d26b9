//! The wasm level: a seed of it, with everything that it must have seen, and its story once more.
//! Seeds that fail are those of `cargo xtask plant`, with bugs planted in root's wasm.

use crate::wasm;
use hatchery_sim::soak::{Modules, Story, replay, tell};

fn modules() -> Modules {
    Modules {
        root: wasm::load("hatchery_root"),
        worker: wasm::load("hatchery_worker"),
        cache_dir: Some(wasm::cache()),
    }
}

#[test]
fn a_fleet_of_a_hundred_survives_its_troubles_and_its_story_is_the_same_again() {
    let modules = modules();
    let (soaked, story) = tell(1, &modules);
    let soaked = soaked.unwrap_or_else(|failure| panic!("{failure} --wasm"));
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
    let read = Story::read(&story.text()).expect("what is told can be read");
    assert_eq!(read, story);
    let again = replay(&read, &modules).unwrap_or_else(|failure| panic!("{failure} --wasm"));
    assert_eq!(again.faults, soaked.faults);
    assert_eq!(again.digest, soaked.digest);
}
