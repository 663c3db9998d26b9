//! What the harm keys do to an engine of our own, and an honest count of its canisters: the
//! engine's own list against root's rows, not one number against another.

use super::Mischief;
use crate::connection::client::{decode, encode, nothing};
use candid::Principal;
use hatchery_api::{CanistersPage, CanistersRequest, FleetStatus, RowView};
use hatchery_engine::faults::{Rule, Verdict};
use hatchery_engine::{Engine, RejectCode};
use hatchery_types::Phase;
use std::collections::BTreeSet;

/// Whose fleet it is: its root, and somebody who may ask it everything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parties {
    pub(crate) root: Principal,
    pub(crate) operator: Principal,
}

/// Canisters as they are, against those that root knows of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// Those that root created or controls.
    pub(crate) canisters: u64,
    /// Those of them with a row, or as the result of a creation in flight.
    pub(crate) accounted: u64,
    /// Rows of canisters that are not there, and root does not know it yet.
    pub(crate) stale: u64,
}

/// Counts, at one moment of the engine.
///
/// # Errors
/// Root does not answer.
pub(crate) fn account(engine: &mut Engine, of: Parties) -> anyhow::Result<Account> {
    let status: FleetStatus = decode("status", &ask(engine, of, "status", nothing())?)?;
    let creations = status.effects.iter().filter(|(kind, _)| kind == "create");
    let creations: u64 = creations.map(|(_, count)| *count).sum();
    let rows = rows(engine, of, None)?;
    let listed: BTreeSet<Principal> = rows.iter().map(|row| row.canister.0).collect();
    let all = engine.canisters();
    let owned = all.iter().filter_map(|id| engine.canister(*id));
    let owned = owned.filter(|view| {
        view.id != of.root && (view.creator == of.root || view.controllers.contains(&of.root))
    });
    let owned: Vec<Principal> = owned.map(|view| view.id).collect();
    let strangers = owned.iter().filter(|id| !listed.contains(*id)).count() as u64;
    let canisters = owned.len() as u64;
    let is_stale = |row: &&RowView| {
        let is_to_go = matches!(row.phase, Phase::Lost | Phase::Deleting);
        !is_to_go && all.binary_search(&row.canister.0).is_err()
    };
    Ok(Account {
        canisters,
        accounted: canisters - strangers.saturating_sub(creations),
        stale: rows.iter().filter(is_stale).count() as u64,
    })
}

/// One worker in service loses its code, or a canister is gone: a worker if there is one. What was
/// done, for people.
///
/// # Errors
/// Root does not answer.
pub(crate) fn strike(
    engine: &mut Engine,
    of: Parties,
    mischief: Mischief,
) -> anyhow::Result<String> {
    let mut victims = Vec::new();
    for phase in [Phase::InService, Phase::Leased, Phase::Ready] {
        if phase != Phase::Ready || mischief == Mischief::Delete {
            victims.extend(rows(engine, of, Some(phase))?);
        }
    }
    victims.retain(|row| engine.canister(row.canister.0).is_some());
    let Some(victim) = victims.first().map(|row| row.canister.0) else {
        return Ok("there is none to harm".to_owned());
    };
    let (done, what) = match mischief {
        Mischief::Delete => (engine.delete_canister(victim), "deleted"),
        _ => (engine.uninstall(victim), "killed"),
    };
    Ok(if done {
        format!("{victim} {what} behind root's back")
    } else {
        format!("{victim} could not be {what}")
    })
}

/// The platform refuses root's calls.
pub(crate) fn refusal(root: Principal) -> Rule {
    let verdict = Verdict::Reject {
        code: RejectCode::SysTransient,
    };
    let platform = Principal::management_canister();
    Rule::new(verdict).caller(root).callee(platform)
}

fn rows(engine: &mut Engine, of: Parties, phase: Option<Phase>) -> anyhow::Result<Vec<RowView>> {
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let request = CanistersRequest {
            phase,
            after,
            ..CanistersRequest::default()
        };
        let bytes = ask(engine, of, "canisters", encode(&request))?;
        let page: CanistersPage = decode("canisters", &bytes)?;
        rows.extend(page.rows);
        after = page.next;
        if after.is_none() {
            return Ok(rows);
        }
    }
}

fn ask(engine: &mut Engine, of: Parties, method: &str, arg: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let answer = engine.query(of.operator, of.root, method, arg);
    answer.map_err(|reject| anyhow::anyhow!("root does not answer `{method}`: {reject:?}"))
}
