//! `/metrics`: the fleet in the text format of Prometheus.
//!
//! Owns names and labels. Every label has a bounded set of values: phases, kinds of effect, lanes,
//! reasons, and the pools of the spec.

use super::Live;
use crate::root::Stable;
use hatchery_core::{State, lanes, missing_canisters};
use hatchery_types::Direction;
use std::fmt::Write;

/// Type of a metric.
#[derive(Clone, Copy)]
enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only grows, over upgrades of root too.
    Counter,
}
use Kind::{Counter, Gauge};

/// Every metric: name without `hatchery_`, type, help. The reference is made from this list.
const FAMILIES: &[(&str, Kind, &str)] = &[
    ("info", Gauge, "Always 1; fleet and version as labels."),
    ("spec_generation", Gauge, "Generation of the applied spec."),
    ("incarnation", Counter, "Installs and upgrades of root."),
    (
        "paused",
        Gauge,
        "1 while an operator paused this direction.",
    ),
    ("healthy", Gauge, "1 while /health answers 200."),
    ("canisters", Gauge, "Canisters by phase."),
    (
        "effects_in_flight",
        Gauge,
        "Effects in the journal by kind.",
    ),
    ("lane_effects", Gauge, "Effects in flight by lane."),
    (
        "lane_width",
        Gauge,
        "Effects that may be in flight, as configured, by lane.",
    ),
    ("lane_open", Gauge, "Effects that may start now by lane."),
    (
        "calls_in_flight",
        Gauge,
        "Calls of root that are not answered.",
    ),
    (
        "operations_in_progress",
        Gauge,
        "Operations that are not answered yet.",
    ),
    ("lost_creations", Gauge, "Creations whose answer was lost."),
    ("lost_cycles", Gauge, "Cycles attached to those."),
    (
        "discarded_cycles_total",
        Counter,
        "Cycles of canisters deleted or forgotten.",
    ),
    (
        "given_away_cycles_total",
        Counter,
        "Cycles of canisters handed over.",
    ),
    (
        "unproven_canisters",
        Gauge,
        "Canisters bought and not yet seen empty.",
    ),
    ("warm_minimum", Gauge, "Spare canisters wanted at least."),
    ("warm_maximum", Gauge, "Spare canisters wanted at most."),
    (
        "warm_missing",
        Gauge,
        "Canisters to buy to reach what is wanted.",
    ),
    (
        "oldest_wait_seconds",
        Gauge,
        "How long the oldest row has waited for its reset.",
    ),
    (
        "warm_reason",
        Gauge,
        "1 for what the warm pool does or what holds it back.",
    ),
    ("cycles", Gauge, "Balance of root."),
    (
        "cycles_liquid",
        Gauge,
        "Balance of root above its freezing limit.",
    ),
    ("cycles_reserve", Gauge, "What root keeps for itself."),
    ("events_total", Counter, "Changes of rows."),
    (
        "next_wake_seconds",
        Gauge,
        "When root looks next by itself, in Unix time; absent: at the watchdog.",
    ),
    (
        "time_seconds",
        Gauge,
        "The clock of the subnet, in Unix time.",
    ),
    ("pool_min", Gauge, "Fewest members."),
    ("pool_max", Gauge, "Most members."),
    ("pool_desired", Gauge, "Members that policy wants."),
    ("pool_installing", Gauge, "Members being installed."),
    (
        "pool_standby",
        Gauge,
        "Members installed and out of service.",
    ),
    ("pool_in_service", Gauge, "Members that take work."),
    ("pool_leased", Gauge, "Members handed to a holder."),
    ("pool_draining", Gauge, "Members finishing."),
    (
        "pool_load",
        Gauge,
        "Sum of the fresh samples of the signal.",
    ),
    (
        "pool_work_cut_total",
        Counter,
        "Workers whose work a drain deadline cut.",
    ),
    (
        "pool_reason",
        Gauge,
        "1 for each reason of the pool's last plan.",
    ),
    (
        "operations_total",
        Counter,
        "Operations on worker pools by operation, outcome and reason.",
    ),
    ("steps_total", Counter, "Steps of ticks by step."),
    (
        "step_instructions_total",
        Counter,
        "Instructions of those steps.",
    ),
    (
        "step_instructions_most",
        Gauge,
        "Most instructions of one step.",
    ),
];

/// One scrape.
pub(super) fn text(state: &State<Stable>, live: &Live) -> String {
    let mut scrape = Scrape::default();
    fleet(&mut scrape, state, live);
    counts(&mut scrape, state, live);
    pools(&mut scrape, live);
    operations(&mut scrape, state);
    scrape.finish()
}

