//! `hatchery pool …`: the warm pool.

use super::parts;
use crate::args::{Given, PoolListOptions, PoolVerb};
use crate::connection::{canister, identity};
use crate::follow;
use crate::session::Session;
use crate::show::{Paint, Table, amount};
use candid::CandidType;
use hatchery_api::{
    Command, CommandAnswer, CommandRequest, PoolListRequest, PoolStatus, Queued, RowView,
};
use hatchery_types::{CanisterId, ExportTo, OperationId};
use std::time::Duration;

/// Between two looks at an operation under way.
const ASK_EVERY: Duration = Duration::from_millis(500);

pub(crate) fn run(session: &Session<'_>, verb: &PoolVerb) -> anyhow::Result<()> {
    let id = |text: &String| canister(text).map(CanisterId);
    let (command, given) = match verb {
        PoolVerb::Status => return status(session),
        PoolVerb::List(options) => return list(session, options),
        PoolVerb::Create { given } => (Command::CreateEmpty, given),
        PoolVerb::Import {
            canisters,
            now,
            given,
        } => {
            if let (true, [only]) = (now, canisters.as_slice()) {
                let canister = id(only)?;
                (Command::ImportImmediate { canister }, given)
            } else {
                let canisters = canisters.iter().map(id).collect::<Result<_, _>>()?;
                let import = |canisters| Command::ImportQueued { canisters };
                return parts::give(session, canisters, import, given);
            }
        }
        PoolVerb::Recycle { canister, given } => {
            let canister = id(canister)?;
            (Command::Recycle { canister }, given)
        }
        PoolVerb::Requeue { canisters, given } => {
            let named: Vec<_> = canisters.iter().map(id).collect::<Result<_, _>>()?;
            if named.is_empty() {
                (Command::RequeueFailed { canisters: None }, given)
            } else {
                let requeue = |named| Command::RequeueFailed {
                    canisters: Some(named),
                };
                return parts::give(session, named, requeue, given);
            }
        }
        PoolVerb::Export {
            canister,
            to,
            given,
        } => {
            let (canister, to) = (id(canister)?, export_to(to)?);
            if let ExportTo::Principal(owner) = to {
                session.confirm(&format!("{canister} leaves the fleet for {owner}."))?;
            }
            (Command::Export { canister, to }, given)
        }
        PoolVerb::Delete { canister, given } => {
            let canister = id(canister)?;
            let what = format!("{canister} is deleted, its cycles with it.");
            session.confirm(&what)?;
            (Command::Delete { canister }, given)
        }
        PoolVerb::Forget { canister, given } => {
            let canister = id(canister)?;
            session.confirm(&format!("{canister} is struck from the books."))?;
            (Command::Forget { canister }, given)
        }
        PoolVerb::DrainSurplus { given } => (Command::DrainSurplus, given),
        PoolVerb::Pause { direction } => {
            let direction = direction.map(Into::into);
            return at_once(session, Command::Pause { direction });
        }
        PoolVerb::Resume { direction } => {
            let direction = direction.map(Into::into);
            return at_once(session, Command::Resume { direction });
        }
    };
    give(session, command, given)
}

fn export_to(text: &str) -> anyhow::Result<ExportTo> {
    match text {
        "registry" => Ok(ExportTo::Registry),
        owner => canister(owner).map(ExportTo::Principal),
    }
}

fn at_once(session: &Session<'_>, command: Command) -> anyhow::Result<()> {
    let given = Given {
        operation: None,
        no_wait: true,
    };
    give(session, command, &given)
}

/// Gives a command, waits for its end, and tells the answer.
pub(crate) fn give(session: &Session<'_>, command: Command, given: &Given) -> anyhow::Result<()> {
    let operation = given.operation.clone().unwrap_or_else(identity::fresh);
    let request = CommandRequest {
        operation: OperationId(operation.clone()),
        command,
    };
    follow_operation(session, "command", &request, given, &operation)
}

/// Asks for something that may take time, again until it ends, and tells the answer.
pub(crate) fn follow_operation<A: CandidType>(
    session: &Session<'_>,
    method: &str,
    request: &A,
    given: &Given,
    operation: &str,
) -> anyhow::Result<()> {
    let bar = follow::bar(!session.globals.json);
    bar.set_message(format!("operation {operation}"));
    let mut answer: CommandAnswer = session.client.tell(method, request)?;
    while answer == CommandAnswer::InProgress && !given.no_wait {
        follow::pause(ASK_EVERY);
        answer = session.client.tell(method, request)?;
    }
    bar.finish_and_clear();
    session.say(&answer, |paint| print_answer(&answer, operation, paint));
    Ok(())
}

