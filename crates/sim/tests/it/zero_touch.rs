//! A worker that links none of our code scales: a module written by hand, asked by root for a
//! number, or measured by the platform.

use crate::wasm;
use hatchery_sim::demo::{FLEET_TOML, read_fleet};
use hatchery_sim::world::FleetWorld;
use hatchery_types::{
    CanisterId, DrainSpec, FleetSpec, Nanos, Phase, PoolSpec, PullSpec, RoleSpec, SignalSpec,
    Source,
};

const SECOND: u64 = 1_000_000_000;

/// `load` answers a nat64 in Candid, `set` takes its eight bytes, `grow` takes 4 MiB of memory.
const BY_HAND: &str = r#"
(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_arg_data_copy" (func $argument (param i32 i32 i32)))
  (memory 1)
  (data (i32.const 0) "DIDL\00\01\78\00\00\00\00\00\00\00\00")
  (func (export "canister_query load")
    (call $append (i32.const 0) (i32.const 15))
    (call $reply))
  (func (export "canister_update set")
    (call $argument (i32.const 7) (i32.const 0) (i32.const 8))
    (call $reply))
  (func (export "canister_update grow")
    (drop (memory.grow (i32.const 64)))
    (call $reply)))
"#;

/// A pool of the module written by hand, that follows `signal`.
fn start(signal: SignalSpec) -> (FleetWorld, FleetSpec) {
    let root_wasm = wasm::load("hatchery_root");
    let mut world = FleetWorld::start(1, Some(wasm::cache()), &root_wasm).expect("root installs");
    let by_hand = wat::parse_str(BY_HAND).expect("it is a module");
    let module = world.upload_module(&by_hand).expect("the module is good");
    let mut spec = read_fleet(FLEET_TOML, module).expect("the demo's fleet is one");
    spec.roles = vec![RoleSpec {
        drain: DrainSpec {
            method: None,
            deadline: Nanos::from_secs(10),
        },
        pulls: vec![PullSpec {
            signal: "load".to_owned(),
            method: "load".to_owned(),
            field: None,
            multiply: 1,
            every: Nanos::from_secs(10),
        }],
        ..RoleSpec::new("by-hand", module)
    }];
    let mut pool = PoolSpec::new("workers", "by-hand", 1, 6);
    pool.scale_down.window = Nanos::from_secs(60);
    pool.valid_for = Nanos::from_secs(10);
    if signal.source != Source::Pulled {
        spec.roles[0].pulls.clear();
    }
    pool.signals = vec![signal];
    spec.pools = vec![pool];
    world.apply(&spec).expect("the spec is good");
    world.pass(90, SECOND);
    (world, spec)
}

fn at_work(world: &mut FleetWorld) -> Vec<CanisterId> {
    let rows = world.rows().expect("root answers");
    let at_work = rows.iter().filter(|row| row.phase == Phase::InService);
    at_work.map(|row| row.canister).collect()
}

/// Calls every worker.
fn tell(world: &mut FleetWorld, method: &str, argument: &[u8]) {
    for worker in at_work(world) {
        let answer = world
            .engine
            .update(world.operator, worker.0, method, argument.to_vec());
        answer.expect("it answers");
    }
}

#[test]
fn a_pool_of_a_module_written_by_hand_follows_a_number_that_it_is_asked_for() {
    let (mut world, spec) = start(SignalSpec {
        source: Source::Pulled,
        warm_up: Nanos(0),
        stale_after: Nanos::from_secs(60),
        ..SignalSpec::new("load", 10)
    });
    assert_eq!(at_work(&mut world).len(), 1);
    tell(&mut world, "set", &35_u64.to_le_bytes());
    world.pass(25, SECOND);
    assert_eq!(at_work(&mut world).len(), 4, "35 for one, 10 wanted each");
    tell(&mut world, "set", &3_u64.to_le_bytes());
    world.pass(200, SECOND);
    let left = at_work(&mut world);
    assert!(left.len() < 4, "{left:?} after the load went");
    let census = world.census(&spec).expect("root answers");
    assert!(
        census.orphans.is_empty() && census.violations.is_empty(),
        "{census:?}"
    );
}

#[test]
fn a_pool_of_a_module_written_by_hand_follows_its_memory() {
    let (mut world, _) = start(SignalSpec {
        source: Source::Memory,
        warm_up: Nanos(0),
        stale_after: Nanos::from_secs(60),
        ..SignalSpec::new("memory", 2 << 20)
    });
    assert_eq!(at_work(&mut world).len(), 1);
    tell(&mut world, "grow", b"");
    world.pass(70, SECOND);
    let grown = at_work(&mut world).len();
    assert!((2..=4).contains(&grown), "{grown} workers for 4 MiB in use");
}
