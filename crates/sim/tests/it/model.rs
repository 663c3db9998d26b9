//! The core against the model platform: many seeds, every checker after every decision.

use hatchery_sim::model::{Failure, Fault, Report, Swarm, World, simulate};
use std::collections::BTreeMap;

const SEEDS: u64 = 200;
const STEPS: u64 = 500;

/// What must have been seen in 200 seeds; else the model tests less than it says.
const SEEN: [&str; 26] = [
    "outcome done",
    "outcome refused",
    "outcome not executed",
    "outcome in progress",
    "outcome unknown",
    "effect create",
    "effect observe",
    "effect reset",
    "effect install",
    "effect drain",
    "effect stop",
    "effect delete",
    "effect store-chunk",
    "phase creating",
    "phase pending-reset",
    "phase resetting",
    "phase ready",
    "phase installing",
    "phase in-service",
    "phase draining",
    "phase stopping",
    "phase deleting",
    "phase failed",
    "phase lost",
    "report refused",
    "operation repeated",
];

/// Runs seeds on two threads; results in order of seeds.
fn run(seeds: std::ops::Range<u64>, steps: u64) -> Vec<Result<Report, Failure>> {
    let middle = seeds.start.midpoint(seeds.end);
    let part = |seeds: std::ops::Range<u64>| -> Vec<_> {
        seeds.map(|seed| simulate(seed, steps)).collect()
    };
    std::thread::scope(|scope| {
        let second = scope.spawn(move || part(middle..seeds.end));
        let mut reports = part(seeds.start..middle);
        reports.extend(second.join().expect("a seed panicked, see above"));
        reports
    })
}

#[test]
fn model_200_seeds() {
    let mut faults: BTreeMap<Fault, u64> = BTreeMap::new();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut failures = Vec::new();
    for result in run(0..SEEDS, STEPS) {
        match result {
            Err(failure) => failures.push(failure.to_string()),
            Ok(report) => {
                report
                    .faults
                    .into_iter()
                    .for_each(|(kind, count)| *faults.entry(kind).or_default() += count);
                report
                    .seen
                    .into_iter()
                    .for_each(|(name, count)| *seen.entry(name).or_default() += count);
            }
        }
    }
    let count = failures.len();
    failures.truncate(10);
    assert!(
        failures.is_empty(),
        "{count} seeds failed, among them:\n{}",
        failures.join("\n\n")
    );
    let missing: Vec<_> = Fault::ALL
        .into_iter()
        .filter(|kind| !faults.contains_key(kind))
        .collect();
    assert!(missing.is_empty(), "never drawn: {missing:?}");
    let unseen: Vec<_> = SEEN
        .into_iter()
        .filter(|name| !seen.contains_key(*name))
        .collect();
    assert!(unseen.is_empty(), "never seen: {unseen:?}, seen {seen:?}");
}

/// One seed, named by `HATCHERY_SEED`: the way to repeat a failure.
#[test]
fn model_one_seed() {
    let seed = std::env::var("HATCHERY_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let report = simulate(seed, STEPS).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{report:#?}");
    assert!(report.decisions > STEPS / 2);
}

#[test]
fn model_same_seed_same_bytes() {
    for seed in [3, 14, 159] {
        let first = simulate(seed, STEPS).unwrap_or_else(|failure| panic!("{failure}"));
        let second = simulate(seed, STEPS).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(first, second, "seed {seed}");
    }
    let bytes = |seed| simulate(seed, 50).map(|report| report.digest);
    assert_ne!(bytes(1), bytes(2), "the digest sees nothing");
}

/// Each kind of fault alone and often: a swarm may hide one fault behind another.
#[test]
fn model_each_fault_alone() {
    for fault in Fault::ALL {
        let mut struck = 0;
        for seed in 0..4 {
            let report = run_with(seed, &[fault, Fault::Upgraded], 150);
            let report = report.unwrap_or_else(|failure| panic!("{fault:?}: {failure}"));
            struck += report.faults.get(&fault).copied().unwrap_or(0);
        }
        assert!(struck > 0, "{fault:?} never struck");
    }
}

fn run_with(seed: u64, faults: &[Fault], permille: u32) -> Result<Report, Failure> {
    let mut world = World::new(seed, Swarm::only(seed, faults, permille))?;
    for _ in 0..STEPS {
        world.step()?;
    }
    world.converge()?;
    Ok(world.report())
}
