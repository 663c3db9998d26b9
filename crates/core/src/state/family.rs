//! Whose children members are: by parent, counted for the grants, and those whose parent is gone.
//!
//! Derived from rows, row by row; what a family may do is `decide::family`'s.

use super::State;
use crate::record::Row;
use hatchery_types::{CanisterId, Phase};
use ic_stable_structures::Memory;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Included, Unbounded};

/// Members by their parents.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Family {
    /// Parent and child, every member that has a parent.
    children: BTreeSet<(CanisterId, CanisterId)>,
    /// Living members that were asked for, by pool and parent.
    kept: BTreeMap<(String, CanisterId), u32>,
    /// The same by pool alone.
    kept_in: BTreeMap<String, u32>,
    /// Parents of those, with how many they have.
    bound: BTreeMap<CanisterId, u32>,
    /// Those parents that are no members (any more); root itself is one of them.
    pub(crate) bereft: BTreeSet<CanisterId>,
}

/// It was asked for and lives: it counts against the grants.
fn kept_of(row: &Row) -> Option<(&String, CanisterId)> {
    let is_kept = row.kept && row.phase.is_living();
    Some((row.pool.as_ref().filter(|_| is_kept)?, row.parent?))
}

impl Family {
    /// Takes a row in. `is_gone` says whether a canister is no member.
    /// The parent, if it became one by this.
    pub(super) fn put(
        &mut self,
        row: &Row,
        is_gone: impl Fn(CanisterId) -> bool,
    ) -> Option<CanisterId> {
        if let Some(parent) = row.parent.filter(|_| row.phase.is_member()) {
            self.children.insert((parent, row.canister));
        }
        if row.phase.is_member() {
            self.bereft.remove(&row.canister);
        }
        let (pool, parent) = kept_of(row)?;
        *self.kept.entry((pool.clone(), parent)).or_default() += 1;
        *self.kept_in.entry(pool.clone()).or_default() += 1;
        let count = self.bound.entry(parent).or_default();
        *count += 1;
        let first = *count == 1;
        if is_gone(parent) {
            self.bereft.insert(parent);
        }
        first.then_some(parent)
    }

    /// Takes a row out, given exactly as it was put in. The parent, if it is none any more.
    pub(super) fn take(&mut self, row: &Row) -> Option<CanisterId> {
        if let Some(parent) = row.parent {
            self.children.remove(&(parent, row.canister));
        }
        if self.bound.contains_key(&row.canister) {
            self.bereft.insert(row.canister);
        }
        let (pool, parent) = kept_of(row)?;
        fewer(&mut self.kept, &(pool.clone(), parent));
        fewer(&mut self.kept_in, pool);
        let last = fewer(&mut self.bound, &parent);
        if last {
            self.bereft.remove(&parent);
        }
        last.then_some(parent)
    }

    /// It has children that were asked for.
    pub(crate) fn is_bound(&self, parent: CanisterId) -> bool {
        self.bound.contains_key(&parent)
    }

    /// Children of one parent behind `after`, by id.
    pub(crate) fn children(
        &self,
        parent: CanisterId,
        after: Option<CanisterId>,
    ) -> impl Iterator<Item = CanisterId> {
        let from = match after {
            Some(after) => Excluded((parent, after)),
            None => Included((
                parent,
                CanisterId(hatchery_types::Principal::from_slice(&[])),
            )),
        };
        let behind = self.children.range((from, Unbounded));
        behind
            .take_while(move |(of, _)| *of == parent)
            .map(|(_, child)| *child)
    }
}

/// Counts one less; whether none is left.
fn fewer<K: Ord>(counts: &mut BTreeMap<K, u32>, key: &K) -> bool {
    let count = counts
        .get_mut(key)
        .expect("bug: a child is taken out that was never put in");
    *count -= 1;
    let last = *count == 0;
    if last {
        counts.remove(key);
    }
    last
}

impl<M: Memory> State<M> {
    /// Members that have this parent, behind `after`, by id.
    pub fn children(
        &self,
        parent: CanisterId,
        after: Option<CanisterId>,
    ) -> impl Iterator<Item = CanisterId> {
        self.index.family.children(parent, after)
    }

    /// Living children that one parent asked for in a pool.
    pub fn kept_by(&self, parent: CanisterId, pool: &str) -> u32 {
        let kept = self.index.family.kept.get(&(pool.to_owned(), parent));
        kept.copied().unwrap_or(0)
    }

    /// Living children that anybody asked for in a pool.
    pub fn kept_in(&self, pool: &str) -> u32 {
        self.index.family.kept_in.get(pool).copied().unwrap_or(0)
    }

    /// How deep below root a canister is; a member of root's is at 1. Looked at no further up than
    /// `most`.
    pub(crate) fn depth(&self, canister: CanisterId, most: u32) -> u32 {
        let root = self.header().root;
        let (mut depth, mut at) = (0, Some(canister));
        while let Some(id) = at.filter(|id| Some(*id) != root && depth <= most) {
            depth += 1;
            at = self.row(id).and_then(|row| row.parent);
        }
        depth
    }

    /// A living member.
    pub(crate) fn living(&self, canister: CanisterId) -> Option<Row> {
        let living = |row: &Row| matches!(row.phase, Phase::InService | Phase::Leased);
        self.row(canister).filter(living)
    }
}
