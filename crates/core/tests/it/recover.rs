//! A root that lost its memory: it says so, changes nothing, and gets its rows back.

use crate::fixture::{ROOT, Root, WASM, canister, empty, info, module, refused, saw, spec, told};
use hatchery_core::{
    Answer, Command, Input, Recover, Reply, RowFilter, Standing, plan_pool, warm_reason,
};
use hatchery_types::{
    CanisterId, EffectKind, FleetSpec, Generation, GrantSpec, Info, ModuleHash, Observation,
    Outcome, Phase, Principal, Reason, Refusal, Registered, RunState, Tenancy,
};

/// A fresh root whose history holds an earlier deployment, with the fleet's spec.
fn reinstalled(fleet: FleetSpec) -> Root {
    let mut root = Root::newborn();
    root.feed(&Input::Apply(Box::new(fleet)));
    root.tick();
    let look = root.take(|kind| matches!(kind, EffectKind::Info { .. }));
    root.answer(&look[0], &[told(info(2))]);
    assert_eq!(root.state.header().standing, Standing::Recovering);
    root.story();
    root
}

/// What a member of the pool shows.
fn member(generation: u64) -> Observation {
    Observation {
        module: Some(module()),
        settings_clean: Some(false),
        tenancy: Some(Tenancy {
            root: CanisterId(ROOT),
            role: Some("worker".to_owned()),
            pool: Some("workers".to_owned()),
            parent: Some(CanisterId(ROOT)),
            generation: Generation(generation),
        }),
        ..empty()
    }
}

fn recover(root: &mut Root, operation: &str, recover: Recover) -> Reply {
    root.command(operation, Command::Recover(recover))
}

fn bare(numbers: impl IntoIterator<Item = u8>) -> Recover {
    let ids = numbers.into_iter().map(|it| Registered::bare(canister(it)));
    Recover::Canisters(ids.collect())
}

/// Answers every look under way by what the canister shows.
fn look(root: &mut Root, shows: impl Fn(CanisterId) -> Outcome) {
    for effect in root.take(|kind| *kind == EffectKind::Observe) {
        let canister = effect.canister.expect("a look at a canister");
        root.answer(&effect, &[shows(canister)]);
    }
}

fn refusal(reply: &Reply) -> Option<Reason> {
    match reply {
        Reply::Refused(reason, _) => Some(reason.clone()),
        _ => None,
    }
}

#[test]
fn l07_a_fresh_root_looks_at_itself_before_anything_else() {
    let mut root = Root::newborn();
    root.feed(&Input::Apply(Box::new(spec(3, 1, 1))));
    root.tick();
    assert_eq!(root.open.len(), 1, "{:?}", root.open);
    let reason = warm_reason(&root.state, root.now, &root.vitals);
    assert_eq!(reason, Reason::Unchecked);
    let look = root.take(|kind| matches!(kind, EffectKind::Info { .. }));
    root.answer(&look[0], &[Outcome::NotExecuted(Refusal::new(2, "busy"))]);
    assert!(root.open.is_empty(), "nothing is bought on a guess");
    root.later(2);
    let look = root.take(|kind| matches!(kind, EffectKind::Info { .. }));
    root.answer(&look[0], &[told(info(1))]);
    assert_eq!(root.state.header().standing, Standing::Sound);
    assert!(!root.open.is_empty(), "the fleet is built");
}

#[test]
fn l07_a_history_that_forgot_its_beginning_proves_nothing() {
    let mut root = Root::newborn();
    root.tick();
    let look = root.take(|kind| matches!(kind, EffectKind::Info { .. }));
    let forgetful = Info {
        whole: false,
        creation: None,
        ..info(1)
    };
    root.answer(&look[0], &[told(forgetful)]);
    assert_eq!(root.state.header().standing, Standing::Recovering);
}

#[test]
fn l07_an_upgrade_before_the_first_look_is_no_reinstall() {
    let mut root = Root::newborn();
    root.upgrade();
    root.tick();
    let look = root.take(|kind| matches!(kind, EffectKind::Info { .. }));
    root.answer(&look[0], &[told(info(2))]);
    assert_eq!(root.state.header().standing, Standing::Sound);
}

#[test]
fn l07_a_history_read_before_an_upgrade_is_read_again() {
    let mut root = Root::newborn();
    root.tick();
    let look = root.take(|kind| matches!(kind, EffectKind::Info { .. }));
    let before = Input::Outcome {
        effect: look[0].id,
        step: 0,
        outcome: told(info(2)),
    };
    root.feed(&before);
    root.upgrade();
    root.tick();
    let look = root.take(|kind| matches!(kind, EffectKind::Info { .. }));
    assert_eq!(look.len(), 1, "two deployments, then two known ones");
    root.answer(&look[0], &[told(info(3))]);
    assert_eq!(root.state.header().standing, Standing::Recovering);
}

