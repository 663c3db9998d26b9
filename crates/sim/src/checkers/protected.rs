//! Invariant 10: what is leased stays with its holder until the lease ends, and nobody who asked to
//! be spared is a victim.

use super::{Checker, Scene};
use hatchery_core::{Input, Row};
use hatchery_types::{Phase, Reason, RunState};

#[derive(Debug, Default)]
pub(super) struct Protected;

impl Checker for Protected {
    fn name(&self) -> &'static str {
        "protected"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        for (before, row) in scene.moved() {
            let Some(before) = before else { continue };
            let goes_on = row.holder == before.holder;
            if before.holder.is_some() && !goes_on {
                check_end(scene, before, row)?;
            }
            let victim = row.phase == Phase::Draining && row.reason == Reason::ScaledIn;
            if victim && before.protected_until > scene.now {
                return Err(format!("{} was to be spared", row.canister));
            }
        }
        Ok(())
    }
}

/// Given back, out of time, not there any more, or not ours.
fn check_end(scene: &Scene<'_>, before: &Row, after: &Row) -> Result<(), String> {
    let id = before.canister;
    let is_over = before.leased_until <= scene.now;
    let given_back = matches!(scene.input, Input::Lease(input) if Some(input.caller) == before.holder.map(|id| id.0));
    let truth = scene.platform.canisters.get(&id);
    let is_dead = truth.is_none_or(|canister| {
        canister.harmed > canister.installed || canister.run_state != RunState::Running
    });
    let out_of_reach = after.phase == Phase::Lost;
    if is_over || given_back || is_dead || out_of_reach {
        return Ok(());
    }
    let (phase, reason) = (after.phase, &after.reason);
    Err(format!("{id} was taken from its holder: {phase}, {reason}"))
}
