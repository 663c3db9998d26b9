//! The sans-IO control plane: state, inputs, `decide`, `apply`, plans, limits, invariants.
//!
//! An [`Input`] arrives; [`decide`] reads the state and returns a [`Decision`]; [`State::apply`] is
//! the only writer; the shell makes the calls of the decision's effects, and each outcome comes
//! back as an input. Nothing here knows a clock, a call or randomness.

mod decide;
mod event;
mod input;
pub mod limits;
mod plan;
pub mod plant;
mod receipt;
mod record;
mod state;
mod storage;

pub use decide::{
    LaneStatus, decide, lanes, maintenance_paused, missing_canisters, next_wake, plan_pool,
    warm_reason,
};
pub use event::Event;
pub use input::{Command, CommandInput, Decision, Input, Reply, Vitals};
pub use plan::{PoolPlan, PoolView, plan};
pub use receipt::{Answer, Counted, Goal, On, Receipt, Wait};
pub use record::{Header, LogEntry, ModuleRecord, PoolRecord, Row, Sample, ScaleStep, Wish};
pub use state::{Counts, LayoutError, Member, PoolCursor, RowFilter, State, Violation, check};
pub use storage::{LAYOUT, Memories};
