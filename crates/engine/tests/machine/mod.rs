//! The machine, run on modules written by hand.

mod atomicity;
mod calls;
mod contexts;
mod limits;
mod modules;
mod rig;
mod specification;
mod state;
mod system_api;
mod watch;
mod weights;
