//! The failures of the warm pool (p01 to p26) that no other file has a test for, each by its id.

use crate::fixture::{OPERATOR, ROOT, Root, canister, counted, empty, module, refused, saw, spec};
use hatchery_core::{
    Answer, Command, CommandInput, Exit, Input, Reply, RowFilter, limits, next_wake,
};
use hatchery_core::{maintenance_paused, missing_canisters, warm_reason};
use hatchery_types::{
    CanisterId, Cycles, Effect, EffectKind, Nanos, Observation, OperationId, Outcome, ParentSpec,
    Phase, PoolSpec, Principal, Reason, Refusal, RunState, Value,
};

fn done() -> Outcome {
    Outcome::Done(Value::Nothing)
}

fn resets(root: &mut Root) -> Vec<Effect> {
    root.take(|kind| matches!(kind, EffectKind::Reset { .. }))
}

fn mends(root: &mut Root) -> Vec<Effect> {
    root.take(|kind| matches!(kind, EffectKind::Mend { .. }))
}

/// A root with one member in service.
fn with_a_member() -> (Root, CanisterId) {
    let mut root = Root::with(spec(1, 1, 1));
    root.settle();
    root.run(2);
    let member = root.state.workers("workers", None, 1)[0].0;
    (root, member)
}

/// What is seen of a member as it should be.
fn at_work() -> Observation {
    Observation {
        module: Some(module()),
        settings_clean: Some(false),
        ..empty()
    }
}

/// A day passes and the member is looked at.
fn look(root: &mut Root, seen: Observation) {
    root.settle();
    root.now = root.now + limits::OBSERVE_EVERY;
    root.tick();
    let looks = root.take(|kind| matches!(kind, EffectKind::Observe));
    root.answer(&looks[0], &[saw(seen)]);
}

#[test]
fn p01_a_claimed_canister_whose_install_was_not_made_is_back_in_the_pool() {
    let mut root = Root::with(spec(1, 1, 1));
    root.settle_but_installs();
    let install = root.take(|kind| matches!(kind, EffectKind::Install { .. }));
    let claimed = install[0].canister.expect("an install has a target");
    let row = root.state.row(claimed).expect("accounted while it is away");
    assert_eq!(
        (row.phase, row.effect),
        (Phase::Installing, Some(install[0].id))
    );
    let full = Outcome::NotExecuted(Refusal::new(2, "the queue is full"));
    root.answer(&install[0], &[full.clone(), full]);
    root.settle_but_installs();
    let row = root.state.row(claimed).expect("accounted");
    assert!(
        matches!(row.phase, Phase::Ready | Phase::Installing),
        "{}",
        row.phase
    );
    root.run(10);
    assert_eq!(root.state.workers("workers", None, 9).len(), 1);
    assert_eq!(root.state.rows_len(), 2, "nothing was bought for it");
}

#[test]
fn p04_ten_blocked_rows_do_not_starve_the_rest_and_nothing_spins() {
    let mut fleet = spec(0, 0, 1);
    fleet.lanes.reset = 5;
    let mut root = Root::with(fleet);
    let all: Vec<CanisterId> = (20..80).map(canister).collect();
    let blocked = &all[..10];
    root.command("all", Command::ImportQueued(all.clone()));
    let mut wakes = 0;
    let end = root.now + Nanos::from_secs(3_600);
    while root.now < end {
        for reset in resets(&mut root) {
            let is_blocked = reset.canister.is_some_and(|id| blocked.contains(&id));
            let busy = Outcome::NotExecuted(Refusal::new(2, "busy"));
            let outcome = if is_blocked { busy } else { done() };
            let look = if is_blocked {
                outcome.clone()
            } else {
                saw(empty())
            };
            root.answer(&reset, &[outcome.clone(), outcome, look]);
        }
        if root.open.is_empty() {
            let wake = next_wake(&root.state, root.now).expect("rows wait");
            assert!(wake > root.now, "a wake without delay, and nothing changed");
            wakes += 1;
            root.now = wake;
            root.tick();
        }
    }
    assert_eq!(root.state.counts().phase(Phase::Ready), 50);
    assert_eq!(root.state.counts().phase(Phase::PendingReset), 10);
    // Each backs off from 2 s to 10 min: about 14 attempts an hour.
    assert!(wakes < 200, "{wakes} wakes within an hour");
}

