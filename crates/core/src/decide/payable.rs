//! Whether root can pay for the least that a spec asks for. Read by the shell before it applies one;
//! nothing is changed here, and what a pool only may grow to is nobody's debt.

use super::refill::cost_of_creation;
use crate::Vitals;
use crate::limits;
use crate::standing::Standing;
use crate::state::State;
use hatchery_types::{Cycles, FleetSpec, Lane, Phase, Reason};
use ic_stable_structures::Memory;

/// Why a spec cannot be paid for, with what is needed and what is there; none = it can, or it asks
/// for no more than the one before. Canisters that are there count for whatever they are used.
pub fn unpayable<M: Memory>(
    state: &State<M>,
    vitals: &Vitals,
    spec: &FleetSpec,
) -> Option<(Reason, String)> {
    if matches!(state.header().standing, Standing::Recovering) {
        return None;
    }
    let least = least(state, spec);
    let there = there(state);
    let need = cost(spec, least.saturating_sub(there));
    let before = state.spec().map_or(Cycles(0), |before| {
        cost(before, self::least(state, before).saturating_sub(there))
    });
    // What calls in flight hold comes back.
    let locked = limits::CALL_LOCK.0 * u128::from(state.counts().calls);
    let have = Cycles(vitals.liquid.0.saturating_add(locked)).less(spec.reserve);
    if need <= have || need <= before {
        return None;
    }
    let missing = least.saturating_sub(there);
    let lacking = need.less(have);
    let places: Vec<String> = spec
        .pools
        .iter()
        .filter(|pool| pool.enabled && pool.min.max(pool.initial) > 0)
        .map(|pool| {
            format!(
                "pools.{} (min {}, initial {})",
                pool.name, pool.min, pool.initial
            )
        })
        .collect();
    let text = format!(
        "{} and warm_pool.minimum {} ask for {least} canisters at least; {there} are there, and \
         {missing} more cost {need}. Root has {have} above its reserve of {}. Send it {lacking}, or \
         lower what is asked for",
        places.join(", "),
        spec.warm_pool.minimum,
        spec.reserve,
    );
    Some((Reason::Unpayable, text))
}

/// Canisters that a spec asks for whatever the load: members and spare ones.
fn least<M: Memory>(state: &State<M>, spec: &FleetSpec) -> u64 {
    let pools = spec.pools.iter().filter(|pool| pool.enabled);
    let members = pools.map(|pool| {
        let record = state.pool(&pool.name);
        let began = record.is_some_and(|record| record.bootstrapped);
        let first = if began { 0 } else { pool.initial };
        u64::from(pool.min.max(first))
    });
    members.sum::<u64>() + u64::from(spec.warm_pool.minimum)
}

/// Canisters that are there, or paid for.
fn there<M: Memory>(state: &State<M>) -> u64 {
    let gone = [
        Phase::Lost,
        Phase::Failed,
        Phase::Deleting,
        Phase::Exporting,
    ];
    let phases = Phase::ALL.into_iter().filter(|phase| !gone.contains(phase));
    let rows: u64 = phases.map(|phase| state.counts().phase(phase)).sum();
    rows + state.sought_creations() + u64::from(state.counts().lane(Lane::Create))
}

fn cost(spec: &FleetSpec, canisters: u64) -> Cycles {
    Cycles(cost_of_creation(spec).0.saturating_mul(canisters.into()))
}
