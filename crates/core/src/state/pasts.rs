//! Ready canisters by the past they bring, so that one that may be reused is found without a scan.
//!
//! Owns the index alone; who may be reused for what is decided in `decide/past.rs`.

use crate::record::Row;
use hatchery_types::{CanisterId, Nanos};
use std::collections::{BTreeMap, BTreeSet};

/// Ready rows, first in first out.
pub(crate) type Queue = BTreeSet<(Nanos, CanisterId)>;

/// Ready rows by their last role, and by last role and parent; never an empty queue.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pasts {
    of_role: BTreeMap<Option<String>, Queue>,
    of_parent: BTreeMap<(String, Option<CanisterId>), Queue>,
}

impl Pasts {
    /// Those of a role, whoever was their parent; none = without a past.
    pub(crate) fn of_role(&self, role: Option<&str>) -> Option<&Queue> {
        self.of_role.get(&role.map(str::to_owned))
    }

    /// Those of a role under a parent.
    pub(crate) fn of_parent(&self, role: &str, parent: Option<CanisterId>) -> Option<&Queue> {
        self.of_parent.get(&(role.to_owned(), parent))
    }

    pub(super) fn put(&mut self, row: &Row) {
        let entry = (row.since, row.canister);
        self.of_role
            .entry(row.role.clone())
            .or_default()
            .insert(entry);
        if let Some(role) = &row.role {
            let past = (role.clone(), row.parent);
            self.of_parent.entry(past).or_default().insert(entry);
        }
    }

    pub(super) fn take(&mut self, row: &Row) {
        take(&mut self.of_role, &row.role, row);
        if let Some(role) = &row.role {
            take(&mut self.of_parent, &(role.clone(), row.parent), row);
        }
    }
}

fn take<K: Ord>(queues: &mut BTreeMap<K, Queue>, key: &K, row: &Row) {
    if let Some(queue) = queues.get_mut(key) {
        queue.remove(&(row.since, row.canister));
        if queue.is_empty() {
            queues.remove(key);
        }
    }
}
