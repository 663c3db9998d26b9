//! Every kind of effect × every step of it × everything that can become of the step × an upgrade of
//! root before it ran, before its answer, before its answer was acted on, or none: not drawn, but
//! enumerated from the types.

use super::action::{Action, Meddling};
use super::fate::{CallName, Fate, Script};
use super::kinds::every_kind;
use super::platform::Call;
use super::swarm::{Fault, Swarm};
use super::world::{Failure, Watch, World};
use hatchery_types::{EffectKind, Nanos, Step};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// When root is upgraded by force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Upgrade {
    No,
    /// The call is on its way.
    Before,
    /// It ran; its answer is on its way.
    During,
    /// The outcome is recorded and nothing is concluded from it.
    After,
}

const UPGRADES: [Upgrade; 4] = [
    Upgrade::No,
    Upgrade::Before,
    Upgrade::During,
    Upgrade::After,
];

/// What becomes of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    Is(Fault),
    /// The canister is deleted by somebody else just before the step runs.
    Gone,
    /// The answer comes after every patience is over.
    Late,
    /// The answer finds nobody home; without an upgrade there is no such thing.
    Lost,
}

const ENDS: [End; 11] = [
    End::Done,
    End::Is(Fault::Refused),
    End::Is(Fault::NotExecuted),
    End::Is(Fault::NotSent),
    End::Is(Fault::StopInProgress),
    End::Is(Fault::UnknownRan),
    End::Is(Fault::UnknownNotRan),
    End::Is(Fault::Undecodable),
    End::Gone,
    End::Late,
    End::Lost,
];

/// Longer than the ten minutes after which an absent result counts as absent.
const VERY_LATE: Nanos = Nanos::from_secs(700);
/// Worlds looked through for an effect of a kind, without faults and with.
const SEEDS_LOOKED_AT: u64 = 100;
/// Steps of each.
const STEPS_LOOKED_AT: u64 = 300;
/// Steps after the case, before faults are said to be over.
const STEPS_AFTER: u64 = 10;

/// What the pass came to.
#[derive(Debug, Default)]
pub struct Exhausted {
    /// Cases run.
    pub cases: u64,
    /// Kinds that no world led to.
    pub unreached: Vec<String>,
    /// Cases that broke something: their name and what.
    pub failures: Vec<(String, Failure)>,
}

/// Runs every case, on that many threads; on one, it is the caller's own.
pub fn exhaust(threads: usize) -> Exhausted {
    let kinds = every_kind();
    let scenes = scenes(&kinds);
    let mut result = Exhausted::default();
    let mut cases = Vec::new();
    for (kind, scene) in kinds.iter().zip(&scenes) {
        match scene {
            Some(scene) => cases.extend(scene.cases()),
            None => result.unreached.push(format!("{kind:?}")),
        }
    }
    result.cases = cases.len() as u64;
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(BTreeMap::new());
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = cases.get(number) else {
                return;
            };
            if let Err(failure) = case.run() {
                let mut failures = failures.lock().expect("bug: a case panicked");
                failures.insert(number, (case.to_string(), failure));
            }
        }
    };
    if threads < 2 {
        work();
    } else {
        std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    }
    let failures = failures.into_inner().expect("bug: a case panicked");
    result.failures = failures.into_values().collect();
    result
}

/// A world up to the moment at which an effect of some kind was sent.
#[derive(Debug)]
struct Scene {
    seed: u64,
    splits: u32,
    kind: EffectKind,
    actions: Vec<Action>,
    script: Script,
    /// The first step's call.
    call: CallName,
}

/// For each kind the shortest scene that any of the worlds leads to: every case plays it again.
fn scenes(kinds: &[EffectKind]) -> Vec<Option<Scene>> {
    let mut scenes: Vec<Option<Scene>> = kinds.iter().map(|_| None).collect();
    let quiet = (0..SEEDS_LOOKED_AT).map(|seed| (seed, Swarm::none(seed)));
    let loud = (0..SEEDS_LOOKED_AT).map(|seed| (seed, Swarm::new(seed)));
    for (seed, swarm) in quiet.chain(loud) {
        let mut world = World::unborn(seed, swarm, Watch::Bare);
        world.keep();
        // A world that breaks leads nowhere from there on.
        let _broken = look_for(kinds, &mut world, &mut scenes);
    }
    scenes
}

fn look_for(
    kinds: &[EffectKind],
    world: &mut World,
    scenes: &mut [Option<Scene>],
) -> Result<(), Failure> {
    world.begin()?;
    for _ in 0..STEPS_LOOKED_AT {
        for action in world.draw_step() {
            world.act_kept(&action)?;
            let length = world.kept().len();
            for (kind, scene) in kinds.iter().zip(&mut *scenes) {
                if scene
                    .as_ref()
                    .is_none_or(|scene| scene.actions.len() > length)
                    && let Some(found) = Scene::here(kind, world)
                {
                    *scene = Some(found);
                }
            }
            if scenes
                .iter()
                .flatten()
                .all(|scene| scene.actions.len() <= length)
                && scenes.iter().all(Option::is_some)
            {
                return Ok(());
            }
        }
    }
    Ok(())
}

