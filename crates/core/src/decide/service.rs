//! Where an installed worker stands: at work or on standby, and when it is looked at next.

use super::funding::{look_due, note_need};
use crate::limits;
use crate::record::{Row, Sample};
use crate::state::State;
use hatchery_types::{FleetSpec, Nanos, Observation, Phase, Reason, SignalSpec, Source};
use ic_stable_structures::Memory;

/// Puts an installed worker into service when its last plan wanted one more at work, or when it was
/// asked for or has children; else on standby.
pub(super) fn land<M: Memory>(state: &State<M>, now: Nanos, row: Row, reason: Reason) -> Row {
    let pool = row.pool.as_deref().unwrap_or_default();
    let wanted = state.pool(pool).map_or(0, |record| record.desired);
    let own = u32::from(is_at_work(row.phase));
    let at_work = [Phase::InService, Phase::Leased].map(|phase| state.members_in(pool, phase));
    let at_work = at_work.iter().sum::<u32>() - own;
    let stays = row.kept || state.index.family.is_bound(row.canister);
    if at_work < wanted || stays {
        to_work(state.spec(), now, row, reason)
    } else {
        let mut row = row.moved(Phase::Standby, now, Reason::Standby);
        row.next_attempt = member_due(state.spec(), now, &row);
        note_need(state.spec(), now, row)
    }
}

/// Puts a worker into service.
pub(super) fn to_work(spec: Option<&FleetSpec>, now: Nanos, row: Row, reason: Reason) -> Row {
    let mut row = row.moved(Phase::InService, now, reason);
    row.in_service_at = now;
    row.stopped = false;
    row.next_attempt = member_due(spec, now, &row);
    row.next_pull = if asked_at(spec, now, &row) < Nanos::MAX {
        now
    } else {
        Nanos::MAX
    };
    note_need(spec, now, row)
}

/// A module is installed: it is checked first if its role can be, else it goes to its place.
pub(super) fn installed<M: Memory>(state: &State<M>, now: Nanos, row: Row) -> Row {
    // Its settings were sent when it was claimed.
    let row = Row {
        settled_at: row.since,
        ..row
    };
    let role = row.role.as_deref();
    let role = role.and_then(|role| state.spec()?.role(role));
    let Some(health) = role.and_then(|role| role.health.as_ref()) else {
        return land(state, now, row, Reason::Installed);
    };
    let mut row = row.moved(Phase::Standby, now, Reason::Starting);
    row.starts_until = now + health.grace;
    row
}

/// When a worker that is asked now is asked again: its questions take turns; [`Nanos::MAX`] = it
/// is never asked.
pub(super) fn asked_at(spec: Option<&FleetSpec>, now: Nanos, row: &Row) -> Nanos {
    let role = row.role.as_deref().and_then(|role| spec?.role(role));
    let pulls = role.map_or(&[][..], |role| &role.pulls);
    let soonest = pulls.iter().map(|pull| pull.every.0).min();
    let step = soonest.map(|every| every / pulls.len() as u64);
    step.map_or(Nanos::MAX, |step| now + Nanos(step.max(1)))
}

fn is_at_work(phase: Phase) -> bool {
    matches!(phase, Phase::InService | Phase::Leased)
}

/// When a member is looked at by itself: soon after it should have reported, when its lease ends,
/// or once a day.
pub(super) fn member_due(spec: Option<&FleetSpec>, now: Nanos, row: &Row) -> Nanos {
    let daily = now + limits::OBSERVE_EVERY;
    if row.mend {
        return now;
    }
    let daily = daily.min(look_due(spec, now, row));
    match row.phase {
        Phase::Leased => daily.min(row.leased_until),
        Phase::InService => {
            let silent = reported(spec, row).map(|(_, signal)| signal.stale_after);
            let silent = silent.map_or(daily, |after| now + after + after);
            daily.min(silent).min(measured_at(spec, now, row))
        }
        Phase::Standby if row.starts_until.0 > 0 => row.next_attempt,
        _ => daily,
    }
}

/// The signal that a member should report by itself, with its position.
pub(super) fn reported<'a>(
    spec: Option<&'a FleetSpec>,
    row: &Row,
) -> Option<(usize, &'a SignalSpec)> {
    let pool = spec?.pool(row.pool.as_deref()?)?;
    pool.load()
        .filter(|(_, signal)| signal.source == Source::Pushed)
}

/// When the platform's figures of a member are wanted again, so that they do not grow stale.
fn measured_at(spec: Option<&FleetSpec>, now: Nanos, row: &Row) -> Nanos {
    let pool = row.pool.as_deref().and_then(|pool| spec?.pool(pool));
    let signals = pool.map_or(&[][..], |pool| &pool.signals);
    let measured = signals.iter().filter(|signal| {
        matches!(
            signal.source,
            Source::Memory | Source::Burn | Source::Queries
        )
    });
    let soonest = measured.map(|signal| signal.stale_after.0 / 2).min();
    soonest.map_or(Nanos::MAX, |half| now + Nanos(half.max(1)))
}

/// Takes what an observation says of a member's load. Rates come from two observations, and a
/// balance that grew says nothing: somebody deposited cycles.
pub(super) fn measure(spec: Option<&FleetSpec>, now: Nanos, row: &mut Row, seen: &Observation) {
    let pool = row.pool.as_deref().and_then(|pool| spec?.pool(pool));
    let signals = pool.map_or(&[][..], |pool| &pool.signals);
    let since = now.since(row.cycles_at);
    let per_hour = |amount: u128| {
        let hourly = amount * 3_600_000_000_000 / u128::from(since.0.max(1));
        u64::try_from(hourly).unwrap_or(u64::MAX)
    };
    let apart = row.cycles.is_some() && row.in_service_at <= row.cycles_at;
    let apart = apart && since >= limits::RATE_GAP;
    let burnt = row
        .cycles
        .and_then(|before| before.0.checked_sub(seen.cycles.0));
    let answered = seen.queries.zip(row.queries);
    let answered = answered.and_then(|(queries, before)| queries.checked_sub(before));
    for (position, signal) in signals.iter().enumerate() {
        let value = match signal.source {
            Source::Memory => Some(seen.memory_bytes),
            Source::Burn => burnt.filter(|_| apart).map(per_hour),
            Source::Queries => answered.filter(|_| apart).map(|it| per_hour(it.into())),
            Source::Pushed | Source::Pulled => None,
        };
        if let Some(value) = value.filter(|value| *value <= limits::SIGNAL_MAX) {
            row.take_sample(position, Sample { value, at: now });
        }
    }
    row.queries = seen.queries;
}
