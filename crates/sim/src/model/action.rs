//! What may happen to a world, as data: drawn from dice, or read from a script.

use hatchery_core::{Ask, Command, LeaseAsk};
use hatchery_types::{CanisterId, Cycles, Nanos, OperationId, Reuse};

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Time goes to the next thing that happens by itself, at most this far.
    Pass(Nanos),
    /// The clock jumps: nothing of root runs in between.
    Jump(Nanos),
    /// A signal brings the tick forward.
    Tick,
    /// Somebody reports a load.
    Report(Load),
    /// Workers get work: so many jobs each.
    Work(Vec<(CanisterId, u64)>),
    /// A call that kept a stopping canister from stopping ends.
    CallEnds(CanisterId),
    /// An operator's command.
    Command(OperationId, Command),
    /// Somebody asks for workers of a pool of its own, keeps them or gives them back.
    Lease(OperationId, String, LeaseAsk),
    /// An operator asks for one more worker of a pool.
    Worker(OperationId, String),
    /// A member asks for a canister of its own, or ends one.
    Request {
        /// Who.
        caller: CanisterId,
        /// Added to the generation that it has.
        generation_off: u64,
        /// Under which id.
        operation: OperationId,
        /// What.
        ask: Ask,
    },
    /// A worker asks to be spared for so long.
    Protect(CanisterId, Nanos),
    /// A pool's parent reports what its members have to do.
    ReportPool(String, Vec<(CanisterId, u64)>),
    /// An operator applies the spec with other numbers.
    Respec(Numbers),
    /// An operator stages a module, and gives it to a role: positions of both.
    Remodule(usize, usize),
    /// A module that must not get in is staged: chunk `.1` of one that cannot be `[.0; 32]`.
    StageBadly(u8, u32),
    /// Somebody changes a canister behind root's back.
    Meddle(Meddling, CanisterId),
    /// Root's balance is changed from outside: topped up, or spent.
    Balance(Cycles),
    /// Root is being stopped, or started again.
    Stopping(bool),
    /// Root's chunk store is cleared, then filled with what is not root's if true.
    Store(bool),
    /// Root is upgraded: at once, whatever is open.
    UpgradeForced,
    /// Root is stopped, its open calls end, it is upgraded and started.
    UpgradePolite,
    /// Root is reinstalled by mistake.
    Reinstall,
}

/// A report as its sender words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// Who.
    pub member: CanisterId,
    /// Added to the generation that the sender has.
    pub generation_off: u64,
    /// The value; none = the jobs it has.
    pub value: Option<u64>,
    /// The signal is the pool's.
    pub known: bool,
}

/// Who may have a canister next.
pub(super) const REUSE: [Reuse; 4] = [Reuse::SameRole, Reuse::SameParent, Reuse::Any, Reuse::Never];

/// The numbers of a spec that operators of the model change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// Which pool, by position.
    pub pool: usize,
    /// Its bounds.
    pub min: u32,
    /// Its bounds.
    pub max: u32,
    /// Its start.
    pub initial: u32,
    /// Workers kept installed and out of service.
    pub standby: u32,
    /// The warm pool's bounds.
    pub minimum: u32,
    /// The warm pool's bounds.
    pub maximum: u32,
    /// The lane of resets.
    pub resets: u32,
    /// A second controller of every canister.
    pub second_controller: bool,
    /// Per cent of the fleet kept spare.
    pub target: u32,
    /// What becomes of the surplus: 0 = deleted, 1 = swept and released to a stranger, 2 = released
    /// as it is, and nothing is ever swept.
    pub surplus: u32,
    /// Who may have what was a helper: a position in [`REUSE`].
    pub reuse: usize,
    /// Workers of the second pool are upgraded by themselves, not only when their parents ask.
    pub rule: bool,
}

/// A change behind root's back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meddling {
    /// Deleted.
    Deleted,
    /// Uninstalled.
    Uninstalled,
    /// A controller added.
    ControllerAdded,
    /// Root is a controller no more.
    TakenOver,
    /// Stopped.
    Stopped,
    /// Its cycles are nearly used up.
    Drained,
    /// It got cycles.
    ToppedUp,
    /// A snapshot taken.
    Snapshotted,
    /// Its snapshots deleted.
    Unsaved,
    /// A setting changed.
    Resettled,
}

impl Meddling {
    /// Every kind.
    pub const ALL: [Meddling; 10] = [
        Meddling::Deleted,
        Meddling::Uninstalled,
        Meddling::ControllerAdded,
        Meddling::TakenOver,
        Meddling::Stopped,
        Meddling::Drained,
        Meddling::ToppedUp,
        Meddling::Snapshotted,
        Meddling::Unsaved,
        Meddling::Resettled,
    ];

    /// The word in a script.
    pub fn name(self) -> &'static str {
        match self {
            Meddling::Deleted => "deleted",
            Meddling::Uninstalled => "uninstalled",
            Meddling::ControllerAdded => "controller-added",
            Meddling::TakenOver => "taken-over",
            Meddling::Stopped => "stopped",
            Meddling::Drained => "drained",
            Meddling::ToppedUp => "topped-up",
            Meddling::Snapshotted => "snapshotted",
            Meddling::Unsaved => "unsaved",
            Meddling::Resettled => "resettled",
        }
    }
}
