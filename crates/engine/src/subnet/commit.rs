//! Commits what an execution leaves behind: costs, cycles, calls, the answer, and the end of its
//! call context.

use ic_error_types::ErrorCode;
use ic_principal::Principal;

use super::Subnet;
use super::call_context::{ContextId, OpenCall};
use super::canister::{Canister, LowMemoryHook};
use super::cycles::{Ledger, Use};
use super::queue::{Answer, Origin, Request, Task};
use super::run::MESSAGE_INSTRUCTIONS_MAX;
use crate::machine::Keep;
use crate::message::{Effects, Entry, Execution, OutgoingCall, Prices, Response};
use crate::reject::Reject;

impl Subnet {
    /// Books an execution's costs, commits its effects and closes its context when it is done.
    pub(super) fn commit(
        &mut self,
        id: &Principal,
        context: ContextId,
        execution: Execution,
        prepaid: u128,
        keep: Keep,
    ) {
        let Execution {
            result,
            instructions,
            effects,
        } = execution;
        self.book_execution(id, prepaid, instructions);
        let time_ns = self.time_ns;
        let canister = self.known_mut(id);
        for line in &effects.logs {
            canister
                .logs
                .add(time_ns, line.clone(), canister.settings.log_memory_limit);
        }
        canister.contexts.get_mut(context).instructions += instructions;
        let returned = result.is_ok();
        let response = self.apply_effects(id, context, effects);
        // Calls carry the version that the message saw.
        if returned && keep == Keep::OnReturn {
            self.known_mut(id).version += 1;
        }
        if let Some(response) = response {
            self.respond(id, context, response);
        }
        let error = match result {
            Ok(()) => Reject::new(
                ErrorCode::CanisterDidNotReply,
                format!("Error from Canister {id}: Canister did not reply to the call"),
            ),
            Err(trap) => Reject::new(trap.code, trap.message),
        };
        self.close(id, context, error);
        if returned && keep == Keep::OnReturn {
            self.watch_low_memory(id);
        }
    }

    /// Takes what an execution cost out of its prepayment and returns the rest to the balance.
    pub(crate) fn book_execution(&mut self, id: &Principal, prepaid: u128, instructions: u64) {
        let prices = &self.context.prices;
        let canister = self
            .canisters
            .get_mut(id)
            .expect("bug: a canister vanished while it was in use");
        let each = prices.instruction * canister.instruction_weight();
        let cost = (prices.message + each * u128::from(instructions)).min(prepaid);
        canister.balance += prepaid - cost;
        self.ledger.burn_taken(canister, Use::Instructions, cost);
    }

    fn apply_effects(
        &mut self,
        id: &Principal,
        context: ContextId,
        effects: Effects,
    ) -> Option<Response> {
        let canister = self
            .canisters
            .get_mut(id)
            .expect("bug: a canister vanished while it was in use");
        let in_context = canister.contexts.get_mut(context);
        let accepted = effects.cycles_accepted.min(in_context.cycles_available);
        in_context.cycles_available -= accepted;
        canister.balance += accepted;
        self.ledger
            .burn(canister, Use::Burned, effects.cycles_burned);
        if let Some(certified_data) = effects.certified_data {
            canister.certified_data = certified_data;
        }
        if let Some(timer_ns) = effects.timer_ns {
            self.set_timer(id, timer_ns);
        }
        for call in effects.calls {
            self.perform(id, context, call);
        }
        effects.response
    }

