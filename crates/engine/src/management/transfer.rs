//! Snapshots that travel: their metadata and bytes are read, and uploaded piece by piece. What is
//! uploaded is checked for its size here, and for its sense when it is loaded.

use ic_error_types::ErrorCode;
use ic_management_canister_types::{
    CanisterTimer, ChunkHash, OnLowWasmMemoryHookStatus, ReadCanisterSnapshotDataArgs,
    ReadCanisterSnapshotDataResult, ReadCanisterSnapshotMetadataArgs,
    ReadCanisterSnapshotMetadataResult, SnapshotDataKind, SnapshotDataOffset,
    SnapshotMetadataGlobal, UploadCanisterSnapshotDataArgs, UploadCanisterSnapshotMetadataArgs,
    UploadCanisterSnapshotMetadataResult,
};
use ic_principal::Principal;
use sha2::{Digest, Sha256};

use super::settings::u128_of;
use super::snapshots::{Content, Taken, no_snapshot};
use super::{Handled, decode, reply, reply_nothing};
use crate::machine::{GlobalValue, Parts, WASM_PAGE_BYTES};
use crate::reject::Reject;
use crate::subnet::{LowMemoryHook, Request, Subnet};

/// Bytes read or written by one call (the replica's slice limit of October 2025).
const SLICE_BYTES_MAX: u64 = 2_000_000;
/// What a call costs, and one more for each byte (the replica's settings of October 2025).
const DATA_INSTRUCTIONS: u64 = 5_000_000;
/// A module has at most so many globals.
const GLOBALS_MAX: usize = 1_000;
const CERTIFIED_DATA_BYTES_MAX: usize = 32;
const CHUNKS_MAX: usize = 100;
const CHUNK_BYTES: u64 = 1 << 20;

impl Subnet {
    pub(super) fn read_snapshot_metadata(&mut self, request: &Request) -> Handled {
        let args: ReadCanisterSnapshotMetadataArgs = decode(&request.arg)?;
        self.readable_from(&args.canister_id, &args.snapshot_id, request)?;
        self.charge_snapshot(&args.canister_id, DATA_INSTRUCTIONS)?;
        reply(&metadata(&self.snapshots.taken[&args.snapshot_id]))
    }

    pub(super) fn read_snapshot_data(&mut self, request: &Request) -> Handled {
        let args: ReadCanisterSnapshotDataArgs = decode(&request.arg)?;
        self.readable_from(&args.canister_id, &args.snapshot_id, request)?;
        let size = match &args.kind {
            SnapshotDataKind::WasmModule { size, .. }
            | SnapshotDataKind::WasmMemory { size, .. }
            | SnapshotDataKind::StableMemory { size, .. } => *size,
            SnapshotDataKind::WasmChunk { .. } => CHUNK_BYTES,
        };
        check_slice(size)?;
        let chunk = slice(&self.snapshots.taken[&args.snapshot_id], &args.kind)?;
        self.charge_snapshot(&args.canister_id, DATA_INSTRUCTIONS + chunk.len() as u64)?;
        reply(&ReadCanisterSnapshotDataResult { chunk })
    }

    /// The snapshot is one of this canister, and the sender may read it.
    fn readable_from(
        &self,
        canister: &Principal,
        snapshot: &[u8],
        request: &Request,
    ) -> Result<(), Reject> {
        self.existing(canister)?;
        self.snapshot_of(canister, snapshot)?;
        self.readable_snapshot(snapshot, request).map(drop)
    }

    pub(super) fn upload_snapshot_metadata(&mut self, request: &Request) -> Handled {
        let args: UploadCanisterSnapshotMetadataArgs = decode(&request.arg)?;
        let id = args.canister_id;
        self.controlled(&id, &request.origin)?;
        self.check_room(&id, args.replace_snapshot.as_deref())?;
        let parts = parts(&args)?;
        self.charge_snapshot(&id, DATA_INSTRUCTIONS)?;
        if let Some(replaced) = &args.replace_snapshot {
            self.delete_snapshot(replaced);
        }
        let at_ns = self.time_ns;
        let canister = self.known_mut(&id);
        let bytes = parts.bytes();
        canister.snapshot_bytes += bytes;
        let taken = Taken {
            owner: id,
            content: Content::Uploaded(parts),
            certified_data: args.certified_data,
            chunks: std::collections::BTreeMap::new(),
            timer_ns: match args.global_timer {
                Some(CanisterTimer::Active(timer_ns)) => timer_ns,
                Some(CanisterTimer::Inactive) | None => 0,
            },
            low_memory: match args.on_low_wasm_memory_hook_status {
                Some(OnLowWasmMemoryHookStatus::Ready) => LowMemoryHook::Ready,
                Some(OnLowWasmMemoryHookStatus::Executed) => LowMemoryHook::Executed,
                Some(OnLowWasmMemoryHookStatus::ConditionNotSatisfied) | None => {
                    LowMemoryHook::NotSatisfied
                }
            },
            version: canister.version,
            at_ns,
            bytes,
        };
        let snapshot_id = self.snapshots.add(taken);
        reply(&UploadCanisterSnapshotMetadataResult { snapshot_id })
    }

