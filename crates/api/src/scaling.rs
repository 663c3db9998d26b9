//! Requests and responses about worker pools: leases, parents' reports, protection.

use crate::ReasonView;
use candid::CandidType;
use hatchery_types::{CanisterId, Generation, Nanos, OperationId, Wire};
use serde::Deserialize;

/// Asks for workers, by a pool's parent or an operator.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct LeaseRequest {
    /// The same id with the same request gets the same answer and no second worker.
    pub operation: OperationId,
    /// Of which pool.
    pub pool: String,
    /// How many.
    pub count: u32,
    /// For how long; none = the pool's own time.
    pub ttl: Option<Nanos>,
    /// The list of workers that the caller knows; 0 = none.
    pub known: Generation,
}

/// Keeps leased workers for longer.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct RenewRequest {
    /// As in [`LeaseRequest`].
    pub operation: OperationId,
    /// Of which pool.
    pub pool: String,
    /// Which.
    pub canisters: Vec<CanisterId>,
    /// For how long from now; none = the pool's own time.
    pub ttl: Option<Nanos>,
}

/// Gives leased workers back.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct ReleaseRequest {
    /// As in [`LeaseRequest`].
    pub operation: OperationId,
    /// Of which pool.
    pub pool: String,
    /// Which.
    pub canisters: Vec<CanisterId>,
}

/// A leased worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct LeaseView {
    /// Which canister.
    pub canister: CanisterId,
    /// Its tenancy.
    pub generation: Generation,
    /// Until when it is the caller's.
    pub until: Nanos,
}

/// Answer about leases.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct LeaseAnswer {
    /// Leased, renewed, or given back.
    pub granted: Vec<LeaseView>,
    /// Left as they were, and why.
    pub skipped: Vec<(CanisterId, ReasonView)>,
    /// Asked for and not there; the pool now grows for them.
    pub short: u32,
    /// The pool's list of workers, as far as the caller does not know it.
    pub listing: ListingView,
}

/// Asks for one more worker, by a pool's parent or an operator.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct CreateWorkerRequest {
    /// The same id with the same request gets the same worker.
    pub operation: OperationId,
    /// In which pool.
    pub pool: String,
    /// In place of the role's init argument, at most 4 KiB.
    pub init_arg: Option<Vec<u8>>,
}

/// What a parent reports of its pool.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct PoolReport {
    /// Which pool.
    pub pool: String,
    /// Totals, by the names of their signals.
    pub totals: Vec<(String, u64)>,
    /// Values of members; with the totals at most [`crate::PAGE_MAX`].
    pub members: Vec<MemberValue>,
    /// The list of workers that the caller knows; 0 = none.
    pub known: Generation,
}

/// A member's value, as its parent sees it.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct MemberValue {
    /// Which member.
    pub canister: CanisterId,
    /// Name of the signal.
    pub signal: String,
    /// Its value, at most 2^53.
    pub value: u64,
}

/// Answer to a parent's report.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct PoolReportAnswer {
    /// Values that were not taken.
    pub refused: Vec<NotTaken>,
    /// The pool's list of workers, as far as the caller does not know it.
    pub listing: ListingView,
}

/// A value that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct NotTaken {
    /// Of which member; none = of the pool.
    pub member: Option<CanisterId>,
    /// Of which signal.
    pub signal: String,
    /// Why.
    pub reason: ReasonView,
}

/// What changed in a pool's list of workers.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct ListingView {
    /// The list's generation now: what the caller knows after this answer.
    pub generation: Generation,
    /// `joined` is the whole list; forget what was known before.
    pub whole: bool,
    /// On the list.
    pub joined: Vec<CanisterId>,
    /// No longer on it.
    pub left: Vec<CanisterId>,
    /// Too long for this answer: ask for the pages of `workers`.
    pub too_long: bool,
    /// How long the list may be used.
    pub valid_for: Nanos,
}

/// A member asks to be spared by scale-in.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct Protect {
    /// Generation from the member's environment variables.
    pub generation: Generation,
    /// Until when; the past ends a protection.
    pub until: Nanos,
}
