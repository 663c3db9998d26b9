//! DESIGN, section 7: no grant, no canister; grants are kept under every interleaving; children leave
//! before their parents, and none is left behind by a parent that is gone.

use super::{Checker, Scene};
use hatchery_core::{Ask, Input, Reply, Row};
use hatchery_types::{CanisterId, Phase, Reason};

#[derive(Debug)]
pub(super) struct Granted;

impl Checker for Granted {
    fn name(&self) -> &'static str {
        "granted"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        for (before, row) in scene.moved() {
            if row.phase == Phase::Draining && is_policy(&row.reason) && row.kept {
                return Err(format!(
                    "{} was asked for, and policy took it",
                    row.canister
                ));
            }
            let left = before.is_some_and(|before| before.phase == Phase::Draining);
            if left && row.phase == Phase::Stopping && has_children(scene, row.canister) {
                return Err(format!("{} leaves before its children", row.canister));
            }
        }
        if matches!(scene.input, Input::Tick(vitals) if !scene.decision.more && !vitals.stopping) {
            check_parents(scene)?;
        }
        check_request(scene)
    }
}

fn is_policy(reason: &Reason) -> bool {
    matches!(reason, Reason::ScaledIn | Reason::StandbySurplus)
}

fn has_children(scene: &Scene<'_>, parent: CanisterId) -> bool {
    let mut rows = scene.rows.values();
    rows.any(|row| row.parent == Some(parent) && row.phase.is_member())
}

fn is_kept(row: &Row) -> bool {
    row.kept && row.phase.is_living()
}

/// After a finished tick whoever was asked for is root's, or a member's.
fn check_parents(scene: &Scene<'_>) -> Result<(), String> {
    if hatchery_core::held_back(scene.state).is_some() {
        return Ok(());
    }
    let root = scene.state.header().root;
    for row in scene.rows.values().filter(|row| is_kept(row)) {
        let parent = row.parent.filter(|parent| Some(*parent) != root);
        let parent = parent.map(|parent| scene.rows.get(&parent));
        if let Some(parent) = parent
            && !parent.is_some_and(|parent| parent.phase.is_member())
        {
            let id = row.canister;
            return Err(format!("the parent of {id} is gone: {:?}", row.parent));
        }
    }
    Ok(())
}

/// A canister that a request took was granted, by the numbers counted here.
fn check_request(scene: &Scene<'_>) -> Result<(), String> {
    let Input::Request(input) = scene.input else {
        return Ok(());
    };
    let taken = scene
        .changes
        .iter()
        .find_map(|change| change.after.as_ref());
    let Some(row) = taken else {
        return Ok(());
    };
    if !matches!(scene.decision.reply, Reply::Command(_)) {
        return Err(format!("refused, and yet {row:?}"));
    }
    let asker = scene.rows.get(&input.caller);
    let asker = asker.filter(|it| it.generation == input.generation && it.phase.is_living());
    let asker = asker.ok_or_else(|| format!("{} is no member", input.caller))?;
    let Ask::Create { pool, .. } = &input.ask else {
        let mut rows = scene.changes.iter().filter_map(|it| it.after.as_ref());
        let foreign = rows.find(|row| row.parent != Some(input.caller));
        return foreign.map_or(Ok(()), |row| {
            Err(format!(
                "{} is not a child of {}",
                row.canister, input.caller
            ))
        });
    };
    let spec = scene.state.spec().ok_or("a grant without a spec")?;
    let role = asker.role.as_deref().unwrap_or_default();
    let mut grants = spec.grants.iter();
    let grant = grants.find(|grant| grant.role == role && grant.pool == *pool);
    let grant = grant.ok_or_else(|| format!("{} has no grant of {pool}", input.caller))?;
    let kept = || {
        let rows = scene.rows.values();
        rows.filter(|it| is_kept(it) && it.pool.as_ref() == Some(pool))
    };
    let own = kept().filter(|it| it.parent == row.parent).count();
    if own > grant.each as usize || kept().count() > grant.all as usize {
        return Err(format!(
            "{own} of {:?}, {} in all: {grant:?}",
            row.parent,
            kept().count()
        ));
    }
    let line = ancestors(scene, row);
    let at_root = row.parent == scene.state.header().root && grant.under_root;
    if line.len() > grant.depth as usize || !(at_root || line.contains(&input.caller)) {
        return Err(format!(
            "{} got one under {line:?}: {grant:?}",
            input.caller
        ));
    }
    Ok(())
}

/// The row and its parents up to root.
fn ancestors(scene: &Scene<'_>, row: &Row) -> Vec<CanisterId> {
    let mut line = vec![row.canister];
    let mut parent = row.parent;
    while let Some(id) = parent.filter(|id| Some(*id) != scene.state.header().root) {
        if line.contains(&id) {
            // A loop: longer than any grant allows.
            line.extend([id; 100]);
            break;
        }
        line.push(id);
        parent = scene.rows.get(&id).and_then(|row| row.parent);
    }
    line
}
