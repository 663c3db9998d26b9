//! Invariant 12: nothing grows above its limit.

use super::{Checker, Scene};
use hatchery_core::limits;
use hatchery_types::{Lane, OperationId, Refusal};
use std::collections::BTreeMap;

#[derive(Debug)]
pub(super) struct Limited;

impl Checker for Limited {
    fn name(&self) -> &'static str {
        "limited"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        check_lanes(scene)?;
        check_texts(scene)?;
        let calls: usize = scene
            .effects
            .iter()
            .filter(|effect| effect.kind.lane() != Lane::Drain)
            .map(|effect| effect.kind.steps().len())
            .sum();
        below("calls in flight", calls, limits::CALLS_MAX as usize)?;
        below("rows", scene.after.len(), limits::ROWS_MAX as usize)?;
        below(
            "modules",
            scene.state.modules().len(),
            limits::MODULES_MAX as usize,
        )?;
        let log = scene.state.log(0, usize::MAX);
        below("log", log.len(), limits::LOG_MAX as usize)?;
        for row in scene.after.values() {
            below(
                "attempts",
                row.attempts as usize,
                2 * limits::ATTEMPTS_MAX as usize,
            )?;
        }
        for pool in scene.state.spec().map_or(&[][..], |spec| &spec.pools) {
            let Some(record) = scene.state.pool(&pool.name) else {
                continue;
            };
            below("wishes", record.wishes.len(), limits::POOL_HISTORY_MAX)?;
            below("steps", record.steps.len(), limits::POOL_HISTORY_MAX)?;
        }
        Ok(())
    }
}

fn below(what: &str, count: usize, limit: usize) -> Result<(), String> {
    if count <= limit {
        Ok(())
    } else {
        Err(format!("{count} {what}, limit {limit}"))
    }
}

/// No lane grows above the spec.
fn check_lanes(scene: &Scene<'_>) -> Result<(), String> {
    let Some(spec) = scene.state.spec() else {
        return Ok(());
    };
    let mut lanes: BTreeMap<Lane, usize> = BTreeMap::new();
    for effect in scene.effects {
        // A creation that is over with an unknown end is kept to be found, and runs no more.
        let is_lost = effect.kind.lane() == Lane::Create && effect.outcomes[0].is_some();
        if !is_lost {
            *lanes.entry(effect.kind.lane()).or_default() += 1;
        }
    }
    for (lane, count) in lanes {
        let limit = match lane {
            Lane::Create => spec.lanes.create,
            Lane::Reset => spec.lanes.reset,
            Lane::Install => spec.lanes.install,
            Lane::Drain => limits::DRAIN_LANE,
            Lane::Other => limits::OTHER_LANE,
        };
        below(&format!("effects in lane {lane:?}"), count, limit as usize)?;
    }
    Ok(())
}

fn check_texts(scene: &Scene<'_>) -> Result<(), String> {
    for row in scene.after.values() {
        below(
            "bytes of a reason",
            row.reason.to_string().len(),
            Refusal::TEXT_MAX + 100,
        )?;
        let names = row
            .role
            .iter()
            .chain(&row.pool)
            .map(String::len)
            .max()
            .unwrap_or(0);
        below("bytes of a name", names, OperationId::BYTES_MAX)?;
    }
    Ok(())
}
