//! Members go to their role's new module one by one, and are brought back as they were when it is no
//! good.

use crate::fixture::{OPERATOR, Root, empty, module, refused, saved, saw, spec};
use expect_test::expect;
use hatchery_core::{Command, Input, LeaseAsk, LeaseInput, Reply, Row};
use hatchery_types::{
    CanisterId, Direction, Effect, EffectKind, FleetSpec, HealthSpec, LeaseEnd, LeaseSpec,
    ModuleHash, Nanos, Observation, OperationId, Outcome, Phase, Reason, Refusal, RunState, Step,
    UpgradeSpec, Value,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

const NEXT: &[u8] = b"\0asm\x01\0\0\0\0\x02\x01n";

pub(crate) fn next() -> ModuleHash {
    ModuleHash(Sha256::digest(NEXT).into())
}

/// A pool of `members` of which half may be away.
fn pool_of(members: u32, standby: u32) -> FleetSpec {
    let mut spec = spec(0, members, members + standby);
    let pool = &mut spec.pools[0];
    pool.signals.clear();
    pool.standby = standby;
    pool.disruption_percent = 50;
    pool.lease = Some(LeaseSpec::default());
    spec.roles[0].upgrade = Some(UpgradeSpec::default());
    spec
}

pub(crate) fn with_next(spec: &FleetSpec) -> FleetSpec {
    let mut spec = spec.clone();
    spec.roles[0].module = next();
    spec
}

/// What the new module does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Works,
    /// It traps in `post_upgrade`: the platform undoes the upgrade.
    Traps,
    /// It writes over its memory, and answers no health check.
    Corrupts,
}

/// One canister as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Real {
    pub(crate) module: ModuleHash,
    pub(crate) memory: u32,
    running: bool,
    snapshot: Option<(Nanos, ModuleHash, u32)>,
}

/// A platform that does what it is told.
pub(crate) struct Site {
    pub(crate) next: Next,
    pub(crate) canisters: BTreeMap<CanisterId, Real>,
}

impl Site {
    pub(crate) fn of(root: &Root, next: Next) -> Site {
        let spec = root.state.spec().expect("a fleet");
        let pools = spec.pools.iter().rev();
        let members = pools.flat_map(|pool| root.state.members(&pool.name));
        let members = members.enumerate();
        let canisters = members.map(|(number, member)| {
            let real = Real {
                module: member.module.expect("installed"),
                memory: 100 + number as u32,
                running: true,
                snapshot: None,
            };
            (member.canister, real)
        });
        Site {
            next,
            canisters: canisters.collect(),
        }
    }

    fn perform(&mut self, effect: &Effect, now: Nanos) -> Vec<Outcome> {
        let steps = effect.kind.steps().iter();
        steps.map(|step| self.step(effect, *step, now)).collect()
    }

    fn step(&mut self, effect: &Effect, step: Step, now: Nanos) -> Outcome {
        let done = Outcome::Done(Value::Nothing);
        let bad = self.next;
        let Some(id) = effect.canister else {
            return match step {
                Step::StoredChunks => Outcome::Done(Value::Chunks(vec![module(), next()])),
                _ => done,
            };
        };
        let real = self.canisters.get_mut(&id).expect("a member");
        match step {
            Step::Stop => real.running = false,
            Step::Start => real.running = true,
            Step::TakeSnapshot => {
                real.snapshot = Some((now, real.module, real.memory));
                return saved(now);
            }
            Step::ListSnapshots => {
                let found = real.snapshot.iter();
                let found = found.map(|(at, ..)| (b"snapshot".to_vec(), *at)).collect();
                return Outcome::Done(Value::Saved(found));
            }
            Step::DeleteSnapshot if real.snapshot.take().is_none() => return refused(5),
            Step::LoadSnapshot => {
                let Some((_, module, memory)) = real.snapshot else {
                    return refused(5);
                };
                (real.module, real.memory) = (module, memory);
            }
            Step::UpgradeCode if bad == Next::Traps => return refused(5),
            Step::UpgradeCode => {
                real.module = next();
                real.memory = if bad == Next::Corrupts {
                    0
                } else {
                    real.memory
                };
            }
            Step::Check if real.module == next() && bad == Next::Corrupts => {
                return Outcome::Unknown(Refusal::new(5, "trapped"));
            }
            Step::Status => return saw(self.seen(id)),
            _ => {}
        }
        done
    }

