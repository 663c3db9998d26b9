//! Every rule broken once: a mutation of a good spec, and what is said of it.

use super::check_spec;
use crate::limits::ROLES_MAX;
use expect_test::{Expect, expect};
use hatchery_types::{
    CanisterId, Cycles, FleetSpec, GrantSpec, LanesSpec, ModuleHash, Nanos, PoolSpec, Principal,
    RoleSpec, SignalSpec, UpgradeSpec, WarmPoolSpec, WindowSpec,
};

fn good() -> FleetSpec {
    FleetSpec {
        visibility: None,
        name: "shop".to_owned(),
        controllers: vec![],
        reserve: Cycles(10 * Cycles::T),
        lanes: LanesSpec {
            create: 10,
            reset: 50,
            install: 4,
        },
        warm_pool: WarmPoolSpec::new(5, 20),
        roles: vec![RoleSpec::new("worker", ModuleHash([7; 32]))],
        top_up: None,
        grants: Vec::new(),
        pools: vec![PoolSpec {
            initial: 2,
            signals: vec![SignalSpec::new("depth", 10)],
            ..PoolSpec::new("workers", "worker", 1, 12)
        }],
    }
}

fn target(spec: &mut FleetSpec) -> &mut SignalSpec {
    &mut spec.pools[0].signals[0]
}

fn check(change: impl FnOnce(&mut FleetSpec), expected: &Expect) {
    let mut spec = good();
    change(&mut spec);
    let errors = check_spec(&spec).expect_err("the change breaks a rule");
    let lines: Vec<String> = errors
        .iter()
        .map(|error| format!("{error}\n  {}\n", error.hint))
        .collect();
    expected.assert_eq(&lines.concat());
}

#[test]
fn the_good_spec_passes() {
    assert_eq!(check_spec(&good()), Ok(()));
}

