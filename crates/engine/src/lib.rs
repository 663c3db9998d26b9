//! A deterministic Internet Computer in one process.

pub mod machine;
pub mod message;
