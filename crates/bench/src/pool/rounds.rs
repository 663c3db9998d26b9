//! Rounds of a thousand resets and of a thousand creations: with lanes wide open, with the default
//! ones, one after another, and with little to pay with.

use hatchery_api::{COMMAND_IDS_MAX, Command, CommandRequest};
use hatchery_engine::{Config, Engine, InstallMode};
use hatchery_sim::demo::read_fleet;
use hatchery_sim::world::{FleetWorld, START_NS, operator};
use hatchery_types::{CanisterId, ModuleHash, OperationId, Phase};

use super::{Modules, Tally};
use crate::measure::Figure;

const CANISTERS: u64 = 1_000;
/// As many lanes as the platform has places in a queue.
const WIDE: u64 = 500;
const T: u128 = 1_000_000_000_000;
const RICH: u128 = 10_000 * T;
/// What must be payable at the least for an install of root, beside what it then has to spend.
const INSTALL: u128 = 300_005_000_000;
const ROUND_NS: u64 = 500_000_000;
const ROUNDS_MAX: u64 = 20_000;

/// A fleet without workers.
struct Wish {
    create_lanes: u64,
    reset_lanes: u64,
    minimum: u64,
    root_cycles: u128,
}

pub(super) fn measure(modules: &Modules, heaviest: &mut u64) -> Vec<Figure> {
    let mut reset = |lanes, cycles| {
        let done = reset(modules, lanes, cycles);
        *heaviest = (*heaviest).max(done.heaviest);
        done
    };
    let wide = reset(WIDE, RICH);
    let default = reset(50, RICH);
    let serial = reset(1, RICH);
    let poor = reset(WIDE, 5 * T);
    let mut create = |lanes| {
        let (made, ready, most) = create(modules, lanes);
        *heaviest = (*heaviest).max(most);
        (made, ready)
    };
    let (made, ready) = create(WIDE);
    let (made_default, ready_default) = create(10);
    let (made_serial, _) = create(1);
    vec![
        Figure::below("reset_1000_rounds", wide.rounds, 15.5),
        Figure::told("reset_1000_default_rounds", default.rounds),
        Figure::told("reset_1000_serial_rounds", serial.rounds),
        Figure::told("reset_1000_5t_rounds", poor.rounds),
        Figure::below("reset_1000_5t_refused_calls", poor.refused, 0.5),
        Figure::below("create_1000_rounds", made, 6.5),
        Figure::told("create_1000_ready_rounds", ready),
        Figure::told("create_1000_default_rounds", made_default),
        Figure::told("create_1000_default_ready_rounds", ready_default),
        Figure::told("create_1000_serial_rounds", made_serial),
    ]
}

struct Done {
    rounds: f64,
    refused: f64,
    heaviest: u64,
}

/// Imports a thousand canisters in one round and counts the rounds until all are ready.
fn reset(modules: &Modules, lanes: u64, root_cycles: u128) -> Done {
    let mut world = world(
        modules,
        &Wish {
            create_lanes: 10,
            reset_lanes: lanes,
            minimum: 0,
            root_cycles,
        },
    );
    let root = world.root.0;
    // Less than the line above which cycles are swept: a sweep is an install.
    let create = |_| CanisterId(world.engine.create_canister(root, 3 * T));
    let canisters: Vec<CanisterId> = (0..CANISTERS).map(create).collect();
    let tally = Tally::listen(&mut world.engine, world.root);
    let first = world.engine.round();
    for (number, page) in canisters.chunks(COMMAND_IDS_MAX as usize).enumerate() {
        let request = CommandRequest {
            operation: OperationId(format!("import {number}")),
            command: Command::ImportQueued {
                canisters: page.to_vec(),
            },
        };
        world
            .submit_command(&request)
            .expect("bug: an import is not taken in");
    }
    run_until(&mut world, |world| {
        count(world, Some(Phase::Ready)) == CANISTERS
    });
    let tally = tally.borrow();
    Done {
        rounds: (world.engine.round() - first) as f64,
        refused: tally.refused as f64,
        heaviest: tally.heaviest,
    }
}

/// Rounds until a thousand bought canisters are known, and until they are ready; the instructions of
/// the heaviest message.
fn create(modules: &Modules, lanes: u64) -> (f64, f64, u64) {
    let wish = Wish {
        create_lanes: lanes,
        reset_lanes: WIDE,
        minimum: 0,
        root_cycles: RICH,
    };
    let mut world = world(modules, &wish);
    let tally = Tally::listen(&mut world.engine, world.root);
    let first = world.engine.round();
    apply(
        &mut world,
        &Wish {
            minimum: CANISTERS,
            ..wish
        },
    );
    run_until(&mut world, |world| count(world, None) >= CANISTERS);
    let made = world.engine.round() - first;
    run_until(&mut world, |world| {
        count(world, Some(Phase::Ready)) >= CANISTERS
    });
    let ready = world.engine.round() - first;
    let heaviest = tally.borrow().heaviest;
    (made as f64, ready as f64, heaviest)
}

/// Root with nothing to do yet.
fn world(modules: &Modules, wish: &Wish) -> FleetWorld {
    let mut engine = Engine::new(Config {
        start_time_ns: START_NS,
        ..Config::default()
    });
    let root = engine.create_canister(operator(), wish.root_cycles + INSTALL);
    engine
        .install(
            operator(),
            root,
            &modules.root,
            Vec::new(),
            InstallMode::Install,
        )
        .expect("bug: root is refused");
    let mut world = FleetWorld::over(engine, CanisterId(root));
    apply(&mut world, wish);
    // A fresh root looks at its own history before it takes commands.
    world.pass(10, ROUND_NS);
    world
}

fn apply(world: &mut FleetWorld, wish: &Wish) {
    let text = format!(
        r#"
        name = "bench"
        reserve = "50T"
        [lanes]
        create = {}
        reset = {}
        install = 4
        [warm_pool]
        minimum = {}
        maximum = 5000
        cycles = "2T"
        floor = "1T"
        "#,
        wish.create_lanes, wish.reset_lanes, wish.minimum
    );
    let spec = read_fleet(&text, ModuleHash([0; 32])).expect("bug: the fleet is not one");
    world.apply(&spec).expect("bug: root refuses the fleet");
}

fn run_until(world: &mut FleetWorld, mut done: impl FnMut(&mut FleetWorld) -> bool) {
    for _ in 0..ROUNDS_MAX {
        if done(world) {
            return;
        }
        world.pass(1, ROUND_NS);
    }
    panic!("bug: the pool does not end: {:?}", world.status());
}

/// Rows in a phase, or in any.
fn count(world: &mut FleetWorld, phase: Option<Phase>) -> u64 {
    let status = world.status().expect("bug: root does not answer");
    let phases = status.phases.iter();
    phases
        .filter(|(found, _)| phase.is_none_or(|phase| phase == *found))
        .map(|(_, count)| count)
        .sum()
}
