//! The size of the warm pool: what is bought, what is given back, and what holds either back.

use super::lanes::Room;
use super::tick::expect_row;
use super::{Draft, operation};
use crate::limits;
use crate::plant::planted;
use crate::receipt::On;
use crate::state::State;
use crate::{Decision, Vitals};
use hatchery_types::{
    Cycles, Direction, EffectId, EffectKind, FleetSpec, Lane, Nanos, Phase, Reason,
};
use ic_stable_structures::Memory;

/// Canisters to buy; what is in flight counts.
pub fn missing_canisters<M: Memory>(state: &State<M>) -> u64 {
    state.spec().map_or(0, |spec| missing(state, spec))
}

/// Why maintenance does nothing though something is wanted; none = it is not held back.
pub fn maintenance_paused<M: Memory>(
    state: &State<M>,
    now: Nanos,
    vitals: &Vitals,
) -> Option<Reason> {
    let header = state.header();
    let reason = warm_reason(state, now, vitals);
    let moves = matches!(
        reason,
        Reason::Satisfied | Reason::BelowMinimum | Reason::LaneFull
    );
    if !moves {
        return Some(reason);
    }
    let paused = header.is_paused(Direction::Up) || header.is_paused(Direction::Down);
    paused.then_some(Reason::Paused)
}

/// Canisters missing to the minimum and to what pools wait for, or asked for by name. What is in flight counts; a row
/// with a failed attempt does not.
fn missing<M: Memory>(state: &State<M>, spec: &FleetSpec) -> u64 {
    let counts = state.counts();
    let recovering = if planted("p11") { 0 } else { counts.recovering };
    let spare = counts.phase(Phase::Ready) + recovering;
    let coming = spare + u64::from(counts.lane(Lane::Create));
    let unmet: u64 = state
        .index
        .hungry
        .values()
        .map(|unmet| u64::from(*unmet))
        .sum();
    let missing = (u64::from(spec.warm_pool.minimum) + unmet).saturating_sub(coming);
    missing.max(state.waiting_count(On::Purchase))
}

/// Buys what is missing, a batch at a time.
pub(super) fn refill<M: Memory>(
    state: &State<M>,
    now: Nanos,
    spec: &FleetSpec,
    vitals: &Vitals,
    room: &Room,
) -> Option<Decision> {
    if state.header().create_after > now || held_back(state, now, spec).is_some() {
        return None;
    }
    let each = cost_of_creation(spec);
    let spare_liquid = vitals.liquid.less(spec.reserve);
    let payable = spare_liquid.0 / each.0.max(1);
    let lane = u64::from(
        room.lane(state, spec, Lane::Create)
            .min(limits::CREATE_BATCH),
    );
    let count = missing(state, spec).min(lane).min(payable as u64);
    if count == 0 {
        return None;
    }
    let mut draft = Draft::new(state, now);
    let cycles = spec.warm_pool.cycles;
    let effects: Vec<EffectId> = (0..count)
        .map(|_| draft.start(EffectKind::Create { cycles }, None))
        .collect();
    operation::tie_purchases(state, &mut draft, &effects);
    Some(draft.done())
}

/// Cycles that a creation takes from root's liquid balance until it is answered.
fn cost_of_creation(spec: &FleetSpec) -> Cycles {
    Cycles(spec.warm_pool.cycles.0.saturating_add(limits::CALL_LOCK.0))
}

/// Something is to be bought and only time or cycles can stand in its way.
pub(super) fn wants<M: Memory>(state: &State<M>, now: Nanos, spec: &FleetSpec) -> bool {
    held_back(state, now, spec).is_none() && state.counts().lane(Lane::Create) == 0
}

/// Creations of the last day whose outcome is unknown, counted up to the limit.
fn lost_lately<M: Memory>(state: &State<M>, now: Nanos) -> usize {
    let newest = state
        .index
        .lost
        .values()
        .rev()
        .take(limits::LOST_CREATIONS_MAX);
    newest
        .filter(|lost| now.since(lost.started_at) < limits::LOST_CREATIONS_PERIOD)
        .count()
}

/// What forbids buying, whatever is missing.
fn held_back<M: Memory>(state: &State<M>, now: Nanos, spec: &FleetSpec) -> Option<Reason> {
    let counts = state.counts();
    if state.header().is_paused(Direction::Up) {
        Some(Reason::Paused)
    } else if missing(state, spec) == 0 || (planted("p13") && state.header().create_failures > 0) {
        Some(Reason::Satisfied)
    } else if lost_lately(state, now) >= limits::LOST_CREATIONS_MAX {
        Some(Reason::LostCreations)
    } else if counts.unproven >= limits::UNPROVEN_MAX {
        Some(Reason::UnprovenCanisters)
    } else if state.rows_len() + u64::from(counts.lane(Lane::Create)) >= limits::ROWS_MAX {
        Some(Reason::OverLimit)
    } else {
        None
    }
}

/// What the warm pool does, or what holds it back.
pub fn warm_reason<M: Memory>(state: &State<M>, now: Nanos, vitals: &Vitals) -> Reason {
    let Some(spec) = state.spec() else {
        return Reason::NoSpec;
    };
    if vitals.stopping {
        return Reason::RootStopping;
    }
    if let Some(reason) = held_back(state, now, spec) {
        return reason;
    }
    let header = state.header();
    if header.create_after > now {
        return header.create_reason.clone().unwrap_or(Reason::BackingOff {
            until: header.create_after,
        });
    }
    if vitals.liquid.less(spec.reserve) < cost_of_creation(spec) {
        return Reason::AtReserve;
    }
    if state.counts().lane(Lane::Create) >= spec.lanes.create {
        return Reason::LaneFull;
    }
    Reason::BelowMinimum
}

/// Gives back what exceeds the maximum, youngest first; nothing while a pool waits for canisters.
pub(super) fn sell_surplus<M: Memory>(
    state: &State<M>,
    now: Nanos,
    spec: &FleetSpec,
    room: &Room,
) -> Option<Decision> {
    let surplus = state.counts().phase(Phase::Ready) > u64::from(spec.warm_pool.maximum);
    let idle = state.index.hungry.is_empty() && !state.header().is_paused(Direction::Down);
    if !surplus || !idle || !room.takes(state, spec, &EffectKind::Stop) {
        return None;
    }
    let (_, youngest) = *state.index.ready.last()?;
    let mut draft = Draft::new(state, now);
    draft.row(expect_row(state, youngest).moved(Phase::Deleting, now, Reason::Surplus));
    Some(draft.done())
}
