//! What installs and losses say of a pool's module: counted for the breaker in `plan/breaker.rs`.

use super::Draft;
use crate::Event;
use crate::limits;
use crate::record::{PoolRecord, Sample};
use crate::state::State;
use hatchery_types::{ModuleHash, Nanos, Phase};
use ic_stable_structures::Memory;

/// A module started in the pool: it is proven, and the breaker is closed.
pub(super) fn note_start<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    pool: &str,
    module: ModuleHash,
) {
    let known = |record: &&PoolRecord| record.failures > 0 || record.proven != Some(module);
    if let Some(record) = state.pool(pool).filter(known) {
        draft.event(Event::PoolChanged(Box::new(PoolRecord {
            proven: Some(module),
            failing: None,
            failures: 0,
            backoff_until: Nanos(0),
            ..record.clone()
        })));
    }
}

/// A module did not start: the pool waits, ever longer.
pub(super) fn note_failed_start<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    pool: &str,
    module: ModuleHash,
) {
    let Some(record) = state.pool(pool) else {
        return;
    };
    let before = if record.failing == Some(module) {
        record.failures
    } else {
        0
    };
    let failures = before.saturating_add(1);
    draft.event(Event::PoolChanged(Box::new(PoolRecord {
        failing: Some(module),
        failures,
        backoff_until: draft.now + limits::backoff(failures),
        ..record.clone()
    })));
}

/// No install of the pool before `until`.
pub(super) fn hold_back<M: Memory>(draft: &mut Draft, state: &State<M>, pool: &str, until: Nanos) {
    let sooner = |record: &&PoolRecord| record.backoff_until < until;
    if let Some(record) = state.pool(pool).filter(sooner) {
        draft.event(Event::PoolChanged(Box::new(PoolRecord {
            backoff_until: until,
            ..record.clone()
        })));
    }
}

/// A member failed at work.
pub(super) fn note_loss<M: Memory>(draft: &mut Draft, state: &State<M>, pool: &str) {
    let Some(record) = state.pool(pool) else {
        return;
    };
    let now = draft.now;
    let mut record = record.clone();
    record
        .losses
        .retain(|loss| now.since(loss.at) < limits::LOSSES_PERIOD);
    let at_work = [Phase::InService, Phase::Leased].map(|phase| state.members_in(pool, phase));
    record.losses.push(Sample {
        value: at_work.iter().sum::<u32>().into(),
        at: now,
    });
    if record.losses.len() > limits::POOL_HISTORY_MAX {
        record.losses.remove(0);
    }
    draft.event(Event::PoolChanged(Box::new(record)));
}
