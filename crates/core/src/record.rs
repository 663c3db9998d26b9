//! The shapes kept in stable memory, and nothing that acts on them.
//!
//! All are CBOR maps by field number (minicbor), so fields can be added and old images still read.

use crate::plant::{self, planted};
use crate::{Breaker, Funding, Ledger, Purse, Rollout, Search, Standing, Upgrade};
use hatchery_types::{
    CanisterId, Cycles, Direction, EffectId, ExportTo, Generation, Incarnation, ModuleHash, Nanos,
    OperationId, Phase, Reason, Registered,
};
use minicbor::{Decode, Encode};

/// One canister, from the moment its id is known until it is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that have nothing to do with each other"
)]
pub struct Row {
    /// Which canister.
    #[n(0)]
    pub canister: CanisterId,
    /// Where it stands: the phase says who has it.
    #[n(1)]
    pub phase: Phase,
    /// Since when.
    #[n(2)]
    pub since: Nanos,
    /// Role, now or last.
    #[n(3)]
    pub role: Option<String>,
    /// Pool, now or last.
    #[n(4)]
    pub pool: Option<String>,
    /// Parent, now or last; none = root.
    #[n(5)]
    pub parent: Option<CanisterId>,
    /// Module, now or last.
    #[n(6)]
    pub module: Option<ModuleHash>,
    /// Tenancies so far.
    #[n(7)]
    pub generation: Generation,
    /// Balance when last observed.
    #[n(8)]
    pub cycles: Option<Cycles>,
    /// When it was observed.
    #[n(9)]
    pub cycles_at: Nanos,
    /// When root learnt of it.
    #[n(10)]
    pub created_at: Nanos,
    /// Failed attempts in this phase.
    #[n(11)]
    pub attempts: u32,
    /// When the tick looks at it next; [`Nanos::MAX`] = never by itself.
    #[n(12)]
    pub next_attempt: Nanos,
    /// Why it stands where it stands.
    #[n(13)]
    pub reason: Reason,
    /// The one effect in flight.
    #[n(14)]
    pub effect: Option<EffectId>,
    /// It was stopped and must be started again by the reset.
    #[n(15)]
    pub stopped: bool,
    /// Value of the first of its pool's signals.
    #[n(16)]
    pub sample: Option<u64>,
    /// When it was taken.
    #[n(17)]
    pub sample_at: Nanos,
    /// When it came into service.
    #[n(18)]
    pub in_service_at: Nanos,
    /// Root bought it and it was never Ready yet.
    #[n(19)]
    pub unproven: bool,
    /// An operator waits for its reset: it goes ahead of the queue, and the first flaw fails it.
    #[cbor(n(20), default)]
    pub urgent: bool,
    /// Whom it is exported to.
    #[n(21)]
    pub export_to: Option<ExportTo>,
    /// Where it goes once it is verified empty, in place of the warm pool.
    #[n(22)]
    pub exit: Option<Exit>,
    /// When its settings as a member were last set or seen right.
    #[n(23)]
    #[cbor(default)]
    pub settled_at: Nanos,
    /// A member that is to get its settings back and to be started.
    #[n(24)]
    #[cbor(default)]
    pub mend: bool,
    /// Samples of the further signals, by their positions in the spec less one.
    #[n(28)]
    #[cbor(default)]
    pub more_samples: Vec<Sample>,
    /// When its lease ends, in [`Phase::Leased`], or when it is back there; zero with a holder = it was
    /// given back meanwhile.
    #[n(29)]
    #[cbor(default)]
    pub leased_until: Nanos,
    /// Who holds it.
    #[n(30)]
    pub holder: Option<CanisterId>,
    /// It asked to be no victim before this.
    #[n(31)]
    #[cbor(default)]
    pub protected_until: Nanos,
    /// Its start-up check is due until this; zero = it has started.
    #[n(32)]
    #[cbor(default)]
    pub starts_until: Nanos,
    /// The init argument it was asked for with; none = the role's.
    #[cbor(n(33), with = "minicbor::bytes")]
    pub init_arg: Option<Vec<u8>>,
    /// When it is next asked for a number; [`Nanos::MAX`] = never.
    #[n(34)]
    #[cbor(default)]
    pub next_pull: Nanos,
    /// Numbers it was asked for so far: which one is next.
    #[n(35)]
    #[cbor(default)]
    pub pulls: u32,
    /// Queries it answered in all, when last observed.
    #[n(36)]
    pub queries: Option<u64>,
    /// A sweep of its cycles, while it is one.
    #[n(25)]
    pub sweep: Option<Sweep>,
    /// Deposited by root, or attached to its creation, since it was last observed.
    #[cbor(n(40), default)]
    pub deposited: Cycles,
    /// Topped up by root on the day numbered `funded_day`.
    #[cbor(n(41), default)]
    pub funded: Cycles,
    /// See [`crate::Funding::day`].
    #[cbor(n(42), default)]
    pub funded_day: u64,
    /// When it is to be topped up; zero = it needs nothing.
    #[cbor(n(43), default)]
    pub fund_at: Nanos,
    /// What it burns a day, as far as two observations of this tenancy show it.
    #[n(44)]
    pub burn: Option<Cycles>,
    /// Its upgrade, while it is one; its snapshot, until that is deleted.
    #[n(45)]
    pub upgrade: Option<Upgrade>,
    /// A member that was asked for under a grant: it stays until somebody recycles it.
    #[cbor(n(47), default)]
    pub kept: bool,
}

