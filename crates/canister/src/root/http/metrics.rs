//! `/metrics`: the fleet in the text format of Prometheus.
//!
//! Owns names and labels; the format is `scrape`'s. Every label has a bounded set of values: phases,
//! kinds of effect, lanes, reasons, methods, modules, and the pools and roles of the spec.

use super::Live;
use super::scrape::{Kind, Scrape};
use crate::root::Stable;
use Kind::{Counter, Gauge, Histogram};
use hatchery_api::PoolView;
use hatchery_core::{INSTRUCTIONS, SECONDS, State, lanes, missing_canisters};
use hatchery_types::{Cycles, Direction, ModuleHash, Reason};
use std::collections::BTreeMap;

/// Every metric: name without `hatchery_`, type, help. The reference is made from this list.
pub(super) const FAMILIES: &[(&str, Kind, &str)] = &[
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
    (
        "fleet_cycles",
        Gauge,
        "Held by root's canisters, as last observed; lost creations with them.",
    ),
    (
        "spent_cycles_total",
        Counter,
        "Attached to creations, lost ones among them.",
    ),
    (
        "topped_up_cycles_total",
        Counter,
        "Deposited by root to keep canisters alive.",
    ),
    (
        "received_cycles_total",
        Counter,
        "Held by canisters that were taken in, and deposited by others.",
    ),
    (
        "burned_cycles_total",
        Counter,
        "Missing from observed balances of root's canisters.",
    ),
    (
        "swept_cycles_total",
        Counter,
        "Deposited back to root by canisters that were swept.",
    ),
    (
        "paid_today_cycles",
        Gauge,
        "Deposited by root today to keep canisters alive.",
    ),
    ("needy_canisters", Gauge, "Canisters that wait for cycles."),
    (
        "burn_cycles_per_day",
        Gauge,
        "What the members of a role burn a day, as observed.",
    ),
    (
        "root_burn_cycles_per_day",
        Gauge,
        "What root itself burns a day.",
    ),
    (
        "reserve_hours",
        Gauge,
        "Hours until root is at its reserve when it goes on like this; absent: not known, or never.",
    ),
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
        "pool_upgrading",
        Gauge,
        "Members getting their role's module, out of service meanwhile.",
    ),
    (
        "pool_module_members",
        Gauge,
        "Living members by module while they are not all on one; the module by the first half of its hash.",
    ),
    (
        "rollout_done",
        Gauge,
        "Members that took the module that their pool last went to.",
    ),
    (
        "rollout_failed",
        Gauge,
        "Members that did not, since the rollout was last let go on.",
    ),
    ("rollout_left", Gauge, "Members that run another module."),
    (
        "rollout_stopped",
        Gauge,
        "1 while no further member gets the module: too many did not take it.",
    ),
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
        "Operations by operation, outcome and reason.",
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
    (
        "method_instructions",
        Histogram,
        "Instructions of messages with a call, by method.",
    ),
    (
        "handout_seconds",
        Histogram,
        "From the claim of a canister or the ask for a lease to the worker, by where it came from.",
    ),
];

/// Digits of a module's hash that name it in a label.
const MODULE_NAME: usize = 32;

/// One scrape.
pub(super) fn text(state: &State<Stable>, live: &Live) -> String {
    let mut scrape = Scrape::default();
    fleet(&mut scrape, state, live);
    counts(&mut scrape, state, live);
    cycles(&mut scrape, state, live);
    pools(&mut scrape, live);
    rollouts(&mut scrape, state, live);
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

fn cycles(scrape: &mut Scrape, state: &State<Stable>, live: &Live) {
    let (header, funding) = (state.header(), &live.status.funding);
    let ledger = header.ledger;
    let sums = [
        ("spent_cycles_total", ledger.spent),
        ("topped_up_cycles_total", ledger.topped_up),
        ("received_cycles_total", ledger.received),
        ("burned_cycles_total", ledger.burned),
        ("swept_cycles_total", ledger.swept),
        ("paid_today_cycles", funding.paid_today),
    ];
    for (name, sum) in sums {
        scrape.add(name, &[], sum.0);
    }
    // The books are balanced: what came in and did not leave is held.
    let came = ledger.spent.0 + ledger.topped_up.0 + ledger.received.0;
    let left = [
        ledger.burned,
        ledger.swept,
        header.discarded,
        header.given_away,
    ];
    let left = left.iter().map(|cycles| cycles.0).sum();
    scrape.add("fleet_cycles", &[], Cycles(came).less(Cycles(left)).0);
    scrape.add("needy_canisters", &[], funding.needy);
    for (role, burn) in &funding.burn {
        scrape.add("burn_cycles_per_day", &[("role", role)], burn.0);
    }
    if let Some(burn) = funding.own_burn {
        scrape.add("root_burn_cycles_per_day", &[], burn.0);
    }
    if let Some(hours) = funding.hours_left {
        scrape.add("reserve_hours", &[], hours);
    }
}

fn rollouts(scrape: &mut Scrape, state: &State<Stable>, live: &Live) {
    for pool in &live.status.pools {
        let Some(rollout) = &pool.rollout else {
            continue;
        };
        let to = named(&rollout.module);
        let labels = [("pool", &*pool.name), ("role", &*pool.role), ("to", &*to)];
        scrape.add("rollout_done", &labels, rollout.done);
        scrape.add("rollout_failed", &labels, rollout.failures);
        scrape.add("rollout_left", &labels, rollout.left);
        let stopped = Reason::UpgradeStopped.code();
        let stopped = pool.reasons.iter().any(|reason| reason.code == stopped);
        scrape.add("rollout_stopped", &labels, stopped);
        if rollout.left > 0 {
            modules(scrape, state, pool);
        }
    }
}

/// Which modules the members run, while they are not all on one: a pass over the pool's members, as
/// the count of those left is.
fn modules(scrape: &mut Scrape, state: &State<Stable>, pool: &PoolView) {
    let mut modules: BTreeMap<ModuleHash, u32> = BTreeMap::new();
    let living = state.members(&pool.name).filter(|it| it.phase.is_living());
    for module in living.filter_map(|member| member.module) {
        *modules.entry(module).or_default() += 1;
    }
    for (module, count) in &modules {
        let module = named(module);
        let labels = [
            ("pool", &*pool.name),
            ("role", &*pool.role),
            ("module", &*module),
        ];
        scrape.add("pool_module_members", &labels, *count);
    }
}

fn named(module: &ModuleHash) -> String {
    let mut name = module.to_string();
    name.truncate(MODULE_NAME);
    name
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
        scrape.add("pool_upgrading", &name, pool.upgrading);
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
    for (method, figures) in &metrics.served {
        let labels = ("method", &**method);
        scrape.histogram("method_instructions", labels, &INSTRUCTIONS, figures);
    }
    for (from, figures) in &metrics.handed_out {
        scrape.histogram("handout_seconds", ("from", from), &SECONDS, figures);
    }
}
