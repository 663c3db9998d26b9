//! One canister: its settings, balance, code and everything else that belongs to it alone. It knows
//! no other canister.

use std::collections::{BTreeMap, VecDeque};

use ic_management_canister_types::{LogVisibility, SnapshotVisibility, StatusVisibility};
use ic_principal::Principal;

use super::call_context::Contexts;
use super::cycles::Consumed;
use super::history::{History, Logs};
use super::queue::{Input, Request, Task};
use crate::machine::{Code, Module};
use crate::message::{Entry, Prices};
use crate::saved::saved;

/// Seconds before depletion at which a canister freezes (interface specification: 30 days).
const FREEZING_THRESHOLD_SECONDS: u64 = 2_592_000;
const RESERVED_CYCLES_LIMIT: u128 = 5_000_000_000_000;
const LOG_MEMORY_LIMIT_BYTES: u64 = 4_096;
const WASM_MEMORY_LIMIT_BYTES: u64 = 3 << 30;
/// Message memory that an unanswered guaranteed-response call reserves at its caller.
const RESERVED_RESPONSE_BYTES: u64 = 2 << 20;
const CHUNK_BYTES: u64 = 1 << 20;
const SECONDS_PER_DAY: u128 = 86_400;

/// What controllers may set.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) controllers: Vec<Principal>,
    pub(crate) compute_allocation: u64,
    pub(crate) memory_allocation: u64,
    pub(crate) freezing_threshold_seconds: u64,
    pub(crate) reserved_cycles_limit: u128,
    pub(crate) minimum_incoming_cycles: u128,
    pub(crate) log_visibility: LogVisibility,
    pub(crate) log_memory_limit: u64,
    pub(crate) snapshot_visibility: SnapshotVisibility,
    pub(crate) status_visibility: StatusVisibility,
    pub(crate) wasm_memory_limit: u64,
    pub(crate) wasm_memory_threshold: u64,
    pub(crate) environment: Vec<(String, String)>,
}

impl Settings {
    /// The platform's defaults (November 2026).
    pub(crate) fn new(controllers: Vec<Principal>) -> Self {
        Settings {
            controllers,
            compute_allocation: 0,
            memory_allocation: 0,
            freezing_threshold_seconds: FREEZING_THRESHOLD_SECONDS,
            reserved_cycles_limit: RESERVED_CYCLES_LIMIT,
            minimum_incoming_cycles: 0,
            log_visibility: LogVisibility::Controllers,
            log_memory_limit: LOG_MEMORY_LIMIT_BYTES,
            snapshot_visibility: SnapshotVisibility::Controllers,
            status_visibility: StatusVisibility::Controllers,
            wasm_memory_limit: WASM_MEMORY_LIMIT_BYTES,
            wasm_memory_threshold: 0,
            environment: Vec::new(),
        }
    }
}

/// A `stop_canister` that waits for its answer.
#[derive(Debug, Clone)]
pub(crate) struct StopWaiter {
    pub(crate) request: Request,
    pub(crate) deadline_ns: u64,
}

/// Whether the canister takes messages.
#[derive(Debug, Clone)]
pub(crate) enum Status {
    Running,
    Stopping(Vec<StopWaiter>),
    Stopped,
}

/// The hook that runs once when little Wasm memory is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LowMemoryHook {
    #[default]
    NotSatisfied,
    Ready,
    Executed,
}

/// Query statistics as `canister_status` reports them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct QueryTotals {
    pub(crate) calls: u128,
    pub(crate) instructions: u128,
    pub(crate) request_bytes: u128,
    pub(crate) response_bytes: u128,
}

impl QueryTotals {
    pub(crate) fn add(&mut self, other: QueryTotals) {
        self.calls += other.calls;
        self.instructions += other.instructions;
        self.request_bytes += other.request_bytes;
        self.response_bytes += other.response_bytes;
    }
}

