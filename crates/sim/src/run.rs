//! Many seeds on every core of the machine, and what they came to together.

use crate::checkers::{EdgeCounts, edges_missed};
use crate::model::{Failure, Fault, Report, Watch, simulate, simulate_watched};
use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};

/// Seeds of a full run.
pub const SEEDS_FULL: u64 = 5_000;
/// Steps of each seed of a full run.
pub const STEPS_FULL: u64 = 900;
/// How often each edge is taken in a full run, at least.
const EDGE_LEAST: u64 = 50;
/// From so many steps on each edge is taken at least once.
const STEPS_JUDGED: u64 = 1_000_000;

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The first seed.
    pub first: u64,
    /// How many.
    pub seeds: u64,
    /// Steps of each.
    pub steps: u64,
    /// No checkers: how fast core is by itself.
    pub bare: bool,
}

/// What many seeds came to.
#[derive(Debug, Default)]
pub struct Tally {
    /// Seeds run.
    pub seeds: u64,
    /// Steps taken, those of coming to rest not counted.
    pub steps: u64,
    /// Decisions made.
    pub decisions: u64,
    /// How often each fault struck.
    pub faults: BTreeMap<Fault, u64>,
    /// How often each notable thing happened.
    pub seen: BTreeMap<&'static str, u64>,
    /// How often each edge was taken.
    pub edges: EdgeCounts,
    /// Seeds that broke something, in order.
    pub failures: Vec<Failure>,
}

impl Tally {
    /// How often each edge must have been taken: 50 times in a full run, once in a million steps; a
    /// smaller run, or one without checkers, is not judged.
    pub fn edges_least(&self) -> u64 {
        const FULL: u64 = SEEDS_FULL * STEPS_FULL;
        match self.steps {
            _ if self.edges.is_empty() => 0,
            FULL.. => EDGE_LEAST,
            STEPS_JUDGED.. => 1,
            _ => 0,
        }
    }

    /// Edges taken less often than that.
    pub fn edges_missed(&self) -> Vec<String> {
        edges_missed(&self.edges, self.edges_least())
    }

    /// Failures of the liveness phase.
    pub fn unconverged(&self) -> usize {
        let stuck = |failure: &&Failure| failure.is_unconverged();
        self.failures.iter().filter(stuck).count()
    }

    fn add(&mut self, steps: u64, result: Result<Report, Failure>) {
        self.seeds += 1;
        match result {
            Err(failure) => self.failures.push(failure),
            Ok(report) => {
                self.steps += steps;
                self.decisions += report.decisions;
                merge(&mut self.faults, report.faults);
                merge(&mut self.seen, report.seen);
                merge(&mut self.edges, report.edges);
            }
        }
    }

    fn join(&mut self, other: Tally) {
        self.seeds += other.seeds;
        self.steps += other.steps;
        self.decisions += other.decisions;
        merge(&mut self.faults, other.faults);
        merge(&mut self.seen, other.seen);
        merge(&mut self.edges, other.edges);
        self.failures.extend(other.failures);
        self.failures.sort_by_key(|failure| failure.seed);
    }
}

fn merge<K: Ord>(into: &mut BTreeMap<K, u64>, from: BTreeMap<K, u64>) {
    for (key, count) in from {
        *into.entry(key).or_default() += count;
    }
}

/// Runs the seeds, one thread a core; `done` hears of each seed that is over.
pub fn run(plan: Plan, threads: usize, done: &(dyn Fn() + Sync)) -> Tally {
    let next = AtomicU64::new(plan.first);
    let end = plan.first + plan.seeds;
    let work = || {
        let mut tally = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return tally;
            }
            tally.add(plan.steps, one(seed, &plan));
            done();
        }
    };
    let mut whole = Tally::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            whole.join(
                worker
                    .join()
                    .expect("bug: a thread panicked, and no seed did"),
            );
        }
    });
    whole
}

/// Every hundredth seed is run again and must leave the same bytes.
const REPEAT_EVERY: u64 = 100;

/// One seed; a panic in it is its failure.
fn one(seed: u64, plan: &Plan) -> Result<Report, Failure> {
    let ran = catch_unwind(|| run_one(seed, plan));
    ran.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Failure::of_seed(
            seed,
            "panicked",
            text.unwrap_or("without a word"),
        ))
    })
}

fn run_one(seed: u64, plan: &Plan) -> Result<Report, Failure> {
    if plan.bare {
        return simulate_watched(seed, plan.steps, Watch::Bare);
    }
    let report = simulate(seed, plan.steps)?;
    if seed.is_multiple_of(REPEAT_EVERY) && simulate(seed, plan.steps)? != report {
        return Err(Failure::of_seed(seed, "deterministic", "two runs differ"));
    }
    Ok(report)
}
