//! Parents and children: what a grant allows, who leaves first, and who takes in the children of a
//! parent that is gone.

use super::tick::expect_row;
use super::{Draft, refused};
use crate::limits;
use crate::plant::planted;
use crate::record::Row;
use crate::state::State;
use crate::{Decision, Event};
use hatchery_types::{CanisterId, FleetSpec, Nanos, Phase, Reason};
use ic_stable_structures::Memory;

/// Whose child a canister of `pool` becomes that the member `asker` asks for, as the grants of its
/// role allow.
pub(super) fn parent_for<M: Memory>(
    state: &State<M>,
    spec: &FleetSpec,
    asker: &Row,
    pool: &str,
    wanted: Option<CanisterId>,
) -> Result<CanisterId, (Reason, String)> {
    let role = asker.role.as_deref().unwrap_or_default();
    let grant = spec.grant(role, pool).ok_or_else(|| {
        let text = format!("no grant lets role `{role}` have workers of pool `{pool}`");
        refused(Reason::NoGrant, text)
    })?;
    let parent = wanted.unwrap_or(asker.canister);
    let under_root = Some(parent) == state.header().root;
    if under_root && !grant.under_root {
        let text = format!("the grant of pool `{pool}` for role `{role}` allows none under root");
        return Err(refused(Reason::NoGrant, text));
    }
    if !under_root && !is_at_or_below(state, parent, asker.canister) {
        let text = format!("{parent} is not at work, or neither the caller nor below it");
        return Err(refused(Reason::NotAChild, text));
    }
    let depth = state.depth(parent, grant.depth) + 1;
    if depth > grant.depth {
        let text = format!(
            "it would be at depth {depth}; the grant ends at {}",
            grant.depth
        );
        return Err(refused(Reason::TooDeep, text));
    }
    let (own, all) = (state.kept_by(parent, pool), state.kept_in(pool));
    if (own >= grant.each || all >= grant.all) && !planted("l06") {
        let text = format!(
            "{parent} has {own} of {} children in pool `{pool}`, all parents have {all} of {}",
            grant.each, grant.all
        );
        return Err(refused(Reason::GrantUsedUp, text));
    }
    Ok(parent)
}

/// A member at work that is `top`, or whose parents lead up to it. The walk ends, whatever they are.
fn is_at_or_below<M: Memory>(state: &State<M>, canister: CanisterId, top: CanisterId) -> bool {
    if state.living(canister).is_none() {
        return false;
    }
    let mut at = Some(canister);
    for _ in 0..=limits::DEPTH_MAX {
        match at {
            Some(id) if id == top => return true,
            Some(id) => at = state.row(id).and_then(|row| row.parent),
            None => return false,
        }
    }
    false
}

/// A parent that drains waits for its children, and they leave with it; false: it has none.
pub(super) fn children_first<M: Memory>(draft: &mut Draft, state: &State<M>, row: &Row) -> bool {
    let mut children = state.children(row.canister, None).peekable();
    if children.peek().is_none() || planted("p18") {
        return false;
    }
    let now = draft.now;
    for child in children.take(limits::FAMILY_BATCH) {
        let child = expect_row(state, child);
        // A lease ends before its worker leaves.
        if matches!(child.phase, Phase::InService | Phase::Standby) {
            draft.row(child.moved(Phase::Draining, now, Reason::ParentLeaves));
        }
    }
    draft.row(Row {
        // Its own time to drain begins when they are gone.
        since: now,
        next_attempt: now + limits::FAMILY_POLL,
        ..row.clone()
    });
    true
}

/// Root takes in the children of a parent that is gone, a batch of them.
pub(super) fn adopt_next<M: Memory>(state: &State<M>, now: Nanos) -> Option<Decision> {
    let root = state.header().root;
    let mut bereft = state.index.family.bereft.iter();
    let parent = *bereft.find(|parent| Some(**parent) != root)?;
    let mut draft = Draft::new(state, now);
    let children = state.children(parent, None).map(|id| expect_row(state, id));
    let children = children.filter(|row| row.kept && row.phase.is_living());
    for mut row in children.take(limits::FAMILY_BATCH) {
        row.parent = root;
        if row.phase != Phase::Installing {
            row.reason = Reason::Adopted;
            // Its environment variables name the parent.
            row.mend = true;
            row.next_attempt = now;
        }
        draft.event(Event::RowChanged(Box::new(row)));
    }
    Some(draft.done())
}
