//! Invariant 12, for waits: what failed waits before it is tried again, longer each time.

use super::{Checker, Scene};
use hatchery_core::limits;
use hatchery_types::Phase;

#[derive(Debug)]
pub(super) struct Paced;

impl Checker for Paced {
    fn name(&self) -> &'static str {
        "paced"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        for change in scene.changes {
            let (Some(before), Some(row)) = (&change.before, &change.after) else {
                continue;
            };
            // An install with an unknown end is looked at at once.
            let may_hurry = row.phase == Phase::Installing;
            if row.attempts <= before.attempts || may_hurry {
                continue;
            }
            let waits = row.next_attempt.since(scene.now);
            let least = limits::backoff(row.attempts);
            if waits < least {
                return Err(format!(
                    "{} failed {} times and waits {waits:?}, not {least:?}",
                    row.canister, row.attempts
                ));
            }
        }
        Ok(())
    }
}
