//! What the facts about a fleet say of its health, one finding each, with what to do.

use super::{Facts, File, Finding, State};
use crate::show::amount;
use hatchery_api::RowView;
use hatchery_types::{Nanos, Phase};

/// A row that moves is done long before; a drain has its own deadline.
const STUCK_AFTER: Nanos = Nanos::from_secs(30 * 60);
/// Root wakes at least so often, and half as much again for a busy subnet.
const ASLEEP_AFTER: Nanos = Nanos::from_secs(45 * 60);
/// Clocks this far apart are wrong, one of them.
const APART: Nanos = Nanos::from_secs(60);
/// Requests live five minutes (interface specification, "Authentication"): this far apart most of
/// them are refused.
const TOO_FAR_APART: Nanos = Nanos::from_secs(4 * 60);
/// This program's.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Every finding, good ones too, in the order in which they matter.
pub(super) fn examine(facts: &Facts) -> Vec<Finding> {
    vec![
        reachable(facts),
        version(facts),
        controllers(facts),
        memory(facts),
        health(facts),
        cycles(facts),
        funding(facts),
        clock(facts),
        timer(facts),
        rows(facts),
        failures(facts),
        creations(facts),
        pause(facts),
        spec(facts),
        modules(facts),
        rollouts(facts),
        invariants(facts),
    ]
}

/// Whether a canister is on its way to somewhere else, and should arrive soon.
pub(super) fn moves(phase: Phase) -> bool {
    !matches!(
        phase,
        Phase::Ready
            | Phase::InService
            | Phase::Leased
            | Phase::Standby
            | Phase::Failed
            | Phase::Lost
            | Phase::Draining
    )
}

fn finding(what: &str, state: State, text: impl Into<String>) -> Finding {
    Finding {
        what: what.to_owned(),
        state,
        text: text.into(),
        hint: None,
    }
}

impl Finding {
    fn hint(mut self, hint: &str) -> Finding {
        self.hint = Some(hint.to_owned());
        self
    }
}

fn reachable(facts: &Facts) -> Finding {
    let text = format!("{} answers at {}", facts.root, facts.url);
    finding("root", State::Good, text)
}

fn version(facts: &Facts) -> Finding {
    let theirs = facts.live.as_ref().map(|live| live.version.as_str());
    let module = facts.module.map_or("none".to_owned(), amount::hash);
    let text = match theirs {
        Some(theirs) => format!("root {theirs}, this program {VERSION}, module {module}"),
        None => format!("root does not say, this program {VERSION}, module {module}"),
    };
    let is_carried = facts.module.is_some_and(|it| facts.carried.contains(&it));
    match theirs {
        None => finding("version", State::Warning, text)
            .hint("a root older than its page, or no root: `hatchery deploy` upgrades it"),
        Some(theirs) if theirs != VERSION => finding("version", State::Warning, text).hint(
            "the older one may not know what the newer asks: `hatchery deploy` upgrades root",
        ),
        _ if facts.carried.is_empty() => finding("version", State::Good, text),
        _ if is_carried => finding("version", State::Good, text + ", the one carried here"),
        _ => finding(
            "version",
            State::Warning,
            text + ", not the one carried here",
        )
        .hint(
            "another build of this version: `hatchery deploy` brings root to the one carried here",
        ),
    }
}

fn controllers(facts: &Facts) -> Finding {
    let count = facts.controllers.len();
    let is_ours = facts.controllers.contains(&facts.me);
    let text = format!("{count} of root");
    match (count, is_ours) {
        (0, _) => finding("controllers", State::Bad, "root has none: nobody can upgrade it")
            .hint("nothing can be done; deploy another root and hand it the canisters"),
        (1, _) if !facts.is_local => finding("controllers", State::Warning, "root has only one")
            .hint("a lost key would be a lost fleet: `icp canister settings update ROOT --add-controller …`"),
        (_, true) => finding("controllers", State::Good, text),
        (_, false) => finding("controllers", State::Warning, text + ", this identity not among them")
            .hint("commands that change the fleet will be refused: --identity"),
    }
}

fn memory(facts: &Facts) -> Finding {
    match &facts.status.recovery.held_back {
        None => finding("memory", State::Good, "root does its work"),
        Some(reason) => finding("memory", State::Bad, reason.text.clone())
            .hint("`hatchery recover` names its canisters; see the runbook"),
    }
}

