//! The figures of a policy under a trace, summed over seeds, and how two policies compare.

use super::load::SECOND;
use super::policy::Policy;
use super::run::Workload;
use super::tally::Tally;
use super::trace::Trace;
use serde::{Deserialize, Serialize};

/// Figures of one policy under one trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Which trace.
    pub trace: String,
    /// Which policy.
    pub policy: String,
    /// Jobs that waited longer than ten seconds.
    pub late: u64,
    /// Jobs that were never served.
    pub lost: u64,
    /// What workers cost: seconds from claim to end, drains included.
    pub worker_seconds: u64,
    /// Times the pool's size was changed.
    pub actions: u64,
    /// Times the direction of these changes turned.
    pub reversals: u64,
    /// Mean seconds from a need for more workers until they serve.
    pub time_to_need_s: f64,
    /// Most times within 300 s that the pool grew after it had shrunk.
    pub reversals_in_a_window: u64,
    /// Jobs.
    pub jobs: u64,
    /// Seeds summed.
    pub seeds: u64,
    #[serde(skip)]
    spells: (u64, u64),
}

impl Figures {
    fn new(trace: &Trace, policy: Policy, tally: &Tally) -> Figures {
        let mut figures = Figures {
            trace: trace.name.clone(),
            policy: policy.name().to_owned(),
            late: tally.late,
            lost: tally.arrived - tally.served,
            worker_seconds: tally.worker_ns / SECOND,
            actions: tally.actions(),
            reversals: tally.reversals(),
            time_to_need_s: 0.0,
            reversals_in_a_window: tally.reversals_in_a_window(),
            jobs: tally.arrived,
            seeds: 1,
            spells: tally.spells(),
        };
        figures.divide();
        figures
    }

    /// Adds the figures of another seed, or of another trace.
    pub fn add(&mut self, other: &Figures) {
        self.late += other.late;
        self.lost += other.lost;
        self.worker_seconds += other.worker_seconds;
        self.actions += other.actions;
        self.reversals += other.reversals;
        self.reversals_in_a_window = self.reversals_in_a_window.max(other.reversals_in_a_window);
        self.jobs += other.jobs;
        self.seeds += other.seeds;
        self.spells.0 += other.spells.0;
        self.spells.1 += other.spells.1;
        self.divide();
    }

    /// Tenths are enough.
    fn divide(&mut self) {
        let (spells, short_s) = self.spells;
        self.time_to_need_s = (short_s * 10 / spells.max(1)) as f64 / 10.0;
    }
}

/// Runs one trace with one seed under each policy, the same jobs for all.
pub fn measure(trace: &Trace, seed: u64, policies: &[Policy]) -> Vec<Figures> {
    let workload = Workload::new(trace, seed);
    let run = |policy: &Policy| {
        let tally = workload.run(*policy, &mut |_| ());
        Figures::new(trace, *policy, &tally)
    };
    policies.iter().map(run).collect()
}
