//! Hatchery inside a canister: the control plane with [`root!`], a worker's side of it with
//! [`worker!`], a hub's with its module `hub`.
//!
//! Owns what touches the platform: calls, timers, guards, memory, entry points. What to do is
//! decided in `hatchery-core`, which knows none of these; the wire shapes are `hatchery-api`'s.

#[cfg_attr(
    not(feature = "root"),
    expect(
        dead_code,
        reason = "a worker calls root alone, bounded and without cycles"
    )
)]
mod call;
#[doc(hidden)]
pub mod candid_service;
#[cfg(feature = "worker")]
pub mod children;
#[cfg(feature = "hub")]
pub mod hub;
#[cfg(feature = "root")]
pub mod root;
#[cfg(feature = "worker")]
pub mod worker;
