//! Any bytes as a message: a program of system calls.
#![no_main]

#[path = "../../crates/engine/tests/fuzz/targets.rs"]
#[allow(dead_code, reason = "each binary takes one target of the four")]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::message(bytes));
