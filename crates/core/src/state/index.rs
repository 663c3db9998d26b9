//! What `decide` must find without scanning: queues, counters and deadlines on the heap.
//!
//! Changed by `apply` alone, row by row and effect by effect, and rebuilt from stable memory when
//! the state is opened, so it cannot drift.

use super::Family;
use super::leases::LeaseIndex;
use super::pasts::Pasts;
use crate::decided::Noted;
use crate::limits;
use crate::record::{ModuleRecord, PoolRecord, Row, Sample};
use hatchery_types::{
    CanisterId, Cycles, Effect, EffectId, EffectKind, Incarnation, Lane, ModuleHash, Nanos,
    Outcome, Phase, Reason,
};
use minicbor::{Decode, Encode};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};

/// Rows by phase, and effects by kind and lane.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    phases: BTreeMap<Phase, u64>,
    effects: BTreeMap<&'static str, u64>,
    lanes: BTreeMap<Lane, u32>,
    /// Rows in `PendingReset` or `Resetting` without a failed attempt: on their way to Ready.
    pub recovering: u64,
    /// Rows that root bought and that failed their verification so far.
    pub unproven: u64,
    /// Calls to the management canister in flight, as far as this incarnation knows.
    pub calls: u32,
}

impl Counts {
    /// Rows in `phase`.
    pub fn phase(&self, phase: Phase) -> u64 {
        self.phases.get(&phase).copied().unwrap_or(0)
    }

    /// Effects in flight by name, only those there are.
    pub fn effects(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.effects
            .iter()
            .map(|(name, count)| (*name, *count))
            .filter(|(_, count)| *count > 0)
    }

    /// Effects in flight of that name.
    pub fn effect(&self, name: &str) -> u64 {
        self.effects.get(name).copied().unwrap_or(0)
    }

    /// Effects in flight in `lane`.
    pub fn lane(&self, lane: Lane) -> u32 {
        self.lanes.get(&lane).copied().unwrap_or(0)
    }
}

/// What planning needs to know of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Member {
    /// Which canister.
    #[n(0)]
    pub canister: CanisterId,
    /// Where it stands.
    #[n(1)]
    pub phase: Phase,
    /// Since when.
    #[n(2)]
    pub since: Nanos,
    /// When it came into service.
    #[n(3)]
    pub in_service_at: Nanos,
    /// The module it runs.
    #[n(4)]
    pub module: Option<ModuleHash>,
    /// Samples by the positions of their signals in the spec.
    #[n(5)]
    pub samples: [Sample; limits::SIGNALS_MAX],
    /// It drains because scale-in chose it (and may come back).
    #[n(6)]
    pub scaled_in: bool,
    /// It answers no more reports, though it is there.
    #[n(7)]
    pub silent: bool,
    /// On standby, its start-up check still to come.
    #[n(8)]
    pub starting: bool,
    /// It asked to be no victim before this.
    #[n(9)]
    pub protected_until: Nanos,
    /// It was asked for under a grant: it stays until somebody recycles it.
    #[n(10)]
    #[cbor(default)]
    pub kept: bool,
    /// It is kept, or has children that are: no policy takes it.
    #[n(11)]
    #[cbor(default)]
    pub bound: bool,
}

impl Member {
    /// A member that came to `phase` at `since`, without samples.
    pub fn new(canister: CanisterId, phase: Phase, since: Nanos) -> Self {
        Member {
            canister,
            phase,
            since,
            in_service_at: since,
            module: None,
            samples: [Sample::default(); limits::SIGNALS_MAX],
            scaled_in: false,
            silent: false,
            starting: false,
            protected_until: Nanos(0),
            kept: false,
            bound: false,
        }
    }
}

/// An effect in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) kind: EffectKind,
    waiting: u32,
    pub(crate) started_at: Nanos,
}

