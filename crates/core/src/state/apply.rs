//! The only writer. Every event changes the records and the index together, or not at all.

use super::{State, wholeness};
use crate::event::Event;
use crate::plant::planted;
use crate::record::{Header, LogEntry, ModuleRecord, PoolRecord, Row};
use crate::storage::{Cbor, ChunkKey, HashKey, ReceiptKey, Record};
use crate::{Account, Breaker, limits};
use hatchery_types::{
    CanisterId, Direction, Effect, EffectId, FleetSpec, Incarnation, ModuleHash, Nanos, Outcome,
    Phase, PoolSpec, Reason, Reuse,
};
use ic_stable_structures::Memory;

impl<M: Memory> State<M> {
    /// Writes one event.
    ///
    /// # Panics
    /// On an event that `decide` cannot have made of this state: a bug of ours.
    pub fn apply(&mut self, now: Nanos, event: Event) {
        match event {
            Event::Started(root) => self.start(now, root),
            Event::SpecApplied(spec) => self.apply_spec(now, *spec),
            Event::Paused(direction, paused) => {
                self.pause(direction, paused);
                if !paused {
                    self.resume_rollouts(now, &|_| true);
                }
                self.wake_all_pools(now);
            }
            Event::EffectStarted(effect) => self.start_effect(*effect),
            Event::OutcomeRecorded(id, step, outcome) => self.record_outcome(id, step, outcome),
            Event::EffectClosed(id) => {
                self.effects.remove(&id.0);
                self.index.take_effect(id);
            }
            Event::CreationHeldBack {
                failures,
                until,
                reason,
            } => self.change_header(|header| {
                header.create_failures = failures;
                header.create_after = until;
                header.create_reason = reason;
            }),
            Event::ResetsJudged(breaker) => self.judge_resets(now, breaker),
            Event::CreationGivenUp(id) => self.give_up(now, id),
            Event::CyclesBooked(account, cycles) => {
                self.book(account, cycles);
            }
            Event::PurseNoted(purse) => self.change_header(|header| header.purse = Some(purse)),
            Event::StandingChanged(standing) => {
                self.change_header(|header| header.standing = standing);
                self.wake_all_pools(now);
            }
            Event::SearchChanged(search) => self.change_header(|header| header.search = search),
            Event::RowChanged(row) => self.put_row(now, &row, true),
            Event::Sampled(row) => self.put_row(now, &row, false),
            Event::PoolStirred(pool) => self.index.wake_pool(&pool, now),
            Event::RowRemoved(canister, reason) => self.remove_row(now, canister, reason),
            Event::PoolPlanned { pool, record, wake } => {
                self.index.pool_mut(&pool).planned_at = Some(now);
                self.index.take_wake(&pool);
                if wake < Nanos::MAX {
                    self.index.wake_pool(&pool, wake);
                }
                if let Some(record) = record {
                    self.put_pool(now, *record);
                }
            }
            Event::Decided(decided) => self.put_decision(*decided),
            Event::Counted(operation, ended, why) => self.metrics.count(operation, ended, why),
            Event::Measured(step, instructions) => self.metrics.measure(step, instructions),
            Event::Served(method, instructions) => self.metrics.serve(method, instructions),
            Event::MetricsKept => {
                self.kept_metrics.set(Cbor(self.metrics.clone()));
            }
            Event::PoolChanged(record) => {
                self.index.wake_pool_now(&record.name, now);
                self.put_pool(now, *record);
            }
            Event::PoolSampled(record) => {
                self.put_pool(now, *record);
            }
            Event::WorkCut(pool) => {
                if let Some(mut record) = self.pool(&pool).cloned() {
                    record.work_cut += 1;
                    self.put_pool(now, record);
                }
            }
            Event::LeaseAnswered {
                caller,
                operation,
                receipt,
            } => {
                self.metrics.count_lease(now, &receipt.answer);
                self.put_lease_receipt(ReceiptKey::new(caller, &operation.0), *receipt);
            }
            Event::LeasesForgotten => self.forget_lease_receipts(now),
            Event::ModuleChanged {
                module,
                record,
                chunk,
            } => {
                self.change_module(now, module, record, chunk);
            }
            Event::StoreSeen(foreign) => self.index.store = foreign,
            Event::OperationAnswered {
                caller,
                operation,
                receipt,
            } => {
                let key = ReceiptKey::new(caller, &operation.0);
                self.tell_operation(now, caller, operation, &receipt);
                self.put_receipt(key, receipt);
            }
        }
    }

