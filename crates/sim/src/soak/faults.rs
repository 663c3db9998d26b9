//! The faults of a seed: legal ones of the platform, as rules of the engine that hold for some of its
//! rounds, and how often each struck.

use crate::dice::Dice;
use crate::world::FleetWorld;
use candid::Principal;
use hatchery_api::DRAIN_METHOD;
use hatchery_engine::RejectCode;
use hatchery_engine::faults::{Rule, Verdict};
use std::collections::BTreeMap;
use std::ops::Range;

/// Kinds of rules in one seed, of those there are.
const RULES: usize = 6;
/// Calls of a million that a rule strikes at most.
const OFTEN: u64 = 80_000;
const SELDOM: u64 = 16_000;
/// Root's call to itself in which it plans.
const TICK: &str = "hatchery_tick";

/// A rule, and when it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong, by its name.
    pub name: String,
    /// So many calls in a million.
    pub share: u32,
    /// In which rounds of the seed.
    pub rounds: Range<u64>,
}

/// Every kind of rule: its name, at most how many calls of a million it strikes, and which.
fn kinds(root: Principal) -> [(&'static str, u64, Rule); 15] {
    let platform = Principal::management_canister();
    let reject = |code| Verdict::Reject { code };
    let of_root = |verdict| Rule::new(verdict).caller(root);
    let of_fleet = |verdict| of_root(verdict).callee(platform);
    let drain = |verdict| Rule::new(verdict).method(DRAIN_METHOD);
    let report = |verdict| Rule::new(verdict).callee(root).method("report");
    let tick = |verdict| of_root(verdict).method(TICK);
    let is_transient = reject(RejectCode::SysTransient);
    let is_refused = reject(RejectCode::CanisterReject);
    [
        ("not-executed", OFTEN, of_fleet(is_transient.clone())),
        ("refused", OFTEN, of_fleet(is_refused)),
        ("slow-call", OFTEN, of_fleet(Verdict::Delay { rounds: 6 })),
        (
            "slow-answer",
            OFTEN,
            of_fleet(Verdict::DelayAnswer { rounds: 8 }),
        ),
        ("not-sent", OFTEN, of_fleet(Verdict::QueueFull)),
        // Root buys no more when too many creations are lost: not so often.
        ("callback-traps", SELDOM, of_root(Verdict::TrapCallback)),
        // The next tick is a minute away.
        ("tick-traps", SELDOM, tick(Verdict::TrapCallee)),
        ("tick-exhausted", SELDOM, tick(Verdict::OutOfInstructions)),
        ("tick-slow", OFTEN, tick(Verdict::Delay { rounds: 4 })),
        ("drain-traps", OFTEN, drain(Verdict::TrapCallee)),
        ("drain-exhausted", OFTEN, drain(Verdict::OutOfInstructions)),
        ("expired", OFTEN, of_root(Verdict::ExpireBestEffort)),
        ("not-known", OFTEN, of_root(reject(RejectCode::SysUnknown))),
        ("report-refused", OFTEN, report(is_transient)),
        ("report-traps", OFTEN, report(Verdict::TrapCallee)),
    ]
}

/// Draws the faults of a seed of so many rounds.
pub(super) fn draw(dice: &mut Dice, rounds: u64) -> Vec<Fault> {
    let mut kinds = kinds(Principal::anonymous()).to_vec();
    while kinds.len() > RULES {
        let index = dice.below(kinds.len() as u64) as usize;
        kinds.remove(index);
    }
    let fault = |(name, most, _): (&str, u64, Rule)| Fault {
        name: name.to_owned(),
        share: dice.between(most / 16, most) as u32,
        rounds: 0..rounds,
    };
    kinds.into_iter().map(fault).collect()
}

/// Whether there is a fault of that name.
pub(super) fn is_known(name: &str) -> bool {
    let kinds = kinds(Principal::anonymous());
    kinds.into_iter().any(|(known, ..)| known == name)
}

/// Those in force, and what they did.
#[derive(Debug, Default)]
pub(super) struct Faults {
    in_force: Vec<Fault>,
    /// Entries of the engine's record that are counted.
    counted: usize,
    struck: BTreeMap<String, u64>,
}

impl Faults {
    /// Those of `all` that hold in that round hold from now on, and no others.
    pub(super) fn hold(&mut self, world: &mut FleetWorld, all: &[Fault], round: u64) {
        let now = all.iter().filter(|fault| fault.rounds.contains(&round));
        let now: Vec<Fault> = now.cloned().collect();
        if now == self.in_force {
            return;
        }
        self.count(world);
        let kinds = kinds(world.root.0);
        world.engine.faults().clear();
        for fault in &now {
            let kind = kinds.iter().find(|(name, ..)| *name == fault.name);
            let (_, _, rule) = kind.expect("bug: a fault of no kind");
            let rule = rule.clone().per_million(fault.share);
            world.engine.faults().add(rule);
        }
        self.in_force = now;
    }

    /// Counts what struck since the rules changed last.
    fn count(&mut self, world: &mut FleetWorld) {
        let applied = world.engine.faults().applied();
        for strike in &applied[self.counted..] {
            let name = self.in_force[strike.rule].name.clone();
            *self.struck.entry(name).or_default() += 1;
        }
        self.counted = applied.len();
    }

    /// How often each struck that is not in force any more.
    pub(super) fn struck(&self) -> &BTreeMap<String, u64> {
        &self.struck
    }
}
