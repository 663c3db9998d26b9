//! Which receipts there are room for, which may go, and which wait for what.
//!
//! A receipt without an answer never goes; the oldest answered ones do, of the caller first.

use super::State;
use crate::limits;
use crate::metrics::{Ended, Operation};
use crate::plant::planted;
use crate::receipt::{Answer, On, Receipt, Wait};
use crate::record::LogEntry;
use crate::storage::{ReceiptKey, Record};
use hatchery_types::{CanisterId, Nanos, OperationId, Principal, Reason};
use ic_stable_structures::Memory;
use std::collections::{BTreeMap, BTreeSet};

type Aged = BTreeSet<(Nanos, ReceiptKey)>;

/// The receipts by age, by caller and by what they wait on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ReceiptIndex {
    answered: Aged,
    callers: BTreeMap<[u8; 30], Caller>,
    waiting: BTreeMap<On, Aged>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Caller {
    answered: Aged,
    waiting: u32,
}

impl ReceiptIndex {
    pub(crate) fn put(&mut self, key: &ReceiptKey, receipt: &Receipt) {
        let aged = (receipt.at, key.clone());
        let caller = self.callers.entry(key.caller()).or_default();
        if let Some(wait) = receipt.wait {
            caller.waiting += 1;
            self.waiting.entry(wait.on).or_default().insert(aged);
        } else {
            caller.answered.insert(aged.clone());
            self.answered.insert(aged);
        }
    }

    fn take(&mut self, key: &ReceiptKey, receipt: &Receipt) {
        let aged = (receipt.at, key.clone());
        let Some(caller) = self.callers.get_mut(&key.caller()) else {
            return;
        };
        if let Some(wait) = receipt.wait {
            caller.waiting -= 1;
            if let Some(waiting) = self.waiting.get_mut(&wait.on) {
                waiting.remove(&aged);
                if waiting.is_empty() {
                    self.waiting.remove(&wait.on);
                }
            }
        } else {
            caller.answered.remove(&aged);
            self.answered.remove(&aged);
        }
        if caller.waiting == 0 && caller.answered.is_empty() {
            self.callers.remove(&key.caller());
        }
    }

    /// Operations without an answer.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.values().map(BTreeSet::len).sum()
    }
}

impl<M: Memory> State<M> {
    /// The answer given to an operation.
    pub fn receipt(&self, caller: Principal, operation: &OperationId) -> Option<Receipt> {
        self.receipts
            .get(&ReceiptKey::new(caller, &operation.0))
            .map(|receipt| receipt.read())
    }

    /// Operations that are not answered yet.
    pub fn operations_waiting(&self) -> u64 {
        self.receipt_index.waiting() as u64
    }

    /// Operations that wait on the same thing, oldest first.
    pub(crate) fn waiting_on(
        &self,
        on: On,
    ) -> impl Iterator<Item = (Nanos, Principal, OperationId)> {
        let keys = self.receipt_index.waiting.get(&on).into_iter().flatten();
        keys.map(|(at, key)| {
            let (caller, operation) = key.parts();
            (*at, caller, operation)
        })
    }

    /// How many operations wait on the same thing.
    pub(crate) fn waiting_count(&self, on: On) -> u64 {
        self.receipt_index
            .waiting
            .get(&on)
            .map_or(0, |keys| keys.len() as u64)
    }

    /// Whether any operation waits at all.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.receipt_index.waiting.is_empty()
    }

    /// A new operation of `caller` finds room: its own bound and the bound of all are not reached,
    /// or the oldest answered receipt may go.
    pub(crate) fn has_receipt_room(&self, caller: Principal, now: Nanos) -> bool {
        let index = &self.receipt_index;
        let has_room = |answered: &Aged, count: u64, most: u64| {
            let oldest = answered.first().map(|(at, _)| now.since(*at));
            count < most || oldest >= Some(limits::RECEIPT_LIFE)
        };
        let own = index.callers.get(&ReceiptKey::new(caller, "").caller());
        let own_has_room = own.is_none_or(|own| {
            let count = own.answered.len() as u64 + u64::from(own.waiting);
            let most = u64::from(limits::RECEIPTS_PER_CALLER_MAX);
            has_room(&own.answered, count, most)
        });
        let all = self.receipts.len();
        own_has_room && has_room(&index.answered, all, limits::RECEIPTS_MAX)
    }

    /// That an operation was taken, or answered, is told. Leases are not: there are too many.
    pub(super) fn tell_operation(
        &mut self,
        now: Nanos,
        caller: Principal,
        operation: OperationId,
        receipt: &Receipt,
    ) {
        let before = self.receipt(caller, &operation);
        let reason = match (&receipt.answer, receipt.wait) {
            (_, Some(_)) if before.is_some() => return,
            (_, Some(_)) => Reason::Taken,
            (Answer::Refused(reason), None) => reason.clone(),
            (_, None) => Reason::Answered,
        };
        let waits = [Some(receipt), before.as_ref()];
        let goal = waits.into_iter().flatten().find_map(|it| it.wait);
        let ended = match (&reason, &receipt.answer) {
            (Reason::Taken, _) => Ended::Started,
            (_, Answer::Refused(_)) => Ended::Failed,
            _ => Ended::Completed,
        };
        let operation_kind = Operation::of(goal.map(|wait| wait.goal));
        self.metrics.count(operation_kind, ended, reason.name());
        let canister = waits.into_iter().flatten().find_map(subject);
        let row = canister.and_then(|canister| self.row(canister));
        self.log.append(&LogEntry {
            at: now,
            canister,
            pool: row.as_ref().and_then(|row| row.pool.clone()),
            phase: row.map(|row| row.phase),
            reason,
            operation: Some(operation),
        });
    }

    /// Writes a receipt, new or answered now. For a new one room is made first: the caller's own
    /// oldest answered receipt goes, or the oldest of all.
    pub(super) fn put_receipt(&mut self, key: ReceiptKey, receipt: Receipt) {
        if let Some(before) = self.receipts.get(&key) {
            self.receipt_index.take(&key, &before.read());
        } else if let Some(oldest) = self.receipt_to_drop(&key)
            && let Some(dropped) = self.receipts.remove(&oldest)
        {
            self.receipt_index.take(&oldest, &dropped.read());
        }
        self.receipt_index.put(&key, &receipt);
        self.receipts.insert(key, Record::from(receipt));
    }

    fn receipt_to_drop(&self, key: &ReceiptKey) -> Option<ReceiptKey> {
        let index = &self.receipt_index;
        if planted("s06") && self.receipts.len() >= 1_000 {
            let waiting = index.waiting.values().flatten().next();
            return waiting.map(|(_, key)| key.clone());
        }
        let own = index.callers.get(&key.caller());
        let own_full = own.filter(|own| {
            own.answered.len() + own.waiting as usize >= limits::RECEIPTS_PER_CALLER_MAX as usize
        });
        let all_full = self.receipts.len() >= limits::RECEIPTS_MAX;
        let oldest = own_full
            .and_then(|own| own.answered.first())
            .or_else(|| index.answered.first().filter(|_| all_full));
        oldest.map(|(_, key)| key.clone())
    }
}

/// The canister that an operation is about, as far as its receipt says.
fn subject(receipt: &Receipt) -> Option<CanisterId> {
    match (&receipt.answer, receipt.wait) {
        (Answer::Created(canister), _) => Some(*canister),
        (
            _,
            Some(Wait {
                on: On::Canister(canister),
                ..
            }),
        ) => Some(canister),
        _ => None,
    }
}
