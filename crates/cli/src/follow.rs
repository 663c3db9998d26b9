//! Following what comes of a change: until every pool has its workers, or time is over.
//!
//! Owns waiting; it is ours to wait in wall-clock time, nobody's else.

use crate::complaint::{Complaint, Kind};
use crate::connection::Client;
use crate::demo::Clock;
use hatchery_api::{FleetStatus, PoolView};
use hatchery_types::Phase;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// Root has not looked at its own history yet.
const UNCHECKED: &str = "unchecked";
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Pauses before the next look.
#[expect(
    clippy::disallowed_methods,
    reason = "a network out there is asked in real time"
)]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Waits until the fleet is ready, showing how far it is on a terminal.
///
/// # Errors
/// It is not after `seconds`, or root does not answer.
pub(crate) fn until_ready(
    client: &Client,
    seconds: u64,
    shown: bool,
) -> anyhow::Result<FleetStatus> {
    let clock = Clock::start();
    let bar = bar(shown);
    loop {
        let status = client.status()?;
        let mut waits = waiting(&status);
        if waits.is_empty() {
            waits = planned(client, &status);
        }
        if waits.is_empty() {
            bar.finish_and_clear();
            return Ok(status);
        }
        bar.set_message(waits.join("; "));
        if clock.seconds() > seconds as f64 {
            bar.finish_and_clear();
            let message = format!("not ready after {seconds} s: {}", waits.join("; "));
            return Err(Complaint::new(Kind::Failed, message)
                .hint("`hatchery why` and `hatchery doctor` say what holds it back")
                .into());
        }
        pause(LOOK_EVERY);
    }
}

/// Waits until root has looked at itself and at every canister that `recover` named; a minute at
/// most, then root itself says what it lacks.
///
/// # Errors
/// Root does not answer.
pub(crate) fn until_looked_at(client: &Client, shown: bool) -> anyhow::Result<()> {
    let clock = Clock::start();
    let bar = bar(shown);
    bar.set_message("root looks at what was named");
    loop {
        let status = client.status()?;
        let mut phases = status.phases.iter();
        let looks = phases.any(|(phase, count)| *phase == Phase::Recovering && *count > 0);
        let held_back = status.recovery.held_back.as_ref();
        let unchecked = held_back.is_some_and(|reason| reason.name == UNCHECKED);
        if !(looks || unchecked) || clock.seconds() > 60.0 {
            bar.finish_and_clear();
            return Ok(());
        }
        pause(LOOK_EVERY);
    }
}

/// A spinner with a message, where somebody sees it.
pub(crate) fn bar(shown: bool) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner:.green} {wide_msg}")
        .expect("bug: the template is ours");
    let bar = ProgressBar::with_draw_target(None, seen(shown)).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// A bar that fills up to `all`, where somebody sees it. The template says what it counts.
pub(crate) fn filling(all: u64, template: &str, shown: bool) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("bug: the template is ours");
    let bar = ProgressBar::with_draw_target(Some(all), seen(shown));
    bar.with_style(style.progress_chars("━━━"))
}

fn seen(shown: bool) -> ProgressDrawTarget {
    if shown && std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    }
}

/// What is not there yet, a line each.
pub(crate) fn waiting(status: &FleetStatus) -> Vec<String> {
    let mut waits: Vec<String> = status.pools.iter().filter_map(pool_waits).collect();
    let count = |wanted: Phase| -> u64 {
        let phases = status.phases.iter();
        phases
            .filter(|(phase, _)| *phase == wanted)
            .map(|(_, count)| *count)
            .sum()
    };
    let (ready, minimum) = (count(Phase::Ready), u64::from(status.warm_minimum));
    if ready < minimum {
        waits.push(format!("warm pool: {ready} of {minimum} ready"));
    }
    if let Some(reason) = &status.recovery.held_back {
        waits.push(format!("root: {}", reason.text));
    }
    waits
}

/// What root will do next for the pools: a change that it has not planned for yet is no rest.
fn planned(client: &Client, status: &FleetStatus) -> Vec<String> {
    let plans = status.pools.iter().filter_map(|pool| {
        // Strangers may not see plans; they wait for what they see.
        let plan = client.plan(&pool.name).ok()?;
        let more = plan.claim.len() + plan.promote.len() + plan.unmet as usize;
        (more > 0).then(|| format!("{}: {more} more to come", pool.name))
    });
    plans.collect()
}

fn pool_waits(pool: &PoolView) -> Option<String> {
    let wanted = pool.min.max(pool.desired);
    let working = pool.in_service + pool.leased;
    (working < wanted).then(|| format!("{}: {working} of {wanted} workers", pool.name))
}
