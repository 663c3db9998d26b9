//! What stops resets that keep failing: when most of the last ones failed, the breaker opens, and
//! after a wait one at a time tries again until one succeeds.
//!
//! Owns the shape and its arithmetic; which resets count is said in `decide/conclude.rs`, what an
//! open breaker holds back in `decide/tick.rs`.

use crate::limits;
use hatchery_types::Nanos;
use minicbor::{Decode, Encode};

/// The last attempts of a kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Breaker {
    /// The last 32, the newest in the lowest bit; 1 = failed.
    #[n(0)]
    failed: u32,
    /// Waits since it opened; zero = closed.
    #[n(1)]
    waits: u32,
    /// Nothing is tried before this.
    #[n(2)]
    until: Nanos,
}

impl Breaker {
    /// Until when nothing is tried, if it is open; from then on one at a time.
    pub fn open_until(&self) -> Option<Nanos> {
        (self.waits > 0).then_some(self.until)
    }

    /// An attempt ended.
    #[must_use]
    pub(crate) fn after(self, now: Nanos, failed: bool) -> Breaker {
        let history = self.failed << 1 | u32::from(failed);
        let most = history.count_ones() >= limits::BREAKER_FAILURES;
        match (failed, self.waits) {
            (false, 0) => Breaker {
                failed: history,
                ..self
            },
            // One success closes it, and the past is forgotten.
            (false, _) => Breaker::default(),
            // Sent before it opened, or no reason to open it yet.
            (true, waits) if (waits > 0 && now < self.until) || (waits == 0 && !most) => Breaker {
                failed: history,
                ..self
            },
            (true, waits) => Breaker {
                failed: history,
                waits: waits.saturating_add(1),
                until: now + limits::backoff(waits.saturating_add(1)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(breaker: Breaker, at: u64, outcomes: &[bool]) -> Breaker {
        let now = Nanos::from_secs(at);
        outcomes
            .iter()
            .fold(breaker, |breaker, failed| breaker.after(now, *failed))
    }

    #[test]
    fn most_of_the_last_open_it_and_one_success_closes_it() {
        let few = after(Breaker::default(), 10, &[true; 19]);
        assert_eq!(
            few.open_until(),
            None,
            "ten blocked rows, or nineteen, are rows"
        );
        let open = after(few, 10, &[true]);
        assert_eq!(open.open_until(), Some(Nanos::from_secs(12)));
        let late = after(open, 11, &[true; 5]);
        assert_eq!(
            late.open_until(),
            open.open_until(),
            "sent before it opened"
        );
        let again = after(late, 12, &[true]);
        assert_eq!(
            again.open_until(),
            Some(Nanos::from_secs(16)),
            "ever longer"
        );
        assert_eq!(after(again, 16, &[false]), Breaker::default());
    }

    #[test]
    fn half_of_them_is_not_most() {
        let mut breaker = Breaker::default();
        for _ in 0..100 {
            breaker = after(breaker, 10, &[true, false]);
            assert_eq!(breaker.open_until(), None);
        }
        let none = after(breaker, 10, &[false; 32]);
        assert_eq!(
            none,
            Breaker::default(),
            "and then nothing is left to remember"
        );
    }
}
