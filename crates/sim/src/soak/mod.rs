//! The wasm level at length: the real root and a hundred real workers and more on the engine, with
//! its faults, people who meddle, and upgrades; then faults stop and the fleet must come to rest.
//!
//! What is checked, from outside, is in [`watch`], and in [`rest`] once it is over; what happens is
//! drawn in [`draw`] or read from a [`story`], and done in [`act`]. A seed that fails is made small in
//! [`small`].

mod act;
mod deed;
mod draw;
mod faults;
mod keeper;
mod least;
mod rest;
mod small;
mod story;
mod tenants;
mod upgrades;
mod watch;
mod words;

pub use deed::{Deed, Meddling, Order, Wish};
pub use faults::Fault;
pub use keeper::Version;
pub use small::{TRIALS_MAX, shrink};
pub use story::Story;

use crate::demo::read_fleet;
use crate::model::Failure;
use crate::world::{CallError, FleetWorld, stranger};
use candid::Principal;
use draw::Drawer;
use faults::Faults;
use hatchery_types::{Cycles, FleetSpec, Incarnation, UpgradeSpec};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use upgrades::Upgrades;
use watch::Watch;

/// The fleet.
const FLEET: &str = include_str!("fleet.toml");
/// Rounds with faults.
pub const ROUNDS: u64 = 1_000;
/// Virtual time of a round.
const ROUND_NS: u64 = 500_000_000;
/// Rounds between two looks.
const LOOK_EVERY: u64 = 20;
/// Rounds in which upgrades under way come to their end when nothing goes wrong any more.
const UPGRADE_ROUNDS_MAX: u64 = 2_000;
/// The members' module at rest.
const SETTLED: Version = Version::Good(100);
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
    /// SHA-256 of root's memory, of the cycles of all and of the time at the end.
    pub digest: [u8; 32],
}

/// The faults that are upgrades of root; they count when they are done.
const FORCED: &str = "upgraded-forced";
const POLITE: &str = "upgraded-polite";

/// Runs one seed.
///
/// # Errors
/// The first violation, what did not come to rest, or that too little happened for the seed to mean
/// anything.
pub fn soak(seed: u64, modules: &Modules) -> Result<Soaked, Failure> {
    tell(seed, modules).0
}

/// Runs one seed, and tells what happened in it: up to its failure, if it fails.
///
/// # Errors
/// As [`soak`].
pub fn tell(seed: u64, modules: &Modules) -> (Result<Soaked, Failure>, Story) {
    let mut drawer = Drawer::new(seed);
    let story = Story {
        seed,
        rounds: ROUNDS,
        faults: drawer.draw_faults(ROUNDS),
        deeds: Vec::new(),
        rests: true,
    };
    let (result, story) = run(story, Some(drawer), modules);
    let result = result.and_then(|soaked| match least::missing(&soaked) {
        None => Ok(soaked),
        Some(what) => Err(broken(seed, soaked.rounds, "eventful", &what)),
    });
    (result, story)
}

/// Lets a story happen again.
///
/// # Errors
/// The first violation, or what did not come to rest.
pub fn replay(story: &Story, modules: &Modules) -> Result<Soaked, Failure> {
    run(story.clone(), None, modules).0
}

/// Runs the story, which is told on the way if there is somebody who draws.
fn run(
    story: Story,
    drawer: Option<Drawer>,
    modules: &Modules,
) -> (Result<Soaked, Failure>, Story) {
    let mut soak = match Soak::start(&story, drawer, modules) {
        Ok(soak) => soak,
        Err(error) => return (Err(broken(story.seed, 0, "start", &error)), story),
    };
    let result = soak.run(modules);
    (result.map(|()| soak.soaked), soak.story)
}

fn broken(seed: u64, step: u64, checker: &str, what: &dyn std::fmt::Display) -> Failure {
    Failure {
        step,
        ..Failure::of_seed(seed, checker, &what.to_string())
    }
}

struct Soak {
    world: FleetWorld,
    spec: FleetSpec,
    story: Story,
    /// Who draws what happens; none = the story says it.
    drawer: Option<Drawer>,
    /// Deeds of the story that are done.
    done: usize,
    faults: Faults,
    upgrades: Upgrades,
    /// Canisters changed behind root's back.
    meddled: BTreeSet<Principal>,
    /// How the members get another module by themselves, while they do.
    rule: Option<UpgradeSpec>,
    watch: Watch,
    /// Root's when it began.
    incarnation: Incarnation,
    soaked: Soaked,
}

