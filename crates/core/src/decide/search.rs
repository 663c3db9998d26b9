//! Looking for canisters that root has no rows for: those of lost creations behind the last id it
//! knew, and those in a range that an operator named.
//!
//! Ids on a subnet are sequential, others create in between, and `canister_info` tells anybody who
//! created a canister and when. A lost creation's canister is therefore among the next ids: they
//! are asked for one after the other, a few at a time, within a bound.

use super::conclude::named_before;
use super::lanes::Room;
use super::{Draft, recover};
use crate::limits;
use crate::record::Row;
use crate::state::State;
use crate::{Account, Decision, Event, Purpose, Search};
use hatchery_types::{
    CanisterId, Creation, Cycles, EffectId, EffectKind, Info, Nanos, Outcome, Phase, Principal,
    REJECT_DESTINATION_INVALID, Reason, Value,
};
use ic_stable_structures::Memory;

/// The largest id of the canisters that root created, its own at least.
pub(super) fn newest_known<M: Memory>(state: &State<M>) -> Option<CanisterId> {
    let header = state.header();
    let known = [header.newest, header.root].into_iter().flatten();
    known
        .filter_map(CanisterId::number)
        .max()
        .map(CanisterId::from_number)
}

/// When the search goes on by itself; none while nothing is sought or answers are under way.
pub(super) fn due<M: Memory>(state: &State<M>) -> Option<Nanos> {
    if state.counts().effect("info") > 0 {
        return None;
    }
    if let Some(search) = state.header().search {
        return Some(search.not_before);
    }
    let sought = state.index.sought.iter();
    let started = sought.map(|id| state.index.lost[id].started_at);
    started.map(old_enough).min()
}

/// From when on an id that is not there will not come to be there for a creation started `at`.
fn old_enough(at: Nanos) -> Nanos {
    at + limits::ABSENCE_AGE
}

/// Begins a search, asks for the next ids, or ends it.
pub(super) fn go_on<M: Memory>(state: &State<M>, now: Nanos, room: &Room) -> Option<Decision> {
    if due(state).is_none_or(|due| due > now) {
        return None;
    }
    match state.header().search {
        None => begin(state, now),
        Some(search) if is_over(state, &search) => Some(end(state, now, &search)),
        Some(search) => ask(state, now, room, search),
    }
}

/// One pass covers the lost creations that are old enough, from behind the smallest id that was the
/// last known one to the bound behind the largest. Those whose own range begins beyond the bound of
/// the first wait for the next pass, so that no pass asks for more than twice the bound.
fn begin<M: Memory>(state: &State<M>, now: Nanos) -> Option<Decision> {
    let root = state.header().root.and_then(CanisterId::number)?;
    let behind = |id: &EffectId| {
        let behind = state.effect(*id).and_then(|effect| effect.behind);
        behind.and_then(CanisterId::number).unwrap_or(root)
    };
    let sought = state.index.sought.iter();
    let old = sought.filter(|id| old_enough(state.index.lost[id].started_at) <= now);
    let mut covered = old.map(|id| (*id, behind(id)));
    // What root knew only grows: later creations were lost behind the same id or a larger one.
    let (mut newest, first) = covered.next()?;
    let mut last = first;
    for (id, behind) in covered {
        if behind > first.saturating_add(limits::SEARCH_IDS) {
            break;
        }
        (newest, last) = (id, behind.max(last));
    }
    let search = Search {
        purpose: Purpose::Lost(newest),
        next: first.saturating_add(1),
        end: last.saturating_add(1 + limits::SEARCH_IDS),
        not_before: now,
        found: 0,
    };
    let mut draft = Draft::new(state, now);
    draft.event(Event::SearchChanged(Some(search)));
    Some(draft.done())
}

/// Nothing is left to ask for, or nothing is missing any more.
fn is_over<M: Memory>(state: &State<M>, search: &Search) -> bool {
    let found_all = match search.purpose {
        Purpose::Lost(last) => state.index.sought.range(..=last).next().is_none(),
        Purpose::Range => false,
    };
    found_all || search.next >= search.end
}

/// What was not found stays flagged and is not waited for any more; the oldest of too many flags
/// go.
fn end<M: Memory>(state: &State<M>, now: Nanos, search: &Search) -> Decision {
    let mut draft = Draft::new(state, now);
    if let Purpose::Lost(last) = search.purpose {
        for id in state.index.sought.range(..=last) {
            draft.event(Event::CreationGivenUp(*id));
        }
        let flagged = state.index.lost.keys();
        let too_many = flagged.len().saturating_sub(limits::GIVEN_UP_MAX);
        let before = flagged.filter(|id| !state.index.sought.contains(id));
        for id in before.take(too_many) {
            let cycles = state.index.lost[id].cycles;
            draft.event(Event::EffectClosed(*id));
            draft.event(Event::CyclesBooked(Account::Discarded, cycles));
        }
    }
    draft.event(Event::SearchChanged(None));
    draft.done()
}

