//! Faults on demand: rules that say which call goes wrong and how, and the record of what they did.
//! Only faults that the platform itself may show: a guaranteed reply is never simply dropped.
//!
//! Rules are asked in order and the first whose conditions hold gives the verdict. Each is asked
//! where its verdict can act:
//!
//! ```text
//! call_perform ─ QueueFull ─► leaves ─ Delay, ExpireBestEffort ─► callee ─ Reject, TrapCallee,
//!   callback ◄─ TrapCallback ─ answer ◄─ DelayAnswer ─────────────────────  OutOfInstructions
//! ```

use crate::saved::{Damaged, Reader, Saved, Writer, saved};
use ic_error_types::RejectCode;
use ic_principal::Principal;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// `call_perform` answers 2 as if the output queue were full: nothing is sent.
    QueueFull,
    /// The request waits so many rounds; later requests to the same callee wait behind it.
    Delay {
        /// Rounds.
        rounds: u64,
    },
    /// The caller of a best-effort call is told at once that its deadline has passed; the callee
    /// runs all the same. Guaranteed calls are not touched.
    ExpireBestEffort,
    /// The callee does not run and the caller gets this code. `SysUnknown` touches best-effort
    /// calls only, since a guaranteed call cannot end so.
    Reject {
        /// Reject code the caller sees.
        code: RejectCode,
    },
    /// The callee traps before its first instruction. Not for the management canister.
    TrapCallee,
    /// The callee uses all the instructions a message may use. Not for the management canister.
    OutOfInstructions,
    /// The answer waits so many rounds.
    DelayAnswer {
        /// Rounds.
        rounds: u64,
    },
    /// The reply or reject callback traps before its first instruction; cleanup runs.
    TrapCallback,
}

/// One rule: a verdict and the conditions under which it is given. [`Rule::new`] holds always.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What goes wrong.
    pub verdict: Verdict,
    /// Only calls made by this canister.
    pub caller: Option<Principal>,
    /// Only calls to this canister; `aaaaa-aa` is the management canister.
    pub callee: Option<Principal>,
    /// Only calls of this method.
    pub method: Option<String>,
    /// Only every nth call that meets the conditions above (1 = each).
    pub every: u64,
    /// Of those, so many in a million, drawn from the seeded stream.
    pub per_million: u32,
    /// At most so many times.
    pub at_most: u64,
    /// From this round on.
    pub from_round: u64,
    /// Until before this round.
    pub until_round: u64,
    /// From this time on, in nanoseconds.
    pub from_ns: u64,
    /// Until before this time, in nanoseconds.
    pub until_ns: u64,
}

impl Rule {
    /// A rule without conditions.
    pub fn new(verdict: Verdict) -> Self {
        Rule {
            verdict,
            caller: None,
            callee: None,
            method: None,
            every: 1,
            per_million: 1_000_000,
            at_most: u64::MAX,
            from_round: 0,
            until_round: u64::MAX,
            from_ns: 0,
            until_ns: u64::MAX,
        }
    }

    /// Only calls made by `caller`.
    #[must_use]
    pub fn caller(mut self, caller: Principal) -> Self {
        self.caller = Some(caller);
        self
    }

    /// Only calls to `callee`.
    #[must_use]
    pub fn callee(mut self, callee: Principal) -> Self {
        self.callee = Some(callee);
        self
    }

    /// Only calls of `method`.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only every nth call.
    #[must_use]
    pub fn every(mut self, nth: u64) -> Self {
        self.every = nth.max(1);
        self
    }

    /// So many calls in a million.
    #[must_use]
    pub fn per_million(mut self, share: u32) -> Self {
        self.per_million = share;
        self
    }

    /// At most so many times.
    #[must_use]
    pub fn at_most(mut self, times: u64) -> Self {
        self.at_most = times;
        self
    }

    /// Only in rounds `from..until`.
    #[must_use]
    pub fn rounds(mut self, from: u64, until: u64) -> Self {
        self.from_round = from;
        self.until_round = until;
        self
    }

    fn covers(&self, call: &Call<'_>) -> bool {
        let same = |wanted: &Option<Principal>, is: &Principal| {
            wanted.as_ref().is_none_or(|wanted| wanted == is)
        };
        same(&self.caller, call.caller)
            && same(&self.callee, call.callee)
            && self.method.as_deref().is_none_or(|m| m == call.method)
            && (self.from_round..self.until_round).contains(&call.round)
            && (self.from_ns..self.until_ns).contains(&call.time_ns)
            && self.is_legal_for(call)
    }

