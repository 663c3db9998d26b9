//! What root asks the platform and its workers to do, as data.

use crate::outcome::principal;
use crate::{CanisterId, Cycles, EffectId, Generation, Incarnation, ModuleHash, Nanos, Outcome};
use core::fmt;
use ic_principal::Principal;
use minicbor::{Decode, Encode};

/// One entry of the journal: intent recorded before the first call is made.
///
/// An effect is a chain of calls sent in one message; requests to one callee keep their order, so
/// later steps may rely on earlier ones having been tried.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Effect {
    /// Key in the journal.
    #[n(0)]
    pub id: EffectId,
    /// What to do.
    #[n(1)]
    pub kind: EffectKind,
    /// The canister it is done to; `None` for a creation and for root itself.
    #[n(2)]
    pub canister: Option<CanisterId>,
    /// When the intent was recorded.
    #[n(3)]
    pub started_at: Nanos,
    /// The root that made the calls.
    #[n(4)]
    pub incarnation: Incarnation,
    /// Outcomes by step; the effect ends when all are there.
    #[n(5)]
    pub outcomes: Vec<Option<Outcome>>,
    /// Of a creation: the largest id that root knew when it was sent; the new one lies behind it.
    #[n(6)]
    pub behind: Option<CanisterId>,
    /// Of a lost creation: it was searched for and not found.
    #[cbor(n(7), default)]
    pub given_up: bool,
}

/// The kinds of effect; their steps are named by [`EffectKind::steps`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum EffectKind {
    /// Buy a canister with `cycles` attached.
    #[n(0)]
    Create {
        /// Cycles attached, the platform's fee included.
        #[n(0)]
        cycles: Cycles,
    },
    /// Look at a canister.
    #[n(1)]
    Observe,
    /// Take exclusive control, empty, look.
    #[n(2)]
    Reset {
        /// The canister was stopped: start it again.
        #[n(0)]
        start: bool,
    },
    /// Set environment variables, install the module of the row's role.
    #[n(3)]
    Install {
        /// Module to install.
        #[n(0)]
        module: ModuleHash,
        /// Generation of the member.
        #[n(1)]
        generation: Generation,
    },
    /// Tell a worker to finish and ask whether it is idle.
    #[n(4)]
    Drain,
    /// Stop a drained worker.
    #[n(5)]
    Stop,
    /// Delete a canister (stopped first).
    #[n(6)]
    Delete,
    /// Put one chunk of a module into root's chunk store.
    #[n(7)]
    StoreChunk {
        /// The module.
        #[n(0)]
        module: ModuleHash,
        /// Which chunk.
        #[n(1)]
        index: u32,
    },
    /// Call a new worker's health method.
    #[n(14)]
    Check,
    /// Ask a worker for a number.
    #[n(15)]
    Pull {
        /// The signal it feeds.
        #[n(0)]
        signal: String,
    },
    /// Make another principal its only controller.
    #[n(8)]
    HandOver {
        /// Who gets it.
        #[cbor(n(0), with = "principal")]
        to: Principal,
    },
    /// Give a member its settings back, start it, look.
    #[n(12)]
    Mend {
        /// Generation of the member.
        #[n(0)]
        generation: Generation,
    },
    /// Ask what anybody may know of a canister, managed or not.
    #[n(10)]
    Info {
        /// Which.
        #[n(0)]
        canister: CanisterId,
    },
    /// Install the sweeper on an empty canister: it deposits all but `keep` to root by itself.
    #[n(11)]
    Sweep {
        /// Liquid cycles that stay.
        #[n(0)]
        keep: Cycles,
    },
    /// See which chunks root's chunk store holds.
    #[n(16)]
    CheckStore,
    /// Empty root's chunk store of what no module needs any more.
    #[n(17)]
    ClearStore,
    /// Give a canister cycles.
    #[n(18)]
    TopUp {
        /// How many.
        #[n(0)]
        cycles: Cycles,
    },
    /// Take a snapshot of a stopped member.
    #[n(19)]
    Save,
    /// See whether a snapshot of it was taken.
    #[n(20)]
    FindSnapshot,
    /// Replace a member's module, start it, look.
    #[n(21)]
    Upgrade {
        /// By which.
        #[n(0)]
        module: ModuleHash,
    },
    /// Bring a member back as it was, start it, look.
    #[n(22)]
    Return {
        /// From this snapshot; none = it still is as it was.
        #[cbor(n(0), with = "minicbor::bytes")]
        snapshot: Option<Vec<u8>>,
    },
    /// Delete a snapshot.
    #[n(23)]
    DropSnapshot {
        /// Which.
        #[cbor(n(0), with = "minicbor::bytes")]
        snapshot: Vec<u8>,
    },
}

/// One call of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `create_canister`.
    Create,
    /// `update_settings` to the warm pool's values.
    CleanSettings,
    /// `update_settings` with the environment variables of a member.
    MemberSettings,
    /// `uninstall_code`.
    Uninstall,
    /// `start_canister`.
    Start,
    /// `canister_status`.
    Status,
    /// `install_chunked_code` with mode `install`.
    Install,
    /// The worker's drain method, bounded wait.
    Drain,
    /// The worker's health method, bounded wait.
    Check,
    /// A method of the worker that answers with a number, bounded wait.
    Ask,
    /// `stop_canister`.
    Stop,
    /// `delete_canister`.
    Delete,
    /// `upload_chunk` to root itself.
    UploadChunk,
    /// `canister_info` with the canister's history, which anybody may ask.
    History,
    /// `install_code` of the sweeper, with mode `install`.
    InstallSweeper,
    /// `update_settings` with another principal as the only controller.
    HandOver,
    /// `stored_chunks` of root itself.
    StoredChunks,
    /// `clear_chunk_store` of root itself.
    ClearChunkStore,
    /// `deposit_cycles`, with cycles attached.
    Deposit,
    /// `take_canister_snapshot`.
    TakeSnapshot,
    /// `list_canister_snapshots`.
    ListSnapshots,
    /// `install_chunked_code` with mode `upgrade`.
    UpgradeCode,
    /// `load_canister_snapshot`.
    LoadSnapshot,
    /// `delete_canister_snapshot`.
    DeleteSnapshot,
}

