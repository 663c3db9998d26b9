//! What root knows: records in stable memory, and an index of them on the heap.
//!
//! Reads are here, writes in [`apply`](State::apply) alone. No read scans a collection whose size
//! the fleet sets.

mod apply;
mod books;
mod decisions;
mod family;
mod index;
mod invariants;
mod leases;
mod listing;
mod pages;
mod pasts;
mod pools;
mod receipts;
mod wholeness;

pub(crate) use family::Family;
pub use index::{Counts, Member};
pub(crate) use index::{Index, member_of};
pub use invariants::{Violation, check};
pub use listing::Listing;
pub use pages::{PoolCursor, RowFilter};
pub(crate) use pasts::Queue;
pub(crate) use pools::Hunger;
use receipts::ReceiptIndex;

use crate::lease::LeaseReceipt;
use crate::metrics::Metrics;
use crate::plant::planted;
use crate::record::{Header, LogEntry, ModuleRecord, PoolRecord, Row, Version};
use crate::ring::Ring;
use crate::storage::{
    Cbor, ChunkKey, HashKey, LAYOUT, LAYOUT_OF_RING, Memories, PrincipalKey, ReceiptKey, Record,
};
use crate::{Breaker, Funding, Ledger, Standing};
use hatchery_types::{
    CanisterId, Cycles, Effect, EffectId, FleetSpec, Generation, Incarnation, ModuleHash, Nanos,
    Phase, PoolSpec,
};
use ic_stable_structures::{Memory, StableBTreeMap, StableCell};
use std::ops::Bound::{Excluded, Unbounded};

/// The state of one root.
pub struct State<M: Memory> {
    header: StableCell<Cbor<Header>, M>,
    spec: StableCell<Cbor<Option<FleetSpec>>, M>,
    rows: StableBTreeMap<PrincipalKey, Record, M>,
    effects: StableBTreeMap<u64, Record, M>,
    pools: StableBTreeMap<String, Record, M>,
    modules: StableBTreeMap<HashKey, Record, M>,
    chunks: StableBTreeMap<ChunkKey, Vec<u8>, M>,
    log: Ring<M>,
    receipts: StableBTreeMap<ReceiptKey, Record, M>,
    leases: StableBTreeMap<ReceiptKey, Record, M>,
    decisions: StableBTreeMap<u64, Record, M>,
    kept_metrics: StableCell<Cbor<Metrics>, M>,
    metrics: Metrics,
    pub(crate) index: Index,
    next_effect: u64,
    newest_decision: u64,
    receipt_index: ReceiptIndex,
}

/// The stable memory was written by a newer root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutError {
    /// Layout found.
    pub found: u32,
    /// Newest layout this root knows.
    pub known: u32,
}

impl std::fmt::Display for LayoutError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "stable memory has layout {}, this root knows up to {}: install the newer root again",
            self.found, self.known
        )
    }
}

impl std::error::Error for LayoutError {}

/// The memory of a header that this root can read, or none yet.
fn readable<M: Memory>(header: M) -> Result<M, LayoutError> {
    if header.size() == 0 {
        return Ok(header);
    }
    let cell = StableCell::init(header, Cbor(Version { layout: LAYOUT }));
    let found = cell.get().0.layout;
    if found > LAYOUT && !planted("l08") {
        let known = LAYOUT;
        return Err(LayoutError { found, known });
    }
    Ok(cell.into_memory())
}