impl Row {
    /// A row for a canister that root just learnt of.
    pub(crate) fn new(canister: CanisterId, phase: Phase, now: Nanos, reason: Reason) -> Self {
        Row {
            canister,
            phase,
            since: now,
            role: None,
            pool: None,
            parent: None,
            module: None,
            generation: Generation(0),
            cycles: None,
            cycles_at: Nanos(0),
            created_at: now,
            attempts: 0,
            next_attempt: now,
            effect: None,
            stopped: false,
            sample: None,
            sample_at: Nanos(0),
            in_service_at: Nanos(0),
            more_samples: Vec::new(),
            unproven: reason == Reason::Bought,
            exit: None,
            settled_at: Nanos(0),
            mend: false,
            sweep: None,
            urgent: false,
            export_to: None,
            leased_until: Nanos(0),
            holder: None,
            protected_until: Nanos(0),
            starts_until: Nanos(0),
            init_arg: None,
            next_pull: Nanos::MAX,
            pulls: 0,
            queries: None,
            deposited: Cycles(0),
            funded: Cycles(0),
            funded_day: 0,
            fund_at: Nanos(0),
            burn: None,
            upgrade: None,
            kept: false,
            reason,
        }
    }

    /// What it holds by the books: its balance as observed, and what it got since.
    pub fn held(&self) -> Cycles {
        let observed = self.cycles.unwrap_or_default();
        Cycles(observed.0.saturating_add(self.deposited.0))
    }

    /// Its balance was observed.
    pub(crate) fn take_balance(&mut self, cycles: Cycles, now: Nanos) {
        self.cycles = Some(cycles);
        self.cycles_at = now;
        self.deposited = Cycles(0);
    }

    /// What another root needs to take it over.
    pub fn registered(&self) -> Registered {
        Registered {
            canister: self.canister,
            phase: Some(self.phase),
            role: self.role.clone(),
            pool: self.pool.clone(),
            parent: self.parent,
            module: self.module,
            generation: Some(self.generation),
            created_at: Some(self.created_at),
        }
    }

    /// Its sample of the signal at `position`.
    pub fn sample_of(&self, position: usize) -> Option<Sample> {
        let sample = match position.checked_sub(1) {
            None => Sample {
                value: self.sample?,
                at: self.sample_at,
            },
            Some(further) => *self.more_samples.get(further)?,
        };
        Some(sample).filter(|sample| sample.at.0 > 0)
    }

