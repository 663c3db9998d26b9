//! Invariant 1: every canister that root bought or took in and still has is one row, or the yet
//! unnamed result of one creation in flight or lost. What somebody else controls was given away.

use super::{Checker, Scene};
use std::collections::BTreeSet;

#[derive(Debug)]
pub(super) struct Accounted;

impl Checker for Accounted {
    fn name(&self) -> &'static str {
        "accounted"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        let open: BTreeSet<_> = scene.effects.iter().map(|effect| effect.id).collect();
        let unnamed = scene.platform.bought.iter().filter(|(id, _)| {
            let is_ours = scene.platform.is_ours(**id);
            is_ours && !scene.after.contains_key(*id)
        });
        let closed: Vec<_> = unnamed
            .filter(|(_, effect)| !open.contains(*effect))
            .collect();
        let lost = scene.state.lost_creations();
        if closed.len() as u64 > lost {
            return Err(format!(
                "{closed:?} have no row, and only {lost} creations count as lost"
            ));
        }
        for (id, row) in scene.before {
            if scene.platform.is_ours(*id) && !scene.after.contains_key(id) {
                return Err(format!(
                    "the row of {id} is gone from {}, the canister is not",
                    row.phase
                ));
            }
        }
        Ok(())
    }
}
