//! Where cycles are: minted, burned, discarded, held or on their way; the sums agree exactly at any
//! time. Prices and prepayments come from [`crate::message::Prices`].

use ic_principal::Principal;

use super::Subnet;
use super::canister::Canister;
use crate::management::LongInstall;
use crate::reject::Reject;
use crate::saved::saved;

/// The subnet's account: `minted == burned + discarded + held + in_flight`, exactly, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CyclesAccount {
    /// Brought into the world: provisional creation and top-up, the operator's gifts.
    pub minted: u128,
    /// Spent on fees, execution, storage, and by `cycles_burn128`.
    pub burned: u128,
    /// Gone with a deleted canister, or with an answer nobody waited for any more.
    pub discarded: u128,
    /// In the balances of canisters.
    pub held: u128,
    /// Attached to calls, to be refunded, or prepaid for open calls.
    pub in_flight: u128,
}

impl CyclesAccount {
    /// Whether nothing was lost and nothing came from nowhere.
    pub fn is_balanced(&self) -> bool {
        self.minted == self.burned + self.discarded + self.held + self.in_flight
    }
}

/// What a canister's cycles were burned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Instructions,
    Ingress,
    Transmission,
    Memory,
    ComputeAllocation,
    Creation,
    Uninstall,
    Burned,
}

/// Cycles a canister consumed, by use, as `canister_metrics` reports them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Consumed {
    by_use: [u128; 8],
}

impl Consumed {
    pub(crate) fn add(&mut self, used_for: Use, cycles: u128) {
        self.by_use[used_for as usize] += cycles;
    }

    pub(crate) fn of(&self, used_for: Use) -> u128 {
        self.by_use[used_for as usize]
    }
}

/// The part of the account that is counted; the rest is summed up on demand.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ledger {
    pub(crate) minted: u128,
    pub(crate) burned: u128,
    pub(crate) discarded: u128,
}

impl Ledger {
    /// Burns cycles that were already taken off the canister's balance.
    pub(crate) fn burn_taken(&mut self, canister: &mut Canister, used_for: Use, cycles: u128) {
        canister.consumed.add(used_for, cycles);
        self.burned += cycles;
    }

    /// Burns up to `cycles` of the canister's balance.
    pub(crate) fn burn(&mut self, canister: &mut Canister, used_for: Use, cycles: u128) {
        let taken = cycles.min(canister.balance);
        canister.balance -= taken;
        self.burn_taken(canister, used_for, taken);
    }

    pub(crate) fn mint(&mut self, canister: &mut Canister, cycles: u128) {
        canister.balance += cycles;
        self.minted += cycles;
    }
}

/// Takes a prepayment off the balance, or says that it would freeze the canister.
pub(crate) fn prepay(
    canister: &mut Canister,
    freezing_limit: u128,
    cycles: u128,
) -> Result<(), Reject> {
    if canister.balance < freezing_limit.saturating_add(cycles) {
        return Err(Reject::out_of_cycles(
            &canister.id,
            canister.balance,
            freezing_limit.saturating_add(cycles),
        ));
    }
    canister.balance -= cycles;
    Ok(())
}

/// How often storage and allocations are charged, in nanoseconds of IC time.
const IDLE_CHARGE_PERIOD_NS: u64 = 10_000_000_000;

impl Subnet {
    /// The account as of now.
    pub(crate) fn cycles_account(&self) -> CyclesAccount {
        let held = self.canisters.values().map(|c| c.balance).sum();
        let at_canisters: u128 = self.canisters.values().map(canister_in_flight).sum();
        let parcels = self.loopback.iter().chain(&self.outbox);
        let in_flight = at_canisters
            + parcels.map(super::queue::Parcel::cycles).sum::<u128>()
            + self.held.cycles()
            + self
                .management
                .iter()
                .map(|request| request.cycles)
                .sum::<u128>()
            + self.long_install.as_ref().map_or(0, LongInstall::cycles);
        CyclesAccount {
            minted: self.ledger.minted,
            burned: self.ledger.burned,
            discarded: self.ledger.discarded,
            held,
            in_flight,
        }
    }

    /// Charges storage and allocations when ten seconds have passed since the last time.
    pub(crate) fn charge_idle(&mut self) {
        let elapsed_ns = self.time_ns - self.idle_charged_ns;
        if elapsed_ns < IDLE_CHARGE_PERIOD_NS {
            return;
        }
        self.idle_charged_ns = self.time_ns;
        // Whole seconds are charged; the fraction is left for the next time.
        let seconds = u128::from(elapsed_ns / 1_000_000_000);
        self.idle_charged_ns -= elapsed_ns % 1_000_000_000;
        let ids: Vec<Principal> = self.canisters.keys().copied().collect();
        for id in ids {
            self.charge_idle_of(&id, seconds);
        }
    }

    fn charge_idle_of(&mut self, id: &Principal, seconds: u128) {
        let prices = &self.context.prices;
        let Some(canister) = self.canisters.get_mut(id) else {
            return;
        };
        let storage = canister.storage_cycles(prices, seconds);
        let allocation = canister.allocation_cycles(prices, seconds);
        let is_broke = canister.balance < storage.saturating_add(allocation);
        self.ledger
            .burn(canister, super::cycles::Use::Memory, storage);
        self.ledger
            .burn(canister, super::cycles::Use::ComputeAllocation, allocation);
        if is_broke {
            self.run_dry(id);
        }
    }
}

fn canister_in_flight(canister: &Canister) -> u128 {
    use super::canister::Status;
    use super::queue::Input;
    let queued: u128 = canister
        .input
        .iter()
        .map(|input| match input {
            Input::Request(request) => request.cycles,
            Input::Answer(answer) => answer.refund,
        })
        .sum();
    let stops = match &canister.status {
        Status::Stopping(waiters) => waiters.iter().map(|w| w.request.cycles).sum(),
        Status::Running | Status::Stopped => 0,
    };
    queued + stops + canister.contexts.cycles()
}

saved!(struct Consumed { by_use });
saved!(struct Ledger { minted, burned, discarded });