    /// Pools of the spec get a record, pools that left it lose theirs.
    fn apply_spec(&mut self, now: Nanos, spec: FleetSpec) {
        let known = self.index.names();
        for pool in known.iter().filter(|pool| spec.pool(pool).is_none()) {
            self.pools.remove(pool);
            self.index.take_pool(pool);
        }
        for pool in &spec.pools {
            let before = self.spec().and_then(|spec| spec.pool(&pool.name));
            let measured = |pool: &PoolSpec| -> Vec<_> {
                let signals = pool.signals.iter();
                signals
                    .map(|it| (it.name.clone(), it.scope, it.source))
                    .collect()
            };
            let other_signals = before.map(measured) != Some(measured(pool));
            let known = self.pool(&pool.name).cloned();
            if known.is_none() || other_signals {
                let record = known.unwrap_or_else(|| PoolRecord::new(&pool.name));
                let record = PoolRecord {
                    signals_at: now,
                    samples: Vec::new(),
                    ..record
                };
                self.put_pool(now, record);
            }
            self.index.wake_pool_now(&pool.name, now);
        }
        let other = |role: &String| self.spec().and_then(|it| it.role(role)) != spec.role(role);
        let changed: Vec<&PoolSpec> = spec.pools.iter().filter(|it| other(&it.role)).collect();
        self.resume_rollouts(now, &|pool| changed.iter().any(|it| it.name == pool));
        // Views are told without the spec while it stays the same.
        for pool in self.index.pools.values_mut() {
            pool.noted = None;
        }
        self.name_modules(now, &spec);
        let before = self.spec().map(|spec| spec.controllers.clone());
        let others = before.is_some_and(|before| before != spec.controllers);
        let never_reused = self.never_reused(&spec);
        self.spec.set(Cbor(Some(spec)));
        self.change_header(|header| {
            header.spec_generation.0 += 1;
            header.never_reused = never_reused;
            if others {
                header.controllers_at = now;
            }
        });
    }

    /// Roles whose canisters nobody may have again and that are not in that spec.
    fn never_reused(&self, spec: &FleetSpec) -> Vec<String> {
        let roles = self.spec().map_or(&[][..], |before| &before.roles);
        let never = roles.iter().filter(|role| role.reuse == Reuse::Never);
        let names = never.map(|role| &role.name);
        let mut left: Vec<String> = self
            .header()
            .never_reused
            .iter()
            .chain(names)
            .cloned()
            .collect();
        left.retain(|role| spec.role(role).is_none());
        let surplus = left.len().saturating_sub(limits::ROLES_NEVER_REUSED);
        left.split_off(surplus)
    }

    pub(super) fn change_header(&mut self, change: impl FnOnce(&mut Header)) {
        let mut header = self.header().clone();
        change(&mut header);
        self.header.set(Cbor(header));
    }

    /// That the breaker of resets opened is told.
    fn judge_resets(&mut self, now: Nanos, breaker: Breaker) {
        let was_open = self.header().resets.open_until().is_some();
        self.change_header(|header| header.resets = breaker);
        if let Some(until) = breaker.open_until().filter(|_| !was_open) {
            self.log.append(&LogEntry {
                at: now,
                canister: None,
                pool: None,
                phase: Some(Phase::PendingReset),
                reason: Reason::BreakerOpen { until },
                operation: None,
            });
        }
    }

