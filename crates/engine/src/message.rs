//! The border between running wasm and running a subnet: what one execution is given and what it
//! leaves behind. Plain data; nothing here runs anything.
//!
//! [`crate::machine`] executes one [`Message`] on one canister's code and returns an
//! [`Execution`]; it knows nothing of queues, rounds or the management canister.
//! [`crate::subnet`] decides what to execute and commits the [`Effects`]; it knows nothing of wasm.

use std::cell::OnceCell;

use crate::saved::saved;
use ic_error_types::ErrorCode;
use ic_principal::Principal;

/// One wasm entry to execute.
#[derive(Debug)]
pub struct Message<'a> {
    /// The function to enter.
    pub entry: Entry,
    /// What the System API allows meanwhile (the context letters of the specification).
    pub mode: Mode,
    /// Caller; in callbacks the caller of the call context; `aaaaa-aa` in system tasks.
    pub caller: Principal,
    /// Argument, or the reply's bytes in a reply callback.
    pub arg: &'a [u8],
    /// In reject callbacks (and cleanup after a reject): reject code 1..=6 and text.
    pub reject: Option<(u32, String)>,
    /// Deadline of a best-effort call in nanoseconds; 0 = none.
    pub deadline_ns: u64,
    /// Time of the round in nanoseconds.
    pub time_ns: u64,
    /// Cycles of the call context still to be accepted.
    pub cycles_available: u128,
    /// Cycles refunded with the response being processed.
    pub cycles_refunded: u128,
    /// The call context is already answered.
    pub responded: bool,
    /// Instructions of the call context before this message.
    pub context_instructions: u64,
    /// Instruction limit of this message.
    pub instruction_limit: u64,
    /// Certificate for `data_certificate_copy`; only in non-replicated queries.
    pub data_certificate: Option<&'a DataCertificate<'a>>,
    /// The canister as the System API shows it.
    pub canister: CanisterContext,
    /// The subnet as the System API shows it.
    pub subnet: &'a SubnetContext,
    /// Answers how many more calls to this callee the output queue takes.
    pub queue_room: &'a dyn QueueRoom,
}

/// How many more requests the canister may send to a callee (at most 500 unanswered per callee).
pub trait QueueRoom {
    /// Free slots for a call of `method` of `callee`, not counting calls made by the message under
    /// execution. On the platform the method does not matter; to a fault it does.
    fn free_slots(&self, callee: &Principal, method: &str) -> usize;
}

impl std::fmt::Debug for dyn QueueRoom + '_ {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QueueRoom")
    }
}

/// The certificate of a canister's certified data; made when the canister first asks for it, since
/// signing costs more than most queries.
pub struct DataCertificate<'a> {
    make: &'a dyn Fn() -> Vec<u8>,
    made: OnceCell<Vec<u8>>,
}

impl<'a> DataCertificate<'a> {
    /// What `make` returns.
    pub fn new(make: &'a dyn Fn() -> Vec<u8>) -> Self {
        let made = OnceCell::new();
        DataCertificate { make, made }
    }

    /// The certificate in CBOR.
    pub fn bytes(&self) -> &[u8] {
        self.made.get_or_init(self.make)
    }
}

impl std::fmt::Debug for DataCertificate<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataCertificate")
    }
}

/// Which function an execution enters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// `canister_update <name>`.
    Update(String),
    /// `canister_query <name>`.
    Query(String),
    /// `canister_composite_query <name>`.
    CompositeQuery(String),
    /// The start function, then `canister_init`; either may be missing.
    Init,
    /// `canister_pre_upgrade`.
    PreUpgrade,
    /// The start function, then `canister_post_upgrade`; either may be missing.
    PostUpgrade,
    /// The start function alone (for code that is instantiated outside of an install).
    Start,
    /// `canister_inspect_message`.
    InspectMessage(String),
    /// `canister_heartbeat`.
    Heartbeat,
    /// `canister_global_timer`.
    GlobalTimer,
    /// `canister_on_low_wasm_memory`.
    OnLowWasmMemory,
    /// A callback: table index and environment, called as `(env) -> ()`.
    Callback(Callback),
}

/// A closure of the canister: table index and environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Callback {
    /// Index into table 0.
    pub function: u32,
    /// Handed to the function.
    pub environment: u32,
}

/// The context letters of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `I`: `canister_init`, `canister_post_upgrade`.
    Init,
    /// `G`: `canister_pre_upgrade`.
    PreUpgrade,
    /// `U`: update methods.
    Update,
    /// `RQ`: query method in replicated mode: state is not kept.
    ReplicatedQuery,
    /// `NRQ`: query method, not replicated: state is not kept.
    Query,
    /// `CQ`: composite query.
    CompositeQuery,
    /// `Ry`: reply callback.
    Reply,
    /// `Rt`: reject callback.
    Reject,
    /// `CRy`: reply callback of a composite query.
    CompositeReply,
    /// `CRt`: reject callback of a composite query.
    CompositeReject,
    /// `C`: cleanup callback.
    Cleanup,
    /// `CC`: cleanup callback of a composite query.
    CompositeCleanup,
    /// `s`: wasm start function.
    Start,
    /// `F`: `canister_inspect_message`.
    Inspect,
    /// `T`: heartbeat, global timer, low-memory hook.
    SystemTask,
}

