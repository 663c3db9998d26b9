//! Whether root can pay for the least that `fleet.toml` asks for, by what an operator sees. Root
//! decides when the file is applied; this says so before anything is sent.

use crate::complaint::{Complaint, Kind};
use crate::show::amount;
use hatchery_api::FleetStatus;
use hatchery_types::{Cycles, FleetSpec, Phase};

/// Refuses what arithmetic says cannot be paid: more than is asked for now, and more than root has.
///
/// # Errors
/// What is needed, what is there, and what to do.
pub(crate) fn check(
    applied: Option<&FleetSpec>,
    wanted: &FleetSpec,
    status: &FleetStatus,
) -> anyhow::Result<()> {
    let there = there(status);
    let missing = |spec: &FleetSpec| least(spec, status).saturating_sub(there);
    let cost = |spec: &FleetSpec| u128::from(missing(spec)) * spec.warm_pool.cycles.0;
    let (need, before) = (cost(wanted), applied.map_or(0, cost));
    let have = status.cycles.less(wanted.reserve);
    if need <= have.0 || need <= before {
        return Ok(());
    }
    let message = format!(
        "root cannot pay for {} more canisters: they cost {}, and it has {} above its reserve",
        missing(wanted),
        amount::cycles(need),
        amount::cycles(have.0),
    );
    let lacking = amount::cycles(Cycles(need).less(have).0);
    let hint = format!("send root {lacking}, or lower `min`, `initial` or `warm_pool.minimum`");
    Err(Complaint::new(Kind::Refused, message).hint(hint).into())
}

/// Canisters that a spec asks for whatever the load.
fn least(spec: &FleetSpec, status: &FleetStatus) -> u64 {
    let pools = spec.pools.iter().filter(|pool| pool.enabled);
    let members = pools.map(|pool| {
        let is_known = status.pools.iter().any(|view| view.name == pool.name);
        let first = if is_known { 0 } else { pool.initial };
        u64::from(pool.min.max(first))
    });
    members.sum::<u64>() + u64::from(spec.warm_pool.minimum)
}

/// Canisters that are there, whatever for.
fn there(status: &FleetStatus) -> u64 {
    let gone = [
        Phase::Lost,
        Phase::Failed,
        Phase::Deleting,
        Phase::Exporting,
    ];
    let counts = status.phases.iter();
    let rows = counts.filter(|(phase, _)| !gone.contains(phase));
    let coming = status.effects.iter().filter(|(kind, _)| kind == "create");
    rows.map(|(_, count)| count).sum::<u64>() + coming.map(|(_, count)| count).sum::<u64>()
}
