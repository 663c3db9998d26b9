//! Invariant 2: at most one chain in flight per canister, and the row names it.

use super::{Checker, Scene};
use hatchery_core::Event;
use hatchery_types::{CanisterId, EffectId};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Exclusive {
    /// The chain in flight of each canister.
    chains: BTreeMap<CanisterId, EffectId>,
}

impl Checker for Exclusive {
    fn name(&self) -> &'static str {
        "exclusive"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        for effect in scene.closed {
            let chain = effect
                .canister
                .map(|id| (id, self.chains.get(&id).copied()));
            if let Some((id, Some(chain))) = chain
                && chain == effect.id
            {
                self.chains.remove(&id);
            }
        }
        let mut touched: Vec<CanisterId> = Vec::new();
        for event in &scene.decision.events {
            let Event::EffectStarted(effect) = event else {
                continue;
            };
            let Some(id) = effect.canister else { continue };
            if let Some(other) = self.chains.insert(id, effect.id) {
                return Err(format!("{id} has two chains: {other} and {}", effect.id));
            }
            touched.push(id);
        }
        if !touched.is_empty() {
            check_wires(scene)?;
        }
        let rows = scene.changes.iter().filter_map(|change| {
            let row = change.after.as_ref().or(change.before.as_ref())?;
            Some(row.canister)
        });
        touched.extend(rows);
        touched.extend(scene.closed.iter().filter_map(|effect| effect.canister));
        if scene.is_whole {
            touched.extend(scene.rows.keys());
            touched.extend(self.chains.keys());
        }
        touched.iter().try_for_each(|id| self.check_row(scene, *id))
    }
}

impl Exclusive {
    fn check_row(&self, scene: &Scene<'_>, id: CanisterId) -> Result<(), String> {
        let chain = self.chains.get(&id).copied();
        let named = scene.rows.get(&id).and_then(|row| row.effect);
        if named == chain {
            return Ok(());
        }
        Err(format!(
            "{id}: the row says {named:?}, the journal {chain:?}"
        ))
    }
}

/// On the wires: calls of journalled effects to one canister belong to one effect.
fn check_wires(scene: &Scene<'_>) -> Result<(), String> {
    let mut under_way = BTreeMap::new();
    for call in scene.platform.calls() {
        let open = scene.journal.contains_key(&call.effect);
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
