//! Executes the next message of a canister and commits what it leaves behind. Which canister's turn
//! it is, and when, is the round's business.

use std::cell::RefCell;
use std::collections::BTreeMap;

use ic_error_types::{ErrorCode, RejectCode};
use ic_principal::Principal;

use super::Subnet;
use super::call_context::{CallContext, ContextId, OpenCall};
use super::canister::{Canister, LowMemoryHook, Status};
use super::cycles::{Ledger, Use, prepay};
use super::queue::{Answer, Input, Origin, REQUESTS_PER_CALLEE_MAX, Request, Task};
use crate::faults::{Call, Faults, Point, Verdict};
use crate::machine::{Keep, MethodKind};
use crate::message::{
    Callback, CanisterContext, Effects, Entry, Execution, Message, Mode, OutgoingCall, Prices,
    QueueRoom, Response, SubnetContext, Trap,
};
use crate::reject::Reject;
use crate::trace::Event;

/// Instructions of an update, callback or task (ENGINE facts: instruction limits).
pub(crate) const MESSAGE_INSTRUCTIONS_MAX: u64 = 40_000_000_000;
/// Share of a callback's instructions that is kept for its cleanup.
const CLEANUP_INSTRUCTIONS: u64 = MESSAGE_INSTRUCTIONS_MAX / 20;
/// Memory that all canisters of a subnet may use together.
const SUBNET_MEMORY_BYTES: u64 = 2 << 40;

/// One execution, before the canister's own circumstances are added.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) entry: Entry,
    pub(crate) mode: Mode,
    pub(crate) caller: Principal,
    pub(crate) arg: &'a [u8],
    pub(crate) reject: Option<(u32, String)>,
    pub(crate) deadline_ns: u64,
    pub(crate) cycles_available: u128,
    pub(crate) cycles_refunded: u128,
    pub(crate) responded: bool,
    pub(crate) context_instructions: u64,
    pub(crate) instruction_limit: u64,
    pub(crate) keep: Keep,
    /// The code runs as part of an install: it sees the version that the install will give, and no
    /// timer.
    pub(crate) after_install: bool,
}

impl<'a> Run<'a> {
    /// A run of `entry` by `caller` with the limits of an update and nothing attached.
    pub(crate) fn new(entry: Entry, mode: Mode, caller: Principal, arg: &'a [u8]) -> Self {
        Run {
            entry,
            mode,
            caller,
            arg,
            reject: None,
            deadline_ns: 0,
            cycles_available: 0,
            cycles_refunded: 0,
            responded: false,
            context_instructions: 0,
            instruction_limit: MESSAGE_INSTRUCTIONS_MAX,
            keep: Keep::OnReturn,
            after_install: false,
        }
    }
}

/// What `call_perform` may still send, and the faults that say otherwise.
#[derive(Debug)]
struct Room<'a> {
    caller: Principal,
    per_callee: &'a BTreeMap<Principal, u32>,
    faults: RefCell<&'a mut Faults>,
    round: u64,
    time_ns: u64,
}

impl QueueRoom for Room<'_> {
    fn free_slots(&self, callee: &Principal) -> usize {
        let mut faults = self.faults.borrow_mut();
        if !faults.rules().is_empty() {
            let call = Call {
                caller: &self.caller,
                callee,
                method: "",
                best_effort: false,
                round: self.round,
                time_ns: self.time_ns,
            };
            if faults.verdict(Point::Perform, &call).is_some() {
                return 0;
            }
        }
        let used = self.per_callee.get(callee).copied().unwrap_or(0);
        REQUESTS_PER_CALLEE_MAX.saturating_sub(used as usize)
    }
}

/// How a message entered: what is entered, and whether its state is kept.
struct Admitted {
    entry: Entry,
    mode: Mode,
    keep: Keep,
    fault: Option<Verdict>,
}

impl Subnet {
    /// Executes the next task or message of a canister; `None` when there is none. Returns the
    /// instructions used.
    pub(crate) fn execute_next(&mut self, id: &Principal) -> Option<u64> {
        let canister = self.canisters.get_mut(id)?;
        if let Some(task) = canister.tasks.pop_front() {
            return Some(self.execute_task(id, task));
        }
        Some(match canister.input.pop_front()? {
            Input::Request(request) => self.execute_request(id, request),
            Input::Answer(answer) => self.execute_answer(id, answer),
        })
    }

