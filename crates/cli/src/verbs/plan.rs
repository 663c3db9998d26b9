//! `hatchery plan`: what applying `fleet.toml` would change, what would follow, and its price.
//!
//! Owns comparing; nothing is sent but queries. Who would be drained is root's to say once the spec
//! is applied: here is only how many.

use super::modules::is_held;
use super::payable;
use crate::args::PlanOptions;
use crate::fleet_file::{self, FleetFile};
use crate::session::Session;
use crate::show::{Paint, Table, amount, json};
use candid::CandidType;
use hatchery_api::{FleetStatus, FundingView, LedgerView, PoolView, ReasonView, RecoveryView};
use hatchery_types::{Cycles, FleetSpec, Generation, Incarnation, ModuleHash, Phase, Reason};
use serde_json::Value;
use std::collections::BTreeMap;

/// Storage of one GiB for a second on a subnet of 13 nodes (interface specification, "Cycles").
const STORAGE_GIB_SECOND: u128 = 127_000;
/// The platform's fee for a creation on such a subnet, part of what is attached.
const CREATION_FEE: u128 = 500_000_000_000;
const DAY_SECONDS: u128 = 86_400;

/// What applying a file would do.
#[derive(Debug, CandidType)]
pub(crate) struct Difference {
    /// Fields that differ: path, applied value, value of the file; null where there is none.
    changes: Vec<(String, Option<String>, Option<String>)>,
    /// Modules to upload, with their sizes in bytes.
    uploads: Vec<(ModuleHash, u64)>,
    pools: Vec<PoolEffect>,
    warm_pool: WarmEffect,
    price: Price,
}

/// What would follow in one pool.
#[derive(Debug, CandidType)]
struct PoolEffect {
    pool: String,
    workers: u64,
    /// At least.
    create: u64,
    drain: u64,
    /// Workers of a role whose module changes.
    upgrade: u64,
}

/// What would follow in the warm pool.
#[derive(Debug, CandidType)]
struct WarmEffect {
    ready: u64,
    create: u64,
    delete: u64,
}

/// Cycles, for a subnet of 13 nodes.
#[derive(Debug, CandidType)]
struct Price {
    /// Attached to creations now, fees included.
    now: Cycles,
    /// Of which the platform keeps.
    fees: Cycles,
    /// Storage of the smallest and of the largest fleet, a day and a month of 30 days.
    day: (Cycles, Cycles),
    month: (Cycles, Cycles),
}

pub(crate) fn run(session: &Session<'_>, options: &PlanOptions) -> anyhow::Result<()> {
    let fleet = fleet_file::load(&session.globals.folder, &options.wasm)?;
    let is_there = session.client.known_root().is_some();
    let (applied, status) = if is_there {
        (session.client.spec()?, session.client.status()?)
    } else {
        // What a first `deploy` would do.
        (None, nothing_yet())
    };
    let difference = compare(applied.as_ref(), &fleet, &status, options.worker_mib);
    session.say(&difference, |paint| {
        print(&difference, options.worker_mib, paint);
    });
    if is_there {
        payable::check(applied.as_ref(), &fleet.spec, &status)?;
    }
    Ok(())
}

/// The status of a fleet whose root is not there yet.
fn nothing_yet() -> FleetStatus {
    let reason = ReasonView::from(&Reason::NoSpec);
    FleetStatus {
        name: String::new(),
        generation: Generation(0),
        incarnation: Incarnation(0),
        paused: false,
        phases: Vec::new(),
        effects: Vec::new(),
        lost_creations: 0,
        warm_minimum: 0,
        warm_maximum: 0,
        warm_reason: reason.clone(),
        cycles: Cycles(0),
        modules: Vec::new(),
        pools: Vec::new(),
        next_wake: None,
        recovery: RecoveryView {
            held_back: None,
            sought_creations: 0,
            search: None,
        },
        ledger: LedgerView::default(),
        funding: FundingView {
            paid_today: Cycles(0),
            needy: 0,
            burn: Vec::new(),
            own_burn: None,
            hours_left: None,
            reason,
        },
    }
}