#[test]
fn p04_when_most_resets_fail_the_breaker_tries_one_at_a_time() {
    let mut root = Root::with(spec(0, 0, 1));
    let all: Vec<CanisterId> = (20..70).map(canister).collect();
    root.command("all", Command::ImportQueued(all));
    let busy = Outcome::NotExecuted(Refusal::new(2, "busy"));
    let sent = resets(&mut root);
    assert_eq!(sent.len(), 50);
    for reset in &sent {
        root.answer(reset, &[busy.clone(), busy.clone(), busy.clone()]);
    }
    assert!(root.open.is_empty(), "open: nothing more is sent");
    let until = root.state.header().resets.open_until().expect("open");
    let paused = maintenance_paused(&root.state, root.now, &root.vitals);
    assert_eq!(paused, Some(Reason::BreakerOpen { until }));
    let told = root.state.log(0, 500);
    let opened = |reason: &Reason| matches!(reason, Reason::BreakerOpen { .. });
    assert_eq!(told.iter().filter(|(_, it)| opened(&it.reason)).count(), 1);
    assert_eq!(next_wake(&root.state, root.now), Some(until));
    root.now = until;
    root.tick();
    let probe = resets(&mut root);
    assert_eq!(probe.len(), 1, "one at a time");
    root.answer(&probe[0], &[done(), done(), saw(empty())]);
    assert_eq!(root.state.header().resets.open_until(), None);
    assert!(root.open.len() > 40, "closed: the others follow");
}

#[test]
fn p04_after_a_failed_creation_one_tries_again_before_the_others() {
    let mut root = Root::with(spec(10, 0, 1));
    for round in 1..=3 {
        let creations = root.take(|kind| matches!(kind, EffectKind::Create { .. }));
        assert_eq!(creations.len(), if round == 1 { 10 } else { 1 });
        for create in &creations {
            root.answer(create, &[refused(4)]);
        }
        let until = root.state.header().create_after;
        let paused = maintenance_paused(&root.state, root.now, &root.vitals);
        let open = paused == Some(Reason::BreakerOpen { until });
        assert_eq!(open, round == 3, "{paused:?}");
        let why = warm_reason(&root.state, root.now, &root.vitals);
        assert!(matches!(why, Reason::Refused(_)), "and why: {why}");
        root.now = until;
        root.tick();
    }
    root.settle();
    assert_eq!(root.state.counts().phase(Phase::Ready), 10);
}

#[test]
fn p06_what_is_counted_is_what_became_of_the_rows() {
    let mut root = Root::with(spec(0, 0, 1));
    let ids: Vec<CanisterId> = (20..24).map(canister).collect();
    let reply = root.command("a", Command::ImportQueued(ids.clone()));
    assert_eq!((counted(&reply).added, counted(&reply).total), (4, 4));
    let known = counted(&root.command("known", Command::ImportQueued(ids)));
    assert_eq!(
        (known.requeued, known.skipped.len(), known.total),
        (0, 4, 4)
    );
    for (number, reset) in resets(&mut root).iter().enumerate() {
        let no = refused(5);
        match number {
            0 | 1 => root.answer(reset, &[no.clone(), no.clone(), no]),
            _ => root.answer(reset, &[done(), done(), saw(empty())]),
        }
    }
    let counts = root.state.counts();
    assert_eq!(
        (counts.phase(Phase::Ready), counts.phase(Phase::Failed)),
        (2, 2)
    );
    let log = root.state.log(0, 100);
    let told = |phase| log.iter().filter(|(_, it)| it.phase == Some(phase)).count();
    assert_eq!((told(Phase::Ready), told(Phase::Failed)), (2, 2));
    let again = counted(&root.command("b", Command::RequeueFailed(None)));
    assert_eq!(
        (again.requeued, again.skipped.len(), again.total),
        (2, 0, 2)
    );
}

