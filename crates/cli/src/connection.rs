//! The way to a fleet: which network, which root, as whom.
//!
//! Owns nothing of what is said over it.

pub(crate) mod client;
pub(crate) mod identity;
pub(crate) mod network;
mod reads;
mod reject;

pub(crate) use client::Client;

use crate::args::Globals;
use crate::complaint::{Complaint, Kind};
use candid::Principal;
use ic_agent::Identity;
use network::{Home, LOCAL, Place};

/// The way that the options, the environment and the folder say.
///
/// # Errors
/// They say none, or nobody answers there.
pub(crate) fn open(globals: &Globals) -> anyhow::Result<Client> {
    let home = Home::of(&globals.folder);
    let place = place(globals, &home)?;
    let identity = identity(globals, &home, &place)?;
    let root = root(globals, &home, &place)?;
    Client::connect(place, identity, root)
}

/// An option, else its variable of the environment.
fn given(option: Option<&String>, variable: &str) -> Option<String> {
    let from_environment = || std::env::var(variable).ok().filter(|it| !it.is_empty());
    option.cloned().or_else(from_environment)
}

fn place(globals: &Globals, home: &Home) -> anyhow::Result<Place> {
    let name = given(globals.network.as_ref(), network::NETWORK_VARIABLE);
    let name = name.unwrap_or_else(|| LOCAL.to_owned());
    network::find(&name, home, globals.root_key.as_deref())
}

/// The one that is named; else the folder's operator on its own network, and nobody elsewhere.
fn identity(globals: &Globals, home: &Home, place: &Place) -> anyhow::Result<Box<dyn Identity>> {
    match given(globals.identity.as_ref(), identity::VARIABLE) {
        Some(name) => identity::named(&name),
        None if place.name == LOCAL && home.operator().exists() => {
            identity::from_file(&home.operator())
        }
        None => identity::named("anonymous"),
    }
}

fn root(globals: &Globals, home: &Home, place: &Place) -> anyhow::Result<Option<Principal>> {
    let Some(text) = given(globals.root.as_ref(), network::ROOT_VARIABLE) else {
        return Ok(home.root(&place.name));
    };
    let root = canister(&text)?;
    if root == Principal::management_canister() {
        let message = format!("{root} is the platform itself, not a root");
        return Err(Complaint::new(Kind::Input, message)
            .hint("`hatchery deploy` says root's id, and the folder keeps it")
            .into());
    }
    Ok(Some(root))
}

/// The principal in a text that was typed.
///
/// # Errors
/// It is none.
pub(crate) fn canister(text: &str) -> anyhow::Result<Principal> {
    Principal::from_text(text).map_err(|error| {
        let message = format!("`{text}` is no canister id: {error}");
        let hint = "ids look like ryjl3-tyaaa-aaaaa-aaaba-cai";
        Complaint::new(Kind::Input, message).hint(hint).into()
    })
}
