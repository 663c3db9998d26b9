//! The chunk store and snapshots.

use candid::Nat;
use ic_principal::Principal;
use serde_bytes::ByteBuf;

use crate::backend::Plant;
use crate::case::cases;
use crate::check::{
    Checked, differ, fail, number, refused_with, replied, reply_seen, same, saw_reject, says,
};
use crate::management::{
    ChunkHash, DeleteSnapshotArg, LoadSnapshotArg, Snapshot, TakeSnapshotArg, about, chunked_arg,
    decode, encode, have, have_number, sha256, upload_arg,
};
use crate::modules::{universal, universal_twin};
use crate::program::{manage, program};
use crate::world::{T, World, encode_nothing, stranger};

cases! {
    "stores":
    "interface specification, upload_chunk" => upload_returns_the_hash(Plant::Answer);
    "interface specification, upload_chunk" => same_chunk_is_stored_once(Plant::Answer);
    "interface specification, upload_chunk" => chunk_above_a_mebibyte_is_refused(Plant::Answer);
    "interface specification, upload_chunk" => strangers_cannot_upload(Plant::Answer);
    "interface specification, upload_chunk" => canister_uploads_to_itself(Plant::Answer);
    "interface specification, stored_chunks" => stored_chunks_are_listed(Plant::Answer);
    "interface specification, clear_chunk_store" => store_can_be_cleared(Plant::Answer);
    "interface specification, install_chunked_code" => module_installs_from_chunks(Plant::Field("module_hash"));
    "interface specification, install_chunked_code" => module_installs_from_another_store(Plant::Field("module_hash"));
    "interface specification, install_chunked_code" => wrong_module_hash_is_refused(Plant::Answer);
    "interface specification, install_chunked_code" => missing_chunk_is_refused(Plant::Answer);
    "interface specification, install_chunked_code" => foreign_store_is_refused(Plant::Answer);
    "interface specification, uninstall_code" => uninstall_clears_the_chunk_store(Plant::Answer);
    "interface specification, Chunk store; a chunk counts a mebibyte" => chunk_counts_a_mebibyte(Plant::Field("wasm_chunk_store_size"));
    "interface specification, take_canister_snapshot" => snapshot_restores_heap_and_globals(Plant::Answer);
    "interface specification, take_canister_snapshot" => snapshot_restores_stable_memory(Plant::Answer);
    "interface specification, take_canister_snapshot" => snapshot_restores_the_module(Plant::Field("module_hash"));
    "interface specification, list_canister_snapshots" => snapshots_are_listed(Plant::Field("id"));
    "interface specification, delete_canister_snapshot" => snapshot_can_be_deleted(Plant::Answer);
    "interface specification, take_canister_snapshot" => snapshot_can_replace_another(Plant::Field("id"));
    "interface specification, take_canister_snapshot" => eleventh_snapshot_is_refused(Plant::Field("id"));
    "interface specification, take_canister_snapshot" => empty_canister_has_no_snapshot(Plant::Answer);
    "interface specification, load_canister_snapshot" => unknown_snapshot_is_refused(Plant::Answer);
    "interface specification, load_canister_snapshot" => loading_is_one_version(Plant::Answer);
    "interface specification, load_canister_snapshot" => snapshot_survives_uninstall(Plant::Answer);
    "interface specification, load_canister_snapshot" => snapshot_leaves_settings_and_cycles(Plant::Answer);
    "interface specification, load_canister_snapshot" => snapshot_loads_onto_another_canister(Plant::Answer);
}

fn upload(w: &mut World<'_>, id: Principal, chunk: &[u8]) -> Checked<ChunkHash> {
    decode(&replied(w.manage("upload_chunk", upload_arg(id, chunk))?)?)
}

/// The chunk store must hold exactly these chunks.
#[track_caller]
fn stores(w: &mut World<'_>, id: Principal, chunks: &[&[u8]]) -> Checked<()> {
    let reply = replied(w.manage("stored_chunks", about(id))?)?;
    let listed = decode::<Vec<ChunkHash>>(&reply)?;
    let mut listed: Vec<Vec<u8>> = listed
        .into_iter()
        .map(|chunk| chunk.hash.into_vec())
        .collect();
    listed.sort();
    let mut wanted: Vec<Vec<u8>> = chunks.iter().map(|chunk| sha256(chunk)).collect();
    wanted.sort();
    same(listed, wanted)
}

fn upload_returns_the_hash(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    same(
        upload(w, id, b"some bytes")?.hash,
        ByteBuf::from(sha256(b"some bytes")),
    )
}

fn same_chunk_is_stored_once(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    upload(w, id, b"twice")?;
    upload(w, id, b"twice")?;
    stores(w, id, &[b"twice"])
}

fn chunk_above_a_mebibyte_is_refused(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    upload(w, id, &vec![1; 1 << 20])?;
    let answer = w.manage("upload_chunk", upload_arg(id, &vec![1; (1 << 20) + 1]))?;
    match answer {
        Err(reject) => same(reject.code == 5 || reject.code == 4, true)?,
        Ok(_) => return fail("a chunk of more than a mebibyte is accepted"),
    }
    stores(w, id, &[&vec![1; 1 << 20]])
}

