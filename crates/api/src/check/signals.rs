//! What the signals of a pool must satisfy.

use super::limits::{
    MEASURED_STALE_MIN, PAUSE_MAX, PER_WORKER_MAX, SIGNALS_MAX, STALE_AFTER, TOLERANCE_BELOW,
};
use super::{Findings, seconds};
use hatchery_types::{FleetSpec, Missing, Nanos, PoolSpec, Scope, SignalSpec, Source};
use std::collections::BTreeSet;

impl Findings {
    pub(super) fn check_signals(&mut self, pool_path: &str, spec: &FleetSpec, pool: &PoolSpec) {
        if pool.signals.len() > SIGNALS_MAX {
            self.add(
                format!("{pool_path}.signals"),
                format!("{} signals", pool.signals.len()),
                format!("at most {SIGNALS_MAX}"),
            );
        }
        let mut seen = BTreeSet::new();
        for signal in &pool.signals {
            let path = format!("{pool_path}.signals.{}", signal.name);
            if !seen.insert(&signal.name) {
                let message = format!("two signals are called `{}`", signal.name);
                self.add(&path, message, "rename one");
            }
            self.check_name(&path, "signal", &signal.name);
            self.check_target(&path, pool, signal);
            self.check_source(&path, spec, pool, signal);
        }
    }

    fn check_target(&mut self, path: &str, pool: &PoolSpec, signal: &SignalSpec) {
        if !(1..=PER_WORKER_MAX).contains(&signal.target) {
            self.add(
                format!("{path}.target"),
                format!("a target of {}", signal.target),
                "between 1 and 2^53: load is divided by it",
            );
        }
        if signal.tolerance_percent >= TOLERANCE_BELOW {
            self.add(
                format!("{path}.tolerance"),
                format!("a tolerance of {} %", signal.tolerance_percent),
                format!(
                    "below {TOLERANCE_BELOW} %, else pool `{}` never shrinks",
                    pool.name
                ),
            );
        }
        if signal.activation > 0 && signal.scope == Scope::Worker {
            self.add(
                format!("{path}.activation"),
                "only a total wakes a pool from zero",
                "set scope = \"pool\", or leave the activation out",
            );
        }
        if let Missing::Fallback(workers) = signal.missing
            && workers > pool.max
        {
            let message = format!("a fallback of {workers} workers, more than `max`");
            self.add(
                format!("{path}.missing"),
                message,
                "at most the pool's `max`",
            );
        }
        let stale = format!("{path}.stale_after");
        self.check_time(stale, "a sample's life", signal.stale_after, STALE_AFTER);
        let warm_up = format!("{path}.warm_up");
        self.check_time(warm_up, "a warm-up", signal.warm_up, [Nanos(0), PAUSE_MAX]);
    }

    fn check_source(&mut self, path: &str, spec: &FleetSpec, pool: &PoolSpec, signal: &SignalSpec) {
        if signal.scope == Scope::Pool && signal.source != Source::Pushed {
            self.add(
                format!("{path}.source"),
                "a total can only be reported, by the pool's parent",
                "leave the source out, or set scope = \"worker\"",
            );
        }
        if signal.scope == Scope::Pool && pool.parent.is_none() {
            self.add(
                path,
                "nobody may report this total",
                "name the pool's parent: `parent = { canister = \"…\" }` or a role",
            );
        }
        let role = spec.role(&pool.role);
        let pull = role.and_then(|role| role.pulls.iter().find(|it| it.signal == signal.name));
        match signal.source {
            Source::Pulled => match pull {
                None => self.add(
                    format!("{path}.source"),
                    format!(
                        "role `{}` has no method for this signal",
                        super::shorten(&pool.role)
                    ),
                    format!("add `[roles.{}.pull.{}]`", pool.role, signal.name),
                ),
                Some(pull) if pull.every > signal.stale_after => self.add(
                    format!("{path}.stale_after"),
                    format!("samples are asked for every {} only", seconds(pull.every)),
                    "let them live at least that long",
                ),
                Some(_) => {}
            },
            Source::Burn | Source::Queries if signal.stale_after < MEASURED_STALE_MIN => {
                self.add(
                    format!("{path}.stale_after"),
                    format!("a sample's life of {}", seconds(signal.stale_after)),
                    format!(
                        "at least {}: the platform measures no faster",
                        seconds(MEASURED_STALE_MIN)
                    ),
                );
            }
            _ => {}
        }
    }
}
