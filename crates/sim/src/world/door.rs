//! How users' messages reach the network: straight into the engine, or by a way of its own that
//! somebody else brings, such as HTTP. It decides nothing about them.

use candid::Principal;
use hatchery_engine::{Engine, IngressStatus, MessageId, Reject};
use std::fmt;

/// The users' way in. The engine is passed to it each time: between two calls it is the world's.
pub trait Door: fmt::Debug {
    /// The principal of the user of this name, who can come in by this way.
    fn user(&self, name: &str) -> Principal {
        Principal::self_authenticating(name)
    }

    /// Hands in a message for the next round.
    ///
    /// # Errors
    /// It is not taken in.
    fn submit(
        &mut self,
        engine: &mut Engine,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Result<MessageId, Reject>;

    /// What became of a message that this door took in.
    fn status(&mut self, engine: &mut Engine, message: &MessageId) -> IngressStatus;

    /// Asks a query.
    ///
    /// # Errors
    /// What the platform refused or the canister rejected.
    fn query(
        &mut self,
        engine: &mut Engine,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Result<Vec<u8>, Reject>;
}

/// Straight into the engine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Straight;

impl Door for Straight {
    fn submit(
        &mut self,
        engine: &mut Engine,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Result<MessageId, Reject> {
        engine.submit(sender, canister, method, arg)
    }

    fn status(&mut self, engine: &mut Engine, message: &MessageId) -> IngressStatus {
        engine.status(message)
    }

    fn query(
        &mut self,
        engine: &mut Engine,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Result<Vec<u8>, Reject> {
        engine.query(sender, canister, method, arg)
    }
}
