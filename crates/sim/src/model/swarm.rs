//! Which faults a seed knows and how often they strike; it draws them and never performs them.

use super::action::Meddling;
use super::fate::faults_of;
use super::kinds::every_kind;
use crate::dice::Dice;
use std::collections::BTreeMap;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// Everything that can go wrong or be out of the ordinary in the model.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault {
            $($(#[$doc])* $name,)*
            /// A canister is changed behind root's back.
            Meddled(Meddling),
        }

        /// Every kind but meddling.
        const PLAIN: &[Fault] = &[$(Fault::$name),*];

        impl Fault {
            /// The word for it, in kebab case.
            pub fn name(self) -> &'static str {
                match self {
                    $(Fault::$name => $text,)*
                    Fault::Meddled(meddling) => meddling.name(),
                }
            }

            fn index(self) -> usize {
                match self {
                    Fault::Meddled(meddling) => PLAIN.len() + meddling as usize,
                    plain => PLAIN.iter().position(|fault| *fault == plain).unwrap_or(0),
                }
            }
        }
    };
}

faults! {
    /// The management canister or the callee says no, for no reason of ours.
    Refused => "refused",
    /// The call is rejected before it runs (reject code 1 or 2).
    NotExecuted => "not-executed",
    /// `call_perform` does not send it.
    NotSent => "not-sent",
    /// It runs; the answer says unknown.
    UnknownRan => "unknown-ran",
    /// It does not run; the answer says unknown.
    UnknownNotRan => "unknown-not-ran",
    /// It runs; the answer cannot be read.
    Undecodable => "undecodable",
    /// A stop that does not end before its time-out.
    StopInProgress => "stop-in-progress",
    /// The call waits long before it runs.
    SlowCall => "slow-call",
    /// The answer waits long before it arrives.
    SlowAnswer => "slow-answer",
    /// An install is aborted and resumes minutes later; calls behind it go first.
    ResumedInstall => "resumed-install",
    /// `canister_status` leaves fields out.
    Unobservable => "unobservable",
    /// Root is upgraded by force: its state is opened again from memory.
    UpgradedForced => "upgraded-forced",
    /// Root is stopped, upgraded when nothing is open, and started.
    UpgradedPolite => "upgraded-polite",
    /// An answer under way while root was upgraded by force is lost.
    AnswerLost => "answer-lost",
    /// A tick spends its share of the message and goes on in another.
    TickSplit => "tick-split",
    /// The clock jumps an hour or more.
    ClockJump => "clock-jump",
    /// A client that controls root clears its chunk store.
    StoreCleared => "store-cleared",
    /// The same, and fills it with chunks of its own.
    StoreFilled => "store-filled",
    /// A worker does not report.
    Silent => "silent",
    /// A worker reports with a generation that is not its own.
    WrongGeneration => "wrong-generation",
    /// A worker reports an absurd value.
    AbsurdValue => "absurd-value",
    /// A draining worker is never idle.
    NeverIdle => "never-idle",
    /// Root is nearly out of cycles.
    RootPoor => "root-poor",
    /// An operator stops root, and starts it later.
    RootStopping => "root-stopping",
}

/// How many kinds there are.
const KINDS: usize = PLAIN.len() + Meddling::ALL.len();

impl Fault {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = Fault> {
        let meddling = Meddling::ALL.into_iter().map(Fault::Meddled);
        PLAIN.iter().copied().chain(meddling)
    }

    /// The kind with that name.
    pub fn named(name: &str) -> Option<Fault> {
        Fault::all().find(|fault| fault.name() == name)
    }
}