    fn seen(&self, id: CanisterId) -> Observation {
        let real = &self.canisters[&id];
        Observation {
            module: Some(real.module),
            run_state: if real.running {
                RunState::Running
            } else {
                RunState::Stopped
            },
            snapshot_bytes: Some(u64::from(real.snapshot.is_some())),
            settings_clean: Some(false),
            ..empty()
        }
    }

    /// As it was: module, memory, running, no snapshot left.
    pub(crate) fn expect_untouched(&self) {
        for (number, (id, real)) in self.canisters.iter().enumerate() {
            let was = Real {
                module: module(),
                memory: 100 + number as u32,
                running: true,
                snapshot: None,
            };
            assert_eq!(*real, was, "{id}");
        }
    }
}

impl Root {
    /// In steady state under `spec`, then told of the next module.
    fn on_the_way(spec: &FleetSpec, next: Next) -> (Root, Site) {
        let mut root = Root::with(spec.clone());
        root.run(30);
        let site = Site::of(&root, next);
        root.stage_next();
        root.story();
        root.feed(&Input::Apply(Box::new(with_next(spec))));
        root.tick();
        (root, site)
    }

    pub(crate) fn stage_next(&mut self) {
        self.feed(&Input::StageChunk {
            module: next(),
            index: 0,
            bytes: NEXT.to_vec(),
        });
        self.feed(&Input::CommitModule {
            module: next(),
            chunks: 1,
        });
        self.tick();
        self.settle();
    }

    /// One second of that platform; never more than the budget away, and the first one alone.
    pub(crate) fn second(&mut self, site: &mut Site, budget: usize) {
        self.later(1);
        while !self.open.is_empty() {
            let effect = self.open.remove(0);
            let outcomes = site.perform(&effect, self.now);
            self.answer(&effect, &outcomes);
            let first = self.on_next() == 0;
            let budget = if first { budget.min(1) } else { budget };
            let away = self.rows_in(Phase::Upgrading).len();
            assert!(away <= budget, "{away} members are away");
        }
    }

    pub(crate) fn seconds(&mut self, site: &mut Site, seconds: u64) {
        for _ in 0..seconds {
            self.second(site, 1);
        }
    }

    fn rows_in(&self, phase: Phase) -> Vec<Row> {
        let members = self.state.members("workers");
        let members = members.filter(|member| member.phase == phase);
        members
            .filter_map(|it| self.state.row(it.canister))
            .collect()
    }

    pub(crate) fn on_next(&self) -> usize {
        let members = self.state.members("workers");
        members.filter(|it| it.module == Some(next())).count()
    }

    fn says(&self, reason: &Reason) -> bool {
        let record = self.state.pool("workers").expect("a pool");
        record.reasons.iter().any(|it| it.code() == reason.code())
    }
}