/// A creation whose outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) started_at: Nanos,
    pub(crate) cycles: Cycles,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) counts: Counts,
    /// Rows waiting for a reset, by `(due, id)`.
    pub(crate) reset_queue: BTreeSet<(Nanos, CanisterId)>,
    /// Ready rows, first in first out.
    pub(crate) ready: BTreeSet<(Nanos, CanisterId)>,
    /// The same by the past that they bring.
    pub(crate) pasts: Pasts,
    /// Members at work that nobody talks to, by when their settings were last right.
    pub(crate) settled: BTreeSet<(Nanos, CanisterId)>,
    /// Other rows that the tick must look at, by `(due, id)`.
    pub(crate) attention: BTreeSet<(Nanos, CanisterId)>,
    /// Draining rows, by `(due, id)`.
    pub(crate) drains: BTreeSet<(Nanos, CanisterId)>,
    /// Every row by phase.
    by_phase: BTreeMap<Phase, BTreeSet<CanisterId>>,
    /// Rows waiting for a reset, by `(since, id)`.
    pub(crate) pending: BTreeSet<(Nanos, CanisterId)>,
    /// Members by pool.
    pub(crate) members: BTreeMap<String, BTreeMap<CanisterId, Member>>,
    /// Members by pool and phase, counted.
    pub(crate) sizes: BTreeMap<String, BTreeMap<Phase, u32>>,
    /// Whose children members are.
    pub(crate) family: Family,
    /// Members on standby that have started, the longest there first.
    pub(crate) standby: BTreeMap<String, BTreeSet<(Nanos, CanisterId)>>,
    /// The rows of some of those on standby: what is handed out next costs no look into stable
    /// memory.
    pub(crate) at_hand: BTreeMap<CanisterId, Row>,
    /// Members in service that are to be asked for a number, by `(due, id)`.
    pub(crate) pulls: BTreeSet<(Nanos, CanisterId)>,
    /// Rows that are to be topped up, by `(due, id)`.
    pub(crate) needy: BTreeSet<(Nanos, CanisterId)>,
    /// Cycles burned a day by living members, by role.
    burns: BTreeMap<String, u128>,
    /// Answers given to holders.
    pub(crate) leases: LeaseIndex,
    /// Effects in flight.
    pub(crate) open: BTreeMap<EffectId, Open>,
    /// Effects whose outcomes are all there.
    pub(crate) complete: BTreeSet<EffectId>,
    /// Creations whose outcome is unknown, with their start: neither open nor forgotten.
    pub(crate) lost: BTreeMap<EffectId, Lost>,
    /// Those of them whose canister may still be found, with their start.
    pub(crate) sought: BTreeMap<EffectId, Nanos>,
    /// Effects of an earlier root that still wait for outcomes.
    pub(crate) stale: BTreeSet<EffectId>,
    /// What is remembered of each pool.
    pub(crate) pools: BTreeMap<String, PoolRecord>,
    /// Pools to plan, by `(due, name)`; each at most once.
    pub(crate) pool_wakes: BTreeSet<(Nanos, String)>,
    /// The same by name.
    pool_due: BTreeMap<String, Nanos>,
    /// When a pool was planned last.
    pub(crate) planned_at: BTreeMap<String, Nanos>,
    /// Pools that want more canisters than they could claim, and for how many to buy.
    pub(crate) hungry: BTreeMap<String, u32>,
    /// Those of them that are below their minimum.
    pub(crate) starving: BTreeMap<String, u32>,
    /// Modules with chunks that are not in root's chunk store yet, by `(due, hash)`.
    pub(crate) modules_waiting: BTreeSet<(Nanos, ModuleHash)>,
    /// Modules whose chunks are all in root's chunk store.
    pub(crate) installable: BTreeSet<ModuleHash>,
    /// Modules that no role names, by when they were wanted last.
    pub(crate) modules_unnamed: BTreeSet<(Nanos, ModuleHash)>,
    /// Chunks in root's chunk store that belong to no module held; `None`: not known, and what the
    /// records say of stored chunks is not either. Not rebuilt: a new root looks first.
    pub(crate) store: Option<u32>,
    /// Number of the event at which a pool's list of workers changed last.
    pub(crate) listed_at: BTreeMap<String, u64>,
    /// The last changes of a pool's list of workers; not rebuilt: who knows an older list asks for
    /// the whole.
    pub(crate) listing_changes: BTreeMap<String, VecDeque<(u64, CanisterId)>>,
    /// What changed in a pool's view since its last decision; not rebuilt: a new root begins with
    /// whole views.
    pub(crate) noted: BTreeMap<String, Noted>,
}