    fn execute_request(&mut self, id: &Principal, request: Request) -> u64 {
        if self.has_expired(&request) {
            // Its caller was told when the deadline passed.
            self.ledger.discarded += request.cycles;
            return 0;
        }
        self.start_ingress(&request.origin);
        let admitted = match self.admit(id, &request) {
            Ok(admitted) => admitted,
            Err(reject) => {
                self.answer(&request.origin, Err(reject), request.cycles);
                return 0;
            }
        };
        let caller = request.origin.principal();
        let deadline_ns = request.origin.deadline_ns();
        let context = CallContext::new(request.origin, request.cycles);
        let context = self.known_mut(id).contexts.open(context);
        let run = Run {
            deadline_ns,
            cycles_available: request.cycles,
            keep: admitted.keep,
            ..Run::new(admitted.entry, admitted.mode, caller, &request.arg)
        };
        let execution = match admitted.fault {
            Some(verdict) => failed_by_fault(id, &verdict),
            None => self.run(id, &run),
        };
        self.trace_execution(id, admitted.mode, &request.method, &execution);
        let prepaid = self.update_prepayment();
        let instructions = execution.instructions;
        self.commit(id, context, execution, prepaid, admitted.keep);
        instructions
    }

    fn admit(&mut self, id: &Principal, request: &Request) -> Result<Admitted, Reject> {
        let canister = self.known(id);
        match canister.status {
            Status::Running => {}
            Status::Stopping(_) => return Err(Reject::stopping(id)),
            Status::Stopped => return Err(Reject::stopped(id)),
        }
        let (entry, mode, keep) = entry_of(canister, &request.method)?;
        let from_canister =
            matches!(request.origin, Origin::Canister { caller, .. } if caller != *id);
        if from_canister && request.cycles < canister.settings.minimum_incoming_cycles {
            return Err(Reject::new(
                ErrorCode::InsufficientCyclesInCall,
                format!(
                    "Canister {id} wants at least {} cycles with a call",
                    canister.settings.minimum_incoming_cycles
                ),
            ));
        }
        let fault = self.fault_on_entry(id, request)?;
        let needed = self.update_prepayment();
        let freezing_limit = self.freezing_limit(id);
        prepay(self.known_mut(id), freezing_limit, needed)?;
        Ok(Admitted {
            entry,
            mode,
            keep,
            fault,
        })
    }

    fn fault_on_entry(
        &mut self,
        id: &Principal,
        request: &Request,
    ) -> Result<Option<Verdict>, Reject> {
        let Origin::Canister {
            caller,
            deadline_ns,
            ..
        } = &request.origin
        else {
            return Ok(None);
        };
        match self.fault(Point::Enter, caller, id, &request.method, *deadline_ns) {
            Some(Verdict::Reject { code }) => Err(reject_by_fault(code)),
            verdict => Ok(verdict),
        }
    }

    fn execute_answer(&mut self, id: &Principal, answer: Answer) -> u64 {
        let execution_prepaid = self.update_prepayment();
        let prices = self.context.prices.clone();
        let canister = self
            .canisters
            .get_mut(id)
            .expect("bug: an answer waits for a canister that is gone");
        let call = canister.contexts.take_call(answer.callback);
        settle_transmission(
            &mut self.ledger,
            canister,
            &prices,
            &call,
            &answer,
            execution_prepaid,
        );
        let execution_prepaid = execution_prepaid.min(call.prepaid);
        let context = canister.contexts.get(call.context);
        if context.abandoned || canister.code.is_none() {
            canister.balance += execution_prepaid;
            let error = Reject::new(
                ErrorCode::CanisterRejectedMessage,
                "Canister has been uninstalled.",
            );
            self.close(id, call.context, error);
            return 0;
        }
        let execution = self.run_callback(id, &call, &answer);
        let mode = if answer.result.is_ok() {
            Mode::Reply
        } else {
            Mode::Reject
        };
        self.trace_execution(id, mode, &call.method, &execution);
        let instructions = execution.instructions;
        self.commit(
            id,
            call.context,
            execution,
            execution_prepaid,
            Keep::OnReturn,
        );
        instructions
    }

