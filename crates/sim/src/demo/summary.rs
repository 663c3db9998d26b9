//! The result of a demo: one object, its conditions, nothing else.

use serde::Serialize;

/// What a demo came to; serialises to the object that `hatchery demo --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Every condition holds.
    pub ok: bool,
    /// The seed.
    pub seed: u64,
    /// Virtual time.
    pub virtual_seconds: u64,
    /// Real time; set by whoever has a clock, 0 until then.
    pub wall_seconds: f64,
    /// Rounds of the engine.
    pub rounds: u64,
    /// Effects in flight when root was upgraded by force; 0 = it was not.
    pub effects_open_at_upgrade: u64,
    /// The warm pool.
    pub pool: PoolSummary,
    /// The workers.
    pub workers: WorkerSummary,
    /// The jobs.
    pub jobs: JobSummary,
    /// The canisters, from outside.
    pub canisters: CanisterSummary,
    /// Things that were not as they must be, seen at any second, each once.
    pub violations: u64,
}

/// The warm pool at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PoolSummary {
    /// Wanted.
    pub minimum: u32,
    /// Ready.
    pub ready: u64,
    /// Failed.
    pub failed: u64,
}

/// The workers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkerSummary {
    /// Bound.
    pub min: u32,
    /// Bound.
    pub max: u32,
    /// Most in service at once.
    pub peak: u64,
    /// In service at the end.
    #[serde(rename = "final")]
    pub last: u64,
}

/// The jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobSummary {
    /// Given to the fleet.
    pub submitted: u64,
    /// Collected with the right result.
    pub done: u64,
    /// Collected with a wrong result.
    pub wrong: u64,
    /// Neither.
    pub lost: u64,
}

/// The canisters that root created, from the engine's table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CanisterSummary {
    /// There are.
    pub created: u64,
    /// Root knows of.
    pub accounted: u64,
    /// Root does not know of.
    pub orphans: u64,
}

/// A wave must reach at least so many workers.
const PEAK_MIN: u64 = 6;
/// At least so many effects must be open at the forced upgrade.
const OPEN_MIN: u64 = 3;

impl Summary {
    /// The conditions that do not hold, in words.
    pub fn what_fails(&self) -> Vec<String> {
        let Summary {
            pool,
            workers,
            jobs,
            canisters,
            ..
        } = self;
        let conditions = [
            (
                workers.peak >= PEAK_MIN,
                format!("peak of {} workers, want {PEAK_MIN}", workers.peak),
            ),
            (
                workers.peak <= u64::from(workers.max),
                format!("peak of {} workers", workers.peak),
            ),
            (
                workers.last == u64::from(workers.min),
                format!("{} workers at the end", workers.last),
            ),
            (
                jobs.submitted > 0 && jobs.done == jobs.submitted,
                format!("{} of {} jobs done", jobs.done, jobs.submitted),
            ),
            (jobs.wrong == 0, format!("{} wrong results", jobs.wrong)),
            (jobs.lost == 0, format!("{} jobs lost", jobs.lost)),
            (
                canisters.orphans == 0,
                format!("{} orphans", canisters.orphans),
            ),
            (
                canisters.accounted == canisters.created,
                "canisters not accounted for".to_owned(),
            ),
            (
                pool.ready >= u64::from(pool.minimum),
                format!("{} ready at the end", pool.ready),
            ),
            (
                self.effects_open_at_upgrade >= OPEN_MIN,
                format!(
                    "{} effects open at the upgrade",
                    self.effects_open_at_upgrade
                ),
            ),
            (
                self.violations == 0,
                format!("{} violations", self.violations),
            ),
        ];
        let broken = conditions.into_iter().filter(|(holds, _)| !holds);
        broken.map(|(_, words)| words).collect()
    }
}
