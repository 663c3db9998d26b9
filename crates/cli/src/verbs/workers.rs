//! `hatchery workers …`: worker pools as callers, planners and parents see them.

use super::pool::follow_operation;
use crate::args::{Given, WorkersVerb};
use crate::complaint::{Complaint, Kind};
use crate::connection::{canister, identity};
use crate::session::Session;
use crate::show::{Paint, Table, amount};
use hatchery_api::{
    CreateWorkerRequest, MemberValue, PlanView, PoolReport, PoolReportAnswer, WorkersPage,
};
use hatchery_types::{CanisterId, Generation, OperationId};

pub(crate) fn run(session: &Session<'_>, verb: &WorkersVerb) -> anyhow::Result<()> {
    match verb {
        WorkersVerb::List { pool } => list(session, pool.as_deref()),
        WorkersVerb::Plan { pool } => plan(session, pool.as_deref()),
        WorkersVerb::Create {
            pool,
            dry_run: true,
            ..
        } => {
            let plan: PlanView = session.client.ask("plan_create_worker", pool)?;
            let plans = [(pool.clone(), plan)];
            session.say(&plans.to_vec(), |paint| print_plans(&plans, paint));
            Ok(())
        }
        WorkersVerb::Create { pool, given, .. } => create(session, pool, given),
        WorkersVerb::Report {
            pool,
            total,
            member,
        } => report(session, pool, total, member),
    }
}

fn create(session: &Session<'_>, pool: &str, given: &Given) -> anyhow::Result<()> {
    let operation = given.operation.clone().unwrap_or_else(identity::fresh);
    let request = CreateWorkerRequest {
        operation: OperationId(operation),
        pool: pool.to_owned(),
        init_arg: None,
    };
    follow_operation(
        session,
        "create_worker",
        &request,
        given,
        &request.operation.0,
    )
}

/// The pool that is named, or all.
pub(crate) fn pools(session: &Session<'_>, pool: Option<&str>) -> anyhow::Result<Vec<String>> {
    if let Some(pool) = pool {
        return Ok(vec![pool.to_owned()]);
    }
    let status = session.client.status()?;
    Ok(status.pools.into_iter().map(|pool| pool.name).collect())
}

fn list(session: &Session<'_>, pool: Option<&str>) -> anyhow::Result<()> {
    let names = pools(session, pool)?;
    let pages = names.into_iter().map(|name| {
        let page = session.client.workers(&name)?;
        Ok((name, page))
    });
    let pages: Vec<(String, WorkersPage)> = pages.collect::<anyhow::Result<_>>()?;
    session.say(&pages, |paint| print_list(&pages, paint));
    Ok(())
}

fn print_list(pages: &[(String, WorkersPage)], paint: Paint) {
    let mut table = Table::new(["pool", "worker", ">load"]);
    for (pool, page) in pages {
        for worker in &page.workers {
            let load = worker.load.map(|load| load.to_string());
            table.row([
                pool.clone(),
                worker.canister.to_string(),
                load.unwrap_or_default(),
            ]);
        }
    }
    table.print(paint, "no workers in service");
}

fn plan(session: &Session<'_>, pool: Option<&str>) -> anyhow::Result<()> {
    let names = pools(session, pool)?;
    let plans = names.into_iter().map(|name| {
        let plan = session.client.plan(&name)?;
        Ok((name, plan))
    });
    let plans: Vec<(String, PlanView)> = plans.collect::<anyhow::Result<_>>()?;
    session.say(&plans, |paint| print_plans(&plans, paint));
    Ok(())
}

fn print_plans(plans: &[(String, PlanView)], paint: Paint) {
    for (pool, plan) in plans {
        println!("{}  wants {}", paint.bold(pool), plan.desired);
        let moves = [
            ("claim", &plan.claim),
            ("promote", &plan.promote),
            ("uncordon", &plan.uncordon),
            ("cordon", &plan.cordon),
            ("release", &plan.release),
        ];
        for (what, canisters) in moves {
            for canister in canisters {
                println!("  {what:<9} {canister}");
            }
        }
        if plan.unmet > 0 {
            println!("  unmet     {} wait for a ready canister", plan.unmet);
        }
        println!("  because   {}", amount::reasons(&plan.reasons));
    }
    if plans.is_empty() {
        println!("no worker pools");
    }
}

fn report(
    session: &Session<'_>,
    pool: &str,
    totals: &[(String, u64)],
    members: &[String],
) -> anyhow::Result<()> {
    let members = members.iter().map(|text| member(text));
    let report = PoolReport {
        pool: pool.to_owned(),
        totals: totals.to_vec(),
        members: members.collect::<anyhow::Result<_>>()?,
        known: Generation(0),
    };
    let answer: PoolReportAnswer = session.client.tell("report_pool", &report)?;
    session.say(&answer, |paint| {
        let mut table = Table::new(["not taken", "signal", "because"]);
        for refused in &answer.refused {
            table.row([
                amount::id(refused.member),
                refused.signal.clone(),
                refused.reason.text.clone(),
            ]);
        }
        table.print(paint, "taken");
    });
    Ok(())
}

/// `ID:SIGNAL=VALUE`.
fn member(text: &str) -> anyhow::Result<MemberValue> {
    let read = || {
        let (id, rest) = text.split_once(':')?;
        let (signal, value) = rest.split_once('=')?;
        Some((id, signal, value.parse().ok()?))
    };
    let (id, signal, value) = read().ok_or_else(|| {
        Complaint::new(Kind::Input, format!("`{text}` is no member's value"))
            .hint("such as ryjl3-tyaaa-aaaaa-aaaba-cai:depth=7")
    })?;
    Ok(MemberValue {
        canister: CanisterId(canister(id)?),
        signal: signal.to_owned(),
        value,
    })
}
