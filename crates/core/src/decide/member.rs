//! What members say of themselves, and what parents say of their pools.

use super::parent::is_parent;
use super::refuse;
use super::service::member_due;
use super::standing;
use super::stir::stirred;
use crate::input::{NotTaken, PoolReport};
use crate::limits;
use crate::plant::planted;
use crate::record::{PoolRecord, Row, Sample};
use crate::state::State;
use crate::{Decision, Event, Reply};
use hatchery_types::{
    CanisterId, FleetSpec, Generation, Nanos, Phase, PoolSpec, Reason, Scope, Source,
};
use ic_stable_structures::Memory;
use std::collections::BTreeMap;

/// A member's load. A stale generation, a stranger and an absurd value change nothing.
pub(super) fn report<M: Memory>(
    state: &State<M>,
    now: Nanos,
    member: CanisterId,
    generation: Generation,
    signal: &str,
    value: u64,
) -> Decision {
    let Some(row) = member_row(state, member, generation) else {
        // A root that lost its memory does not know its members: they go on.
        return match standing::held_back(state) {
            Some(reason) => answer(true, Some(reason)),
            None => answer(false, Some(Reason::Unauthorised)),
        };
    };
    let accepting = accepts(state, now, &row);
    let Some(spec) = state.spec() else {
        return answer(accepting, Some(Reason::NoSpec));
    };
    match sampled(spec, now, row, signal, value) {
        Err(reason) => answer(accepting, Some(reason)),
        Ok(row) => {
            let mut decision = answer(accepting, None);
            let pool = row.pool.as_deref().unwrap_or_default();
            let stirred = stirred(state, now, spec, pool, None, &[&row]);
            decision.events.push(Event::Sampled(Box::new(row)));
            decision.more = stirred.is_some();
            decision.events.extend(stirred);
            decision
        }
    }
}

/// A member asks to be spared by scale-in, for a bounded time.
pub(super) fn protect<M: Memory>(
    state: &State<M>,
    now: Nanos,
    member: CanisterId,
    generation: Generation,
    until: Nanos,
) -> Decision {
    let Some(row) = member_row(state, member, generation) else {
        return answer(false, Some(Reason::Unauthorised));
    };
    let accepting = accepts(state, now, &row);
    let spec = state.spec();
    let pool = spec.and_then(|spec| spec.pool(row.pool.as_deref().unwrap_or_default()));
    let longest = pool.map_or(Nanos(0), |pool| pool.protection_max);
    if !row.phase.is_living() {
        return answer(accepting, Some(Reason::WrongPhase));
    }
    if until.since(now) > longest {
        return answer(accepting, Some(Reason::TtlTooLong));
    }
    let mut decision = answer(accepting, None);
    let row = Row {
        protected_until: until,
        ..row
    };
    decision.events.push(Event::RowChanged(Box::new(row)));
    decision
}

fn member_row<M: Memory>(
    state: &State<M>,
    member: CanisterId,
    generation: Generation,
) -> Option<Row> {
    let row = state.row(member)?;
    (row.phase.is_member() && row.generation == generation).then_some(row)
}

/// The member may take new work.
fn accepts<M: Memory>(state: &State<M>, now: Nanos, row: &Row) -> bool {
    let pool = row.pool.as_deref().unwrap_or_default();
    let pool = state.spec().and_then(|spec| spec.pool(pool));
    let valid_for = pool.map(|pool| pool.valid_for);
    // Callers may still hold a discovery answer that names a worker just cordoned.
    let still_listed = row.phase == Phase::Draining && Some(now.since(row.since)) < valid_for;
    row.phase.is_living() || still_listed
}

/// The row with a new sample; a member that was silent is so no more.
fn sampled(
    spec: &FleetSpec,
    now: Nanos,
    mut row: Row,
    signal: &str,
    value: u64,
) -> Result<Row, Reason> {
    let pool = spec.pool(row.pool.as_deref().unwrap_or_default());
    let position = pool.and_then(|pool| pushed(pool, Scope::Worker, signal));
    let position = position.ok_or(Reason::UnknownSignal)?;
    let last = row.sample_of(position).map_or(Nanos(0), |it| it.at);
    check(now, last, value)?;
    row.take_sample(position, Sample { value, at: now });
    if row.phase == Phase::InService {
        row.next_attempt = member_due(Some(spec), now, &row);
        if row.reason == Reason::Silent {
            row.reason = Reason::Installed;
        }
    }
    Ok(row)
}

/// The position of a signal that is reported.
fn pushed(pool: &PoolSpec, scope: Scope, signal: &str) -> Option<usize> {
    let (position, signal) = pool.signal(signal)?;
    (signal.source == Source::Pushed && signal.scope == scope).then_some(position)
}

