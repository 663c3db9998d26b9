//! Planning: pure functions from a bounded view to a plan. Nothing here writes or starts anything.

mod breaker;
mod pace;
mod pool;
mod victims;
mod view;
mod wish;

pub use pool::{PoolPlan, plan};
pub use view::PoolView;
