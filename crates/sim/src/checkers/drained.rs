//! Invariant 10: a busy member is stopped only after its drain deadline, and scale-in takes the
//! least loaded.

use super::{Checker, Scene};
use hatchery_core::{Input, Row};
use hatchery_types::{CanisterId, Nanos, Outcome, Phase, PoolSpec, Reason, Value};
use std::collections::BTreeSet;

#[derive(Debug, Default)]
pub(super) struct Drained {
    /// Draining members that have said they are idle.
    idle: BTreeSet<CanisterId>,
}

impl Checker for Drained {
    fn name(&self) -> &'static str {
        "drained"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        self.hear(scene);
        for (before, row) in scene.moved() {
            let Some(before) = before else { continue };
            match (before.phase, row.phase) {
                (Phase::Draining, Phase::Stopping | Phase::PendingReset | Phase::Resetting) => {
                    self.check_stop(scene, before)?;
                }
                (Phase::InService, Phase::Draining) if row.reason == Reason::ScaledIn => {
                    check_victim(scene, before)?;
                }
                (Phase::InService, Phase::Stopping | Phase::Resetting | Phase::Deleting) => {
                    return Err(format!("{} left service undrained", row.canister));
                }
                _ => {}
            }
            if row.phase != Phase::Draining {
                self.idle.remove(&row.canister);
            }
        }
        Ok(())
    }
}

impl Drained {
    fn hear(&mut self, scene: &Scene<'_>) {
        let Input::Outcome {
            effect, outcome, ..
        } = scene.input
        else {
            return;
        };
        if *outcome != Outcome::Done(Value::Drained(true)) {
            return;
        }
        let asked = scene.journal.get(effect);
        self.idle.extend(asked.and_then(|effect| effect.canister));
    }

    fn check_stop(&self, scene: &Scene<'_>, before: &Row) -> Result<(), String> {
        let id = before.canister;
        let spec = scene.state.spec();
        let role = before
            .role
            .as_deref()
            .and_then(|role| spec.and_then(|spec| spec.role(role)));
        let pool = before
            .pool
            .as_deref()
            .and_then(|pool| spec.and_then(|spec| spec.pool(pool)));
        // Discovery answers run out first, then the time for finishing begins.
        let told = pool.map_or(Nanos::default(), |pool| pool.valid_for);
        let deadline = role.map_or(Nanos::default(), |role| role.drain.deadline);
        let is_over = scene.now.since(before.since) >= told + deadline;
        let truth = scene.platform.canisters.get(&id);
        let is_dead = truth.is_none_or(|canister| canister.harmed > canister.installed);
        if is_over || is_dead || self.idle.contains(&id) {
            return Ok(());
        }
        Err(format!(
            "{id} stopped after {:?} of draining, not idle",
            scene.now.since(before.since)
        ))
    }
}

/// It was asked for, or has children that were.
fn is_bound(scene: &Scene<'_>, row: &Row) -> bool {
    let is_kept = |it: &Row| it.kept && it.phase.is_living();
    let mut rows = scene.rows.values();
    row.kept || rows.any(|it| is_kept(it) && it.parent == Some(row.canister))
}

/// No member that stays has a smaller fresh load than the victim; members that went silent go first.
fn check_victim(scene: &Scene<'_>, victim: &Row) -> Result<(), String> {
    let pool = victim.pool.as_deref().unwrap_or_default();
    let spec = scene.state.spec().and_then(|spec| spec.pool(pool));
    let stale_after = spec
        .and_then(PoolSpec::load)
        .map(|(_, signal)| signal.stale_after);
    let is_fresh =
        |row: &Row| stale_after.is_none_or(|after| scene.now.since(row.sample_at) <= after);
    let fresh_load = |row: &Row| row.sample.filter(|_| is_fresh(row));
    let (false, Some(load)) = (victim.reason == Reason::Silent, fresh_load(victim)) else {
        return Ok(());
    };
    let stays = scene.rows.values().filter(|row| {
        row.phase == Phase::InService
            && row.pool == victim.pool
            && row.module == victim.module
            && row.protected_until <= scene.now
            && !is_bound(scene, row)
    });
    for row in stays {
        if fresh_load(row).is_some_and(|sample| sample < load) {
            return Err(format!(
                "{} (load {load}) taken, {} stays with {:?}",
                victim.canister, row.canister, row.sample
            ));
        }
    }
    Ok(())
}
