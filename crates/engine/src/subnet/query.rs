//! Queries: executions that leave nothing behind but statistics, composite queries included.

use std::collections::VecDeque;

use ic_error_types::ErrorCode;
use ic_principal::Principal;

use super::Subnet;
use super::canister::{Canister, QueryTotals, Status};
use super::certificate::certificate;
use super::run::{Run, canister_context, message};
use crate::machine::{Code, Keep, MethodKind};
use crate::message::{DataCertificate, Entry, Execution, Mode, OutgoingCall, QueueRoom, Response};
use crate::reject::Reject;

/// Instructions of a query, and of a composite query with all its calls.
const QUERY_INSTRUCTIONS_MAX: u64 = 5_000_000_000;
const INSPECT_INSTRUCTIONS_MAX: u64 = 200_000_000;
/// What a call inside a composite query counts beside its instructions.
const NESTED_CALL_INSTRUCTIONS: u64 = 50_000_000;
const COMPOSITE_DEPTH_MAX: usize = 6;
/// Query statistics become visible in steps of so much IC time.
const STATISTICS_PERIOD_NS: u64 = 600_000_000_000;

/// An execution whose state is never kept.
#[derive(Debug)]
pub(crate) struct Unkept<'a> {
    pub(crate) entry: Entry,
    pub(crate) mode: Mode,
    pub(crate) caller: Principal,
    pub(crate) arg: &'a [u8],
}

/// What a query asks of one canister.
struct Question<'a> {
    method: &'a str,
    caller: Principal,
    arg: &'a [u8],
    /// Calls between it and the user's query.
    depth: usize,
    /// Makes the certificate, which only the canister that the user asks may see (interface
    /// specification, section "Certified data").
    certificate: &'a dyn Fn() -> Vec<u8>,
}

/// The output queue of a query: nothing waits in it.
#[derive(Debug)]
struct AlwaysRoom;

impl QueueRoom for AlwaysRoom {
    fn free_slots(&self, _: &Principal, _: &str) -> usize {
        super::queue::REQUESTS_PER_CALLEE_MAX
    }
}

impl Subnet {
    /// Answers a query of a user. `certify` makes the certificate that the canister may ask for;
    /// without it, the signature on it is a placeholder.
    ///
    /// # Errors
    /// What the canister or the platform refused.
    pub(crate) fn query(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: &[u8],
        certify: Option<&dyn Fn() -> Vec<u8>>,
    ) -> Result<Vec<u8>, Reject> {
        if canister == Principal::management_canister() {
            return self.management_query(&sender, method, arg);
        }
        let mut left = QUERY_INSTRUCTIONS_MAX;
        let own = self.unsigned_certificate(&canister);
        let question = Question {
            method,
            caller: sender,
            arg,
            depth: 0,
            certificate: certify.unwrap_or(&own),
        };
        let result = self.answer_query(&canister, &question, &mut left);
        let totals = QueryTotals {
            calls: 1,
            instructions: u128::from(QUERY_INSTRUCTIONS_MAX - left),
            request_bytes: (method.len() + arg.len()) as u128,
            response_bytes: result.as_ref().map_or(0, Vec::len) as u128,
        };
        if let Some(canister) = self.canisters.get_mut(&canister) {
            canister.queries_pending.add(totals);
        }
        result
    }

    fn answer_query(
        &mut self,
        id: &Principal,
        question: &Question<'_>,
        left: &mut u64,
    ) -> Result<Vec<u8>, Reject> {
        let kind = self.query_kind(id, question.method)?;
        if kind == MethodKind::CompositeQuery {
            return self.answer_composite(id, question, left);
        }
        let entry = Entry::Query(question.method.to_owned());
        let certificate = DataCertificate::new(question.certificate);
        let run = Run {
            instruction_limit: *left,
            keep: Keep::Never,
            data_certificate: (question.depth == 0).then_some(&certificate),
            ..Run::new(entry, Mode::Query, question.caller, question.arg)
        };
        let execution = self.run_apart(id, None, &run);
        *left -= execution.instructions.min(*left);
        answer_of(id, execution)
    }

