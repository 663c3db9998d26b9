//! From the wish to the worker at work: from standby, from the warm pool, and with nothing in stock,
//! in one run. And what a fleet costs root in a day in which nothing happens. Rounds, instructions and
//! cycles are the platform's, so they are equal on every machine.

use hatchery_core::Event;
use hatchery_engine::InstallMode;
use hatchery_sim::demo::{FLEET_TOML, read_fleet};
use hatchery_sim::world::FleetWorld;
use hatchery_sim::world::memory::edit;
use hatchery_types::{
    CanisterId, Cycles, DrainSpec, FleetSpec, ModuleHash, Nanos, Phase, PoolSpec, RoleSpec,
};

use crate::measure::Figure;
use crate::pool::{Copy, Modules, Tally, fork};

const SECOND: u64 = 1_000_000_000;
const ROUND_NS: u64 = 500_000_000;
const ROUNDS_MAX: u64 = 200;
/// The smallest module there is: members cost nothing but being there.
const NOTHING: &[u8] = b"\0asm\x01\0\0\0";
/// Members of each pool of the idle fleets.
const POOL: u64 = 100;
/// The idle fleets.
const FEW: u64 = 100;
const MANY: u64 = 10_000;
/// A day goes by in rounds of a minute.
const DAY_ROUNDS: u64 = 24 * 60;
const MINUTE: u64 = 60 * SECOND;

/// All figures of the group.
pub(crate) fn measure(modules: &Modules) -> Vec<Figure> {
    let standby = grow(modules, 1, 1);
    let warm = grow(modules, 0, 1);
    let bought = grow(modules, 0, 0);
    let few = idle(modules, FEW);
    let many = idle(modules, MANY);
    let more = (MANY - FEW) as f64;
    vec![
        Figure::below("standby_rounds", standby.rounds, warm.rounds),
        Figure::told("standby_instructions", standby.instructions),
        Figure::below("standby_calls", standby.calls, 0.5),
        Figure::below("warm_rounds", warm.rounds, bought.rounds),
        Figure::told("warm_instructions", warm.instructions),
        Figure::told("bought_rounds", bought.rounds),
        Figure::told("bought_instructions", bought.instructions),
        Figure::told("idle_100_messages_a_day", few.messages),
        Figure::told("idle_100_instructions_a_day", few.instructions),
        Figure::told("idle_100_t_cycles_a_day", few.t_cycles),
        Figure::told("idle_10000_messages_a_day", many.messages),
        Figure::told("idle_10000_instructions_a_day", many.instructions),
        Figure::told("idle_10000_t_cycles_a_day", many.t_cycles),
        Figure::below(
            "idle_looks_a_member_and_day",
            (many.looks - few.looks) / more,
            1.1,
        ),
        Figure::told(
            "idle_m_cycles_a_member_and_day",
            (many.t_cycles - few.t_cycles) / more * 1e6,
        ),
    ]
}

/// What one more worker came to.
struct Growth {
    rounds: f64,
    instructions: f64,
    calls: f64,
}

/// One worker is at work, and a second is wanted: what root does until it is there, but for taking
/// in the spec that says so. Nothing is bought ahead when `spare` is none.
fn grow(modules: &Modules, standby: u32, spare: u32) -> Growth {
    let mut world = FleetWorld::start(1, None, &modules.root).expect("bug: root is refused");
    let module = world
        .upload_module(&modules.worker)
        .expect("bug: the worker is refused");
    let mut spec = read_fleet(FLEET_TOML, module).expect("bug: the fleet is not one");
    spec.pools[0].signals.clear();
    (spec.pools[0].min, spec.pools[0].initial) = (1, 1);
    spec.pools[0].standby = standby;
    spec.warm_pool.minimum = spare;
    world.apply(&spec).expect("bug: the fleet is refused");
    world.pass(300, SECOND);
    let at_work = at_work(&mut world);
    assert_eq!(at_work, 1, "bug: the first worker is not there");
    spec.pools[0].min = 2;
    spec.pools[0].standby = 0;
    let tally = Tally::listen(&mut world.engine, world.root);
    let first = world.engine.round();
    world.apply(&spec).expect("bug: the fleet is refused");
    for _ in 0..ROUNDS_MAX {
        let (rounds, calls) = (world.engine.round() - first, tally.borrow().sent);
        if self::at_work(&mut world) == 2 {
            let tally = tally.borrow();
            let applied: u64 = tally.of("apply_spec").iter().sum();
            return Growth {
                rounds: rounds as f64,
                instructions: (tally.all() - applied) as f64,
                // The self-call of the tick is none.
                calls: (calls - tally.of("update hatchery_tick").len() as u64) as f64,
            };
        }
        world.engine.advance_ns(ROUND_NS);
        world.engine.tick();
    }
    panic!("bug: the second worker does not come");
}

