//! Canisters of one's own: a member of the fleet asks root for a child, for another module on it, or
//! for the end of it.
//!
//! Owns the call and the reading of its answer. Whether the member may is for the grants of the spec,
//! and decided in root; what a child is for is the member's own affair. Which calls are open is on the
//! heap: a member that forgets it in an upgrade asks again under the same operation, and hears the
//! same answer.
//!
//! ```no_run
//! use hatchery::children::{self, Answer, Ask};
//!
//! fn open(customer: &str) {
//!     let ask = Ask::Create {
//!         pool: "tenants".to_owned(),
//!         parent: None,
//!         init_arg: None,
//!     };
//!     let _ = children::ask(&format!("open-{customer}"), ask, answered);
//! }
//!
//! fn answered(operation: &str, answer: Answer) {
//!     match answer {
//!         Answer::Created(child) => ic_cdk::println!("{operation}: {child} works"),
//!         Answer::InProgress | Answer::Unanswered => {} // ask again in a while: same id, same answer
//!         _ => {} // of other asks
//!         Answer::Refused(why) => ic_cdk::println!("{operation}: {} ({})", why.name, why.detail),
//!     }
//! }
//! ```

use crate::call::{self, Call, Wait};
use crate::worker::identity;
use hatchery_api::MemberRequest;
use hatchery_types::wire::{self, Work};
use hatchery_types::{OperationId, Principal, Wire};
use std::cell::RefCell;
use std::collections::BTreeMap;

pub use hatchery_api::Ask;
pub use hatchery_types::CanisterId;

/// A request that root does not answer in this time is to be made again.
const WAIT_S: u32 = 30;
/// Root's answer is small; longer ones are not read.
const ANSWER_BYTES_MAX: usize = 4 * 1024;
/// Work allowed for reading it.
const WORK: Work = Work {
    steps: 1_000,
    steps_per_byte: 4,
};
/// Requests under way; of more the oldest answer is not told, and its request may be made again.
pub const OPEN_MAX: usize = 200;

/// Hears the answer to an operation.
pub type Then = fn(operation: &str, answer: Answer);

thread_local! {
    static OPEN: RefCell<BTreeMap<u32, (String, Then)>> = const { RefCell::new(BTreeMap::new()) };
}

/// What root says to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Under way: the same operation again tells how it ends.
    InProgress,
    /// The child works.
    Created(Principal),
    /// The child is a canister of the warm pool again.
    Recycled,
    /// The child runs its role's module.
    Upgraded,
    /// Of the children of a role: so many are on their way, so many still run another module. Ask for
    /// those under another operation.
    Upgrading {
        /// On their way.
        begun: u32,
        /// Still to come.
        left: u32,
    },
    /// No, and nothing was done.
    Refused(Refusal),
    /// No answer that can be read came: the same operation again tells what became of it.
    Unanswered,
}

/// Why root says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The reason's stable number.
    pub code: u16,
    /// The reason's stable name, such as `no-grant`.
    pub name: String,
    /// What, where, and what to do.
    pub detail: String,
}

/// Why nothing was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAsked {
    /// Root did not install this canister: there is nobody to ask.
    NoFleet,
    /// The call was not sent: too many are open, or too few cycles are there.
    NotSent,
}

/// Asks root, and has `then` told of the answer, in a message of its own. `operation` is the
/// caller's, 1 to 64 bytes: the same id with the same request has one effect, and one answer for at
/// least a day. A request costs what a small call does; what is refused costs no more.
///
/// # Errors
/// Nothing was asked, and `then` is not told.
pub fn ask(operation: &str, ask: Ask, then: Then) -> Result<(), NotAsked> {
    let identity = identity().ok_or(NotAsked::NoFleet)?;
    let argument = call::encode(&MemberRequest {
        operation: OperationId(operation.to_owned()),
        generation: identity.generation,
        ask,
    });
    let call = Call {
        callee: identity.root,
        method: "request",
        argument: &argument,
        cycles: 0,
        wait: Wait::Seconds(WAIT_S),
    };
    let number = OPEN.with_borrow_mut(|open| enter(open, operation, then));
    call.send(answered, number).map_err(|_| {
        OPEN.with_borrow_mut(|open| open.remove(&number));
        NotAsked::NotSent
    })
}

