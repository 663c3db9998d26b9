//! The size of the warm pool: what is bought, what is given back, and what holds either back.

use super::lanes::Room;
use super::tick::{expect_row, parent_of};
use super::{Draft, departure, operation, past, standing};
use crate::limits;
use crate::plant::planted;
use crate::receipt::On;
use crate::state::{Hunger, State};
use crate::{Decision, Vitals};
use hatchery_types::{
    Cycles, Direction, EffectId, EffectKind, FleetSpec, Lane, Nanos, Phase, Reason, WarmPoolSpec,
};
use ic_stable_structures::Memory;

/// Canisters to buy; what is in flight counts.
pub fn missing_canisters<M: Memory>(state: &State<M>, now: Nanos) -> u64 {
    state.spec().map_or(0, |spec| missing(state, now, spec))
}

/// Spare canisters kept now: the minimum, that of a window that is on, or the share of the fleet as
/// it is wanted; never more than the maximum.
pub fn kept_spare<M: Memory>(state: &State<M>, now: Nanos) -> u64 {
    state
        .spec()
        .map_or(0, |spec| kept(state, now, &spec.warm_pool))
}

fn kept<M: Memory>(state: &State<M>, now: Nanos, warm: &WarmPoolSpec) -> u64 {
    let living = Phase::ALL.into_iter().filter(|phase| phase.is_living());
    let living: u64 = living.map(|phase| state.counts().phase(phase)).sum();
    let wanted = living + unmet(state);
    // Of all, members and spare ones, the share: `spare = (wanted + spare) * share`.
    let share = u64::from(warm.target_percent.min(99));
    let of_fleet = (wanted * share).div_ceil(100 - share);
    let windows = warm.schedule.iter().filter(|window| window.is_on(now));
    let of_window = windows.map(|window| window.min.max(window.desired)).max();
    let most = of_fleet.max(of_window.unwrap_or(0).into());
    let minimum = u64::from(warm.minimum);
    most.min(warm.maximum.into()).max(minimum)
}

/// Workers wanted by pools that found no canister.
fn unmet<M: Memory>(state: &State<M>) -> u64 {
    let hungry = state.index.hungry.values();
    hungry.map(|hunger| u64::from(hunger.useful)).sum()
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
    if let Some(until) = breaker_until(state, now) {
        return Some(Reason::BreakerOpen { until });
    }
    if !moves {
        return Some(reason);
    }
    let paused = header.is_paused(Direction::Up) || header.is_paused(Direction::Down);
    paused.then_some(Reason::Paused)
}

/// Until when the breaker of resets or that of creations holds them back; of two the later.
fn breaker_until<M: Memory>(state: &State<M>, now: Nanos) -> Option<Nanos> {
    let header = state.header();
    let resets = header.resets.open_until();
    let creations = (header.create_failures >= limits::CREATE_FAILURES_MAX
        && header.create_after > now)
        .then_some(header.create_after);
    resets.max(creations)
}

/// Canisters missing to what is kept and to what pools wait for, or asked for by name. What is in
/// flight counts, lost creations that are searched for among it; a row with a failed attempt does
/// not.
fn missing<M: Memory>(state: &State<M>, now: Nanos, spec: &FleetSpec) -> u64 {
    let counts = state.counts();
    let recovering = if planted("p11") { 0 } else { counts.recovering };
    let coming = recovering + state.sought_creations() + u64::from(counts.lane(Lane::Create));
    let spare = coming + counts.phase(Phase::Ready);
    let missing = (kept(state, now, &spec.warm_pool) + unmet(state)).saturating_sub(spare);
    let unfit = unmet_by_past(state, spec).saturating_sub(coming);
    missing.max(unfit) + state.waiting_count(On::Purchase)
}

/// Workers wanted for whom no ready canister has the right past.
fn unmet_by_past<M: Memory>(state: &State<M>, spec: &FleetSpec) -> u64 {
    if state.index.ready.is_empty() {
        return unmet(state);
    }
    let lacking = |(name, hunger): (&String, &Hunger)| {
        let pool = spec.pool(name)?;
        let heir = past::Heir {
            role: &pool.role,
            parent: parent_of(state, pool),
        };
        let fitting = past::count_fitting(state, spec, heir) as u64;
        Some(u64::from(hunger.useful).saturating_sub(fitting))
    };
    state.index.hungry.iter().filter_map(lacking).sum()
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
    let lane = u64::from(room.lane(state, spec, Lane::Create).min(if planted("l11") {
        u32::MAX
    } else {
        limits::CREATE_BATCH
    }));
    // After a failure one creation tries again before the others do.
    let probing = state.header().create_failures > 0;
    let lane = match state.counts().lane(Lane::Create) {
        0 if probing => lane.min(1),
        _ if probing => 0,
        _ => lane,
    };
    let count = missing(state, now, spec).min(lane).min(payable as u64);
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
pub(super) fn cost_of_creation(spec: &FleetSpec) -> Cycles {
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
    if let Some(reason) = standing::held_back(state) {
        Some(reason)
    } else if state.header().is_paused(Direction::Up) {
        Some(Reason::Paused)
    } else if missing(state, now, spec) == 0
        || (planted("p13") && state.header().create_failures > 0)
    {
        Some(if state.sought_creations() > 0 {
            Reason::SearchingLost
        } else {
            Reason::Satisfied
        })
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
    draft.row(departure::let_go(spec, now, expect_row(state, youngest)));
    Some(draft.done())
}
