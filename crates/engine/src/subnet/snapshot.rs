//! The whole world as a value: taken, and gone back to. Memory is shared between a world and its
//! snapshots until one of them changes it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use ic_principal::Principal;

use super::canister::Canister;
use super::queue::{CallbackId, Held, ManagementQueue, Parcel};
use super::{Subnet, context_of, cycles, ingress};
use crate::engine::Config;
use crate::faults::Faults;
use crate::machine::{Code, Machine};
use crate::management::{LongInstall, Snapshots};
use crate::saved::saved;

/// A world at one moment, from [`crate::Engine::snapshot`].
pub struct World {
    config: Config,
    canisters: BTreeMap<Principal, Canister>,
    faults: Faults,
    ledger: cycles::Ledger,
    snapshots: Snapshots,
    long_install: Option<LongInstall>,
    known_modules: BTreeSet<[u8; 32]>,
    management: ManagementQueue,
    time_ns: u64,
    round: u64,
    ingress: ingress::Ingress,
    outbox: Vec<Parcel>,
    loopback: Vec<Parcel>,
    held: Held,
    next_time_ns: u64,
    idle_charged_ns: u64,
    queries_counted_ns: u64,
    next_canister: u64,
    random_drawn: u64,
    active: BTreeSet<Principal>,
    timers: BTreeSet<(u64, Principal)>,
    heartbeats: BTreeSet<Principal>,
    stopping: BTreeSet<Principal>,
    busy: BTreeSet<Principal>,
    deadlines: BTreeSet<(u64, Principal, CallbackId)>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "World(round {}, {} canisters)",
            self.round,
            self.canisters.len()
        )
    }
}

impl World {
    /// Compiled modules are kept in this folder from now on.
    pub(crate) fn keep_compiled_in(&mut self, folder: Option<PathBuf>) {
        self.config.cache_dir = folder;
    }
}

impl Subnet {
    /// A subnet that is in the state of `world`.
    pub(crate) fn of_world(machine: Machine, world: &World) -> Self {
        let mut subnet = Subnet::with_machine(world.config.clone(), machine);
        subnet.restore_world(world);
        subnet
    }

    pub(crate) fn snapshot_world(&mut self) -> World {
        World {
            config: self.config.clone(),
            canisters: copied(&self.canisters, &mut self.machine),
            faults: self.faults.clone(),
            ledger: self.ledger,
            snapshots: self.snapshots.clone(),
            long_install: self.long_install.clone(),
            known_modules: self.known_modules.clone(),
            management: self.management.clone(),
            time_ns: self.time_ns,
            round: self.round,
            ingress: self.ingress.clone(),
            outbox: self.outbox.clone(),
            loopback: self.loopback.clone(),
            held: self.held.clone(),
            next_time_ns: self.next_time_ns,
            idle_charged_ns: self.idle_charged_ns,
            queries_counted_ns: self.queries_counted_ns,
            next_canister: self.next_canister,
            random_drawn: self.random_drawn,
            active: self.active.clone(),
            timers: self.timers.clone(),
            heartbeats: self.heartbeats.clone(),
            stopping: self.stopping.clone(),
            busy: self.busy.clone(),
            deadlines: self.deadlines.clone(),
        }
    }

    /// Goes back, or over, to `world`. The fault rules are those of then.
    pub(crate) fn restore_world(&mut self, world: &World) {
        self.config.clone_from(&world.config);
        self.context = context_of(&world.config);
        self.canisters = copied(&world.canisters, &mut self.machine);
        self.faults.clone_from(&world.faults);
        self.ledger = world.ledger;
        self.snapshots.clone_from(&world.snapshots);
        self.long_install.clone_from(&world.long_install);
        self.known_modules.clone_from(&world.known_modules);
        self.management.clone_from(&world.management);
        self.time_ns = world.time_ns;
        self.round = world.round;
        self.ingress.clone_from(&world.ingress);
        self.outbox.clone_from(&world.outbox);
        self.loopback.clone_from(&world.loopback);
        self.held.clone_from(&world.held);
        self.next_time_ns = world.next_time_ns;
        self.idle_charged_ns = world.idle_charged_ns;
        self.queries_counted_ns = world.queries_counted_ns;
        self.next_canister = world.next_canister;
        self.random_drawn = world.random_drawn;
        self.active.clone_from(&world.active);
        self.timers.clone_from(&world.timers);
        self.heartbeats.clone_from(&world.heartbeats);
        self.stopping.clone_from(&world.stopping);
        self.busy.clone_from(&world.busy);
        self.deadlines.clone_from(&world.deadlines);
    }
}

fn copied(
    canisters: &BTreeMap<Principal, Canister>,
    machine: &mut Machine,
) -> BTreeMap<Principal, Canister> {
    let mut copy = |code: &Code| {
        let image = machine.image(code);
        machine.restore(&image)
    };
    canisters
        .iter()
        .map(|(id, canister)| (*id, canister.copied(&mut copy)))
        .collect()
}

saved!(struct World {
    config, canisters, faults, ledger, snapshots, long_install, known_modules, management, time_ns,
    round, ingress, outbox, loopback, held, next_time_ns, idle_charged_ns,
    queries_counted_ns, next_canister, random_drawn, active, timers, heartbeats, stopping, busy,
    deadlines,
});
