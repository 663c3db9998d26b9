//! What the fleet should be: the words of `fleet.toml`, checked and resolved.
//!
//! Parsing and validation live in `hatchery-api`; root keeps the applied spec and its generation.

use crate::outcome::principals;
use crate::{
    CanisterId, Cycles, GrantSpec, HealthSpec, ModuleHash, Nanos, PoolSpec, PullSpec, WindowSpec,
};
use ic_principal::Principal;
use minicbor::{Decode, Encode};

/// The whole fleet of one root.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub struct FleetSpec {
    /// Name of the fleet.
    #[n(0)]
    pub name: String,
    /// Controllers of every managed canister beside root.
    #[cbor(n(1), with = "principals")]
    pub controllers: Vec<Principal>,
    /// Root keeps at least this for itself.
    #[n(2)]
    pub reserve: Cycles,
    /// How many effects run at once.
    #[n(3)]
    pub lanes: LanesSpec,
    /// Spare canisters.
    #[n(4)]
    pub warm_pool: WarmPoolSpec,
    /// Kinds of canister.
    #[n(5)]
    pub roles: Vec<RoleSpec>,
    /// Worker pools.
    #[n(6)]
    pub pools: Vec<PoolSpec>,
    /// Who may see single canisters, events and plans; none = [`Visibility::Public`].
    #[n(20)]
    pub visibility: Option<Visibility>,
    /// What root may pay in all to keep canisters alive, and the level of spare ones; none = root
    /// tops up nothing, whatever roles say.
    #[n(15)]
    pub top_up: Option<TopUpSpec>,
    /// Who may have canisters of their own; each role and pool at most once.
    #[n(17)]
    #[cbor(default)]
    pub grants: Vec<GrantSpec>,
}

/// Who may see more than counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
#[cbor(index_only)]
pub enum Visibility {
    /// Anybody.
    #[default]
    #[n(0)]
    Public,
    /// Controllers of root; counts, health and discovery stay open to anybody.
    #[n(1)]
    Operators,
}

impl FleetSpec {
    /// Who may see more than counts.
    pub fn visibility(&self) -> Visibility {
        self.visibility.unwrap_or_default()
    }

    /// The role of that name.
    pub fn role(&self, name: &str) -> Option<&RoleSpec> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// The pool of that name.
    pub fn pool(&self, name: &str) -> Option<&PoolSpec> {
        self.pools.iter().find(|pool| pool.name == name)
    }

    /// What members of a role may have of a pool.
    pub fn grant(&self, role: &str, pool: &str) -> Option<&GrantSpec> {
        let mut grants = self.grants.iter();
        grants.find(|grant| grant.role == role && grant.pool == pool)
    }
}

/// How many effects of a kind run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub struct LanesSpec {
    /// Creations. Default 10.
    #[n(0)]
    pub create: u32,
    /// Resets. Default 50.
    #[n(1)]
    pub reset: u32,
    /// Installs; the subnet runs one at a time. Default 4.
    #[n(2)]
    pub install: u32,
}

/// When canisters get cycles from root, and how much a day (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub struct TopUpSpec {
    /// A canister with less is topped up. Of the fleet: a spare one that misses its floor.
    #[n(0)]
    pub below: Cycles,
    /// To this much.
    #[n(1)]
    pub to: Cycles,
    /// Most that one canister gets a day.
    #[n(2)]
    pub each: Cycles,
    /// Most that all canisters of the role, or of the fleet, get a day.
    #[n(3)]
    pub all: Cycles,
}

/// How members of a role get another module: one after the other within the pool's disruption budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub struct UpgradeSpec {
    /// After so many members of a pool that did not take the module, no further one gets it.
    #[n(0)]
    pub failures: u32,
    /// Leased and protected members are left alone for this long.
    #[n(1)]
    pub wait: Nanos,
    /// Its heap is kept, as Motoko with orthogonal persistence wants it (interface specification,
    /// `install_code`, `wasm_memory_persistence`).
    #[n(2)]
    #[cbor(default)]
    pub keep_memory: bool,
}

impl Default for UpgradeSpec {
    /// Two failures stop it; leased and protected members have an hour.
    fn default() -> Self {
        UpgradeSpec {
            failures: 2,
            wait: Nanos::from_secs(3_600),
            keep_memory: false,
        }
    }
}