    pub(super) fn upload_snapshot_data(&mut self, request: &Request) -> Handled {
        let args: UploadCanisterSnapshotDataArgs = decode(&request.arg)?;
        let id = args.canister_id;
        self.controlled(&id, &request.origin)?;
        self.snapshot_of(&id, &args.snapshot_id)?;
        check_slice(args.chunk.len() as u64)?;
        self.charge_snapshot(&id, DATA_INSTRUCTIONS + args.chunk.len() as u64)?;
        let taken = self
            .snapshots
            .taken
            .get_mut(&args.snapshot_id)
            .ok_or_else(|| no_snapshot(&args.snapshot_id))?;
        let grown = put(taken, &args)?;
        taken.bytes += grown;
        self.known_mut(&id).snapshot_bytes += grown;
        reply_nothing()
    }
}

/// Writes the piece where it belongs and returns the bytes by which the snapshot grew.
fn put(taken: &mut Taken, args: &UploadCanisterSnapshotDataArgs) -> Result<u64, Reject> {
    let Content::Uploaded(parts) = &mut taken.content else {
        return Err(Reject::new(
            ErrorCode::CanisterSnapshotImmutable,
            "only uploaded snapshots can be written to",
        ));
    };
    let (piece, offset) = match args.kind {
        SnapshotDataOffset::WasmModule { offset } => (&mut parts.wasm, offset),
        SnapshotDataOffset::WasmMemory { offset } => (&mut parts.heap, offset),
        SnapshotDataOffset::StableMemory { offset } => (&mut parts.stable, offset),
        SnapshotDataOffset::WasmChunk => return put_chunk(taken, &args.chunk),
    };
    piece.write(offset, &args.chunk).map_err(|_| outside())?;
    Ok(0)
}

fn put_chunk(taken: &mut Taken, chunk: &[u8]) -> Result<u64, Reject> {
    let hash: [u8; 32] = Sha256::digest(chunk).into();
    if taken.chunks.contains_key(&hash) {
        return Ok(0);
    }
    if chunk.len() as u64 > CHUNK_BYTES || taken.chunks.len() >= CHUNKS_MAX {
        return Err(bad("the chunk store takes 100 chunks of 1 MiB"));
    }
    taken.chunks.insert(hash, chunk.to_vec());
    Ok(CHUNK_BYTES)
}

fn slice(taken: &Taken, kind: &SnapshotDataKind) -> Result<Vec<u8>, Reject> {
    if let SnapshotDataKind::WasmChunk { hash } = kind {
        let hash: Option<[u8; 32]> = hash.as_slice().try_into().ok();
        let chunk = hash.and_then(|hash| taken.chunks.get(&hash));
        return chunk
            .cloned()
            .ok_or_else(|| bad("no such chunk in the snapshot"));
    }
    let read = match &taken.content {
        Content::Uploaded(parts) => match *kind {
            SnapshotDataKind::WasmModule { offset, size } => parts.wasm.read(offset, size).ok(),
            SnapshotDataKind::WasmMemory { offset, size } => parts.heap.read(offset, size).ok(),
            SnapshotDataKind::StableMemory { offset, size } => parts.stable.read(offset, size).ok(),
            SnapshotDataKind::WasmChunk { .. } => None,
        },
        Content::Taken(image) => match *kind {
            SnapshotDataKind::WasmModule { offset, size } => {
                let wasm = image.module().wasm();
                offset
                    .checked_add(size)
                    .and_then(|end| wasm.get(offset as usize..end as usize))
                    .map(<[u8]>::to_vec)
            }
            SnapshotDataKind::WasmMemory { offset, size } => {
                let bytes = image.read_heap(offset, size);
                (bytes.len() as u64 == size).then_some(bytes)
            }
            SnapshotDataKind::StableMemory { offset, size } => {
                let mut bytes = vec![0; size as usize];
                let read = image.stable().read(offset, &mut bytes);
                read.is_ok().then_some(bytes)
            }
            SnapshotDataKind::WasmChunk { .. } => None,
        },
    };
    read.ok_or_else(outside)
}

