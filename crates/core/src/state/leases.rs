//! Answers given to holders: found by operation, forgotten after their life, bounded per caller.
//!
//! A lease is decided in the message that asks for it, so no receipt here is ever undecided.

use super::State;
use crate::lease::LeaseReceipt;
use crate::limits;
use crate::storage::{ReceiptKey, Record};
use hatchery_types::{Nanos, OperationId, Principal};
use ic_stable_structures::Memory;
use std::collections::{BTreeMap, BTreeSet};

/// Receipts by age and by caller, so that a new operation costs no look into stable memory.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct LeaseIndex {
    by_age: BTreeSet<(Nanos, ReceiptKey)>,
    by_caller: BTreeMap<[u8; 30], BTreeSet<ReceiptKey>>,
}

impl LeaseIndex {
    pub(crate) fn put(&mut self, at: Nanos, key: ReceiptKey) {
        let own = self.by_caller.entry(key.caller()).or_default();
        own.insert(key.clone());
        self.by_age.insert((at, key));
    }

    fn take(&mut self, at: Nanos, key: &ReceiptKey) {
        self.by_age.remove(&(at, key.clone()));
        if let Some(own) = self.by_caller.get_mut(&key.caller()) {
            own.remove(key);
            if own.is_empty() {
                self.by_caller.remove(&key.caller());
            }
        }
    }

    fn knows(&self, key: &ReceiptKey) -> bool {
        let own = self.by_caller.get(&key.caller());
        own.is_some_and(|own| own.contains(key))
    }

    /// When the oldest receipt may be forgotten.
    pub(crate) fn forget_at(&self) -> Option<Nanos> {
        let (oldest, _) = self.by_age.first()?;
        Some(*oldest + limits::LEASE_RECEIPT_LIFE)
    }
}

impl<M: Memory> State<M> {
    /// The answer given to a holder's operation.
    pub fn lease_receipt(
        &self,
        caller: Principal,
        operation: &OperationId,
    ) -> Option<LeaseReceipt> {
        let key = ReceiptKey::new(caller, &operation.0);
        if !self.index.leases.knows(&key) {
            return None;
        }
        self.leases.get(&key).map(|receipt| receipt.read())
    }

    /// Answers kept for holders.
    pub fn lease_receipts(&self) -> u64 {
        self.leases.len()
    }

    /// The caller may have one more.
    pub(crate) fn has_lease_room(&self, caller: Principal) -> bool {
        let own = self
            .index
            .leases
            .by_caller
            .get(&ReceiptKey::new(caller, "").caller())
            .map_or(0, BTreeSet::len);
        own < limits::LEASE_RECEIPTS_PER_CALLER_MAX
            && self.index.leases.by_age.len() < limits::LEASE_RECEIPTS_MAX
    }

    pub(super) fn put_lease_receipt(&mut self, key: ReceiptKey, receipt: LeaseReceipt) {
        self.index.leases.put(receipt.at, key.clone());
        self.leases.insert(key, Record::from(receipt));
    }

    /// Forgets receipts whose life is over, the oldest first, a batch at a time.
    pub(super) fn forget_lease_receipts(&mut self, now: Nanos) {
        for _ in 0..limits::LEASE_RECEIPTS_FORGOTTEN {
            let oldest = self.index.leases.by_age.first().cloned();
            let Some((at, key)) = oldest.filter(|(at, _)| *at + limits::LEASE_RECEIPT_LIFE <= now)
            else {
                return;
            };
            self.index.leases.take(at, &key);
            self.leases.remove(&key);
        }
    }
}
