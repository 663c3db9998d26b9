//! The size of the warm pool: what is bought, what is not, and what is not sold.

use crate::fixture::{Root, canister, counted, empty, refused, saw, spec};
use hatchery_core::{Command, Input, warm_reason};
use hatchery_types::{
    EffectKind, Nanos, Observation, Outcome, Phase, Principal, Reason, Refusal, Value,
};

#[test]
fn canisters_that_never_pass_their_verification_stop_the_buying() {
    let mut root = Root::with(spec(5, 0, 1));
    let mut bought = 0u8;
    for _ in 0..200 {
        for create in root.take(|kind| matches!(kind, EffectKind::Create { .. })) {
            bought += 1;
            root.answer(
                &create,
                &[Outcome::Done(Value::Created(canister(100 + bought)))],
            );
        }
        let unreported = Observation {
            settings_clean: None,
            ..empty()
        };
        for look in root.take(|kind| matches!(kind, EffectKind::Observe)) {
            root.answer(&look, &[saw(unreported.clone())]);
        }
        for reset in root.take(|kind| matches!(kind, EffectKind::Reset { .. })) {
            let done = Outcome::Done(Value::Nothing);
            root.answer(&reset, &[done.clone(), done, saw(unreported.clone())]);
        }
        root.later(60);
    }
    assert!((20..=30).contains(&bought), "{bought} bought");
    let reason = warm_reason(&root.state, root.now, &root.vitals);
    assert_eq!(reason, Reason::UnprovenCanisters);
}

#[test]
fn what_a_pool_waits_for_behind_a_full_lane_is_not_sold() {
    let mut fleet = spec(2, 20, 20);
    fleet.warm_pool.maximum = 4;
    let mut root = Root::with(fleet);
    root.settle();
    root.run(30);
    assert_eq!(root.state.workers("workers", None, 50).len(), 20);
    assert_eq!(
        root.state.rows_len(),
        22,
        "20 workers and the minimum, nothing bought twice"
    );
    assert!(!root.story().contains("surplus"));
}

#[test]
fn a_pool_that_left_the_spec_wants_nothing_any_more() {
    let mut root = Root::with(spec(0, 0, 1));
    root.vitals.liquid = hatchery_types::Cycles(0);
    root.feed(&Input::Apply(Box::new(spec(0, 3, 3))));
    root.tick();
    assert_eq!(root.state.pool("workers").map(|pool| pool.unmet), Some(3));
    root.vitals.liquid = hatchery_types::Cycles(16 * hatchery_types::Cycles::T);
    root.later(61);
    let mut without = spec(0, 0, 1);
    without.pools.clear();
    root.open.clear();
    root.feed(&Input::Apply(Box::new(without)));
    assert!(root.state.pool("workers").is_none());
    root.tick();
    assert!(root.open.is_empty(), "nothing is bought for it");
    let reason = warm_reason(&root.state, root.now, &root.vitals);
    assert_eq!(reason, Reason::Satisfied);
}

#[test]
fn p17_other_controllers_in_the_spec_send_ready_canisters_through_a_reset() {
    let mut root = Root::with(spec(3, 0, 1));
    root.settle();
    assert_eq!(root.state.counts().phase(Phase::Ready), 3);
    let mut fleet = spec(3, 0, 1);
    fleet.controllers = vec![Principal::from_slice(&[9, 2])];
    root.now = root.now + Nanos::from_secs(1);
    root.feed(&Input::Apply(Box::new(fleet)));
    root.tick();
    assert_eq!(root.state.counts().phase(Phase::Ready), 0);
    assert_eq!(root.state.counts().phase(Phase::Resetting), 3);
}

#[test]
fn a_delete_whose_answer_was_lost_ends_when_the_canister_is_gone() {
    let mut fleet = spec(0, 0, 1);
    fleet.warm_pool.maximum = 0;
    let mut root = Root::with(fleet);
    root.import(canister(5));
    root.settle_until(|kind| matches!(kind, EffectKind::Delete));
    let delete = root
        .take(|kind| matches!(kind, EffectKind::Delete))
        .remove(0);
    let unknown = Outcome::Unknown(Refusal::new(0, "lost"));
    root.answer(&delete, &[unknown]);
    root.later(5);
    let stop = root.take(|kind| matches!(kind, EffectKind::Stop)).remove(0);
    root.answer(&stop, &[refused(3)]);
    assert_eq!(root.state.rows_len(), 0);
}

#[test]
fn an_operator_goes_on_when_the_receipts_of_yesterday_expire() {
    let mut root = Root::with(spec(0, 0, 1));
    for operation in 0..1_000 {
        root.command(&format!("a{operation}"), Command::Resume(None));
    }
    let full = root.command("b", Command::Resume(None));
    assert!(matches!(
        full,
        hatchery_core::Reply::Refused(Reason::TooManyOperations, _)
    ));
    root.now = root.now + Nanos::from_secs(24 * 3_600);
    let answered = root.command("b", Command::Resume(None));
    assert!(
        matches!(answered, hatchery_core::Reply::Command(_)),
        "{answered:?}"
    );
}

/// Creations under way, unanswered.
fn under_way(root: &Root) -> usize {
    let creations = root.open.iter();
    creations
        .filter(|effect| matches!(effect.kind, EffectKind::Create { .. }))
        .count()
}

#[test]
fn ten_creations_are_under_way_at_once_until_the_minimum_is_there() {
    let mut root = Root::with(spec(25, 0, 1));
    let (mut made, mut most) = (0u8, 0);
    while under_way(&root) > 0 {
        most = most.max(under_way(&root));
        let create = root.take(|kind| matches!(kind, EffectKind::Create { .. }));
        for effect in &create {
            made += 1;
            let created = Value::Created(canister(100 + made));
            root.answer(effect, &[Outcome::Done(created)]);
            most = most.max(under_way(&root));
        }
    }
    assert_eq!((made, most), (25, 10));
    root.settle();
    assert_eq!(root.state.counts().phase(Phase::Ready), 25);
    root.run(60);
    assert_eq!(root.state.rows_len(), 25, "and no more");
}

#[test]
fn what_a_row_knows_of_its_last_tenancy_outlives_recycle_requeue_and_a_second_import() {
    let mut root = Root::with(spec(1, 1, 1));
    root.settle();
    root.run(2);
    let member = root.state.workers("workers", None, 1)[0].0;
    let knows = |root: &Root| {
        let row = root.state.row(member).expect("accounted");
        (row.role, row.pool, row.parent, row.module, row.created_at)
    };
    let known = knows(&root);
    assert_eq!(known.0.as_deref(), Some("worker"));
    assert!(known.3.is_some());
    root.recycle(member);
    root.run(30);
    let phase = |root: &Root| root.state.row(member).map(|row| row.phase);
    assert_eq!(phase(&root), Some(Phase::Ready));
    assert_eq!(knows(&root), known, "recycled");
    for again in [
        Command::RequeueFailed(Some(vec![member])),
        Command::ImportQueued(vec![member]),
    ] {
        root.run(1);
        root.recycle(member);
        let reset = root.take(|kind| matches!(kind, EffectKind::Reset { .. }));
        let no = refused(5);
        root.answer(&reset[0], &[no.clone(), no.clone(), no]);
        assert_eq!(phase(&root), Some(Phase::Failed));
        let operation = format!("{again:?}");
        let answer = counted(&root.command(&operation[..20], again));
        assert_eq!((answer.added, answer.requeued), (0, 1));
        root.settle();
        assert_eq!(phase(&root), Some(Phase::Ready));
        assert_eq!(knows(&root), known);
    }
}
