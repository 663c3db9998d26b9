//! Whether what was reported could change what its pool does: if not, no tick is paid for it.
//!
//! Owns no plan: it asks the one that plans and acts.

use super::lanes::Room;
use super::tick::view;
use crate::limits;
use crate::plan::plan;
use crate::record::{PoolRecord, Row};
use crate::state::{Member, State, member_of};
use crate::{Event, Vitals};
use hatchery_types::{Cycles, FleetSpec, Nanos};
use ic_stable_structures::Memory;

/// Brings the plan of `pool` forward if, with these rows and this record of it, it would say another
/// thing than the last one did. A pool that is planned soon anyway is left as it is.
pub(super) fn stirred<M: Memory>(
    state: &State<M>,
    now: Nanos,
    spec: &FleetSpec,
    pool: &str,
    record: Option<&PoolRecord>,
    rows: &[&Row],
) -> Option<Event> {
    let soon = now + limits::PLAN_GAP;
    if state.index.due(pool).is_some_and(|due| due <= soon) {
        return None;
    }
    let is_news = would_say_news(state, now, spec, pool, record, rows).unwrap_or(true);
    is_news.then(|| Event::PoolStirred(pool.to_owned()))
}

fn would_say_news<M: Memory>(
    state: &State<M>,
    now: Nanos,
    spec: &FleetSpec,
    pool: &str,
    record: Option<&PoolRecord>,
    rows: &[&Row],
) -> Option<bool> {
    // What root can pay is for the tick to say.
    let vitals = Vitals {
        liquid: Cycles(u128::MAX),
        stopping: false,
    };
    let room = Room::new(state, &vitals);
    let mut view = view(state, now, spec, pool, &room)?;
    let before = view.record;
    view.record = record.unwrap_or(before);
    for row in rows {
        let place = view
            .members
            .iter_mut()
            .find(|member| member.canister == row.canister)?;
        // Its children did not change.
        let bound = place.bound;
        *place = Member {
            bound,
            ..member_of(row)?.1
        };
    }
    let plan = plan(&view);
    let wish = |record: &PoolRecord| record.wishes.last().map(|wish| (wish.low, wish.high));
    Some(plan.is_news(before) || wish(&plan.record) != wish(before))
}
