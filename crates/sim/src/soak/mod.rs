//! The wasm level at length: the real root and a hundred real workers and more on the engine, with
//! its faults, people who meddle, and upgrades; then faults stop and the fleet must come to rest.
//!
//! What is checked, from outside, is in [`watch`], and in [`rest`] once it is over; what goes wrong is
//! drawn in [`troubles`], what members do and what is done to them in [`tenants`].

mod keeper;
mod least;
mod rest;
mod tenants;
mod troubles;
mod watch;

use crate::demo::read_fleet;
use crate::dice::Dice;
use crate::model::Failure;
use crate::world::{CallError, FleetWorld, stranger};
use hatchery_api::{Command, CommandRequest};
use hatchery_types::{CanisterId, Cycles, ExportTo, FleetSpec, Incarnation, OperationId};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tenants::Tenants;
use troubles::Troubles;
use watch::Watch;

/// The fleet.
const FLEET: &str = include_str!("fleet.toml");
/// Rounds with faults.
pub const ROUNDS: u64 = 1_000;
/// Virtual time of a round.
const ROUND_NS: u64 = 500_000_000;
/// Rounds between two looks.
const LOOK_EVERY: u64 = 20;
/// Rounds for coming to rest, of two seconds each: waits of up to twenty minutes, twice.
const PATIENCE: u64 = 2_400;
const REST_ROUND_NS: u64 = 2_000_000_000;
/// Who was deleted unseen is noticed within a day: after so many rounds they are longer, and all of
/// them together more than a day.
const LONG_AFTER: u64 = 800;
const LONG_ROUND_NS: u64 = 60_000_000_000;

/// The modules under test.
#[derive(Debug, Clone)]
pub struct Modules {
    /// Root's.
    pub root: Vec<u8>,
    /// The workers'.
    pub worker: Vec<u8>,
    /// Where compiled ones are kept.
    pub cache_dir: Option<PathBuf>,
}

/// What a seed did.
#[derive(Debug, Clone, Default)]
pub struct Soaked {
    /// Rounds of the engine.
    pub rounds: u64,
    /// Most canisters that root had at once.
    pub canisters: u64,
    /// How often each fault struck.
    pub faults: BTreeMap<String, u64>,
    /// How often each reason was given in root's log, and what members' operations came to.
    pub seen: BTreeMap<String, u64>,
    /// Looks at everything, and those of them at which root answered all that was asked.
    pub looks: u64,
    /// See [`Soaked::looks`].
    pub looks_complete: u64,
    /// Upgrades of root, as it counts them itself.
    pub upgrades: u64,
}

/// Runs one seed.
///
/// # Errors
/// The first violation, what did not come to rest, or that too little happened for the seed to mean
/// anything.
pub fn soak(seed: u64, modules: &Modules) -> Result<Soaked, Failure> {
    let mut soak = Soak::start(seed, modules).map_err(|error| broken(seed, 0, "start", &error))?;
    for round in 0..ROUNDS {
        soak.round(round, modules)?;
    }
    soak.come_to_rest(modules)?;
    soak.soaked.seen = soak.watch.seen();
    match least::missing(&soak.soaked) {
        None => Ok(soak.soaked),
        Some(what) => Err(broken(seed, soak.soaked.rounds, "eventful", &what)),
    }
}

fn broken(seed: u64, step: u64, checker: &str, what: &dyn std::fmt::Display) -> Failure {
    Failure {
        step,
        ..Failure::of_seed(seed, checker, &what.to_string())
    }
}

struct Soak {
    seed: u64,
    world: FleetWorld,
    spec: FleetSpec,
    dice: Dice,
    troubles: Troubles,
    tenants: Tenants,
    watch: Watch,
    operations: u64,
    /// Root's when it began.
    incarnation: Incarnation,
    soaked: Soaked,
}

impl Soak {
    fn start(seed: u64, modules: &Modules) -> Result<Soak, CallError> {
        let mut world = FleetWorld::start(seed, modules.cache_dir.clone(), &modules.root)?;
        let module = world.upload_module(&modules.worker)?;
        let mut spec = read_fleet(FLEET, module).expect("bug: the fleet of the wasm level is one");
        tenants::install_first(&mut world, &mut spec);
        world.apply(&spec)?;
        let incarnation = world.status()?.incarnation;
        let mut watch = Watch::default();
        watch.bound(&spec);
        for number in 0..6 {
            // Canisters to import: somebody else's, too, and some of them nearly out of cycles.
            let cycles = if number < 2 {
                Cycles::T / 2
            } else {
                4 * Cycles::T
            };
            let id = world.engine.create_canister(stranger(), cycles);
            world
                .engine
                .set_controllers(id, vec![stranger(), world.root.0]);
        }
        Ok(Soak {
            seed,
            troubles: Troubles::new(seed, &mut world),
            tenants: Tenants::new(seed, &spec),
            watch,
            dice: Dice::new(seed, 21),
            operations: 0,
            incarnation,
            soaked: Soaked::default(),
            world,
            spec,
        })
    }

    fn round(&mut self, round: u64, modules: &Modules) -> Result<(), Failure> {
        self.troubles.act(round, &mut self.world, modules);
        if self.dice.chance(40) {
            self.command();
        }
        self.tenants
            .act(&mut self.world, &mut self.watch, &self.spec);
        let before = self.spec.clone();
        let mut is_new = self.tenants.roll_out(&mut self.world, &mut self.spec);
        if self.dice.chance(4) {
            self.draw_bounds();
            is_new = true;
        }
        if is_new {
            self.respec(before);
        }
        self.world.pass(1, ROUND_NS);
        if round.is_multiple_of(LOOK_EVERY) {
            self.look(round)?;
        }
        Ok(())
    }

