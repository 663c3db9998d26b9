//! What stands in an init argument for what only root knows when it installs a canister.
//!
//! A principal is encoded as its bytes, so an id that no canister has can stand for another of the
//! same length; a text is replaced with its length.

use ic_principal::Principal;

/// The canister itself, its parent, and root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// The canister that is installed.
    Own,
    /// Whose child it is.
    Parent,
    /// The root of the fleet.
    Root,
}

impl Placeholder {
    /// Each, with the word for it in `fleet.toml`: `principal "$self"`.
    pub const ALL: [(Placeholder, &str); 3] = [
        (Placeholder::Own, "$self"),
        (Placeholder::Parent, "$parent"),
        (Placeholder::Root, "$root"),
    ];

    /// The text that stands for the name of the pool: `"$pool"`.
    pub const POOL: &str = "$pool";

    /// The id that stands for it. Ids are numbered from 0 on each subnet, and these numbers are the
    /// last there are.
    pub const fn principal(self) -> Principal {
        Principal::from_slice(&[255, 255, 255, 255, 255, 255, 255, 240 + self as u8, 1, 1])
    }
}
