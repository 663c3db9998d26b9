//! DESIGN, section 4: the past of a recycled canister goes only where its last role lets it.

use super::{Checker, Scene};
use hatchery_core::Row;
use hatchery_types::{FleetSpec, Phase, Reuse};

#[derive(Debug)]
pub(super) struct Past;

impl Checker for Past {
    fn name(&self) -> &'static str {
        "past"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        let Some(spec) = scene.state.spec() else {
            return Ok(());
        };
        for (before, row) in scene.moved() {
            let Some(before) = before.filter(|row| row.phase == Phase::Ready) else {
                continue;
            };
            if row.phase == Phase::Installing && !may_follow(spec, before, row) {
                return Err(format!(
                    "{} was a {:?} of {:?} and is now a {:?} of {:?}",
                    row.canister, before.role, before.parent, row.role, row.parent
                ));
            }
        }
        Ok(())
    }
}

/// The new tenancy may have what the last one left.
pub(super) fn may_follow(spec: &FleetSpec, before: &Row, row: &Row) -> bool {
    let Some(role) = &before.role else {
        return true;
    };
    let known = spec.roles.iter().find(|it| it.name == *role);
    match known.map_or(Reuse::SameRole, |role| role.reuse) {
        Reuse::SameRole => before.role == row.role,
        Reuse::SameParent => before.parent == row.parent,
        Reuse::Any => true,
        Reuse::Never => false,
    }
}
