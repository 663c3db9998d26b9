//! From the state to the shapes of `root.did`. Reads only, and never more than a page.

use super::Stable;
use hatchery_api::{
    CanistersPage, CanistersRequest, CommandAnswer, EffectView, EffectsRequest, EventView,
    EventsPage, EventsRequest, ExportPage, ExportRequest, FleetStatus, FundingView, LedgerView,
    ModuleView, PAGE_MAX, PlanView, PoolView, Queued, ReasonView, RecoveryView, RolloutView,
    RowView, SearchView, WorkerView, WorkersPage, WorkersRequest,
};
use hatchery_core as core;
use hatchery_core::{
    EventFilter, FundingStatus, Header, LogEntry, ModuleRecord, PoolPlan, Rollout, Row, State,
    Vitals, funding_status, held_back, warm_reason,
};
use hatchery_types::{
    CanisterId, Cycles, Direction, Effect, EffectId, ModuleHash, Nanos, Phase, PoolSpec, Principal,
    Reason,
};

/// Largest page, as a length.
pub(crate) const PAGE: usize = PAGE_MAX as usize;

/// Entries of the page that was asked for; 0 = as many as there may be.
pub(crate) fn limit(asked: u32) -> usize {
    match asked {
        0 => PAGE,
        asked => (asked as usize).min(PAGE),
    }
}

pub(crate) fn reasons(reasons: &[Reason]) -> Vec<ReasonView> {
    reasons.iter().map(ReasonView::from).collect()
}

/// Counters of the fleet; `next_wake` is when the timer goes off.
pub(crate) fn fleet_status(
    state: &State<Stable>,
    now: Nanos,
    vitals: Vitals,
    next_wake: Option<Nanos>,
) -> FleetStatus {
    let spec = state.spec();
    let counts = state.counts();
    FleetStatus {
        name: spec.map(|spec| spec.name.clone()).unwrap_or_default(),
        generation: state.spec_generation(),
        incarnation: state.incarnation(),
        paused: [Direction::Up, Direction::Down]
            .iter()
            .any(|it| state.header().is_paused(*it)),
        phases: Phase::ALL
            .iter()
            .map(|phase| (*phase, counts.phase(*phase)))
            .collect(),
        effects: counts
            .effects()
            .map(|(name, count)| (name.to_owned(), count))
            .collect(),
        lost_creations: state.lost_creations(),
        warm_minimum: spec.map_or(0, |spec| spec.warm_pool.minimum),
        warm_maximum: spec.map_or(0, |spec| spec.warm_pool.maximum),
        warm_reason: ReasonView::from(&warm_reason(state, now, &vitals)),
        cycles: Cycles(ic0::canister_cycle_balance128()),
        modules: state
            .modules()
            .iter()
            .map(|(hash, record)| module(*hash, record))
            .collect(),
        pools: spec
            .map_or(&[][..], |spec| &spec.pools)
            .iter()
            .map(|it| pool(state, now, it))
            .collect(),
        next_wake,
        recovery: recovery(state),
        ledger: ledger(state.header()),
        funding: funding(funding_status(state, now, &vitals)),
    }
}

fn recovery(state: &State<Stable>) -> RecoveryView {
    RecoveryView {
        held_back: held_back(state).as_ref().map(ReasonView::from),
        sought_creations: state.sought_creations(),
        search: state.header().search.map(|search| SearchView {
            next: CanisterId::from_number(search.next),
            left: search.end.saturating_sub(search.next),
            found: search.found,
        }),
    }
}

fn ledger(header: &Header) -> LedgerView {
    LedgerView {
        spent: header.ledger.spent,
        topped_up: header.ledger.topped_up,
        received: header.ledger.received,
        burned: header.ledger.burned,
        swept: header.ledger.swept,
        discarded: header.discarded,
        given_away: header.given_away,
    }
}

fn funding(status: FundingStatus) -> FundingView {
    FundingView {
        paid_today: status.paid,
        needy: status.needy,
        burn: status.burn,
        own_burn: status.own_burn,
        hours_left: status.hours_left,
        reason: ReasonView::from(&status.reason),
    }
}

