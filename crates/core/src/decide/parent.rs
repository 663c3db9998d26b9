//! Who may speak for a pool: its parent and operators.

use crate::state::State;
use hatchery_types::{CanisterId, ParentSpec, Phase, PoolSpec, Principal};
use ic_stable_structures::Memory;

/// The caller is the pool's parent.
pub(super) fn is_parent<M: Memory>(state: &State<M>, pool: &PoolSpec, caller: Principal) -> bool {
    let caller = CanisterId(caller);
    match &pool.parent {
        None => false,
        Some(ParentSpec::Canister(parent)) => *parent == caller,
        Some(ParentSpec::Role(role)) => {
            let spec = state.spec().into_iter();
            let mut hubs = spec
                .flat_map(|spec| &spec.pools)
                .filter(|it| it.role == *role);
            hubs.any(|hubs| {
                let member = state.member(&hubs.name, caller);
                member.is_some_and(|it| matches!(it.phase, Phase::InService | Phase::Leased))
            })
        }
    }
}
