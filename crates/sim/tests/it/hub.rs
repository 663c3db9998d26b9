//! The example hub on the real root: it owns a pool, knows its workers by root's answers alone, and
//! spreads its jobs over them.

use crate::wasm;
use candid::{CandidType, Principal};
use hatchery_engine::InstallMode;
use hatchery_sim::demo::{FLEET_TOML, read_fleet};
use hatchery_sim::world::FleetWorld;
use hatchery_types::{CanisterId, Cycles, FleetSpec, Nanos, ParentSpec, Phase, Scope, SignalSpec};
use serde::Deserialize;
use serde_bytes::ByteBuf;
use std::collections::BTreeSet;

const SECOND: u64 = 1_000_000_000;

#[derive(CandidType)]
struct HubArg {
    root: Principal,
}

#[derive(CandidType)]
struct Job {
    id: String,
    document: ByteBuf,
    times: u32,
}

#[derive(Debug, CandidType, Deserialize)]
enum Submitted {
    #[serde(rename = "given")]
    Given(Principal),
    #[serde(rename = "busy")]
    Busy,
}

/// Root with a pool of two workers and more that belongs to a hub.
fn start() -> (FleetWorld, FleetSpec, Principal) {
    let root_wasm = wasm::load("hatchery_root");
    let mut world = FleetWorld::start(1, Some(wasm::cache()), &root_wasm).expect("root installs");
    let hub = world
        .engine
        .create_canister(world.operator, 100 * Cycles::T);
    let arg = candid::encode_one(HubArg { root: world.root.0 }).expect("it encodes");
    let module = wasm::load("hatchery_hub");
    let installed = world
        .engine
        .install(world.operator, hub, &module, arg, InstallMode::Install);
    installed.expect("the hub installs");
    let module = world
        .upload_module(&wasm::load("hatchery_worker"))
        .expect("the module is good");
    let mut spec = read_fleet(FLEET_TOML, module).expect("the demo's fleet is one");
    let pool = &mut spec.pools[0];
    (pool.min, pool.initial, pool.max) = (2, 2, 6);
    pool.parent = Some(ParentSpec::Canister(CanisterId(hub)));
    pool.scale_down.window = Nanos::from_secs(60);
    pool.signals = vec![SignalSpec {
        scope: Scope::Pool,
        stale_after: Nanos::from_secs(60),
        ..SignalSpec::new("jobs", 5)
    }];
    world.apply(&spec).expect("the spec is good");
    world.pass(60, SECOND);
    (world, spec, hub)
}

fn known_to_hub(world: &mut FleetWorld, hub: Principal) -> Vec<(Principal, u64)> {
    let nothing = candid::encode_args(()).expect("it encodes");
    let answer = world.ask(world.operator, hub, "workers", nothing);
    candid::decode_one(&answer.expect("the hub answers")).expect("its own shape")
}

fn at_work(world: &mut FleetWorld) -> BTreeSet<Principal> {
    let rows = world.rows().expect("root answers");
    let at_work = rows.iter().filter(|row| row.phase == Phase::InService);
    at_work.map(|row| row.canister.0).collect()
}

fn submit(world: &mut FleetWorld, hub: Principal, number: u32) -> Submitted {
    let job = Job {
        id: format!("job {number}"),
        document: ByteBuf::from(vec![number as u8; 100]),
        times: 10,
    };
    let arg = candid::encode_one(job).expect("it encodes");
    let answer = world.engine.update(world.operator, hub, "submit", arg);
    candid::decode_one(&answer.expect("the hub answers")).expect("its own shape")
}

#[test]
fn a_hub_knows_its_workers_spreads_its_jobs_and_its_pool_follows_them() {
    let (mut world, _, hub) = start();
    let known: BTreeSet<Principal> = known_to_hub(&mut world, hub)
        .iter()
        .map(|it| it.0)
        .collect();
    assert_eq!(known.len(), 2);
    assert_eq!(known, at_work(&mut world), "by the answers to its reports");

    let mut given = BTreeSet::new();
    let mut number = 0;
    for _ in 0..6 {
        for _ in 0..12 {
            number += 1;
            match submit(&mut world, hub, number) {
                Submitted::Given(worker) => given.insert(worker),
                Submitted::Busy => panic!("job {number} found no worker"),
            };
        }
        world.pass(5, SECOND);
    }
    assert!(at_work(&mut world).len() > 2, "the pool grew with the jobs");
    world.pass(15, SECOND);
    let known = known_to_hub(&mut world, hub);
    let ids: BTreeSet<Principal> = known.iter().map(|it| it.0).collect();
    assert_eq!(ids, at_work(&mut world), "new ones and gone ones are known");
    assert!(given.len() >= 3, "{given:?}");
    let (least, most) = known
        .iter()
        .fold((u64::MAX, 0), |(least, most), (_, jobs)| {
            (least.min(*jobs), most.max(*jobs))
        });
    assert!(most <= least.max(1) * 12, "spread: {known:?}");

    world.pass(240, SECOND);
    assert_eq!(
        at_work(&mut world).len(),
        2,
        "without jobs the pool shrinks"
    );
    let known: BTreeSet<Principal> = known_to_hub(&mut world, hub)
        .iter()
        .map(|it| it.0)
        .collect();
    assert_eq!(known, at_work(&mut world), "and the hub knows who is left");
}