#[test]
fn a_role_goes_to_its_new_module_standby_first_and_one_at_a_time() {
    let spec = pool_of(1, 1);
    let (mut root, mut site) = Root::on_the_way(&spec, Next::Works);
    root.seconds(&mut site, 40);
    expect![[r#"
        t30 c12 upgrading (outdated)
        t30 pool workers wants 1: at-minimum, outdated, disruption-budget
        t30 c12 ! stop
        t31 c12 ! save
        t31 c12 ! upgrade
        t31 c12 ! drop-snapshot
        t31 c12 standby (upgraded)
        t31 c11 upgrading (outdated)
        t31 pool workers wants 1: at-minimum, outdated
        t32 c12 in-service (promoted)
        t32 pool workers wants 1: at-minimum
        t41 c11 ! stop
        t41 c11 ! save
        t41 c11 ! upgrade
        t41 c11 ! drop-snapshot
        t41 c11 standby (upgraded)
    "#]]
    .assert_eq(&root.story());
    assert_eq!(root.on_next(), 2);
    let kept: Vec<u32> = site.canisters.values().map(|real| real.memory).collect();
    assert_eq!(kept, [100, 101], "memory is kept");
    assert!(site.canisters.values().all(|real| real.snapshot.is_none()));
}

#[test]
fn u01_no_more_members_are_away_than_the_budget_allows() {
    let (mut root, mut site) = Root::on_the_way(&pool_of(8, 0), Next::Works);
    let mut most = 0;
    for _ in 0..55 {
        root.second(&mut site, 4);
        most = most.max(root.rows_in(Phase::Upgrading).len());
    }
    assert_eq!(most, 4, "the budget is used");
    assert_eq!(root.on_next(), 8);
}

#[test]
fn u02_a_module_that_is_not_healthy_is_taken_back_with_the_memory_and_the_rollout_stops() {
    let mut spec = pool_of(3, 0);
    spec.roles[0].health = Some(HealthSpec {
        method: "health".to_owned(),
        grace: Nanos::from_secs(10),
    });
    let (mut root, mut site) = Root::on_the_way(&spec, Next::Corrupts);
    root.seconds(&mut site, 120);
    site.expect_untouched();
    assert_eq!(root.rows_in(Phase::InService).len(), 3);
    assert!(root.says(&Reason::UpgradeStopped));
    let rollout = root.state.pool("workers").and_then(|it| it.rollout);
    assert_eq!(rollout.map(|it| (it.done, it.failures)), Some((0, 2)));
    let story = root.story();
    let rolled_back = story.matches("(rolled-back)").count();
    assert_eq!(
        rolled_back, 2,
        "two members tried it, then no more:\n{story}"
    );
}

#[test]
fn an_upgrade_that_traps_leaves_the_member_as_it_was() {
    let (mut root, mut site) = Root::on_the_way(&pool_of(2, 0), Next::Traps);
    root.seconds(&mut site, 90);
    site.expect_untouched();
    assert!(root.says(&Reason::UpgradeStopped));
}

#[test]
fn a_stopped_rollout_goes_on_by_an_operators_word_or_another_role() {
    let spec = pool_of(2, 0);
    let (mut root, mut site) = Root::on_the_way(&spec, Next::Traps);
    root.seconds(&mut site, 90);
    assert!(root.says(&Reason::UpgradeStopped));
    site.next = Next::Works;
    root.seconds(&mut site, 60);
    assert_eq!(root.on_next(), 0, "it does not go on by itself");
    root.command("resume", Command::Resume(None));
    root.seconds(&mut site, 60);
    assert_eq!(root.on_next(), 2);

    let (mut root, mut site) = Root::on_the_way(&spec, Next::Traps);
    root.seconds(&mut site, 90);
    site.next = Next::Works;
    let mut other = with_next(&spec);
    "other".clone_into(&mut other.name);
    root.feed(&Input::Apply(Box::new(other.clone())));
    root.seconds(&mut site, 60);
    assert_eq!(root.on_next(), 0, "the role is the same");
    other.roles[0].upgrade = Some(UpgradeSpec {
        failures: 3,
        ..UpgradeSpec::default()
    });
    root.feed(&Input::Apply(Box::new(other)));
    root.seconds(&mut site, 60);
    assert_eq!(root.on_next(), 2);
}

#[test]
fn u03_root_is_upgraded_by_force_at_every_step_and_the_member_ends_on_one_module_whole() {
    for next in [Next::Works, Next::Traps, Next::Corrupts] {
        for answered in [false, true] {
            for step in 0..12 {
                let mut spec = pool_of(1, 0);
                spec.roles[0].health = Some(HealthSpec {
                    method: "health".to_owned(),
                    grace: Nanos::from_secs(10),
                });
                let (mut root, mut site) = Root::on_the_way(&spec, next);
                interrupt(&mut root, &mut site, step, answered);
                root.seconds(&mut site, 900);
                let case = format!("{next:?}, step {step}, answered: {answered}");
                let member = root.rows_in(Phase::InService).pop();
                let member = member.unwrap_or_else(|| panic!("{case}: not at work"));
                let real = &site.canisters[&member.canister];
                assert_eq!(member.module, Some(real.module), "{case}");
                assert_eq!((real.memory, real.running), (100, true), "{case}");
                assert_eq!(real.snapshot, None, "{case}");
                assert_eq!(member.upgrade, None, "{case}");
                let moved = real.module == crate::upgrades::next();
                assert_eq!(moved, next == Next::Works, "{case}");
            }
        }
    }
}

/// Runs until the effect of that number is under way, does it or not, and upgrades root before it
/// hears of it.
fn interrupt(root: &mut Root, site: &mut Site, step: usize, does_it: bool) {
    let mut count = 0;
    for _ in 0..120 {
        root.later(1);
        while !root.open.is_empty() {
            let effect = root.open.remove(0);
            if count == step {
                if does_it {
                    site.perform(&effect, root.now);
                }
                root.open.clear();
                root.upgrade();
                root.tick();
                return;
            }
            count += 1;
            let outcomes = site.perform(&effect, root.now);
            root.answer(&effect, &outcomes);
        }
    }
}

#[test]
fn l04_a_snapshot_of_unknown_outcome_is_looked_for_before_anything_else() {
    let (mut root, _) = Root::on_the_way(&pool_of(1, 0), Next::Works);
    root.later(15);
    root.settle_until(|kind| *kind == EffectKind::Save);
    let save = root.take(|kind| *kind == EffectKind::Save);
    let taken_at = root.now;
    root.answer(&save[0], &[Outcome::Unknown(Refusal::new(0, "unreadable"))]);
    let find = root.take(|kind| *kind == EffectKind::FindSnapshot);
    assert_eq!(find.len(), 1, "{:?}", root.open);
    root.answer(&find[0], &[saved(taken_at)]);
    let row = &root.rows_in(Phase::Upgrading)[0];
    let upgrade = row.upgrade.as_ref().expect("under way");
    assert_eq!(upgrade.snapshot.as_deref(), Some(&b"snapshot"[..]));

    let (mut root, _) = Root::on_the_way(&pool_of(1, 0), Next::Works);
    root.later(15);
    root.settle_until(|kind| *kind == EffectKind::Save);
    let save = root.take(|kind| *kind == EffectKind::Save);
    root.answer(&save[0], &[Outcome::Unknown(Refusal::new(0, "unreadable"))]);
    let find = root.take(|kind| *kind == EffectKind::FindSnapshot);
    root.answer(&find[0], &[saved(Nanos::from_secs(1_001))]);
    let again = root.take(|kind| *kind == EffectKind::Save);
    assert_eq!(
        again.len(),
        1,
        "one that is older than the upgrade is another's"
    );
}

#[test]
fn an_upgrade_of_unknown_outcome_is_waited_for() {
    let (mut root, mut site) = Root::on_the_way(&pool_of(1, 0), Next::Works);
    let unknown = Outcome::Unknown(Refusal::new(6, "expired"));
    let id = root.rows_in(Phase::Upgrading)[0].canister;
    let upgrades = |kind: &EffectKind| matches!(kind, EffectKind::Upgrade { .. });
    for _ in 0..30 {
        root.later(1);
        while root.open.iter().any(|it| !upgrades(&it.kind)) {
            let effect = root.open.remove(0);
            let outcomes = site.perform(&effect, root.now);
            root.answer(&effect, &outcomes);
        }
    }
    let upgrade = root.take(upgrades).remove(0);
    site.canisters.get_mut(&id).expect("it").running = true;
    let seen = saw(site.seen(id));
    root.answer(&upgrade, &[unknown, Outcome::Done(Value::Nothing), seen]);
    root.seconds(&mut site, 120);
    assert_eq!(root.rows_in(Phase::Upgrading).len(), 1, "it may still come");
    site.canisters.get_mut(&id).expect("it").module = next();
    root.seconds(&mut site, 60);
    assert_eq!(root.on_next(), 1);
    assert_eq!(root.rows_in(Phase::InService).len(), 1);
}

#[test]
fn a_member_that_cannot_pay_for_the_snapshot_is_reported_and_goes_on() {
    let (mut root, mut site) = Root::on_the_way(&pool_of(1, 0), Next::Works);
    for _ in 0..90 {
        root.later(1);
        while !root.open.is_empty() {
            let effect = root.open.remove(0);
            let outcomes = match effect.kind {
                EffectKind::Save => vec![Outcome::Refused(Refusal::new(5, "out of cycles"))],
                _ => site.perform(&effect, root.now),
            };
            root.answer(&effect, &outcomes);
        }
    }
    site.expect_untouched();
    assert_eq!(root.rows_in(Phase::InService).len(), 1);
    assert!(root.story().contains("out of cycles"));
    assert!(root.says(&Reason::UpgradeStopped));
}

#[test]
fn a_member_that_cannot_be_brought_back_keeps_its_snapshot_until_an_operator_looks() {
    let mut spec = pool_of(1, 0);
    spec.roles[0].health = Some(HealthSpec {
        method: "health".to_owned(),
        grace: Nanos::from_secs(10),
    });
    let (mut root, mut site) = Root::on_the_way(&spec, Next::Corrupts);
    let id = root.rows_in(Phase::Upgrading)[0].canister;
    for _ in 0..200 {
        root.later(1);
        while !root.open.is_empty() {
            let effect = root.open.remove(0);
            if effect.canister.is_some_and(|it| it != id) || effect.kind.name() == "create" {
                continue;
            }
            let outcomes = match effect.kind {
                EffectKind::Return { .. } => {
                    let seen = saw(site.seen(id));
                    vec![refused(5), Outcome::Done(Value::Nothing), seen]
                }
                _ => site.perform(&effect, root.now),
            };
            root.answer(&effect, &outcomes);
        }
    }
    let row = root.state.row(id).expect("a row");
    assert_eq!(
        (row.phase, row.reason),
        (Phase::Failed, Reason::RollbackFailed)
    );
    assert!(site.canisters[&id].snapshot.is_some());
    root.command("again", Command::RequeueFailed(Some(vec![id])));
    let drop = root.take(|kind| matches!(kind, EffectKind::DropSnapshot { .. }));
    assert_eq!(drop.len(), 1, "before the reset: {:?}", root.open);
    let outcomes = site.perform(&drop[0], root.now);
    root.answer(&drop[0], &outcomes);
    assert_eq!(root.state.row(id).expect("a row").phase, Phase::Resetting);
    assert_eq!(site.canisters[&id].snapshot, None);
}

#[test]
fn s15_leased_and_protected_members_wait_until_the_deadline_and_keep_their_lease() {
    let mut spec = pool_of(2, 0);
    spec.pools[0].protection_max = Nanos::from_secs(7_200);
    spec.pools[0].lease = Some(LeaseSpec {
        ttl: Nanos::from_secs(7_200),
        ttl_max: Nanos::from_secs(7_200),
        ..LeaseSpec::default()
    });
    let mut root = Root::with(spec.clone());
    root.run(30);
    let reply = lease(
        &mut root,
        "take",
        LeaseAsk::Take {
            count: 1,
            ttl: None,
        },
    );
    let held = match reply {
        Reply::Lease(answer) => answer.granted[0].canister,
        other => panic!("{other:?}"),
    };
    let free = root.rows_in(Phase::InService)[0].clone();
    root.feed(&Input::Protect {
        member: free.canister,
        generation: free.generation,
        until: root.now + Nanos::from_secs(7_000),
    });
    let mut site = Site::of(&root, Next::Works);
    root.stage_next();
    root.feed(&Input::Apply(Box::new(with_next(&spec))));
    root.seconds(&mut site, 600);
    assert_eq!(root.on_next(), 0);
    let until = Nanos(0);
    assert!(root.says(&Reason::UpgradeWaits { until }));

    root.later(3_000);
    let mut renewed = false;
    for _ in 0..90 {
        root.later(1);
        while !root.open.is_empty() {
            if root
                .rows_in(Phase::Upgrading)
                .iter()
                .any(|it| it.canister == held)
                && !renewed
            {
                let canisters = vec![held];
                let ttl = Some(Nanos::from_secs(7_100));
                let reply = lease(&mut root, "renew", LeaseAsk::Renew { canisters, ttl });
                renewed = matches!(reply, Reply::Lease(answer) if answer.granted.len() == 1);
            }
            let effect = root.open.remove(0);
            let outcomes = site.perform(&effect, root.now);
            root.answer(&effect, &outcomes);
        }
    }
    assert_eq!(root.on_next(), 2, "the hour is over");
    let row = root.state.row(held).expect("a row");
    assert_eq!((row.phase, renewed), (Phase::Leased, true));
    assert_eq!(row.holder, Some(CanisterId(OPERATOR)));
    assert!(row.leased_until > root.now + Nanos::from_secs(6_000));
}

#[test]
fn a_lease_given_back_during_the_upgrade_is_given_back_after_it() {
    let ends = [LeaseEnd::Return, LeaseEnd::Recycle];
    for (released, expired, over) in [
        (ends[0], ends[1], Phase::InService),
        (ends[1], ends[0], Phase::Draining),
    ] {
        let (mut root, held) = given_back_meanwhile(LeaseSpec {
            released,
            expired,
            ..LeaseSpec::default()
        });
        let row = root.state.row(held).expect("a row");
        assert_eq!((row.phase, row.holder), (over, None));
        let story = root.story();
        assert!(story.contains("leased (upgraded)"), "{story}");
        assert!(story.contains("(released)"), "{story}");
        assert!(!story.contains("(lease-expired)"), "{story}");
    }
}

#[test]
fn a_lease_that_ends_during_the_upgrade_expires_after_it() {
    let (mut root, held, mut site) = leased_in_its_upgrade(LeaseSpec {
        ttl: Nanos::from_secs(2),
        expired: LeaseEnd::Return,
        released: LeaseEnd::Recycle,
        ..LeaseSpec::default()
    });
    for _ in 0..90 {
        root.second(&mut site, 1);
    }
    let row = root.state.row(held).expect("a row");
    assert_eq!((row.phase, row.module), (Phase::InService, Some(next())));
    let story = root.story();
    assert!(story.contains("(lease-expired)"), "{story}");
    assert!(!story.contains("(released)"), "{story}");
}

/// Its holder gives a worker back while it is upgraded, and cannot renew what it gave back.
fn given_back_meanwhile(rules: LeaseSpec) -> (Root, CanisterId) {
    let (mut root, held, mut site) = leased_in_its_upgrade(rules);
    // Nobody is bought in its place.
    root.command("pause", Command::Pause(Some(Direction::Up)));
    let canisters = vec![held];
    let release = LeaseAsk::Release {
        canisters: canisters.clone(),
    };
    let reply = lease(&mut root, "release", release);
    assert!(matches!(reply, Reply::Lease(answer) if answer.granted.len() == 1));
    let ttl = None;
    let reply = lease(&mut root, "renew", LeaseAsk::Renew { canisters, ttl });
    assert!(matches!(reply, Reply::Lease(answer) if answer.granted.is_empty()));
    for _ in 0..5 {
        root.second(&mut site, 1);
    }
    assert_eq!(root.on_next(), 1);
    (root, held)
}

fn leased_in_its_upgrade(rules: LeaseSpec) -> (Root, CanisterId, Site) {
    let mut spec = pool_of(1, 0);
    spec.pools[0].lease = Some(rules);
    spec.roles[0].upgrade = Some(UpgradeSpec {
        wait: Nanos(0),
        ..UpgradeSpec::default()
    });
    let mut root = Root::with(spec.clone());
    root.run(30);
    lease(
        &mut root,
        "take",
        LeaseAsk::Take {
            count: 1,
            ttl: None,
        },
    );
    let held = root.rows_in(Phase::Leased)[0].canister;
    let site = Site::of(&root, Next::Works);
    root.stage_next();
    root.feed(&Input::Apply(Box::new(with_next(&spec))));
    root.tick();
    assert_eq!(root.rows_in(Phase::Upgrading).len(), 1);
    (root, held, site)
}

fn lease(root: &mut Root, operation: &str, ask: LeaseAsk) -> Reply {
    let input = LeaseInput {
        caller: OPERATOR,
        operator: true,
        operation: OperationId(operation.to_owned()),
        pool: "workers".to_owned(),
        ask,
    };
    let reply = root.feed(&Input::Lease(input)).reply;
    root.tick();
    reply
}

#[test]
fn a_spec_that_goes_back_ends_the_upgrade_and_the_member_is_started_as_it_was() {
    let spec = pool_of(1, 0);
    let (mut root, mut site) = Root::on_the_way(&spec, Next::Works);
    root.seconds(&mut site, 9);
    root.feed(&Input::Apply(Box::new(spec)));
    root.seconds(&mut site, 60);
    site.expect_untouched();
    assert_eq!(root.rows_in(Phase::InService).len(), 1);
    let rollout = root.state.pool("workers").and_then(|it| it.rollout);
    assert_eq!(rollout.map(|it| it.failures), Some(0), "nobody's failure");
}

#[test]
fn without_a_rule_members_keep_their_module_until_they_leave() {
    let mut spec = pool_of(2, 0);
    spec.roles[0].upgrade = None;
    let (mut root, mut site) = Root::on_the_way(&spec, Next::Works);
    root.seconds(&mut site, 60);
    assert_eq!(
        (root.on_next(), root.rows_in(Phase::InService).len()),
        (0, 2)
    );
}

#[test]
fn a_member_upgraded_by_somebody_else_is_taken_as_it_is() {
    let mut spec = pool_of(1, 0);
    spec.roles[0].upgrade = None;
    let (mut root, mut site) = Root::on_the_way(&spec, Next::Works);
    let id = root.rows_in(Phase::InService)[0].canister;
    site.canisters.get_mut(&id).expect("it").module = next();
    root.later(90_000);
    root.second(&mut site, 0);
    let row = root.state.row(id).expect("a row");
    assert_eq!((row.phase, row.module), (Phase::InService, Some(next())));
}
