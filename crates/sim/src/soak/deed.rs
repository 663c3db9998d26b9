//! What people, members, operators and meddlers do in a seed of the wasm level, as data: drawn by the
//! dice, or read from a script. Who does it is `act`; how it reads is `words`.

use super::keeper::Version;
use hatchery_api::{Ask, Command};
use hatchery_types::{CanisterId, ExportTo, Generation};

/// One thing that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Root is upgraded by force; when that is rejected, again.
    UpgradeForced,
    /// Root is stopped, upgraded and started, however long that takes.
    UpgradePolite,
    /// The clock jumps by so many seconds.
    Jump(u64),
    /// Somebody changes a canister behind root's back.
    Meddle(Meddling, CanisterId),
    /// An operator's command, handed in so many times under one operation id.
    Command {
        /// Its name.
        operation: String,
        /// How often it is handed in.
        times: u64,
        /// What is ordered.
        order: Order,
    },
    /// A member asks root for something.
    Ask {
        /// Who asks.
        member: CanisterId,
        /// In the name of which tenancy.
        generation: Generation,
        /// Its name.
        operation: String,
        /// For what.
        wish: Wish,
    },
    /// The operator leases members, asking so many times under one operation id.
    Lease {
        /// Its name.
        operation: String,
        /// How often it is handed in.
        times: u64,
        /// Members wanted.
        count: u32,
    },
    /// The operator gives leases back.
    Release(Vec<CanisterId>),
    /// A member of that tenancy asks to be spared.
    Protect(CanisterId, Generation),
    /// A member of that tenancy counts.
    Count(CanisterId, Generation),
    /// A member burns that many trillions of its cycles.
    Burn(CanisterId, u64),
    /// The members' role gets another module; by itself: its members go there without being asked.
    RollOut {
        /// Which.
        version: Version,
        /// By itself.
        by_itself: bool,
    },
    /// A pool gets other bounds.
    Bounds {
        /// Its place in the spec.
        pool: usize,
        /// Fewest members.
        min: u32,
        /// Most members.
        max: u32,
        /// Members kept out of service.
        standby: u32,
    },
}

/// What is done to a canister behind root's back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meddling {
    /// It is deleted.
    Deleted,
    /// Its code is taken away.
    Uninstalled,
    /// It is stopped.
    Stopped,
    /// Somebody else is its only controller.
    TakenOver,
    /// Somebody else controls it, too.
    ControllerAdded,
    /// It gets cycles.
    ToppedUp,
}

impl Meddling {
    /// All of them.
    pub(super) const ALL: [Meddling; 6] = [
        Meddling::Deleted,
        Meddling::Uninstalled,
        Meddling::Stopped,
        Meddling::TakenOver,
        Meddling::ControllerAdded,
        Meddling::ToppedUp,
    ];

    /// Its name, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Meddling::Deleted => "deleted",
            Meddling::Uninstalled => "uninstalled",
            Meddling::Stopped => "stopped",
            Meddling::TakenOver => "taken-over",
            Meddling::ControllerAdded => "controller-added",
            Meddling::ToppedUp => "topped-up",
        }
    }
}

/// The commands that operators give here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Create one canister.
    CreateEmpty,
    /// Reset it.
    Recycle(CanisterId),
    /// Take them in.
    Import(Vec<CanisterId>),
    /// Take it in at once.
    ImportNow(CanisterId),
    /// Delete it.
    Delete(CanisterId),
    /// Back to its role.
    Export(CanisterId),
    /// Give back what is too much.
    DrainSurplus,
    /// Stop voluntary actions.
    Pause,
    /// Go on.
    Resume,
    /// All that failed, again.
    Requeue,
}

impl Order {
    /// As root is told.
    pub(super) fn command(&self) -> Command {
        match self {
            Order::CreateEmpty => Command::CreateEmpty,
            Order::Recycle(canister) => Command::Recycle {
                canister: *canister,
            },
            Order::Import(canisters) => Command::ImportQueued {
                canisters: canisters.clone(),
            },
            Order::ImportNow(canister) => Command::ImportImmediate {
                canister: *canister,
            },
            Order::Delete(canister) => Command::Delete {
                canister: *canister,
            },
            Order::Export(canister) => Command::Export {
                canister: *canister,
                to: ExportTo::Registry,
            },
            Order::DrainSurplus => Command::DrainSurplus,
            Order::Pause => Command::Pause { direction: None },
            Order::Resume => Command::Resume { direction: None },
            Order::Requeue => Command::RequeueFailed { canisters: None },
        }
    }
}

/// What a member asks root for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// A child in the members' own pool.
    Child,
    /// The end of a child.
    End(CanisterId),
    /// The role's module on a child.
    Move(CanisterId),
    /// The role's module on all children.
    MoveAll,
}

impl Wish {
    /// As root is asked, for a pool and a role.
    pub(super) fn ask(self, pool: &str, role: &str) -> Ask {
        match self {
            Wish::Child => Ask::Create {
                pool: pool.to_owned(),
                parent: None,
                init_arg: None,
            },
            Wish::End(canister) => Ask::Recycle { canister },
            Wish::Move(canister) => Ask::Upgrade { canister },
            Wish::MoveAll => Ask::UpgradeAll {
                role: role.to_owned(),
            },
        }
    }
}
