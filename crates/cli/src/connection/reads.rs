//! What root tells, whole: every page of a list, one after the other.

use super::Client;
use hatchery_api::{
    CanistersPage, CanistersRequest, EffectView, EffectsRequest, EventView, EventsPage,
    EventsRequest, ExportPage, ExportRequest, FleetStatus, PAGE_MAX, PlanView, PoolListPage,
    PoolListRequest, PoolStatus, RowView, WorkersPage, WorkersRequest,
};
use hatchery_types::{CanisterId, FleetSpec, Phase};

impl Client {
    /// Root's counters.
    pub(crate) fn status(&self) -> anyhow::Result<FleetStatus> {
        self.look("status")
    }

    /// The applied spec; none before the first.
    pub(crate) fn spec(&self) -> anyhow::Result<Option<FleetSpec>> {
        self.look("spec")
    }

    /// The warm pool's counters.
    pub(crate) fn pool_status(&self) -> anyhow::Result<PoolStatus> {
        self.look("pool_status")
    }

    /// The dry run of a pool.
    pub(crate) fn plan(&self, pool: &str) -> anyhow::Result<PlanView> {
        self.ask("plan", &pool)
    }

    /// The first page of rows behind an id.
    pub(crate) fn page(
        &self,
        phase: Option<Phase>,
        after: Option<CanisterId>,
        limit: u32,
    ) -> anyhow::Result<CanistersPage> {
        let request = CanistersRequest {
            phase,
            after,
            limit,
            ..CanistersRequest::default()
        };
        self.query("canisters", &request)
    }

    /// Every row, or every one in a phase.
    pub(crate) fn rows(&self, phase: Option<Phase>) -> anyhow::Result<Vec<RowView>> {
        self.rows_that(CanistersRequest {
            phase,
            ..CanistersRequest::default()
        })
    }

    /// Every row that fits.
    pub(crate) fn rows_that(&self, mut request: CanistersRequest) -> anyhow::Result<Vec<RowView>> {
        let mut rows = Vec::new();
        request.limit = PAGE_MAX;
        loop {
            let page: CanistersPage = self.query("canisters", &request)?;
            rows.extend(page.rows);
            request.after = page.next;
            if request.after.is_none() {
                return Ok(rows);
            }
        }
    }

    /// The row of one canister, if there is one.
    pub(crate) fn row(&self, canister: CanisterId) -> anyhow::Result<Option<RowView>> {
        // A page begins behind an id, so the one before is asked behind.
        let page = self.page(None, before(canister), 1)?;
        Ok(page.rows.into_iter().find(|row| row.canister == canister))
    }

    /// Every row of the warm pool that fits.
    pub(crate) fn pool_rows(&self, mut request: PoolListRequest) -> anyhow::Result<Vec<RowView>> {
        let mut rows = Vec::new();
        loop {
            let page: PoolListPage = self.query("pool_list", &request)?;
            rows.extend(page.rows);
            request.after = page.next;
            if request.after.is_none() {
                return Ok(rows);
            }
        }
    }

    /// Every worker of a pool that takes new work.
    pub(crate) fn workers(&self, pool: &str) -> anyhow::Result<WorkersPage> {
        let mut request = WorkersRequest {
            pool: pool.to_owned(),
            ..WorkersRequest::default()
        };
        let mut whole: WorkersPage = self.ask("workers", &request)?;
        while whole.next.is_some() {
            request.after = whole.next;
            let page: WorkersPage = self.ask("workers", &request)?;
            whole.workers.extend(page.workers);
            whole.next = page.next;
        }
        Ok(whole)
    }

    /// The events behind a number, at most a page.
    pub(crate) fn events(&self, after: u64, limit: u32) -> anyhow::Result<EventsPage> {
        let request = EventsRequest {
            after,
            limit,
            ..EventsRequest::default()
        };
        self.query("events", &request)
    }

    /// Every event that fits the request and is still kept.
    pub(crate) fn events_where(
        &self,
        mut request: EventsRequest,
    ) -> anyhow::Result<Vec<EventView>> {
        request.limit = PAGE_MAX;
        let mut events = Vec::new();
        loop {
            let page: EventsPage = self.query("events", &request)?;
            events.extend(page.events);
            match page.next {
                Some(next) => request.after = next,
                None => return Ok(events),
            }
        }
    }

    /// Every event behind a number that is still kept.
    pub(crate) fn all_events(&self, after: u64) -> anyhow::Result<Vec<EventView>> {
        self.events_where(EventsRequest {
            after,
            ..EventsRequest::default()
        })
    }

    /// Every effect in flight.
    pub(crate) fn effects(&self) -> anyhow::Result<Vec<EffectView>> {
        let mut effects: Vec<EffectView> = Vec::new();
        loop {
            let after = effects.last().map(|effect| effect.id);
            let limit = PAGE_MAX;
            let page: Vec<EffectView> = self.query("effects", &EffectsRequest { after, limit })?;
            let is_last = page.len() < PAGE_MAX as usize;
            effects.extend(page);
            if is_last {
                return Ok(effects);
            }
        }
    }

    /// The whole registry as one page.
    pub(crate) fn export(&self) -> anyhow::Result<ExportPage> {
        let mut request = ExportRequest::default();
        let mut whole: ExportPage = self.query("export", &request)?;
        while whole.next.is_some() {
            request.after = whole.next;
            let page: ExportPage = self.query("export", &request)?;
            whole.canisters.extend(page.canisters);
            whole.next = page.next;
        }
        Ok(whole)
    }
}

/// An id that stands right before `canister`: the number in its bytes, less one.
fn before(canister: CanisterId) -> Option<CanisterId> {
    let mut bytes = canister.0.as_slice().to_vec();
    for byte in bytes.iter_mut().rev() {
        let (less, borrows) = byte.overflowing_sub(1);
        *byte = less;
        if !borrows {
            return Some(CanisterId(candid::Principal::from_slice(&bytes)));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::before;
    use hatchery_types::{CanisterId, Principal};

    fn id(bytes: &[u8]) -> CanisterId {
        CanisterId(Principal::from_slice(bytes))
    }

    #[test]
    fn the_id_before_is_one_less() {
        assert_eq!(before(id(&[0, 1, 1])), Some(id(&[0, 1, 0])));
        assert_eq!(before(id(&[1, 0, 0])), Some(id(&[0, 255, 255])));
        assert_eq!(before(id(&[0, 0])), None);
    }
}
