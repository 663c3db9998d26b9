//! Operators' commands: carried out once per operation id, answered the same ever after.
//!
//! Owns identity and receipts; what a command does to a row is `intake`'s and `departure`'s. A
//! refused command leaves nothing, not even a receipt.

use super::{departure, intake, recover, refuse, refused, standing};
use crate::limits;
use crate::plant::planted;
use crate::receipt::{Answer, Counted, Goal, On, Receipt, Wait};
use crate::record::Row;
use crate::state::State;
use crate::storage::encode;
use crate::{Command, CommandInput, Decision, Event, Reply};
use hatchery_types::{
    CanisterId, Direction, ModuleHash, Nanos, OperationId, Phase, Principal, Reason,
};
use ic_stable_structures::Memory;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// What a command writes, answers and waits for; or why it is refused, and the hint.
pub(super) type Act = Result<Acted, (Reason, String)>;

#[derive(Default)]
pub(super) struct Acted {
    pub(super) events: Vec<Event>,
    pub(super) answer: Option<Answer>,
    pub(super) wait: Option<Wait>,
}

impl Acted {
    /// Done, with nothing to wait for.
    pub(super) fn done(events: Vec<Event>, answer: Answer) -> Self {
        Acted {
            events,
            answer: Some(answer),
            wait: None,
        }
    }

    /// A row is on its way to the goal.
    pub(super) fn under_way(row: Row, goal: Goal) -> Self {
        let on = On::Canister(row.canister);
        Acted {
            events: vec![Event::RowChanged(Box::new(row))],
            answer: None,
            wait: Some(Wait { goal, on }),
        }
    }
}

/// Carries out a command once.
pub(super) fn command<M: Memory>(state: &State<M>, now: Nanos, input: &CommandInput) -> Decision {
    let identity = (input.caller, &input.operation, digest(&input.command));
    let done = once(state, now, identity, || {
        if ids(&input.command).len() > limits::COMMAND_IDS_MAX && !planted("p10") {
            let most = limits::COMMAND_IDS_MAX;
            let text = format!("at most {most} canisters a command; send several");
            return Err(refused(Reason::OverLimit, text));
        }
        if let Some(reason) = standing::held_back(state).filter(|_| !works_blind(&input.command)) {
            let text = "root does not know its own fleet yet: see `recover`";
            return Err(refused(reason, text));
        }
        act(state, now, &input.command)
    });
    done.unwrap_or_else(|(reason, text)| refuse(reason, text))
}

/// Checks an operation's id, then acts, then leaves a receipt; the same operation again gets the
/// same answer and does nothing.
///
/// # Errors
/// Refused now: nothing changed, and no receipt is left.
pub(super) fn once<M: Memory>(
    state: &State<M>,
    now: Nanos,
    (caller, operation, payload): (Principal, &OperationId, ModuleHash),
    act: impl FnOnce() -> Act,
) -> Result<Decision, (Reason, String)> {
    if !operation.is_valid() {
        let text = "an operation id has 1 to 64 bytes";
        return Err(refused(Reason::BadOperationId, text));
    }
    if let Some(receipt) = state.receipt(caller, operation).filter(|_| !planted("l01")) {
        return Ok(repeated(&receipt, payload, &operation.0));
    }
    if !state.has_receipt_room(caller, now) && !planted("l02") {
        let text = "too many operations within 24 hours; use fewer, larger ones";
        return Err(refused(Reason::TooManyOperations, text));
    }
    let Acted {
        mut events,
        answer,
        wait,
    } = act()?;
    let answer = answer.unwrap_or(Answer::InProgress);
    events.push(Event::OperationAnswered {
        caller,
        operation: operation.clone(),
        receipt: Receipt {
            at: now,
            payload,
            answer: answer.clone(),
            wait,
        },
    });
    Ok(Decision {
        events,
        reply: Reply::Command(answer),
        ..Decision::default()
    })
}

/// Commands that a root without its memory carries out.
fn works_blind(command: &Command) -> bool {
    matches!(
        command,
        Command::Recover(_) | Command::Pause(_) | Command::Resume(_)
    )
}

fn repeated(receipt: &Receipt, payload: ModuleHash, operation: &str) -> Decision {
    if receipt.payload != payload {
        let text = format!("operation `{operation}` was used for another command");
        return refuse(Reason::OperationConflict, text);
    }
    let reply = match &receipt.answer {
        Answer::Refused(reason) => {
            let text = format!(
                "operation `{operation}` was taken and came to nothing: ask again under a new name"
            );
            Reply::Refused(reason.clone(), text)
        }
        answer => Reply::Command(answer.clone()),
    };
    Decision {
        reply,
        ..Decision::default()
    }
}

