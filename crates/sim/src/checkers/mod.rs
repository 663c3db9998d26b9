//! What must hold after every decision, one file per invariant (DESIGN: section 9); checkers read
//! the platform's truth and the state's public reads, and change neither.

mod accounted;
mod bounded;
mod conserved;
mod drained;
mod edges;
mod exclusive;
mod explained;
mod granted;
mod handout;
mod limited;
mod operations;
mod paced;
mod past;
mod protected;
mod ready;
mod thrifty;
mod upgraded;

pub use edges::{Cause, Edge, EdgeCounts, Edges, edge_names, edges_missed, is_move_listed};

use crate::model::{Change, Journal, Platform, Rows};
use hatchery_core::{Decision, Input, Row, State};
use hatchery_types::{Effect, Nanos};
use ic_stable_structures::VectorMemory;

/// One decision and everything around it.
pub struct Scene<'a> {
    /// When it was made.
    pub now: Nanos,
    /// What it answers to.
    pub input: &'a Input,
    /// The decision, applied and its effects sent.
    pub decision: &'a Decision,
    /// Rows that it changed, one entry an event.
    pub changes: &'a [Change],
    /// Effects that it closed, as they were.
    pub closed: &'a [Effect],
    /// Rows after.
    pub rows: &'a Rows,
    /// The journal after.
    pub journal: &'a Journal,
    /// The state after.
    pub state: &'a State<VectorMemory>,
    /// The truth.
    pub platform: &'a Platform,
    /// Look at everything, not at the changes alone.
    pub is_whole: bool,
}

impl Scene<'_> {
    /// Rows that are in another phase than before, new ones too: the row before, the row after.
    pub fn moved(&self) -> impl Iterator<Item = (Option<&Row>, &Row)> {
        self.changes.iter().filter_map(|change| {
            let (before, after) = (change.before.as_ref(), change.after.as_ref()?);
            let same = before.is_some_and(|before| before.phase == after.phase);
            (!same).then_some((before, after))
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
        Box::new(exclusive::Exclusive::default()),
        Box::new(handout::HandOut::default()),
        Box::new(bounded::Bounded::default()),
        Box::new(ready::Ready::default()),
        Box::new(operations::Operations::default()),
        Box::new(drained::Drained::default()),
        Box::new(explained::Explained),
        Box::new(limited::Limited),
        Box::new(conserved::Conserved::default()),
        Box::new(thrifty::Thrifty),
        Box::new(paced::Paced),
        Box::new(past::Past),
        Box::new(protected::Protected),
        Box::new(upgraded::Upgraded::default()),
        Box::new(granted::Granted),
    ]
}
