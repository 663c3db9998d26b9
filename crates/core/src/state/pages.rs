//! Pages of rows: a page costs what is on it, whatever the size of the fleet.

use super::State;
use crate::record::Row;
use crate::storage::PrincipalKey;
use hatchery_types::{CanisterId, Phase};
use ic_stable_structures::Memory;
use std::ops::Bound::{Excluded, Unbounded};

/// Rows looked at for a page, as a multiple of its length, when a filter leaves some out.
const LOOKED_AT: usize = 10;

/// Which rows of the warm pool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowFilter {
    /// Of this phase; none = of every phase but those of members.
    pub phase: Option<Phase>,
    /// With this role, now or last.
    pub role: Option<String>,
    /// With a reason of this code.
    pub reason: Option<u16>,
}

/// Where a page of the warm pool ended.
pub type PoolCursor = (Phase, CanisterId);

impl<M: Memory> State<M> {
    /// At most `limit` rows behind `after`, in order of their ids, and where to continue.
    pub fn rows(
        &self,
        phase: Option<Phase>,
        after: Option<CanisterId>,
        limit: usize,
    ) -> (Vec<Row>, Option<CanisterId>) {
        let enough = limit.saturating_add(1);
        let mut page: Vec<Row> = if let Some(phase) = phase {
            let ids = self.index.in_phase(phase, after).take(enough);
            ids.filter_map(|id| self.row(*id)).collect()
        } else {
            let start = after.map_or(Unbounded, |id| Excluded(PrincipalKey::from(id)));
            let entries = self.rows.range((start, Unbounded)).take(enough);
            entries.map(|entry| entry.value().read()).collect()
        };
        let more = page.len() > limit;
        page.truncate(limit);
        let next = page.last().filter(|_| more).map(|row| row.canister);
        (page, next)
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
        let mut phases = Phase::ALL;
        phases.sort_unstable();
        let phases = phases
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
            page.extend(self.row(cursor.1).filter(|row| {
                filter
                    .role
                    .as_ref()
                    .is_none_or(|role| row.role.as_ref() == Some(role))
                    && filter.reason.is_none_or(|code| row.reason.code() == code)
            }));
        }
        (page, None)
    }
}
