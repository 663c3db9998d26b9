//! Requests and responses of root on the wire, the `.did` files, and the fleet spec's validation.
//!
//! Owns wire shapes alone: what they cause is decided in `hatchery-core`, which this crate must
//! never use. TOML is behind the feature `toml`, which wasm never has.

mod check;
mod command;
mod cycles;
mod decisions;
mod http;
mod nearest;
mod recovery;
mod request;
mod root;
mod scaling;
mod warm_pool;
mod worker;

#[cfg(feature = "toml")]
pub mod fleet_toml;

pub use check::{SpecError, check_spec, limits};
pub use command::*;
pub use cycles::*;
pub use decisions::*;
pub use http::{HttpRequest, HttpResponse};
pub use recovery::*;
pub use request::*;
pub use root::*;
pub use scaling::*;
pub use warm_pool::*;
pub use worker::*;

/// Candid interface of root; a test compares it with the code.
pub const ROOT_DID: &str = include_str!("../did/root.did");
/// Candid interface that a worker may implement, in any language.
pub const WORKER_DID: &str = include_str!("../did/worker.did");
