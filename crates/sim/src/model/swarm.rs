//! Which faults a seed knows and how often they strike; it draws them and never performs them.

use crate::dice::Dice;
use std::collections::BTreeMap;

/// Everything that can go wrong or be out of the ordinary in the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The management canister or the callee says no, for no reason of ours.
    Refused,
    /// The call is rejected before it runs (reject code 1 or 2).
    NotExecuted,
    /// `call_perform` does not send it.
    NotSent,
    /// It runs; the answer says unknown.
    UnknownRan,
    /// It does not run; the answer says unknown.
    UnknownNotRan,
    /// It runs; the answer cannot be read.
    Undecodable,
    /// A stop that does not end before its time-out.
    StopInProgress,
    /// The call waits long before it runs.
    SlowCall,
    /// The answer waits long before it arrives.
    SlowAnswer,
    /// An install is aborted and resumes minutes later; calls behind it go first.
    ResumedInstall,
    /// `canister_status` leaves fields out.
    Unobservable,
    /// Root is upgraded: its state is opened again from memory.
    Upgraded,
    /// An answer under way while root was upgraded is lost.
    AnswerLost,
    /// A canister is deleted behind root's back.
    Deleted,
    /// A canister is uninstalled behind root's back.
    Uninstalled,
    /// A canister's controllers are changed behind root's back, root kept.
    ControllerAdded,
    /// Root loses control of a canister.
    TakenOver,
    /// A canister is stopped behind root's back.
    Stopped,
    /// A canister's cycles are nearly used up.
    Drained,
    /// A canister gets a snapshot behind root's back.
    Snapshotted,
    /// The clock jumps an hour or more.
    ClockJump,
    /// A worker does not report.
    Silent,
    /// A worker reports with a generation that is not its own.
    WrongGeneration,
    /// A worker reports an absurd value.
    AbsurdValue,
    /// A draining worker is never idle.
    NeverIdle,
    /// Root is nearly out of cycles.
    RootPoor,
    /// The platform says that root is stopping.
    RootStopping,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Fault; 27] = [
        Fault::Refused,
        Fault::NotExecuted,
        Fault::NotSent,
        Fault::UnknownRan,
        Fault::UnknownNotRan,
        Fault::Undecodable,
        Fault::StopInProgress,
        Fault::SlowCall,
        Fault::SlowAnswer,
        Fault::ResumedInstall,
        Fault::Unobservable,
        Fault::Upgraded,
        Fault::AnswerLost,
        Fault::Deleted,
        Fault::Uninstalled,
        Fault::ControllerAdded,
        Fault::TakenOver,
        Fault::Stopped,
        Fault::Drained,
        Fault::Snapshotted,
        Fault::ClockJump,
        Fault::Silent,
        Fault::WrongGeneration,
        Fault::AbsurdValue,
        Fault::NeverIdle,
        Fault::RootPoor,
        Fault::RootStopping,
    ];

    /// Faults of this kind go with a change behind root's back.
    pub fn is_meddling(self) -> bool {
        matches!(
            self,
            Fault::Deleted
                | Fault::Uninstalled
                | Fault::ControllerAdded
                | Fault::TakenOver
                | Fault::Stopped
                | Fault::Drained
                | Fault::Snapshotted
        )
    }
}

/// The faults of one seed: a random subset, each at a rate of its own; and a tally of strikes.
#[derive(Debug, Clone)]
pub struct Swarm {
    dice: Dice,
    permille: BTreeMap<Fault, u32>,
    struck: BTreeMap<Fault, u64>,
}

impl Swarm {
    /// Draws the subset: half of the kinds, at 0.5 to 15 per cent.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 1);
        let mut permille = BTreeMap::new();
        for fault in Fault::ALL {
            if dice.chance(500) {
                let rate = [5, 20, 60, 150][dice.below(4) as usize];
                permille.insert(fault, rate);
            }
        }
        Swarm {
            dice,
            permille,
            struck: BTreeMap::new(),
        }
    }

    /// Only these kinds, each at `permille`.
    pub fn only(seed: u64, faults: &[Fault], permille: u32) -> Self {
        Swarm {
            dice: Dice::new(seed, 1),
            permille: faults.iter().map(|fault| (*fault, permille)).collect(),
            struck: BTreeMap::new(),
        }
    }

    /// Whether `fault` strikes now; counted if it does.
    pub fn strikes(&mut self, fault: Fault) -> bool {
        let rate = self.permille.get(&fault).copied().unwrap_or(0);
        let hit = rate > 0 && self.dice.chance(rate);
        if hit {
            *self.struck.entry(fault).or_default() += 1;
        }
        hit
    }

    /// No fault strikes from now on.
    pub fn stop(&mut self) {
        self.permille.clear();
    }

    /// How often each kind has struck.
    pub fn struck(&self) -> &BTreeMap<Fault, u64> {
        &self.struck
    }
}