    /// Takes a sample of the signal at `position`.
    pub(crate) fn take_sample(&mut self, position: usize, sample: Sample) {
        let Some(further) = position.checked_sub(1) else {
            self.sample = Some(sample.value);
            self.sample_at = sample.at;
            return;
        };
        if self.more_samples.len() <= further {
            self.more_samples.resize(further + 1, Sample::default());
        }
        self.more_samples[further] = sample;
    }

    /// A new tenant begins without samples.
    pub(crate) fn forget_samples(&mut self) {
        self.sample = None;
        self.sample_at = Nanos(0);
        self.more_samples.clear();
    }

    /// Moves to `phase`, due at once, its attempts forgotten.
    #[must_use]
    pub(crate) fn moved(mut self, phase: Phase, now: Nanos, reason: Reason) -> Self {
        if self.phase != phase {
            self.since = now;
        }
        self.phase = phase;
        self.attempts = 0;
        self.next_attempt = now;
        self.reason = reason;
        self.unproven &= phase != Phase::Ready;
        if phase != Phase::Upgrading {
            self.upgrade = self.upgrade.filter(|it| it.snapshot.is_some());
        }
        if !matches!(phase, Phase::Leased | Phase::Upgrading) {
            self.leased_until = Nanos(0);
            self.holder = None;
        }
        if phase != Phase::Standby {
            self.starts_until = Nanos(0);
        }
        self.urgent &= matches!(phase, Phase::PendingReset | Phase::Resetting);
        if phase != Phase::Exporting {
            self.export_to = None;
        }
        if !matches!(phase, Phase::PendingReset | Phase::Resetting) {
            self.exit = None;
        }
        if self.mend && !phase.is_living() {
            // Not done, and forgotten: it is looked at anew if it comes back.
            self.mend = false;
            self.settled_at = Nanos(0);
        }
        self
    }

    /// Stays where it is after a failure and is due again after a wait.
    #[must_use]
    pub(crate) fn held_back(mut self, now: Nanos, reason: Reason) -> Self {
        let reason = if planted("p14") {
            plant::appended(&self.reason, reason)
        } else {
            reason
        };
        self.attempts = self.attempts.saturating_add(1);
        self.next_attempt = now + crate::limits::backoff(self.attempts);
        self.reason = reason;
        self
    }
}

/// Where a canister goes once it is verified empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Exit {
    /// It is deleted.
    #[n(0)]
    Delete,
    /// That principal becomes its only controller.
    #[n(1)]
    Release(#[n(0)] CanisterId),
}

/// A value of a signal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Sample {
    /// The value, at most [`crate::limits::SIGNAL_MAX`].
    #[n(0)]
    pub value: u64,
    /// When it was taken; zero = never.
    #[n(1)]
    pub at: Nanos,
}

/// How far the sweep of a canister's cycles is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Sweep {
    /// Sweeps tried.
    #[n(0)]
    pub attempts: u32,
    /// What comes next.
    #[n(2)]
    pub step: SweepStep,
}

impl Sweep {
    /// A sweep that is yet to come.
    pub(crate) fn wanted() -> Self {
        Sweep {
            attempts: 0,
            step: SweepStep::Wanted,
        }
    }
}

/// What comes next in a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum SweepStep {
    /// The sweeper is to be installed.
    #[n(0)]
    Wanted,
    /// It was; what it did is to be looked at.
    #[n(1)]
    Sent,
    /// It was looked at, or it cannot be done.
    #[n(2)]
    Over,
}

