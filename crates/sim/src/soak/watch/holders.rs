//! Invariants 3 and 10, seen by holders and by who asked to be spared: one holder at a time, and
//! policy takes nobody who is held, spared or was asked for.

use crate::world::{FleetWorld, calls::encode, relay};
use hatchery_api::{EventView, LeaseView, ReleaseRequest, ReportAnswer, RowView};
use hatchery_engine::{IngressStatus, MessageId};
use hatchery_types::{CanisterId, Generation, Nanos, Phase, Reason};
use std::collections::{BTreeMap, BTreeSet};

/// What a lease lasts, by the fleet's spec.
const TTL: Nanos = Nanos::from_secs(60);

#[derive(Debug, Default)]
pub(in crate::soak) struct Holders {
    /// The last lease of each canister.
    held: BTreeMap<CanisterId, (Generation, Nanos)>,
    /// When each canister was last given back; it may have happened later.
    released: BTreeMap<CanisterId, Nanos>,
    /// Until when who is spared.
    spared: BTreeMap<CanisterId, Nanos>,
    asking: Vec<(CanisterId, Nanos, MessageId)>,
    /// Members that other members asked for.
    kept: BTreeSet<CanisterId>,
}

impl Holders {
    /// Answers that were not read.
    pub(super) fn unread(&self) -> u64 {
        self.asking.len() as u64
    }

    /// The operator gives leases back.
    pub(in crate::soak) fn release(&mut self, world: &mut FleetWorld, request: &ReleaseRequest) {
        let sent = world.submit(world.operator, world.root.0, "release", encode(request));
        if sent.is_ok() {
            for canister in &request.canisters {
                let now = Nanos(world.engine.now_ns());
                self.released.insert(*canister, now);
            }
        }
    }

    /// A member asks to be spared; its answer comes by `message`.
    pub(in crate::soak) fn spare(&mut self, member: CanisterId, until: Nanos, message: MessageId) {
        self.asking.push((member, until, message));
    }

    /// A lease was granted: nobody else has one of that worker at that time.
    pub(super) fn granted(&mut self, granted: &[LeaseView]) -> Result<(), String> {
        for lease in granted {
            let last = self
                .held
                .insert(lease.canister, (lease.generation, lease.until));
            let begin = |until: Nanos| Nanos(until.0 - TTL.0);
            let released = self.released.get(&lease.canister).copied();
            let goes_on = |(of, until): (Generation, Nanos)| {
                let is_released = released.is_some_and(|at| at >= begin(until));
                of == lease.generation && until > begin(lease.until) && !is_released
            };
            if last.is_some_and(goes_on) {
                return Err(format!(
                    "{} is leased twice: {last:?}, {lease:?}",
                    lease.canister
                ));
            }
        }
        Ok(())
    }

    /// A member moved.
    pub(super) fn moved(&mut self, before: Option<Phase>, event: &EventView) -> Result<(), String> {
        let Some(canister) = event.canister else {
            return Ok(());
        };
        let reason = event.reason.name.as_str();
        let policy = [Reason::ScaledIn.name(), Reason::StandbySurplus.name()];
        let leaves = matches!(event.phase, Some(Phase::Draining | Phase::Stopping));
        if leaves && policy.contains(&reason) {
            let spared = self.spared.get(&canister);
            let why = [
                (before == Some(Phase::Leased), "leased"),
                (spared.is_some_and(|until| event.at < *until), "spared"),
                (self.kept.contains(&canister), "another's child"),
            ];
            if let Some((_, what)) = why.into_iter().find(|(is_so, _)| *is_so) {
                return Err(format!(
                    "{canister} is {what}, and policy took it: {reason}"
                ));
            }
        }
        if !event.phase.is_some_and(Phase::is_member) {
            self.spared.remove(&canister);
            self.kept.remove(&canister);
        }
        Ok(())
    }

    /// After all moves so far were seen: who is spared, and who another's child, from now on.
    pub(super) fn look(&mut self, world: &mut FleetWorld, rows: &[RowView]) {
        for (member, until, message) in std::mem::take(&mut self.asking) {
            match world.message_status(&message) {
                IngressStatus::Replied(answer) if is_granted(&answer) => {
                    let spared = self.spared.entry(member).or_default();
                    *spared = until;
                }
                IngressStatus::Replied(_) | IngressStatus::Rejected(_) => {}
                _ => self.asking.push((member, until, message)),
            }
        }
        let root = Some(world.root);
        let kept = rows.iter().filter(|row| row.phase.is_living());
        let kept = kept.filter(|row| row.parent.is_some() && row.parent != root);
        self.kept = kept.map(|row| row.canister).collect();
    }
}

fn is_granted(answer: &[u8]) -> bool {
    let Ok(reply) = relay::told(answer) else {
        return false;
    };
    let answer: Result<ReportAnswer, _> = candid::decode_one(&reply);
    answer.is_ok_and(|answer| answer.refused.is_none())
}