fn fleet(scrape: &mut Scrape, state: &State<Stable>, live: &Live) {
    let status = &live.status;
    let info = [
        ("fleet", &*status.name),
        ("version", env!("CARGO_PKG_VERSION")),
    ];
    scrape.add("info", &info, true);
    scrape.add("spec_generation", &[], status.generation.0);
    scrape.add("incarnation", &[], status.incarnation.0);
    for (name, direction) in [("up", Direction::Up), ("down", Direction::Down)] {
        let paused = state.header().is_paused(direction);
        scrape.add("paused", &[("direction", name)], paused);
    }
    let healthy = super::health::complaints(state, live).is_empty();
    scrape.add("healthy", &[], healthy);
    scrape.add("warm_minimum", &[], status.warm_minimum);
    scrape.add("warm_maximum", &[], status.warm_maximum);
    scrape.add("warm_missing", &[], missing_canisters(state, live.now));
    let oldest = state.oldest_pending().map(|since| live.now.since(since));
    let seconds = oldest.map_or(0, hatchery_types::Nanos::as_secs);
    scrape.add("oldest_wait_seconds", &[], seconds);
    scrape.add("warm_reason", &[("reason", &status.warm_reason.name)], true);
    scrape.add("cycles", &[], status.cycles.0);
    scrape.add("cycles_liquid", &[], live.vitals.liquid.0);
    let reserve = state.spec().map_or(0, |spec| spec.reserve.0);
    scrape.add("cycles_reserve", &[], reserve);
    scrape.add("events_total", &[], state.newest_event());
    scrape.add("time_seconds", &[], live.now.as_secs());
    if let Some(wake) = status.next_wake {
        scrape.add("next_wake_seconds", &[], wake.as_secs());
    }
}

fn counts(scrape: &mut Scrape, state: &State<Stable>, live: &Live) {
    let status = &live.status;
    for (phase, count) in &status.phases {
        scrape.add("canisters", &[("phase", phase.name())], *count);
    }
    for (kind, count) in &status.effects {
        scrape.add("effects_in_flight", &[("kind", kind)], *count);
    }
    for lane in lanes(state, &live.vitals) {
        let name = [("lane", lane.lane.name())];
        scrape.add("lane_effects", &name, lane.in_flight);
        scrape.add("lane_width", &name, lane.width);
        scrape.add("lane_open", &name, lane.open);
    }
    scrape.add("calls_in_flight", &[], state.counts().calls);
    scrape.add("operations_in_progress", &[], state.operations_waiting());
    scrape.add("lost_creations", &[], status.lost_creations);
    scrape.add("lost_cycles", &[], state.lost_cycles().0);
    scrape.add("discarded_cycles_total", &[], state.header().discarded.0);
    scrape.add("given_away_cycles_total", &[], state.header().given_away.0);
    scrape.add("unproven_canisters", &[], state.counts().unproven);
}

fn pools(scrape: &mut Scrape, live: &Live) {
    for pool in &live.status.pools {
        let name = [("pool", &*pool.name)];
        scrape.add("pool_min", &name, pool.min);
        scrape.add("pool_max", &name, pool.max);
        scrape.add("pool_desired", &name, pool.desired);
        scrape.add("pool_installing", &name, pool.installing);
        scrape.add("pool_standby", &name, pool.standby);
        scrape.add("pool_in_service", &name, pool.in_service);
        scrape.add("pool_leased", &name, pool.leased);
        scrape.add("pool_draining", &name, pool.draining);
        scrape.add("pool_load", &name, pool.load);
        scrape.add("pool_work_cut_total", &name, pool.work_cut);
        for reason in &pool.reasons {
            let labels = [("pool", &*pool.name), ("reason", &*reason.name)];
            scrape.add("pool_reason", &labels, true);
        }
    }
}

fn operations(scrape: &mut Scrape, state: &State<Stable>) {
    let metrics = state.metrics();
    for ((operation, ended, reason), count) in &metrics.counters {
        let labels = [
            ("operation", operation.name()),
            ("outcome", ended.name()),
            ("reason", reason),
        ];
        scrape.add("operations_total", &labels, *count);
    }
    for (step, cost) in &metrics.costs {
        let labels = [("step", step.name())];
        scrape.add("steps_total", &labels, cost.count);
        scrape.add("step_instructions_total", &labels, cost.instructions);
        scrape.add("step_instructions_most", &labels, cost.most);
    }
}

/// Samples by family, since the format wants each family in one piece.
struct Scrape {
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
    fn add(&mut self, family: &str, labels: &[(&str, &str)], value: impl Into<u128>) {
        self.write(family, labels, value.into());
    }

    fn write(&mut self, family: &str, labels: &[(&str, &str)], value: u128) {
        let index = FAMILIES.iter().position(|(name, ..)| *name == family);
        let out = &mut self.samples[index.expect("bug: a metric that is not in the list")];
        out.push_str("hatchery_");
        out.push_str(family);
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

    fn finish(self) -> String {
        let mut text = String::new();
        for ((name, kind, help), samples) in FAMILIES.iter().zip(self.samples) {
            if samples.is_empty() {
                continue;
            }
            let kind = match kind {
                Gauge => "gauge",
                Counter => "counter",
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
    fn names_are_unique_and_counters_of_things_end_in_total() {
        for (index, (name, _, help)) in FAMILIES.iter().enumerate() {
            assert!(FAMILIES[..index].iter().all(|other| other.0 != *name));
            assert!(help.ends_with('.'), "{name}");
        }
    }
}
