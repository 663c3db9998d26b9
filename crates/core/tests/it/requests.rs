//! Workers asked for one by one: what is granted, what is refused and why, and what a receipt says.

use crate::fixture::{OPERATOR, Root, empty, module, refused, saw, spec};
use hatchery_core::{Answer, Input, Reply, WorkerInput, plan_worker};
use hatchery_types::{
    CanisterId, EffectKind, FleetSpec, Observation, OperationId, Outcome, ParentSpec, Phase,
    PoolSpec, Principal, Reason, Refusal,
};

/// What makes a spec another.
type Change = fn(&mut FleetSpec);

const HUB: Principal = Principal::from_slice(&[0, 0, 0, 0, 0, 0, 9, 9, 1, 1]);

/// A pool without load whose parent is the hub.
fn of_hub(min: u32, max: u32) -> FleetSpec {
    let mut spec = spec(3, min, max);
    spec.pools[0].signals.clear();
    spec.pools[0].parent = Some(ParentSpec::Canister(CanisterId(HUB)));
    spec
}

fn rested(spec: FleetSpec) -> Root {
    let mut root = Root::with(spec);
    root.settle();
    root.run(5);
    root
}

impl Root {
    fn request(&mut self, caller: Principal, operation: &str, init_arg: Option<&[u8]>) -> Reply {
        let input = WorkerInput {
            caller,
            operator: caller == OPERATOR,
            operation: OperationId(operation.to_owned()),
            pool: "workers".to_owned(),
            init_arg: init_arg.map(<[u8]>::to_vec),
            vitals: self.vitals,
        };
        let decision = self.feed(&Input::CreateWorker(input));
        assert!(decision.effects.is_empty(), "effects are the tick's");
        decision.reply
    }

    /// The canisters that are looked at run the module, with their tenant's settings.
    fn find_installed(&mut self) {
        for look in self.take(|kind| matches!(kind, EffectKind::Observe)) {
            let seen = Observation {
                module: Some(module()),
                settings_clean: Some(false),
                ..empty()
            };
            self.answer(&look, &[saw(seen)]);
        }
    }

    fn at_work(&self) -> u32 {
        self.state.members_in("workers", Phase::InService)
    }
}

fn created(reply: &Reply) -> CanisterId {
    match reply {
        Reply::Command(Answer::Created(canister)) => *canister,
        other => panic!("not created: {other:?}"),
    }
}