    /// Runs the callback and, if it traps, the cleanup. The result is the callback's; the effects
    /// are of whichever returned.
    fn run_callback(&mut self, id: &Principal, call: &OpenCall, answer: &Answer) -> Execution {
        let context = self.known(id).contexts.get(call.context);
        let (function, mode, reject) = match &answer.result {
            Ok(_) => (call.on_reply, Mode::Reply, None),
            Err(reject) => {
                let text = reject.text_for_canister();
                (
                    call.on_reject,
                    Mode::Reject,
                    Some((reject.code as u32, text)),
                )
            }
        };
        let run = Run {
            reject,
            deadline_ns: context.origin.deadline_ns(),
            cycles_available: context.cycles_available,
            cycles_refunded: answer.refund,
            responded: context.responded,
            context_instructions: context.instructions,
            instruction_limit: MESSAGE_INSTRUCTIONS_MAX - CLEANUP_INSTRUCTIONS,
            ..Run::new(
                Entry::Callback(function),
                mode,
                context.origin.principal(),
                answer.result.as_deref().unwrap_or_default(),
            )
        };
        let fault = self.fault(
            Point::Callback,
            id,
            &call.callee,
            &call.method,
            call.deadline_ns,
        );
        let mut execution = match fault {
            Some(verdict) => failed_by_fault(id, &verdict),
            None => self.run(id, &run),
        };
        if execution.result.is_err()
            && let Some(cleanup) = call.on_cleanup
        {
            self.run_cleanup(id, cleanup, run, &mut execution);
        }
        execution
    }

    fn run_cleanup(
        &mut self,
        id: &Principal,
        cleanup: Callback,
        failed: Run<'_>,
        execution: &mut Execution,
    ) {
        let run = Run {
            entry: Entry::Callback(cleanup),
            mode: Mode::Cleanup,
            arg: &[],
            context_instructions: failed.context_instructions + execution.instructions,
            instruction_limit: MESSAGE_INSTRUCTIONS_MAX - execution.instructions,
            ..failed
        };
        let cleaned = self.run(id, &run);
        execution.instructions += cleaned.instructions;
        let mut logs = std::mem::take(&mut execution.effects.logs);
        logs.extend(cleaned.effects.logs);
        execution.effects = Effects {
            logs,
            ..cleaned.effects
        };
        match cleaned.result {
            Ok(()) => self.known_mut(id).version += 1,
            Err(second) => {
                if let Err(first) = &mut execution.result {
                    first.message = format!(
                        "{}\ncall_on_cleanup also failed: {}",
                        first.message, second.message
                    );
                }
            }
        }
    }

    fn execute_task(&mut self, id: &Principal, task: Task) -> u64 {
        let prepaid = self.update_prepayment();
        let freezing_limit = self.freezing_limit(id);
        let canister = self.known_mut(id);
        let entry = match task {
            Task::Heartbeat => Entry::Heartbeat,
            Task::GlobalTimer => Entry::GlobalTimer,
            Task::LowMemory => {
                canister.low_memory = LowMemoryHook::Executed;
                Entry::OnLowWasmMemory
            }
        };
        if !canister.is_running()
            || canister.code.is_none()
            || prepay(canister, freezing_limit, prepaid).is_err()
        {
            return 0;
        }
        let context = canister.contexts.open(CallContext::new(Origin::Task, 0));
        let run = Run {
            responded: true,
            ..Run::new(
                entry,
                Mode::SystemTask,
                Principal::management_canister(),
                &[],
            )
        };
        let execution = self.run(id, &run);
        self.trace_execution(id, Mode::SystemTask, task_name(task), &execution);
        let instructions = execution.instructions;
        self.commit(id, context, execution, prepaid, Keep::OnReturn);
        instructions
    }

    /// Runs one entry on the canister's code; nothing but its memory changes.
    pub(crate) fn run(&mut self, id: &Principal, run: &Run<'_>) -> Execution {
        let Subnet {
            canisters,
            machine,
            context,
            faults,
            round,
            time_ns,
            ..
        } = self;
        let canister = canisters
            .get_mut(id)
            .expect("bug: a canister vanished while it was in use");
        let shown = canister_context(canister, &context.prices);
        let room = Room {
            caller: *id,
            per_callee: canister.contexts.per_callee(),
            faults: RefCell::new(faults),
            round: *round,
            time_ns: *time_ns,
        };
        let message = message(run, shown, context, &room, *time_ns);
        let code = canister
            .code
            .as_mut()
            .expect("bug: a canister without code was executed");
        machine.run(code, &message, run.keep)
    }

