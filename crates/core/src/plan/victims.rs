//! Who leaves when a pool shrinks.

use super::view::PoolView;
use crate::plant::planted;
use crate::state::Member;
use hatchery_types::{CanisterId, Nanos, Phase};
use std::cmp::Reverse;

/// Members that may be cordoned, the least useful first; never a leased or a protected one,
/// nor one that was asked for or has children.
///
/// Silent ones first, then outdated modules, then the least loaded, then the youngest; a load that
/// is not known counts as busy.
pub(crate) fn victims(view: &PoolView<'_>) -> Vec<CanisterId> {
    let load = view.spec.load();
    let mut victims: Vec<_> = view
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
            (
                !member.silent,
                is_current(view, member),
                value.unwrap_or(u64::MAX),
                Reverse(member.in_service_at),
                member.canister,
            )
        })
        .collect();
    victims.sort_unstable();
    victims.into_iter().map(|victim| victim.4).collect()
}

/// Draining members that scale-in chose and that may come back, the last cordoned first.
pub(super) fn comebacks(view: &PoolView<'_>) -> Vec<CanisterId> {
    let mut back: Vec<&Member> = view
        .members
        .iter()
        .filter(|member| member.phase == Phase::Draining && member.scaled_in)
        .filter(|member| is_current(view, member))
        .collect();
    back.sort_by_key(|member| (Reverse(member.since), member.canister));
    back.iter().map(|member| member.canister).collect()
}

/// Members on standby that may be promoted, the longest there first.
pub(super) fn promotable(view: &PoolView<'_>) -> Vec<CanisterId> {
    let mut standby: Vec<(Nanos, CanisterId)> = view
        .members
        .iter()
        .filter(|member| member.phase == Phase::Standby && !member.starting)
        .map(|member| (member.since, member.canister))
        .collect();
    standby.sort_unstable();
    standby.into_iter().map(|(_, id)| id).collect()
}

/// Members on standby that may go: outdated ones first, then the youngest; with since when.
pub(super) fn dispensable(view: &PoolView<'_>) -> Vec<(Nanos, CanisterId)> {
    let mut standby: Vec<_> = view
        .members
        .iter()
        .filter(|member| member.phase == Phase::Standby && !member.starting && !member.bound)
        .map(|member| {
            let order = (is_current(view, member), Reverse(member.since));
            (order, member.canister)
        })
        .collect();
    standby.sort_unstable();
    standby
        .into_iter()
        .map(|((_, Reverse(since)), id)| (since, id))
        .collect()
}

fn is_current(view: &PoolView<'_>, member: &Member) -> bool {
    view.module.is_none() || member.module == view.module
}
