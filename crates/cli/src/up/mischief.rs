//! Harm done on purpose to a fleet on its own network: what the keys of the live view stand for.

use super::host::Host;
use crate::connection::Client;
use crate::live::Mischief;
use crate::verbs::deploy::upgrade_by_force;
use candid::Principal;
use hatchery_engine::RejectCode;
use hatchery_engine::faults::{Rule, Verdict};
use hatchery_types::Phase;

/// Calls fail for so long, in seconds.
pub(super) const FAIL_SECONDS: f64 = 10.0;

/// Does it; what was done, for people.
///
/// # Errors
/// The network or root does not answer.
pub(super) fn act(
    mischief: Mischief,
    host: &Host,
    client: &Client,
    module: &[u8],
) -> anyhow::Result<String> {
    let root = client.root()?;
    match mischief {
        Mischief::Upgrade => {
            let open: u64 = client
                .status()?
                .effects
                .iter()
                .map(|(_, count)| *count)
                .sum();
            upgrade_by_force(client, module)?;
            Ok(format!("root upgraded by force, {open} effects open"))
        }
        Mischief::Fail => {
            host.visit(move |engine| {
                let verdict = Verdict::Reject {
                    code: RejectCode::SysTransient,
                };
                let platform = Principal::management_canister();
                engine
                    .faults()
                    .add(Rule::new(verdict).caller(root).callee(platform));
            })?;
            Ok("the platform refuses root's calls for 10 s".to_owned())
        }
        Mischief::Kill | Mischief::Delete => strike(mischief, host, client),
    }
}

/// Ends what [`Mischief::Fail`] began.
pub(super) fn calls_work_again(host: &Host) -> anyhow::Result<()> {
    host.visit(|engine| engine.faults().clear())
}

/// One worker in service loses its code, or a canister is gone: a worker if there is one.
fn strike(mischief: Mischief, host: &Host, client: &Client) -> anyhow::Result<String> {
    let first = |phase| -> anyhow::Result<Option<Principal>> {
        let rows = client.page(Some(phase), None, 1)?.rows;
        Ok(rows.first().map(|row| row.canister.0))
    };
    let victim = match first(Phase::InService)? {
        None if mischief == Mischief::Delete => first(Phase::Ready)?,
        found => found,
    };
    let Some(victim) = victim else {
        return Ok("there is none to harm".to_owned());
    };
    let delete = mischief == Mischief::Delete;
    let done = host.visit(move |engine| {
        if delete {
            engine.delete_canister(victim)
        } else {
            engine.uninstall(victim)
        }
    })?;
    let what = if delete { "deleted" } else { "killed" };
    if done {
        return Ok(format!("{victim} {what} behind root's back"));
    }
    Ok(format!("{victim} could not be {what}"))
}

/// Canisters on the network that root created or controls.
pub(super) fn count(host: &Host, root: Principal) -> anyhow::Result<u64> {
    host.visit(move |engine| {
        let canisters = engine.canisters();
        let views = canisters.into_iter().filter_map(|id| engine.canister(id));
        let owned = views.filter(|view| {
            view.id != root && (view.creator == root || view.controllers.contains(&root))
        });
        owned.count() as u64
    })
}
