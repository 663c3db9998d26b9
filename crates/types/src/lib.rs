//! The words of Hatchery: ids, units, phases, reasons, effects, outcomes and the fleet spec.
//!
//! Owns one shape for each word, its stable encoding (CBOR, always) and its wire shape (Candid,
//! behind the feature `candid`). Deliberately holds no behaviour beyond naming and measuring:
//! what the words do to each other is decided in `hatchery-core`.

mod effect;
mod grant;
mod ids;
mod operation;
mod outcome;
mod phase;
mod placeholder;
pub mod plant;
mod reason;
mod registered;
mod scaling;
mod sequence;
mod spec;
mod topic;
mod units;
#[cfg(feature = "candid")]
pub mod wire;

#[cfg(feature = "candid")]
extern crate self as hatchery_types; // what `derive(Wire)` writes names this crate

pub use effect::{Effect, EffectKind, Lane, Step};
pub use grant::GrantSpec;
pub use ic_principal::Principal;
pub use ids::{CanisterId, EffectId, Generation, Incarnation, ModuleHash, OperationId};
pub use operation::{Direction, ExportTo};
pub use outcome::{
    Creation, Info, Observation, Outcome, REJECT_DESTINATION_INVALID, Refusal, RunState, Tenancy,
    Value,
};
pub use phase::Phase;
pub use placeholder::Placeholder;
pub use reason::Reason;
pub use registered::Registered;
pub use scaling::{
    BufferSpec, HealthSpec, LeaseEnd, LeaseSpec, Missing, ParentSpec, PoolSpec, PullSpec,
    ScaleSpec, Scope, SignalSpec, Source, WindowSpec,
};
pub use spec::{
    DrainSpec, FleetSpec, LanesSpec, Reuse, RoleSpec, TopUpSpec, UpgradeSpec, Visibility,
    WarmPoolSpec,
};
pub use topic::{Level, Topic};
pub use units::{Cycles, Nanos};
#[cfg(feature = "candid")]
pub use wire::Wire;
