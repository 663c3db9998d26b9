//! Modules: staged in chunks and verified; dropped when no role has named them for a while.
//!
//! Owns what root holds itself; the platform's chunk store is `store`'s.

use super::refuse;
use crate::limits;
use crate::plant::planted;
use crate::record::ModuleRecord;
use crate::state::State;
use crate::{Decision, Event, Reply};
use hatchery_types::{ModuleHash, Nanos, Reason};
use ic_stable_structures::Memory;
use sha2::{Digest, Sha256};

const WASM_MAGIC: &[u8] = b"\0asm";
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// One more piece, in order; a piece that is there already is accepted again.
pub(super) fn stage<M: Memory>(
    state: &State<M>,
    now: Nanos,
    module: ModuleHash,
    index: u32,
    bytes: &[u8],
) -> Decision {
    let known = state.module(module);
    let is_new = known.is_none();
    let mut record = known.unwrap_or_default();
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
    let room = room(state, module, is_new);
    if bytes.is_empty() || bytes.len() > limits::CHUNK_BYTES_MAX || room == Room::Full {
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
    record.wanted_at = now;
    record.named = is_named(state, module);
    let chunk = Some((index, bytes.to_vec()));
    let mut decision = taken(state);
    if let Room::InPlaceOf(unnamed) = room {
        decision.events.push(dropped(unnamed));
    }
    decision.events.push(Event::ModuleChanged {
        module,
        record: Some(record),
        chunk,
    });
    decision
}

/// Whether one more chunk may come.
#[derive(PartialEq, Eq)]
enum Room {
    Free,
    /// If this module goes, which no role names.
    InPlaceOf(ModuleHash),
    Full,
}

fn room<M: Memory>(state: &State<M>, module: ModuleHash, is_new: bool) -> Room {
    let modules = state.modules();
    let chunks: usize = modules.iter().map(|(_, record)| record.chunks.len()).sum();
    if chunks < limits::CHUNKS_MAX && !(is_new && modules.len() as u64 >= limits::MODULES_MAX) {
        return Room::Free;
    }
    let unnamed = state.index.modules_unnamed.iter().map(|(_, hash)| *hash);
    let mut complete = unnamed.filter(|hash| *hash != module && is_committed(&modules, *hash));
    complete.next().map_or(Room::Full, Room::InPlaceOf)
}

fn is_committed(modules: &[(ModuleHash, ModuleRecord)], module: ModuleHash) -> bool {
    let record = modules.iter().find(|(hash, _)| *hash == module);
    record.is_some_and(|(_, record)| record.committed)
}

fn is_named<M: Memory>(state: &State<M>, module: ModuleHash) -> bool {
    let roles = state.spec().map_or(&[][..], |spec| &spec.roles);
    roles.iter().any(|role| role.module == module)
}

/// Drops the next module that no role has named for long enough.
pub(super) fn collect_next<M: Memory>(state: &State<M>, now: Nanos) -> Option<Decision> {
    let (wanted_at, module) = *state.index.modules_unnamed.first()?;
    if wanted_at + limits::UNNAMED_LIFE > now {
        return None;
    }
    Some(Decision {
        events: vec![dropped(module)],
        more: true,
        ..Decision::default()
    })
}

fn dropped(module: ModuleHash) -> Event {
    Event::ModuleChanged {
        module,
        record: None,
        chunk: None,
    }
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
    if found != module && !planted("l19") {
        let text = format!("announced {module}, the staged bytes have {found}; stage them again");
        return drop_module(module, Reason::HashMismatch, text);
    }
    if bytes.starts_with(WASM_MAGIC) && !is_whole_wasm(&bytes) {
        let text = format!("{module} is not a whole wasm module; build it again");
        return drop_module(module, Reason::NotWasm, text);
    }
    record.committed = true;
    record.next_attempt = now;
    record.wanted_at = now;
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
    decision.events.push(dropped(module));
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
