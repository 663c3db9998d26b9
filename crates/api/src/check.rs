//! What a fleet spec must satisfy, wherever it comes from.
//!
//! Owns the rules and their words. Where in a file a wrong value stands is `fleet_toml`'s to know;
//! the numbers are in [`limits`].

mod grants;
pub mod limits;
mod pools;
mod signals;
mod top_ups;
mod upgrades;

use hatchery_types::{
    Cycles, DrainSpec, FleetSpec, HealthSpec, LanesSpec, Nanos, Principal, PullSpec, RoleSpec,
    WarmPoolSpec,
};
use limits::{
    CALL_PREPAYMENT, CALLS_KEPT, CONTROLLERS_MAX, CREATION_FEE, DRAIN_DEADLINE, FIRST_CHECK,
    FLOOR_MIN, GRACE, INIT_ARG_BYTES_MAX, INIT_ARGS_BYTES_MAX, LANE_MAX, METHOD_BYTES_MAX,
    MULTIPLY_MAX, NAME_MAX, PULL_EVERY, ROLES_MAX, SIGNALS_MAX, TARGET_PERCENT_MAX, WARM_MAX,
    WATCHDOG,
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
    findings.check_warm_pool(&spec.warm_pool);
    findings.check_sweep(&spec.warm_pool);
    findings.check_sizing(&spec.warm_pool);
    findings.check_roles(&spec.roles);
    findings.check_top_ups(spec);
    findings.check_pools(spec);
    findings.check_grants(spec);
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

    fn check_warm_pool(&mut self, pool: &WarmPoolSpec) {
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

    fn check_sweep(&mut self, pool: &WarmPoolSpec) {
        if let Some(line) = pool.sweep_above.filter(|line| *line < pool.cycles) {
            self.add(
                "warm_pool.sweep_above",
                format!("a new canister would hold more than {line} and be swept at once"),
                format!(
                    "at least `cycles`, {}; the default is twice that",
                    pool.cycles
                ),
            );
        }
    }

    fn check_sizing(&mut self, pool: &WarmPoolSpec) {
        let path = "warm_pool";
        if pool.target_percent > TARGET_PERCENT_MAX {
            self.add(
                "warm_pool.target",
                format!("{} % of the fleet spare", pool.target_percent),
                format!("at most {TARGET_PERCENT_MAX}%"),
            );
        }
        let most = (pool.maximum, "`maximum`");
        self.check_schedule(path, &pool.schedule, most);
        let heir = pool.release_to.map(|to| to.0);
        if heir == Some(Principal::anonymous()) || heir == Some(Principal::management_canister()) {
            self.add(
                "warm_pool.surplus",
                "nobody can use a canister released to this principal",
                "write \"delete\", or the principal that gets the surplus",
            );
        }
        let times = [
            (
                "first_check",
                "the first check",
                pool.first_check,
                FIRST_CHECK,
            ),
            ("watchdog", "the watchdog", pool.watchdog, WATCHDOG),
        ];
        for (key, what, time, bounds) in times {
            if time != Nanos(0) {
                self.check_time(format!("{path}.{key}"), what, time, bounds);
            }
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
        if let Some(health) = &role.health {
            self.check_health(&format!("{path}.health"), health);
        }
        if let Some(upgrade) = &role.upgrade {
            self.check_upgrade(&format!("{path}.upgrade"), upgrade);
        }
        self.check_pulls(path, &role.pulls);
    }

    fn check_method(&mut self, path: String, method: &str) {
        if !(1..=METHOD_BYTES_MAX).contains(&method.len()) {
            self.add(
                path,
                format!("a method name of {} bytes", method.len()),
                format!("1 to {METHOD_BYTES_MAX}; leave it out if the worker has none"),
            );
        }
    }

    fn check_health(&mut self, path: &str, health: &HealthSpec) {
        self.check_method(format!("{path}.method"), &health.method);
        let grace = format!("{path}.grace");
        self.check_time(grace, "a start-up check's grace", health.grace, GRACE);
    }

    fn check_pulls(&mut self, role_path: &str, pulls: &[PullSpec]) {
        if pulls.len() > SIGNALS_MAX {
            self.add(
                format!("{role_path}.pull"),
                format!("{} numbers to ask for", pulls.len()),
                format!("at most {SIGNALS_MAX}"),
            );
        }
        let mut seen = BTreeSet::new();
        for pull in pulls {
            let path = format!("{role_path}.pull.{}", pull.signal);
            self.check_name(&path, "signal", &pull.signal);
            if !seen.insert(&pull.signal) {
                let message = format!("signal `{}` is asked for twice", pull.signal);
                self.add(&path, message, "remove one");
            }
            self.check_method(format!("{path}.method"), &pull.method);
            if let Some(field) = &pull.field {
                self.check_method(format!("{path}.field"), field);
            }
            if !(1..=MULTIPLY_MAX).contains(&pull.multiply) {
                self.add(
                    format!("{path}.multiply"),
                    format!("a factor of {}", pull.multiply),
                    format!("between 1 and {MULTIPLY_MAX}"),
                );
            }
            let every = format!("{path}.every");
            self.check_time(
                every,
                "the time between two questions",
                pull.every,
                PULL_EVERY,
            );
        }
    }

    fn check_drain(&mut self, path: &str, drain: &DrainSpec) {
        if let Some(method) = &drain.method {
            self.check_method(format!("{path}.drain.method"), method);
        }
        let deadline = format!("{path}.drain.deadline");
        self.check_time(deadline, "a drain deadline", drain.deadline, DRAIN_DEADLINE);
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
