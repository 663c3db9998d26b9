//! What canisters store beside their memory: chunks, snapshots, metadata.

use hatchery_engine::{Engine, ErrorCode, InstallMode, RejectCode};
use ic_management_canister_types::{
    CanisterMetadataArgs, CanisterMetadataResult, ChunkHash, DeleteCanisterSnapshotArgs,
    InstallChunkedCodeArgs, LoadCanisterSnapshotArgs, ReadCanisterSnapshotDataArgs,
    ReadCanisterSnapshotDataResult, ReadCanisterSnapshotMetadataArgs,
    ReadCanisterSnapshotMetadataResult, Snapshot, SnapshotDataKind, SnapshotDataOffset,
    TakeCanisterSnapshotArgs, UploadCanisterSnapshotDataArgs, UploadCanisterSnapshotMetadataArgs,
    UploadCanisterSnapshotMetadataResult, UploadChunkArgs,
};
use sha2::{Digest, Sha256};

use super::puppet::*;

fn refused(engine: &mut Engine, method: &str, arg: Vec<u8>) -> ErrorCode {
    managed(engine, method, arg).expect_err("refused").error
}

#[test]
fn a_large_module_goes_through_the_chunk_store() {
    let mut engine = engine();
    let id = engine.create_canister(owner(), 100 * T);
    let wide = wasm_with(&format!(
        r#"(data (i32.const 20000) "{}")"#,
        "x".repeat(200_000)
    ));
    let padded = [wide.clone(), custom_section(2_500_000)].concat();
    engine
        .install(owner(), id, &padded, Vec::new(), InstallMode::Install)
        .unwrap();
    let view = engine.canister(id).unwrap();
    assert_eq!(view.module_hash, Some(Sha256::digest(&padded).into()));
    assert_eq!(view.chunks, 3);
}

#[test]
fn chunks_are_checked() {
    let mut engine = engine();
    let id = engine.create_canister(owner(), 100 * T);
    let upload = |chunk: Vec<u8>| {
        encode(&UploadChunkArgs {
            canister_id: id,
            chunk,
        })
    };
    assert_eq!(
        refused(&mut engine, "upload_chunk", upload(vec![0; (1 << 20) + 1])),
        ErrorCode::CanisterContractViolation
    );
    let (front, back) = wasm().split_at(1_000);
    for part in [back, front] {
        managed(&mut engine, "upload_chunk", upload(part.to_vec())).unwrap();
    }
    let stored: Vec<ChunkHash> = decode(&managed(&mut engine, "stored_chunks", about(id)).unwrap());
    assert_eq!(stored.len(), 2);
    let hash = |bytes: &[u8]| Sha256::digest(bytes).to_vec();
    let install = |parts: &[&[u8]], module: Vec<u8>| {
        encode(&InstallChunkedCodeArgs {
            mode: InstallMode::Install.into(),
            target_canister: id,
            store_canister: None,
            chunk_hashes_list: parts
                .iter()
                .map(|part| ChunkHash { hash: hash(part) })
                .collect(),
            wasm_module_hash: module,
            arg: Vec::new(),
            sender_canister_version: None,
        })
    };
    let violation = ErrorCode::CanisterContractViolation;
    assert_eq!(
        refused(
            &mut engine,
            "install_chunked_code",
            install(&[back, front], hash(wasm()))
        ),
        violation
    );
    assert_eq!(
        refused(
            &mut engine,
            "install_chunked_code",
            install(&[front, b"missing"], hash(wasm()))
        ),
        violation
    );
    assert_eq!(engine.canister(id).unwrap().module_hash, None);
    managed(
        &mut engine,
        "install_chunked_code",
        install(&[front, back], hash(wasm())),
    )
    .unwrap();
    assert!(engine.canister(id).unwrap().module_hash.is_some());
    managed(&mut engine, "clear_chunk_store", about(id)).unwrap();
    assert_eq!(engine.canister(id).unwrap().chunks, 0);
}

