//! Creating, starting, stopping, emptying, deleting and funding canisters.

use candid::{CandidType, Nat};
use ic_error_types::ErrorCode;
use ic_management_canister_types::{
    CanisterIdRecord, CanisterSettings, ChangeDetails, ChangeOrigin, CreateCanisterArgs,
    CreationRecord, UninstallCodeArgs,
};
use ic_principal::Principal;
use serde::Deserialize;

use super::settings::{check_allocations, environment_hash, merged, u128_of};
use super::{Handled, Outcome, decode, empty, reply, reply_nothing, stated_version};
use crate::reject::Reject;
use crate::subnet::{Canister, Request, Settings, Status, StopWaiter, Subnet, Use, origin_of};
use crate::trace::Event;

/// How long `stop_canister` waits before it gives up (ENGINE facts: lifecycle).
const STOP_TIMEOUT_NS: u64 = 300_000_000_000;
/// What a provisional canister gets when no amount is given.
const PROVISIONAL_CYCLES: u128 = 100_000_000_000_000;

#[derive(CandidType, Deserialize)]
struct ProvisionalCreateArgs {
    amount: Option<Nat>,
    settings: Option<CanisterSettings>,
}

#[derive(CandidType, Deserialize)]
struct ProvisionalTopUpArgs {
    canister_id: Principal,
    amount: Nat,
}

impl Subnet {
    pub(super) fn create_canister(&mut self, request: &mut Request) -> Handled {
        let args: CreateCanisterArgs = decode(&request.arg)?;
        let sender = request.origin.principal();
        let settings = new_settings(sender, args.settings.as_ref())?;
        let fee = self.context.prices.create_canister;
        if request.cycles < fee {
            return Err(Reject::new(
                ErrorCode::InsufficientCyclesForCreateCanister,
                format!(
                    "Creating a canister requires a fee of {fee} that is deducted from the canister's initial balance but only {} cycles were received with the create_canister request.",
                    request.cycles
                ),
            ));
        }
        self.check_new(sender, &settings, request.cycles - fee)?;
        let by = origin_of(&request.origin, args.sender_canister_version);
        let id = self.create(settings, sender, by);
        let cycles = std::mem::take(&mut request.cycles);
        let canister = self
            .canisters
            .get_mut(&id)
            .expect("bug: a canister vanished while it was in use");
        canister.balance += cycles;
        self.ledger.burn(canister, Use::Creation, fee);
        reply(&CanisterIdRecord { canister_id: id })
    }

    pub(super) fn provisional_create(&mut self, request: &Request) -> Handled {
        let args: ProvisionalCreateArgs = decode(&request.arg)?;
        let sender = request.origin.principal();
        let settings = new_settings(sender, args.settings.as_ref())?;
        let cycles = match &args.amount {
            Some(amount) => u128_of(amount, "amount")?,
            None => PROVISIONAL_CYCLES,
        };
        self.check_new(sender, &settings, cycles)?;
        let by = origin_of(&request.origin, stated_version(request));
        let id = self.create(settings, sender, by);
        self.gift(&id, cycles);
        reply(&CanisterIdRecord { canister_id: id })
    }

    /// A canister may not begin its life frozen by what it asks for.
    fn check_new(
        &self,
        creator: Principal,
        settings: &Settings,
        cycles: u128,
    ) -> Result<(), Reject> {
        let plain = Settings::new(vec![creator]);
        let mut canister = Canister::new(creator, plain, creator, self.time_ns);
        canister.balance = cycles;
        check_allocations(&mut canister, settings, &self.context.prices)
    }

    /// A new canister with its first history entry.
    pub(crate) fn create(
        &mut self,
        settings: Settings,
        creator: Principal,
        by: ChangeOrigin,
    ) -> Principal {
        let creation = ChangeDetails::Creation(CreationRecord {
            controllers: settings.controllers.clone(),
            environment_variables_hash: environment_hash(&settings.environment),
        });
        let time_ns = self.time_ns;
        let id = self.new_canister(settings, creator);
        let canister = self.known_mut(&id);
        canister.history.record(time_ns, 0, by, creation);
        id
    }

    pub(super) fn provisional_top_up(&mut self, request: &Request) -> Handled {
        let args: ProvisionalTopUpArgs = decode(&request.arg)?;
        self.existing(&args.canister_id)?;
        let cycles = u128_of(&args.amount, "amount")?;
        self.gift(&args.canister_id, cycles);
        reply_nothing()
    }

    /// Mints cycles for a canister; `false` when there is no such canister.
    pub(crate) fn gift(&mut self, id: &Principal, cycles: u128) -> bool {
        let Some(canister) = self.canisters.get_mut(id) else {
            return false;
        };
        self.ledger.mint(canister, cycles);
        true
    }

