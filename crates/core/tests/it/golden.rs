//! Images of the stable memory, one of each layout: written by the code of their time, opened by
//! this one, and never written again.
//!
//! A release whose layout has no image yet adds one:
//! `WRITE_IMAGE=1 UPDATE_EXPECT=1 cargo test -p hatchery-core --test it golden` writes it. Between
//! releases the newest layout may grow fields; every field must have a value for older images.

use crate::fixture::{OPERATOR, Root, WASM, canister, refused, spec};
use expect_test::expect_file;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use hatchery_core::{
    Answer, Command, CommandInput, Input, LAYOUT, Memories, RowFilter, State, check,
};
use hatchery_types::{
    EffectKind, ModuleHash, Nanos, OperationId, Outcome, Phase, Principal, Refusal,
};
use ic_stable_structures::memory_manager::{MemoryId, MemoryManager, VirtualMemory};
use ic_stable_structures::{Memory, StableCell, VectorMemory};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::path::PathBuf;

/// As in the canister: 1 MiB a bucket.
const BUCKET_PAGES: u16 = 16;

type Part = VirtualMemory<VectorMemory>;

fn image_path(layout: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/layout-{layout}.gz"))
}

/// Every layout that was released; the current one is written if that is wanted.
fn layouts() -> impl Iterator<Item = u32> {
    let path = image_path(LAYOUT);
    if !path.exists() && std::env::var_os("WRITE_IMAGE").is_some() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&image()).expect("a Vec takes bytes");
        let bytes = encoder.finish().expect("a Vec takes bytes");
        std::fs::write(&path, bytes).expect("the golden folder is there");
    }
    let current = path.exists().then_some(LAYOUT);
    (1..LAYOUT).chain(current)
}