fn strangers_cannot_upload(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    let answer = w.manage_as(stranger(), "upload_chunk", upload_arg(id, b"x"))?;
    refused_with(answer, 5, &[512])
}

fn canister_uploads_to_itself(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    reply_seen(w.run(
        id,
        &program().call(&manage("upload_chunk", upload_arg(id, b"own"))),
    )?)?;
    stores(w, id, &[b"own"])
}

fn stored_chunks_are_listed(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    let chunks = [b"one".as_slice(), b"two", b"three"];
    for chunk in chunks {
        upload(w, id, chunk)?;
    }
    stores(w, id, &chunks)
}

fn store_can_be_cleared(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    upload(w, id, b"gone")?;
    replied(w.manage("clear_chunk_store", about(id))?)?;
    stores(w, id, &[])
}

fn halves() -> (&'static [u8], &'static [u8]) {
    universal().split_at(universal().len() / 2)
}

fn module_installs_from_chunks(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    let (front, back) = halves();
    // The order of uploads does not matter, the order of the list does.
    upload(w, id, back)?;
    upload(w, id, front)?;
    let arg = chunked_arg(id, None, &[front, back], universal());
    replied(w.manage("install_chunked_code", arg)?)?;
    same(
        w.status(id)?.module_hash,
        Some(ByteBuf::from(sha256(universal()))),
    )
}

fn module_installs_from_another_store(w: &mut World<'_>) -> Checked<()> {
    let (store, id) = (w.empty(100 * T)?, w.empty(100 * T)?);
    let (front, back) = halves();
    upload(w, store, front)?;
    upload(w, store, back)?;
    let arg = chunked_arg(id, Some(store), &[front, back], universal());
    replied(w.manage("install_chunked_code", arg)?)?;
    same(
        w.status(id)?.module_hash,
        Some(ByteBuf::from(sha256(universal()))),
    )
}

fn wrong_module_hash_is_refused(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    upload(w, id, universal())?;
    let arg = chunked_arg(id, None, &[universal()], universal_twin());
    same(w.manage("install_chunked_code", arg)?.is_err(), true)?;
    // It is still empty: an install succeeds.
    let answer = w.try_install(
        id,
        crate::management::InstallMode::install,
        universal(),
        &program(),
    )?;
    says(answer, encode_nothing())
}

fn missing_chunk_is_refused(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    let (front, back) = halves();
    upload(w, id, front)?;
    let arg = chunked_arg(id, None, &[front, back], universal());
    same(w.manage("install_chunked_code", arg)?.is_err(), true)?;
    stores(w, id, &[front])
}

fn foreign_store_is_refused(w: &mut World<'_>) -> Checked<()> {
    let parent = w.canister()?;
    let (child, store) = (w.empty_child_of(parent)?, w.empty(100 * T)?);
    upload(w, store, universal())?;
    let arg = chunked_arg(child, Some(store), &[universal()], universal());
    saw_reject(
        w.run(
            parent,
            &program().call(&manage("install_chunked_code", arg)),
        )?,
        5,
    )
}

fn uninstall_clears_the_chunk_store(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    upload(w, id, b"gone")?;
    w.uninstall(id)?;
    stores(w, id, &[])
}

fn chunk_counts_a_mebibyte(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    upload(w, id, b"short")?;
    upload(w, id, b"shorter")?;
    let metrics = have(w.status(id)?.memory_metrics)?;
    same(have_number(metrics.wasm_chunk_store_size)?, 2 << 20)
}

fn load(
    w: &mut World<'_>,
    canister_id: Principal,
    snapshot: &Snapshot,
) -> Checked<crate::backend::Answer> {
    let arg = encode(&LoadSnapshotArg {
        canister_id,
        snapshot_id: have(snapshot.id.clone())?,
        sender_canister_version: None,
    });
    w.manage("load_canister_snapshot", arg)
}

fn list(w: &mut World<'_>, id: Principal) -> Checked<Vec<Snapshot>> {
    decode(&replied(w.manage("list_canister_snapshots", about(id))?)?)
}

fn snapshot_restores_heap_and_globals(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().bump(0, 5).number(17).global_set())?;
    let snapshot = w.snapshot(id)?;
    w.act(id, &program().bump(0, 5).number(18).global_set())?;
    replied(load(w, id, &snapshot)?)?;
    same(w.counter(id, 0)?, 5)?;
    same(number(w.ask(id, &program().global_get().reply())?)?, 17)
}

fn snapshot_restores_stable_memory(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().number(1).stable_grow().store(9, "first"))?;
    let snapshot = w.snapshot(id)?;
    w.act(id, &program().number(1).stable_grow().store(9, "other"))?;
    replied(load(w, id, &snapshot)?)?;
    same(number(w.ask(id, &program().stable_size().reply())?)?, 1)?;
    says(w.ask(id, &program().load(9, 5).reply())?, "first")
}