fn health(facts: &Facts) -> Finding {
    match &facts.live {
        None => finding("health", State::Warning, "root does not say")
            .hint("`hatchery metrics` asks it in the same way"),
        Some(live) if live.health.is_empty() => finding("health", State::Good, "nobody need look"),
        Some(live) => finding("health", State::Bad, live.health.join("; "))
            .hint("`hatchery why` says more; the runbook has a line for each"),
    }
}

fn cycles(facts: &Facts) -> Finding {
    let holds = facts.status.cycles;
    let held = amount::cycles(holds.0);
    let Some((reserve, next)) = facts.prices else {
        return finding("cycles", State::Good, format!("root holds {held}"));
    };
    let text = format!(
        "root holds {held}, its reserve is {}",
        amount::cycles(reserve.0)
    );
    match holds.0 {
        less if less <= reserve.0 => finding("cycles", State::Bad, text)
            .hint("it pays for nothing: `hatchery cycles top-up`"),
        less if less < reserve.0.saturating_add(next.0) => finding("cycles", State::Warning, text)
            .hint("not enough for one more canister: `hatchery cycles top-up`"),
        _ => finding("cycles", State::Good, text),
    }
}

/// Root pays for its members within budgets; a week is time enough to be told.
fn funding(facts: &Facts) -> Finding {
    const WEEK_HOURS: u64 = 7 * 24;
    let funding = &facts.status.funding;
    let text = super::super::status::funding(funding);
    match funding.hours_left {
        Some(hours) if hours < WEEK_HOURS => finding("funding", State::Warning, text)
            .hint("less than a week: `hatchery cycles top-up`"),
        _ if funding.needy > 0 && funding.reason.name != "satisfied" => {
            finding("funding", State::Warning, text).hint(
                "canisters wait for cycles: `hatchery cycles show`, and [top_up] in fleet.toml",
            )
        }
        _ => finding("funding", State::Good, text),
    }
}

/// Root's time against this machine's.
fn clock(facts: &Facts) -> Finding {
    let Some(live) = &facts.live else {
        return finding("clock", State::Good, "root does not say what time it is");
    };
    let (root, here) = (live.now, facts.now);
    let apart = Nanos(root.0.abs_diff(here.0));
    let text = match root < here {
        _ if apart <= APART => "root and this machine agree".to_owned(),
        true => format!(
            "root is {} behind this machine",
            amount::span(apart.as_secs())
        ),
        false => format!(
            "root is {} ahead of this machine",
            amount::span(apart.as_secs())
        ),
    };
    match apart {
        near if near <= APART => finding("clock", State::Good, text),
        far if far > TOO_FAR_APART => finding("clock", State::Bad, text)
            .hint("requests live five minutes: set this machine's clock"),
        _ => finding("clock", State::Warning, text).hint("set this machine's clock"),
    }
}

/// By root's own clock, where it says its time.
fn timer(facts: &Facts) -> Finding {
    let now = facts.live.as_ref().map_or(facts.now, |live| live.now);
    match facts.status.next_wake {
        None => finding("timer", State::Good, "root wakes in at most 30m"),
        Some(at) if now.since(at) > ASLEEP_AFTER => {
            let text = format!("root should have woken {} ago", amount::age(at, now));
            finding("timer", State::Bad, text)
                .hint("out of cycles, or stopped? its logs say; an upgrade to the same module starts it again")
        }
        Some(at) => {
            let wakes = amount::span(at.since(now).as_secs());
            finding(
                "timer",
                State::Good,
                format!("root wakes in at most {wakes}"),
            )
        }
    }
}

fn rows(facts: &Facts) -> Finding {
    let all: u64 = facts.status.phases.iter().map(|(_, count)| *count).sum();
    let moving = facts
        .status
        .phases
        .iter()
        .filter(|(phase, _)| moves(*phase));
    let moving: u64 = moving.map(|(_, count)| *count).sum();
    let seen = facts.moving.len() as u64;
    let stuck: Vec<&RowView> = facts
        .moving
        .iter()
        .filter(|row| facts.now.since(row.since) > STUCK_AFTER)
        .collect();
    let looked = if seen < moving {
        format!(" (looked at {seen} of {moving} that move)")
    } else {
        String::new()
    };
    match stuck.as_slice() {
        [] => finding(
            "rows",
            State::Good,
            format!("{all} canisters, none stuck{looked}"),
        ),
        [first, ..] => {
            let text = format!(
                "{} stuck, such as {}, {} for {}: {}{looked}",
                stuck.len(),
                first.canister,
                first.phase,
                amount::age(first.since, facts.now),
                first.reason.text
            );
            finding("rows", State::Bad, text).hint("`hatchery why ID` says more of each")
        }
    }
}