/// Asks for the next few ids that have no row.
fn ask<M: Memory>(
    state: &State<M>,
    now: Nanos,
    room: &Room,
    mut search: Search,
) -> Option<Decision> {
    if !room.takes_small(state) {
        return None;
    }
    let mut draft = Draft::new(state, now);
    let last = search.end.min(search.next + limits::SEARCH_SKIPPED);
    let mut asked = 0;
    while search.next < last && asked < room.small(state).min(limits::SEARCH_BATCH) {
        let canister = CanisterId::from_number(search.next);
        search.next += 1;
        let sought = state.row(canister).is_none_or(|row| was_missing(&row));
        if sought && state.header().root != Some(canister) {
            draft.start(EffectKind::Info { canister }, None);
            asked += 1;
        }
    }
    draft.event(Event::SearchChanged(Some(search)));
    Some(draft.done())
}

/// What the answer for one id means: nothing there, a stranger's, ours, or ask again.
pub(super) fn after_info<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    now: Nanos,
    canister: CanisterId,
    outcome: &Outcome,
) {
    let Some(search) = state.header().search else {
        return;
    };
    match outcome {
        Outcome::Done(Value::Told(info)) => {
            told(draft, state, now, search, canister, info);
        }
        Outcome::Refused(refusal) if refusal.code == REJECT_DESTINATION_INVALID => {}
        _ => ask_again(draft, now, search, canister),
    }
}

/// The search goes back to that id after a wait.
fn ask_again(draft: &mut Draft, now: Nanos, mut search: Search, canister: CanisterId) {
    let number = canister.number().unwrap_or(search.next);
    search.next = search.next.min(number);
    search.not_before = now + limits::SEARCH_RETRY;
    draft.event(Event::SearchChanged(Some(search)));
}

fn told<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    now: Nanos,
    search: Search,
    canister: CanisterId,
    info: &Info,
) {
    let root = state.header().root.map(|root| root.0);
    let controlled = |root: Principal| info.controllers.contains(&root);
    let known = state.row(canister);
    if known.as_ref().is_some_and(|row| !was_missing(row)) || !root.is_some_and(controlled) {
        return;
    }
    if search.purpose == Purpose::Range {
        if known.is_some() {
            return;
        }
        let found = search.found + 1;
        draft.event(Event::SearchChanged(Some(Search { found, ..search })));
        return recover::found(draft, state, now, canister);
    }
    let Some(creation) = info.creation.as_ref().filter(|it| Some(it.by.0) == root) else {
        return;
    };
    if may_be_answered(state, creation) {
        return ask_again(draft, now, search, canister);
    }
    let lost = newest_lost_before(state, creation);
    let cycles = lost.map_or(Cycles(0), |lost| state.index.lost[&lost].cycles);
    if let Some(lost) = lost {
        draft.event(Event::EffectClosed(lost));
    }
    if let Some(row) = known {
        draft.event(Event::CyclesBooked(Account::Twice, cycles));
        draft.row(named_before(now, row));
    } else {
        let mut row = Row::new(canister, Phase::Creating, now, Reason::Found);
        (row.unproven, row.deposited) = (true, cycles);
        draft.row(row);
    }
    let found = search.found + 1;
    draft.event(Event::SearchChanged(Some(Search { found, ..search })));
}

/// Somebody named it to root before it was there: it may be what a lost creation made since.
fn was_missing(row: &Row) -> bool {
    row.phase == Phase::Lost && row.reason == Reason::Gone
}

/// A creation that is still under way may have made it: its answer will say so.
fn may_be_answered<M: Memory>(state: &State<M>, creation: &Creation) -> bool {
    let open = state.index.open.values();
    open.filter(|open| matches!(open.kind, EffectKind::Create { .. }))
        .any(|open| open.started_at <= creation.at)
}

/// The newest lost creation that can have made it, of those that are sought if one can: whatever an
/// older one made is then still within the older one's range.
fn newest_lost_before<M: Memory>(state: &State<M>, creation: &Creation) -> Option<EffectId> {
    let (lost, sought) = (&state.index.lost, &state.index.sought);
    let can = |id: &&EffectId| lost[*id].started_at <= creation.at;
    let sought = sought.iter().rev().find(can);
    sought.or_else(|| lost.keys().rev().find(can)).copied()
}