#[test]
fn l07_a_reinstalled_root_answers_and_changes_nothing() {
    let mut root = reinstalled(spec(3, 2, 4));
    root.run(3_700);
    root.upgrade();
    root.run(100);
    assert!(!root.story().contains('!'), "no effect at all");
    let reason = warm_reason(&root.state, root.now, &root.vitals);
    assert_eq!(reason, Reason::Recovering);
    let plan = plan_pool(&root.state, root.now, &root.vitals, "workers").expect("a plan");
    assert_eq!(plan.reasons.first(), Some(&Reason::Recovering));
    let import = root.command("import", Command::ImportQueued(vec![canister(5)]));
    assert_eq!(refusal(&import), Some(Reason::Recovering));
    let report = root.report(canister(5), 1);
    let Reply::Reported { accepting, refused } = report else {
        panic!("{report:?}")
    };
    assert!(accepting, "workers go on");
    assert_eq!(refused, Some(Reason::Recovering));
}

#[test]
fn l07_rows_are_rebuilt_from_what_canisters_show() {
    let mut root = reinstalled(spec(0, 0, 4));
    let reply = recover(&mut root, "ids", bare([11, 12, 13, 14, 15, 16, 17, 11]));
    assert!(
        matches!(&reply, Reply::Command(Answer::Counted(counted)) if counted.added == 7),
        "{reply:?}"
    );
    let early = recover(&mut root, "early", Recover::Done);
    assert_eq!(refusal(&early), Some(Reason::WrongPhase));
    look(&mut root, |id| match id.number() {
        Some(11) => saw(member(7)),
        Some(12) => saw(Observation {
            run_state: RunState::Stopped,
            ..member(3)
        }),
        Some(13) => saw(empty()),
        Some(14) => saw(Observation {
            module: Some(ModuleHash([9; 32])),
            ..member(2)
        }),
        Some(15) => refused(5),
        Some(16) => refused(3),
        _ => Outcome::NotExecuted(Refusal::new(2, "busy")),
    });
    let phase = |root: &Root, number| root.state.row(canister(number)).map(|row| row.phase);
    assert_eq!(phase(&root, 17), Some(Phase::Recovering), "asked again");
    root.later(2);
    look(&mut root, |_| saw(member(1)));
    let found: Vec<_> = (11..=17).map(|number| phase(&root, number)).collect();
    let expected = [
        Some(Phase::InService),
        Some(Phase::PendingReset),
        Some(Phase::PendingReset),
        Some(Phase::Failed),
        None,
        None,
        Some(Phase::InService),
    ];
    assert_eq!(found, expected);
    let row = root.state.row(canister(11)).expect("rebuilt");
    assert_eq!(row.generation, Generation(7));
    assert_eq!(
        (row.role.as_deref(), row.pool.as_deref()),
        (Some("worker"), Some("workers"))
    );
    assert_eq!(row.parent, Some(CanisterId(ROOT)));
    let workers = root.state.workers("workers", None, 9);
    assert_eq!(workers.len(), 2, "discovery answers again");
    root.run(100);
    assert!(
        root.open.is_empty(),
        "nothing is reset before the operator is done"
    );
    let plan = plan_pool(&root.state, root.now, &root.vitals, "workers").expect("a plan");
    assert!(!plan.acts(), "{plan:?}");
}

#[test]
fn l07_after_the_end_of_the_recovery_root_does_its_work() {
    let mut root = reinstalled(spec(2, 1, 4));
    recover(&mut root, "ids", bare([11, 12, 13]));
    look(&mut root, |id| match id.number() {
        Some(11) => saw(member(7)),
        _ => saw(empty()),
    });
    root.story();
    let (module, bytes) = (module(), WASM.to_vec());
    root.feed(&Input::StageChunk {
        module,
        index: 0,
        bytes,
    });
    root.feed(&Input::CommitModule { module, chunks: 1 });
    let done = recover(&mut root, "done", Recover::Done);
    assert!(matches!(done, Reply::Command(_)), "{done:?}");
    root.settle();
    assert_eq!(root.state.counts().phase(Phase::Ready), 2);
    assert_eq!(root.state.counts().phase(Phase::InService), 1);
    assert!(!root.story().contains("! create"), "everything was there");
    let again = recover(&mut root, "done", Recover::Done);
    assert_eq!(again, done, "the same operation, the same answer");
    let other = recover(&mut root, "done again", Recover::Done);
    assert_eq!(refusal(&other), Some(Reason::WrongPhase));
}

