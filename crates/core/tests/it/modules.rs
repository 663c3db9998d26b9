//! Modules: what is staged, verified, stored, and what is refused.

use crate::fixture::{Root, WASM, module, refused, spec};
use hatchery_core::{Input, Reply};
use hatchery_types::{EffectKind, ModuleHash, Outcome, Reason, Value};
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
    let store = root.take(|kind| matches!(kind, EffectKind::StoreChunk { .. }));
    root.answer(&store[0], &[Outcome::Done(Value::Nothing)]);
    root.settle();
    assert_eq!(root.state.workers("workers", None, 10).len(), 1);
}
