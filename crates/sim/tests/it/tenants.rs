//! What the last tenant left behind does not reach the next one: its settings, its snapshot, the
//! call it never ends.

use crate::wasm;
use candid::{CandidType, Nat, Principal};
use hatchery_api::{Command, CommandRequest};
use hatchery_engine::InstallMode;
use hatchery_sim::demo::{FLEET_TOML, read_fleet};
use hatchery_sim::world::FleetWorld;
use hatchery_types::{
    CanisterId, DrainSpec, ModuleHash, Nanos, OperationId, Phase, PoolSpec, RoleSpec,
};
use serde::Deserialize;

const SECOND: u64 = 1_000_000_000;
const T: u128 = 1_000_000_000_000;

/// `hang` calls itself and, whatever comes back, calls itself again: its call never ends.
const NEVER_ENDS: &str = r#"
(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "canister_self_copy" (func $copy (param i32 i32 i32)))
  (import "ic0" "canister_self_size" (func $size (result i32)))
  (import "ic0" "call_new" (func $new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_perform" (func $perform (result i32)))
  (memory 1)
  (table funcref (elem $again))
  (data (i32.const 0) "echo")
  (func $again (param i32)
    (call $copy (i32.const 16) (i32.const 0) (call $size))
    (call $new (i32.const 16) (call $size) (i32.const 0) (i32.const 4)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (drop (call $perform)))
  (func (export "canister_update hang") (call $again (i32.const 0)))
  (func (export "canister_update echo") (call $reply)))
"#;

#[derive(CandidType)]
struct Settings {
    compute_allocation: Option<Nat>,
    freezing_threshold: Option<Nat>,
    reserved_cycles_limit: Option<Nat>,
    wasm_memory_limit: Option<Nat>,
    log_visibility: Option<Visibility>,
    environment_variables: Option<Vec<Variable>>,
}

#[derive(CandidType, Deserialize)]
enum Visibility {
    #[serde(rename = "public")]
    Public,
}

#[derive(CandidType)]
struct Variable {
    name: String,
    value: String,
}

#[derive(CandidType)]
struct UpdateSettings {
    canister_id: Principal,
    settings: Settings,
}

fn phase_of(world: &mut FleetWorld, canister: CanisterId) -> Option<Phase> {
    let rows = world.rows().expect("root answers");
    let row = rows.iter().find(|row| row.canister == canister);
    row.map(|row| row.phase)
}

fn start(fleet: &str) -> FleetWorld {
    let root_wasm = wasm::load("hatchery_root");
    let mut world = FleetWorld::start(1, Some(wasm::cache()), &root_wasm).expect("root installs");
    let spec = read_fleet(fleet, ModuleHash([0; 32])).expect("the fleet is one");
    world.apply(&spec).expect("the spec is good");
    world
}

#[test]
fn p25_a_used_canister_with_every_setting_changed_comes_out_as_new() {
    let mut world = start("name = \"used\"\n[warm_pool]\nminimum = 0\nmaximum = 9\n");
    let owner = world.operator;
    let used = world.engine.create_canister(owner, 6 * T);
    let module = wat::parse_str(NEVER_ENDS).expect("it is a module");
    let installed = world
        .engine
        .install(owner, used, &module, Vec::new(), InstallMode::Install);
    installed.expect("it installs");
    let changed = UpdateSettings {
        canister_id: used,
        settings: Settings {
            compute_allocation: Some(Nat::from(1_u8)),
            freezing_threshold: Some(Nat::from(86_400_u32)),
            reserved_cycles_limit: Some(Nat::from(1_u8)),
            wasm_memory_limit: Some(Nat::from(1_u32 << 20)),
            log_visibility: Some(Visibility::Public),
            environment_variables: Some(vec![Variable {
                name: "TENANT".to_owned(),
                value: "the last one".to_owned(),
            }]),
        },
    };
    let platform = Principal::management_canister();
    let mut manage = |method, argument: Vec<u8>| {
        let answer = world.engine.update(owner, platform, method, argument);
        answer.expect("a controller may")
    };
    manage(
        "update_settings",
        candid::encode_one(changed).expect("it encodes"),
    );
    world
        .engine
        .set_controllers(used, vec![owner, world.root.0]);

    let import = Command::ImportQueued {
        canisters: vec![CanisterId(used)],
    };
    let operation = OperationId("take".to_owned());
    let request = CommandRequest {
        operation,
        command: import,
    };
    world.command(&request).expect("taken in");
    world.pass(120, SECOND);
    assert_eq!(phase_of(&mut world, CanisterId(used)), Some(Phase::Ready));

    let fresh = world.engine.create_canister(owner, T);
    let of = |id| world.engine.canister(id).expect("it is there");
    let (used, fresh) = (of(used), of(fresh));
    assert_eq!(used.controllers, [world.root.0]);
    assert_eq!(used.environment_variables, fresh.environment_variables);
    assert_eq!(
        (used.module_hash, used.heap_bytes, used.stable_bytes),
        (None, 0, 0)
    );
}

#[test]
fn p22_a_member_whose_call_never_ends_is_recycled_all_the_same() {
    let root_wasm = wasm::load("hatchery_root");
    let mut world = FleetWorld::start(1, Some(wasm::cache()), &root_wasm).expect("root installs");
    let module = wat::parse_str(NEVER_ENDS).expect("it is a module");
    let module = world.upload_module(&module).expect("the module is good");
    let mut spec = read_fleet(FLEET_TOML, module).expect("the demo's fleet is one");
    spec.roles = vec![RoleSpec {
        drain: DrainSpec {
            method: None,
            deadline: Nanos::from_secs(10),
        },
        ..RoleSpec::new("hanging", module)
    }];
    let mut pool = PoolSpec::new("workers", "hanging", 1, 2);
    pool.valid_for = Nanos::from_secs(10);
    spec.pools = vec![pool];
    world.apply(&spec).expect("the spec is good");
    world.pass(60, SECOND);
    let rows = world.rows().expect("root answers");
    let member = rows
        .iter()
        .find(|row| row.phase == Phase::InService)
        .expect("it is at work")
        .canister;
    let caller = world.operator;
    world
        .engine
        .submit(caller, member.0, "hang", Vec::new())
        .expect("it is taken");
    world.pass(3, SECOND);
    let open = |world: &FleetWorld| {
        let seen = world.engine.canister(member.0).expect("it is there");
        seen.open_call_contexts
    };
    assert!(open(&world) > 0, "its call is open");

    let request = CommandRequest {
        operation: OperationId("away".to_owned()),
        command: Command::Recycle { canister: member },
    };
    world.command(&request).expect("it is recycled");
    // valid_for, the drain's deadline, the stop's own limit (five minutes on the platform), a reset
    let mut seen = Vec::new();
    for _ in 0..480 {
        world.pass(1, SECOND);
        let now = phase_of(&mut world, member);
        if seen.last() != Some(&now) {
            seen.push(now);
        }
        if now == Some(Phase::Ready) {
            break;
        }
    }
    assert!(
        seen.contains(&Some(Phase::Stopping)) && seen.last() == Some(&Some(Phase::Ready)),
        "{seen:?}"
    );
    assert_eq!(open(&world), 0, "an uninstall rejects what is open");
    let census = world.census(&spec).expect("root answers");
    assert!(
        census.orphans.is_empty() && census.violations.is_empty(),
        "{census:?}"
    );
}
