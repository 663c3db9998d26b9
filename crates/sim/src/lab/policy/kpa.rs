//! Knative's pod autoscaler with its default settings (`config-autoscaler`): a stable window of
//! 60 s, a panic window of a tenth of it, panic at twice the capacity.

use super::{Scaler, Sight};
use crate::lab::load::SECOND;
use std::collections::VecDeque;

const PERIOD_S: u64 = 2;
const STABLE: u64 = 60 * SECOND;
const PANIC: u64 = 6 * SECOND;
const PANIC_THRESHOLD: f64 = 2.0;
const UP_RATE: f64 = 1_000.0;
const DOWN_RATE: f64 = 2.0;

/// What it remembers.
#[derive(Debug, Default)]
pub(super) struct Kpa {
    /// Load of all pods, and when.
    seen: VecDeque<(u64, f64)>,
    /// When capacity was last too small by far; and the most wanted since it first was.
    panic: Option<(u64, u32)>,
}

impl Scaler for Kpa {
    fn period_s(&self) -> u64 {
        PERIOD_S
    }

    fn desired(&mut self, sight: &Sight) -> u32 {
        let now = sight.now;
        self.seen.push_back((now, sight.total()));
        while self.seen.front().is_some_and(|(at, _)| now - at >= STABLE) {
            self.seen.pop_front();
        }
        let ready = f64::from(sight.ready().max(1));
        let wanted = |window: u64| {
            let load = self.mean(now, window);
            (load / sight.target as f64)
                .ceil()
                .clamp((ready / DOWN_RATE).floor(), (ready * UP_RATE).ceil()) as u32
        };
        let (stable, panic) = (wanted(STABLE), wanted(PANIC));
        let too_small = f64::from(panic) / ready >= PANIC_THRESHOLD;
        self.panic = match self.panic {
            None if too_small => Some((now, stable.max(panic))),
            Some((_, most)) if too_small => Some((now, most.max(panic))),
            Some((at, _)) if now - at >= STABLE => None,
            other => other,
        };
        match &mut self.panic {
            None => stable,
            // In panic it never goes down.
            Some((_, most)) => {
                *most = (*most).max(panic).max(stable);
                *most
            }
        }
    }
}

impl Kpa {
    fn mean(&self, now: u64, window: u64) -> f64 {
        let loads = self.seen.iter().rev();
        let loads: Vec<f64> = loads
            .take_while(|(at, _)| now - at < window)
            .map(|(_, load)| *load)
            .collect();
        loads.iter().sum::<f64>() / loads.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::{Kpa, SECOND};
    use crate::lab::policy::{Scaler, Sight};

    #[test]
    fn it_panics_and_calms_down() {
        let mut kpa = Kpa::default();
        let mut at = |second: u64, load: u64| {
            kpa.desired(&Sight {
                now: second * SECOND,
                current: 4,
                samples: vec![Some(load); 4],
                target: 10,
                slots: 16,
            })
        };
        for tick in 0..30 {
            assert_eq!(at(tick * 2, 10), 4);
        }
        // Three ticks of five times the load fill the panic window; the stable one lags behind.
        assert_eq!([60, 62, 64].map(|second| at(second, 50)), [10, 15, 20]);
        assert_eq!(at(66, 10), 20);
        assert_eq!(at(70, 10), 20);
        assert_eq!(at(200, 10), 4);
    }
}