impl Index {
    /// Takes a row in; `take_row` with the same row takes it out again.
    pub(crate) fn put_row(&mut self, row: &Row) {
        *self.counts.phases.entry(row.phase).or_default() += 1;
        self.by_phase
            .entry(row.phase)
            .or_default()
            .insert(row.canister);
        if row.phase == Phase::PendingReset {
            self.pending.insert((row.since, row.canister));
        }
        if is_recovering(row) {
            self.counts.recovering += 1;
        }
        if is_unproven(row) {
            self.counts.unproven += 1;
        }
        match queue_of(row) {
            Some(Queue::Reset) => {
                self.reset_queue.insert((row.next_attempt, row.canister));
            }
            Some(Queue::Ready) => {
                self.ready.insert((row.since, row.canister));
                self.pasts.put(row);
            }
            Some(Queue::Attention) => {
                self.attention.insert((row.next_attempt, row.canister));
            }
            Some(Queue::Drain) => {
                self.drains.insert((row.next_attempt, row.canister));
            }
            None => {}
        }
        if is_needy(row) {
            self.needy.insert((row.fund_at, row.canister));
        }
        self.put_family(row);
        if let Some((role, burn)) = burn_of(row) {
            *self.burns.entry(role.to_owned()).or_default() += burn;
        }
        if let Some((pool, mut member)) = member_of(row) {
            member.bound |= self.family.is_bound(row.canister);
            note_change(&mut self.noted, &pool, row.canister);
            let sizes = self.sizes.entry(pool.clone()).or_default();
            *sizes.entry(row.phase).or_default() += 1;
            if is_left_alone(row) {
                self.settled.insert((row.settled_at, row.canister));
            }
            if is_asked(row) {
                self.pulls.insert((row.next_pull, row.canister));
            }
            if is_free(&member) {
                let standby = self.standby.entry(pool.clone()).or_default();
                standby.insert((row.since, row.canister));
                if self.at_hand.len() < limits::STANDBY_AT_HAND {
                    self.at_hand.insert(row.canister, row.clone());
                }
            }
            self.members
                .entry(pool)
                .or_default()
                .insert(row.canister, member);
        }
    }

    /// Takes a row out, given exactly as it was put in.
    pub(crate) fn take_row(&mut self, row: &Row) {
        let count = self.counts.phases.entry(row.phase).or_default();
        *count = count
            .checked_sub(1)
            .expect("bug: a row is taken out that was never put in");
        if let Some(rows) = self.by_phase.get_mut(&row.phase) {
            rows.remove(&row.canister);
        }
        if row.phase == Phase::PendingReset {
            self.pending.remove(&(row.since, row.canister));
        }
        if is_recovering(row) {
            self.counts.recovering -= 1;
        }
        if is_unproven(row) {
            self.counts.unproven -= 1;
        }
        match queue_of(row) {
            Some(Queue::Reset) => {
                self.reset_queue.remove(&(row.next_attempt, row.canister));
            }
            Some(Queue::Ready) => {
                self.ready.remove(&(row.since, row.canister));
                self.pasts.take(row);
            }
            Some(Queue::Attention) => {
                self.attention.remove(&(row.next_attempt, row.canister));
            }
            Some(Queue::Drain) => {
                self.drains.remove(&(row.next_attempt, row.canister));
            }
            None => {}
        }
        self.needy.remove(&(row.fund_at, row.canister));
        if let Some(parent) = self.family.take(row) {
            self.bind(parent, false);
        }
        if let Some((role, burn)) = burn_of(row)
            && let Some(sum) = self.burns.get_mut(role)
        {
            *sum -= burn;
        }
        if let Some(pool) = row.pool.as_ref().filter(|_| row.phase.is_member())
            && let Some(members) = self.members.get_mut(pool)
        {
            members.remove(&row.canister);
            self.at_hand.remove(&row.canister);
            self.settled.remove(&(row.settled_at, row.canister));
            note_change(&mut self.noted, pool, row.canister);
            self.pulls.remove(&(row.next_pull, row.canister));
            if let Some(standby) = self.standby.get_mut(pool) {
                standby.remove(&(row.since, row.canister));
            }
            let sizes = self.sizes.entry(pool.clone()).or_default();
            let size = sizes.entry(row.phase).or_default();
            *size = size
                .checked_sub(1)
                .expect("bug: a member is taken out that was never put in");
        }
    }

    fn put_family(&mut self, row: &Row) {
        let by_phase = &self.by_phase;
        let is_gone = |id: CanisterId| {
            let mut others = by_phase.iter().filter(|(phase, _)| !phase.is_member());
            others.any(|(_, rows)| rows.contains(&id))
        };
        if let Some(parent) = self.family.put(row, is_gone) {
            self.bind(parent, true);
        }
    }

    /// A member got its first child that was asked for, or lost its last.
    fn bind(&mut self, parent: CanisterId, has_children: bool) {
        for (pool, members) in &mut self.members {
            if let Some(member) = members.get_mut(&parent) {
                member.bound = has_children || member.kept;
                note_change(&mut self.noted, pool, parent);
            }
        }
    }