    fn is_legal_for(&self, call: &Call<'_>) -> bool {
        let managed = *call.callee == Principal::management_canister();
        match self.verdict {
            Verdict::ExpireBestEffort => call.best_effort,
            Verdict::Reject { code } => code != RejectCode::SysUnknown || call.best_effort,
            Verdict::TrapCallee | Verdict::OutOfInstructions => !managed,
            _ => true,
        }
    }
}

/// Where a rule may act on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    Perform,
    Leave,
    Enter,
    Answer,
    Callback,
}

impl Verdict {
    fn point(&self) -> Point {
        match self {
            Verdict::QueueFull => Point::Perform,
            Verdict::Delay { .. } | Verdict::ExpireBestEffort => Point::Leave,
            Verdict::Reject { .. } | Verdict::TrapCallee | Verdict::OutOfInstructions => {
                Point::Enter
            }
            Verdict::DelayAnswer { .. } => Point::Answer,
            Verdict::TrapCallback => Point::Callback,
        }
    }
}

/// The call a verdict is wanted for.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) caller: &'a Principal,
    pub(crate) callee: &'a Principal,
    pub(crate) method: &'a str,
    pub(crate) best_effort: bool,
    pub(crate) round: u64,
    pub(crate) time_ns: u64,
}

/// One application of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Index of the rule.
    pub rule: usize,
    /// Round.
    pub round: u64,
    /// Calling canister.
    pub caller: Principal,
    /// Called canister.
    pub callee: Principal,
    /// Method.
    pub method: String,
    /// What was done.
    pub verdict: Verdict,
}

#[derive(Debug, Clone, Default)]
struct Tally {
    covered: u64,
    applied: u64,
}

/// The rules in force, their seeded stream and the record of what they did.
#[derive(Debug, Clone)]
pub struct Faults {
    rules: Vec<Rule>,
    tallies: Vec<Tally>,
    stream: ChaCha8Rng,
    applied: Vec<Applied>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Faults {
            rules: Vec::new(),
            tallies: Vec::new(),
            stream: ChaCha8Rng::seed_from_u64(seed),
            applied: Vec::new(),
        }
    }

    /// Adds a rule behind those in force and returns its index.
    pub fn add(&mut self, rule: Rule) -> usize {
        self.rules.push(rule);
        self.tallies.push(Tally::default());
        self.rules.len() - 1
    }

    /// Takes all rules away; the record stays. Indices start again at 0.
    pub fn clear(&mut self) {
        self.rules.clear();
        self.tallies.clear();
    }

    /// Starts the seeded stream again from `seed`.
    pub fn reseed(&mut self, seed: u64) {
        self.stream = ChaCha8Rng::seed_from_u64(seed);
    }

    /// The rules in force.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What the rules did, oldest first.
    pub fn applied(&self) -> &[Applied] {
        &self.applied
    }

    pub(crate) fn verdict(&mut self, point: Point, call: &Call<'_>) -> Option<Verdict> {
        let at = (0..self.rules.len()).find(|&at| self.holds(at, point, call))?;
        self.tallies[at].applied += 1;
        let verdict = self.rules[at].verdict.clone();
        self.applied.push(Applied {
            rule: at,
            round: call.round,
            caller: *call.caller,
            callee: *call.callee,
            method: call.method.to_owned(),
            verdict: verdict.clone(),
        });
        Some(verdict)
    }

    fn holds(&mut self, at: usize, point: Point, call: &Call<'_>) -> bool {
        let rule = &self.rules[at];
        if rule.verdict.point() != point || !rule.covers(call) {
            return false;
        }
        let tally = &mut self.tallies[at];
        tally.covered += 1;
        tally.covered.is_multiple_of(rule.every)
            && tally.applied < rule.at_most
            && (rule.per_million >= 1_000_000
                || self.stream.next_u32() % 1_000_000 < rule.per_million)
    }
}

saved!(enum Verdict {
    0 => QueueFull,
    1 => Delay { rounds },
    2 => ExpireBestEffort,
    3 => Reject { code },
    4 => TrapCallee,
    5 => OutOfInstructions,
    6 => DelayAnswer { rounds },
    7 => TrapCallback,
});
saved!(struct Rule {
    verdict, caller, callee, method, every, per_million, at_most, from_round, until_round, from_ns,
    until_ns,
});
saved!(struct Tally { covered, applied });
saved!(struct Applied { rule, round, caller, callee, method, verdict });
saved!(struct Faults { rules, tallies, stream, applied });

impl Saved for ChaCha8Rng {
    fn write(&self, to: &mut Writer) {
        self.get_seed().write(to);
        self.get_stream().write(to);
        self.get_word_pos().write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let mut stream = ChaCha8Rng::from_seed(Saved::read(from)?);
        stream.set_stream(Saved::read(from)?);
        stream.set_word_pos(Saved::read(from)?);
        Ok(stream)
    }
}
