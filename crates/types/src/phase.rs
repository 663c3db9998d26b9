//! The life of a canister.

use core::fmt;
use minicbor::{Decode, Encode};

/// Where a canister stands; exactly one phase a row.
///
/// ```text
///                                    ┌─► Standby ─► Leased
///                                    │      ▼        ▲ ▼
/// Creating ─► Ready ─► Installing ───┴─► InService ──┴─┘ ⇄ Draining ─► Stopping ─┐
///               ▲           └── refused ──┐                                      │
///           Resetting ◄──────────── PendingReset ◄──── import, recycle ──────────┘
///               └── refused n times ─► Failed        any ─► Deleting ─► (gone)   Lost
/// Ready ─► Exporting ─► (handed over) or Installing
/// Standby, InService, Leased ─► Upgrading ─► back; its old state is lost ─► Failed
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
#[cbor(index_only)]
pub enum Phase {
    /// The id is known, the first observation is not.
    #[n(0)]
    Creating,
    /// Waiting for a reset.
    #[n(1)]
    PendingReset,
    /// A reset is in flight.
    #[n(2)]
    Resetting,
    /// Verified empty, controlled by root, waiting for a role.
    #[n(3)]
    Ready,
    /// Claimed for a role; its module is being installed.
    #[n(4)]
    Installing,
    /// Listed in discovery, takes work.
    #[n(5)]
    InService,
    /// Cordoned: takes no new work, finishes what it has.
    #[n(6)]
    Draining,
    /// Drained; a stop is under way, then reset.
    #[n(7)]
    Stopping,
    /// Being given back to the platform.
    #[n(8)]
    Deleting,
    /// Refused too often; waits for an operator's requeue.
    #[n(9)]
    Failed,
    /// Gone, or out of root's control.
    #[n(10)]
    Lost,
    /// Released to its old role or to another controller; the row ends or becomes a member's.
    #[n(11)]
    Exporting,
    /// Named to a root that lost its memory; looked at before anything else.
    #[n(13)]
    Recovering,
    /// Installed, not listed: waits for its start-up check or for a promotion.
    #[n(14)]
    Standby,
    /// Handed to one holder until released or expired.
    #[n(15)]
    Leased,
    /// Its module is being replaced; out of service meanwhile.
    #[n(17)]
    Upgrading,
}

impl Phase {
    /// Every phase, in order of their codes.
    pub const ALL: [Phase; 16] = [
        Phase::Creating,
        Phase::PendingReset,
        Phase::Resetting,
        Phase::Ready,
        Phase::Installing,
        Phase::InService,
        Phase::Draining,
        Phase::Stopping,
        Phase::Deleting,
        Phase::Failed,
        Phase::Lost,
        Phase::Exporting,
        Phase::Recovering,
        Phase::Standby,
        Phase::Leased,
        Phase::Upgrading,
    ];

    /// A living member of a worker pool: counts against `max`.
    pub fn is_living(self) -> bool {
        matches!(
            self,
            Phase::Installing
                | Phase::Standby
                | Phase::InService
                | Phase::Leased
                | Phase::Upgrading
        )
    }

    /// A member of a worker pool, living or leaving.
    pub fn is_member(self) -> bool {
        self.is_living() || matches!(self, Phase::Draining | Phase::Stopping)
    }

    /// The name in the vocabulary, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Creating => "creating",
            Phase::PendingReset => "pending-reset",
            Phase::Resetting => "resetting",
            Phase::Ready => "ready",
            Phase::Installing => "installing",
            Phase::InService => "in-service",
            Phase::Draining => "draining",
            Phase::Stopping => "stopping",
            Phase::Deleting => "deleting",
            Phase::Failed => "failed",
            Phase::Lost => "lost",
            Phase::Exporting => "exporting",
            Phase::Recovering => "recovering",
            Phase::Standby => "standby",
            Phase::Leased => "leased",
            Phase::Upgrading => "upgrading",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
