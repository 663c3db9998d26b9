//! The machine, run on modules written by hand.

mod atomicity;
mod contexts;
mod rig;
mod specification;
mod system_api;
