//! Requests and responses of the root canister.

use crate::{FundingView, LedgerView, RecoveryView};
use candid::CandidType;
use hatchery_types::{
    CanisterId, Cycles, FleetSpec, Generation, Incarnation, Level, ModuleHash, Nanos, OperationId,
    Phase, Reason, Topic, Wire,
};
use serde::Deserialize;

/// Largest page of any list.
pub const PAGE_MAX: u32 = 200;

/// A reason on the wire: stable number, stable name, text for people.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct ReasonView {
    /// Stable number; numbers are added, never reused.
    pub code: u16,
    /// Stable name in kebab case.
    pub name: String,
    /// Text for people.
    pub text: String,
}

impl From<&Reason> for ReasonView {
    fn from(reason: &Reason) -> Self {
        ReasonView {
            code: reason.code(),
            name: reason.name().to_owned(),
            text: reason.to_string(),
        }
    }
}

/// Argument of root's `init`.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct InitArg {
    /// The spec to start with; `apply` sets it later.
    pub spec: Option<FleetSpec>,
}

/// One piece of a module, at most [`CHUNK_BYTES_MAX`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct StageChunk {
    /// Hash of the whole module.
    pub module: ModuleHash,
    /// Position, from 0; chunks come in order, a repeated one is accepted.
    pub index: u32,
    /// The bytes.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// Largest chunk: the platform's chunk store takes 1 MiB (interface specification, `upload_chunk`).
pub const CHUNK_BYTES_MAX: usize = 1024 * 1024;

/// Closes a module: its staged bytes must have the announced hash and be wasm.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct CommitModule {
    /// Hash of the whole module.
    pub module: ModuleHash,
    /// Chunks staged.
    pub chunks: u32,
}

/// What a member says of itself.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct Report {
    /// Generation from the member's environment variables.
    pub generation: Generation,
    /// Name of the signal.
    pub signal: String,
    /// Its value, at most 2^53.
    pub value: u64,
}

/// What root says to a reporting member.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct ReportAnswer {
    /// Take new work.
    pub accepting: bool,
    /// Not taken, and why.
    pub refused: Option<ReasonView>,
}

/// Counters of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct FleetStatus {
    /// Name of the applied spec; empty without one.
    pub name: String,
    /// Generation of the applied spec.
    pub generation: Generation,
    /// Installs and upgrades of root.
    pub incarnation: Incarnation,
    /// Voluntary actions are paused, in one direction or both.
    pub paused: bool,
    /// Rows by phase, every phase once.
    pub phases: Vec<(Phase, u64)>,
    /// Effects in flight by name.
    pub effects: Vec<(String, u64)>,
    /// Creations whose reply was lost.
    pub lost_creations: u64,
    /// The warm pool's bounds.
    pub warm_minimum: u32,
    /// Most spare canisters kept.
    pub warm_maximum: u32,
    /// What the warm pool does, or what holds it back.
    pub warm_reason: ReasonView,
    /// Root's balance.
    pub cycles: Cycles,
    /// Modules: hash, bytes, installable.
    pub modules: Vec<ModuleView>,
    /// Pools.
    pub pools: Vec<PoolView>,
    /// When root wakes next by itself.
    pub next_wake: Option<Nanos>,
    /// What root knows of its own wholeness.
    pub recovery: RecoveryView,
    /// Cycles paid, got back and given up.
    pub ledger: LedgerView,
    /// What root pays to keep canisters alive.
    pub funding: FundingView,
}

/// A module held by root.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct ModuleView {
    /// Its name.
    pub module: ModuleHash,
    /// Size.
    pub bytes: u64,
    /// All chunks staged and verified.
    pub committed: bool,
    /// All chunks are in root's chunk store.
    pub installable: bool,
}

/// A worker pool, as counted.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct PoolView {
    /// Name.
    pub name: String,
    /// Role of its members.
    pub role: String,
    /// Bounds.
    pub min: u32,
    /// Bounds.
    pub max: u32,
    /// What policy wanted at the last plan.
    pub desired: u32,
    /// Members being installed.
    pub installing: u32,
    /// Members installed and out of service.
    pub standby: u32,
    /// Members taking work.
    pub in_service: u32,
    /// Members handed to a holder.
    pub leased: u32,
    /// Members finishing.
    pub draining: u32,
    /// Sum of fresh samples of the members in service.
    pub load: u64,
    /// What the last plan said.
    pub reasons: Vec<ReasonView>,
    /// Workers whose work a drain deadline cut, ever.
    pub work_cut: u64,
    /// Members getting their role's module.
    pub upgrading: u32,
    /// How far the members' way to another module is, or was; none = never yet.
    pub rollout: Option<RolloutView>,
}

/// How far a pool's way to another module is.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct RolloutView {
    /// Where to.
    pub module: ModuleHash,
    /// Since when.
    pub since: Nanos,
    /// Members that took it.
    pub done: u32,
    /// Members that did not, since an operator or another spec let it go on.
    pub failures: u32,
    /// Members that run another module.
    pub left: u32,
}

/// Asks for one page of rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct CanistersRequest {
    /// Only this phase.
    pub phase: Option<Phase>,
    /// Only with this role, now or last.
    pub role: Option<String>,
    /// Only of this pool, now or last.
    pub pool: Option<String>,
    /// Only members with this parent.
    pub parent: Option<CanisterId>,
    /// Only with this module, now or last.
    pub module: Option<ModuleHash>,
    /// Continue behind this id.
    pub after: Option<CanisterId>,
    /// At most [`PAGE_MAX`]; 0 = that many.
    pub limit: u32,
}

