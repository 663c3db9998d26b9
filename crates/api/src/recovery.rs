//! The registry on its way out of a root and into another, and what root says of its own wholeness.

use crate::ReasonView;
use candid::CandidType;
use hatchery_types::{CanisterId, Incarnation, Registered, Wire};
use serde::Deserialize;

/// Asks for one page of the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct ExportRequest {
    /// Continue behind this id.
    pub after: Option<CanisterId>,
    /// At most [`crate::PAGE_MAX`]; 0 = that many.
    pub limit: u32,
}

/// One page of the registry, in a shape that stays: `recover` takes its canisters as they are.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct ExportPage {
    /// The root that tells it.
    pub root: CanisterId,
    /// Its installs and upgrades.
    pub incarnation: Incarnation,
    /// Rows in order of their ids.
    pub canisters: Vec<Registered>,
    /// Ask again with `after` set to this.
    pub next: Option<CanisterId>,
}

/// Where rows that root has lost come from.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub enum Recover {
    /// Canisters of an export, or ids from elsewhere with everything else null.
    Canisters {
        /// At most [`crate::PAGE_MAX`].
        canisters: Vec<Registered>,
    },
    /// Every canister that root controls among so many ids, one after the other.
    Range {
        /// The first id.
        first: CanisterId,
        /// How many; at most [`RANGE_IDS_MAX`].
        ids: u64,
    },
    /// That was all: root does its work again.
    Done,
}

/// Largest range of one command.
pub const RANGE_IDS_MAX: u64 = 10_000;

/// What root knows of its own wholeness.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct RecoveryView {
    /// Why root only looks and answers; none = it does its work.
    pub held_back: Option<ReasonView>,
    /// Of the lost creations, those whose canister may still be found; they count as bought.
    pub sought_creations: u64,
    /// Ids being looked through.
    pub search: Option<SearchView>,
}

/// Ids being looked through.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct SearchView {
    /// The next one.
    pub next: CanisterId,
    /// How many are left.
    pub left: u64,
    /// Canisters found so far.
    pub found: u32,
}
