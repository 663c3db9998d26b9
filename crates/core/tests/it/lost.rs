//! Creations whose answers were lost: flagged, paid, searched for, found or given up.

use crate::fixture::{ROOT, Root, canister, info, refused, spec, told};
use hatchery_core::{Input, warm_reason};
use hatchery_types::{
    CanisterId, Creation, Cycles, Effect, EffectKind, Info, Nanos, Outcome, Phase, Principal,
    Reason, Refusal, Value,
};

fn lost() -> Outcome {
    Outcome::Unknown(Refusal::new(0, "the reply could not be read"))
}

fn creations(root: &mut Root) -> Vec<Effect> {
    root.take(|kind| matches!(kind, EffectKind::Create { .. }))
}

/// The ids that root asks for now.
fn asked(root: &mut Root) -> Vec<(Effect, u64)> {
    let infos = root.take(|kind| matches!(kind, EffectKind::Info { .. }));
    let number = |effect: &Effect| match effect.kind {
        EffectKind::Info { canister } => canister.number().expect("an id of a subnet"),
        _ => unreachable!("only infos were taken"),
    };
    infos
        .into_iter()
        .map(|it| (it.clone(), number(&it)))
        .collect()
}

/// What the platform says of a canister created by `by` now.
fn created(by: Principal, at: Nanos) -> Outcome {
    told(Info {
        creation: Some(Creation {
            by: CanisterId(by),
            at,
        }),
        controllers: vec![by],
        ..info(0)
    })
}

/// Ids asked for until none is any more; `there` knows the canisters of the subnet.
fn answer_all(root: &mut Root, mut there: impl FnMut(u64) -> Option<Outcome>) -> Vec<u64> {
    let mut all = Vec::new();
    loop {
        let batch = asked(root);
        if batch.is_empty() {
            return all;
        }
        assert!(batch.len() <= 40, "a few at a time: {}", batch.len());
        for (effect, number) in batch {
            all.push(number);
            let outcome = there(number).unwrap_or_else(|| refused(3));
            root.answer(&effect, &[outcome]);
        }
    }
}

/// Two creations are lost while root's newest canister is number 12.
fn two_lost() -> Root {
    let mut root = Root::with(spec(2, 0, 1));
    root.settle();
    root.feed(&Input::Apply(Box::new(spec(4, 0, 1))));
    root.tick();
    let sent = creations(&mut root);
    assert_eq!(sent.len(), 2);
    for effect in &sent {
        assert_eq!(effect.behind, Some(canister(12)));
        root.answer(effect, &[lost()]);
    }
    root
}

fn given_up(root: &Root) -> usize {
    let journal = root.state.effects(None, 100);
    journal.iter().filter(|effect| effect.given_up).count()
}

#[test]
fn p12_a_lost_creation_is_flagged_paid_found_and_bought_once() {
    let mut root = two_lost();
    let (bought, at) = (root.state.header().ledger.spent, root.now);
    assert_eq!(bought, Cycles(4 * 5 * Cycles::T));
    assert_eq!(
        (root.state.lost_creations(), root.state.sought_creations()),
        (2, 2)
    );
    root.run(599);
    assert!(
        root.open.is_empty(),
        "nothing is bought for them, nothing is asked yet"
    );
    let reason = warm_reason(&root.state, root.now, &root.vitals);
    assert_eq!(reason, Reason::SearchingLost);

    root.later(1);
    let stranger = Principal::from_slice(&[9, 1]);
    let ids = answer_all(&mut root, |number| match number {
        13 | 15 => Some(created(stranger, at)),
        16 | 19 => Some(created(ROOT, at)),
        _ => None,
    });
    assert_eq!(ids, (13..=52).collect::<Vec<_>>(), "one batch was enough");
    assert_eq!(
        (root.state.lost_creations(), root.state.sought_creations()),
        (0, 0)
    );
    root.settle();
    for number in [16, 19] {
        let row = root.state.row(canister(number)).expect("taken over");
        assert_eq!(row.phase, Phase::Ready);
    }
    assert_eq!(root.state.rows_len(), 4, "nothing was bought twice");
    assert_eq!(root.state.header().ledger.spent, bought);
}

