//! The state diagram as a list: every move from phase to phase, and what can cause it. A move that
//! is not on the list is a violation; a move on the list that a long run never takes is a gap.

use super::{Checker, Scene};
use crate::edge_list::{EDGES, RARE};
use hatchery_core::{Command, Event, Input};
use hatchery_types::{Effect, EffectKind, Outcome, Phase, REJECT_DESTINATION_INVALID, Value};
use std::collections::BTreeMap;

/// What made a row move: a command, a plan, time, or an effect with the way it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// The input's name, or the effect's.
    pub what: &'static str,
    /// How the effect ended; empty for other causes.
    pub how: &'static str,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.what)?;
        if self.how.is_empty() {
            return Ok(());
        }
        write!(f, " {}", self.how)
    }
}

/// A move: from, to, why; none = no row.
pub type Edge = (Option<Phase>, Option<Phase>, Cause);

/// How often each move was made.
pub type EdgeCounts = BTreeMap<Edge, u64>;

/// The checker of moves, with its count.
#[derive(Debug, Default)]
pub struct Edges {
    counts: EdgeCounts,
    all_allowed: bool,
}

impl Edges {
    /// How often each move was made.
    pub fn counts(&self) -> &EdgeCounts {
        &self.counts
    }

    /// Moves that are not on the list are only counted from now on.
    pub fn allow_all(&mut self) {
        self.all_allowed = true;
    }
}

impl Checker for Edges {
    fn name(&self) -> &'static str {
        "edges"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        for change in scene.changes {
            let phase = |row: &Option<hatchery_core::Row>| row.as_ref().map(|row| row.phase);
            let (from, to) = (phase(&change.before), phase(&change.after));
            if from == to {
                continue;
            }
            let edge = (from, to, cause_of(scene));
            let count = self.counts.entry(edge).or_default();
            *count += 1;
            if *count == 1 && !self.all_allowed && !is_listed(&edge) {
                return Err(format!("{} is not on the list", name_of(&edge)));
            }
        }
        Ok(())
    }
}

/// Moves by name, with their count.
pub fn edge_names(counts: &EdgeCounts) -> BTreeMap<String, u64> {
    let named = counts.iter().map(|(edge, count)| (name_of(edge), *count));
    named.collect()
}

/// Listed moves that were made fewer than `least` times, with their count.
pub fn edges_missed(counts: &EdgeCounts, least: u64) -> Vec<String> {
    let named = edge_names(counts);
    let mut missed = Vec::new();
    for (from, to, causes) in EDGES {
        for cause in *causes {
            let name = format!("{from} -> {to}: {cause}");
            let count = named.get(&name).copied().unwrap_or(0);
            if count < least {
                missed.push(format!("{name} ({count})"));
            }
        }
    }
    missed
}

fn is_listed((from, to, cause): &Edge) -> bool {
    let (from, to, cause) = (phase_name(*from), phase_name(*to), cause.to_string());
    EDGES.iter().chain(RARE).any(|(start, end, causes)| {
        (*start, *end) == (from, to) && causes.contains(&cause.as_str())
    })
}

/// Whether a move is on the list for any cause.
pub fn is_move_listed(from: Option<Phase>, to: Option<Phase>) -> bool {
    let (from, to) = (phase_name(from), phase_name(to));
    EDGES
        .iter()
        .any(|(start, end, _)| (*start, *end) == (from, to))
}

fn name_of((from, to, cause): &Edge) -> String {
    format!("{} -> {}: {cause}", phase_name(*from), phase_name(*to))
}

fn phase_name(phase: Option<Phase>) -> &'static str {
    phase.map_or("none", Phase::name)
}

fn cause_of(scene: &Scene<'_>) -> Cause {
    let plain = |what| Cause { what, how: "" };
    match scene.input {
        Input::Started { .. } => plain("start"),
        Input::Tick(_) => match scene.closed.first() {
            Some(effect) => Cause {
                what: effect.kind.name(),
                how: end_of(effect),
            },
            None if scene.decision.events.iter().any(is_plan) => plain("plan"),
            None => plain("tick"),
        },
        Input::Outcome { .. } => plain("outcome"),
        Input::Apply(_) => plain("apply"),
        Input::Report { .. } | Input::ReportPool(_) => plain("report"),
        Input::Protect { .. } => plain("protect"),
        Input::Lease(_) => plain("lease"),
        Input::CreateWorker(_) => plain("create-worker"),
        Input::Request(_) => plain("request"),
        Input::Command(input) => plain(command_name(&input.command)),
        Input::StageChunk { .. } | Input::CommitModule { .. } => plain("module"),
    }
}

fn is_plan(event: &Event) -> bool {
    matches!(event, Event::PoolPlanned { .. })
}

/// The command's word.
fn command_name(command: &Command) -> &'static str {
    match command {
        Command::CreateEmpty => "create-empty",
        Command::ImportImmediate(_) => "import-immediate",
        Command::ImportQueued(_) => "import",
        Command::Export(..) => "export",
        Command::Delete(_) => "delete",
        Command::Forget(_) => "forget",
        Command::DrainSurplus => "drain-surplus",
        Command::Recycle(_) => "recycle",
        Command::RequeueFailed(_) => "requeue",
        Command::Pause(_) => "pause",
        Command::Resume(_) => "resume",
        Command::Recover(_) => "recover",
    }
}

/// How an effect ended: gone if a step says so and its last one did not work, else the first
/// trouble, else done.
fn end_of(effect: &Effect) -> &'static str {
    let outcomes = || effect.outcomes.iter().flatten();
    let is_gone = |outcome: &Outcome| matches!(outcome, Outcome::Refused(refusal) if refusal.code == REJECT_DESTINATION_INVALID);
    let succeeded = matches!(effect.outcomes.last(), Some(Some(Outcome::Done(_))));
    if !succeeded && outcomes().any(is_gone) {
        return "gone";
    }
    // What a mend or an upgrade leads to is read off its look alone.
    let looks = matches!(
        effect.kind,
        EffectKind::Mend { .. } | EffectKind::Upgrade { .. } | EffectKind::Return { .. }
    );
    let counted = outcomes().skip(if looks { effect.outcomes.len() - 1 } else { 0 });
    let mut counted = counted;
    let trouble = counted.find_map(|outcome| match outcome {
        Outcome::Done(_) => None,
        Outcome::Refused(_) => Some("refused"),
        Outcome::NotExecuted(_) => Some("not-executed"),
        Outcome::InProgress => Some("in-progress"),
        Outcome::Unknown(_) => Some("unknown"),
    });
    trouble.unwrap_or(match effect.outcomes.last() {
        Some(Some(Outcome::Done(Value::Drained(false)))) => "busy",
        _ => "done",
    })
}
