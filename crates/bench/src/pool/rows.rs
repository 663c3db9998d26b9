//! What root's messages cost where there are many rows, and what it costs to find one's way among
//! them again after an upgrade. The rows are written natively into root's own stable memory.

use std::cell::RefCell;

use hatchery_api::{COMMAND_IDS_MAX, Command, CommandAnswer, CommandRequest, Recover};
use hatchery_core::{Event, limits};
use hatchery_engine::IngressStatus;
use hatchery_sim::demo::{FLEET_TOML, read_fleet};
use hatchery_sim::world::FleetWorld;
use hatchery_sim::world::memory::{edit, nobody};
use hatchery_types::{
    CanisterId, Direction, FleetSpec, ModuleHash, Nanos, OperationId, Phase, Registered,
};

use super::{Modules, Tally};
use crate::measure::Figure;

const ROUND_NS: u64 = 500_000_000;
/// Rows left out, so that root at its largest still takes in what one command names, and then what
/// a `recover` names.
const SPARE: u64 = 1_500;
/// Ready rows beside those of the fleet, more than one command gives back; a warm pool may not have
/// all that root may know.
const READY: u64 = 1_100;
/// Most canisters that one `recover` names.
const RECOVERED: u32 = limits::PAGE_MAX as u32;
/// The last cost may be so many times the first.
const GROWTH_MAX: f64 = 2.0;

/// Names of the figures of one number of rows.
struct Names {
    rows: u64,
    status: &'static str,
    tick: &'static str,
    claim: &'static str,
    enqueue: &'static str,
}

macro_rules! names {
    ($($rows:literal)*) => {
        [$(Names {
            rows: $rows,
            status: concat!("status_", $rows, "_instructions"),
            tick: concat!("tick_", $rows, "_instructions"),
            claim: concat!("claim_", $rows, "_instructions"),
            enqueue: concat!("enqueue_", $rows, "_instructions"),
        }),*]
    };
}

#[expect(
    clippy::unreadable_literal,
    reason = "the digits are part of the names"
)]
const NAMES: [Names; 3] = names!(1000 10000 100000);

/// Instructions of one message each.
#[derive(Clone, Copy)]
struct Costs {
    status: f64,
    tick: f64,
    claim: f64,
    enqueue: f64,
}

pub(super) fn measure(modules: &Modules, heaviest: &mut u64) -> Vec<Figure> {
    let (mut world, module) = start(modules);
    let upgrade_few = fork(&mut world).upgrade(modules);
    let mut figures = Vec::new();
    let mut all = Vec::new();
    for names in &NAMES {
        let mut at = fork(&mut world);
        fill(&mut at, names.rows);
        let tally = Tally::listen(&mut at.0.engine, at.0.root);
        let upgrade = at.upgrade(modules);
        let costs = at.costs(&tally, module);
        figures.extend([
            Figure::told(names.status, costs.status),
            Figure::told(names.tick, costs.tick),
            Figure::told(names.claim, costs.claim),
            Figure::told(names.enqueue, costs.enqueue),
        ]);
        if names.rows == 100_000 {
            let rebuild = upgrade.saturating_sub(upgrade_few);
            figures.push(Figure::told("rebuild_100000_instructions", rebuild as f64));
            figures.extend(at.large_commands(&tally, module));
        }
        *heaviest = (*heaviest).max(tally.borrow().heaviest);
        all.push(costs);
    }
    let growth = |cost: fn(&Costs) -> f64| cost(&all[2]) / cost(&all[0]);
    figures.extend([
        Figure::below("status_growth", growth(|costs| costs.status), GROWTH_MAX),
        Figure::below("tick_growth", growth(|costs| costs.tick), GROWTH_MAX),
        Figure::below("claim_growth", growth(|costs| costs.claim), GROWTH_MAX),
        Figure::below("enqueue_growth", growth(|costs| costs.enqueue), GROWTH_MAX),
    ]);
    figures
}

