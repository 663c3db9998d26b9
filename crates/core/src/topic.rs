//! What an entry of the log is about and how much it matters, made from its reason and its phase when
//! it is read: the log does not keep what it already says.

use crate::record::LogEntry;
use hatchery_types::{CanisterId, Level, Phase, Reason, Topic};

impl LogEntry {
    /// What it is about.
    pub fn topic(&self) -> Topic {
        if self.operation.is_some() {
            return Topic::Operations;
        }
        match &self.reason {
            Reason::Leased | Reason::Released | Reason::LeaseExpired => Topic::Leases,
            Reason::Outdated
            | Reason::Upgraded
            | Reason::RolledBack
            | Reason::RollbackFailed
            | Reason::UpgradeStopped => Topic::Upgrades,
            Reason::Requested | Reason::ParentLeaves | Reason::Adopted => Topic::Requests,
            Reason::ToppedUp(_) | Reason::BelowFloor | Reason::AboveSweepLine => Topic::Cycles,
            Reason::Found
            | Reason::NotFound
            | Reason::Recovered
            | Reason::Recovering
            | Reason::UnknownTenant => Topic::Recovery,
            Reason::Claimed
            | Reason::ScaledIn
            | Reason::LoadReturned
            | Reason::Promoted
            | Reason::StandbySurplus => Topic::Scaling,
            _ => self.topic_of_phase(),
        }
    }

    fn topic_of_phase(&self) -> Topic {
        match self.phase {
            Some(Phase::Upgrading) => Topic::Upgrades,
            Some(Phase::Recovering) => Topic::Recovery,
            Some(phase) if phase.is_member() => Topic::Workers,
            None if self.canister.is_none() => Topic::Fleet,
            _ => Topic::WarmPool,
        }
    }

    /// How much it matters.
    pub fn level(&self) -> Level {
        let is_out = matches!(self.phase, Some(Phase::Failed | Phase::Lost));
        match &self.reason {
            Reason::RollbackFailed | Reason::UnknownTenant | Reason::BreakerOpen { .. } => {
                Level::Error
            }
            _ if is_out => Level::Error,
            reason if is_trouble(reason) => Level::Warning,
            _ => Level::Info,
        }
    }
}

/// It went wrong, or was cut short.
fn is_trouble(reason: &Reason) -> bool {
    // Codes 20 to 49 are why a row failed or waits, 100 to 114 and 118 to 120 why a request was
    // refused (`types/reason.rs`).
    matches!(reason.code(), 20..=49 | 100..=114 | 118..=120)
        || matches!(
            reason,
            Reason::DrainDeadline
                | Reason::LeaseExpired
                | Reason::StartFailed
                | Reason::RolledBack
                | Reason::NotFound
                | Reason::ModuleMissing
        )
}

/// Which events of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this canister.
    pub canister: Option<CanisterId>,
    /// About this.
    pub topic: Option<Topic>,
    /// That matter so much, or more.
    pub level: Option<Level>,
}

impl EventFilter {
    /// Of one canister, or of all.
    pub fn of(canister: Option<CanisterId>) -> Self {
        EventFilter {
            canister,
            ..EventFilter::default()
        }
    }

    /// Lets everything pass.
    pub(crate) fn is_open(&self) -> bool {
        *self == EventFilter::default()
    }

    pub(crate) fn lets(&self, entry: &LogEntry) -> bool {
        (self.canister.is_none() || self.canister == entry.canister)
            && self.topic.is_none_or(|topic| topic == entry.topic())
            && self.level.is_none_or(|level| level <= entry.level())
    }
}
