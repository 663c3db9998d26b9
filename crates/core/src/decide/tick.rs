//! The level-triggered tick: looks at what is due and does one thing at a time, in this order:
//! conclude effects, give up on calls of an earlier root, look at itself and for what it lost, buy,
//! look at rows, reset, store modules, plan pools, verify again, sell. Buying comes before looking at what was
//! bought: a wave of creations would otherwise wait for the observations of the one before. A root
//! whose memory is not known to be whole only looks.

use super::lanes::{INSTALL_CALLS, Room};
use super::refill::warm_reason;
use super::{
    Draft, ask, conclude, export, family, funding, lease, mend, module, operation, past, refill,
    search, service, standing, store, sweep, upgrade, worker,
};
use crate::decided::{self, Decided};
use crate::limits;
use crate::metrics::{Ended, Operation};
use crate::plan::{PoolPlan, PoolView, plan};
use crate::plant::planted;
use crate::record::Row;
use crate::state::State;
use crate::{Decision, Event, Vitals};
use hatchery_types::{
    CanisterId, Direction, EffectKind, FleetSpec, Lane, Nanos, Outcome, ParentSpec, Phase,
    PoolSpec, Reason, Refusal,
};
use ic_stable_structures::Memory;
use std::collections::BTreeSet;

/// The next thing to do; an empty decision when nothing is due or nothing may start.
pub(super) fn tick<M: Memory>(state: &State<M>, now: Nanos, vitals: &Vitals) -> Decision {
    let finish = || conclude_next(state, now).or_else(|| give_up_stale(state, now));
    if vitals.stopping && !planted("l26") {
        return finish().or_else(|| keep_metrics(state)).unwrap_or_default();
    }
    let room = Room::new(state, vitals);
    let look = || {
        finish()
            .or_else(|| standing::look_at_self(state, now, &room))
            .or_else(|| search::go_on(state, now, &room))
    };
    let Some(spec) = state.spec() else {
        return look().unwrap_or_default();
    };
    if standing::held_back(state).is_some() {
        return look()
            .or_else(|| look_at_next(state, now, spec, &room))
            .or_else(|| standing::explain_next(state, now))
            .unwrap_or_default();
    }
    look()
        .or_else(|| family::adopt_next(state, now))
        .or_else(|| verify_again(state, now))
        .or_else(|| refill::refill(state, now, spec, vitals, &room))
        .or_else(|| look_at_next(state, now, spec, &room))
        .or_else(|| drain_next(state, now, spec, &room))
        .or_else(|| funding::fund_next(state, now, spec, vitals, &room))
        .or_else(|| reset_next(state, now, spec, &room))
        .or_else(|| mend::mend_next(state, now, spec, &room))
        .or_else(|| ask::ask_next(state, now, spec, &room))
        .or_else(|| forget_leases(state, now))
        .or_else(|| store::store_next(state, now, &room))
        .or_else(|| module::collect_next(state, now))
        .or_else(|| plan_next(state, now, spec, &room))
        .or_else(|| verify_next(state, now))
        .or_else(|| operation::give_up_purchase(state, now, || warm_reason(state, now, vitals)))
        .or_else(|| refill::sell_surplus(state, now, spec, &room))
        .or_else(|| keep_metrics(state))
        .or_else(|| funding::look_into_purse(state, now, vitals))
        .unwrap_or_default()
}

fn conclude_next<M: Memory>(state: &State<M>, now: Nanos) -> Option<Decision> {
    let id = *state.index.complete.first()?;
    let effect = state
        .effect(id)
        .expect("bug: the index knows an effect the journal does not");
    Some(conclude::conclude(state, now, &effect))
}

/// Calls of an earlier root whose answers did not come within the grace are unknown.
fn give_up_stale<M: Memory>(state: &State<M>, now: Nanos) -> Option<Decision> {
    let id = state
        .index
        .stale
        .iter()
        .copied()
        .find(|id| stale_due(state, *id) <= now)?;
    let effect = state.effect(id)?;
    let mut draft = Draft::new(state, now);
    for (step, outcome) in effect.outcomes.iter().enumerate() {
        if outcome.is_none() {
            let refusal = Refusal::new(0, "the call belongs to an earlier root");
            draft.event(Event::OutcomeRecorded(
                id,
                step as u8,
                Outcome::Unknown(refusal),
            ));
        }
    }
    Some(draft.done())
}

/// Canisters verified under other controllers go through a reset; in the same instant it may have
/// been before.
fn verify_again<M: Memory>(state: &State<M>, now: Nanos) -> Option<Decision> {
    let (since, canister) = *state.index.ready.first()?;
    let is_old = since <= state.header().controllers_at;
    is_old.then(|| reset_again(state, now, canister, Reason::WrongControllers))
}