impl<M: Memory> State<M> {
    /// Opens fresh memory or an existing layout, and rebuilds the index: one pass over rows,
    /// effects, pools and receipts. Of a newer layout nothing but its number is read.
    ///
    /// # Errors
    /// The layout is newer than this root; nothing was changed.
    pub fn open(memories: Memories<M>) -> Result<Self, LayoutError> {
        let fresh = Header {
            layout: LAYOUT,
            incarnation: Incarnation(0),
            started_at: Nanos(0),
            effect_ceiling: 0,
            spec_generation: Generation(0),
            paused: false,
            create_failures: 0,
            create_after: Nanos(0),
            create_reason: None,
            root: None,
            controllers_at: Nanos(0),
            resets: Breaker::default(),
            newest: None,
            ledger: Ledger {
                whole: true,
                ..Ledger::default()
            },
            standing: Standing::Unchecked {
                attempts: 0,
                next_attempt: Nanos(0),
            },
            search: None,
            discarded: Cycles(0),
            given_away: Cycles(0),
            paused_down: Some(false),
            funding: Funding::default(),
            purse: None,
            never_reused: Vec::new(),
        };
        let header = StableCell::init(readable(memories.header)?, Cbor(fresh));
        let is_ring = header.get().0.layout >= LAYOUT_OF_RING;
        let log = [Ring::from_map, Ring::init][usize::from(is_ring)];
        let mut state = State {
            next_effect: header.get().0.effect_ceiling,
            header,
            spec: StableCell::init(memories.spec, Cbor(None)),
            rows: StableBTreeMap::init(memories.rows),
            effects: StableBTreeMap::init(memories.effects),
            pools: StableBTreeMap::init(memories.pools),
            modules: StableBTreeMap::init(memories.modules),
            chunks: StableBTreeMap::init(memories.chunks),
            log: log(memories.log),
            receipts: StableBTreeMap::init(memories.receipts),
            leases: StableBTreeMap::init(memories.leases),
            decisions: StableBTreeMap::init(memories.decisions),
            kept_metrics: StableCell::init(memories.metrics, Cbor(Metrics::default())),
            metrics: Metrics::default(),
            index: Index::default(),
            newest_decision: 0,
            receipt_index: ReceiptIndex::default(),
        };
        state.migrate();
        state.rebuild();
        state.complete_ledger();
        Ok(state)
    }

    /// Layout 1 did not keep the largest id: the largest of its rows stands in for it.
    fn migrate(&mut self) {
        let mut header = self.header().clone();
        if header.layout == LAYOUT {
            return;
        }
        if header.layout == 1 {
            let rows = self.rows.last_key_value();
            header.newest = rows.map(|(_, row)| row.read::<Row>().canister);
        }
        header.layout = LAYOUT;
        self.header.set(Cbor(header));
    }

    fn rebuild(&mut self) {
        if !planted("l09") {
            self.metrics = self.kept_metrics.get().0.clone();
        }
        let newest = self.decisions.last_key_value();
        self.newest_decision = newest.map_or(0, |(number, _)| number);
        self.index = self.rebuilt_index();
        self.receipt_index = self.rebuilt_receipts();
    }

    /// The receipts as the stable records say they must be indexed.
    fn rebuilt_receipts(&self) -> ReceiptIndex {
        let mut index = ReceiptIndex::default();
        for entry in self.receipts.iter() {
            index.put(entry.key(), &entry.value().read());
        }
        index
    }

    /// The index as the stable records say it must be.
    fn rebuilt_index(&self) -> Index {
        let mut index = Index::default();
        for entry in self.rows.iter() {
            index.put_row(&entry.value().read());
        }
        let incarnation = self.incarnation();
        for entry in self.effects.iter() {
            index.put_effect(&entry.value().read(), incarnation);
        }
        for entry in self.pools.iter() {
            let pool: PoolRecord = entry.value().read();
            index.wake_pool_now(&pool.name, Nanos(0));
            index.pool_mut(&pool.name).listed_at = self.newest_event();
            index.put_pool(pool);
        }
        for entry in self.leases.iter() {
            let receipt: LeaseReceipt = entry.value().read();
            index.leases.put(receipt.at, entry.key().clone());
        }
        for entry in self.modules.iter() {
            index.put_module(ModuleHash(entry.key().0), &entry.value().read());
        }
        index
    }

    /// The applied spec.
    pub fn spec(&self) -> Option<&FleetSpec> {
        self.spec.get().0.as_ref()
    }

    /// Root's own few words.
    pub fn header(&self) -> &Header {
        &self.header.get().0
    }

    /// Installs and upgrades so far.
    pub fn incarnation(&self) -> Incarnation {
        self.header().incarnation
    }

    /// Specs applied so far.
    pub fn spec_generation(&self) -> Generation {
        self.header().spec_generation
    }

    /// The row of a canister.
    pub fn row(&self, canister: CanisterId) -> Option<Row> {
        let at_hand = self.index.at_hand.get(&canister).cloned();
        at_hand.or_else(|| self.rows.get(&canister.into()).map(|row| row.read()))
    }

    /// Number of rows.
    pub fn rows_len(&self) -> u64 {
        self.rows.len()
    }

    /// An effect of the journal.
    pub fn effect(&self, id: EffectId) -> Option<Effect> {
        self.effects.get(&id.0).map(|effect| effect.read())
    }

    /// At most `limit` effects of the journal behind `after`.
    pub fn effects(&self, after: Option<EffectId>, limit: usize) -> Vec<Effect> {
        let start = after.map_or(Unbounded, |id| Excluded(id.0));
        let range = self.effects.range((start, Unbounded));
        range
            .take(limit)
            .map(|entry| entry.value().read())
            .collect()
    }

