//! The worker contract: what a managed canister may implement to leave politely.

use candid::CandidType;
use hatchery_types::Wire;
use serde::Deserialize;

/// Answer of a worker's drain method. Root asks again until it is idle or the deadline passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct DrainAnswer {
    /// Nothing left to do; results that nobody collected count as work.
    pub idle: bool,
}

/// The drain method of a worker that uses the worker kit.
pub const DRAIN_METHOD: &str = "hatchery_drain";
