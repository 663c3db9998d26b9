//! Messages of users: what is taken in, what that costs, and what became of them. Their execution
//! is the round's business.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use ic_error_types::ErrorCode;
use ic_principal::Principal;

use super::Subnet;
use super::canister::Status;
use super::cycles::{Use, prepay};
use super::query::Unkept;
use super::queue::{Origin, Parcel, Request};
use crate::message::{Entry, Mode};
use crate::reject::Reject;
use crate::saved::saved;
use crate::trace::Event;

/// Largest ingress message, in bytes of method name and argument.
const INGRESS_BYTES_MAX: usize = 2 << 20;
/// An ingress message that nobody executed for so long is rejected.
const INGRESS_LIFE_NS: u64 = 300_000_000_000;
/// Final statuses kept; the oldest are forgotten.
const FINISHED_MAX: usize = 100_000;
/// Settings updates of up to this size are charged after they are applied, so that a frozen
/// canister can be thawed.
const SMALL_SETTINGS_BYTES: usize = 324;

/// Names an ingress message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(u64);

impl MessageId {
    /// Its number, by which a saved front end finds it again in a saved world.
    pub fn number(self) -> u64 {
        self.0
    }

    /// The message of this number, whether there is one or not.
    pub fn from_number(number: u64) -> Self {
        MessageId(number)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What became of an ingress message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IngressStatus {
    /// Taken in, not executed yet.
    Received,
    /// Executed at least once, not answered yet.
    Processing,
    /// Answered.
    Replied(Vec<u8>),
    /// Refused or failed.
    Rejected(Reject),
    /// Never seen, or long ago.
    Unknown,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Ingress {
    statuses: BTreeMap<MessageId, IngressStatus>,
    finished: VecDeque<MessageId>,
    /// Messages that nobody has executed, by the time at which they expire.
    waiting: VecDeque<(u64, MessageId)>,
    /// Taken in for the next round.
    pub(super) submitted: Vec<Request>,
    next: u64,
}

impl Subnet {
    /// Takes in a message of a user for the next round.
    ///
    /// # Errors
    /// Whatever the platform checks before it takes a message in: nothing was changed then but
    /// that `inspect_message` may have run.
    pub(crate) fn submit(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Result<MessageId, Reject> {
        let bytes = method.len() + arg.len();
        if bytes > INGRESS_BYTES_MAX {
            return Err(Reject::new(
                ErrorCode::CanisterRejectedMessage,
                format!(
                    "the message has {bytes} bytes, above the {INGRESS_BYTES_MAX} of an ingress message"
                ),
            ));
        }
        let payer = if canister == Principal::management_canister() {
            self.admit_management_ingress(&sender, method, &arg)?
        } else {
            self.admit_ingress(&sender, &canister, method, &arg)?;
            Some(canister)
        };
        if let Some(payer) = payer {
            self.charge_ingress(&payer, method, bytes)?;
        }
        Ok(self.take_in(sender, canister, method, arg))
    }

    fn take_in(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> MessageId {
        self.ingress.next += 1;
        let id = MessageId(self.ingress.next);
        let expires_ns = self.next_time_ns.saturating_add(INGRESS_LIFE_NS);
        self.ingress.statuses.insert(id, IngressStatus::Received);
        self.ingress.waiting.push_back((expires_ns, id));
        self.ingress.submitted.push(Request {
            origin: Origin::Ingress { id, sender },
            callee: canister,
            method: method.to_owned(),
            arg,
            cycles: 0,
            sender_version: 0,
            expires_ns,
        });
        self.record(|| Event::Submitted {
            id,
            sender,
            canister,
            method: method.to_owned(),
        });
        id
    }

    fn admit_ingress(
        &mut self,
        sender: &Principal,
        id: &Principal,
        method: &str,
        arg: &[u8],
    ) -> Result<(), Reject> {
        let canister = self
            .canisters
            .get(id)
            .ok_or_else(|| Reject::not_found(id))?;
        match canister.status {
            Status::Running => {}
            Status::Stopping(_) => return Err(Reject::stopping(id)),
            Status::Stopped => return Err(Reject::stopped(id)),
        }
        if canister.code.is_none() {
            return Err(Reject::no_module(id));
        }
        if canister.has_hook(&Entry::InspectMessage(String::new())) {
            self.inspect(sender, id, method, arg)?;
        }
        Ok(())
    }

    fn inspect(
        &mut self,
        sender: &Principal,
        id: &Principal,
        method: &str,
        arg: &[u8],
    ) -> Result<(), Reject> {
        let execution = self.run_unkept(
            id,
            &Unkept {
                entry: Entry::InspectMessage(method.to_owned()),
                mode: Mode::Inspect,
                caller: *sender,
                arg,
            },
        );
        if let Err(trap) = execution.result {
            return Err(Reject::new(trap.code, trap.message));
        }
        if !execution.effects.ingress_accepted {
            return Err(Reject::new(
                ErrorCode::CanisterRejectedMessage,
                format!("Canister {id} rejected the message"),
            ));
        }
        Ok(())
    }

    fn charge_ingress(
        &mut self,
        payer: &Principal,
        method: &str,
        bytes: usize,
    ) -> Result<(), Reject> {
        let prices = &self.context.prices;
        let fee = prices.ingress + prices.ingress_byte * bytes as u128;
        let canister = self
            .canisters
            .get_mut(payer)
            .ok_or_else(|| Reject::not_found(payer))?;
        if method == "update_settings" && bytes <= SMALL_SETTINGS_BYTES + method.len() {
            self.ledger.burn(canister, Use::Ingress, fee);
            return Ok(());
        }
        let freezing_limit = canister.freezing_limit(prices);
        prepay(canister, freezing_limit, fee)?;
        self.ledger.burn_taken(canister, Use::Ingress, fee);
        Ok(())
    }

    pub(crate) fn ingress_status(&self, id: MessageId) -> IngressStatus {
        self.ingress
            .statuses
            .get(&id)
            .cloned()
            .unwrap_or(IngressStatus::Unknown)
    }

    /// Whether the message has its final status; cheaper than [`Subnet::ingress_status`].
    pub(crate) fn is_finished(&self, id: MessageId) -> bool {
        !matches!(
            self.ingress.statuses.get(&id),
            Some(IngressStatus::Received | IngressStatus::Processing)
        )
    }

    /// Forgets the message and returns its final status; `None` when it has none yet.
    pub(crate) fn take_status(&mut self, id: MessageId) -> Option<IngressStatus> {
        if !self.is_finished(id) {
            return None;
        }
        let status = self.ingress.statuses.remove(&id);
        Some(status.unwrap_or(IngressStatus::Unknown))
    }

    pub(crate) fn start_ingress(&mut self, origin: &Origin) {
        if let Origin::Ingress { id, .. } = origin {
            self.ingress.statuses.insert(*id, IngressStatus::Processing);
        }
    }

    pub(crate) fn finish_ingress(&mut self, id: MessageId, result: Result<Vec<u8>, Reject>) {
        let error = result.as_ref().err().map(|reject| reject.error);
        self.record(|| Event::Finished { id, error });
        let status = match result {
            Ok(reply) => IngressStatus::Replied(reply),
            Err(reject) => IngressStatus::Rejected(reject),
        };
        self.ingress.statuses.insert(id, status);
        self.ingress.finished.push_back(id);
        if self.ingress.finished.len() > FINISHED_MAX
            && let Some(oldest) = self.ingress.finished.pop_front()
        {
            self.ingress.statuses.remove(&oldest);
        }
    }

    /// Puts what was submitted in front of its receivers.
    pub(crate) fn induct_ingress(&mut self) {
        for request in std::mem::take(&mut self.ingress.submitted) {
            if request.callee != Principal::management_canister()
                && !self.canisters.contains_key(&request.callee)
            {
                let reject = Reject::not_found(&request.callee);
                self.answer(&request.origin, Err(reject), 0);
                continue;
            }
            self.deliver(Parcel::Request(request));
        }
    }

    /// Rejects messages that waited too long to be executed.
    pub(crate) fn expire_ingress(&mut self) {
        while let Some(&(expires_ns, id)) = self.ingress.waiting.front() {
            let waits = self.ingress.statuses.get(&id) == Some(&IngressStatus::Received);
            if waits && expires_ns > self.time_ns {
                return;
            }
            self.ingress.waiting.pop_front();
            if waits {
                let reject = Reject::new(
                    ErrorCode::IngressMessageTimeout,
                    "Ingress message timed out waiting to start executing.",
                );
                self.finish_ingress(id, Err(reject));
            }
        }
    }

    /// Whether the message timed out before its turn came.
    pub(crate) fn has_expired(&self, request: &Request) -> bool {
        match &request.origin {
            Origin::Ingress { .. } => request.expires_ns <= self.time_ns,
            Origin::Canister { deadline_ns, .. } => {
                *deadline_ns != 0 && *deadline_ns <= self.time_ns
            }
            Origin::Task => false,
        }
    }
}

saved!(number MessageId);
saved!(enum IngressStatus {
    0 => Received,
    1 => Processing,
    2 => Replied(reply),
    3 => Rejected(reject),
    4 => Unknown,
});
saved!(struct Ingress { statuses, finished, waiting, submitted, next });
