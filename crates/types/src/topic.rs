//! What an event is about, and how much it matters.

use minicbor::{Decode, Encode};

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
#[cbor(index_only)]
pub enum Topic {
    /// The fleet as a whole, and root itself.
    #[n(0)]
    Fleet,
    /// The warm pool: what is bought, reset, verified, given back.
    #[n(1)]
    WarmPool,
    /// Workers: how they start, serve, and what happens to them.
    #[n(2)]
    Workers,
    /// How pools grow and shrink.
    #[n(3)]
    Scaling,
    /// Leases.
    #[n(4)]
    Leases,
    /// Members on their way to another module.
    #[n(5)]
    Upgrades,
    /// What members ask for themselves.
    #[n(6)]
    Requests,
    /// Cycles.
    #[n(7)]
    Cycles,
    /// What root lost and found.
    #[n(8)]
    Recovery,
    /// Operations under an id: taken, and answered.
    #[n(9)]
    Operations,
}

impl Topic {
    /// All of them.
    pub const ALL: [Topic; 10] = [
        Topic::Fleet,
        Topic::WarmPool,
        Topic::Workers,
        Topic::Scaling,
        Topic::Leases,
        Topic::Upgrades,
        Topic::Requests,
        Topic::Cycles,
        Topic::Recovery,
        Topic::Operations,
    ];

    /// The stable name, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Topic::Fleet => "fleet",
            Topic::WarmPool => "warm-pool",
            Topic::Workers => "workers",
            Topic::Scaling => "scaling",
            Topic::Leases => "leases",
            Topic::Upgrades => "upgrades",
            Topic::Requests => "requests",
            Topic::Cycles => "cycles",
            Topic::Recovery => "recovery",
            Topic::Operations => "operations",
        }
    }
}

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
#[cbor(index_only)]
pub enum Level {
    /// As it should be.
    #[n(0)]
    Info,
    /// Something went wrong, and root deals with it.
    #[n(1)]
    Warning,
    /// Somebody has to look into it.
    #[n(2)]
    Error,
}

impl Level {
    /// All of them, the mildest first.
    pub const ALL: [Level; 3] = [Level::Info, Level::Warning, Level::Error];

    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}