/// The demo's fleet at rest, with room for all the rows.
fn start(modules: &Modules) -> (FleetWorld, ModuleHash) {
    let mut world = FleetWorld::start(1, None, &modules.root).expect("bug: root is refused");
    let module = world
        .upload_module(&modules.worker)
        .expect("bug: the worker is refused");
    let spec = fleet(module, 2, 2 * READY);
    world.apply(&spec).expect("bug: the fleet is refused");
    for _ in 0..600 {
        world.pass(1, ROUND_NS);
        let status = world.status().expect("bug: root does not answer");
        let count = |phase| status.phases.iter().find(|(found, _)| *found == phase);
        let ready = count(Phase::Ready).is_some_and(|(_, rows)| *rows >= 5);
        let serving = count(Phase::InService).is_some_and(|(_, rows)| *rows >= 2);
        if ready && serving && status.effects.iter().all(|(_, effects)| *effects == 0) {
            return (world, module);
        }
    }
    panic!("bug: the fleet does not settle: {:?}", world.status());
}

/// The demo's fleet with this least number of workers and this size of its warm pool.
fn fleet(module: ModuleHash, workers: u32, maximum: u64) -> FleetSpec {
    let text = FLEET_TOML
        .replace("maximum = 20", &format!("maximum = {maximum}"))
        .replace("\nmin = 1\n", &format!("\nmin = {workers}\n"));
    read_fleet(&text, module).expect("bug: the fleet is not one")
}

/// A copy of the world to spoil.
pub(crate) struct Copy(pub(crate) FleetWorld);

pub(crate) fn fork(world: &mut FleetWorld) -> Copy {
    Copy(FleetWorld::over(world.engine.fork(), world.root))
}

/// Fills root up with so many rows, less what it must still take in.
pub(crate) fn fill(copy: &mut Copy, rows: u64) {
    add_rows(copy, rows.min(limits::ROWS_MAX - SPARE));
}

/// Writes rows like one that is ready into root's stable memory; those beyond [`READY`] are failed.
fn add_rows(copy: &mut Copy, count: u64) {
    let Copy(world) = copy;
    let rows = world.rows().expect("bug: root does not answer");
    let ready = rows.iter().find(|row| row.phase == Phase::Ready);
    let ready = ready.expect("bug: nothing is ready").canister;
    edit(&mut world.engine, world.root, |state| {
        let pattern = state.row(ready).expect("bug: a listed row is missing");
        for number in 0..count {
            let mut row = pattern.clone();
            row.canister = nobody(number);
            if number >= READY {
                row.phase = Phase::Failed;
                row.next_attempt = Nanos::MAX;
            }
            state.apply(row.since, Event::RowChanged(Box::new(row)));
        }
        // The log of a fleet that has lived a while is full, however many rows there are.
        for turn in 0..limits::LOG_MAX {
            let mut row = pattern.clone();
            row.canister = nobody(0);
            if turn % 2 == 0 {
                row.phase = Phase::Failed;
                row.next_attempt = Nanos::MAX;
            }
            state.apply(row.since, Event::RowChanged(Box::new(row)));
        }
    });
}

impl Copy {
    /// Upgrades root by force: what root paid for it.
    pub(crate) fn upgrade(&mut self, modules: &Modules) -> u128 {
        let Copy(world) = self;
        let cycles = |world: &FleetWorld| {
            let root = world.engine.canister(world.root.0);
            root.expect("bug: root is gone").cycles
        };
        let before = cycles(world);
        let message = world
            .submit_forced_upgrade(&modules.root)
            .expect("bug: the upgrade is not taken in");
        for _ in 0..50 {
            world.engine.tick();
            match world.engine.status(&message) {
                IngressStatus::Replied(_) => return before - cycles(world),
                IngressStatus::Rejected(reject) => panic!("bug: the upgrade failed: {reject}"),
                _ => {}
            }
        }
        panic!("bug: the upgrade does not end");
    }

