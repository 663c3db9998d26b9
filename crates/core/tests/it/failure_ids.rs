//! Every failure mode of worker pools has a test named after it, and a bug to find.

use hatchery_core::plant::PLANTS;

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

#[test]
fn each_of_s01_to_s20_has_a_named_test_and_a_plant() {
    for number in 1..=20 {
        let id = format!("s{number:02}");
        let named = |text: &&str| {
            let functions = text
                .lines()
                .filter_map(|line| line.trim().strip_prefix("fn "));
            let words = |name: &str| name.split(['_', '(']).any(|word| word == id);
            functions.into_iter().any(words)
        };
        let mut texts = TESTS.iter().chain(std::iter::once(&CHECKS));
        assert!(texts.any(named), "no test is named after {id}");
        let planted = PLANTS.iter().any(|(planted, _)| *planted == id);
        assert!(planted, "no bug is planted for {id}");
    }
}
