//! What a plan may look at, and how its members are counted.

use crate::plant::planted;
use crate::record::{PoolRecord, Sample};
use crate::state::Member;
use hatchery_types::{CanisterId, ModuleHash, Nanos, Phase, PoolSpec, SignalSpec, UpgradeSpec};

/// Everything a plan may look at: bounded by the pool's own size.
#[derive(Debug, Clone)]
pub struct PoolView<'a> {
    /// The time.
    pub now: Nanos,
    /// What the pool should be.
    pub spec: &'a PoolSpec,
    /// What it remembers.
    pub record: &'a PoolRecord,
    /// Its members, living and leaving, by id.
    pub members: Vec<Member>,
    /// Ready canisters it may claim, oldest first.
    pub ready: Vec<CanisterId>,
    /// Of all that it might claim, those that no pool below its minimum waits for.
    pub unreserved: u32,
    /// Installs that may start now.
    pub install_room: u32,
    /// Root's liquid cycles carry another install.
    pub payable: bool,
    /// The module of its role; none = not installable yet.
    pub module: Option<ModuleHash>,
    /// How its members get that module; none = they keep theirs.
    pub upgrade: Option<UpgradeSpec>,
    /// An operator paused growing.
    pub paused_up: bool,
    /// An operator paused shrinking.
    pub paused_down: bool,
}

impl<'a> PoolView<'a> {
    /// A pool without members, and nothing to claim; payable, and nothing paused.
    pub fn new(now: Nanos, spec: &'a PoolSpec, record: &'a PoolRecord) -> Self {
        PoolView {
            now,
            spec,
            record,
            members: Vec::new(),
            ready: Vec::new(),
            unreserved: u32::MAX,
            install_room: 0,
            payable: true,
            module: None,
            upgrade: None,
            paused_up: false,
            paused_down: false,
        }
    }
}

impl PoolView<'_> {
    /// Members that count against `max`.
    pub fn living(&self) -> u32 {
        let living = self
            .members
            .iter()
            .filter(|member| member.phase.is_living());
        living.count() as u32
    }

    /// The sample, if it may be used: fresh, and of the signal as the spec has it now.
    pub(super) fn fresh(&self, signal: &SignalSpec, sample: Option<&Sample>) -> Option<u64> {
        let sample = sample.filter(|sample| sample.at.0 > 0)?;
        let ours = sample.at >= self.record.signals_at;
        let young = self.now.since(sample.at) <= signal.stale_after;
        (ours && young).then_some(sample.value)
    }
}

/// Members by what they are to a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) installing: u32,
    /// Being upgraded: they come back.
    pub(super) upgrading: u32,
    /// On standby, its start-up check passed.
    pub(super) standby: u32,
    /// On standby, its start-up check still to come.
    pub(super) starting: u32,
    pub(super) in_service: u32,
    pub(super) leased: u32,
    pub(super) draining: u32,
    pub(super) stopping: u32,
    /// At work or on the way there: in service, leased, and as many of those being installed as
    /// the last plan wanted. Policies speak of this number.
    pub(super) working: u32,
}

impl Sizes {
    pub(super) fn of(view: &PoolView<'_>) -> Self {
        let mut sizes = Sizes::default();
        for member in &view.members {
            let count = match member.phase {
                Phase::Installing => &mut sizes.installing,
                Phase::Upgrading => &mut sizes.upgrading,
                Phase::Standby if member.starting => &mut sizes.starting,
                Phase::Standby => &mut sizes.standby,
                Phase::InService => &mut sizes.in_service,
                Phase::Leased => &mut sizes.leased,
                Phase::Draining => &mut sizes.draining,
                _ => &mut sizes.stopping,
            };
            *count += 1;
        }
        let there = sizes.in_service + sizes.leased;
        let awaited = view.record.desired.saturating_sub(there);
        sizes.working = there + awaited.min(sizes.coming() + sizes.upgrading);
        sizes
    }

    /// Being installed or started.
    pub(super) fn coming(&self) -> u32 {
        self.installing + self.starting
    }

    /// Everything that counts against `max`.
    pub(super) fn living(&self) -> u32 {
        let departed = if planted("s03") {
            self.draining + self.stopping
        } else {
            0
        };
        let coming = self.coming() + self.upgrading;
        coming + self.standby + self.in_service + self.leased + departed
    }

    /// Working, and free for anybody's work.
    pub(super) fn serving(&self) -> u32 {
        self.working - self.leased
    }
}