    /// Counters by phase, kind and lane.
    pub fn counts(&self) -> &Counts {
        &self.index.counts
    }

    /// Creations whose outcome is unknown: those that are searched for, and those given up.
    pub fn lost_creations(&self) -> u64 {
        self.index.lost.len() as u64
    }

    /// Creations whose outcome is unknown and whose canister may still be found; they count as
    /// bought.
    pub fn sought_creations(&self) -> u64 {
        self.index.sought.len() as u64
    }

    /// Cycles attached to them: booked as spent until a canister turns up.
    pub fn lost_cycles(&self) -> Cycles {
        let lost = self.index.lost.values().map(|lost| lost.cycles.0);
        Cycles(lost.fold(0, u128::saturating_add))
    }

    /// Since when the row that waits longest for a reset waits.
    pub fn oldest_pending(&self) -> Option<Nanos> {
        self.index.pending.first().map(|(since, _)| *since)
    }

    /// What root remembers of a pool.
    pub fn pool(&self, name: &str) -> Option<&PoolRecord> {
        self.index.pools.get(name)?.record.as_ref()
    }

    /// The members of a pool, by id.
    pub fn members(&self, pool: &str) -> impl Iterator<Item = &Member> {
        let pool = self.index.pools.get(pool).into_iter();
        pool.flat_map(|pool| pool.members.values())
    }

    /// One member of a pool.
    pub fn member(&self, pool: &str, canister: CanisterId) -> Option<&Member> {
        self.index.pools.get(pool)?.members.get(&canister)
    }

    /// Members of a pool in a phase.
    pub fn members_in(&self, pool: &str, phase: Phase) -> u32 {
        let pool = self.index.pools.get(pool);
        pool.map_or(0, |pool| pool.size(phase))
    }

    /// At most `limit` members of a pool that take work, behind `after`, with the last sample of
    /// the pool's load.
    pub fn workers(
        &self,
        pool: &str,
        after: Option<CanisterId>,
        limit: usize,
    ) -> Vec<(CanisterId, Option<u64>)> {
        let spec = self.spec().and_then(|spec| spec.pool(pool));
        let load = spec.and_then(PoolSpec::load).map(|(position, _)| position);
        let sample = |member: &Member| {
            let sample = member.samples.get(load?)?;
            (sample.at.0 > 0).then_some(sample.value)
        };
        let start = after.map_or(Unbounded, Excluded);
        let pool = self.index.pools.get(pool).into_iter();
        let in_service = pool
            .flat_map(|pool| pool.members.range((start, Unbounded)))
            .filter(|(_, member)| member.phase == Phase::InService);
        in_service
            .take(limit)
            .map(|(id, member)| (*id, sample(member)))
            .collect()
    }

    /// What the worker pools' operations came to, and what they cost.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Something was counted since it was last written to stable memory.
    pub(crate) fn has_news_of_metrics(&self) -> bool {
        self.metrics != self.kept_metrics.get().0
    }

    /// Grows with every change of a pool's list of workers.
    pub fn listing(&self, pool: &str) -> Generation {
        let pool = self.index.pools.get(pool);
        Generation(pool.map_or(0, |pool| pool.listed_at))
    }

    /// Modules held, staged ones included; at most [`crate::limits::MODULES_MAX`].
    pub fn modules(&self) -> Vec<(ModuleHash, ModuleRecord)> {
        let modules = self.modules.iter();
        modules
            .map(|entry| (ModuleHash(entry.key().0), entry.value().read()))
            .collect()
    }

    /// The record of a module.
    pub fn module(&self, module: ModuleHash) -> Option<ModuleRecord> {
        self.modules
            .get(&HashKey(module.0))
            .map(|record| record.read())
    }

    /// The bytes of a chunk.
    pub fn chunk(&self, module: ModuleHash, index: u32) -> Option<Vec<u8>> {
        self.chunks.get(&ChunkKey::new(module, index))
    }

    /// At most `limit` events with a number above `after`, oldest first.
    pub fn log(&self, after: u64, limit: usize) -> Vec<(u64, LogEntry)> {
        self.log.after(after, limit)
    }

    /// Number of the newest event; 0 = none yet.
    pub fn newest_event(&self) -> u64 {
        self.log.newest()
    }

    /// The id the next effect gets.
    pub(crate) fn next_effect(&self) -> EffectId {
        EffectId(self.next_effect)
    }
}
