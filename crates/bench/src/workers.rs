//! Worker pools on the real root: what a hand-out and a plan cost among many rows, what a tick costs
//! with many pools, and what control costs a member in a day. All of it is the platform's own
//! measure, so it is equal on every machine.

use hatchery_api::{Answer, LeaseAnswer, LeaseRequest};
use hatchery_core::{Event, RowFilter};
use hatchery_sim::demo::{FLEET_TOML, read_fleet};
use hatchery_sim::world::FleetWorld;
use hatchery_sim::world::memory::{NativeState, edit, nobody};
use hatchery_types::{
    Cycles, FleetSpec, Generation, LeaseSpec, ModuleHash, Nanos, OperationId, Phase, PoolSpec,
    SignalSpec,
};

use crate::measure::Figure;
use crate::pool::{Copy, Modules, Tally, fill, fork};

const SECOND: u64 = 1_000_000_000;
/// Rows among which a worker is handed out.
const ROWS: u64 = 100_000;
/// Pools, and members of each.
const POOLS: u64 = 1_000;
const MEMBERS: u64 = 100;
/// Members whose control is paid for an hour.
const PAID: u32 = 10;

/// All figures of the group.
pub(crate) fn measure(modules: &Modules) -> Vec<Figure> {
    let mut figures = hand_out(modules);
    figures.extend(many_pools(modules));
    figures.push(report(modules, "report_100_members_instructions", 100));
    figures.push(report(modules, "report_1000_members_instructions", 1_000));
    figures.push(control(modules));
    figures
}

/// The demo's fleet with workers on standby that operators lease.
fn leasing(module: ModuleHash) -> FleetSpec {
    let mut spec = read_fleet(FLEET_TOML, module).expect("bug: the fleet is not one");
    spec.warm_pool.maximum = 2_000;
    spec.pools[0].standby = 3;
    spec.pools[0].lease = Some(LeaseSpec::default());
    spec
}

fn start(modules: &Modules, spec: impl Fn(ModuleHash) -> FleetSpec) -> FleetWorld {
    let mut world = FleetWorld::start(1, None, &modules.root).expect("bug: root is refused");
    let module = world
        .upload_module(&modules.worker)
        .expect("bug: the worker is refused");
    world
        .apply(&spec(module))
        .expect("bug: the fleet is refused");
    world.pass(300, SECOND);
    world
}

/// A lease from standby and a plan, whole messages with their Candid, at 100,000 rows.
fn hand_out(modules: &Modules) -> Vec<Figure> {
    let mut world = start(modules, leasing);
    let mut copy = fork(&mut world);
    fill(&mut copy, ROWS);
    copy.upgrade(modules);
    let Copy(world) = &mut copy;
    world.pass(120, SECOND);
    let tally = Tally::listen(&mut world.engine, world.root);
    let request = LeaseRequest {
        operation: OperationId("bench".to_owned()),
        pool: "workers".to_owned(),
        count: 1,
        ttl: None,
        known: Generation(0),
    };
    let answer = world.update_as::<_, Answer<LeaseAnswer>>(world.operator, "lease", &request);
    let granted = answer.expect("bug: the lease is rejected");
    assert_eq!(
        granted.map(|it| it.granted.len()),
        Ok(1),
        "bug: nobody is leased"
    );
    let lease = tally.borrow().only("lease");
    let calls = tally.borrow().sent as f64;
    let arg = candid_text("workers");
    let planned = world
        .engine
        .update(world.operator, world.root.0, "plan", arg);
    planned.expect("bug: the plan is refused");
    let plan = tally.borrow().only("plan");
    vec![
        Figure::below("lease_100000_instructions", lease, 600_000.0),
        Figure::below("lease_calls_of_root", calls, 1.0),
        Figure::below("plan_100000_instructions", plan, 200_000.0),
    ]
}

