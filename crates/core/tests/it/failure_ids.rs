//! Every failure mode of worker pools has a test named after it, and a bug to find.

use hatchery_core::plant::{PLANTS, PLANTS_OUTSIDE};

/// The tests of this folder, as text.
const TESTS: &[&str] = &[
    include_str!("commands.rs"),
    include_str!("leases.rs"),
    include_str!("life.rs"),
    include_str!("operations.rs"),
    include_str!("policies.rs"),
    include_str!("requests.rs"),
    include_str!("wishes.rs"),
];
/// Those of the spec's checks.
const CHECKS: &str = include_str!("../../../api/src/check/tests.rs");

/// Those of lifecycle, requests, cycles and timers, wherever they are shown best.
const LIFECYCLE: &[&str] = &[
    include_str!("bounds.rs"),
    include_str!("families.rs"),
    include_str!("funding.rs"),
    include_str!("golden.rs"),
    include_str!("life.rs"),
    include_str!("modules.rs"),
    include_str!("operations.rs"),
    include_str!("recover.rs"),
    include_str!("upgrades.rs"),
    include_str!("../../../types/src/wire/tests.rs"),
    include_str!("../../../canister/src/root/method.rs"),
    include_str!("../../../canister/src/root/outcome.rs"),
    include_str!("../../../sim/tests/it/authority.rs"),
    include_str!("../../../sim/tests/it/clockwork.rs"),
    include_str!("../../../sim/tests/it/hostile.rs"),
    include_str!("../../../sim/tests/it/quiet.rs"),
    include_str!("../../../sim/tests/it/recovery.rs"),
];
/// Where those of [`PLANTS_OUTSIDE`] are hunted.
const OUTSIDE: &str = include_str!("../../../../xtask/src/plants_outside.rs");
/// A test is named after the id.
fn names(text: &str, id: &str) -> bool {
    let mut functions = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("fn "));
    functions.any(|name| name.split(['_', '(']).any(|word| word == id))
}

#[test]
fn each_of_l01_to_l26_has_a_named_test_and_a_plant() {
    for number in 1..=26 {
        let id = format!("l{number:02}");
        let named = LIFECYCLE.iter().any(|text| names(text, &id));
        assert!(named, "no test is named after {id}");
        let mut plants = PLANTS.iter().chain(PLANTS_OUTSIDE);
        let planted = plants.any(|(planted, _)| *planted == id);
        assert!(planted, "no bug is planted for {id}");
    }
    for (id, _) in PLANTS_OUTSIDE {
        assert!(
            OUTSIDE.contains(&format!("(\"{id}\", ")),
            "{id} is not hunted"
        );
    }
}

#[test]
fn each_of_s01_to_s20_has_a_named_test_and_a_plant() {
    for number in 1..=20 {
        let id = format!("s{number:02}");
        let mut texts = TESTS.iter().chain(std::iter::once(&CHECKS));
        assert!(
            texts.any(|text| names(text, &id)),
            "no test is named after {id}"
        );
        let planted = PLANTS.iter().any(|(planted, _)| *planted == id);
        assert!(planted, "no bug is planted for {id}");
    }
}
