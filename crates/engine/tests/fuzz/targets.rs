//! What the engine does with any bytes: as a module, as Candid for the management canister, as a
//! message, as a saved world. Each target ends in time, in bounded memory and without a panic, and
//! leaves the cycles of its world balanced. Who brings the bytes, libFuzzer or the mutator of
//! `cargo test`, is not decided here.

use std::cell::RefCell;

use hatchery_engine::machine::{Keep, Machine};
use hatchery_engine::message::{
    CanisterContext, Entry, Message, Mode, Prices, QueueRoom, SubnetContext,
};
use hatchery_engine::{Config, Engine, InstallMode, Principal, World};

/// Instructions for each entry of a module under test.
const INSTRUCTIONS: u64 = 2_000_000;
/// Entries run of one module.
const METHODS: usize = 4;
/// Operations a program may take in all, so that no input is long.
const STEPS: usize = 2_000;
const MANAGEMENT: Principal = Principal::management_canister();

/// Methods of the management canister, then what is none.
pub(crate) const METHOD_NAMES: [&str; 40] = [
    "create_canister",
    "provisional_create_canister_with_cycles",
    "provisional_top_up_canister",
    "update_settings",
    "install_code",
    "install_chunked_code",
    "upload_chunk",
    "stored_chunks",
    "clear_chunk_store",
    "uninstall_code",
    "start_canister",
    "stop_canister",
    "delete_canister",
    "canister_status",
    "canister_info",
    "canister_metadata",
    "canister_metrics",
    "deposit_cycles",
    "raw_rand",
    "take_canister_snapshot",
    "load_canister_snapshot",
    "list_canister_snapshots",
    "delete_canister_snapshot",
    "read_canister_snapshot_metadata",
    "read_canister_snapshot_data",
    "upload_canister_snapshot_metadata",
    "upload_canister_snapshot_data",
    "fetch_canister_logs",
    "list_canisters",
    "subnet_info",
    "subnet_metrics",
    "node_metrics_history",
    "http_request",
    "sign_with_ecdsa",
    "schnorr_public_key",
    "vetkd_derive_key",
    "rename_canister",
    "bitcoin_get_balance",
    "",
    "no such method",
];

/// Any bytes as a module: refused, or installed and run.
pub(crate) fn module(bytes: &[u8]) {
    thread_local! {
        static MACHINE: RefCell<Machine> = RefCell::new(Machine::new(None));
    }
    MACHINE.with_borrow_mut(|machine| {
        let Ok(module) = machine.load(bytes) else {
            return;
        };
        let mut code = machine.start(&module);
        let methods = module.methods().keys().take(METHODS);
        let updates = methods.map(|name| Entry::Update(name.clone()));
        let entries: Vec<Entry> = [Entry::Init, Entry::PreUpgrade, Entry::GlobalTimer]
            .into_iter()
            .chain(updates)
            .collect();
        for entry in entries {
            let mode = match entry {
                Entry::Init => Mode::Init,
                Entry::PreUpgrade => Mode::PreUpgrade,
                Entry::GlobalTimer => Mode::SystemTask,
                _ => Mode::Update,
            };
            let subnet = subnet();
            let message = message_of(entry, mode, &subnet);
            let execution = machine.run(&mut code, &message, Keep::OnReturn);
            assert!(execution.instructions <= INSTRUCTIONS);
        }
        let image = machine.image(&code);
        let again = machine.restore(&image);
        assert_eq!(machine.image(&again).to_bytes(), image.to_bytes());
    });
}

/// The first byte picks a method, the second who calls; the rest is the argument.
pub(crate) fn candid(bytes: &[u8]) {
    let [method, caller, arg @ ..] = bytes else {
        return;
    };
    let method = METHOD_NAMES[usize::from(*method) % METHOD_NAMES.len()];
    in_world(|engine, [first, _]| match caller % 3 {
        0 => drop(engine.update(owner(), MANAGEMENT, method, arg.to_vec())),
        1 => drop(engine.query(owner(), MANAGEMENT, method, arg.to_vec())),
        _ => {
            let program = call_program(method, arg);
            drop(engine.update(owner(), first, "run", program));
        }
    });
}

/// The first byte picks the entry; the rest is a program of system calls.
pub(crate) fn message(bytes: &[u8]) {
    let [entry, program @ ..] = bytes else {
        return;
    };
    let program = program.to_vec();
    in_world(|engine, [first, second]| match entry % 5 {
        0 | 1 => drop(engine.update(owner(), first, "run", program)),
        2 => drop(engine.query(owner(), second, "ask", program)),
        3 => drop(engine.query(owner(), second, "compose", program)),
        _ => {
            let mode = InstallMode::Upgrade {
                skip_pre_upgrade: false,
            };
            drop(engine.install(owner(), first, &puppet(), program, mode));
        }
    });
}

