//! Invariant 9: one operation id, at most one effect, the same answer for ever within its life.

use super::{Checker, Scene};
use hatchery_core::{Answer, Command, Input, Reply};
use hatchery_types::{Nanos, OperationId, Principal, Reason};
use std::collections::BTreeMap;

/// Receipts live at least a day (DESIGN: section 7).
const LIFE: Nanos = Nanos::from_secs(24 * 3_600);

#[derive(Debug, Default)]
pub(super) struct Operations {
    answered: BTreeMap<(Principal, OperationId), (Nanos, Command, Reply)>,
}

impl Checker for Operations {
    fn name(&self) -> &'static str {
        "operations"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        let Input::Command(input) = scene.input else {
            return Ok(());
        };
        let key = (input.caller, input.operation.clone());
        let reply = &scene.decision.reply;
        let earlier = self.answered.get(&key);
        let Some((_, command, answer)) = earlier.filter(|(at, _, _)| scene.now.since(*at) < LIFE)
        else {
            if matches!(reply, Reply::Command(_)) {
                self.answered
                    .insert(key, (scene.now, input.command.clone(), reply.clone()));
            }
            return Ok(());
        };
        if !scene.decision.effects.is_empty() || !scene.changes.is_empty() {
            return Err(format!("{:?} again had an effect", input.operation));
        }
        let is_same = *command == input.command;
        let was_open = *answer == Reply::Command(Answer::InProgress);
        match reply {
            reply if is_same && was_open && is_end(reply) => {
                let ended = (scene.now, input.command.clone(), reply.clone());
                self.answered.insert(key, ended);
                Ok(())
            }
            Reply::Refused(Reason::OperationConflict, _) if !is_same => Ok(()),
            reply if is_same && reply == answer => Ok(()),
            reply => Err(format!(
                "{input:?}: {command:?} got {answer:?} then, now {reply:?}"
            )),
        }
    }
}

/// An answer that is for ever.
fn is_end(reply: &Reply) -> bool {
    match reply {
        Reply::Command(answer) => *answer != Answer::InProgress,
        Reply::Refused(reason, _) => *reason != Reason::OperationConflict,
        _ => false,
    }
}
