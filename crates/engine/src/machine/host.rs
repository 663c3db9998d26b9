//! What the System API sees and changes during one message: the store's data. It owns the
//! message's accounts (cycles, memory, answer, calls); the functions themselves are in
//! [`super::api`].

use std::collections::{BTreeMap, VecDeque};

use ic_principal::Principal;
use wasmtime::{Memory, ResourceLimiter};

use super::stable::StableMemory;
use super::trap::Stop;
use super::trusted::lend::Lent;
use super::weights::MEMORY_GROW_REMAINDER;
use crate::message::{Callback, Effects, Message, Mode, OutgoingCall};

/// Largest heap of a 32-bit canister.
const MAX_HEAP_BYTES: u64 = 1 << 32;

/// The largest log a canister can have; no message adds more.
const MAX_LOG_BYTES: usize = 2 * 1024 * 1024;
/// What a line counts beside its bytes.
const LOG_LINE_OVERHEAD: usize = 32;
/// Stable pages of 4 KiB that a message may dirty: 2 GiB, in installs and upgrades 8 GiB (the
/// replica's limits of October 2025).
const MAX_DIRTY_PAGES: u64 = 2 * 1024 * 1024 * 1024 / 4096;
const MAX_DIRTY_PAGES_OF_INSTALL: u64 = 4 * MAX_DIRTY_PAGES;

/// The data of a store.
pub(super) struct Host {
    pub(super) lent: Lent,
    pub(super) memory: Option<Memory>,
    pub(super) stable: StableMemory,
    /// The context now: `Start` while the start function runs before `canister_init`.
    pub(super) mode: Mode,
    pub(super) effects: Effects,
    logs: VecDeque<Vec<u8>>,
    log_bytes: usize,
    pub(super) reply: Vec<u8>,
    pub(super) responded: bool,
    pub(super) call: Option<CallUnderConstruction>,
    /// Calls performed by this message, by callee.
    sent: BTreeMap<Principal, usize>,
    /// Of them, those with a guaranteed response.
    guaranteed: u128,
    /// Balance after all that this message accepted, attached and burned.
    pub(super) balance: u128,
    /// Cycles of the call context still to be accepted.
    pub(super) available: u128,
    pub(super) timer_ns: u64,
    /// Bytes that heap and stable memory may still grow by; `None` while an instance is rebuilt.
    pub(super) headroom: Option<u64>,
    /// Instructions to add when the message ends.
    pub(super) surcharge: u64,
}

/// What `call_new` began.
#[derive(Debug)]
pub(super) struct CallUnderConstruction {
    pub(super) callee: Principal,
    pub(super) method: String,
    pub(super) arg: Vec<u8>,
    pub(super) cycles: u128,
    pub(super) best_effort_seconds: Option<u32>,
    pub(super) on_reply: Callback,
    pub(super) on_reject: Callback,
    pub(super) on_cleanup: Option<Callback>,
}

impl Host {
    pub(super) fn new() -> Self {
        Host {
            lent: Lent::default(),
            memory: None,
            stable: StableMemory::default(),
            mode: Mode::Start,
            effects: Effects::default(),
            logs: VecDeque::new(),
            log_bytes: 0,
            reply: Vec::new(),
            responded: false,
            call: None,
            sent: BTreeMap::new(),
            guaranteed: 0,
            balance: 0,
            available: 0,
            timer_ns: 0,
            headroom: None,
            surcharge: 0,
        }
    }

    /// Sets the accounts up for a message.
    pub(super) fn begin(&mut self, message: &Message<'_>, stable: StableMemory) {
        self.stable = stable;
        self.stable.begin();
        self.mode = message.mode;
        self.effects = Effects::default();
        self.logs.clear();
        self.log_bytes = 0;
        self.reply.clear();
        self.responded = message.responded;
        self.call = None;
        self.sent.clear();
        self.guaranteed = 0;
        self.balance = message.canister.balance;
        self.available = message.cycles_available;
        self.timer_ns = message.canister.timer_ns;
        self.headroom = Some(message.canister.memory_headroom);
        self.surcharge = 0;
    }