impl Scene {
    /// The world as it is, if an effect of that kind is on its way.
    fn here(kind: &EffectKind, world: &World) -> Option<Scene> {
        let mut calls = world.platform.calls();
        let is_first = |call: &&Call| call.index == 0 && call.kind.steps() == kind.steps();
        let call = calls.find(is_first)?;
        Some(Scene {
            seed: world.seed,
            splits: world.platform.swarm.permille(Fault::TickSplit),
            kind: kind.clone(),
            actions: world.kept().to_vec(),
            script: world.platform.recorded(),
            call: call.name,
        })
    }

    /// Every step × end × upgrade.
    fn cases(&self) -> impl Iterator<Item = Case<'_>> {
        let steps = 0..self.kind.steps().len() as u8;
        let ends = steps.flat_map(|step| ENDS.map(|end| (step, end)));
        let cases = ends.flat_map(|(step, end)| UPGRADES.map(|upgrade| (step, end, upgrade)));
        let has_target = self.call.canister != super::canister_id(0);
        let is_one = move |(_, end, upgrade): &(u8, End, Upgrade)| match end {
            End::Lost => !matches!(upgrade, Upgrade::No | Upgrade::After),
            End::Gone => has_target,
            _ => true,
        };
        cases.filter(is_one).map(|(step, end, upgrade)| Case {
            scene: self,
            step,
            end,
            upgrade,
        })
    }
}

/// One way a scene goes on.
struct Case<'a> {
    scene: &'a Scene,
    step: u8,
    end: End,
    upgrade: Upgrade,
}

impl std::fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, step) = (&self.scene.kind, self.step);
        let (end, upgrade) = (self.end, self.upgrade);
        write!(f, "{kind:?}, step {step} {end:?}, upgrade {upgrade:?}")
    }
}

impl Case<'_> {
    fn run(&self) -> Result<(), Failure> {
        let scene = self.scene;
        let steps = scene.kind.steps();
        let target = CallName {
            index: self.step,
            ..scene.call
        };
        let mut script = scene.script.clone();
        let usual = script.get(&target).copied().unwrap_or(Fate::GOOD);
        script.insert(target, fate(usual, self.end));
        let mut swarm = Swarm::none(scene.seed);
        swarm.set(Fault::TickSplit, scene.splits);
        let mut world = World::unborn(scene.seed, swarm, Watch::Closely);
        if self.end == End::Is(Fault::StopInProgress) && steps[usize::from(self.step)] != Step::Stop
        {
            // The platform has no such outcome for this step, so its edges are on no list.
            world.allow_every_edge();
        }
        world.platform.follow(script);
        world.begin()?;
        for action in &scene.actions {
            world.act(action)?;
        }
        if self.end != End::Is(Fault::NotSent) && !is_under_way(&world, target) {
            let what = "the step is not under way".to_owned();
            return Err(world.failure("exhaustive", what));
        }
        if self.end == End::Gone {
            delete_before(&mut world, target)?;
        }
        upgrade_at(&mut world, target, self.upgrade)?;
        for _ in 0..STEPS_AFTER {
            world.step()?;
        }
        world.converge()
    }
}

fn fate(usual: Fate, end: End) -> Fate {
    match end {
        End::Done | End::Gone => Fate {
            fault: None,
            ..usual
        },
        End::Is(fault) => Fate {
            fault: Some(fault),
            ..usual
        },
        End::Late => Fate {
            fault: None,
            answers_after: VERY_LATE,
            ..usual
        },
        End::Lost => Fate {
            fault: None,
            lost: true,
            ..usual
        },
    }
}

fn is_under_way(world: &World, target: CallName) -> bool {
    world.platform.calls().any(|call| call.name == target)
}

/// Once the steps before it ran, the canister is deleted.
fn delete_before(world: &mut World, target: CallName) -> Result<(), Failure> {
    let before = (0..target.index).map(|index| CallName { index, ..target });
    for step in before {
        while is_under_way(world, step) && is_under_way(world, target) {
            world.pass(Nanos::from_secs(1))?;
        }
    }
    world.act(&Action::Meddle(Meddling::Deleted, target.canister))
}

/// Lets time pass until the call is where the case wants it, then upgrades root.
fn upgrade_at(world: &mut World, target: CallName, upgrade: Upgrade) -> Result<(), Failure> {
    let is_there = |world: &World| match upgrade {
        Upgrade::No | Upgrade::Before => true,
        Upgrade::During => !is_under_way(world, target),
        Upgrade::After => {
            let mut answers = world.platform.answers();
            !is_under_way(world, target) && !answers.any(|answer| answer.call == target)
        }
    };
    for _ in 0..10_000 {
        if is_there(world) {
            return match upgrade {
                Upgrade::No => Ok(()),
                _ => world.act(&Action::UpgradeForced),
            };
        }
        world.pass(Nanos::from_secs(1))?;
    }
    Err(world.failure("exhaustive", "the call never got there".to_owned()))
}