#[test]
fn metadata_is_public_or_for_controllers() {
    let mut engine = engine();
    let [reader, controller] = [(); 2].map(|()| puppet(&mut engine));
    let wasm =
        wasm_with(r#"(@custom "icp:public name" "open") (@custom "icp:private secret" "closed")"#);
    let id = puppet_with(&mut engine, 10 * T, &wasm, &program());
    engine.set_controllers(id, vec![controller]);
    let mut read = |by, name: &str| {
        let arg = encode(&CanisterMetadataArgs {
            canister_id: id,
            name: name.to_owned(),
        });
        run(
            &mut engine,
            by,
            &program().call(&manage("canister_metadata", arg)),
        )
        .unwrap()
    };
    assert_eq!(
        decode::<CanisterMetadataResult>(&read(reader, "name")).value,
        b"open"
    );
    assert_eq!(
        decode::<CanisterMetadataResult>(&read(controller, "secret")).value,
        b"closed"
    );
    assert_eq!(
        number(&read(reader, "secret")),
        RejectCode::CanisterReject as u64
    );
    assert_eq!(
        number(&read(controller, "none")),
        RejectCode::CanisterReject as u64
    );
}

#[test]
fn snapshots_bring_everything_back() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    run(
        &mut engine,
        id,
        &program()
            .count(1)
            .stable_grow(1)
            .stable_write(0, b"then")
            .certify(b"then")
            .reply(),
    )
    .unwrap();
    let taken: Snapshot =
        decode(&managed(&mut engine, "take_canister_snapshot", about(id)).unwrap());
    run(
        &mut engine,
        id,
        &program()
            .count(1)
            .stable_write(0, b"now!")
            .certify(b"now!")
            .reply(),
    )
    .unwrap();
    managed(&mut engine, "uninstall_code", about(id)).unwrap();
    let load = encode(&LoadCanisterSnapshotArgs {
        canister_id: id,
        snapshot_id: taken.id.clone(),
        sender_canister_version: None,
    });
    managed(&mut engine, "load_canister_snapshot", load.clone()).unwrap();
    let answer = ask(&mut engine, id, &program().stable(0, 4).counter(1).reply()).unwrap();
    assert_eq!((&answer[..4], number(&answer[4..])), (&b"then"[..], 1));
    assert_eq!(engine.canister(id).unwrap().certified_data, b"then");
    let list: Vec<Snapshot> =
        decode(&managed(&mut engine, "list_canister_snapshots", about(id)).unwrap());
    assert_eq!(list, std::slice::from_ref(&taken));
    let delete = encode(&DeleteCanisterSnapshotArgs {
        canister_id: id,
        snapshot_id: taken.id,
    });
    managed(&mut engine, "delete_canister_snapshot", delete).unwrap();
    assert_eq!(engine.canister(id).unwrap().snapshot_bytes, 0);
    assert_eq!(
        refused(&mut engine, "load_canister_snapshot", load),
        ErrorCode::CanisterSnapshotNotFound
    );
}

#[test]
fn a_canister_has_at_most_ten_snapshots() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    for _ in 0..10 {
        managed(&mut engine, "take_canister_snapshot", about(id)).unwrap();
    }
    assert_eq!(
        refused(&mut engine, "take_canister_snapshot", about(id)),
        ErrorCode::CanisterRejectedMessage
    );
}

/// A custom section of about so many bytes.
fn custom_section(bytes: usize) -> Vec<u8> {
    let mut size = Vec::new();
    let mut left = bytes + 4;
    while left >= 128 {
        size.push((left % 128) as u8 | 128);
        left /= 128;
    }
    size.push(left as u8);
    [vec![0], size, vec![3], b"pad".to_vec(), vec![0; bytes]].concat()
}

