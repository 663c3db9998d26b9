//! What is counted of scaling: operation, outcome and reason. A bounded set of labels: their kinds
//! are finite, and a reason is counted by its code.

use hatchery_types::Reason;

/// What was done for a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// The pools of a spec are brought to life.
    BootstrapConfig,
    /// One pool gets its initial workers.
    BootstrapPool,
    /// Policy was asked for one more worker.
    Plan,
    /// A worker was made of a canister.
    Create,
    /// A worker was entered with its pool, role and time.
    Register,
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It began.
    Started,
    /// It was done.
    Completed,
    /// It was not needed, or not allowed.
    Skipped,
    /// It went wrong.
    Failed,
}

/// One kind of thing that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    /// What was done.
    pub operation: Operation,
    /// How it went.
    pub stage: Stage,
    /// Code of the reason.
    pub reason: u16,
}

impl Operation {
    /// Every operation, in order of their codes.
    pub const ALL: [Operation; 5] = [
        Operation::BootstrapConfig,
        Operation::BootstrapPool,
        Operation::Plan,
        Operation::Create,
        Operation::Register,
    ];

    /// The name, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Operation::BootstrapConfig => "bootstrap-config",
            Operation::BootstrapPool => "bootstrap-pool",
            Operation::Plan => "plan",
            Operation::Create => "create",
            Operation::Register => "register",
        }
    }
}

impl Stage {
    /// Every stage, in order of their codes.
    pub const ALL: [Stage; 4] = [
        Stage::Started,
        Stage::Completed,
        Stage::Skipped,
        Stage::Failed,
    ];

    /// The name, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Started => "started",
            Stage::Completed => "completed",
            Stage::Skipped => "skipped",
            Stage::Failed => "failed",
        }
    }
}

impl Metric {
    pub(crate) fn new(operation: Operation, stage: Stage, reason: &Reason) -> Self {
        Metric {
            operation,
            stage,
            reason: reason.code(),
        }
    }

    /// Its key in stable memory: operation, stage, reason.
    pub(crate) fn key(self) -> u32 {
        (self.operation as u32) << 24 | (self.stage as u32) << 16 | u32::from(self.reason)
    }

    pub(crate) fn of_key(key: u32) -> Option<Self> {
        Some(Metric {
            operation: *Operation::ALL.get((key >> 24) as usize)?,
            stage: *Stage::ALL.get((key >> 16 & 0xff) as usize)?,
            reason: (key & 0xffff) as u16,
        })
    }
}