/// What root remembers of a worker pool, over upgrades too.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PoolRecord {
    /// Name.
    #[n(0)]
    pub name: String,
    /// Members wanted at the last plan.
    #[n(1)]
    pub desired: u32,
    /// `initial` members have been in service once.
    #[n(2)]
    pub bootstrapped: bool,
    /// What policy wished since when, oldest first; at most [`crate::limits::POOL_HISTORY_MAX`].
    #[n(3)]
    pub wishes: Vec<Wish>,
    /// Steps taken, oldest first; at most [`crate::limits::POOL_HISTORY_MAX`].
    #[n(4)]
    pub steps: Vec<ScaleStep>,
    /// Installs that failed in a row.
    #[n(5)]
    pub failures: u32,
    /// No install before this.
    #[n(6)]
    pub backoff_until: Nanos,
    /// What the last plan said.
    #[n(7)]
    pub reasons: Vec<Reason>,
    /// Workers wanted for which no canister was ready.
    #[n(8)]
    pub unmet: u32,
    /// Workers whose work a drain deadline cut.
    #[n(9)]
    pub work_cut: u64,
    /// Samples of the pool's totals, by the positions of their signals in the spec.
    #[n(10)]
    #[cbor(default)]
    pub samples: Vec<Sample>,
    /// When the spec last changed the pool's list of signals: older samples do not count.
    #[n(11)]
    #[cbor(default)]
    pub signals_at: Nanos,
    /// Leases that found no free worker, since `leases_wanted_at`.
    #[n(12)]
    #[cbor(default)]
    pub leases_wanted: u32,
    /// When a lease last found none.
    #[n(13)]
    #[cbor(default)]
    pub leases_wanted_at: Nanos,
    /// The module that last started in this pool.
    #[n(14)]
    pub proven: Option<ModuleHash>,
    /// The module whose installs failed `failures` times in a row.
    #[n(15)]
    pub failing: Option<ModuleHash>,
    /// For each member that failed at work lately, when, and how many were at work then; oldest
    /// first, at most [`crate::limits::POOL_HISTORY_MAX`].
    #[n(16)]
    #[cbor(default)]
    pub losses: Vec<Sample>,
    /// When its parent last reported.
    #[n(17)]
    #[cbor(default)]
    pub reported_at: Nanos,
    /// Number of its last entry in the decision log; 0 = none yet.
    #[n(18)]
    #[cbor(default)]
    pub decision: u64,
    /// Its members are going to another module, or went there last.
    #[n(30)]
    pub rollout: Option<Rollout>,
}

impl PoolRecord {
    /// A pool that has done nothing yet.
    pub fn new(name: &str) -> Self {
        PoolRecord {
            name: name.to_owned(),
            desired: 0,
            bootstrapped: false,
            wishes: Vec::new(),
            steps: Vec::new(),
            failures: 0,
            backoff_until: Nanos(0),
            reasons: Vec::new(),
            unmet: 0,
            work_cut: 0,
            samples: Vec::new(),
            signals_at: Nanos(0),
            leases_wanted: 0,
            leases_wanted_at: Nanos(0),
            proven: None,
            failing: None,
            losses: Vec::new(),
            reported_at: Nanos(0),
            decision: 0,
            rollout: None,
        }
    }
}

/// What policy wished from `at` until the next wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Wish {
    /// From when.
    #[n(0)]
    pub at: Nanos,
    /// Least members wished meanwhile.
    #[n(1)]
    pub low: u32,
    /// Most members wished meanwhile.
    #[n(2)]
    pub high: u32,
}

/// A change of a pool's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ScaleStep {
    /// When.
    #[n(0)]
    pub at: Nanos,
    /// Members more (positive) or fewer (negative).
    #[n(1)]
    pub members: i32,
}

/// A module held by root.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ModuleRecord {
    /// SHA-256 of each chunk, its name in the platform's chunk store.
    #[n(0)]
    pub chunks: Vec<ModuleHash>,
    /// Bytes staged.
    #[n(1)]
    pub bytes: u64,
    /// All chunks are staged and the whole has its announced hash.
    #[n(2)]
    pub committed: bool,
    /// Chunks that are in root's chunk store, counted from the first.
    #[n(3)]
    pub stored: u32,
    /// Failed attempts to store the next chunk.
    #[n(4)]
    pub attempts: u32,
    /// When the tick tries again.
    #[n(5)]
    pub next_attempt: Nanos,
    /// A chunk is on its way into the store.
    #[n(6)]
    pub effect: Option<EffectId>,
    /// A role of the applied spec names it.
    #[n(7)]
    #[cbor(default)]
    pub named: bool,
    /// When it was staged or named last; from then it is kept for a while.
    #[n(8)]
    #[cbor(default)]
    pub wanted_at: Nanos,
}

