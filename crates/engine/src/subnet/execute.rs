//! Executes the next message of a canister: whether it may run, and what is run for it. Which
//! canister's turn it is, and when, is the round's business.

use ic_error_types::{ErrorCode, RejectCode};
use ic_principal::Principal;

use super::Subnet;
use super::call_context::{CallContext, OpenCall};
use super::canister::{Canister, LowMemoryHook, Status};
use super::commit::settle_transmission;
use super::cycles::prepay;
use super::queue::{Answer, Input, Origin, Request, Task};
use super::run::{MESSAGE_INSTRUCTIONS_MAX, Run};
use crate::faults::{Point, Verdict};
use crate::machine::{Keep, MethodKind};
use crate::message::{Callback, Effects, Entry, Execution, Mode, Trap};
use crate::reject::Reject;
use crate::trace::Event;

/// Share of a callback's instructions that is kept for its cleanup.
const CLEANUP_INSTRUCTIONS: u64 = MESSAGE_INSTRUCTIONS_MAX / 20;

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
            Input::Answer(answer) => self.execute_answer(id, &answer),
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

    fn execute_answer(&mut self, id: &Principal, answer: &Answer) -> u64 {
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
            answer,
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
        let execution = self.run_callback(id, &call, answer);
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

    fn trace_execution(&mut self, id: &Principal, mode: Mode, name: &str, execution: &Execution) {
        self.record(|| Event::Executed {
            canister: *id,
            entry: format!("{} {name}", mode_name(mode)),
            instructions: execution.instructions,
            trap: execution.result.as_ref().err().map(|trap| trap.code),
        });
        let calls = execution.effects.calls_refused;
        if calls > 0 {
            self.record(|| Event::Refused {
                canister: *id,
                calls,
            });
        }
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
