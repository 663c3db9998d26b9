//! One second of the demo, as root's queries and the look from outside show it.

use crate::world::{CallError, Census, FleetWorld};
use hatchery_api::{EventView, ReasonView, RowView};
use hatchery_types::{Cycles, Phase};

/// Most rows a frame carries.
const ROWS_MAX: usize = 100;

/// One second of the demo.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// Virtual time since the start.
    pub virtual_seconds: u64,
    /// Rounds of the engine.
    pub rounds: u64,
    /// Rows by phase, every phase once.
    pub phases: Vec<(Phase, u64)>,
    /// Sum of the members' signals.
    pub load: u64,
    /// Members wanted.
    pub desired: u64,
    /// Members that take work.
    pub in_service: u64,
    /// Members that finish.
    pub draining: u64,
    /// Empty canisters in the warm pool.
    pub ready: u64,
    /// Rows that wait for an operator.
    pub failed: u64,
    /// Effects in flight.
    pub effects: u64,
    /// Jobs given to the fleet so far.
    pub jobs_submitted: u64,
    /// Jobs collected with the right result so far.
    pub jobs_done: u64,
    /// The first rows.
    pub rows: Vec<RowView>,
    /// Events since the last frame.
    pub events: Vec<EventView>,
    /// What the pools and the warm pool do, or what holds them back.
    pub pool_reasons: Vec<ReasonView>,
    /// Root's balance.
    pub root_cycles: Cycles,
    /// Something that the demo did.
    pub notice: Option<String>,
    /// Canisters that root created and knows of.
    pub accounted: u64,
    /// Canisters that root created.
    pub canisters: u64,
    /// Rows of canisters that are not there, of which root does not know it yet.
    pub stale: u64,
    /// Creations whose reply was lost, and canisters that root knows to be gone.
    pub lost: u64,
}

impl Frame {
    /// Reads root's queries; what the demo itself counts is left at zero.
    ///
    /// # Errors
    /// A query fails.
    pub fn read(world: &mut FleetWorld, census: &Census, after: u64) -> Result<Self, CallError> {
        let status = world.status()?;
        let mut rows = world.rows()?;
        let is_stale = |row: &&RowView| {
            let is_gone = world.engine.canister(row.canister.0).is_none();
            is_gone && !matches!(row.phase, Phase::Lost | Phase::Deleting)
        };
        let stale = rows.iter().filter(is_stale).count() as u64;
        rows.truncate(ROWS_MAX);
        let sum = |count: fn(&hatchery_api::PoolView) -> u64| status.pools.iter().map(count).sum();
        let in_phase = |phase| {
            let phases = status.phases.iter();
            phases
                .filter(|(name, _)| *name == phase)
                .map(|(_, count)| *count)
                .sum()
        };
        let reasons = status.pools.iter().flat_map(|pool| pool.reasons.clone());
        Ok(Frame {
            rounds: world.engine.round(),
            load: sum(|pool| pool.load),
            desired: sum(|pool| u64::from(pool.desired)),
            in_service: sum(|pool| u64::from(pool.in_service)),
            draining: in_phase(Phase::Draining),
            ready: in_phase(Phase::Ready),
            failed: in_phase(Phase::Failed),
            effects: status.effects.iter().map(|(_, count)| *count).sum(),
            events: world.events(after)?,
            pool_reasons: reasons.chain([status.warm_reason.clone()]).collect(),
            root_cycles: status.cycles,
            accounted: census.accounted,
            canisters: census.created,
            stale,
            lost: status.lost_creations + in_phase(Phase::Lost),
            phases: status.phases,
            rows,
            ..Frame::default()
        })
    }
}

/// The figures of a frame that a plot shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FrameSummary {
    /// Virtual time since the start.
    pub virtual_seconds: u64,
    /// Sum of the members' signals.
    pub load: u64,
    /// Members wanted.
    pub desired: u64,
    /// Members that take work.
    pub in_service: u64,
    /// Members that finish.
    pub draining: u64,
    /// Empty canisters in the warm pool.
    pub ready: u64,
    /// Root was upgraded by force in this second, or a fault was staged.
    pub notable: bool,
}

impl From<&Frame> for FrameSummary {
    fn from(frame: &Frame) -> Self {
        FrameSummary {
            virtual_seconds: frame.virtual_seconds,
            load: frame.load,
            desired: frame.desired,
            in_service: frame.in_service,
            draining: frame.draining,
            ready: frame.ready,
            notable: frame.notice.is_some(),
        }
    }
}
