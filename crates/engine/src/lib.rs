//! A deterministic Internet Computer in one process.

pub mod message;
