//! The section of a worker pool: its fields; defaults are those of [`PoolSpec::new`].

use super::read::{Reader, Section};
use super::values::{
    buffer, count, duration, flag, instant, lease_end, missing, percent, principal, scope, source,
    text, whole,
};
use hatchery_types::{
    CanisterId, LeaseSpec, Nanos, ParentSpec, PoolSpec, ScaleSpec, SignalSpec, WindowSpec,
};

pub(super) const POOL: &[&str] = &[
    "role",
    "min",
    "max",
    "initial",
    "signals",
    "scale_up",
    "scale_down",
    "disruption",
    "valid_for",
    "buffer",
    "schedule",
    "standby",
    "lease",
    "protection",
    "breaker",
    "enabled",
    "parent",
];
const SIGNAL: &[&str] = &[
    "target",
    "tolerance",
    "stale_after",
    "warm_up",
    "scope",
    "source",
    "missing",
    "activation",
];
const SCALE: &[&str] = &["window", "max_percent", "max_workers", "period", "cooldown"];
const WINDOW: &[&str] = &["from", "to", "every", "min", "desired"];
const LEASE: &[&str] = &["ttl", "ttl_max", "call_max", "expired", "released"];
const PARENT: &[&str] = &["canister", "role"];

/// Reads one pool.
pub(super) fn read_pool(reader: &mut Reader<'_>, name: &str, section: &Section<'_>) -> PoolSpec {
    let role = reader.required(section, "role", "\"worker\"", text);
    let min = reader.required(section, "min", "1", count);
    let max = reader.required(section, "max", "12", count);
    let mut pool = PoolSpec::new(name, &role, min, max);
    pool.initial = reader.or(section, "initial", count, pool.initial);
    pool.signals = reader
        .named(section, "signals", SIGNAL)
        .into_iter()
        .map(|(name, section)| read_signal(reader, &name, &section))
        .collect();
    pool.scale_up = read_scale(reader, section, "scale_up", pool.scale_up);
    pool.scale_down = read_scale(reader, section, "scale_down", pool.scale_down);
    pool.disruption_percent = reader.or(section, "disruption", percent, pool.disruption_percent);
    pool.valid_for = reader.or(section, "valid_for", duration, pool.valid_for);
    pool.buffer = reader.optional(section, "buffer", buffer);
    pool.schedule = read_schedule(reader, section);
    pool.standby = reader.or(section, "standby", count, pool.standby);
    pool.lease = read_lease(reader, section);
    pool.protection_max = reader.or(section, "protection", duration, pool.protection_max);
    pool.breaker_percent = reader.or(section, "breaker", percent, pool.breaker_percent);
    pool.enabled = reader.or(section, "enabled", flag, pool.enabled);
    pool.parent = read_parent(reader, section);
    pool
}

fn read_signal(reader: &mut Reader<'_>, name: &str, section: &Section<'_>) -> SignalSpec {
    let target = reader.required(section, "target", "10", whole);
    let it = SignalSpec::new(name, target);
    SignalSpec {
        tolerance_percent: reader.or(section, "tolerance", percent, it.tolerance_percent),
        stale_after: reader.or(section, "stale_after", duration, it.stale_after),
        warm_up: reader.or(section, "warm_up", duration, it.warm_up),
        scope: reader.or(section, "scope", scope, it.scope),
        source: reader.or(section, "source", source, it.source),
        missing: reader.or(section, "missing", missing, it.missing),
        activation: reader.or(section, "activation", whole, it.activation),
        ..it
    }
}

/// The windows of a pool.
fn read_schedule(reader: &mut Reader<'_>, pool: &Section<'_>) -> Vec<WindowSpec> {
    let windows = reader.list(pool, "schedule", WINDOW);
    let windows = windows.iter();
    windows.map(|window| read_window(reader, window)).collect()
}

fn read_window(reader: &mut Reader<'_>, section: &Section<'_>) -> WindowSpec {
    let (from, to, every) = read_times(reader, section);
    WindowSpec {
        from,
        to,
        every,
        min: reader.or(section, "min", count, 0),
        desired: reader.or(section, "desired", count, 0),
    }
}

/// When a window begins and ends, and after how long it begins again.
pub(super) fn read_times(reader: &mut Reader<'_>, section: &Section<'_>) -> (Nanos, Nanos, Nanos) {
    (
        reader.required(section, "from", "2026-01-05T08:00:00Z", instant),
        reader.required(section, "to", "2026-01-05T18:00:00Z", instant),
        reader.or(section, "every", duration, Nanos(0)),
    )
}

fn read_lease(reader: &mut Reader<'_>, pool: &Section<'_>) -> Option<LeaseSpec> {
    let section = reader.section(pool, "lease", LEASE);
    let it = LeaseSpec::default();
    section.is_there().then(|| LeaseSpec {
        ttl: reader.or(&section, "ttl", duration, it.ttl),
        ttl_max: reader.or(&section, "ttl_max", duration, it.ttl_max),
        call_max: reader.or(&section, "call_max", count, it.call_max),
        expired: reader.or(&section, "expired", lease_end, it.expired),
        released: reader.or(&section, "released", lease_end, it.released),
    })
}

fn read_parent(reader: &mut Reader<'_>, pool: &Section<'_>) -> Option<ParentSpec> {
    let section = reader.section(pool, "parent", PARENT);
    if !section.is_there() {
        return None;
    }
    let canister = reader.optional(&section, "canister", principal);
    let role = reader.optional(&section, "role", text);
    match (canister, role) {
        (Some(id), None) => Some(ParentSpec::Canister(CanisterId(id))),
        (None, Some(role)) => Some(ParentSpec::Role(role)),
        _ => {
            let place = reader.place_of(&section.path);
            let message = "a parent is one canister or one role";
            reader.refuse(place, message, "write `parent = { role = \"hub\" }`");
            None
        }
    }
}

fn read_scale(reader: &mut Reader<'_>, pool: &Section<'_>, key: &str, it: ScaleSpec) -> ScaleSpec {
    let section = reader.section(pool, key, SCALE);
    ScaleSpec {
        window: reader.or(&section, "window", duration, it.window),
        max_percent: reader.or(&section, "max_percent", percent, it.max_percent),
        max_workers: reader.or(&section, "max_workers", count, it.max_workers),
        period: reader.or(&section, "period", duration, it.period),
        cooldown: reader.or(&section, "cooldown", duration, it.cooldown),
    }
}
