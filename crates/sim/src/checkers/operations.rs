//! Invariant 9: one operation id, at most one effect, the same answer for ever within its life.

use super::{Checker, Scene};
use hatchery_core::{Answer, Input, LeaseInput, Reply};
use hatchery_types::{Nanos, OperationId, Principal, Reason};
use std::collections::BTreeMap;

/// Receipts live at least a day (DESIGN: section 7).
const LIFE: Nanos = Nanos::from_secs(24 * 3_600);
/// Answers to holders live at least an hour (the same).
const LEASE_LIFE: Nanos = Nanos::from_secs(3_600);

#[derive(Debug, Default)]
pub(super) struct Operations {
    /// When, what in words, and the answer.
    answered: BTreeMap<(Principal, OperationId), (Nanos, String, Reply)>,
    /// The same of leases: what was asked for, and the answer.
    leased: BTreeMap<(Principal, OperationId), (Nanos, LeaseInput, Reply)>,
}

impl Checker for Operations {
    fn name(&self) -> &'static str {
        "operations"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        if let Input::Lease(input) = scene.input {
            return self.check_lease(scene, input);
        }
        let (caller, operation, asked) = match scene.input {
            Input::Command(it) => (it.caller, &it.operation, format!("{:?}", it.command)),
            Input::CreateWorker(it) => (it.caller, &it.operation, format!("worker of {}", it.pool)),
            Input::Request(it) => {
                let asked = format!("{:?} of {}", it.ask, it.generation);
                (it.caller.0, &it.operation, asked)
            }
            _ => return Ok(()),
        };
        let key = (caller, operation.clone());
        let reply = &scene.decision.reply;
        let earlier = self.answered.get(&key);
        let Some((_, command, answer)) = earlier.filter(|(at, _, _)| scene.now.since(*at) < LIFE)
        else {
            if matches!(reply, Reply::Command(_)) {
                self.answered.insert(key, (scene.now, asked, reply.clone()));
            }
            return Ok(());
        };
        if !scene.decision.effects.is_empty() || !scene.changes.is_empty() {
            return Err(format!("{operation:?} again had an effect"));
        }
        let is_same = *command == asked;
        let was_open = *answer == Reply::Command(Answer::InProgress);
        match reply {
            Reply::Refused(reason, _) if is_nobody(reason) => Ok(()),
            reply if is_same && was_open && is_end(reply) => {
                let ended = (scene.now, asked, reply.clone());
                self.answered.insert(key, ended);
                Ok(())
            }
            Reply::Refused(Reason::OperationConflict, _) if !is_same => Ok(()),
            reply if is_same && reply == answer => Ok(()),
            reply => Err(format!(
                "{:?}: {command} got {answer:?} then, now {reply:?}",
                scene.input
            )),
        }
    }
}

impl Operations {
    /// The same lease again is no second one.
    fn check_lease(&mut self, scene: &Scene<'_>, input: &LeaseInput) -> Result<(), String> {
        let key = (input.caller, input.operation.clone());
        let reply = &scene.decision.reply;
        let earlier = self.leased.get(&key);
        let Some((_, asked, answer)) = earlier.filter(|(at, ..)| scene.now.since(*at) < LEASE_LIFE)
        else {
            if matches!(reply, Reply::Lease(_)) {
                self.leased
                    .insert(key, (scene.now, input.clone(), reply.clone()));
            }
            return Ok(());
        };
        if !scene.changes.is_empty() {
            return Err(format!("{:?} again had an effect", input.operation));
        }
        match reply {
            Reply::Lease(_) if asked == input && reply == answer => Ok(()),
            Reply::Refused(Reason::OperationConflict, _) if asked != input => Ok(()),
            Reply::Refused(Reason::UnknownPool | Reason::NoLeases | Reason::Unauthorised, _) => {
                Ok(())
            }
            reply => Err(format!("{asked:?} got {answer:?} then, now {reply:?}")),
        }
    }
}

/// Who is no member, or no longer the same, hears nothing of its operations.
fn is_nobody(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::Unauthorised | Reason::StaleGeneration | Reason::Recovering | Reason::Unchecked
    )
}

/// An answer that is for ever.
fn is_end(reply: &Reply) -> bool {
    match reply {
        Reply::Command(answer) => *answer != Answer::InProgress,
        Reply::Refused(reason, _) => *reason != Reason::OperationConflict,
        _ => false,
    }
}
