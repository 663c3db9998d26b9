//! Leases, protection and parents: who gets a worker, for how long, and what becomes of it.

use crate::fixture::{OPERATOR, Root, canister, spec};
use hatchery_core::{Answer, Command, Input, LeaseAnswer, LeaseAsk, LeaseInput, PoolReport, Reply};
use hatchery_types::{
    CanisterId, EffectKind, FleetSpec, Generation, LeaseEnd, LeaseSpec, Nanos, OperationId,
    ParentSpec, Phase, Principal, Reason, Scope, SignalSpec,
};

const HUB: Principal = Principal::from_slice(&[0, 0, 0, 0, 0, 0, 9, 9, 1, 1]);

/// A pool without load, `standby` ready behind it, that a hub may lease from.
fn leasing(standby: u32) -> FleetSpec {
    let mut spec = spec(4, 0, 10);
    let pool = &mut spec.pools[0];
    pool.signals.clear();
    pool.standby = standby;
    pool.parent = Some(ParentSpec::Canister(CanisterId(HUB)));
    pool.lease = Some(LeaseSpec {
        ttl: Nanos::from_secs(100),
        ..LeaseSpec::default()
    });
    spec
}

fn rested(spec: FleetSpec) -> Root {
    let mut root = Root::with(spec);
    root.settle();
    root.run(5);
    root.story();
    root
}

impl Root {
    fn ask(&mut self, caller: Principal, operation: &str, ask: LeaseAsk) -> Reply {
        let input = LeaseInput {
            caller,
            operator: caller == OPERATOR,
            operation: OperationId(operation.to_owned()),
            pool: "workers".to_owned(),
            ask,
        };
        let decision = self.feed(&Input::Lease(input));
        assert!(decision.effects.is_empty(), "a lease makes no call");
        decision.reply
    }

    fn take_workers(&mut self, operation: &str, count: u32) -> LeaseAnswer {
        match self.ask(HUB, operation, LeaseAsk::Take { count, ttl: None }) {
            Reply::Lease(answer) => answer,
            reply => panic!("{reply:?}"),
        }
    }

    fn phase(&self, canister: CanisterId) -> Phase {
        self.state.row(canister).expect("it has a row").phase
    }

    fn in_phase(&self, phase: Phase) -> u32 {
        self.state.members_in("workers", phase)
    }
}

fn refusal(reply: &Reply) -> &'static str {
    match reply {
        Reply::Refused(reason, _) => reason.name(),
        _ => "taken",
    }
}

#[test]
fn a_lease_from_standby_needs_no_call_and_is_refilled_behind() {
    let mut root = rested(leasing(2));
    assert_eq!(root.in_phase(Phase::Standby), 2);
    let answer = root.take_workers("one", 1);
    let grant = answer.granted[0];
    assert_eq!((answer.granted.len(), answer.short), (1, 0));
    assert_eq!(grant.until, root.now + Nanos::from_secs(100));
    assert_eq!(root.phase(grant.canister), Phase::Leased);
    assert!(root.open.is_empty());
    root.run(5);
    assert_eq!(root.in_phase(Phase::Standby), 2, "the place is filled");
    let pool = root.state.pool("workers").expect("a pool of the spec");
    assert_eq!(pool.desired, 1, "the leased one counts");
    assert!(
        root.state.workers("workers", None, 9).is_empty(),
        "and is on no list"
    );
}

#[test]
fn s04_the_same_operation_gets_the_same_workers_and_s05_another_request_a_conflict() {
    let mut root = rested(leasing(3));
    let first = root.take_workers("mine", 2);
    root.later(20);
    assert_eq!(root.take_workers("mine", 2), first);
    assert_eq!(root.in_phase(Phase::Leased), 2);
    let other = root.ask(
        HUB,
        "mine",
        LeaseAsk::Take {
            count: 1,
            ttl: None,
        },
    );
    assert_eq!(refusal(&other), "operation-conflict");
    root.upgrade();
    assert_eq!(root.take_workers("mine", 2), first, "an upgrade later too");
    let theirs = root.ask(
        OPERATOR,
        "mine",
        LeaseAsk::Take {
            count: 1,
            ttl: None,
        },
    );
    assert_eq!(
        refusal(&theirs),
        "taken",
        "another caller's ids are his own"
    );
}