/// One page of rows.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct CanistersPage {
    /// Rows in order of their ids. A page may be short, even empty: go on while there is a `next`.
    pub rows: Vec<RowView>,
    /// Ask again with `after` set to this.
    pub next: Option<CanisterId>,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct RowView {
    /// Which canister.
    pub canister: CanisterId,
    /// Where it stands.
    pub phase: Phase,
    /// Since when.
    pub since: Nanos,
    /// Role, now or last.
    pub role: Option<String>,
    /// Pool, now or last.
    pub pool: Option<String>,
    /// Parent, now or last.
    pub parent: Option<CanisterId>,
    /// Module, now or last.
    pub module: Option<ModuleHash>,
    /// Fences this tenancy.
    pub generation: Generation,
    /// Balance when last observed.
    pub cycles: Option<Cycles>,
    /// When that was.
    pub cycles_at: Option<Nanos>,
    /// When root learnt of it.
    pub created_at: Nanos,
    /// Failed attempts in this phase.
    pub attempts: u32,
    /// Why it stands where it stands.
    pub reason: ReasonView,
    /// Kind of the effect in flight.
    pub effect: Option<String>,
    /// Last sample of its pool's load.
    pub load: Option<u64>,
    /// When its lease ends.
    pub leased_until: Option<Nanos>,
    /// Who holds it.
    pub holder: Option<CanisterId>,
}

/// Asks for one page of discovery.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct WorkersRequest {
    /// Which pool.
    pub pool: String,
    /// Continue behind this id.
    pub after: Option<CanisterId>,
    /// At most [`PAGE_MAX`]; 0 = that many.
    pub limit: u32,
}

/// One page of workers that take new work.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct WorkersPage {
    /// Grows with every change of the list.
    pub generation: Generation,
    /// How long the answer may be used.
    pub valid_for: Nanos,
    /// Members in service.
    pub workers: Vec<WorkerView>,
    /// Ask again with `after` set to this.
    pub next: Option<CanisterId>,
}

/// A worker, for those who give it work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct WorkerView {
    /// Where to send work.
    pub canister: CanisterId,
    /// Last sample of the pool's signal.
    pub load: Option<u64>,
}

/// What the next tick would do with a pool, and why: the dry run.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct PlanView {
    /// Working members wanted: in service and leased.
    pub desired: u32,
    /// Drains to cancel.
    pub uncordon: Vec<CanisterId>,
    /// Members on standby to put into service.
    pub promote: Vec<CanisterId>,
    /// Members on standby to recycle.
    pub release: Vec<CanisterId>,
    /// Ready canisters to claim.
    pub claim: Vec<CanisterId>,
    /// Members to cordon.
    pub cordon: Vec<CanisterId>,
    /// Workers wanted that no ready canister is there for.
    pub unmet: u32,
    /// Why this and not more.
    pub reasons: Vec<ReasonView>,
    /// Members to get their role's module.
    pub upgrade: Vec<CanisterId>,
}

/// Asks for events.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct EventsRequest {
    /// Only events with a larger number.
    pub after: u64,
    /// Only what happened to this canister.
    pub canister: Option<CanisterId>,
    /// At most [`PAGE_MAX`]; 0 = that many.
    pub limit: u32,
    /// Only what is about this.
    pub topic: Option<Topic>,
    /// Only what matters so much, or more.
    pub level: Option<Level>,
}

/// One page of events, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct EventsPage {
    /// The events.
    pub events: Vec<EventView>,
    /// Number of the newest event there is.
    pub newest: u64,
    /// Continue after this number. A page may be short, even empty.
    pub next: Option<u64>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct EventView {
    /// Grows by one an event.
    pub number: u64,
    /// When.
    pub at: Nanos,
    /// To which canister.
    pub canister: Option<CanisterId>,
    /// In which pool.
    pub pool: Option<String>,
    /// The phase it went to.
    pub phase: Option<Phase>,
    /// Why.
    pub reason: ReasonView,
    /// What it is about.
    pub topic: Topic,
    /// How much it matters.
    pub level: Level,
    /// The operation that was taken or answered, if it tells of one.
    pub operation: Option<OperationId>,
}

/// An effect in flight.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct EffectView {
    /// Key in the journal.
    pub id: u64,
    /// Kind.
    pub kind: String,
    /// To which canister.
    pub canister: Option<CanisterId>,
    /// Since when.
    pub started_at: Nanos,
    /// Of which root.
    pub incarnation: Incarnation,
}

/// Asks for one page of the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct EffectsRequest {
    /// Continue behind this id.
    pub after: Option<u64>,
    /// At most [`PAGE_MAX`]; 0 = that many.
    pub limit: u32,
}

/// Why a call to root was refused.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct Refused {
    /// Reason.
    pub reason: ReasonView,
    /// What, where, and what to do.
    pub detail: String,
}

/// Result of a call to root.
pub type Answer<T> = Result<T, Refused>;

/// Names of the environment variables that root sets on a member.
pub mod environment {
    /// Root's principal.
    pub const ROOT: &str = "HATCHERY_ROOT";
    /// Role of the member.
    pub const ROLE: &str = "HATCHERY_ROLE";
    /// Pool of the member.
    pub const POOL: &str = "HATCHERY_POOL";
    /// Parent of the member.
    pub const PARENT: &str = "HATCHERY_PARENT";
    /// Generation of the member, decimal.
    pub const GENERATION: &str = "HATCHERY_GENERATION";
}