fn why(reply: &Reply) -> &'static str {
    match reply {
        Reply::Refused(reason, _) => reason.name(),
        Reply::Command(_) => "taken",
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_worker_asked_for_comes_with_its_parent_and_its_argument_and_stays_for_the_window() {
    let mut root = rested(of_hub(1, 5));
    let first = root.request(HUB, "one", Some(b"DIDL mine"));
    assert_eq!(first, Reply::Command(Answer::InProgress));
    root.tick();
    let install = root.open.iter().find_map(|effect| effect.canister);
    root.settle();
    let worker = created(&root.request(HUB, "one", Some(b"DIDL mine")));
    assert_eq!(install, Some(worker));
    let row = root.state.row(worker).expect("it has a row");
    assert_eq!(
        (row.phase, row.parent),
        (Phase::InService, Some(CanisterId(HUB)))
    );
    assert_eq!(row.init_arg.as_deref(), Some(&b"DIDL mine"[..]));
    assert_eq!(row.pool.as_deref(), Some("workers"));
    root.run(20);
    assert_eq!(root.at_work(), 2, "it stays for the window");
    root.run(60);
    assert_eq!(root.at_work(), 1, "then the pool is as its policy wants it");
}

#[test]
fn s01_s04_s05_requests_never_exceed_max_and_each_operation_counts_once() {
    let mut root = rested(of_hub(1, 3));
    for operation in ["a", "b", "c", "d"] {
        for _ in 0..3 {
            root.request(HUB, operation, None);
        }
    }
    assert_eq!(why(&root.request(HUB, "d", None)), "at-maximum");
    assert_eq!(
        why(&root.request(HUB, "a", Some(b"other"))),
        "operation-conflict"
    );
    root.tick();
    root.settle();
    assert_eq!(root.at_work(), 3);
    let workers = [root.request(HUB, "a", None), root.request(HUB, "b", None)];
    let [one, other] = workers.map(|reply| created(&reply));
    assert_ne!(one, other);
    root.upgrade();
    assert_eq!(
        created(&root.request(HUB, "a", None)),
        one,
        "after an upgrade too"
    );
}

#[test]
fn what_is_refused_says_why_and_leaves_nothing() {
    let refusals: [(&str, Change, &str); 3] = [
        ("disabled", |spec| spec.pools[0].enabled = false, "disabled"),
        ("full", |spec| spec.pools[0].max = 1, "at-maximum"),
        (
            "poor",
            |spec| spec.warm_pool.minimum = 0,
            "no-ready-canister",
        ),
    ];
    for (what, change, reason) in refusals {
        let mut spec = of_hub(1, 5);
        change(&mut spec);
        let mut root = rested(spec);
        let planned = plan_worker(&root.state, root.now, &root.vitals, "workers");
        let planned = planned.expect("a pool of the spec").map(|plan| plan.claim);
        assert_eq!(planned.map_err(|it| it.name()), Err(reason), "{what}");
        assert_eq!(why(&root.request(HUB, what, None)), reason, "{what}");
        assert_eq!(root.state.receipt(HUB, &OperationId(what.to_owned())), None);
    }
    let mut root = rested(of_hub(1, 5));
    assert_eq!(
        why(&root.request(Principal::anonymous(), "x", None)),
        "unauthorised"
    );
    assert_eq!(why(&root.request(HUB, "", None)), "bad-operation-id");
    assert_eq!(
        why(&root.request(HUB, "x", Some(&[0; 5_000]))),
        "over-limit"
    );
    assert!(plan_worker(&root.state, root.now, &root.vitals, "nobody").is_none());
    assert_eq!(why(&root.request(OPERATOR, "x", None)), "taken");
}

#[test]
fn a_request_whose_install_is_refused_is_answered_with_the_reason() {
    let mut root = rested(of_hub(1, 5));
    root.request(HUB, "one", None);
    root.tick();
    let install = root.take(|kind| matches!(kind, EffectKind::Install { .. }));
    root.answer(&install[0], &[refused(5), refused(5)]);
    assert_eq!(why(&root.request(HUB, "one", None)), "refused");
}

/// The slot is neither lost nor used twice, whatever became of the callback.
#[test]
fn s02_a_worker_whose_callback_was_lost_is_found_and_counted() {
    let mut root = rested(of_hub(1, 2));
    root.request(HUB, "one", None);
    root.tick();
    let install = root.take(|kind| matches!(kind, EffectKind::Install { .. }));
    let taken = install[0].canister;
    root.upgrade();
    root.tick();
    assert_eq!(
        why(&root.request(HUB, "two", None)),
        "at-maximum",
        "the slot is taken"
    );
    // Nobody answers the earlier root: the canister is looked at, and runs the module.
    root.later(61);
    root.find_installed();
    assert_eq!(Some(created(&root.request(HUB, "one", None))), taken);
    let standby = root.state.members_in("workers", Phase::Standby);
    assert_eq!(root.at_work() + standby, 2, "the slot is not lost");
    root.run(700);
    assert!(root.state.rows_len() >= 4, "nobody was lost");
}

#[test]
fn s02_an_install_of_unknown_outcome_is_looked_at_and_never_sent_twice() {
    let mut root = rested(of_hub(1, 2));
    root.request(HUB, "one", None);
    root.tick();
    let install = root.take(|kind| matches!(kind, EffectKind::Install { .. }));
    let unknown = Outcome::Unknown(Refusal::new(6, "no answer"));
    root.answer(&install[0], &[unknown.clone(), unknown]);
    let again = root.take(|kind| matches!(kind, EffectKind::Install { .. }));
    assert!(again.is_empty());
    root.find_installed();
    assert_eq!(root.at_work(), 2, "it is there");
}

/// A pool that cannot start does not keep another from doing so, and an upgrade begins again.
#[test]
fn s09_initial_workers_come_after_an_upgrade_and_no_pool_waits_for_another() {
    let mut spec = spec(2, 2, 5);
    let mut ghost = hatchery_types::RoleSpec::new("ghost", hatchery_types::ModuleHash([9; 32]));
    ghost.drain = spec.roles[0].drain.clone();
    spec.roles.push(ghost);
    let first = PoolSpec {
        initial: 2,
        ..PoolSpec::new("a-broken", "ghost", 1, 5)
    };
    spec.pools.insert(0, first);
    let mut root = Root::with(spec);
    root.settle_but_installs();
    root.open.clear();
    root.upgrade();
    root.tick();
    root.later(61);
    root.settle();
    root.run(30);
    assert_eq!(root.at_work(), 2, "the pool that can start is there");
    let broken = root.state.pool("a-broken").expect("a pool of the spec");
    assert!(
        broken.reasons.contains(&Reason::ModuleMissing),
        "{:?}",
        broken.reasons
    );
}

#[test]
fn s17_a_spec_that_makes_no_sense_is_refused_with_the_place() {
    let changes: [(Change, &str); 5] = [
        (|spec| spec.pools[0].min = 9, "pools.workers.min"),
        (|spec| spec.pools[0].initial = 9, "pools.workers.initial"),
        (
            |spec| spec.pools[0].signals[0].target = 0,
            "pools.workers.signals",
        ),
        (|spec| spec.pools[0].role.push('x'), "pools.workers.role"),
        (
            |spec| spec.pools.push(spec.pools[0].clone()),
            "pools.workers.name",
        ),
    ];
    for (change, place) in changes {
        let mut wrong = spec(1, 1, 3);
        change(&mut wrong);
        let mut root = Root::with(spec(1, 1, 3));
        let generation = root.state.spec_generation();
        match root.feed(&Input::Apply(Box::new(wrong))).reply {
            Reply::Refused(reason, text) => {
                assert_eq!(reason, Reason::BadSpec);
                assert!(text.starts_with(place), "{text}");
            }
            other => panic!("{place}: {other:?}"),
        }
        assert_eq!(root.state.spec_generation(), generation);
    }
}
