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
use ic_management_canister_types::{
    CanisterIdRecord, CanisterSettings, CanisterStatusResult, DefiniteCanisterSettings,
    EnvironmentVariable, LogVisibility, MemoryMetrics, SnapshotVisibility, StatusVisibility,
    TakeCanisterSnapshotArgs, UpdateSettingsArgs, UploadChunkArgs,
};

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

/// Every setting that the platform has, at another value than a new canister's.
fn all_changed() -> CanisterSettings {
    let viewers = || vec![Principal::anonymous()];
    // No `..Default::default()`: a setting that the platform adds is missed here.
    CanisterSettings {
        controllers: None,
        compute_allocation: Some(Nat::from(1_u8)),
        memory_allocation: Some(Nat::from(16_u32 << 20)),
        freezing_threshold: Some(Nat::from(86_400_u32)),
        reserved_cycles_limit: Some(Nat::from(1_u8)),
        minimum_incoming_canister_call_cycles: Some(Nat::from(7_u8)),
        log_visibility: Some(LogVisibility::Public),
        log_memory_limit: Some(Nat::from(8_192_u16)),
        snapshot_visibility: Some(SnapshotVisibility::AllowedViewers(viewers())),
        status_visibility: Some(StatusVisibility::AllowedViewers(viewers())),
        wasm_memory_limit: Some(Nat::from(1_u32 << 20)),
        wasm_memory_threshold: Some(Nat::from(1_u32 << 16)),
        environment_variables: Some(vec![EnvironmentVariable {
            name: "TENANT".to_owned(),
            value: "the last one".to_owned(),
        }]),
    }
}

/// Each setting by its name, as text.
fn by_name(settings: &DefiniteCanisterSettings) -> Vec<(&'static str, String)> {
    let DefiniteCanisterSettings {
        controllers,
        compute_allocation,
        memory_allocation,
        freezing_threshold,
        reserved_cycles_limit,
        minimum_incoming_canister_call_cycles,
        log_visibility,
        log_memory_limit,
        snapshot_visibility,
        status_visibility,
        wasm_memory_limit,
        wasm_memory_threshold,
        environment_variables,
    } = settings;
    vec![
        ("controllers", format!("{controllers:?}")),
        ("compute allocation", compute_allocation.to_string()),
        ("memory allocation", memory_allocation.to_string()),
        ("freezing threshold", freezing_threshold.to_string()),
        ("reserved cycles limit", reserved_cycles_limit.to_string()),
        (
            "minimum incoming cycles",
            minimum_incoming_canister_call_cycles.to_string(),
        ),
        ("log visibility", format!("{log_visibility:?}")),
        ("log memory limit", log_memory_limit.to_string()),
        ("snapshot visibility", format!("{snapshot_visibility:?}")),
        ("status visibility", format!("{status_visibility:?}")),
        ("memory limit", wasm_memory_limit.to_string()),
        ("memory threshold", wasm_memory_threshold.to_string()),
        ("environment", format!("{environment_variables:?}")),
    ]
}

/// A call of the management canister that must go well.
fn manage<A: CandidType>(world: &mut FleetWorld, by: Principal, method: &str, arg: &A) -> Vec<u8> {
    let argument = candid::encode_one(arg).expect("it encodes");
    let platform = Principal::management_canister();
    let answer = world.engine.update(by, platform, method, argument);
    answer.unwrap_or_else(|reject| panic!("{method}: {reject}"))
}

fn status_of(
    world: &mut FleetWorld,
    by: Principal,
    canister_id: Principal,
) -> CanisterStatusResult {
    let about = CanisterIdRecord { canister_id };
    let status = manage(world, by, "canister_status", &about);
    candid::decode_one(&status).expect("a status")
}

/// A canister that somebody has used, with all that a tenant can leave behind.
fn used(world: &mut FleetWorld) -> Principal {
    let owner = world.operator;
    let used = world.engine.create_canister(owner, 6 * T);
    let module = wat::parse_str(NEVER_ENDS).expect("it is a module");
    let mode = InstallMode::Install;
    let installed = world.engine.install(owner, used, &module, Vec::new(), mode);
    installed.expect("it installs");
    let chunk = UploadChunkArgs {
        canister_id: used,
        chunk: b"left behind".to_vec(),
    };
    manage(world, owner, "upload_chunk", &chunk);
    let snapshot = TakeCanisterSnapshotArgs {
        canister_id: used,
        replace_snapshot: None,
        uninstall_code: None,
        sender_canister_version: None,
    };
    manage(world, owner, "take_canister_snapshot", &snapshot);
    let changed = UpdateSettingsArgs {
        canister_id: used,
        settings: all_changed(),
        sender_canister_version: None,
    };
    manage(world, owner, "update_settings", &changed);
    used
}

