//! What travels: ingress messages, requests, answers and tasks, and the places where they wait.
//! Nothing here executes a message.

use std::collections::{BTreeMap, VecDeque};

use ic_principal::Principal;

use super::ingress::MessageId;
use crate::reject::Reject;
use crate::saved::saved;

/// Most unanswered requests from one canister to one callee (interface of the replica: queue
/// capacity; the management canister counts as one callee).
pub(crate) const REQUESTS_PER_CALLEE_MAX: usize = 500;

/// Numbers the open calls of a canister.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CallbackId(pub(crate) u64);

/// Who waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A user.
    Ingress { id: MessageId, sender: Principal },
    /// A canister's open call; deadline 0 = guaranteed response.
    Canister {
        caller: Principal,
        callback: CallbackId,
        deadline_ns: u64,
    },
    /// Nobody: heartbeat, timer, low-memory hook.
    Task,
}

impl Origin {
    /// The caller as the callee sees it.
    pub(crate) fn principal(&self) -> Principal {
        match self {
            Origin::Ingress { sender, .. } => *sender,
            Origin::Canister { caller, .. } => *caller,
            Origin::Task => Principal::management_canister(),
        }
    }

    pub(crate) fn deadline_ns(&self) -> u64 {
        match self {
            Origin::Canister { deadline_ns, .. } => *deadline_ns,
            Origin::Ingress { .. } | Origin::Task => 0,
        }
    }
}

/// A call on its way to a canister or to the management canister.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) origin: Origin,
    pub(crate) callee: Principal,
    pub(crate) method: String,
    pub(crate) arg: Vec<u8>,
    pub(crate) cycles: u128,
    /// The sending canister's version when it sent; 0 for users.
    pub(crate) sender_version: u64,
    /// Ingress messages not executed by then are rejected; 0 for canisters.
    pub(crate) expires_ns: u64,
}

/// An answer on its way back to a canister.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) to: Principal,
    pub(crate) callback: CallbackId,
    pub(crate) result: Result<Vec<u8>, Reject>,
    pub(crate) refund: u128,
}

/// A task the system starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    Heartbeat,
    GlobalTimer,
    LowMemory,
}

/// What waits in front of a canister.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    Request(Request),
    Answer(Answer),
}

/// Something that leaves a canister or the management canister.
#[derive(Debug, Clone)]
pub(crate) enum Parcel {
    Request(Request),
    Answer(Answer),
}

impl Parcel {
    /// Cycles that travel with it.
    pub(crate) fn cycles(&self) -> u128 {
        match self {
            Parcel::Request(request) => request.cycles,
            Parcel::Answer(answer) => answer.refund,
        }
    }
}

/// Whose queue a management call waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sender {
    /// All users share one.
    Users,
    Canister(Principal),
}

/// Messages to the management canister, one first-in-first-out queue per sender, served in turn.
///
/// A head that cannot run now holds back its own sender's queue and nobody else's.
#[derive(Debug, Clone, Default)]
pub(crate) struct ManagementQueue {
    senders: BTreeMap<Sender, VecDeque<Request>>,
    /// The sender served last.
    last: Option<Sender>,
}

impl ManagementQueue {
    /// Queues `request` behind its sender's others.
    pub(crate) fn push(&mut self, request: Request) {
        let sender = match &request.origin {
            Origin::Canister { caller, .. } => Sender::Canister(*caller),
            Origin::Ingress { .. } | Origin::Task => Sender::Users,
        };
        self.senders.entry(sender).or_default().push_back(request);
    }

    /// Takes the next request for which `may_run` holds, senders in turn; `None` when every
    /// sender's head is held back or nothing waits.
    pub(crate) fn pop(&mut self, mut may_run: impl FnMut(&Request) -> bool) -> Option<Request> {
        let after = self.last.and_then(|last| {
            let bounds = (std::ops::Bound::Excluded(last), std::ops::Bound::Unbounded);
            self.senders
                .range(bounds)
                .find(|(_, queue)| queue.front().is_some_and(&mut may_run))
                .map(|(sender, _)| *sender)
        });
        let sender = match after {
            Some(sender) => sender,
            None => {
                *self
                    .senders
                    .iter()
                    .find(|(_, queue)| queue.front().is_some_and(&mut may_run))?
                    .0
            }
        };
        self.last = Some(sender);
        let queue = self.senders.get_mut(&sender)?;
        let request = queue.pop_front();
        if queue.is_empty() {
            self.senders.remove(&sender);
        }
        request
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.senders.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Request> {
        self.senders.values().flatten()
    }
}

/// Requests and answers that a fault holds back, in the order in which they may go on.
///
/// A held request holds back later ones of the same pair of canisters, since the platform keeps
/// their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    parcels: VecDeque<(u64, Parcel)>,
}

impl Held {
    /// Round in which a request between this pair may go at the earliest, if one is held.
    pub(crate) fn pair_until(&self, request: &Request) -> Option<u64> {
        let pair = (request.origin.principal(), request.callee);
        self.parcels
            .iter()
            .filter_map(|(until, parcel)| match parcel {
                Parcel::Request(held) => {
                    ((held.origin.principal(), held.callee) == pair).then_some(*until)
                }
                Parcel::Answer(_) => None,
            })
            .max()
    }

    pub(crate) fn hold(&mut self, until_round: u64, parcel: Parcel) {
        self.parcels.push_back((until_round, parcel));
    }

    /// Takes what may go on in `round`, oldest first.
    pub(crate) fn release(&mut self, round: u64) -> Vec<Parcel> {
        if self.parcels.is_empty() {
            return Vec::new();
        }
        let (due, rest): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.parcels)
            .into_iter()
            .partition(|(until, _)| *until <= round);
        self.parcels = rest;
        due.into_iter().map(|(_, parcel)| parcel).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }

    pub(crate) fn cycles(&self) -> u128 {
        self.parcels.iter().map(|(_, parcel)| parcel.cycles()).sum()
    }
}

saved!(number CallbackId);
saved!(enum Origin {
    0 => Ingress { id, sender },
    1 => Canister { caller, callback, deadline_ns },
    2 => Task,
});
saved!(struct Request { origin, callee, method, arg, cycles, sender_version, expires_ns });
saved!(struct Answer { to, callback, result, refund });
saved!(enum Task { 0 => Heartbeat, 1 => GlobalTimer, 2 => LowMemory });
saved!(enum Input { 0 => Request(request), 1 => Answer(answer) });
saved!(enum Parcel { 0 => Request(request), 1 => Answer(answer) });
saved!(enum Sender { 0 => Users, 1 => Canister(id) });
saved!(struct ManagementQueue { senders, last });
saved!(struct Held { parcels });
