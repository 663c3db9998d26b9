//! What a caller can know of a call after it.

use crate::{CanisterId, Cycles, Generation, ModuleHash, Nanos};
use ic_principal::Principal;
use minicbor::{Decode, Encode};

/// Reject code 3: there is no such canister or method (interface specification, "Reject codes").
pub const REJECT_DESTINATION_INVALID: u8 = 3;

/// The result of one step of an effect, as far as the caller can know it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// It ran and answered.
    #[n(0)]
    Done(#[n(0)] Value),
    /// The callee said no: nothing changed.
    #[n(1)]
    Refused(#[n(0)] Refusal),
    /// It certainly did not run; trying again later is safe.
    #[n(2)]
    NotExecuted(#[n(0)] Refusal),
    /// A `stop_canister` that timed out: the canister is still stopping.
    #[n(3)]
    InProgress,
    /// It may have run. It is observed, never blindly repeated.
    #[n(4)]
    Unknown(#[n(0)] Refusal),
}

/// What a successful step brought.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Value {
    /// Nothing but success.
    #[n(0)]
    Nothing,
    /// A new canister.
    #[n(1)]
    Created(#[n(0)] CanisterId),
    /// What `canister_status` said.
    #[n(2)]
    Observed(#[n(0)] Box<Observation>),
    /// A draining worker's answer: true = it has nothing left to do.
    #[n(3)]
    Drained(#[n(0)] bool),
    /// What `canister_info` said, with the history.
    #[n(10)]
    Told(#[n(0)] Box<Info>),
    /// The chunks in root's chunk store, by hash.
    #[n(20)]
    Chunks(#[n(0)] Vec<ModuleHash>),
    /// Snapshots: their ids, and when they were taken.
    #[n(21)]
    Saved(#[n(0)] Vec<(Vec<u8>, Nanos)>),
    /// A worker's answer to a question for a number; none = the number is absurd.
    #[n(14)]
    Measured(#[n(0)] Option<u64>),
}

/// Why a step did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Refusal {
    /// The platform's reject code 1..=6; 0 = not sent, or the answer could not be read.
    #[n(0)]
    pub code: u8,
    /// The platform's text, cut to [`Refusal::TEXT_MAX`] bytes.
    #[n(1)]
    pub text: String,
}

impl Refusal {
    /// Longest text kept, in bytes.
    pub const TEXT_MAX: usize = 200;

    /// Cuts `text` at a character border.
    pub fn new(code: u8, text: &str) -> Self {
        let mut end = text.len().min(Self::TEXT_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Refusal {
            code,
            text: text[..end].to_owned(),
        }
    }
}

/// Run state of a canister.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum RunState {
    /// Takes calls.
    #[n(0)]
    Running,
    /// Finishes what is open.
    #[n(1)]
    Stopping,
    /// Takes no calls.
    #[n(2)]
    Stopped,
}

/// What `canister_status` says of a canister, as far as the fleet acts on it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Observation {
    /// Run state.
    #[n(0)]
    pub run_state: RunState,
    /// Installed module.
    #[n(1)]
    pub module: Option<ModuleHash>,
    /// Controllers, sorted.
    #[cbor(n(2), with = "principals")]
    pub controllers: Vec<Principal>,
    /// Balance.
    #[n(3)]
    pub cycles: Cycles,
    /// Bytes of memory used.
    #[n(4)]
    pub memory_bytes: u64,
    /// Every setting but the controllers is what the warm pool sets. `None`: the replica did not
    /// report one of them.
    #[n(5)]
    pub settings_clean: Option<bool>,
    /// Bytes of snapshots; `None`: not reported.
    #[n(6)]
    pub snapshot_bytes: Option<u64>,
    /// Queries answered so far; `None`: not reported.
    #[n(14)]
    pub queries: Option<u64>,
    /// What its environment variables say of it; none without a root or a generation among them.
    #[n(20)]
    pub tenancy: Option<Tenancy>,
}

/// What a root wrote into a member's environment variables.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Tenancy {
    /// The root that installed it.
    #[n(0)]
    pub root: CanisterId,
    /// Its role.
    #[n(1)]
    pub role: Option<String>,
    /// Its pool.
    #[n(2)]
    pub pool: Option<String>,
    /// Who it works for.
    #[n(3)]
    pub parent: Option<CanisterId>,
    /// Which tenancy of the canister it is.
    #[n(4)]
    pub generation: Generation,
}

/// What `canister_info` says of a canister to anybody, as far as the fleet acts on it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Info {
    /// Controllers, sorted.
    #[cbor(n(0), with = "principals")]
    pub controllers: Vec<Principal>,
    /// Installed module.
    #[n(1)]
    pub module: Option<ModuleHash>,
    /// Who created it, and when; none once the record has left the history.
    #[n(2)]
    pub creation: Option<Creation>,
    /// Installs, reinstalls and upgrades of code in the history.
    #[n(3)]
    pub deployments: u32,
    /// The history goes back to the creation: nothing of it is forgotten.
    #[n(4)]
    pub whole: bool,
}

/// The first entry of a canister's history.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Creation {
    /// A canister or a user.
    #[n(0)]
    pub by: CanisterId,
    /// When.
    #[n(1)]
    pub at: Nanos,
}

/// A principal as a byte string.
pub(crate) mod principal {
    use crate::CanisterId;
    use ic_principal::Principal;
    use minicbor::{Decode, Decoder, Encode, Encoder};

    pub(crate) fn encode<C, W: minicbor::encode::Write>(
        principal: &Principal,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        CanisterId(*principal).encode(e, ctx)
    }

    pub(crate) fn decode<C>(
        d: &mut Decoder<'_>,
        ctx: &mut C,
    ) -> Result<Principal, minicbor::decode::Error> {
        CanisterId::decode(d, ctx).map(|id| id.0)
    }
}

/// Principals as a list of byte strings.
pub(crate) mod principals {
    use crate::CanisterId;
    use ic_principal::Principal;
    use minicbor::{Decode, Decoder, Encode, Encoder};

    pub(crate) fn encode<C, W: minicbor::encode::Write>(
        list: &[Principal],
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(list.len() as u64)?;
        list.iter()
            .try_for_each(|principal| CanisterId(*principal).encode(e, ctx))
    }

    pub(crate) fn decode<C>(
        d: &mut Decoder<'_>,
        ctx: &mut C,
    ) -> Result<Vec<Principal>, minicbor::decode::Error> {
        let list = Vec::<CanisterId>::decode(d, ctx)?;
        Ok(list.into_iter().map(|id| id.0).collect())
    }
}