/// So does, once a day, the one that was verified longest ago: what was done to it since is seen
/// then. One at a time, and of those that no pool takes now: the others stay ready.
fn verify_next<M: Memory>(state: &State<M>, now: Nanos) -> Option<Decision> {
    let (_, canister) = *state.index.ready.first()?;
    let is_due = verify_due(state).is_some_and(|due| due <= now) && !planted("u04");
    is_due.then(|| reset_again(state, now, canister, Reason::VerifiedLongAgo))
}

/// When the next spare canister is verified again.
fn verify_due<M: Memory>(state: &State<M>) -> Option<Nanos> {
    let (since, _) = state.index.ready.first()?;
    let is_quiet = state.counts().recovering == 0
        && standing::held_back(state).is_none()
        && !state.header().is_paused(Direction::Up)
        && !state.header().is_paused(Direction::Down);
    is_quiet.then(|| *since + limits::OBSERVE_EVERY)
}

fn reset_again<M: Memory>(
    state: &State<M>,
    now: Nanos,
    canister: CanisterId,
    reason: Reason,
) -> Decision {
    let mut draft = Draft::new(state, now);
    let row = expect_row(state, canister);
    draft.row(row.moved(Phase::PendingReset, now, reason));
    draft.done()
}

/// A lost creation cannot be repeated, so it is waited for longest.
fn stale_due<M: Memory>(state: &State<M>, id: hatchery_types::EffectId) -> Nanos {
    let open = &state.index.open[&id];
    match open.kind {
        EffectKind::Create { .. } => open.started_at + limits::ABSENCE_AGE,
        EffectKind::Reset { .. } if planted("p02") => Nanos::MAX,
        _ => state.header().started_at + limits::STALE_GRACE,
    }
}

/// Rows whose wait is over: observe, stop, delete, export.
fn look_at_next<M: Memory>(
    state: &State<M>,
    now: Nanos,
    spec: &FleetSpec,
    room: &Room,
) -> Option<Decision> {
    let (due, canister) = *state.index.attention.first()?;
    if due > now || !room.takes(state, spec, &EffectKind::Observe) {
        return None;
    }
    let row = expect_row(state, canister);
    if row.mend && !room.takes(state, spec, &mend::kind(&row)) {
        return None;
    }
    let mut draft = Draft::new(state, now);
    if planted("s19") && row.phase == Phase::Leased && row.leased_until <= now {
        draft.event(Event::RowRemoved(canister, Reason::LeaseExpired));
        return Some(draft.done());
    }
    let ended = (row.phase == Phase::Leased).then(|| lease::expire(state, now, &row));
    if let Some(row) = ended.flatten() {
        draft.row(row);
        return Some(draft.done());
    }
    match row.phase {
        Phase::Installing if row.reason == Reason::Requested => {
            worker::go_on(&mut draft, state, spec, room, row);
        }
        Phase::Exporting => export::go_on(state, &mut draft, now, spec, room, row),
        Phase::Standby if row.starts_until.0 > 0 => ask::check(&mut draft, state, row),
        Phase::Deleting if row.stopped => draft.start_on(row, EffectKind::Delete),
        Phase::Deleting => sweep::before_delete(&mut draft, state, spec, room, row),
        Phase::Stopping => draft.start_on(row, EffectKind::Stop),
        Phase::Upgrading => upgrade::go_on(&mut draft, state, spec, room, row),
        _ if row.mend && standing::held_back(state).is_none() => mend::start(&mut draft, row),
        _ => draft.start_on(row, EffectKind::Observe),
    }
    Some(draft.done())
}

/// Answers to holders have a life.
fn forget_leases<M: Memory>(state: &State<M>, now: Nanos) -> Option<Decision> {
    state.index.leases.forget_at().filter(|at| *at <= now)?;
    let mut draft = Draft::new(state, now);
    draft.event(Event::LeasesForgotten);
    Some(draft.done())
}

/// The next draining worker whose wait is over.
fn drain_next<M: Memory>(
    state: &State<M>,
    now: Nanos,
    spec: &FleetSpec,
    room: &Room,
) -> Option<Decision> {
    let (due, canister) = *state.index.drains.first()?;
    if due > now || room.lane(state, spec, Lane::Drain) == 0 {
        return None;
    }
    let mut draft = Draft::new(state, now);
    let row = expect_row(state, canister);
    if !family::children_first(&mut draft, state, &row) {
        drain(&mut draft, now, spec, row);
    }
    Some(draft.done())
}

