//! Runs one entry on a canister's code: puts together what the machine must be told. What follows
//! from the result is decided elsewhere.

use std::cell::RefCell;
use std::collections::BTreeMap;

use ic_principal::Principal;

use super::Subnet;
use super::canister::Canister;
use super::queue::REQUESTS_PER_CALLEE_MAX;
use crate::faults::{Call, Faults, Point};
use crate::machine::Keep;
use crate::message::{
    CanisterContext, DataCertificate, Entry, Execution, Message, Mode, Prices, QueueRoom,
    SubnetContext,
};

/// Instructions of an update, callback or task (ENGINE facts: instruction limits).
pub(crate) const MESSAGE_INSTRUCTIONS_MAX: u64 = 40_000_000_000;
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
    pub(crate) data_certificate: Option<&'a DataCertificate<'a>>,
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
            data_certificate: None,
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
    fn free_slots(&self, callee: &Principal, method: &str) -> usize {
        let mut faults = self.faults.borrow_mut();
        if !faults.rules().is_empty() {
            let call = Call {
                caller: &self.caller,
                callee,
                method,
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

impl Subnet {
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
}

/// The canister as the System API shows it.
pub(crate) fn canister_context(canister: &Canister, prices: &Prices) -> CanisterContext {
    let settings = &canister.settings;
    CanisterContext {
        id: canister.id,
        balance: canister.balance,
        freezing_limit: canister.freezing_limit(prices),
        freezing_limit_per_call: canister.freezing_limit_per_call(prices),
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
        data_certificate: run.data_certificate,
        canister,
        subnet,
        queue_room,
    }
}
