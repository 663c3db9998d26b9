//! The warm pool on the real root: what a command may cost, and what a reset removes.

use crate::wasm;
use hatchery_api::{Command, CommandAnswer, CommandRequest};
use hatchery_engine::trace::Event;
use hatchery_sim::demo::read_fleet;
use hatchery_sim::world::{FleetWorld, stranger};
use hatchery_types::{CanisterId, FleetSpec, ModuleHash, OperationId, Phase};
use std::cell::RefCell;
use std::rc::Rc;

const HALF_SECOND: u64 = 500_000_000;
const T: u128 = 1_000_000_000_000;
/// What one message may use (issue of the warm pool: "What must hold").
const INSTRUCTIONS_MAX: u64 = 2_000_000_000;

const FLEET: &str = r#"
name = "imports"
[warm_pool]
minimum = 0
maximum = 2000
"#;

/// Root with an empty warm pool, and with so many canisters beside it that it controls.
fn start(canisters: usize) -> (FleetWorld, FleetSpec, Vec<CanisterId>) {
    let root_wasm = wasm::load("hatchery_root");
    let mut world = FleetWorld::start(1, Some(wasm::cache()), &root_wasm).expect("root installs");
    let spec = read_fleet(FLEET, ModuleHash([0; 32])).expect("the fleet is one");
    world.apply(&spec).expect("the spec is good");
    world.pass(10, HALF_SECOND);
    let root = world.root.0;
    let create = |_| CanisterId(world.engine.create_canister(root, 5 * T));
    let all = (0..canisters).map(create).collect();
    (world, spec, all)
}

fn import(canisters: Vec<CanisterId>) -> CommandRequest {
    CommandRequest {
        operation: OperationId("import".to_owned()),
        command: Command::ImportQueued { canisters },
    }
}

fn ready(world: &mut FleetWorld) -> usize {
    let rows = world.rows().expect("root answers");
    rows.iter().filter(|row| row.phase == Phase::Ready).count()
}

#[test]
fn p10_p23_a_long_import_is_answered_at_once_and_no_message_is_heavy() {
    let (mut world, _, all) = start(300);
    let heaviest = Rc::<RefCell<u64>>::default();
    let told = heaviest.clone();
    let root = world.root.0;
    world.engine.trace_stream(Box::new(move |event| {
        if let Event::Executed {
            canister,
            instructions,
            ..
        } = &event.event
            && *canister == root
        {
            let mut most = told.borrow_mut();
            *most = (*most).max(*instructions);
        }
    }));
    let answer = world.command(&import(all.clone())).expect("taken in");
    let CommandAnswer::Queued(counted) = answer else {
        panic!("not counted: {answer:?}")
    };
    assert_eq!((counted.added, counted.total), (300, 300));
    assert!(
        ready(&mut world) < 300,
        "it is answered before they are reset"
    );
    world.pass(60, HALF_SECOND);
    assert_eq!(ready(&mut world), 300);
    assert!(*heaviest.borrow() < INSTRUCTIONS_MAX, "{heaviest:?}");
}

#[test]
fn p17_p25_a_reset_leaves_neither_other_controllers_nor_settings() {
    let (mut world, spec, all) = start(2);
    let (theirs, shared) = (all[0].0, all[1].0);
    let root = world.root.0;
    world.engine.set_controllers(theirs, vec![stranger()]);
    world.engine.set_controllers(shared, vec![stranger(), root]);
    world.command(&import(all.clone())).expect("taken in");
    world.pass(40, HALF_SECOND);
    let rows = world.rows().expect("root answers");
    let phase = |id| {
        rows.iter()
            .find(|row| row.canister.0 == id)
            .map(|row| row.phase)
    };
    assert_eq!(phase(theirs), Some(Phase::Failed), "refused untouched");
    assert_eq!(phase(shared), Some(Phase::Ready));
    let truth = world.truth();
    let of = |id| truth.iter().find(|it| it.canister.0 == id).expect("there");
    assert_eq!(of(theirs).controllers, [stranger()]);
    assert!(!of(shared).controllers.contains(&stranger()));
    let census = world.census(&spec).expect("root answers");
    assert!(census.violations.is_empty(), "{census:?}");
}
