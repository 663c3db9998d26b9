//! What the warm pool promises of a failure beyond that it survives it: how many rows and resets
//! there are, what is counted, what a row says.

use crate::fixture::{ROOT, Root, canister, counted, empty, module, name, refused, saw, spec};
use hatchery_core::{Answer, Command, Ended, Operation, Reply, limits};
use hatchery_types::{
    CanisterId, Cycles, EffectKind, ExportTo, Observation, Outcome, Phase, Principal, Reason,
    Refusal, Value,
};

fn done() -> Outcome {
    Outcome::Done(Value::Nothing)
}

fn is_reset(kind: &EffectKind) -> bool {
    matches!(kind, EffectKind::Reset { .. })
}

/// A root with one member in service.
fn with_a_member() -> (Root, CanisterId) {
    let mut root = Root::with(spec(1, 1, 1));
    root.settle();
    root.run(2);
    root.story();
    let member = root.state.workers("workers", None, 1)[0].0;
    (root, member)
}

/// How many resets of a canister began since the story was last heard.
fn resets_of(root: &mut Root, canister: CanisterId) -> usize {
    let line = format!(" {} ! reset", name(canister));
    root.story().matches(&line).count()
}

/// Imports it in each of the ways: nothing comes of them.
fn import_in_vain(root: &mut Root, id: CanisterId, when: &str) {
    let before = root.state.row(id);
    let queued = Command::ImportQueued(vec![id, id]);
    let queued = counted(&root.command(&format!("queued {when}"), queued));
    assert_eq!((queued.added, queued.requeued, queued.total), (0, 0, 1));
    assert_eq!(queued.skipped.len(), 1, "{when}");
    let at_once = Command::ImportImmediate(id);
    let at_once = root.command(&format!("at once {when}"), at_once);
    assert!(matches!(at_once, Reply::Refused(..)), "{when}: {at_once:?}");
    assert_eq!(root.state.row(id), before, "{when}");
}

#[test]
fn p03_what_is_imported_twice_has_one_row_and_one_reset() {
    let mut root = Root::with(spec(0, 0, 1));
    let id = canister(5);
    let first = root.command("a", Command::ImportQueued(vec![id, id]));
    assert_eq!((counted(&first).added, counted(&first).total), (1, 1));
    import_in_vain(&mut root, id, "while it is reset");
    assert_eq!(root.state.rows_len(), 1);
    root.run(60);
    let row = root.state.row(id).expect("accounted");
    assert_eq!(row.phase, Phase::Ready);
    import_in_vain(&mut root, id, "when it is ready");
    root.run(60);
    assert_eq!((root.state.rows_len(), resets_of(&mut root, id)), (1, 1));
}

#[test]
fn p03_what_is_imported_on_its_way_back_has_one_row_and_one_reset() {
    let (mut root, member) = with_a_member();
    let rows = root.state.rows_len();
    root.recycle(member);
    let phase = |root: &Root| root.state.row(member).expect("accounted").phase;
    assert_eq!(phase(&root), Phase::Draining);
    import_in_vain(&mut root, member, "while it drains");
    for _ in 0..60 {
        if phase(&root) == Phase::Resetting {
            break;
        }
        root.later(1);
        root.settle_but(is_reset);
    }
    assert_eq!(phase(&root), Phase::Resetting);
    import_in_vain(&mut root, member, "while it is reset");
    root.run(60);
    assert_eq!(resets_of(&mut root, member), 1);
    let bought = root.state.rows_len() - rows;
    assert_eq!(bought, 1, "for its place; none is doubled");
}

/// How often an operation ended that way, whatever the reason.
fn count(root: &Root, operation: Operation, ended: Ended) -> u64 {
    let counters = &root.state.metrics().counters;
    let of = counters
        .iter()
        .filter(|((it, how, _), _)| (*it, *how) == (operation, ended));
    of.map(|(_, count)| count).sum()
}

/// Started, completed and failed.
fn counts(root: &Root, operation: Operation) -> [u64; 3] {
    [Ended::Started, Ended::Completed, Ended::Failed].map(|ended| count(root, operation, ended))
}

#[test]
fn p06_the_metrics_of_resets_and_imports_are_what_became_of_them() {
    let mut root = Root::with(spec(0, 0, 1));
    for (number, good) in [
        (20, true),
        (21, false),
        (22, true),
        (23, false),
        (24, false),
    ] {
        let import = Command::ImportImmediate(canister(number));
        let reply = root.command(&number.to_string(), import.clone());
        assert_eq!(reply, Reply::Command(Answer::InProgress));
        let reset = root.take(is_reset).remove(0);
        let no = refused(5);
        if good {
            root.answer(&reset, &[done(), done(), saw(empty())]);
        } else {
            root.answer(&reset, &[no.clone(), no.clone(), no]);
        }
        let told = root.command(&number.to_string(), import);
        assert_eq!(matches!(told, Reply::Refused(..)), !good, "{told:?}");
    }
    let rows = |phase| root.state.counts().phase(phase);
    assert_eq!((rows(Phase::Ready), rows(Phase::Failed)), (2, 3));
    assert_eq!(counts(&root, Operation::Reset), [5, 2, 3]);
    assert_eq!(counts(&root, Operation::Import), [5, 2, 3]);
    // Why is counted, too.
    let key = (Operation::Reset, Ended::Failed, "not-controlled".to_owned());
    assert_eq!(root.state.metrics().counters.get(&key), Some(&3));
}

