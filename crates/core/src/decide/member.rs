//! What members say of themselves.

use super::service::member_due;
use crate::limits;
use crate::record::{Row, Sample};
use crate::state::State;
use crate::{Decision, Event, Reply};
use hatchery_types::{CanisterId, FleetSpec, Generation, Nanos, Phase, Reason, Scope, Source};
use ic_stable_structures::Memory;

/// A member's load. A stale generation, a stranger and an absurd value change nothing.
pub(super) fn report<M: Memory>(
    state: &State<M>,
    now: Nanos,
    member: CanisterId,
    generation: Generation,
    signal: &str,
    value: u64,
) -> Decision {
    let known = state.row(member).filter(|row| row.phase.is_member());
    let Some(row) = known.filter(|row| row.generation == generation) else {
        return answer(false, Some(Reason::Unauthorised));
    };
    let pool = row.pool.as_deref().unwrap_or_default();
    let valid_for = state
        .spec()
        .and_then(|spec| spec.pool(pool))
        .map(|pool| pool.valid_for);
    // Callers may still hold a discovery answer that names a worker just cordoned.
    let still_listed = row.phase == Phase::Draining && Some(now.since(row.since)) < valid_for;
    let accepting = row.phase.is_living() || still_listed;
    let Some(spec) = state.spec() else {
        return answer(accepting, Some(Reason::NoSpec));
    };
    let known = spec.pool(pool).and_then(|pool| pool.signal(signal));
    let pushed = known.filter(|(_, it)| it.source == Source::Pushed && it.scope == Scope::Worker);
    let Some((position, _)) = pushed else {
        return answer(accepting, Some(Reason::UnknownSignal));
    };
    if value > limits::SIGNAL_MAX {
        return answer(accepting, Some(Reason::AbsurdSignal));
    }
    let last = row.sample_of(position).map_or(Nanos(0), |it| it.at);
    let next = last + limits::REPORT_GAP;
    if now < next {
        return answer(accepting, Some(Reason::RateLimited { until: next }));
    }
    let row = sampled(spec, now, row, position, value);
    let mut decision = answer(accepting, None);
    decision.events.push(Event::RowChanged(Box::new(row)));
    decision
}

/// The row with a new sample; a member that was silent is so no more.
fn sampled(spec: &FleetSpec, now: Nanos, mut row: Row, position: usize, value: u64) -> Row {
    row.take_sample(position, Sample { value, at: now });
    if row.phase == Phase::InService {
        row.next_attempt = member_due(Some(spec), now, &row);
        if row.reason == Reason::Silent {
            row.reason = Reason::Installed;
        }
    }
    row
}

fn answer(accepting: bool, refused: Option<Reason>) -> Decision {
    Decision {
        reply: Reply::Reported { accepting, refused },
        ..Decision::default()
    }
}
