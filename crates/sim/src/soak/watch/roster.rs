//! Pools as the log tells of them: never more than they may have, never more away for an upgrade
//! than their budget, never more children than granted.

use crate::checkers::is_move_listed;
use hatchery_api::{EventView, RowView};
use hatchery_types::{CanisterId, FleetSpec, Phase};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Roster {
    /// Where each canister went last, and in which pool.
    places: BTreeMap<CanisterId, (Phase, Option<String>)>,
    /// The most that each pool may have had since the last look.
    ceilings: BTreeMap<String, u32>,
}

impl Roster {
    /// Those bounds are in force, or may be.
    pub(super) fn bound(&mut self, spec: &FleetSpec) {
        for pool in &spec.pools {
            let ceiling = self.ceilings.entry(pool.name.clone()).or_default();
            *ceiling = pool.max.max(*ceiling);
        }
    }

    /// One move of the log; the phase before it.
    pub(super) fn moved(
        &mut self,
        spec: &FleetSpec,
        event: &EventView,
    ) -> Result<Option<Phase>, String> {
        let Some(canister) = event.canister else {
            return Ok(None);
        };
        let before = match event.phase {
            Some(phase) => self.places.insert(canister, (phase, event.pool.clone())),
            None => self.places.remove(&canister),
        };
        let before = before.map(|(phase, _)| phase);
        if before != event.phase && !is_move_listed(before, event.phase) {
            let (to, why) = (event.phase, &event.reason.text);
            return Err(format!("{canister} went from {before:?} to {to:?}: {why}"));
        }
        // What goes wrong on the way has an entry too.
        if event.phase == Some(Phase::Upgrading) && before != event.phase {
            self.check_budget(spec, event)?;
        }
        Ok(before)
    }

    fn check_budget(&self, spec: &FleetSpec, event: &EventView) -> Result<(), String> {
        let name = event.pool.as_deref().unwrap_or_default();
        let percent = spec.pool(name).map_or(0, |pool| pool.disruption_percent);
        let ours = self.places.values();
        let ours = ours.filter(|(_, pool)| pool.as_deref() == Some(name));
        let phases: Vec<Phase> = ours.map(|(phase, _)| *phase).collect();
        let away = phases.iter().filter(|phase| **phase == Phase::Upgrading);
        let all = phases.iter().filter(|phase| phase.is_member()).count() as u32;
        let (away, most) = (away.count() as u32, (all * percent / 100).max(1));
        if away <= most {
            return Ok(());
        }
        Err(format!(
            "{away} of {all} members of {name} are away, {most} may be"
        ))
    }

    /// What is there at a look.
    pub(super) fn look(&mut self, spec: &FleetSpec, rows: &[RowView]) -> Result<(), String> {
        for pool in &spec.pools {
            let ours = rows
                .iter()
                .filter(|row| row.pool.as_ref() == Some(&pool.name));
            let living = ours.filter(|row| row.phase.is_living()).count() as u32;
            // What is above a maximum that was lowered only falls.
            let ceiling = self
                .ceilings
                .insert(pool.name.clone(), living.max(pool.max));
            if ceiling.is_some_and(|ceiling| living > ceiling) {
                let (name, most) = (&pool.name, ceiling.unwrap_or_default());
                return Err(format!("{living} living in {name}, at most {most} may be"));
            }
        }
        Ok(())
    }
}

/// Children of members are no more than was granted.
pub(super) fn check_grants(
    spec: &FleetSpec,
    root: CanisterId,
    rows: &[RowView],
) -> Result<(), String> {
    for grant in &spec.grants {
        let children = rows.iter().filter(|row| {
            let of_member = row.parent.is_some_and(|parent| parent != root);
            of_member && row.pool.as_ref() == Some(&grant.pool) && row.phase.is_living()
        });
        let count = children.count();
        if count > grant.all as usize {
            return Err(format!("{count} children: {grant:?}"));
        }
    }
    Ok(())
}
