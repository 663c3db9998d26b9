//! Modules: what is staged, verified, stored, and what is refused.

use crate::fixture::{Root, WASM, module, refused, spec};
use hatchery_core::{Input, Reply};
use hatchery_types::{EffectKind, ModuleHash, Nanos, Outcome, Reason, Value};
use sha2::{Digest, Sha256};

fn hash(bytes: &[u8]) -> ModuleHash {
    ModuleHash(Sha256::digest(bytes).into())
}

fn stage(root: &mut Root, module: ModuleHash, index: u32, bytes: &[u8]) -> Reply {
    let bytes = bytes.to_vec();
    root.feed(&Input::StageChunk {
        module,
        index,
        bytes,
    })
    .reply
}

fn commit(root: &mut Root, module: ModuleHash, chunks: u32) -> Reply {
    root.feed(&Input::CommitModule { module, chunks }).reply
}

fn refusal(reply: &Reply) -> Option<&Reason> {
    match reply {
        Reply::Refused(reason, _) => Some(reason),
        _ => None,
    }
}

#[test]
fn l19_wrong_hash_no_wasm_and_truncated_modules_are_refused() {
    let mut root = Root::bare();
    let other = hash(b"other");
    assert_eq!(refusal(&stage(&mut root, other, 0, WASM)), None);
    assert_eq!(
        refusal(&commit(&mut root, other, 1)),
        Some(&Reason::HashMismatch)
    );
    assert_eq!(
        root.state.module(other),
        None,
        "dropped, to be staged again"
    );

    let text = b"#!/bin/sh";
    assert_eq!(
        refusal(&stage(&mut root, hash(text), 0, text)),
        Some(&Reason::NotWasm)
    );

    let truncated = b"\0asm\x01\0\0\0\x01\x04\x01\x60";
    stage(&mut root, hash(truncated), 0, truncated);
    assert_eq!(
        refusal(&commit(&mut root, hash(truncated), 1)),
        Some(&Reason::NotWasm)
    );
}

#[test]
fn l19_chunks_come_in_order_and_may_be_repeated() {
    let mut root = Root::bare();
    let (first, second) = (&WASM[..5], &WASM[5..]);
    assert_eq!(
        refusal(&stage(&mut root, module(), 1, second)),
        Some(&Reason::ChunkOutOfOrder),
        "nothing before it"
    );
    assert_eq!(refusal(&stage(&mut root, module(), 0, first)), None);
    assert_eq!(
        refusal(&stage(&mut root, module(), 0, first)),
        None,
        "resumed"
    );
    assert_eq!(
        refusal(&stage(&mut root, module(), 0, second)),
        Some(&Reason::ChunkOutOfOrder),
        "another piece in its place"
    );
    assert_eq!(
        refusal(&commit(&mut root, module(), 2)),
        Some(&Reason::ChunkOutOfOrder)
    );
    assert_eq!(refusal(&stage(&mut root, module(), 1, second)), None);
    assert_eq!(refusal(&commit(&mut root, module(), 2)), None);
    assert_eq!(
        refusal(&commit(&mut root, module(), 2)),
        None,
        "committed twice"
    );
    assert_eq!(
        refusal(&stage(&mut root, module(), 2, b"x")),
        Some(&Reason::ChunkOutOfOrder)
    );
}

#[test]
fn chunks_and_modules_are_bounded() {
    let mut root = Root::bare();
    let big = vec![0; 1024 * 1024 + 1];
    assert_eq!(
        refusal(&stage(&mut root, hash(&big), 0, &big)),
        Some(&Reason::OverLimit)
    );
    assert_eq!(
        refusal(&stage(&mut root, hash(b""), 0, b"")),
        Some(&Reason::OverLimit)
    );
    let taken = (0..200u32).filter(|n| {
        let bytes = [WASM, &n.to_be_bytes()].concat();
        refusal(&stage(&mut root, hash(&bytes), 0, &bytes)).is_none()
    });
    assert_eq!(taken.count(), 50);
}

#[test]
fn a_refused_chunk_is_stored_again_and_nothing_is_installed_before() {
    let mut root = Root::bare();
    root.feed(&Input::Apply(Box::new(spec(1, 1, 1))));
    stage(&mut root, module(), 0, WASM);
    commit(&mut root, module(), 1);
    root.tick();
    let store = root.take(|kind| matches!(kind, EffectKind::StoreChunk { .. }));
    root.answer(&store[0], &[refused(5)]);
    root.settle();
    assert!(root.state.workers("workers", None, 10).is_empty());
    root.later(2);
    root.settle();
    assert_eq!(root.state.workers("workers", None, 10).len(), 1);
}