fn at_work(world: &mut FleetWorld) -> usize {
    let rows = world.rows().expect("bug: root does not answer");
    let at_work = rows.iter().filter(|row| row.phase == Phase::InService);
    at_work.count()
}

/// What root did and paid in a day.
struct Day {
    messages: f64,
    looks: f64,
    instructions: f64,
    t_cycles: f64,
}

/// A day of so many members of which none has anything to say.
fn idle(modules: &Modules, members: u64) -> Day {
    let mut world = FleetWorld::start(1, None, &modules.root).expect("bug: root is refused");
    let module = world
        .upload_module(NOTHING)
        .expect("bug: the module is refused");
    let spec = quiet(module);
    world.apply(&spec).expect("bug: the fleet is refused");
    world.pass(120, SECOND);
    let root = world.root.0;
    let create = |_| CanisterId(world.engine.create_canister(root, 10 * Cycles::T));
    let ids: Vec<CanisterId> = (0..members).map(create).collect();
    for id in &ids {
        let installed = world
            .engine
            .install(root, id.0, NOTHING, Vec::new(), InstallMode::Install);
        installed.expect("bug: the module does not install");
    }
    let mut copy = fork(&mut world);
    take_in(&mut copy, &spec, &ids);
    copy.upgrade(modules);
    let Copy(world) = &mut copy;
    // What the upgrade leaves to be done is done first.
    world.pass(60, MINUTE);
    assert_eq!(at_work(world) as u64, members + 1, "bug: members got lost");
    let balance = |world: &FleetWorld| {
        let view = world.engine.canister(root);
        view.expect("bug: root is gone").cycles
    };
    let tally = Tally::listen(&mut world.engine, world.root);
    let before = balance(world);
    world.pass(DAY_ROUNDS, MINUTE);
    let spent = before - balance(world);
    let tally = tally.borrow();
    Day {
        messages: tally.count() as f64,
        looks: tally.of("canister_status").len() as f64,
        instructions: tally.all() as f64,
        t_cycles: spent as f64 / Cycles::T as f64,
    }
}

/// One worker of the smallest module, without signals.
fn quiet(module: ModuleHash) -> FleetSpec {
    let mut spec = read_fleet(FLEET_TOML, module).expect("bug: the fleet is not one");
    let drain = DrainSpec {
        method: None,
        deadline: Nanos::from_secs(60),
    };
    spec.roles = vec![RoleSpec {
        drain,
        ..RoleSpec::new("quiet", module)
    }];
    spec.pools = vec![PoolSpec::new("pool", "quiet", 1, 1)];
    spec.warm_pool.minimum = 0;
    spec
}

/// Writes the members into root's stable memory, in pools that are what they should be; they are
/// looked at all day long.
fn take_in(copy: &mut Copy, spec: &FleetSpec, ids: &[CanisterId]) {
    let Copy(world) = copy;
    let now = Nanos(world.engine.now_ns());
    let rows = world.rows().expect("bug: root does not answer");
    let worker = rows.iter().find(|row| row.phase == Phase::InService);
    let worker = worker.expect("bug: nobody works").canister;
    let mut spec = spec.clone();
    let pools = ids.len() as u64 / POOL;
    spec.pools.extend((0..pools).map(|number| {
        let size = POOL as u32;
        PoolSpec::new(&format!("pool{number}"), "quiet", size, size)
    }));
    let apart = MINUTE * DAY_ROUNDS / ids.len() as u64;
    edit(&mut world.engine, world.root, |state| {
        let pattern = state.row(worker).expect("bug: a listed row is missing");
        state.apply(now, Event::SpecApplied(Box::new(spec)));
        for (number, id) in (0..).zip(ids) {
            let mut row = pattern.clone();
            row.canister = *id;
            row.pool = Some(format!("pool{}", number / POOL));
            row.next_attempt = now + Nanos(apart * number);
            state.apply(now, Event::RowChanged(Box::new(row)));
        }
    });
}
