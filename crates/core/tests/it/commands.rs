//! What operators may ask: the answers, how they end, and the refusals.

use crate::fixture::{
    OPERATOR, ROOT, Root, canister, empty, name, refused, saw, seen_by_anybody, spec,
};
use expect_test::{Expect, expect};
use hatchery_core::{Answer, Command, Reply, RowFilter};
use hatchery_types::{
    CanisterId, Cycles, Direction, EffectKind, ExportTo, Nanos, Observation, Outcome, Phase,
    Principal, Reason, Refusal, Value,
};

const HEIR: Principal = Principal::from_slice(&[9, 2]);

fn unknown() -> Outcome {
    Outcome::Unknown(Refusal::new(6, "expired"))
}

fn done() -> Outcome {
    Outcome::Done(Value::Nothing)
}

/// A reply in a word or two.
pub(crate) fn word(reply: &Reply) -> String {
    match reply {
        Reply::Command(Answer::Created(id)) => format!("created {}", name(*id)),
        Reply::Command(Answer::Exported { role, .. }) => format!("exported as {role}"),
        Reply::Command(answer) => format!("{answer:?}"),
        Reply::Refused(reason, _) => format!("refused: {reason}"),
        other => panic!("not an answer to a command: {other:?}"),
    }
}

fn ask(root: &mut Root, operation: &str, command: &Command) -> String {
    word(&root.command(operation, command.clone()))
}

/// A root whose warm pool has one fresh canister and one that was a worker.
fn with_a_veteran() -> (Root, CanisterId) {
    let mut root = Root::with(spec(1, 1, 2));
    root.settle();
    let worker = root.state.workers("workers", None, 1)[0].0;
    let mut without = spec(1, 0, 2);
    without.pools[0].signals.clear();
    root.feed(&hatchery_core::Input::Apply(Box::new(without)));
    root.recycle(worker);
    root.run(20);
    let row = root.state.row(worker).expect("accounted");
    assert_eq!(
        (row.phase, row.role.as_deref()),
        (Phase::Ready, Some("worker"))
    );
    root.story();
    (root, worker)
}

#[test]
fn create_empty_answers_its_id_when_the_creation_ends() {
    let mut root = Root::with(spec(0, 0, 1));
    let command = Command::CreateEmpty;
    assert_eq!(ask(&mut root, "a", &command), "InProgress");
    assert_eq!(ask(&mut root, "a", &command), "InProgress");
    assert_eq!(root.open.len(), 1, "the same operation buys once");
    root.settle();
    assert_eq!(ask(&mut root, "a", &command), "created c11");
    assert_eq!(root.state.operations_waiting(), 0);
    assert_eq!(ask(&mut root, "b", &command), "InProgress");
    let create = root.take(|kind| matches!(kind, EffectKind::Create { .. }));
    root.answer(&create[0], &[refused(4)]);
    let why = "refused: refused (code 4: no)";
    assert_eq!(ask(&mut root, "b", &command), why);
    assert_eq!(ask(&mut root, "b", &command), why, "and so for ever");
    assert!(root.open.is_empty(), "nor bought again");
}

#[test]
fn create_empty_is_one_more_than_the_minimum_wants() {
    let mut root = Root::with(spec(0, 0, 1));
    root.feed(&hatchery_core::Input::Apply(Box::new(spec(3, 0, 1))));
    assert_eq!(ask(&mut root, "a", &Command::CreateEmpty), "InProgress");
    assert_eq!(root.open.len(), 4);
    root.settle();
    assert_eq!(root.state.counts().phase(Phase::Ready), 4);
}

#[test]
fn create_empty_is_refused_where_it_could_only_wait_or_be_given_back() {
    let command = Command::CreateEmpty;
    let mut root = Root::bare();
    assert_eq!(ask(&mut root, "a", &command), "refused: no-spec");
    let mut root = Root::with(spec(0, 0, 1));
    root.command("pause", Command::Pause(Some(Direction::Up)));
    assert_eq!(ask(&mut root, "a", &command), "refused: paused");
    root.command("resume", Command::Resume(None));
    root.vitals.liquid = Cycles(14 * Cycles::T);
    assert_eq!(ask(&mut root, "a", &command), "InProgress");
    root.later(599);
    assert_eq!(ask(&mut root, "a", &command), "InProgress");
    root.later(1);
    assert_eq!(ask(&mut root, "a", &command), "refused: at-reserve");
    let mut fleet = spec(1, 0, 1);
    fleet.warm_pool.maximum = 1;
    let mut root = Root::with(fleet);
    root.settle();
    assert_eq!(ask(&mut root, "a", &command), "refused: at-maximum");
}

