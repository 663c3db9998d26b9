//! What a fleet spec must satisfy, wherever it comes from.
//!
//! Owns the rules and their words. Where in a file a wrong value stands is `fleet_toml`'s to know;
//! the numbers are in [`limits`].

pub mod limits;

use crate::nearest::did_you_mean;
use hatchery_types::{
    Cycles, DrainSpec, FleetSpec, LanesSpec, Nanos, PoolSpec, Principal, RoleSpec, ScaleSpec,
    TargetSpec, WarmPoolSpec,
};
use limits::{
    CALL_PREPAYMENT, CALLS_KEPT, CONTROLLERS_MAX, CREATION_FEE, DRAIN_DEADLINE, FLOOR_MIN,
    INIT_ARG_BYTES_MAX, INIT_ARGS_BYTES_MAX, LANE_MAX, METHOD_BYTES_MAX, NAME_MAX, PAUSE_MAX,
    PER_WORKER_MAX, PERIOD, POOLS_MAX, RATE_PERCENT_MAX, ROLES_MAX, STALE_AFTER, TOLERANCE_BELOW,
    VALID_FOR, WARM_MAX, WORKERS_MAX,
};
use std::collections::BTreeSet;

/// One thing wrong with a spec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct SpecError {
    /// Where, for example `pools.workers.min`: the keys of `fleet.toml`.
    pub path: String,
    /// What.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Everything wrong with `spec`, in the order of its fields.
///
/// # Errors
/// A list with at least one entry.
pub fn check_spec(spec: &FleetSpec) -> Result<(), Vec<SpecError>> {
    let mut findings = Findings(Vec::new());
    findings.check_name("name", "fleet", &spec.name);
    findings.check_controllers(&spec.controllers);
    findings.check_reserve(spec);
    findings.check_lanes(spec.lanes);
    findings.check_warm_pool(spec.warm_pool);
    findings.check_roles(&spec.roles);
    findings.check_pools(spec);
    if findings.0.is_empty() {
        Ok(())
    } else {
        Err(findings.0)
    }
}

struct Findings(Vec<SpecError>);

impl Findings {
    fn add(
        &mut self,
        path: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.0.push(SpecError {
            path: path.into(),
            message: message.into(),
            hint: hint.into(),
        });
    }

    fn check_name(&mut self, path: &str, what: &str, name: &str) {
        let fits = (1..=NAME_MAX).contains(&name.len());
        if !fits
            || !name
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        {
            self.add(
                path,
                format!("{:?} is not a name for a {what}", shorten(name)),
                format!("use 1 to {NAME_MAX} of the letters a-z, digits and -"),
            );
        }
    }

    fn check_time(&mut self, path: String, what: &str, value: Nanos, [least, most]: [Nanos; 2]) {
        if value < least || value > most {
            self.add(
                path,
                format!("{what} of {} is out of bounds", seconds(value)),
                format!("between {} and {}", seconds(least), seconds(most)),
            );
        }
    }

    fn check_controllers(&mut self, controllers: &[Principal]) {
        let path = "controllers";
        if controllers.len() > CONTROLLERS_MAX {
            self.add(
                path,
                format!("{} controllers beside root", controllers.len()),
                format!("at most {CONTROLLERS_MAX}: the platform takes 10 a canister, root is one"),
            );
        }
        let mut seen = BTreeSet::new();
        for controller in controllers {
            if *controller == Principal::anonymous() {
                self.add(
                    path,
                    "the anonymous principal is a controller",
                    "remove it: anybody in the world could delete the fleet's canisters",
                );
            } else if *controller == Principal::management_canister() {
                self.add(path, "the management canister is a controller", "remove it");
            }
            if !seen.insert(controller) {
                self.add(path, format!("{controller} is there twice"), "remove one");
            }
        }
    }

    fn check_reserve(&mut self, spec: &FleetSpec) {
        let LanesSpec {
            create,
            reset,
            install,
        } = spec.lanes;
        if create.max(reset).max(install) > LANE_MAX {
            return; // check_lanes says so; a reserve for absurd lanes would only confuse
        }
        let calls = create + reset + install + CALLS_KEPT;
        let least = Cycles(u128::from(calls) * CALL_PREPAYMENT.0);
        if spec.reserve < least {
            self.add(
                "reserve",
                format!(
                    "{} is less than calls in flight lock up, {least}",
                    spec.reserve
                ),
                format!(
                    "raise it or narrow the lanes: every call in flight locks 42.1 B, and {create} \
                     + {reset} + {install} lanes + {CALLS_KEPT} for the tick and the operator may \
                     be open at once"
                ),
            );
        }
    }

