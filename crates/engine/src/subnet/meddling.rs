//! What happens to a canister outside of its own messages: losing its code, running dry, vanishing,
//! being stopped or taken over by the operator of this world.

use ic_error_types::ErrorCode;
use ic_management_canister_types::{ChangeDetails, ChangeOrigin, ControllersChangeRecord};
use ic_principal::Principal;

use super::Subnet;
use super::canister::{LowMemoryHook, Status};
use super::cycles::Use;
use super::history::from_user;
use super::queue::Input;
use crate::machine::{StableMemory, WASM_PAGE_BYTES};
use crate::reject::Reject;
use crate::trace::Event;

impl Subnet {
    /// Takes code and memory off a canister. Whoever waits for it is rejected; settings, cycles,
    /// snapshots and status stay (interface specification, section `uninstall_code`).
    pub(crate) fn uninstall(&mut self, id: &Principal, by: ChangeOrigin) {
        let time_ns = self.time_ns;
        self.set_timer(id, 0);
        let canister = self.known_mut(id);
        canister.code = None;
        canister.certified_data.clear();
        canister.chunks.clear();
        canister.logs.clear();
        canister.tasks.clear();
        canister.low_memory = LowMemoryHook::NotSatisfied;
        canister.version += 1;
        canister
            .history
            .record(time_ns, canister.version, by, ChangeDetails::CodeUninstall);
        let waiting = canister.contexts.abandon_all();
        for (origin, refund) in waiting {
            let reject = Reject::new(
                ErrorCode::CanisterRejectedMessage,
                "Canister has been uninstalled.",
            );
            self.answer(&origin, Err(reject), refund);
        }
        self.reindex(id);
    }

    /// Stable memory as plain bytes; `None` when there is no such canister or it has no code.
    pub(crate) fn stable_memory(&self, id: &Principal) -> Option<Vec<u8>> {
        let stable = self.canisters.get(id)?.code.as_ref()?.stable();
        let mut bytes = vec![0; usize::try_from(stable.size_bytes()).ok()?];
        stable.read(0, &mut bytes).ok()?;
        Some(bytes)
    }

    /// Puts other bytes in place of stable memory, filled up with zeros to whole pages; the heap
    /// stays. False when there is no such canister, it has no code, or the bytes are too many.
    pub(crate) fn set_stable_memory(&mut self, id: &Principal, bytes: &[u8]) -> bool {
        let canister = self.canisters.get_mut(id);
        let Some(code) = canister.and_then(|canister| canister.code.as_mut()) else {
            return false;
        };
        let mut stable = StableMemory::default();
        let pages = (bytes.len() as u64).div_ceil(WASM_PAGE_BYTES);
        let written = stable.grow(pages).is_some() && stable.write(0, bytes).is_ok();
        if written {
            code.set_stable(stable);
        }
        written
    }

    /// What becomes of a canister that cannot pay for its storage.
    pub(super) fn run_dry(&mut self, id: &Principal) {
        let canister = self.canisters.get_mut(id);
        let canister = canister.expect("bug: a canister vanished while it was in use");
        let rest = canister.balance;
        self.ledger.burn(canister, Use::Uninstall, rest);
        self.uninstall(id, from_user(Principal::management_canister()));
        let canister = self.known_mut(id);
        canister.history.forget();
        canister.settings.compute_allocation = 0;
        canister.settings.memory_allocation = 0;
        self.delete_snapshots_of(id);
        self.record(|| Event::Changed {
            canister: *id,
            what: "ran-dry",
        });
    }

    /// Removes a canister and everything of it. Its cycles are discarded; those that wait for it
    /// are rejected.
    pub(crate) fn remove(&mut self, id: &Principal) {
        self.uninstall(id, from_user(Principal::management_canister()));
        self.delete_snapshots_of(id);
        let Some(mut canister) = self.canisters.remove(id) else {
            return;
        };
        self.ledger.discarded += canister.balance + canister.contexts.cycles();
        for input in std::mem::take(&mut canister.input) {
            match input {
                Input::Answer(answer) => self.ledger.discarded += answer.refund,
                Input::Request(request) => {
                    let reject = Reject::not_found(id);
                    self.answer(&request.origin, Err(reject), request.cycles);
                }
            }
        }
        if let Status::Stopping(waiters) = canister.status {
            for waiter in waiters {
                let reject = Reject::not_found(id);
                self.answer_next_round(&waiter.request.origin, Err(reject), waiter.request.cycles);
            }
        }
        self.reindex(id);
        self.record(|| Event::Changed {
            canister: *id,
            what: "deleted",
        });
    }

    /// Replaces the controllers in the operator's name; `false` when there is no such canister.
    pub(crate) fn take_over(&mut self, id: &Principal, controllers: Vec<Principal>) -> bool {
        let time_ns = self.time_ns;
        let Some(canister) = self.canisters.get_mut(id) else {
            return false;
        };
        canister.settings.controllers.clone_from(&controllers);
        canister.version += 1;
        let change = ChangeDetails::ControllersChange(ControllersChangeRecord { controllers });
        let by = from_user(Principal::management_canister());
        canister
            .history
            .record(time_ns, canister.version, by, change);
        self.record(|| Event::Changed {
            canister: *id,
            what: "taken-over",
        });
        true
    }

    /// Begins to stop a canister in the operator's name; `false` when there is no such canister.
    pub(crate) fn halt(&mut self, id: &Principal) -> bool {
        let Some(canister) = self.canisters.get_mut(id) else {
            return false;
        };
        canister.version += 1;
        if canister.is_running() {
            canister.status = Status::Stopping(Vec::new());
        }
        self.reindex(id);
        self.record(|| Event::Changed {
            canister: *id,
            what: "halted",
        });
        true
    }
}
