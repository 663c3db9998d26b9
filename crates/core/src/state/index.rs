//! What `decide` must find without scanning: queues, counters and deadlines on the heap.
//!
//! Changed by `apply` alone, row by row and effect by effect, and rebuilt from stable memory when
//! the state is opened, so it cannot drift.

use super::Family;
use super::leases::LeaseIndex;
use super::pasts::Pasts;
use super::pools::{Hunger, PoolIndex};
use crate::limits;
use crate::record::{ModuleRecord, Row, Sample};
use hatchery_types::{
    CanisterId, Cycles, Effect, EffectId, EffectKind, Incarnation, Lane, ModuleHash, Nanos,
    Outcome, Phase, Reason,
};
use minicbor::{Decode, Encode};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

/// Rows by phase, and effects by kind and lane.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    phases: [u64; Phase::ALL.len()],
    /// By name, those that there are.
    effects: Vec<(&'static str, u64)>,
    lanes: [u32; Lane::ALL.len()],
    /// Rows in `PendingReset`, `Resetting` or `Creating` without a failed attempt, those excepted
    /// that leave once they are empty: on their way to Ready.
    pub recovering: u64,
    /// Rows that root bought and that failed their verification so far.
    pub unproven: u64,
    /// Calls to the management canister in flight, as far as this incarnation knows.
    pub calls: u32,
}

impl Counts {
    /// Rows in `phase`.
    pub fn phase(&self, phase: Phase) -> u64 {
        self.phases[phase as usize]
    }

    /// Effects in flight by name, only those there are.
    pub fn effects(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.effects.iter().copied()
    }

    /// Effects in flight of that name.
    pub fn effect(&self, name: &str) -> u64 {
        match self.place(name) {
            Ok(place) => self.effects[place].1,
            Err(_) => 0,
        }
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.effects
            .binary_search_by(|(known, _)| (*known).cmp(name))
    }

    fn put_effect(&mut self, name: &'static str) {
        match self.place(name) {
            Ok(place) => self.effects[place].1 += 1,
            Err(place) => self.effects.insert(place, (name, 1)),
        }
    }

    fn take_effect(&mut self, name: &str) {
        let place = self.place(name);
        let place = place.expect("bug: an effect is taken out that was never put in");
        self.effects[place].1 -= 1;
        if self.effects[place].1 == 0 {
            self.effects.remove(place);
        }
    }

    /// Effects in flight in `lane`.
    pub fn lane(&self, lane: Lane) -> u32 {
        self.lanes[lane as usize]
    }
}

/// What planning needs to know of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that have nothing to do with each other"
)]
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

#[derive(Debug, Default)]
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
    by_phase: [BTreeSet<CanisterId>; Phase::ALL.len()],
    /// Rows waiting for a reset, by `(since, id)`.
    pub(crate) pending: BTreeSet<(Nanos, CanisterId)>,
    /// Whose children members are.
    pub(crate) family: Family,
    /// Pools by name.
    pub(crate) pools: BTreeMap<String, PoolIndex>,
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
    /// Those of them whose canister may still be found.
    pub(crate) sought: BTreeSet<EffectId>,
    /// Effects of an earlier root that still wait for outcomes.
    pub(crate) stale: BTreeSet<EffectId>,
    /// Pools to plan, by `(due, name)`; each at most once.
    pub(crate) pool_wakes: BTreeSet<(Nanos, String)>,
    /// Pools that want more canisters than they could claim.
    pub(crate) hungry: BTreeMap<String, Hunger>,
    /// Modules with chunks that are not in root's chunk store yet, by `(due, hash)`.
    pub(crate) modules_waiting: BTreeSet<(Nanos, ModuleHash)>,
    /// Modules whose chunks are all in root's chunk store.
    pub(crate) installable: BTreeSet<ModuleHash>,
    /// Modules that no role names, by when they were wanted last.
    pub(crate) modules_unnamed: BTreeSet<(Nanos, ModuleHash)>,
    /// Chunks in root's chunk store that belong to no module held; `None`: not known, and what the
    /// records say of stored chunks is not either. Not rebuilt: a new root looks first.
    pub(crate) store: Option<u32>,
}