#[test]
fn p12_what_is_not_found_within_the_bound_stays_flagged_and_buying_goes_on() {
    let mut root = two_lost();
    root.later(600);
    let ids = answer_all(&mut root, |_| None);
    assert_eq!(ids, (13..=1_012).collect::<Vec<_>>());
    assert_eq!(
        (root.state.lost_creations(), root.state.sought_creations()),
        (2, 0)
    );
    assert_eq!(given_up(&root), 2);
    let log = root.state.log(0, 1_000);
    let not_found = log
        .iter()
        .filter(|(_, entry)| entry.reason == Reason::NotFound);
    assert_eq!(not_found.count(), 2);
    assert_eq!(creations(&mut root).len(), 2, "buying goes on");
}

#[test]
fn p12_an_answer_that_comes_late_ends_the_search_for_it() {
    let mut root = Root::with(spec(0, 0, 1));
    root.feed(&Input::Apply(Box::new(spec(1, 0, 1))));
    root.tick();
    let effect = creations(&mut root).remove(0);
    root.answer(&effect, &[lost()]);
    root.answer(&effect, &[Outcome::Done(Value::Created(canister(7)))]);
    assert_eq!(root.state.sought_creations(), 0);
    assert_eq!(root.state.header().ledger.spent, Cycles(5 * Cycles::T));
    root.run(700);
    assert_eq!(root.state.rows_len(), 1);
    assert!(!root.story().contains("! info"));
}

#[test]
fn p12_a_search_survives_an_upgrade_and_lost_answers() {
    let mut root = two_lost();
    let at = root.now;
    root.later(600);
    assert_eq!(asked(&mut root).len(), 40);
    root.upgrade();
    root.later(60);
    assert!(asked(&mut root).is_empty(), "their answers are waited for");
    root.later(5);
    let ids = answer_all(&mut root, |number| {
        (number == 14).then(|| created(ROOT, at))
    });
    assert_eq!(ids[..40], (13..=52).collect::<Vec<_>>(), "asked for again");
    assert_eq!(
        (root.state.lost_creations(), root.state.sought_creations()),
        (1, 0)
    );
    assert!(root.state.row(canister(14)).is_some());
}

#[test]
fn p12_a_creation_under_way_is_not_taken_for_a_lost_one() {
    let mut root = two_lost();
    root.later(600);
    root.feed(&Input::Apply(Box::new(spec(5, 0, 1))));
    root.tick();
    let under_way = creations(&mut root).remove(0);
    let later = root.now + Nanos::from_secs(1);
    for (effect, number) in asked(&mut root) {
        let outcome = if number == 13 {
            created(ROOT, later)
        } else {
            refused(3)
        };
        root.answer(&effect, &[outcome]);
    }
    assert!(
        root.state.row(canister(13)).is_none(),
        "its answer will say so"
    );
    root.answer(&under_way, &[Outcome::Done(Value::Created(canister(13)))]);
    assert!(root.state.row(canister(13)).is_some());
    root.later(5);
    let ids = answer_all(&mut root, |_| None);
    assert_eq!(ids.first(), Some(&14), "what has a row is passed over");
    assert_eq!(root.state.lost_creations(), 2);
}

#[test]
fn p12_a_canister_that_was_given_up_is_matched_when_it_turns_up() {
    let mut root = two_lost();
    let at = root.now;
    root.later(600);
    answer_all(&mut root, |_| None);
    let bought = creations(&mut root);
    root.answer(&bought[0], &[lost()]);
    root.answer(&bought[1], &[Outcome::Done(Value::Created(canister(20)))]);
    root.later(600);
    answer_all(&mut root, |number| {
        (number == 17).then(|| created(ROOT, at))
    });
    assert!(
        root.state.row(canister(17)).is_some(),
        "it was ours all the time"
    );
    assert_eq!(given_up(&root), 2, "the oldest of three was closed");
}

/// One more canister is bought, and its answer is lost.
fn lose_one(root: &mut Root, minimum: u32) {
    root.feed(&Input::Apply(Box::new(spec(minimum, 0, 1))));
    root.tick();
    let effect = creations(root).remove(0);
    root.answer(&effect, &[lost()]);
}

