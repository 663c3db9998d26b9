//! A deterministic Internet Computer in one process.

mod engine;
pub mod faults;
pub mod machine;
mod management;
pub mod message;
mod reject;
mod subnet;
pub mod trace;
mod view;

pub use engine::{Config, Engine, InstallMode};
pub use ic_error_types::{ErrorCode, RejectCode};
pub use ic_principal::Principal;
pub use reject::{REJECT_TEXT_BYTES_MAX, Reject};
pub use subnet::{CyclesAccount, IngressStatus, MessageId, World};
pub use view::{CanisterStatus, CanisterView};
