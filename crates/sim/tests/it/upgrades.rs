//! A role goes to another module on the real root: to a good one, and to four that are not. Whatever
//! the module does, each member ends at work, on one module, with the memory it had: proved by a
//! counter in heap and stable memory. Meanwhile no more members are away than the budget allows.

use crate::wasm;
use hatchery_sim::demo::{FLEET_TOML, read_fleet};
use hatchery_sim::world::FleetWorld;
use hatchery_types::{
    CanisterId, FleetSpec, HealthSpec, ModuleHash, Nanos, Phase, PoolSpec, RoleSpec, UpgradeSpec,
};
use std::collections::BTreeMap;

const SECOND: u64 = 1_000_000_000;
const MEMBERS: u32 = 4;
/// Of four members one may be away.
const DISRUPTION_PERCENT: u32 = 25;

/// `count` adds one to two counters, in heap and in stable memory, and answers both as bytes.
/// `POST` is what `post_upgrade` does, `HEALTH` what `health` does before it replies; `$restore`
/// brings the counter in the heap back from stable memory, where a word says that all is well.
const COUNTER: &str = r#"
(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "stable64_grow" (func $grow (param i64) (result i64)))
  (import "ic0" "stable64_write" (func $write (param i64 i64 i64)))
  (import "ic0" "stable64_read" (func $read (param i64 i64 i64)))
  (memory 1)
  (table 1 funcref)
  (func $restore (call $read (i64.const 0) (i64.const 0) (i64.const 24)))
  (func $keep (call $write (i64.const 0) (i64.const 0) (i64.const 24)))
  (func (export "canister_init")
    (drop (call $grow (i64.const 1)))
    (i64.store (i32.const 16) (i64.const 777))
    (call $keep))
  (func (export "canister_post_upgrade") POST)
  (func (export "canister_update count")
    (i64.store (i32.const 0) (i64.add (i64.load (i32.const 0)) (i64.const 1)))
    (i64.store (i32.const 8) (i64.add (i64.load (i32.const 8)) (i64.const 1)))
    (call $keep)
    (call $append (i32.const 0) (i32.const 16))
    (call $reply))
  (func (export "canister_query health") HEALTH (call $reply))
  VERSION)
"#;

/// Memory whose word is gone is corrupt.
const CHECKED: &str =
    "(if (i64.ne (i64.load (i32.const 16)) (i64.const 777)) (then (unreachable)))";

fn module(version: &str, post: &str, health: &str) -> Vec<u8> {
    let version = format!("(data (i32.const 1000) \"{version}\")");
    let text = COUNTER
        .replace("POST", post)
        .replace("HEALTH", health)
        .replace("VERSION", &version);
    wat::parse_str(text).expect("it is a module")
}

/// A pool of the counter, each member counted to another number.
struct Site {
    world: FleetWorld,
    spec: FleetSpec,
    first: ModuleHash,
    counts: BTreeMap<CanisterId, u64>,
}

impl Site {
    fn start() -> Site {
        let root_wasm = wasm::load("hatchery_root");
        let world = FleetWorld::start(1, Some(wasm::cache()), &root_wasm);
        let mut world = world.expect("root installs");
        let first = module("one", "(call $restore)", CHECKED);
        let first = world.upload_module(&first).expect("the module is good");
        let mut spec = read_fleet(FLEET_TOML, first).expect("the demo's fleet is one");
        spec.roles = vec![RoleSpec {
            health: Some(HealthSpec {
                method: "health".to_owned(),
                grace: Nanos::from_secs(10),
            }),
            upgrade: Some(UpgradeSpec::default()),
            ..RoleSpec::new("counter", first)
        }];
        spec.pools = vec![PoolSpec {
            disruption_percent: DISRUPTION_PERCENT,
            valid_for: Nanos::from_secs(5),
            ..PoolSpec::new("workers", "counter", MEMBERS, MEMBERS)
        }];
        spec.pools[0].signals.clear();
        world.apply(&spec).expect("the spec is good");
        world.pass(90, SECOND);
        let mut world = Site {
            world,
            spec,
            first,
            counts: BTreeMap::new(),
        };
        let members = world.at_work();
        assert_eq!(members.len(), MEMBERS as usize);
        for (number, member) in members.into_iter().enumerate() {
            for _ in 0..number + 3 {
                world.count(member);
            }
        }
        world
    }

    /// One more on both counters: they agree, and none was lost.
    fn count(&mut self, member: CanisterId) {
        let world = &mut self.world;
        let answer = world
            .engine
            .update(world.operator, member.0, "count", Vec::new());
        let bytes = answer.expect("it counts");
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        let count = self.counts.entry(member).or_default();
        *count += 1;
        assert_eq!(
            (number(&bytes[..8]), number(&bytes[8..])),
            (*count, *count),
            "{member} lost what it counted"
        );
    }

    fn at_work(&mut self) -> Vec<CanisterId> {
        let rows = self.world.rows().expect("root answers");
        let at_work = rows.iter().filter(|row| row.phase == Phase::InService);
        at_work.map(|row| row.canister).collect()
    }

