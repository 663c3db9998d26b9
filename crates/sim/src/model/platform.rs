//! A model of the platform: canisters as they are, calls under way and answers under way. It knows
//! nothing of rows or phases; what a step means is in [`super::steps`].

use super::canister::{Canister, canister_id};
use super::swarm::{Fault, Swarm};
use crate::dice::Dice;
use hatchery_types::{
    CanisterId, Cycles, Effect, EffectId, EffectKind, ModuleHash, Nanos, Outcome, Principal,
    Refusal, Step,
};
use std::collections::{BTreeMap, BTreeSet};

/// The platform and everything on its wires.
#[derive(Debug)]
pub struct Platform {
    /// Root's own id.
    pub root: CanisterId,
    /// Controllers that a canister of the fleet has: root and the spec's, sorted.
    pub controllers: Vec<Principal>,
    /// Every canister that exists, root excepted.
    pub canisters: BTreeMap<CanisterId, Canister>,
    /// Which effect bought which canister.
    pub bought: BTreeMap<CanisterId, EffectId>,
    /// When root created which canister.
    pub created_at: BTreeMap<CanisterId, Nanos>,
    /// Canisters that root deleted.
    pub deleted: BTreeSet<CanisterId>,
    /// Root's chunk store.
    pub chunks: BTreeSet<(ModuleHash, u32)>,
    /// Root's liquid cycles.
    pub liquid: Cycles,
    /// The faults of this run.
    pub swarm: Swarm,
    pub(super) dice: Dice,
    pub(super) sequence: u64,
    next_number: u64,
    calls: BTreeMap<(Nanos, u64), Call>,
    last_run: BTreeMap<CanisterId, Nanos>,
    answers: BTreeMap<(Nanos, u64), Answer>,
}

/// A call of root on its way.
#[derive(Debug, Clone)]
pub struct Call {
    /// Whose chain it belongs to.
    pub effect: EffectId,
    /// The effect's kind.
    pub kind: EffectKind,
    /// Position in the chain.
    pub index: u8,
    /// What it does.
    pub step: Step,
    /// To which canister; root itself for creations and chunks.
    pub canister: CanisterId,
    /// A fault decided when it was sent.
    pub fault: Option<Fault>,
}

/// An answer on its way to root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whose chain it belongs to.
    pub effect: EffectId,
    /// Position in the chain.
    pub step: u8,
    /// What root can know.
    pub outcome: Outcome,
}

impl Platform {
    /// An empty subnet with root on it.
    pub fn new(seed: u64, swarm: Swarm, fleet_controllers: &[Principal]) -> Self {
        let root = canister_id(0);
        let mut controllers = fleet_controllers.to_vec();
        controllers.push(root.0);
        controllers.sort_unstable();
        Platform {
            root,
            controllers,
            canisters: BTreeMap::new(),
            bought: BTreeMap::new(),
            created_at: BTreeMap::new(),
            deleted: BTreeSet::new(),
            chunks: BTreeSet::new(),
            liquid: Cycles(2_000 * Cycles::T),
            swarm,
            dice: Dice::new(seed, 2),
            sequence: 0,
            next_number: 1,
            calls: BTreeMap::new(),
            last_run: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }

    /// A new canister with these controllers, named by the next number.
    pub fn create(&mut self, controllers: Vec<Principal>, cycles: Cycles) -> CanisterId {
        let id = canister_id(self.next_number);
        self.next_number += 1;
        self.canisters
            .insert(id, Canister::created(controllers, cycles));
        id
    }

    /// A number greater than all before.
    pub fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Makes the calls of `effect`, in order, as the shell does.
    pub fn send(&mut self, now: Nanos, effect: &Effect) {
        let canister = effect.canister.unwrap_or(self.root);
        for (index, step) in effect.kind.steps().iter().enumerate() {
            let call = Call {
                effect: effect.id,
                kind: effect.kind.clone(),
                index: index as u8,
                step: *step,
                canister,
                fault: None,
            };
            self.send_one(now, call);
        }
    }

    fn send_one(&mut self, now: Nanos, mut call: Call) {
        if self.swarm.strikes(Fault::NotSent) {
            let outcome = Outcome::NotExecuted(Refusal::new(0, "not sent"));
            self.answer(now, &call, outcome);
            return;
        }
        call.fault = self.fault_of(call.step);
        let mut run_at = now + self.delay(Fault::SlowCall, 4);
        if call.fault == Some(Fault::ResumedInstall) {
            run_at = now + Nanos::from_secs(self.dice.between(5, 9 * 60));
        } else {
            // Requests to one callee keep their order; a chain on one canister stays a chain.
            let last = self.last_run.entry(call.canister).or_default();
            run_at = run_at.max(*last);
            *last = run_at;
        }
        let sequence = self.next_sequence();
        self.calls.insert((run_at, sequence), call);
    }

    /// What goes wrong with one call, if anything.
    fn fault_of(&mut self, step: Step) -> Option<Fault> {
        let mut kinds = vec![
            Fault::Refused,
            Fault::NotExecuted,
            Fault::UnknownRan,
            Fault::UnknownNotRan,
            Fault::Undecodable,
        ];
        match step {
            Step::Stop => kinds.push(Fault::StopInProgress),
            Step::Status => kinds.push(Fault::Unobservable),
            Step::Install => kinds.push(Fault::ResumedInstall),
            _ => {}
        }
        kinds.into_iter().find(|fault| self.swarm.strikes(*fault))
    }

    fn delay(&mut self, slow: Fault, usual_secs: u64) -> Nanos {
        let most = if self.swarm.strikes(slow) {
            240
        } else {
            usual_secs
        };
        Nanos(self.dice.below(most * 1_000) * 1_000_000)
    }

    pub(super) fn answer(&mut self, now: Nanos, call: &Call, outcome: Outcome) {
        let at = now + self.delay(Fault::SlowAnswer, 2);
        self.answer_at(at, call, outcome);
    }

    pub(super) fn answer_at(&mut self, at: Nanos, call: &Call, outcome: Outcome) {
        let sequence = self.next_sequence();
        let answer = Answer {
            effect: call.effect,
            step: call.index,
            outcome,
        };
        self.answers.insert((at, sequence), answer);
    }

    /// When something happens next by itself.
    pub fn next_due(&self) -> Option<Nanos> {
        let call = self.calls.keys().next();
        let answer = self.answers.keys().next();
        call.into_iter().chain(answer).map(|(at, _)| *at).min()
    }

    /// Runs every call that is due.
    pub fn run_until(&mut self, now: Nanos) {
        while let Some(entry) = self.calls.first_entry() {
            let at = entry.key().0;
            if at > now {
                break;
            }
            let call = entry.remove();
            self.run(at, &call);
        }
    }

    /// The next answer that has arrived.
    pub fn take_answer(&mut self, now: Nanos) -> Option<Answer> {
        let entry = self.answers.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    /// Root was upgraded by force: each answer under way, given or not, may find nobody home.
    pub fn lose_answers(&mut self) {
        let waiting: Vec<_> = self.answers.keys().copied().collect();
        for key in waiting {
            if self.swarm.strikes(Fault::AnswerLost) {
                self.answers.remove(&key);
            }
        }
    }

    /// Calls under way, in the order they will run, with the canister they go to.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.calls.values()
    }

    /// Answers under way.
    pub fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.answers.values()
    }
}
