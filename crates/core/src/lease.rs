//! Shapes of leases: what a holder asks, what it is answered, and the answer that is kept.

use crate::record::Row;
use hatchery_types::{CanisterId, Generation, ModuleHash, Nanos, OperationId, Principal, Reason};
use minicbor::{Decode, Encode};

/// A call about leases of one pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseInput {
    /// Who asks, and who holds what is leased.
    pub caller: Principal,
    /// The caller is a controller of root.
    pub operator: bool,
    /// Chosen by the caller.
    pub operation: OperationId,
    /// Of which pool.
    pub pool: String,
    /// What is asked.
    pub ask: LeaseAsk,
}

/// What a holder asks.
#[derive(Debug, Clone, PartialEq, Eq, Encode)]
pub enum LeaseAsk {
    /// Workers.
    #[n(0)]
    Take {
        /// How many, at least one.
        #[n(0)]
        count: u32,
        /// For how long; none = the spec's.
        #[n(1)]
        ttl: Option<Nanos>,
    },
    /// To keep what it holds, from now on.
    #[n(1)]
    Renew {
        /// Which.
        #[n(0)]
        canisters: Vec<CanisterId>,
        /// For how long; none = the spec's.
        #[n(1)]
        ttl: Option<Nanos>,
    },
    /// To give back.
    #[n(2)]
    Release {
        /// Which.
        #[n(0)]
        canisters: Vec<CanisterId>,
    },
}

/// A worker in a holder's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Grant {
    /// Which canister.
    #[n(0)]
    pub canister: CanisterId,
    /// Its tenancy.
    #[n(1)]
    pub generation: Generation,
    /// Until when.
    #[n(2)]
    pub until: Nanos,
}

impl Grant {
    pub(crate) fn of(row: &Row) -> Self {
        Grant {
            canister: row.canister,
            generation: row.generation,
            until: row.leased_until,
        }
    }
}

/// What a holder is answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct LeaseAnswer {
    /// Leased, or renewed; released ones with the time of their release.
    #[n(0)]
    pub granted: Vec<Grant>,
    /// Left as they were, and why.
    #[n(1)]
    pub skipped: Vec<(CanisterId, Reason)>,
    /// Asked for and not there; the pool now wants them.
    #[n(2)]
    pub short: u32,
}

/// The answer kept for an operation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LeaseReceipt {
    /// When it was given.
    #[n(0)]
    pub at: Nanos,
    /// SHA-256 of what was asked.
    #[n(1)]
    pub payload: ModuleHash,
    /// The answer.
    #[n(2)]
    pub answer: LeaseAnswer,
}
