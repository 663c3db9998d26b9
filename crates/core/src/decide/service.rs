//! Where an installed worker stands: at work or on standby, and when it is looked at next.

use crate::limits;
use crate::record::Row;
use crate::state::State;
use hatchery_types::{FleetSpec, Nanos, Phase, Reason, SignalSpec, Source};
use ic_stable_structures::Memory;

/// Puts an installed worker into service when its last plan wanted one more at work, else on
/// standby.
pub(super) fn land<M: Memory>(state: &State<M>, now: Nanos, row: Row, reason: Reason) -> Row {
    let pool = row.pool.as_deref().unwrap_or_default();
    let wanted = state.pool(pool).map_or(0, |record| record.desired);
    let own = u32::from(is_at_work(row.phase));
    let at_work = [Phase::InService, Phase::Leased].map(|phase| state.members_in(pool, phase));
    let at_work = at_work.iter().sum::<u32>() - own;
    if at_work < wanted {
        to_work(state.spec(), now, row, reason)
    } else {
        let mut row = row.moved(Phase::Standby, now, Reason::Standby);
        row.next_attempt = member_due(state.spec(), now, &row);
        row
    }
}

/// Puts a worker into service.
pub(super) fn to_work(spec: Option<&FleetSpec>, now: Nanos, row: Row, reason: Reason) -> Row {
    let mut row = row.moved(Phase::InService, now, reason);
    row.in_service_at = now;
    row.stopped = false;
    row.next_attempt = member_due(spec, now, &row);
    row
}

fn is_at_work(phase: Phase) -> bool {
    matches!(phase, Phase::InService | Phase::Leased)
}

/// When a member is looked at by itself: soon after it should have reported, when its lease ends,
/// or once a day.
pub(super) fn member_due(spec: Option<&FleetSpec>, now: Nanos, row: &Row) -> Nanos {
    let daily = now + limits::OBSERVE_EVERY;
    match row.phase {
        Phase::Leased => daily.min(row.leased_until),
        Phase::InService => {
            let silent = reported(spec, row).map(|(_, signal)| signal.stale_after);
            silent.map_or(daily, |after| daily.min(now + after + after))
        }
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