fn snapshot_restores_the_module(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let snapshot = w.snapshot(id)?;
    w.upgrade(id, universal_twin(), &program())?;
    replied(load(w, id, &snapshot)?)?;
    same(
        w.status(id)?.module_hash,
        Some(ByteBuf::from(sha256(universal()))),
    )
}

fn snapshots_are_listed(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let first = have(w.snapshot(id)?.id)?;
    let second = have(w.snapshot(id)?.id)?;
    differ(first.clone(), second.clone())?;
    let listed = list(w, id)?;
    let ids: Vec<ByteBuf> = listed
        .iter()
        .filter_map(|snapshot| snapshot.id.clone())
        .collect();
    same(ids, vec![first, second])?;
    let sizes_and_times = listed
        .iter()
        .all(|s| s.total_size > Some(0) && s.taken_at_timestamp > Some(0));
    same(sizes_and_times, true)
}

fn snapshot_can_be_deleted(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let snapshot = w.snapshot(id)?;
    let arg = encode(&DeleteSnapshotArg {
        canister_id: id,
        snapshot_id: have(snapshot.id.clone())?,
    });
    replied(w.manage("delete_canister_snapshot", arg)?)?;
    same(list(w, id)?.len(), 0)?;
    refused_with(load(w, id, &snapshot)?, 3, &[305])
}

fn snapshot_can_replace_another(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let first = have(w.snapshot(id)?.id)?;
    let arg = encode(&TakeSnapshotArg {
        canister_id: id,
        replace_snapshot: Some(first.clone()),
    });
    let second: Snapshot = decode(&replied(w.manage("take_canister_snapshot", arg)?)?)?;
    let listed: Vec<Option<ByteBuf>> = list(w, id)?.into_iter().map(|s| s.id).collect();
    same(listed, vec![second.id])
}

fn eleventh_snapshot_is_refused(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let taken = (0..10)
        .map(|_| w.snapshot(id))
        .collect::<Checked<Vec<Snapshot>>>()?;
    let arg = encode(&TakeSnapshotArg {
        canister_id: id,
        replace_snapshot: None,
    });
    same(w.manage("take_canister_snapshot", arg)?.is_err(), true)?;
    let ids = |snapshots: Vec<Snapshot>| snapshots.into_iter().map(|s| s.id).collect::<Vec<_>>();
    same(ids(list(w, id)?), ids(taken))
}

fn empty_canister_has_no_snapshot(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    let arg = encode(&TakeSnapshotArg {
        canister_id: id,
        replace_snapshot: None,
    });
    same(
        w.manage("take_canister_snapshot", arg)?
            .map_err(|reject| reject.code),
        Err(5),
    )
}

fn unknown_snapshot_is_refused(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let snapshot = Snapshot {
        id: Some(ByteBuf::from([[0; 8].as_slice(), id.as_slice()].concat())),
        total_size: None,
        taken_at_timestamp: None,
    };
    refused_with(load(w, id, &snapshot)?, 3, &[305])
}

fn loading_is_one_version(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let snapshot = w.snapshot(id)?;
    let before = number(w.ask(id, &program().version().reply())?)?;
    replied(load(w, id, &snapshot)?)?;
    same(
        number(w.ask(id, &program().version().reply())?)?,
        before + 1,
    )
}

fn snapshot_survives_uninstall(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().bump(0, 5))?;
    let snapshot = w.snapshot(id)?;
    w.uninstall(id)?;
    replied(load(w, id, &snapshot)?)?;
    same(w.counter(id, 0)?, 5)
}

fn snapshot_leaves_settings_and_cycles(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let snapshot = w.snapshot(id)?;
    let settings = crate::management::SettingsArg {
        freezing_threshold: Some(Nat::from(77u8)),
        ..crate::management::SettingsArg::default()
    };
    w.set(id, settings)?;
    w.add_cycles(id, 50 * T)?;
    let before = w.cycles(id)?;
    replied(load(w, id, &snapshot)?)?;
    same(before.wrapping_sub(w.cycles(id)?) < T, true)?;
    same(
        have_number(have(w.status(id)?.settings)?.freezing_threshold)?,
        77,
    )?;
    says(w.ask(id, &program().say("alive"))?, "alive")
}

fn snapshot_loads_onto_another_canister(w: &mut World<'_>) -> Checked<()> {
    let (from, to) = (w.canister()?, w.canister()?);
    w.act(from, &program().bump(0, 5))?;
    let snapshot = w.snapshot(from)?;
    match load(w, to, &snapshot)? {
        Ok(_) => same(w.counter(to, 0)?, 5),
        // Before specification 0.50 a snapshot belonged to its canister alone.
        Err(reject) if w.backend.name() == "pocketic" => same(reject.code >= 3, true),
        Err(reject) => fail(format_args!("refused: {reject:?}")),
    }
}
