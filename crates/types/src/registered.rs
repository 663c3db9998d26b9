//! What a root tells of its canisters so that another root can take them over: the registry as it
//! is exported, and as `recover` reads it.

use crate::{CanisterId, Generation, ModuleHash, Nanos, Phase};
use minicbor::{Decode, Encode};

/// One canister of the registry. Everything but the id is a hint: what the canister itself shows
/// counts more.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub struct Registered {
    /// Which canister.
    #[n(0)]
    pub canister: CanisterId,
    /// Where it stood.
    #[n(1)]
    pub phase: Option<Phase>,
    /// Role, then or last.
    #[n(2)]
    pub role: Option<String>,
    /// Pool, then or last.
    #[n(3)]
    pub pool: Option<String>,
    /// Parent, then or last; none = root.
    #[n(4)]
    pub parent: Option<CanisterId>,
    /// Module, then or last.
    #[n(5)]
    pub module: Option<ModuleHash>,
    /// Tenancies so far.
    #[n(6)]
    pub generation: Option<Generation>,
    /// When root learnt of it.
    #[n(7)]
    pub created_at: Option<Nanos>,
}

impl Registered {
    /// Nothing but an id: from a hub's list, or from memory.
    pub fn bare(canister: CanisterId) -> Self {
        Registered {
            canister,
            phase: None,
            role: None,
            pool: None,
            parent: None,
            module: None,
            generation: None,
            created_at: None,
        }
    }
}
