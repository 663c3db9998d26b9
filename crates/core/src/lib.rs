//! The sans-IO control plane: state, inputs, `decide`, `apply`, plans, limits, invariants.
//!
//! An [`Input`] arrives; [`decide`] reads the state and returns a [`Decision`]; [`State::apply`] is
//! the only writer; the shell makes the calls of the decision's effects, and each outcome comes
//! back as an input. Nothing here knows a clock, a call or randomness.

mod input;

pub use input::{Applied, CommandInput, Decision, Input, Reply, Vitals};
