//! The control plane from outside: inputs in, events, effects and reasons out.

mod asked_upgrades;
mod bounds;
mod commands;
mod decisions;
mod failure_ids;
mod families;
mod fixture;
mod funding;
mod golden;
mod leases;
mod life;
mod lost;
mod metrics;
mod modules;
mod operations;
mod payable;
mod policies;
mod pool;
mod recover;
mod requests;
mod sizing;
mod stories;
mod sweep;
mod upgrades;
mod warm;
mod wishes;
