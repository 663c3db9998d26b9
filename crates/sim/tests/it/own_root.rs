//! `examples/own_root` on the engine: an application and the control plane in one canister.

use crate::wasm;
use candid::{Decode, Encode};
use hatchery_engine::InstallMode;
use hatchery_sim::demo::{FLEET_TOML, read_fleet};
use hatchery_sim::world::{FleetWorld, stranger};
use hatchery_types::Phase;

const SECOND: u64 = 1_000_000_000;

fn shipped(world: &mut FleetWorld) -> (u64, Option<Vec<u8>>) {
    let nothing = Encode!(&()).expect("encodes");
    let root = world.root.0;
    let reply = world.ask(stranger(), root, "shipped", nothing);
    Decode!(
        &reply.expect("the application answers"),
        u64,
        Option<Vec<u8>>
    )
    .expect("decodes")
}

#[test]
fn an_application_and_its_fleet_share_a_canister_over_an_upgrade() {
    let module = wasm::load("hatchery_own_root");
    let mut world = FleetWorld::start(1, Some(wasm::cache()), &module).expect("it installs");
    let worker = world
        .upload_module(&wasm::load("hatchery_worker"))
        .expect("the module is good");
    let spec = read_fleet(FLEET_TOML, worker).expect("the demo's fleet is one");
    world.apply(&spec).expect("the spec is good");
    for (number, item) in ["a book", "a lamp"].into_iter().enumerate() {
        let taken: u64 = world
            .update_as(stranger(), "order", &item.to_owned())
            .expect("customers are no operators");
        assert_eq!(taken, number as u64);
    }
    world.pass(60, SECOND);
    let in_service = |world: &mut FleetWorld| {
        let rows = world.rows().expect("root answers");
        let rows = rows.into_iter();
        rows.filter(|row| row.phase == Phase::InService).count()
    };
    assert_eq!(in_service(&mut world), spec.pools[0].initial as usize);
    let (count, certificate) = shipped(&mut world);
    assert_eq!(count, 2);
    assert!(certificate.is_some(), "what was shipped is certified");

    world
        .engine
        .install(
            world.operator,
            world.root.0,
            &module,
            Vec::new(),
            InstallMode::Upgrade {
                skip_pre_upgrade: false,
            },
        )
        .expect("nothing is open");
    let taken: u64 = world
        .update_as(stranger(), "order", &"a chair".to_owned())
        .expect("it goes on");
    assert_eq!(taken, 2);
    world.pass(30, SECOND);
    assert_eq!(shipped(&mut world).0, 3);
    assert!(in_service(&mut world) >= spec.pools[0].min as usize);
    assert_eq!(world.root_violations().expect("root answers"), [""; 0]);
}