/// A cordoned worker: discovery answers run out, then it is told, then it is idle or out of time.
fn drain(draft: &mut Draft, now: Nanos, spec: &FleetSpec, row: Row) {
    let role = row.role.as_deref().and_then(|role| spec.role(role));
    let pool = row.pool.as_deref().and_then(|pool| spec.pool(pool));
    let told_from = row.since + pool.map_or(Nanos(0), |pool| pool.valid_for);
    let deadline = told_from + role.map_or(Nanos(0), |role| role.drain.deadline);
    let tells = role.is_some_and(|role| role.drain.method.is_some());
    if now >= deadline {
        let cut = pool.map(|pool| pool.name.clone());
        draft.row(row.moved(Phase::Stopping, now, Reason::DrainDeadline));
        if let Some(pool) = cut {
            draft.event(Event::WorkCut(pool));
        }
    } else if now >= told_from && tells {
        draft.start_on(row, EffectKind::Drain);
    } else {
        let next_attempt = if tells { told_from } else { deadline };
        draft.row(Row {
            next_attempt,
            ..row
        });
    }
}

fn reset_next<M: Memory>(
    state: &State<M>,
    now: Nanos,
    spec: &FleetSpec,
    room: &Room,
) -> Option<Decision> {
    let (due, canister) = *state.index.reset_queue.first()?;
    if due > now || room.lane(state, spec, Lane::Reset) == 0 {
        return None;
    }
    if let Some(until) = state.header().resets.open_until()
        && (until > now || state.counts().lane(Lane::Reset) > 0)
    {
        return None;
    }
    if planted("p15") && state.incarnation().0 > 1 {
        return None;
    }
    let mut row = expect_row(state, canister);
    let start = row.stopped && !planted("p19");
    let mut draft = Draft::new(state, now);
    if sweep::is_wanted(&row) {
        sweep::start(&mut draft, state, spec, room, row);
        return Some(draft.done());
    }
    if let Some(kind) = upgrade::before_reset(&row) {
        if room.takes(state, spec, &kind) {
            draft.start_on(row, kind);
        } else {
            draft.wait_for_lane(row);
        }
        return Some(draft.done());
    }
    let effect = draft.start(EffectKind::Reset { start }, Some(canister));
    if planted("p07") {
        draft.event(Event::RowRemoved(canister, Reason::Recycled));
        return Some(draft.done());
    }
    row.phase = Phase::Resetting;
    row.since = now;
    row.effect = Some(effect);
    draft.row(row);
    Some(draft.done())
}

fn plan_next<M: Memory>(
    state: &State<M>,
    now: Nanos,
    spec: &FleetSpec,
    room: &Room,
) -> Option<Decision> {
    let (_, pool) = state
        .index
        .pool_wakes
        .first()
        .filter(|(due, _)| *due <= now)?
        .clone();
    let Some(view) = view(state, now, spec, &pool, room) else {
        let event = Event::PoolPlanned {
            pool,
            record: None,
            wake: Nanos::MAX,
        };
        return Some(Decision {
            events: vec![event],
            more: true,
            ..Decision::default()
        });
    };
    let plan = plan(&view);
    if planted("s09") && plan.unmet > 0 {
        return None;
    }
    let news = plan.is_news(view.record);
    let decided = news.then(|| {
        let before = view.record.decision;
        decided::entry(&view, &plan, before, state.noted(&pool))
    });
    Some(execute(state, now, spec, &pool, plan, decided))
}

/// What the pool's next plan may look at; none for a pool that the spec does not name.
pub(super) fn view<'a, M: Memory>(
    state: &'a State<M>,
    now: Nanos,
    spec: &'a FleetSpec,
    pool: &str,
    room: &Room,
) -> Option<PoolView<'a>> {
    let install_room = room.lane(state, spec, Lane::Install);
    let spec_of_pool = spec.pool(pool)?;
    let role = spec.role(&spec_of_pool.role)?;
    let installable = state.index.installable.contains(&role.module);
    let heir = heir(state, spec_of_pool);
    let others = state.index.hungry.iter();
    let starving = others.filter(|(name, hunger)| *name != pool && hunger.starves);
    let reserved: usize = starving.map(|(_, hunger)| hunger.useful as usize).sum();
    let fitting = past::count_fitting(state, spec, heir);
    Some(PoolView {
        now,
        spec: spec_of_pool,
        record: state.pool(pool)?,
        members: state.members(pool).copied().collect(),
        ready: past::fitting(state, spec, heir, install_room as usize),
        unreserved: u32::try_from(fitting.saturating_sub(reserved)).unwrap_or(u32::MAX),
        install_room,
        payable: room.payable >= INSTALL_CALLS,
        module: installable.then_some(role.module),
        upgrade: role.upgrade,
        paused_up: state.header().is_paused(Direction::Up),
        paused_down: state.header().is_paused(Direction::Down),
    })
}