/// `(text)` in Candid.
fn candid_text(text: &str) -> Vec<u8> {
    let mut bytes = b"DIDL\0\x01\x71".to_vec();
    bytes.push(text.len() as u8);
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// 1,000 pools of 100 members, all of them to be planned at once: bounded messages, over ticks.
fn many_pools(modules: &Modules) -> Vec<Figure> {
    let mut world = start(modules, leasing);
    let mut copy = fork(&mut world);
    add_pools(&mut copy, POOLS, MEMBERS);
    let tally = Tally::listen(&mut copy.0.engine, copy.0.root);
    copy.upgrade(modules);
    copy.0.pass(120, SECOND);
    let ticks = tally.borrow().of("hatchery_tick");
    let most = ticks.iter().max().copied().unwrap_or(0);
    let all: u64 = ticks.iter().sum();
    let each = all / POOLS;
    vec![
        Figure::below("tick_1000_pools_heaviest_instructions", most as f64, 2e9),
        Figure::told("tick_1000_pools_messages", ticks.len() as f64),
        Figure::told("tick_1000_pools_instructions_per_pool", each as f64),
    ]
}

/// The dearest report of a member that has nothing new to say, in a pool of that many: a whole
/// message.
fn report(modules: &Modules, name: &'static str, members: u64) -> Figure {
    let mut world = start(modules, leasing);
    let mut copy = fork(&mut world);
    let now = Nanos(copy.0.engine.now_ns());
    edit(&mut copy.0.engine, copy.0.root, |state| {
        let mut spec = state.spec().expect("bug: no spec").clone();
        let pool = &mut spec.pools[0];
        let name = pool.name.clone();
        let added = members - state.members(&name).count() as u64;
        (pool.min, pool.max) = (members as u32, members as u32);
        state.apply(now, Event::SpecApplied(Box::new(spec)));
        add_members(state, now, added, |_| name.clone());
    });
    copy.upgrade(modules);
    let Copy(world) = &mut copy;
    world.pass(60, SECOND);
    let tally = Tally::listen(&mut world.engine, world.root);
    world.pass(300, SECOND);
    let reports = tally.borrow().of("report");
    let most = reports.iter().max().expect("bug: nobody reports");
    Figure::told(name, *most as f64)
}

/// Writes pools with members into root's stable memory.
fn add_pools(copy: &mut Copy, pools: u64, members: u64) {
    let Copy(world) = copy;
    let now = Nanos(world.engine.now_ns());
    edit(&mut world.engine, world.root, |state| {
        let mut spec = state.spec().expect("bug: no spec").clone();
        let pattern = spec.pools[0].clone();
        spec.pools.extend((0..pools).map(|number| PoolSpec {
            name: format!("pool{number}"),
            min: 1,
            max: members as u32,
            initial: 1,
            standby: 0,
            ..pattern.clone()
        }));
        state.apply(now, Event::SpecApplied(Box::new(spec)));
        let members = (pools * members).min(ROWS - 200);
        add_members(state, now, members, |number| {
            format!("pool{}", number % pools)
        });
    });
}

/// Members at work, like one there is, with loads that hold every pool where it is.
fn add_members(state: &mut NativeState, now: Nanos, members: u64, pool_of: impl Fn(u64) -> String) {
    let (rows, _) = state.rows(&RowFilter::of(Some(Phase::InService)), None, 1);
    let worker = rows.first().expect("bug: nobody works").clone();
    let target = state.spec().expect("bug: no spec").pools[0].signals[0].target;
    for number in 0..members {
        let mut row = worker.clone();
        row.canister = nobody(number);
        row.pool = Some(pool_of(number));
        row.sample = Some(target);
        row.sample_at = now;
        row.next_attempt = Nanos::MAX;
        state.apply(now, Event::RowChanged(Box::new(row)));
    }
}

/// What root and the members pay for their control in an hour at defaults, beyond what they pay for
/// being there, for one member and a day, in cycles of 10^12.
fn control(modules: &Modules) -> Figure {
    let mut world = start(modules, |module| {
        let mut spec = leasing(module);
        // Reports every two minutes, as the kit does by itself.
        spec.roles[0].init_arg = b"DIDL\0\0".to_vec();
        let pool = &mut spec.pools[0];
        (pool.min, pool.initial, pool.max, pool.standby) = (PAID, PAID, PAID, 0);
        pool.signals = vec![SignalSpec::new("depth", 10)];
        spec
    });
    let balance = |world: &FleetWorld| -> u128 {
        let canisters = world.engine.canisters();
        let views = canisters
            .into_iter()
            .filter_map(|id| world.engine.canister(id));
        views.map(|view| view.cycles).sum()
    };
    world.pass(600, SECOND);
    let before = balance(&world);
    world.pass(3_600, SECOND);
    let spent = before - balance(&world);
    let per_day = spent as f64 * 24.0 / f64::from(PAID) / Cycles::T as f64;
    Figure::below("control_t_cycles_per_member_day", per_day, 0.02)
}