/// A snapshot read piece by piece and uploaded to another canister gives the same canister.
#[test]
fn snapshots_travel() {
    let mut engine = engine();
    let (from, to) = (
        puppet(&mut engine),
        engine.create_canister(owner(), 100 * T),
    );
    let state = program()
        .count(7)
        .stable_grow(2)
        .stable_write(70_000, b"far");
    run(
        &mut engine,
        from,
        &state.certify(b"data").timer_in(SECOND).reply(),
    )
    .unwrap();
    let chunk = encode(&UploadChunkArgs {
        canister_id: from,
        chunk: b"a chunk".to_vec(),
    });
    managed(&mut engine, "upload_chunk", chunk).unwrap();
    let id = take(&mut engine, from);
    let read = encode(&ReadCanisterSnapshotMetadataArgs {
        canister_id: from,
        snapshot_id: id.clone(),
    });
    let read = managed(&mut engine, "read_canister_snapshot_metadata", read).unwrap();
    let metadata: ReadCanisterSnapshotMetadataResult = decode(&read);
    assert_eq!(metadata.wasm_module_size, wasm().len() as u64);
    assert_eq!(metadata.stable_memory_size, 2 << 16);
    assert_eq!(metadata.certified_data, b"data");
    let upload = encode(&UploadCanisterSnapshotMetadataArgs {
        canister_id: to,
        replace_snapshot: None,
        wasm_module_size: metadata.wasm_module_size,
        globals: metadata.globals.into_iter().flatten().collect(),
        wasm_memory_size: metadata.wasm_memory_size,
        stable_memory_size: metadata.stable_memory_size,
        certified_data: metadata.certified_data,
        global_timer: metadata.global_timer,
        on_low_wasm_memory_hook_status: metadata.on_low_wasm_memory_hook_status,
    });
    let uploaded = managed(&mut engine, "upload_canister_snapshot_metadata", upload).unwrap();
    let uploaded: UploadCanisterSnapshotMetadataResult = decode(&uploaded);
    let load = encode(&LoadCanisterSnapshotArgs {
        canister_id: to,
        snapshot_id: uploaded.snapshot_id.clone(),
        sender_canister_version: None,
    });
    let early = refused(&mut engine, "load_canister_snapshot", load.clone());
    assert_eq!(
        early,
        ErrorCode::CanisterInvalidWasm,
        "nothing is uploaded yet"
    );

    let hash = metadata.wasm_chunk_store[0].hash.clone();
    let pieces = [
        (
            SnapshotDataKind::WasmChunk { hash },
            SnapshotDataOffset::WasmChunk,
        ),
        (
            SnapshotDataKind::WasmModule {
                offset: 0,
                size: metadata.wasm_module_size,
            },
            SnapshotDataOffset::WasmModule { offset: 0 },
        ),
        (
            SnapshotDataKind::WasmMemory {
                offset: 0,
                size: metadata.wasm_memory_size,
            },
            SnapshotDataOffset::WasmMemory { offset: 0 },
        ),
        (
            SnapshotDataKind::StableMemory {
                offset: 4_096,
                size: 100_000,
            },
            SnapshotDataOffset::StableMemory { offset: 4_096 },
        ),
    ];
    for (kind, offset) in pieces {
        let read = encode(&ReadCanisterSnapshotDataArgs {
            canister_id: from,
            snapshot_id: id.clone(),
            kind,
        });
        let read = managed(&mut engine, "read_canister_snapshot_data", read).unwrap();
        let write = encode(&UploadCanisterSnapshotDataArgs {
            canister_id: to,
            snapshot_id: uploaded.snapshot_id.clone(),
            kind: offset,
            chunk: decode::<ReadCanisterSnapshotDataResult>(&read).chunk,
        });
        managed(&mut engine, "upload_canister_snapshot_data", write).unwrap();
    }
    managed(&mut engine, "load_canister_snapshot", load).unwrap();
    assert_eq!(counter(&mut engine, to, 7), 1);
    let stable = ask(&mut engine, to, &program().stable(70_000, 3).reply()).unwrap();
    assert_eq!(stable, b"far");
    let view = engine.canister(to).unwrap();
    assert_eq!(view.chunks, 1);
    assert_balanced(&engine);
}

#[test]
fn travelling_snapshots_are_checked() {
    let mut engine = engine();
    let id = puppet(&mut engine);
    let snapshot_id = take(&mut engine, id);
    let read = |kind| {
        encode(&ReadCanisterSnapshotDataArgs {
            canister_id: id,
            snapshot_id: snapshot_id.clone(),
            kind,
        })
    };
    let bad = ErrorCode::InvalidManagementPayload;
    for (offset, size) in [
        (0, 2_000_001),
        (u64::MAX, 1),
        (u64::MAX, u64::MAX),
        (0, 1 << 63),
    ] {
        let heap = read(SnapshotDataKind::WasmMemory { offset, size });
        assert_eq!(
            refused(&mut engine, "read_canister_snapshot_data", heap),
            bad
        );
        let stable = read(SnapshotDataKind::StableMemory { offset, size });
        assert_eq!(
            refused(&mut engine, "read_canister_snapshot_data", stable),
            bad
        );
        let module = read(SnapshotDataKind::WasmModule { offset, size });
        assert_eq!(
            refused(&mut engine, "read_canister_snapshot_data", module),
            bad
        );
    }
    let write = encode(&UploadCanisterSnapshotDataArgs {
        canister_id: id,
        snapshot_id: snapshot_id.clone(),
        kind: SnapshotDataOffset::WasmMemory { offset: 0 },
        chunk: vec![1],
    });
    assert_eq!(
        refused(&mut engine, "upload_canister_snapshot_data", write),
        ErrorCode::CanisterSnapshotImmutable
    );
    let huge = encode(&UploadCanisterSnapshotMetadataArgs {
        canister_id: id,
        replace_snapshot: None,
        wasm_module_size: u64::MAX,
        globals: Vec::new(),
        wasm_memory_size: 0,
        stable_memory_size: 0,
        certified_data: Vec::new(),
        global_timer: None,
        on_low_wasm_memory_hook_status: None,
    });
    assert_eq!(
        refused(&mut engine, "upload_canister_snapshot_metadata", huge),
        bad
    );
}

fn take(engine: &mut Engine, canister_id: hatchery_engine::Principal) -> Vec<u8> {
    let take = encode(&TakeCanisterSnapshotArgs {
        canister_id,
        replace_snapshot: None,
        uninstall_code: None,
        sender_canister_version: None,
    });
    let taken = managed(engine, "take_canister_snapshot", take).unwrap();
    decode::<Snapshot>(&taken).id
}
