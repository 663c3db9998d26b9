//! Reads of the warm pool: counters, and its rows in pages.

use crate::root::{ReasonView, RowView};
use candid::CandidType;
use hatchery_types::{CanisterId, Cycles, Nanos, Phase, Wire};
use serde::Deserialize;

/// The warm pool, as counted.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct PoolStatus {
    /// Rows by phase, every phase once.
    pub phases: Vec<(Phase, u64)>,
    /// Effects in flight, every lane once.
    pub lanes: Vec<LaneView>,
    /// Kept at least, now.
    pub minimum: u32,
    /// Kept at most.
    pub maximum: u32,
    /// Canisters to buy to reach what is wanted; what is in flight counts.
    pub missing: u64,
    /// How long the oldest row has waited for its reset.
    pub oldest_wait: Option<Nanos>,
    /// Growing is paused.
    pub paused_up: bool,
    /// Shrinking is paused.
    pub paused_down: bool,
    /// What the warm pool does, or what holds it back.
    pub reason: ReasonView,
    /// Why maintenance does nothing though something is wanted; none = it is not held back.
    pub maintenance_paused: Option<ReasonView>,
    /// When root wakes next by itself.
    pub next_wake: Option<Nanos>,
    /// Operations that are not answered yet.
    pub operations_in_progress: u64,
    /// Creations whose reply was lost.
    pub lost_creations: u64,
    /// Cycles attached to those: spent until a canister turns up.
    pub lost_cycles: Cycles,
    /// Cycles of canisters deleted or forgotten.
    pub discarded_cycles: Cycles,
    /// Cycles of canisters handed over.
    pub given_away_cycles: Cycles,
}

/// A lane.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct LaneView {
    /// Its name.
    pub name: String,
    /// Effects at once, as configured.
    pub width: u32,
    /// Effects in flight.
    pub in_flight: u32,
    /// Effects that may start now, as the platform and root's cycles allow.
    pub open: u32,
}

/// Asks for one page of the warm pool.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct PoolListRequest {
    /// Only this phase; none = every phase but those of members.
    pub phase: Option<Phase>,
    /// Only rows with this role, now or last.
    pub role: Option<String>,
    /// Only rows with a reason of this code.
    pub reason: Option<u16>,
    /// Continue behind this.
    pub after: Option<PoolCursor>,
    /// At most [`crate::PAGE_MAX`]; 0 = that many.
    pub limit: u32,
}

/// Where a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct PoolCursor {
    /// In this phase.
    pub phase: Phase,
    /// Behind this canister.
    pub canister: CanisterId,
}

/// One page of the warm pool.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct PoolListPage {
    /// Rows by phase and id. A page may be short, even empty: go on while there is a `next`.
    pub rows: Vec<RowView>,
    /// Ask again with `after` set to this.
    pub next: Option<PoolCursor>,
}
