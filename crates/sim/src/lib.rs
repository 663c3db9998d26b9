//! Worlds, workloads, faults and checkers for Hatchery, at two levels.
//!
//! [`model`] runs the core natively against a model of the platform: hundreds of seeds a minute,
//! every outcome a call can have. [`world`] runs the real wasm of root and workers on the engine,
//! checked from outside. [`demo`] is the story both tell, for people. [`lab`] measures scaling
//! policies under fixed loads, [`plot`] draws. Nothing here uses a network,
//! a wall clock (beside the one figure that reports it) or unseeded randomness.

pub mod checkers;
pub mod demo;
pub mod dice;
mod edge_list;
#[cfg(feature = "plant")]
pub mod hunt;
pub mod lab;
pub mod model;
pub mod plot;
pub mod run;
mod shrink;
pub mod soak;
pub mod what_if;
pub mod world;
