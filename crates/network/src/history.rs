//! The requests that were taken in: no request runs twice while it could be sent again, and its
//! answer stays readable meanwhile. What the answers say is the state tree's.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hatchery_engine::{IngressStatus, MessageId, Principal};

use crate::state::{RequestStatus, State};

/// The representation-independent hash of a request.
pub(crate) type RequestId = [u8; 32];

/// Requests known at a time; more are refused until some have expired.
const REQUESTS_MAX: usize = 1_000_000;
/// Bytes of answers kept; the oldest answers go first, their requests stay known.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A request that was taken in.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) sender: Principal,
    pub(crate) expires_ns: u64,
    pub(crate) status: RequestStatus,
}

/// All requests that have not expired.
#[derive(Debug, Default)]
pub(crate) struct History {
    requests: BTreeMap<RequestId, Known>,
    expiries: BTreeSet<(u64, RequestId)>,
    waiting: BTreeMap<MessageId, RequestId>,
    /// Answers that are kept, oldest first, with their sizes.
    answers: VecDeque<(RequestId, usize)>,
    answer_bytes: usize,
}

impl History {
    pub(crate) fn get(&self, request: &RequestId) -> Option<&Known> {
        self.requests.get(request)
    }

    /// Whether another request can be taken in.
    pub(crate) fn has_room(&self) -> bool {
        self.requests.len() < REQUESTS_MAX
    }

    /// The messages that have no final status yet, as they are numbered in the engine.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (MessageId, RequestId)> {
        self.waiting.iter().map(|(id, request)| (*id, *request))
    }

    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Knows `request` from now on, under way in the engine as `message`.
    pub(crate) fn take_in(
        &mut self,
        request: RequestId,
        (sender, expires_ns): (Principal, u64),
        message: MessageId,
        state: &mut State,
    ) {
        self.waiting.insert(message, request);
        self.put(
            request,
            (sender, expires_ns),
            RequestStatus::Received,
            state,
        );
    }

    /// Knows `request`, of this sender and with this expiry, with `status`.
    pub(crate) fn put(
        &mut self,
        request: RequestId,
        (sender, expires_ns): (Principal, u64),
        status: RequestStatus,
        state: &mut State,
    ) {
        self.expiries.insert((expires_ns, request));
        let known = Known {
            sender,
            expires_ns,
            status: RequestStatus::Received,
        };
        self.requests.insert(request, known);
        self.set(request, status, state);
    }

    /// The engine's final word on a message.
    pub(crate) fn finish(&mut self, message: MessageId, status: IngressStatus, state: &mut State) {
        let Some(request) = self.waiting.remove(&message) else {
            return;
        };
        let status = match status {
            IngressStatus::Replied(reply) => RequestStatus::Replied(reply),
            IngressStatus::Rejected(reject) => RequestStatus::Rejected(reject),
            IngressStatus::Received | IngressStatus::Processing | IngressStatus::Unknown => {
                RequestStatus::Done
            }
        };
        if self.requests.contains_key(&request) {
            self.set(request, status, state);
        }
    }

    fn set(&mut self, request: RequestId, status: RequestStatus, state: &mut State) {
        state.set_request(&request, Some(&status));
        let bytes = match &status {
            RequestStatus::Replied(reply) => reply.len(),
            RequestStatus::Rejected(reject) => reject.message.len(),
            RequestStatus::Received | RequestStatus::Done => 0,
        };
        if let Some(known) = self.requests.get_mut(&request) {
            known.status = status;
        }
        if bytes > 0 {
            self.answers.push_back((request, bytes));
            self.answer_bytes += bytes;
        }
        while self.answer_bytes > ANSWER_BYTES_MAX && self.answers.len() > 1 {
            self.drop_oldest_answer(state);
        }
    }

    fn drop_oldest_answer(&mut self, state: &mut State) {
        let Some((request, bytes)) = self.answers.pop_front() else {
            return;
        };
        self.answer_bytes -= bytes;
        if let Some(known) = self.requests.get_mut(&request) {
            known.status = RequestStatus::Done;
            state.set_request(&request, Some(&RequestStatus::Done));
        }
    }

    /// Forgets what expired before `now_ns`, unless it is still under way.
    pub(crate) fn expire(&mut self, now_ns: u64, state: &mut State) {
        let due: Vec<(u64, RequestId)> =
            self.expiries.range(..(now_ns, [0; 32])).copied().collect();
        for (expires_ns, request) in due {
            self.expiries.remove(&(expires_ns, request));
            self.requests.remove(&request);
            state.set_request(&request, None);
        }
        while let Some((request, bytes)) = self.answers.front()
            && !self.requests.contains_key(request)
        {
            self.answer_bytes -= bytes;
            self.answers.pop_front();
        }
    }

    /// Every request, for the folder that keeps them between runs.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&RequestId, &Known, Option<MessageId>)> {
        let numbers: BTreeMap<RequestId, MessageId> =
            self.waiting().map(|(id, request)| (request, id)).collect();
        let requests = self.requests.iter();
        requests.map(move |(id, known)| (id, known, numbers.get(id).copied()))
    }
}
