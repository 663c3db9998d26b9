//! The sweeper: its bytes are its source, and what canisters hold too much comes back.

use crate::fixture::{Root, canister, empty, refused, saw, spec};
use hatchery_core::{SWEEPER, SWEEPER_HASH};
use hatchery_types::{
    Cycles, Effect, EffectKind, FleetSpec, ModuleHash, Observation, Outcome, Phase, Reason,
    Refusal, Value,
};
use sha2::{Digest, Sha256};

/// A pool that sweeps above 10 T, and gives back what exceeds `maximum`.
fn sweeping(maximum: u32) -> FleetSpec {
    let mut fleet = spec(0, 0, 1);
    fleet.warm_pool.sweep_above = Some(Cycles(10 * Cycles::T));
    fleet.warm_pool.maximum = maximum;
    fleet
}

fn one(root: &mut Root, kind: impl Fn(&EffectKind) -> bool) -> Effect {
    let mut taken = root.take(kind);
    assert_eq!(taken.len(), 1, "{:?}", root.open);
    taken.remove(0)
}

fn is_reset(kind: &EffectKind) -> bool {
    matches!(kind, EffectKind::Reset { .. })
}

fn is_sweep(kind: &EffectKind) -> bool {
    matches!(kind, EffectKind::Sweep { .. })
}

fn done() -> Outcome {
    Outcome::Done(Value::Nothing)
}

/// Answers a reset by what the canister then holds.
fn reset(root: &mut Root, held: u128) {
    let effect = one(root, is_reset);
    let seen = Observation {
        cycles: Cycles(held * Cycles::T),
        ..empty()
    };
    root.answer(&effect, &[done(), done(), saw(seen)]);
}

fn phase(root: &Root) -> Option<Phase> {
    root.state.row(canister(5)).map(|row| row.phase)
}

#[test]
fn p26_a_rich_canister_is_swept_before_it_is_ready() {
    let mut root = Root::with(sweeping(9));
    root.import(canister(5));
    reset(&mut root, 50);
    let row = root.state.row(canister(5)).expect("managed");
    assert_eq!(
        (row.phase, row.reason),
        (Phase::PendingReset, Reason::AboveSweepLine)
    );
    let sweep = one(&mut root, is_sweep);
    let keep = Cycles(5 * Cycles::T);
    assert_eq!(sweep.kind, EffectKind::Sweep { keep });
    root.answer(&sweep, &[done()]);
    assert!(root.open.is_empty(), "the sweeper has its time");
    root.later(5);
    reset(&mut root, 5);
    assert_eq!(phase(&root), Some(Phase::Ready));
    let ledger = root.state.header().ledger;
    assert_eq!(
        (ledger.swept, root.state.header().discarded),
        (Cycles(45 * Cycles::T), Cycles(0))
    );
}

#[test]
fn p26_what_cannot_be_swept_is_not_ready_and_says_so() {
    let unsent = Outcome::NotExecuted(Refusal::new(2, "busy"));
    for (answer, sweeps) in [(refused(5), 1), (unsent, 3), (done(), 3)] {
        let mut root = Root::with(sweeping(9));
        root.import(canister(5));
        reset(&mut root, 50);
        let mut tried = 0;
        while phase(&root) != Some(Phase::Failed) {
            for sweep in root.take(is_sweep) {
                tried += 1;
                root.answer(&sweep, std::slice::from_ref(&answer));
            }
            if root.open.iter().any(|effect| is_reset(&effect.kind)) {
                reset(&mut root, 50);
            }
            root.later(1);
        }
        assert_eq!(tried, sweeps, "{answer:?}");
        let row = root.state.row(canister(5)).expect("managed");
        assert_eq!(row.reason, Reason::AboveSweepLine, "{answer:?}");
        assert_eq!(root.state.header().ledger.swept, Cycles(0));
    }
}

