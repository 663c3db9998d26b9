//! What root loses, on the real wasm: answers, its memory, cycles; and how it gets them back.

use crate::wasm;
use hatchery_api::{Command, CommandAnswer, CommandRequest, InitArg, Recover, RowView};
use hatchery_engine::InstallMode;
use hatchery_engine::faults::{Rule, Verdict};
use hatchery_sim::demo::{FLEET_TOML, read_fleet};
use hatchery_sim::world::{CallError, FleetWorld};
use hatchery_types::{
    CanisterId, Cycles, FleetSpec, Generation, OperationId, Phase, Principal, Reason, Registered,
};

const HALF_SECOND: u64 = 500_000_000;
const TEN_SECONDS: u64 = 10_000_000_000;

/// Root with the demo's fleet, at rest.
fn settled() -> (FleetWorld, FleetSpec) {
    let root_wasm = wasm::load("hatchery_root");
    let mut world = FleetWorld::start(1, Some(wasm::cache()), &root_wasm).expect("root installs");
    let spec = begin(&mut world);
    settle(&mut world, &spec);
    (world, spec)
}

/// Uploads the worker's module and applies the demo's fleet.
fn begin(world: &mut FleetWorld) -> FleetSpec {
    let module = world
        .upload_module(&wasm::load("hatchery_worker"))
        .expect("the module is good");
    let spec = read_fleet(FLEET_TOML, module).expect("the demo's fleet is one");
    world.apply(&spec).expect("the spec is good");
    spec
}

fn settle(world: &mut FleetWorld, spec: &FleetSpec) {
    for _ in 0..600 {
        world.pass(1, HALF_SECOND);
        let rows = world.rows().expect("root answers");
        let count = |phase| rows.iter().filter(|row| row.phase == phase).count();
        let ready = count(Phase::Ready) >= spec.warm_pool.minimum as usize;
        let in_service = count(Phase::InService) >= spec.pools[0].initial as usize;
        if ready && in_service {
            return;
        }
    }
    panic!("the fleet does not settle: {:#?}", world.status());
}

fn command(
    world: &mut FleetWorld,
    name: &str,
    command: Command,
) -> Result<CommandAnswer, CallError> {
    world.command(&CommandRequest {
        operation: OperationId(name.to_owned()),
        command,
    })
}

fn code(result: &Result<CommandAnswer, CallError>) -> Option<u16> {
    let refused = result.as_ref().err()?.refused()?;
    Some(refused.reason.code)
}

fn tenancies(rows: &[RowView]) -> Vec<(CanisterId, Generation)> {
    let members = rows.iter().filter(|row| row.phase == Phase::InService);
    members.map(|row| (row.canister, row.generation)).collect()
}

#[test]
fn l07_a_reinstalled_root_notices_it_and_gets_its_fleet_back() {
    let (mut world, spec) = settled();
    let before = world.census(&spec).expect("root answers");
    let members = tenancies(&world.rows().expect("root answers"));
    let canisters = world.export().expect("an operator may");
    assert_eq!(canisters.len() as u64, before.created);

    let root_wasm = wasm::load("hatchery_root");
    let arg = candid::encode_one(Some(InitArg::default())).expect("encodes");
    let (operator, root) = (world.operator, world.root.0);
    world
        .engine
        .install(operator, root, &root_wasm, arg, InstallMode::Reinstall)
        .expect("the platform allows it");
    begin(&mut world);
    world.pass(120, TEN_SECONDS);
    let status = world.status().expect("it answers");
    let held_back = status.recovery.held_back.expect("it noticed");
    assert_eq!(held_back.code, Reason::Recovering.code());
    assert!(world.rows().expect("it answers").is_empty());
    let count = |world: &FleetWorld| world.engine.canisters().len() as u64;
    assert_eq!(
        count(&world),
        before.created + 1,
        "nothing was bought or deleted"
    );
    let refused = command(&mut world, "no", Command::RequeueFailed { canisters: None });
    assert_eq!(code(&refused), Some(Reason::Recovering.code()));

    let answer = command(
        &mut world,
        "recover",
        Command::Recover(Recover::Canisters { canisters }),
    );
    let Ok(CommandAnswer::Queued(queued)) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(u64::from(queued.added), before.created);
    world.pass(20, HALF_SECOND);
    command(&mut world, "done", Command::Recover(Recover::Done)).expect("all were looked at");
    settle(&mut world, &spec);
    let after = world.census(&spec).expect("root answers");
    assert!(
        after.orphans.is_empty() && after.violations.is_empty(),
        "{after:?}"
    );
    assert_eq!(after.created, before.created, "nothing was bought twice");
    assert_eq!(tenancies(&world.rows().expect("root answers")), members);
}

