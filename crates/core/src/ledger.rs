//! Cycles that came in and went out, summed over root's life, and what may still be paid today.
//!
//! Owns the sums and their balance; what was discarded or given away is in the header. Balances are
//! observed, and `burned` is what they show to be missing: root burns for itself beside it.

use hatchery_types::{Cycles, Nanos};
use minicbor::{Decode, Encode};

/// Sums of cycles since root's memory began.
///
/// ```text
/// spent + topped_up + received
///     = held + burned + swept + discarded + given_away
/// held = balances as last observed + deposits since + creations whose answers were lost
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Ledger {
    /// Attached to creations that took place, and to those whose answers were lost.
    #[cbor(n(0), default)]
    pub spent: Cycles,
    /// Deposited back to root by canisters that were swept, as observed.
    #[cbor(n(1), default)]
    pub swept: Cycles,
    /// Deposited by root to keep canisters alive; of unknown outcome too.
    #[cbor(n(2), default)]
    pub topped_up: Cycles,
    /// Held by canisters that root took in, and deposited by others, as observed.
    #[cbor(n(3), default)]
    pub received: Cycles,
    /// What balances show to be missing: the platform's fees, and what canisters used.
    #[cbor(n(4), default)]
    pub burned: Cycles,
    /// Every movement since the first canister is in here; an older root kept only some.
    #[cbor(n(5), default)]
    pub whole: bool,
}

/// A sum of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// [`Ledger::spent`].
    Spent,
    /// Lost with a creation that is not waited for any more.
    Discarded,
    /// Attached to a creation whose canister was taken in before its answer came: it was received
    /// when it was observed.
    Twice,
}

impl Ledger {
    /// Adds to one sum; `discarded` is the header's.
    pub(crate) fn book(&mut self, account: Account, cycles: Cycles, discarded: &mut Cycles) {
        match account {
            Account::Spent => add(&mut self.spent, cycles),
            Account::Discarded => add(discarded, cycles),
            Account::Twice => {
                let known = self.received.min(cycles);
                self.received = self.received.less(known);
                add(&mut self.burned, cycles.less(known));
            }
        }
    }
}

pub(crate) fn add(sum: &mut Cycles, cycles: Cycles) {
    sum.0 = sum.0.saturating_add(cycles.0);
}

/// What root paid to keep canisters alive, on one day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Funding {
    /// Which day, counted from 1970 in UTC.
    #[n(0)]
    pub day: u64,
    /// To all canisters.
    #[n(1)]
    pub paid: Cycles,
    /// To those of each role that got any.
    #[n(2)]
    pub roles: Vec<(String, Cycles)>,
}

impl Funding {
    /// The day of an instant.
    pub(crate) fn day_of(now: Nanos) -> u64 {
        now.0 / DAY.0
    }

    /// When the day after begins.
    pub(crate) fn tomorrow(now: Nanos) -> Nanos {
        Nanos(DAY.0.saturating_mul(Funding::day_of(now) + 1))
    }

    /// Paid on `day` to the canisters of a role; none = to all.
    pub fn paid_on(&self, day: u64, role: Option<&str>) -> Cycles {
        if self.day != day {
            return Cycles(0);
        }
        match role {
            None => self.paid,
            Some(role) => {
                let found = self.roles.iter().find(|(name, _)| name == role);
                found.map_or(Cycles(0), |(_, paid)| *paid)
            }
        }
    }

    /// Replaces what a canister got on `day`; an older day is over.
    pub(crate) fn change(&mut self, day: u64, role: Option<&str>, before: Cycles, after: Cycles) {
        if day < self.day {
            return;
        }
        if day > self.day {
            *self = Funding {
                day,
                ..Funding::default()
            };
        }
        let turn = |sum: Cycles| Cycles(sum.0.saturating_add(after.0)).less(before);
        self.paid = turn(self.paid);
        let Some(role) = role else { return };
        match self.roles.iter_mut().find(|(name, _)| name == role) {
            Some((_, paid)) => *paid = turn(*paid),
            None => self.roles.push((role.to_owned(), turn(Cycles(0)))),
        }
    }
}

/// A day.
pub(crate) const DAY: Nanos = Nanos::from_secs(86_400);

/// Root's own balance at a quiet moment, to see what root itself burns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Purse {
    /// When.
    #[n(0)]
    pub at: Nanos,
    /// Liquid cycles.
    #[n(1)]
    pub liquid: Cycles,
    /// Paid out since root's memory began.
    #[n(2)]
    pub paid: Cycles,
    /// Swept back since.
    #[n(3)]
    pub swept: Cycles,
    /// What root burns a day, as far as two such moments show it.
    #[n(4)]
    pub burn: Option<Cycles>,
}
