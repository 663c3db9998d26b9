//! Members whose settings or run state are no longer root's doing: given their settings back and
//! started, in one chain; one that stays stopped is recycled.
//!
//! What is seen of a member is read in `conclude`; this says which member is mended and when.

use super::conclude::Case;
use super::lanes::Room;
use super::tick::expect_row;
use super::{Draft, to_reset};
use crate::Decision;
use crate::record::Row;
use crate::state::State;
use hatchery_types::{EffectKind, FleetSpec, Nanos, Reason};
use ic_stable_structures::Memory;

/// The next member whose settings were last right before the spec's controllers changed.
pub(super) fn mend_next<M: Memory>(
    state: &State<M>,
    now: Nanos,
    spec: &FleetSpec,
    room: &Room,
) -> Option<Decision> {
    if !is_due(state) {
        return None;
    }
    let (_, canister) = *state.index.settled.first()?;
    let mut row = expect_row(state, canister);
    if !room.takes(state, spec, &kind(&row)) {
        return None;
    }
    row.mend = true;
    row.settled_at = now;
    let mut draft = Draft::new(state, now);
    start(&mut draft, row);
    Some(draft.done())
}

/// Some member's settings are older than the spec's controllers.
pub(super) fn is_due<M: Memory>(state: &State<M>) -> bool {
    let oldest = state.index.settled.first();
    let changed_at = state.header().controllers_at;
    changed_at.0 > 0 && oldest.is_some_and(|(at, _)| *at <= changed_at)
}

/// The chain for a member.
pub(super) fn kind(row: &Row) -> EffectKind {
    EffectKind::Mend {
        generation: row.generation,
    }
}

/// Sends the chain.
pub(super) fn start(draft: &mut Draft, row: Row) {
    let kind = kind(&row);
    draft.start_on(row, kind);
}

/// A member was seen with its module but not as it should be, for that reason.
pub(super) fn wanted(case: &Case<'_>, mut row: Row, reason: Reason) -> Row {
    match row.mend {
        // It was started just now, and stands all the same.
        true if row.stopped => to_reset(row, case.now, Reason::NotRunning),
        true => row.held_back(case.now, reason),
        false => {
            row.mend = true;
            row.attempts = 0;
            row.next_attempt = case.now;
            row.reason = reason;
            row
        }
    }
}