/// Tells an answer in words.
pub(crate) fn print_answer(answer: &CommandAnswer, operation: &str, paint: Paint) {
    match answer {
        CommandAnswer::InProgress => {
            println!("under way; the same again tells how it ends: --operation {operation}");
        }
        CommandAnswer::Done => println!("done"),
        CommandAnswer::Created { canister } => println!("created {canister}"),
        CommandAnswer::Recycled => println!("recycled: verified empty"),
        CommandAnswer::Imported => println!("imported: verified empty"),
        CommandAnswer::Queued(queued) => print_queued(queued, paint),
        CommandAnswer::Exported { role, module } => {
            println!("exported: role {role}, module {}", amount::hash(*module));
        }
        CommandAnswer::Deleted { discarded } => {
            println!("gone, with {} cycles", amount::cycles(discarded.0));
        }
        CommandAnswer::Upgraded => println!("upgraded"),
        CommandAnswer::Upgrading { begun, left } => {
            println!("{begun} on their way, {left} left");
        }
        CommandAnswer::Drained { leaving, left } => {
            println!("{leaving} leave, {left} still above the maximum");
        }
    }
}

fn print_queued(queued: &Queued, paint: Paint) {
    println!(
        "{} of {} queued: {} new, {} again",
        queued.added + queued.requeued,
        queued.total,
        queued.added,
        queued.requeued
    );
    let mut table = Table::new(["skipped", "because"]);
    for (canister, reason) in &queued.skipped {
        table.row([canister.to_string(), reason.text.clone()]);
    }
    if !table.is_empty() {
        table.print(paint, "");
    }
}

fn status(session: &Session<'_>) -> anyhow::Result<()> {
    let status = session.client.pool_status()?;
    session.say(&status, |paint| print_status(&status, paint));
    Ok(())
}

fn print_status(status: &PoolStatus, paint: Paint) {
    println!("{}", paint.bold(&status.reason.text));
    if let Some(reason) = &status.maintenance_paused {
        println!("{}", paint.warn(&format!("held back: {}", reason.text)));
    }
    let paused = match (status.paused_up, status.paused_down) {
        (true, true) => "both ways",
        (true, false) => "upwards",
        (false, true) => "downwards",
        (false, false) => "no",
    };
    let there = status.phases.iter().filter(|(_, count)| *count > 0);
    let there: Vec<String> = there
        .map(|(phase, count)| format!("{count} {}", paint.phase(*phase)))
        .collect();
    println!("canisters    {}", there.join(", "));
    println!("wanted       {} to {}", status.minimum, status.maximum);
    println!("missing      {}", status.missing);
    println!("paused       {paused}");
    let wait = status.oldest_wait.map_or_else(
        || "nothing waits".to_owned(),
        |wait| amount::span(wait.0 / 1_000_000_000),
    );
    println!("oldest wait  {wait}");
    println!("operations   {} under way", status.operations_in_progress);
    println!(
        "cycles       lost {}, discarded {}, given away {}",
        amount::cycles(status.lost_cycles.0),
        amount::cycles(status.discarded_cycles.0),
        amount::cycles(status.given_away_cycles.0)
    );
    println!();
    let mut table = Table::new(["lane", ">width", ">in flight", ">open"]);
    for lane in &status.lanes {
        table.row([
            lane.name.clone(),
            lane.width.to_string(),
            lane.in_flight.to_string(),
            lane.open.to_string(),
        ]);
    }
    table.print(paint, "no lanes");
}

fn list(session: &Session<'_>, options: &PoolListOptions) -> anyhow::Result<()> {
    let rows = session.client.pool_rows(PoolListRequest {
        phase: options.phase,
        role: options.role.clone(),
        reason: options.reason,
        ..PoolListRequest::default()
    })?;
    session.say(&rows, |paint| print_rows(&rows, paint, "the pool is empty"));
    Ok(())
}

/// Rows as a table.
pub(crate) fn print_rows(rows: &[RowView], paint: Paint, none: &str) {
    let now = amount::now();
    let mut table = Table::new([
        "canister", "phase", ">for", "role", "pool", ">cycles", ">load", "doing", "because",
    ]);
    for row in rows {
        table.row([
            row.canister.to_string(),
            paint.phase(row.phase),
            amount::age(row.since, now),
            row.role.clone().unwrap_or_default(),
            row.pool.clone().unwrap_or_default(),
            row.cycles
                .map(|it| amount::cycles(it.0))
                .unwrap_or_default(),
            row.load.map(|it| it.to_string()).unwrap_or_default(),
            row.effect.clone().unwrap_or_default(),
            row.reason.text.clone(),
        ]);
    }
    table.print(paint, none);
}
