//! Why a pool and its members are what they are, and a recorded plan made again, in the shapes of
//! `root.did`.

use super::endpoint::{no_pool, refused};
use super::{now, tick, view, with_state};
use hatchery_api::{
    Answer, CostView, CounterView, DecisionView, DecisionsPage, DecisionsRequest, MemberWhy,
    MetricsPage, MetricsRequest, ReasonView, ReplayAnswer, ReplayRequest, WhyRequest, WhyView,
};
use hatchery_core as core;
use hatchery_core::{Decided, why_members};
use hatchery_types::Reason;

/// One page of a pool's decisions.
pub(crate) fn decisions(request: &DecisionsRequest) -> Answer<DecisionsPage> {
    with_state(|state| {
        let spec = state.spec().and_then(|spec| spec.pool(&request.pool));
        spec.ok_or_else(|| no_pool(&request.pool))?;
        let limit = view::limit(request.limit);
        let (page, next) = state.decisions_of(&request.pool, request.from, limit);
        Ok(DecisionsPage {
            decisions: page.into_iter().filter_map(decision).collect(),
            next,
        })
    })
}

fn decision((number, decided): (u64, Decided)) -> Option<DecisionView> {
    Some(DecisionView {
        number,
        at: decided.at,
        base: decided.base,
        digest: decided.digest,
        did: view::plan(decided.plan()?),
        view: decided.view,
        plan: decided.plan,
    })
}

/// The plan that recorded views led to.
pub(crate) fn replay(views: &ReplayRequest) -> Answer<ReplayAnswer> {
    let (plan, digest) = core::replay(views).ok_or_else(|| {
        let detail = "a whole view comes first, then the changes, as `decisions` gives them";
        refused(&Reason::ChunkOutOfOrder, detail.to_owned())
    })?;
    Ok(ReplayAnswer { plan, digest })
}

/// Why a pool is what it is, with one page of its members.
pub(crate) fn why(request: &WhyRequest) -> Answer<WhyView> {
    with_state(|state| {
        let (pool, limit) = (&request.pool, view::limit(request.limit));
        let members = why_members(state, now(), &tick::vitals(), pool, request.after, limit);
        let (members, next) = members.ok_or_else(|| no_pool(pool))?;
        let record = state.pool(pool).ok_or_else(|| no_pool(pool))?;
        let last = state.decision(record.decision);
        let member = |it: core::MemberWhy| MemberWhy {
            protected_until: (it.row.protected_until > now()).then_some(it.row.protected_until),
            row: view::row(state, it.row),
            victim: it.victim,
            spared: it.spared.as_ref().map(ReasonView::from),
        };
        Ok(WhyView {
            wished: record
                .wishes
                .last()
                .map_or(record.desired, |wish| wish.high),
            desired: record.desired,
            reasons: view::reasons(&record.reasons),
            decided_at: last.as_ref().map(|it| it.at),
            did: last.and_then(|it| it.plan()).map(view::plan),
            members: members.into_iter().map(member).collect(),
            next,
        })
    })
}

/// One page of what the operations on worker pools came to, and what the steps of ticks cost.
pub(crate) fn metrics(request: &MetricsRequest) -> MetricsPage {
    with_state(|state| {
        let metrics = state.metrics();
        let limit = view::limit(request.limit);
        let skipped = request.after as usize;
        let counters = metrics.counters.iter().skip(skipped).take(limit);
        let counters = counters.map(|((operation, ended, reason), count)| CounterView {
            operation: operation.name().to_owned(),
            ended: ended.name().to_owned(),
            reason: reason.clone(),
            count: *count,
        });
        let costs = metrics.costs.iter().map(|(step, cost)| CostView {
            step: step.name().to_owned(),
            count: cost.count,
            instructions: cost.instructions,
            most: cost.most,
        });
        let reached = skipped.saturating_add(limit);
        MetricsPage {
            counters: counters.collect(),
            costs: costs.collect(),
            next: (reached < metrics.counters.len()).then_some(reached as u32),
        }
    })
}

/// The functions that the platform calls.
pub(crate) mod entries {
    use super::super::{entry::serve, method};

    /// Query `decisions`.
    pub fn decisions() {
        serve(&method::DECISIONS, |(request,)| super::decisions(&request));
    }

    /// Query `metrics`.
    pub fn metrics() {
        serve(&method::METRICS, |(request,)| super::metrics(&request));
    }

    /// Query `replay`.
    pub fn replay() {
        serve(&method::REPLAY, |(views,)| super::replay(&views));
    }

    /// Query `why`.
    pub fn why() {
        serve(&method::WHY, |(request,)| super::why(&request));
    }
}
