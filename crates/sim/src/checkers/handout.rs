//! Invariant 3: a canister has one pool and one role at a time, and every tenancy its own
//! generation.

use super::{Checker, Scene};
use hatchery_core::Row;
use hatchery_types::{CanisterId, Generation, Phase};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct HandOut {
    last: BTreeMap<CanisterId, Generation>,
}

impl Checker for HandOut {
    fn name(&self) -> &'static str {
        "hand-out"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        for (before, row) in scene.moved() {
            if row.phase != Phase::Installing {
                continue;
            }
            let from = before.map(|row| row.phase);
            if !matches!(from, Some(Phase::Ready | Phase::Exporting)) {
                return Err(format!("{} handed out from {from:?}", row.canister));
            }
            let last = self.last.insert(row.canister, row.generation);
            if last.is_some_and(|last| last >= row.generation) {
                return Err(format!(
                    "{} handed out again as {:?}",
                    row.canister, row.generation
                ));
            }
        }
        for change in scene.changes {
            let members = |row: &&Row| row.phase.is_member();
            let Some(row) = change.after.as_ref().filter(members) else {
                continue;
            };
            if row.pool.is_none() || row.role.is_none() {
                return Err(format!("member {} without pool or role", row.canister));
            }
            let kept = change.before.as_ref().filter(members).is_none_or(|before| {
                (&before.pool, &before.role, before.generation)
                    == (&row.pool, &row.role, row.generation)
            });
            if !kept {
                return Err(format!("{} changed hands while a member", row.canister));
            }
        }
        Ok(())
    }
}
