//! The end of operations that wait: read off what a decision writes, whoever made it.
//!
//! Starts nothing and moves nothing; the receipt alone is written.

use super::Draft;
use crate::limits;
use crate::receipt::{Answer, Goal, On, Receipt, Wait};
use crate::record::{Exit, Row};
use crate::state::State;
use crate::{Decision, Event};
use hatchery_types::{CanisterId, EffectId, ModuleHash, Nanos, Outcome, Phase, Reason, Value};
use ic_stable_structures::Memory;

/// Answers the operations whose wait the decision ends.
pub(super) fn settle<M: Memory>(state: &State<M>, now: Nanos, decision: &mut Decision) {
    if !state.has_waiting() {
        return;
    }
    let mut answered = Vec::new();
    for event in &decision.events {
        let (on, fate) = match event {
            Event::RowChanged(row) => (On::Canister(row.canister), Fate::Moved(row)),
            Event::RowRemoved(canister, reason) => (
                On::Canister(*canister),
                Fate::Removed(state.row(*canister).map(Box::new), reason),
            ),
            Event::EffectClosed(effect) => {
                let on = On::Creation(*effect);
                if state.waiting_count(on) == 0 {
                    continue;
                }
                (on, created(state, *effect, &decision.events))
            }
            _ => continue,
        };
        for (_, caller, operation) in state.waiting_on(on) {
            let Some(receipt) = state.receipt(caller, &operation) else {
                continue;
            };
            let Some(answer) = receipt.wait.and_then(|wait| answer(wait.goal, &fate)) else {
                continue;
            };
            answered.push(Event::OperationAnswered {
                caller,
                operation,
                receipt: Receipt {
                    at: now,
                    answer,
                    wait: None,
                    ..receipt
                },
            });
        }
    }
    decision.events.extend(answered);
}

/// What became of the thing that an operation waits on.
enum Fate<'a> {
    Moved(&'a Row),
    Removed(Option<Box<Row>>, &'a Reason),
    Created(CanisterId),
    NotCreated(Reason),
}

/// A creation ended: with the row that is new in the same decision, or with none.
fn created<'a, M: Memory>(state: &State<M>, effect: EffectId, events: &[Event]) -> Fate<'a> {
    let new = events.iter().find_map(|event| match event {
        Event::RowChanged(row) if row.reason == Reason::Bought => Some(row.canister),
        _ => None,
    });
    let outcome = state
        .effect(effect)
        .and_then(|effect| effect.outcomes.first().cloned().flatten());
    match (outcome, new) {
        (Some(Outcome::Done(Value::Created(canister))), _) | (_, Some(canister)) => {
            Fate::Created(canister)
        }
        (Some(Outcome::Refused(refusal)), None) => Fate::NotCreated(Reason::Refused(refusal)),
        (Some(Outcome::NotExecuted(refusal)), None) => {
            Fate::NotCreated(Reason::NotExecuted(refusal))
        }
        (_, None) => Fate::NotCreated(Reason::LostCreations),
    }
}

/// The answer that a fate means; `None` while it is still open.
fn answer(goal: Goal, fate: &Fate<'_>) -> Option<Answer> {
    match (goal, fate) {
        (Goal::Create, Fate::Created(canister)) => Some(Answer::Created(*canister)),
        (Goal::Create, Fate::NotCreated(reason)) => Some(Answer::Refused(reason.clone())),
        (Goal::Delete, Fate::Removed(row, _)) => {
            let cycles = row.as_ref().and_then(|row| row.cycles);
            let discarded = cycles.unwrap_or_default();
            Some(Answer::Deleted { discarded })
        }
        (Goal::Export, Fate::Removed(Some(row), Reason::Exported)) => Some(exported(row)),
        (Goal::Export, Fate::Moved(row)) if is_installed(row.phase) => Some(exported(row)),
        (Goal::Worker, Fate::Moved(row)) if is_installed(row.phase) && row.starts_until.0 == 0 => {
            Some(Answer::Created(row.canister))
        }
        (Goal::Upgrade, Fate::Moved(row)) if row.reason == Reason::Upgraded => {
            Some(Answer::Upgraded)
        }
        (Goal::Recycle, Fate::Moved(row)) if row.phase == Phase::Ready => Some(Answer::Recycled),
        (Goal::Import, Fate::Moved(row)) if row.phase == Phase::Ready => Some(Answer::Imported),
        (_, Fate::Removed(_, reason)) => Some(Answer::Refused((*reason).clone())),
        (goal, Fate::Moved(row)) if is_over(goal, row) => Some(Answer::Refused(row.reason.clone())),
        _ => None,
    }
}

fn exported(row: &Row) -> Answer {
    Answer::Exported {
        role: row.role.clone().unwrap_or_default(),
        module: row.module.unwrap_or(ModuleHash([0; 32])),
    }
}

fn is_installed(phase: Phase) -> bool {
    phase.is_living() && phase != Phase::Installing
}

/// The row stands where the goal will not be reached any more.
fn is_over(goal: Goal, row: &Row) -> bool {
    match goal {
        Goal::Create => false,
        Goal::Worker => !matches!(row.phase, Phase::Installing | Phase::Standby),
        Goal::Upgrade => row.phase != Phase::Upgrading,
        Goal::Recycle | Goal::Import => matches!(row.phase, Phase::Failed | Phase::Lost),
        Goal::Export => !matches!(row.phase, Phase::Exporting | Phase::Installing),
        Goal::Delete => {
            let emptied_first = row.exit == Some(Exit::Delete) && row.phase != Phase::Failed;
            row.phase != Phase::Deleting && !emptied_first
        }
    }
}

/// The oldest wish for a canister that could not be bought in time is refused.
pub(super) fn give_up_purchase<M: Memory>(
    state: &State<M>,
    now: Nanos,
    why: impl FnOnce() -> Reason,
) -> Option<Decision> {
    let (at, caller, operation) = state.waiting_on(On::Purchase).next()?;
    if now.since(at) < limits::PURCHASE_WAIT {
        return None;
    }
    let receipt = state.receipt(caller, &operation)?;
    let mut draft = Draft::new(state, now);
    draft.event(Event::OperationAnswered {
        caller,
        operation,
        receipt: Receipt {
            at: now,
            answer: Answer::Refused(why()),
            wait: None,
            ..receipt
        },
    });
    Some(draft.done())
}

/// When the oldest wish for a canister is given up.
pub(super) fn purchase_due<M: Memory>(state: &State<M>) -> Option<Nanos> {
    let oldest = state.waiting_on(On::Purchase).next();
    oldest.map(|(at, _, _)| at + limits::PURCHASE_WAIT)
}

/// Ties the oldest wishes for a canister to the creations just started.
pub(super) fn tie_purchases<M: Memory>(state: &State<M>, draft: &mut Draft, effects: &[EffectId]) {
    for ((at, caller, operation), effect) in state.waiting_on(On::Purchase).zip(effects) {
        let Some(receipt) = state.receipt(caller, &operation) else {
            continue;
        };
        let wait = Wait {
            goal: Goal::Create,
            on: On::Creation(*effect),
        };
        draft.event(Event::OperationAnswered {
            caller,
            operation,
            receipt: Receipt {
                at,
                wait: Some(wait),
                ..receipt
            },
        });
    }
}
