//! How many spare canisters there are, who gets them, and what becomes of too many.

use crate::fixture::{ROOT, Root, canister, empty, pool, saw, seen_by_anybody, spec};
use hatchery_core::{Command, Input, kept_spare, next_wake};
use hatchery_types::{
    CanisterId, Cycles, EffectKind, FleetSpec, Nanos, Observation, Outcome, ParentSpec, Phase,
    PoolSpec, Principal, Reason, Reuse, RoleSpec, Value, WindowSpec,
};

const HEIR: CanisterId = CanisterId(Principal::from_slice(&[9, 2]));

fn done() -> Outcome {
    Outcome::Done(Value::Nothing)
}

fn ready(root: &Root) -> u64 {
    root.state.counts().phase(Phase::Ready)
}

/// A pool without signals that wants so many workers, of a role.
fn fixed(name: &str, role: &str, workers: u32) -> PoolSpec {
    PoolSpec {
        valid_for: Nanos::from_secs(1),
        ..PoolSpec::new(name, role, workers, workers.max(1))
    }
}

#[test]
fn a_share_of_the_fleet_as_it_is_wanted_is_kept_spare() {
    let mut fleet = spec(1, 6, 6);
    fleet.warm_pool.target_percent = 25;
    let mut root = Root::with(fleet.clone());
    // Six are wanted and none is there: eight in all, two of them spare.
    assert_eq!(kept_spare(&root.state, root.now), 2);
    root.settle();
    root.run(20);
    assert_eq!(
        (root.state.workers("workers", None, 9).len(), ready(&root)),
        (6, 2)
    );
    fleet.warm_pool.target_percent = 90;
    fleet.warm_pool.maximum = 10;
    root.feed(&Input::Apply(Box::new(fleet)));
    assert_eq!(
        kept_spare(&root.state, root.now),
        10,
        "never more than the maximum"
    );
}

#[test]
fn a_window_keeps_more_and_wakes_root_when_it_begins_and_ends() {
    let mut fleet = spec(1, 0, 1);
    let hour = Nanos::from_secs(3_600);
    fleet.warm_pool.maximum = 4;
    fleet.warm_pool.schedule = vec![WindowSpec {
        from: hour,
        to: hour + hour,
        every: Nanos(0),
        min: 4,
        desired: 0,
    }];
    let mut root = Root::with(fleet);
    root.settle();
    assert_eq!(ready(&root), 1);
    assert_eq!(next_wake(&root.state, root.now), Some(hour));
    root.now = hour;
    root.tick();
    root.settle();
    assert_eq!(ready(&root), 4);
    root.now = hour + hour;
    root.tick();
    assert_eq!((ready(&root), kept_spare(&root.state, root.now)), (4, 1));
}

#[test]
fn a_claim_is_made_good_in_the_same_tick() {
    let mut root = Root::with(spec(1, 0, 1));
    root.settle();
    root.feed(&Input::Apply(Box::new(spec(1, 1, 1))));
    root.tick();
    let kinds: Vec<&str> = root.open.iter().map(|effect| effect.kind.name()).collect();
    assert_eq!(kinds, ["install", "create"]);
}

#[test]
fn the_surplus_is_released_to_whom_the_spec_names_after_it_was_swept() {
    let mut fleet = spec(0, 0, 1);
    fleet.warm_pool.maximum = 0;
    fleet.warm_pool.sweep_above = Some(Cycles(10 * Cycles::T));
    fleet.warm_pool.release_to = Some(HEIR);
    let mut root = Root::with(fleet.clone());
    root.import(canister(5));
    root.settle_until(|kind| matches!(kind, EffectKind::Sweep { .. }));
    let sweep = root.take(|kind| matches!(kind, EffectKind::Sweep { .. }));
    let keep = fleet.warm_pool.floor;
    assert_eq!(sweep[0].kind, EffectKind::Sweep { keep });
    root.answer(&sweep[0], &[done()]);
    root.later(6);
    let reset = root.take(|kind| matches!(kind, EffectKind::Reset { .. }));
    let cycles = Cycles(Cycles::T);
    root.answer(
        &reset[0],
        &[done(), done(), saw(Observation { cycles, ..empty() })],
    );
    let release = root.take(|kind| matches!(kind, EffectKind::HandOver { .. }));
    assert_eq!(release[0].kind, EffectKind::HandOver { to: HEIR.0 });
    root.answer(&release[0], &[done()]);
    assert_eq!(root.state.rows_len(), 0);
    let header = root.state.header();
    assert_eq!(
        (header.given_away, header.ledger.swept.0 > 0),
        (cycles, true)
    );
}

