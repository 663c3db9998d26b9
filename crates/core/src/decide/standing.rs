//! Whether root's memory is whole: a fresh root looks at its own history before it does anything.
//!
//! The platform lets a controller reinstall root, and memory is empty before `init` runs. The
//! canister's history remembers what memory cannot: code deployed here before. Such a root is
//! Recovering until an operator has named its canisters and says that it is done.

use super::Draft;
use super::lanes::Room;
use crate::limits;
use crate::plant::planted;
use crate::record::PoolRecord;
use crate::state::State;
use crate::{Decision, Event, Standing};
use hatchery_types::{EffectKind, Incarnation, Info, Nanos, Outcome, Reason, Value};
use ic_stable_structures::Memory;

/// What keeps root from doing anything but looking; none for a root that is whole.
pub fn held_back<M: Memory>(state: &State<M>) -> Option<Reason> {
    match state.header().standing {
        Standing::Sound => None,
        Standing::Unchecked { .. } => Some(Reason::Unchecked),
        Standing::Recovering => Some(Reason::Recovering),
    }
}

/// A pool that would be planned now says what holds root back instead.
pub(super) fn explain_next<M: Memory>(state: &State<M>, now: Nanos) -> Option<Decision> {
    let reasons = vec![held_back(state)?];
    let wakes = state.index.pool_wakes.first();
    let (_, pool) = wakes.filter(|(due, _)| *due <= now)?.clone();
    let known = state.pool(&pool).filter(|record| record.reasons != reasons);
    let record = known.map(|record| {
        Box::new(PoolRecord {
            reasons,
            ..record.clone()
        })
    });
    let mut draft = Draft::new(state, now);
    draft.event(Event::PoolPlanned {
        pool,
        record,
        wake: Nanos::MAX,
    });
    Some(draft.done())
}

/// When a fresh root looks at itself; none once it has, or while it does.
pub(super) fn look_due<M: Memory>(state: &State<M>) -> Option<Nanos> {
    match state.header().standing {
        Standing::Unchecked { next_attempt, .. } if state.counts().effect("info") == 0 => {
            Some(next_attempt)
        }
        _ => None,
    }
}

/// A fresh root asks the platform for its own history.
pub(super) fn look_at_self<M: Memory>(
    state: &State<M>,
    now: Nanos,
    room: &Room,
) -> Option<Decision> {
    let canister = state.header().root?;
    let due = look_due(state)?;
    if due > now || !room.takes_small(state) {
        return None;
    }
    let mut draft = Draft::new(state, now);
    draft.start(EffectKind::Info { canister }, None);
    Some(draft.done())
}

/// What root's own history says of its memory. A history read before an upgrade does not have it,
/// and the memory counts it: it is read again.
pub(super) fn after_look<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    now: Nanos,
    looked: Incarnation,
    outcome: &Outcome,
) {
    let Standing::Unchecked { attempts, .. } = state.header().standing else {
        return;
    };
    let standing = match outcome {
        Outcome::Done(_) if looked != state.incarnation() => Standing::Unchecked {
            attempts,
            next_attempt: now,
        },
        Outcome::Done(Value::Told(info)) if remembers_all(state, info) => Standing::Sound,
        Outcome::Done(Value::Told(_)) => Standing::Recovering,
        _ => {
            let attempts = attempts.saturating_add(1);
            let next_attempt = now + limits::backoff(attempts);
            Standing::Unchecked {
                attempts,
                next_attempt,
            }
        }
    };
    draft.event(Event::StandingChanged(standing));
}

/// Every deployment in the history is one that this memory counted. A history that forgot its
/// beginning proves nothing, so it does not count as whole.
fn remembers_all<M: Memory>(state: &State<M>, info: &Info) -> bool {
    (info.whole && info.deployments <= state.incarnation().0) || planted("l07")
}
