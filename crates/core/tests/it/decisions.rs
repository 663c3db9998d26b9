//! The decision log: what is kept, what is not, and the same plan again from what was kept.

use crate::fixture::{Root, canister, spec};
use hatchery_core::{Decided, limits, replay, why_members};
use hatchery_types::{Nanos, Phase, Reason};

/// A pool that grew, shrank and grew again.
fn lively() -> Root {
    let mut root = Root::with(spec(3, 1, 8));
    root.settle();
    for load in [2, 9, 17, 3, 0, 12, 1, 1, 20, 0, 0, 1, 9, 20, 1, 1, 12] {
        for (worker, _) in root.state.workers("workers", None, 20) {
            root.report(worker, load);
        }
        root.run(20);
    }
    root
}

fn newest_first(root: &Root) -> Vec<(u64, Decided)> {
    let (page, next) = root.state.decisions_of("workers", None, usize::MAX);
    assert_eq!(next, None);
    page
}

#[test]
fn every_decision_is_made_again_from_its_views() {
    let root = lively();
    let decisions = newest_first(&root);
    assert!(decisions.len() > 20, "{} decisions", decisions.len());
    let told_whole = decisions.iter().filter(|(_, it)| it.base == 0).count();
    assert!(told_whole >= 2 && told_whole * 3 < decisions.len());
    for (number, decided) in decisions {
        let views = root.state.views_of(number).expect("its views are kept");
        assert!(views.len() <= 1 + limits::DECISIONS_PER_VIEW as usize);
        let again = replay(&views).expect("our own bytes");
        assert_eq!(again, (decided.plan, decided.digest), "decision {number}");
    }
}

#[test]
fn another_view_leads_to_another_digest() {
    let root = lively();
    let mut decisions = newest_first(&root).into_iter();
    let changes = decisions.find(|(_, it)| it.base > 0);
    let (number, decided) = changes.expect("one that tells what changed");
    let mut views = root.state.views_of(number).expect("its views are kept");
    assert!(views.len() > 1);
    views.pop();
    assert_ne!(replay(&views).map(|it| it.1), Some(decided.digest));
    assert_eq!(replay(&views[1..]), None, "changes without a whole view");
    assert_eq!(replay(&[b"nonsense".to_vec()]), None);
}

#[test]
fn a_quiet_pool_writes_nothing() {
    let mut root = lively();
    root.run(400);
    let before = root.state.newest_decision();
    for _ in 0..20 {
        for (worker, _) in root.state.workers("workers", None, 20) {
            root.report(worker, 4);
        }
        root.run(30);
    }
    let after = root.state.newest_decision();
    assert!(
        after <= before + 1,
        "{} decisions of a pool at rest",
        after - before
    );
}

#[test]
fn after_an_upgrade_the_log_goes_on_with_a_whole_view() {
    let mut root = lively();
    let before = newest_first(&root);
    root.upgrade();
    root.tick();
    for (worker, _) in root.state.workers("workers", None, 20) {
        root.report(worker, 0);
    }
    root.run(50);
    let after = newest_first(&root);
    assert!(after.len() > before.len(), "nothing was decided");
    let first_new = &after[after.len() - before.len() - 1];
    assert_eq!((first_new.1.base, first_new.1.before), (0, before[0].0));
    assert_eq!(
        after[after.len() - before.len()..],
        before[..],
        "what was kept is kept"
    );
    let (number, decided) = &after[0];
    let views = root.state.views_of(*number).expect("its views are kept");
    assert_eq!(replay(&views), Some((decided.plan.clone(), decided.digest)));
}

#[test]
fn pages_go_back_from_the_newest_and_strangers_get_none() {
    let root = lively();
    let whole = newest_first(&root);
    let (first, next) = root.state.decisions_of("workers", None, 3);
    let (second, _) = root.state.decisions_of("workers", next, 3);
    assert_eq!(first[..], whole[..3]);
    assert_eq!(second[..], whole[3..6]);
    assert_eq!(
        root.state.decisions_of("nobody", next, 3),
        (Vec::new(), None)
    );
}

#[test]
fn members_know_who_would_leave_first_and_who_is_spared() {
    let mut root = lively();
    let at_work = root.state.workers("workers", None, 20);
    assert!(at_work.len() > 2);
    let protected = at_work[0].0;
    let row = root.state.row(protected).expect("a worker has a row");
    root.feed(&hatchery_core::Input::Protect {
        member: protected,
        generation: row.generation,
        until: root.now + Nanos::from_secs(60),
    });
    let why = |root: &Root, limit| {
        why_members(&root.state, root.now, &root.vitals, "workers", None, limit)
    };
    let (members, _) = why(&root, 200).expect("a pool of the spec");
    let mut places: Vec<u32> = members.iter().filter_map(|it| it.victim).collect();
    places.sort_unstable();
    let working = members.iter().filter(|it| it.row.phase == Phase::InService);
    assert_eq!(places, (0..working.count() as u32 - 1).collect::<Vec<_>>());
    let one = members.iter().find(|it| it.row.canister == protected);
    assert_eq!(one.and_then(|it| it.spared.clone()), Some(Reason::Spared));
    let (page, next) = why(&root, 1).expect("a pool of the spec");
    assert_eq!(Some(page[0].row.canister), next);
    let unknown = why_members(
        &root.state,
        root.now,
        &root.vitals,
        "x",
        Some(canister(1)),
        1,
    );
    assert_eq!(unknown, None);
}
