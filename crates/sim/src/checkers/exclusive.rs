//! Invariant 2: at most one chain in flight per canister, and the row names it.

use super::{Checker, Scene};
use std::collections::BTreeMap;

#[derive(Debug)]
pub(super) struct Exclusive;

impl Checker for Exclusive {
    fn name(&self) -> &'static str {
        "exclusive"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        let mut chains = BTreeMap::new();
        for effect in scene.effects {
            let Some(canister) = effect.canister else {
                continue;
            };
            if let Some(other) = chains.insert(canister, effect.id) {
                return Err(format!(
                    "{canister} has two chains: {other} and {}",
                    effect.id
                ));
            }
            let named = scene.after.get(&canister).and_then(|row| row.effect);
            if named != Some(effect.id) {
                return Err(format!(
                    "effect {} on {canister}, whose row says {named:?}",
                    effect.id
                ));
            }
        }
        for row in scene.after.values() {
            let chain = chains.get(&row.canister).copied();
            if row.effect != chain {
                return Err(format!(
                    "row {} says {:?}, the journal {chain:?}",
                    row.canister, row.effect
                ));
            }
        }
        check_platform(scene)
    }
}

/// On the wires: calls of journalled effects to one canister belong to one effect.
fn check_platform(scene: &Scene<'_>) -> Result<(), String> {
    let mut under_way = BTreeMap::new();
    for call in scene.platform.calls() {
        let open = scene.effects.iter().any(|effect| effect.id == call.effect);
        if !open || call.canister == scene.platform.root {
            continue;
        }
        let first = *under_way.entry(call.canister).or_insert(call.effect);
        if first != call.effect {
            return Err(format!(
                "calls of {first} and {} under way to {}",
                call.effect, call.canister
            ));
        }
    }
    Ok(())
}
