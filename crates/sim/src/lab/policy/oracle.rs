//! A policy that knows the load of every second to come: what waiting could be avoided at all.

use super::{Scaler, Sight, seconds};
use crate::lab::trace::Trace;

/// Seconds behind now that still count: jobs of then may still be there.
const BEHIND_S: u64 = 60;

/// What it knows.
#[derive(Debug)]
pub(super) struct Oracle {
    /// Workers needed in each second.
    needed: Vec<u32>,
    /// How long before it must begin.
    ahead_s: u64,
}

impl Oracle {
    /// `future` is the load of each second, in jobs at once.
    pub(super) fn new(trace: &Trace, future: &[f64]) -> Self {
        let slots = f64::from(trace.worker.slots);
        let needed = future.iter().map(|load| (load / slots).ceil() as u32);
        let lanes = u64::from(trace.pool.max.div_ceil(super::super::fleet::LANES));
        Oracle {
            needed: needed.collect(),
            ahead_s: trace.worker.start_up_s + lanes * trace.worker.install_s + 2,
        }
    }
}

impl Scaler for Oracle {
    fn period_s(&self) -> u64 {
        1
    }

    fn desired(&mut self, sight: &Sight) -> u32 {
        let now = seconds(sight.now);
        let from = (now.saturating_sub(BEHIND_S) as usize).min(self.needed.len());
        let until = ((now + self.ahead_s) as usize + 1).min(self.needed.len());
        let needed = self.needed[from..until].iter();
        needed.copied().max().unwrap_or(sight.current)
    }
}
