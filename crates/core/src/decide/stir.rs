//! Whether what was reported could change what its pool does: if not, no tick is paid for it.
//!
//! Owns no plan: it asks the one that plans and acts.

use super::lanes::Room;
use super::tick::view;
use crate::limits;
use crate::plan::{PoolView, plan};
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
    // What root can pay is for the tick to say.
    let vitals = Vitals {
        liquid: Cycles(u128::MAX),
        stopping: false,
    };
    let view = view(state, now, spec, pool, &Room::new(state, &vitals));
    let is_news = view.and_then(|view| says_news(view, record, rows));
    is_news
        .unwrap_or(true)
        .then(|| Event::PoolStirred(pool.to_owned()))
}

/// Members stand in the view in the order of their ids.
fn says_news<'a>(
    mut view: PoolView<'a>,
    record: Option<&'a PoolRecord>,
    rows: &[&Row],
) -> Option<bool> {
    let before = view.record;
    view.record = record.unwrap_or(before);
    for row in rows {
        let members = &mut view.members;
        let place = members.binary_search_by_key(&row.canister, |member| member.canister);
        let place = &mut members[place.ok()?];
        *place = Member {
            // Its children did not change.
            bound: place.bound,
            ..member_of(row)?.1
        };
    }
    let plan = plan(&view);
    let wish = |record: &PoolRecord| record.wishes.last().map(|wish| (wish.low, wish.high));
    Some(plan.is_news(before) || wish(&plan.record) != wish(before))
}
