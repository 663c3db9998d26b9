//! The decision log: the last decisions of all pools by number, each pool's linked newest first.

use super::State;
use crate::decided::{Decided, Noted};
use crate::limits;
use crate::storage::Record;
use ic_stable_structures::Memory;

impl<M: Memory> State<M> {
    /// Number of the newest decision; 0 = none yet.
    pub fn newest_decision(&self) -> u64 {
        self.newest_decision
    }

    /// A decision that is still kept.
    pub fn decision(&self, number: u64) -> Option<Decided> {
        self.decisions.get(&number).map(|decided| decided.read())
    }

    /// At most `limit` decisions of a pool, newest first, from the one of that number (none = from
    /// the newest), and the number to continue with.
    pub fn decisions_of(
        &self,
        pool: &str,
        from: Option<u64>,
        limit: usize,
    ) -> (Vec<(u64, Decided)>, Option<u64>) {
        let newest = self.pool(pool).map_or(0, |record| record.decision);
        let mut next = from.unwrap_or(newest);
        let (mut page, mut bytes) = (Vec::new(), 0);
        while let Some(decided) = self.decision(next).filter(|it| it.pool == pool) {
            bytes += decided.view.len() + decided.plan.len();
            let full = page.len() == limit || bytes > limits::DECISIONS_PAGE_BYTES_MAX;
            if full && !page.is_empty() {
                return (page, Some(next));
            }
            let before = decided.before;
            page.push((next, decided));
            next = before;
        }
        (page, None)
    }

    /// The views that lead to a decision's, the whole one first, as [`replay`](crate::replay) takes
    /// them; `None` if one of them is not kept any more.
    pub fn views_of(&self, number: u64) -> Option<Vec<Vec<u8>>> {
        let (mut views, mut at) = (Vec::new(), number);
        let whole = self
            .decision(number)
            .map(|it| if it.base == 0 { number } else { it.base })?;
        loop {
            let decided = self.decision(at).filter(|it| !it.view.is_empty())?;
            views.push(decided.view);
            if at == whole {
                views.reverse();
                return Some(views);
            }
            at = decided.before;
        }
    }

    /// What the next decision of a pool may leave out of its view: `None` = nothing.
    pub(crate) fn noted(&self, pool: &str) -> Option<&Noted> {
        let noted = self.index.pools.get(pool)?.noted.as_ref()?;
        let oldest = self.newest_decision + 1 - self.decisions.len();
        let kept = noted.base >= oldest && noted.since_base < limits::DECISIONS_PER_VIEW;
        kept.then_some(noted)
    }

    pub(super) fn put_decision(&mut self, decided: Decided) {
        self.newest_decision += 1;
        let number = self.newest_decision;
        let known = self.index.pool_mut(&decided.pool);
        let noted = Noted {
            base: if decided.base == 0 {
                number
            } else {
                decided.base
            },
            since_base: match &known.noted {
                Some(noted) if decided.base > 0 => noted.since_base + 1,
                _ => 0,
            },
            changed: std::collections::BTreeSet::new(),
        };
        known.noted = (!decided.view.is_empty()).then_some(noted);
        self.decisions.insert(number, Record::from(decided));
        if self.decisions.len() > limits::DECISIONS_MAX {
            self.decisions.pop_first();
        }
    }
}
