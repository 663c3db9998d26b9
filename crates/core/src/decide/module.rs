//! Modules: staged in chunks, verified, and put into root's chunk store.

use super::lanes::Room;
use super::{Draft, refuse};
use crate::limits;
use crate::state::State;
use crate::{Decision, Event, Reply};
use hatchery_types::{EffectKind, ModuleHash, Nanos, Outcome, Reason};
use ic_stable_structures::Memory;
use sha2::{Digest, Sha256};

const WASM_MAGIC: &[u8] = b"\0asm";
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// One more piece, in order; a piece that is there already is accepted again.
pub(super) fn stage<M: Memory>(
    state: &State<M>,
    module: ModuleHash,
    index: u32,
    bytes: &[u8],
) -> Decision {
    let known = state.module(module);
    let held: usize = state
        .modules()
        .iter()
        .map(|(_, record)| record.chunks.len())
        .sum();
    let mut record = known.clone().unwrap_or_default();
    let hash = ModuleHash(Sha256::digest(bytes).into());
    if record.chunks.get(index as usize) == Some(&hash) {
        return taken(state);
    }
    if record.committed || index as usize != record.chunks.len() {
        let text = format!(
            "chunk {index} of {module}: {} are here",
            record.chunks.len()
        );
        return refuse(Reason::ChunkOutOfOrder, text);
    }
    let full = known.is_none() && state.modules().len() as u64 >= limits::MODULES_MAX;
    if bytes.is_empty()
        || bytes.len() > limits::CHUNK_BYTES_MAX
        || held >= limits::CHUNKS_MAX
        || full
    {
        let text = format!(
            "chunk {index} of {module} has {} bytes: at least 1 and at most {} are taken, at most \
             {} chunks and {} modules in all",
            bytes.len(),
            limits::CHUNK_BYTES_MAX,
            limits::CHUNKS_MAX,
            limits::MODULES_MAX
        );
        return refuse(Reason::OverLimit, text);
    }
    if index == 0 && !bytes.starts_with(WASM_MAGIC) && !bytes.starts_with(GZIP_MAGIC) {
        let text = format!("{module} starts neither like wasm nor like gzip");
        return refuse(Reason::NotWasm, text);
    }
    record.chunks.push(hash);
    record.bytes += bytes.len() as u64;
    let chunk = Some((index, bytes.to_vec()));
    let mut decision = taken(state);
    decision.events.push(Event::ModuleChanged {
        module,
        record: Some(record),
        chunk,
    });
    decision
}

fn taken<M: Memory>(state: &State<M>) -> Decision {
    Decision {
        reply: Reply::Applied(state.spec_generation()),
        ..Decision::default()
    }
}

/// Closes a module: the whole must have the announced hash and be wasm; else it is dropped.
pub(super) fn commit<M: Memory>(
    state: &State<M>,
    now: Nanos,
    module: ModuleHash,
    chunks: u32,
) -> Decision {
    let Some(mut record) = state.module(module) else {
        return refuse(
            Reason::ModuleMissing,
            format!("no chunk of {module} was staged"),
        );
    };
    if record.committed {
        return taken(state);
    }
    if record.chunks.len() != chunks as usize {
        let text = format!(
            "{module}: {} of {chunks} chunks are here",
            record.chunks.len()
        );
        return refuse(Reason::ChunkOutOfOrder, text);
    }
    let pieces = (0..chunks).filter_map(|index| state.chunk(module, index));
    let bytes: Vec<u8> = pieces.flatten().collect();
    let found = ModuleHash(Sha256::digest(&bytes).into());
    if found != module {
        let text = format!("announced {module}, the staged bytes have {found}; stage them again");
        return drop_module(module, Reason::HashMismatch, text);
    }
    if bytes.starts_with(WASM_MAGIC) && !is_whole_wasm(&bytes) {
        let text = format!("{module} is not a whole wasm module; build it again");
        return drop_module(module, Reason::NotWasm, text);
    }
    record.committed = true;
    record.next_attempt = now;
    let mut decision = taken(state);
    decision.events.push(Event::ModuleChanged {
        module,
        record: Some(record),
        chunk: None,
    });
    decision
}

fn drop_module(module: ModuleHash, reason: Reason, text: String) -> Decision {
    let mut decision = refuse(reason, text);
    decision.events.push(Event::ModuleChanged {
        module,
        record: None,
        chunk: None,
    });
    decision
}

/// Header and sections fill the bytes exactly (WebAssembly core specification, binary format,
/// modules). What is inside the sections the platform checks at install.
fn is_whole_wasm(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes.strip_prefix(b"\0asm\x01\0\0\0") else {
        return false;
    };
    while let Some((_id, after_id)) = rest.split_first() {
        let Some((size, body)) = leb128(after_id) else {
            return false;
        };
        let Some(next) = body.get(size..) else {
            return false;
        };
        rest = next;
    }
    true
}

/// An unsigned 32-bit LEB128 number and what follows it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0usize;
    for (position, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * position);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[position + 1..]));
        }
    }
    None
}

/// Starts storing the next chunk of a committed module.
pub(super) fn store_next<M: Memory>(state: &State<M>, now: Nanos, room: &Room) -> Option<Decision> {
    let spec = state.spec()?;
    let (_, module) = *state
        .index
        .modules_waiting
        .first()
        .filter(|(due, _)| *due <= now)?;
    let mut record = state.module(module)?;
    let kind = EffectKind::StoreChunk {
        module,
        index: record.stored,
    };
    if !room.takes(state, spec, &kind) {
        return None;
    }
    let mut draft = Draft::new(state, now);
    record.effect = Some(draft.start(kind, None));
    draft.event(Event::ModuleChanged {
        module,
        record: Some(record),
        chunk: None,
    });
    Some(draft.done())
}

/// A chunk is in the store, or is tried again: storing the same bytes twice is harmless.
pub(super) fn stored<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    now: Nanos,
    module: ModuleHash,
    index: u32,
    outcome: &Outcome,
) {
    let Some(mut record) = state.module(module) else {
        return;
    };
    record.effect = None;
    if record.stored != index {
        // The store was forgotten meanwhile: it is filled from the start.
    } else if matches!(outcome, Outcome::Done(_)) {
        record.stored += 1;
        record.attempts = 0;
        record.next_attempt = now;
    } else {
        record.attempts = record.attempts.saturating_add(1);
        record.next_attempt = now + limits::backoff(record.attempts);
    }
    draft.event(Event::ModuleChanged {
        module,
        record: Some(record),
        chunk: None,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_modules_are_whole() {
        let whole = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0";
        assert!(is_whole_wasm(whole));
        assert!(is_whole_wasm(&whole[..8]), "an empty module is a module");
        for cut in (0..8).chain(9..14).chain(15..whole.len()) {
            assert!(!is_whole_wasm(&whole[..cut]), "cut at {cut}");
        }
    }
}