/// What applying the file would do to a fleet that is as `status` says.
pub(crate) fn compare(
    applied: Option<&FleetSpec>,
    fleet: &FleetFile,
    status: &FleetStatus,
    worker_mib: u64,
) -> Difference {
    let uploads = fleet.modules.iter();
    let uploads = uploads
        .filter(|(module, _)| !is_held(status, **module))
        .map(|(module, file)| (*module, file.bytes.len() as u64));
    let pools = effects(applied, &fleet.spec, status);
    let warm_pool = warm_effect(&fleet.spec, status, &pools);
    let price = price(&fleet.spec, &warm_pool, worker_mib);
    Difference {
        changes: changes(applied, &fleet.spec),
        uploads: uploads.collect(),
        pools,
        warm_pool,
        price,
    }
}

impl Difference {
    /// The file is what root has.
    fn is_none(&self) -> bool {
        self.counts() == (0, 0)
    }

    /// Fields that differ, and modules to upload.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.changes.len(), self.uploads.len())
    }
}

fn changes(
    applied: Option<&FleetSpec>,
    wanted: &FleetSpec,
) -> Vec<(String, Option<String>, Option<String>)> {
    let before = applied.map(fields).unwrap_or_default();
    let after = fields(wanted);
    let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    let changed = paths
        .into_iter()
        .filter(|path| before.get(*path) != after.get(*path));
    changed
        .map(|path| {
            (
                path.clone(),
                before.get(path).cloned(),
                after.get(path).cloned(),
            )
        })
        .collect()
}

/// Every value of a spec by its path; what is named in a list stands under its name.
fn fields(spec: &FleetSpec) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    collect("", &json::of(spec), &mut found);
    found
}

fn collect(path: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    let below = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (name, value) in fields
                .iter()
                .filter(|(name, _)| *name != "name" || path.is_empty())
            {
                collect(&below(name), value, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let number = index.to_string();
                let name = item["name"].as_str().or_else(|| item["signal"].as_str());
                collect(&below(name.unwrap_or(&number)), item, found);
            }
        }
        value => {
            let last = path.rsplit('.').next().unwrap_or(path);
            found.insert(path.to_owned(), text_of(last, value));
        }
    }
}

