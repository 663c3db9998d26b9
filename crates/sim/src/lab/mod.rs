//! The autoscaling laboratory: loads fixed in files, workers with queues and start-up times, and
//! our policy beside published ones, all under the same jobs, samples and delays.
//!
//! Deterministic: a trace, a policy and a seed give the same figures on every machine. It measures
//! policies; the fleet's own faults and recoveries are [`crate::model`]'s.

mod figures;
mod fleet;
mod load;
mod numbers;
mod picture;
mod policy;
mod run;
mod table;
mod tally;
mod trace;

pub use figures::{Figures, measure};
pub use picture::picture;
pub use policy::Policy;
pub use run::Moment;
pub use table::{markdown, table};
pub use trace::{Seeds, Trace, TraceError, seeds, traces};
