//! The real root on the engine: what it refuses, what an upgrade by force leaves, and that the look
//! from outside can fail.

use crate::wasm;
use hatchery_api::{CommandAnswer, CommandRequest, CommitModule, RowView, StageChunk};
use hatchery_core::Event;
use hatchery_sim::demo::{FLEET_TOML, read_fleet};
use hatchery_sim::world::{CallError, FleetWorld, memory, stranger, take_census};
use hatchery_types::{FleetSpec, Generation, ModuleHash, Nanos, OperationId, Phase, Reason};

const HALF_SECOND: u64 = 500_000_000;

/// Root with the demo's fleet, just applied: nothing is there yet.
pub(crate) fn start() -> (FleetWorld, FleetSpec) {
    let root_wasm = wasm::load("hatchery_root");
    let mut world = FleetWorld::start(1, Some(wasm::cache()), &root_wasm).expect("root installs");
    let module = world
        .upload_module(&wasm::load("hatchery_worker"))
        .expect("the module is good");
    let spec = read_fleet(FLEET_TOML, module).expect("the demo's fleet is one");
    world.apply(&spec).expect("the spec is good");
    (world, spec)
}

pub(crate) fn settle(world: &mut FleetWorld, spec: &FleetSpec) {
    for _ in 0..600 {
        world.pass(1, HALF_SECOND);
        let rows = world.rows().expect("root answers");
        let count = |phase| rows.iter().filter(|row| row.phase == phase).count();
        let ready = count(Phase::Ready) >= spec.warm_pool.minimum as usize;
        let in_service = count(Phase::InService) >= spec.pools[0].initial as usize;
        if ready && in_service && world.effects().expect("root answers").is_empty() {
            return;
        }
    }
    panic!("the fleet does not settle: {:#?}", world.status());
}

#[test]
fn a_row_taken_out_is_an_orphan() {
    let (mut world, spec) = start();
    settle(&mut world, &spec);
    let whole = world.census(&spec).expect("root answers");
    assert!(
        whole.orphans.is_empty() && whole.violations.is_empty(),
        "{whole:?}"
    );
    assert_eq!(whole.created, whole.accounted);

    let mut rows = world.rows().expect("root answers");
    let taken = rows.remove(2);
    let census = take_census(&world.truth(), world.root, &spec, &rows, 0);
    assert_eq!(census.orphans, [taken.canister]);
    assert_eq!(census.accounted, whole.created - 1);
}

/// Root's own stable memory is opened natively, a row is deleted there, and root goes on with it.
#[test]
fn a_row_deleted_through_a_back_door_is_an_orphan() {
    let (mut world, spec) = start();
    settle(&mut world, &spec);
    let rows = world.rows().expect("root answers");
    let ready = |row: &&RowView| row.phase == Phase::Ready;
    let taken = rows.iter().find(ready).expect("settled").canister;

    memory::edit(&mut world.engine, world.root, |state| {
        state.apply(Nanos(0), Event::RowRemoved(taken, Reason::Surplus));
    });
    world
        .submit_forced_upgrade(&wasm::load("hatchery_root"))
        .expect("the upgrade is taken in");
    // Past the first check, so that nothing is in flight that could be it.
    world.pass(100, HALF_SECOND);

    let census = world.census(&spec).expect("root answers");
    assert_eq!(census.orphans, [taken]);
    assert_eq!(census.accounted, census.created - 1);
}

#[test]
fn a_canister_that_root_does_not_know_is_an_orphan() {
    let (mut world, spec) = start();
    settle(&mut world, &spec);
    let root = world.root.0;
    let unknown = world.engine.create_canister(root, 5_000_000_000_000);
    let census = world.census(&spec).expect("root answers");
    let orphans: Vec<_> = census.orphans.iter().map(|canister| canister.0).collect();
    assert_eq!(orphans, [unknown]);
}

#[test]
fn a_ready_canister_spoilt_is_a_violation() {
    let (mut world, spec) = start();
    settle(&mut world, &spec);
    let rows = world.rows().expect("root answers");
    let ready = rows
        .iter()
        .find(|row| row.phase == Phase::Ready)
        .expect("settled");
    let spoilt = ready.canister.0;
    world
        .engine
        .set_controllers(spoilt, vec![stranger(), world.root.0]);
    let census = world.census(&spec).expect("root answers");
    assert_eq!(census.violations.len(), 1, "{census:?}");
}