/// A class of effects with a limit of its own on how many run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Creations.
    Create,
    /// Resets.
    Reset,
    /// Installs.
    Install,
    /// Questions to workers.
    Ask,
    /// Drains: calls to workers, not to the management canister.
    Drain,
    /// Observations, stops, deletes, hand-overs, chunks, infos.
    Other,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Lane; 6] = [
        Lane::Create,
        Lane::Reset,
        Lane::Install,
        Lane::Ask,
        Lane::Drain,
        Lane::Other,
    ];

    /// Its calls go to workers, not to the management canister.
    pub fn is_to_workers(self) -> bool {
        matches!(self, Lane::Drain | Lane::Ask)
    }

    /// The name, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Lane::Create => "create",
            Lane::Reset => "reset",
            Lane::Install => "install",
            Lane::Ask => "ask",
            Lane::Drain => "drain",
            Lane::Other => "other",
        }
    }
}

impl EffectKind {
    /// The calls, in the order they are sent.
    pub fn steps(&self) -> &'static [Step] {
        match self {
            EffectKind::Create { .. } => &[Step::Create],
            EffectKind::Observe => &[Step::Status],
            EffectKind::Reset { start: false } => {
                &[Step::CleanSettings, Step::Uninstall, Step::Status]
            }
            EffectKind::Reset { start: true } => &[
                Step::CleanSettings,
                Step::Uninstall,
                Step::Start,
                Step::Status,
            ],
            EffectKind::Install { .. } => &[Step::MemberSettings, Step::Install],
            EffectKind::Drain => &[Step::Drain],
            EffectKind::Check => &[Step::Check],
            EffectKind::Pull { .. } => &[Step::Ask],
            EffectKind::Stop => &[Step::Stop],
            EffectKind::Delete => &[Step::Delete],
            EffectKind::StoreChunk { .. } => &[Step::UploadChunk],
            EffectKind::Info { .. } => &[Step::History],
            EffectKind::Sweep { .. } => &[Step::InstallSweeper],
            EffectKind::HandOver { .. } => &[Step::HandOver],
            EffectKind::Mend { .. } => &[Step::MemberSettings, Step::Start, Step::Status],
            EffectKind::CheckStore => &[Step::StoredChunks],
            EffectKind::ClearStore => &[Step::ClearChunkStore],
            EffectKind::TopUp { .. } => &[Step::Deposit],
            EffectKind::Save => &[Step::TakeSnapshot],
            EffectKind::FindSnapshot => &[Step::ListSnapshots],
            EffectKind::Upgrade { .. } => &[Step::UpgradeCode, Step::Start, Step::Status],
            EffectKind::Return { snapshot: Some(_) } => {
                &[Step::LoadSnapshot, Step::Start, Step::Status]
            }
            EffectKind::Return { snapshot: None } => &[Step::Start, Step::Status],
            EffectKind::DropSnapshot { .. } => &[Step::DeleteSnapshot],
        }
    }

    /// Cycles that leave root with its first call.
    pub fn attached(&self) -> Cycles {
        match self {
            EffectKind::Create { cycles } | EffectKind::TopUp { cycles } => *cycles,
            _ => Cycles(0),
        }
    }

    /// The lane it runs in.
    pub fn lane(&self) -> Lane {
        match self {
            EffectKind::Create { .. } => Lane::Create,
            EffectKind::Reset { .. } => Lane::Reset,
            EffectKind::Install { .. } | EffectKind::Sweep { .. } | EffectKind::Upgrade { .. } => {
                Lane::Install
            }
            EffectKind::Pull { .. } => Lane::Ask,
            EffectKind::Drain => Lane::Drain,
            _ => Lane::Other,
        }
    }

    /// The name, in kebab case.
    pub fn name(&self) -> &'static str {
        match self {
            EffectKind::Create { .. } => "create",
            EffectKind::Observe => "observe",
            EffectKind::Reset { .. } => "reset",
            EffectKind::Install { .. } => "install",
            EffectKind::Drain => "drain",
            EffectKind::Check => "check",
            EffectKind::Pull { .. } => "pull",
            EffectKind::Stop => "stop",
            EffectKind::Delete => "delete",
            EffectKind::StoreChunk { .. } => "store-chunk",
            EffectKind::Info { .. } => "info",
            EffectKind::Sweep { .. } => "sweep",
            EffectKind::HandOver { .. } => "hand-over",
            EffectKind::Mend { .. } => "mend",
            EffectKind::CheckStore => "check-store",
            EffectKind::ClearStore => "clear-store",
            EffectKind::TopUp { .. } => "top-up",
            EffectKind::Save => "save",
            EffectKind::FindSnapshot => "find-snapshot",
            EffectKind::Upgrade { .. } => "upgrade",
            EffectKind::Return { .. } => "return",
            EffectKind::DropSnapshot { .. } => "drop-snapshot",
        }
    }
}

impl fmt::Display for EffectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
