//! How canisters leave their place by an operator's word: recycled, exported, deleted, forgotten.
//!
//! Everything is checked before the row moves; the tick makes the calls.

use super::command::{Act, Acted, named};
use super::conclude::Case;
use super::tick::{expect_row, parent_of};
use super::{past, refused, sweep, to_reset};
use crate::limits;
use crate::plant::planted;
use crate::receipt::{Answer, Goal};
use crate::record::{Exit, Row, Sweep};
use crate::state::State;
use crate::{Event, Member};
use hatchery_types::{
    CanisterId, ExportTo, FleetSpec, Nanos, ParentSpec, Phase, PoolSpec, Principal, Reason,
};
use ic_stable_structures::Memory;

/// A member in service drains first, and its children before it where its role says so; a spare
/// canister is reset at once.
pub(super) fn recycle<M: Memory>(state: &State<M>, now: Nanos, id: CanisterId) -> Act {
    let row = named(state, id)?;
    let pools = state.spec().map_or(&[][..], |spec| &spec.pools);
    let is_parent = |pool: &&PoolSpec| pool.parent == Some(ParentSpec::Canister(id));
    let mut children = pools.iter().filter(is_parent);
    if let Some(pool) = children.find(|pool| state.members(&pool.name).next().is_some()) {
        let text = format!("pool `{}` works for {id}: empty it first", pool.name);
        return Err(refused(Reason::HasChildren, text));
    }
    let role = row.role.as_deref();
    let role = role.and_then(|role| state.spec()?.role(role));
    let waits = role.is_some_and(|role| role.children_first);
    let has_children = state.children(id, None).next().is_some();
    if has_children && row.phase.is_member() && !waits && !planted("p18") {
        let text = format!("{id} has children: recycle them first, or say `children = \"first\"`");
        return Err(refused(Reason::HasChildren, text));
    }
    let row = match row.phase {
        Phase::InService if planted("p18") => to_reset(row, now, Reason::Recycled),
        Phase::InService | Phase::Standby => row.moved(Phase::Draining, now, Reason::Recycled),
        Phase::Ready | Phase::Failed | Phase::Lost => to_reset(row, now, Reason::Recycled),
        phase => {
            let text = format!("{id} is {phase}: only what is in service, ready, failed or lost");
            return Err(refused(Reason::WrongPhase, text));
        }
    };
    Ok(Acted::under_way(row, Goal::Recycle))
}

/// Releases a ready canister.
pub(super) fn export<M: Memory>(state: &State<M>, now: Nanos, id: CanisterId, to: ExportTo) -> Act {
    let row = named(state, id)?;
    if row.phase != Phase::Ready {
        let text = format!("{id} is {}, not ready", row.phase);
        return Err(refused(Reason::WrongPhase, text));
    }
    if row.role.is_none() && !planted("p08") {
        let text = format!("{id} never had a role");
        return Err(refused(Reason::NoRole, text));
    }
    if row.module.is_none() {
        let text = format!("{id} never had a module");
        return Err(refused(Reason::NoModule, text));
    }
    match to {
        ExportTo::Registry => {
            if let Some(refusal) = why_not_adopted(state, &row) {
                return Err(refusal);
            }
        }
        ExportTo::Principal(to) => check_heir(state, to)?,
    }
    let mut row = row.moved(Phase::Exporting, now, Reason::Exported);
    row.export_to = Some(to);
    Ok(Acted::under_way(row, Goal::Export))
}

/// What keeps a canister from being a member of its recorded pool again.
pub(super) fn why_not_adopted<M: Memory>(state: &State<M>, row: &Row) -> Option<(Reason, String)> {
    let name = row.pool.as_deref().unwrap_or_default();
    let spec = state.spec()?;
    let Some(pool) = spec.pool(name) else {
        let text = format!("its pool `{name}` is not in the spec any more");
        return Some(refused(Reason::UnknownPool, text));
    };
    let heir = past::Heir {
        role: &pool.role,
        parent: parent_of(state, pool),
    };
    if !past::may_have(spec, row, heir) {
        let text = format!(
            "its last role forbids role `{}` of pool `{name}`",
            pool.role
        );
        return Some(refused(Reason::NoRole, text));
    }
    if Some(&pool.role) != row.role.as_ref() {
        let text = format!("pool `{name}` has another role now");
        return Some(refused(Reason::NoRole, text));
    }
    let module = spec.role(&pool.role).map(|role| role.module);
    let record = module.and_then(|module| state.module(module));
    if !record.is_some_and(|record| record.is_installable()) {
        let text = format!("the module of role `{}` is not held by root", pool.role);
        return Some(refused(Reason::ModuleMissing, text));
    }
    let is_living = |member: &&Member| member.phase.is_living();
    let living = state.members(name).filter(is_living).count();
    (living >= pool.max as usize).then(|| {
        let text = format!("pool `{name}` has its maximum of {} members", pool.max);
        refused(Reason::AtMaximum, text)
    })
}

