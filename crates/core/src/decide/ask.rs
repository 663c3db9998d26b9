//! Calls to workers' own code: the start-up check, and questions for numbers. Bounded in number and
//! time; what a worker answers, or fails to, changes its own row alone.

use super::lanes::Room;
use super::service::{asked_at, land};
use super::tick::expect_row;
use super::{Draft, to_reset, trial};
use crate::Decision;
use crate::limits;
use crate::record::{Row, Sample};
use crate::state::State;
use hatchery_types::{
    EffectKind, FleetSpec, Nanos, Outcome, Phase, PullSpec, Reason, Source, Value,
};
use ic_stable_structures::Memory;

/// A member on standby that has not started yet: asked again, or out of time.
pub(super) fn check<M: Memory>(draft: &mut Draft, state: &State<M>, row: Row) {
    if draft.now < row.starts_until {
        return draft.start_on(row, EffectKind::Check);
    }
    let pool = row.pool.clone().unwrap_or_default();
    if let Some(module) = row.module {
        trial::note_failed_start(draft, state, &pool, module);
    }
    let now = draft.now;
    draft.row(to_reset(row, now, Reason::StartFailed));
}

/// Any reply means that the worker works.
pub(super) fn after_check<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    mut row: Row,
    outcome: &Outcome,
) {
    let now = draft.now;
    let starting = row.phase == Phase::Standby && row.starts_until.0 > 0;
    if !starting {
        draft.row(row);
    } else if matches!(outcome, Outcome::Done(_)) {
        let pool = row.pool.clone().unwrap_or_default();
        if let Some(module) = row.module {
            trial::note_start(draft, state, &pool, module);
        }
        row.starts_until = Nanos(0);
        draft.row(land(state, now, row, Reason::Installed));
    } else {
        row.next_attempt = row.starts_until.min(now + limits::CHECK_POLL);
        draft.row(row);
    }
}

/// The next worker that is to be asked for a number; its questions take turns.
pub(super) fn ask_next<M: Memory>(
    state: &State<M>,
    now: Nanos,
    spec: &FleetSpec,
    room: &Room,
) -> Option<Decision> {
    let (due, canister) = *state.index.pulls.first()?;
    let signal = String::new();
    if due > now || !room.takes(state, spec, &EffectKind::Pull { signal }) {
        return None;
    }
    let mut row = expect_row(state, canister);
    let mut draft = Draft::new(state, now);
    let pulls = pulls_of(spec, &row);
    if pulls.is_empty() {
        row.next_pull = Nanos::MAX;
        draft.row(row);
        return Some(draft.done());
    }
    let signal = pulls[row.pulls as usize % pulls.len()].signal.clone();
    row.pulls = row.pulls.wrapping_add(1);
    row.next_pull = asked_at(Some(spec), now, &row);
    draft.start_on(row, EffectKind::Pull { signal });
    Some(draft.done())
}

/// What a worker is asked for: what its role can answer and its pool follows.
fn pulls_of<'a>(spec: &'a FleetSpec, row: &Row) -> Vec<&'a PullSpec> {
    let role = row.role.as_deref().and_then(|role| spec.role(role));
    let pool = row.pool.as_deref().and_then(|pool| spec.pool(pool));
    let followed = |pull: &&PullSpec| {
        let signal = pool.and_then(|pool| pool.signal(&pull.signal));
        signal.is_some_and(|(_, signal)| signal.source == Source::Pulled)
    };
    let pulls = role.into_iter().flat_map(|role| &role.pulls);
    pulls.filter(followed).collect()
}

/// A number that makes sense is a sample; anything else leaves the last one to grow stale.
pub(super) fn after_pull(
    spec: Option<&FleetSpec>,
    now: Nanos,
    mut row: Row,
    signal: &str,
    outcome: &Outcome,
) -> Row {
    if row.phase == Phase::Draining {
        row.next_attempt = now;
    }
    let pool = row.pool.as_deref().and_then(|pool| spec?.pool(pool));
    let position = pool.and_then(|pool| pool.signal(signal));
    match (outcome, position) {
        (Outcome::Done(Value::Measured(Some(value))), Some((position, _)))
            if *value <= limits::SIGNAL_MAX =>
        {
            row.take_sample(
                position,
                Sample {
                    value: *value,
                    at: now,
                },
            );
            row
        }
        _ => row,
    }
}