    /// An operator's command, and at times the same again; the answer is looked up later.
    fn command(&mut self) {
        let Ok(rows) = self.world.rows() else { return };
        let any: Vec<CanisterId> = rows.iter().map(|row| row.canister).collect();
        let all = self.world.truth();
        let foreign: Vec<CanisterId> = all.iter().map(|truth| truth.canister).collect();
        let recycled = self.dice.pick(&any).copied();
        let imported = self.dice.pick(&foreign).copied();
        let (Some(recycled), Some(imported)) = (recycled, imported) else {
            return;
        };
        let canister = recycled;
        let command = match self.dice.below(16) {
            0..4 => Command::Recycle { canister },
            4..7 => Command::ImportQueued {
                canisters: vec![imported, recycled],
            },
            7 => Command::ImportImmediate { canister: imported },
            8 => Command::CreateEmpty,
            9 => Command::Delete { canister },
            10 => Command::Export {
                canister,
                to: ExportTo::Registry,
            },
            11 => Command::DrainSurplus,
            12 => Command::Pause { direction: None },
            13 | 14 => Command::Resume { direction: None },
            _ => Command::RequeueFailed { canisters: None },
        };
        self.submit(command);
    }

    fn submit(&mut self, command: Command) {
        self.operations += 1;
        let operation = OperationId(format!("op-{}", self.operations));
        let request = CommandRequest { operation, command };
        let times = 1 + u64::from(self.dice.chance(300));
        for _ in 0..times {
            // A root that is stopping takes no message: an operator who hears so tries later.
            if let Ok(message) = self.world.submit_command(&request) {
                self.watch.expect(&request, message);
            }
        }
    }

    fn draw_bounds(&mut self) {
        // Not the keepers', who are few.
        let pool = self.dice.below(2) as usize;
        let pool = &mut self.spec.pools[pool];
        pool.min = self.dice.between(30, 50) as u32;
        pool.max = pool.min + self.dice.between(5, 25) as u32;
        pool.initial = pool.min;
        pool.standby = self.dice.below(5) as u32;
    }

    /// Applies what the spec is now; a root that does not take it keeps what it had `before`.
    fn respec(&mut self, before: FleetSpec) {
        self.watch.bound(&self.spec);
        if self.world.apply(&self.spec).is_err() {
            self.spec = before;
        }
    }

    /// Looks at everything; false: root did not answer all that was asked.
    fn look(&mut self, round: u64) -> Result<bool, Failure> {
        let meddled = self.troubles.meddled();
        let wrong = self.watch.look(&mut self.world, &self.spec, meddled);
        self.soaked.looks += 1;
        self.soaked.looks_complete += u64::from(matches!(wrong, Ok(true)));
        self.soaked.canisters = self.soaked.canisters.max(self.watch.canisters());
        self.soaked.rounds = self.world.engine.round();
        wrong.map_err(|what| broken(self.seed, round, "wasm", &what))
    }

    /// Faults stop, operators resume and requeue, and roll out a good module; all pools must get
    /// within their bounds, or say what holds them back, and nothing may be left in flight.
    fn come_to_rest(&mut self, modules: &Modules) -> Result<(), Failure> {
        self.troubles.stop(&mut self.world, modules);
        self.soaked.faults = self.troubles.struck();
        self.submit(Command::Resume { direction: None });
        self.submit(Command::RequeueFailed { canisters: None });
        let before = self.spec.clone();
        if self.tenants.settle(&mut self.world, &mut self.spec) {
            self.respec(before);
        }
        let mut unrest = String::new();
        for round in 0..PATIENCE {
            let is_long = round >= LONG_AFTER;
            let length = [REST_ROUND_NS, LONG_ROUND_NS][usize::from(is_long)];
            self.world.pass(1, length);
            if !round.is_multiple_of(LOOK_EVERY) {
                continue;
            }
            self.look(ROUNDS + round)?;
            match rest::unrest(&mut self.world, &self.spec) {
                Ok(None) => return self.close(ROUNDS + round),
                Ok(Some(what)) => unrest = what,
                Err(error) => unrest = error.to_string(),
            }
        }
        Err(broken(self.seed, ROUNDS + PATIENCE, "converges", &unrest))
    }

    /// All is at rest: a last look, and one into the books. Root answers whatever it is asked, and
    /// each answer that was waited for has come.
    fn close(&mut self, round: u64) -> Result<(), Failure> {
        self.close_look(round)?;
        let books = rest::check_books(&mut self.world, self.troubles.meddled());
        books.map_err(|what| broken(self.seed, round, "conserved", &what))?;
        self.close_look(round)?;
        let unread = self.watch.unread();
        if let Some(what) = unread {
            return Err(broken(self.seed, round, "wasm", &what));
        }
        let status = self.world.status();
        let status = status.map_err(|error| broken(self.seed, round, "wasm", &error))?;
        self.soaked.upgrades = u64::from(status.incarnation.0 - self.incarnation.0);
        Ok(())
    }

    fn close_look(&mut self, round: u64) -> Result<(), Failure> {
        if self.look(round)? {
            return Ok(());
        }
        let what = "root is at rest and does not answer all that it is asked";
        Err(broken(self.seed, round, "wasm", &what))
    }
}
