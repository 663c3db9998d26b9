//! The ready-made control plane: Hatchery with a canister to itself.
//!
//! An application that wants root inside its own canister writes the same line in its own crate,
//! with its memories: `hatchery::root!(my_memory)`.

hatchery::root!();