#[test]
fn s06_a_receipt_without_an_answer_is_never_evicted() {
    let mut root = Root::with(spec(0, 0, 1));
    root.large = true;
    assert_eq!(ask(&mut root, "first", &Command::CreateEmpty), "InProgress");
    let create = root.take(|kind| matches!(kind, EffectKind::Create { .. }));
    for operation in 0..999 {
        root.command(&format!("{operation}"), Command::Resume(None));
    }
    assert_eq!(
        ask(&mut root, "full", &Command::Resume(None)),
        "refused: too-many-operations"
    );
    root.now = root.now + Nanos::from_secs(25 * 3_600);
    for operation in 0..999 {
        assert_eq!(
            ask(&mut root, &format!("b{operation}"), &Command::Resume(None)),
            "Done"
        );
    }
    assert_eq!(ask(&mut root, "first", &Command::CreateEmpty), "InProgress");
    root.answer(&create[0], &[Outcome::Done(Value::Created(canister(7)))]);
    assert_eq!(ask(&mut root, "first", &Command::CreateEmpty), "created c7");
}

#[test]
fn an_upgrade_loses_no_operation() {
    let mut root = Root::with(spec(0, 0, 1));
    let import = Command::ImportImmediate(canister(5));
    assert_eq!(
        ask(&mut root, "create", &Command::CreateEmpty),
        "InProgress"
    );
    assert_eq!(ask(&mut root, "import", &import), "InProgress");
    root.upgrade();
    assert_eq!(root.state.operations_waiting(), 2);
    root.tick();
    root.settle();
    assert_eq!(
        ask(&mut root, "create", &Command::CreateEmpty),
        "created c12"
    );
    assert_eq!(ask(&mut root, "import", &import), "Imported");
}

#[test]
fn import_immediate_goes_ahead_of_the_queue_and_fails_at_the_first_flaw() {
    let mut fleet = spec(0, 0, 1);
    fleet.lanes.reset = 1;
    let mut root = Root::with(fleet);
    root.command(
        "many",
        Command::ImportQueued((20..30).map(canister).collect()),
    );
    let first = root.take(|kind| matches!(kind, EffectKind::Reset { .. }));
    let import = Command::ImportImmediate(canister(5));
    assert_eq!(ask(&mut root, "a", &import), "InProgress");
    root.answer(&first[0], &[done(), done(), saw(empty())]);
    let next = root.take(|kind| matches!(kind, EffectKind::Reset { .. }));
    assert_eq!(next[0].canister, Some(canister(5)), "ahead of nine others");
    let module = Some(crate::fixture::module());
    root.answer(
        &next[0],
        &[done(), done(), saw(Observation { module, ..empty() })],
    );
    assert_eq!(ask(&mut root, "a", &import), "refused: not-empty");
    let row = root.state.row(canister(5)).expect("accounted");
    assert_eq!((row.phase, row.reason), (Phase::Failed, Reason::NotEmpty));
    assert_eq!(
        ask(&mut root, "b", &import),
        "InProgress",
        "a failed one is tried again"
    );
    let ninth = root.take(|kind| matches!(kind, EffectKind::Reset { .. }));
    root.answer(&ninth[0], &[done(), done(), saw(empty())]);
    root.settle();
    assert_eq!(ask(&mut root, "b", &import), "Imported");
}

#[test]
fn p05_an_immediate_import_that_is_interrupted_ends_all_the_same() {
    let mut root = Root::with(spec(0, 0, 1));
    let import = Command::ImportImmediate(canister(5));
    assert_eq!(ask(&mut root, "a", &import), "InProgress");
    root.open.clear();
    root.upgrade();
    root.later(61);
    assert_eq!(
        ask(&mut root, "a", &import),
        "InProgress",
        "unknown is tried again"
    );
    root.later(10);
    root.settle();
    assert_eq!(ask(&mut root, "a", &import), "Imported");
    let row = root.state.row(canister(5)).expect("accounted");
    assert!(!row.urgent && row.phase == Phase::Ready);
}