/// Notes who is to hear the answer; the number that the answer comes with.
fn enter(open: &mut BTreeMap<u32, (String, Then)>, operation: &str, then: Then) -> u32 {
    if open.len() >= OPEN_MAX {
        open.pop_first();
    }
    let last = open.last_key_value().map_or(0, |(number, _)| *number);
    let number = last.wrapping_add(1);
    open.insert(number, (operation.to_owned(), then));
    number
}

extern "C" fn answered(number: usize) {
    let answer = match call::answer(ANSWER_BYTES_MAX) {
        call::Answer::Reply(bytes) => read(&bytes),
        _ => Answer::Unanswered,
    };
    let asked = OPEN.with_borrow_mut(|open| open.remove(&(number as u32)));
    if let Some((operation, then)) = asked {
        then(&operation, answer);
    }
}

/// What may be answered to a request, of all that commands are answered with.
#[derive(Wire)]
enum Done {
    InProgress,
    Created { canister: CanisterId },
    Recycled,
    Upgraded,
    Upgrading { begun: u32, left: u32 },
}

#[derive(Wire)]
struct Denied {
    reason: Named,
    detail: String,
}

#[derive(Wire)]
struct Named {
    code: u16,
    name: String,
}

fn read(reply: &[u8]) -> Answer {
    let answer: Result<Result<Done, Denied>, _> = wire::decode(reply, WORK);
    match answer {
        Ok(Ok(Done::InProgress)) => Answer::InProgress,
        Ok(Ok(Done::Created { canister })) => Answer::Created(canister.0),
        Ok(Ok(Done::Recycled)) => Answer::Recycled,
        Ok(Ok(Done::Upgraded)) => Answer::Upgraded,
        Ok(Ok(Done::Upgrading { begun, left })) => Answer::Upgrading { begun, left },
        Ok(Err(Denied { reason, detail })) => Answer::Refused(Refusal {
            code: reason.code,
            name: reason.name,
            detail,
        }),
        Err(_) => Answer::Unanswered,
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, OPEN_MAX, Refusal, enter, read};
    use hatchery_api::{Answer as Answered, CommandAnswer, ReasonView, Refused};
    use hatchery_types::{CanisterId, Principal, Reason};
    use std::collections::BTreeMap;

    #[test]
    fn each_answer_of_root_is_read() {
        let told = |answer: Answered<CommandAnswer>| {
            read(&candid::encode_one(answer).expect("our own types encode"))
        };
        let child = Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 7, 1, 1]);
        let canister = CanisterId(child);
        assert_eq!(told(Ok(CommandAnswer::InProgress)), Answer::InProgress);
        let created = told(Ok(CommandAnswer::Created { canister }));
        assert_eq!(created, Answer::Created(child));
        assert_eq!(told(Ok(CommandAnswer::Recycled)), Answer::Recycled);
        assert_eq!(told(Ok(CommandAnswer::Upgraded)), Answer::Upgraded);
        let (begun, left) = (2, 3);
        let upgrading = told(Ok(CommandAnswer::Upgrading { begun, left }));
        assert_eq!(upgrading, Answer::Upgrading { begun, left });
        let refused = told(Err(Refused {
            reason: ReasonView::from(&Reason::NoGrant),
            detail: "why".to_owned(),
        }));
        let refusal = Refusal {
            code: Reason::NoGrant.code(),
            name: "no-grant".to_owned(),
            detail: "why".to_owned(),
        };
        assert_eq!(refused, Answer::Refused(refusal));
        assert_eq!(told(Ok(CommandAnswer::Imported)), Answer::Unanswered);
        assert_eq!(read(b"nothing"), Answer::Unanswered);
    }

    #[test]
    fn no_more_are_remembered_than_may_be() {
        let mut open = BTreeMap::new();
        let last = (0..2 * OPEN_MAX)
            .map(|_| enter(&mut open, "it", |_, _| {}))
            .last();
        assert_eq!(open.len(), OPEN_MAX);
        assert_eq!(open.last_key_value().map(|(number, _)| *number), last);
    }
}