    pub(super) fn message(&self) -> &Message<'_> {
        self.lent.message()
    }

    /// Adds a line to the log. What exceeds the largest log of a canister drops out, oldest first.
    pub(super) fn log(&mut self, mut line: Vec<u8>) {
        line.truncate(MAX_LOG_BYTES - LOG_LINE_OVERHEAD);
        self.log_bytes += line.len() + LOG_LINE_OVERHEAD;
        self.logs.push_back(line);
        while self.log_bytes > MAX_LOG_BYTES {
            let oldest = self.logs.pop_front().map_or(0, |line| line.len());
            self.log_bytes -= oldest + LOG_LINE_OVERHEAD;
        }
    }

    /// The effects of the message, logs included.
    pub(super) fn take_effects(&mut self) -> Effects {
        self.discard_call();
        Effects {
            logs: std::mem::take(&mut self.logs).into(),
            ..std::mem::take(&mut self.effects)
        }
    }

    /// Pages of stable memory that the message may dirty.
    pub(super) fn stable_dirty_limit(&self) -> u64 {
        match self.mode {
            Mode::Start | Mode::Init | Mode::PreUpgrade => MAX_DIRTY_PAGES_OF_INSTALL,
            _ => MAX_DIRTY_PAGES,
        }
    }

    /// Cycles that may be spent: the balance above the freezing limit, which grows with the message
    /// memory that the guaranteed calls of this message reserve.
    pub(super) fn liquid(&self) -> u128 {
        let canister = &self.message().canister;
        let reserved = self
            .guaranteed
            .saturating_mul(canister.freezing_limit_per_call);
        self.balance
            .saturating_sub(canister.freezing_limit.saturating_add(reserved))
    }

    /// Cycles of the call context still to be accepted; none once it is answered.
    pub(super) fn cycles_available(&self) -> u128 {
        if self.responded { 0 } else { self.available }
    }

    /// Moves up to `wanted` cycles from the call context to the balance.
    pub(super) fn accept(&mut self, wanted: u128) -> u128 {
        let accepted = wanted.min(self.cycles_available());
        self.available -= accepted;
        self.balance += accepted;
        self.effects.cycles_accepted += accepted;
        accepted
    }

    /// Burns up to `wanted` liquid cycles.
    pub(super) fn burn(&mut self, wanted: u128) -> u128 {
        let burned = wanted.min(self.liquid());
        self.balance -= burned;
        self.effects.cycles_burned += burned;
        burned
    }

    /// Drops a call under construction; its cycles come back.
    pub(super) fn discard_call(&mut self) {
        if let Some(call) = self.call.take() {
            self.balance += call.cycles;
        }
    }

    /// Sends the call under construction: `false` if there is no slot or too few cycles, and then
    /// it is discarded.
    pub(super) fn perform(&mut self) -> Result<bool, Stop> {
        let Some(call) = self.call.take() else {
            return Err(Stop::contract(
                "ic0.call_perform called when no call is under construction.",
            ));
        };
        let prepaid = self.prepayment(call.method.len() as u64 + call.arg.len() as u64);
        if prepaid > self.liquid() || !self.has_slot(&call.callee, &call.method) {
            self.balance += call.cycles;
            return Ok(false);
        }
        self.balance -= prepaid;
        *self.sent.entry(call.callee).or_default() += 1;
        self.guaranteed += u128::from(call.best_effort_seconds.is_none());
        self.effects.calls.push(OutgoingCall {
            callee: call.callee,
            method: call.method,
            arg: call.arg,
            cycles: call.cycles,
            prepaid,
            best_effort_seconds: call.best_effort_seconds,
            on_reply: call.on_reply,
            on_reject: call.on_reject,
            on_cleanup: call.on_cleanup,
        });
        Ok(true)
    }

    /// Queries cost nothing, and so do their calls.
    fn prepayment(&self, request_bytes: u64) -> u128 {
        match self.mode {
            Mode::CompositeQuery | Mode::CompositeReply | Mode::CompositeReject => 0,
            _ => self.message().subnet.prices.call_prepayment(request_bytes),
        }
    }

    fn has_slot(&self, callee: &Principal, method: &str) -> bool {
        let sent = self.sent.get(callee).copied().unwrap_or(0);
        self.message().queue_room.free_slots(callee, method) > sent
    }

    /// Takes bytes off the headroom; `false` if there are not so many.
    pub(super) fn take_headroom(&mut self, bytes: u64) -> bool {
        match &mut self.headroom {
            None => true,
            Some(room) if bytes <= *room => {
                *room -= bytes;
                true
            }
            Some(_) => false,
        }
    }

    /// The limit of `wasm_memory_limit` that binds this message, if any: the setting protects
    /// updates, tasks and installs, not what must still work to get out of the situation.
    pub(super) fn heap_limit(&self) -> Option<u64> {
        let limit = self.message().canister.wasm_memory_limit;
        let binds = matches!(
            self.mode,
            Mode::Update | Mode::SystemTask | Mode::Init | Mode::Start
        );
        (binds && limit > 0).then_some(limit)
    }
}

impl ResourceLimiter for Host {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let (current, desired) = (current as u64, desired as u64);
        let maximum = maximum.map_or(MAX_HEAP_BYTES, |maximum| maximum as u64);
        if self.headroom.is_none() {
            return Ok(true);
        }
        self.surcharge += MEMORY_GROW_REMAINDER;
        if desired > maximum.min(MAX_HEAP_BYTES) {
            return Ok(false);
        }
        if let Some(limit) = self.heap_limit()
            && desired > limit
        {
            return Err(Stop::wasm_memory_limit(desired, limit).into());
        }
        Ok(self.take_headroom(desired - current))
    }

    fn table_growing(
        &mut self,
        _current: usize,
        _desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // Sizes are checked at install, and `table.grow` is refused there.
        Ok(true)
    }
}