/// Who a canister taken for that pool is for.
pub(super) fn heir<'a, M: Memory>(state: &State<M>, pool: &'a PoolSpec) -> past::Heir<'a> {
    past::Heir {
        role: &pool.role,
        parent: parent_of(state, pool),
    }
}

/// What the next tick would do with a pool; nothing is changed, no window or cooldown moves.
pub fn plan_pool<M: Memory>(
    state: &State<M>,
    now: Nanos,
    vitals: &Vitals,
    pool: &str,
) -> Option<PoolPlan> {
    let room = Room::new(state, vitals);
    let mut plan = plan(&view(state, now, state.spec()?, pool, &room)?);
    if let Some(reason) = standing::held_back(state) {
        let moves = [
            &mut plan.claim,
            &mut plan.cordon,
            &mut plan.uncordon,
            &mut plan.promote,
            &mut plan.release,
            &mut plan.upgrade,
        ];
        moves.into_iter().for_each(Vec::clear);
        plan.reasons.insert(0, reason);
    }
    Some(plan)
}

fn execute<M: Memory>(
    state: &State<M>,
    now: Nanos,
    spec: &FleetSpec,
    pool: &str,
    mut plan: PoolPlan,
    decided: Option<Decided>,
) -> Decision {
    let mut draft = Draft::new(state, now);
    if let Some(decided) = decided {
        plan.record.decision = state.newest_decision() + 1;
        draft.event(Event::Decided(Box::new(decided)));
    }
    for canister in &plan.uncordon {
        let row = expect_row(state, *canister);
        let since = row.in_service_at;
        let mut row = service::to_work(Some(spec), now, row, Reason::LoadReturned);
        row.in_service_at = since;
        draft.row(row);
    }
    for canister in &plan.promote {
        let row = expect_row(state, *canister);
        draft.row(service::to_work(Some(spec), now, row, Reason::Promoted));
    }
    if planted("s13") {
        let at_work = state
            .members(pool)
            .filter(|it| it.phase == Phase::InService);
        let mut others: Vec<CanisterId> = at_work.map(|it| it.canister).collect();
        others.retain(|id| !plan.cordon.contains(id));
        others.truncate(plan.cordon.len());
        plan.cordon = others;
    }
    for canister in &plan.cordon {
        draft.row(expect_row(state, *canister).moved(Phase::Draining, now, Reason::ScaledIn));
    }
    for canister in &plan.release {
        draft.row(expect_row(state, *canister).moved(Phase::Stopping, now, Reason::StandbySurplus));
    }
    for canister in &plan.upgrade {
        draft.row(upgrade::begin(now, spec, expect_row(state, *canister)));
    }
    for canister in &plan.claim {
        let row = expect_row(state, *canister);
        claim(state, &mut draft, now, spec, pool, row);
    }
    count_plan(state, &mut draft, pool, &plan);
    let changed = state.pool(pool) != Some(&plan.record);
    draft.event(Event::PoolPlanned {
        pool: pool.to_owned(),
        record: changed.then(|| Box::new(plan.record)),
        wake: plan.wake,
    });
    draft.done()
}

/// What the plan came to; and whether the pool has its initial workers.
fn count_plan<M: Memory>(state: &State<M>, draft: &mut Draft, pool: &str, plan: &PoolPlan) {
    let why = plan.reasons.first().unwrap_or(&Reason::Satisfied);
    let held = plan.reasons.last().unwrap_or(&Reason::Satisfied);
    draft.count(Operation::Plan, Ended::Started, &Reason::Satisfied);
    if matches!(why, Reason::Disabled) || plan.reasons.contains(&Reason::Paused) {
        draft.count(Operation::Plan, Ended::Skipped, held);
    } else if plan.unmet > 0 {
        draft.count(Operation::Plan, Ended::Failed, held);
    } else {
        draft.count(Operation::Plan, Ended::Completed, why);
    }
    let Some(before) = state.pool(pool).filter(|before| !before.bootstrapped) else {
        return;
    };
    if plan.record.bootstrapped && before.desired > 0 {
        draft.count(Operation::BootstrapPool, Ended::Completed, why);
    } else if plan.unmet > 0 && plan.is_news(before) {
        draft.count(Operation::BootstrapPool, Ended::Failed, held);
    }
}

