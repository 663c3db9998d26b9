//! The module that sweeps a canister: its bytes and its argument.
//!
//! Owns the artefact alone; its source and what it does are in `sweeper/sweeper.wat`, when it is
//! used is `decide/sweep.rs`'s.

use hatchery_types::{Cycles, ModuleHash};

/// The wasm module, 634 bytes.
pub const SWEEPER: &[u8] = include_bytes!("../sweeper/sweeper.wasm");

/// Its hash: a module with another one is not ours.
pub const SWEEPER_HASH: ModuleHash = ModuleHash([
    0x72, 0x9a, 0xb2, 0x8d, 0x1d, 0xbe, 0x10, 0xc1, 0x01, 0x56, 0x0b, 0x88, 0x90, 0x13, 0xbc, 0xe2,
    0x95, 0x47, 0xe2, 0xda, 0xb9, 0x36, 0xd7, 0x05, 0xac, 0x94, 0x01, 0x44, 0xab, 0x4d, 0x69, 0xf4,
]);

/// Argument of its install: what to keep, and the Candid argument of the deposit.
pub fn sweeper_argument(keep: Cycles, deposit: &[u8]) -> Vec<u8> {
    let mut argument = keep.0.to_le_bytes().to_vec();
    argument.extend_from_slice(deposit);
    argument
}