#[test]
fn p26_a_sweep_of_unknown_outcome_is_waited_for_before_the_next_tenant() {
    let mut root = Root::with(sweeping(9));
    root.import(canister(5));
    reset(&mut root, 50);
    let sweep = one(&mut root, is_sweep);
    root.upgrade();
    root.later(60);
    assert!(
        !root.open.iter().any(|effect| is_reset(&effect.kind)),
        "given up, not yet over"
    );
    root.later(539);
    assert!(!root.open.iter().any(|effect| is_reset(&effect.kind)));
    root.later(1);
    reset(&mut root, 5);
    assert_eq!(phase(&root), Some(Phase::Ready));
    assert_eq!(root.state.header().ledger.swept, Cycles(45 * Cycles::T));
    assert!(root.state.effect(sweep.id).is_none());
}

#[test]
fn p26_a_canister_is_swept_before_it_is_deleted_and_the_rest_is_booked() {
    let mut root = Root::with(sweeping(0));
    root.import(canister(5));
    reset(&mut root, 4);
    assert_eq!(phase(&root), Some(Phase::Deleting));
    let sweep = one(&mut root, is_sweep);
    root.answer(&sweep, &[done()]);
    root.later(5);
    let look = one(&mut root, |kind| *kind == EffectKind::Observe);
    let busy = Refusal::new(2, "busy");
    root.answer(&look, &[Outcome::NotExecuted(busy)]);
    assert!(root.open.is_empty(), "what it holds is not known yet");
    root.later(60);
    let look = one(&mut root, |kind| *kind == EffectKind::Observe);
    let rest = Cycles(60 * Cycles::B);
    let seen = Observation {
        cycles: rest,
        module: Some(SWEEPER_HASH),
        ..empty()
    };
    root.answer(&look, &[saw(seen)]);
    for kind in [EffectKind::Stop, EffectKind::Delete] {
        let effect = one(&mut root, |it| *it == kind);
        root.answer(&effect, &[done()]);
    }
    assert_eq!(phase(&root), None);
    let ledger = root.state.header().ledger;
    assert_eq!(ledger.swept, Cycles(4 * Cycles::T - rest.0));
    assert_eq!(root.state.header().discarded, rest);
}

#[test]
fn p26_a_delete_goes_on_when_the_sweep_fails_and_says_what_it_discards() {
    let mut root = Root::with(sweeping(0));
    root.import(canister(5));
    reset(&mut root, 4);
    let sweep = one(&mut root, is_sweep);
    root.answer(&sweep, &[refused(5)]);
    for kind in [EffectKind::Stop, EffectKind::Delete] {
        let effect = one(&mut root, |it| *it == kind);
        root.answer(&effect, &[done()]);
    }
    assert_eq!(phase(&root), None);
    assert_eq!(root.state.header().discarded, Cycles(4 * Cycles::T));
}

#[test]
fn p26_a_full_install_lane_holds_up_nobody_else() {
    let mut fleet = sweeping(9);
    fleet.lanes.install = 1;
    let mut root = Root::with(fleet);
    for number in [5, 6] {
        root.import(canister(number));
        reset(&mut root, 50);
    }
    assert_eq!(root.take(is_sweep).len(), 1);
    root.import(canister(7));
    reset(&mut root, 4);
    let row = root.state.row(canister(7)).expect("managed");
    assert_eq!(row.phase, Phase::Ready);
}

/// `UPDATE_EXPECT=1` builds the module again; the hash in the code is then changed by hand.
#[test]
fn p26_the_sweeper_is_what_its_source_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sweeper/");
    let source = std::fs::read_to_string(format!("{folder}sweeper.wat")).expect("the source");
    let built = wat::parse_str(&source).expect("the source is right");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(format!("{folder}sweeper.wasm"), &built).expect("the folder is there");
    }
    assert!(built == SWEEPER, "run with UPDATE_EXPECT=1, and then again");
    assert_eq!(ModuleHash(Sha256::digest(SWEEPER).into()), SWEEPER_HASH);
    assert!(SWEEPER.len() < 1_024, "{} bytes", SWEEPER.len());
}
