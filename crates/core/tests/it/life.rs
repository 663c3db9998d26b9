//! One canister's whole life, and what faults do to it.

use crate::fixture::{Root, canister, empty, refused, saw, spec};
use expect_test::expect;
use std::fmt::Write;

use hatchery_types::{
    Cycles, EffectKind, Nanos, Observation, Outcome, Phase, Principal, Refusal, RunState, Value,
};

fn unknown() -> Outcome {
    Outcome::Unknown(Refusal::new(6, "expired"))
}

#[test]
fn a_worker_is_born_works_and_returns() {
    let mut root = Root::with(spec(1, 1, 3));
    root.settle();
    let member = root.state.workers("workers", None, 10)[0].0;
    root.run(2);
    root.report(member, 9);
    root.run(5);
    for (worker, _) in root.state.workers("workers", None, 10) {
        root.report(worker, 1);
    }
    root.run(55);
    expect![[r#"
        t0 - ! create
        t0 - ! store-chunk
        t0 pool workers wants 1: below-minimum, module-missing
        t0 pool workers wants 1: below-minimum, no-ready-canister
        t0 - ! create
        t0 c11 creating (bought)
        t0 c11 ! observe
        t0 c12 creating (bought)
        t0 c12 ! observe
        t0 c11 ready (verified-empty)
        t0 c11 ! install
        t0 c11 installing (claimed)
        t0 pool workers wants 1: below-minimum
        t0 c12 ready (verified-empty)
        t0 c11 in-service (installed)
        t0 pool workers wants 1: signals-missing
        t2 c12 ! install
        t2 c12 installing (claimed)
        t2 pool workers wants 3: above-target, no-ready-canister
        t2 - ! create
        t2 - ! create
        t3 c12 in-service (installed)
        t3 c13 creating (bought)
        t3 c13 ! observe
        t3 c14 creating (bought)
        t3 c14 ! observe
        t3 c13 ready (verified-empty)
        t3 c13 ! install
        t3 c13 installing (claimed)
        t3 pool workers wants 3: above-target
        t3 c14 ready (verified-empty)
        t3 c13 in-service (installed)
        t7 pool workers wants 3: below-target
        t8 pool workers wants 3: below-target, stabilising
        t38 c12 draining (scaled-in)
        t38 pool workers wants 1: below-target, disruption-budget
        t48 c12 ! drain
        t48 c12 stopping (idle)
        t48 c12 ! stop
        t48 c12 pending-reset (recycled)
        t48 c12 ! reset
        t48 c12 resetting (recycled)
        t48 c13 draining (scaled-in)
        t48 pool workers wants 1: below-target
        t48 c12 ready (verified-empty)
        t58 c13 ! drain
        t58 c13 stopping (idle)
        t58 c13 ! stop
        t58 pool workers wants 1: below-target
        t58 c13 pending-reset (recycled)
        t58 c13 ! reset
        t58 c13 resetting (recycled)
        t58 c13 ready (verified-empty)
    "#]]
    .assert_eq(&root.story());
}

#[test]
fn p05_p20_a_reset_is_ready_only_after_it_was_seen_empty() {
    let flaws = [
        (
            "module",
            Observation {
                module: Some(crate::fixture::module()),
                ..empty()
            },
        ),
        (
            "memory",
            Observation {
                memory_bytes: 1 << 20,
                ..empty()
            },
        ),
        (
            "snapshot",
            Observation {
                snapshot_bytes: Some(1),
                ..empty()
            },
        ),
        (
            "unreported",
            Observation {
                settings_clean: None,
                ..empty()
            },
        ),
        (
            "settings",
            Observation {
                settings_clean: Some(false),
                ..empty()
            },
        ),
        (
            "stopped",
            Observation {
                run_state: RunState::Stopped,
                ..empty()
            },
        ),
        (
            "poor",
            Observation {
                cycles: Cycles(1),
                ..empty()
            },
        ),
        (
            "controllers",
            Observation {
                controllers: vec![crate::fixture::ROOT, Principal::from_slice(&[9, 2])],
                ..empty()
            },
        ),
    ];
    let mut told = String::new();
    for (flaw, seen) in flaws {
        let mut root = Root::with(spec(0, 0, 1));
        root.import(canister(5));
        let reset = root.take(|kind| matches!(kind, EffectKind::Reset { .. }));
        let done = Outcome::Done(Value::Nothing);
        root.answer(&reset[0], &[done.clone(), done, saw(seen)]);
        let row = root.state.row(canister(5)).expect("the row stays");
        assert_ne!(row.phase, Phase::Ready, "{flaw}");
        writeln!(told, "{flaw}: {} ({})", row.phase, row.reason).expect("a String takes text");
    }
    expect![[r#"
        module: pending-reset (not-empty)
        memory: pending-reset (not-empty)
        snapshot: pending-reset (not-empty)
        unreported: failed (unobservable)
        settings: pending-reset (wrong-settings)
        stopped: pending-reset (not-running)
        poor: failed (below-floor)
        controllers: pending-reset (wrong-controllers)
    "#]]
    .assert_eq(&told);
}

#[test]
fn p02_p15_an_upgrade_in_the_middle_of_a_reset_finishes_it() {
    let mut root = Root::with(spec(0, 0, 1));
    root.import(canister(5));
    assert_eq!(root.open.len(), 1);
    root.open.clear();
    root.upgrade();
    root.tick();
    assert!(
        root.take(|kind| matches!(kind, EffectKind::Reset { .. }))
            .is_empty(),
        "answers to the earlier root's calls are waited for"
    );
    root.later(61);
    root.later(10);
    root.settle();
    assert_eq!(
        root.state.row(canister(5)).map(|row| row.phase),
        Some(Phase::Ready)
    );
}

#[test]
fn a_late_answer_to_an_earlier_root_counts() {
    let mut root = Root::with(spec(0, 0, 1));
    root.import(canister(5));
    root.upgrade();
    root.tick();
    root.settle();
    assert_eq!(
        root.state.row(canister(5)).map(|row| row.phase),
        Some(Phase::Ready)
    );
}

#[test]
fn l03_a_late_outcome_of_a_closed_effect_is_ignored() {
    let mut root = Root::with(spec(0, 0, 1));
    root.import(canister(5));
    let old = root
        .take(|kind| matches!(kind, EffectKind::Reset { .. }))
        .remove(0);
    root.upgrade();
    root.later(61);
    root.later(10);
    let row = root.state.row(canister(5));
    let done = Outcome::Done(Value::Nothing);
    root.answer(&old, &[done.clone(), done, saw(empty())]);
    assert_eq!(
        root.state.row(canister(5)),
        row,
        "only the newer attempt may conclude"
    );
    root.settle();
    assert_eq!(
        root.state.row(canister(5)).map(|row| row.phase),
        Some(Phase::Ready)
    );
}

#[test]
fn l26_a_stopping_root_starts_nothing_and_finishes_what_is_open() {
    let mut root = Root::with(spec(2, 1, 3));
    let open = root.open.len();
    assert!(open > 0, "it buys");
    root.vitals.stopping = true;
    root.later(60);
    assert_eq!(root.open.len(), open, "nothing is started");
    root.settle();
    assert!(root.open.is_empty());
    assert_eq!(root.state.counts().calls, 0, "what was open is finished");
    let bought = root.state.rows_len();
    assert!(bought > 0, "and what it brought is kept");
    root.later(600);
    assert!(root.open.is_empty(), "nor later");
    root.vitals.stopping = false;
    root.run(60);
    assert!(root.state.counts().phase(Phase::Ready) >= 2);
    assert!(root.state.rows_len() >= bought);
}

#[test]
fn p17_a_canister_that_root_does_not_control_fails_untouched() {
    let mut root = Root::with(spec(0, 0, 1));
    root.import(canister(5));
    let reset = root.take(|kind| matches!(kind, EffectKind::Reset { .. }));
    root.answer(&reset[0], &[refused(5), refused(5), refused(5)]);
    let row = root.state.row(canister(5)).expect("accounted");
    assert_eq!(
        (row.phase, row.reason.name()),
        (Phase::Failed, "not-controlled")
    );
}

#[test]
fn p09_a_failed_install_goes_back_and_the_want_is_met_by_another() {
    let mut root = Root::with(spec(2, 1, 1));
    root.settle_until(|kind| matches!(kind, EffectKind::Install { .. }));
    let install = root
        .take(|kind| matches!(kind, EffectKind::Install { .. }))
        .remove(0);
    root.answer(&install, &[Outcome::Done(Value::Nothing), refused(5)]);
    let row = root
        .state
        .row(install.canister.expect("an install has a canister"));
    assert_eq!(row.map(|row| row.phase), Some(Phase::Resetting));
    root.settle();
    root.later(3);
    root.settle();
    assert_eq!(root.state.workers("workers", None, 10).len(), 1);
}

#[test]
fn an_unknown_install_is_looked_at_and_never_repeated() {
    let mut root = Root::with(spec(0, 1, 1));
    root.settle_until(|kind| matches!(kind, EffectKind::Install { .. }));
    let install = root
        .take(|kind| matches!(kind, EffectKind::Install { .. }))
        .remove(0);
    let member = install.canister.expect("an install has a canister");
    root.answer(&install, &[Outcome::Done(Value::Nothing), unknown()]);
    for _ in 0..19 {
        let look = root
            .take(|kind| matches!(kind, EffectKind::Observe))
            .remove(0);
        assert_eq!(look.canister, Some(member));
        root.answer(&look, &[saw(empty())]);
        assert_eq!(
            root.state.row(member).map(|row| row.phase),
            Some(Phase::Installing)
        );
        root.later(30);
        assert!(
            root.take(|kind| matches!(kind, EffectKind::Install { .. }))
                .is_empty()
        );
    }
    for (phase, why) in [
        (
            Phase::Installing,
            "that look began before ten minutes were over",
        ),
        (Phase::Resetting, "now its absence counts"),
    ] {
        root.later(30);
        let look = root
            .take(|kind| matches!(kind, EffectKind::Observe))
            .remove(0);
        root.answer(&look, &[saw(empty())]);
        let row = root.state.row(member).expect("accounted");
        assert_eq!(row.phase, phase, "{why}");
    }
}

#[test]
fn p12_a_lost_creation_is_flagged_and_a_late_reply_still_counts() {
    let mut root = Root::with(spec(1, 0, 1));
    let create = root
        .take(|kind| matches!(kind, EffectKind::Create { .. }))
        .remove(0);
    root.upgrade();
    root.tick();
    assert!(
        root.take(|kind| matches!(kind, EffectKind::Create { .. }))
            .is_empty(),
        "what is in flight counts: nothing is bought twice"
    );
    root.later(601);
    assert_eq!(root.state.lost_creations(), 1);
    let id = canister(77);
    root.answer(&create, &[Outcome::Done(Value::Created(id))]);
    assert_eq!(root.state.lost_creations(), 0);
    root.settle();
    assert_eq!(root.state.row(id).map(|row| row.phase), Some(Phase::Ready));
}

#[test]
fn p12_unknown_creations_stop_the_buying() {
    let mut root = Root::with(spec(50, 0, 1));
    for _ in 0..40 {
        for create in root.take(|kind| matches!(kind, EffectKind::Create { .. })) {
            root.answer(&create, &[unknown()]);
        }
        root.later(600);
    }
    let lost = root.state.lost_creations();
    assert!(
        (10..20).contains(&lost),
        "{lost} creations lost, then no more are bought"
    );
}

#[test]
fn p21_a_member_deleted_behind_our_back_is_replaced() {
    let mut root = Root::with(spec(1, 1, 2));
    root.settle();
    root.later(5);
    root.settle();
    let member = root.state.workers("workers", None, 10)[0].0;
    root.later(121);
    let look = root
        .take(|kind| matches!(kind, EffectKind::Observe))
        .remove(0);
    assert_eq!(look.canister, Some(member));
    root.answer(&look, &[refused(3)]);
    assert_eq!(
        root.state.row(member).map(|row| row.phase),
        Some(Phase::Lost)
    );
    assert!(
        root.state.workers("workers", None, 10).is_empty(),
        "s07: gone from discovery at once"
    );
    root.settle();
    assert_eq!(root.state.workers("workers", None, 10).len(), 1);
}

#[test]
fn p22_a_stop_that_never_ends_is_followed_by_a_reset() {
    let mut root = Root::with(spec(1, 1, 2));
    root.settle();
    let member = root.state.workers("workers", None, 10)[0].0;
    root.recycle(member);
    root.later(10);
    let drain = root
        .take(|kind| matches!(kind, EffectKind::Drain))
        .remove(0);
    root.answer(&drain, &[Outcome::Done(Value::Drained(true))]);
    let stop = root.take(|kind| matches!(kind, EffectKind::Stop)).remove(0);
    root.answer(&stop, &[Outcome::InProgress]);
    let reset = root.take(|kind| matches!(kind, EffectKind::Reset { start: true }));
    assert_eq!(reset.len(), 1, "started again by the reset");
}

#[test]
fn a_drain_deadline_cuts_work_and_says_so() {
    let mut root = Root::with(spec(1, 1, 2));
    root.settle();
    let member = root.state.workers("workers", None, 10)[0].0;
    root.recycle(member);
    for _ in 0..30 {
        root.later(3);
        for drain in root.take(|kind| matches!(kind, EffectKind::Drain)) {
            assert!(root.now < Nanos::from_secs(1_000 + 90));
            root.answer(&drain, &[Outcome::Done(Value::Drained(false))]);
        }
    }
    let row = root.state.row(member).expect("accounted");
    assert_ne!(row.phase, Phase::Draining);
    assert_eq!(
        root.state.pool("workers").map(|pool| pool.work_cut),
        Some(1)
    );
}

#[test]
fn p26_surplus_is_given_back_and_l26_a_stopping_root_starts_nothing() {
    let mut fleet = spec(0, 0, 1);
    fleet.warm_pool.maximum = 1;
    let mut root = Root::with(fleet);
    root.vitals.stopping = true;
    root.import(canister(5));
    root.import(canister(6));
    assert!(root.open.is_empty());
    root.vitals.stopping = false;
    root.tick();
    root.settle();
    root.later(1);
    assert_eq!(root.state.rows_len(), 1);
}
