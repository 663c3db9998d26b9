//! The model level: the control plane's core, natively, against a model of the platform that is
//! late, wrong, forgetful and meddled with, all from one seed.

mod actions;
mod canister;
mod fleet;
mod liveness;
mod platform;
mod steps;
mod swarm;
mod world;

pub use canister::{Canister, Habits, Work, canister_id};
pub use platform::{Answer, Call, Platform};
pub use swarm::{Fault, Swarm};
pub use world::{Failure, Report, World, simulate};
