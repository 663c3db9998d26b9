//! Invariant 6, in canisters: nothing is bought for what is on its way already.

use super::past::may_follow;
use super::{Checker, Scene};
use hatchery_core::{Event, On, Row};
use hatchery_types::{EffectKind, FleetSpec, Phase, PoolSpec};

#[derive(Debug)]
pub(super) struct Thrifty;

impl Checker for Thrifty {
    fn name(&self) -> &'static str {
        "thrifty"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        check_plans(scene)?;
        let is_creation = |kind: &EffectKind| matches!(kind, EffectKind::Create { .. });
        let effects = scene.decision.effects.iter();
        let bought = effects.filter(|effect| is_creation(&effect.kind)).count();
        // What operators asked for by name comes on top.
        let events = scene.decision.events.iter();
        let asked = events.filter(|event| is_asked(event)).count();
        if bought <= asked {
            return Ok(());
        }
        let creations = scene.journal.values().filter(|effect| {
            // One that is over with an unknown end is lost, and comes no more.
            is_creation(&effect.kind) && effect.outcomes[0].is_none()
        });
        let coming = scene.rows.values().filter(|row| is_coming(row)).count() + creations.count();
        let Some(spec) = scene.state.spec() else {
            return Err("bought without a spec".to_owned());
        };
        // As the last plan of each pool said, which was checked when it was made.
        let records = spec
            .pools
            .iter()
            .filter_map(|pool| scene.state.pool(&pool.name));
        let unmet: u32 = records.map(|record| record.unmet).sum();
        // What no pool may have, for its past, does not count as there.
        let barred = scene.rows.values().filter(|row| is_barred(spec, row));
        let wanted = spare(scene, spec, unmet) + unmet as usize + barred.count() + asked;
        if coming > wanted {
            return Err(format!("bought: {coming} are coming, {wanted} are wanted"));
        }
        Ok(())
    }
}

/// A plan says no more canisters to be missing than are, counted by hand from spec and rows.
fn check_plans(scene: &Scene<'_>) -> Result<(), String> {
    let planned = scene
        .decision
        .events
        .iter()
        .filter_map(|event| match event {
            Event::PoolPlanned { pool, .. } => scene.state.spec()?.pool(pool),
            _ => None,
        });
    for pool in planned {
        let said = scene.state.pool(&pool.name).map_or(0, |it| it.unmet);
        let missing = missing(scene, pool);
        if said > missing {
            return Err(format!(
                "{} plans with {said} missing, and there are {missing}",
                pool.name
            ));
        }
    }
    Ok(())
}

/// Members that the pool's policy wants, at work and on standby, and that no row is: counted by hand.
fn missing(scene: &Scene<'_>, pool: &PoolSpec) -> u32 {
    let Some(record) = scene.state.pool(&pool.name) else {
        return 0;
    };
    let standby = pool.standby.min(pool.max.saturating_sub(record.desired));
    let is_there =
        |row: &&Row| row.phase.is_living() && row.pool.as_deref() == Some(pool.name.as_str());
    let there = scene.rows.values().filter(is_there).count() as u32;
    (record.desired + standby).saturating_sub(there)
}

/// Spare canisters to keep: the minimum, or the share of the fleet as it is wanted.
fn spare(scene: &Scene<'_>, spec: &FleetSpec, unmet: u32) -> usize {
    let living = scene.rows.values().filter(|row| row.phase.is_living());
    let wanted = living.count() + unmet as usize;
    let percent = spec.warm_pool.target_percent as usize;
    let mut share = 0;
    while share * 100 < (wanted + share) * percent {
        share += 1;
    }
    share
        .min(spec.warm_pool.maximum as usize)
        .max(spec.warm_pool.minimum as usize)
}

/// Ready, and the last role lets some pool's workers not have it.
fn is_barred(spec: &FleetSpec, row: &Row) -> bool {
    let lets = |pool: &PoolSpec| {
        let heir = Row {
            role: Some(pool.role.clone()),
            ..row.clone()
        };
        may_follow(spec, row, &heir)
    };
    row.phase == Phase::Ready && !spec.pools.iter().all(lets)
}

/// An operation now waits for a creation.
fn is_asked(event: &Event) -> bool {
    let Event::OperationAnswered { receipt, .. } = event else {
        return false;
    };
    receipt
        .wait
        .is_some_and(|wait| matches!(wait.on, On::Creation(_)))
}

/// Ready, or on its way there without a failed attempt.
fn is_coming(row: &Row) -> bool {
    let is_on_its_way = matches!(
        row.phase,
        Phase::Creating | Phase::PendingReset | Phase::Resetting
    );
    row.phase == Phase::Ready || (is_on_its_way && row.attempts == 0 && row.exit.is_none())
}
