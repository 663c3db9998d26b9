//! Planning: pure functions from a bounded view to a plan. Nothing here writes or starts anything.

mod policy;
mod pool;

pub use pool::{PoolPlan, PoolView, plan};