/// Any bytes as a saved world, with and without a header that fits.
pub(crate) fn world(bytes: &[u8]) {
    let config = Config::default();
    drop(Engine::from_bytes(bytes, &config));
    drop(Engine::from_bytes(&Engine::sealed(bytes), &config));
}

/// A world with two puppets, as it was at first; what happens in it must not break its account.
fn in_world(act: impl FnOnce(&mut Engine, [Principal; 2])) {
    thread_local! {
        static START: RefCell<Option<(Engine, World, [Principal; 2])>> = const { RefCell::new(None) };
    }
    START.with_borrow_mut(|start| {
        let (engine, world, puppets) = start.get_or_insert_with(start_world);
        engine.restore(world);
        act(engine, *puppets);
        for _ in 0..3 {
            engine.tick();
        }
        let account = engine.cycles_account();
        assert!(account.is_balanced(), "{account:?}");
    });
}

fn start_world() -> (Engine, World, [Principal; 2]) {
    let mut engine = Engine::new(Config::default());
    let wasm = puppet();
    let puppets = [(); 2].map(|()| {
        let id = engine.create_canister(owner(), 1_000_000_000_000_000);
        engine
            .install(owner(), id, &wasm, Vec::new(), InstallMode::Install)
            .expect("the puppet can be installed");
        id
    });
    for id in puppets {
        engine.set_controllers(id, vec![owner(), puppets[0]]);
    }
    let world = engine.snapshot();
    (engine, world, puppets)
}

pub(crate) fn owner() -> Principal {
    Principal::self_authenticating([7])
}

/// The puppet of the other tests, without long loops, with an end to its steps and to its heap.
pub(crate) fn puppet() -> Vec<u8> {
    let head =
        "(func $run (param $start i32) (param $size i32)\n    (local $end i32) (local $op i32)";
    let step = format!(
        "(global.set $steps (i32.add (global.get $steps) (i32.const 1)))
         (if (i32.gt_u (global.get $steps) (i32.const {STEPS})) (then (unreachable)))"
    );
    let text = include_str!("../subnet/puppet.wat")
        .replace(
            "(memory (export \"memory\") 4)",
            "(memory (export \"memory\") 4 64)",
        )
        .replace("(call $spin (call $u64))", "(drop (call $u64))")
        .replace(
            head,
            &format!("(global $steps (mut i32) (i32.const 0)) {head} {step}"),
        )
        .replace(
            "(func $step (param $op i32)\n    (local $counter i32)",
            &format!("(func $step (param $op i32) (local $counter i32) {step}"),
        );
    assert_eq!(text.matches("$steps").count(), 7, "the puppet has changed");
    wat::parse_str(text).expect("the puppet is valid")
}

/// A program that calls the management canister with a trillion cycles and passes its answer on.
pub(crate) fn call_program(method: &str, arg: &[u8]) -> Vec<u8> {
    let mut program = Vec::new();
    let blob = |program: &mut Vec<u8>, bytes: &[u8]| {
        program.extend((bytes.len() as u32).to_le_bytes());
        program.extend(bytes);
    };
    program.push(13);
    blob(&mut program, MANAGEMENT.as_slice());
    blob(&mut program, method.as_bytes());
    blob(&mut program, &[10, 2]);
    blob(&mut program, &[2]);
    program.push(14);
    blob(&mut program, arg);
    program.push(15);
    program.extend(1_000_000_000_000_u64.to_le_bytes());
    program.push(18);
    program
}

fn subnet() -> SubnetContext {
    SubnetContext {
        id: MANAGEMENT,
        nodes: 13,
        root_key: vec![0; 133],
        prices: Prices::for_nodes(13),
    }
}

struct Room;

impl QueueRoom for Room {
    fn free_slots(&self, _callee: &Principal, _method: &str) -> usize {
        500
    }
}

fn message_of(entry: Entry, mode: Mode, subnet: &SubnetContext) -> Message<'_> {
    Message {
        entry,
        mode,
        caller: owner(),
        arg: b"DIDL\0\0",
        reject: None,
        deadline_ns: 0,
        time_ns: 1,
        cycles_available: 1_000,
        cycles_refunded: 0,
        responded: false,
        context_instructions: 0,
        instruction_limit: INSTRUCTIONS,
        data_certificate: None,
        canister: CanisterContext {
            id: owner(),
            balance: 1_000_000_000_000_000,
            freezing_limit: 0,
            freezing_limit_per_call: 0,
            status: 1,
            version: 1,
            controllers: vec![owner()],
            environment: vec![("NAME".into(), "value".into())],
            timer_ns: 0,
            wasm_memory_limit: 16 << 20,
            memory_headroom: 64 << 20,
        },
        subnet,
        queue_room: &Room,
    }
}
