//! What operations came to, counted; what the steps of a tick and the calls of methods cost; how long
//! workers were waited for.
//!
//! Owns names and numbers. Counted on the heap by `apply`, and kept in stable memory by the tick,
//! in one write when it has nothing else to do.

use crate::histogram::{self, Histogram, INSTRUCTIONS, SECONDS};
use crate::input::Decision;
use crate::lease::LeaseAnswer;
use crate::receipt::Goal;
use crate::record::Row;
use crate::{Event, limits};
use hatchery_types::{EffectKind, Nanos, Phase, Reason};
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

/// An operation on worker pools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Operation {
    /// A spec with worker pools is applied.
    #[n(0)]
    BootstrapConfig,
    /// A pool gets its initial workers.
    #[n(1)]
    BootstrapPool,
    /// A pool is planned.
    #[n(2)]
    Plan,
    /// A worker is installed on a canister.
    #[n(3)]
    Create,
    /// A worker that is installed comes into service.
    #[n(4)]
    Register,
    /// A member gets its role's module.
    #[n(5)]
    Upgrade,
    /// A canister is reset for the warm pool.
    #[n(6)]
    Reset,
    /// A canister of the fleet is to be empty again.
    #[n(7)]
    Recycle,
    /// A canister of somebody's is to be in the warm pool.
    #[n(8)]
    Import,
    /// A canister is to leave the warm pool.
    #[n(9)]
    Export,
    /// A canister is to be gone.
    #[n(10)]
    Delete,
    /// A canister more is to be in the warm pool.
    #[n(11)]
    CreateEmpty,
    /// One more worker, or an upgrade, asked for.
    #[n(12)]
    Request,
    /// Any other command; and one that was refused, whatever it was.
    #[n(13)]
    Command,
    /// Workers are leased, kept longer or given back.
    #[n(14)]
    Lease,
    /// A canister gets cycles.
    #[n(15)]
    TopUp,
}

impl Operation {
    /// The stable name, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Operation::BootstrapConfig => "bootstrap-config",
            Operation::BootstrapPool => "bootstrap-pool",
            Operation::Plan => "plan",
            Operation::Create => "create",
            Operation::Register => "register",
            Operation::Upgrade => "upgrade",
            Operation::Reset => "reset",
            Operation::Recycle => "recycle",
            Operation::Import => "import",
            Operation::Export => "export",
            Operation::Delete => "delete",
            Operation::CreateEmpty => "create-empty",
            Operation::Request => "request",
            Operation::Command => "command",
            Operation::Lease => "lease",
            Operation::TopUp => "top-up",
        }
    }

    /// What an operation that waits for that is; one that waits for nothing is any other command.
    pub(crate) fn of(goal: Option<Goal>) -> Self {
        match goal {
            Some(Goal::Create) => Operation::CreateEmpty,
            Some(Goal::Recycle) => Operation::Recycle,
            Some(Goal::Import) => Operation::Import,
            Some(Goal::Export) => Operation::Export,
            Some(Goal::Delete) => Operation::Delete,
            Some(Goal::Worker | Goal::Upgrade) => Operation::Request,
            None => Operation::Command,
        }
    }
}

/// What became of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Ended {
    /// It began.
    #[n(0)]
    Started,
    /// It did what it should.
    #[n(1)]
    Completed,
    /// There was nothing to do, or it may not.
    #[n(2)]
    Skipped,
    /// It did not come to what it should.
    #[n(3)]
    Failed,
}

impl Ended {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Ended::Started => "started",
            Ended::Completed => "completed",
            Ended::Skipped => "skipped",
            Ended::Failed => "failed",
        }
    }
}

/// A step of a tick whose instructions are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Checkpoint {
    /// A canister is looked at.
    #[n(0)]
    Observe,
    /// A pool is planned, and nothing is installed.
    #[n(1)]
    Plan,
    /// A pool is planned and canisters are claimed for it.
    #[n(2)]
    Create,
    /// What an install came to is taken in.
    #[n(3)]
    Register,
}

impl Checkpoint {
    /// Which step a decision is, if its instructions are counted.
    pub fn of(decision: &Decision) -> Option<Checkpoint> {
        let mut step = None;
        for event in &decision.events {
            let found = match event {
                Event::EffectStarted(effect) => match effect.kind {
                    EffectKind::Install { .. } => Checkpoint::Create,
                    EffectKind::Observe => Checkpoint::Observe,
                    _ => continue,
                },
                Event::PoolPlanned { .. } => Checkpoint::Plan,
                Event::RowChanged(row) if is_new_worker(row) => Checkpoint::Register,
                _ => continue,
            };
            if found == Checkpoint::Create {
                return Some(found);
            }
            step = step.or(Some(found));
        }
        step
    }

    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Checkpoint::Observe => "observe",
            Checkpoint::Plan => "plan",
            Checkpoint::Create => "create",
            Checkpoint::Register => "register",
        }
    }
}

fn is_new_worker(row: &Row) -> bool {
    matches!(
        row.reason,
        Reason::Installed | Reason::Starting | Reason::Standby
    )
}

/// Instructions spent in a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Cost {
    /// How often it was taken.
    #[n(0)]
    pub count: u64,
    /// Instructions in all.
    #[n(1)]
    pub instructions: u64,
    /// Most instructions of one.
    #[n(2)]
    pub most: u64,
}

