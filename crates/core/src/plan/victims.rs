//! Who leaves when a pool shrinks.

use super::view::PoolView;
use crate::plant::planted;
use crate::state::Member;
use hatchery_types::{CanisterId, Nanos, Phase};

/// Members that may be cordoned, the least useful first; never a leased or a protected one,
/// nor one that was asked for or has children.
///
/// Silent ones first, then outdated modules, then the least loaded, then the youngest; a load that
/// is not known counts as busy.
pub(crate) fn victims(view: &PoolView<'_>) -> Vec<CanisterId> {
    let load = view.spec.load();
    let victims = view
        .members
        .iter()
        .filter(|member| !member.bound || planted("s15"))
        .filter(|member| match member.phase {
            Phase::InService => member.protected_until <= view.now || planted("s15"),
            Phase::Leased => planted("s15"),
            _ => false,
        })
        .map(|member| {
            let value = load
                .and_then(|(position, signal)| view.fresh(signal, member.samples.get(position)));
            let fit = 2 * u64::from(!member.silent) + u64::from(is_current(view, member));
            let youth = u64::MAX - member.in_service_at.0;
            ([fit, value.unwrap_or(u64::MAX), youth], member.canister)
        });
    in_order(victims.collect())
}

/// Draining members that scale-in chose and that may come back, the last cordoned first.
pub(super) fn comebacks(view: &PoolView<'_>) -> Vec<CanisterId> {
    let back = view
        .members
        .iter()
        .filter(|member| member.phase == Phase::Draining && member.scaled_in)
        .filter(|member| is_current(view, member))
        .map(|member| ([u64::MAX - member.since.0, 0, 0], member.canister));
    in_order(back.collect())
}

/// Members on standby that may be promoted, the longest there first.
pub(super) fn promotable(view: &PoolView<'_>) -> Vec<CanisterId> {
    let standby = view
        .members
        .iter()
        .filter(|member| member.phase == Phase::Standby && !member.starting)
        .map(|member| ([member.since.0, 0, 0], member.canister));
    in_order(standby.collect())
}

/// Members on standby that may go: outdated ones first, then the youngest; with since when.
pub(super) fn dispensable(view: &PoolView<'_>) -> Vec<(Nanos, CanisterId)> {
    let mut standby: Vec<Placed> = view
        .members
        .iter()
        .filter(|member| member.phase == Phase::Standby && !member.starting && !member.bound)
        .map(|member| {
            let current = u64::from(is_current(view, member));
            ([current, u64::MAX - member.since.0, 0], member.canister)
        })
        .collect();
    standby.sort_unstable();
    standby
        .into_iter()
        .map(|([_, youth, _], id)| (Nanos(u64::MAX - youth), id))
        .collect()
}

/// A canister and the numbers by which it comes before others, smaller ones first; of equals the
/// one with the smaller id.
pub(crate) type Placed = ([u64; 3], CanisterId);

/// The canisters, the first first. One sort for all that is put in order: each kind of entry would
/// bring its own into the wasm.
pub(crate) fn in_order(mut placed: Vec<Placed>) -> Vec<CanisterId> {
    placed.sort_unstable();
    placed.into_iter().map(|(_, id)| id).collect()
}

fn is_current(view: &PoolView<'_>, member: &Member) -> bool {
    view.module.is_none() || member.module == view.module
}
