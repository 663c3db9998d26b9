//! Invariant 6: no effect takes root below what it must keep, and what root pays to keep canisters
//! alive stays within a day's budget.

use super::{Checker, Scene};
use hatchery_core::{Input, limits};
use hatchery_types::{Cycles, Effect, EffectKind, Nanos, Outcome};

/// A day, in UTC.
const DAY: Nanos = Nanos::from_secs(86_400);

#[derive(Debug, Default)]
pub(super) struct Conserved {
    day: u64,
    topped_up: Cycles,
}

impl Checker for Conserved {
    fn name(&self) -> &'static str {
        "conserved"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        self.check_budget(scene)?;
        let Input::Tick(vitals) = scene.input else {
            return Ok(());
        };
        let effects = &scene.decision.effects;
        if effects.is_empty() {
            return Ok(());
        }
        let calls: usize = effects.iter().map(|effect| effect.kind.steps().len()).sum();
        let spent: u128 = effects.iter().map(|effect| effect.kind.attached().0).sum();
        let locked = calls as u128 * limits::CALL_LOCK.0;
        // Eight calls belong to the tick and the operator alone.
        let spare = Cycles(u128::from(limits::CALLS_SPARE) * limits::CALL_LOCK.0);
        let reserve = scene.state.spec().map_or(Cycles(0), |spec| spec.reserve);
        let kept = if spent > 0 { reserve } else { spare };
        if vitals.liquid.0 < spent + locked + kept.0 {
            return Err(format!(
                "{calls} calls and {} paid with {} liquid: {kept} must stay",
                Cycles(spent),
                vitals.liquid
            ));
        }
        Ok(())
    }
}

impl Conserved {
    /// Counted by hand: what was sent today, less what certainly did not arrive.
    fn check_budget(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        let today = scene.now.0 / DAY.0;
        if self.day < today {
            (self.day, self.topped_up) = (today, Cycles(0));
        }
        let topped_up = |effect: &&Effect| matches!(effect.kind, EffectKind::TopUp { .. });
        for effect in scene.decision.effects.iter().filter(topped_up) {
            self.topped_up.0 += effect.kind.attached().0;
        }
        let sent_today = |effect: &&Effect| effect.started_at.0 / DAY.0 == today;
        for effect in scene.closed.iter().filter(topped_up).filter(sent_today) {
            if let Some(Outcome::Refused(_) | Outcome::NotExecuted(_)) = effect.outcomes[0] {
                self.topped_up = self.topped_up.less(effect.kind.attached());
            }
        }
        let rule = scene.state.spec().and_then(|spec| spec.top_up);
        match rule {
            Some(rule) if self.topped_up > rule.all => Err(format!(
                "{} topped up today, the budget is {}",
                self.topped_up, rule.all
            )),
            _ => Ok(()),
        }
    }
}
