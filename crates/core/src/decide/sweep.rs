//! Sweeping: cycles that a spare canister holds above the line, and all that a canister holds that
//! is given back to the platform, are deposited to root first.
//!
//! No management call moves cycles out of a canister, and `delete_canister` discards them. So the
//! sweeper is installed, deposits by itself, and the next look shows what it did. When it cannot,
//! a canister that was to be Ready has failed, since it holds more than the ceiling; one that leaves
//! goes on as it is, and what a delete discards is booked.

use super::Draft;
use super::conclude::{Case, gone, is_gone};
use super::lanes::Room;
use crate::limits;
use crate::record::{Row, Sweep, SweepStep};
use crate::state::State;
use hatchery_types::{EffectKind, FleetSpec, Lane, Outcome, Phase, Reason};
use ic_stable_structures::Memory;

/// A verified canister that holds too much is swept, and verified again, before it is Ready.
pub(super) fn before_ready(case: &Case<'_>, mut row: Row) -> Row {
    if row.phase != Phase::Ready {
        return row;
    }
    let line = case.spec.and_then(|spec| spec.warm_pool.sweep_above);
    let attempts = row.sweep.take().map_or(0, |sweep| sweep.attempts);
    match (line, row.cycles) {
        (Some(line), Some(held)) if held > line => {
            if attempts >= limits::SWEEPS_MAX {
                return row.moved(Phase::Failed, case.now, Reason::AboveSweepLine);
            }
            let mut row = row.moved(Phase::PendingReset, case.now, Reason::AboveSweepLine);
            row.sweep = Some(Sweep {
                attempts,
                ..Sweep::wanted()
            });
            row
        }
        _ => row,
    }
}

/// The sweeper is to be installed on a row that waits for its reset.
pub(super) fn is_wanted(row: &Row) -> bool {
    row.sweep
        .is_some_and(|sweep| sweep.step == SweepStep::Wanted)
}

/// What a canister goes through before it is deleted.
pub(super) fn before_delete<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    spec: &FleetSpec,
    room: &Room,
    mut row: Row,
) {
    let worth = spec.warm_pool.sweep_above.is_some() && row.cycles > Some(limits::SWEEP_WORTH);
    if row.sweep.is_none() && worth {
        row.sweep = Some(Sweep::wanted());
    }
    match row.sweep.map(|sweep| sweep.step) {
        Some(SweepStep::Wanted) => start(draft, state, spec, room, row),
        Some(SweepStep::Sent) => draft.start_on(row, EffectKind::Observe),
        Some(SweepStep::Over) | None => draft.start_on(row, EffectKind::Stop),
    }
}

/// Installs the sweeper; a full lane is waited for without holding up others.
pub(super) fn start<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    spec: &FleetSpec,
    room: &Room,
    row: Row,
) {
    if room.lane(state, spec, Lane::Install) == 0 {
        return draft.wait_for_lane(row);
    }
    let keep = match row.exit {
        _ if row.phase == Phase::Deleting => limits::SWEEP_REST,
        Some(_) => spec.warm_pool.floor,
        None => spec.warm_pool.cycles.max(spec.warm_pool.floor),
    };
    draft.start_on(row, EffectKind::Sweep { keep });
}

/// The sweeper is there, or not: a look follows, another attempt, or the row goes on as it is.
pub(super) fn after_sweep(draft: &mut Draft, case: &Case<'_>, mut row: Row) {
    let now = case.now;
    let outcome = case.last();
    if is_gone(outcome) {
        return gone(draft, case, row);
    }
    let attempts = row.sweep.map_or(0, |sweep| sweep.attempts) + 1;
    let (step, attempts, next_attempt) = match outcome {
        Outcome::Done(_) => (SweepStep::Sent, attempts, now + limits::SWEEP_WAIT),
        // It may run yet, and must not run in the next tenant's place.
        Outcome::Unknown(_) => (
            SweepStep::Sent,
            attempts,
            case.started_at + limits::ABSENCE_AGE,
        ),
        Outcome::NotExecuted(_) if attempts < limits::SWEEPS_MAX => {
            (SweepStep::Wanted, attempts, now + limits::backoff(attempts))
        }
        _ => (SweepStep::Over, limits::SWEEPS_MAX, now),
    };
    row.next_attempt = next_attempt;
    row.sweep = Some(Sweep { attempts, step });
    draft.row(row);
}

/// The look at a canister that was swept before it is deleted.
pub(super) fn after_look(draft: &mut Draft, case: &Case<'_>, mut row: Row) {
    if is_gone(case.last()) {
        return gone(draft, case, row);
    }
    match (case.observation(), case.trouble()) {
        (Some(seen), _) => row.take_balance(seen.cycles, case.now),
        // What is left tells what went back to root and what is discarded.
        (None, Some(trouble)) if row.attempts + 1 < limits::ATTEMPTS_MAX => {
            draft.row(row.held_back(case.now, trouble));
            return;
        }
        _ => {}
    }
    if let Some(sweep) = &mut row.sweep {
        sweep.step = SweepStep::Over;
    }
    (row.attempts, row.next_attempt) = (0, case.now);
    draft.row(row);
}