#[test]
fn p07_a_refused_reset_keeps_its_row() {
    let (mut root, member) = with_a_member();
    root.recycle(member);
    for _ in 0..20 {
        root.later(1);
        root.settle_but(|kind| matches!(kind, EffectKind::Reset { .. }));
    }
    let no = Outcome::Refused(Refusal::new(4, "not now"));
    for attempt in 1..=limits::ATTEMPTS_MAX {
        let mine = |effect: &Effect| effect.canister == Some(member);
        let reset = resets(&mut root)
            .into_iter()
            .find(mine)
            .expect("tried again");
        let mut outcomes = vec![no.clone(); reset.outcomes.len() - 1];
        outcomes.push(saw(at_work()));
        root.answer(&reset, &outcomes);
        let row = root.state.row(member).expect("the row stays");
        assert_eq!(row.role.as_deref(), Some("worker"), "and what it knew");
        let failed = attempt == limits::ATTEMPTS_MAX;
        let phase = if failed {
            Phase::Failed
        } else {
            Phase::PendingReset
        };
        assert_eq!(row.phase, phase, "attempt {attempt}");
        root.later(600);
    }
}

#[test]
fn p10_a_long_import_list_is_refused_and_a_shorter_one_starts_what_the_lanes_hold() {
    let mut root = Root::with(spec(0, 0, 1));
    root.large = true;
    let ids = |count: u64| (0..count).map(|number| CanisterId::from_number(10_000 + number));
    let long = Command::ImportQueued(ids(limits::COMMAND_IDS_MAX as u64 + 1).collect());
    let reply = root.command("long", long);
    assert!(
        matches!(reply, Reply::Refused(Reason::OverLimit, _)),
        "{reply:?}"
    );
    assert_eq!(root.state.rows_len(), 0);
    let command = Command::ImportQueued(ids(1_000).collect());
    let input = CommandInput {
        caller: OPERATOR,
        operation: OperationId("whole".to_owned()),
        command,
    };
    let decision = root.feed(&Input::Command(input));
    assert!(
        decision.effects.is_empty(),
        "the message that imports calls nobody"
    );
    root.tick();
    assert_eq!(
        root.open.len(),
        50,
        "and the tick starts what the lane holds"
    );
}

#[test]
fn p11_an_import_and_a_refill_in_one_tick_buy_nothing_twice() {
    let mut root = Root::with(spec(0, 0, 1));
    let ids: Vec<CanisterId> = (20..23).map(canister).collect();
    root.feed(&Input::Apply(Box::new(spec(5, 0, 1))));
    root.command("a", Command::ImportQueued(ids));
    let bought = root.take(|kind| matches!(kind, EffectKind::Create { .. }));
    assert_eq!(bought.len(), 2, "three of five are on their way");
    assert_eq!(missing_canisters(&root.state, root.now), 0);
}

#[test]
fn p13_the_minimum_is_kept_by_the_tick_or_says_why_not() {
    let mut root = Root::with(spec(3, 0, 1));
    root.settle();
    let ready = root
        .state
        .rows(&RowFilter::of(Some(Phase::Ready)), None, 9)
        .0;
    for row in &ready {
        root.command(&format!("{}", row.canister), Command::Delete(row.canister));
    }
    root.settle();
    assert_eq!(root.state.counts().phase(Phase::Ready), 3, "kept");
    let ready = root
        .state
        .rows(&RowFilter::of(Some(Phase::Ready)), None, 9)
        .0;
    root.vitals.liquid = Cycles(11 * Cycles::T);
    root.command("last", Command::Delete(ready[0].canister));
    root.settle();
    let why = |root: &Root| warm_reason(&root.state, root.now, &root.vitals);
    assert_eq!(
        (root.state.counts().phase(Phase::Ready), why(&root)),
        (2, Reason::AtReserve)
    );
    root.vitals.liquid = Cycles(100 * Cycles::T);
    root.later(61);
    let create = root.take(|kind| matches!(kind, EffectKind::Create { .. }));
    root.answer(&create[0], &[refused(4)]);
    assert!(matches!(why(&root), Reason::Refused(_)));
    root.run(10);
    let counts = root.state.counts();
    assert_eq!(
        (counts.phase(Phase::Ready), why(&root)),
        (3, Reason::Satisfied)
    );
}

