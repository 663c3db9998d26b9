//! The sections of `fleet.toml`, their fields and their defaults.

use super::ModulePath;
use super::error::Position;
use super::pools::{POOL, read_pool, read_times};
use super::read::{Reader, Section};
use super::values::{
    children, count, cycles, duration, flag, init_arg, no_arguments, percent, principals, reuse,
    surplus, text, visibility,
};
use hatchery_types::{
    Cycles, DrainSpec, FleetSpec, GrantSpec, HealthSpec, LanesSpec, ModuleHash, Nanos, PullSpec,
    Reuse, RoleSpec, TopUpSpec, UpgradeSpec, WarmPoolSpec, WindowSpec,
};
use toml_edit::Table;

const FLEET: &[&str] = &[
    "name",
    "controllers",
    "reserve",
    "lanes",
    "warm_pool",
    "roles",
    "pools",
    "visibility",
    "top_up",
    "grants",
];
const GRANT: &[&str] = &["role", "pool", "each", "all", "depth", "under_root"];
const LANES: &[&str] = &["create", "reset", "install"];
const WARM_POOL: &[&str] = &[
    "minimum",
    "maximum",
    "target",
    "schedule",
    "surplus",
    "cycles",
    "floor",
    "sweep_above",
    "first_check",
    "watchdog",
];
const WARM_WINDOW: &[&str] = &["from", "to", "every", "minimum"];
const ROLE: &[&str] = &[
    "module", "init_arg", "drain", "health", "pull", "reuse", "top_up", "children", "upgrade",
];
const UPGRADE: &[&str] = &["failures", "wait", "keep_memory"];
const TOP_UP: &[&str] = &["below", "to", "each", "all"];
const DRAIN: &[&str] = &["method", "deadline"];
const HEALTH: &[&str] = &["method", "grace"];
const PULL: &[&str] = &["method", "field", "multiply", "every"];

const RESERVE: Cycles = Cycles(10 * Cycles::T);
const DRAIN_DEADLINE: Nanos = Nanos::from_secs(300);
/// A member of a pool that policy fills is at 1, and its child at 2.
const GRANT_DEPTH: u32 = 2;
const GRACE: Nanos = Nanos::from_secs(60);
const PULL_EVERY: Nanos = Nanos::from_secs(60);

/// The spec of the file with module hashes still zero, and the modules as named.
pub(super) fn read_fleet(reader: &mut Reader<'_>, table: &Table) -> (FleetSpec, Vec<ModulePath>) {
    let top = reader.top(table, FLEET);
    let name = reader.required(&top, "name", "\"my-fleet\"", text);
    let controllers = reader
        .optional(&top, "controllers", principals)
        .unwrap_or_default();
    let reserve = reader.optional(&top, "reserve", cycles).unwrap_or(RESERVE);
    let visibility = reader.optional(&top, "visibility", visibility);
    let lanes = read_lanes(reader, &top);
    let warm_pool = read_warm_pool(reader, &top);
    let (roles, modules) = reader
        .named(&top, "roles", ROLE)
        .into_iter()
        .map(|(name, section)| read_role(reader, name, &section))
        .unzip();
    let pools = reader
        .named(&top, "pools", POOL)
        .into_iter()
        .map(|(name, section)| read_pool(reader, &name, &section))
        .collect();
    (
        FleetSpec {
            name,
            controllers,
            reserve,
            lanes,
            warm_pool,
            roles,
            pools,
            visibility,
            top_up: read_top_up(reader, &top),
            grants: read_grants(reader, &top),
        },
        modules,
    )
}

fn read_grants(reader: &mut Reader<'_>, top: &Section<'_>) -> Vec<GrantSpec> {
    let sections = reader.list(top, "grants", GRANT);
    let mut grants = Vec::new();
    for section in &sections {
        let each = reader.required(section, "each", "5", count);
        grants.push(GrantSpec {
            role: reader.required(section, "role", "\"hub\"", text),
            pool: reader.required(section, "pool", "\"workers\"", text),
            each,
            all: reader.or(section, "all", count, each),
            depth: reader.or(section, "depth", count, GRANT_DEPTH),
            under_root: reader.or(section, "under_root", flag, false),
        });
    }
    grants
}

fn read_lanes(reader: &mut Reader<'_>, top: &Section<'_>) -> LanesSpec {
    let section = reader.section(top, "lanes", LANES);
    LanesSpec {
        create: reader.optional(&section, "create", count).unwrap_or(10),
        reset: reader.optional(&section, "reset", count).unwrap_or(50),
        install: reader.optional(&section, "install", count).unwrap_or(4),
    }
}