#[test]
fn a_surplus_canister_with_little_is_released_as_it_is_and_never_twice() {
    let mut fleet = spec(0, 0, 1);
    fleet.warm_pool.maximum = 0;
    fleet.warm_pool.release_to = Some(HEIR);
    let mut root = Root::with(fleet);
    root.import(canister(5));
    root.settle_until(|kind| matches!(kind, EffectKind::HandOver { .. }));
    let release = root.take(|kind| matches!(kind, EffectKind::HandOver { .. }));
    let lost = hatchery_types::Refusal::new(0, "lost");
    root.answer(&release[0], &[Outcome::Unknown(lost)]);
    let look = root.take(|kind| matches!(kind, EffectKind::Info { .. }));
    root.answer(&look[0], &[seen_by_anybody(vec![HEIR.0])]);
    assert_eq!((root.state.rows_len(), root.open.len()), (0, 0));
}

#[test]
fn the_surplus_cannot_be_released_to_root() {
    let mut root = Root::with(spec(0, 0, 1));
    let mut fleet = spec(0, 0, 1);
    fleet.warm_pool.release_to = Some(CanisterId(ROOT));
    let reply = root.feed(&Input::Apply(Box::new(fleet))).reply;
    assert!(matches!(
        reply,
        hatchery_core::Reply::Refused(Reason::BadSpec, _)
    ));
}

#[test]
fn pools_below_their_minimum_are_served_first() {
    let mut fleet = spec(0, 0, 9);
    fleet.lanes.create = 1;
    let root_of = |fleet: FleetSpec| {
        let mut root = Root::with(fleet);
        root.run(5);
        root
    };
    fleet.pools = vec![pool(1, 9), fixed("zeta", "worker", 0)];
    let mut root = root_of(fleet.clone());
    let member = root.state.workers("workers", None, 1)[0].0;
    // "workers" wants two more for its load, "zeta" two for its minimum; the names speak for
    // "workers", the minimum for "zeta".
    root.vitals.liquid = Cycles(10 * Cycles::T);
    root.report(member, 12);
    fleet.pools[1] = fixed("zeta", "worker", 2);
    root.feed(&Input::Apply(Box::new(fleet)));
    root.later(2);
    assert!(
        root.open.is_empty(),
        "nothing can be bought: {:?}",
        root.open
    );
    root.command("a", Command::ImportQueued(vec![canister(80), canister(81)]));
    root.settle();
    root.run(3);
    assert_eq!(root.state.workers("zeta", None, 9).len(), 2);
    assert_eq!(root.state.workers("workers", None, 9).len(), 1);
}

/// A fleet of two roles, the first with that rule, whose one worker was recycled; then a pool of
/// the second role wants one.
fn after_a_tenancy(reuse: Reuse, parent: Option<Principal>) -> (Root, CanisterId) {
    let mut fleet = spec(0, 1, 1);
    fleet.roles[0].reuse = reuse;
    fleet.roles.push(RoleSpec {
        name: "other".to_owned(),
        ..fleet.roles[0].clone()
    });
    fleet.pools = vec![fixed("workers", "worker", 1), fixed("others", "other", 0)];
    let mut root = Root::with(fleet.clone());
    root.run(5);
    let veteran = root.state.workers("workers", None, 1)[0].0;
    fleet.pools[0] = fixed("workers", "worker", 0);
    root.feed(&Input::Apply(Box::new(fleet.clone())));
    root.recycle(veteran);
    root.run(10);
    fleet.pools[1] = PoolSpec {
        parent: parent.map(|parent| ParentSpec::Canister(CanisterId(parent))),
        ..fixed("others", "other", 1)
    };
    root.feed(&Input::Apply(Box::new(fleet)));
    root.run(5);
    (root, veteran)
}