#[test]
fn p14_the_text_of_a_failure_is_capped_and_does_not_grow() {
    let mut root = Root::with(spec(0, 0, 1));
    root.import(canister(5));
    let long = "e\u{301}".repeat(5_000);
    let no = Outcome::NotExecuted(Refusal::new(2, &long));
    for _ in 0..20 {
        for reset in resets(&mut root) {
            root.answer(&reset, &[no.clone(), no.clone(), no.clone()]);
        }
        root.later(600);
    }
    let row = root.state.row(canister(5)).expect("accounted");
    let Reason::NotExecuted(refusal) = row.reason else {
        panic!("{}", row.reason)
    };
    assert!(refusal.text.len() <= Refusal::TEXT_MAX && long.starts_with(&refusal.text));
}

#[test]
fn p16_cycles_are_observed_before_ready_and_the_fee_is_in_the_books() {
    let mut root = Root::with(spec(1, 0, 1));
    let create = root.take(|kind| matches!(kind, EffectKind::Create { .. }));
    root.answer(&create[0], &[Outcome::Done(Value::Created(canister(40)))]);
    let row = root.state.row(canister(40)).expect("known");
    assert_eq!((row.phase, row.cycles), (Phase::Creating, None));
    let cycles = Cycles(4_500 * Cycles::B);
    let look = root.take(|kind| matches!(kind, EffectKind::Observe));
    root.answer(&look[0], &[saw(Observation { cycles, ..empty() })]);
    let row = root.state.row(canister(40)).expect("known");
    assert_eq!((row.phase, row.cycles), (Phase::Ready, Some(cycles)));
    let spent = root.state.header().ledger.spent;
    assert_eq!(
        spent,
        Cycles(5 * Cycles::T),
        "what was attached, the fee of 500 B with it"
    );
}

#[test]
fn p18_a_parent_with_children_is_not_recycled_and_a_member_drains_first() {
    let mut fleet = spec(1, 1, 1);
    let mut hubs = PoolSpec::new("hubs", "worker", 1, 1);
    hubs.initial = 1;
    fleet.pools.push(hubs);
    let mut root = Root::with(fleet.clone());
    root.settle();
    root.run(5);
    let hub = root.state.workers("hubs", None, 1)[0].0;
    fleet.pools[0].parent = Some(ParentSpec::Canister(hub));
    root.feed(&Input::Apply(Box::new(fleet)));
    root.tick();
    let reply = root.command("hub", Command::Recycle(hub));
    assert!(
        matches!(reply, Reply::Refused(Reason::HasChildren, _)),
        "{reply:?}"
    );
    let worker = root.state.workers("workers", None, 1)[0].0;
    let reply = root.command("worker", Command::Recycle(worker));
    assert_eq!(reply, Reply::Command(Answer::InProgress));
    let row = root.state.row(worker).expect("accounted");
    assert_eq!(row.phase, Phase::Draining, "its work is not cut");
}

#[test]
fn p21_a_ready_canister_deleted_behind_roots_back_is_noticed_within_a_day() {
    let mut root = Root::with(spec(3, 0, 1));
    root.settle();
    root.later(24 * 3_600 - 1);
    assert!(root.open.is_empty());
    root.later(1);
    let first = resets(&mut root);
    assert_eq!(first.len(), 1, "one at a time: the others stay ready");
    assert_eq!(root.state.counts().phase(Phase::Ready), 2);
    root.answer(&first[0], &[refused(3), refused(3), refused(3)]);
    let gone = first[0].canister.expect("a reset has a canister");
    let row = root.state.row(gone).expect("accounted");
    assert_eq!((row.phase, row.reason), (Phase::Lost, Reason::Gone));
    root.settle();
    assert_eq!(
        root.state.counts().phase(Phase::Ready),
        3,
        "another is bought"
    );
    let log = root.state.log(0, 1_000);
    let again = log.iter().filter(|(_, it)| {
        (it.phase, &it.reason) == (Some(Phase::PendingReset), &Reason::VerifiedLongAgo)
    });
    assert_eq!(again.count(), 3, "each was looked at");
    root.later(3_600);
    assert!(root.open.is_empty(), "once a day");
}

