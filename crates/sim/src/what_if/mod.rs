//! What a pool would have done under another spec: the signals as they were recorded, the core's
//! own plan, and the difference in work that waited, workers and cycles.
//!
//! The recorded totals are taken as the demand, whoever serves it: that jobs would have ended
//! sooner or clients asked less often is not modelled. The laboratory ([`crate::lab`]) does that
//! for loads of its own.

mod recording;
mod replay;

pub use recording::{Point, Recording, RecordingError};

use hatchery_types::{PoolSpec, Scope};
use serde::Serialize;

/// An install of a module that the subnet knows: 35 M cycles compiled from its cache, 5 M for the
/// message (measured, 13 nodes).
const INSTALL_CYCLES: u64 = 40_000_000;
/// A worker of 100 MiB that does nothing: 127,000 cycles per GiB and second (interface
/// specification, cycle costs, 13 nodes).
const IDLE_CYCLES_PER_HOUR: u64 = 44_648_438;

/// The pool as it was and as it would have been.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WhatIf {
    /// Which pool.
    pub pool: String,
    /// Recorded time.
    pub seconds: u64,
    /// As recorded; none if the recording does not say how many workers there were.
    pub recorded: Option<Side>,
    /// Under the spec.
    pub replayed: Side,
}

/// One of the two.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Side {
    /// Worker-hours that were missing: load beyond what the workers in service carry.
    pub late_worker_hours: f64,
    /// Worker-hours that were paid.
    pub worker_hours: f64,
    /// What they cost: time and installs.
    pub cycles: u64,
    /// Most workers at once.
    pub workers_max: u32,
    /// Times the number of workers changed.
    pub changes: u64,
    #[serde(skip)]
    installs: u64,
    #[serde(skip)]
    late_ns: f64,
    #[serde(skip)]
    worker_ns: u64,
}

/// Replays a recording through a spec.
///
/// # Errors
/// The recording has none of the spec's signals, or no two points.
pub fn what_if(recording: &Recording, spec: &PoolSpec) -> Result<WhatIf, RecordingError> {
    let known = |name: &str| {
        recording
            .points
            .iter()
            .any(|it| it.signals.contains_key(name))
    };
    if !spec.signals.iter().any(|signal| known(&signal.name)) {
        let wanted: Vec<&str> = spec.signals.iter().map(|it| it.name.as_str()).collect();
        return Err(RecordingError::NoSignal {
            wanted: wanted.join(", "),
        });
    }
    let (Some(first), Some(last)) = (recording.points.first(), recording.points.last()) else {
        return Err(RecordingError::TooShort);
    };
    if first.at_s == last.at_s {
        return Err(RecordingError::TooShort);
    }
    let price = Price::new(recording, spec);
    Ok(WhatIf {
        pool: spec.name.clone(),
        seconds: last.at_s - first.at_s,
        recorded: price.as_recorded(recording),
        replayed: replay::replay(recording, spec, &price),
    })
}

/// What a second of a load costs, the same for both sides.
struct Price {
    /// What one worker carries, by signal.
    carries: Vec<(String, u64)>,
    cycles_per_hour: u64,
}

impl Price {
    fn new(recording: &Recording, spec: &PoolSpec) -> Price {
        let carried = |name: &str, target: u64| {
            let told = recording.carries.get(name);
            (name.to_owned(), told.copied().unwrap_or(target).max(1))
        };
        Price {
            carries: spec
                .signals
                .iter()
                .map(|signal| carried(&signal.name, signal.target))
                .collect(),
            cycles_per_hour: recording
                .worker_cycles_per_hour
                .unwrap_or(IDLE_CYCLES_PER_HOUR),
        }
    }

    /// Workers that the load of a point needs, in parts.
    fn needed(&self, point: &Point) -> f64 {
        let loads = self.carries.iter().filter_map(|(name, carries)| {
            let load = point.signals.get(name)?;
            Some(*load as f64 / *carries as f64)
        });
        loads.fold(0.0, f64::max)
    }

    /// Adds a stretch of time in which so many served and so many were paid.
    fn pass(&self, side: &mut Side, ns: u64, point: &Point, serving: u32, paid: u32) {
        let missing = (self.needed(point) - f64::from(serving)).max(0.0);
        side.late_ns += missing * ns as f64;
        side.worker_ns += u64::from(paid) * ns;
        side.workers_max = side.workers_max.max(paid);
    }

    /// Figures for people; thousandths of an hour are enough.
    fn sum_up(&self, side: &mut Side) {
        let hours = |ns: f64| (ns / 3.6e9).round() / 1_000.0;
        side.late_worker_hours = hours(side.late_ns);
        side.worker_hours = hours(side.worker_ns as f64);
        let time = u128::from(side.worker_ns) * u128::from(self.cycles_per_hour);
        let time = u64::try_from(time / 3_600_000_000_000).unwrap_or(u64::MAX);
        side.cycles = time.saturating_add(side.installs * INSTALL_CYCLES);
    }

    fn as_recorded(&self, recording: &Recording) -> Option<Side> {
        let mut side = Side::default();
        for two in recording.points.windows(2) {
            let (workers, next) = (two[0].workers?, two[1].workers?);
            let ns = (two[1].at_s - two[0].at_s) * 1_000_000_000;
            self.pass(&mut side, ns, &two[0], workers, workers);
            side.changes += u64::from(workers != next);
            side.installs += u64::from(next.saturating_sub(workers));
        }
        self.sum_up(&mut side);
        Some(side)
    }
}

/// Whether a signal's value is a total.
fn is_total(scope: Scope) -> bool {
    scope == Scope::Pool
}