fn load(layout: u32) -> VectorMemory {
    let path = image_path(layout);
    let file = std::fs::File::open(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; see the head of this file", path.display()));
    let memory = VectorMemory::default();
    GzDecoder::new(file)
        .read_to_end(&mut memory.borrow_mut())
        .expect("the image is gzip");
    memory
}

fn open(image: &VectorMemory) -> Result<State<Part>, hatchery_core::LayoutError> {
    let manager = MemoryManager::init_with_bucket_size(image.clone(), BUCKET_PAGES);
    State::open(Memories::new(|number| manager.get(MemoryId::new(number))))
}

/// A fleet with something of everything, as it lies in a canister's stable memory.
fn image() -> Vec<u8> {
    let root = story();
    let image = VectorMemory::default();
    let manager = MemoryManager::init_with_bucket_size(image.clone(), BUCKET_PAGES);
    for (number, memory) in root.memories().iter().enumerate() {
        let part = manager.get(MemoryId::new(number as u8));
        part.grow(memory.size());
        part.write(0, &memory.borrow());
    }
    drop(manager);
    image.borrow().clone()
}

/// Members in service, a spare canister, a failed one, one that is gone; effects under way, one
/// creation lost; a module half staged; answers to two callers.
fn story() -> Root {
    let mut root = Root::with(spec(2, 2, 4));
    root.settle();
    root.run(3);
    let member = root.state.workers("workers", None, 1)[0].0;
    root.report(member, 7);
    root.settle();
    for (number, code) in [(101, 5), (102, 3)] {
        root.import(canister(number));
        let reset = root.take(|kind| matches!(kind, EffectKind::Reset { .. }));
        root.answer(&reset[0], &[refused(code), refused(code), refused(code)]);
    }
    root.import(canister(103));
    let half = ModuleHash(Sha256::digest(b"half a module").into());
    root.feed(&Input::StageChunk {
        module: half,
        index: 0,
        bytes: WASM.to_vec(),
    });
    root.feed(&Input::Command(CommandInput {
        caller: Principal::from_slice(&[8, 2]),
        operation: OperationId("theirs".to_owned()),
        command: Command::RequeueFailed(Some(Vec::new())),
    }));
    root.feed(&Input::Apply(Box::new(spec(4, 2, 4))));
    root.tick();
    let creations = root.take(|kind| matches!(kind, EffectKind::Create { .. }));
    let lost = Outcome::Unknown(Refusal::new(0, "the reply could not be read"));
    root.answer(&creations[0], &[lost]);
    root
}

/// What layout 1 kept, in words of today: nothing of it may be lost.
fn kept<M: Memory>(state: &State<M>) -> String {
    let mut text = String::new();
    let header = state.header();
    let line = |text: &mut String, line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    line(
        &mut text,
        format!(
            "root {:?} incarnation {} started {} spec {} paused {} failures {}",
            header.root.map(|root| root.to_string()),
            header.incarnation,
            header.started_at.0,
            header.spec_generation,
            header.paused,
            header.create_failures
        ),
    );
    let spec = state.spec().expect("a spec was applied");
    line(
        &mut text,
        format!(
            "fleet {} controllers {} warm {:?} lanes {:?}",
            spec.name,
            spec.controllers.len(),
            (spec.warm_pool.minimum, spec.warm_pool.maximum),
            (spec.lanes.create, spec.lanes.reset, spec.lanes.install)
        ),
    );
    for row in state.rows(&RowFilter::of(None), None, 1_000).0 {
        write!(
            text,
            "row {} {} since {} role {:?} pool {:?} parent {:?} module {:?} ",
            row.canister, row.phase, row.since.0, row.role, row.pool, row.parent, row.module
        )
        .expect("a String takes text");
        line(
            &mut text,
            format!(
                "generation {} cycles {:?} at {} created {} attempts {} next {} reason {} effect \
                 {:?} stopped {} sample {:?} at {} in service {} unproven {}",
                row.generation,
                row.cycles.map(|cycles| cycles.0),
                row.cycles_at.0,
                row.created_at.0,
                row.attempts,
                row.next_attempt.0,
                row.reason,
                row.effect.map(|effect| effect.0),
                row.stopped,
                row.sample,
                row.sample_at.0,
                row.in_service_at.0,
                row.unproven
            ),
        );
    }
    for effect in state.effects(None, 1_000) {
        line(
            &mut text,
            format!(
                "effect {} {} {:?} started {} incarnation {} outcomes {}",
                effect.id,
                effect.kind,
                effect.canister.map(|canister| canister.to_string()),
                effect.started_at.0,
                effect.incarnation,
                effect.outcomes.iter().flatten().count()
            ),
        );
    }
    line(&mut text, format!("lost {}", state.lost_creations()));
    for pool in &spec.pools {
        let record = state.pool(&pool.name).expect("a pool has a record");
        line(
            &mut text,
            format!(
                "pool {} desired {} bootstrapped {} wishes {} steps {} reasons {} unmet {}",
                record.name,
                record.desired,
                record.bootstrapped,
                record.wishes.len(),
                record.steps.len(),
                record.reasons.len(),
                record.unmet
            ),
        );
    }
    for (hash, record) in state.modules() {
        let bytes = (0..record.chunks.len() as u32)
            .filter_map(|index| state.chunk(hash, index))
            .map(|chunk| chunk.len())
            .sum::<usize>();
        line(
            &mut text,
            format!(
                "module {hash} committed {} stored {} bytes {bytes}",
                record.committed, record.stored
            ),
        );
    }
    for (number, entry) in state.log(0, 1_000) {
        line(
            &mut text,
            format!(
                "event {number} at {} {:?} {:?} {:?} {}",
                entry.at.0,
                entry.canister.map(|canister| canister.to_string()),
                entry.pool,
                entry.phase,
                entry.reason
            ),
        );
    }
    for (caller, operation) in [
        (
            OPERATOR,
            format!("import {} {}", canister(101), Nanos::from_secs(1_003).0),
        ),
        (Principal::from_slice(&[8, 2]), "theirs".to_owned()),
    ] {
        let receipt = state.receipt(caller, &OperationId(operation.clone()));
        let receipt = receipt.expect("the answer is kept");
        let Answer::Counted(counted) = &receipt.answer else {
            panic!("another answer: {receipt:?}")
        };
        line(
            &mut text,
            format!(
                "receipt {operation} at {} payload {} added {} requeued {} skipped {}",
                receipt.at.0,
                receipt.payload,
                counted.added,
                counted.requeued,
                counted.skipped.len()
            ),
        );
    }
    text
}

#[test]
fn l08_every_layout_so_far_opens_with_all_it_kept() {
    for layout in layouts() {
        let image = load(layout);
        let state = open(&image).expect("an older layout opens");
        assert_eq!(state.header().layout, LAYOUT, "migrated from {layout}");
        assert_eq!(check(&state), Vec::new(), "layout {layout}");
        let path = image_path(layout).with_extension("txt");
        expect_file![path].assert_eq(&kept(&state));
    }
}

/// What was under way in the image goes on, and the fleet gets where its spec wants it.
#[test]
fn l08_a_root_of_an_older_layout_goes_on() {
    for layout in layouts() {
        let manager = MemoryManager::init_with_bucket_size(load(layout), BUCKET_PAGES);
        let mut root = Root::resume(Nanos::from_secs(2_000), |number| {
            manager.get(MemoryId::new(number))
        });
        root.run(90);
        let counts = root.state.counts();
        assert_eq!(counts.phase(Phase::InService), 2);
        assert!(counts.phase(Phase::Ready) >= 4, "layout {layout}");
    }
}

#[test]
fn l08_a_newer_layout_is_refused_and_nothing_is_written() {
    let image = load(1);
    {
        let manager = MemoryManager::init_with_bucket_size(image.clone(), BUCKET_PAGES);
        let mut header = StableCell::init(manager.get(MemoryId::new(0)), Vec::new());
        // A header of another time: its layout is the one thing it has in common with ours.
        let mut bytes = vec![0xa2, 0, LAYOUT as u8 + 1, 0x18, 99, 0x65];
        bytes.extend_from_slice(b"moons");
        header.set(bytes);
    }
    let before = image.borrow().clone();
    let Err(error) = open(&image) else {
        panic!("a newer layout was opened");
    };
    assert_eq!((error.found, error.known), (LAYOUT + 1, LAYOUT));
    let text = error.to_string();
    assert!(text.contains("install the newer root again"), "{text}");
    assert!(*image.borrow() == before, "something was written");
}