    fn unsigned_certificate(&self, id: &Principal) -> impl Fn() -> Vec<u8> + use<> {
        let (id, time_ns) = (*id, self.time_ns);
        let canister = self.canisters.get(&id);
        let data = canister.map_or_else(Vec::new, |canister| canister.certified_data.clone());
        move || certificate(id.as_slice(), &data, time_ns)
    }

    fn query_kind(&self, id: &Principal, method: &str) -> Result<MethodKind, Reject> {
        let canister = self
            .canisters
            .get(id)
            .ok_or_else(|| Reject::not_found(id))?;
        match canister.status {
            Status::Running => {}
            Status::Stopping(_) => return Err(Reject::stopping(id)),
            Status::Stopped => return Err(Reject::stopped(id)),
        }
        let code = canister
            .code
            .as_ref()
            .ok_or_else(|| Reject::no_module(id))?;
        let freezing_limit = canister.freezing_limit(&self.context.prices);
        if canister.balance < freezing_limit {
            return Err(Reject::out_of_cycles(id, canister.balance, freezing_limit));
        }
        match code.module().method(method) {
            Some(MethodKind::Update) | None => Err(Reject::new(
                ErrorCode::CanisterMethodNotFound,
                format!("Error from Canister {id}: Canister has no query method '{method}'"),
            )),
            Some(kind) => Ok(kind),
        }
    }

    /// Runs a composite query on a copy of the code, with the calls it makes, first in first out.
    fn answer_composite(
        &mut self,
        id: &Principal,
        question: &Question<'_>,
        left: &mut u64,
    ) -> Result<Vec<u8>, Reject> {
        let &Question { caller, depth, .. } = question;
        if depth >= COMPOSITE_DEPTH_MAX {
            let text = format!("query calls nest deeper than {COMPOSITE_DEPTH_MAX}");
            return Err(Reject::new(ErrorCode::QueryCallGraphTooDeep, text));
        }
        let mut code = self.copy_code(id);
        let entry = Entry::CompositeQuery(question.method.to_owned());
        let certificate = DataCertificate::new(question.certificate);
        let run = Run {
            instruction_limit: *left,
            data_certificate: (depth == 0).then_some(&certificate),
            ..Run::new(entry, Mode::CompositeQuery, caller, question.arg)
        };
        let mut execution = self.run_apart(id, Some(&mut code), &run);
        let mut calls = VecDeque::new();
        loop {
            *left -= execution.instructions.min(*left);
            calls.extend(std::mem::take(&mut execution.effects.calls));
            if execution.effects.response.is_some() {
                return answer_of(id, execution);
            }
            let Some(call) = calls.pop_front() else {
                return answer_of(id, execution);
            };
            if *left <= NESTED_CALL_INSTRUCTIONS {
                let text = "composite query exceeded its total instructions";
                return Err(Reject::new(
                    ErrorCode::QueryCallGraphTotalInstructionLimitExceeded,
                    text,
                ));
            }
            *left -= NESTED_CALL_INSTRUCTIONS;
            let nested = Question {
                method: &call.method,
                caller: *id,
                arg: &call.arg,
                depth: depth + 1,
                certificate: question.certificate,
            };
            let answer = self.answer_nested(&call.callee, &nested, left);
            execution = self.run_composite_callback(id, &mut code, &call, &answer, caller, *left);
        }
    }

    fn answer_nested(
        &mut self,
        callee: &Principal,
        question: &Question<'_>,
        left: &mut u64,
    ) -> Result<Vec<u8>, Reject> {
        if *callee == Principal::management_canister() {
            return self.management_query(&question.caller, question.method, question.arg);
        }
        self.answer_query(callee, question, left)
    }

