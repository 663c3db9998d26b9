//! How requests and answers get from canister to canister and to the management canister. Calls
//! between canisters arrive within the round; everything to or from the management canister takes
//! the loopback stream and arrives in the next one.

use ic_error_types::ErrorCode;
use ic_principal::Principal;

use super::Subnet;
use super::queue::{Answer, CallbackId, Input, Origin, Parcel, Request};
use crate::faults::{Call, Point, Verdict};
use crate::reject::Reject;
use crate::trace::Event;

impl Subnet {
    /// Answers whoever waits. Answers of canisters travel within the round.
    pub(crate) fn answer(
        &mut self,
        origin: &Origin,
        result: Result<Vec<u8>, Reject>,
        refund: u128,
    ) {
        if let Some(answer) = self.addressed(origin, result, refund) {
            match self.hold_answer(&answer) {
                Some(rounds) => self.held.hold(self.round + rounds, Parcel::Answer(answer)),
                None => self.outbox.push(Parcel::Answer(answer)),
            }
        }
    }

    /// Answers whoever waits, through the loopback stream.
    pub(crate) fn answer_next_round(
        &mut self,
        origin: &Origin,
        result: Result<Vec<u8>, Reject>,
        refund: u128,
    ) {
        if let Some(answer) = self.addressed(origin, result, refund) {
            match self.hold_answer(&answer) {
                Some(rounds) => self
                    .held
                    .hold(self.round + 1 + rounds, Parcel::Answer(answer)),
                None => self.loopback.push(Parcel::Answer(answer)),
            }
        }
    }

    /// Users get their answer at once; for canisters it is a parcel.
    fn addressed(
        &mut self,
        origin: &Origin,
        result: Result<Vec<u8>, Reject>,
        refund: u128,
    ) -> Option<Answer> {
        match origin {
            Origin::Ingress { id, .. } => {
                self.finish_ingress(*id, result);
                None
            }
            Origin::Task => None,
            Origin::Canister {
                caller, callback, ..
            } => {
                let error = result.as_ref().err().map(|reject| reject.error);
                self.record(|| Event::Answered {
                    to: *caller,
                    error,
                    refund,
                });
                Some(Answer {
                    to: *caller,
                    callback: *callback,
                    result,
                    refund,
                })
            }
        }
    }

    fn hold_answer(&mut self, answer: &Answer) -> Option<u64> {
        if self.faults.rules().is_empty() {
            return None;
        }
        let call = self
            .canisters
            .get(&answer.to)?
            .contexts
            .call(answer.callback)?;
        let (callee, method, deadline) = (call.callee, call.method.clone(), call.deadline_ns);
        match self.fault(Point::Answer, &answer.to, &callee, &method, deadline)? {
            Verdict::DelayAnswer { rounds } => Some(rounds),
            _ => None,
        }
    }

    /// Asks the fault rules and records what they say.
    pub(crate) fn fault(
        &mut self,
        point: Point,
        caller: &Principal,
        callee: &Principal,
        method: &str,
        deadline_ns: u64,
    ) -> Option<Verdict> {
        if self.faults.rules().is_empty() {
            return None;
        }
        let call = Call {
            caller,
            callee,
            method,
            best_effort: deadline_ns != 0,
            round: self.round,
            time_ns: self.time_ns,
        };
        let verdict = self.faults.verdict(point, &call)?;
        self.record(|| Event::Fault {
            caller: *caller,
            callee: *callee,
            verdict: verdict.clone(),
        });
        Some(verdict)
    }