#[test]
fn p03_an_import_of_a_member_hints_at_recycle() {
    let mut root = Root::with(spec(1, 1, 1));
    root.settle();
    let worker = root.state.workers("workers", None, 1)[0].0;
    let reply = root.command("a", Command::ImportImmediate(worker));
    let Reply::Refused(reason, text) = reply else {
        panic!("{reply:?}")
    };
    let registered = Reason::Registered {
        role: "worker".to_owned(),
        parent: Some(CanisterId(ROOT)),
    };
    assert_eq!(reason, registered);
    assert!(text.contains("recycle"), "{text}");
    let queued = root.command("b", Command::ImportQueued(vec![worker]));
    assert_eq!(
        crate::fixture::counted(&queued).skipped,
        [(worker, registered)]
    );
    assert!(root.open.is_empty());
}

#[test]
fn p23_a_thousand_imports_at_once_all_end_within_the_lanes() {
    let mut fleet = spec(0, 0, 1);
    fleet.warm_pool.maximum = 1_000;
    let mut root = Root::with(fleet);
    root.large = true;
    let id = |number: u32| {
        let [high, low] = (number as u16).to_be_bytes();
        CanisterId(Principal::from_slice(&[0, 0, 0, 0, 0, 9, high, low, 1, 1]))
    };
    let ids: Vec<CanisterId> = (0..1_000).map(id).collect();
    let reply = root.command("many", Command::ImportQueued(ids.clone()));
    let counted = crate::fixture::counted(&reply);
    assert_eq!(
        (counted.added, counted.total, counted.skipped.len()),
        (1_000, 1_000, 0)
    );
    let mut most = 0;
    for _ in 0..2_000 {
        most = most.max(root.open.len());
        let Some(reset) = root.open.pop() else { break };
        root.answer(&reset, &[done(), done(), saw(empty())]);
    }
    assert_eq!((most, root.state.counts().phase(Phase::Ready)), (50, 1_000));
    assert_eq!(hatchery_core::check(&root.state), Vec::new());
    let more: Vec<CanisterId> = (0..1_001).map(id).collect();
    let reply = root.command("more", Command::ImportQueued(more));
    assert!(matches!(&reply, Reply::Refused(Reason::OverLimit, text) if text.contains("1000")));
}

#[test]
fn recycle_is_answered_when_the_canister_is_empty_again() {
    let mut root = Root::with(spec(1, 1, 2));
    root.settle();
    let worker = root.state.workers("workers", None, 1)[0].0;
    let recycle = Command::Recycle(worker);
    assert_eq!(ask(&mut root, "a", &recycle), "InProgress");
    assert_eq!(ask(&mut root, "b", &recycle), "refused: wrong-phase");
    assert_eq!(
        ask(&mut root, "c", &Command::Recycle(canister(99))),
        "refused: unknown-canister"
    );
    root.run(20);
    assert_eq!(ask(&mut root, "a", &recycle), "Recycled");
}

#[test]
fn p08_an_export_is_checked_before_anything_moves() {
    let (mut root, veteran) = with_a_veteran();
    let fresh = root
        .state
        .rows(&RowFilter::of(Some(Phase::Ready)), None, 9)
        .0;
    let fresh = fresh.iter().find(|row| row.role.is_none()).expect("one");
    let to = ExportTo::Principal(HEIR);
    let cases = [
        (canister(99), to, "refused: unknown-canister"),
        (fresh.canister, to, "refused: no-role"),
        (
            veteran,
            ExportTo::Principal(Principal::anonymous()),
            "refused: unauthorised",
        ),
        (veteran, ExportTo::Principal(ROOT), "refused: unauthorised"),
    ];
    for (id, to, expected) in cases {
        assert_eq!(ask(&mut root, expected, &Command::Export(id, to)), expected);
    }
    root.import(canister(5));
    let pending = Command::Export(canister(5), to);
    assert_eq!(ask(&mut root, "pending", &pending), "refused: wrong-phase");
    assert_eq!(
        root.state.row(veteran).map(|row| row.phase),
        Some(Phase::Ready)
    );
    let mut full = spec(1, 0, 0);
    full.pools[0].signals.clear();
    root.feed(&hatchery_core::Input::Apply(Box::new(full)));
    let home = Command::Export(veteran, ExportTo::Registry);
    assert_eq!(ask(&mut root, "full", &home), "refused: at-maximum");
}

