//! Every kind of effect, from the type: a kind that is not named here cannot be compiled.

use super::canister::canister_id;
use super::fleet;
use hatchery_types::{Cycles, EffectKind, Generation};

/// One effect of every kind, and of every chain of calls a kind has.
pub fn every_kind() -> Vec<EffectKind> {
    let mut kinds = vec![EffectKind::Create { cycles: Cycles(0) }];
    while let Some(next) = kinds.last().and_then(next) {
        kinds.push(next);
    }
    kinds
}

fn next(kind: &EffectKind) -> Option<EffectKind> {
    let module = fleet::module().0;
    match kind {
        EffectKind::Create { .. } => Some(EffectKind::Observe),
        EffectKind::Observe => Some(EffectKind::Reset { start: false }),
        EffectKind::Reset { start: false } => Some(EffectKind::Reset { start: true }),
        EffectKind::Reset { start: true } => Some(EffectKind::Install {
            module,
            generation: Generation(1),
        }),
        EffectKind::Install { .. } => Some(EffectKind::Drain),
        EffectKind::Drain => Some(EffectKind::Check),
        EffectKind::Check => Some(EffectKind::Pull {
            signal: fleet::PULLED.to_owned(),
        }),
        EffectKind::Pull { .. } => Some(EffectKind::Stop),
        EffectKind::Stop => Some(EffectKind::Delete),
        EffectKind::Delete => Some(EffectKind::StoreChunk { module, index: 0 }),
        EffectKind::StoreChunk { .. } => Some(EffectKind::CheckStore),
        EffectKind::CheckStore => Some(EffectKind::ClearStore),
        EffectKind::ClearStore => Some(EffectKind::Info {
            canister: canister_id(0),
        }),
        EffectKind::Info { .. } => Some(EffectKind::Sweep { keep: Cycles(0) }),
        EffectKind::Sweep { .. } => Some(EffectKind::HandOver {
            to: fleet::stranger(),
        }),
        EffectKind::HandOver { .. } => Some(EffectKind::Mend {
            generation: Generation(1),
        }),
        EffectKind::Mend { .. } => Some(EffectKind::TopUp { cycles: Cycles(0) }),
        EffectKind::TopUp { .. } => Some(EffectKind::Save),
        EffectKind::Save => Some(EffectKind::FindSnapshot),
        EffectKind::FindSnapshot => Some(EffectKind::Upgrade { module }),
        EffectKind::Upgrade { .. } => Some(EffectKind::Return { snapshot: None }),
        EffectKind::Return { snapshot: None } => Some(EffectKind::Return {
            snapshot: Some(Vec::new()),
        }),
        EffectKind::Return { snapshot: Some(_) } => Some(EffectKind::DropSnapshot {
            snapshot: Vec::new(),
        }),
        EffectKind::DropSnapshot { .. } => None,
    }
}
