//! One application subnet: its canisters, what travels between them, its clock and its account.
//! It decides what runs and commits what that leaves behind; [`crate::machine`] runs it.

mod call_context;
mod canister;
mod certificate;
mod commit;
mod cycles;
mod execute;
mod history;
mod ingress;
mod meddling;
mod query;
mod queue;
mod round;
mod run;
mod snapshot;
mod travel;

use std::collections::{BTreeMap, BTreeSet};

use ic_principal::Principal;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

pub(crate) use canister::{Canister, LowMemoryHook, Settings, Status, StopWaiter, metadata_bytes};
pub use cycles::CyclesAccount;
pub(crate) use cycles::{Use, prepay};
pub(crate) use execute::reject_by_fault;
pub(crate) use history::{from_user, origin_of};
pub use ingress::{IngressStatus, MessageId};
pub(crate) use queue::{Origin, Request};
pub(crate) use run::Run;
pub use snapshot::World;

use crate::engine::Config;
use crate::faults::Faults;
use crate::machine::Machine;
use crate::management::{LongInstall, Snapshots};
use crate::message::{Entry, Prices, SubnetContext};
use crate::trace::{Event, Trace};

/// Index of the first canister id; ids are handed out one after another from here.
const FIRST_CANISTER: u64 = 0x0000_0000_0100_0000;

/// A subnet and everything on it.
pub(crate) struct Subnet {
    pub(crate) config: Config,
    pub(crate) machine: Machine,
    pub(crate) context: SubnetContext,
    pub(crate) canisters: BTreeMap<Principal, Canister>,
    pub(crate) faults: Faults,
    pub(crate) trace: Trace,
    pub(crate) ledger: cycles::Ledger,
    pub(crate) snapshots: Snapshots,
    pub(crate) long_install: Option<LongInstall>,
    /// Modules compiled since the last checkpoint: compiling them again is nearly free.
    pub(crate) known_modules: BTreeSet<[u8; 32]>,
    pub(crate) management: queue::ManagementQueue,
    /// Instructions that management calls have used in this round.
    pub(crate) management_spent: u64,
    /// Time of the current or last round.
    pub(crate) time_ns: u64,
    pub(crate) round: u64,
    ingress: ingress::Ingress,
    /// Parcels that canisters sent in this pass over them.
    outbox: Vec<queue::Parcel>,
    /// Parcels that arrive in the next round.
    loopback: Vec<queue::Parcel>,
    held: queue::Held,
    /// Time set for the next round.
    next_time_ns: u64,
    idle_charged_ns: u64,
    queries_counted_ns: u64,
    next_canister: u64,
    random_drawn: u64,
    // Indexes over the canisters, so that a round costs what happens in it.
    active: BTreeSet<Principal>,
    timers: BTreeSet<(u64, Principal)>,
    heartbeats: BTreeSet<Principal>,
    stopping: BTreeSet<Principal>,
    /// Canisters that a long message occupies.
    pub(crate) busy: BTreeSet<Principal>,
    deadlines: BTreeSet<(u64, Principal, queue::CallbackId)>,
}

impl Subnet {
    pub(crate) fn new(config: Config) -> Self {
        let machine = Machine::new(config.cache_dir.clone());
        Subnet::with_machine(config, machine)
    }

    fn with_machine(config: Config, machine: Machine) -> Self {
        Subnet {
            machine,
            context: context_of(&config),
            canisters: BTreeMap::new(),
            faults: Faults::new(config.seed),
            trace: Trace::default(),
            ledger: cycles::Ledger::default(),
            snapshots: Snapshots::default(),
            long_install: None,
            known_modules: BTreeSet::new(),
            management: queue::ManagementQueue::default(),
            management_spent: 0,
            time_ns: config.start_time_ns,
            round: 0,
            ingress: ingress::Ingress::default(),
            outbox: Vec::new(),
            loopback: Vec::new(),
            held: queue::Held::default(),
            next_time_ns: config.start_time_ns,
            idle_charged_ns: config.start_time_ns,
            queries_counted_ns: config.start_time_ns,
            next_canister: FIRST_CANISTER,
            random_drawn: 0,
            active: BTreeSet::new(),
            timers: BTreeSet::new(),
            heartbeats: BTreeSet::new(),
            stopping: BTreeSet::new(),
            busy: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            config,
        }
    }

    /// Time of the next round, were it to happen now.
    pub(crate) fn now_ns(&self) -> u64 {
        self.next_time_ns
    }

    pub(crate) fn advance_ns(&mut self, ns: u64) {
        self.next_time_ns = self.next_time_ns.saturating_add(ns);
    }

    /// Replaces the stand-in for the subnet's key by a real one.
    pub(crate) fn set_root_key(&mut self, der: Vec<u8>) {
        self.context.id = Principal::self_authenticating(&der);
        self.context.root_key = der;
    }

    /// Whether anything is under way that the next round moves.
    pub(crate) fn has_work(&self) -> bool {
        !(self.active.is_empty()
            && self.outbox.is_empty()
            && self.loopback.is_empty()
            && self.ingress.submitted.is_empty()
            && self.management.is_empty()
            && self.held.is_empty()
            && self.long_install.is_none())
    }

