//! Invariant 6: no effect takes root below what it must keep.

use super::{Checker, Scene};
use hatchery_core::{Input, limits};
use hatchery_types::{Cycles, EffectKind};

#[derive(Debug)]
pub(super) struct Conserved;

impl Checker for Conserved {
    fn name(&self) -> &'static str {
        "conserved"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        let Input::Tick(vitals) = scene.input else {
            return Ok(());
        };
        let effects = &scene.decision.effects;
        if effects.is_empty() {
            return Ok(());
        }
        let calls: usize = effects.iter().map(|effect| effect.kind.steps().len()).sum();
        let spent: u128 = effects.iter().map(|effect| attached(&effect.kind).0).sum();
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

/// Cycles that leave root with an effect.
fn attached(kind: &EffectKind) -> Cycles {
    match kind {
        EffectKind::Create { cycles } => *cycles,
        EffectKind::Observe
        | EffectKind::Reset { .. }
        | EffectKind::Install { .. }
        | EffectKind::Drain
        | EffectKind::Check
        | EffectKind::Pull { .. }
        | EffectKind::Stop
        | EffectKind::Delete
        | EffectKind::HandOver { .. }
        | EffectKind::Mend { .. }
        | EffectKind::StoreChunk { .. }
        | EffectKind::CheckStore
        | EffectKind::Info { .. }
        | EffectKind::Sweep { .. }
        | EffectKind::ClearStore => Cycles(0),
    }
}
