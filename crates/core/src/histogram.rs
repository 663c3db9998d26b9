//! How often a figure was how large: counts by fixed upper bounds, so that a record is a few adds.

use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

/// Counts of a histogram: one for each bound, and one for what is above the last.
pub(crate) const BUCKETS: usize = 8;

/// Upper bounds of instructions of a message.
pub const INSTRUCTIONS: [u64; BUCKETS - 1] = [
    300_000,
    600_000,
    1_000_000,
    3_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
];

/// Upper bounds of waits, in seconds.
pub const SECONDS: [u64; BUCKETS - 1] = [0, 2, 5, 10, 30, 60, 300];

/// One histogram; its bounds are those of what it counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Histogram {
    /// How many were at most each bound and above the one before it; the last, above all.
    #[n(0)]
    pub counts: [u64; BUCKETS],
    /// All of them together.
    #[n(1)]
    pub sum: u64,
}

/// Histograms by name.
pub(crate) type Histograms = BTreeMap<String, Histogram>;

/// One more figure under a name.
pub(crate) fn add(to: &mut Histograms, name: &str, bounds: &[u64; BUCKETS - 1], figure: u64) {
    if !to.contains_key(name) {
        to.insert(name.to_owned(), Histogram::default());
    }
    if let Some(it) = to.get_mut(name) {
        let bucket = bounds.iter().position(|bound| figure <= *bound);
        let count = &mut it.counts[bucket.unwrap_or(BUCKETS - 1)];
        *count = count.saturating_add(1);
        it.sum = it.sum.saturating_add(figure);
    }
}

#[cfg(test)]
mod tests {
    use super::{Histograms, SECONDS, add};

    #[test]
    fn a_figure_counts_under_the_first_bound_that_holds_it() {
        let mut all = Histograms::new();
        for figure in [0, 2, 3, 300, 301, u64::MAX] {
            add(&mut all, "a", &SECONDS, figure);
        }
        assert_eq!(all["a"].counts, [1, 1, 1, 0, 0, 0, 1, 2]);
        assert_eq!(all["a"].sum, u64::MAX, "it stays there");
    }
}
