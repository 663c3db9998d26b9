//! Stories: a text of what happens, each line followed by what the control plane decides and why.
//!
//! Lines that begin with `> ` are said to root, in order; the lines below each are root's: its
//! answer, and every move, call and plan with its reason. To explore, write a file of `> ` lines in
//! `tests/stories` and run `UPDATE_EXPECT=1 cargo test -p hatchery-core --test it stories`: the rest
//! is filled in. What may be said:
//!
//! ```text
//! > fleet minimum 2 min 1 max 3      first: a root with that spec; also maximum, create, reset,
//!                                    target and reuse (same-role, same-parent, any, never)
//! > apply minimum 0 min 0 max 3      another spec
//! > import c5 c6                     also import-now, recycle, delete, forget, requeue, export
//!                                    (with a second word: registry or heir), create-empty,
//!                                    drain-surplus, pause up, pause down, resume
//! > answer reset refused             the oldest call of that kind: done, refused, not-executed,
//!                                    unknown, stopping
//! > settle                           a healthy platform answers everything
//! > run 10                           seconds on a healthy platform
//! > wait 60                          seconds without an answer
//! > liquid 11                        root's cycles, in T
//! > report c11 9                     a member's depth
//! > upgrade                          by force: what is under way is answered to nobody
//! > status                           rows by phase, and what holds the warm pool back
//! ```

use crate::commands::word;
use crate::fixture::{Root, canister, name, refused, spec};
use expect_test::expect_file;
use hatchery_core::{Answer, Command, Input, Reply, maintenance_paused, next_wake, warm_reason};
use hatchery_types::{
    CanisterId, Cycles, Direction, Effect, ExportTo, FleetSpec, Outcome, Phase, Principal, Refusal,
    Reuse, Value,
};
use std::fmt::Write;
use std::path::Path;

const HEIR: Principal = Principal::from_slice(&[9, 2]);

#[test]
fn stories_are_told_as_before() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories");
    let files = std::fs::read_dir(folder).expect("the folder is there");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    assert!(paths.len() >= 5, "{paths:?}");
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a text");
        expect_file![&path].assert_eq(&tell(&text));
    }
}

#[test]
fn a_line_that_means_nothing_is_named() {
    let error = std::panic::catch_unwind(|| tell("> fleet minimum 0 min 0 max 1\n> dance\n"));
    let text = error.expect_err("it means nothing");
    let text = text.downcast_ref::<String>().expect("a text");
    assert_eq!(text, "line 2: `dance` means nothing");
}

/// The story with root's lines as they are now. Lines that begin with `#` stay.
fn tell(text: &str) -> String {
    let mut story = String::new();
    let mut root: Option<Root> = None;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with('#') {
            writeln!(story, "{line}").expect("a String takes text");
        }
        let Some(said) = line.strip_prefix("> ") else {
            continue;
        };
        writeln!(story, "{line}").expect("a String takes text");
        let words: Vec<&str> = said.split_whitespace().collect();
        let answer = match (&mut root, words.as_slice()) {
            (None, ["fleet", numbers @ ..]) => {
                root = fleet(numbers).map(Root::with);
                root.as_ref().map(|_| String::new())
            }
            (Some(root), words) => say(root, number, words),
            (None, _) => None,
        };
        let Some(answer) = answer else {
            panic!("line {}: `{said}` means nothing", number + 1);
        };
        story += &root.as_mut().map(Root::story).unwrap_or_default();
        story += &answer;
    }
    story
}

/// Lets one thing happen; what root answers, if it does.
fn say(root: &mut Root, number: usize, words: &[&str]) -> Option<String> {
    match words {
        ["apply", numbers @ ..] => {
            root.feed(&Input::Apply(Box::new(fleet(numbers)?)));
            root.tick();
        }
        ["answer", kind, how] => {
            let effect = oldest(root, kind)?;
            let outcomes = vec![outcome(how)?; effect.outcomes.len()];
            root.answer(&effect, &outcomes);
        }
        ["settle"] => root.settle(),
        ["run", seconds] => root.run(seconds.parse().ok()?),
        ["wait", seconds] => root.later(seconds.parse().ok()?),
        ["liquid", trillions] => {
            root.vitals.liquid = Cycles(trillions.parse::<u128>().ok()? * Cycles::T);
            root.tick();
        }
        ["report", member, value] => {
            root.report(id(member)?, value.parse().ok()?);
        }
        ["upgrade"] => {
            root.open.clear();
            root.upgrade();
            root.tick();
        }
        ["status"] => return Some(status(root)),
        _ => {
            let reply = root.command(&format!("line {number}"), command(words)?);
            return Some(format!("  {}\n", told(&reply)));
        }
    }
    Some(String::new())
}