#[test]
fn s06_answers_live_an_hour_and_are_forgotten_by_the_tick() {
    let mut root = rested(leasing(1));
    root.take_workers("one", 1);
    root.run(10);
    assert_eq!(root.state.lease_receipts(), 1);
    root.later(3_580);
    root.settle();
    assert_eq!(root.state.lease_receipts(), 1);
    root.run(20);
    assert_eq!(root.state.lease_receipts(), 0);
}

#[test]
fn too_few_free_grants_what_there_is_and_grows_the_pool() {
    let mut root = rested(leasing(1));
    let answer = root.take_workers("many", 4);
    assert_eq!((answer.granted.len(), answer.short), (1, 3));
    root.run(10);
    assert_eq!(root.in_phase(Phase::InService), 3, "wanted for the holder");
    let again = root.take_workers("more", 3);
    assert_eq!(again.short, 0);
    assert_eq!(root.in_phase(Phase::Leased), 4);
}

#[test]
fn s16_a_holder_that_dies_loses_its_workers_by_the_rule() {
    for (rule, phase) in [
        (LeaseEnd::Recycle, Phase::Draining),
        (LeaseEnd::Return, Phase::InService),
    ] {
        let mut spec = leasing(1);
        spec.pools[0].lease.as_mut().expect("it leases").expired = rule;
        let mut root = rested(spec);
        let id = root.take_workers("one", 1).granted[0].canister;
        root.run(99);
        assert_eq!(root.phase(id), Phase::Leased);
        root.later(2);
        let row = root.state.row(id).expect("it has a row");
        assert_eq!((row.phase, row.holder), (phase, None), "{rule:?}");
        root.run(400);
        assert_ne!(root.phase(id), Phase::Leased);
    }
}

#[test]
fn s16_a_holder_that_renews_keeps_its_worker_and_only_its_own() {
    let mut root = rested(leasing(2));
    let id = root.take_workers("one", 1).granted[0].canister;
    for turn in 0..5 {
        root.run(60);
        let renew = LeaseAsk::Renew {
            canisters: vec![id],
            ttl: None,
        };
        let reply = root.ask(HUB, &format!("renew {turn}"), renew);
        assert!(matches!(reply, Reply::Lease(answer) if answer.granted.len() == 1));
    }
    assert_eq!(root.phase(id), Phase::Leased);
    let release = LeaseAsk::Release {
        canisters: vec![id, canister(99)],
    };
    let Reply::Lease(stranger) = root.ask(OPERATOR, "not mine", release.clone()) else {
        panic!("an operator may ask");
    };
    let not_leased = |id| (id, Reason::NotLeased);
    assert_eq!(
        stranger.skipped,
        [id, canister(99)].map(not_leased).to_vec()
    );
    let Reply::Lease(mine) = root.ask(HUB, "done", release) else {
        panic!("the holder may release");
    };
    assert_eq!((mine.granted.len(), mine.skipped.len()), (1, 1));
    assert_ne!(root.phase(id), Phase::Leased);
}

#[test]
fn s20_leases_that_ended_while_the_subnet_stood_still_get_a_moment() {
    let mut root = rested(leasing(1));
    let id = root.take_workers("one", 1).granted[0].canister;
    root.later(3_600);
    assert_eq!(root.phase(id), Phase::Leased, "its holder could not renew");
    root.run(61);
    assert_eq!(root.phase(id), Phase::Draining);
}

