//! Requests of members about canisters of their own.

use candid::CandidType;
use hatchery_types::{CanisterId, Generation, OperationId, Wire};
use serde::Deserialize;

/// A member asks for something.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct MemberRequest {
    /// The same id with the same request gets the same answer and no second effect.
    pub operation: OperationId,
    /// Generation from the member's environment variables.
    pub generation: Generation,
    /// What it wants.
    pub ask: Ask,
}

/// What a member may ask.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub enum Ask {
    /// A canister of its own, as a grant of its role allows; kept until it is recycled.
    Create {
        /// In which pool, which names the role.
        pool: String,
        /// Under whom: root, or a member that is the caller or below it; none = the caller.
        parent: Option<CanisterId>,
        /// In place of the role's init argument, at most 4 KiB.
        init_arg: Option<Vec<u8>>,
    },
    /// A child back into the warm pool; it drains first.
    Recycle {
        /// Which.
        canister: CanisterId,
    },
    /// A child to its role's module, whether or not the role has a rule for upgrades.
    Upgrade {
        /// Which.
        canister: CanisterId,
    },
    /// As many children of a role as the disruption budget allows now.
    UpgradeAll {
        /// Of which role.
        role: String,
    },
}