impl Soak {
    fn start(story: &Story, drawer: Option<Drawer>, modules: &Modules) -> Result<Soak, CallError> {
        let mut world = FleetWorld::start(story.seed, modules.cache_dir.clone(), &modules.root)?;
        let module = world.upload_module(&modules.worker)?;
        let mut spec = read_fleet(FLEET, module).expect("bug: the fleet of the wasm level is one");
        let rule = tenants::role(&spec).upgrade;
        tenants::set_version(&mut world, &mut spec, Version::Good(0), rule);
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
            story: story.clone(),
            drawer,
            done: 0,
            faults: Faults::default(),
            upgrades: Upgrades::new(),
            meddled: BTreeSet::new(),
            rule,
            watch,
            incarnation,
            soaked: Soaked::default(),
            world,
            spec,
        })
    }

    fn run(&mut self, modules: &Modules) -> Result<(), Failure> {
        for round in 0..self.story.rounds {
            let result = self.round(round, modules);
            if result.is_err() {
                // What would have happened later is no part of the story.
                (self.story.rounds, self.story.rests) = (round + 1, false);
            }
            result?;
        }
        if self.story.rests {
            self.come_to_rest(modules)?;
        }
        self.soaked.seen = self.watch.seen();
        self.soaked.digest = self.digest();
        Ok(())
    }

    fn round(&mut self, round: u64, modules: &Modules) -> Result<(), Failure> {
        self.faults.hold(&mut self.world, &self.story.faults, round);
        self.draw(round, modules);
        self.act_out(round, modules);
        self.upgrades.go_on(&mut self.world, modules);
        self.world.pass(1, ROUND_NS);
        if round.is_multiple_of(LOOK_EVERY) {
            self.look(round)?;
        }
        Ok(())
    }

    /// Draws what happens in a round; each deed is done before the next is drawn.
    fn draw(&mut self, round: u64, modules: &Modules) {
        let Some(mut drawer) = self.drawer.take() else {
            return;
        };
        for draw in Drawer::STAGES {
            let deed = draw(&mut drawer, round, &mut self.world, &self.spec);
            self.story.deeds.extend(deed.map(|deed| (round, deed)));
            self.act_out(round, modules);
        }
        self.drawer = Some(drawer);
    }

    /// Does what the story says up to that round.
    fn act_out(&mut self, round: u64, modules: &Modules) {
        while let Some((at, deed)) = self.story.deeds.get(self.done).cloned()
            && at <= round
        {
            self.done += 1;
            self.act(&deed, modules);
        }
    }

    fn digest(&self) -> [u8; 32] {
        let engine = &self.world.engine;
        let mut digest = Sha256::new();
        digest.update(engine.stable_memory(self.world.root.0).unwrap_or_default());
        for id in engine.canisters() {
            let cycles = engine.canister(id).map_or(0, |view| view.cycles);
            digest.update(cycles.to_le_bytes());
        }
        digest.update(engine.now_ns().to_le_bytes());
        digest.update(engine.round().to_le_bytes());
        digest.finalize().into()
    }

    fn broken(&self, step: u64, checker: &str, what: &dyn std::fmt::Display) -> Failure {
        broken(self.story.seed, step, checker, what)
    }

    /// Looks at everything; false: root did not answer all that was asked.
    fn look(&mut self, round: u64) -> Result<bool, Failure> {
        let looked = self.watch.look(&mut self.world, &self.spec, &self.meddled);
        self.soaked.looks += 1;
        self.soaked.looks_complete += u64::from(matches!(looked, Ok(true)));
        self.soaked.canisters = self.soaked.canisters.max(self.watch.canisters());
        self.soaked.rounds = self.world.engine.round();
        looked.map_err(|wrong| self.broken(round, wrong.checker, &wrong.what))
    }

    /// Faults stop, operators resume and requeue, and roll out a good module; all pools must get
    /// within their bounds, or say what holds them back, and nothing may be left in flight.
    fn come_to_rest(&mut self, modules: &Modules) -> Result<(), Failure> {
        self.make_peace(modules);
        let begun = self.story.rounds;
        let mut unrest = String::new();
        for round in 0..PATIENCE {
            let is_long = round >= LONG_AFTER;
            let length = [REST_ROUND_NS, LONG_ROUND_NS][usize::from(is_long)];
            self.world.pass(1, length);
            if !round.is_multiple_of(LOOK_EVERY) {
                continue;
            }
            self.look(begun + round)?;
            match rest::unrest(&mut self.world, &self.spec) {
                Ok(None) => return self.close(begun + round),
                Ok(Some(what)) => unrest = what,
                Err(error) => unrest = error.to_string(),
            }
        }
        Err(self.broken(begun + PATIENCE, "converges", &unrest))
    }

    /// Nothing goes wrong any more; upgrades under way are brought to their end.
    fn make_peace(&mut self, modules: &Modules) {
        self.faults.hold(&mut self.world, &[], self.story.rounds);
        for _ in 0..UPGRADE_ROUNDS_MAX {
            if self.upgrades.are_over() {
                break;
            }
            self.upgrades.go_on(&mut self.world, modules);
            self.world.pass(1, ROUND_NS);
        }
        self.soaked.faults.extend(self.faults.struck().clone());
        let upgrades = [
            (FORCED, self.upgrades.forced),
            (POLITE, self.upgrades.polite),
        ];
        let upgrades = upgrades.map(|(name, count)| (name.to_owned(), count));
        self.soaked.faults.extend(upgrades);
        self.submit("rest-1", &Order::Resume);
        self.submit("rest-2", &Order::Requeue);
        let rule = self.rule;
        self.respec(|world, spec| tenants::set_version(world, spec, SETTLED, rule));
    }

    /// All is at rest: a last look, and one into the books. Root answers whatever it is asked, and
    /// each answer that was waited for has come.
    fn close(&mut self, round: u64) -> Result<(), Failure> {
        self.close_look(round)?;
        let books = rest::check_books(&mut self.world, &self.meddled);
        books.map_err(|what| self.broken(round, "conserved", &what))?;
        self.close_look(round)?;
        if let Some(what) = self.watch.unread() {
            return Err(self.broken(round, "answered", &what));
        }
        let status = self.world.status();
        let status = status.map_err(|error| self.broken(round, "answered", &error))?;
        self.soaked.upgrades = u64::from(status.incarnation.0 - self.incarnation.0);
        Ok(())
    }

    fn close_look(&mut self, round: u64) -> Result<(), Failure> {
        if self.look(round)? {
            return Ok(());
        }
        let what = "root is at rest and does not answer all that it is asked";
        Err(self.broken(round, "answered", &what))
    }
}
