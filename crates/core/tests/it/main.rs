//! The control plane from outside: inputs in, events, effects and reasons out.

mod commands;
mod fixture;
mod funding;
mod golden;
mod leases;
mod life;
mod lost;
mod modules;
mod operations;
mod policies;
mod recover;
mod sweep;
mod warm;
mod wishes;
