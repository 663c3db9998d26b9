//! A member comes back from an upgrade on the module it had or the one it was to get, whole: its
//! memory kept, running, no snapshot left. No more are away than the disruption budget allows.

use super::{Checker, Scene};
use hatchery_core::Row;
use hatchery_types::{CanisterId, ModuleHash, Phase, RunState};
use std::collections::BTreeMap;

/// A member as it was when its upgrade began.
#[derive(Debug)]
struct Before {
    module: Option<ModuleHash>,
    memory: u64,
    meddled: u64,
}

#[derive(Debug, Default)]
pub(super) struct Upgraded {
    away: BTreeMap<CanisterId, Before>,
}

impl Checker for Upgraded {
    fn name(&self) -> &'static str {
        "upgraded"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        for (before, row) in scene.moved() {
            let Some(before) = before else { continue };
            if row.phase == Phase::Upgrading {
                self.begin(scene, before);
                check_budget(scene, row)?;
            } else if before.phase == Phase::Upgrading
                && let Some(began) = self.away.remove(&row.canister)
                && row.phase.is_living()
            {
                check_end(scene, &began, before, row)?;
            }
        }
        Ok(())
    }
}

impl Upgraded {
    fn begin(&mut self, scene: &Scene<'_>, row: &Row) {
        let truth = scene.platform.canisters.get(&row.canister);
        let truth = truth.filter(|it| it.module == row.module);
        self.away.extend(truth.map(|it| {
            let began = Before {
                module: row.module,
                memory: it.memory,
                meddled: it.meddled,
            };
            (row.canister, began)
        }));
    }
}

fn check_end(scene: &Scene<'_>, began: &Before, last: &Row, row: &Row) -> Result<(), String> {
    let Some(truth) = scene.platform.canisters.get(&row.canister) else {
        return Ok(());
    };
    if truth.meddled > began.meddled {
        return Ok(());
    }
    let to = last.upgrade.as_ref().map(|it| it.to);
    let flaws = [
        (
            row.module != began.module && row.module != to,
            "on a third module",
        ),
        (
            truth.module != row.module,
            "with another module than its row",
        ),
        (truth.memory != began.memory, "with other memory"),
        (truth.run_state != RunState::Running, "not running"),
        (truth.saved.is_some(), "with a snapshot left"),
        (row.upgrade.is_some(), "with a record left"),
    ];
    match flaws.into_iter().find(|(is_so, _)| *is_so) {
        None => Ok(()),
        Some((_, what)) => Err(format!("{} came back {what}: {truth:?}", row.canister)),
    }
}

/// Of a pool's members no more are away for an upgrade than its share, and at least one may be.
fn check_budget(scene: &Scene<'_>, row: &Row) -> Result<(), String> {
    let name = row.pool.as_deref().unwrap_or_default();
    let Some(pool) = scene.state.spec().and_then(|spec| spec.pool(name)) else {
        return Ok(());
    };
    let count = |which: fn(Phase) -> bool| {
        let rows = scene.rows.values();
        let ours = rows.filter(|it| it.pool.as_deref() == Some(name) && which(it.phase));
        ours.count() as u32
    };
    let away = count(|phase| phase == Phase::Upgrading);
    let all = count(Phase::is_member);
    let most = (all * pool.disruption_percent / 100).max(1);
    if away <= most {
        return Ok(());
    }
    Err(format!(
        "{away} of {all} members of {name} are away, {most} may be"
    ))
}
