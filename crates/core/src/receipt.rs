//! Durable answers to operations, and what those wait for that are not answered yet.
//!
//! Owns the shapes; who may leave one and when it goes is `state::receipts`'s.

use hatchery_types::{CanisterId, Cycles, EffectId, ModuleHash, Nanos, Reason};
use minicbor::data::Type;
use minicbor::{Decode, Decoder, Encode, decode};

/// What was decided of a list of canisters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Counted {
    /// Rows new to the pool.
    #[n(0)]
    pub added: u32,
    /// Rows sent to the reset queue.
    #[n(1)]
    pub requeued: u32,
    /// Not touched, and why.
    #[n(2)]
    pub skipped: Vec<(CanisterId, Reason)>,
    /// Canisters asked about, each once; of "all failed" those there were.
    #[cbor(n(3), default)]
    pub total: u32,
}

/// The answer to an operation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Answer {
    /// It is under way: ask again under the same id.
    #[n(0)]
    InProgress,
    /// Carried out, with nothing to tell.
    #[n(1)]
    Done,
    /// A canister was created.
    #[n(2)]
    Created(#[n(0)] CanisterId),
    /// The canister is verified empty again.
    #[n(3)]
    Recycled,
    /// The canister is in the pool, verified empty.
    #[n(4)]
    Imported,
    /// A list was gone through.
    #[n(5)]
    Counted(#[n(0)] Counted),
    /// The canister was released.
    #[n(6)]
    Exported {
        /// The role it had, or has again.
        #[n(0)]
        role: String,
        /// The module it had, or has now.
        #[n(1)]
        module: ModuleHash,
    },
    /// The canister is gone.
    #[n(7)]
    Deleted {
        /// Cycles discarded with it, as last observed.
        #[n(0)]
        discarded: Cycles,
    },
    /// Ready canisters are on their way out.
    #[n(8)]
    Drained {
        /// How many.
        #[n(0)]
        leaving: u32,
        /// How many still exceed the maximum: ask again, under another id.
        #[n(1)]
        left: u32,
    },
    /// It came to nothing.
    #[n(9)]
    Refused(#[n(0)] Reason),
    /// The child runs its role's module.
    #[n(10)]
    Upgraded,
    /// Children are on their way to their role's module.
    #[n(11)]
    Upgrading {
        /// How many.
        #[n(0)]
        begun: u32,
        /// How many still run another one: ask again, under another id.
        #[n(1)]
        left: u32,
    },
}

/// What an unanswered operation wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Goal {
    /// A new canister.
    #[n(0)]
    Create,
    /// A canister of ours, verified empty.
    #[n(1)]
    Recycle,
    /// A canister of somebody's, verified empty.
    #[n(2)]
    Import,
    /// A ready canister out of the pool.
    #[n(3)]
    Export,
    /// A canister gone.
    #[n(4)]
    Delete,
    /// A worker, started.
    #[n(5)]
    Worker,
    /// A member on its role's module.
    #[n(6)]
    Upgrade,
}

/// What an unanswered operation waits on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum On {
    /// The tick that buys a canister for it.
    #[n(0)]
    Purchase,
    /// A creation in flight.
    #[n(1)]
    Creation(#[n(0)] EffectId),
    /// The fate of a row.
    #[n(2)]
    Canister(#[n(0)] CanisterId),
}

/// An operation under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Wait {
    /// What it wants.
    #[n(0)]
    pub goal: Goal,
    /// What it waits on.
    #[n(1)]
    pub on: On,
}

/// The durable answer to an operation id.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Receipt {
    /// When the operation was taken, or answered.
    #[n(0)]
    pub at: Nanos,
    /// SHA-256 of the payload.
    #[n(1)]
    pub payload: ModuleHash,
    /// The answer.
    #[cbor(n(2), decode_with = "decode_answer")]
    pub answer: Answer,
    /// What it waits for; `None` = answered.
    #[n(3)]
    pub wait: Option<Wait>,
}

/// Layout 1 knew one kind of answer, written bare.
fn decode_answer<C>(d: &mut Decoder<'_>, ctx: &mut C) -> Result<Answer, decode::Error> {
    match d.datatype()? {
        Type::Map => Counted::decode(d, ctx).map(Answer::Counted),
        _ => Answer::decode(d, ctx),
    }
}
