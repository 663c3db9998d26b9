//! State beyond one instance: images and their bytes, upgrades, many canisters, the disk cache.

use std::path::PathBuf;

use hatchery_engine::machine::{Code, Image, ImageError, Keep, Machine, StableMemory};
use hatchery_engine::message::{Entry, Mode};

use crate::machine::rig::{Rig, number, rig, update};

const COUNTER: &str = r#"(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "stable64_grow" (func $grow (param i64) (result i64)))
  (import "ic0" "stable64_write" (func $write (param i64 i64 i64)))
  (import "ic0" "stable64_read" (func $read (param i64 i64 i64)))
  (memory 1)
  (global $g (mut i64) (i64.const 100))
  (global $v (mut v128) (v128.const i64x2 1 2))
  (global $f (mut f32) (f32.const 1.5))
  (global $d (mut f64) (f64.const 2.5))
  (data (i32.const 0) "\05")
  (func (export "canister_init") (drop (call $grow (i64.const 1))))
  (func (export "canister_update inc")
    (global.set $g (i64.add (global.get $g) (i64.const 10)))
    (i64.store (i32.const 0) (i64.add (i64.load (i32.const 0)) (i64.const 1)))
    (if (i64.eqz (i64.rem_u (i64.load (i32.const 0)) (i64.const 4)))
      (then (drop (memory.grow (i32.const 1)))))
    (call $write (i64.const 0) (i64.const 0) (i64.const 8)))
  (func (export "canister_query get")
    (call $read (i64.const 8) (i64.const 0) (i64.const 8))
    (i64.store (i32.const 16) (i64.add (global.get $g) (i64.add (i64.load (i32.const 0))
      (i64.mul (i64.const 1000) (i64.load (i32.const 8))))))
    (call $append (i32.const 16) (i32.const 8))
    (call $reply)))"#;

fn counter(increments: usize) -> Rig {
    let mut rig = rig(COUNTER);
    assert_eq!(rig.run(Entry::Init, Mode::Init).result, Ok(()));
    for _ in 0..increments {
        assert_eq!(rig.update("inc").result, Ok(()));
    }
    rig
}

/// What a counter shows after so many increments.
fn shown(increments: u64) -> u64 {
    let stable = if increments == 0 { 0 } else { 5 + increments };
    100 + 10 * increments + 5 + increments + 1_000 * stable
}

#[test]
fn an_image_restores_everything_and_stays_as_it_is() {
    let mut rig = counter(3);
    let image = rig.machine.image(&rig.code);
    for _ in 0..5 {
        rig.update("inc");
    }
    assert_eq!(number(rig.query("get")), shown(8));
    for _ in 0..2 {
        rig.code = rig.machine.restore(&image);
        assert_eq!(number(rig.query("get")), shown(3));
        assert_eq!(rig.code.heap_bytes(), 2 * 65_536);
        rig.update("inc");
        assert_eq!(number(rig.query("get")), shown(4));
    }
}