    /// Rows in a phase behind `after`, in order of their ids.
    pub(crate) fn in_phase(
        &self,
        phase: Phase,
        after: Option<CanisterId>,
    ) -> impl Iterator<Item = &CanisterId> {
        let start = after.map_or(Unbounded, Excluded);
        let rows = self.by_phase.get(&phase).into_iter();
        rows.flat_map(move |rows| rows.range((start, Unbounded)))
    }

    /// Roles whose members burn, and what they burn a day.
    pub(crate) fn burns(&self) -> impl Iterator<Item = (String, Cycles)> {
        let burns = self.burns.iter().filter(|(_, burn)| **burn > 0);
        burns.map(|(role, burn)| (role.clone(), Cycles(*burn)))
    }

    /// Members of a pool in a phase.
    pub(crate) fn size(&self, pool: &str, phase: Phase) -> u32 {
        let sizes = self.sizes.get(pool).and_then(|sizes| sizes.get(&phase));
        sizes.copied().unwrap_or(0)
    }

    /// Takes an effect in.
    pub(crate) fn put_effect(&mut self, effect: &Effect, incarnation: Incarnation) {
        if is_lost(effect) {
            let cycles = match effect.kind {
                EffectKind::Create { cycles } => cycles,
                _ => Cycles(0),
            };
            let started_at = effect.started_at;
            self.lost.insert(effect.id, Lost { started_at, cycles });
            if !effect.given_up {
                self.sought.insert(effect.id, started_at);
            }
            return;
        }
        let waiting = effect
            .outcomes
            .iter()
            .filter(|outcome| outcome.is_none())
            .count() as u32;
        *self.counts.effects.entry(effect.kind.name()).or_default() += 1;
        *self.counts.lanes.entry(effect.kind.lane()).or_default() += 1;
        if !effect.kind.lane().is_to_workers() {
            self.counts.calls += waiting;
        }
        let open = Open {
            kind: effect.kind.clone(),
            waiting,
            started_at: effect.started_at,
        };
        self.open.insert(effect.id, open);
        if waiting == 0 {
            self.complete.insert(effect.id);
        } else if effect.incarnation != incarnation {
            self.stale.insert(effect.id);
        }
    }

    /// Takes an effect out, whatever became of it.
    pub(crate) fn take_effect(&mut self, id: EffectId) {
        self.lost.remove(&id);
        self.sought.remove(&id);
        let Some(open) = self.open.remove(&id) else {
            return;
        };
        if !open.kind.lane().is_to_workers() {
            self.counts.calls -= open.waiting;
        }
        let lane = self.counts.lanes.entry(open.kind.lane()).or_default();
        *lane -= 1;
        let kind = self.counts.effects.entry(open.kind.name()).or_default();
        *kind -= 1;
        self.complete.remove(&id);
        self.stale.remove(&id);
    }

    /// A new root began: what waits, waits for answers to an earlier one.
    pub(crate) fn age_effects(&mut self) {
        let waiting = self.open.iter().filter(|(_, open)| open.waiting > 0);
        self.stale = waiting.map(|(id, _)| *id).collect();
    }

    /// Plans `pool` at once, behind those woken before.
    pub(crate) fn wake_pool_now(&mut self, pool: &str, now: Nanos) {
        self.set_wake(pool, now);
    }

    /// Plans `pool` at `when` or earlier, but not again within the gap after its last plan.
    pub(crate) fn wake_pool(&mut self, pool: &str, when: Nanos) {
        let planned = self.planned_at.get(pool).copied().unwrap_or(Nanos(0));
        self.set_wake(pool, when.max(planned + limits::PLAN_GAP));
    }

    /// When `pool` is to be planned.
    pub(crate) fn due(&self, pool: &str) -> Option<Nanos> {
        self.pool_due.get(pool).copied()
    }

    fn set_wake(&mut self, pool: &str, when: Nanos) {
        let due = self.pool_due.get(pool).copied();
        if due.is_some_and(|due| due <= when) {
            return;
        }
        self.take_wake(pool);
        self.pool_due.insert(pool.to_owned(), when);
        self.pool_wakes.insert((when, pool.to_owned()));
    }

    /// Forgets when `pool` was to be planned.
    pub(crate) fn take_wake(&mut self, pool: &str) {
        if let Some(due) = self.pool_due.remove(pool) {
            self.pool_wakes.remove(&(due, pool.to_owned()));
        }
    }

