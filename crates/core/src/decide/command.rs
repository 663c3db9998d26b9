//! Operators' commands: carried out once per operation id, answered the same ever after.

use super::{refuse, to_reset};
use crate::limits;
use crate::plant::planted;
use crate::record::{Applied, Receipt, Row};
use crate::state::State;
use crate::storage::encode;
use crate::{Command, CommandInput, Decision, Event, Reply};
use hatchery_types::{CanisterId, ModuleHash, Nanos, Phase, Reason};
use ic_stable_structures::Memory;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Checks the operation id, then acts, then leaves a receipt.
pub(super) fn command<M: Memory>(state: &State<M>, now: Nanos, input: &CommandInput) -> Decision {
    let payload = digest(&input.command);
    if !input.operation.is_valid() {
        let text = "an operation id has 1 to 64 bytes";
        return refuse(Reason::BadOperationId, text);
    }
    if let Some(receipt) = state.receipt(input.caller, &input.operation) {
        if receipt.payload == payload {
            return Decision {
                reply: Reply::Command(receipt.answer),
                ..Decision::default()
            };
        }
        let text = format!(
            "operation `{}` was used for another command",
            input.operation.0
        );
        return refuse(Reason::OperationConflict, text);
    }
    if !state.has_receipt_room(input.caller, now) {
        let text = "too many operations within 24 hours; use fewer, larger ones";
        return refuse(Reason::TooManyOperations, text);
    }
    if ids(&input.command).len() > limits::PAGE_MAX && !planted("p10") {
        let text = format!(
            "at most {} canisters a command; send several",
            limits::PAGE_MAX
        );
        return refuse(Reason::OverLimit, text);
    }
    let (mut events, answer) = act(state, now, &input.command);
    events.push(Event::OperationDone {
        caller: input.caller,
        operation: input.operation.clone(),
        receipt: Receipt {
            at: now,
            payload,
            answer: answer.clone(),
        },
    });
    Decision {
        events,
        reply: Reply::Command(answer),
        ..Decision::default()
    }
}

fn ids(command: &Command) -> &[CanisterId] {
    match command {
        Command::Import(ids) | Command::RequeueFailed(Some(ids)) => ids,
        Command::Recycle(id) => std::slice::from_ref(id),
        Command::RequeueFailed(None) | Command::Pause | Command::Resume => &[],
    }
}

fn digest(command: &Command) -> ModuleHash {
    let kind = match command {
        Command::Import(_) => 0u8,
        Command::Recycle(_) => 1,
        Command::RequeueFailed(Some(_)) => 2,
        Command::RequeueFailed(None) => 3,
        Command::Pause => 4,
        Command::Resume => 5,
    };
    ModuleHash(Sha256::digest(encode(&(kind, ids(command).to_vec()))).into())
}

fn act<M: Memory>(state: &State<M>, now: Nanos, command: &Command) -> (Vec<Event>, Applied) {
    match command {
        Command::Pause => (vec![Event::Paused(true)], Applied::default()),
        Command::Resume => (vec![Event::Paused(false)], Applied::default()),
        Command::Import(ids) => each(state, ids, |row, id| import(state, now, row, id)),
        Command::Recycle(id) => each(state, &[*id], |row, _| recycle(now, row)),
        Command::RequeueFailed(Some(ids)) => each(state, ids, |row, _| requeue(now, row)),
        Command::RequeueFailed(None) => {
            let failed = state.index.failed.iter().take(limits::PAGE_MAX);
            let failed: Vec<CanisterId> = failed.copied().collect();
            each(state, &failed, |row, _| requeue(now, row))
        }
    }
}

/// Acts on each id once and counts what came of it.
fn each<M: Memory>(
    state: &State<M>,
    ids: &[CanisterId],
    mut act: impl FnMut(Option<Row>, CanisterId) -> Result<Row, Reason>,
) -> (Vec<Event>, Applied) {
    let mut events = Vec::new();
    let mut answer = Applied::default();
    let mut seen = BTreeSet::new();
    for id in ids.iter().filter(|id| seen.insert(**id)) {
        let row = state.row(*id);
        let known = row.is_some();
        match act(row, *id) {
            Ok(row) => {
                if known {
                    answer.requeued += 1;
                } else {
                    answer.added += 1;
                }
                events.push(Event::RowChanged(Box::new(row)));
            }
            Err(reason) => answer.skipped.push((*id, reason)),
        }
    }
    (events, answer)
}

fn import<M: Memory>(
    state: &State<M>,
    now: Nanos,
    row: Option<Row>,
    id: CanisterId,
) -> Result<Row, Reason> {
    match row {
        Some(row) if is_stuck(&row) => requeue(now, Some(row)),
        Some(_) if planted("p03") => Ok(Row::new(id, Phase::PendingReset, now, Reason::Imported)),
        Some(_) => Err(Reason::AlreadyManaged),
        None if !is_canister(id) || state.header().root == Some(id) => Err(Reason::UnknownCanister),
        None if state.rows_len() + limits::PAGE_MAX as u64 > limits::ROWS_MAX => {
            Err(Reason::OverLimit)
        }
        None => Ok(Row::new(id, Phase::PendingReset, now, Reason::Imported)),
    }
}

/// Canister ids are opaque ids: their last byte is 1 (interface specification, "Principals").
fn is_canister(id: CanisterId) -> bool {
    id.0.as_slice().last() == Some(&1)
}

fn is_stuck(row: &Row) -> bool {
    matches!(row.phase, Phase::Failed | Phase::Lost)
}

fn requeue(now: Nanos, row: Option<Row>) -> Result<Row, Reason> {
    let row = row.ok_or(Reason::UnknownCanister)?;
    if is_stuck(&row) {
        Ok(to_reset(row, now, Reason::Requeued))
    } else {
        Err(Reason::WrongPhase)
    }
}

/// A member in service drains first; a spare canister is reset at once.
fn recycle(now: Nanos, row: Option<Row>) -> Result<Row, Reason> {
    let row = row.ok_or(Reason::UnknownCanister)?;
    match row.phase {
        Phase::InService if planted("p18") => Ok(to_reset(row, now, Reason::Recycled)),
        Phase::InService | Phase::Standby => Ok(row.moved(Phase::Draining, now, Reason::Recycled)),
        Phase::Ready | Phase::Failed | Phase::Lost => Ok(to_reset(row, now, Reason::Recycled)),
        _ => Err(Reason::WrongPhase),
    }
}