/// What is counted: the operation, what became of it, and why (the name of a [`Reason`]).
pub type Counter = (Operation, Ended, String);

/// Everything that is counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Metrics {
    /// By operation, end and reason.
    #[n(0)]
    pub counters: BTreeMap<Counter, u64>,
    /// By step.
    #[n(1)]
    pub costs: BTreeMap<Checkpoint, Cost>,
    /// Instructions of the messages with a call, by method; bounds are [`INSTRUCTIONS`].
    #[cbor(n(2), default)]
    pub served: BTreeMap<String, Histogram>,
    /// Seconds from the claim of a canister, or the ask for a lease, to the worker, by where it came
    /// from; bounds are [`SECONDS`].
    #[cbor(n(3), default)]
    pub handed_out: BTreeMap<String, Histogram>,
}

impl Metrics {
    /// One more; beyond the limit of counters, without its reason.
    pub(crate) fn count(&mut self, operation: Operation, ended: Ended, reason: &str) {
        let key = (operation, ended, reason.to_owned());
        let full = self.counters.len() >= limits::COUNTERS_MAX;
        let key = if full && !self.counters.contains_key(&key) {
            (operation, ended, OTHER.to_owned())
        } else {
            key
        };
        let count = self.counters.entry(key).or_default();
        *count = count.saturating_add(1);
    }

    pub(crate) fn measure(&mut self, step: Checkpoint, instructions: u64) {
        let cost = self.costs.entry(step).or_default();
        cost.count = cost.count.saturating_add(1);
        cost.instructions = cost.instructions.saturating_add(instructions);
        cost.most = cost.most.max(instructions);
    }

    pub(crate) fn serve(&mut self, method: &'static str, instructions: u64) {
        histogram::add(&mut self.served, method, &INSTRUCTIONS, instructions);
    }

    /// A holder was answered.
    pub(crate) fn count_lease(&mut self, now: Nanos, answer: &LeaseAnswer) {
        let (ended, reason) = match answer.granted.first() {
            Some(grant) if grant.until > now => (Ended::Completed, Reason::Leased),
            Some(_) => (Ended::Completed, Reason::Released),
            None if answer.short > 0 => (Ended::Skipped, Reason::NoWorkerFree),
            None => (Ended::Skipped, Reason::NotLeased),
        };
        self.count(Operation::Lease, ended, reason.name());
    }

    /// A worker was handed out, or made ready to be.
    fn count_hand_out(&mut self, before: &Row, after: &Row) {
        let waited = match (before.phase, after.phase) {
            (Phase::Standby | Phase::InService, Phase::Leased) => Nanos(0),
            (Phase::Installing, phase) if phase.is_living() => after.since.since(before.since),
            _ => return,
        };
        let from = match before.phase {
            Phase::Installing => "warm-pool",
            phase => phase.name(),
        };
        histogram::add(&mut self.handed_out, from, &SECONDS, waited.as_secs());
    }

    fn count_reset(&mut self, was: Option<Phase>, after: &Row) {
        let reason = after.reason.name();
        match (was, after.phase) {
            (_, Phase::Resetting) => self.count(Operation::Reset, Ended::Started, reason),
            (Some(Phase::Resetting), Phase::PendingReset | Phase::Failed | Phase::Lost) => {
                self.count(Operation::Reset, Ended::Failed, reason);
            }
            (Some(Phase::Resetting), _) => self.count(Operation::Reset, Ended::Completed, reason),
            _ => {}
        }
    }

    /// A canister moved: what that means for resets, creations and registrations.
    pub(crate) fn count_move(&mut self, before: Option<&Row>, after: &Row) {
        let was = before.map(|row| row.phase);
        if let Some(before) = before {
            self.count_hand_out(before, after);
        }
        self.count_reset(was, after);
        let new = matches!(was, Some(Phase::Installing | Phase::Standby));
        let reason = after.reason.name();
        if was == Some(Phase::Upgrading) {
            let ended = match after.reason {
                Reason::Upgraded => Ended::Completed,
                Reason::Outdated => Ended::Skipped,
                _ => Ended::Failed,
            };
            return self.count(Operation::Upgrade, ended, reason);
        }
        match after.phase {
            Phase::Upgrading => return self.count(Operation::Upgrade, Ended::Started, reason),
            Phase::Installing => return self.count(Operation::Create, Ended::Started, reason),
            _ if was != Some(Phase::Installing) => {}
            phase if phase.is_living() => {
                self.count(Operation::Create, Ended::Completed, reason);
                self.count(Operation::Register, Ended::Started, reason);
            }
            _ => return self.count(Operation::Create, Ended::Failed, reason),
        }
        match after.phase {
            Phase::InService if new => {
                self.count(Operation::Register, Ended::Completed, reason);
            }
            Phase::Standby if new && after.starts_until.0 == 0 => {
                self.count(Operation::Register, Ended::Skipped, reason);
            }
            phase if !phase.is_living() && before.is_some_and(|it| it.starts_until.0 > 0) => {
                self.count(Operation::Register, Ended::Failed, reason);
            }
            _ => {}
        }
    }
}

/// The reason of counters beyond the limit.
const OTHER: &str = "other";