    /// Takes a pool's record in, in place of the last one.
    pub(crate) fn put_pool(&mut self, record: PoolRecord) {
        // Nothing is bought for a pool that could not use it now.
        let waits = |reason: &Reason| {
            matches!(
                reason,
                Reason::ModuleMissing | Reason::BackingOff { .. } | Reason::BreakerOpen { .. }
            )
        };
        let useful = if record.reasons.iter().any(waits) {
            0
        } else {
            record.unmet
        };
        if record.unmet > 0 {
            self.hungry.insert(record.name.clone(), useful);
        } else {
            self.hungry.remove(&record.name);
        }
        let starves =
            |reason: &Reason| matches!(reason, Reason::BelowMinimum | Reason::BelowInitial);
        if useful > 0 && record.reasons.iter().any(starves) {
            self.starving.insert(record.name.clone(), useful);
        } else {
            self.starving.remove(&record.name);
        }
        self.pools.insert(record.name.clone(), record);
    }

    /// A worker joined or left the list of `pool` at the event of that number.
    pub(crate) fn note_listing(&mut self, pool: &str, event: u64, canister: CanisterId) {
        self.listed_at.insert(pool.to_owned(), event);
        let changes = self.listing_changes.entry(pool.to_owned()).or_default();
        changes.push_back((event, canister));
        if changes.len() > limits::LISTING_CHANGES_MAX {
            changes.pop_front();
        }
    }

    /// Forgets a pool.
    pub(crate) fn take_pool(&mut self, pool: &str) {
        self.take_wake(pool);
        self.hungry.remove(pool);
        self.starving.remove(pool);
        self.planned_at.remove(pool);
        self.listed_at.remove(pool);
        self.listing_changes.remove(pool);
        self.noted.remove(pool);
        self.pools.remove(pool);
    }

    /// Takes a module in; `take_module` with the same record takes it out again.
    pub(crate) fn put_module(&mut self, module: ModuleHash, record: &ModuleRecord) {
        if record.is_installable() {
            self.installable.insert(module);
        }
        if record.committed && !record.is_installable() && record.effect.is_none() {
            self.modules_waiting.insert((record.next_attempt, module));
        }
        if !record.named {
            self.modules_unnamed.insert((record.wanted_at, module));
        }
    }

    /// Takes a module out, given exactly as it was put in.
    pub(crate) fn take_module(&mut self, module: ModuleHash, record: &ModuleRecord) {
        self.installable.remove(&module);
        self.modules_waiting.remove(&(record.next_attempt, module));
        self.modules_unnamed.remove(&(record.wanted_at, module));
    }
}

/// A member of `pool` is not what it was in the pool's last recorded view.
fn note_change(noted: &mut BTreeMap<String, Noted>, pool: &str, member: CanisterId) {
    let Some(changes) = noted.get_mut(pool) else {
        return;
    };
    changes.changed.insert(member);
    if changes.changed.len() > limits::DECISION_CHANGES_MAX {
        noted.remove(pool);
    }
}

#[derive(Clone, Copy)]
enum Queue {
    Reset,
    Ready,
    Attention,
    Drain,
}

/// The one queue a row waits in; none while an effect has it.
fn queue_of(row: &Row) -> Option<Queue> {
    match row.phase {
        Phase::Ready => Some(Queue::Ready),
        Phase::Failed | Phase::Lost => None,
        _ if row.effect.is_some() || row.next_attempt == Nanos::MAX => None,
        Phase::PendingReset => Some(Queue::Reset),
        Phase::Draining => Some(Queue::Drain),
        _ => Some(Queue::Attention),
    }
}

fn is_recovering(row: &Row) -> bool {
    matches!(
        row.phase,
        Phase::PendingReset | Phase::Resetting | Phase::Creating
    ) && row.attempts == 0
}

fn is_unproven(row: &Row) -> bool {
    row.unproven && (row.attempts > 0 || row.phase == Phase::Failed)
}

/// What a plan sees of a member, and its pool.
pub(crate) fn member_of(row: &Row) -> Option<(String, Member)> {
    let pool = row.pool.clone().filter(|_| row.phase.is_member())?;
    let member = Member {
        canister: row.canister,
        phase: row.phase,
        since: row.since,
        in_service_at: row.in_service_at,
        module: row.module,
        samples: std::array::from_fn(|position| row.sample_of(position).unwrap_or_default()),
        scaled_in: row.reason == Reason::ScaledIn,
        silent: row.reason == Reason::Silent,
        starting: row.starts_until.0 > 0,
        protected_until: row.protected_until,
        kept: row.kept,
        bound: row.kept,
    };
    Some((pool, member))
}

