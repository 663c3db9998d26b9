//! Whose past a new tenant may inherit: with a canister's id go balances, rights and keys of the
//! last tenant, so its last role says who may have it next.
//!
//! A role that left the spec counts as one with the default rule, but that `never` stays: root
//! remembers such roles, since their canisters may still be on their way out. Canisters without a
//! past, bought or imported, are anybody's.

use crate::plan::in_order;
use crate::plant::planted;
use crate::record::Row;
use crate::state::{Queue, State};
use hatchery_types::{CanisterId, FleetSpec, Reuse};
use ic_stable_structures::Memory;

/// Who wants a canister.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heir<'a> {
    pub(super) role: &'a str,
    pub(super) parent: Option<CanisterId>,
}

/// The first `count` ready canisters that the heir may have, oldest first.
pub(super) fn fitting<M: Memory>(
    state: &State<M>,
    spec: &FleetSpec,
    heir: Heir<'_>,
    count: usize,
) -> Vec<CanisterId> {
    if planted("p24") {
        return state
            .index
            .ready
            .iter()
            .take(count)
            .map(|(_, id)| *id)
            .collect();
    }
    let queues = queues(state, spec, heir);
    let firsts = queues.flat_map(|queue| queue.iter().take(count));
    let mut firsts = in_order(firsts.map(|(since, id)| ([since.0, 0, 0], *id)).collect());
    firsts.truncate(count);
    firsts
}

/// How many ready canisters the heir may have.
pub(super) fn count_fitting<M: Memory>(
    state: &State<M>,
    spec: &FleetSpec,
    heir: Heir<'_>,
) -> usize {
    queues(state, spec, heir).map(Queue::len).sum()
}

/// That canister may become a worker of the heir's.
pub(super) fn may_have(spec: &FleetSpec, row: &Row, heir: Heir<'_>) -> bool {
    let Some(past) = &row.role else {
        return true;
    };
    match spec.role(past).map_or(Reuse::SameRole, |past| past.reuse) {
        Reuse::Any => true,
        Reuse::SameRole => past == heir.role,
        Reuse::SameParent => row.parent == heir.parent,
        Reuse::Never => false,
    }
}

/// At most one queue a role of the spec, and that of canisters without a past.
fn queues<'a, M: Memory>(
    state: &'a State<M>,
    spec: &'a FleetSpec,
    heir: Heir<'a>,
) -> impl Iterator<Item = &'a Queue> {
    let pasts = &state.index.pasts;
    let of_roles = spec.roles.iter().filter_map(move |past| match past.reuse {
        Reuse::Any => pasts.of_role(Some(&past.name)),
        Reuse::SameRole if past.name == heir.role => pasts.of_role(Some(&past.name)),
        Reuse::SameParent => pasts.of_parent(&past.name, heir.parent),
        Reuse::SameRole | Reuse::Never => None,
    });
    pasts.of_role(None).into_iter().chain(of_roles)
}

/// It had a role whose canisters nobody may have again.
pub(super) fn is_last_tenancy<M: Memory>(state: &State<M>, row: &Row) -> bool {
    let Some(past) = &row.role else {
        return false;
    };
    match state.spec().and_then(|spec| spec.role(past)) {
        Some(role) => role.reuse == Reuse::Never,
        None => state.header().never_reused.contains(past),
    }
}