    /// One direction or both.
    fn pause(&mut self, direction: Option<Direction>, paused: bool) {
        let down = self.header().is_paused(Direction::Down);
        self.change_header(|header| {
            if direction != Some(Direction::Down) {
                header.paused = paused;
            }
            let others = direction == Some(Direction::Up);
            header.paused_down = Some(if others { down } else { paused });
        });
    }

    /// Upgrades that too many failures stopped go on.
    fn resume_rollouts(&mut self, now: Nanos, of: &dyn Fn(&str) -> bool) {
        let failed = |record: &&PoolRecord| {
            let rollout = record.rollout.as_ref();
            of(&record.name) && rollout.is_some_and(|it| it.failures > 0)
        };
        let records = self.index.pools.values();
        let records = records.filter_map(|pool| pool.record.as_ref());
        let failed: Vec<PoolRecord> = records.filter(failed).cloned().collect();
        for mut record in failed {
            if let Some(rollout) = &mut record.rollout {
                rollout.failures = 0;
            }
            self.put_pool(now, record);
        }
    }

    fn start(&mut self, now: Nanos, root: CanisterId) {
        self.change_header(|header| {
            header.incarnation = Incarnation(header.incarnation.0 + 1);
            header.started_at = now;
            header.root = Some(root);
        });
        self.index.age_effects();
        let first = self.incarnation() == Incarnation(1);
        self.index.store = (first || planted("l25")).then_some(0);
        if !planted("l25") {
            self.forget_stored_chunks();
        }
        self.wake_all_pools(now);
    }

    /// The chunk store is a cache that an upgrade may have cleared: it is looked at again.
    fn forget_stored_chunks(&mut self) {
        for (module, before) in self.modules() {
            let record = ModuleRecord {
                stored: 0,
                ..before.clone()
            };
            self.put_module(module, Some(&before), record);
        }
    }

    /// Notes which modules the roles of `spec` name.
    fn name_modules(&mut self, now: Nanos, spec: &FleetSpec) {
        for (module, before) in self.modules() {
            let named = spec.roles.iter().any(|role| role.module == module);
            if before.named || named {
                let record = ModuleRecord {
                    named,
                    wanted_at: now,
                    ..before.clone()
                };
                self.put_module(module, Some(&before), record);
            }
        }
    }

    fn put_module(
        &mut self,
        module: ModuleHash,
        before: Option<&ModuleRecord>,
        record: ModuleRecord,
    ) {
        if let Some(before) = before {
            self.index.take_module(module, before);
        }
        self.index.put_module(module, &record);
        self.modules.insert(HashKey(module.0), Record::from(record));
    }

    fn wake_all_pools(&mut self, now: Nanos) {
        for pool in self.index.names() {
            self.index.wake_pool_now(&pool, now);
        }
    }

    fn start_effect(&mut self, effect: Effect) {
        assert!(
            effect.id.0 >= self.next_effect,
            "bug: an effect id is used twice"
        );
        self.next_effect = effect.id.0 + 1;
        if self.next_effect > self.header().effect_ceiling {
            let ceiling = self.next_effect + limits::EFFECT_IDS_RESERVED;
            self.change_header(|header| header.effect_ceiling = ceiling);
        }
        self.index.put_effect(&effect, self.incarnation());
        self.effects.insert(effect.id.0, Record::from(effect));
    }

    fn record_outcome(&mut self, id: EffectId, step: u8, outcome: Outcome) {
        let mut effect = self
            .effect(id)
            .expect("bug: an outcome for an effect not in the journal");
        if let Some(cycles) = wholeness::spent_by(&effect, step, &outcome) {
            self.book(Account::Spent, cycles);
        }
        effect.outcomes[usize::from(step)] = Some(outcome);
        self.index.take_effect(id);
        self.index.put_effect(&effect, self.incarnation());
        self.effects.insert(id.0, Record::from(effect));
    }

