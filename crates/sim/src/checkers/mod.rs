//! What must hold after every decision, one file per invariant (DESIGN: section 9); checkers read
//! the platform's truth and the state's public reads, and change neither.

mod accounted;
mod bounded;
mod drained;
mod exclusive;
mod explained;
mod handout;
mod limited;
mod operations;
mod ready;

use crate::model::Platform;
use hatchery_core::{Decision, Input, Row, State};
use hatchery_types::{CanisterId, Effect, Nanos};
use ic_stable_structures::VectorMemory;
use std::collections::BTreeMap;

/// Rows by canister.
pub type Rows = BTreeMap<CanisterId, Row>;

/// One decision and everything around it.
pub struct Scene<'a> {
    /// When it was made.
    pub now: Nanos,
    /// What it answers to.
    pub input: &'a Input,
    /// The decision, applied and its effects sent.
    pub decision: &'a Decision,
    /// Rows before.
    pub before: &'a Rows,
    /// Rows after.
    pub after: &'a Rows,
    /// The journal after.
    pub effects: &'a [Effect],
    /// The state after.
    pub state: &'a State<VectorMemory>,
    /// The truth.
    pub platform: &'a Platform,
}

impl Scene<'_> {
    /// Rows that are in another phase than before, new ones too: the row before, the row after.
    pub fn moved(&self) -> impl Iterator<Item = (Option<&Row>, &Row)> {
        self.after.values().filter_map(|row| {
            let before = self.before.get(&row.canister);
            let same = before.is_some_and(|before| before.phase == row.phase);
            (!same).then_some((before, row))
        })
    }
}

/// One invariant, with whatever it must remember between decisions.
pub trait Checker {
    /// Its name, for the report of a failure.
    fn name(&self) -> &'static str;

    /// Looks at one decision.
    ///
    /// # Errors
    /// What is wrong, in words.
    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String>;
}

/// Every checker, fresh.
pub fn all() -> Vec<Box<dyn Checker>> {
    vec![
        Box::new(accounted::Accounted),
        Box::new(exclusive::Exclusive),
        Box::new(handout::HandOut::default()),
        Box::new(bounded::Bounded::default()),
        Box::new(ready::Ready),
        Box::new(operations::Operations::default()),
        Box::new(drained::Drained::default()),
        Box::new(explained::Explained),
        Box::new(limited::Limited),
    ]
}
