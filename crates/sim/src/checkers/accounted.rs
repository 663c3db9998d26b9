//! Invariant 1: every canister that root bought or took in and still has is one row, or the yet
//! unnamed result of one creation in flight or lost. What somebody else controls was given away.

use super::{Checker, Scene};
use hatchery_types::{CanisterId, Phase};

#[derive(Debug)]
pub(super) struct Accounted;

impl Checker for Accounted {
    fn name(&self) -> &'static str {
        "accounted"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        for change in scene.changes {
            let (Some(row), None) = (&change.before, &change.after) else {
                continue;
            };
            // Only named, never root's: an operator who still has it names it again.
            if row.phase == Phase::Recovering {
                continue;
            }
            // Named before it was created: then it is again what a creation is to bring.
            if scene.platform.bought.contains_key(&row.canister) {
                check_unnamed(scene)?;
            } else if scene.platform.is_ours(row.canister) {
                return Err(format!(
                    "the row of {} is gone from {}, the canister is not",
                    row.canister, row.phase
                ));
            }
        }
        let named = scene.closed.iter().any(|effect| effect.canister.is_none());
        if named || scene.is_whole {
            check_unnamed(scene)?;
        }
        Ok(())
    }
}

/// What was bought and has no row is the result of a creation in the journal. Of two that were lost
/// the search cannot know which of them brought what it finds: the journal then still has the other.
fn check_unnamed(scene: &Scene<'_>) -> Result<(), String> {
    let bought = &scene.platform.bought;
    let has_row = |id: &CanisterId| scene.rows.contains_key(id);
    let unnamed: Vec<_> = bought
        .iter()
        .filter(|(id, effect)| {
            scene.platform.is_ours(**id) && !has_row(id) && !scene.journal.contains_key(effect)
        })
        .collect();
    let swapped = bought.iter().filter(|(id, effect)| {
        scene.journal.contains_key(effect) && (has_row(id) || !scene.platform.is_ours(**id))
    });
    let swapped = swapped.count();
    if unnamed.len() > swapped {
        return Err(format!(
            "{unnamed:?} have no row, and only {swapped} creations are open for them"
        ));
    }
    Ok(())
}