#[test]
fn s15_a_leased_worker_stays_when_the_pool_shrinks() {
    let mut root = rested(leasing(3));
    let ids: Vec<CanisterId> = root
        .take_workers("x", 3)
        .granted
        .iter()
        .map(|it| it.canister)
        .collect();
    let mut smaller = leasing(0);
    smaller.pools[0].max = 1;
    root.feed(&Input::Apply(Box::new(smaller)));
    root.run(60);
    for id in ids {
        assert_eq!(root.phase(id), Phase::Leased);
    }
    let reasons = &root.state.pool("workers").expect("a pool").reasons;
    assert!(reasons.contains(&Reason::AtMaximum), "{reasons:?}");
}

#[test]
fn p18_a_leased_member_is_not_recycled_and_its_holder_keeps_it() {
    let mut root = rested(leasing(2));
    let grant = root.take_workers("one", 1).granted[0];
    let reply = root.command("away", Command::Recycle(grant.canister));
    let Reply::Refused(reason, text) = reply else {
        panic!("{reply:?}")
    };
    assert_eq!(reason, Reason::WrongPhase);
    assert!(text.contains("is leased"), "{text}");
    let row = root.state.row(grant.canister).expect("accounted");
    assert_eq!(
        (row.phase, row.leased_until),
        (Phase::Leased, grant.until),
        "as it was"
    );
    // Given back, it may go: its work first.
    let canisters = vec![grant.canister];
    root.ask(HUB, "back", LeaseAsk::Release { canisters });
    root.run(60);
    assert_ne!(root.phase(grant.canister), Phase::Leased);
}

#[test]
fn p18_a_member_with_standby_siblings_drains_and_a_sibling_takes_its_place() {
    let mut fleet = leasing(2);
    (fleet.pools[0].min, fleet.pools[0].lease) = (1, None);
    let mut root = rested(fleet);
    let (member, _) = root.state.workers("workers", None, 9)[0];
    let siblings = |root: &Root| root.in_phase(Phase::Standby);
    assert_eq!(siblings(&root), 2);
    let reply = root.command("away", Command::Recycle(member));
    assert_eq!(reply, Reply::Command(Answer::InProgress));
    assert_eq!(root.phase(member), Phase::Draining, "its work is not cut");
    root.run(3);
    let at_work: Vec<CanisterId> = root
        .state
        .workers("workers", None, 9)
        .iter()
        .map(|(id, _)| *id)
        .collect();
    assert!(at_work.len() == 1 && at_work[0] != member, "{at_work:?}");
    root.run(60);
    assert_eq!(siblings(&root), 2, "and the sibling's place is filled");
    let parent = CanisterId(HUB);
    for (id, _) in root.state.workers("workers", None, 9) {
        let row = root.state.row(id).expect("accounted");
        assert_eq!(row.parent, Some(parent), "whose they are stays");
    }
    // One on standby goes the same way, and is replaced.
    let standby = root
        .state
        .members("workers")
        .find(|it| it.phase == Phase::Standby);
    let standby = standby.expect("two of them").canister;
    let reply = root.command("spare", Command::Recycle(standby));
    assert_eq!(reply, Reply::Command(Answer::InProgress));
    assert_eq!(root.phase(standby), Phase::Draining);
    root.run(60);
    assert_eq!(siblings(&root), 2);
    assert_eq!(root.state.workers("workers", None, 9).len(), 1);
}

#[test]
fn s19_workers_of_a_hub_that_is_gone_are_recycled_and_none_is_lost() {
    let mut root = rested(leasing(2));
    let rows = root.state.rows_len();
    let taken = root.take_workers("one", 2).granted;
    // The hub is deleted: nobody renews, nobody releases.
    root.run(200);
    root.settle();
    assert_eq!(root.in_phase(Phase::Leased), 0);
    assert!(root.state.rows_len() >= rows);
    for grant in taken {
        assert!(root.state.row(grant.canister).is_some(), "still accounted");
    }
    assert_eq!(root.in_phase(Phase::Standby), 2, "the pool is whole again");
}