fn metadata(taken: &Taken) -> ReadCanisterSnapshotMetadataResult {
    let (wasm, heap, stable, globals) = match &taken.content {
        Content::Taken(image) => (
            image.module().raw_bytes(),
            image.heap_bytes(),
            image.stable().size() * WASM_PAGE_BYTES,
            image.globals(),
        ),
        Content::Uploaded(parts) => (
            parts.wasm.bytes(),
            parts.heap.bytes(),
            parts.stable.bytes(),
            parts.globals(),
        ),
    };
    let chunks = taken.chunks.keys();
    ReadCanisterSnapshotMetadataResult {
        source: Some(taken.source()),
        taken_at_timestamp: taken.at_ns,
        wasm_module_size: wasm,
        globals: globals.iter().map(|global| Some(shown(global))).collect(),
        wasm_memory_size: heap,
        stable_memory_size: stable,
        wasm_chunk_store: chunks
            .map(|hash| ChunkHash {
                hash: hash.to_vec(),
            })
            .collect(),
        canister_version: taken.version,
        certified_data: taken.certified_data.clone(),
        global_timer: Some(match taken.timer_ns {
            0 => CanisterTimer::Inactive,
            timer_ns => CanisterTimer::Active(timer_ns),
        }),
        on_low_wasm_memory_hook_status: Some(match taken.low_memory {
            LowMemoryHook::NotSatisfied => OnLowWasmMemoryHookStatus::ConditionNotSatisfied,
            LowMemoryHook::Ready => OnLowWasmMemoryHookStatus::Ready,
            LowMemoryHook::Executed => OnLowWasmMemoryHookStatus::Executed,
        }),
    }
}

fn parts(args: &UploadCanisterSnapshotMetadataArgs) -> Result<Parts, Reject> {
    if args.globals.len() > GLOBALS_MAX {
        return Err(bad("a module has at most 1,000 globals"));
    }
    if args.certified_data.len() > CERTIFIED_DATA_BYTES_MAX {
        return Err(bad("certified data has at most 32 bytes"));
    }
    let globals: Result<Vec<_>, _> = args.globals.iter().map(stored).collect();
    Parts::new(
        args.wasm_module_size,
        args.wasm_memory_size,
        args.stable_memory_size,
        globals?,
    )
    .ok_or_else(|| bad("no canister has a module or memory of this size"))
}

fn shown(global: &GlobalValue) -> SnapshotMetadataGlobal {
    match *global {
        GlobalValue::I32(value) => SnapshotMetadataGlobal::I32(value.cast_signed()),
        GlobalValue::I64(value) => SnapshotMetadataGlobal::I64(value.cast_signed()),
        GlobalValue::F32(bits) => SnapshotMetadataGlobal::F32(f32::from_bits(bits)),
        GlobalValue::F64(bits) => SnapshotMetadataGlobal::F64(f64::from_bits(bits)),
        GlobalValue::V128(value) => SnapshotMetadataGlobal::V128(value.into()),
    }
}

fn stored(global: &SnapshotMetadataGlobal) -> Result<GlobalValue, Reject> {
    Ok(match global {
        SnapshotMetadataGlobal::I32(value) => GlobalValue::I32(value.cast_unsigned()),
        SnapshotMetadataGlobal::I64(value) => GlobalValue::I64(value.cast_unsigned()),
        SnapshotMetadataGlobal::F32(value) => GlobalValue::F32(value.to_bits()),
        SnapshotMetadataGlobal::F64(value) => GlobalValue::F64(value.to_bits()),
        SnapshotMetadataGlobal::V128(value) => GlobalValue::V128(u128_of(value, "v128")?),
    })
}

fn check_slice(bytes: u64) -> Result<(), Reject> {
    if bytes > SLICE_BYTES_MAX {
        return Err(bad("a call reads or writes at most 2,000,000 bytes"));
    }
    Ok(())
}

fn outside() -> Reject {
    bad("offset and size reach beyond what the snapshot's metadata says")
}

fn bad(reason: &str) -> Reject {
    Reject::new(ErrorCode::InvalidManagementPayload, reason)
}