    /// The role goes to `module`; at every second no more are away than the budget allows.
    fn roll_out(&mut self, module: &[u8], seconds: u64) -> ModuleHash {
        let hash = self.world.upload_module(module).expect("it is stored");
        self.spec.roles[0].module = hash;
        self.world.apply(&self.spec).expect("the spec is good");
        self.pass(seconds);
        hash
    }

    fn pass(&mut self, seconds: u64) {
        for second in 0..seconds {
            self.world.pass(1, SECOND);
            let at_work = self.at_work().len();
            assert!(
                at_work + 1 >= MEMBERS as usize,
                "{at_work} at second {second}"
            );
        }
    }

    fn says(&mut self, reason: &str) -> bool {
        let plan = self.world.plan("workers").expect("root answers");
        plan.reasons.iter().any(|it| it.name == reason)
    }

    /// What happened to members, for whom a test fails.
    fn story(&mut self) -> String {
        let events = self.world.events(0).expect("root answers");
        let lines = events.iter().map(|it| {
            let seconds = it.at.0 / SECOND % 100_000;
            format!(
                "{seconds} {:?} {:?} {}\n",
                it.canister, it.phase, it.reason.text
            )
        });
        lines.collect()
    }

    /// All at work, on that module, with all they counted, and nothing left behind.
    fn expect_all_on(&mut self, module: ModuleHash) {
        let members = self.at_work();
        let story = self.story();
        assert_eq!(members.len(), MEMBERS as usize, "{story}");
        for member in members {
            let view = self.world.engine.canister(member.0).expect("it is there");
            assert_eq!(view.module_hash.map(ModuleHash), Some(module), "{member}");
            assert_eq!(view.snapshot_bytes, 0, "{member} has a snapshot left");
            self.count(member);
        }
        let census = self.world.census(&self.spec).expect("root answers");
        assert!(census.violations.is_empty(), "{census:?}");
        let wrong = self.world.root_violations().expect("root answers");
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    /// Nobody takes a bad module: two members tried it, and no third.
    fn expect_stopped(&mut self) {
        let first = self.first;
        self.expect_all_on(first);
        assert!(self.says("upgrade-stopped"));
        let events = self.world.events(0).expect("root answers");
        let began = events
            .iter()
            .filter(|it| it.phase == Some(Phase::Upgrading));
        let back = events.iter().filter(|it| it.reason.name == "rolled-back");
        assert!(began.count() >= 2);
        assert_eq!(back.count(), 2, "two members were brought back");
    }
}

#[test]
fn a_good_module_reaches_every_member_and_each_keeps_its_memory() {
    let mut world = Site::start();
    let second = module("two", "(call $restore)", CHECKED);
    let second = world.roll_out(&second, 120);
    world.expect_all_on(second);
    let status = world.world.status().expect("root answers");
    let rollout = status.pools[0].rollout.clone().expect("there was one");
    assert_eq!((rollout.done, rollout.failures, rollout.left), (4, 0, 0));
}

#[test]
fn a_module_that_traps_in_post_upgrade_is_not_taken() {
    let mut world = Site::start();
    world.roll_out(&module("two", "(unreachable)", CHECKED), 120);
    world.expect_stopped();
}

#[test]
fn a_module_that_fails_its_health_check_is_taken_back() {
    let mut world = Site::start();
    world.roll_out(&module("two", "(call $restore)", "(unreachable)"), 180);
    world.expect_stopped();
}

#[test]
fn a_module_that_burns_all_instructions_is_not_taken() {
    // Each of these costs a hundred instructions and next to no time.
    let costly = "(drop (table.size 0))".repeat(2_000);
    let burn = format!("(loop $again {costly} (br $again))");
    let mut world = Site::start();
    // 300 billion instructions take the platform some 700 rounds, and two members try.
    world.roll_out(&module("two", &burn, CHECKED), 1_600);
    world.expect_stopped();
}

#[test]
fn a_module_that_corrupts_its_memory_is_taken_back_with_the_memory() {
    let corrupt = "(memory.fill (i32.const 0) (i32.const 255) (i32.const 24)) (call $keep)";
    let mut world = Site::start();
    world.roll_out(&module("two", corrupt, CHECKED), 180);
    world.expect_stopped();
}

#[test]
fn a_stopped_rollout_goes_on_with_a_mended_module() {
    let mut world = Site::start();
    world.roll_out(&module("two", "(unreachable)", CHECKED), 120);
    world.expect_stopped();
    let third = module("three", "(call $restore)", CHECKED);
    let third = world.roll_out(&third, 120);
    world.expect_all_on(third);
}

#[test]
fn root_is_upgraded_by_force_in_the_middle_of_upgrades_and_no_member_is_lost() {
    let root_wasm = wasm::load("hatchery_root");
    for after in [7, 8, 9, 10, 11, 12] {
        let mut world = Site::start();
        let second = module("two", "(call $restore)", CHECKED);
        let second = world.roll_out(&second, after);
        let upgrade = world.world.submit_forced_upgrade(&root_wasm);
        upgrade.expect("it is taken in");
        world.pass(300);
        world.expect_all_on(second);
    }
}