#[test]
fn l21_leases_and_totals_are_for_the_parent_and_operators() {
    let mut root = rested(leasing(2));
    let stranger = Principal::from_slice(&[5, 1]);
    let take = LeaseAsk::Take {
        count: 1,
        ttl: None,
    };
    assert_eq!(
        refusal(&root.ask(stranger, "a", take.clone())),
        "unauthorised"
    );
    assert_eq!(
        refusal(&root.ask(HUB, "", take.clone())),
        "bad-operation-id"
    );
    let none = LeaseAsk::Take {
        count: 0,
        ttl: None,
    };
    assert_eq!(refusal(&root.ask(HUB, "b", none)), "over-limit");
    let long = LeaseAsk::Take {
        count: 1,
        ttl: Some(Nanos::from_secs(90_000)),
    };
    assert_eq!(refusal(&root.ask(HUB, "c", long)), "ttl-too-long");
    let mut without = leasing(2);
    without.pools[0].lease = None;
    root.feed(&Input::Apply(Box::new(without)));
    assert_eq!(refusal(&root.ask(HUB, "d", take)), "no-leases");
}

#[test]
fn s15_a_member_may_be_spared_for_a_bounded_time() {
    let mut root = Root::with(spec(3, 2, 5));
    root.settle();
    root.run(3);
    let (worker, _) = root.state.workers("workers", None, 1)[0];
    let generation = root.state.row(worker).expect("it has a row").generation;
    let mut protect = |seconds, generation| {
        let until = root.now + Nanos::from_secs(seconds);
        let input = Input::Protect {
            member: worker,
            generation,
            until,
        };
        match root.feed(&input).reply {
            Reply::Reported { refused, .. } => refused.map_or("taken", |it| it.name()),
            _ => "not a report",
        }
    };
    assert_eq!(protect(3_601, generation), "ttl-too-long");
    assert_eq!(protect(60, Generation(77)), "unauthorised");
    assert_eq!(protect(600, generation), "taken");
    let mut one = spec(3, 1, 5);
    one.pools[0].initial = 1;
    root.feed(&Input::Apply(Box::new(one)));
    for _ in 0..50 {
        for (id, _) in root.state.workers("workers", None, 9) {
            // The spared one is idle, the other busy.
            let load = if id == worker { 0 } else { 3 };
            root.report(id, load);
        }
        root.run(1);
    }
    assert_eq!(root.phase(worker), Phase::InService);
    assert_eq!(root.in_phase(Phase::InService), 1);
}

fn total(spec: &mut FleetSpec) {
    spec.pools[0].signals = vec![SignalSpec {
        scope: Scope::Pool,
        stale_after: Nanos::from_secs(60),
        ..SignalSpec::new("backlog", 10)
    }];
}

#[test]
fn a_hubs_backlog_wakes_its_pool_and_lets_it_sleep() {
    let mut spec = leasing(0);
    total(&mut spec);
    let mut root = rested(spec);
    let report = |root: &mut Root, backlog: u64| {
        let report = PoolReport {
            caller: HUB,
            operator: false,
            pool: "workers".to_owned(),
            totals: vec![("backlog".to_owned(), backlog)],
            members: Vec::new(),
        };
        let reply = root.feed(&Input::ReportPool(report)).reply;
        root.run(1);
        reply
    };
    assert_eq!(report(&mut root, 35), Reply::PoolReported(Vec::new()));
    root.run(5);
    assert_eq!(root.in_phase(Phase::InService), 4);
    for _ in 0..120 {
        report(&mut root, 0);
    }
    assert_eq!(root.in_phase(Phase::InService), 0);
}

