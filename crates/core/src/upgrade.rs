//! How far the upgrade of a member is, and how far a pool's: the stable shapes. What follows is
//! `decide/upgrade.rs`'s, who is next `plan/upgrade.rs`'s.

use hatchery_types::{ModuleHash, Nanos};
use minicbor::{Decode, Encode};

/// The upgrade of one member.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Upgrade {
    /// What comes next.
    #[n(0)]
    pub step: UpgradeStep,
    /// The module it gets; the one it has is its row's until it works with this one.
    #[n(1)]
    pub to: ModuleHash,
    /// The snapshot of its old module and memory.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub snapshot: Option<Vec<u8>>,
    /// A wait of this step ends: an absence counts, or the health check is failed.
    #[n(3)]
    pub until: Nanos,
    /// It came to nothing: the member goes on as it was.
    #[n(4)]
    pub failed: bool,
    /// Its parent asked for it: it goes on without a rule of its role.
    #[n(5)]
    #[cbor(default)]
    pub asked: bool,
}

impl Upgrade {
    pub(crate) fn new(to: ModuleHash) -> Self {
        Upgrade {
            step: UpgradeStep::Stop,
            to,
            snapshot: None,
            until: Nanos(0),
            failed: false,
            asked: false,
        }
    }
}

/// What comes next in an upgrade.
///
/// ```text
/// Stop ─► Save ─► Replace ─► Check ─────────► Drop ─► (back at work, new module)
///   │      │ ▲      │  ▲       │ not healthy   ▲
///   │      ▼ │      ▼  │       ▼               │
///   │     Find      Look     Halt ─► Restore ──┤
///   │      │         │ not there               │
///   └──────┴──► Start┴─────────────────────────┘      (back at work, old module and memory)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum UpgradeStep {
    /// It finishes its work and is stopped.
    #[n(0)]
    Stop,
    /// A snapshot is taken.
    #[n(1)]
    Save,
    /// Whether a snapshot was taken is looked up.
    #[n(2)]
    Find,
    /// The module is replaced, and the member started.
    #[n(3)]
    Replace,
    /// Which module runs is looked up.
    #[n(4)]
    Look,
    /// It shows that it works.
    #[n(5)]
    Check,
    /// It does not work, and is stopped again.
    #[n(6)]
    Halt,
    /// The snapshot is loaded back, and the member started.
    #[n(7)]
    Restore,
    /// It is started as it is.
    #[n(8)]
    Start,
    /// The snapshot is deleted.
    #[n(9)]
    Drop,
}

/// A pool on its way to its role's module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rollout {
    /// The module.
    #[n(0)]
    pub module: ModuleHash,
    /// Since when members are seen to run another one.
    #[n(1)]
    pub since: Nanos,
    /// Members that took it.
    #[n(2)]
    pub done: u32,
    /// Members that did not.
    #[n(3)]
    pub failures: u32,
}

impl Rollout {
    pub(crate) fn new(module: ModuleHash, since: Nanos) -> Self {
        Rollout {
            module,
            since,
            done: 0,
            failures: 0,
        }
    }
}