    pub(super) fn deposit_cycles(&mut self, request: &mut Request) -> Handled {
        let args: CanisterIdRecord = decode(&request.arg)?;
        self.existing(&args.canister_id)?;
        self.known_mut(&args.canister_id).balance += std::mem::take(&mut request.cycles);
        reply_nothing()
    }

    pub(super) fn uninstall_code(&mut self, request: &Request) -> Handled {
        let args: UninstallCodeArgs = decode(&request.arg)?;
        self.controlled(&args.canister_id, &request.origin)?;
        let by = origin_of(&request.origin, args.sender_canister_version);
        self.uninstall(&args.canister_id, by);
        reply_nothing()
    }

    pub(super) fn start_canister(&mut self, request: &Request) -> Handled {
        let args: CanisterIdRecord = decode(&request.arg)?;
        let canister = self.controlled(&args.canister_id, &request.origin)?;
        canister.version += 1;
        let before = std::mem::replace(&mut canister.status, Status::Running);
        if let Status::Stopping(waiters) = before {
            let reject = Reject::new(
                ErrorCode::CanisterStoppingCancelled,
                format!(
                    "Canister {}'s stop request was cancelled.",
                    args.canister_id
                ),
            );
            self.answer_stops(waiters, &Err(reject));
        }
        self.reindex(&args.canister_id);
        reply_nothing()
    }

    pub(super) fn stop_canister(&mut self, request: &Request) -> Handled {
        let args: CanisterIdRecord = decode(&request.arg)?;
        let deadline_ns = self.time_ns.saturating_add(STOP_TIMEOUT_NS);
        let canister = self.controlled(&args.canister_id, &request.origin)?;
        canister.version += 1;
        if matches!(canister.status, Status::Stopped) {
            return reply_nothing();
        }
        if canister.is_running() {
            canister.status = Status::Stopping(Vec::new());
        }
        if let Status::Stopping(waiters) = &mut canister.status {
            waiters.push(StopWaiter {
                request: request.clone(),
                deadline_ns,
            });
        }
        self.reindex(&args.canister_id);
        Ok(Outcome::Later)
    }

    pub(super) fn delete_canister(&mut self, request: &Request) -> Handled {
        let args: CanisterIdRecord = decode(&request.arg)?;
        let id = args.canister_id;
        if request.origin.principal() == id {
            return Err(Reject::new(
                ErrorCode::CanisterInvalidController,
                format!("Canister {id} cannot delete itself"),
            ));
        }
        let canister = self.controlled(&id, &request.origin)?;
        if !matches!(canister.status, Status::Stopped) {
            return Err(Reject::new(
                ErrorCode::CanisterNotStopped,
                format!("Canister {id} must be stopped before it is deleted."),
            ));
        }
        if canister.has_work() {
            return Err(Reject::new(
                ErrorCode::CanisterQueueNotEmpty,
                format!("Canister {id} has messages in its queues and cannot be deleted now"),
            ));
        }
        self.remove(&id);
        reply_nothing()
    }

    /// Ends stops whose canister has nothing open any more, and those that waited too long.
    pub(crate) fn settle_stops(&mut self) {
        let stopping: Vec<Principal> = self.stopping_canisters();
        for id in stopping {
            let time_ns = self.time_ns;
            let canister = self.known_mut(&id);
            let Status::Stopping(waiters) = &mut canister.status else {
                continue;
            };
            if canister.contexts.is_idle() {
                let waiters = std::mem::take(waiters);
                canister.status = Status::Stopped;
                canister.version += 1;
                self.answer_stops(waiters, &Ok(empty()));
                self.record(|| Event::Changed {
                    canister: id,
                    what: "stopped",
                });
                self.reindex(&id);
                continue;
            }
            let (late, patient) = std::mem::take(waiters)
                .into_iter()
                .partition(|waiter| waiter.deadline_ns <= time_ns);
            *waiters = patient;
            let reject = Reject::new(
                ErrorCode::StopCanisterRequestTimeout,
                "Stop canister request timed out",
            );
            self.answer_stops(late, &Err(reject));
        }
    }

    fn answer_stops(&mut self, waiters: Vec<StopWaiter>, result: &Result<Vec<u8>, Reject>) {
        for waiter in waiters {
            let request = waiter.request;
            self.answer_next_round(&request.origin, result.clone(), request.cycles);
        }
    }
}

fn new_settings(sender: Principal, wanted: Option<&CanisterSettings>) -> Result<Settings, Reject> {
    let settings = Settings::new(vec![sender]);
    match wanted {
        Some(wanted) => merged(settings, wanted),
        None => Ok(settings),
    }
}
