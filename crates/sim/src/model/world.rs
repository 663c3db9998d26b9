//! The model world: core's state on plain memories, driven as the shell drives it, one message at a
//! time, with the checkers after every decision.

use super::fleet;
use super::platform::Platform;
use super::swarm::{Fault, Swarm};
use crate::checkers::{self, Checker, Rows, Scene};
use crate::dice::Dice;
use hatchery_core::{
    Decision, Event, Input, Memories, Reply, State, Vitals, check, decide, next_wake, plan_pool,
};
use hatchery_types::{CanisterId, Cycles, Effect, FleetSpec, Nanos, Phase};
use ic_stable_structures::VectorMemory;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// When the model begins: any instant will do that is not near zero.
const START: Nanos = Nanos::from_secs(1_700_000_000);
/// Decisions in one message before the model says that core spins.
const DECISIONS_MAX: u32 = 2_000;

/// A seed that broke something, and how to see it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "seed {seed}, step {step}: {checker}: {what}\nrepeat: HATCHERY_SEED={seed} cargo test -p hatchery-sim --test it model_one_seed -- --nocapture"
)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The step after which it was seen.
    pub step: u64,
    /// Who saw it.
    pub checker: String,
    /// What.
    pub what: String,
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Decisions made.
    pub decisions: u64,
    /// How often each fault struck.
    pub faults: BTreeMap<Fault, u64>,
    /// How often each notable thing happened.
    pub seen: BTreeMap<String, u64>,
    /// SHA-256 of all memories at the end.
    pub digest: [u8; 32],
}

/// Runs `steps` random steps of `seed` under every checker, then faults stop and the world must
/// converge.
///
/// # Errors
/// The first violation.
pub fn simulate(seed: u64, steps: u64) -> Result<Report, Failure> {
    let mut world = World::new(seed, Swarm::new(seed))?;
    for _ in 0..steps {
        world.step()?;
    }
    world.converge()?;
    Ok(world.report())
}

/// Core, the platform, and everybody around them.
pub struct World {
    /// Where all randomness comes from.
    pub seed: u64,
    /// The time of the message under way.
    pub now: Nanos,
    /// The platform's truth.
    pub platform: Platform,
    pub(super) state: State<VectorMemory>,
    pub(super) dice: Dice,
    pub(super) step: u64,
    /// Something happened that the shell follows with a tick.
    pub(super) tick_owed: bool,
    pub(super) wanted: FleetSpec,
    pub(super) root_stopping: bool,
    memories: Vec<VectorMemory>,
    checkers: Vec<Box<dyn Checker>>,
    rows: Rows,
    decisions: u64,
    seen: BTreeMap<String, u64>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "World of seed {} at step {}", self.seed, self.step)
    }
}

impl World {
    /// A fresh root with its spec and module, and some canisters that are not the fleet's.
    ///
    /// # Errors
    /// A violation, however early.
    pub fn new(seed: u64, swarm: Swarm) -> Result<Self, Failure> {
        let memories: Vec<_> = (0..Memories::<VectorMemory>::COUNT)
            .map(|_| VectorMemory::default())
            .collect();
        let wanted = fleet::spec();
        let mut world = World {
            seed,
            now: START,
            platform: Platform::new(seed, swarm, &wanted.controllers),
            state: open(&memories),
            dice: Dice::new(seed, 0),
            step: 0,
            tick_owed: true,
            wanted,
            root_stopping: false,
            memories,
            checkers: checkers::all(),
            rows: Rows::new(),
            decisions: 0,
            seen: BTreeMap::new(),
        };
        world.begin()?;
        Ok(world)
    }

    fn begin(&mut self) -> Result<(), Failure> {
        let (module, bytes) = fleet::module();
        for _ in 0..4 {
            let with_root = vec![fleet::stranger(), self.platform.root.0];
            self.platform.create(with_root, Cycles(4 * Cycles::T));
            let foreign = vec![fleet::stranger()];
            self.platform.create(foreign, Cycles(4 * Cycles::T));
        }
        self.message(&Input::Started {
            root: self.platform.root,
        })?;
        self.message(&Input::StageChunk {
            module,
            index: 0,
            bytes,
        })?;
        self.message(&Input::CommitModule { module, chunks: 1 })?;
        self.message(&Input::Apply(Box::new(self.wanted.clone())))?;
        Ok(())
    }