fn module(module: ModuleHash, record: &ModuleRecord) -> ModuleView {
    ModuleView {
        module,
        bytes: record.bytes,
        committed: record.committed,
        installable: record.is_installable(),
    }
}

fn pool(state: &State<Stable>, now: Nanos, spec: &PoolSpec) -> PoolView {
    let count = |phase| state.members_in(&spec.name, phase);
    let record = state.pool(&spec.name);
    PoolView {
        name: spec.name.clone(),
        role: spec.role.clone(),
        min: spec.min,
        max: spec.max,
        desired: record.map_or(0, |record| record.desired),
        installing: count(Phase::Installing),
        standby: count(Phase::Standby),
        in_service: count(Phase::InService),
        leased: count(Phase::Leased),
        draining: count(Phase::Draining),
        load: load(state, now, spec),
        reasons: reasons(record.map_or(&[][..], |record| &record.reasons)),
        work_cut: record.map_or(0, |record| record.work_cut),
        upgrading: count(Phase::Upgrading),
        rollout: record
            .and_then(|record| record.rollout)
            .map(|it| rollout(state, &spec.name, it)),
    }
}

fn rollout(state: &State<Stable>, pool: &str, rollout: Rollout) -> RolloutView {
    let living = state.members(pool).filter(|it| it.phase.is_living());
    let outdated = living.filter(|it| it.module != Some(rollout.module));
    RolloutView {
        module: rollout.module,
        since: rollout.since,
        done: rollout.done,
        failures: rollout.failures,
        left: outdated.count() as u32,
    }
}

/// Sum of the samples of the pool's load that still count.
fn load(state: &State<Stable>, now: Nanos, spec: &PoolSpec) -> u64 {
    let Some((position, signal)) = spec.load() else {
        return 0;
    };
    let in_service = state
        .members(&spec.name)
        .filter(|it| it.phase == Phase::InService);
    in_service
        .filter_map(|it| it.samples.get(position))
        .filter(|sample| sample.at.0 > 0 && now.since(sample.at) <= signal.stale_after)
        .map(|sample| sample.value)
        .fold(0, u64::saturating_add)
}

/// One page of rows.
pub(crate) fn canisters(state: &State<Stable>, request: &CanistersRequest) -> CanistersPage {
    let filter = core::RowFilter {
        phase: request.phase,
        role: request.role.clone(),
        pool: request.pool.clone(),
        parent: request.parent,
        module: request.module,
        reason: None,
    };
    let (rows, next) = state.rows(&filter, request.after, limit(request.limit));
    CanistersPage {
        rows: rows.into_iter().map(|it| row(state, it)).collect(),
        next,
    }
}

/// A row, with the name of its effect.
pub(crate) fn row(state: &State<Stable>, row: Row) -> RowView {
    let effect = row.effect.and_then(|id| state.effect(id));
    let pool = row.pool.as_deref();
    let pool = pool.and_then(|pool| state.spec()?.pool(pool));
    let load = pool.and_then(PoolSpec::load);
    let load = load.and_then(|(position, _)| row.sample_of(position));
    RowView {
        load: load.map(|it| it.value),
        leased_until: Some(row.leased_until).filter(|until| until.0 > 0),
        holder: row.holder,
        canister: row.canister,
        phase: row.phase,
        since: row.since,
        role: row.role,
        pool: row.pool,
        parent: row.parent,
        module: row.module,
        generation: row.generation,
        cycles: row.cycles,
        cycles_at: row.cycles.map(|_| row.cycles_at),
        created_at: row.created_at,
        attempts: row.attempts,
        reason: ReasonView::from(&row.reason),
        effect: effect.map(|effect| effect.kind.name().to_owned()),
    }
}

