//! One round: what arrives, whose turn it is and for how long, and what is settled at the end.
//!
//! ```text
//! time ─► expire ─► induct ingress, loopback ─► management calls ─► heartbeats, due timers
//!      ─► canisters, pass after pass, until idle or the budget is used ─► stops, idle charges
//! ```
//!
//! Source: ENGINE facts on the replica's scheduler. Rounds a caller waits: 1 for an update, also
//! when it awaits calls to canisters; 2 more for each awaited call to the management canister.

use ic_principal::Principal;

use super::Subnet;
use super::queue::Task;
use crate::message::Entry;

/// Instructions a scheduler core starts messages for in a round.
const CORE_INSTRUCTIONS: i128 = 5_000_000_000;
/// Cores that run canisters side by side.
const CORES: usize = 4;
/// What a message counts beside its instructions.
const MESSAGE_OVERHEAD: u64 = 2_000_000;
/// Rounds from one checkpoint of the subnet's state to the next; compiled modules do not outlive
/// one (ENGINE facts: the compile discount).
const CHECKPOINT_ROUNDS: u64 = 500;
/// A message of more instructions occupies its canister for further rounds.
const SLICE_INSTRUCTIONS: u64 = 2_000_000_000;

impl Subnet {
    /// Executes one round.
    pub(crate) fn tick(&mut self) {
        self.begin_round();
        self.expire_best_effort();
        self.expire_ingress();
        self.induct_ingress();
        self.induct_loopback();
        self.run_management();
        self.schedule_tasks();
        self.run_canisters();
        self.settle_stops();
        self.charge_idle();
        self.count_queries();
    }

    /// Every round has a later time than the one before.
    fn begin_round(&mut self) {
        self.round += 1;
        if self.round > 1 && self.next_time_ns <= self.time_ns {
            self.next_time_ns = self.time_ns + 1;
        }
        self.time_ns = self.next_time_ns;
        if self.round.is_multiple_of(CHECKPOINT_ROUNDS) {
            self.known_modules.clear();
        }
        self.free_busy();
    }

    fn free_busy(&mut self) {
        let Subnet {
            busy,
            canisters,
            round,
            ..
        } = self;
        busy.retain(|id| {
            canisters
                .get(id)
                .is_some_and(|canister| canister.busy_until_round >= *round)
        });
    }

    fn schedule_tasks(&mut self) {
        let due = (self.time_ns, Principal::from_slice(&[0xff; 29]));
        let timers: Vec<Principal> = self.timers.range(..=due).map(|(_, id)| *id).collect();
        for id in timers {
            self.schedule_timer(&id);
        }
        let heartbeats: Vec<Principal> = self.heartbeats.iter().copied().collect();
        for id in heartbeats {
            let canister = self.known_mut(&id);
            if canister.is_running() && !canister.tasks.contains(&Task::Heartbeat) {
                canister.tasks.push_front(Task::Heartbeat);
                self.active.insert(id);
            }
        }
    }

    /// The timer is off as soon as its task is scheduled; a canister that does not run keeps it.
    fn schedule_timer(&mut self, id: &Principal) {
        if !self.known(id).is_running() {
            return;
        }
        self.set_timer(id, 0);
        let canister = self.known_mut(id);
        let has_hook = canister.has_hook(&Entry::GlobalTimer);
        if has_hook {
            canister.tasks.push_back(Task::GlobalTimer);
            self.active.insert(*id);
        }
    }

    /// Runs canisters in passes: each with work executes all of it, then what they sent arrives. A
    /// pass takes as long as its busiest core, and that much less is left for the next.
    fn run_canisters(&mut self) {
        let mut left = CORE_INSTRUCTIONS;
        self.route_outbox();
        loop {
            let mut cores = [left; CORES];
            let order = self.order_of_pass();
            let mut ran = false;
            for (place, id) in order.iter().enumerate() {
                ran |= self.run_canister(id, &mut cores[place % CORES]);
            }
            left = cores.into_iter().min().unwrap_or(left);
            if !self.route_outbox() && !ran {
                return;
            }
        }
    }

    /// Canisters with work in ascending order, starting at another one each round.
    fn order_of_pass(&self) -> Vec<Principal> {
        let mut order: Vec<Principal> = self.active.iter().copied().collect();
        if !order.is_empty() {
            let first = (self.round % order.len() as u64) as usize;
            order.rotate_left(first);
        }
        order
    }

    fn run_canister(&mut self, id: &Principal, budget: &mut i128) -> bool {
        let mut ran = false;
        while *budget > 0 && !self.is_blocked(id) {
            let Some(instructions) = self.execute_next(id) else {
                break;
            };
            ran = true;
            *budget -= i128::from(instructions + MESSAGE_OVERHEAD);
            let extra_rounds = instructions.saturating_sub(1) / SLICE_INSTRUCTIONS;
            if extra_rounds > 0
                && let Some(canister) = self.canisters.get_mut(id)
            {
                canister.busy_until_round = self.round + extra_rounds;
                self.busy.insert(*id);
            }
        }
        if self
            .canisters
            .get(id)
            .is_none_or(|canister| !canister.has_work())
        {
            self.active.remove(id);
        }
        ran
    }

    /// Whether a long message or a long install occupies the canister.
    pub(crate) fn is_blocked(&self, id: &Principal) -> bool {
        let installs = self
            .long_install
            .as_ref()
            .is_some_and(|long| long.target() == id);
        installs || self.busy.contains(id)
    }
}