fn read_warm_pool(reader: &mut Reader<'_>, top: &Section<'_>) -> WarmPoolSpec {
    let section = reader.required_section(top, "warm_pool", WARM_POOL);
    let minimum = reader.required(&section, "minimum", "5", count);
    let maximum = reader.required(&section, "maximum", "20", count);
    let it = WarmPoolSpec::new(minimum, maximum);
    let each = reader.or(&section, "cycles", cycles, it.cycles);
    let sweep_above = reader.optional(&section, "sweep_above", cycles);
    let windows = reader.list(&section, "schedule", WARM_WINDOW);
    let windows = windows.iter();
    WarmPoolSpec {
        cycles: each,
        floor: reader.or(&section, "floor", cycles, it.floor),
        sweep_above: Some(sweep_above.unwrap_or(Cycles(each.0.saturating_mul(2)))),
        target_percent: reader.or(&section, "target", percent, it.target_percent),
        schedule: windows
            .map(|window| read_warm_window(reader, window))
            .collect(),
        release_to: reader.or(&section, "surplus", surplus, it.release_to),
        first_check: reader.or(&section, "first_check", duration, it.first_check),
        watchdog: reader.or(&section, "watchdog", duration, it.watchdog),
        ..it
    }
}

fn read_warm_window(reader: &mut Reader<'_>, section: &Section<'_>) -> WindowSpec {
    let (from, to, every) = read_times(reader, section);
    WindowSpec {
        from,
        to,
        every,
        min: reader.required(section, "minimum", "20", count),
        desired: 0,
    }
}

fn read_role(
    reader: &mut Reader<'_>,
    name: String,
    section: &Section<'_>,
) -> (RoleSpec, ModulePath) {
    let path = reader.required(section, "module", "\"worker.wasm\"", text);
    let place = reader.place_of(&format!("{}.module", section.path));
    let position = Position::of(reader.text(), place.start);
    let module = ModulePath {
        role: name.clone(),
        path,
        position,
        place,
    };
    let init_arg = reader
        .optional(section, "init_arg", init_arg)
        .unwrap_or_else(no_arguments);
    let drain = reader.section(section, "drain", DRAIN);
    let drain = DrainSpec {
        method: reader.optional(&drain, "method", text),
        deadline: reader
            .optional(&drain, "deadline", duration)
            .unwrap_or(DRAIN_DEADLINE),
    };
    (
        RoleSpec {
            name,
            module: ModuleHash([0; 32]),
            init_arg,
            drain,
            health: read_health(reader, section),
            pulls: read_pulls(reader, section),
            reuse: reader.or(section, "reuse", reuse, Reuse::SameRole),
            top_up: read_top_up(reader, section),
            upgrade: read_upgrade(reader, section),
            children_first: reader.or(section, "children", children, false),
        },
        module,
    )
}

fn read_health(reader: &mut Reader<'_>, role: &Section<'_>) -> Option<HealthSpec> {
    let section = reader.section(role, "health", HEALTH);
    section.is_there().then(|| HealthSpec {
        method: reader.required(&section, "method", "\"health\"", text),
        grace: reader
            .optional(&section, "grace", duration)
            .unwrap_or(GRACE),
    })
}

fn read_top_up(reader: &mut Reader<'_>, parent: &Section<'_>) -> Option<TopUpSpec> {
    let section = reader.section(parent, "top_up", TOP_UP);
    section.is_there().then(|| TopUpSpec {
        below: reader.required(&section, "below", "\"1T\"", cycles),
        to: reader.required(&section, "to", "\"2T\"", cycles),
        each: reader.required(&section, "each", "\"5T\"", cycles),
        all: reader.required(&section, "all", "\"50T\"", cycles),
    })
}

/// `{}` says that members are upgraded, with every default.
fn read_upgrade(reader: &mut Reader<'_>, role: &Section<'_>) -> Option<UpgradeSpec> {
    let section = reader.section(role, "upgrade", UPGRADE);
    let it = UpgradeSpec::default();
    section.is_there().then(|| UpgradeSpec {
        failures: reader.or(&section, "failures", count, it.failures),
        wait: reader.or(&section, "wait", duration, it.wait),
        keep_memory: reader.or(&section, "keep_memory", flag, it.keep_memory),
    })
}

fn read_pulls(reader: &mut Reader<'_>, role: &Section<'_>) -> Vec<PullSpec> {
    reader
        .named(role, "pull", PULL)
        .into_iter()
        .map(|(signal, section)| PullSpec {
            signal,
            method: reader.required(&section, "method", "\"stats\"", text),
            field: reader.optional(&section, "field", text),
            multiply: reader.optional(&section, "multiply", count).unwrap_or(1),
            every: reader
                .optional(&section, "every", duration)
                .unwrap_or(PULL_EVERY),
        })
        .collect()
}