    /// One message of root: decide, apply, send, and again while there is more; every decision is
    /// checked. What the requester hears.
    ///
    /// # Errors
    /// The first violation.
    pub fn message(&mut self, input: &Input) -> Result<Reply, Failure> {
        let mut first = None;
        for _ in 0..DECISIONS_MAX {
            let decision = self.decide_once(input)?;
            let more = decision.more;
            first.get_or_insert(decision.reply);
            if !more {
                return Ok(first.unwrap_or_default());
            }
        }
        Err(self.failure("spinning", format!("{input:?} is never done")))
    }

    fn decide_once(&mut self, input: &Input) -> Result<Decision, Failure> {
        self.decisions += 1;
        let decision = decide(&self.state, self.now, input);
        self.check_plan(input, &decision)?;
        for event in decision.events.iter().cloned() {
            self.state.apply(self.now, event);
        }
        for effect in &decision.effects {
            self.note(&format!("effect {}", effect.kind));
            self.platform.send(self.now, effect);
        }
        self.observe(input, &decision)?;
        Ok(decision)
    }

    /// The dry run names exactly what the tick then does.
    fn check_plan(&self, input: &Input, decision: &Decision) -> Result<(), Failure> {
        let planned = decision.events.iter().find_map(|event| match event {
            Event::PoolPlanned { pool, .. } => Some(pool),
            _ => None,
        });
        let (Some(pool), Input::Tick(vitals)) = (planned, input) else {
            return Ok(());
        };
        let Some(plan) = plan_pool(&self.state, self.now, vitals, pool) else {
            return Ok(());
        };
        let moved = |phase: Phase| -> Vec<CanisterId> {
            let rows = decision.events.iter().filter_map(|event| match event {
                Event::RowChanged(row) if row.phase == phase => Some(row.canister),
                _ => None,
            });
            rows.collect()
        };
        let to_service = [&plan.uncordon[..], &plan.promote[..]].concat();
        let pairs = [
            (&to_service, Phase::InService),
            (&plan.cordon, Phase::Draining),
            (&plan.claim, Phase::Installing),
            (&plan.release, Phase::Stopping),
        ];
        match pairs
            .into_iter()
            .find(|(named, phase)| **named != moved(*phase))
        {
            None => Ok(()),
            Some((named, phase)) => {
                let did = moved(phase);
                Err(self.failure(
                    "plan = act",
                    format!("{pool}: planned {named:?}, did {did:?}"),
                ))
            }
        }
    }

    /// Applies a decision that core did not make and lets the checkers look at it: the way to see
    /// a checker fail.
    ///
    /// # Errors
    /// What the first checker says.
    pub fn plant(&mut self, input: &Input, decision: &Decision) -> Result<(), Failure> {
        for event in decision.events.iter().cloned() {
            self.state.apply(self.now, event);
        }
        self.observe(input, decision)
    }

    /// Runs every checker, and core's own, on what the decision left.
    fn observe(&mut self, input: &Input, decision: &Decision) -> Result<(), Failure> {
        let after = rows(&self.state);
        let effects: Vec<Effect> = self.state.effects(None, usize::MAX);
        let scene = Scene {
            now: self.now,
            input,
            decision,
            before: &self.rows,
            after: &after,
            effects: &effects,
            state: &self.state,
            platform: &self.platform,
        };
        let seen = self.checkers.iter_mut().find_map(|checker| {
            checker
                .check(&scene)
                .err()
                .map(|what| (checker.name(), what))
        });
        for (_, row) in scene.moved() {
            let name = format!("phase {}", row.phase);
            *self.seen.entry(name).or_default() += 1;
        }
        if let Some((name, what)) = seen {
            return Err(self.failure(name, what));
        }
        if let Some(violation) = check(&self.state).into_iter().next() {
            return Err(self.failure("core", violation.to_string()));
        }
        self.rows = after;
        Ok(())
    }

