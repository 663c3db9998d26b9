//! Cycles that root paid and got back, summed over its life.
//!
//! Owns the sums alone; what was discarded or given away is in the header. Balances are observed, never computed from these.

use hatchery_types::Cycles;
use minicbor::{Decode, Encode};

/// Sums of cycles since root's memory began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Ledger {
    /// Attached to creations that took place, and to those whose answers were lost.
    #[cbor(n(0), default)]
    pub spent: Cycles,
    /// Deposited back to root by canisters that were swept, as observed.
    #[cbor(n(1), default)]
    pub swept: Cycles,
}

/// A sum of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// [`Ledger::spent`].
    Spent,
    /// [`Ledger::swept`].
    Swept,
}

impl Ledger {
    /// Adds to one sum.
    pub(crate) fn book(&mut self, account: Account, cycles: Cycles) {
        let sum = match account {
            Account::Spent => &mut self.spent,
            Account::Swept => &mut self.swept,
        };
        sum.0 = sum.0.saturating_add(cycles.0);
    }
}