#[test]
fn s10_a_parents_report_is_taken_but_for_what_is_wrong_in_it() {
    let mut spec = leasing(0);
    spec.pools[0].min = 1;
    spec.pools[0].initial = 1;
    total(&mut spec);
    spec.pools[0].signals.push(SignalSpec::new("depth", 4));
    let mut root = rested(spec);
    let (worker, _) = root.state.workers("workers", None, 1)[0];
    let report = |caller: Principal| PoolReport {
        caller,
        operator: false,
        pool: "workers".to_owned(),
        totals: vec![("backlog".to_owned(), 1 << 60), ("depth".to_owned(), 1)],
        members: vec![
            (worker, "depth".to_owned(), 3),
            (worker, "mood".to_owned(), 3),
            (canister(99), "depth".to_owned(), 3),
        ],
    };
    let stranger = root.feed(&Input::ReportPool(report(Principal::anonymous())));
    assert_eq!(refusal(&stranger.reply), "unauthorised");
    let Reply::PoolReported(refused) = root.feed(&Input::ReportPool(report(HUB))).reply else {
        panic!("the parent may report");
    };
    let said: Vec<_> = refused
        .iter()
        .map(|it| (it.member, it.reason.name()))
        .collect();
    assert_eq!(
        said,
        [
            (None, "absurd-signal"),
            (None, "unknown-signal"),
            (Some(worker), "unknown-signal"),
            (Some(canister(99)), "unknown-canister"),
        ]
    );
    let row = root.state.row(worker).expect("it has a row");
    assert_eq!(row.sample_of(1).map(|it| it.value), Some(3));
    let again = root.feed(&Input::ReportPool(report(HUB)));
    assert_eq!(refusal(&again.reply), "rate-limited");
}

#[test]
fn s07_the_list_of_workers_is_told_whole_or_by_what_changed() {
    let mut root = Root::with(spec(4, 3, 5));
    root.settle();
    root.run(3);
    let whole = root.state.listing_since("workers", Generation(0));
    assert!(whole.whole && whole.joined.len() == 3);
    let known = whole.generation;
    assert!(root.state.listing_since("workers", known).joined.is_empty());
    root.recycle(whole.joined[0]);
    let change = root.state.listing_since("workers", known);
    assert!(!change.whole);
    assert_eq!(
        change.left,
        vec![whole.joined[0]],
        "at once, before it is drained"
    );
    root.run(30);
    let change = root.state.listing_since("workers", known);
    assert_eq!((change.joined.len(), change.left.len()), (1, 1));
    root.upgrade();
    assert!(
        root.state.listing_since("workers", known).whole,
        "an upgraded root starts over"
    );
}

#[test]
fn a_new_worker_is_in_service_only_after_its_start_up_check() {
    let mut fleet = spec(2, 1, 3);
    fleet.roles[0].health = Some(hatchery_types::HealthSpec {
        method: "health".to_owned(),
        grace: Nanos::from_secs(20),
    });
    let mut root = Root::with(fleet);
    root.settle_until(|kind| matches!(kind, EffectKind::Check));
    assert_eq!(
        (
            root.in_phase(Phase::Standby),
            root.in_phase(Phase::InService)
        ),
        (1, 0)
    );
    let check = root.take(|kind| matches!(kind, EffectKind::Check));
    root.answer(&check[0], &[crate::fixture::refused(3)]);
    assert_eq!(root.in_phase(Phase::InService), 0);
    root.later(2);
    root.settle();
    assert_eq!(root.in_phase(Phase::InService), 1);
}

#[test]
fn s14_a_worker_that_never_becomes_healthy_is_recycled_and_counts() {
    let mut fleet = spec(4, 4, 4);
    fleet.roles[0].health = Some(hatchery_types::HealthSpec {
        method: "health".to_owned(),
        grace: Nanos::from_secs(20),
    });
    let mut root = Root::with(fleet);
    let mut most = 0;
    for _ in 0..40 {
        for check in root.take(|kind| matches!(kind, EffectKind::Check)) {
            root.answer(&check, &[crate::fixture::refused(5)]);
        }
        most = most.max(root.in_phase(Phase::Standby) + root.in_phase(Phase::Installing));
        root.settle_but(|kind| matches!(kind, EffectKind::Check));
        root.later(1);
    }
    assert_eq!(most, 2, "a few at a time");
    assert!(root.story().contains("pending-reset (start-failed)"));
    let reasons = &root.state.pool("workers").expect("a pool").reasons;
    let open = |it: &Reason| matches!(it, Reason::BreakerOpen { .. });
    assert!(reasons.iter().any(open), "{reasons:?}");
}
