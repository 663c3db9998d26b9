//! Call contexts and open calls of one canister: who waits for its answer, and whose answers it
//! waits for. Plain bookkeeping; it executes nothing and moves no cycles.

use std::collections::BTreeMap;

use ic_principal::Principal;

use super::queue::{CallbackId, Origin};
use crate::message::Callback;
use crate::reject::Reject;
use crate::saved::saved;

/// Numbers the call contexts of a canister.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ContextId(pub(crate) u64);

/// One incoming call or task and what is still open of it.
///
/// ```text
/// opened ──► executed ──► outstanding > 0 ──► callbacks ──► closed: responded or rejected
///                 └── outstanding = 0 ───────────────────────────┘
/// ```
#[derive(Debug, Clone)]
pub(crate) struct CallContext {
    pub(crate) origin: Origin,
    pub(crate) responded: bool,
    /// The canister was uninstalled meanwhile: callbacks do not run any more.
    pub(crate) abandoned: bool,
    pub(crate) cycles_available: u128,
    pub(crate) instructions: u64,
    pub(crate) outstanding: u32,
}

impl CallContext {
    pub(crate) fn new(origin: Origin, cycles_available: u128) -> Self {
        let responded = matches!(origin, Origin::Task);
        CallContext {
            origin,
            responded,
            abandoned: false,
            cycles_available,
            instructions: 0,
            outstanding: 0,
        }
    }
}

/// A call that waits for its answer.
#[derive(Debug, Clone)]
pub(crate) struct OpenCall {
    pub(crate) context: ContextId,
    pub(crate) callee: Principal,
    pub(crate) method: String,
    pub(crate) on_reply: Callback,
    pub(crate) on_reject: Callback,
    pub(crate) on_cleanup: Option<Callback>,
    /// What is left of the prepayment for answer and callback.
    pub(crate) prepaid: u128,
    /// 0 = guaranteed response.
    pub(crate) deadline_ns: u64,
    /// An answer is queued: any later one is dropped.
    pub(crate) answered: bool,
}

/// All call contexts and open calls of one canister.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contexts {
    by_id: BTreeMap<ContextId, CallContext>,
    calls: BTreeMap<CallbackId, OpenCall>,
    per_callee: BTreeMap<Principal, u32>,
    guaranteed: u64,
    next: u64,
}

/// A context that has nothing outstanding and was closed.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) origin: Origin,
    /// Set when nobody answered: the caller gets this.
    pub(crate) missing_answer: Option<Reject>,
    pub(crate) cycles_available: u128,
}

impl Contexts {
    pub(crate) fn open(&mut self, context: CallContext) -> ContextId {
        let id = ContextId(self.take_number());
        self.by_id.insert(id, context);
        id
    }

    pub(crate) fn get(&self, id: ContextId) -> &CallContext {
        self.by_id
            .get(&id)
            .expect("bug: a call context closed while it was in use")
    }

    pub(crate) fn get_mut(&mut self, id: ContextId) -> &mut CallContext {
        self.by_id
            .get_mut(&id)
            .expect("bug: a call context closed while it was in use")
    }

    pub(crate) fn add_call(&mut self, call: OpenCall) -> CallbackId {
        let id = CallbackId(self.take_number());
        self.get_mut(call.context).outstanding += 1;
        *self.per_callee.entry(call.callee).or_default() += 1;
        self.guaranteed += u64::from(call.deadline_ns == 0);
        self.calls.insert(id, call);
        id
    }

    pub(crate) fn call(&self, id: CallbackId) -> Option<&OpenCall> {
        self.calls.get(&id)
    }

    pub(crate) fn call_mut(&mut self, id: CallbackId) -> Option<&mut OpenCall> {
        self.calls.get_mut(&id)
    }

    /// Takes the call whose answer is being processed. Its context keeps counting it until
    /// [`Contexts::close_if_done`] is told.
    pub(crate) fn take_call(&mut self, id: CallbackId) -> OpenCall {
        let call = self
            .calls
            .remove(&id)
            .expect("bug: an answer was queued for a call that is not open");
        self.get_mut(call.context).outstanding -= 1;
        self.guaranteed -= u64::from(call.deadline_ns == 0);
        let left = self
            .per_callee
            .get_mut(&call.callee)
            .expect("bug: an open call was not counted");
        *left -= 1;
        if *left == 0 {
            self.per_callee.remove(&call.callee);
        }
        call
    }

    /// Closes the context when nothing is outstanding; `error` is what its caller is told if
    /// nobody has answered.
    pub(crate) fn close_if_done(&mut self, id: ContextId, error: Reject) -> Option<Closed> {
        if self.get(id).outstanding > 0 {
            return None;
        }
        let context = self
            .by_id
            .remove(&id)
            .expect("bug: a call context closed while it was in use");
        Some(Closed {
            origin: context.origin,
            missing_answer: (!context.responded).then_some(error),
            cycles_available: context.cycles_available,
        })
    }

    /// Marks every context abandoned and returns the origins that still wait, with the cycles
    /// that go back to them.
    pub(crate) fn abandon_all(&mut self) -> Vec<(Origin, u128)> {
        let mut waiting = Vec::new();
        for context in self.by_id.values_mut() {
            context.abandoned = true;
            if !context.responded {
                context.responded = true;
                let refund = std::mem::take(&mut context.cycles_available);
                waiting.push((context.origin.clone(), refund));
            }
        }
        self.by_id.retain(|_, context| context.outstanding > 0);
        waiting
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.by_id.is_empty() && self.calls.is_empty()
    }

    pub(crate) fn open_contexts(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn outstanding_calls(&self) -> usize {
        self.calls.len()
    }

    pub(crate) fn guaranteed_calls(&self) -> u64 {
        self.guaranteed
    }

    pub(crate) fn per_callee(&self) -> &BTreeMap<Principal, u32> {
        &self.per_callee
    }

    /// Cycles that are neither in a balance nor on their way: available to contexts, and prepaid.
    pub(crate) fn cycles(&self) -> u128 {
        let available: u128 = self.by_id.values().map(|c| c.cycles_available).sum();
        let prepaid: u128 = self.calls.values().map(|c| c.prepaid).sum();
        available + prepaid
    }

    fn take_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

saved!(number ContextId);
saved!(struct CallContext {
    origin, responded, abandoned, cycles_available, instructions, outstanding,
});
saved!(struct OpenCall {
    context, callee, method, on_reply, on_reject, on_cleanup, prepaid, deadline_ns, answered,
});
saved!(struct Contexts { by_id, calls, per_callee, guaranteed, next });
