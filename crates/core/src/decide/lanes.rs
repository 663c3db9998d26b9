//! What each lane may start: as configured, as the platform's queue allows, and as root's liquid
//! cycles carry.

use crate::Vitals;
use crate::limits;
use crate::plant::planted;
use crate::state::State;
use hatchery_types::{EffectKind, FleetSpec, Lane};
use ic_stable_structures::Memory;

/// Calls of an install.
pub(super) const INSTALL_CALLS: u32 = 2;
/// Calls of the longest reset.
const RESET_CALLS: u32 = 4;

/// A lane as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneStatus {
    /// Which.
    pub lane: Lane,
    /// Effects at once, as configured.
    pub width: u32,
    /// Effects in flight.
    pub in_flight: u32,
    /// Effects that may start now.
    pub open: u32,
}

/// Every lane as it stands; none without a spec.
pub fn lanes<M: Memory>(state: &State<M>, vitals: &Vitals) -> Vec<LaneStatus> {
    let Some(spec) = state.spec() else {
        return Vec::new();
    };
    let room = Room::new(state, vitals);
    let status = |lane| LaneStatus {
        lane,
        width: width(spec, lane),
        in_flight: state.counts().lane(lane),
        open: room.lane(state, spec, lane),
    };
    Lane::ALL.into_iter().map(status).collect()
}

/// How many more calls may be in flight: the platform's queue and root's liquid cycles.
///
/// What calls in flight lock is already out of the liquid balance, so a lane narrows as it falls
/// and widens as answers give it back, before a call would be refused.
pub(super) struct Room {
    /// To the management canister.
    calls: u32,
    /// To anybody, as far as the balance carries them.
    pub(super) payable: u32,
}

impl Room {
    pub(super) fn new<M: Memory>(state: &State<M>, vitals: &Vitals) -> Self {
        let payable = u32::try_from(vitals.liquid.0 / limits::CALL_LOCK.0).unwrap_or(u32::MAX);
        let payable = payable.saturating_sub(limits::CALLS_SPARE);
        let queue = limits::CALLS_MAX.saturating_sub(state.counts().calls);
        Room {
            calls: payable.min(queue),
            payable,
        }
    }

    /// An effect of that kind may start.
    pub(super) fn takes<M: Memory>(
        &self,
        state: &State<M>,
        spec: &FleetSpec,
        kind: &EffectKind,
    ) -> bool {
        self.calls as usize >= kind.steps().len() && self.lane(state, spec, kind.lane()) > 0
    }

    /// Effects that may still start in a lane.
    pub(super) fn lane<M: Memory>(&self, state: &State<M>, spec: &FleetSpec, lane: Lane) -> u32 {
        let most = match lane {
            Lane::Create | Lane::Other => self.calls,
            Lane::Reset => self.calls / RESET_CALLS,
            Lane::Install => self.calls / INSTALL_CALLS,
            Lane::Drain => self.payable,
        };
        width(spec, lane)
            .saturating_sub(state.counts().lane(lane))
            .min(most)
    }
}

/// Effects of a lane at once, as configured.
fn width(spec: &FleetSpec, lane: Lane) -> u32 {
    match lane {
        Lane::Create => spec.lanes.create,
        Lane::Reset if planted("p23") => u32::MAX,
        Lane::Reset => spec.lanes.reset,
        Lane::Install => spec.lanes.install,
        Lane::Drain => limits::DRAIN_LANE,
        Lane::Other => limits::OTHER_LANE,
    }
}