/// At work or on standby, as it should be for all that is known, and nobody talks to it.
fn is_left_alone(row: &Row) -> bool {
    let at_work = matches!(row.phase, Phase::InService | Phase::Standby | Phase::Leased);
    at_work && row.effect.is_none() && !row.mend
}

/// In service, with something to be asked for and nobody talking to it.
fn is_asked(row: &Row) -> bool {
    row.phase == Phase::InService && row.effect.is_none() && row.next_pull < Nanos::MAX
}

/// It waits for cycles, and nobody talks about it.
fn is_needy(row: &Row) -> bool {
    row.fund_at.0 > 0 && row.effect.is_none()
}

/// A living member's role, and what it burns a day.
fn burn_of(row: &Row) -> Option<(&str, u128)> {
    let burn = row.burn.filter(|_| row.phase.is_living())?;
    Some((row.role.as_deref()?, burn.0))
}

/// On standby, and it has started.
fn is_free(member: &Member) -> bool {
    member.phase == Phase::Standby && !member.starting
}

/// A creation whose outcome is known to be unknown.
pub(crate) fn is_lost(effect: &Effect) -> bool {
    matches!(effect.kind, EffectKind::Create { .. })
        && matches!(effect.outcomes.first(), Some(Some(Outcome::Unknown(_))))
}

impl Index {
    fn by_phase(&self) -> BTreeMap<Phase, &BTreeSet<CanisterId>> {
        let phases = self.by_phase.iter().filter(|(_, rows)| !rows.is_empty());
        phases.map(|(phase, rows)| (*phase, rows)).collect()
    }

    /// The first part in which two indexes differ, waits of pools apart (they are only brought
    /// forward by a rebuild).
    pub(crate) fn difference(&self, other: &Index) -> Option<&'static str> {
        let nonzero = |counts: &Counts| {
            let mut counts = counts.clone();
            counts.phases.retain(|_, count| *count > 0);
            counts.effects.retain(|_, count| *count > 0);
            counts.lanes.retain(|_, count| *count > 0);
            counts
        };
        let members = |index: &Index| {
            let mut members = index.members.clone();
            members.retain(|_, members| !members.is_empty());
            members
        };
        let sizes = |index: &Index| {
            let mut sizes = index.sizes.clone();
            for sizes in sizes.values_mut() {
                sizes.retain(|_, size| *size > 0);
            }
            sizes.retain(|_, sizes| !sizes.is_empty());
            sizes
        };
        let standby = |index: &Index| {
            let mut standby = index.standby.clone();
            standby.retain(|_, standby| !standby.is_empty());
            standby
        };
        let burns = |index: &Index| -> Vec<_> { index.burns().collect() };
        let parts = [
            (self.needy == other.needy, "needy"),
            (self.family == other.family, "family"),
            (burns(self) == burns(other), "burns"),
            (standby(self) == standby(other), "standby"),
            (self.pulls == other.pulls, "pulls"),
            (self.leases == other.leases, "answers to holders"),
            (sizes(self) == sizes(other), "sizes"),
            (nonzero(&self.counts) == nonzero(&other.counts), "counts"),
            (self.reset_queue == other.reset_queue, "reset queue"),
            (self.ready == other.ready, "ready"),
            (self.pasts == other.pasts, "ready by past"),
            (self.settled == other.settled, "settled members"),
            (self.starving == other.starving, "starving pools"),
            (self.attention == other.attention, "attention"),
            (self.drains == other.drains, "drains"),
            (self.by_phase() == other.by_phase(), "rows by phase"),
            (self.pending == other.pending, "pending resets"),
            (members(self) == members(other), "members"),
            (self.open == other.open, "open effects"),
            (self.complete == other.complete, "complete effects"),
            (self.lost == other.lost, "lost creations"),
            (self.sought == other.sought, "sought creations"),
            (self.stale == other.stale, "stale effects"),
            (self.pools == other.pools, "pools"),
            (self.hungry == other.hungry, "hungry pools"),
            (self.installable == other.installable, "installable modules"),
            (
                self.modules_waiting == other.modules_waiting,
                "waiting modules",
            ),
            (
                self.modules_unnamed == other.modules_unnamed,
                "unnamed modules",
            ),
        ];
        parts
            .into_iter()
            .find(|(same, _)| !same)
            .map(|(_, part)| part)
    }
}