#[test]
fn p25_a_used_canister_with_every_setting_changed_comes_out_as_new() {
    let mut world = start("name = \"used\"\n[warm_pool]\nminimum = 0\nmaximum = 9\n");
    let (owner, root) = (world.operator, world.root.0);
    let used = used(&mut world);
    let fresh = world.engine.create_canister(root, T);
    let new = status_of(&mut world, root, fresh);
    let old = status_of(&mut world, owner, used);
    for (old, new) in by_name(&old.settings).iter().zip(by_name(&new.settings)) {
        assert_ne!(*old, new, "the last tenant changed each");
    }
    assert!(old.memory_metrics.snapshots_size > 0_u8);
    assert!(old.memory_metrics.wasm_chunk_store_size > 0_u8);

    world.engine.set_controllers(used, vec![owner, root]);
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

    let seen = status_of(&mut world, root, used);
    assert_eq!(by_name(&seen.settings), by_name(&new.settings));
    // What a life leaves that nobody can take away: its history and what was paid.
    let history = &seen.memory_metrics.canister_history_size;
    let as_if_old = CanisterStatusResult {
        version: seen.version,
        memory_size: new.memory_size.clone() + history.clone()
            - new.memory_metrics.canister_history_size.clone(),
        memory_metrics: MemoryMetrics {
            canister_history_size: history.clone(),
            ..new.memory_metrics.clone()
        },
        cycles: seen.cycles.clone(),
        idle_cycles_burned_per_day: seen.idle_cycles_burned_per_day.clone(),
        ..new
    };
    assert_eq!(seen, as_if_old);
}

/// A canister with code and some cycles, all of which its settings keep for its memory.
fn frozen(world: &mut FleetWorld) -> Principal {
    let owner = world.operator;
    let frozen = world.engine.create_canister(owner, 400 * T / 1_000);
    let module = wat::parse_str(NEVER_ENDS).expect("it is a module");
    let mode = InstallMode::Install;
    let installed = world
        .engine
        .install(owner, frozen, &module, Vec::new(), mode);
    installed.expect("it installs");
    let ages = CanisterSettings {
        freezing_threshold: Some(Nat::from(10_000_000_000_000_u64)),
        ..CanisterSettings::default()
    };
    let changed = UpdateSettingsArgs {
        canister_id: frozen,
        settings: ages,
        sender_canister_version: None,
    };
    manage(world, owner, "update_settings", &changed);
    let called = world.engine.update(owner, frozen, "echo", Vec::new());
    let reject = called.expect_err("it does nothing any more").to_string();
    assert!(reject.contains("out of cycles"), "{reject}");
    frozen
}

#[test]
fn p20_a_frozen_canister_is_topped_up_within_the_budget_or_failed_with_that_reason() {
    let pool = "name = \"poor\"\n[warm_pool]\nminimum = 0\nmaximum = 9\nfloor = \"1T\"\n";
    let fed = "[top_up]\nbelow = \"1T\"\nto = \"2T\"\neach = \"5T\"\nall = \"100T\"\n";
    for (fleet, ends) in [
        (format!("{pool}{fed}"), (Phase::Ready, "verified-empty")),
        (pool.to_owned(), (Phase::Failed, "below-floor")),
    ] {
        let mut world = start(&fleet);
        let frozen = frozen(&mut world);
        let root = world.root.0;
        world.engine.set_controllers(frozen, vec![root]);
        let request = CommandRequest {
            operation: OperationId("take".to_owned()),
            command: Command::ImportQueued {
                canisters: vec![CanisterId(frozen)],
            },
        };
        world.command(&request).expect("taken in");
        world.pass(120, SECOND);
        let rows = world.rows().expect("root answers");
        let [row] = &rows[..] else {
            panic!("not one row: {rows:?}")
        };
        assert_eq!((row.phase, row.reason.name.as_str()), ends);
        let seen = world.engine.canister(frozen).expect("it is there");
        assert_eq!(seen.module_hash, None, "emptied all the same");
        assert_eq!(seen.cycles >= T, ends.0 == Phase::Ready, "{}", seen.cycles);
        assert!(seen.cycles <= 2 * T, "no more than the budget says");
    }
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
