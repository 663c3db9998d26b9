//! What root knows of its own wholeness: whether its memory goes back to its beginning, and which
//! ids it is looking through for canisters that it has no rows for.
//!
//! Owns the stable shapes. What follows from them is decided in `decide/standing.rs` and
//! `decide/search.rs`.

use hatchery_types::{EffectId, Nanos};
use minicbor::{Decode, Encode};

/// Whether root's memory is whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub enum Standing {
    /// It is: root does its work.
    #[default]
    #[n(0)]
    Sound,
    /// Freshly installed: root has not seen yet whether other code ran in its place before. It
    /// does nothing until it has.
    #[n(1)]
    Unchecked {
        /// Looks that failed.
        #[n(0)]
        attempts: u32,
        /// When it looks again.
        #[n(1)]
        next_attempt: Nanos,
    },
    /// Other code ran here before, so there may be a fleet without rows. Root waits for `recover`
    /// and its end: until then it looks and answers, and changes nothing.
    #[n(2)]
    Recovering,
}

/// Ids that root looks through, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Search {
    /// What for.
    #[n(0)]
    pub purpose: Purpose,
    /// The next id to ask for, as a number in the subnet's order.
    #[n(1)]
    pub next: u64,
    /// The first one that is not asked for any more.
    #[n(2)]
    pub end: u64,
    /// Nothing is asked before this: an answer did not come.
    #[n(3)]
    pub not_before: Nanos,
    /// Canisters found so far.
    #[n(4)]
    pub found: u32,
}

/// What root looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Purpose {
    /// Creations whose answers were lost, up to this one.
    #[n(0)]
    Lost(#[n(0)] EffectId),
    /// Every canister that root controls: an operator named the range.
    #[n(1)]
    Range,
}
