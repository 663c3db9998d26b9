//! A canister as the owner of the world sees it: everything at once, and nothing can be changed
//! through it.

use ic_management_canister_types::{CanisterLogRecord, Change};
use ic_principal::Principal;

use crate::subnet::{Canister, Status};

/// Whether a canister takes messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CanisterStatus {
    /// It takes messages.
    Running,
    /// It takes answers only and will be stopped.
    Stopping,
    /// It takes nothing.
    Stopped,
}

/// One canister at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanisterView {
    /// Its id.
    pub id: Principal,
    /// Whether it takes messages.
    pub status: CanisterStatus,
    /// Controllers.
    pub controllers: Vec<Principal>,
    /// Balance.
    pub cycles: u128,
    /// Balance below which it is frozen.
    pub freezing_limit: u128,
    /// SHA-256 of the module as uploaded; `None` = empty.
    pub module_hash: Option<[u8; 32]>,
    /// `canister_version`.
    pub version: u64,
    /// Bytes of main memory.
    pub heap_bytes: u64,
    /// Bytes of stable memory.
    pub stable_bytes: u64,
    /// Bytes stored for it in all.
    pub memory_bytes: u64,
    /// Names and values, in order.
    pub environment_variables: Vec<(String, String)>,
    /// Calls and tasks that are open in it.
    pub open_call_contexts: usize,
    /// Calls it made that are not answered.
    pub outstanding_calls: usize,
    /// Messages that wait in front of it.
    pub queued_messages: usize,
    /// Who created it.
    pub creator: Principal,
    /// When, in nanoseconds.
    pub created_ns: u64,
    /// When code was last installed, in nanoseconds; 0 = never.
    pub installed_ns: u64,
    /// Deadline of the global timer in nanoseconds; 0 = off.
    pub timer_ns: u64,
    /// Certified data.
    pub certified_data: Vec<u8>,
    /// Chunks in the chunk store.
    pub chunks: usize,
    /// Bytes of its snapshots.
    pub snapshot_bytes: u64,
    /// The log, oldest first.
    pub logs: Vec<CanisterLogRecord>,
    /// The last changes of code and controllers, oldest first.
    pub changes: Vec<Change>,
    /// How many changes there were in all.
    pub changes_total: u64,
}

impl CanisterView {
    pub(crate) fn of(canister: &Canister, freezing_limit: u128) -> Self {
        CanisterView {
            id: canister.id,
            status: match canister.status {
                Status::Running => CanisterStatus::Running,
                Status::Stopping(_) => CanisterStatus::Stopping,
                Status::Stopped => CanisterStatus::Stopped,
            },
            controllers: canister.settings.controllers.clone(),
            cycles: canister.balance,
            freezing_limit,
            module_hash: canister.module_hash(),
            version: canister.version,
            heap_bytes: canister.heap_bytes(),
            stable_bytes: canister.stable_bytes(),
            memory_bytes: canister.memory_bytes(),
            environment_variables: canister.settings.environment.clone(),
            open_call_contexts: canister.contexts.open_contexts(),
            outstanding_calls: canister.contexts.outstanding_calls(),
            queued_messages: canister.input.len() + canister.tasks.len(),
            creator: canister.creator,
            created_ns: canister.created_ns,
            installed_ns: canister.installed_ns,
            timer_ns: canister.timer_ns,
            certified_data: canister.certified_data.clone(),
            chunks: canister.chunks.len(),
            snapshot_bytes: canister.snapshot_bytes,
            logs: canister.logs.records().cloned().collect(),
            changes: canister.history.all().cloned().collect(),
            changes_total: canister.history.total(),
        }
    }
}