fn role_of(root: &Root, id: CanisterId) -> Option<String> {
    root.state.row(id).and_then(|row| row.role)
}

#[test]
fn p24_a_canister_keeps_to_its_role_unless_the_role_says_otherwise() {
    let (root, veteran) = after_a_tenancy(Reuse::SameRole, None);
    assert_eq!(role_of(&root, veteran).as_deref(), Some("worker"));
    assert_eq!(ready(&root), 1, "it waits for its like");
    let others = root.state.workers("others", None, 9);
    assert_eq!(others.len(), 1, "and another was bought");
    let (root, veteran) = after_a_tenancy(Reuse::Any, None);
    assert_eq!(role_of(&root, veteran).as_deref(), Some("other"));
    assert_eq!(root.state.rows_len(), 1, "nothing was bought");
}

#[test]
fn p24_a_canister_keeps_to_its_parent_where_the_role_says_so() {
    let (root, veteran) = after_a_tenancy(Reuse::SameParent, None);
    assert_eq!(
        role_of(&root, veteran).as_deref(),
        Some("other"),
        "root is both's parent"
    );
    let hub = Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 99, 1, 1]);
    let (root, veteran) = after_a_tenancy(Reuse::SameParent, Some(hub));
    assert_eq!(
        role_of(&root, veteran).as_deref(),
        Some("worker"),
        "and here it is not"
    );
}

#[test]
fn p24_a_canister_that_is_never_reused_is_emptied_and_deleted() {
    let (root, veteran) = after_a_tenancy(Reuse::Never, None);
    // The test's platform gives its number to the next canister, which has no past.
    let tenancies = root.state.row(veteran).map(|row| row.generation.0);
    assert_eq!(tenancies, Some(1));
    assert_eq!(root.state.workers("others", None, 9).len(), 1);
    let log = root.state.log(0, 500);
    let left = |reason: &Reason| *reason == Reason::NeverReused;
    assert_eq!(log.iter().filter(|(_, it)| left(&it.reason)).count(), 1);
}

#[test]
fn p24_never_is_not_forgotten_with_the_role() {
    let mut fleet = spec(0, 1, 1);
    fleet.roles[0].reuse = Reuse::Never;
    fleet.roles.push(RoleSpec {
        name: "other".to_owned(),
        reuse: Reuse::Any,
        ..fleet.roles[0].clone()
    });
    fleet.pools = vec![fixed("workers", "worker", 1)];
    let mut root = Root::with(fleet.clone());
    root.run(5);
    let veteran = root.state.workers("workers", None, 1)[0].0;
    fleet.pools[0] = fixed("workers", "worker", 0);
    root.feed(&Input::Apply(Box::new(fleet.clone())));
    root.command("r", Command::Recycle(veteran));
    let is_reset = |kind: &EffectKind| matches!(kind, EffectKind::Reset { .. });
    for _ in 0..10 {
        root.later(1);
        root.settle_all_but(is_reset);
    }
    let phase = root.state.row(veteran).map(|row| row.phase);
    assert_eq!(phase, Some(Phase::Resetting), "it is on its way");
    // Its role leaves the spec, and root is upgraded, before it is empty.
    fleet.roles.remove(0);
    fleet.pools.clear();
    root.feed(&Input::Apply(Box::new(fleet)));
    root.upgrade();
    root.run(120);
    assert_eq!(ready(&root), 0);
    assert!(root.state.row(veteran).is_none(), "it was deleted");
}