/// Whoever gets a canister must be able to use it, and must not be root.
fn check_heir<M: Memory>(state: &State<M>, to: Principal) -> Result<(), (Reason, String)> {
    let root = state.header().root.map(|root| root.0);
    let nobody = to == Principal::anonymous() || to == Principal::management_canister();
    if nobody || Some(to) == root {
        let text = format!("{to} cannot be the only controller of an exported canister");
        return Err(refused(Reason::Unauthorised, text));
    }
    Ok(())
}

/// Stopped, then deleted; what it holds is discarded.
pub(super) fn delete<M: Memory>(state: &State<M>, now: Nanos, id: CanisterId) -> Act {
    let row = named(state, id)?;
    let spare = matches!(
        row.phase,
        Phase::Creating | Phase::PendingReset | Phase::Ready | Phase::Failed | Phase::Lost
    );
    if row.phase.is_member() {
        let text = format!("{id} is a member: recycle it first, so that its work is not cut");
        return Err(refused(Reason::WrongPhase, text));
    }
    if !spare || row.effect.is_some() {
        let text = format!("{id} is {} and in the middle of it: try again", row.phase);
        return Err(refused(Reason::WrongPhase, text));
    }
    let row = row.moved(Phase::Deleting, now, Reason::Deleted);
    Ok(Acted::under_way(row, Goal::Delete))
}

/// A canister was verified empty: it stays in the warm pool, is swept first, or leaves.
pub(super) fn instead_of_ready<M: Memory>(
    state: &State<M>,
    case: &Case<'_>,
    row: Row,
    exit: Option<Exit>,
) -> Row {
    let now = case.now;
    if row.phase != Phase::Ready {
        return row;
    }
    match exit {
        Some(Exit::Delete) => row.moved(Phase::Deleting, now, Reason::Deleted),
        Some(Exit::Release(to)) => release(row, now, to),
        None if past::is_last_tenancy(state, &row) => {
            row.moved(Phase::Deleting, now, Reason::NeverReused)
        }
        None => sweep::before_ready(case, row),
    }
}

/// A surplus canister leaves, as the spec says.
pub(super) fn let_go(spec: &FleetSpec, now: Nanos, row: Row) -> Row {
    let warm = &spec.warm_pool;
    let Some(to) = warm.release_to else {
        return row.moved(Phase::Deleting, now, Reason::Surplus);
    };
    let worth = warm.floor.0.saturating_add(limits::SWEEP_WORTH.0);
    if warm.sweep_above.is_none() || row.cycles.is_none_or(|held| held.0 <= worth) {
        return release(row, now, to);
    }
    Row {
        sweep: Some(Sweep::wanted()),
        exit: Some(Exit::Release(to)),
        ..row.moved(Phase::PendingReset, now, Reason::Surplus)
    }
}

fn release(row: Row, now: Nanos, to: CanisterId) -> Row {
    Row {
        export_to: Some(ExportTo::Principal(to.0)),
        sweep: None,
        ..row.moved(Phase::Exporting, now, Reason::Surplus)
    }
}

/// The row of a canister that is lost, or that root does not control, ends; what it held is booked
/// as discarded.
pub(super) fn forget<M: Memory>(state: &State<M>, id: CanisterId) -> Act {
    let row = named(state, id)?;
    let foreign = row.phase == Phase::Failed && row.reason == Reason::NotControlled;
    if row.phase != Phase::Lost && !foreign {
        let text = format!(
            "{id} is {}, and only what is lost or not controlled is forgotten: delete it instead",
            row.phase
        );
        return Err(refused(Reason::WrongPhase, text));
    }
    let discarded = row.cycles.unwrap_or_default();
    let gone = Event::RowRemoved(id, Reason::Forgotten);
    Ok(Acted::done(vec![gone], Answer::Deleted { discarded }))
}

/// Ready canisters above the maximum leave, youngest first.
pub(super) fn drain_surplus<M: Memory>(state: &State<M>, now: Nanos) -> Act {
    let Some(spec) = state.spec() else {
        return Err(refused(Reason::NoSpec, "apply a spec first"));
    };
    let ready = state.counts().phase(Phase::Ready);
    let surplus = ready.saturating_sub(u64::from(spec.warm_pool.maximum));
    let youngest = state.index.ready.iter().rev().take(surplus as usize);
    let leaving: Vec<Event> = youngest
        .take(limits::COMMAND_IDS_MAX)
        .map(|(_, id)| let_go(spec, now, expect_row(state, *id)))
        .map(|row| Event::RowChanged(Box::new(row)))
        .collect();
    let count = leaving.len() as u64;
    let answer = Answer::Drained {
        leaving: count as u32,
        left: u32::try_from(surplus - count).unwrap_or(u32::MAX),
    };
    Ok(Acted::done(leaving, answer))
}
