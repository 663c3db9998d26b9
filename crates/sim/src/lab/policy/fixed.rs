//! The two policies that do nothing: what the least and the most would cost.

use super::{Scaler, Sight};

/// That many, always.
#[derive(Debug)]
pub(super) struct Always(pub(super) u32);

impl Scaler for Always {
    fn period_s(&self) -> u64 {
        15
    }

    fn desired(&mut self, _: &Sight) -> u32 {
        self.0
    }
}
