//! The fleet seen from outside: the engine's canisters against root's own listing. Pure but for
//! reading the engine's table.

use super::FleetWorld;
use candid::Principal;
use hatchery_api::RowView;
use hatchery_engine::{CanisterStatus, CanisterView};
use hatchery_types::{CanisterId, FleetSpec, ModuleHash, Phase};
use std::collections::{BTreeMap, BTreeSet};

/// What the engine knows of a canister.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// Which.
    pub canister: CanisterId,
    /// Who created it.
    pub creator: Principal,
    /// Sorted.
    pub controllers: Vec<Principal>,
    /// Installed module.
    pub module: Option<ModuleHash>,
    /// It takes calls.
    pub running: bool,
    /// No setting differs from a new canister's: no environment variables.
    pub clean: bool,
}

/// What a look from outside found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// Canisters on the engine that root created.
    pub created: u64,
    /// Those of them that root knows of: by a row, or as a creation in flight.
    pub accounted: u64,
    /// Canisters that root created or controls and does not know of.
    pub orphans: Vec<CanisterId>,
    /// Everything that is not as root says, or above its bounds.
    pub violations: Vec<String>,
}

/// Compares the canisters of the subnet with root's rows; `creations` of them are in flight and
/// may be there without a row.
pub fn take_census(
    truth: &[Truth],
    root: CanisterId,
    spec: &FleetSpec,
    rows: &[RowView],
    creations: usize,
) -> Census {
    let listed: BTreeSet<CanisterId> = rows.iter().map(|row| row.canister).collect();
    let created = truth.iter().filter(|canister| canister.creator == root.0);
    let owned = truth.iter().filter(|canister| {
        let is_root = canister.canister == root;
        !is_root && (canister.creator == root.0 || canister.controllers.contains(&root.0))
    });
    let mut orphans: Vec<CanisterId> = owned
        .map(|canister| canister.canister)
        .filter(|canister| !listed.contains(canister))
        .collect();
    // Ids are handed out in order, so results of creations in flight are the newest.
    orphans.truncate(orphans.len().saturating_sub(creations));
    let created = created.count() as u64;
    let lost = truth
        .iter()
        .filter(|canister| canister.creator == root.0 && orphans.contains(&canister.canister));
    let accounted = created - lost.count() as u64;
    let mut violations = check_rows(truth, root, spec, rows);
    if listed.len() != rows.len() {
        violations.push(format!(
            "{} rows for {} canisters",
            rows.len(),
            listed.len()
        ));
    }
    violations.extend(check_bounds(spec, rows));
    Census {
        created,
        accounted,
        orphans,
        violations,
    }
}

fn check_rows(
    truth: &[Truth],
    root: CanisterId,
    spec: &FleetSpec,
    rows: &[RowView],
) -> Vec<String> {
    let truth: BTreeMap<CanisterId, &Truth> = truth
        .iter()
        .map(|canister| (canister.canister, canister))
        .collect();
    let mut controllers = spec.controllers.clone();
    controllers.push(root.0);
    controllers.sort_unstable();
    let mut violations = Vec::new();
    for row in rows {
        if row.phase == Phase::Ready {
            let wrong = why_not_ready(truth.get(&row.canister).copied(), &controllers);
            violations.extend(wrong.map(|wrong| format!("{} is Ready and {wrong}", row.canister)));
        }
        if row.phase.is_member() && (row.pool.is_none() || row.role.is_none()) {
            violations.push(format!("{} is a member of nothing", row.canister));
        }
    }
    violations
}

/// Why an empty canister is not one, by the engine's truth.
fn why_not_ready(canister: Option<&Truth>, controllers: &[Principal]) -> Option<&'static str> {
    match canister {
        None => Some("does not exist"),
        Some(canister) if canister.module.is_some() => Some("has a module"),
        Some(canister) if !canister.running => Some("does not run"),
        Some(canister) if canister.controllers != controllers => Some("has other controllers"),
        Some(canister) if !canister.clean => Some("has settings of a tenant"),
        Some(_) => None,
    }
}

fn check_bounds(spec: &FleetSpec, rows: &[RowView]) -> Vec<String> {
    let too_many = |pool: &&hatchery_types::PoolSpec| {
        let living = rows
            .iter()
            .filter(|row| row.phase.is_living() && row.pool.as_deref() == Some(pool.name.as_str()));
        living.count() > pool.max as usize
    };
    let pools = spec.pools.iter().filter(too_many);
    pools
        .map(|pool| format!("more than {} living in {}", pool.max, pool.name))
        .collect()
}

impl FleetWorld {
    /// The engine's table of canisters, in order of ids.
    pub fn truth(&self) -> Vec<Truth> {
        let ids = self.engine.canisters();
        let views = ids.into_iter().filter_map(|id| self.engine.canister(id));
        views.map(|view| truth_of(&view)).collect()
    }
}

fn truth_of(view: &CanisterView) -> Truth {
    let mut controllers = view.controllers.clone();
    controllers.sort_unstable();
    Truth {
        canister: CanisterId(view.id),
        creator: view.creator,
        controllers,
        module: view.module_hash.map(ModuleHash),
        running: view.status == CanisterStatus::Running,
        clean: view.environment_variables.is_empty(),
    }
}
