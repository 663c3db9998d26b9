//! Invariant 5: Ready only after an observation, and the observation was right: the canister is
//! empty, clean, running and rightly controlled, unless somebody changed it after it was observed.

use super::{Checker, Scene};
use hatchery_types::{CanisterId, Cycles, EffectKind, Phase, Step};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Ready {
    /// How far each canister was observed when root last sent what changes it.
    changed: BTreeMap<CanisterId, u64>,
}

impl Checker for Ready {
    fn name(&self) -> &'static str {
        "ready"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        self.note_changes(scene);
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
            let before = self.changed.get(&id).copied().unwrap_or_default();
            if canister.observed <= before {
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

impl Ready {
    fn note_changes(&mut self, scene: &Scene<'_>) {
        let effects = scene.decision.effects.iter();
        for effect in effects.filter(|effect| is_change(&effect.kind)) {
            let known = effect.canister.and_then(|id| {
                let canister = scene.platform.canisters.get(&id)?;
                Some((id, canister.observed))
            });
            self.changed.extend(known);
        }
    }
}

/// A step of it changes what the canister is: settings, code or memory.
fn is_change(kind: &EffectKind) -> bool {
    let changes = |step: &Step| {
        matches!(
            step,
            Step::CleanSettings
                | Step::MemberSettings
                | Step::HandOver
                | Step::Uninstall
                | Step::Install
                | Step::InstallSweeper
                | Step::UpgradeCode
                | Step::LoadSnapshot
        )
    };
    kind.steps().iter().any(changes)
}