    fn check_lanes(&mut self, lanes: LanesSpec) {
        for (name, width) in [
            ("create", lanes.create),
            ("reset", lanes.reset),
            ("install", lanes.install),
        ] {
            if !(1..=LANE_MAX).contains(&width) {
                self.add(
                    format!("lanes.{name}"),
                    format!("a lane of {width}"),
                    format!(
                        "between 1 and {LANE_MAX}: the platform takes {LANE_MAX} calls in flight \
                         to one callee"
                    ),
                );
            }
        }
    }

    fn check_warm_pool(&mut self, pool: WarmPoolSpec) {
        if pool.minimum > pool.maximum {
            self.add(
                "warm_pool.minimum",
                format!(
                    "`minimum` is more than `maximum` ({} > {})",
                    pool.minimum, pool.maximum
                ),
                "lower `minimum` or raise `maximum`",
            );
        }
        if pool.maximum > WARM_MAX {
            self.add(
                "warm_pool.maximum",
                format!("{} spare canisters", pool.maximum),
                format!("at most {WARM_MAX}"),
            );
        }
        if pool.floor < FLOOR_MIN {
            self.add(
                "warm_pool.floor",
                format!("{} is too little for an install", pool.floor),
                format!(
                    "at least {FLOOR_MIN}: an install prepays 300 B from the canister, above its \
                     freezing limit"
                ),
            );
        }
        if pool.floor >= pool.cycles.less(CREATION_FEE) {
            self.add(
                "warm_pool.floor",
                format!("a new canister would not reach the floor of {}", pool.floor),
                format!(
                    "keep it below `cycles` less the creation fee: {} - {CREATION_FEE}",
                    pool.cycles
                ),
            );
        }
    }

    fn check_roles(&mut self, roles: &[RoleSpec]) {
        if roles.len() > ROLES_MAX {
            self.add(
                "roles",
                format!("{} roles", roles.len()),
                format!("at most {ROLES_MAX}"),
            );
        }
        let all: usize = roles.iter().map(|role| role.init_arg.len()).sum();
        if all > INIT_ARGS_BYTES_MAX {
            self.add(
                "roles",
                format!("init arguments of {all} bytes in total"),
                format!("at most {INIT_ARGS_BYTES_MAX}: a spec travels in one message"),
            );
        }
        let mut seen = BTreeSet::new();
        for role in roles {
            let path = format!("roles.{}", role.name);
            if !seen.insert(&role.name) {
                self.add(
                    &path,
                    format!("two roles are called `{}`", role.name),
                    "rename one",
                );
            }
            self.check_role(&path, role);
        }
    }

    fn check_role(&mut self, path: &str, role: &RoleSpec) {
        self.check_name(path, "role", &role.name);
        if role.module.0 == [0; 32] {
            self.add(
                format!("{path}.module"),
                "the role has no module",
                "give the sha256 of a wasm module",
            );
        }
        if role.init_arg.len() > INIT_ARG_BYTES_MAX {
            self.add(
                format!("{path}.init_arg"),
                format!("an init argument of {} bytes", role.init_arg.len()),
                format!("at most {INIT_ARG_BYTES_MAX}"),
            );
        }
        self.check_drain(path, &role.drain);
    }

    fn check_drain(&mut self, path: &str, drain: &DrainSpec) {
        if let Some(method) = &drain.method
            && !(1..=METHOD_BYTES_MAX).contains(&method.len())
        {
            self.add(
                format!("{path}.drain.method"),
                format!("a method name of {} bytes", method.len()),
                format!("1 to {METHOD_BYTES_MAX}; leave it out if the worker has none"),
            );
        }
        let deadline = format!("{path}.drain.deadline");
        self.check_time(deadline, "a drain deadline", drain.deadline, DRAIN_DEADLINE);
    }

    fn check_pools(&mut self, spec: &FleetSpec) {
        if spec.pools.len() > POOLS_MAX {
            let message = format!("{} pools", spec.pools.len());
            self.add("pools", message, format!("at most {POOLS_MAX}"));
        }
        let mut seen = BTreeSet::new();
        for pool in &spec.pools {
            let path = format!("pools.{}", pool.name);
            if !seen.insert(&pool.name) {
                self.add(
                    &path,
                    format!("two pools are called `{}`", pool.name),
                    "rename one",
                );
            }
            self.check_name(&path, "pool", &pool.name);
            self.check_pool_role(&path, spec, pool);
            self.check_bounds(&path, pool);
            if let Some(target) = &pool.target {
                self.check_target(&path, pool, target);
            }
            self.check_scale(&format!("{path}.scale_up"), pool.scale_up);
            self.check_scale(&format!("{path}.scale_down"), pool.scale_down);
            if pool.disruption_percent > 100 {
                self.add(
                    format!("{path}.disruption"),
                    format!(
                        "{} % of the members may drain at once",
                        pool.disruption_percent
                    ),
                    "at most 100 %; at least one member always may",
                );
            }
        }
    }