    /// Books an execution's costs, commits its effects and closes its context when it is done.
    fn commit(
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
        if returned && keep == Keep::OnReturn {
            canister.version += 1;
        }
        let response = self.apply_effects(id, context, effects);
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
        let cost = (prices.message + prices.instruction * u128::from(instructions)).min(prepaid);
        let canister = self
            .canisters
            .get_mut(id)
            .expect("bug: a canister vanished while it was in use");
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

    fn close(&mut self, id: &Principal, context: ContextId, error: Reject) {
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

    fn trace_execution(&mut self, id: &Principal, mode: Mode, name: &str, execution: &Execution) {
        self.record(|| Event::Executed {
            canister: *id,
            entry: format!("{} {name}", mode_name(mode)),
            instructions: execution.instructions,
            trap: execution.result.as_ref().err().map(|trap| trap.code),
        });
    }
}

/// The canister as the System API shows it.
pub(crate) fn canister_context(canister: &Canister, prices: &Prices) -> CanisterContext {
    let settings = &canister.settings;
    CanisterContext {
        id: canister.id,
        balance: canister.balance,
        freezing_limit: canister.freezing_limit(prices),
        status: canister.status_number(),
        version: canister.version,
        controllers: settings.controllers.clone(),
        environment: settings.environment.clone(),
        timer_ns: canister.timer_ns,
        wasm_memory_limit: settings.wasm_memory_limit,
        memory_headroom: SUBNET_MEMORY_BYTES.saturating_sub(canister.memory_bytes()),
    }
}

/// Puts a run and its circumstances together.
pub(crate) fn message<'a>(
    run: &Run<'a>,
    mut canister: CanisterContext,
    subnet: &'a SubnetContext,
    queue_room: &'a dyn QueueRoom,
    time_ns: u64,
) -> Message<'a> {
    if run.after_install {
        canister.version += 1;
        canister.timer_ns = 0;
    }
    Message {
        entry: run.entry.clone(),
        mode: run.mode,
        caller: run.caller,
        arg: run.arg,
        reject: run.reject.clone(),
        deadline_ns: run.deadline_ns,
        time_ns,
        cycles_available: run.cycles_available,
        cycles_refunded: run.cycles_refunded,
        responded: run.responded,
        context_instructions: run.context_instructions,
        instruction_limit: run.instruction_limit,
        data_certificate: None,
        canister,
        subnet,
        queue_room,
    }
}

fn entry_of(canister: &Canister, method: &str) -> Result<(Entry, Mode, Keep), Reject> {
    let id = &canister.id;
    let code = canister
        .code
        .as_ref()
        .ok_or_else(|| Reject::no_module(id))?;
    let name = method.to_owned();
    match code.module().method(method) {
        Some(MethodKind::Update) => Ok((Entry::Update(name), Mode::Update, Keep::OnReturn)),
        Some(MethodKind::Query) => Ok((Entry::Query(name), Mode::ReplicatedQuery, Keep::Never)),
        Some(MethodKind::CompositeQuery) => Err(Reject::new(
            ErrorCode::CompositeQueryCalledInReplicatedMode,
            format!(
                "Error from Canister {id}: Composite query cannot be called in replicated mode"
            ),
        )),
        None => Err(Reject::new(
            ErrorCode::CanisterMethodNotFound,
            format!("Error from Canister {id}: Canister has no update method '{method}'"),
        )),
    }
}

/// Books the transmission of an answer and returns what was prepaid too much for it, and the
/// refund, to the balance.
fn settle_transmission(
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

fn failed_by_fault(id: &Principal, verdict: &Verdict) -> Execution {
    let (code, text, instructions) = match verdict {
        Verdict::OutOfInstructions => (
            ErrorCode::CanisterInstructionLimitExceeded,
            "Canister exceeded the instruction limit for single message execution",
            MESSAGE_INSTRUCTIONS_MAX,
        ),
        _ => (
            ErrorCode::CanisterTrapped,
            "Canister trapped: by a fault on demand",
            0,
        ),
    };
    Execution {
        result: Err(Trap {
            code,
            message: format!("Error from Canister {id}: {text}"),
        }),
        instructions,
        effects: Effects::default(),
    }
}

/// A reject of the wanted code; the finer code is one that the platform uses with it.
pub(crate) fn reject_by_fault(code: RejectCode) -> Reject {
    let error = match code {
        RejectCode::SysFatal => ErrorCode::SubnetOversubscribed,
        RejectCode::SysTransient => ErrorCode::CanisterQueueFull,
        RejectCode::DestinationInvalid => ErrorCode::CanisterNotFound,
        RejectCode::CanisterReject => ErrorCode::CanisterRejectedMessage,
        RejectCode::CanisterError => ErrorCode::CanisterTrapped,
        RejectCode::SysUnknown => ErrorCode::DeadlineExpired,
    };
    Reject::new(error, "rejected by a fault on demand")
}

fn task_name(task: Task) -> &'static str {
    match task {
        Task::Heartbeat => "heartbeat",
        Task::GlobalTimer => "global_timer",
        Task::LowMemory => "on_low_wasm_memory",
    }
}

fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Update => "update",
        Mode::ReplicatedQuery | Mode::Query => "query",
        Mode::Reply => "reply",
        Mode::Reject => "reject",
        Mode::SystemTask => "task",
        _ => "other",
    }
}
