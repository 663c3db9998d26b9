//! A deterministic Internet Computer in one process: an application subnet with real WebAssembly,
//! virtual time, faults on demand and no threads. The same seed gives the same bytes.
//!
//! ```
//! use hatchery_engine::{Config, Engine, InstallMode, Principal};
//!
//! let mut engine = Engine::new(Config::default());
//! let me = Principal::anonymous();
//! let canister = engine.create_canister(me, 100_000_000_000_000);
//! let wasm = wat::parse_str(r#"(module (import "ic0" "msg_reply" (func $reply))
//!     (func (export "canister_update hello") (call $reply)))"#).unwrap();
//! engine.install(me, canister, &wasm, vec![], InstallMode::Install).unwrap();
//! assert_eq!(engine.update(me, canister, "hello", vec![]), Ok(vec![]));
//! assert!(engine.cycles_account().is_balanced());
//! ```
//!
#![doc = include_str!("../README.md")]

mod engine;
pub mod faults;
mod front;
pub mod machine;
mod management;
pub mod message;
mod reject;
mod saved;
mod subnet;
pub mod trace;
mod view;

pub use engine::{Config, Engine, InstallMode};
pub use front::CertifiedState;
pub use ic_error_types::{ErrorCode, RejectCode};
pub use ic_principal::Principal;
pub use reject::{REJECT_TEXT_BYTES_MAX, Reject};
pub use saved::WorldError;
pub use subnet::{CyclesAccount, IngressStatus, MessageId, World};
pub use view::{CanisterStatus, CanisterView};
