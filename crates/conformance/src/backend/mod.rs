//! What the suite needs of a platform: messages in, answers out, rounds and time. Nothing here
//! knows a case, and nothing judges an answer.

mod engine;
mod plant;
mod pocketic;

use ic_principal::Principal;

pub use engine::EngineBackend;
pub use plant::{Plant, PlantedBackend, Seen as Observed};
pub use pocketic::{PocketIcBackend, PocketIcServer};

/// A refused or failed message as far as the suite looks at it: codes, never texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reject {
    /// Reject code, 1 to 6 (interface specification, "Reject codes").
    pub code: u8,
    /// The number of the `IC0xxx` error code, where the backend reports one that we know.
    pub error: Option<u16>,
}

/// What a message came to.
pub type Answer = Result<Vec<u8>, Reject>;

/// Names a message under way; backends fill it as they like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageId(Vec<u8>);

/// The platform itself did not work: no verdict about a case can be had.
#[derive(Debug, thiserror::Error)]
#[error("the backend failed: {0}")]
pub struct BackendError(String);

impl BackendError {
    fn new(text: impl std::fmt::Display) -> Self {
        BackendError(text.to_string())
    }
}

/// Results of everything a backend does.
pub type Done<T> = Result<T, BackendError>;

/// Rounds that a backend waits for an answer, as `PocketIC` does.
const ANSWER_ROUNDS_MAX: u32 = 100;

/// One application subnet of 13 nodes, fresh.
pub trait Backend {
    /// `engine` or `pocketic`.
    fn name(&self) -> &'static str;

    /// Takes in a message of a user. The management canister is `aaaaa-aa`; its effective canister
    /// is read from the argument. A message refused at the door is `Ok(Err(reject))`.
    ///
    /// # Errors
    /// The platform did not work.
    fn submit(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Done<Result<MessageId, Reject>>;

    /// The answer to a message, if it is there by now.
    ///
    /// # Errors
    /// The platform did not work.
    fn poll(&mut self, id: &MessageId) -> Done<Option<Answer>>;

    /// Executes rounds until the message is answered.
    ///
    /// # Errors
    /// The platform did not work, or gave no answer within 100 rounds.
    fn await_answer(&mut self, id: &MessageId) -> Done<Answer> {
        for _ in 0..ANSWER_ROUNDS_MAX {
            self.tick()?;
            if let Some(answer) = self.poll(id)? {
                return Ok(answer);
            }
        }
        Err(BackendError::new(format_args!(
            "no answer after {ANSWER_ROUNDS_MAX} rounds"
        )))
    }

    /// Submits a message and waits for its answer.
    ///
    /// # Errors
    /// As [`Backend::await_answer`].
    fn update(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Done<Answer> {
        match self.submit(sender, canister, method, arg)? {
            Ok(id) => self.await_answer(&id),
            Err(reject) => Ok(Err(reject)),
        }
    }

    /// Asks a query of a user.
    ///
    /// # Errors
    /// The platform did not work.
    fn query(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Done<Answer>;

    /// Executes one round.
    ///
    /// # Errors
    /// The platform did not work.
    fn tick(&mut self) -> Done<()>;

    /// Time in nanoseconds since 1970.
    ///
    /// # Errors
    /// The platform did not work.
    fn time_ns(&mut self) -> Done<u64>;

    /// Lets time pass without executing anything.
    ///
    /// # Errors
    /// The platform did not work.
    fn advance_ns(&mut self, ns: u64) -> Done<()>;

    /// A canister's balance.
    ///
    /// # Errors
    /// The platform did not work, or has no such canister.
    fn cycles(&mut self, canister: Principal) -> Done<u128>;

    /// Mints cycles for a canister.
    ///
    /// # Errors
    /// The platform did not work, or has no such canister.
    fn add_cycles(&mut self, canister: Principal, cycles: u128) -> Done<()>;
}
