//! Invariant 5: Ready only after an observation, and the observation was right: the canister is
//! empty, clean, running and rightly controlled, unless somebody changed it after it was observed.

use super::{Checker, Scene};
use hatchery_types::{Cycles, Phase};

#[derive(Debug)]
pub(super) struct Ready;

impl Checker for Ready {
    fn name(&self) -> &'static str {
        "ready"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        for (before, row) in scene.moved() {
            if row.phase != Phase::Ready {
                continue;
            }
            let id = row.canister;
            let from = before.map(|row| row.phase);
            let Some(canister) = scene.platform.canisters.get(&id) else {
                if scene.platform.deleted.contains(&id) {
                    return Err(format!("{id} is Ready, and root has deleted it"));
                }
                continue;
            };
            if canister.observed == 0 {
                return Err(format!("{id} went from {from:?} to Ready unobserved"));
            }
            let warm = scene.state.spec().map(|spec| &spec.warm_pool);
            let ceiling = warm.and_then(|warm| warm.sweep_above);
            if from == Some(Phase::Resetting) && ceiling.is_some() && row.cycles > ceiling {
                return Err(format!(
                    "{id} is Ready with {:?}, above {ceiling:?}",
                    row.cycles
                ));
            }
            if canister.meddled > canister.observed {
                continue;
            }
            let floor = warm.map_or(Cycles::default(), |warm| warm.floor);
            if let Some(wrong) = canister.why_not_empty(&scene.platform.controllers, floor) {
                return Err(format!(
                    "{id} went from {from:?} to Ready, and is not: {wrong}"
                ));
            }
        }
        Ok(())
    }
}