/// A reply in a word or two, canisters by their numbers.
fn told(reply: &Reply) -> String {
    let Reply::Command(Answer::Counted(counted)) = reply else {
        return word(reply);
    };
    let skipped = counted.skipped.iter();
    let skipped = skipped.map(|(id, why)| format!(", {} skipped: {why}", name(*id)));
    let (added, requeued) = (counted.added, counted.requeued);
    let skipped: Vec<String> = skipped.collect();
    format!("added {added}, requeued {requeued}{}", skipped.concat())
}

fn fleet(words: &[&str]) -> Option<FleetSpec> {
    let word = |key: &str| {
        let position = words.iter().position(|word| *word == key)?;
        words.get(position + 1).copied()
    };
    let number = |key: &str| word(key)?.parse::<u32>().ok();
    let mut fleet = spec(number("minimum")?, number("min")?, number("max")?);
    let warm = &mut fleet.warm_pool;
    warm.maximum = number("maximum").unwrap_or(warm.maximum);
    warm.target_percent = number("target").unwrap_or(0);
    fleet.lanes.create = number("create").unwrap_or(fleet.lanes.create);
    fleet.lanes.reset = number("reset").unwrap_or(fleet.lanes.reset);
    fleet.roles[0].reuse = match word("reuse") {
        Some("never") => Reuse::Never,
        Some("any") => Reuse::Any,
        Some("same-parent") => Reuse::SameParent,
        None | Some("same-role") => Reuse::SameRole,
        Some(_) => return None,
    };
    Some(fleet)
}

fn id(word: &str) -> Option<CanisterId> {
    word.strip_prefix('c')?.parse().ok().map(canister)
}

fn oldest(root: &mut Root, kind: &str) -> Option<Effect> {
    let named = |effect: &Effect| effect.kind.name() == kind;
    let position = root.open.iter().position(named)?;
    Some(root.open.remove(position))
}

fn outcome(how: &str) -> Option<Outcome> {
    match how {
        "done" => Some(Outcome::Done(Value::Nothing)),
        "refused" => Some(refused(5)),
        "not-executed" => Some(Outcome::NotExecuted(Refusal::new(2, "busy"))),
        "unknown" => Some(Outcome::Unknown(Refusal::new(6, "expired"))),
        "stopping" => Some(Outcome::InProgress),
        _ => None,
    }
}

fn command(words: &[&str]) -> Option<Command> {
    let ids = |words: &[&str]| {
        words
            .iter()
            .map(|word| id(word))
            .collect::<Option<Vec<_>>>()
    };
    Some(match words {
        ["create-empty"] => Command::CreateEmpty,
        ["import", all @ ..] => Command::ImportQueued(ids(all)?),
        ["import-now", one] => Command::ImportImmediate(id(one)?),
        ["recycle", one] => Command::Recycle(id(one)?),
        ["requeue"] => Command::RequeueFailed(None),
        ["export", one, "registry"] => Command::Export(id(one)?, ExportTo::Registry),
        ["export", one, "heir"] => Command::Export(id(one)?, ExportTo::Principal(HEIR)),
        ["delete", one] => Command::Delete(id(one)?),
        ["forget", one] => Command::Forget(id(one)?),
        ["drain-surplus"] => Command::DrainSurplus,
        ["pause", "up"] => Command::Pause(Some(Direction::Up)),
        ["pause", "down"] => Command::Pause(Some(Direction::Down)),
        ["resume"] => Command::Resume(None),
        _ => return None,
    })
}

fn status(root: &Root) -> String {
    let counts = root.state.counts();
    let phases = Phase::ALL
        .into_iter()
        .filter(|phase| counts.phase(*phase) > 0);
    let mut text = String::from(" ");
    for phase in phases {
        write!(text, " {phase} {}", counts.phase(phase)).expect("a String takes text");
    }
    let reason = warm_reason(&root.state, root.now, &root.vitals);
    write!(text, "; {reason}").expect("a String takes text");
    if let Some(paused) = maintenance_paused(&root.state, root.now, &root.vitals) {
        write!(text, "; paused: {}", paused.name()).expect("a String takes text");
    }
    match next_wake(&root.state, root.now) {
        Some(at) => format!("{text}; wakes in {} s\n", at.since(root.now).as_secs()),
        None => format!("{text}\n"),
    }
}
