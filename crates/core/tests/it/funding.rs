//! Cycles for canisters that run low: budgets that hold, a reserve that stays, books that balance.

use crate::fixture::{Root, canister, empty, refused, saw, spec};
use hatchery_core::funding_status;
use hatchery_types::{
    Cycles, Effect, EffectKind, FleetSpec, Observation, Outcome, Phase, Reason, Refusal, TopUpSpec,
    Value,
};

const DAY: u64 = 86_400;

fn t(cycles: u128) -> Cycles {
    Cycles(cycles * Cycles::T)
}

/// Members below 2 T get cycles up to 3 T; the fleet's rule is for spare canisters below 1 T.
fn feeding(members: u32, each: u128, role: u128, fleet: u128) -> FleetSpec {
    let rule = |below, to, each, all| {
        Some(TopUpSpec {
            below: t(below),
            to: t(to),
            each: t(each),
            all: t(all),
        })
    };
    let mut spec = spec(0, members, members.max(1));
    spec.roles[0].top_up = rule(2, 3, each, role);
    spec.top_up = rule(1, 2, each, fleet);
    spec
}

fn is_top_up(kind: &EffectKind) -> bool {
    matches!(kind, EffectKind::TopUp { .. })
}

fn paid(effects: &[Effect]) -> Vec<u128> {
    let paid = effects.iter().map(|effect| effect.kind.attached().0);
    paid.map(|cycles| cycles / Cycles::B).collect()
}

fn done() -> Outcome {
    Outcome::Done(Value::Nothing)
}

/// Every member is looked at and seen to hold so many billions.
fn look(root: &mut Root, billions: u128) {
    let mut looks = Vec::new();
    for _ in 0..30 {
        looks = root.take(|kind| matches!(kind, EffectKind::Observe));
        if !looks.is_empty() {
            break;
        }
        root.settle_but(|kind| is_top_up(kind) || matches!(kind, EffectKind::Observe));
        root.later(3_600);
    }
    for look in looks {
        let module = root
            .state
            .row(look.canister.expect("a row"))
            .and_then(|row| row.module);
        let cycles = Cycles(billions * Cycles::B);
        root.answer(
            &look,
            &[saw(Observation {
                module,
                cycles,
                ..empty()
            })],
        );
    }
}

fn with_members(spec: FleetSpec) -> Root {
    let mut root = Root::with(spec);
    root.settle();
    root.run(5);
    root
}

#[test]
fn a_member_that_runs_low_is_topped_up_and_the_books_say_so() {
    let mut root = with_members(feeding(1, 5, 50, 50));
    look(&mut root, 1_500);
    let top_ups = root.take(is_top_up);
    assert_eq!(paid(&top_ups), [1_500], "to 3 T");
    root.answer(&top_ups[0], &[done()]);
    let ledger = root.state.header().ledger;
    assert_eq!(ledger.topped_up, Cycles(1_500 * Cycles::B));
    // Bought with 5 T, seen with 4 T, then with 1.5 T.
    assert_eq!(
        (ledger.spent, ledger.burned),
        (t(5), Cycles(3_500 * Cycles::B))
    );
    let log = root.state.log(0, 1_000);
    let movement = Reason::ToppedUp(Cycles(1_500 * Cycles::B));
    assert!(log.iter().any(|(_, entry)| entry.reason == movement));
    look(&mut root, 2_900);
    assert_eq!(paid(&root.take(is_top_up)), [0; 0]);
    let ledger = root.state.header().ledger;
    assert_eq!(
        ledger.burned,
        Cycles(3_600 * Cycles::B),
        "deposits do not hide what was burned"
    );
}

#[test]
fn l13_concurrent_top_ups_keep_within_the_budgets_of_role_and_fleet() {
    for (role, fleet, expected) in [
        (4, 50, vec![1_500, 1_500, 1_000]),
        (50, 2, vec![1_500, 500]),
        (50, 50, vec![1_500; 4]),
    ] {
        let mut root = with_members(feeding(4, 5, role, fleet));
        look(&mut root, 1_500);
        let top_ups = root.take(is_top_up);
        assert_eq!(paid(&top_ups), expected, "{role} {fleet}");
    }
}

#[test]
fn l13_a_deposit_without_an_answer_counts_as_paid() {
    let mut root = with_members(feeding(1, 2, 50, 50));
    look(&mut root, 1_500);
    let top_up = root.take(is_top_up).remove(0);
    root.answer(&top_up, &[Outcome::Unknown(Refusal::new(0, "lost"))]);
    assert!(root.take(is_top_up).is_empty(), "booked as spent");
    look(&mut root, 1_500);
    assert_eq!(paid(&root.take(is_top_up)), [500], "what the day leaves");
    assert_eq!(
        root.state.header().ledger.topped_up,
        Cycles(1_500 * Cycles::B)
    );
}