#[test]
fn p02_a_forced_upgrade_with_open_effects_loses_nothing() {
    let (mut world, spec) = start();
    let root_wasm = wasm::load("hatchery_root");
    let mut upgrades = 0;
    for _ in 0..40 {
        world.pass(1, HALF_SECOND);
        if upgrades < 4 && world.effects().expect("root answers").len() >= 3 {
            world.submit_forced_upgrade(&root_wasm).expect("taken in");
            upgrades += 1;
        }
    }
    assert!(upgrades >= 3, "only {upgrades} upgrades found effects open");
    settle(&mut world, &spec);
    let status = world.status().expect("root answers");
    assert_eq!(u64::from(status.incarnation.0), 1 + upgrades);
    assert_eq!(status.lost_creations, 0);
    let census = world.census(&spec).expect("root answers");
    assert!(
        census.orphans.is_empty() && census.violations.is_empty(),
        "{census:?}"
    );
    assert_eq!(census.created, census.accounted);
    let wanted = spec.warm_pool.minimum + spec.pools[0].initial;
    assert_eq!(
        census.created,
        u64::from(wanted),
        "something was bought twice"
    );
}

fn reason_of(result: Result<Generation, CallError>) -> u16 {
    let error = result.expect_err("it must be refused");
    error
        .refused()
        .unwrap_or_else(|| panic!("no typed reason: {error}"))
        .reason
        .code
}

#[test]
fn l19_bad_modules_are_refused_and_nothing_is_installed() {
    let root_wasm = wasm::load("hatchery_root");
    let worker = wasm::load("hatchery_worker");
    let mut world = FleetWorld::start(1, Some(wasm::cache()), &root_wasm).expect("root installs");

    let text = world
        .upload_module(b"this is not wasm")
        .map(|_| Generation(0));
    assert_eq!(reason_of(text), Reason::NotWasm.code());
    let truncated = world
        .upload_module(&worker[..worker.len() - 7])
        .map(|_| Generation(0));
    assert_eq!(reason_of(truncated), Reason::NotWasm.code());
    let other = ModuleHash([7; 32]);
    assert_eq!(
        reason_of(world.upload_as(other, &worker)),
        Reason::HashMismatch.code()
    );
    let late = StageChunk {
        module: other,
        index: 3,
        bytes: worker[..100].to_vec(),
    };
    assert_eq!(
        reason_of(world.stage_chunk(&late)),
        Reason::ChunkOutOfOrder.code()
    );

    let spec = read_fleet(FLEET_TOML, other).expect("the demo's fleet is one");
    // A spec may name a module that is still to come.
    let applied = world.apply(&spec);
    world.pass(60, HALF_SECOND);
    let installed = world
        .truth()
        .into_iter()
        .filter(|canister| canister.canister != world.root && canister.module.is_some());
    assert_eq!(installed.count(), 0, "applied: {applied:?}");
    let status = world.status().expect("root answers");
    assert!(
        status.modules.iter().all(|module| !module.installable),
        "{:?}",
        status.modules
    );
}

#[test]
fn l21_a_stranger_is_rejected_at_every_operator_endpoint() {
    let (mut world, spec) = start();
    let before = world.status().expect("root answers");
    let module = ModuleHash([7; 32]);
    let chunk = StageChunk {
        module,
        index: 0,
        bytes: b"\0asm\x01\0\0\0".to_vec(),
    };
    let command = CommandRequest {
        operation: OperationId("mine".to_owned()),
        command: hatchery_api::Command::Pause { direction: None },
    };
    for sender in [stranger(), candid::Principal::anonymous()] {
        let answers = [
            world
                .update_as::<_, hatchery_api::Answer<Generation>>(sender, "apply_spec", &spec)
                .err(),
            world
                .update_as::<_, hatchery_api::Answer<Generation>>(sender, "stage_chunk", &chunk)
                .err(),
            world
                .update_as::<_, hatchery_api::Answer<Generation>>(
                    sender,
                    "commit_module",
                    &CommitModule { module, chunks: 1 },
                )
                .err(),
            world
                .update_as::<_, hatchery_api::Answer<CommandAnswer>>(sender, "command", &command)
                .err(),
        ];
        for answer in answers {
            assert!(
                matches!(answer, Some(CallError::Rejected { .. })),
                "{sender}: {answer:?}"
            );
        }
    }
    let after = world.status().expect("root answers");
    assert_eq!(
        (after.generation, after.paused, after.modules.len()),
        (before.generation, false, before.modules.len())
    );
}
