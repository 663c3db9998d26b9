//! A canister on its way out of the warm pool: into its old pool, or to another controller.
//!
//! A hand-over is never repeated blindly: after one with an unknown end anybody may ask the
//! platform who controls the canister, and root does.

use super::conclude::{Case, is_gone};
use super::departure::why_not_adopted;
use super::lanes::Room;
use super::tick::claim;
use super::{Draft, to_reset};
use crate::Event;
use crate::limits;
use crate::record::Row;
use crate::state::State;
use hatchery_types::{EffectKind, ExportTo, FleetSpec, Lane, Nanos, Outcome, Phase, Reason, Value};
use ic_stable_structures::Memory;

/// The next call for a row that is being exported.
pub(super) fn go_on<M: Memory>(
    state: &State<M>,
    draft: &mut Draft,
    now: Nanos,
    spec: &FleetSpec,
    room: &Room,
    row: Row,
) {
    match row.export_to {
        Some(ExportTo::Principal(_)) if matches!(row.reason, Reason::Unknown(_)) => {
            let canister = row.canister;
            draft.start_on(row, EffectKind::Info { canister });
        }
        Some(ExportTo::Principal(to)) => {
            let row = Row { since: now, ..row };
            draft.start_on(row, EffectKind::HandOver { to });
        }
        _ => adopt(state, draft, now, spec, room, row),
    }
}

/// Claims the canister for its old pool. What forbids it now sends it back, through a reset: what
/// was observed of it before may be of another spec.
fn adopt<M: Memory>(
    state: &State<M>,
    draft: &mut Draft,
    now: Nanos,
    spec: &FleetSpec,
    room: &Room,
    row: Row,
) {
    if let Some((reason, _)) = why_not_adopted(state, &row) {
        draft.row(to_reset(row, now, reason));
    } else if room.lane(state, spec, Lane::Install) == 0 {
        draft.wait_for_lane(row);
    } else {
        let pool = row.pool.clone().unwrap_or_default();
        claim(state, draft, now, spec, &pool, row);
    }
}

/// Handed over, certainly not, or to be looked at.
pub(super) fn after_hand_over(draft: &mut Draft, case: &Case<'_>, row: Row) {
    let now = case.now;
    match (case.last(), case.trouble()) {
        (_, None) => {
            draft.event(Event::RowRemoved(row.canister, Reason::Exported));
        }
        (outcome, Some(_)) if is_gone(outcome) => {
            draft.row(row.moved(Phase::Lost, now, Reason::Gone));
        }
        (Outcome::Refused(_), Some(trouble)) => {
            draft.row(to_reset(row, now, trouble));
        }
        (Outcome::NotExecuted(_), Some(trouble)) => {
            draft.row(row.held_back(now, trouble));
        }
        (_, Some(trouble)) => {
            let next_attempt = now;
            draft.row(Row {
                next_attempt,
                reason: trouble,
                ..row
            });
        }
    }
}

/// What anybody can see tells whether an unknown hand-over happened. "It did not" counts only
/// when it is too old to happen yet.
pub(super) fn after_info(draft: &mut Draft, case: &Case<'_>, row: Row) {
    let now = case.now;
    let Some(ExportTo::Principal(to)) = row.export_to else {
        draft.row(to_reset(row, now, Reason::Requeued));
        return;
    };
    match case.last() {
        Outcome::Done(Value::Told(seen)) if seen.controllers == [to] => {
            draft.event(Event::RowRemoved(row.canister, Reason::Exported));
        }
        Outcome::Done(_) if case.started_at.since(row.since) < limits::ABSENCE_AGE => {
            draft.row(Row {
                next_attempt: now + limits::LOOK_AGAIN,
                ..row
            });
        }
        Outcome::Done(_) => {
            let reason = row.reason.clone();
            draft.row(to_reset(row, now, reason));
        }
        outcome if is_gone(outcome) => {
            draft.row(row.moved(Phase::Lost, now, Reason::Gone));
        }
        _ => {
            let reason = row.reason.clone();
            draft.row(row.held_back(now, reason));
        }
    }
}