/// A canister.
pub(crate) struct Canister {
    pub(crate) id: Principal,
    pub(crate) settings: Settings,
    pub(crate) status: Status,
    pub(crate) balance: u128,
    pub(crate) version: u64,
    pub(crate) code: Option<Code>,
    pub(crate) certified_data: Vec<u8>,
    /// 0 = off.
    pub(crate) timer_ns: u64,
    pub(crate) low_memory: LowMemoryHook,
    pub(crate) chunks: BTreeMap<[u8; 32], Vec<u8>>,
    pub(crate) snapshot_bytes: u64,
    pub(crate) history: History,
    pub(crate) logs: Logs,
    pub(crate) contexts: Contexts,
    pub(crate) input: VecDeque<Input>,
    pub(crate) tasks: VecDeque<Task>,
    pub(crate) creator: Principal,
    pub(crate) created_ns: u64,
    pub(crate) consumed: Consumed,
    pub(crate) queries: QueryTotals,
    pub(crate) queries_pending: QueryTotals,
    /// Round of the last install, which bars another one in the same round.
    pub(crate) installed_round: Option<u64>,
    pub(crate) installed_ns: u64,
    /// Last round in which a long message occupies it.
    pub(crate) busy_until_round: u64,
}

impl Canister {
    pub(crate) fn new(
        id: Principal,
        settings: Settings,
        creator: Principal,
        created_ns: u64,
    ) -> Self {
        Canister {
            id,
            settings,
            status: Status::Running,
            balance: 0,
            version: 0,
            code: None,
            certified_data: Vec::new(),
            timer_ns: 0,
            low_memory: LowMemoryHook::default(),
            chunks: BTreeMap::new(),
            snapshot_bytes: 0,
            history: History::default(),
            logs: Logs::default(),
            contexts: Contexts::default(),
            input: VecDeque::new(),
            tasks: VecDeque::new(),
            creator,
            created_ns,
            consumed: Consumed::default(),
            queries: QueryTotals::default(),
            queries_pending: QueryTotals::default(),
            installed_round: None,
            installed_ns: 0,
            busy_until_round: 0,
        }
    }

    /// The same canister once more; `copy` copies its code.
    pub(crate) fn copied(&self, copy: impl FnOnce(&Code) -> Code) -> Canister {
        Canister {
            id: self.id,
            settings: self.settings.clone(),
            status: self.status.clone(),
            balance: self.balance,
            version: self.version,
            code: self.code.as_ref().map(copy),
            certified_data: self.certified_data.clone(),
            timer_ns: self.timer_ns,
            low_memory: self.low_memory,
            chunks: self.chunks.clone(),
            snapshot_bytes: self.snapshot_bytes,
            history: self.history.clone(),
            logs: self.logs.clone(),
            contexts: self.contexts.clone(),
            input: self.input.clone(),
            tasks: self.tasks.clone(),
            creator: self.creator,
            created_ns: self.created_ns,
            consumed: self.consumed,
            queries: self.queries,
            queries_pending: self.queries_pending,
            installed_round: self.installed_round,
            installed_ns: self.installed_ns,
            busy_until_round: self.busy_until_round,
        }
    }