/// A value as `fleet.toml` would have it, by the name of its field.
fn text_of(field: &str, value: &Value) -> String {
    const SPANS: [&str; 17] = [
        "window",
        "period",
        "cooldown",
        "valid_for",
        "stale_after",
        "warm_up",
        "deadline",
        "ttl",
        "ttl_max",
        "protection_max",
        "grace",
        "every",
        "max_age",
        "timeout",
        "wait",
        "first_check",
        "watchdog",
    ];
    match (field, value) {
        ("reserve" | "cycles" | "floor" | "sweep_above", Value::String(text)) => {
            text.parse().map_or_else(|_| text.clone(), amount::cycles)
        }
        ("module", Value::String(text)) => text.chars().take(12).collect(),
        (field, Value::Number(number)) if SPANS.contains(&field) => {
            amount::span(number.as_u64().unwrap_or(0) / 1_000_000_000)
        }
        (field, Value::Number(number)) if field.contains("percent") => format!("{number}%"),
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}

fn effects(
    applied: Option<&FleetSpec>,
    wanted: &FleetSpec,
    status: &FleetStatus,
) -> Vec<PoolEffect> {
    let living = |view: &PoolView| {
        let there = view.in_service + view.leased + view.standby;
        u64::from(there + view.installing + view.upgrading)
    };
    let of = |name: &str| status.pools.iter().find(|view| view.name == name);
    let module = |spec: &FleetSpec, role: &str| spec.role(role).map(|role| role.module);
    let mut effects: Vec<PoolEffect> = wanted
        .pools
        .iter()
        .map(|pool| {
            let workers = of(&pool.name).map_or(0, living);
            let first = if workers == 0 { pool.initial } else { pool.min };
            let wants = u64::from(first.max(pool.min) + pool.standby);
            let before = applied.and_then(|spec| module(spec, &pool.role));
            let upgrades = wanted
                .role(&pool.role)
                .is_some_and(|it| it.upgrade.is_some());
            let moves = upgrades && before.is_some() && before != module(wanted, &pool.role);
            PoolEffect {
                pool: pool.name.clone(),
                workers,
                create: wants.saturating_sub(workers),
                drain: workers.saturating_sub(u64::from(pool.max)),
                upgrade: if moves { workers } else { 0 },
            }
        })
        .collect();
    let gone = status
        .pools
        .iter()
        .filter(|view| wanted.pool(&view.name).is_none());
    effects.extend(gone.map(|view| PoolEffect {
        pool: view.name.clone(),
        workers: living(view),
        create: 0,
        drain: living(view),
        upgrade: 0,
    }));
    effects
}

fn warm_effect(wanted: &FleetSpec, status: &FleetStatus, pools: &[PoolEffect]) -> WarmEffect {
    let count = |phases: &[Phase]| -> u64 {
        let there = status.phases.iter();
        let there = there.filter(|(phase, _)| phases.contains(phase));
        there.map(|(_, count)| *count).sum()
    };
    let ready = count(&[Phase::Ready]);
    let coming = count(&[Phase::Creating, Phase::Resetting, Phase::PendingReset]);
    let claimed: u64 = pools.iter().map(|pool| pool.create).sum();
    let drained: u64 = pools.iter().map(|pool| pool.drain).sum();
    let minimum = u64::from(wanted.warm_pool.minimum);
    let left = (ready + coming + drained).saturating_sub(claimed);
    WarmEffect {
        ready,
        create: (minimum + claimed).saturating_sub(ready + coming),
        delete: left.saturating_sub(u64::from(wanted.warm_pool.maximum)),
    }
}

fn price(spec: &FleetSpec, warm: &WarmEffect, worker_mib: u64) -> Price {
    let creations = u128::from(warm.create);
    let workers = |count: fn(&hatchery_types::PoolSpec) -> u32| -> u128 {
        spec.pools.iter().map(|pool| u128::from(count(pool))).sum()
    };
    let day = |workers: u128| {
        let mib_day = STORAGE_GIB_SECOND * DAY_SECONDS / 1_024;
        Cycles(workers * u128::from(worker_mib) * mib_day)
    };
    let (least, most) = (day(workers(|pool| pool.min)), day(workers(|pool| pool.max)));
    Price {
        now: Cycles(creations * spec.warm_pool.cycles.0),
        fees: Cycles(creations * CREATION_FEE),
        day: (least, most),
        month: (Cycles(least.0 * 30), Cycles(most.0 * 30)),
    }
}

/// The difference for people.
pub(crate) fn print(difference: &Difference, worker_mib: u64, paint: Paint) {
    if difference.is_none() {
        println!("{}", paint.good("the file is what root has"));
    }
    for (path, before, after) in &difference.changes {
        match (before, after) {
            (Some(before), Some(after)) => {
                println!("{}", paint.warn(&format!("~ {path}: {before} -> {after}")));
            }
            (None, Some(after)) => println!("{}", paint.good(&format!("+ {path}: {after}"))),
            (before, None) => {
                let before = before.clone().unwrap_or_default();
                println!("{}", paint.bad(&format!("- {path}: {before}")));
            }
        }
    }
    for (module, bytes) in &difference.uploads {
        println!(
            "^ module {}, {}",
            amount::hash(*module),
            amount::bytes(*bytes)
        );
    }
    println!();
    let mut table = Table::new(["pool", ">workers", ">create", ">drain", ">upgrade"]);
    for pool in &difference.pools {
        table.row([
            pool.pool.clone(),
            pool.workers.to_string(),
            pool.create.to_string(),
            pool.drain.to_string(),
            pool.upgrade.to_string(),
        ]);
    }
    table.print(paint, "no worker pools");
    let warm = &difference.warm_pool;
    println!(
        "warm pool   {} ready, {} to create, {} to delete",
        warm.ready, warm.create, warm.delete
    );
    let price = &difference.price;
    println!(
        "now         {} attached to creations, of which {} are fees",
        amount::cycles(price.now.0),
        amount::cycles(price.fees.0)
    );
    println!(
        "a day       {} to {} for storage at {worker_mib} MiB a worker",
        amount::cycles(price.day.0.0),
        amount::cycles(price.day.1.0)
    );
    println!(
        "a month     {} to {}; work and messages come on top",
        amount::cycles(price.month.0.0),
        amount::cycles(price.month.1.0)
    );
}
