//! `hatchery lease …`: workers handed to a holder, by an operator in the parent's place.

use crate::args::LeaseVerb;
use crate::connection::{canister, identity};
use crate::session::Session;
use crate::show::{Paint, Table, amount};
use hatchery_api::{LeaseAnswer, LeaseRequest, ReleaseRequest, RenewRequest, RowView};
use hatchery_types::{CanisterId, Generation, Nanos, OperationId, Phase};

pub(crate) fn run(session: &Session<'_>, verb: &LeaseVerb) -> anyhow::Result<()> {
    let answer: LeaseAnswer = match verb {
        LeaseVerb::List => return list(session),
        LeaseVerb::Take {
            pool,
            count,
            ttl,
            operation,
        } => {
            let request = LeaseRequest {
                operation: named(operation.as_ref()),
                pool: pool.clone(),
                count: *count,
                ttl: ttl.map(Nanos::from_secs),
                known: Generation(0),
            };
            session.client.tell("lease", &request)?
        }
        LeaseVerb::Renew {
            pool,
            canisters,
            ttl,
            operation,
        } => {
            let request = RenewRequest {
                operation: named(operation.as_ref()),
                pool: pool.clone(),
                canisters: ids(canisters)?,
                ttl: ttl.map(Nanos::from_secs),
            };
            session.client.tell("renew", &request)?
        }
        LeaseVerb::Release {
            pool,
            canisters,
            operation,
        } => {
            let request = ReleaseRequest {
                operation: named(operation.as_ref()),
                pool: pool.clone(),
                canisters: ids(canisters)?,
            };
            session.client.tell("release", &request)?
        }
    };
    session.say(&answer, |paint| print(&answer, paint));
    Ok(())
}

fn named(operation: Option<&String>) -> OperationId {
    OperationId(operation.cloned().unwrap_or_else(identity::fresh))
}

fn ids(texts: &[String]) -> anyhow::Result<Vec<CanisterId>> {
    let ids = texts.iter().map(|text| canister(text).map(CanisterId));
    ids.collect()
}

fn print(answer: &LeaseAnswer, paint: Paint) {
    let mut granted = Table::new(["canister", ">generation", "until"]);
    for lease in &answer.granted {
        granted.row([
            lease.canister.to_string(),
            lease.generation.0.to_string(),
            amount::moment(lease.until),
        ]);
    }
    granted.print(paint, "nothing granted");
    let mut skipped = Table::new(["skipped", "because"]);
    for (canister, reason) in &answer.skipped {
        skipped.row([canister.to_string(), reason.text.clone()]);
    }
    if !skipped.is_empty() {
        skipped.print(paint, "");
    }
    if answer.short > 0 {
        println!("{} not there; the pool grows for them", answer.short);
    }
}

fn list(session: &Session<'_>) -> anyhow::Result<()> {
    let rows = session.client.rows(Some(Phase::Leased))?;
    session.say(&rows, |paint| print_leases(&rows, paint));
    Ok(())
}

fn print_leases(rows: &[RowView], paint: Paint) {
    let mut table = Table::new(["canister", "pool", "until", "holder"]);
    for row in rows {
        table.row([
            row.canister.to_string(),
            row.pool.clone().unwrap_or_default(),
            row.leased_until.map(amount::moment).unwrap_or_default(),
            amount::id(row.holder),
        ]);
    }
    table.print(paint, "no leases");
}
