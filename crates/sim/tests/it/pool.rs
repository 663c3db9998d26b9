//! The warm pool on the real root: what a command may cost, and what a reset removes.

use crate::wasm;
use candid::Principal;
use hatchery_api::{Answer, Command, CommandAnswer, CommandRequest, PoolListPage, PoolListRequest};
use hatchery_engine::trace::Event;
use hatchery_engine::{InstallMode, Reject};
use hatchery_sim::demo::read_fleet;
use hatchery_sim::world::memory::nobody;
use hatchery_sim::world::{FleetWorld, relay, stranger};
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

/// Root's heaviest message from now on.
fn heaviest(world: &mut FleetWorld) -> Rc<RefCell<u64>> {
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
    heaviest
}

#[test]
fn p10_p23_a_long_import_is_answered_at_once_and_no_message_is_heavy() {
    let (mut world, _, all) = start(300);
    let heaviest = heaviest(&mut world);
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

/// A canister that is a controller of root.
fn desk(world: &mut FleetWorld) -> Principal {
    let (root, operator) = (world.root.0, world.operator);
    let engine = &mut world.engine;
    let desk = engine.create_canister(operator, 10 * T);
    let mode = InstallMode::Install;
    let installed = engine.install(operator, desk, &relay::module(), Vec::new(), mode);
    installed.expect("it installs");
    engine.set_controllers(root, vec![operator, desk]);
    desk
}

/// Ids of canisters that there are not, from a place of their own.
fn nobodies(count: u64) -> Vec<CanisterId> {
    (0..count).map(nobody).collect()
}

#[test]
fn p10_an_import_of_ten_thousand_in_one_call_is_refused_by_a_limit_that_is_named() {
    let (mut world, ..) = start(0);
    let most = heaviest(&mut world);
    let before = world.status().expect("root answers");
    let refused = world.command(&import(nobodies(10_000)));
    let refused = refused.expect_err("too many");
    let typed = refused.refused().expect("a typed refusal");
    assert_eq!(typed.reason.name, "over-limit");
    assert_eq!(
        typed.detail,
        "at most 1000 canisters a command; send several"
    );
    assert!(*most.borrow() < INSTRUCTIONS_MAX, "{most:?}");
    // The same from a canister that is a controller of root.
    let root = world.root.0;
    let desk = desk(&mut world);
    let argument = candid::encode_one(import(nobodies(10_000))).expect("it encodes");
    assert!(argument.len() > 100_000);
    let answer = relay::call(&mut world.engine, desk, root, "command", &argument);
    let answer: Answer<CommandAnswer> =
        candid::decode_one(&answer.expect("it is heard")).expect("an answer");
    let refused = answer.expect_err("too many");
    assert_eq!(refused.reason.name, "over-limit");
    let after = world.status().expect("root answers");
    assert_eq!(
        (before.phases, before.effects),
        (after.phases, after.effects)
    );
    assert!(world.rows().expect("root answers").is_empty());
}

#[test]
fn an_argument_beyond_root_is_told_how_long_it_may_be() {
    let (mut world, ..) = start(0);
    let (root, operator) = (world.root.0, world.operator);
    let oversized = vec![0; 256 * 1024 + 1];
    let limit = "`command` takes 262144 bytes; send it in parts";
    let said = |answer: Result<Vec<u8>, Reject>| answer.expect_err("too long").to_string();
    let engine = &mut world.engine;
    let at_the_door = said(engine.update(operator, root, "command", oversized.clone()));
    assert!(at_the_door.contains(limit), "{at_the_door}");
    let desk = desk(&mut world);
    let inside = relay::call(&mut world.engine, desk, root, "command", &oversized);
    let inside = inside.expect_err("too long");
    assert!(inside.contains(limit), "{inside}");
    // A stranger hears nothing.
    let outside = world.engine.update(stranger(), root, "command", oversized);
    let outside = said(outside);
    assert!(!outside.contains("262144"), "{outside}");
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

#[test]
fn an_entry_says_when_it_came_what_it_holds_and_whose_it_was() {
    let (mut world, spec) = crate::world::start();
    crate::world::settle(&mut world, &spec);
    let rows = world.rows().expect("root answers");
    let member = rows.iter().find(|row| row.phase == Phase::InService);
    let member = member.expect("it is at work").clone();
    let recycle = CommandRequest {
        operation: OperationId("back".to_owned()),
        command: Command::Recycle {
            canister: member.canister,
        },
    };
    world.command(&recycle).expect("taken");
    let root = world.root;
    for _ in 0..240 {
        world.pass(1, HALF_SECOND);
        let request = PoolListRequest {
            phase: Some(Phase::Ready),
            ..PoolListRequest::default()
        };
        let page: PoolListPage = world
            .update_as(world.operator, "pool_list", &request)
            .expect("root answers");
        let Some(entry) = page.rows.iter().find(|row| row.canister == member.canister) else {
            continue;
        };
        let seen = world.engine.canister(member.canister.0).expect("there");
        assert!(entry.cycles.expect("it was read").0 <= seen.cycles);
        assert!(entry.cycles_at.expect("and when") > member.since);
        assert_eq!(entry.created_at, member.created_at);
        assert_eq!(entry.role.as_deref(), Some("worker"));
        assert_eq!(entry.module, Some(spec.roles[0].module));
        assert_eq!(
            (entry.pool.as_deref(), entry.parent),
            (Some("workers"), Some(root))
        );
        assert_eq!(seen.module_hash, None, "what it says is of its past");
        return;
    }
    panic!("it is not ready: {:?}", world.rows());
}
