//! What `decide` wants written. Events are the only way into the state.

use crate::decided::Decided;
use crate::lease::LeaseReceipt;
use crate::metrics::{Checkpoint, Ended, Operation};
use crate::receipt::Receipt;
use crate::record::{ModuleRecord, PoolRecord, Row};
use crate::{Account, Breaker, Purse, Search, Standing};
use hatchery_types::{
    CanisterId, Cycles, Direction, Effect, EffectId, FleetSpec, ModuleHash, Nanos, OperationId,
    Outcome, Principal, Reason,
};

/// One change of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A new incarnation of root began.
    Started(CanisterId),
    /// A spec took effect.
    SpecApplied(Box<FleetSpec>),
    /// Voluntary actions of a direction, or of both, were paused or resumed.
    Paused(Option<Direction>, bool),
    /// Intent: the calls of this effect are made after this message's decision is applied.
    EffectStarted(Box<Effect>),
    /// A step's outcome: of its callback, of a call that could not be sent, or given up on.
    OutcomeRecorded(EffectId, u8, Outcome),
    /// The effect has been acted on; late answers to it are ignored from now on.
    EffectClosed(EffectId),
    /// Creations failed: none before `until`.
    CreationHeldBack {
        /// Failures in a row; 0 = none any more.
        failures: u32,
        /// Next attempt.
        until: Nanos,
        /// Why.
        reason: Option<Reason>,
    },
    /// A reset ended, and counts for the breaker.
    ResetsJudged(Breaker),
    /// A lost creation was searched for and not found: it is not waited for any more.
    CreationGivenUp(EffectId),
    /// Cycles were got back or given up.
    CyclesBooked(Account, Cycles),
    /// Root looked into its own purse.
    PurseNoted(Purse),
    /// Root knows more of its own wholeness.
    StandingChanged(Standing),
    /// A search began, went on or ended.
    SearchChanged(Option<Search>),
    /// A row is new or changed.
    RowChanged(Box<Row>),
    /// A row has new samples, and nothing is to be planned for them.
    Sampled(Box<Row>),
    /// What was reported may change what a pool does: its plan is brought forward, within the gap
    /// between plans.
    PoolStirred(String),
    /// A canister is no longer the fleet's; its cycles are booked.
    RowRemoved(CanisterId, Reason),
    /// A pool's record changed; `None`: it was planned and nothing changed. Plan again at `wake`.
    PoolPlanned {
        /// Which pool.
        pool: String,
        /// The new record.
        record: Option<Box<PoolRecord>>,
        /// When a wait of the plan ends.
        wake: Nanos,
    },
    /// A plan that changed something, or said something new, is kept.
    Decided(Box<Decided>),
    /// An operation on worker pools began or ended, for a reason of that name.
    Counted(Operation, Ended, &'static str),
    /// A step of a tick cost so many instructions.
    Measured(Checkpoint, u64),
    /// A message with a call of this method took so many instructions.
    Served(&'static str, u64),
    /// What was counted is written to stable memory.
    MetricsKept,
    /// A pool's record changed outside of a plan.
    PoolChanged(Box<PoolRecord>),
    /// A pool's totals were reported.
    PoolSampled(Box<PoolRecord>),
    /// A drain deadline cut a worker's work in this pool.
    WorkCut(String),
    /// A module's record changed; with the bytes of a new chunk.
    ModuleChanged {
        /// Which module.
        module: ModuleHash,
        /// Its record; `None` = dropped with its chunks.
        record: Option<ModuleRecord>,
        /// A chunk to keep: index and bytes.
        chunk: Option<(u32, Vec<u8>)>,
    },
    /// What root's chunk store holds beside the modules' chunks; `None`: it must be looked at.
    StoreSeen(Option<u32>),
    /// An operation was taken, goes on, or is answered for good.
    OperationAnswered {
        /// Who asked.
        caller: Principal,
        /// Under which id.
        operation: OperationId,
        /// The answer, or what it waits for.
        receipt: Receipt,
    },
    /// A holder was answered.
    LeaseAnswered {
        /// Who asked.
        caller: Principal,
        /// Under which id.
        operation: OperationId,
        /// The answer.
        receipt: Box<LeaseReceipt>,
    },
    /// Answers to holders whose life is over are forgotten, a batch of them.
    LeasesForgotten,
}