    fn costs(&mut self, tally: &RefCell<Tally>, module: ModuleHash) -> Costs {
        let Copy(world) = self;
        // What an upgrade leaves to be done is done first.
        world.pass(120, ROUND_NS);
        tally.borrow_mut().restart();
        let status =
            world
                .engine
                .update(world.operator, world.root.0, "status", b"DIDL\0\0".to_vec());
        status.expect("bug: the status is refused");
        world.pass(60, ROUND_NS);
        let ticks = tally.borrow().of("hatchery_tick");
        let status = tally.borrow().only("status");
        tally.borrow_mut().restart();
        world
            .apply(&fleet(module, 3, 2 * READY))
            .expect("bug: the fleet is refused");
        world.pass(1, ROUND_NS);
        let claim = tally.borrow().of("hatchery_tick");
        let canisters = strangers(1 << 30, COMMAND_IDS_MAX).collect();
        let (answer, enqueue) = self.command(tally, "import", Command::ImportQueued { canisters });
        let all_added = matches!(&answer, CommandAnswer::Queued(it) if it.added == COMMAND_IDS_MAX);
        assert!(all_added, "bug: not all are taken in: {answer:?}");
        Costs {
            status,
            tick: median(ticks),
            claim: claim.into_iter().max().expect("bug: nothing was claimed") as f64,
            enqueue,
        }
    }

    /// The other commands that touch as many rows as one may.
    fn large_commands(&mut self, tally: &RefCell<Tally>, module: ModuleHash) -> [Figure; 3] {
        let all_failed = Command::RequeueFailed { canisters: None };
        let (answer, requeue) = self.command(tally, "requeue", all_failed);
        let is_full =
            matches!(&answer, CommandAnswer::Queued(it) if it.requeued == COMMAND_IDS_MAX);
        assert!(is_full, "bug: not a full command: {answer:?}");
        // Or the tick would be the first to give back.
        let direction = Some(Direction::Down);
        self.command(tally, "pause", Command::Pause { direction });
        let small = self.0.apply(&fleet(module, 3, 5));
        small.expect("bug: the fleet is refused");
        let (answer, drain) = self.command(tally, "drain", Command::DrainSurplus);
        let is_full = matches!(
            answer,
            CommandAnswer::Drained {
                leaving: COMMAND_IDS_MAX,
                ..
            }
        );
        assert!(is_full, "bug: not a full command: {answer:?}");
        let canisters = strangers(1 << 31, RECOVERED).map(registered).collect();
        let named = Command::Recover(Recover::Canisters { canisters });
        let (answer, recover) = self.command(tally, "recover", named);
        let is_full = matches!(&answer, CommandAnswer::Queued(it) if it.added == RECOVERED);
        assert!(is_full, "bug: not a full command: {answer:?}");
        // The ticks that follow count among the heaviest, too.
        self.0.pass(20, ROUND_NS);
        [
            Figure::told("requeue_1000_instructions", requeue),
            Figure::told("drain_surplus_1000_instructions", drain),
            Figure::told("recover_200_instructions", recover),
        ]
    }

    /// The answer to a command and the instructions of its message.
    fn command(
        &mut self,
        tally: &RefCell<Tally>,
        operation: &str,
        command: Command,
    ) -> (CommandAnswer, f64) {
        tally.borrow_mut().restart();
        let operation = OperationId(operation.to_owned());
        let request = CommandRequest { operation, command };
        let answer = self.0.command(&request);
        let cost = tally.borrow().only("command");
        (answer.expect("bug: the command is refused"), cost)
    }
}

/// Ids that nobody has.
fn strangers(first: u64, count: u32) -> impl Iterator<Item = CanisterId> {
    (0..u64::from(count)).map(move |number| nobody(first | number))
}

/// What an export says of a canister at least.
fn registered(canister: CanisterId) -> Registered {
    Registered {
        canister,
        phase: None,
        role: Some("worker".to_owned()),
        pool: Some("workers".to_owned()),
        parent: None,
        module: None,
        generation: None,
        created_at: None,
    }
}

fn median(mut costs: Vec<u64>) -> f64 {
    costs.sort_unstable();
    *costs.get(costs.len() / 2).expect("bug: root never ticked") as f64
}
