//! The only `unsafe` code of the engine, one reason per file:
//!
//! * [`lend`]: a store's data must be `'static`, a message is borrowed for one execution;
//! * [`artifact`]: loading machine code back from the disk cache;
//! * [`watch`]: noticing writes to a heap without looking at all of it (Linux only).

#![allow(unsafe_code)] // this folder exists to hold it; the crate denies it everywhere else

pub(super) mod artifact;
pub(super) mod lend;
#[cfg(target_os = "linux")]
pub(super) mod watch;
#[cfg(not(target_os = "linux"))]
#[path = "no_watch.rs"]
pub(super) mod watch;