#[test]
fn l07_children_of_a_parent_that_did_not_come_back_are_roots() {
    let mut fleet = spec(0, 0, 4);
    fleet.grants = vec![GrantSpec {
        role: "worker".to_owned(),
        pool: "workers".to_owned(),
        each: 2,
        all: 4,
        depth: 2,
        under_root: true,
    }];
    let mut root = reinstalled(fleet);
    recover(&mut root, "ids", bare([11, 12, 14]));
    let child_of = |parent| Observation {
        tenancy: member(1).tenancy.map(|it| Tenancy {
            parent: Some(canister(parent)),
            ..it
        }),
        ..member(1)
    };
    look(&mut root, |id| match id.number() {
        Some(11) => saw(child_of(14)),
        Some(12) => saw(child_of(13)),
        _ => saw(member(1)),
    });
    let parents = |root: &Root| {
        let parent = |number| root.state.row(canister(number)).expect("rebuilt").parent;
        [parent(11), parent(12)]
    };
    assert_eq!(parents(&root), [Some(canister(14)), Some(canister(13))]);
    recover(&mut root, "done", Recover::Done);
    root.tick();
    let expected = [Some(canister(14)), Some(CanisterId(ROOT))];
    assert_eq!(parents(&root), expected);
}

#[test]
fn l07_a_range_is_looked_through_for_what_root_controls() {
    let mut root = reinstalled(spec(0, 0, 4));
    let first = canister(10);
    recover(&mut root, "range", Recover::Range { first, ids: 25 });
    let second = recover(&mut root, "twice", Recover::Range { first, ids: 25 });
    assert_eq!(refusal(&second), Some(Reason::WrongPhase));
    let stranger = Principal::from_slice(&[9, 2]);
    let mut asked = 0;
    loop {
        let infos = root.take(|kind| matches!(kind, EffectKind::Info { .. }));
        if infos.is_empty() {
            break;
        }
        for effect in infos {
            asked += 1;
            let EffectKind::Info { canister } = effect.kind else {
                unreachable!("only infos were taken")
            };
            let controllers = match canister.number() {
                Some(12 | 30) => vec![ROOT, stranger],
                Some(13) => vec![stranger],
                _ => {
                    root.answer(&effect, &[refused(3)]);
                    continue;
                }
            };
            let seen = Info {
                controllers,
                creation: None,
                ..info(0)
            };
            root.answer(&effect, &[told(seen)]);
        }
    }
    assert_eq!(asked, 25);
    look(&mut root, |_| saw(empty()));
    let (rows, _) = root.state.rows(&RowFilter::of(None), None, 10);
    let found: Vec<_> = rows
        .iter()
        .filter_map(|row| row.canister.number())
        .collect();
    assert_eq!(found, [12, 30]);
}

#[test]
fn l07_an_export_read_back_is_the_same_registry() {
    let mut before = Root::with(spec(2, 2, 4));
    before.settle();
    let rows = before.state.rows(&RowFilter::of(None), None, 100).0;
    let known: Vec<Registered> = rows.iter().map(hatchery_core::Row::registered).collect();
    let mut after = reinstalled(spec(2, 2, 4));
    recover(&mut after, "export", Recover::Canisters(known.clone()));
    look(&mut after, |id| {
        let row = before.state.row(id).expect("a row of the export");
        saw(if row.phase == Phase::InService {
            member(row.generation.0)
        } else {
            empty()
        })
    });
    for known in known {
        let row = after.state.row(known.canister).expect("rebuilt");
        let phase = match known.phase {
            Some(Phase::Ready) => Phase::PendingReset,
            phase => phase.expect("exported"),
        };
        let rebuilt = row.registered();
        assert_eq!(
            rebuilt,
            Registered {
                phase: Some(phase),
                ..known
            }
        );
    }
}

#[test]
fn l07_recover_names_what_it_skips_and_what_it_needs() {
    let mut root = Root::newborn();
    root.see_itself();
    let early = recover(&mut root, "early", bare([11]));
    assert_eq!(refusal(&early), Some(Reason::NoSpec));
    root.feed(&Input::Apply(Box::new(spec(0, 0, 1))));
    root.import(canister(5));
    let user = Registered::bare(CanisterId(Principal::from_slice(&[5; 29])));
    let long = Registered {
        role: Some("x".repeat(101)),
        ..Registered::bare(canister(7))
    };
    let known = Registered::bare(canister(5));
    let reply = recover(
        &mut root,
        "some",
        Recover::Canisters(vec![user, long, known]),
    );
    let Reply::Command(Answer::Counted(answer)) = reply else {
        panic!("{reply:?}")
    };
    let reasons: Vec<Reason> = answer
        .skipped
        .into_iter()
        .map(|(_, reason)| reason)
        .collect();
    let expected = [
        Reason::UnknownCanister,
        Reason::OverLimit,
        Reason::AlreadyManaged,
    ];
    assert_eq!(reasons, expected);
    let many = Recover::Range {
        first: canister(1),
        ids: 10_001,
    };
    assert_eq!(
        refusal(&recover(&mut root, "many", many)),
        Some(Reason::OverLimit)
    );
}