/// Nothing else is left to do: what was counted meanwhile outlives an upgrade.
fn keep_metrics<M: Memory>(state: &State<M>) -> Option<Decision> {
    state.has_news_of_metrics().then(|| Decision {
        events: vec![Event::MetricsKept],
        more: true,
        ..Decision::default()
    })
}

/// Takes a ready canister for a pool and starts its install.
pub(super) fn claim<M: Memory>(
    state: &State<M>,
    draft: &mut Draft,
    now: Nanos,
    spec: &FleetSpec,
    pool: &str,
    row: Row,
) {
    let row = claimed(state, now, spec, pool, row);
    let kind = EffectKind::Install {
        module: row.module.expect("bug: a claim without a module"),
        generation: row.generation,
    };
    if planted("p01") {
        draft.start(kind, Some(row.canister));
        draft.event(Event::RowRemoved(row.canister, Reason::Claimed));
        return;
    }
    draft.start_on(row, kind);
}

/// The row of a ready canister that becomes a member of a pool.
pub(super) fn claimed<M: Memory>(
    state: &State<M>,
    now: Nanos,
    spec: &FleetSpec,
    pool: &str,
    row: Row,
) -> Row {
    let role = spec.pool(pool).and_then(|pool| spec.role(&pool.role));
    let role = role.expect("bug: a plan for a pool without a role");
    let mut row = row.moved(Phase::Installing, now, Reason::Claimed);
    row.role = Some(role.name.clone());
    row.pool = Some(pool.to_owned());
    row.parent = spec.pool(pool).and_then(|pool| parent_of(state, pool));
    row.module = Some(role.module);
    row.generation.0 += 1;
    row.forget_samples();
    row
}

/// Whose children a pool's members are.
pub(super) fn parent_of<M: Memory>(state: &State<M>, pool: &PoolSpec) -> Option<CanisterId> {
    match &pool.parent {
        Some(ParentSpec::Canister(parent)) => Some(*parent),
        _ => state.header().root,
    }
}

pub(super) fn expect_row<M: Memory>(state: &State<M>, canister: CanisterId) -> Row {
    state
        .row(canister)
        .expect("bug: the index knows a canister that has no row")
}

/// The earliest time at which a tick has something to do by itself; none = nothing waits for time.
/// What is due already was blocked in the last tick: an outcome or a retry tries it again.
pub fn next_wake<M: Memory>(state: &State<M>, now: Nanos) -> Option<Nanos> {
    let index = &state.index;
    let retry = now + limits::BLOCKED_RETRY;
    let rows = [
        &index.attention,
        &index.drains,
        &index.reset_queue,
        &index.pulls,
        &index.needy,
    ];
    let rows = rows.map(|queue| first_two(queue, now));
    let pools = first_two(&index.pool_wakes, now);
    let modules = first_two(&index.modules_waiting, now);
    let unnamed = index.modules_unnamed.first();
    let collect = unnamed.map(|(wanted_at, _)| *wanted_at + limits::UNNAMED_LIFE);
    let stale = index.stale.iter().map(|id| stale_due(state, *id));
    let create = Some(state.header().create_after).filter(|after| *after > now);
    let buy = state
        .spec()
        .filter(|spec| create.is_none() && refill::wants(state, now, spec));
    let complete = (!index.complete.is_empty()).then_some(now);
    let mends = mend::is_due(state).then_some(now);
    let probe = state.header().resets.open_until();
    let probe = probe.filter(|_| !index.reset_queue.is_empty());
    let windows = state
        .spec()
        .map_or(&[][..], |spec| &spec.warm_pool.schedule);
    let windows = windows.iter().filter_map(|window| window.turns_at(now));
    let looks = [
        standing::look_due(state),
        search::due(state),
        verify_due(state),
    ];
    let looks = looks.into_iter().flatten();
    let queues = rows.into_iter().chain([pools, modules]).flatten().flatten();
    queues
        .chain(stale)
        .chain(looks)
        .chain(create)
        .chain(buy.map(|_| retry))
        .chain(operation::purchase_due(state))
        .chain(complete)
        .chain(mends)
        .chain(probe)
        .chain(windows)
        .chain(collect)
        .map(|due| if due <= now { retry } else { due })
        .min()
}

/// When the first entry of a queue is due, and the first one that is yet to come.
fn first_two<T: Ord>(queue: &BTreeSet<(Nanos, T)>, now: Nanos) -> [Option<Nanos>; 2] {
    let first = queue.first().map(|(due, _)| *due);
    let looked_at = queue
        .iter()
        .take(limits::OVERDUE_LOOKED_AT)
        .map(|(due, _)| *due);
    let coming = looked_at.into_iter().find(|due| *due > now);
    [first, coming]
}
