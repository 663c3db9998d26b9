//! Invariant 11: every refusal and every no-op has a typed reason.

use super::{Checker, Scene};
use hatchery_core::{Answer, Command, Event, Input, Reply};
use std::collections::BTreeSet;

#[derive(Debug)]
pub(super) struct Explained;

impl Checker for Explained {
    fn name(&self) -> &'static str {
        "explained"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        match (scene.input, &scene.decision.reply) {
            (Input::Command(input), reply) => check_command(&input.command, reply)?,
            (Input::Report { .. }, Reply::Reported { .. } | Reply::Refused(..)) => {}
            (Input::Report { .. }, reply) => return Err(format!("a report got {reply:?}")),
            (Input::Apply(_) | Input::StageChunk { .. } | Input::CommitModule { .. }, reply)
                if !matches!(reply, Reply::Applied(_) | Reply::Refused(..)) =>
            {
                return Err(format!("{:?} got {reply:?}", scene.input));
            }
            (Input::Tick(vitals), _) if !scene.decision.more && !vitals.stopping => {
                check_pools(scene)?;
            }
            _ => {}
        }
        if scene.is_whole {
            check_decisions(scene)?;
        }
        let is_refused = matches!(scene.decision.reply, Reply::Refused(..));
        if is_refused && !scene.decision.events.iter().all(is_told_only) {
            return Err(format!("refused, and yet {:?}", scene.decision.events));
        }
        Ok(())
    }
}

/// A module whose whole is not what was announced is refused and forgotten; refusals are counted.
fn is_told_only(event: &Event) -> bool {
    matches!(
        event,
        Event::ModuleChanged { record: None, .. } | Event::Counted(..)
    )
}

/// An import speaks of every canister it was asked about, once.
fn check_command(command: &Command, reply: &Reply) -> Result<(), String> {
    let answer = match reply {
        Reply::Refused(..) => return Ok(()),
        Reply::Command(answer) => answer,
        reply => return Err(format!("{command:?} got {reply:?}")),
    };
    let (Command::ImportQueued(ids) | Command::RequeueFailed(Some(ids))) = command else {
        return Ok(());
    };
    let Answer::Counted(counted) = answer else {
        return Err(format!("{command:?} got {answer:?}"));
    };
    let asked = ids.iter().collect::<BTreeSet<_>>().len();
    let told = counted.added as usize + counted.requeued as usize + counted.skipped.len();
    if told != asked || counted.total as usize != asked {
        return Err(format!(
            "{command:?} of {asked} told of {told}: {counted:?}"
        ));
    }
    Ok(())
}

/// The last decision of every pool is made again from what its log keeps.
fn check_decisions(scene: &Scene<'_>) -> Result<(), String> {
    for pool in scene.state.spec().map_or(&[][..], |spec| &spec.pools) {
        let (page, _) = scene.state.decisions_of(&pool.name, None, 1);
        let Some((number, decided)) = page.first() else {
            continue;
        };
        let views = scene.state.views_of(*number);
        let again = views.and_then(|views| hatchery_core::replay(&views));
        if again.as_ref() != Some(&(decided.plan.clone(), decided.digest)) {
            return Err(format!(
                "decision {number} of {} is not what its views lead to",
                pool.name
            ));
        }
    }
    Ok(())
}

/// After a finished tick every pool says why it is as it is.
fn check_pools(scene: &Scene<'_>) -> Result<(), String> {
    // One reason holds all of them back.
    if hatchery_core::held_back(scene.state).is_some() {
        return Ok(());
    }
    for pool in scene.state.spec().map_or(&[][..], |spec| &spec.pools) {
        let record = scene.state.pool(&pool.name);
        if record.is_none_or(|record| record.reasons.is_empty()) {
            return Err(format!("pool {} says nothing after a tick", pool.name));
        }
    }
    Ok(())
}
