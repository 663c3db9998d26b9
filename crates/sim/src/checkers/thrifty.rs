//! Invariant 6, in canisters: nothing is bought for what is on its way already.

use super::{Checker, Scene};
use hatchery_core::Row;
use hatchery_types::{EffectKind, Phase};

#[derive(Debug)]
pub(super) struct Thrifty;

impl Checker for Thrifty {
    fn name(&self) -> &'static str {
        "thrifty"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        let is_creation = |kind: &EffectKind| matches!(kind, EffectKind::Create { .. });
        let mut bought = scene.decision.effects.iter();
        if !bought.any(|effect| is_creation(&effect.kind)) {
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
        let records = spec
            .pools
            .iter()
            .filter_map(|pool| scene.state.pool(&pool.name));
        let unmet: u32 = records.map(|record| record.unmet).sum();
        let wanted = spec.warm_pool.minimum + unmet;
        if coming > wanted as usize {
            return Err(format!("bought: {coming} are coming, {wanted} are wanted"));
        }
        Ok(())
    }
}

/// Ready, or on its way there without a failed attempt.
fn is_coming(row: &Row) -> bool {
    let is_on_its_way = matches!(
        row.phase,
        Phase::Creating | Phase::PendingReset | Phase::Resetting
    );
    row.phase == Phase::Ready || (is_on_its_way && row.attempts == 0)
}