    fn check_pool_role(&mut self, path: &str, spec: &FleetSpec, pool: &PoolSpec) {
        let valid_for = format!("{path}.valid_for");
        self.check_time(
            valid_for.clone(),
            "a discovery answer's life",
            pool.valid_for,
            VALID_FOR,
        );
        let Some(role) = spec.role(&pool.role) else {
            let names: Vec<&str> = spec.roles.iter().map(|role| role.name.as_str()).collect();
            let hint = match (did_you_mean(&pool.role, &names), names.is_empty()) {
                (Some(name), _) => format!("did you mean `{name}`?"),
                (None, true) => "the fleet has no roles: add one".to_owned(),
                (None, false) => format!("there are: {}", names.join(", ")),
            };
            let message = format!("there is no role `{}`", shorten(&pool.role));
            return self.add(format!("{path}.role"), message, hint);
        };
        if role.drain.deadline < pool.valid_for {
            self.add(
                valid_for,
                format!(
                    "longer than role `{}` may drain ({} > {})",
                    role.name,
                    seconds(pool.valid_for),
                    seconds(role.drain.deadline)
                ),
                "raise the role's drain deadline: until then callers may still send work",
            );
        }
    }

    fn check_bounds(&mut self, path: &str, pool: &PoolSpec) {
        let (min, max, initial) = (pool.min, pool.max, pool.initial);
        if max == 0 || max > WORKERS_MAX {
            self.add(
                format!("{path}.max"),
                format!("a maximum of {max} workers"),
                format!("between 1 and {WORKERS_MAX}"),
            );
        } else if min > max {
            self.add(
                format!("{path}.min"),
                format!("`min` is more than `max` ({min} > {max})"),
                "lower `min` or raise `max`",
            );
        } else if initial > max {
            self.add(
                format!("{path}.initial"),
                format!("`initial` is more than `max` ({initial} > {max})"),
                "lower `initial` or raise `max`",
            );
        }
        if min == 0 && pool.target.is_some() {
            self.add(
                format!("{path}.min"),
                "a pool of zero workers gets no signal and would never grow",
                "use at least 1, or leave out the target to keep the pool empty",
            );
        }
    }

    fn check_target(&mut self, pool_path: &str, pool: &PoolSpec, target: &TargetSpec) {
        let path = format!("{pool_path}.target");
        self.check_name(&format!("{path}.signal"), "signal", &target.signal);
        if !(1..=PER_WORKER_MAX).contains(&target.per_worker) {
            self.add(
                format!("{path}.per_worker"),
                format!("a target of {}", target.per_worker),
                "between 1 and 2^53: load is divided by it",
            );
        }
        if target.tolerance_percent >= TOLERANCE_BELOW {
            self.add(
                format!("{path}.tolerance"),
                format!("a tolerance of {} %", target.tolerance_percent),
                format!(
                    "below {TOLERANCE_BELOW} %, else pool `{}` never shrinks",
                    pool.name
                ),
            );
        }
        let stale = format!("{path}.stale_after");
        self.check_time(stale, "a sample's life", target.stale_after, STALE_AFTER);
        let warm_up = format!("{path}.warm_up");
        self.check_time(warm_up, "a warm-up", target.warm_up, [Nanos(0), PAUSE_MAX]);
    }

    fn check_scale(&mut self, path: &str, scale: ScaleSpec) {
        let pause = [Nanos(0), PAUSE_MAX];
        self.check_time(format!("{path}.window"), "a window", scale.window, pause);
        if scale.max_percent == 0 && scale.max_workers == 0 {
            self.add(
                path,
                "`max_percent` and `max_workers` are both zero: the pool never moves",
                "raise one of them; the larger counts",
            );
        }
        if scale.max_percent > RATE_PERCENT_MAX {
            self.add(
                format!("{path}.max_percent"),
                format!("a rate of {} %", scale.max_percent),
                format!("at most {RATE_PERCENT_MAX} %"),
            );
        }
        if scale.max_workers > WORKERS_MAX {
            self.add(
                format!("{path}.max_workers"),
                format!("a rate of {} workers", scale.max_workers),
                format!("at most {WORKERS_MAX}"),
            );
        }
        self.check_time(format!("{path}.period"), "a period", scale.period, PERIOD);
        self.check_time(
            format!("{path}.cooldown"),
            "a cooldown",
            scale.cooldown,
            pause,
        );
    }
}

/// At most twice the longest name: texts of a refusal are bounded.
fn shorten(name: &str) -> String {
    name.chars().take(2 * NAME_MAX).collect()
}

/// A time for people: whole hours, minutes or seconds, as `fleet.toml` writes them.
fn seconds(time: Nanos) -> String {
    match time.as_secs() {
        s if !time.0.is_multiple_of(1_000_000_000) => format!("{s}.{:09}s", time.0 % 1_000_000_000),
        s if s > 0 && s % 3_600 == 0 => format!("{}h", s / 3_600),
        s if s > 0 && s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

#[cfg(test)]
mod tests;
