//! Who may have canisters of their own; words without behaviour.

use minicbor::{Decode, Encode};

/// Members of a role may ask for workers of a pool as their children. A child is kept until its
/// parent or an operator recycles it: no policy takes it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub struct GrantSpec {
    /// Role of those who may ask.
    #[n(0)]
    pub role: String,
    /// The pool, which names the children's role and counts them against its `max`.
    #[n(1)]
    pub pool: String,
    /// Most children in that pool of one parent.
    #[n(2)]
    pub each: u32,
    /// Most children in that pool of all parents together.
    #[n(3)]
    pub all: u32,
    /// How deep below root a child may be; a child of root is at 1.
    #[n(4)]
    pub depth: u32,
    /// They may put a child under root too.
    #[n(5)]
    pub under_root: bool,
}