#[test]
fn s17_bounds_of_a_pool() {
    check(
        |s| s.pools[0].min = 13,
        &expect![[r#"
        pools.workers.min: `min` is more than `max` (13 > 12)
          lower `min` or raise `max`
    "#]],
    );
    check(
        |s| s.pools[0].initial = 13,
        &expect![[r#"
        pools.workers.initial: `initial` is more than `max` (13 > 12)
          lower `initial` or raise `max`
    "#]],
    );
    check(
        |s| s.pools[0].max = 0,
        &expect![[r#"
            pools.workers.max: a maximum of 0 workers
              between 1 and 1000
        "#]],
    );
    check(
        |s| s.pools[0].max = 1_001,
        &expect![[r#"
            pools.workers.max: a maximum of 1001 workers
              between 1 and 1000
        "#]],
    );
    check(
        |s| s.pools[0].min = 0,
        &expect![[r#"
            pools.workers.min: a pool of zero workers gets no signal and would never grow
              use at least 1, or add what wakes it: a signal of scope "pool", a lease, a buffer or a schedule
        "#]],
    );
}

#[test]
fn s17_targets() {
    check(
        |s| target(s).target = 0,
        &expect![[r#"
            pools.workers.signals.depth.target: a target of 0
              between 1 and 2^53: load is divided by it
        "#]],
    );
    check(
        |s| target(s).name = String::new(),
        &expect![[r#"
            pools.workers.signals.: "" is not a name for a signal
              use 1 to 40 of the letters a-z, digits and -
        "#]],
    );
    check(
        |s| target(s).tolerance_percent = 100,
        &expect![[r#"
            pools.workers.signals.depth.tolerance: a tolerance of 100 %
              below 100 %, else pool `workers` never shrinks
        "#]],
    );
    check(
        |s| target(s).stale_after = Nanos(0),
        &expect![[r#"
            pools.workers.signals.depth.stale_after: a sample's life of 0s is out of bounds
              between 1s and 24h
        "#]],
    );
    check(
        |s| target(s).warm_up = Nanos::from_secs(86_401),
        &expect![[r#"
            pools.workers.signals.depth.warm_up: a warm-up of 86401s is out of bounds
              between 0s and 24h
        "#]],
    );
}

#[test]
fn s17_pools_and_roles() {
    check(
        |s| s.pools[0].role = "workr".to_owned(),
        &expect![[r#"
        pools.workers.role: there is no role `workr`
          did you mean `worker`?
    "#]],
    );
    check(
        |s| s.pools[0].role = "hub".to_owned(),
        &expect![[r#"
        pools.workers.role: there is no role `hub`
          there are: worker
    "#]],
    );
    check(
        |s| s.roles.clear(),
        &expect![[r#"
        pools.workers.role: there is no role `worker`
          the fleet has no roles: add one
    "#]],
    );
    check(
        |s| s.roles[0].module = ModuleHash([0; 32]),
        &expect![[r#"
        roles.worker.module: the role has no module
          give the sha256 of a wasm module
    "#]],
    );
    check(
        |s| s.pools.push(s.pools[0].clone()),
        &expect![[r#"
        pools.workers: two pools are called `workers`
          rename one
    "#]],
    );
    check(
        |s| s.roles.push(s.roles[0].clone()),
        &expect![[r#"
        roles.worker: two roles are called `worker`
          rename one
    "#]],
    );
}

#[test]
fn names() {
    check(
        |s| s.name = "My fleet".to_owned(),
        &expect![[r#"
        name: "My fleet" is not a name for a fleet
          use 1 to 40 of the letters a-z, digits and -
    "#]],
    );
    check(
        |s| s.name = "x".repeat(41),
        &expect![[r#"
        name: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" is not a name for a fleet
          use 1 to 40 of the letters a-z, digits and -
    "#]],
    );
    check(
        |s| s.pools[0].name = String::new(),
        &expect![[r#"
        pools.: "" is not a name for a pool
          use 1 to 40 of the letters a-z, digits and -
    "#]],
    );
}

#[test]
fn controllers() {
    check(
        |s| s.controllers = vec![Principal::anonymous()],
        &expect![[r#"
        controllers: the anonymous principal is a controller
          remove it: anybody in the world could delete the fleet's canisters
    "#]],
    );
    check(
        |s| s.controllers = vec![Principal::management_canister()],
        &expect![[r#"
        controllers: the management canister is a controller
          remove it
    "#]],
    );
    check(
        |s| s.controllers = (0..10).map(|n| Principal::from_slice(&[n, 1])).collect(),
        &expect![[r#"
            controllers: 10 controllers beside root
              at most 9: the platform takes 10 a canister, root is one
        "#]],
    );
    check(
        |s| s.controllers = vec![Principal::from_slice(&[1, 1]); 2],
        &expect![[r#"
        controllers: f7crg-kabae is there twice
          remove one
    "#]],
    );
}

#[test]
fn lanes_and_reserve() {
    check(
        |s| s.lanes.reset = 0,
        &expect![[r#"
        lanes.reset: a lane of 0
          between 1 and 500: the platform takes 500 calls in flight to one callee
    "#]],
    );
    check(
        |s| s.lanes.create = 501,
        &expect![[r#"
        lanes.create: a lane of 501
          between 1 and 500: the platform takes 500 calls in flight to one callee
    "#]],
    );
    check(
        |s| s.reserve = Cycles(3 * Cycles::T),
        &expect![[r#"
        reserve: 3.000 T is less than calls in flight lock up, 3.031 T
          raise it or narrow the lanes: every call in flight locks 42.1 B, and 10 + 50 + 4 lanes + 8 for the tick and the operator may be open at once
    "#]],
    );
}

#[test]
fn warm_pool() {
    check(
        |s| s.warm_pool.minimum = 21,
        &expect![[r#"
        warm_pool.minimum: `minimum` is more than `maximum` (21 > 20)
          lower `minimum` or raise `maximum`
    "#]],
    );
    check(
        |s| s.warm_pool.maximum = 10_001,
        &expect![[r#"
        warm_pool.maximum: 10001 spare canisters
          at most 10000
    "#]],
    );
    check(
        |s| s.warm_pool.floor = Cycles(300 * Cycles::B),
        &expect![[r#"
        warm_pool.floor: 300.000 B is too little for an install
          at least 301.000 B: an install prepays 300 B from the canister, above its freezing limit
    "#]],
    );
    check(
        |s| s.warm_pool.cycles = Cycles(1_500 * Cycles::B),
        &expect![[r#"
        warm_pool.floor: a new canister would not reach the floor of 1.000 T
          keep it below `cycles` less the creation fee: 1.500 T - 500.000 B
    "#]],
    );
    check(
        |s| s.warm_pool.sweep_above = Some(Cycles(4 * Cycles::T)),
        &expect![[r#"
        warm_pool.sweep_above: a new canister would hold more than 4.000 T and be swept at once
          at least `cycles`, 5.000 T; the default is twice that
    "#]],
    );
    check(
        |s| {
            s.warm_pool.target_percent = 91;
            s.warm_pool.release_to = Some(CanisterId(Principal::anonymous()));
            s.warm_pool.first_check = Nanos(1);
            s.warm_pool.watchdog = Nanos::from_secs(30);
            s.warm_pool.schedule = vec![WindowSpec {
                from: Nanos::from_secs(2),
                to: Nanos::from_secs(1),
                every: Nanos(0),
                min: 21,
                desired: 0,
            }];
        },
        &expect![[r#"
            warm_pool.target: 91 % of the fleet spare
              at most 90%
            warm_pool.schedule.0.to: a window that ends before it begins
              set `to` after `from`
            warm_pool.schedule.0: a window that wants more than `maximum`
              lower its numbers or raise `maximum`
            warm_pool.surplus: nobody can use a canister released to this principal
              write "delete", or the principal that gets the surplus
            warm_pool.first_check: the first check of 0.000000001s is out of bounds
              between 1s and 1h
            warm_pool.watchdog: the watchdog of 30s is out of bounds
              between 1m and 24h
        "#]],
    );
}

#[test]
fn sizes() {
    check(
        |s| s.roles[0].init_arg = vec![0; 65_537],
        &expect![[r#"
        roles.worker.init_arg: an init argument of 65537 bytes
          at most 65536
    "#]],
    );
    check(
        |s| {
            s.roles = (0..=ROLES_MAX)
                .map(|n| RoleSpec {
                    name: format!("worker-{n}"),
                    ..s.roles[0].clone()
                })
                .collect();
            s.pools.clear();
        },
        &expect![[r#"
            roles: 101 roles
              at most 100
        "#]],
    );
    check(
        |s| {
            s.pools = (0..1_001)
                .map(|n| PoolSpec {
                    name: format!("workers-{n}"),
                    ..s.pools[0].clone()
                })
                .collect();
        },
        &expect![[r#"
            pools: 1001 pools
              at most 1000
        "#]],
    );
    check(
        |s| {
            s.roles = (0..17)
                .map(|n| RoleSpec {
                    name: format!("worker-{n}"),
                    init_arg: vec![0; 64 * 1024],
                    ..s.roles[0].clone()
                })
                .collect();
            s.pools.clear();
        },
        &expect![[r#"
            roles: init arguments of 1114112 bytes in total
              at most 1048576: a spec travels in one message
        "#]],
    );
}

#[test]
fn drains() {
    check(
        |s| s.roles[0].drain.deadline = Nanos::from_secs(29),
        &expect![[r#"
        pools.workers.valid_for: longer than role `worker` may drain (30s > 29s)
          raise the role's drain deadline: until then callers may still send work
    "#]],
    );
    check(
        |s| s.roles[0].drain.deadline = Nanos::from_secs(86_401),
        &expect![[r#"
        roles.worker.drain.deadline: a drain deadline of 86401s is out of bounds
          between 1s and 24h
    "#]],
    );
    check(
        |s| s.roles[0].drain.method = Some(String::new()),
        &expect![[r#"
        roles.worker.drain.method: a method name of 0 bytes
          1 to 100; leave it out if the worker has none
    "#]],
    );
    check(
        |s| s.pools[0].valid_for = Nanos(0),
        &expect![[r#"
        pools.workers.valid_for: a discovery answer's life of 0s is out of bounds
          between 1s and 10m
    "#]],
    );
    check(
        |s| s.pools[0].disruption_percent = 101,
        &expect![[r#"
            pools.workers.disruption: 101 % of the members
              at most 100 %; at least one member always may
        "#]],
    );
}

#[test]
fn rates() {
    check(
        |s| {
            s.pools[0].scale_up.max_percent = 0;
            s.pools[0].scale_up.max_workers = 0;
        },
        &expect![[r#"
            pools.workers.scale_up: `max_percent` and `max_workers` are both zero: the pool never moves
              raise one of them; the larger counts
        "#]],
    );
    check(
        |s| s.pools[0].scale_up.max_percent = 1_001,
        &expect![[r#"
        pools.workers.scale_up.max_percent: a rate of 1001 %
          at most 1000 %
    "#]],
    );
    check(
        |s| s.pools[0].scale_down.max_workers = 1_001,
        &expect![[r#"
        pools.workers.scale_down.max_workers: a rate of 1001 workers
          at most 1000
    "#]],
    );
    check(
        |s| s.pools[0].scale_down.period = Nanos(500),
        &expect![[r#"
        pools.workers.scale_down.period: a period of 0.000000500s is out of bounds
          between 1s and 24h
    "#]],
    );
    check(
        |s| s.pools[0].scale_down.cooldown = Nanos::MAX,
        &expect![[r#"
        pools.workers.scale_down.cooldown: a cooldown of 18446744073.709551615s is out of bounds
          between 0s and 24h
    "#]],
    );
}

#[test]
fn grants_name_what_there_is_and_numbers_that_make_sense() {
    let grant = GrantSpec {
        role: "worker".to_owned(),
        pool: "workers".to_owned(),
        each: 2,
        all: 5,
        depth: 2,
        under_root: false,
    };
    let mut spec = good();
    spec.grants = vec![grant.clone()];
    assert_eq!(check_spec(&spec), Ok(()));
    check(
        |s| {
            s.grants = vec![grant.clone(), grant.clone(), grant];
            (s.grants[0].each, s.grants[0].depth) = (6, 9);
            (s.grants[2].role, s.grants[2].pool) = ("nobody".to_owned(), "none".to_owned());
        },
        &expect![[r#"
            grants.0.depth: `depth` of 9
              between 1 and 8
            grants.0.all: 5 is less than one parent may have, 6
              raise it, or lower `each`
            grants.1: a second grant of `workers` for role `worker`
              make one of the two
            grants.2.role: there is no role `nobody`
              name a role of this file
            grants.2.pool: there is no pool `none`
              name a pool of this file
        "#]],
    );
}

#[test]
fn everything_wrong_is_said_at_once_in_order_of_the_fields() {
    check(
        |s| {
            s.pools[0].min = 13;
            s.name = String::new();
            s.lanes.install = 0;
        },
        &expect![[r#"
            name: "" is not a name for a fleet
              use 1 to 40 of the letters a-z, digits and -
            lanes.install: a lane of 0
              between 1 and 500: the platform takes 500 calls in flight to one callee
            pools.workers.min: `min` is more than `max` (13 > 12)
              lower `min` or raise `max`
        "#]],
    );
}

#[test]
fn upgrades_have_limits() {
    let upgrade = |failures, days: u64| UpgradeSpec {
        failures,
        wait: Nanos::from_secs(days * 24 * 3_600),
        ..UpgradeSpec::default()
    };
    let mut spec = good();
    spec.roles[0].upgrade = Some(upgrade(1, 7));
    assert_eq!(check_spec(&spec), Ok(()));
    check(
        |s| s.roles[0].upgrade = Some(upgrade(0, 8)),
        &expect![[r#"
            roles.worker.upgrade.failures: no member would ever be upgraded
              at least 1, or leave the section out
            roles.worker.upgrade.wait: leased members would wait for 691200 s
              at most 7d
        "#]],
    );
}