#[test]
fn p12_a_canister_of_another_subnet_does_not_lead_the_search_astray() {
    let mut root = Root::with(spec(1, 0, 1));
    root.settle();
    root.import(CanisterId::from_number(1 << 40));
    root.settle();
    lose_one(&mut root, 3);
    let journal = root.state.effects(None, 10);
    let behind: Vec<_> = journal.iter().map(|effect| effect.behind).collect();
    assert_eq!(behind, [Some(canister(11))]);
    let at = root.now;
    root.later(600);
    answer_all(&mut root, |number| {
        (number == 12).then(|| created(ROOT, at))
    });
    assert!(root.state.row(canister(12)).is_some(), "found");
}

#[test]
fn p12_creations_lost_far_from_each_other_are_searched_for_one_range_after_the_other() {
    let mut root = Root::with(spec(1, 0, 1));
    root.settle();
    lose_one(&mut root, 2);
    // Others create much on this subnet before the next one comes.
    root.feed(&Input::Apply(Box::new(spec(3, 0, 1))));
    root.tick();
    let effect = creations(&mut root).remove(0);
    let created = Value::Created(CanisterId::from_number(1_000_000));
    root.answer(&effect, &[Outcome::Done(created)]);
    root.settle();
    lose_one(&mut root, 4);
    root.later(600);
    let mut ids = answer_all(&mut root, |_| None);
    ids.extend(answer_all(&mut root, |_| None));
    let ranges = (12..=1_011).chain(1_000_001..=1_001_000);
    assert_eq!(ids, ranges.collect::<Vec<_>>());
    assert_eq!(given_up(&root), 2);
}

#[test]
fn p12_a_lost_creation_made_an_id_that_was_named_too_early() {
    let mut root = Root::with(spec(1, 0, 1));
    root.settle();
    root.import(canister(12));
    let reset = root.take(|kind| matches!(kind, EffectKind::Reset { .. }));
    root.answer(&reset[0], &[refused(3), refused(3), refused(3)]);
    let row = root.state.row(canister(12)).expect("accounted");
    assert_eq!((row.phase, row.reason), (Phase::Lost, Reason::Gone));
    lose_one(&mut root, 2);
    let at = root.now;
    root.later(600);
    answer_all(&mut root, |number| {
        (number == 12).then(|| created(ROOT, at))
    });
    root.settle();
    let row = root.state.row(canister(12)).expect("accounted");
    assert_eq!(row.phase, Phase::Ready);
    assert_eq!(root.state.lost_creations(), 0);
}

#[test]
fn p12_what_was_missing_before_it_was_created_is_not_taken_for_gone() {
    let mut root = Root::with(spec(1, 0, 1));
    let creation = creations(&mut root);
    root.import(canister(12));
    let early = root.take(|kind| matches!(kind, EffectKind::Reset { .. }));
    root.later(1);
    root.answer(&creation[0], &[Outcome::Done(Value::Created(canister(12)))]);
    root.answer(&early[0], &[refused(3), refused(3), refused(3)]);
    let row = root.state.row(canister(12)).expect("accounted");
    assert_eq!(row.phase, Phase::Resetting, "asked anew");
    root.settle();
    let row = root.state.row(canister(12)).expect("accounted");
    assert_eq!(row.phase, Phase::Ready);
}

/// What an older one made is then still behind the last id known when that one was lost.
#[test]
fn p12_what_is_found_is_that_of_the_newest_creation_that_can_have_made_it() {
    let mut root = Root::with(spec(1, 0, 1));
    root.settle();
    lose_one(&mut root, 2);
    let first = root.now;
    root.feed(&Input::Apply(Box::new(spec(3, 0, 1))));
    root.tick();
    let known = creations(&mut root).remove(0);
    root.answer(&known, &[Outcome::Done(Value::Created(canister(15)))]);
    root.settle();
    root.later(10);
    lose_one(&mut root, 4);
    let second = root.now;
    root.later(590);
    // The first one's canister cannot be asked about at first, that of the second one can.
    let mut hides = true;
    let ids = answer_all(&mut root, |number| match number {
        20 => Some(created(ROOT, second)),
        14 if std::mem::take(&mut hides) => Some(lost()),
        14 => Some(created(ROOT, first)),
        _ => None,
    });
    assert!(ids.contains(&14) && ids.contains(&20), "{ids:?}");
    root.later(60);
    answer_all(&mut root, |number| {
        (number == 14).then(|| created(ROOT, first))
    });
    for number in [14, 20] {
        let row = root.state.row(canister(number));
        assert!(row.is_some(), "{number} was not found");
    }
    assert_eq!(root.state.lost_creations(), 0);
}
