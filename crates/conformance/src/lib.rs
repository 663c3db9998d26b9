//! One suite of platform behaviour for the engine and for `PocketIC`: cases that pin what canisters
//! and their users can notice, each with its source. It asserts codes, states, rounds and cycles,
//! never texts.
//!
//! A [`Case`] speaks to a [`Backend`] alone; [`EngineBackend`] is the engine in this process,
//! [`PocketIcBackend`] an instance of a `PocketIC` server.
//! Every case can be seen to fail: [`Case::run_planted`] falsifies what it looks at.
//!
//! The canister of nearly all cases is the *universal canister*: it runs a program given as its
//! argument. Programs are written in `program.rs`, the operations are in `wat/universal.wat`.

mod backend;
mod case;
mod cases;
mod check;
mod management;
mod modules;
mod program;
mod report;
mod world;

pub use backend::{
    Answer, Backend, BackendError, Done, EngineBackend, MessageId, Observed, Plant, PlantedBackend,
    PocketIcBackend, PocketIcServer, Reject,
};
pub use case::{Case, MakeBackend, Verdict};
pub use cases::all;
pub use check::{Checked, Failure};
pub use report::{CaseReport, Report};
pub use world::World;