/// A value that makes sense, not too soon after the last.
fn check(now: Nanos, last: Nanos, value: u64) -> Result<(), Reason> {
    let until = last + limits::REPORT_GAP;
    if value > limits::SIGNAL_MAX && !planted("s10") {
        Err(Reason::AbsurdSignal)
    } else if last.0 > 0 && now < until {
        Err(Reason::RateLimited { until })
    } else {
        Ok(())
    }
}

/// A parent's report: totals of the pool and values of its members. What is wrong in it is left
/// out and named; the rest counts.
pub(super) fn report_pool<M: Memory>(
    state: &State<M>,
    now: Nanos,
    report: &PoolReport,
) -> Decision {
    let spec = state.spec();
    let Some((spec, pool)) = spec.and_then(|spec| Some((spec, spec.pool(&report.pool)?))) else {
        return refuse(Reason::UnknownPool, format!("no pool `{}`", report.pool));
    };
    if !report.operator && !is_parent(state, pool, report.caller) {
        let text = "only the pool's parent and operators may report for it";
        return refuse(Reason::Unauthorised, text);
    }
    if report.totals.len() + report.members.len() > limits::PAGE_MAX {
        let text = format!("at most {} values a report", limits::PAGE_MAX);
        return refuse(Reason::OverLimit, text);
    }
    let record = state.pool(&pool.name).cloned();
    let mut record = record.unwrap_or_else(|| PoolRecord::new(&pool.name));
    let until = record.reported_at + limits::POOL_REPORT_GAP;
    if record.reported_at.0 > 0 && now < until {
        return refuse(
            Reason::RateLimited { until },
            "one report per pool at a time",
        );
    }
    record.reported_at = now;
    let mut decision = Decision::default();
    let mut refused = Vec::new();
    for (signal, value) in &report.totals {
        if let Err(reason) = take_total(pool, now, &mut record, signal, *value) {
            refused.push(NotTaken::new(None, signal, reason));
        }
    }
    let rows = by_member(report)
        .into_iter()
        .filter_map(|(member, values)| {
            sample_member(
                state,
                spec,
                now,
                &report.pool,
                member,
                &values,
                &mut refused,
            )
        });
    let rows: Vec<Row> = rows.collect();
    let all: Vec<&Row> = rows.iter().collect();
    let stirred = stirred(state, now, spec, &pool.name, Some(&record), &all);
    decision.more = stirred.is_some();
    let sampled = rows.into_iter().map(|row| Event::Sampled(Box::new(row)));
    decision.events.extend(sampled);
    decision.events.push(Event::PoolSampled(Box::new(record)));
    decision.events.extend(stirred);
    decision.reply = Reply::PoolReported(refused);
    decision
}

/// The values of each member together, so that each row is written once.
fn by_member(report: &PoolReport) -> Vec<(CanisterId, Vec<(&str, u64)>)> {
    let mut members: BTreeMap<CanisterId, Vec<(&str, u64)>> = BTreeMap::new();
    for (member, signal, value) in &report.members {
        members.entry(*member).or_default().push((signal, *value));
    }
    members.into_iter().collect()
}

fn take_total(
    pool: &PoolSpec,
    now: Nanos,
    record: &mut PoolRecord,
    signal: &str,
    value: u64,
) -> Result<(), Reason> {
    let position = pushed(pool, Scope::Pool, signal).ok_or(Reason::UnknownSignal)?;
    check(now, Nanos(0), value)?;
    if record.samples.len() <= position {
        record.samples.resize(position + 1, Sample::default());
    }
    record.samples[position] = Sample { value, at: now };
    Ok(())
}

/// The row of a member with the values that its parent reported; what is wrong is noted.
fn sample_member<M: Memory>(
    state: &State<M>,
    spec: &FleetSpec,
    now: Nanos,
    pool: &str,
    member: CanisterId,
    values: &[(&str, u64)],
    refused: &mut Vec<NotTaken>,
) -> Option<Row> {
    let known = state
        .row(member)
        .filter(|row| row.phase.is_member() && row.pool.as_deref() == Some(pool));
    let mut taken = None;
    for (signal, value) in values {
        let row = taken.clone().or_else(|| known.clone());
        let sampled = row
            .ok_or(Reason::UnknownCanister)
            .and_then(|row| sampled(spec, now, row, signal, *value));
        match sampled {
            Ok(row) => taken = Some(row),
            Err(reason) => refused.push(NotTaken::new(Some(member), signal, reason)),
        }
    }
    taken
}

fn answer(accepting: bool, refused: Option<Reason>) -> Decision {
    Decision {
        reply: Reply::Reported { accepting, refused },
        ..Decision::default()
    }
}