    fn run_composite_callback(
        &mut self,
        id: &Principal,
        code: &mut Code,
        call: &OutgoingCall,
        answer: &Result<Vec<u8>, Reject>,
        caller: Principal,
        left: u64,
    ) -> Execution {
        let (function, mode, reject) = match answer {
            Ok(_) => (call.on_reply, Mode::CompositeReply, None),
            Err(reject) => {
                let text = reject.text_for_canister();
                (
                    call.on_reject,
                    Mode::CompositeReject,
                    Some((reject.code as u32, text)),
                )
            }
        };
        let run = Run {
            reject,
            instruction_limit: left,
            ..Run::new(
                Entry::Callback(function),
                mode,
                caller,
                answer.as_deref().unwrap_or_default(),
            )
        };
        let execution = self.run_apart(id, Some(code), &run);
        if execution.result.is_err()
            && let Some(cleanup) = call.on_cleanup
        {
            let cleanup = Run {
                instruction_limit: left,
                ..Run::new(
                    Entry::Callback(cleanup),
                    Mode::CompositeCleanup,
                    caller,
                    &[],
                )
            };
            self.run_apart(id, Some(code), &cleanup);
        }
        execution
    }

    /// Runs an entry whose state is not kept.
    pub(crate) fn run_unkept(&mut self, id: &Principal, unkept: &Unkept<'_>) -> Execution {
        let run = Run {
            instruction_limit: INSPECT_INSTRUCTIONS_MAX,
            keep: Keep::Never,
            ..Run::new(unkept.entry.clone(), unkept.mode, unkept.caller, unkept.arg)
        };
        self.run_apart(id, None, &run)
    }

    /// Runs on `code`, or on the canister's own, without any effect on the subnet.
    pub(crate) fn run_apart(
        &mut self,
        id: &Principal,
        code: Option<&mut Code>,
        run: &Run<'_>,
    ) -> Execution {
        let Subnet {
            canisters,
            machine,
            context,
            time_ns,
            ..
        } = self;
        let canister = canisters
            .get_mut(id)
            .expect("bug: a canister vanished while it was in use");
        let shown = canister_context(canister, &context.prices);
        let message = message(run, shown, context, &AlwaysRoom, *time_ns);
        let own = code.is_none();
        let code = match code {
            Some(code) => code,
            None => own_code(canister),
        };
        debug_assert!(!own || run.keep == Keep::Never);
        machine.run(code, &message, run.keep)
    }

    pub(crate) fn copy_code(&mut self, id: &Principal) -> Code {
        let Subnet {
            canisters, machine, ..
        } = self;
        let canister = canisters
            .get_mut(id)
            .expect("bug: a canister vanished while it was in use");
        let image = machine.image(own_code(canister));
        machine.restore(&image)
    }

    /// Makes the statistics of a whole period visible.
    pub(crate) fn count_queries(&mut self) {
        if self.time_ns - self.queries_counted_ns < STATISTICS_PERIOD_NS {
            return;
        }
        self.queries_counted_ns = self.time_ns;
        for canister in self.canisters.values_mut() {
            let pending = std::mem::take(&mut canister.queries_pending);
            canister.queries.add(pending);
        }
    }
}

fn own_code(canister: &mut Canister) -> &mut Code {
    canister
        .code
        .as_mut()
        .expect("bug: a canister without code was executed")
}

fn answer_of(id: &Principal, execution: Execution) -> Result<Vec<u8>, Reject> {
    if let Err(trap) = execution.result {
        return Err(Reject::new(trap.code, trap.message));
    }
    match execution.effects.response {
        Some(Response::Reply(bytes)) => Ok(bytes),
        Some(Response::Reject(text)) => Err(Reject::new(ErrorCode::CanisterRejectedMessage, text)),
        None => Err(Reject::new(
            ErrorCode::CanisterDidNotReply,
            format!("Error from Canister {id}: Canister did not reply to the call"),
        )),
    }
}