#[test]
fn an_image_survives_as_bytes() {
    let mut rig = counter(6);
    let image = rig.machine.image(&rig.code);
    let bytes = image.to_bytes();
    let module = rig.code.module().clone();
    let read = Image::from_bytes(&bytes, &module).unwrap();
    assert_eq!(read.to_bytes(), bytes);
    rig.code = rig.machine.restore(&read);
    assert_eq!(number(rig.query("get")), shown(6));
    rig.update("inc");
    assert_eq!(number(rig.query("get")), shown(7));

    for length in 0..bytes.len() {
        assert!(
            Image::from_bytes(&bytes[..length], &module).is_err(),
            "{length}"
        );
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(
        Image::from_bytes(&longer, &module).unwrap_err(),
        ImageError::Malformed
    );
    let mut newer = bytes.clone();
    newer[0] = 9;
    assert_eq!(
        Image::from_bytes(&newer, &module).unwrap_err(),
        ImageError::Version(9)
    );
    let other = rig
        .machine
        .load(&wat::parse_str("(module)").unwrap())
        .unwrap();
    assert_eq!(
        Image::from_bytes(&bytes, &other).unwrap_err(),
        ImageError::OtherModule
    );
}

#[test]
fn machines_do_not_mistake_each_others_code() {
    let (mut one, mut two) = (counter(2), counter(5));
    let image = one.machine.image(&one.code);
    std::mem::swap(&mut one.code, &mut two.code);
    assert_eq!(number(one.query("get")), shown(5));
    assert_eq!(number(two.query("get")), shown(2));
    assert_eq!(two.update("inc").result, Ok(()));
    assert_eq!(number(two.query("get")), shown(3));
    one.code = one.machine.restore(&image);
    two.code = two.machine.restore(&image);
    assert_eq!(number(one.query("get")), shown(2));
    assert_eq!(number(two.query("get")), shown(2));
}

#[test]
fn an_upgrade_keeps_stable_memory_alone() {
    let mut rig = counter(4);
    let module = rig.code.module().clone();
    let stable = rig.code.stable().clone();
    rig.code = rig.machine.upgrade(&module, stable);
    // Heap and globals are fresh; what the stable memory says is from before.
    assert_eq!(number(rig.query("get")), 100 + 5 + 1_000 * 9);
}

#[test]
fn equal_runs_give_equal_bytes() {
    let bytes = |mut rig: Rig| rig.machine.image(&rig.code).to_bytes();
    assert_eq!(bytes(counter(9)), bytes(counter(9)));
}

#[test]
fn many_canisters_share_one_module() {
    let mut rig = counter(0);
    let image = rig.machine.image(&rig.code);
    let mut codes: Vec<Code> = (0..600).map(|_| rig.machine.restore(&image)).collect();
    for round in 1..=2 {
        for code in &mut codes {
            std::mem::swap(&mut rig.code, code);
            rig.update("inc");
            assert_eq!(number(rig.query("get")), shown(round));
            std::mem::swap(&mut rig.code, code);
        }
    }
}

#[test]
fn segments_dropped_by_one_message_are_back_in_the_next() {
    let mut rig = rig("(module (memory 1) (data \"abc\")
        (func (export \"canister_update go\")
          (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 3)) (data.drop 0)))");
    for _ in 0..3 {
        assert_eq!(rig.update("go").result, Ok(()));
    }
    assert_eq!(rig.code.read_heap(0, 4), b"abc\0");
}

#[test]
fn stable_memory_can_be_put_in_place() {
    let mut rig = counter(1);
    let mut stable = StableMemory::default();
    stable.grow(1).unwrap();
    stable.write(0, &7u64.to_le_bytes()).unwrap();
    rig.code.set_stable(stable);
    assert_eq!(number(rig.query("get")), 110 + 6 + 7_000);
}

/// A folder that is gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = format!("hatchery-machine-{name}-{}", std::process::id());
        Folder(std::env::temp_dir().join(folder))
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Instructions and image of a run on a machine with this cache.
fn run_cached(folder: &Folder) -> (u64, Vec<u8>) {
    let mut rig = rig("(module)");
    rig.machine = Machine::new(Some(folder.0.clone()));
    let module = rig.machine.load(&wat::parse_str(COUNTER).unwrap()).unwrap();
    rig.code = rig.machine.start(&module);
    rig.run(Entry::Init, Mode::Init);
    let execution = rig.run_with(update("inc"), Mode::Update, Keep::OnReturn, |_| {});
    (
        execution.instructions,
        rig.machine.image(&rig.code).to_bytes(),
    )
}

#[test]
fn the_disk_cache_changes_nothing_but_time() {
    let folder = Folder::new("hit");
    let first = run_cached(&folder);
    let files = folder.files();
    assert_eq!(files.len(), 1);
    let written = std::fs::metadata(&files[0]).unwrap().modified().unwrap();
    assert_eq!(run_cached(&folder), first);
    assert_eq!(
        std::fs::metadata(&files[0]).unwrap().modified().unwrap(),
        written
    );
}

#[test]
fn a_damaged_cache_file_is_replaced() {
    let folder = Folder::new("damage");
    let first = run_cached(&folder);
    let file = &folder.files()[0];
    let good = std::fs::read(file).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for bad in [&flipped[..], &good[..good.len() - 1], &good[..10], b""] {
        std::fs::write(file, bad).unwrap();
        assert_eq!(run_cached(&folder), first);
        assert_eq!(std::fs::read(file).unwrap()[..32], good[..32]);
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_no_error() {
    let folder = Folder::new("file");
    std::fs::write(&folder.0, b"a file where the folder should be").unwrap();
    run_cached(&folder);
    std::fs::remove_file(&folder.0).unwrap();
}