fn ids(command: &Command) -> &[CanisterId] {
    match command {
        Command::ImportQueued(ids) | Command::RequeueFailed(Some(ids)) => ids,
        Command::Recycle(id)
        | Command::ImportImmediate(id)
        | Command::Export(id, _)
        | Command::Delete(id)
        | Command::Forget(id) => std::slice::from_ref(id),
        Command::CreateEmpty
        | Command::RequeueFailed(None)
        | Command::DrainSurplus
        | Command::Pause(_)
        | Command::Resume(_)
        | Command::Recover(_) => &[],
    }
}

/// SHA-256 of what the command says. The numbers are in receipts: never reused.
fn digest(command: &Command) -> ModuleHash {
    let kind = match command {
        Command::Recover(how) => return recover::digest(how),
        Command::ImportQueued(_) => 0u8,
        Command::Recycle(_) => 1,
        Command::RequeueFailed(Some(_)) => 2,
        Command::RequeueFailed(None) => 3,
        Command::Pause(_) => 4,
        Command::Resume(_) => 5,
        Command::CreateEmpty => 6,
        Command::ImportImmediate(_) => 7,
        Command::Export(..) => 8,
        Command::Delete(_) => 9,
        Command::Forget(_) => 10,
        Command::DrainSurplus => 11,
    };
    let named = ids(command).to_vec();
    let bytes = match command {
        Command::Pause(Some(direction)) | Command::Resume(Some(direction)) => {
            encode(&(kind, named, direction))
        }
        Command::Export(_, to) => encode(&(kind, named, to)),
        _ => encode(&(kind, named)),
    };
    ModuleHash(Sha256::digest(bytes).into())
}

fn act<M: Memory>(state: &State<M>, now: Nanos, command: &Command) -> Act {
    match command {
        Command::Recover(how) => recover::recover(state, now, how),
        Command::CreateEmpty => intake::create_empty(state),
        Command::ImportImmediate(id) => intake::import_immediate(state, now, *id),
        Command::ImportQueued(ids) => {
            let mut room = intake::rows_left(state);
            let counted = each(state, ids, |row, id| {
                let is_new = row.is_none();
                let row = intake::import(state, now, row, id, room)?;
                room -= u64::from(is_new);
                Ok(row)
            });
            Ok(counted)
        }
        Command::RequeueFailed(Some(ids)) => {
            Ok(each(state, ids, |row, _| intake::requeue(now, row)))
        }
        Command::RequeueFailed(None) => Ok(requeue_all(state, now)),
        Command::Recycle(id) => departure::recycle(state, now, *id),
        Command::Export(id, to) => departure::export(state, now, *id, *to),
        Command::Delete(id) => departure::delete(state, now, *id),
        Command::Forget(id) => departure::forget(state, *id),
        Command::DrainSurplus => departure::drain_surplus(state, now),
        Command::Pause(direction) => Ok(pause(*direction, true)),
        Command::Resume(direction) => Ok(pause(*direction, false)),
    }
}

fn pause(direction: Option<Direction>, paused: bool) -> Acted {
    Acted::done(vec![Event::Paused(direction, paused)], Answer::Done)
}

fn requeue_all<M: Memory>(state: &State<M>, now: Nanos) -> Acted {
    let failed = state.index.in_phase(Phase::Failed, None);
    let failed: Vec<CanisterId> = failed.take(limits::COMMAND_IDS_MAX).copied().collect();
    let mut acted = each(state, &failed, |row, _| intake::requeue(now, row));
    if let Some(Answer::Counted(counted)) = &mut acted.answer {
        counted.total = u32::try_from(state.counts().phase(Phase::Failed)).unwrap_or(u32::MAX);
    }
    acted
}

/// Acts on each id once and counts what came of it.
fn each<M: Memory>(
    state: &State<M>,
    ids: &[CanisterId],
    mut act: impl FnMut(Option<Row>, CanisterId) -> Result<Row, Reason>,
) -> Acted {
    let mut events = Vec::new();
    let mut counted = Counted::default();
    let mut seen = BTreeSet::new();
    for id in ids.iter().filter(|id| seen.insert(**id)) {
        let row = state.row(*id);
        let known = row.is_some();
        match act(row, *id) {
            Ok(row) => {
                if known {
                    counted.requeued += 1;
                } else {
                    counted.added += 1;
                }
                events.push(Event::RowChanged(Box::new(row)));
            }
            Err(reason) => {
                counted.requeued += u32::from(planted("p06"));
                counted.skipped.push((*id, reason));
            }
        }
    }
    counted.total = seen.len() as u32;
    Acted::done(events, Answer::Counted(counted))
}

/// The row of a canister that a command names.
pub(super) fn named<M: Memory>(state: &State<M>, id: CanisterId) -> Result<Row, (Reason, String)> {
    let unknown = || {
        refused(
            Reason::UnknownCanister,
            format!("{id} is not the fleet's: import it first"),
        )
    };
    state.row(id).ok_or_else(unknown)
}