    fn put_row(&mut self, now: Nanos, row: &Row, wakes: bool) {
        // Writing it tells what was there: reading it first would cost a lookup more.
        let at_hand = self.index.at_hand.get(&row.canister).cloned();
        let written = self.rows.insert(row.canister.into(), Record::from(row));
        let before = at_hand.or_else(|| written.map(|before| before.read()));
        match &before {
            Some(before) => self.index.take_row(before),
            None if row.phase == Phase::Creating => self.note_id(row.canister),
            None => {}
        }
        self.book_row(now, before.as_ref(), row);
        self.index.put_row(row);
        let moved = before
            .as_ref()
            .is_none_or(|before| before.phase != row.phase);
        if moved
            || before
                .as_ref()
                .is_some_and(|before| before.reason != row.reason)
        {
            self.log.append(&LogEntry {
                at: now,
                canister: Some(row.canister),
                pool: row.pool.clone(),
                phase: Some(row.phase),
                reason: row.reason.clone(),
                operation: None,
            });
        }
        if moved {
            self.metrics.count_move(before.as_ref(), row);
            self.follow_move(now, before.as_ref(), row);
        } else if wakes
            && before.is_some_and(|before| {
                (before.sample_at, &before.more_samples) != (row.sample_at, &row.more_samples)
            })
            && let Some(pool) = &row.pool
        {
            self.index.wake_pool(pool, now);
        }
    }

    /// A canister changed its phase: plans and lists that depend on it are brought forward.
    fn follow_move(&mut self, now: Nanos, before: Option<&Row>, row: &Row) {
        let phases = [before.map(|before| before.phase), Some(row.phase)];
        let is_member = phases.iter().flatten().any(|phase| phase.is_member());
        if let Some(pool) = row.pool.as_ref().filter(|_| is_member) {
            self.index.wake_pool_now(pool, now);
            if phases.contains(&Some(Phase::InService)) {
                self.index
                    .note_listing(pool, self.log.newest(), row.canister);
            }
        }
        if row.phase == Phase::Ready {
            self.wake_hungry(now);
        }
    }

    fn remove_row(&mut self, now: Nanos, canister: CanisterId, reason: Reason) {
        if let Some(row) = self.rows.remove(&canister.into()) {
            let row: Row = row.read();
            self.index.take_row(&row);
            self.book_removed(row.held(), &reason);
            let pool = row.pool;
            self.log.append(&LogEntry {
                at: now,
                canister: Some(canister),
                pool,
                phase: None,
                reason,
                operation: None,
            });
        }
    }

    /// What it does not reserve any more is for those that wait.
    fn put_pool(&mut self, now: Nanos, record: PoolRecord) {
        let before = self.index.reserved_for(&record.name);
        self.index.put_pool(record.clone());
        if self.index.reserved_for(&record.name) < before {
            self.wake_hungry(now);
        }
        self.pools.insert(record.name.clone(), Record::from(record));
    }

    fn wake_hungry(&mut self, now: Nanos) {
        let hungry: Vec<String> = self.index.hungry.keys().cloned().collect();
        for pool in hungry {
            self.index.wake_pool_now(&pool, now);
        }
    }

    fn change_module(
        &mut self,
        now: Nanos,
        module: ModuleHash,
        record: Option<ModuleRecord>,
        chunk: Option<(u32, Vec<u8>)>,
    ) {
        if let Some((index, bytes)) = chunk {
            self.chunks.insert(ChunkKey::new(module, index), bytes);
        }
        let before = self.module(module);
        let Some(record) = record else {
            if let Some(before) = before {
                self.drop_module(module, &before);
            }
            return;
        };
        if record.is_installable() {
            self.wake_all_pools(now);
        }
        self.put_module(module, before.as_ref(), record);
    }

    /// Its chunks stay in the platform's chunk store until that is emptied.
    fn drop_module(&mut self, module: ModuleHash, record: &ModuleRecord) {
        self.index.take_module(module, record);
        self.index.store = self.index.store.map(|foreign| foreign + record.stored);
        for index in 0..record.chunks.len() as u32 {
            self.chunks.remove(&ChunkKey::new(module, index));
        }
        self.modules.remove(&HashKey(module.0));
    }
}