#[test]
fn l07_a_range_of_ids_finds_the_fleet_without_an_export() {
    let (mut world, spec) = settled();
    let before = world.census(&spec).expect("root answers");
    let root_wasm = wasm::load("hatchery_root");
    let arg = candid::encode_one(Some(InitArg::default())).expect("encodes");
    let (operator, root) = (world.operator, world.root.0);
    world
        .engine
        .install(operator, root, &root_wasm, arg, InstallMode::Reinstall)
        .expect("the platform allows it");
    begin(&mut world);
    world.pass(10, HALF_SECOND);
    let first = world.root;
    let range = Recover::Range { first, ids: 60 };
    command(&mut world, "range", Command::Recover(range)).expect("taken");
    world.pass(120, HALF_SECOND);
    command(&mut world, "done", Command::Recover(Recover::Done)).expect("it is over");
    settle(&mut world, &spec);
    let after = world.census(&spec).expect("root answers");
    assert!(after.orphans.is_empty(), "{after:?}");
    assert_eq!(after.created, before.created);
}

/// The callback of a creation traps: its cleanup flags the creation, and the search finds it.
#[test]
fn p12_l18_a_creation_whose_callback_trapped_is_found() {
    let root_wasm = wasm::load("hatchery_root");
    let mut world = FleetWorld::start(1, Some(wasm::cache()), &root_wasm).expect("root installs");
    let lost = Rule::new(Verdict::TrapCallback)
        .caller(world.root.0)
        .callee(Principal::management_canister())
        .method("create_canister")
        .at_most(2);
    world.engine.faults().add(lost);
    let spec = begin(&mut world);
    world.pass(60, HALF_SECOND);
    let status = world.status().expect("root answers");
    assert_eq!(
        (status.lost_creations, status.recovery.sought_creations),
        (2, 2)
    );
    let rows = world.rows().expect("root answers").len();
    let there = world.engine.canisters().len() - 1;
    assert_eq!(there - rows, 2, "they are there, and root has no rows");

    world.pass(90, TEN_SECONDS);
    let status = world.status().expect("root answers");
    assert_eq!(
        (status.lost_creations, status.recovery.sought_creations),
        (0, 0)
    );
    let census = world.census(&spec).expect("root answers");
    assert!(
        census.orphans.is_empty() && census.violations.is_empty(),
        "{census:?}"
    );
    let wanted = spec.warm_pool.minimum + spec.pools[0].initial;
    assert_eq!(
        census.created,
        u64::from(wanted),
        "nothing was bought twice"
    );
    let spent = u128::from(wanted) * spec.warm_pool.cycles.0;
    assert_eq!(status.ledger.spent, Cycles(spent));
}

#[test]
fn p26_what_a_rich_canister_holds_comes_back() {
    let (mut world, mut spec) = settled();
    let rich = world
        .engine
        .create_canister(world.operator, 100 * Cycles::T);
    let both = vec![world.operator, world.root.0];
    world.engine.set_controllers(rich, both);
    let held = |world: &FleetWorld, id| {
        let view = world.engine.canister(id).expect("it is there");
        view.cycles
    };
    let canisters = vec![CanisterId(rich)];
    command(&mut world, "import", Command::ImportQueued { canisters }).expect("taken");
    world.pass(60, HALF_SECOND);
    let row = |world: &mut FleetWorld, id| {
        let rows = world.rows().expect("root answers");
        rows.into_iter().find(|row| row.canister.0 == id)
    };
    let ready = row(&mut world, rich).expect("managed");
    assert_eq!(ready.phase, Phase::Ready, "{}", ready.reason.text);
    let left = held(&world, rich);
    assert!(
        (4_900 * Cycles::B..=5_200 * Cycles::B).contains(&left),
        "{left}"
    );
    let swept = world.status().expect("root answers").ledger.swept;
    assert!(
        swept.0 > 94 * Cycles::T && swept.0 < 96 * Cycles::T,
        "{swept}"
    );

    spec.warm_pool.maximum = spec.warm_pool.minimum;
    world.apply(&spec).expect("the spec is good");
    world.pass(120, HALF_SECOND);
    let ledger = world.status().expect("root answers").ledger;
    assert!(ledger.swept.0 > swept.0 + 3 * Cycles::T, "{ledger:?}");
    let discarded = ledger.discarded.0;
    assert!(discarded > 0 && discarded < 120 * Cycles::B, "{ledger:?}");
}

/// Ids alone, as from a hub's list.
#[test]
fn recover_takes_bare_ids_at_any_time() {
    let (mut world, _) = settled();
    let stray = world.engine.create_canister(world.root.0, 5 * Cycles::T);
    let canisters = vec![Registered::bare(CanisterId(stray))];
    let recover = Command::Recover(Recover::Canisters { canisters });
    command(&mut world, "stray", recover).expect("taken");
    world.pass(60, HALF_SECOND);
    let rows = world.rows().expect("root answers");
    let row = rows.iter().find(|row| row.canister.0 == stray);
    assert_eq!(row.map(|row| row.phase), Some(Phase::Ready));
}
