//! The subnet: rounds, calls, cycles, the management canister, faults.

mod puppet;
mod rounds;