/// A root after an upgrade, asked what its chunk store holds.
fn upgraded(there: &[ModuleHash]) -> Root {
    let mut root = Root::with(spec(1, 1, 1));
    root.settle();
    root.upgrade();
    root.tick();
    let check = root.take(|kind| *kind == EffectKind::CheckStore);
    root.answer(&check[0], &[Outcome::Done(Value::Chunks(there.to_vec()))]);
    root
}

#[test]
fn l25_the_chunk_store_is_looked_at_after_an_upgrade_and_only_what_is_missing_is_stored() {
    let mut root = upgraded(&[module()]);
    assert!(root.state.module(module()).expect("held").is_installable());
    assert_eq!(
        root.take(|kind| matches!(kind, EffectKind::StoreChunk { .. }))
            .len(),
        0
    );

    let mut root = upgraded(&[]);
    assert!(!root.state.module(module()).expect("held").is_installable());
    assert_eq!(
        root.take(|kind| matches!(kind, EffectKind::StoreChunk { .. }))
            .len(),
        1
    );
}

#[test]
fn l25_a_store_that_was_cleared_is_found_out_by_the_first_refused_install() {
    let mut root = Root::with(spec(1, 1, 1));
    root.settle_until(|kind| matches!(kind, EffectKind::Install { .. }));
    let install = root.take(|kind| matches!(kind, EffectKind::Install { .. }));
    root.answer(&install[0], &[Outcome::Done(Value::Nothing), refused(5)]);
    let check = root.take(|kind| *kind == EffectKind::CheckStore);
    root.answer(&check[0], &[Outcome::Done(Value::Chunks(Vec::new()))]);
    let store = root.take(|kind| matches!(kind, EffectKind::StoreChunk { .. }));
    assert_eq!(store.len(), 1, "filled from root's own memory");
    root.answer(&store[0], &[Outcome::Done(Value::Nothing)]);
    assert!(root.state.module(module()).expect("held").is_installable());
}

#[test]
fn l25_a_full_store_is_emptied_and_filled_with_what_is_needed() {
    let foreign: Vec<ModuleHash> = (0..100).map(|n| hash(&[n])).collect();
    let mut root = upgraded(&foreign);
    assert_eq!(
        root.take(|kind| matches!(kind, EffectKind::StoreChunk { .. }))
            .len(),
        0
    );
    let clear = root.take(|kind| *kind == EffectKind::ClearStore);
    root.answer(&clear[0], &[Outcome::Done(Value::Nothing)]);
    let store = root.take(|kind| matches!(kind, EffectKind::StoreChunk { .. }));
    assert_eq!(store.len(), 1);
}

#[test]
fn l25_a_look_at_the_store_that_fails_is_repeated_after_a_wait() {
    let mut root = Root::with(spec(1, 1, 1));
    root.settle();
    root.upgrade();
    for wait in [2, 4, 8] {
        root.tick();
        let check = root.take(|kind| *kind == EffectKind::CheckStore);
        root.answer(&check[0], &[refused(2)]);
        assert_eq!(
            root.take(|kind| *kind == EffectKind::CheckStore).len(),
            0,
            "not at once"
        );
        root.now = root.now + Nanos::from_secs(wait);
    }
}

#[test]
fn a_module_that_no_role_names_goes_after_a_day() {
    let mut root = Root::with(spec(0, 0, 0));
    let other = [WASM, b"\0\x01\0"].concat();
    assert_eq!(refusal(&stage(&mut root, hash(&other), 0, &other)), None);
    assert_eq!(refusal(&commit(&mut root, hash(&other), 1)), None);
    root.settle();
    root.later(24 * 3_600 - 1);
    assert!(root.state.module(hash(&other)).is_some());
    root.later(1);
    assert_eq!(root.state.module(hash(&other)), None);
    assert!(
        root.state.module(module()).is_some(),
        "the role's own stays"
    );
}

#[test]
fn a_replaced_module_is_kept_for_a_day_and_makes_room_earlier() {
    let mut root = Root::with(spec(0, 0, 0));
    let next = [WASM, b"\0\x01\0"].concat();
    stage(&mut root, hash(&next), 0, &next);
    commit(&mut root, hash(&next), 1);
    let mut other = spec(0, 0, 0);
    other.roles[0].module = hash(&next);
    root.feed(&Input::Apply(Box::new(other)));
    root.tick();
    assert!(root.state.module(module()).is_some(), "for a step back");
    for n in 0..60u32 {
        let bytes = [WASM, &n.to_be_bytes()].concat();
        stage(&mut root, hash(&bytes), 0, &bytes);
    }
    assert_eq!(root.state.module(module()), None);
    assert!(root.state.module(hash(&next)).is_some());
}
