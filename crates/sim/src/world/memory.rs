//! Root's state changed behind its back, natively, in its own stable memory: fleets that would take
//! days of virtual time to come about.
//!
//! Owns nothing of what such a state means. Root must be upgraded afterwards: what it keeps on its
//! heap is of the state before.

use hatchery_core::{Event, Memories, RowFilter, State};
use hatchery_engine::Engine;
use hatchery_types::{CanisterId, Nanos, Phase, Principal};
use ic_stable_structures::VectorMemory;
use ic_stable_structures::memory_manager::{MemoryId, MemoryManager, VirtualMemory};

/// Root's state, opened natively.
pub type NativeState = State<VirtualMemory<VectorMemory>>;

/// Changes root's state.
///
/// # Panics
/// Root has no code, or its layout is not this one's.
pub fn edit(engine: &mut Engine, root: CanisterId, change: impl FnOnce(&mut NativeState)) {
    let memory = VectorMemory::default();
    let bytes = engine.stable_memory(root.0);
    memory
        .borrow_mut()
        .extend(bytes.expect("bug: root has no code"));
    let manager = MemoryManager::init(memory.clone());
    let memories = Memories::new(|number| manager.get(MemoryId::new(number)));
    let mut state = State::open(memories).expect("bug: the layout is another");
    change(&mut state);
    drop((state, manager));
    let set = engine.set_stable_memory(root.0, &memory.borrow());
    assert!(set, "bug: root has no code");
}

/// An id of the engine's subnet that it has not given to anybody.
pub fn nobody(number: u64) -> CanisterId {
    let place = (0xff_0000_0000 + number).to_be_bytes();
    CanisterId(Principal::from_slice(&[&place[..], &[1, 1]].concat()))
}

/// So many members more in the first pool, like one that is in service, whose spec wants them all:
/// nothing is to be done about them. They are rows alone; no canister is behind them.
///
/// # Panics
/// Root has no spec with a pool, or nobody works there.
pub fn grow(engine: &mut Engine, root: CanisterId, members: u64) {
    let now = Nanos(engine.now_ns());
    edit(engine, root, |state| {
        let mut spec = state.spec().expect("bug: no spec").clone();
        let pool = spec.pools.first_mut().expect("bug: no pool");
        let all = u32::try_from(members).expect("bug: more members than may be") + pool.max;
        (pool.min, pool.max) = (all - pool.max, all);
        state.apply(now, Event::SpecApplied(Box::new(spec)));
        let (rows, _) = state.rows(&RowFilter::of(Some(Phase::InService)), None, 1);
        let worker = rows.first().expect("bug: nobody works");
        for number in 0..members {
            let mut row = worker.clone();
            row.canister = nobody(number);
            row.sample = Some(1);
            row.sample_at = now;
            row.next_attempt = Nanos::MAX;
            state.apply(now, Event::RowChanged(Box::new(row)));
        }
    });
}