fn failures(facts: &Facts) -> Finding {
    let waits = |phase: &Phase| matches!(phase, Phase::Failed | Phase::Lost);
    let failed = facts.status.phases.iter().filter(|(phase, _)| waits(phase));
    let failed: u64 = failed.map(|(_, count)| *count).sum();
    if failed == 0 {
        return finding("failures", State::Good, "nothing waits for an operator");
    }
    let such = facts.failed.as_ref().map_or_else(String::new, |row| {
        format!(", such as {}: {}", row.canister, row.reason.text)
    });
    finding("failures", State::Warning, format!("{failed} failed or lost{such}"))
        .hint("`hatchery pool requeue` tries failed ones again; `hatchery pool forget ID` strikes a lost one")
}

fn creations(facts: &Facts) -> Finding {
    match facts.status.lost_creations {
        0 => finding("creations", State::Good, "every one was answered"),
        lost => finding(
            "creations",
            State::Warning,
            format!("{lost} were never answered"),
        )
        .hint(
            "root searches for them by itself, and stops buying at ten a day: `hatchery effects`",
        ),
    }
}

fn pause(facts: &Facts) -> Finding {
    if facts.status.paused {
        return finding("pause", State::Warning, "paused: nothing voluntary happens")
            .hint("`hatchery pool resume` goes on");
    }
    finding("pause", State::Good, "not paused")
}

fn spec(facts: &Facts) -> Finding {
    match &facts.file {
        File::None => finding("spec", State::Good, "no fleet.toml here to compare with"),
        File::Closed => finding("spec", State::Good, "for operators alone; not compared"),
        File::Broken(error) => {
            finding("spec", State::Warning, error.clone()).hint("`hatchery check` shows where")
        }
        File::Read { changes: 0, .. } => {
            finding("spec", State::Good, "root has what fleet.toml says")
        }
        File::Read { changes, .. } => {
            let text = format!("fleet.toml says otherwise than root, fields: {changes}");
            finding("spec", State::Warning, text)
                .hint("`hatchery plan` shows the difference, `hatchery apply` ends it")
        }
    }
}

fn modules(facts: &Facts) -> Finding {
    let held = &facts.status.modules;
    let waiting = held.iter().filter(|it| !it.installable).count();
    match &facts.file {
        File::Read { uploads, .. } if *uploads > 0 => {
            let text = format!("{uploads} that fleet.toml names are not staged in root");
            finding("modules", State::Warning, text)
                .hint("`hatchery apply` uploads them and moves the roles")
        }
        _ if waiting > 0 => {
            let text = format!("{waiting} of {} cannot be installed yet", held.len());
            finding("modules", State::Warning, text)
                .hint("half uploaded, or root fills its chunk store: `hatchery modules list`")
        }
        _ => finding(
            "modules",
            State::Good,
            format!("{} held by root", held.len()),
        ),
    }
}

/// Members on another module than their role's, with nobody on the way.
fn rollouts(facts: &Facts) -> Finding {
    let pools = facts.status.pools.iter();
    let behind = pools.filter_map(|pool| Some((pool, pool.rollout.as_ref()?)));
    let behind: Vec<_> = behind.filter(|(_, rollout)| rollout.left > 0).collect();
    let failing = behind.iter().find(|(_, rollout)| rollout.failures > 0);
    match (failing, behind.first()) {
        (Some((pool, rollout)), _) => {
            let (name, failed, left) = (&pool.name, rollout.failures, rollout.left);
            let text = format!("{name}: {failed} failed, {left} workers still on another module");
            finding("rollouts", State::Warning, text)
                .hint("`hatchery why` says what holds it; see the guide on moving a role")
        }
        (None, Some((pool, rollout))) => {
            let text = format!("{} moves, {} workers to go", pool.name, rollout.left);
            finding("rollouts", State::Good, text)
        }
        (None, None) => finding(
            "rollouts",
            State::Good,
            "every worker runs its role's module",
        ),
    }
}

fn invariants(facts: &Facts) -> Finding {
    match &facts.violations {
        Err(None) => finding(
            "invariants",
            State::Good,
            "for operators alone; not looked at",
        ),
        Err(Some(error)) => finding("invariants", State::Warning, error.clone())
            .hint("a fleet too large for one look; the checks of root's own tests stand"),
        Ok(none) if none.is_empty() => finding("invariants", State::Good, "all hold"),
        Ok(found) => finding("invariants", State::Bad, found.join("; "))
            .hint("a bug of ours: please report it with `hatchery export` and `hatchery events`"),
    }
}

#[cfg(test)]
mod tests;
