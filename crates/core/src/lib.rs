//! The sans-IO control plane: state, inputs, `decide`, `apply`, plans, limits, invariants.
//!
//! An [`Input`] arrives; [`decide`] reads the state and returns a [`Decision`]; [`State::apply`] is
//! the only writer; the shell makes the calls of the decision's effects, and each outcome comes
//! back as an input. Nothing here knows a clock, a call or randomness.

mod breaker;
mod decide;
mod decided;
mod event;
mod histogram;
mod input;
mod lease;
mod ledger;
pub mod limits;
mod metrics;
mod plan;
pub mod plant;
mod receipt;
mod record;
mod ring;
mod standing;
mod state;
mod storage;
mod sweeper;
mod topic;
mod upgrade;

pub use breaker::Breaker;
pub use decide::{
    FundingStatus, LaneStatus, MemberWhy, decide, funding_status, held_back, kept_spare, lanes,
    maintenance_paused, missing_canisters, next_wake, plan_pool, plan_worker, unpayable,
    warm_reason, why_members,
};
pub use decided::{Decided, replay};
pub use event::Event;
pub use histogram::{Histogram, INSTRUCTIONS, SECONDS};
pub use input::{
    Ask, Command, CommandInput, Decision, Input, NotTaken, PoolReport, Recover, Reply,
    RequestInput, Vitals, WorkerInput,
};
pub use lease::{Grant, LeaseAnswer, LeaseAsk, LeaseInput, LeaseReceipt};
pub use ledger::{Account, Funding, Ledger, Purse};
pub use metrics::{Checkpoint, Cost, Counter, Ended, Metrics, Operation};
pub use plan::{PoolPlan, PoolView, plan};
pub use receipt::{Answer, Counted, Goal, On, Receipt, Wait};
pub use record::{
    Exit, Header, LogEntry, ModuleRecord, PoolRecord, Row, Sample, ScaleStep, Sweep, SweepStep,
    Wish,
};
pub use standing::{Purpose, Search, Standing};
pub use state::{
    Counts, LayoutError, Listing, Member, PoolCursor, RowFilter, State, Violation, check,
};
pub use storage::{LAYOUT, Memories};
pub use sweeper::{SWEEPER, SWEEPER_HASH, sweeper_argument};
pub use topic::EventFilter;
pub use upgrade::{Rollout, Upgrade, UpgradeStep};
