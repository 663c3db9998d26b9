//! The core against the model platform: many seeds, every checker after every decision.

use hatchery_sim::checkers::edges_missed;
use hatchery_sim::model::{
    Failure, Fault, Report, Swarm, Watch, World, every_kind, simulate, simulate_watched,
};
use hatchery_sim::run::{Plan, run};

const SEEDS: u64 = 200;
const STEPS: u64 = 500;
/// Edges that so few seeds may never take; a full run takes each of them fifty times.
const EDGES_RARE: usize = 8;

/// What must have been seen in 200 seeds; else the model tests less than it says.
const SEEN: [&str; 14] = [
    "outcome done",
    "outcome refused",
    "outcome not executed",
    "outcome in progress",
    "outcome unknown",
    "report refused",
    "operation repeated",
    "polite upgrade done",
    "bad module refused",
    "lease answered",
    "request taken",
    "request refused",
    "worker taken",
    "worker refused",
];

#[test]
fn model_200_seeds() {
    let plan = Plan {
        first: 0,
        seeds: SEEDS,
        steps: STEPS,
        bare: false,
    };
    let tally = run(plan, 2, &|| {});
    let some: Vec<_> = tally
        .failures
        .iter()
        .take(10)
        .map(ToString::to_string)
        .collect();
    let count = tally.failures.len();
    assert!(
        some.is_empty(),
        "{count} seeds failed, among them:\n{}",
        some.join("\n\n")
    );
    let missing: Vec<_> = Fault::all()
        .filter(|kind| !tally.faults.contains_key(kind))
        .collect();
    assert!(missing.is_empty(), "never drawn: {missing:?}");
    let unseen: Vec<_> = SEEN
        .into_iter()
        .filter(|name| !tally.seen.contains_key(name))
        .collect();
    assert!(
        unseen.is_empty(),
        "never seen: {unseen:?}, seen {:?}",
        tally.seen
    );
    let kinds = every_kind();
    let unsent: Vec<_> = kinds
        .iter()
        .filter(|kind| !tally.seen.contains_key(kind.name()))
        .collect();
    assert!(unsent.is_empty(), "never started: {unsent:?}");
    let missed = edges_missed(&tally.edges, 1);
    assert!(missed.len() <= EDGES_RARE, "edges missed: {missed:#?}");
}

#[test]
fn model_same_seed_same_bytes() {
    for seed in [3, 14, 159] {
        let first = simulate(seed, STEPS).unwrap_or_else(|failure| panic!("{failure}"));
        let second = simulate(seed, STEPS).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(first, second, "seed {seed}");
        let bare = simulate_watched(seed, STEPS, Watch::Bare);
        let bare = bare.unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(first.digest, bare.digest, "nobody looks, nothing changes");
        assert_eq!(first.decisions, bare.decisions);
    }
    let bytes = |seed| simulate(seed, 50).map(|report| report.digest);
    assert_ne!(bytes(1), bytes(2), "the digest sees nothing");
}

/// Each kind of fault alone and often: a swarm may hide one fault behind another.
#[test]
fn model_each_fault_alone() {
    for fault in Fault::all() {
        let mut struck = 0;
        for seed in 0..20 {
            if seed >= 4 && struck > 0 {
                break;
            }
            let report = run_with(seed, &[fault, Fault::UpgradedForced], 150);
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
