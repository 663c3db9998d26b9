//! The embedded Internet Computer behind the platform's HTTP interface: agents, `icp` and browsers
//! work against it as they are. One root subnet, certificates that verify under
//! [`Network::root_key`], rounds in wall-clock time.
//!
//! ```
//! use hatchery_network::{Network, Options, engine_now};
//! use hatchery_engine::{Config, Principal};
//!
//! let network = Network::start(&Options::default(), || engine_now(Config::default())).unwrap();
//! println!("{} with root key {:02x?}", network.url(), network.root_key());
//! let me = Principal::anonymous();
//! let canister = network.visit(move |engine| engine.create_canister(me, 1 << 50)).unwrap();
//! assert!(network.visit(move |engine| engine.canister(canister).is_some()).unwrap());
//! network.stop().unwrap();
//! ```

mod api;
mod canister_http;
mod cbor;
mod clock;
mod desk;
pub mod envelope;
mod folder;
mod history;
mod key;
mod lent;
mod network;
mod places;
mod routes;
mod server;
pub mod signature;
mod site;
mod stand_ins;
mod state;
mod tree;

pub use clock::Time;
pub use folder::FolderError;
pub use lent::{Lent, Waker};
pub use network::{Network, NetworkError, Options, engine_now};

/// The canister author's guide: its examples run as tests of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/guides/testing-your-canister.md")]
struct Guide;
