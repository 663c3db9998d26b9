//! What a front end needs beyond [`crate::Engine`]'s own words: when a round is due, what of the
//! state is certified, certificates of its own making. It speaks no protocol and keeps no key.

use ic_principal::Principal;

use crate::engine::Engine;
use crate::machine::Metadata;
use crate::reject::Reject;
use crate::subnet::{Canister, IngressStatus, MessageId};

/// What the state tree holds of one canister (interface specification, section "Canister
/// information").
#[derive(Clone, Copy)]
pub struct CertifiedState<'a> {
    canister: &'a Canister,
}

impl std::fmt::Debug for CertifiedState<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CertifiedState({})", self.canister.id)
    }
}

impl<'a> CertifiedState<'a> {
    /// Its id.
    pub fn id(&self) -> Principal {
        self.canister.id
    }

    /// Its controllers, in the order in which they were set.
    pub fn controllers(&self) -> &'a [Principal] {
        &self.canister.settings.controllers
    }

    /// SHA-256 of the module as uploaded; `None` = empty.
    pub fn module_hash(&self) -> Option<[u8; 32]> {
        self.canister.module_hash()
    }

    /// What it certified last, at most 32 bytes.
    pub fn certified_data(&self) -> &'a [u8] {
        &self.canister.certified_data
    }

    /// The module's metadata, by name.
    pub fn metadata(&self) -> impl Iterator<Item = (&'a str, &'a Metadata)> + use<'a> {
        let code = self.canister.code.iter();
        code.flat_map(|code| code.module().metadata())
            .map(|(name, metadata)| (name.as_str(), metadata))
    }
}

impl Engine {
    /// The subnet's key in DER, which `ic0.root_key` and the subnet's id follow from now on. It is
    /// no part of the world: whoever holds the private key sets it again after
    /// [`Engine::restore`].
    pub fn set_root_key(&mut self, der: Vec<u8>) {
        self.subnet.set_root_key(der);
    }

    /// The subnet's id.
    pub fn subnet_id(&self) -> Principal {
        self.subnet.context.id
    }

    /// The seed the world started from.
    pub fn seed(&self) -> u64 {
        self.subnet.config.seed
    }

    /// Time of the last round in nanoseconds since 1970: what its state is certified for.
    pub fn round_time_ns(&self) -> u64 {
        self.subnet.time_ns
    }

    /// Whether the next round has something to do that does not wait for a later time.
    pub fn has_work(&self) -> bool {
        self.subnet.has_work()
    }

    /// Time at which a timer or a deadline is due, if there is one. Heartbeats are due in every
    /// round.
    pub fn next_due_ns(&self) -> Option<u64> {
        self.subnet.next_due_ns()
    }

    /// Whether a message has its final status, or none any more.
    pub fn is_finished(&self, id: &MessageId) -> bool {
        self.subnet.is_finished(*id)
    }

    /// Takes the final status of a message out of the world, which forgets the message; `None`
    /// when it has none yet.
    pub fn take_status(&mut self, id: &MessageId) -> Option<IngressStatus> {
        self.subnet.take_status(*id)
    }

    /// What the state tree holds of every canister, in ascending order.
    pub fn certified_states(&self) -> impl Iterator<Item = CertifiedState<'_>> {
        let canisters = self.subnet.canisters.values();
        canisters.map(|canister| CertifiedState { canister })
    }

    /// What the state tree holds of one canister; `None` when there is no such canister.
    pub fn certified_state(&self, id: Principal) -> Option<CertifiedState<'_>> {
        let canister = self.subnet.canisters.get(&id)?;
        Some(CertifiedState { canister })
    }

    /// As [`Engine::query`]; `certify` makes the certificate that the canister may ask for, at most
    /// once and only if it does.
    ///
    /// # Errors
    /// As [`Engine::query`].
    pub fn query_certified(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: &[u8],
        certify: &dyn Fn() -> Vec<u8>,
    ) -> Result<Vec<u8>, Reject> {
        self.subnet
            .query(sender, canister, method, arg, Some(certify))
    }
}
