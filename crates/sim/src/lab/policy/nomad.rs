//! Nomad's target-value strategy with the autoscaler's defaults: every 10 s, nothing within a
//! hundredth of the target, five minutes' cooldown after every action.

use super::{Scaler, Sight};
use crate::lab::load::SECOND;

const PERIOD_S: u64 = 10;
const THRESHOLD: f64 = 0.01;
const COOLDOWN: u64 = 300 * SECOND;

/// What it remembers.
#[derive(Debug, Default)]
pub(super) struct TargetValue {
    acted_at: Option<u64>,
}

impl Scaler for TargetValue {
    fn period_s(&self) -> u64 {
        PERIOD_S
    }

    fn desired(&mut self, sight: &Sight) -> u32 {
        let cooling = self.acted_at.is_some_and(|at| sight.now - at < COOLDOWN);
        let Some(average) = sight.average().filter(|_| !cooling) else {
            return sight.current;
        };
        let factor = average / sight.target as f64;
        if (factor - 1.0).abs() <= THRESHOLD {
            return sight.current;
        }
        let wanted = (factor * f64::from(sight.current)).ceil() as u32;
        if wanted != sight.current {
            self.acted_at = Some(sight.now);
        }
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::{SECOND, TargetValue};
    use crate::lab::policy::{Scaler, Sight};

    #[test]
    fn it_acts_and_rests() {
        let mut nomad = TargetValue::default();
        let mut at = |second: u64, current: u32, load: u64| {
            nomad.desired(&Sight {
                now: second * SECOND,
                current,
                samples: vec![Some(load); current as usize],
                target: 70,
                slots: 100,
            })
        };
        assert_eq!(at(0, 10, 80), 12);
        assert_eq!(at(290, 12, 140), 12);
        assert_eq!(at(300, 12, 140), 24);
    }
}