/// One page of workers; `None` without that pool.
pub(crate) fn workers(state: &State<Stable>, request: &WorkersRequest) -> Option<WorkersPage> {
    let spec = state.spec()?.pool(&request.pool)?;
    let limit = limit(request.limit);
    let mut page = state.workers(&spec.name, request.after, limit + 1);
    let more = page.len() > limit;
    page.truncate(limit);
    let next = page.last().filter(|_| more).map(|(canister, _)| *canister);
    let worker = |(canister, load)| WorkerView { canister, load };
    Some(WorkersPage {
        generation: state.listing(&spec.name),
        valid_for: spec.valid_for,
        workers: page.into_iter().map(worker).collect(),
        next,
    })
}

/// A dry run.
pub(crate) fn plan(plan: PoolPlan) -> PlanView {
    PlanView {
        desired: plan.desired,
        reasons: reasons(&plan.reasons),
        uncordon: plan.uncordon,
        promote: plan.promote,
        release: plan.release,
        claim: plan.claim,
        cordon: plan.cordon,
        unmet: plan.unmet,
        upgrade: plan.upgrade,
    }
}

/// One page of events.
pub(crate) fn events(state: &State<Stable>, request: &EventsRequest) -> EventsPage {
    let limit = limit(request.limit);
    let filter = EventFilter {
        canister: request.canister,
        topic: request.topic,
        level: request.level,
    };
    let (log, next) = state.history(&filter, request.after, limit);
    EventsPage {
        next,
        events: log
            .into_iter()
            .map(|(number, entry)| event(number, entry))
            .collect(),
        newest: state.newest_event(),
    }
}

fn event(number: u64, entry: LogEntry) -> EventView {
    EventView {
        number,
        at: entry.at,
        canister: entry.canister,
        topic: entry.topic(),
        level: entry.level(),
        phase: entry.phase,
        reason: ReasonView::from(&entry.reason),
        pool: entry.pool,
        operation: entry.operation,
    }
}

/// One page of the registry.
pub(crate) fn export(
    state: &State<Stable>,
    root: Principal,
    request: &ExportRequest,
) -> ExportPage {
    let filter = core::RowFilter::default();
    let (rows, next) = state.rows(&filter, request.after, limit(request.limit));
    ExportPage {
        root: CanisterId(root),
        incarnation: state.incarnation(),
        canisters: rows.iter().map(Row::registered).collect(),
        next,
    }
}

/// One page of the journal.
pub(crate) fn effects(state: &State<Stable>, request: &EffectsRequest) -> Vec<EffectView> {
    let page = state.effects(request.after.map(EffectId), limit(request.limit));
    page.iter().map(effect).collect()
}

fn effect(effect: &Effect) -> EffectView {
    EffectView {
        id: effect.id.0,
        kind: effect.kind.name().to_owned(),
        canister: effect.canister,
        started_at: effect.started_at,
        incarnation: effect.incarnation,
    }
}

/// What a command did, or why it came to nothing.
pub(crate) fn command_answer(answer: core::Answer) -> Result<CommandAnswer, Reason> {
    Ok(match answer {
        core::Answer::InProgress => CommandAnswer::InProgress,
        core::Answer::Done => CommandAnswer::Done,
        core::Answer::Created(canister) => CommandAnswer::Created { canister },
        core::Answer::Recycled => CommandAnswer::Recycled,
        core::Answer::Imported => CommandAnswer::Imported,
        core::Answer::Counted(counted) => CommandAnswer::Queued(queued(&counted)),
        core::Answer::Exported { role, module } => CommandAnswer::Exported { role, module },
        core::Answer::Deleted { discarded } => CommandAnswer::Deleted { discarded },
        core::Answer::Drained { leaving, left } => CommandAnswer::Drained { leaving, left },
        core::Answer::Refused(reason) => return Err(reason),
        core::Answer::Upgraded => CommandAnswer::Upgraded,
        core::Answer::Upgrading { begun, left } => CommandAnswer::Upgrading { begun, left },
    })
}

fn queued(counted: &core::Counted) -> Queued {
    let skipped = counted.skipped.iter();
    Queued {
        added: counted.added,
        requeued: counted.requeued,
        skipped: skipped
            .map(|(id, reason)| (*id, ReasonView::from(reason)))
            .collect(),
        total: counted.total,
    }
}
