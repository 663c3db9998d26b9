//! A list of canisters that is longer than one command may name, given in parts.
//!
//! Owns the cut, the names of the parts' operations and the sum of their answers; what one command
//! may name is root's limit.

use super::pool::{give as give_one, print_answer};
use crate::args::Given;
use crate::complaint::{Complaint, Kind};
use crate::connection::identity;
use crate::follow;
use crate::session::Session;
use hatchery_api::{COMMAND_IDS_MAX, Command, CommandAnswer, CommandRequest, PAGE_MAX, Queued};
use hatchery_types::{CanisterId, OperationId, Registered};
use std::collections::BTreeSet;

const BAR: &str = "canisters {bar:24.green/black.bright} {pos} of {len}";

/// What a list names.
pub(super) trait Item: Clone {
    /// How many one command may name.
    const MOST: u32;
    /// What an interrupted list is given again with, beside the list.
    fn again(name: &str) -> String;
    /// Which canister.
    fn canister(&self) -> CanisterId;
}

impl Item for CanisterId {
    const MOST: u32 = COMMAND_IDS_MAX;

    fn again(name: &str) -> String {
        format!(" with `--operation {name}`")
    }

    fn canister(&self) -> CanisterId {
        *self
    }
}

/// To a root that recovers: it skips those that it was told of.
impl Item for Registered {
    const MOST: u32 = PAGE_MAX;

    fn again(_: &str) -> String {
        " again".to_owned()
    }

    fn canister(&self) -> CanisterId {
        self.canister
    }
}

/// Gives a command for all of them, in as many parts as it takes, and tells what came of all.
///
/// The parts' operations are named after the one given, so that the same list under the same name
/// gets the same answer, and goes on where it was interrupted.
///
/// # Errors
/// A part is refused or does not arrive; those before it stay done.
pub(super) fn give<T: Item>(
    session: &Session<'_>,
    canisters: Vec<T>,
    command: impl Fn(Vec<T>) -> Command,
    given: &Given,
) -> anyhow::Result<()> {
    if canisters.len() <= T::MOST as usize {
        return give_one(session, command(canisters), given);
    }
    let canisters = each_once(canisters);
    let name = given.operation.clone().unwrap_or_else(identity::fresh);
    let requests = requests(&canisters, &name, command)?;
    let bar = follow::filling(canisters.len() as u64, BAR, !session.globals.json);
    let mut sum = Queued::default();
    for request in &requests {
        let answer = session.client.tell("command", request);
        let answer: CommandAnswer =
            answer.map_err(|error| interrupted(error, &sum, &T::again(&name)))?;
        if let CommandAnswer::Queued(part) = answer {
            add(&mut sum, part);
        }
        bar.set_position(u64::from(sum.total));
    }
    bar.finish_and_clear();
    let answer = CommandAnswer::Queued(sum);
    session.say(&answer, |paint| print_answer(&answer, &name, paint));
    Ok(())
}

/// As root does within one command: of what is named twice the first counts.
fn each_once<T: Item>(canisters: Vec<T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    let mut is_first = |item: &T| seen.insert(item.canister());
    let first = canisters.into_iter().filter(|item| is_first(item));
    first.collect()
}

/// The parts, each an operation of its own.
///
/// # Errors
/// The name leaves no room for the number of a part.
fn requests<T: Item>(
    canisters: &[T],
    name: &str,
    command: impl Fn(Vec<T>) -> Command,
) -> Result<Vec<CommandRequest>, Complaint> {
    let parts = canisters.chunks(T::MOST as usize).enumerate();
    let requests = parts.map(|(number, part)| CommandRequest {
        operation: OperationId(format!("{name}.{}", number + 1)),
        command: command(part.to_vec()),
    });
    let requests: Vec<CommandRequest> = requests.collect();
    if requests.iter().all(|it| it.operation.is_valid()) {
        return Ok(requests);
    }
    let (most, parts) = (OperationId::BYTES_MAX, requests.len());
    let message = format!("the operation's name is too long for a list in {parts} parts");
    let hint = format!("with a point and a part's number it may have {most} bytes");
    Err(Complaint::new(Kind::Input, message).hint(hint))
}

fn add(sum: &mut Queued, part: Queued) {
    sum.added += part.added;
    sum.requeued += part.requeued;
    sum.skipped.extend(part.skipped);
    sum.total += part.total;
}

/// The same error, with what to do about the rest.
fn interrupted(error: anyhow::Error, done: &Queued, again: &str) -> anyhow::Error {
    let hint = format!(
        "{} canisters were taken before; the same list{again} goes on from there",
        done.total
    );
    match error.downcast::<Complaint>() {
        Ok(complaint) => complaint.hint(hint).into(),
        Err(error) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hatchery_types::Principal;

    fn ids(count: u32) -> Vec<CanisterId> {
        let id = |number: u32| CanisterId(Principal::from_slice(&number.to_be_bytes()));
        (0..count).map(id).collect()
    }

    fn import(canisters: Vec<CanisterId>) -> Command {
        Command::ImportQueued { canisters }
    }

    #[test]
    fn every_part_is_within_the_limit_and_none_is_lost() {
        let all = ids(2 * COMMAND_IDS_MAX + 300);
        let twice = [&all[..], &all[..10]].concat();
        assert_eq!(each_once(twice), all);
        let parts = requests(&all, "mine", import).expect("a short name");
        let named: Vec<&str> = parts.iter().map(|it| it.operation.0.as_str()).collect();
        assert_eq!(named, ["mine.1", "mine.2", "mine.3"]);
        let mut again = Vec::new();
        for part in parts {
            let Command::ImportQueued { canisters } = part.command else {
                panic!("another command")
            };
            assert!(canisters.len() <= COMMAND_IDS_MAX as usize);
            again.extend(canisters);
        }
        assert_eq!(again, all);
    }

    #[test]
    fn a_name_without_room_for_the_parts_is_refused_before_anything_is_sent() {
        let all = ids(10 * COMMAND_IDS_MAX);
        assert!(requests(&all, &"x".repeat(61), import).is_ok());
        assert!(requests(&all, &"x".repeat(62), import).is_err());
    }

    #[test]
    fn what_a_recovering_root_is_told_is_cut_by_its_own_limit() {
        let all: Vec<Registered> = ids(2 * PAGE_MAX + 1)
            .into_iter()
            .map(Registered::bare)
            .collect();
        let recover = |canisters| Command::Recover(hatchery_api::Recover::Canisters { canisters });
        let parts = requests(&all, "mine", recover).expect("a short name");
        assert_eq!(parts.len(), 3);
    }
}
