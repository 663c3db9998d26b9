//! Planning: pure functions from a bounded view to a plan. Nothing here writes or starts anything.

mod breaker;
mod one_more;
mod pace;
mod pool;
mod upgrade;
mod victims;
mod view;
mod wish;

pub(crate) use one_more::plan_one_more;
pub use pool::{PoolPlan, plan};
pub(crate) use upgrade::{Asked, plan_asked};
pub(crate) use victims::{in_order, victims as victims_of};
pub use view::PoolView;
