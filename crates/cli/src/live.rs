//! The live view: one picture for the demo, for `up` and for `top`.
//!
//! Owns how a fleet looks while it lives, the keys, and the recording; where the figures come from
//! is each command's own.

pub(crate) mod controls;
pub(crate) mod fleet;
pub(crate) mod harm;
pub(crate) mod recording;
pub(crate) mod story;
pub(crate) mod view;

pub(crate) use controls::{Asked, Controls, Mischief};
pub(crate) use recording::Recording;
pub(crate) use story::Story;
