//! Stable memory of earlier versions opens in this one, and nothing in it is lost.

use crate::fixture::{Root, canister, counted};
use expect_test::expect;
use hatchery_core::{Answer, Command, Memories, Reply, State, check};
use hatchery_types::{Direction, Phase, Reason};
use std::fmt::Write;

/// What a root of layout 1 left: rows in most phases, effects in flight, a lost creation,
/// receipts, a log.
const LAYOUT_1: &[u8] = include_bytes!("../golden/layout-1.bin");

#[test]
fn l08_memory_of_layout_1_is_read_whole() {
    let mut root = Root::of_image(LAYOUT_1);
    root.upgrade();
    assert_eq!(check(&root.state), Vec::new());
    let mut told = String::new();
    for row in root.state.rows(None, None, 100).0 {
        let (name, pool) = (crate::fixture::name(row.canister), row.pool);
        writeln!(told, "{name} {} ({}) {pool:?}", row.phase, row.reason).expect("text");
    }
    let counts = root.state.counts();
    let effects: Vec<_> = counts.effects().collect();
    let lost = root.state.lost_creations();
    let paused = root.state.header().is_paused(Direction::Down);
    writeln!(told, "{effects:?}, {lost} lost, paused {paused}").expect("text");
    expect![[r#"
        c5 failed (not-controlled) None
        c6 resetting (imported) None
        c11 draining (recycled) Some("workers")
        c12 in-service (installed) Some("workers")
        c13 installing (claimed) Some("workers")
        c14 ready (verified-empty) None
        [("create", 1), ("install", 1), ("reset", 1)], 1 lost, paused false
    "#]]
    .assert_eq(&told);
    let same = root.command("all", Command::RequeueFailed(Some(vec![canister(9)])));
    let skipped = vec![(canister(9), Reason::UnknownCanister)];
    assert_eq!(counted(&same).skipped, skipped, "a receipt of layout 1");
    root.now = hatchery_types::Nanos::from_secs(1_010);
    root.run(700);
    let in_service = root.state.counts().phase(Phase::InService);
    assert_eq!(in_service, 2, "{}", root.story());
    let fresh = root.command("new", Command::Pause(None));
    assert_eq!(fresh, Reply::Command(Answer::Done));
}

#[test]
fn l08_a_root_that_is_older_than_the_memory_refuses_it() {
    let root = Root::bare();
    let layout = root.state.header().layout;
    let memory = root.memory(0);
    let bytes = memory.borrow().clone();
    // The header is a CBOR map: its field 0 is the layout.
    let at = bytes
        .windows(2)
        .position(|pair| pair == [0, layout as u8])
        .expect("the header holds its layout");
    memory.borrow_mut()[at + 1] = layout as u8 + 1;
    let memories = Memories::new(|n| root.memory(usize::from(n)).clone());
    let error = State::open(memories).err().expect("refused");
    assert_eq!((error.found, error.known), (layout + 1, layout));
    let mut after = bytes;
    after[at + 1] = layout as u8 + 1;
    assert_eq!(*memory.borrow(), after, "and nothing was changed");
}
