//! Whether somebody should look at this fleet now, in words.

use super::Live;
use crate::root::Stable;
use hatchery_api::PoolView;
use hatchery_core::State;
use hatchery_types::Nanos;

/// A wake-up this long overdue means that root does not get to run.
const OVERDUE: Nanos = Nanos::from_secs(300);
/// Root was reinstalled and waits for its operator.
const RECOVERING: &str = "recovering";
/// Reasons of the warm pool that do not pass by themselves.
const WARM: [&str; 4] = [
    "no-spec",
    "at-reserve",
    "lost-creations",
    "unproven-canisters",
];
/// Reasons of a pool below its minimum that do not pass by themselves.
const POOL: [&str; 3] = ["module-missing", "backing-off", "breaker-open"];

/// Status and body of `/health`: 200 while nobody need look, else 503 and why.
pub(super) fn text(state: &State<Stable>, live: &Live) -> (u16, String) {
    let complaints = complaints(state, live);
    if complaints.is_empty() {
        return (200, "ok\n".to_owned());
    }
    (503, complaints.join("\n") + "\n")
}

/// What is wrong, a line each.
pub(super) fn complaints(_: &State<Stable>, live: &Live) -> Vec<String> {
    let status = &live.status;
    let mut complaints = Vec::new();
    if live.vitals.stopping {
        complaints.push("root-stopping: root starts nothing new".to_owned());
    }
    if let Some(reason) = &status.recovery.held_back
        && reason.name == RECOVERING
    {
        complaints.push(format!(
            "{RECOVERING}: root lost its memory and changes nothing"
        ));
    }
    if WARM.contains(&status.warm_reason.name.as_str()) {
        complaints.push(format!("{}: nothing is bought", status.warm_reason.name));
    }
    complaints.extend(status.pools.iter().filter_map(pool));
    if let Some(wake) = status.next_wake
        && live.now.since(wake) > OVERDUE
    {
        complaints.push(format!(
            "overdue: root should have looked {} s ago",
            live.now.since(wake).as_secs()
        ));
    }
    complaints
}

/// A pool below its minimum, for a reason that does not pass by itself.
fn pool(pool: &PoolView) -> Option<String> {
    let lasting = |reason: &&hatchery_api::ReasonView| POOL.contains(&reason.name.as_str());
    let reason = pool.reasons.iter().find(lasting)?;
    let living = pool.in_service + pool.leased + pool.standby;
    (living < pool.min).then(|| {
        format!(
            "{}: pool {} has {living} members, wants at least {}",
            reason.name, pool.name, pool.min
        )
    })
}
