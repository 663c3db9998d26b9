//! The sections of `fleet.toml`, their fields and their defaults.

use super::ModulePath;
use super::error::Position;
use super::read::{Reader, Section};
use super::values::{
    count, cycles, duration, init_arg, no_arguments, percent, principals, text, visibility, whole,
};
use hatchery_types::{
    Cycles, DrainSpec, FleetSpec, LanesSpec, ModuleHash, Nanos, PoolSpec, RoleSpec, ScaleSpec,
    TargetSpec, WarmPoolSpec,
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
];
const LANES: &[&str] = &["create", "reset", "install"];
const WARM_POOL: &[&str] = &["minimum", "maximum", "cycles", "floor"];
const ROLE: &[&str] = &["module", "init_arg", "drain"];
const DRAIN: &[&str] = &["method", "deadline"];
const POOL: &[&str] = &[
    "role",
    "min",
    "max",
    "initial",
    "target",
    "scale_up",
    "scale_down",
    "disruption",
    "valid_for",
];
const TARGET: &[&str] = &[
    "signal",
    "per_worker",
    "tolerance",
    "stale_after",
    "warm_up",
];
const SCALE: &[&str] = &["window", "max_percent", "max_workers", "period", "cooldown"];

const RESERVE: Cycles = Cycles(10 * Cycles::T);
const CREATION_CYCLES: Cycles = Cycles(5 * Cycles::T);
const FLOOR: Cycles = Cycles(Cycles::T);
const DRAIN_DEADLINE: Nanos = Nanos::from_secs(300);
const VALID_FOR: Nanos = Nanos::from_secs(30);
const STALE_AFTER: Nanos = Nanos::from_secs(180);
const WARM_UP: Nanos = Nanos::from_secs(60);

/// Up at once, at most doubling or by four every 15 seconds.
const SCALE_UP: ScaleSpec = ScaleSpec {
    window: Nanos(0),
    max_percent: 100,
    max_workers: 4,
    period: Nanos::from_secs(15),
    cooldown: Nanos(0),
};
/// Down to the highest wish of five minutes.
const SCALE_DOWN: ScaleSpec = ScaleSpec {
    window: Nanos::from_secs(300),
    max_workers: 0,
    ..SCALE_UP
};

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
        .map(|(name, section)| read_pool(reader, name, &section))
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
        },
        modules,
    )
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
    WarmPoolSpec {
        minimum: reader.required(&section, "minimum", "5", count),
        maximum: reader.required(&section, "maximum", "20", count),
        cycles: reader
            .optional(&section, "cycles", cycles)
            .unwrap_or(CREATION_CYCLES),
        floor: reader.optional(&section, "floor", cycles).unwrap_or(FLOOR),
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
        },
        module,
    )
}

fn read_pool(reader: &mut Reader<'_>, name: String, section: &Section<'_>) -> PoolSpec {
    let role = reader.required(section, "role", "\"worker\"", text);
    let min = reader.required(section, "min", "1", count);
    let max = reader.required(section, "max", "12", count);
    PoolSpec {
        name,
        role,
        min,
        max,
        initial: reader.optional(section, "initial", count).unwrap_or(min),
        target: read_target(reader, section),
        scale_up: read_scale(reader, section, "scale_up", SCALE_UP),
        scale_down: read_scale(reader, section, "scale_down", SCALE_DOWN),
        disruption_percent: reader
            .optional(section, "disruption", percent)
            .unwrap_or(10),
        valid_for: reader
            .optional(section, "valid_for", duration)
            .unwrap_or(VALID_FOR),
    }
}

fn read_target(reader: &mut Reader<'_>, pool: &Section<'_>) -> Option<TargetSpec> {
    let section = reader.section(pool, "target", TARGET);
    section.is_there().then(|| TargetSpec {
        signal: reader.required(&section, "signal", "\"depth\"", text),
        per_worker: reader.required(&section, "per_worker", "10", whole),
        tolerance_percent: reader
            .optional(&section, "tolerance", percent)
            .unwrap_or(10),
        stale_after: reader
            .optional(&section, "stale_after", duration)
            .unwrap_or(STALE_AFTER),
        warm_up: reader
            .optional(&section, "warm_up", duration)
            .unwrap_or(WARM_UP),
    })
}

fn read_scale(
    reader: &mut Reader<'_>,
    pool: &Section<'_>,
    key: &str,
    default: ScaleSpec,
) -> ScaleSpec {
    let section = reader.section(pool, key, SCALE);
    ScaleSpec {
        window: reader
            .optional(&section, "window", duration)
            .unwrap_or(default.window),
        max_percent: reader
            .optional(&section, "max_percent", percent)
            .unwrap_or(default.max_percent),
        max_workers: reader
            .optional(&section, "max_workers", count)
            .unwrap_or(default.max_workers),
        period: reader
            .optional(&section, "period", duration)
            .unwrap_or(default.period),
        cooldown: reader
            .optional(&section, "cooldown", duration)
            .unwrap_or(default.cooldown),
    }
}
