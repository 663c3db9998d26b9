//! What a worker pool must satisfy, its signals apart.

use super::limits::{
    EVERY, LEASE_CALL_MAX, PAUSE_MAX, PERIOD, POOLS_MAX, RATE_PERCENT_MAX, TTL, VALID_FOR,
    WINDOWS_MAX, WORKERS_MAX,
};
use super::{Findings, seconds, shorten};
use crate::nearest::did_you_mean;
use hatchery_types::{
    BufferSpec, FleetSpec, LeaseSpec, Nanos, ParentSpec, PoolSpec, ScaleSpec, WindowSpec,
};
use std::collections::BTreeSet;

impl Findings {
    pub(super) fn check_pools(&mut self, spec: &FleetSpec) {
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
            self.check_pool(&path, spec, pool);
        }
    }

    fn check_pool(&mut self, path: &str, spec: &FleetSpec, pool: &PoolSpec) {
        self.check_name(path, "pool", &pool.name);
        self.check_pool_role(path, spec, pool);
        self.check_bounds(path, pool);
        self.check_signals(path, spec, pool);
        self.check_scale(&format!("{path}.scale_up"), pool.scale_up);
        self.check_scale(&format!("{path}.scale_down"), pool.scale_down);
        self.check_share(path, "disruption", pool.disruption_percent);
        self.check_share(path, "breaker", pool.breaker_percent);
        self.check_buffer(path, pool);
        self.check_schedule(path, &pool.schedule, (pool.max, "`max`"));
        if let Some(lease) = pool.lease {
            self.check_lease(&format!("{path}.lease"), lease);
        }
        let protection = format!("{path}.protection");
        let bounds = [Nanos(0), PAUSE_MAX];
        self.check_time(protection, "a protection", pool.protection_max, bounds);
        self.check_parent(path, spec, pool);
    }

    fn check_share(&mut self, path: &str, key: &str, percent: u32) {
        if percent > 100 {
            self.add(
                format!("{path}.{key}"),
                format!("{percent} % of the members"),
                "at most 100 %; at least one member always may",
            );
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
            return self.no_role(format!("{path}.role"), spec, &pool.role);
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

    fn no_role(&mut self, path: String, spec: &FleetSpec, wanted: &str) {
        let names: Vec<&str> = spec.roles.iter().map(|role| role.name.as_str()).collect();
        let hint = match (did_you_mean(wanted, &names), names.is_empty()) {
            (Some(name), _) => format!("did you mean `{name}`?"),
            (None, true) => "the fleet has no roles: add one".to_owned(),
            (None, false) => format!("there are: {}", names.join(", ")),
        };
        let message = format!("there is no role `{}`", shorten(wanted));
        self.add(path, message, hint);
    }

    fn check_parent(&mut self, path: &str, spec: &FleetSpec, pool: &PoolSpec) {
        if let Some(ParentSpec::Role(role)) = &pool.parent {
            if spec.role(role).is_none() {
                self.no_role(format!("{path}.parent.role"), spec, role);
            } else if *role == pool.role {
                self.add(
                    format!("{path}.parent.role"),
                    "the members of the pool would be their own parents",
                    "name the role of the hub",
                );
            }
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
        } else if pool.standby > max {
            self.add(
                format!("{path}.standby"),
                format!("`standby` is more than `max` ({} > {max})", pool.standby),
                "lower `standby` or raise `max`",
            );
        }
        if min == 0 && !pool.signals.is_empty() && !pool.wakes_from_zero() {
            self.add(
                format!("{path}.min"),
                "a pool of zero workers gets no signal and would never grow",
                "use at least 1, or add what wakes it: a signal of scope \"pool\", a lease, a \
                 buffer or a schedule",
            );
        }
    }

    fn check_buffer(&mut self, path: &str, pool: &PoolSpec) {
        let (wrong, hint) = match pool.buffer {
            Some(BufferSpec::Percent(percent)) => (
                percent >= 100,
                "below 100 %: a share of all workers is kept free",
            ),
            Some(BufferSpec::Workers(workers)) => (workers > pool.max, "at most the pool's `max`"),
            None => return,
        };
        if wrong {
            let message = "a buffer that the pool can never have";
            self.add(format!("{path}.buffer"), message, hint);
        }
    }

    /// Windows of what has `most` workers or canisters at most, its name for people.
    pub(super) fn check_schedule(
        &mut self,
        path: &str,
        schedule: &[WindowSpec],
        (most, name): (u32, &str),
    ) {
        if schedule.len() > WINDOWS_MAX {
            self.add(
                format!("{path}.schedule"),
                format!("{} windows", schedule.len()),
                format!("at most {WINDOWS_MAX}"),
            );
        }
        for (index, window) in schedule.iter().enumerate() {
            let path = format!("{path}.schedule.{index}");
            self.check_window(&path, window);
            if window.min.max(window.desired) > most {
                let message = format!("a window that wants more than {name}");
                self.add(path, message, format!("lower its numbers or raise {name}"));
            }
        }
    }

    fn check_window(&mut self, path: &str, window: &WindowSpec) {
        if window.from >= window.to {
            self.add(
                format!("{path}.to"),
                "a window that ends before it begins",
                "set `to` after `from`",
            );
        }
        if window.every.0 > 0 {
            let every = format!("{path}.every");
            self.check_time(every, "a window's return", window.every, EVERY);
            if window.every < window.to.since(window.from) {
                self.add(
                    format!("{path}.every"),
                    "a window that begins again before it ends",
                    "raise `every`, or shorten the window",
                );
            }
        }
    }

    fn check_lease(&mut self, path: &str, lease: LeaseSpec) {
        self.check_time(format!("{path}.ttl"), "a lease", lease.ttl, TTL);
        self.check_time(format!("{path}.ttl_max"), "a lease", lease.ttl_max, TTL);
        if lease.ttl > lease.ttl_max {
            self.add(
                format!("{path}.ttl"),
                "`ttl` is more than `ttl_max`",
                "lower `ttl` or raise `ttl_max`",
            );
        }
        if !(1..=LEASE_CALL_MAX).contains(&lease.call_max) {
            self.add(
                format!("{path}.call_max"),
                format!("{} workers a call", lease.call_max),
                format!("between 1 and {LEASE_CALL_MAX}"),
            );
        }
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
