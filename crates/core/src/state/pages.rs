//! Pages of rows: a page costs what is on it, whatever the size of the fleet.

use super::State;
use crate::plant::planted;
use crate::record::{LogEntry, Row};
use crate::storage::PrincipalKey;
use crate::topic::EventFilter;
use hatchery_types::{CanisterId, ModuleHash, Phase};
use ic_stable_structures::Memory;
use std::ops::Bound::{Excluded, Unbounded};

/// Rows looked at for a page, as a multiple of its length, when a filter leaves some out.
const LOOKED_AT: usize = 10;

/// Which rows. Of the warm pool no phase means every phase but those of members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowFilter {
    /// In this phase.
    pub phase: Option<Phase>,
    /// With this role, now or last.
    pub role: Option<String>,
    /// With a reason of this code.
    pub reason: Option<u16>,
    /// In this pool, now or last.
    pub pool: Option<String>,
    /// Members with this parent.
    pub parent: Option<CanisterId>,
    /// With this module, now or last.
    pub module: Option<ModuleHash>,
}

impl RowFilter {
    /// Everything, or everything in a phase.
    pub fn of(phase: Option<Phase>) -> Self {
        RowFilter {
            phase,
            ..RowFilter::default()
        }
    }

    fn lets(&self, row: &Row) -> bool {
        fn same<T: PartialEq>(wanted: Option<&T>, it: Option<&T>) -> bool {
            wanted.is_none() || wanted == it
        }
        same(self.phase.as_ref(), Some(&row.phase))
            && same(self.role.as_ref(), row.role.as_ref())
            && same(self.reason.as_ref(), Some(&row.reason.code()))
            && same(self.pool.as_ref(), row.pool.as_ref())
            && same(self.parent.as_ref(), row.parent.as_ref())
            && same(self.module.as_ref(), row.module.as_ref())
    }
}

/// Where a page of the warm pool ended.
pub type PoolCursor = (Phase, CanisterId);

impl<M: Memory> State<M> {
    /// At most `limit` rows behind `after`, in order of their ids, and where to continue. At most
    /// ten times `limit` rows are looked at, so a page may be short.
    pub fn rows(
        &self,
        filter: &RowFilter,
        after: Option<CanisterId>,
        limit: usize,
    ) -> (Vec<Row>, Option<CanisterId>) {
        let rows: Box<dyn Iterator<Item = Row> + '_> = match (filter.parent, filter.phase) {
            (Some(parent), _) => {
                let children = self.children(parent, after);
                Box::new(children.filter_map(|id| self.row(id)))
            }
            (None, Some(phase)) => {
                let ids = self.index.in_phase(phase, after);
                Box::new(ids.filter_map(|id| self.row(*id)))
            }
            (None, None) => {
                let start = after.map_or(Unbounded, |id| Excluded(PrincipalKey::from(id)));
                let entries = self.rows.range((start, Unbounded));
                Box::new(entries.map(|entry| entry.value().read()))
            }
        };
        let (mut page, mut last) = (Vec::new(), after);
        for (looked_at, row) in rows.enumerate() {
            let full = page.len() == limit || looked_at == limit.saturating_mul(LOOKED_AT);
            if full && !planted("l10") {
                return (page, last);
            }
            last = Some(row.canister);
            page.extend(Some(row).filter(|row| filter.lets(row)));
        }
        (page, None)
    }

    /// At most `limit` rows of the warm pool behind `after`, by phase and id, and where to
    /// continue. At most ten times `limit` rows are looked at, so a page may be short.
    pub fn pool_rows(
        &self,
        filter: &RowFilter,
        after: Option<PoolCursor>,
        limit: usize,
    ) -> (Vec<Row>, Option<PoolCursor>) {
        let asked = |phase: &Phase| match filter.phase {
            Some(wanted) => *phase == wanted,
            None => !phase.is_member(),
        };
        let behind = |phase: &Phase| after.is_none_or(|(reached, _)| *phase >= reached);
        let phases = Phase::ALL
            .into_iter()
            .filter(|phase| asked(phase) && behind(phase));
        let ids = phases.flat_map(|phase| {
            let after = after.filter(|(reached, _)| *reached == phase);
            let ids = self.index.in_phase(phase, after.map(|(_, id)| id));
            ids.map(move |id| (phase, *id))
        });
        let mut page = Vec::new();
        let mut last = after;
        for (looked_at, cursor) in ids.enumerate() {
            if page.len() == limit || looked_at == limit.saturating_mul(LOOKED_AT) {
                return (page, last);
            }
            last = Some(cursor);
            page.extend(self.row(cursor.1).filter(|row| filter.lets(row)));
        }
        (page, None)
    }
}

/// Entries of the log looked at for a page of what happened to one canister.
const LOG_LOOKED_AT: usize = 2_000;

impl<M: Memory> State<M> {
    /// At most `limit` events with a number above `after`, oldest first, that the filter lets pass,
    /// and after which number to continue. A page may be short: so many are looked at and no more.
    pub fn history(
        &self,
        filter: &EventFilter,
        after: u64,
        limit: usize,
    ) -> (Vec<(u64, LogEntry)>, Option<u64>) {
        if filter.is_open() {
            let page = self.log(after, limit);
            let next = page.last().map(|(number, _)| *number);
            let more = next.filter(|number| *number < self.newest_event());
            return (page, more);
        }
        let looked_at = self.log(after, LOG_LOOKED_AT);
        let last = looked_at.last().map(|(number, _)| *number);
        let ours = looked_at.into_iter();
        let mut page: Vec<(u64, LogEntry)> = ours.filter(|(_, entry)| filter.lets(entry)).collect();
        let more = page.len() > limit;
        page.truncate(limit);
        let last = page
            .last()
            .map(|(number, _)| *number)
            .filter(|_| more)
            .or(last);
        (page, last.filter(|number| *number < self.newest_event()))
    }
}