/// Exports the veteran to the heir, answers the hand-over with `outcomes` one after another (each
/// look with what anybody sees), and tells the story and the answer.
fn check_hand_over(hand_over: Outcome, looks: &[Outcome], expected: &Expect) {
    let (mut root, veteran) = with_a_veteran();
    let export = Command::Export(veteran, ExportTo::Principal(HEIR));
    assert_eq!(ask(&mut root, "a", &export), "InProgress");
    let sent = root.take(|kind| matches!(kind, EffectKind::HandOver { .. }));
    root.answer(&sent[0], &[hand_over]);
    for look in looks {
        let inspect = root.take(|kind| matches!(kind, EffectKind::Info { .. }));
        root.answer(&inspect[0], std::slice::from_ref(look));
        assert!(
            root.take(|kind| matches!(kind, EffectKind::HandOver { .. }))
                .is_empty(),
            "never handed over twice"
        );
        root.later(30);
    }
    let answer = ask(&mut root, "a", &export);
    let given = root.state.header().given_away;
    let told = format!("{}{answer}, {given} given away\n", root.story());
    expected.assert_eq(&told);
}

#[test]
fn an_export_to_a_principal_hands_over_the_controllers_and_closes_the_row() {
    check_hand_over(
        done(),
        &[],
        &expect![[r#"
        t20 c11 exporting (exported)
        t20 c11 ! hand-over
        t20 c11 gone (exported)
        exported as worker, 4.000 T given away
    "#]],
    );
}

#[test]
fn a_hand_over_with_an_unknown_end_is_looked_at_by_what_anybody_may_ask() {
    let looks = [seen_by_anybody(vec![ROOT]), seen_by_anybody(vec![HEIR])];
    check_hand_over(
        unknown(),
        &looks,
        &expect![[r#"
            t20 c11 exporting (exported)
            t20 c11 ! hand-over
            t20 c11 exporting (unknown (code 6: expired))
            t20 c11 ! info
            t50 c11 ! info
            t50 c11 gone (exported)
            exported as worker, 4.000 T given away
        "#]],
    );
}

#[test]
fn a_hand_over_that_did_not_happen_counts_as_such_after_ten_minutes() {
    let looks = vec![seen_by_anybody(vec![ROOT]); 21];
    check_hand_over(
        unknown(),
        &looks,
        &expect![[r#"
            t20 c11 exporting (exported)
            t20 c11 ! hand-over
            t20 c11 exporting (unknown (code 6: expired))
            t20 c11 ! info
            t50 c11 ! info
            t80 c11 ! info
            t110 c11 ! info
            t140 c11 ! info
            t170 c11 ! info
            t200 c11 ! info
            t230 c11 ! info
            t260 c11 ! info
            t290 c11 ! info
            t320 c11 ! info
            t350 c11 ! info
            t380 c11 ! info
            t410 c11 ! info
            t440 c11 ! info
            t470 c11 ! info
            t500 c11 ! info
            t530 c11 ! info
            t560 c11 ! info
            t590 c11 ! info
            t620 c11 ! info
            t620 c11 pending-reset (unknown (code 6: expired))
            t620 c11 ! reset
            t620 c11 resetting (unknown (code 6: expired))
            refused: unknown (code 6: expired), 0 given away
        "#]],
    );
}

#[test]
fn a_refused_hand_over_is_verified_again() {
    check_hand_over(
        refused(5),
        &[],
        &expect![[r#"
        t20 c11 exporting (exported)
        t20 c11 ! hand-over
        t20 c11 pending-reset (refused (code 5: no))
        t20 c11 ! reset
        t20 c11 resetting (refused (code 5: no))
        refused: refused (code 5: no), 0 given away
    "#]],
    );
}

#[test]
fn an_export_to_the_registry_makes_it_a_member_again() {
    let (mut root, veteran) = with_a_veteran();
    let export = Command::Export(veteran, ExportTo::Registry);
    let before = root.state.row(veteran).expect("accounted").generation;
    assert_eq!(ask(&mut root, "a", &export), "InProgress");
    root.settle();
    assert_eq!(ask(&mut root, "a", &export), "exported as worker");
    let row = root.state.row(veteran).expect("accounted");
    assert!(
        row.phase.is_living(),
        "what the pool does with it is policy"
    );
    assert_eq!(row.pool.as_deref(), Some("workers"));
    assert_eq!(row.generation.0, before.0 + 1, "a tenancy of its own");
    assert_eq!(row.parent, Some(CanisterId(ROOT)));
}

#[test]
fn an_export_to_a_pool_that_filled_up_meanwhile_leaves_the_canister_in_the_warm_pool() {
    let (mut root, veteran) = with_a_veteran();
    root.vitals.stopping = true;
    let export = Command::Export(veteran, ExportTo::Registry);
    assert_eq!(ask(&mut root, "a", &export), "InProgress");
    let mut full = spec(1, 0, 0);
    full.pools[0].signals.clear();
    root.feed(&hatchery_core::Input::Apply(Box::new(full)));
    root.vitals.stopping = false;
    root.tick();
    assert_eq!(ask(&mut root, "a", &export), "refused: at-maximum");
    assert_eq!(
        root.state.row(veteran).map(|row| row.phase),
        Some(Phase::Resetting),
        "what was seen of it before may be of another spec"
    );
    root.settle();
    assert_eq!(
        root.state.row(veteran).map(|row| row.phase),
        Some(Phase::Ready)
    );
}

#[test]
fn p26_delete_stops_deletes_and_books_the_cycles() {
    let mut root = Root::with(spec(1, 1, 1));
    root.settle();
    let ready = root
        .state
        .rows(&RowFilter::of(Some(Phase::Ready)), None, 1)
        .0[0]
        .canister;
    let worker = root.state.workers("workers", None, 1)[0].0;
    root.story();
    assert_eq!(
        ask(&mut root, "worker", &Command::Delete(worker)),
        "refused: wrong-phase"
    );
    root.command("pause", Command::Pause(None));
    let delete = Command::Delete(ready);
    assert_eq!(ask(&mut root, "a", &delete), "InProgress");
    root.settle();
    assert_eq!(
        ask(&mut root, "a", &delete),
        "Deleted { discarded: Cycles(4000000000000) }"
    );
    assert_eq!(root.state.header().discarded, Cycles(4 * Cycles::T));
    expect![[r#"
        t0 c12 deleting (deleted)
        t0 c12 ! stop
        t0 c12 ! delete
        t0 c12 gone (deleted)
    "#]]
    .assert_eq(&root.story());
}

#[test]
fn failed_and_lost_rows_have_a_way_out() {
    let mut root = Root::with(spec(0, 0, 1));
    for number in [5, 6] {
        root.import(canister(number));
        let reset = root.take(|kind| matches!(kind, EffectKind::Reset { .. }));
        let code = if number == 5 { 5 } else { 3 };
        root.answer(&reset[0], &[refused(code), refused(code), refused(code)]);
    }
    // Root cannot delete what it does not control: that row has no other way out.
    let deleted = ask(&mut root, "a", &Command::Delete(canister(5)));
    assert_eq!(deleted, "InProgress");
    for _ in 0..20 {
        for effect in std::mem::take(&mut root.open) {
            let no = vec![refused(5); effect.outcomes.len()];
            root.answer(&effect, &no);
        }
        root.later(3_600);
    }
    let row = root.state.row(canister(5)).expect("accounted");
    assert_eq!(
        (row.phase, row.reason),
        (Phase::Failed, Reason::NotControlled)
    );
    for (id, number) in [("b", 5), ("c", 6)] {
        let forgotten = ask(&mut root, id, &Command::Forget(canister(number)));
        assert_eq!(forgotten, "Deleted { discarded: Cycles(0) }");
    }
    assert_eq!(root.state.rows_len(), 0);
}

#[test]
fn only_what_is_out_of_reach_is_forgotten() {
    let mut root = Root::with(spec(1, 0, 1));
    root.settle();
    let reply = ask(&mut root, "a", &Command::Forget(canister(11)));
    assert_eq!(reply, "refused: wrong-phase");
    assert_eq!(root.state.rows_len(), 1);
}

#[test]
fn drain_surplus_gives_back_what_exceeds_the_maximum_youngest_first() {
    let mut root = Root::with(spec(0, 0, 1));
    root.command(
        "many",
        Command::ImportQueued((20..26).map(canister).collect()),
    );
    root.settle();
    root.command("pause", Command::Pause(Some(Direction::Down)));
    let mut fleet = spec(0, 0, 1);
    fleet.warm_pool.maximum = 4;
    root.feed(&hatchery_core::Input::Apply(Box::new(fleet)));
    root.later(60);
    assert_eq!(root.state.rows_len(), 6, "shrinking is paused");
    let reply = ask(&mut root, "a", &Command::DrainSurplus);
    assert_eq!(reply, "Drained { leaving: 2, left: 0 }");
    root.settle();
    assert_eq!(root.state.counts().phase(Phase::Ready), 4);
    let again = ask(&mut root, "b", &Command::DrainSurplus);
    assert_eq!(again, "Drained { leaving: 0, left: 0 }");
}

#[test]
fn each_direction_is_paused_by_itself() {
    let mut root = Root::with(spec(1, 1, 3));
    root.settle();
    root.command("up", Command::Pause(Some(Direction::Up)));
    root.run(2);
    let worker = root.state.workers("workers", None, 1)[0].0;
    root.report(worker, 12);
    assert!(root.open.is_empty(), "it would grow to three");
    root.command("resume", Command::Resume(Some(Direction::Up)));
    root.settle();
    assert_eq!(root.state.workers("workers", None, 9).len(), 3);
    root.command("down", Command::Pause(Some(Direction::Down)));
    root.run(2);
    for (worker, _) in root.state.workers("workers", None, 9) {
        root.report(worker, 0);
    }
    root.run(50);
    assert_eq!(root.state.workers("workers", None, 9).len(), 3);
    root.command("go on", Command::Resume(None));
    for (worker, _) in root.state.workers("workers", None, 9) {
        root.report(worker, 0);
    }
    root.run(50);
    assert!(root.state.workers("workers", None, 9).len() < 3);
}

#[test]
fn l10_the_warm_pool_is_listed_in_pages_by_phase_role_and_reason() {
    let (mut root, veteran) = with_a_veteran();
    root.command(
        "many",
        Command::ImportQueued((20..30).map(canister).collect()),
    );
    let list = |filter: &RowFilter, limit: usize| {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let (rows, next) = root.state.pool_rows(filter, after, limit);
            assert!(rows.len() <= limit);
            ids.extend(rows.iter().map(|row| (row.phase, row.canister)));
            if next.is_none() {
                return ids;
            }
            after = next;
        }
    };
    let all = list(&RowFilter::default(), 3);
    assert_eq!(all.len() as u64, root.state.rows_len());
    assert!(all.is_sorted(), "by phase and id");
    assert_eq!(all, list(&RowFilter::default(), 200));
    let role = Some("worker".to_owned());
    let veterans = list(
        &RowFilter {
            role,
            ..RowFilter::default()
        },
        1,
    );
    assert_eq!(veterans, [(Phase::Ready, veteran)]);
    let reason = Some(Reason::Imported.code());
    let imported = list(
        &RowFilter {
            reason,
            ..RowFilter::default()
        },
        4,
    );
    assert_eq!(imported.len(), 10);
    let phase = Some(Phase::Draining);
    assert_eq!(
        list(
            &RowFilter {
                phase,
                ..RowFilter::default()
            },
            4
        ),
        []
    );
}

#[test]
fn commands_are_told_apart_by_all_they_say() {
    let mut root = Root::with(spec(0, 0, 1));
    let id = canister(5);
    let commands = [
        Command::CreateEmpty,
        Command::ImportImmediate(id),
        Command::ImportQueued(vec![id]),
        Command::Recycle(id),
        Command::RequeueFailed(None),
        Command::RequeueFailed(Some(vec![id])),
        Command::Export(id, ExportTo::Registry),
        Command::Export(id, ExportTo::Principal(HEIR)),
        Command::Export(id, ExportTo::Principal(OPERATOR)),
        Command::Delete(id),
        Command::Forget(id),
        Command::DrainSurplus,
        Command::Pause(None),
        Command::Pause(Some(Direction::Up)),
        Command::Pause(Some(Direction::Down)),
        Command::Resume(None),
        Command::Resume(Some(Direction::Up)),
    ];
    for (index, command) in commands.iter().enumerate() {
        let operation = format!("op {index}");
        if matches!(
            root.command(&operation, command.clone()),
            Reply::Refused(..)
        ) {
            continue;
        }
        for other in commands.iter().filter(|other| *other != command) {
            let reply = root.command(&operation, other.clone());
            let conflict = matches!(reply, Reply::Refused(Reason::OperationConflict, _));
            assert!(conflict, "{command:?} and {other:?}: {reply:?}");
        }
    }
}
