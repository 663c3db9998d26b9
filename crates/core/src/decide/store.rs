//! Root's chunk store on the platform: a cache of the modules' chunks, from which installs are made.
//!
//! Anyone who controls root may empty it, and clients that upgrade root do: it is looked at before
//! it is relied on, filled from root's own memory, and emptied when what it holds beside the
//! modules leaves no room. Whether a module is held at all is `module`'s.

use super::Draft;
use super::lanes::Room;
use crate::limits;
use crate::record::ModuleRecord;
use crate::state::State;
use crate::{Decision, Event};
use hatchery_types::{EffectKind, Lane, ModuleHash, Nanos, Outcome, Value};
use ic_stable_structures::Memory;
use std::collections::BTreeSet;

/// The next call that brings a committed module's chunks into the store.
pub(super) fn store_next<M: Memory>(state: &State<M>, now: Nanos, room: &Room) -> Option<Decision> {
    let spec = state.spec()?;
    let waiting = state.index.modules_waiting.first();
    let (_, module) = *waiting.filter(|(due, _)| *due <= now)?;
    let counts = state.counts();
    if counts.effect(EffectKind::CheckStore.name()) + counts.effect(EffectKind::ClearStore.name())
        > 0
    {
        return None;
    }
    let mut record = state.module(module)?;
    let upload = EffectKind::StoreChunk {
        module,
        index: record.stored,
    };
    let kind = match state.index.store {
        None => EffectKind::CheckStore,
        Some(foreign) if foreign > 0 && is_full(state, foreign) => EffectKind::ClearStore,
        Some(_) => upload.clone(),
    };
    let busy = counts.effect(upload.name()) > 0 || counts.lane(Lane::Install) > 0;
    if !room.takes(state, spec, &kind) || (kind == EffectKind::ClearStore && busy) {
        return None;
    }
    let mut draft = Draft::new(state, now);
    let effect = draft.start(kind.clone(), None);
    if kind == upload {
        record.effect = Some(effect);
        draft.event(changed(module, record));
    }
    Some(draft.done())
}

/// The chunks of all modules and the foreign ones do not fit together.
fn is_full<M: Memory>(state: &State<M>, foreign: u32) -> bool {
    let modules = state.modules();
    let ours: usize = modules.iter().map(|(_, record)| record.chunks.len()).sum();
    ours + foreign as usize > limits::CHUNKS_MAX
}

/// A chunk is in the store, or is tried again: storing the same bytes twice is harmless.
pub(super) fn stored<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    module: ModuleHash,
    index: u32,
    outcome: &Outcome,
) {
    let Some(record) = state.module(module) else {
        // Dropped while its chunk was on the way.
        draft.event(Event::StoreSeen(None));
        return;
    };
    let record = ModuleRecord {
        effect: None,
        ..record
    };
    let record = if record.stored != index {
        // The store was forgotten meanwhile: it is looked at first.
        record
    } else if matches!(outcome, Outcome::Done(_)) {
        ModuleRecord {
            stored: index + 1,
            attempts: 0,
            next_attempt: draft.now,
            ..record
        }
    } else {
        // It may be full of what is not ours.
        draft.event(Event::StoreSeen(None));
        held_back(draft.now, record)
    };
    draft.event(changed(module, record));
}

/// What the store holds: each module goes on behind the chunks that are there.
pub(super) fn checked<M: Memory>(draft: &mut Draft, state: &State<M>, outcome: &Outcome) {
    let Outcome::Done(Value::Chunks(chunks)) = outcome else {
        return hold_all_back(draft, state);
    };
    let mut there = BTreeSet::new();
    for chunk in chunks {
        there.insert(*chunk);
    }
    let mut foreign = there.clone();
    for (module, record) in state.modules() {
        for chunk in &record.chunks {
            foreign.remove(chunk);
        }
        let stored = record
            .chunks
            .iter()
            .take_while(|chunk| there.contains(*chunk))
            .count();
        let record = ModuleRecord {
            stored: stored as u32,
            ..record
        };
        draft.event(changed(module, record));
    }
    draft.event(Event::StoreSeen(Some(foreign.len() as u32)));
}

/// The store is empty.
pub(super) fn cleared<M: Memory>(draft: &mut Draft, state: &State<M>, outcome: &Outcome) {
    if !matches!(outcome, Outcome::Done(_)) {
        draft.event(Event::StoreSeen(None));
        return hold_all_back(draft, state);
    }
    for (module, record) in state.modules() {
        draft.event(changed(
            module,
            ModuleRecord {
                stored: 0,
                ..record
            },
        ));
    }
    draft.event(Event::StoreSeen(Some(0)));
}

/// An install was refused: perhaps the chunks are not there.
pub(super) fn distrust<M: Memory>(draft: &mut Draft, state: &State<M>, module: ModuleHash) {
    let record = state.module(module).filter(ModuleRecord::is_installable);
    if let Some(record) = record {
        let record = ModuleRecord {
            stored: 0,
            next_attempt: draft.now,
            ..record
        };
        draft.event(changed(module, record));
        draft.event(Event::StoreSeen(None));
    }
}

fn hold_all_back<M: Memory>(draft: &mut Draft, state: &State<M>) {
    for (module, record) in state.modules() {
        if record.committed && !record.is_installable() && record.effect.is_none() {
            draft.event(changed(module, held_back(draft.now, record)));
        }
    }
}

fn held_back(now: Nanos, record: ModuleRecord) -> ModuleRecord {
    let attempts = record.attempts.saturating_add(1);
    ModuleRecord {
        attempts,
        next_attempt: now + limits::backoff(attempts),
        ..record
    }
}

fn changed(module: ModuleHash, record: ModuleRecord) -> Event {
    Event::ModuleChanged {
        module,
        record: Some(record),
        chunk: None,
    }
}
