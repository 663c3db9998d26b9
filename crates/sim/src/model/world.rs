//! The model world: core's state on plain memories, driven as the shell drives it, one message at a
//! time, with the checkers after every decision.
//!
//! After each decision the checkers look at what it changed. Every [`WHOLE_EVERY`]th decision, after
//! every upgrade and at the end they look at everything: rows and journal against the state, every
//! row, and core's own check with the index against a rebuilt one.

use super::action::Action;
use super::canister::Canister;
use super::draw::RICH;
use super::fleet;
use super::mirror::{Mirror, Rows, rows};
use super::platform::Platform;
use super::swarm::{Fault, Swarm};
use crate::checkers::{self, Checker, Scene};
use crate::dice::Dice;
use hatchery_core::{
    Decision, Event, Input, Memories, Reply, State, Vitals, check, decide, next_wake, plan_pool,
};
use hatchery_types::{CanisterId, Cycles, FleetSpec, Nanos, Outcome, Phase, Registered};
use ic_stable_structures::VectorMemory;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// When the model begins: any instant will do that is not near zero.
const START: Nanos = Nanos::from_secs(1_700_000_000);
/// Decisions in one message before the model says that core spins.
const DECISIONS_MAX: u32 = 2_000;
/// Decisions between two looks at everything.
pub const WHOLE_EVERY: u64 = 100;
/// When a call could not be sent the shell ticks again after this.
const BLOCKED_RETRY: Nanos = Nanos::from_secs(2);

/// A seed that broke something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "seed {seed}, step {step}: {checker}: {what}\nrepeat: cargo xtask sim --seeds 1 --seed {seed}"
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

impl Failure {
    /// A failure of the seed as a whole.
    pub fn of_seed(seed: u64, checker: &str, what: &str) -> Self {
        Failure {
            seed,
            step: 0,
            checker: checker.to_owned(),
            what: what.to_owned(),
        }
    }

    /// It did not come to rest; else it broke an invariant.
    pub fn is_unconverged(&self) -> bool {
        matches!(self.checker.as_str(), "converges" | "spinning")
    }
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Decisions made.
    pub decisions: u64,
    /// How often each fault struck.
    pub faults: BTreeMap<Fault, u64>,
    /// How often each notable thing happened.
    pub seen: BTreeMap<&'static str, u64>,
    /// How often each edge of the state diagram was taken, by cause.
    pub edges: checkers::EdgeCounts,
    /// SHA-256 of all memories at the end.
    pub digest: [u8; 32],
}

/// How closely a world is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// Not at all: for measuring what core itself takes.
    Bare,
    /// Everything after every decision, to see a violation where it happens.
    Closely,
    /// As the module says.
    Usual,
}

/// Runs `steps` random steps of `seed` under every checker, then faults stop and the world must
/// converge.
///
/// # Errors
/// The first violation.
pub fn simulate(seed: u64, steps: u64) -> Result<Report, Failure> {
    let run = |watch| simulate_watched(seed, steps, watch);
    match run(Watch::Usual) {
        Err(late) => Err(run(Watch::Closely).err().unwrap_or(late)),
        report => report,
    }
}

