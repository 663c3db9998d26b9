//! A model of the platform: canisters as they are, calls under way and answers under way. It knows
//! nothing of rows or phases; what a step means is in [`super::steps`].

use super::canister::{Canister, canister_id};
use super::fate::{CallName, Fate, Fates, Names, Script};
use super::swarm::{Fault, Swarm};
use crate::dice::Dice;
use hatchery_types::{
    CanisterId, Cycles, Effect, EffectId, EffectKind, ModuleHash, Nanos, Outcome, Principal,
    Refusal, Step,
};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The platform and everything on its wires.
#[derive(Debug)]
pub struct Platform {
    /// Root's own id.
    pub root: CanisterId,
    /// Controllers that a canister of the fleet has: root and the spec's, sorted.
    pub controllers: Rc<[Principal]>,
    /// Every canister that exists, root excepted.
    pub canisters: BTreeMap<CanisterId, Canister>,
    /// Which effect bought which canister.
    pub bought: BTreeMap<CanisterId, EffectId>,
    /// When root created which canister.
    pub created_at: BTreeMap<CanisterId, Nanos>,
    /// How often code was deployed on root.
    pub deployments: u32,
    /// Canisters that root deleted.
    pub deleted: BTreeSet<CanisterId>,
    /// Root's chunk store.
    pub chunks: BTreeSet<(ModuleHash, u32)>,
    /// Root's balance, what its calls under way have locked included.
    pub balance: Cycles,
    /// The faults of this run.
    pub swarm: Swarm,
    pub(super) fates: Fates,
    names: Names,
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
    /// What it is called in a script.
    pub name: CallName,
    /// Decided when it was sent.
    pub fate: Fate,
    /// The controllers that the call sets, if it sets any.
    pub controllers: Rc<[Principal]>,
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
    /// The call it answers.
    pub call: CallName,
}

/// The effect of a call whose root was reinstalled since.
pub(super) const OF_ANOTHER_ROOT: EffectId = EffectId(u64::MAX);
/// Chunks that a chunk store takes (interface specification, `upload_chunk`).
pub(super) const CHUNKS_MAX: usize = 100;
/// What the platform locks of the caller's cycles for one call under way (ENGINE: measured 42.1 B).
const LOCKED: Cycles = Cycles(42_100_000_000);

