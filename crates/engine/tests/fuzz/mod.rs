//! The engine under random bytes.

mod mutator;
pub(crate) mod targets;

use mutator::fuzz;

#[test]
fn fuzz_module() {
    fuzz("module", 150, targets::module);
}

#[test]
fn fuzz_candid() {
    fuzz("candid", 300, targets::candid);
}

#[test]
fn fuzz_message() {
    fuzz("message", 500, targets::message);
}

#[test]
fn fuzz_world() {
    fuzz("world", 60, targets::world);
}