    fn perform(&mut self, id: &Principal, context: ContextId, call: OutgoingCall) {
        let prices = &self.context.prices;
        let bytes = (call.method.len() + call.arg.len()) as u128;
        let sending = (prices.call + prices.call_byte * bytes).min(call.prepaid);
        let deadline_ns = call.best_effort_seconds.map_or(0, |seconds| {
            (self.time_ns / 1_000_000_000 + u64::from(seconds)) * 1_000_000_000
        });
        let canister = self
            .canisters
            .get_mut(id)
            .expect("bug: a canister vanished while it was in use");
        canister.balance = canister
            .balance
            .checked_sub(call.cycles + call.prepaid)
            .expect("bug: a call was performed that the canister cannot pay");
        self.ledger.burn_taken(canister, Use::Transmission, sending);
        let callback = canister.contexts.add_call(OpenCall {
            context,
            callee: call.callee,
            method: call.method.clone(),
            on_reply: call.on_reply,
            on_reject: call.on_reject,
            on_cleanup: call.on_cleanup,
            prepaid: call.prepaid - sending,
            deadline_ns,
            answered: false,
        });
        let sender_version = canister.version;
        if deadline_ns != 0 {
            self.deadlines.insert((deadline_ns, *id, callback));
        }
        self.send(Request {
            origin: Origin::Canister {
                caller: *id,
                callback,
                deadline_ns,
            },
            callee: call.callee,
            method: call.method,
            arg: call.arg,
            cycles: call.cycles,
            sender_version,
            expires_ns: 0,
        });
    }

    fn respond(&mut self, id: &Principal, context: ContextId, response: Response) {
        let context = self.known_mut(id).contexts.get_mut(context);
        if context.responded {
            return;
        }
        context.responded = true;
        let refund = std::mem::take(&mut context.cycles_available);
        let origin = context.origin.clone();
        let result = match response {
            Response::Reply(bytes) => Ok(bytes),
            Response::Reject(text) => Err(Reject::new(ErrorCode::CanisterRejectedMessage, text)),
        };
        self.answer(&origin, result, refund);
    }

    pub(super) fn close(&mut self, id: &Principal, context: ContextId, error: Reject) {
        let Some(closed) = self.known_mut(id).contexts.close_if_done(context, error) else {
            return;
        };
        if let Some(error) = closed.missing_answer {
            self.answer(&closed.origin, Err(error), closed.cycles_available);
        }
    }

    /// Schedules the low-memory hook when its condition has become true.
    fn watch_low_memory(&mut self, id: &Principal) {
        let canister = self.known_mut(id);
        let settings = &canister.settings;
        let threshold = settings.wasm_memory_threshold;
        if threshold == 0 {
            canister.low_memory = LowMemoryHook::NotSatisfied;
            return;
        }
        let left = settings
            .wasm_memory_limit
            .saturating_sub(canister.heap_bytes());
        let has_hook = canister.has_hook(&Entry::OnLowWasmMemory);
        if left >= threshold {
            canister.low_memory = LowMemoryHook::NotSatisfied;
        } else if canister.low_memory == LowMemoryHook::NotSatisfied && has_hook {
            canister.low_memory = LowMemoryHook::Ready;
            canister.tasks.push_front(Task::LowMemory);
        }
    }

    pub(crate) fn freezing_limit(&self, id: &Principal) -> u128 {
        self.known(id).freezing_limit(&self.context.prices)
    }

    /// What an update, callback or task must be able to pay before it runs.
    pub(crate) fn update_prepayment(&self) -> u128 {
        let prices = &self.context.prices;
        prices.message + prices.instruction * u128::from(MESSAGE_INSTRUCTIONS_MAX)
    }
}

/// Books the transmission of an answer and returns what was prepaid too much for it, and the
/// refund, to the balance.
pub(super) fn settle_transmission(
    ledger: &mut Ledger,
    canister: &mut Canister,
    prices: &Prices,
    call: &OpenCall,
    answer: &Answer,
    execution_prepaid: u128,
) {
    let bytes = match &answer.result {
        Ok(reply) => reply.len(),
        Err(reject) => reject.message.len(),
    };
    let for_answer = call.prepaid.saturating_sub(execution_prepaid);
    let fee = (prices.call_byte * bytes as u128).min(for_answer);
    canister.balance += answer.refund + for_answer - fee;
    ledger.burn_taken(canister, Use::Transmission, fee);
}