impl Platform {
    /// An empty subnet with root on it.
    pub fn new(seed: u64, swarm: Swarm, fleet_controllers: &[Principal]) -> Self {
        let root = canister_id(0);
        Platform {
            root,
            controllers: with_root(root, fleet_controllers),
            canisters: BTreeMap::new(),
            bought: BTreeMap::new(),
            created_at: BTreeMap::new(),
            deployments: 1,
            deleted: BTreeSet::new(),
            chunks: BTreeSet::new(),
            balance: Cycles(2_000 * Cycles::T),
            swarm,
            fates: Fates::Drawn {
                dice: Box::new(Dice::new(seed, 2)),
                recorded: None,
            },
            names: Names::default(),
            sequence: 0,
            next_number: 1,
            calls: BTreeMap::new(),
            last_run: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }

    /// Somebody else who controls root clears its chunk store, and perhaps fills it.
    pub(super) fn meddle_with_store(&mut self, fills: bool) {
        self.chunks.clear();
        if fills {
            let foreign = (0..CHUNKS_MAX).map(|number| (ModuleHash([number as u8; 32]), 0));
            self.chunks.extend(foreign);
        }
    }

    /// The spec names these controllers from now on.
    pub fn obey(&mut self, fleet_controllers: &[Principal]) {
        self.controllers = with_root(self.root, fleet_controllers);
    }

    /// A new canister with these controllers, named by the next number.
    pub fn create(&mut self, controllers: Vec<Principal>, cycles: Cycles) -> CanisterId {
        let id = canister_id(self.next_number);
        self.next_number += 1;
        self.canisters
            .insert(id, Canister::created(controllers, cycles));
        id
    }

    /// It exists, and root controls it.
    pub fn is_ours(&self, id: CanisterId) -> bool {
        let canister = self.canisters.get(&id);
        canister.is_some_and(|canister| canister.is_controlled_by(self.root.0))
    }

    /// A number greater than all before.
    pub fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// From now on fates are kept, to be read with [`Platform::recorded`].
    pub fn record(&mut self) {
        if let Fates::Drawn { recorded, .. } = &mut self.fates {
            *recorded = Some(Script::new());
        }
    }

    /// The fates drawn since [`Platform::record`].
    pub fn recorded(&self) -> Script {
        match &self.fates {
            Fates::Drawn { recorded, .. } => recorded.clone().unwrap_or_default(),
            Fates::Scripted(script) => script.clone(),
        }
    }

    /// From now on fates are those of `script`.
    pub fn follow(&mut self, script: Script) {
        self.fates = Fates::Scripted(script);
    }

    /// What root may spend: its balance without what is locked.
    pub fn liquid(&self) -> Cycles {
        let open = (self.calls.len() + self.answers.len()) as u128;
        self.balance.less(Cycles(open * LOCKED.0))
    }

    /// Makes the calls of `effect`, in order, as the shell does; those that cannot be sent.
    pub fn send(&mut self, now: Nanos, effect: &Effect) -> Vec<(u8, Outcome)> {
        let canister = effect.canister.unwrap_or(self.root);
        let mut unsent = Vec::new();
        for (index, step) in effect.kind.steps().iter().enumerate() {
            let index = index as u8;
            let name = self.names.next(&effect.kind, canister, index);
            let call = Call {
                effect: effect.id,
                kind: effect.kind.clone(),
                index,
                step: *step,
                canister,
                name,
                fate: Fate {
                    // Only an upgrade while it is under way loses an answer.
                    lost: false,
                    ..self.fates.of(&mut self.swarm, name, *step)
                },
                controllers: Rc::clone(&self.controllers),
            };
            if let Err(outcome) = self.send_one(now, call) {
                unsent.push((index, outcome));
            }
        }
        unsent
    }

    fn send_one(&mut self, now: Nanos, call: Call) -> Result<(), Outcome> {
        let cycles = call.kind.attached();
        let is_payable = self.liquid().0 >= LOCKED.0 + cycles.0;
        if call.fate.fault == Some(Fault::NotSent) || !is_payable {
            return Err(Outcome::NotExecuted(Refusal::new(0, "not sent")));
        }
        self.balance = self.balance.less(cycles);
        let mut run_at = now + call.fate.runs_after;
        if call.fate.fault != Some(Fault::ResumedInstall) {
            // Requests to one callee keep their order; a chain on one canister stays a chain.
            let last = self.last_run.entry(call.canister).or_default();
            run_at = run_at.max(*last);
            *last = run_at;
        }
        let sequence = self.next_sequence();
        self.calls.insert((run_at, sequence), call);
        Ok(())
    }

    pub(super) fn answer(&mut self, ran_at: Nanos, call: &Call, outcome: Outcome) {
        let at = ran_at + call.fate.answers_after;
        let sequence = self.next_sequence();
        let answer = Answer {
            effect: call.effect,
            step: call.index,
            outcome,
            call: call.name,
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
        let (fates, swarm) = (&mut self.fates, &mut self.swarm);
        for call in self.calls.values_mut() {
            call.fate.lost |= fates.loses(swarm, call.name);
        }
        self.answers
            .retain(|_, answer| !fates.loses(swarm, answer.call));
    }

    /// Root was reinstalled: nobody is home for any answer, and what its calls do is of no effect
    /// that the new root knows.
    pub(super) fn forget_root(&mut self) {
        for call in self.calls.values_mut() {
            call.fate.lost = true;
            call.effect = OF_ANOTHER_ROOT;
        }
        self.answers.clear();
        self.bought.clear();
        self.deployments += 1;
    }

    /// Calls of a root that was reinstalled since are under way.
    pub(super) fn is_haunted(&self) -> bool {
        let mut calls = self.calls.values();
        calls.any(|call| call.effect == OF_ANOTHER_ROOT)
    }

    /// Nothing of root is on the wires.
    pub fn is_quiet(&self) -> bool {
        self.calls.is_empty() && self.answers.is_empty()
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

fn with_root(root: CanisterId, others: &[Principal]) -> Rc<[Principal]> {
    let mut controllers = others.to_vec();
    controllers.push(root.0);
    controllers.sort_unstable();
    controllers.into()
}
