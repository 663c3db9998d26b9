//! Where cycles went, and how long they last.

use crate::ReasonView;
use candid::CandidType;
use hatchery_types::{Cycles, Wire};
use serde::Deserialize;

/// Every movement of cycles since root's memory began, summed: what was spent, topped up and
/// received is held, burned, swept back, discarded or given away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct LedgerView {
    /// Attached to creations, lost ones among them.
    pub spent: Cycles,
    /// Deposited to keep canisters alive.
    pub topped_up: Cycles,
    /// Held by canisters when they were taken in, and deposited by others since.
    pub received: Cycles,
    /// Missing from observed balances: fees, and what canisters used. Root's own is not in here.
    pub burned: Cycles,
    /// Deposited back by canisters that were swept.
    pub swept: Cycles,
    /// Held by canisters when they were deleted or forgotten.
    pub discarded: Cycles,
    /// Held by canisters when they were handed over.
    pub given_away: Cycles,
}

/// What root pays to keep canisters alive, and how long it can.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct FundingView {
    /// Topped up today (UTC).
    pub paid_today: Cycles,
    /// Canisters that wait for cycles.
    pub needy: u64,
    /// Roles, and what their members burn a day as observed.
    pub burn: Vec<(String, Cycles)>,
    /// What root itself burns a day; none = not known yet.
    pub own_burn: Option<Cycles>,
    /// Hours until root is at its reserve when it goes on like this; none = not known, or never.
    pub hours_left: Option<u64>,
    /// What it does, or what holds it back.
    pub reason: ReasonView,
}
