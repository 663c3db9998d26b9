//! What a canister remembers of itself: changes of code and controllers, and its log. It records;
//! who may read is decided elsewhere.

use std::collections::VecDeque;

use ic_management_canister_types::{
    CanisterLogRecord, Change, ChangeDetails, ChangeOrigin, FromCanisterRecord, FromUserRecord,
};
use ic_principal::Principal;

use super::queue::Origin;
use crate::saved::saved;

/// Changes kept per canister (interface specification, section `canister_info`).
const CHANGES_MAX: usize = 20;

/// The last changes of a canister and how many there were in all.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    changes: VecDeque<Change>,
    total: u64,
}

impl History {
    pub(crate) fn record(
        &mut self,
        time_ns: u64,
        version: u64,
        by: ChangeOrigin,
        what: ChangeDetails,
    ) {
        self.total += 1;
        self.changes.push_back(Change {
            timestamp_nanos: time_ns,
            canister_version: version,
            origin: by,
            details: Some(what),
        });
        if self.changes.len() > CHANGES_MAX {
            self.changes.pop_front();
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// The last `count` changes, oldest first.
    pub(crate) fn last(&self, count: usize) -> Vec<Change> {
        let skip = self.changes.len().saturating_sub(count);
        self.changes.iter().skip(skip).cloned().collect()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter()
    }

    /// Forgets the changes but not their number, as when a canister runs out of cycles.
    pub(crate) fn forget(&mut self) {
        self.changes.clear();
    }

    /// Estimate of the bytes the replica stores for it.
    pub(crate) fn bytes(&self) -> u64 {
        let one = |change: &Change| match &change.details {
            Some(ChangeDetails::ControllersChange(c)) => 64 + 29 * c.controllers.len(),
            Some(ChangeDetails::Creation(c)) => 64 + 29 * c.controllers.len(),
            _ => 96,
        };
        self.changes.iter().map(|change| one(change) as u64).sum()
    }
}

/// Who changed something, as the history says it.
pub(crate) fn origin_of(origin: &Origin, sender_version: Option<u64>) -> ChangeOrigin {
    match origin {
        Origin::Canister { caller, .. } => ChangeOrigin::FromCanister(FromCanisterRecord {
            canister_id: *caller,
            canister_version: sender_version,
        }),
        Origin::Ingress { sender, .. } => from_user(*sender),
        Origin::Task => from_user(Principal::management_canister()),
    }
}

/// A change made by a user, or by the operator of this world in their name.
pub(crate) fn from_user(user_id: Principal) -> ChangeOrigin {
    ChangeOrigin::FromUser(FromUserRecord { user_id })
}

/// The log of a canister: `debug_print` and traps of replicated executions, oldest dropped first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Logs {
    records: VecDeque<CanisterLogRecord>,
    bytes: u64,
    next: u64,
}

/// What a record costs beside its text.
const RECORD_OVERHEAD_BYTES: u64 = 16;

impl Logs {
    pub(crate) fn add(&mut self, time_ns: u64, mut content: Vec<u8>, limit_bytes: u64) {
        let room = limit_bytes.saturating_sub(RECORD_OVERHEAD_BYTES);
        content.truncate(usize::try_from(room).unwrap_or(usize::MAX));
        self.bytes += content.len() as u64 + RECORD_OVERHEAD_BYTES;
        self.records.push_back(CanisterLogRecord {
            idx: self.next,
            timestamp_nanos: time_ns,
            content,
        });
        self.next += 1;
        self.shrink(limit_bytes);
    }

    /// Drops the oldest records above `limit_bytes`.
    pub(crate) fn shrink(&mut self, limit_bytes: u64) {
        while self.bytes > limit_bytes {
            let Some(oldest) = self.records.pop_front() else {
                return;
            };
            self.bytes -= oldest.content.len() as u64 + RECORD_OVERHEAD_BYTES;
        }
    }

    /// Drops all records; numbering goes on.
    pub(crate) fn clear(&mut self) {
        self.records.clear();
        self.bytes = 0;
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = &CanisterLogRecord> {
        self.records.iter()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

saved!(struct History { changes, total });
saved!(struct Logs { records, bytes, next });
