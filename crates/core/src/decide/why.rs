//! Why members of a pool are where they are, and whether scale-in may choose them. Reads alone.

use super::lanes::Room;
use super::tick;
use crate::plan::victims_of;
use crate::record::Row;
use crate::state::State;
use crate::{Vitals, limits};
use hatchery_types::{CanisterId, Nanos, Phase, Reason};
use ic_stable_structures::Memory;

/// A member and what scale-in thinks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberWhy {
    /// Its row; the reason there says why it is in its phase.
    pub row: Row,
    /// How many members scale-in would choose before it; none = it is no victim.
    pub victim: Option<u32>,
    /// Why it is none though it works.
    pub spared: Option<Reason>,
}

/// At most `limit` members of a pool behind `after`, by id, and where to continue; `None` without
/// that pool.
pub fn why_members<M: Memory>(
    state: &State<M>,
    now: Nanos,
    vitals: &Vitals,
    pool: &str,
    after: Option<CanisterId>,
    limit: usize,
) -> Option<(Vec<MemberWhy>, Option<CanisterId>)> {
    let room = Room::new(state, vitals);
    let view = tick::view(state, now, state.spec()?, pool, &room)?;
    let victims = victims_of(&view);
    let behind = |id: &CanisterId| after.is_none_or(|after| *id > after);
    let members = state.members(pool).map(|member| member.canister);
    let limit = limit.min(limits::PAGE_MAX);
    let mut ids: Vec<CanisterId> = members.filter(behind).take(limit + 1).collect();
    let more = ids.len() > limit;
    ids.truncate(limit);
    let next = ids.last().copied().filter(|_| more);
    let rows = ids.into_iter().filter_map(|id| state.row(id));
    let why = |row: Row| {
        let place = victims.iter().position(|id| *id == row.canister);
        let spared = match row.phase {
            Phase::Leased => Some(Reason::Leased),
            Phase::InService if place.is_none() => Some(Reason::Spared),
            _ => None,
        };
        MemberWhy {
            victim: place.map(|place| place as u32),
            spared,
            row,
        }
    };
    Some((rows.map(why).collect(), next))
}
