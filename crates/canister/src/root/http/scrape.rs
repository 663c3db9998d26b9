//! The text format of Prometheus: families, samples, histograms.
//!
//! Owns the format; what is told is `metrics`'.

use super::metrics::FAMILIES;
use hatchery_core::Histogram;
use std::fmt::Write;

/// Type of a metric.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only grows, over upgrades of root too.
    Counter,
    /// Counts by upper bounds, that only grow.
    Histogram,
}

/// Samples by family, since the format wants each family in one piece.
pub(super) struct Scrape {
    samples: [String; FAMILIES.len()],
}

impl Default for Scrape {
    fn default() -> Self {
        Scrape {
            samples: std::array::from_fn(|_| String::new()),
        }
    }
}

impl Scrape {
    /// One sample. Label values are names of ours or of the spec, which need no escapes.
    pub(super) fn add(&mut self, family: &str, labels: &[(&str, &str)], value: impl Into<u128>) {
        self.write(family, "", labels, value.into());
    }

    /// The samples of one histogram: how many were at most each bound, in all, and their sum.
    pub(super) fn histogram(
        &mut self,
        family: &str,
        label: (&str, &str),
        bounds: &[u64; 7],
        figures: &Histogram,
    ) {
        let mut sum = 0;
        for (index, count) in figures.counts.iter().enumerate() {
            sum += u128::from(*count);
            let bound = bounds.get(index);
            let bound = bound.map_or_else(|| "+Inf".to_owned(), u64::to_string);
            self.write(family, "_bucket", &[label, ("le", &bound)], sum);
        }
        self.write(family, "_sum", &[label], figures.sum.into());
        self.write(family, "_count", &[label], sum);
    }

    fn write(&mut self, family: &str, suffix: &str, labels: &[(&str, &str)], value: u128) {
        let index = FAMILIES.iter().position(|(name, ..)| *name == family);
        let out = &mut self.samples[index.expect("bug: a metric that is not in the list")];
        out.push_str("hatchery_");
        out.push_str(family);
        out.push_str(suffix);
        for (index, (name, value)) in labels.iter().enumerate() {
            for part in [if index == 0 { "{" } else { "," }, name, "=\"", value, "\""] {
                out.push_str(part);
            }
        }
        if !labels.is_empty() {
            out.push('}');
        }
        writeln!(out, " {value}").expect("bug: a String takes no text");
    }

    pub(super) fn finish(self) -> String {
        let mut text = String::new();
        for ((name, kind, help), samples) in FAMILIES.iter().zip(self.samples) {
            if samples.is_empty() {
                continue;
            }
            let kind = match kind {
                Kind::Gauge => "gauge",
                Kind::Counter => "counter",
                Kind::Histogram => "histogram",
            };
            for part in [
                "# HELP hatchery_",
                name,
                " ",
                help,
                "\n# TYPE hatchery_",
                name,
                " ",
                kind,
                "\n",
            ] {
                text.push_str(part);
            }
            text.push_str(&samples);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{FAMILIES, Scrape};
    use hatchery_core::{Histogram, SECONDS};

    #[test]
    fn a_family_stands_in_one_piece() {
        let mut scrape = Scrape::default();
        scrape.add("pool_min", &[("pool", "a")], 1u32);
        scrape.add("canisters", &[("phase", "ready")], 3u32);
        scrape.add("pool_min", &[("pool", "b")], 2u32);
        scrape.add("pool_reason", &[("pool", "b"), ("reason", "paused")], 1u32);
        expect_test::expect![[r#"
            # HELP hatchery_canisters Canisters by phase.
            # TYPE hatchery_canisters gauge
            hatchery_canisters{phase="ready"} 3
            # HELP hatchery_pool_min Fewest members.
            # TYPE hatchery_pool_min gauge
            hatchery_pool_min{pool="a"} 1
            hatchery_pool_min{pool="b"} 2
            # HELP hatchery_pool_reason 1 for each reason of the pool's last plan.
            # TYPE hatchery_pool_reason gauge
            hatchery_pool_reason{pool="b",reason="paused"} 1
        "#]]
        .assert_eq(&scrape.finish());
    }

    #[test]
    fn a_histogram_counts_up_to_all() {
        let mut scrape = Scrape::default();
        let figures = Histogram {
            counts: [1, 0, 2, 0, 0, 0, 0, 4],
            sum: 900,
        };
        scrape.histogram("handout_seconds", ("from", "a"), &SECONDS, &figures);
        let text = scrape.finish();
        for line in [
            "# TYPE hatchery_handout_seconds histogram",
            "hatchery_handout_seconds_bucket{from=\"a\",le=\"0\"} 1",
            "hatchery_handout_seconds_bucket{from=\"a\",le=\"5\"} 3",
            "hatchery_handout_seconds_sum{from=\"a\"} 900",
            "hatchery_handout_seconds_count{from=\"a\"} 7",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
    }

    #[test]
    fn names_are_unique_and_counters_of_things_end_in_total() {
        for (index, (name, _, help)) in FAMILIES.iter().enumerate() {
            assert!(FAMILIES[..index].iter().all(|other| other.0 != *name));
            assert!(help.ends_with('.'), "{name}");
        }
    }
}