#[test]
fn p06_the_metrics_of_recycles_and_exports_are_what_became_of_them() {
    let (mut root, member) = with_a_member();
    root.command("back", Command::Recycle(member));
    assert_eq!(
        counts(&root, Operation::Recycle),
        [1, 0, 0],
        "it drains yet"
    );
    root.run(30);
    assert_eq!(counts(&root, Operation::Recycle), [1, 1, 0]);
    let owner = ExportTo::Principal(Principal::from_slice(&[9, 2]));
    let is_hand_over = |kind: &EffectKind| matches!(kind, EffectKind::HandOver { .. });
    // The first hand-over is refused and comes to nothing; the second is made.
    root.command("a", Command::Export(member, owner));
    let hand_over = root.take(is_hand_over).remove(0);
    root.answer(&hand_over, &[refused(5)]);
    root.run(30);
    assert_eq!(counts(&root, Operation::Export), [1, 0, 1]);
    let row = root.state.row(member).expect("it did not go");
    assert_eq!(row.phase, Phase::Ready, "{}", row.reason);
    root.command("b", Command::Export(member, owner));
    let hand_over = root.take(is_hand_over).remove(0);
    root.answer(&hand_over, &[done()]);
    assert_eq!(counts(&root, Operation::Export), [2, 1, 1]);
    assert!(root.state.row(member).is_none(), "and it is theirs");
}

#[test]
fn p20_a_canister_that_is_out_of_cycles_during_its_reset_is_failed_with_that_reason() {
    let mut root = Root::with(spec(0, 0, 1));
    root.import(canister(5));
    let poor = Observation {
        module: Some(module()),
        cycles: Cycles(0),
        ..empty()
    };
    let no = Outcome::Refused(Refusal::new(4, "out of cycles"));
    for _ in 0..limits::ATTEMPTS_MAX {
        let reset = root.take(is_reset).remove(0);
        let mut outcomes = vec![no.clone(); reset.outcomes.len() - 1];
        outcomes.push(saw(poor.clone()));
        root.answer(&reset, &outcomes);
        let row = root.state.row(canister(5)).expect("accounted");
        assert_ne!(row.phase, Phase::Ready);
        let Reason::Refused(refusal) = &row.reason else {
            panic!("{}", row.reason)
        };
        assert_eq!(refusal.text, "out of cycles");
        root.later(600);
    }
    let row = root.state.row(canister(5)).expect("accounted");
    assert_eq!((row.phase, row.cycles), (Phase::Failed, Some(Cycles(0))));
    assert!(root.open.is_empty(), "until somebody asks for it again");
}

/// The member is looked at, for the first time in a day.
fn look(root: &mut Root, member: CanisterId, seen: Observation) {
    root.settle();
    root.now = root.now + limits::OBSERVE_EVERY;
    root.tick();
    let looks = root.take(|kind| matches!(kind, EffectKind::Observe));
    let look = looks.iter().find(|it| it.canister == Some(member));
    root.answer(look.expect("a look"), &[saw(seen)]);
}

fn is_mend(kind: &EffectKind) -> bool {
    matches!(kind, EffectKind::Mend { .. })
}

#[test]
fn p21_a_member_uninstalled_behind_our_back_is_reset_and_replaced() {
    let (mut root, member) = with_a_member();
    look(&mut root, member, empty());
    let row = root.state.row(member).expect("accounted");
    assert!(
        matches!(row.phase, Phase::PendingReset | Phase::Resetting),
        "{}",
        row.phase
    );
    assert_eq!(row.reason, Reason::WrongModule, "and the row says so");
    let listed = root.state.workers("workers", None, 9);
    assert!(
        listed.iter().all(|(id, _)| *id != member),
        "nobody sends it work"
    );
    root.run(30);
    assert_eq!(root.state.workers("workers", None, 9).len(), 1, "replaced");
}

#[test]
fn p21_a_controller_added_to_a_member_by_somebody_is_seen_and_removed() {
    let (mut root, member) = with_a_member();
    let outsider = Principal::from_slice(&[9, 2]);
    let as_it_should = Observation {
        module: Some(module()),
        settings_clean: Some(false),
        ..empty()
    };
    let shared = Observation {
        controllers: vec![ROOT, outsider],
        ..as_it_should.clone()
    };
    look(&mut root, member, shared.clone());
    let says = |root: &Root| {
        let row = root.state.row(member).expect("accounted");
        (row.phase, row.reason)
    };
    let wrong = (Phase::InService, Reason::WrongControllers);
    assert_eq!(says(&root), wrong, "the row says so");
    // The outsider puts itself back in the same moment: the row goes on saying so.
    let mend = root.take(is_mend).remove(0);
    assert_eq!(mend.canister, Some(member));
    root.answer(&mend, &[done(), done(), saw(shared)]);
    assert_eq!(says(&root), wrong);
    root.later(600);
    let mend = root.take(is_mend).remove(0);
    root.answer(&mend, &[done(), done(), saw(as_it_should)]);
    assert_eq!(says(&root).0, Phase::InService);
    assert_ne!(says(&root).1, Reason::WrongControllers);
}

#[test]
fn p21_a_member_taken_out_of_our_control_is_lost_and_replaced() {
    let (mut root, member) = with_a_member();
    root.settle();
    root.now = root.now + limits::OBSERVE_EVERY;
    root.tick();
    let looks = root.take(|kind| matches!(kind, EffectKind::Observe));
    let look = looks.iter().find(|it| it.canister == Some(member));
    root.answer(look.expect("a look"), &[refused(5)]);
    let row = root.state.row(member).expect("accounted");
    assert_eq!(
        (row.phase, row.reason),
        (Phase::Lost, Reason::NotControlled)
    );
    root.run(30);
    let listed = root.state.workers("workers", None, 9);
    assert!(listed.len() == 1 && listed[0].0 != member, "{listed:?}");
}
