//! What becomes of each call: drawn by the swarm, or said by a script. Knows calls by name and
//! count, so that a script still means the same when other lines are dropped from it.

use super::canister::Habits;
use super::swarm::{Fault, Swarm};
use crate::dice::Dice;
use hatchery_types::{CanisterId, EffectKind, Nanos, Step};
use std::collections::BTreeMap;

/// A call by what it is: the `count`th of this step, of this kind of effect, to this canister.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallName {
    /// Name of the effect's kind.
    pub kind: &'static str,
    /// Its target; root for effects without one.
    pub canister: CanisterId,
    /// Position in the chain.
    pub index: u8,
    /// Which of its like, from 0.
    pub count: u32,
}

/// What becomes of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// What goes wrong, if anything.
    pub fault: Option<Fault>,
    /// From sending to running; calls to one canister keep their order all the same.
    pub runs_after: Nanos,
    /// From running to the answer.
    pub answers_after: Nanos,
    /// Bad habits of the worker it installs.
    pub habits: Habits,
    /// The answer finds nobody home: root was upgraded while it was under way.
    pub lost: bool,
}

impl Fate {
    /// Nothing goes wrong.
    pub const GOOD: Fate = Fate {
        fault: None,
        runs_after: Nanos(1_000_000_000),
        answers_after: Nanos(1_000_000_000),
        habits: Habits {
            never_idle: false,
            silent: false,
        },
        lost: false,
    };
}

/// Fates that are not [`Fate::GOOD`], by call.
pub type Script = BTreeMap<CallName, Fate>;

/// Where fates come from.
#[derive(Debug)]
pub(super) enum Fates {
    /// From the swarm; kept when they are recorded.
    Drawn {
        dice: Box<Dice>,
        recorded: Option<Script>,
    },
    /// From a script; what it does not name is good.
    Scripted(Script),
}

impl Fates {
    /// What becomes of a call.
    pub(super) fn of(&mut self, swarm: &mut Swarm, name: CallName, step: Step) -> Fate {
        match self {
            Fates::Scripted(script) => script.get(&name).copied().unwrap_or(Fate::GOOD),
            Fates::Drawn { dice, recorded } => {
                let fate = draw(swarm, dice, name, step);
                if let Some(recorded) = recorded {
                    recorded.insert(name, fate);
                }
                fate
            }
        }
    }

    /// Whether an answer under way is lost in an upgrade that happens now.
    pub(super) fn loses(&mut self, swarm: &mut Swarm, name: CallName) -> bool {
        match self {
            Fates::Scripted(script) => script.get(&name).is_some_and(|fate| fate.lost),
            Fates::Drawn { recorded, .. } => {
                let lost = swarm.strikes(Fault::AnswerLost);
                if let Some(fate) = recorded.as_mut().and_then(|fates| fates.get_mut(&name)) {
                    fate.lost |= lost;
                }
                lost
            }
        }
    }
}

fn draw(swarm: &mut Swarm, dice: &mut Dice, name: CallName, step: Step) -> Fate {
    let fault = faults_of(step)
        .iter()
        .copied()
        .find(|fault| swarm.strikes_call(name.kind, *fault));
    let mut delay = |slow: Fault, usual_secs: u64| {
        let most = if swarm.strikes_call(name.kind, slow) {
            240
        } else {
            usual_secs
        };
        Nanos(dice.below(most * 1_000) * 1_000_000)
    };
    let mut runs_after = delay(Fault::SlowCall, 4);
    let answers_after = delay(Fault::SlowAnswer, 2);
    if fault == Some(Fault::ResumedInstall) {
        runs_after = Nanos::from_secs(dice.between(5, 9 * 60));
    }
    let installs = step == Step::Install;
    let habits = Habits {
        never_idle: installs && swarm.strikes(Fault::NeverIdle),
        silent: installs && swarm.strikes(Fault::Silent),
    };
    Fate {
        fault,
        runs_after,
        answers_after,
        habits,
        lost: false,
    }
}

/// What can go wrong with a step.
pub(super) fn faults_of(step: Step) -> &'static [Fault] {
    const OF_STOP: &[Fault] = &with(Fault::StopInProgress);
    const OF_STATUS: &[Fault] = &with(Fault::Unobservable);
    const OF_INSTALL: &[Fault] = &with(Fault::ResumedInstall);
    match step {
        Step::Stop => OF_STOP,
        Step::Status => OF_STATUS,
        Step::Install | Step::UpgradeCode => OF_INSTALL,
        _ => &OF_STOP[..6],
    }
}

/// What can go wrong with every step, and one thing more.
const fn with(last: Fault) -> [Fault; 7] {
    [
        Fault::NotSent,
        Fault::Refused,
        Fault::NotExecuted,
        Fault::UnknownRan,
        Fault::UnknownNotRan,
        Fault::Undecodable,
        last,
    ]
}

/// Counts calls, to name them.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<(&'static str, CanisterId, u8), u32>);

impl Names {
    /// The name of the next call of that sort.
    pub(super) fn next(&mut self, kind: &EffectKind, canister: CanisterId, index: u8) -> CallName {
        let kind = kind.name();
        let next = self.0.entry((kind, canister, index)).or_default();
        let count = *next;
        *next += 1;
        CallName {
            kind,
            canister,
            index,
            count,
        }
    }
}
