//! The machine, run on modules written by hand.

mod atomicity;
mod rig;