    /// Time of the first timer of a running canister, or deadline of a call.
    pub(crate) fn next_due_ns(&self) -> Option<u64> {
        let runs = |id| self.canisters.get(id).is_some_and(Canister::is_running);
        let timer = self.timers.iter().find(|(_, id)| runs(id));
        let deadline = self.deadlines.first();
        let due = [timer.map(|timer| timer.0), deadline.map(|call| call.0)];
        due.into_iter().flatten().min()
    }

    pub(crate) fn record(&mut self, event: impl FnOnce() -> Event) {
        self.trace.record(self.round, self.time_ns, event);
    }

    /// Creates an empty canister without cycles and returns its id.
    pub(crate) fn new_canister(&mut self, settings: Settings, creator: Principal) -> Principal {
        let id = canister_id(self.next_canister);
        self.next_canister += 1;
        let canister = Canister::new(id, settings, creator, self.time_ns);
        self.canisters.insert(id, canister);
        id
    }

    /// The canister, which the caller knows to exist.
    pub(crate) fn known(&self, id: &Principal) -> &Canister {
        self.canisters
            .get(id)
            .expect("bug: a canister vanished while it was in use")
    }

    /// The canister, which the caller knows to exist.
    pub(crate) fn known_mut(&mut self, id: &Principal) -> &mut Canister {
        self.canisters
            .get_mut(id)
            .expect("bug: a canister vanished while it was in use")
    }

    /// Sets the global timer (0 = off) and keeps the index right.
    pub(crate) fn set_timer(&mut self, id: &Principal, timer_ns: u64) {
        let canister = self.known_mut(id);
        let before = std::mem::replace(&mut canister.timer_ns, timer_ns);
        if before != 0 {
            self.timers.remove(&(before, *id));
        }
        if timer_ns != 0 {
            self.timers.insert((timer_ns, *id));
        }
    }

    /// Brings the indexes up to date after the canister's code or status changed.
    pub(crate) fn reindex(&mut self, id: &Principal) {
        let Some(canister) = self.canisters.get(id) else {
            self.active.remove(id);
            self.heartbeats.remove(id);
            self.stopping.remove(id);
            return;
        };
        let has_heartbeat = canister.has_hook(&Entry::Heartbeat);
        set_member(&mut self.heartbeats, id, has_heartbeat);
        let is_stopping = matches!(canister.status, Status::Stopping(_));
        set_member(&mut self.stopping, id, is_stopping);
        let has_work = canister.has_work();
        set_member(&mut self.active, id, has_work);
    }

    pub(crate) fn stopping_canisters(&self) -> Vec<Principal> {
        self.stopping.iter().copied().collect()
    }

    /// 32 bytes nobody could foresee: from the seed, the round and how many were drawn before.
    pub(crate) fn draw_random(&mut self) -> [u8; 32] {
        self.random_drawn += 1;
        let mut seed = Sha256::new();
        seed.update(b"hatchery-engine raw_rand");
        for part in [self.config.seed, self.round, self.random_drawn] {
            seed.update(part.to_le_bytes());
        }
        let mut stream = ChaCha20Rng::from_seed(seed.finalize().into());
        let mut bytes = [0; 32];
        stream.fill_bytes(&mut bytes);
        bytes
    }
}

/// The subnet as canisters see it follows from the configuration.
fn context_of(config: &Config) -> SubnetContext {
    let root_key = root_key(config.seed);
    SubnetContext {
        id: Principal::self_authenticating(&root_key),
        nodes: config.nodes,
        root_key,
        prices: Prices::for_nodes(config.nodes),
    }
}

fn set_member(set: &mut BTreeSet<Principal>, id: &Principal, is_member: bool) {
    if is_member {
        set.insert(*id);
    } else {
        set.remove(id);
    }
}

/// Canister ids are their index in eight bytes and the two bytes `01 01`.
fn canister_id(index: u64) -> Principal {
    let mut bytes = [1; 10];
    bytes[..8].copy_from_slice(&index.to_be_bytes());
    Principal::from_slice(&bytes)
}

/// A stand-in for the subnet's DER-encoded BLS key: the right prefix and length, but no key pair
/// behind it.
fn root_key(seed: u64) -> Vec<u8> {
    const DER_PREFIX: [u8; 37] = [
        0x30, 0x81, 0x82, 0x30, 0x1d, 0x06, 0x0d, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xdc, 0x7c,
        0x05, 0x03, 0x01, 0x02, 0x01, 0x06, 0x0c, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xdc, 0x7c,
        0x05, 0x03, 0x02, 0x01, 0x03, 0x61, 0x00,
    ];
    let mut key = DER_PREFIX.to_vec();
    let mut stream = ChaCha20Rng::seed_from_u64(seed);
    let mut point = [0; 96];
    stream.fill_bytes(&mut point);
    key.extend_from_slice(&point);
    key
}
