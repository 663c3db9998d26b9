//! The example desk on the real root: a member that asks for members of its own by the library's call,
//! and ends them.

use crate::wasm;
use candid::{CandidType, Encode, Principal};
use hatchery_engine::Engine;
use hatchery_sim::demo::{FLEET_TOML, read_fleet};
use hatchery_sim::world::FleetWorld;
use hatchery_types::{CanisterId, DrainSpec, GrantSpec, Nanos, Phase, PoolSpec, RoleSpec};
use serde::Deserialize;

const SECOND: u64 = 1_000_000_000;

#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
enum Standing {
    #[serde(rename = "none")]
    None,
    #[serde(rename = "waiting")]
    Waiting,
    #[serde(rename = "open")]
    Open(Principal),
    #[serde(rename = "closing")]
    Closing(Principal),
    #[serde(rename = "closed")]
    Closed,
    #[serde(rename = "refused")]
    Refused(String, String),
}

/// A fleet with one desk, which may have two tenants; the desk.
fn start() -> (FleetWorld, Principal) {
    let root_wasm = wasm::load("hatchery_root");
    let mut world = FleetWorld::start(1, Some(wasm::cache()), &root_wasm).expect("root installs");
    let desk = world
        .upload_module(&wasm::load("hatchery_desk"))
        .expect("it is good");
    let worker = world
        .upload_module(&wasm::load("hatchery_worker"))
        .expect("it is good");
    let mut spec = read_fleet(FLEET_TOML, worker).expect("the demo's fleet is one");
    spec.roles = vec![
        RoleSpec {
            children_first: true,
            ..RoleSpec::new("desk", desk)
        },
        RoleSpec {
            drain: DrainSpec {
                method: None,
                deadline: Nanos::from_secs(5),
            },
            ..RoleSpec::new("tenant", worker)
        },
    ];
    spec.pools = vec![
        PoolSpec::new("desks", "desk", 1, 1),
        PoolSpec {
            valid_for: Nanos::from_secs(5),
            ..PoolSpec::new("tenants", "tenant", 0, 5)
        },
    ];
    spec.grants = vec![GrantSpec {
        role: "desk".to_owned(),
        pool: "tenants".to_owned(),
        each: 2,
        all: 2,
        depth: 2,
        under_root: false,
    }];
    world.apply(&spec).expect("the spec is good");
    world.pass(60, SECOND);
    let rows = world.rows().expect("root answers");
    let mut desks = rows
        .iter()
        .filter(|row| row.phase == Phase::InService && row.pool.as_deref() == Some("desks"));
    let desk = desks.next().expect("the desk is at work").canister.0;
    (world, desk)
}

fn say(engine: &mut Engine, desk: Principal, method: &str, customer: &str) -> Standing {
    let user = Principal::self_authenticating("a customer");
    let reply = engine.update(user, desk, method, Encode!(&customer).expect("it encodes"));
    candid::decode_one(&reply.expect("the desk answers")).expect("its own shape")
}

#[test]
fn a_desk_opens_a_canister_for_each_customer_and_gives_it_back() {
    let (mut world, desk) = start();
    let mut opened = Vec::new();
    for customer in ["ann", "bob", "eve"] {
        assert_eq!(
            say(&mut world.engine, desk, "open", customer),
            Standing::Waiting
        );
        world.pass(30, SECOND);
        opened.push(say(&mut world.engine, desk, "standing", customer));
    }
    let child = |standing: &Standing| match standing {
        Standing::Open(canister) => CanisterId(*canister),
        other => panic!("not open: {other:?}"),
    };
    let [ann, bob] = [child(&opened[0]), child(&opened[1])];
    assert_ne!(ann, bob);
    let Standing::Refused(reason, _) = &opened[2] else {
        panic!("a third one: {:?}", opened[2]);
    };
    assert_eq!(reason, "grant-used-up");
    let rows = world.rows().expect("root answers");
    for child in [ann, bob] {
        let row = rows
            .iter()
            .find(|row| row.canister == child)
            .expect("it has a row");
        assert_eq!(
            (row.phase, row.parent),
            (Phase::InService, Some(CanisterId(desk)))
        );
    }

    assert_eq!(
        say(&mut world.engine, desk, "close", "ann"),
        Standing::Closing(ann.0)
    );
    world.pass(120, SECOND);
    assert_eq!(
        say(&mut world.engine, desk, "standing", "ann"),
        Standing::Closed
    );
    let rows = world.rows().expect("root answers");
    let row = rows
        .iter()
        .find(|row| row.canister == ann)
        .expect("it has a row");
    assert!(!row.phase.is_member(), "{row:?}");
    let events = world.events(0).expect("root answers");
    let told = events
        .iter()
        .filter(|it| it.operation.as_ref().is_some_and(|id| id.0 == "open-bob"));
    let told: Vec<&str> = told.map(|it| it.reason.name.as_str()).collect();
    assert_eq!(told, ["taken", "answered"], "asked often, told twice");
    assert_eq!(world.root_violations().expect("root answers"), [""; 0]);
}