#[test]
fn l13_what_certainly_did_not_happen_goes_back_into_the_budget() {
    let mut root = with_members(feeding(1, 2, 2, 2));
    look(&mut root, 1_500);
    for answer in [refused(4), Outcome::NotExecuted(Refusal::new(2, "busy"))] {
        let top_up = root.take(is_top_up).remove(0);
        root.answer(&top_up, &[answer]);
        assert!(root.take(is_top_up).is_empty(), "not at once again");
        root.later(60);
    }
    // Meanwhile the member was looked at again, as one that never reports.
    look(&mut root, 1_500);
    assert_eq!(paid(&root.take(is_top_up)), [1_500]);
}

#[test]
fn l14_root_at_its_reserve_pays_nothing_and_says_so() {
    let mut root = with_members(feeding(1, 5, 50, 50));
    root.vitals.liquid = t(11);
    look(&mut root, 1_500);
    assert!(
        root.take(is_top_up).is_empty(),
        "10 T must stay, and what a call locks"
    );
    let status = funding_status(&root.state, root.now, &root.vitals);
    assert_eq!((status.needy, status.reason), (1, Reason::BelowFloor));
    root.vitals.liquid = t(10);
    let status = funding_status(&root.state, root.now, &root.vitals);
    assert_eq!(status.reason, Reason::AtReserve);
    root.vitals.liquid = t(100);
    root.later(60);
    assert_eq!(paid(&root.take(is_top_up)), [1_500]);
}

#[test]
fn l15_a_canister_that_burns_without_limit_gets_its_share_a_day() {
    let mut root = with_members(feeding(1, 2, 50, 50));
    let mut got = Vec::new();
    let first = root.now.as_secs() / DAY;
    while root.now.as_secs() / DAY < first + 3 {
        look(&mut root, 1);
        for top_up in root.take(is_top_up) {
            got.push((
                root.now.as_secs() / DAY - first,
                paid(std::slice::from_ref(&top_up))[0],
            ));
            root.answer(&top_up, &[done()]);
        }
    }
    for day in 0..3 {
        let sum: u128 = got
            .iter()
            .filter(|(on, _)| *on == day)
            .map(|(_, paid)| paid)
            .sum();
        assert!(sum <= 2_000 && (day == 0 || sum == 2_000), "{got:?}");
    }
}

#[test]
fn p20_a_spare_canister_below_the_floor_is_topped_up_within_the_budget() {
    for (fleet, gets) in [(50, true), (0, false)] {
        let mut root = Root::with(feeding(0, 5, 0, fleet));
        root.import(canister(5));
        let reset = root
            .take(|kind| matches!(kind, EffectKind::Reset { .. }))
            .remove(0);
        let seen = |cycles| {
            saw(Observation {
                cycles: Cycles(cycles * Cycles::B),
                ..empty()
            })
        };
        root.answer(&reset, &[done(), done(), seen(400)]);
        let top_ups = root.take(is_top_up);
        if !gets {
            let row = root.state.row(canister(5)).expect("managed");
            assert_eq!((row.phase, row.reason), (Phase::Failed, Reason::BelowFloor));
            continue;
        }
        assert_eq!(paid(&top_ups), [1_600]);
        root.answer(&top_ups[0], &[done()]);
        let reset = root
            .take(|kind| matches!(kind, EffectKind::Reset { .. }))
            .remove(0);
        root.answer(&reset, &[done(), done(), seen(1_990)]);
        let row = root.state.row(canister(5)).expect("managed");
        assert_eq!(row.phase, Phase::Ready);
        let ledger = root.state.header().ledger;
        let expected = (Cycles(400 * Cycles::B), Cycles(10 * Cycles::B));
        assert_eq!((ledger.received, ledger.burned), expected);
    }
}

#[test]
fn root_says_how_long_its_cycles_last() {
    let mut root = with_members(feeding(1, 5, 50, 50));
    root.later(3_600);
    root.settle();
    root.vitals.liquid = t(990);
    root.later(3_600);
    root.settle();
    root.later(10);
    let status = funding_status(&root.state, root.now, &root.vitals);
    assert_eq!(status.own_burn, Some(t(240)), "10 T an hour");
    let hours = status.hours_left.expect("known");
    assert!(
        (90..=98).contains(&hours),
        "{hours}: 980 T above the reserve"
    );
}

#[test]
fn what_was_paid_today_survives_an_upgrade() {
    let mut root = with_members(feeding(1, 2, 50, 50));
    look(&mut root, 1_500);
    let top_up = root.take(is_top_up).remove(0);
    root.upgrade();
    root.tick();
    root.later(61);
    assert!(
        root.state.effect(top_up.id).is_none(),
        "given up as unknown"
    );
    let funding = &root.state.header().funding;
    assert_eq!(funding.paid, Cycles(1_500 * Cycles::B));
    assert_eq!(
        root.state.header().ledger.topped_up,
        Cycles(1_500 * Cycles::B)
    );
}
