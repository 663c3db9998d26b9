//! Words of the operators' commands.

use crate::outcome::principal;
use ic_principal::Principal;
use minicbor::{Decode, Encode};

/// A direction in which the fleet moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
#[cbor(index_only)]
pub enum Direction {
    /// Growing: creations and claims.
    #[n(0)]
    Up,
    /// Shrinking: scale-in and giving back.
    #[n(1)]
    Down,
}

/// Whom a canister is exported to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub enum ExportTo {
    /// Back into the pool and role it had: installed again.
    #[n(0)]
    Registry,
    /// Out of the fleet: this principal becomes its only controller.
    #[n(1)]
    Principal(#[cbor(n(0), with = "principal")] Principal),
}