    /// Sends a request on its way, unless a fault holds it back.
    pub(crate) fn send(&mut self, request: Request) {
        let caller = request.origin.principal();
        self.record(|| Event::Sent {
            from: caller,
            to: request.callee,
            method: request.method.clone(),
            cycles: request.cycles,
        });
        let until = match self.fault(
            Point::Leave,
            &caller,
            &request.callee,
            &request.method,
            request.origin.deadline_ns(),
        ) {
            Some(Verdict::Delay { rounds }) => {
                self.round + rounds + self.rounds_to(&request.callee)
            }
            Some(Verdict::ExpireBestEffort) => {
                self.expire_now(&request.origin);
                0
            }
            _ => 0,
        };
        match self.held.pair_until(&request) {
            Some(earlier) => self.held.hold(until.max(earlier), Parcel::Request(request)),
            None if until > 0 => self.held.hold(until, Parcel::Request(request)),
            None => self.outbox.push(Parcel::Request(request)),
        }
    }

    fn rounds_to(&self, callee: &Principal) -> u64 {
        u64::from(!self.canisters.contains_key(callee))
    }

    fn expire_now(&mut self, origin: &Origin) {
        if let Origin::Canister {
            caller, callback, ..
        } = origin
        {
            self.deadlines.insert((self.time_ns, *caller, *callback));
        }
    }

    /// Moves what canisters sent in this pass: to canisters at once, the rest to the loopback
    /// stream. Returns whether any canister got something.
    pub(crate) fn route_outbox(&mut self) -> bool {
        let mut delivered = false;
        for parcel in std::mem::take(&mut self.outbox) {
            let is_local = match &parcel {
                Parcel::Request(request) => self.canisters.contains_key(&request.callee),
                Parcel::Answer(_) => true,
            };
            if is_local {
                self.deliver(parcel);
                delivered = true;
            } else {
                self.loopback.push(parcel);
            }
        }
        delivered
    }

    /// Takes in what the loopback stream and the faults have brought for this round.
    pub(crate) fn induct_loopback(&mut self) {
        for parcel in self.held.release(self.round) {
            self.deliver(parcel);
        }
        for parcel in std::mem::take(&mut self.loopback) {
            self.deliver(parcel);
        }
    }

    /// Puts a parcel in front of its receiver.
    pub(crate) fn deliver(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::Request(request) => self.deliver_request(request),
            Parcel::Answer(answer) => self.deliver_answer(answer),
        }
    }

    fn deliver_request(&mut self, request: Request) {
        if request.callee == Principal::management_canister() || request.callee == self.context.id {
            self.management.push(request);
            return;
        }
        let Some(canister) = self.canisters.get_mut(&request.callee) else {
            let reject = Reject::not_found(&request.callee);
            self.answer_next_round(&request.origin, Err(reject), request.cycles);
            return;
        };
        self.active.insert(request.callee);
        canister.input.push_back(Input::Request(request));
    }

    /// An answer to a call that is not open, or was answered already, is dropped: its refund is
    /// lost to the caller (interface specification, section "Best-effort responses").
    fn deliver_answer(&mut self, answer: Answer) {
        let canister = self.canisters.get_mut(&answer.to);
        let open = canister.and_then(|canister| {
            let call = canister.contexts.call_mut(answer.callback)?;
            (!std::mem::replace(&mut call.answered, true)).then_some(canister)
        });
        match open {
            Some(canister) => {
                self.active.insert(answer.to);
                canister.input.push_back(Input::Answer(answer));
            }
            None => self.ledger.discarded += answer.refund,
        }
    }

    /// Tells the callers of best-effort calls whose deadline has passed that they will not know.
    pub(crate) fn expire_best_effort(&mut self) {
        while let Some(&(deadline_ns, caller, callback)) = self.deadlines.first() {
            if deadline_ns > self.time_ns {
                return;
            }
            self.deadlines.pop_first();
            self.expire_call(caller, callback);
        }
    }

    fn expire_call(&mut self, caller: Principal, callback: CallbackId) {
        let call = self
            .canisters
            .get(&caller)
            .and_then(|canister| canister.contexts.call(callback));
        if call.is_some_and(|call| !call.answered) {
            let reject = Reject::new(ErrorCode::DeadlineExpired, "Call deadline has expired.");
            let result = Err(reject);
            self.deliver(Parcel::Answer(Answer {
                to: caller,
                callback,
                result,
                refund: 0,
            }));
        }
    }
}
