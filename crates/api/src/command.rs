//! Commands of operators, and their answers.

use crate::recovery::Recover;
use crate::root::ReasonView;
use candid::CandidType;
use hatchery_types::{CanisterId, Cycles, Direction, ExportTo, ModuleHash, OperationId, Wire};
use serde::Deserialize;

/// Most canisters that one command names.
pub const COMMAND_IDS_MAX: u32 = 1_000;

/// A command of an operator.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct CommandRequest {
    /// The same id with the same command gets the same answer and no second effect.
    pub operation: OperationId,
    /// What to do.
    pub command: Command,
}

/// What an operator may ask of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub enum Command {
    /// Create one canister now, whatever the minimum. Answered with its id.
    CreateEmpty,
    /// Take a canister that root controls into the warm pool and reset it at once, ahead of the
    /// queue. A flaw leaves it Failed.
    ImportImmediate {
        /// Which.
        canister: CanisterId,
    },
    /// Take canisters that root controls into the warm pool, through the reset lanes.
    ImportQueued {
        /// At most [`COMMAND_IDS_MAX`] ids.
        canisters: Vec<CanisterId>,
    },
    /// Reset a managed canister into the warm pool; a member drains first.
    Recycle {
        /// Which.
        canister: CanisterId,
    },
    /// Failed and lost rows back to the reset queue.
    RequeueFailed {
        /// Which, at most [`COMMAND_IDS_MAX`]; none = every failed row, that many a call.
        canisters: Option<Vec<CanisterId>>,
    },
    /// Release a ready canister that has a role and a module on record.
    Export {
        /// Which.
        canister: CanisterId,
        /// To whom.
        to: ExportTo,
    },
    /// Stop and delete a canister that is nobody's member; its cycles are discarded.
    Delete {
        /// Which.
        canister: CanisterId,
    },
    /// Strike a lost canister from the books.
    Forget {
        /// Which.
        canister: CanisterId,
    },
    /// Give back ready canisters above the maximum now, youngest first.
    DrainSurplus,
    /// Stop voluntary actions: growing (creations, claims), shrinking (scale-in, giving back), or
    /// both. Resets and drains under way go on.
    Pause {
        /// Which; none = both.
        direction: Option<Direction>,
    },
    /// End a pause.
    Resume {
        /// Of which; none = both.
        direction: Option<Direction>,
    },
    /// Rebuild rows that root has lost.
    Recover(Recover),
}

/// Answer to a command.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub enum CommandAnswer {
    /// Under way: the same operation again tells how it ends.
    InProgress,
    /// Paused or resumed.
    Done,
    /// Answer to `CreateEmpty`.
    Created {
        /// The new canister.
        canister: CanisterId,
    },
    /// Answer to `Recycle`: verified empty again.
    Recycled,
    /// Answer to `ImportImmediate`: verified empty, in the pool.
    Imported,
    /// Answer to `ImportQueued` and `RequeueFailed`.
    Queued(Queued),
    /// Answer to `Export`.
    Exported {
        /// The role it had, or has again.
        role: String,
        /// The module it had, or has now.
        module: ModuleHash,
    },
    /// Answer to `Delete` and `Forget`.
    Deleted {
        /// Cycles discarded with it, as last observed.
        discarded: Cycles,
    },
    /// Answer to `DrainSurplus`.
    Drained {
        /// Canisters on their way out.
        leaving: u32,
        /// Canisters that still exceed the maximum: ask again under another id.
        left: u32,
    },
    /// Answer to a member's `Upgrade`: the child runs its role's module.
    Upgraded,
    /// Answer to a member's `UpgradeAll`.
    Upgrading {
        /// Children on their way.
        begun: u32,
        /// Children that still run another module: ask again under another id.
        left: u32,
    },
}

/// What came of a list of canisters.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct Queued {
    /// Rows new to the pool.
    pub added: u32,
    /// Rows sent to the reset queue again.
    pub requeued: u32,
    /// Not touched, each with its reason.
    pub skipped: Vec<(CanisterId, ReasonView)>,
    /// Canisters asked about, each once; of "every failed row" those there were.
    pub total: u32,
}
