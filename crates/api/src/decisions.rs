//! Requests and responses about why a pool is what it is: its decisions, its members, the same plan
//! again.

use crate::{PlanView, ReasonView, RowView};
use candid::CandidType;
use hatchery_types::{CanisterId, ModuleHash, Nanos, Wire};
use serde::Deserialize;

/// Asks for a pool's decisions, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct DecisionsRequest {
    /// Of which pool.
    pub pool: String,
    /// Number to begin with; none = the newest.
    pub from: Option<u64>,
    /// At most [`crate::PAGE_MAX`], and about a megabyte; 0 = that many.
    pub limit: u32,
}

/// One page of decisions.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct DecisionsPage {
    /// The decisions, newest first.
    pub decisions: Vec<DecisionView>,
    /// Continue with this number; none = that was all that is kept.
    pub next: Option<u64>,
}

/// A plan that changed something or said something new, with what it looked at.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct DecisionView {
    /// Its number, of all pools.
    pub number: u64,
    /// When.
    pub at: Nanos,
    /// Number of the decision with the whole view from which this one's changes count; 0 = its own
    /// view is whole.
    pub base: u64,
    /// SHA-256 of the whole view.
    pub digest: ModuleHash,
    /// The view, or what changed in it since the pool's decision before; empty = too large.
    #[serde(with = "serde_bytes")]
    pub view: Vec<u8>,
    /// The plan, as `replay` answers it.
    #[serde(with = "serde_bytes")]
    pub plan: Vec<u8>,
    /// The same, readable.
    pub did: PlanView,
}

/// The same plan again.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct ReplayAnswer {
    /// The plan.
    #[serde(with = "serde_bytes")]
    pub plan: Vec<u8>,
    /// SHA-256 of the whole view.
    pub digest: ModuleHash,
}

/// Views for `replay`: a whole one, then the changes, oldest first.
pub type ReplayRequest = Vec<Vec<u8>>;

/// Asks what operations on worker pools came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct MetricsRequest {
    /// How many counters to pass over: the last page's `next`.
    pub after: u32,
    /// At most [`crate::PAGE_MAX`]; 0 = that many.
    pub limit: u32,
}

/// One page of counters, kept over upgrades, and what steps of ticks cost.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct MetricsPage {
    /// By operation, end and reason.
    pub counters: Vec<CounterView>,
    /// By step, on every page.
    pub costs: Vec<CostView>,
    /// Continue after so many.
    pub next: Option<u32>,
}

/// How often an operation came to an end for a reason.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct CounterView {
    /// `bootstrap-config`, `bootstrap-pool`, `plan`, `create` or `register`.
    pub operation: String,
    /// `started`, `completed`, `skipped` or `failed`.
    pub ended: String,
    /// Name of the reason.
    pub reason: String,
    /// How often.
    pub count: u64,
}

/// Instructions of a step: `observe`, `plan`, `create` or `register`.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct CostView {
    /// Its name.
    pub step: String,
    /// How often it was taken.
    pub count: u64,
    /// Instructions in all.
    pub instructions: u64,
    /// Most instructions of one.
    pub most: u64,
}

/// Asks why a pool is what it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct WhyRequest {
    /// Which pool.
    pub pool: String,
    /// Only members with a larger id.
    pub after: Option<CanisterId>,
    /// At most [`crate::PAGE_MAX`] members; 0 = that many.
    pub limit: u32,
}

/// Why a pool is what it is.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct WhyView {
    /// What policy wished at the last plan, before windows, rates and cooldowns.
    pub wished: u32,
    /// What came of it: working members wanted.
    pub desired: u32,
    /// Why: what policy follows first, then what holds it back.
    pub reasons: Vec<ReasonView>,
    /// When it last did something or said something new; see `decisions`.
    pub decided_at: Option<Nanos>,
    /// What it did then.
    pub did: Option<PlanView>,
    /// Its members, by id.
    pub members: Vec<MemberWhy>,
    /// Continue behind this one.
    pub next: Option<CanisterId>,
}

/// Why a member is where it is.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct MemberWhy {
    /// Its row: the reason says why it is in its phase.
    pub row: RowView,
    /// How many members scale-in would choose before it; none = it is no victim.
    pub victim: Option<u32>,
    /// Why it is none though it works.
    pub spared: Option<ReasonView>,
    /// Until when it asked to be spared.
    pub protected_until: Option<Nanos>,
}
