//! How canisters come into the warm pool by an operator's word: created, imported, requeued.

use super::command::{Act, Acted};
use super::{refused, to_reset};
use crate::limits;
use crate::plant::planted;
use crate::receipt::{Goal, On, Wait};
use crate::record::Row;
use crate::state::State;
use hatchery_types::{CanisterId, Direction, Lane, Nanos, Phase, Reason};
use ic_stable_structures::Memory;

/// One canister more, whatever the minimum; the tick buys it.
pub(super) fn create_empty<M: Memory>(state: &State<M>) -> Act {
    let Some(spec) = state.spec() else {
        return Err(refused(Reason::NoSpec, "apply a spec first"));
    };
    if state.header().is_paused(Direction::Up) {
        return Err(refused(Reason::Paused, "growing is paused: resume first"));
    }
    if rows_left(state) == 0 {
        let text = format!("the fleet has {} canisters", limits::ROWS_MAX);
        return Err(refused(Reason::OverLimit, text));
    }
    let counts = state.counts();
    let spare = counts.phase(Phase::Ready) + counts.recovering;
    let coming = u64::from(counts.lane(Lane::Create)) + state.waiting_count(On::Purchase);
    if spare + coming >= u64::from(spec.warm_pool.maximum) {
        let text = "the warm pool is at its maximum: what is bought would be given back";
        return Err(refused(Reason::AtMaximum, text));
    }
    Ok(Acted {
        wait: Some(Wait {
            goal: Goal::Create,
            on: On::Purchase,
        }),
        ..Acted::default()
    })
}

/// Rows that may still be added; creations in flight and those wanted have theirs already.
pub(super) fn rows_left<M: Memory>(state: &State<M>) -> u64 {
    let coming = u64::from(state.counts().lane(Lane::Create)) + state.lost_creations();
    let taken = state.rows_len() + coming + state.waiting_count(On::Purchase);
    limits::ROWS_MAX.saturating_sub(taken)
}

/// Reset at once, ahead of the queue.
pub(super) fn import_immediate<M: Memory>(state: &State<M>, now: Nanos, id: CanisterId) -> Act {
    let row = import(state, now, state.row(id), id, rows_left(state)).map_err(|reason| {
        let text = match &reason {
            Reason::Registered { .. } => format!("{id} is a member of a pool: recycle it instead"),
            Reason::AlreadyManaged => format!("{id} is in the warm pool already"),
            Reason::OverLimit => format!("the fleet has {} canisters", limits::ROWS_MAX),
            _ => format!("{id} is no canister that could be imported"),
        };
        (reason, text)
    })?;
    let row = Row {
        urgent: true,
        next_attempt: Nanos(0),
        ..row
    };
    Ok(Acted::under_way(row, Goal::Import))
}

/// A row for a canister that is nobody's yet, or that failed before.
pub(super) fn import<M: Memory>(
    state: &State<M>,
    now: Nanos,
    row: Option<Row>,
    id: CanisterId,
    room: u64,
) -> Result<Row, Reason> {
    match row {
        Some(row) if is_stuck(&row) => requeue(now, Some(row)),
        Some(_) if planted("p03") => Ok(Row::new(id, Phase::PendingReset, now, Reason::Imported)),
        Some(row) if row.phase.is_member() => Err(Reason::Registered {
            role: row.role.unwrap_or_default(),
            parent: row.parent,
        }),
        Some(_) => Err(Reason::AlreadyManaged),
        None if !is_canister(id) || state.header().root == Some(id) => Err(Reason::UnknownCanister),
        None if room == 0 => Err(Reason::OverLimit),
        None => Ok(Row::new(id, Phase::PendingReset, now, Reason::Imported)),
    }
}

/// Canister ids are opaque ids: their last byte is 1 (interface specification, "Principals").
fn is_canister(id: CanisterId) -> bool {
    id.0.as_slice().last() == Some(&1)
}

fn is_stuck(row: &Row) -> bool {
    matches!(row.phase, Phase::Failed | Phase::Lost)
}

/// Back to the reset queue.
pub(super) fn requeue(now: Nanos, row: Option<Row>) -> Result<Row, Reason> {
    let row = row.ok_or(Reason::UnknownCanister)?;
    if is_stuck(&row) {
        Ok(to_reset(row, now, Reason::Requeued))
    } else {
        Err(Reason::WrongPhase)
    }
}
