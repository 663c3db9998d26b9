//! The policies that the laboratory compares, each told the same and able to do the same.
//!
//! Ours is the real plan of the core; the others are our own implementations of published
//! formulas with their published defaults, and three yardsticks.

mod agones;
mod fixed;
mod hpa;
mod kpa;
mod nomad;
mod oracle;
pub(super) mod ours;

use super::load::SECOND;
use super::trace::Trace;

/// Which policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// Hatchery with the defaults of `fleet.toml`.
    Ours,
    /// Kubernetes' horizontal pod autoscaler, version 2.
    Hpa,
    /// Knative's pod autoscaler.
    Kpa,
    /// Agones' buffer policy.
    Agones,
    /// Nomad's target-value strategy.
    Nomad,
    /// As many as allowed, always.
    AlwaysMax,
    /// As few as allowed, always.
    AlwaysMin,
    /// Knows the future.
    Oracle,
}

impl Policy {
    /// All of them, ours first.
    pub const ALL: [Policy; 8] = [
        Policy::Ours,
        Policy::Hpa,
        Policy::Kpa,
        Policy::Agones,
        Policy::Nomad,
        Policy::AlwaysMax,
        Policy::AlwaysMin,
        Policy::Oracle,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Policy::Ours => "hatchery",
            Policy::Hpa => "hpa",
            Policy::Kpa => "kpa",
            Policy::Agones => "agones",
            Policy::Nomad => "nomad",
            Policy::AlwaysMax => "always-max",
            Policy::AlwaysMin => "always-min",
            Policy::Oracle => "oracle",
        }
    }
}

/// A control loop with a fixed period that says how many workers it wants.
pub(super) trait Scaler {
    /// Seconds between two looks.
    fn period_s(&self) -> u64;
    /// How many workers it wants now; the caller keeps it within `min` and `max`.
    fn desired(&mut self, sight: &Sight) -> u32;
}

/// What a loop sees: the same samples, as late as ours.
#[derive(Debug, Clone)]
pub(super) struct Sight {
    pub(super) now: u64,
    /// Workers wanted so far, those still starting included.
    pub(super) current: u32,
    /// The fresh sample of each worker in service; none = it has not told.
    pub(super) samples: Vec<Option<u64>>,
    /// Wanted load per worker.
    pub(super) target: u64,
    /// Jobs a worker serves at once.
    pub(super) slots: u32,
}

impl Sight {
    /// Workers in service.
    fn ready(&self) -> u32 {
        self.samples.len() as u32
    }

    /// Mean of the samples there are.
    fn average(&self) -> Option<f64> {
        let known: Vec<u64> = self.samples.iter().flatten().copied().collect();
        let sum: u64 = known.iter().sum();
        (!known.is_empty()).then(|| sum as f64 / known.len() as f64)
    }

    /// Load of all, those that have not told taken as the others.
    fn total(&self) -> f64 {
        self.average().unwrap_or(0.0) * f64::from(self.ready())
    }
}

/// The loop of a policy; none for ours, which is no loop.
pub(super) fn scaler(policy: Policy, trace: &Trace, future: &[f64]) -> Option<Box<dyn Scaler>> {
    let scaler: Box<dyn Scaler> = match policy {
        Policy::Ours => return None,
        Policy::Hpa => Box::new(hpa::Hpa::default()),
        Policy::Kpa => Box::new(kpa::Kpa::default()),
        Policy::Agones => Box::new(agones::Buffer),
        Policy::Nomad => Box::new(nomad::TargetValue::default()),
        Policy::AlwaysMax => Box::new(fixed::Always(trace.pool.max)),
        Policy::AlwaysMin => Box::new(fixed::Always(trace.pool.min)),
        Policy::Oracle => Box::new(oracle::Oracle::new(trace, future)),
    };
    Some(scaler)
}

/// Whole seconds of an instant.
fn seconds(now: u64) -> u64 {
    now / SECOND
}