    /// A tick, as the shell makes it.
    ///
    /// # Errors
    /// The first violation.
    pub fn tick(&mut self) -> Result<(), Failure> {
        self.tick_owed = false;
        let vitals = Vitals {
            liquid: self.platform.liquid,
            stopping: self.root_stopping,
        };
        self.message(&Input::Tick(vitals)).map(drop)
    }

    /// Goes to the next thing that happens by itself, at most `most` ahead, and lets it happen.
    ///
    /// # Errors
    /// The first violation.
    pub fn pass(&mut self, most: Nanos) -> Result<(), Failure> {
        let wake = next_wake(&self.state, self.now);
        let due = self.platform.next_due();
        let next = wake.into_iter().chain(due).min().unwrap_or(Nanos::MAX);
        self.now = next.min(self.now + most).max(self.now);
        self.platform.run_until(self.now);
        if let Some(answer) = self.platform.take_answer(self.now) {
            self.note(outcome_name(&answer.outcome));
            self.tick_owed = true;
            let (effect, step, outcome) = (answer.effect, answer.step, answer.outcome);
            return self
                .message(&Input::Outcome {
                    effect,
                    step,
                    outcome,
                })
                .map(drop);
        }
        if self.tick_owed || wake.is_some_and(|wake| wake <= self.now) {
            return self.tick();
        }
        Ok(())
    }

    /// Root is upgraded by force: what was on the heap is gone, the memories stay.
    ///
    /// # Errors
    /// The first violation; among them an index that the opened state rebuilds otherwise.
    pub fn upgrade(&mut self) -> Result<(), Failure> {
        let before = counted(&self.state);
        self.state = open(&self.memories);
        let after = counted(&self.state);
        if after != before {
            return Err(self.failure("upgrade", format!("{before:?} opened as {after:?}")));
        }
        self.platform.lose_answers();
        self.tick_owed = true;
        self.message(&Input::Started {
            root: self.platform.root,
        })
        .map(drop)
    }

    pub(super) fn note(&mut self, name: &str) {
        *self.seen.entry(name.to_owned()).or_default() += 1;
    }

    pub(super) fn failure(&self, checker: &str, what: String) -> Failure {
        Failure {
            seed: self.seed,
            step: self.step,
            checker: checker.to_owned(),
            what,
        }
    }

    /// The rows after the last decision.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The state, to read.
    pub fn state(&self) -> &State<VectorMemory> {
        &self.state
    }

    /// What the run did so far.
    pub fn report(&self) -> Report {
        let mut digest = Sha256::new();
        for memory in &self.memories {
            digest.update(&*memory.borrow());
        }
        Report {
            decisions: self.decisions,
            faults: self.platform.swarm.struck().clone(),
            seen: self.seen.clone(),
            digest: digest.finalize().into(),
        }
    }
}

fn open(memories: &[VectorMemory]) -> State<VectorMemory> {
    let memories = Memories::new(|index| memories[usize::from(index)].clone());
    State::open(memories).expect("bug: the layout is this very version's")
}

fn rows(state: &State<VectorMemory>) -> Rows {
    let (rows, _) = state.rows(None, None, 1_000);
    rows.into_iter().map(|row| (row.canister, row)).collect()
}

/// What an opened state must count as before.
fn counted(state: &State<VectorMemory>) -> (Vec<u64>, Vec<(&'static str, u64)>, u64) {
    let counts = state.counts();
    let phases = Phase::ALL
        .into_iter()
        .map(|phase| counts.phase(phase))
        .collect();
    let effects = counts.effects().filter(|(_, count)| *count > 0).collect();
    (phases, effects, state.lost_creations())
}

fn outcome_name(outcome: &hatchery_types::Outcome) -> &'static str {
    use hatchery_types::Outcome;
    match outcome {
        Outcome::Done(_) => "outcome done",
        Outcome::Refused(_) => "outcome refused",
        Outcome::NotExecuted(_) => "outcome not executed",
        Outcome::InProgress => "outcome in progress",
        Outcome::Unknown(_) => "outcome unknown",
    }
}
