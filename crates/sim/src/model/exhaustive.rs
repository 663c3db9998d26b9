//! Every kind of effect × every step of it × everything that can become of the step × an upgrade of
//! root before it ran, before its answer, before its answer was acted on, or none: not drawn, but
//! enumerated from the types.

use super::action::Action;
use super::fate::{CallName, Fate, Script};
use super::kinds::every_kind;
use super::swarm::{Fault, Swarm};
use super::world::{Failure, Watch, World};
use hatchery_types::{EffectKind, Nanos, Step};

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
    /// The answer comes after every patience is over.
    Late,
    /// The answer finds nobody home; without an upgrade there is no such thing.
    Lost,
}

const ENDS: [End; 10] = [
    End::Done,
    End::Is(Fault::Refused),
    End::Is(Fault::NotExecuted),
    End::Is(Fault::NotSent),
    End::Is(Fault::StopInProgress),
    End::Is(Fault::UnknownRan),
    End::Is(Fault::UnknownNotRan),
    End::Is(Fault::Undecodable),
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

/// Runs every case.
pub fn exhaust() -> Exhausted {
    let mut result = Exhausted::default();
    for kind in every_kind() {
        match Scene::leading_to(&kind) {
            Some(scene) => scene.run_all(&mut result),
            None => result.unreached.push(format!("{kind:?}")),
        }
    }
    result
}

/// A world up to the moment at which an effect of some kind was sent.
struct Scene {
    seed: u64,
    kind: EffectKind,
    actions: Vec<Action>,
    script: Script,
    /// The first step's call.
    call: CallName,
}

impl Scene {
    fn leading_to(kind: &EffectKind) -> Option<Scene> {
        let quiet = (0..SEEDS_LOOKED_AT).map(|seed| (seed, Swarm::none(seed)));
        let loud = (0..SEEDS_LOOKED_AT).map(|seed| (seed, Swarm::new(seed)));
        quiet
            .chain(loud)
            .find_map(|(seed, swarm)| Scene::in_world(seed, swarm, kind))
    }

    fn in_world(seed: u64, swarm: Swarm, kind: &EffectKind) -> Option<Scene> {
        let mut world = World::unborn(seed, swarm, Watch::Usual);
        world.keep();
        world.begin().ok()?;
        for _ in 0..STEPS_LOOKED_AT {
            for action in world.draw_step() {
                world.act_kept(&action).ok()?;
                let found = world
                    .platform
                    .calls()
                    .find(|call| call.index == 0 && call.kind.steps() == kind.steps());
                if let Some(call) = found {
                    return Some(Scene {
                        seed,
                        kind: kind.clone(),
                        actions: world.kept().to_vec(),
                        script: world.platform.recorded(),
                        call: call.name,
                    });
                }
            }
        }
        None
    }

    fn run_all(&self, result: &mut Exhausted) {
        for step in 0..self.kind.steps().len() as u8 {
            for end in ENDS {
                for upgrade in UPGRADES {
                    if end == End::Lost && matches!(upgrade, Upgrade::No | Upgrade::After) {
                        continue;
                    }
                    result.cases += 1;
                    if let Err(failure) = self.run(step, end, upgrade) {
                        let name =
                            format!("{:?}, step {step} {end:?}, upgrade {upgrade:?}", self.kind);
                        result.failures.push((name, failure));
                    }
                }
            }
        }
    }

    fn run(&self, step: u8, end: End, upgrade: Upgrade) -> Result<(), Failure> {
        let target = CallName {
            index: step,
            ..self.call
        };
        let mut script = self.script.clone();
        let usual = script.get(&target).copied().unwrap_or(Fate::GOOD);
        script.insert(target, fate(usual, end));
        let mut world = World::unborn(self.seed, Swarm::none(self.seed), Watch::Closely);
        if end == End::Is(Fault::StopInProgress)
            && self.kind.steps()[usize::from(step)] != Step::Stop
        {
            // The platform has no such outcome for this step, so its edges are on no list.
            world.allow_every_edge();
        }
        world.platform.follow(script);
        world.begin()?;
        for action in &self.actions {
            world.act(action)?;
        }
        upgrade_at(&mut world, target, upgrade)?;
        for _ in 0..STEPS_AFTER {
            world.step()?;
        }
        world.converge()
    }
}

fn fate(usual: Fate, end: End) -> Fate {
    match end {
        End::Done => Fate {
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

/// Lets time pass until the call is where the case wants it, then upgrades root.
fn upgrade_at(world: &mut World, target: CallName, upgrade: Upgrade) -> Result<(), Failure> {
    let is_there = |world: &World| match upgrade {
        Upgrade::No | Upgrade::Before => true,
        Upgrade::During => !world.platform.calls().any(|call| call.name == target),
        Upgrade::After => {
            let wires = &world.platform;
            !wires.calls().any(|call| call.name == target)
                && !wires.answers().any(|answer| answer.call == target)
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