/// Spare canisters.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub struct WarmPoolSpec {
    /// Keep at least this many ready or on their way.
    #[n(0)]
    pub minimum: u32,
    /// Keep at most this many; what becomes of the surplus says `release_to`.
    #[n(1)]
    pub maximum: u32,
    /// Cycles attached to a creation, the platform's fee included. Default 5 T.
    #[n(2)]
    pub cycles: Cycles,
    /// A ready canister holds at least this.
    #[n(3)]
    pub floor: Cycles,
    /// The ceiling: a canister with more than this is swept before it is Ready, and one that is
    /// deleted or released is swept whatever it holds; none = nothing is swept.
    #[n(16)]
    pub sweep_above: Option<Cycles>,
    /// Of the fleet as it is wanted, members and spare canisters together, keep this share spare,
    /// per cent; zero = `minimum` alone. Never more than `maximum`.
    #[n(4)]
    #[cbor(default)]
    pub target_percent: u32,
    /// Times at which more are kept: the larger of a window's two numbers.
    #[n(5)]
    #[cbor(default)]
    pub schedule: Vec<WindowSpec>,
    /// Who becomes the only controller of the surplus, a canister or a person; none = it is
    /// deleted.
    #[n(6)]
    pub release_to: Option<CanisterId>,
    /// After an upgrade root looks around this much later, if nothing asks it to before. Zero = the
    /// default.
    #[n(7)]
    #[cbor(default)]
    pub first_check: Nanos,
    /// Root looks around at least this often. Zero = the default.
    #[n(8)]
    #[cbor(default)]
    pub watchdog: Nanos,
}

impl WarmPoolSpec {
    /// Default of `first_check`.
    pub const FIRST_CHECK: Nanos = Nanos::from_secs(30);
    /// Default of `watchdog`.
    pub const WATCHDOG: Nanos = Nanos::from_secs(1_800);

    /// So many, with every default: 5 T each, between 1 T and 10 T when ready.
    pub fn new(minimum: u32, maximum: u32) -> Self {
        WarmPoolSpec {
            minimum,
            maximum,
            cycles: Cycles(5 * Cycles::T),
            floor: Cycles(Cycles::T),
            sweep_above: Some(Cycles(10 * Cycles::T)),
            target_percent: 0,
            schedule: Vec::new(),
            release_to: None,
            first_check: Self::FIRST_CHECK,
            watchdog: Self::WATCHDOG,
        }
    }
}

/// A kind of canister.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub struct RoleSpec {
    /// Name.
    #[n(0)]
    pub name: String,
    /// Module to install.
    #[n(1)]
    pub module: ModuleHash,
    /// Candid bytes of the init argument.
    #[cbor(n(2), with = "minicbor::bytes")]
    #[cfg_attr(feature = "candid", serde(with = "serde_bytes"))]
    pub init_arg: Vec<u8>,
    /// How a worker of this role leaves.
    #[n(3)]
    pub drain: DrainSpec,
    /// How a new worker shows that it works; none = an install that succeeded is enough.
    #[n(8)]
    pub health: Option<HealthSpec>,
    /// Numbers that root asks its workers for.
    #[n(9)]
    #[cbor(default)]
    pub pulls: Vec<PullSpec>,
    /// Who may get a canister that had this role.
    #[n(4)]
    #[cbor(default)]
    pub reuse: Reuse,
    /// When its members get cycles from root; none = never.
    #[n(12)]
    pub top_up: Option<TopUpSpec>,
    /// How its members get another module; none = they keep theirs until they leave.
    #[n(13)]
    pub upgrade: Option<UpgradeSpec>,
    /// A member that is recycled while it has children: they leave first, leaves before branches;
    /// false = it is refused.
    #[n(14)]
    #[cbor(default)]
    pub children_first: bool,
}

/// Who may get a recycled canister: with its id go ledger balances, rights over others and derived
/// keys of the last tenant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
#[cbor(index_only)]
pub enum Reuse {
    /// A worker of the same role.
    #[default]
    #[n(0)]
    SameRole,
    /// Whatever role, under the same parent.
    #[n(1)]
    SameParent,
    /// Anybody.
    #[n(2)]
    Any,
    /// Nobody: it is emptied and deleted.
    #[n(3)]
    Never,
}

impl RoleSpec {
    /// A role that starts without argument and leaves untold within five minutes.
    pub fn new(name: &str, module: ModuleHash) -> Self {
        RoleSpec {
            name: name.to_owned(),
            module,
            init_arg: b"DIDL\x00\x00".to_vec(),
            drain: DrainSpec {
                method: None,
                deadline: Nanos::from_secs(300),
            },
            health: None,
            pulls: Vec::new(),
            reuse: Reuse::SameRole,
            top_up: None,
            upgrade: None,
            children_first: false,
        }
    }
}

/// How a worker leaves.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub struct DrainSpec {
    /// The worker's drain method (`worker.did`); none = it is not told, and leaves at the deadline.
    #[n(0)]
    pub method: Option<String>,
    /// Its work is cut after this long.
    #[n(1)]
    pub deadline: Nanos,
}
