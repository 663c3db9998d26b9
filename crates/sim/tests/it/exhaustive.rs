//! Every effect kind × step × outcome × upgrade of root, one by one.

use hatchery_sim::model::exhaust;

#[test]
fn every_effect_every_outcome_every_upgrade() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let result = exhaust(cores);
    assert!(
        result.unreached.is_empty(),
        "no world leads to {:?}",
        result.unreached
    );
    let failures: Vec<String> = result
        .failures
        .iter()
        .map(|(case, failure)| format!("{case}: {failure}"))
        .collect();
    let some = failures.iter().take(10).cloned().collect::<Vec<_>>();
    assert!(
        failures.is_empty(),
        "{} of {} cases failed, among them:\n{}",
        failures.len(),
        result.cases,
        some.join("\n\n")
    );
    assert!(result.cases > 500, "only {} cases", result.cases);
}