/// The canister as the System API shows it.
#[derive(Debug, Clone)]
pub struct CanisterContext {
    /// Own id.
    pub id: Principal,
    /// Balance before this message, its own prepayment for instructions already taken off.
    pub balance: u128,
    /// Cycles below which outgoing payments are refused (freezing limit less reserved cycles).
    pub freezing_limit: u128,
    /// What each guaranteed call made by this message adds to the freezing limit: the message
    /// memory it reserves.
    pub freezing_limit_per_call: u128,
    /// 1 running, 2 stopping, 3 stopped.
    pub status: u32,
    /// `ic0.canister_version`.
    pub version: u64,
    /// Controllers, for `ic0.is_controller`.
    pub controllers: Vec<Principal>,
    /// Environment variables, in order.
    pub environment: Vec<(String, String)>,
    /// Deadline of the global timer; 0 = off.
    pub timer_ns: u64,
    /// `wasm_memory_limit` in bytes; 0 = none.
    pub wasm_memory_limit: u64,
    /// Bytes that heap and stable memory together may still grow by (memory allocation, subnet).
    pub memory_headroom: u64,
}

/// The subnet as the System API shows it, and its prices.
#[derive(Debug, Clone)]
pub struct SubnetContext {
    /// Subnet id.
    pub id: Principal,
    /// Nodes; prices scale with it.
    pub nodes: u32,
    /// DER-encoded BLS root key.
    pub root_key: Vec<u8>,
    /// Prices, already scaled to `nodes`.
    pub prices: Prices,
}

/// Prices in cycles for 13 nodes, scaled by [`Prices::for_nodes`] (ENGINE facts: interface
/// specification and the public price table of November 2026).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    /// Creating a canister.
    pub create_canister: u128,
    /// Executing any message, beside its instructions.
    pub message: u128,
    /// Per instruction.
    pub instruction: u128,
    /// A call to another canister.
    pub call: u128,
    /// Per byte of request or reply, paid by the caller.
    pub call_byte: u128,
    /// An ingress message.
    pub ingress: u128,
    /// Per byte of an ingress message.
    pub ingress_byte: u128,
    /// Storage per GiB and second.
    pub gib_second: u128,
    /// Compute allocation per per cent and second.
    pub compute_percent_second: u128,
}

impl Prices {
    /// The price table of a subnet with `nodes` nodes.
    pub fn for_nodes(nodes: u32) -> Self {
        let scale = |thirteen: u128| thirteen * u128::from(nodes) / 13;
        Prices {
            create_canister: scale(500_000_000_000),
            message: scale(5_000_000),
            instruction: scale(1),
            call: scale(260_000),
            call_byte: scale(1_000),
            ingress: scale(1_200_000),
            ingress_byte: scale(2_000),
            gib_second: scale(127_000),
            compute_percent_second: scale(10_000_000),
        }
    }

    /// What `call_perform` withholds for a call with `request_bytes` of method name and argument,
    /// beside the cycles attached: transmission of request and largest reply, and the execution of
    /// the callback (40 B instructions). About 42.1 billion on 13 nodes.
    pub fn call_prepayment(&self, request_bytes: u64) -> u128 {
        self.call
            + self.call_byte * u128::from(request_bytes)
            + self.call_byte * MAX_RESPONSE_BYTES
            + self.message
            + self.instruction * MAX_UPDATE_INSTRUCTIONS
    }
}

const MAX_RESPONSE_BYTES: u128 = 2 * 1024 * 1024;
const MAX_UPDATE_INSTRUCTIONS: u128 = 40_000_000_000;

/// What one execution did.
#[derive(Debug)]
pub struct Execution {
    /// Returned, or trapped. After a trap heap, globals and stable memory are as before.
    pub result: Result<(), Trap>,
    /// Instructions used, system calls and dirtied pages included; at most the limit.
    pub instructions: u64,
    /// Everything beside memory that the message wants; empty but for `logs` after a trap.
    pub effects: Effects,
}

/// Why an execution did not return.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Trap {
    /// The platform's code, for example `CanisterCalledTrap`.
    pub code: ErrorCode,
    /// The platform's text without the `IC0xxx` prefix.
    pub message: String,
}

/// What a returned execution asks the subnet to commit.
#[derive(Debug, Default)]
pub struct Effects {
    /// The answer, if the message gave one.
    pub response: Option<Response>,
    /// Calls performed, in order.
    pub calls: Vec<OutgoingCall>,
    /// Cycles accepted from the call context.
    pub cycles_accepted: u128,
    /// Cycles burned by `cycles_burn128`.
    pub cycles_burned: u128,
    /// New deadline of the global timer, if set.
    pub timer_ns: Option<u64>,
    /// New certified data, if set.
    pub certified_data: Option<Vec<u8>>,
    /// `accept_message` was called.
    pub ingress_accepted: bool,
    /// `debug_print` and trap texts, in order.
    pub logs: Vec<Vec<u8>>,
}

/// An answer given by a canister.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// `msg_reply`.
    Reply(Vec<u8>),
    /// `msg_reject`: always code 4.
    Reject(String),
}

/// A call that left the canister.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingCall {
    /// Callee.
    pub callee: Principal,
    /// Method.
    pub method: String,
    /// Argument.
    pub arg: Vec<u8>,
    /// Cycles attached.
    pub cycles: u128,
    /// Withheld beside `cycles`, see [`Prices::call_prepayment`].
    pub prepaid: u128,
    /// Seconds until a best-effort call expires (at most 300); `None` = guaranteed response.
    pub best_effort_seconds: Option<u32>,
    /// Called with a reply.
    pub on_reply: Callback,
    /// Called with a reject.
    pub on_reject: Callback,
    /// Called when a callback traps.
    pub on_cleanup: Option<Callback>,
}

saved!(struct Callback { function, environment });
