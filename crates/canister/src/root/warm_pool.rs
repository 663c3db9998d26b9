//! Reads of the warm pool, in the shapes of `root.did`. Never more than a page.

use super::{Stable, view};
use hatchery_api::{LaneView, PoolCursor, PoolListPage, PoolListRequest, PoolStatus, ReasonView};
use hatchery_core::{
    LaneStatus, RowFilter, State, Vitals, kept_spare, lanes, maintenance_paused, missing_canisters,
    warm_reason,
};
use hatchery_types::{Direction, Nanos, Phase};

/// Counters; `next_wake` is when the timer goes off.
pub(crate) fn status(
    state: &State<Stable>,
    now: Nanos,
    vitals: Vitals,
    next_wake: Option<Nanos>,
) -> PoolStatus {
    let warm = state.spec().map(|spec| &spec.warm_pool);
    let header = state.header();
    let phases = Phase::ALL.iter();
    PoolStatus {
        phases: phases
            .map(|phase| (*phase, state.counts().phase(*phase)))
            .collect(),
        lanes: lanes(state, &vitals).into_iter().map(lane).collect(),
        minimum: u32::try_from(kept_spare(state, now)).unwrap_or(u32::MAX),
        maximum: warm.map_or(0, |warm| warm.maximum),
        missing: missing_canisters(state, now),
        oldest_wait: state.oldest_pending().map(|since| now.since(since)),
        paused_up: header.is_paused(Direction::Up),
        paused_down: header.is_paused(Direction::Down),
        reason: ReasonView::from(&warm_reason(state, now, &vitals)),
        maintenance_paused: maintenance_paused(state, now, &vitals)
            .as_ref()
            .map(ReasonView::from),
        next_wake,
        operations_in_progress: state.operations_waiting(),
        lost_creations: state.lost_creations(),
        lost_cycles: state.lost_cycles(),
        discarded_cycles: header.discarded,
        given_away_cycles: header.given_away,
    }
}

fn lane(lane: LaneStatus) -> LaneView {
    LaneView {
        name: lane.lane.name().to_owned(),
        width: lane.width,
        in_flight: lane.in_flight,
        open: lane.open,
    }
}

/// One page of rows.
pub(crate) fn list(state: &State<Stable>, request: &PoolListRequest) -> PoolListPage {
    let filter = RowFilter {
        phase: request.phase,
        role: request.role.clone(),
        reason: request.reason,
        ..RowFilter::default()
    };
    let after = request.after.map(|after| (after.phase, after.canister));
    let (rows, next) = state.pool_rows(&filter, after, view::limit(request.limit));
    PoolListPage {
        rows: rows.into_iter().map(|row| view::row(state, row)).collect(),
        next: next.map(|(phase, canister)| PoolCursor { phase, canister }),
    }
}
