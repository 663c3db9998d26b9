//! The subnet: rounds, calls, cycles, the management canister, faults.

mod cycles;
mod faults;
mod lifecycle;
mod management;
mod messages;
mod puppet;
mod queries;
mod rounds;
mod stores;
mod timers;
mod wide;
mod worlds;
