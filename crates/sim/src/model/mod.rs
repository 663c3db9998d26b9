//! The model level: the control plane's core, natively, against a model of the platform that is
//! late, wrong, forgetful and meddled with, all from one seed.

mod act;
mod action;
mod canister;
mod draw;
mod exhaustive;
mod fate;
mod fleet;
mod holders;
mod kinds;
mod liveness;
mod mirror;
mod platform;
mod reinstall;
mod requests;
mod script;
mod shrink;
mod steps;
mod swarm;
mod upgrades;
mod world;

pub use action::{Action, Load, Meddling, Numbers};
pub use canister::{Canister, Habits, Work, canister_id};
pub use exhaustive::{Exhausted, exhaust};
pub use fate::{CallName, Fate, Script};
pub use kinds::every_kind;
pub use mirror::{Change, Journal, Rows};
pub use platform::{Answer, Call, Platform};
pub use script::Story;
pub use shrink::{shrink, tell};
pub use swarm::{Fault, Swarm};
pub use world::{Failure, Report, WHOLE_EVERY, Watch, World, simulate, simulate_watched};
