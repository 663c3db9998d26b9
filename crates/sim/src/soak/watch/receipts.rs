//! Invariant 9, seen by who asks: an operation that has got its answer gets that answer again, and a
//! request never a second canister.

use super::holders::Holders;
use crate::world::{FleetWorld, calls::encode, relay};
use hatchery_api::{Answer, CommandAnswer, LeaseAnswer, LeaseRequest, LeaseView, MemberRequest};
use hatchery_engine::{IngressStatus, MessageId};
use hatchery_types::{CanisterId, Generation};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Messages whose answers are waited for.
const PENDING_MAX: usize = 200;

/// Who asked, in which tenancy, under which id; a user has no tenancy.
type Key = (Option<(CanisterId, Generation)>, String);

/// What came of an operation.
#[derive(Debug, Clone, PartialEq)]
enum Outcome {
    Command(CommandAnswer),
    Granted(Vec<LeaseView>),
}

#[derive(Debug)]
struct Pending {
    key: Key,
    message: MessageId,
    /// What the operation had come to when it was asked this time.
    known: Option<Outcome>,
}

/// The operations of members and of holders.
#[derive(Debug, Default)]
pub(in crate::soak) struct Receipts {
    pending: Vec<Pending>,
    outcomes: BTreeMap<Key, Outcome>,
    /// Operations whose answers nobody waited for.
    dropped: u64,
}

impl Receipts {
    /// Answers that were not read.
    pub(super) fn unread(&self) -> u64 {
        self.pending.len() as u64 + self.dropped
    }

    /// A member asks root.
    pub(in crate::soak) fn ask(
        &mut self,
        world: &mut FleetWorld,
        member: CanisterId,
        request: &MemberRequest,
    ) {
        let argument = relay::passed_on(world.root.0, "request", &encode(request));
        let message = world.submit(world.operator, member.0, "relay", argument);
        let key = (
            Some((member, request.generation)),
            request.operation.0.clone(),
        );
        self.expect(key, message.ok());
    }

    /// The operator leases.
    pub(in crate::soak) fn lease(&mut self, world: &mut FleetWorld, request: &LeaseRequest) {
        let message = world.submit(world.operator, world.root.0, "lease", encode(request));
        self.expect((None, request.operation.0.clone()), message.ok());
    }

    fn expect(&mut self, key: Key, message: Option<MessageId>) {
        let Some(message) = message else { return };
        if self.pending.len() >= PENDING_MAX {
            self.dropped += 1;
            return;
        }
        let known = self.outcomes.get(&key).cloned();
        self.pending.push(Pending {
            key,
            message,
            known,
        });
    }

    /// Reads the answers that have come.
    pub(super) fn look(
        &mut self,
        world: &mut FleetWorld,
        holders: &mut Holders,
    ) -> Result<(), String> {
        for pending in std::mem::take(&mut self.pending) {
            match world.message_status(&pending.message) {
                IngressStatus::Replied(answer) => self.answered(&pending, &answer, holders)?,
                IngressStatus::Rejected(_) => {}
                _ => self.pending.push(pending),
            }
        }
        Ok(())
    }

    fn answered(
        &mut self,
        pending: &Pending,
        answer: &[u8],
        holders: &mut Holders,
    ) -> Result<(), String> {
        let Some(outcome) = read(pending, answer) else {
            return Ok(());
        };
        let key = &pending.key;
        if pending
            .known
            .as_ref()
            .is_some_and(|known| *known != outcome)
        {
            let known = &pending.known;
            return Err(format!(
                "{key:?} came to {known:?}, and then to {outcome:?}"
            ));
        }
        if outcome == Outcome::Command(CommandAnswer::InProgress) {
            return Ok(());
        }
        let first = self.outcomes.entry(key.clone());
        let is_new = matches!(first, std::collections::btree_map::Entry::Vacant(_));
        let first = first.or_insert_with(|| outcome.clone());
        if *first != outcome {
            return Err(format!("{key:?} came to {first:?} and to {outcome:?}"));
        }
        match &outcome {
            Outcome::Granted(granted) if is_new => holders.granted(granted),
            _ => Ok(()),
        }
    }

    /// Operations that came to something, by what it was.
    pub(super) fn count(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for outcome in self.outcomes.values() {
            let what = match outcome {
                Outcome::Command(CommandAnswer::Created { .. }) => "child-created",
                Outcome::Command(CommandAnswer::Upgraded | CommandAnswer::Upgrading { .. }) => {
                    "child-upgraded"
                }
                Outcome::Command(_) => "child-ended",
                Outcome::Granted(_) => "lease-answered",
            };
            *counts.entry(what).or_default() += 1;
        }
        counts
    }
}

/// What the answer says that the operation came to; none = refused, or not passed on.
fn read(pending: &Pending, answer: &[u8]) -> Option<Outcome> {
    if pending.key.0.is_none() {
        let answer: LeaseAnswer = accepted(answer)?;
        return Some(Outcome::Granted(answer.granted));
    }
    let reply = relay::told(answer).ok()?;
    Some(Outcome::Command(accepted(&reply)?))
}

fn accepted<T: DeserializeOwned + candid::CandidType>(reply: &[u8]) -> Option<T> {
    let answer: Answer<T> = candid::decode_one(reply).ok()?;
    answer.ok()
}
