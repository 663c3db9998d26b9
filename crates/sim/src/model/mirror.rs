//! Rows and journal as the events say they must be: what changed in one decision, without reading
//! everything after each. Compared with the state itself at every whole look.

use hatchery_core::{Event, Row, RowFilter, State};
use hatchery_types::{CanisterId, Effect, EffectId};
use ic_stable_structures::VectorMemory;
use std::collections::BTreeMap;

/// Rows by canister.
pub type Rows = BTreeMap<CanisterId, Row>;
/// Effects by id.
pub type Journal = BTreeMap<EffectId, Effect>;

/// One row before and after one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// None = it is new.
    pub before: Option<Row>,
    /// None = it is gone.
    pub after: Option<Row>,
}

/// What the events so far have made.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    pub(super) rows: Rows,
    pub(super) journal: Journal,
    /// Rows that the last decision changed, one entry an event.
    pub(super) changes: Vec<Change>,
    /// Effects that the last decision closed, as they were.
    pub(super) closed: Vec<Effect>,
}

impl Mirror {
    /// Forgets what the last decision changed.
    pub(super) fn turn(&mut self) {
        self.changes.clear();
        self.closed.clear();
    }

    /// Follows one event. An event that this does not know cannot be compiled.
    pub(super) fn follow(&mut self, event: &Event) {
        match event {
            Event::RowChanged(row) | Event::Sampled(row) => {
                let before = self.rows.insert(row.canister, (**row).clone());
                let after = Some((**row).clone());
                self.changes.push(Change { before, after });
            }
            Event::RowRemoved(canister, _) => {
                let before = self.rows.remove(canister);
                self.changes.push(Change {
                    before,
                    after: None,
                });
            }
            Event::EffectStarted(effect) => {
                self.journal.insert(effect.id, (**effect).clone());
            }
            Event::OutcomeRecorded(id, step, outcome) => {
                if let Some(effect) = self.journal.get_mut(id) {
                    effect.outcomes[usize::from(*step)] = Some(outcome.clone());
                }
            }
            Event::EffectClosed(id) => self.closed.extend(self.journal.remove(id)),
            Event::CreationGivenUp(id) => {
                if let Some(effect) = self.journal.get_mut(id) {
                    effect.given_up = true;
                }
            }
            Event::PurseNoted(_)
            | Event::CyclesBooked(..)
            | Event::StandingChanged(_)
            | Event::SearchChanged(_)
            | Event::Started(_)
            | Event::SpecApplied(_)
            | Event::Paused(..)
            | Event::CreationHeldBack { .. }
            | Event::PoolPlanned { .. }
            | Event::PoolChanged(_)
            | Event::PoolSampled(_)
            | Event::PoolStirred(_)
            | Event::LeaseAnswered { .. }
            | Event::LeasesForgotten
            | Event::ResetsJudged(_)
            | Event::WorkCut(_)
            | Event::ModuleChanged { .. }
            | Event::StoreSeen(_)
            | Event::Decided(_)
            | Event::Counted(..)
            | Event::Measured(..)
            | Event::Served(..)
            | Event::MetricsKept
            | Event::OperationAnswered { .. } => {}
        }
    }

    /// The first difference from the state itself.
    pub(super) fn difference(&self, state: &State<VectorMemory>) -> Option<String> {
        let rows = rows(state);
        if rows != self.rows {
            let id = rows
                .keys()
                .chain(self.rows.keys())
                .find(|id| rows.get(id) != self.rows.get(id))?;
            let (is, told) = (rows.get(id), self.rows.get(id));
            return Some(format!("the row is {is:?}, events said {told:?}"));
        }
        let effects = state.effects(None, usize::MAX);
        if !effects.iter().eq(self.journal.values()) {
            let told = &self.journal;
            return Some(format!("the journal is {effects:?}, events said {told:?}"));
        }
        None
    }
}

/// Every row of the state.
pub(super) fn rows(state: &State<VectorMemory>) -> Rows {
    let (rows, _) = state.rows(&RowFilter::of(None), None, 1_000);
    rows.into_iter().map(|row| (row.canister, row)).collect()
}
