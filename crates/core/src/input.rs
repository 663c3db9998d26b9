//! What reaches the control plane, and what it answers.

use crate::{Answer, Event, LeaseAnswer, LeaseInput};
use hatchery_types::{
    CanisterId, Cycles, Direction, Effect, EffectId, ExportTo, FleetSpec, Generation, ModuleHash,
    Nanos, OperationId, Outcome, Principal, Reason, Registered,
};

/// Something that happened outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Root was installed or upgraded: once, before anything else, in `init` and `post_upgrade`.
    Started {
        /// Root's own id.
        root: CanisterId,
    },
    /// Time passed, or something changed: plan. Repeated until the decision says no `more`.
    Tick(Vitals),
    /// A step of an effect has an outcome. Recorded alone; planning is the next tick's.
    Outcome {
        /// Which effect; unknown or closed ones are ignored.
        effect: EffectId,
        /// Position in [`hatchery_types::EffectKind::steps`].
        step: u8,
        /// What the caller can know.
        outcome: Outcome,
    },
    /// A checked spec to apply.
    Apply(Box<FleetSpec>),
    /// A member reports its load.
    Report {
        /// The caller.
        member: CanisterId,
        /// Which tenancy it believes it has.
        generation: Generation,
        /// Name of the signal.
        signal: String,
        /// Its value.
        value: u64,
    },
    /// A member asks to be spared by scale-in.
    Protect {
        /// The caller.
        member: CanisterId,
        /// Which tenancy it believes it has.
        generation: Generation,
        /// Until when; the past ends a protection.
        until: Nanos,
    },
    /// A call about leases.
    Lease(LeaseInput),
    /// A pool's parent or an operator asks for one more worker.
    CreateWorker(WorkerInput),
    /// A member asks for something about its children.
    Request(RequestInput),
    /// A pool's parent reports for it.
    ReportPool(PoolReport),
    /// An operator's command.
    Command(CommandInput),
    /// A piece of a module.
    StageChunk {
        /// Hash of the whole module.
        module: ModuleHash,
        /// Position, from 0.
        index: u32,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// All pieces are there.
    CommitModule {
        /// Hash of the whole module.
        module: ModuleHash,
        /// How many pieces.
        chunks: u32,
    },
}

/// A request for one more worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerInput {
    /// Who asks; a parent becomes the worker's.
    pub caller: Principal,
    /// The caller is a controller of root.
    pub operator: bool,
    /// Chosen by the caller.
    pub operation: OperationId,
    /// In which pool.
    pub pool: String,
    /// In place of the role's init argument.
    pub init_arg: Option<Vec<u8>>,
    /// What root knows of itself.
    pub vitals: Vitals,
}

/// What a member asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestInput {
    /// The caller.
    pub caller: CanisterId,
    /// Which tenancy it believes it has.
    pub generation: Generation,
    /// Chosen by the caller.
    pub operation: OperationId,
    /// What it wants.
    pub ask: Ask,
    /// What root knows of itself.
    pub vitals: Vitals,
}

/// What a member may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A canister that is kept until its parent recycles it.
    Create {
        /// In which pool.
        pool: String,
        /// Under whom: root, or a member that is the caller or below it; none = the caller.
        parent: Option<CanisterId>,
        /// In place of the role's init argument.
        init_arg: Option<Vec<u8>>,
    },
    /// A child of the caller's back into the warm pool; it drains first.
    Recycle(CanisterId),
    /// A child of the caller's to its role's module.
    Upgrade(CanisterId),
    /// As many of the caller's children of a role as the disruption budget allows now.
    UpgradeAll(String),
}

/// What a parent reports of its pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolReport {
    /// Who reports.
    pub caller: Principal,
    /// The caller is a controller of root.
    pub operator: bool,
    /// Of which pool.
    pub pool: String,
    /// Values of totals, by the names of their signals.
    pub totals: Vec<(String, u64)>,
    /// Values of members, by the names of their signals.
    pub members: Vec<(CanisterId, String, u64)>,
}

/// What root knows of itself when it ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vitals {
    /// Liquid cycles: what may be spent before the freezing limit.
    pub liquid: Cycles,
    /// The platform says root is stopping: start nothing new.
    pub stopping: bool,
}

/// An operator's command with its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandInput {
    /// The caller.
    pub caller: Principal,
    /// Chosen by the caller.
    pub operation: OperationId,
    /// What to do.
    pub command: Command,
}

/// What an operator may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Create one canister now.
    CreateEmpty,
    /// Take a canister into the warm pool and reset it at once, ahead of the queue.
    ImportImmediate(CanisterId),
    /// Take canisters into the warm pool, through the reset lanes.
    ImportQueued(Vec<CanisterId>),
    /// Reset a managed canister; a member drains first.
    Recycle(CanisterId),
    /// Failed and lost rows back to the reset queue; none = every failed one, up to
    /// [`crate::limits::COMMAND_IDS_MAX`].
    RequeueFailed(Option<Vec<CanisterId>>),
    /// Release a ready canister.
    Export(CanisterId, ExportTo),
    /// Give a canister that is nobody's member back to the platform.
    Delete(CanisterId),
    /// Strike a lost canister from the books.
    Forget(CanisterId),
    /// Give back what exceeds the warm pool's maximum.
    DrainSurplus,
    /// Stop voluntary actions of a direction, or of both.
    Pause(Option<Direction>),
    /// End a pause.
    Resume(Option<Direction>),
    /// Rebuild rows that root has lost.
    Recover(Recover),
}

/// Where lost rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recover {
    /// A page of the last export, or ids from elsewhere.
    Canisters(Vec<Registered>),
    /// Every canister that root controls among so many ids.
    Range {
        /// The first id.
        first: CanisterId,
        /// How many; at most [`crate::limits::RANGE_IDS_MAX`].
        ids: u64,
    },
    /// That was all: root does its work again.
    Done,
}

/// What to write, what to do, what to answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// To apply, in order, before anything else.
    pub events: Vec<Event>,
    /// To execute after applying, in order; each was recorded by an event.
    pub effects: Vec<Effect>,
    /// What the requester hears.
    pub reply: Reply,
    /// There may be more to do: a tick is asked again with the same input, a report wants a tick.
    pub more: bool,
}

/// What the requester hears.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Reply {
    /// Nothing.
    #[default]
    None,
    /// A spec was applied, a module staged or committed: generation of the spec.
    Applied(Generation),
    /// A command was carried out or taken (or had been: the same answer again).
    Command(Answer),
    /// A report was taken.
    Reported {
        /// The member takes new work.
        accepting: bool,
        /// Not taken, and why.
        refused: Option<Reason>,
    },
    /// Leases were granted, renewed or ended (or had been: the same answer again).
    Lease(LeaseAnswer),
    /// A parent's report was taken, but for these.
    PoolReported(Vec<NotTaken>),
    /// Refused: nothing changed.
    Refused(Reason, String),
}

/// A value of a parent's report that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTaken {
    /// Of which member; none = of the pool.
    pub member: Option<CanisterId>,
    /// Of which signal.
    pub signal: String,
    /// Why.
    pub reason: Reason,
}

impl NotTaken {
    pub(crate) fn new(member: Option<CanisterId>, signal: &str, reason: Reason) -> Self {
        NotTaken {
            member,
            signal: signal.to_owned(),
            reason,
        }
    }
}
