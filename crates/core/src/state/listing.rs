//! A pool's list of workers, for those who give them work: the whole, or what changed.

use super::State;
use crate::limits;
use crate::plant::planted;
use hatchery_types::{CanisterId, Generation, Phase};
use ic_stable_structures::Memory;
use std::collections::BTreeSet;

/// What changed in a list of workers since a generation of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The list's generation now.
    pub generation: Generation,
    /// `joined` is the whole list; what was known before is void.
    pub whole: bool,
    /// Workers on the list now.
    pub joined: Vec<CanisterId>,
    /// Workers no longer on it.
    pub left: Vec<CanisterId>,
    /// The list is too long for this answer: ask for its pages.
    pub too_long: bool,
}

impl<M: Memory> State<M> {
    /// What changed in the list of `pool` since `known`, or the whole list when that is not known
    /// any more.
    pub fn listing_since(&self, pool: &str, known: Generation) -> Listing {
        let generation = self.listing(pool);
        if known == generation {
            return Listing {
                generation,
                ..Listing::default()
            };
        }
        let listed = self.index.pools.get(pool).into_iter();
        let changes = listed.flat_map(|pool| &pool.listing_changes);
        let mut changes = changes.skip_while(|(event, _)| *event < known.0).peekable();
        // Only from a generation that is remembered can the way be retraced.
        let retraceable = changes.peek().is_some_and(|(event, _)| *event == known.0);
        if !retraceable {
            return self.whole_listing(pool, generation);
        }
        let mut changed = BTreeSet::new();
        for (_, id) in changes.skip(1) {
            changed.insert(*id);
        }
        let at_work = |id: &CanisterId| {
            let member = self.member(pool, *id);
            member.is_some_and(|it| it.phase == Phase::InService || planted("s07"))
        };
        let (joined, left) = changed.into_iter().partition(at_work);
        Listing {
            generation,
            joined,
            left,
            ..Listing::default()
        }
    }

    fn whole_listing(&self, pool: &str, generation: Generation) -> Listing {
        let count = self.members_in(pool, Phase::InService) as usize;
        let too_long = count > limits::PAGE_MAX;
        let page = if too_long { 0 } else { limits::PAGE_MAX };
        let workers = self.workers(pool, None, page);
        Listing {
            generation,
            whole: true,
            joined: workers.into_iter().map(|(id, _)| id).collect(),
            left: Vec::new(),
            too_long,
        }
    }
}