/// [`simulate`] with another watch.
///
/// # Errors
/// The first violation that the watch sees.
pub fn simulate_watched(seed: u64, steps: u64, watch: Watch) -> Result<Report, Failure> {
    let mut world = World::watched(seed, Swarm::new(seed), watch)?;
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
    /// A call could not be sent: the shell ticks again then.
    retry_at: Option<Nanos>,
    pub(super) wanted: FleetSpec,
    /// An operator stops root.
    pub(super) is_stopping: bool,
    /// It is upgraded when nothing is open any more.
    is_upgraded_when_quiet: bool,
    memories: Vec<VectorMemory>,
    watch: Watch,
    pub(super) checkers: Vec<Box<dyn Checker>>,
    edges: checkers::Edges,
    pub(super) mirror: Mirror,
    /// What an operator knew of the canisters when root was reinstalled.
    pub(super) exported: BTreeMap<CanisterId, Registered>,
    /// Every action so far, if they are kept.
    kept: Option<Vec<Action>>,
    pub(super) decisions: u64,
    seen: BTreeMap<&'static str, u64>,
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
        World::watched(seed, swarm, Watch::Usual)
    }

    /// [`World::new`] with another watch.
    ///
    /// # Errors
    /// A violation, however early.
    pub fn watched(seed: u64, swarm: Swarm, watch: Watch) -> Result<Self, Failure> {
        let mut world = World::unborn(seed, swarm, watch);
        world.begin()?;
        Ok(world)
    }

    /// A world whose root has not begun.
    pub(super) fn unborn(seed: u64, swarm: Swarm, watch: Watch) -> Self {
        let memories: Vec<_> = (0..Memories::<VectorMemory>::COUNT)
            .map(|_| VectorMemory::default())
            .collect();
        let wanted = fleet::spec();
        World {
            seed,
            now: START,
            platform: Platform::new(seed, swarm, &wanted.controllers),
            state: open(&memories),
            dice: Dice::new(seed, 0),
            step: 0,
            tick_owed: true,
            retry_at: None,
            wanted,
            is_stopping: false,
            is_upgraded_when_quiet: false,
            memories,
            watch,
            checkers: checkers::all(),
            edges: checkers::Edges::default(),
            mirror: Mirror::default(),
            exported: BTreeMap::new(),
            kept: None,
            decisions: 0,
            seen: BTreeMap::new(),
        }
    }

    /// Lets root begin.
    pub(super) fn begin(&mut self) -> Result<(), Failure> {
        let (module, bytes) = fleet::module();
        for _ in 0..4 {
            let with_root = vec![fleet::stranger(), self.platform.root.0];
            self.platform.create(with_root, Cycles(4 * Cycles::T));
            let foreign = vec![fleet::stranger()];
            self.platform.create(foreign, Cycles(4 * Cycles::T));
        }
        let with_root = vec![fleet::stranger(), self.platform.root.0];
        let far = Canister::created(with_root, Cycles(4 * Cycles::T));
        self.platform.canisters.insert(fleet::far(), far);
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

    /// One random step.
    ///
    /// # Errors
    /// The first violation it led to.
    pub fn step(&mut self) -> Result<(), Failure> {
        let actions = self.draw_step();
        actions.iter().try_for_each(|action| self.act_kept(action))
    }

    /// The actions of the next step.
    pub(super) fn draw_step(&mut self) -> Vec<Action> {
        self.step += 1;
        self.draw()
    }

    /// Lets one thing happen, and keeps it if actions are kept.
    pub(super) fn act_kept(&mut self, action: &Action) -> Result<(), Failure> {
        if let Some(kept) = &mut self.kept {
            kept.push(action.clone());
        }
        self.act(action)
    }

    /// From now on actions and fates are kept, for [`World::kept`].
    pub fn keep(&mut self) {
        self.kept = Some(Vec::new());
        self.platform.record();
    }

    /// The actions since [`World::keep`].
    pub fn kept(&self) -> &[Action] {
        self.kept.as_deref().unwrap_or_default()
    }

    /// One message of root that is not a tick: decide, apply, send. What the requester hears.
    ///
    /// # Errors
    /// The first violation.
    pub fn message(&mut self, input: &Input) -> Result<Reply, Failure> {
        let mut first = None;
        for _ in 0..DECISIONS_MAX {
            let (decision, _) = self.decide_once(input)?;
            first.get_or_insert(decision.reply);
            if !decision.more {
                return Ok(first.unwrap_or_default());
            }
        }
        Err(self.failure("spinning", format!("{input:?} is never done")))
    }

    /// A tick, as the shell makes it: decisions until nothing is left, a call cannot be sent, or
    /// the message has had its share.
    ///
    /// # Errors
    /// The first violation.
    pub fn tick(&mut self) -> Result<(), Failure> {
        self.tick_owed = false;
        self.retry_at = None;
        for _ in 0..DECISIONS_MAX {
            let vitals = self.vitals();
            let (decision, all_sent) = self.decide_once(&Input::Tick(vitals))?;
            if !all_sent {
                self.retry_at = Some(self.now + BLOCKED_RETRY);
                return Ok(());
            }
            if !decision.more {
                return Ok(());
            }
            if self.platform.swarm.splits_tick() {
                self.tick_owed = true;
                return Ok(());
            }
        }
        Err(self.failure("spinning", "a tick is never done".to_owned()))
    }

    pub(super) fn vitals(&self) -> Vitals {
        Vitals {
            liquid: self.platform.liquid(),
            stopping: self.is_stopping,
        }
    }

    /// One decision, carried out; false if a call of it could not be sent.
    fn decide_once(&mut self, input: &Input) -> Result<(Decision, bool), Failure> {
        self.decisions += 1;
        let decision = decide(&self.state, self.now, input);
        self.check_plan(input, &decision)?;
        self.mirror.turn();
        for event in decision.events.iter().cloned() {
            self.write(event);
        }
        let mut unsent = Vec::new();
        for effect in &decision.effects {
            self.note(effect.kind.name());
            let not_sent = self.platform.send(self.now, effect);
            unsent.extend(not_sent.into_iter().map(|(step, outcome)| Input::Outcome {
                effect: effect.id,
                step,
                outcome,
            }));
        }
        self.observe(input, &decision)?;
        let all_sent = unsent.is_empty();
        for outcome in unsent {
            self.message(&outcome)?;
        }
        Ok((decision, all_sent))
    }

    fn write(&mut self, event: Event) {
        self.mirror.follow(&event);
        self.state.apply(self.now, event);
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
        if self.watch == Watch::Bare {
            return Ok(());
        }
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
            (&plan.upgrade, Phase::Upgrading),
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
        self.mirror.turn();
        for event in decision.events.iter().cloned() {
            self.write(event);
        }
        self.observe(input, decision)
    }

    /// Runs every checker on what the decision changed, or on everything.
    fn observe(&mut self, input: &Input, decision: &Decision) -> Result<(), Failure> {
        let is_whole = match self.watch {
            Watch::Bare => return Ok(()),
            Watch::Closely => true,
            Watch::Usual => self.decisions.is_multiple_of(WHOLE_EVERY),
        };
        self.look(input, decision, is_whole)
    }

    /// Looks at everything now.
    ///
    /// # Errors
    /// The first violation.
    pub(super) fn look_at_all(&mut self) -> Result<(), Failure> {
        self.mirror.turn();
        let input = Input::Tick(self.vitals());
        let decision = Decision {
            more: true,
            ..Decision::default()
        };
        self.look(&input, &decision, self.watch != Watch::Bare)
    }

    fn look(&mut self, input: &Input, decision: &Decision, is_whole: bool) -> Result<(), Failure> {
        let scene = Scene {
            now: self.now,
            input,
            decision,
            changes: &self.mirror.changes,
            closed: &self.mirror.closed,
            rows: &self.mirror.rows,
            journal: &self.mirror.journal,
            state: &self.state,
            platform: &self.platform,
            is_whole,
        };
        let checkers = self.checkers.iter_mut().map(|checker| &mut **checker);
        let edges: &mut dyn Checker = &mut self.edges;
        let wrong = checkers.chain([edges]).find_map(|checker| {
            let wrong = checker.check(&scene).err();
            wrong.map(|what| (checker.name(), what))
        });
        if let Some((name, what)) = wrong {
            return Err(self.failure(name, what));
        }
        if !is_whole {
            return Ok(());
        }
        if let Some(what) = self.mirror.difference(&self.state) {
            return Err(self.failure("mirror", what));
        }
        match check(&self.state).into_iter().next() {
            None => Ok(()),
            Some(violation) => Err(self.failure("core", violation.to_string())),
        }
    }

    /// Goes to the next thing that happens by itself, at most `most` ahead, and lets it happen.
    ///
    /// # Errors
    /// The first violation.
    pub fn pass(&mut self, most: Nanos) -> Result<(), Failure> {
        if self.is_upgraded_when_quiet && self.platform.is_quiet() {
            return self.upgrade_now();
        }
        let wake = next_wake(&self.state, self.now);
        let due = self.platform.next_due();
        let next = [wake, due, self.retry_at].into_iter().flatten().min();
        let next = next.unwrap_or(Nanos::MAX);
        self.now = next.min(self.now + most).max(self.now);
        self.platform.run_until(self.now);
        if let Some(answer) = self.platform.take_answer(self.now) {
            self.note(outcome_name(&answer.outcome));
            self.tick_owed = true;
            let (effect, step, outcome) = (answer.effect, answer.step, answer.outcome);
            let input = Input::Outcome {
                effect,
                step,
                outcome,
            };
            return self.message(&input).map(drop);
        }
        let is_due = |at: Option<Nanos>| at.is_some_and(|at| at <= self.now);
        if self.tick_owed || is_due(wake) || is_due(self.retry_at) {
            return self.tick();
        }
        Ok(())
    }

    /// Root is upgraded whatever is open.
    pub(super) fn upgrade_by_force(&mut self) -> Result<(), Failure> {
        self.reopen()?;
        self.platform.lose_answers();
        self.start_again()
    }

    /// Root is stopped; it is upgraded as soon as nothing is open.
    pub(super) fn upgrade_politely(&mut self) {
        self.is_stopping = true;
        self.is_upgraded_when_quiet = true;
    }

    /// The polite upgrade that was waited for.
    fn upgrade_now(&mut self) -> Result<(), Failure> {
        self.reopen()?;
        self.is_stopping = false;
        self.note("polite upgrade done");
        self.start_again()
    }

    fn start_again(&mut self) -> Result<(), Failure> {
        self.is_upgraded_when_quiet = false;
        self.tick_owed = true;
        let root = self.platform.root;
        self.message(&Input::Started { root })?;
        self.look_at_all()
    }

    /// What was on the heap is gone, the memories stay.
    fn reopen(&mut self) -> Result<(), Failure> {
        let before = counted(&self.state);
        self.state = open(&self.memories);
        self.platform.deployments += 1;
        let after = counted(&self.state);
        if after != before {
            return Err(self.failure("upgrade", format!("{before:?} opened as {after:?}")));
        }
        Ok(())
    }

    /// Nothing is left of what root knew.
    pub(super) fn renew_memory(&mut self) {
        self.memories.fill_with(VectorMemory::default);
        self.state = open(&self.memories);
        self.retry_at = None;
        self.is_upgraded_when_quiet = false;
    }

    /// Moves that are not on the list are counted and no violation.
    pub(super) fn allow_every_edge(&mut self) {
        self.edges.allow_all();
    }

    /// No operator interferes any more.
    pub(super) fn be_left_alone(&mut self) {
        self.platform.swarm.stop();
        self.platform.balance = RICH;
        self.is_stopping = false;
        self.is_upgraded_when_quiet = false;
    }

    pub(super) fn note(&mut self, name: &'static str) {
        *self.seen.entry(name).or_default() += 1;
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
        &self.mirror.rows
    }

    /// The rows, read from the state.
    pub(super) fn read_rows(&self) -> Rows {
        rows(&self.state)
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
            faults: self.platform.swarm.struck(),
            seen: self.seen.clone(),
            edges: self.edges.counts().clone(),
            digest: digest.finalize().into(),
        }
    }
}

fn open(memories: &[VectorMemory]) -> State<VectorMemory> {
    let memories = Memories::new(|index| memories[usize::from(index)].clone());
    State::open(memories).expect("bug: the layout is this very version's")
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

fn outcome_name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done(_) => "outcome done",
        Outcome::Refused(_) => "outcome refused",
        Outcome::NotExecuted(_) => "outcome not executed",
        Outcome::InProgress => "outcome in progress",
        Outcome::Unknown(_) => "outcome unknown",
    }
}
