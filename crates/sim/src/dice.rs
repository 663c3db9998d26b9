//! Seeded randomness: one stream, a few ways to draw from it; it never asks the operating system.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// A stream of random draws, the same on every machine for one seed and label.
#[derive(Debug, Clone)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream `label` of `seed`; streams of different labels do not disturb each other.
    pub fn new(seed: u64, label: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&label.to_le_bytes());
        Dice(ChaCha8Rng::from_seed(bytes))
    }

    /// Uniform in `0..end`; 0 for an empty range.
    pub fn below(&mut self, end: u64) -> u64 {
        // The bias of the remainder is below 2^-32 for every range drawn here.
        self.0.next_u64().checked_rem(end).unwrap_or(0)
    }

    /// Uniform in `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// True in `permille` of 1,000 draws.
    pub fn chance(&mut self, permille: u32) -> bool {
        self.below(1_000) < u64::from(permille)
    }

    /// One of `items`; `None` if there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = self.below(items.len() as u64) as usize;
        items.get(index)
    }
}