#[test]
fn p19_a_member_found_stopped_is_started_again() {
    let (mut root, member) = with_a_member();
    let run_state = RunState::Stopped;
    look(
        &mut root,
        Observation {
            run_state,
            ..at_work()
        },
    );
    let row = root.state.row(member).expect("accounted");
    assert_eq!(
        (row.phase, row.reason),
        (Phase::InService, Reason::NotRunning)
    );
    let mend = mends(&mut root);
    root.answer(&mend[0], &[done(), done(), saw(at_work())]);
    let row = root.state.row(member).expect("accounted");
    assert_eq!(
        (row.phase, row.mend, row.stopped),
        (Phase::InService, false, false)
    );
    assert!(row.next_attempt > root.now);
    let mut open = root.open.iter();
    assert!(open.all(|effect| effect.canister != Some(member)));
}

#[test]
fn p19_a_member_that_cannot_be_started_is_recycled() {
    let (mut root, member) = with_a_member();
    let stopped = Observation {
        run_state: RunState::Stopped,
        ..at_work()
    };
    look(&mut root, stopped.clone());
    let mend = mends(&mut root);
    let no = refused(5);
    root.answer(&mend[0], &[no.clone(), no, saw(stopped)]);
    let resets = resets(&mut root);
    let reset = resets.iter().find(|it| it.canister == Some(member));
    let kind = reset.map(|reset| &reset.kind);
    assert_eq!(kind, Some(&EffectKind::Reset { start: true }));
}

#[test]
fn p19_members_get_the_controllers_of_a_new_spec() {
    let (mut root, member) = with_a_member();
    let mut fleet = spec(1, 1, 1);
    fleet.controllers = vec![Principal::from_slice(&[9, 2])];
    let controllers = vec![ROOT, fleet.controllers[0]];
    root.later(1);
    root.feed(&Input::Apply(Box::new(fleet)));
    root.tick();
    let mend = mends(&mut root);
    assert_eq!(mend[0].canister, Some(member));
    // The call did not get through: it is repeated, and the member works on.
    let busy = Outcome::NotExecuted(Refusal::new(2, "busy"));
    root.answer(&mend[0], &[busy.clone(), done(), saw(at_work())]);
    assert!(mends(&mut root).is_empty(), "after a wait");
    root.later(5);
    let again = mends(&mut root);
    let seen = Observation {
        controllers,
        ..at_work()
    };
    root.answer(&again[0], &[done(), done(), saw(seen)]);
    let row = root.state.row(member).expect("accounted");
    assert_eq!((row.phase, row.mend), (Phase::InService, false));
    root.later(600);
    assert!(mends(&mut root).is_empty(), "and that was all");
}

#[test]
fn p25_what_the_replica_does_not_report_makes_a_row_failed() {
    let blind = [
        Observation {
            settings_clean: None,
            ..empty()
        },
        Observation {
            snapshot_bytes: None,
            ..empty()
        },
    ];
    for seen in blind {
        let mut root = Root::with(spec(0, 0, 1));
        root.import(canister(5));
        let reset = resets(&mut root);
        root.answer(&reset[0], &[done(), done(), saw(seen)]);
        let row = root.state.row(canister(5)).expect("accounted");
        assert_eq!(
            (row.phase, row.reason),
            (Phase::Failed, Reason::Unobservable)
        );
    }
}