impl Index {
    /// Takes a row in; `take_row` with the same row takes it out again.
    pub(crate) fn put_row(&mut self, row: &Row) {
        self.counts.phases[row.phase as usize] += 1;
        self.by_phase[row.phase as usize].insert(row.canister);
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
            self.put_burn(role, burn);
        }
        if let Some((name, mut member)) = member_of(row) {
            member.bound |= self.family.is_bound(row.canister);
            if is_left_alone(row) {
                self.settled.insert((row.settled_at, row.canister));
            }
            if is_asked(row) {
                self.pulls.insert((row.next_pull, row.canister));
            }
            let pool = self.pool_mut(name);
            pool.note_change(row.canister);
            pool.sizes[row.phase as usize] += 1;
            pool.members.insert(row.canister, member);
            if is_free(&member) {
                pool.standby.insert((row.since, row.canister));
                if self.at_hand.len() < limits::STANDBY_AT_HAND {
                    self.at_hand.insert(row.canister, row.clone());
                }
            }
        }
    }

    /// Takes a row out, given exactly as it was put in.
    pub(crate) fn take_row(&mut self, row: &Row) {
        let count = &mut self.counts.phases[row.phase as usize];
        *count = count
            .checked_sub(1)
            .expect("bug: a row is taken out that was never put in");
        self.by_phase[row.phase as usize].remove(&row.canister);
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
        if let Some((role, burn)) = burn_of(row) {
            self.take_burn(role, burn);
        }
        if let Some(name) = row.pool.as_ref().filter(|_| row.phase.is_member())
            && let Some(pool) = self.pools.get_mut(name)
        {
            self.at_hand.remove(&row.canister);
            self.settled.remove(&(row.settled_at, row.canister));
            self.pulls.remove(&(row.next_pull, row.canister));
            pool.note_change(row.canister);
            pool.members.remove(&row.canister);
            pool.standby.remove(&(row.since, row.canister));
            let size = &mut pool.sizes[row.phase as usize];
            *size = size
                .checked_sub(1)
                .expect("bug: a member is taken out that was never put in");
        }
    }

    fn put_family(&mut self, row: &Row) {
        let by_phase = &self.by_phase;
        let is_gone = |id: CanisterId| {
            let mut members = Phase::ALL.iter().filter(|phase| phase.is_member());
            !members.any(|phase| by_phase[*phase as usize].contains(&id))
        };
        if let Some(parent) = self.family.put(row, is_gone) {
            self.bind(parent, true);
        }
    }

    /// A member got its first child that was asked for, or lost its last.
    fn bind(&mut self, parent: CanisterId, has_children: bool) {
        for pool in self.pools.values_mut() {
            if let Some(member) = pool.members.get_mut(&parent) {
                member.bound = has_children || member.kept;
                pool.note_change(parent);
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
        self.by_phase[phase as usize].range((start, Unbounded))
    }

    /// Roles whose members burn, and what they burn a day.
    pub(crate) fn burns(&self) -> impl Iterator<Item = (String, Cycles)> {
        let burns = self.burns.iter();
        burns.map(|(role, burn)| (role.clone(), Cycles(*burn)))
    }

    fn put_burn(&mut self, role: &str, burn: u128) {
        match self.burns.get_mut(role) {
            Some(sum) => *sum += burn,
            None => drop(self.burns.insert(role.to_owned(), burn)),
        }
    }

    fn take_burn(&mut self, role: &str, burn: u128) {
        let sum = self.burns.get_mut(role);
        let sum = sum.expect("bug: a burn is taken out that was never put in");
        *sum -= burn;
        if *sum == 0 {
            self.burns.remove(role);
        }
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
                self.sought.insert(effect.id);
            }
            return;
        }
        let waiting = effect
            .outcomes
            .iter()
            .filter(|outcome| outcome.is_none())
            .count() as u32;
        self.counts.put_effect(effect.kind.name());
        self.counts.lanes[effect.kind.lane() as usize] += 1;
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
        self.counts.lanes[open.kind.lane() as usize] -= 1;
        self.counts.take_effect(open.kind.name());
        self.complete.remove(&id);
        self.stale.remove(&id);
    }

    /// A new root began: what waits, waits for answers to an earlier one.
    pub(crate) fn age_effects(&mut self) {
        self.stale.clear();
        let waiting = self.open.iter().filter(|(_, open)| open.waiting > 0);
        for (id, _) in waiting {
            self.stale.insert(*id);
        }
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
        && row.exit.is_none()
}

fn is_unproven(row: &Row) -> bool {
    row.unproven && (row.attempts > 0 || row.phase == Phase::Failed)
}

/// What a plan sees of a member, and its pool.
pub(crate) fn member_of(row: &Row) -> Option<(&str, Member)> {
    let pool = row.pool.as_deref().filter(|_| row.phase.is_member())?;
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
    let burn = row
        .burn
        .filter(|burn| burn.0 > 0 && row.phase.is_living())?;
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
    /// The first part in which two indexes differ, waits of pools apart (they are only brought
    /// forward by a rebuild).
    pub(crate) fn difference(&self, other: &Index) -> Option<&'static str> {
        let parts = [
            (self.needy == other.needy, "needy"),
            (self.burns == other.burns, "burns"),
            (self.pulls == other.pulls, "pulls"),
            (self.leases == other.leases, "answers to holders"),
            (self.counts == other.counts, "counts"),
            (self.reset_queue == other.reset_queue, "reset queue"),
            (self.ready == other.ready, "ready"),
            (self.pasts == other.pasts, "ready by past"),
            (self.settled == other.settled, "settled members"),
            (self.attention == other.attention, "attention"),
            (self.drains == other.drains, "drains"),
            (self.by_phase == other.by_phase, "rows by phase"),
            (self.pending == other.pending, "pending resets"),
            (self.open == other.open, "open effects"),
            (self.complete == other.complete, "complete effects"),
            (self.lost == other.lost, "lost creations"),
            (self.sought == other.sought, "sought creations"),
            (self.stale == other.stale, "stale effects"),
            (self.has_pools_of(other), "pools"),
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
