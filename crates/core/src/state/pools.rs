//! What is indexed of each worker pool: its members, its record, when it is planned next.
//!
//! A part of the index: changed by `apply` alone. What a pool wants is its plan's.

use super::index::{Index, Member};
use crate::decided::Noted;
use crate::limits;
use crate::record::PoolRecord;
use hatchery_types::{CanisterId, Nanos, Phase, Reason};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One pool. It is there while the spec names it or it has members.
#[derive(Debug, Default)]
pub(crate) struct PoolIndex {
    /// What is remembered of it; none once the spec does not name it any more.
    pub(crate) record: Option<PoolRecord>,
    pub(crate) members: BTreeMap<CanisterId, Member>,
    /// Members by phase, counted.
    pub(super) sizes: [u32; Phase::ALL.len()],
    /// Members on standby that have started, the longest there first.
    pub(crate) standby: BTreeSet<(Nanos, CanisterId)>,
    /// When it is planned next.
    due: Option<Nanos>,
    /// When it was planned last.
    pub(crate) planned_at: Option<Nanos>,
    /// Number of the event at which its list of workers changed last.
    pub(crate) listed_at: u64,
    /// The last changes of its list of workers; not rebuilt: who knows an older list asks for the
    /// whole.
    pub(crate) listing_changes: VecDeque<(u64, CanisterId)>,
    /// What changed in its view since its last decision; not rebuilt: a new root begins with whole
    /// views.
    pub(crate) noted: Option<Noted>,
}

/// What a pool wants for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hunger {
    /// For how many canisters to buy.
    pub(crate) useful: u32,
    /// It is below its minimum, so that nobody else may have what it waits for.
    pub(crate) starves: bool,
}

impl PoolIndex {
    /// Members in `phase`.
    pub(crate) fn size(&self, phase: Phase) -> u32 {
        self.sizes[phase as usize]
    }

    /// A member is not what it was in the pool's last recorded view.
    pub(super) fn note_change(&mut self, member: CanisterId) {
        let Some(noted) = &mut self.noted else {
            return;
        };
        noted.changed.insert(member);
        if noted.changed.len() > limits::DECISION_CHANGES_MAX {
            self.noted = None;
        }
    }

    /// The same as the other, as far as a rebuild brings it back.
    fn is_like(&self, other: &PoolIndex) -> bool {
        self.record == other.record
            && self.members == other.members
            && self.sizes == other.sizes
            && self.standby == other.standby
    }
}

impl Index {
    /// What is indexed of a pool, which is there from now on.
    pub(super) fn pool_mut(&mut self, pool: &str) -> &mut PoolIndex {
        if !self.pools.contains_key(pool) {
            self.pools.insert(pool.to_owned(), PoolIndex::default());
        }
        self.pools
            .get_mut(pool)
            .expect("bug: a pool put in is not there")
    }

    /// The records of the spec's pools, by name.
    pub(crate) fn records(&self) -> impl Iterator<Item = &PoolRecord> {
        self.pools.values().filter_map(|pool| pool.record.as_ref())
    }

    /// The names of the spec's pools.
    pub(crate) fn names(&self) -> Vec<String> {
        self.records().map(|record| record.name.clone()).collect()
    }

    /// Plans `pool` at once, behind those woken before.
    pub(crate) fn wake_pool_now(&mut self, pool: &str, now: Nanos) {
        let known = self.pool_mut(pool);
        if known.due.is_none_or(|due| due > now) {
            let before = known.due.replace(now);
            self.change_wake(pool, before, Some(now));
        }
    }

    /// Plans `pool` at `when` or earlier, but not again within the gap after its last plan.
    pub(crate) fn wake_pool(&mut self, pool: &str, when: Nanos) {
        let planned = self.pools.get(pool).and_then(|pool| pool.planned_at);
        self.wake_pool_now(
            pool,
            when.max(planned.unwrap_or(Nanos(0)) + limits::PLAN_GAP),
        );
    }

    /// When `pool` is to be planned.
    pub(crate) fn due(&self, pool: &str) -> Option<Nanos> {
        self.pools.get(pool).and_then(|pool| pool.due)
    }

    /// Forgets when `pool` was to be planned.
    pub(crate) fn take_wake(&mut self, pool: &str) {
        let before = self.pools.get_mut(pool).and_then(|pool| pool.due.take());
        self.change_wake(pool, before, None);
    }

    fn change_wake(&mut self, pool: &str, before: Option<Nanos>, after: Option<Nanos>) {
        let mut entry = (before.unwrap_or_default(), pool.to_owned());
        if before.is_some() {
            self.pool_wakes.remove(&entry);
        }
        if let Some(after) = after {
            entry.0 = after;
            self.pool_wakes.insert(entry);
        }
    }

    /// Takes a pool's record in, in place of the last one.
    pub(crate) fn put_pool(&mut self, record: PoolRecord) {
        if record.unmet > 0 {
            let hunger = hunger_of(&record);
            self.hungry.insert(record.name.clone(), hunger);
        } else {
            self.hungry.remove(&record.name);
        }
        let known = self.pool_mut(&record.name);
        known.record = Some(record);
    }

    /// For how many canisters kept from others `pool` waits.
    pub(crate) fn reserved_for(&self, pool: &str) -> u32 {
        let hunger = self.hungry.get(pool).filter(|hunger| hunger.starves);
        hunger.map_or(0, |hunger| hunger.useful)
    }

    /// A worker joined or left the list of `pool` at the event of that number.
    pub(crate) fn note_listing(&mut self, pool: &str, event: u64, canister: CanisterId) {
        let pool = self.pool_mut(pool);
        pool.listed_at = event;
        pool.listing_changes.push_back((event, canister));
        if pool.listing_changes.len() > limits::LISTING_CHANGES_MAX {
            pool.listing_changes.pop_front();
        }
    }

    /// Forgets a pool, its members apart.
    pub(crate) fn take_pool(&mut self, pool: &str) {
        self.take_wake(pool);
        self.hungry.remove(pool);
        if let Some(known) = self.pools.remove(pool)
            && !known.members.is_empty()
        {
            let left = PoolIndex {
                members: known.members,
                sizes: known.sizes,
                standby: known.standby,
                ..PoolIndex::default()
            };
            self.pools.insert(pool.to_owned(), left);
        }
    }

    /// The pools are the same, waits apart (they are only brought forward by a rebuild) and those
    /// that nothing is known of.
    pub(super) fn has_pools_of(&self, other: &Index) -> bool {
        let empty = PoolIndex::default();
        let like = |ours: &Index, theirs: &Index| {
            let mut pools = ours.pools.iter();
            pools.all(|(name, pool)| pool.is_like(theirs.pools.get(name).unwrap_or(&empty)))
        };
        like(self, other) && like(other, self)
    }
}

/// Nothing is bought for a pool that could not use it now.
fn hunger_of(record: &PoolRecord) -> Hunger {
    let waits = |reason: &Reason| {
        matches!(
            reason,
            Reason::ModuleMissing | Reason::BackingOff { .. } | Reason::BreakerOpen { .. }
        )
    };
    let starves = |reason: &Reason| matches!(reason, Reason::BelowMinimum | Reason::BelowInitial);
    let waits = record.reasons.iter().any(waits);
    Hunger {
        useful: if waits { 0 } else { record.unmet },
        starves: !waits && record.reasons.iter().any(starves),
    }
}
