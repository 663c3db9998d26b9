//! What canisters store beside their memory: chunks, snapshots, metadata.

use hatchery_engine::{Engine, ErrorCode, InstallMode, RejectCode};
use ic_management_canister_types::{
    CanisterMetadataArgs, CanisterMetadataResult, ChunkHash, DeleteCanisterSnapshotArgs,
    InstallChunkedCodeArgs, LoadCanisterSnapshotArgs, Snapshot, UploadChunkArgs,
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