#[test]
fn p22_a_deleted_canister_that_does_not_stop_is_emptied_and_deleted_all_the_same() {
    let mut root = Root::with(spec(0, 0, 1));
    root.import(canister(5));
    root.settle();
    let delete = Command::Delete(canister(5));
    assert_eq!(
        root.command("a", delete.clone()),
        Reply::Command(Answer::InProgress)
    );
    let stop = root.take(|kind| matches!(kind, EffectKind::Stop));
    root.answer(&stop[0], &[Outcome::InProgress]);
    let row = root.state.row(canister(5)).expect("accounted");
    assert_eq!(
        (row.phase, row.exit),
        (Phase::Resetting, Some(Exit::Delete))
    );
    assert_eq!(
        root.command("a", delete.clone()),
        Reply::Command(Answer::InProgress)
    );
    root.settle();
    assert_eq!(root.state.rows_len(), 0);
    let reply = root.command("a", delete);
    assert!(
        matches!(reply, Reply::Command(Answer::Deleted { .. })),
        "{reply:?}"
    );
}

/// Every failure id has a test that is named after it.
#[test]
fn each_id_of_the_warm_pool_has_a_named_test() {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut names = Vec::new();
    for folder in ["core/tests/it", "sim/tests/it", "canister/src/root"] {
        let files = std::fs::read_dir(crates.join(folder)).expect("the folder is there");
        for file in files {
            let path = file.expect("a file").path();
            if path.extension().is_some_and(|it| it == "rs") {
                let text = std::fs::read_to_string(&path).expect("a text");
                let tests = text
                    .lines()
                    .filter_map(|line| line.trim().strip_prefix("fn "));
                names.extend(tests.map(|name| format!("_{name}")));
            }
        }
    }
    let ids = (1..=26).map(|number| format!("p{number:02}"));
    let is_tested = |id: &String| {
        let id = format!("_{id}_");
        names.iter().any(|name: &String| name.contains(&id))
    };
    let untested: Vec<String> = ids.filter(|id| !is_tested(id)).collect();
    assert_eq!(untested, Vec::<String>::new());
}

#[test]
fn p25_snapshots_of_the_last_tenant_are_deleted_one_by_one() {
    let mut root = Root::with(spec(0, 0, 1));
    root.import(canister(5));
    let dirty = Observation {
        snapshot_bytes: Some(1_000),
        ..empty()
    };
    let done = || Outcome::Done(Value::Nothing);
    let reset = |root: &mut Root, seen: Observation| {
        let effects = root.take(|kind| matches!(kind, EffectKind::Reset { .. }));
        assert_eq!(effects.len(), 1, "{:?}", root.open);
        root.answer(&effects[0], &[done(), done(), saw(seen)]);
        root.later(600);
    };
    let find = |root: &mut Root, left: &[&[u8]]| {
        let effects = root.take(|kind| *kind == EffectKind::FindSnapshot);
        let left = left.iter().map(|id| (id.to_vec(), Nanos(1))).collect();
        root.answer(&effects[0], &[Outcome::Done(Value::Saved(left))]);
    };
    let drop = |root: &mut Root, id: &[u8]| {
        let snapshot = id.to_vec();
        let effects = root.take(|kind| {
            *kind
                == EffectKind::DropSnapshot {
                    snapshot: snapshot.clone(),
                }
        });
        assert_eq!(effects.len(), 1, "{:?}", root.open);
        root.answer(&effects[0], &[done()]);
    };
    // Attempts of which nothing ran before do not count against it.
    for _ in 0..limits::ATTEMPTS_MAX {
        let effects = root.take(|kind| matches!(kind, EffectKind::Reset { .. }));
        let busy = || Outcome::NotExecuted(Refusal::new(2, "busy"));
        root.answer(&effects[0], &[busy(), busy(), busy()]);
        root.later(600);
    }
    reset(&mut root, dirty.clone());
    find(&mut root, &[b"one", b"two"]);
    drop(&mut root, b"one");
    find(&mut root, &[b"two"]);
    drop(&mut root, b"two");
    find(&mut root, &[]);
    reset(&mut root, empty());
    let row = root.state.row(canister(5)).expect("accounted");
    assert_eq!(row.phase, Phase::Ready);
    assert!(row.upgrade.is_none());
}
