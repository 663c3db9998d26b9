//! Kubernetes' horizontal pod autoscaler, version 2, with a per-pod metric and the default
//! behaviour, after its documentation ("Algorithm details", "Configurable scaling behavior").

use super::{Scaler, Sight};
use crate::lab::load::SECOND;

/// Default of `--horizontal-pod-autoscaler-sync-period`.
const PERIOD_S: u64 = 15;
/// Default of `--horizontal-pod-autoscaler-tolerance`.
const TOLERANCE: f64 = 0.1;
/// Default of `scaleDown.stabilizationWindowSeconds`; up has none.
const DOWN_WINDOW: u64 = 300 * SECOND;
/// Default of `periodSeconds` of all its policies.
const RATE_PERIOD: u64 = 15 * SECOND;

/// What it remembers.
#[derive(Debug, Default)]
pub(super) struct Hpa {
    /// What the metric recommended, before any limit, and when.
    recommended: Vec<(u64, u32)>,
    /// Pods added, and when.
    added: Vec<(u64, u32)>,
}

impl Scaler for Hpa {
    fn period_s(&self) -> u64 {
        PERIOD_S
    }

    fn desired(&mut self, sight: &Sight) -> u32 {
        let now = sight.now;
        self.recommended.retain(|(at, _)| now - at < DOWN_WINDOW);
        let recommended = recommend(sight);
        self.recommended.push((now, recommended));
        let highest = self.recommended.iter().map(|(_, count)| *count).max();
        // Up at once; down only to the highest recommendation of the window.
        let stable = if recommended >= sight.current {
            recommended
        } else {
            highest.unwrap_or(recommended).min(sight.current)
        };
        self.limit(now, sight.current, stable)
    }
}

impl Hpa {
    /// Up: the larger of 100 % and four pods per period. Down: 100 % per period, so no limit.
    fn limit(&mut self, now: u64, current: u32, wanted: u32) -> u32 {
        self.added.retain(|(at, _)| now - at < RATE_PERIOD);
        if wanted <= current {
            return wanted;
        }
        let added: u32 = self.added.iter().map(|(_, count)| *count).sum();
        let at_start = current.saturating_sub(added);
        let most = (at_start * 2).max(at_start + 4);
        let limited = wanted.min(most).max(current);
        if limited > current {
            self.added.push((now, limited - current));
        }
        limited
    }
}

/// The metric's recommendation: skipped within the tolerance. On the way up pods that start or have
/// not told count as idle; on the way down those that have not told count as at their target. They
/// may not turn the direction.
fn recommend(sight: &Sight) -> u32 {
    let Some(average) = sight.average() else {
        return sight.current;
    };
    let target = sight.target as f64;
    let told = sight.samples.iter().flatten().count() as f64;
    let silent = f64::from(sight.ready()) - told;
    let starting = f64::from(sight.current.saturating_sub(sight.ready()));
    let ratio = average / target;
    let (assumed, pods) = if ratio > 1.0 {
        (0.0, told + silent + starting)
    } else {
        (target * silent, told + silent)
    };
    let filled = (average * told + assumed) / pods / target;
    let turned = (ratio < 1.0 && filled > 1.0) || (ratio > 1.0 && filled < 1.0);
    // A share that is the tolerance but for rounding is within it.
    if (filled - 1.0).abs() <= TOLERANCE + 1e-9 || turned {
        return sight.current;
    }
    let wanted = ceil(filled * pods);
    let against =
        (filled < 1.0 && wanted > sight.current) || (filled > 1.0 && wanted < sight.current);
    if against { sight.current } else { wanted }
}

/// Rounded up, but for what only the arithmetic added.
fn ceil(count: f64) -> u32 {
    (count - 1e-9).ceil() as u32
}

#[cfg(test)]
mod tests {
    use super::{Hpa, SECOND, recommend};
    use crate::lab::policy::{Scaler, Sight};

    fn sight(second: u64, current: u32, samples: &[Option<u64>]) -> Sight {
        Sight {
            now: second * SECOND,
            current,
            samples: samples.to_vec(),
            target: 10,
            slots: 16,
        }
    }

    #[test]
    fn the_documented_formula() {
        let rows: [(u32, &[Option<u64>], u32); 9] = [
            (2, &[Some(20), Some(20)], 4),
            (2, &[Some(5), Some(5)], 1),
            (2, &[Some(11), Some(11)], 2),
            (2, &[Some(9), Some(9)], 2),
            // One has not told: idle on the way up, at its target on the way down.
            (3, &[Some(20), Some(20), None], 4),
            (3, &[Some(4), Some(4), None], 2),
            (3, &[None, None, None], 3),
            // Two start: idle on the way up, not there on the way down.
            (4, &[Some(30), Some(30)], 6),
            (4, &[Some(5), Some(5)], 1),
        ];
        for (current, samples, wanted) in rows {
            assert_eq!(
                recommend(&sight(0, current, samples)),
                wanted,
                "{samples:?}"
            );
        }
    }

    #[test]
    fn down_waits_for_the_window_and_up_for_the_rate() {
        let mut hpa = Hpa::default();
        assert_eq!(hpa.desired(&sight(0, 10, &[Some(100); 10])), 20);
        assert_eq!(hpa.desired(&sight(15, 20, &[Some(10); 20])), 20);
        for tick in 2..20 {
            assert_eq!(hpa.desired(&sight(15 * tick, 20, &[Some(1); 20])), 20);
        }
        // The first recommendation has left; the second, 20, leaves one tick later.
        assert_eq!(hpa.desired(&sight(300, 20, &[Some(1); 20])), 20);
        assert_eq!(hpa.desired(&sight(315, 20, &[Some(1); 20])), 2);
    }
}
