//! The control plane from outside: inputs in, events, effects and reasons out.

mod commands;
mod fixture;
mod golden;
mod life;
mod modules;
mod operations;
mod policies;
mod warm;
mod wishes;