/// The faults of one seed: a random subset, each at a rate of its own; and a tally of strikes.
#[derive(Debug, Clone)]
pub struct Swarm {
    dice: Dice,
    splits: Dice,
    permille: [u32; KINDS],
    struck: [u64; KINDS],
    /// Faults of the calls of one kind of effect, far more often than any other.
    aims: Vec<(&'static str, Fault)>,
    /// Members are harmed in the middle of their upgrade, far more often than anywhere else.
    ambushes: bool,
    /// What takes several steps in a row happens more often.
    errands: bool,
}

/// How often an aimed fault strikes.
const AIMED_PERMILLE: u32 = 950;

impl Swarm {
    /// Draws the subset: few, some or most of the kinds, each at 0.2 to 12 per cent; one may be
    /// loud, and most seeds aim some at one kind of effect each.
    pub fn new(seed: u64) -> Self {
        let mut swarm = Swarm::none(seed);
        let share = [100, 300, 600][swarm.dice.below(3) as usize];
        for fault in Fault::all() {
            if swarm.dice.chance(share) {
                let rate = [2, 10, 40, 120][swarm.dice.below(4) as usize];
                swarm.permille[fault.index()] = rate;
            }
        }
        if swarm.dice.chance(300) {
            // One that is everywhere: what is rare elsewhere happens in such a world.
            let loud = swarm.dice.below(KINDS as u64) as usize;
            swarm.permille[loud] = 400;
        }
        for _ in 0..seed % 4 {
            swarm.aim();
        }
        swarm.ambushes = seed % 4 == 1;
        swarm.errands = seed % 4 == 2;
        match seed % 12 {
            // Root has to look again and again whether it came about.
            1 => swarm.aims.push(("upgrade", Fault::UnknownNotRan)),
            // It ends before it began, without a snapshot.
            2 => swarm.aims.push(("save", Fault::Refused)),
            _ => {}
        }
        swarm
    }

    fn aim(&mut self) {
        let mut kinds = every_kind();
        if self.dice.chance(300) {
            // What leaves is rare, and its troubles are rarer.
            kinds.retain(|kind| matches!(kind.name(), "hand-over" | "inspect" | "stop"));
        }
        let kind = self.dice.pick(&kinds).expect("bug: no kinds of effect");
        let faults = kind.steps().iter().flat_map(|step| faults_of(*step));
        let slow = [Fault::SlowCall, Fault::SlowAnswer];
        let faults: Vec<Fault> = faults.copied().chain(slow).collect();
        let fault = self.dice.pick(&faults).expect("bug: no faults");
        self.aims.push((kind.name(), *fault));
    }

    /// No faults at all.
    pub fn none(seed: u64) -> Self {
        Swarm {
            dice: Dice::new(seed, 1),
            splits: Dice::new(seed, 3),
            permille: [0; KINDS],
            struck: [0; KINDS],
            aims: Vec::new(),
            ambushes: false,
            errands: false,
        }
    }

    /// Only these kinds, each at `permille`.
    pub fn only(seed: u64, faults: &[Fault], permille: u32) -> Self {
        let mut swarm = Swarm::none(seed);
        for fault in faults {
            swarm.permille[fault.index()] = permille;
        }
        swarm
    }

    /// Whether `fault` strikes now; counted if it does.
    pub fn strikes(&mut self, fault: Fault) -> bool {
        let index = fault.index();
        let rate = self.permille[index];
        let hit = rate > 0 && self.dice.chance(rate);
        self.struck[index] += u64::from(hit);
        hit
    }

    /// How often `fault` strikes, in permille.
    pub fn permille(&self, fault: Fault) -> u32 {
        self.permille[fault.index()]
    }

    /// From now on `fault` strikes so often.
    pub fn set(&mut self, fault: Fault, permille: u32) {
        self.permille[fault.index()] = permille;
    }

    /// Whether a tick is split here: drawn from dice of its own, so that a script that knows how
    /// often splits where the seed did.
    pub fn splits_tick(&mut self) -> bool {
        let index = Fault::TickSplit.index();
        let rate = self.permille[index];
        let hit = rate > 0 && self.splits.chance(rate);
        self.struck[index] += u64::from(hit);
        hit
    }

    /// Whether `fault` strikes a call of that kind of effect.
    pub fn strikes_call(&mut self, kind: &'static str, fault: Fault) -> bool {
        if self.aims.contains(&(kind, fault)) && self.dice.chance(AIMED_PERMILLE) {
            self.struck[fault.index()] += 1;
            return true;
        }
        self.strikes(fault)
    }

    /// Whether `fault` may strike in this run.
    pub fn knows(&self, fault: Fault) -> bool {
        self.permille[fault.index()] > 0
    }

    /// Whether members are harmed in the middle of their upgrade now.
    pub fn ambushes(&self) -> bool {
        self.ambushes
    }

    /// Whether what takes several steps in a row happens more often.
    pub fn has_errands(&self) -> bool {
        self.errands
    }

    /// No fault strikes from now on.
    pub fn stop(&mut self) {
        self.aims.clear();
        self.ambushes = false;
        self.errands = false;
        self.permille = [0; KINDS];
    }

    /// How often each kind has struck, only those that did.
    pub fn struck(&self) -> BTreeMap<Fault, u64> {
        let counts = Fault::all().map(|fault| (fault, self.struck[fault.index()]));
        counts.filter(|(_, count)| *count > 0).collect()
    }
}