impl ModuleRecord {
    /// Every chunk is in root's chunk store.
    pub fn is_installable(&self) -> bool {
        self.committed && self.stored as usize == self.chunks.len()
    }
}

/// Something that happened, for people.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LogEntry {
    /// When.
    #[n(0)]
    pub at: Nanos,
    /// To which canister.
    #[n(1)]
    pub canister: Option<CanisterId>,
    /// In which pool.
    #[n(2)]
    pub pool: Option<String>,
    /// The phase it went to.
    #[n(3)]
    pub phase: Option<Phase>,
    /// Why.
    #[n(4)]
    pub reason: Reason,
    /// The operation that was taken or answered, if it tells of one.
    #[n(5)]
    pub operation: Option<OperationId>,
}

/// The one thing that headers of all layouts have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Version {
    /// Version of the layout.
    #[n(0)]
    pub(crate) layout: u32,
}

/// Root's own few words.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Header {
    /// Version of the layout.
    #[n(0)]
    pub layout: u32,
    /// Installs and upgrades so far.
    #[n(1)]
    pub incarnation: Incarnation,
    /// When this incarnation began.
    #[n(2)]
    pub started_at: Nanos,
    /// Effect ids below this may have been used.
    #[n(3)]
    pub effect_ceiling: u64,
    /// Specs applied so far.
    #[n(4)]
    pub spec_generation: Generation,
    /// An operator paused growing.
    #[n(5)]
    pub paused: bool,
    /// Creations that failed in a row.
    #[n(6)]
    pub create_failures: u32,
    /// No creation before this.
    #[n(7)]
    pub create_after: Nanos,
    /// Why the last creation failed.
    #[n(8)]
    pub create_reason: Option<Reason>,
    /// Root's own id; none before it started.
    #[n(9)]
    pub root: Option<CanisterId>,
    /// When a spec last changed the controllers: what was verified before is verified again.
    #[n(10)]
    pub controllers_at: Nanos,
    /// Cycles of canisters deleted or forgotten, as last observed.
    #[cbor(n(11), default)]
    pub discarded: Cycles,
    /// Cycles of canisters handed over, as last observed.
    #[cbor(n(12), default)]
    pub given_away: Cycles,
    /// Shrinking is paused; `None`: as `paused` says (before the two were told apart).
    #[n(13)]
    pub paused_down: Option<bool>,
    /// The last resets, and whether they go on.
    #[cbor(n(14), default)]
    pub resets: Breaker,
    /// The largest id that root ever learnt of, in the subnet's order.
    #[n(15)]
    pub newest: Option<CanisterId>,
    /// Cycles paid, got back and given up.
    #[cbor(n(16), default)]
    pub ledger: Ledger,
    /// Whether this memory is whole.
    #[cbor(n(17), default)]
    pub standing: Standing,
    /// Ids that root is looking through.
    #[n(18)]
    pub search: Option<Search>,
    /// What was paid today.
    #[cbor(n(25), default)]
    pub funding: Funding,
    /// Root's own balance.
    #[n(26)]
    pub purse: Option<Purse>,
    /// Roles that left the spec and whose canisters nobody may have again, the latest last; at most
    /// [`crate::limits::ROLES_NEVER_REUSED`].
    #[cbor(n(40), default)]
    pub never_reused: Vec<String>,
}

impl Header {
    /// An operator paused that direction.
    pub fn is_paused(&self, direction: Direction) -> bool {
        match direction {
            Direction::Up => self.paused,
            Direction::Down => self.paused_down.unwrap_or(self.paused),
        }
    }
}
