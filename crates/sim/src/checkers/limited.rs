//! Invariant 12: nothing grows above its limit.

use super::{Checker, Scene};
use hatchery_core::{Command, Event, Input, Recover, Reply, Row, limits};
use hatchery_types::{Lane, OperationId, Phase, Reason, Refusal};
use std::collections::BTreeMap;

#[derive(Debug)]
pub(super) struct Limited;

impl Checker for Limited {
    fn name(&self) -> &'static str {
        "limited"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        if !scene.decision.effects.is_empty() || scene.is_whole {
            check_lanes(scene)?;
        }
        for change in scene.changes {
            change.after.iter().try_for_each(check_row)?;
        }
        if let (Input::Command(input), Reply::Command(_)) = (scene.input, &scene.decision.reply) {
            below(
                "ids in a command",
                ids(&input.command),
                limits::COMMAND_IDS_MAX,
            )?;
        }
        below("rows", scene.rows.len(), limits::ROWS_MAX as usize)?;
        for event in &scene.decision.events {
            if let Event::PoolPlanned {
                record: Some(record),
                ..
            } = event
            {
                below("wishes", record.wishes.len(), limits::POOL_HISTORY_MAX)?;
                below("steps", record.steps.len(), limits::POOL_HISTORY_MAX)?;
            }
        }
        if scene.is_whole {
            scene.rows.values().try_for_each(check_row)?;
            let modules = scene.state.modules().len();
            below("modules", modules, limits::MODULES_MAX as usize)?;
            if scene.state.newest_event() > limits::LOG_MAX {
                let log = scene.state.log(0, usize::MAX);
                below("log", log.len(), limits::LOG_MAX as usize)?;
            }
        }
        Ok(())
    }
}

/// Canisters that a command names.
fn ids(command: &Command) -> usize {
    match command {
        Command::ImportQueued(ids) | Command::RequeueFailed(Some(ids)) => ids.len(),
        Command::ImportImmediate(_)
        | Command::Recycle(_)
        | Command::Export(..)
        | Command::Delete(_)
        | Command::Forget(_) => 1,
        Command::Recover(Recover::Canisters(canisters)) => canisters.len(),
        Command::CreateEmpty
        | Command::RequeueFailed(None)
        | Command::DrainSurplus
        | Command::Recover(_)
        | Command::Pause(_)
        | Command::Resume(_) => 0,
    }
}

fn below(what: &str, count: usize, limit: usize) -> Result<(), String> {
    if count <= limit {
        Ok(())
    } else {
        Err(format!("{count} {what}, limit {limit}"))
    }
}

/// No lane grows above the spec, and no more calls are in flight than the platform's queue takes.
fn check_lanes(scene: &Scene<'_>) -> Result<(), String> {
    let Some(spec) = scene.state.spec() else {
        return Ok(());
    };
    let mut lanes: BTreeMap<Lane, usize> = BTreeMap::new();
    let mut calls = 0;
    for effect in scene.journal.values() {
        // A creation that is over with an unknown end is kept to be found, and runs no more.
        let is_lost = effect.kind.lane() == Lane::Create && effect.outcomes[0].is_some();
        if !is_lost {
            *lanes.entry(effect.kind.lane()).or_default() += 1;
        }
        calls += effect
            .outcomes
            .iter()
            .filter(|outcome| outcome.is_none())
            .count();
    }
    for (lane, count) in lanes {
        let limit = match lane {
            Lane::Create => spec.lanes.create,
            Lane::Reset => spec.lanes.reset,
            Lane::Install => spec.lanes.install,
            Lane::Ask => limits::ASK_LANE,
            Lane::Drain => limits::DRAIN_LANE,
            Lane::Other => limits::OTHER_LANE,
        };
        below(&format!("effects in lane {lane:?}"), count, limit as usize)?;
    }
    below("calls in flight", calls, limits::CALLS_MAX as usize)
}

fn check_row(row: &Row) -> Result<(), String> {
    let text = match &row.reason {
        Reason::Refused(refusal) | Reason::NotExecuted(refusal) | Reason::Unknown(refusal) => {
            refusal.text.len()
        }
        _ => 0,
    };
    below("bytes of a reason", text, Refusal::TEXT_MAX)?;
    let names = row.role.iter().chain(&row.pool).map(String::len);
    below(
        "bytes of a name",
        names.max().unwrap_or(0),
        OperationId::BYTES_MAX,
    )?;
    // What certainly did not run is tried without end, ever more slowly.
    let counts = row.phase == Phase::PendingReset && matches!(row.reason, Reason::Refused(_));
    let attempts = if counts { row.attempts } else { 0 };
    below(
        "attempts",
        attempts as usize,
        limits::ATTEMPTS_MAX as usize - 1,
    )
}