    pub(crate) fn is_controller(&self, principal: &Principal) -> bool {
        self.settings.controllers.contains(principal)
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.status, Status::Running)
    }

    /// As `ic0.canister_status` says it.
    pub(crate) fn status_number(&self) -> u32 {
        match self.status {
            Status::Running => 1,
            Status::Stopping(_) => 2,
            Status::Stopped => 3,
        }
    }

    /// How many times the price of an instruction its instructions cost: those of 64-bit canisters
    /// cost twice as much (replica, `cycles_account_manager`).
    pub(crate) fn instruction_weight(&self) -> u128 {
        let is_wide = self
            .code
            .as_ref()
            .is_some_and(|code| code.module().is_wide());
        if is_wide { 2 } else { 1 }
    }

    pub(crate) fn module_hash(&self) -> Option<[u8; 32]> {
        self.code.as_ref().map(|code| code.module().hash())
    }

    pub(crate) fn heap_bytes(&self) -> u64 {
        self.code.as_ref().map_or(0, Code::heap_bytes)
    }

    pub(crate) fn stable_bytes(&self) -> u64 {
        self.code.as_ref().map_or(0, Code::stable_bytes)
    }

    pub(crate) fn chunk_store_bytes(&self) -> u64 {
        CHUNK_BYTES * self.chunks.len() as u64
    }

    /// Everything stored for the canister, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        let code = self.code.as_ref().map_or(0, |code| {
            let module = code.module();
            code.heap_bytes() + code.stable_bytes() + module.raw_bytes() + metadata_bytes(module)
        });
        code + self.history.bytes()
            + self.chunk_store_bytes()
            + self.snapshot_bytes
            + self.logs.bytes()
    }

    /// What the canister burns in a day of doing nothing.
    pub(crate) fn idle_cycles_per_day(&self, prices: &Prices) -> u128 {
        self.idle_cycles(prices, SECONDS_PER_DAY)
    }

    /// What storage and allocations cost for so many seconds.
    pub(crate) fn idle_cycles(&self, prices: &Prices, seconds: u128) -> u128 {
        self.storage_cycles(prices, seconds)
            .saturating_add(self.allocation_cycles(prices, seconds))
    }

    pub(crate) fn storage_cycles(&self, prices: &Prices, seconds: u128) -> u128 {
        let messages = self.contexts.guaranteed_calls() * RESERVED_RESPONSE_BYTES;
        let bytes = self.memory_bytes().max(self.settings.memory_allocation) + messages;
        storage_cost(bytes, prices, seconds)
    }

    pub(crate) fn allocation_cycles(&self, prices: &Prices, seconds: u128) -> u128 {
        u128::from(self.settings.compute_allocation) * prices.compute_percent_second * seconds
    }

    /// Balance below which the canister is frozen.
    pub(crate) fn freezing_limit(&self, prices: &Prices) -> u128 {
        self.idle_cycles(prices, u128::from(self.settings.freezing_threshold_seconds))
    }

    /// What one more unanswered guaranteed call adds to the freezing limit.
    pub(crate) fn freezing_limit_per_call(&self, prices: &Prices) -> u128 {
        let seconds = u128::from(self.settings.freezing_threshold_seconds);
        storage_cost(RESERVED_RESPONSE_BYTES, prices, seconds)
    }

    /// Whether the canister's module exports the hook.
    pub(crate) fn has_hook(&self, hook: &Entry) -> bool {
        self.code
            .as_ref()
            .is_some_and(|code| code.module().has(hook))
    }

    pub(crate) fn has_work(&self) -> bool {
        !self.input.is_empty() || !self.tasks.is_empty()
    }
}

/// Settings may ask for more bytes and seconds than a number holds: then it is the largest.
fn storage_cost(bytes: u64, prices: &Prices, seconds: u128) -> u128 {
    let byte_seconds = u128::from(bytes).saturating_mul(seconds);
    byte_seconds.saturating_mul(prices.gib_second) >> 30
}

/// Bytes of the custom sections that may be read as metadata.
pub(crate) fn metadata_bytes(module: &Module) -> u64 {
    let sections = module.metadata().values();
    sections.map(|section| section.content.len() as u64).sum()
}

saved!(struct Settings {
    controllers, compute_allocation, memory_allocation, freezing_threshold_seconds,
    reserved_cycles_limit, minimum_incoming_cycles, log_visibility, log_memory_limit,
    snapshot_visibility, status_visibility, wasm_memory_limit, wasm_memory_threshold, environment,
});
saved!(struct StopWaiter { request, deadline_ns });
saved!(enum Status { 0 => Running, 1 => Stopping(waiters), 2 => Stopped });
saved!(enum LowMemoryHook { 0 => NotSatisfied, 1 => Ready, 2 => Executed });
saved!(struct QueryTotals { calls, instructions, request_bytes, response_bytes });
saved!(struct Canister {
    id, settings, status, balance, version, code, certified_data, timer_ns, low_memory, chunks,
    snapshot_bytes, history, logs, contexts, input, tasks, creator, created_ns, consumed, queries,
    queries_pending, installed_round, installed_ns, busy_until_round,
});
