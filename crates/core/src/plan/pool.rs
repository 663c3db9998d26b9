//! What a pool does next, and why: one function for the dry run and for the tick.

use super::view::{PoolView, Sizes};
use super::{breaker, pace, upgrade, victims, wish};
use crate::limits;
use crate::plant::planted;
use crate::record::{PoolRecord, ScaleStep};
use hatchery_types::{CanisterId, Nanos, Phase, Reason, Scope};
use minicbor::{Decode, Encode};

/// What to do with a pool now. Executing it is events, nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PoolPlan {
    /// Working members wanted: in service and leased.
    #[n(0)]
    pub desired: u32,
    /// Draining members to take back.
    #[n(1)]
    pub uncordon: Vec<CanisterId>,
    /// Members on standby to put into service.
    #[n(2)]
    pub promote: Vec<CanisterId>,
    /// Ready canisters to claim.
    #[n(3)]
    pub claim: Vec<CanisterId>,
    /// Members to cordon.
    #[n(4)]
    pub cordon: Vec<CanisterId>,
    /// Members on standby to recycle.
    #[n(5)]
    pub release: Vec<CanisterId>,
    /// Workers wanted for which no canister is ready.
    #[n(6)]
    pub unmet: u32,
    /// Why this and not more, the wish's reasons first.
    #[n(7)]
    pub reasons: Vec<Reason>,
    /// What the pool remembers afterwards.
    #[n(8)]
    pub record: PoolRecord,
    /// When a wait of this plan ends; [`Nanos::MAX`] = none.
    #[n(9)]
    pub wake: Nanos,
    /// Members to upgrade.
    #[n(10)]
    #[cbor(default)]
    pub upgrade: Vec<CanisterId>,
}

impl PoolPlan {
    /// It moves members.
    pub fn acts(&self) -> bool {
        let moved = [
            &self.uncordon,
            &self.promote,
            &self.claim,
            &self.cordon,
            &self.release,
            &self.upgrade,
        ];
        moved.iter().any(|ids| !ids.is_empty())
    }

    /// It says another thing than what the pool remembers of its last plan.
    pub(crate) fn is_news(&self, before: &PoolRecord) -> bool {
        let codes = |reasons: &[Reason]| -> Vec<u16> { reasons.iter().map(Reason::code).collect() };
        self.acts()
            || self.desired != before.desired
            || codes(&self.reasons) != codes(&before.reasons)
    }
}

/// Plans one pool.
pub fn plan(view: &PoolView<'_>) -> PoolPlan {
    let sizes = Sizes::of(view);
    let mut record = view.record.clone();
    record.bootstrapped |= sizes.in_service + sizes.leased >= view.spec.initial;
    let wished = if view.spec.enabled {
        wish_at_pace(view, &sizes, &mut record)
    } else {
        wish::Sized {
            members: sizes.working,
            reasons: vec![Reason::Disabled],
        }
    };
    let mut plan = PoolPlan {
        desired: wished.members,
        uncordon: Vec::new(),
        promote: Vec::new(),
        claim: Vec::new(),
        cordon: Vec::new(),
        release: Vec::new(),
        unmet: 0,
        reasons: wished.reasons,
        record,
        wake: Nanos::MAX,
        upgrade: Vec::new(),
    };
    if view.spec.enabled {
        act(view, &sizes, &mut plan);
        upgrade::upgrade(view, &sizes, &mut plan);
    }
    if plan.reasons.is_empty() {
        plan.reasons.push(Reason::Satisfied);
    }
    remember_step(view, &sizes, &mut plan);
    plan.wake = wake(view, &plan);
    plan
}

/// What policy wishes, held back by windows and rates.
fn wish_at_pace(view: &PoolView<'_>, sizes: &Sizes, record: &mut PoolRecord) -> wish::Sized {
    let mut wished = wish::wish(view, sizes);
    let window = view.spec.scale_down.window.max(view.spec.scale_up.window);
    pace::remember(&mut record.wishes, view.now, wished.members, window);
    pace::stabilise(view, sizes, &record.wishes, &mut wished);
    pace::limit_rate(view, sizes, &mut wished);
    wished
}

/// Moves members, or says why not.
fn act(view: &PoolView<'_>, sizes: &Sizes, plan: &mut PoolPlan) {
    let at_work = sizes.in_service + sizes.leased;
    let standby = wanted_standby(view, plan.desired);
    let short = plan.desired + standby > sizes.living();
    let up = plan.desired > at_work || short;
    let down = plan.desired < at_work || sizes.standby > standby;
    if (up && view.paused_up) || (down && view.paused_down) {
        plan.reasons.push(Reason::Paused);
    }
    if plan.desired > at_work && !view.paused_up {
        take_back(view, sizes, plan, at_work);
    } else if plan.desired < at_work && !view.paused_down {
        shrink(view, sizes, plan, at_work);
    }
    if short && !view.paused_up {
        claim(view, sizes, plan, standby);
    }
    let surplus = !short && sizes.standby > standby && plan.promote.is_empty();
    if surplus && !view.paused_down {
        release(view, sizes, plan, standby);
    }
}

/// Workers to keep on standby beside those at work.
fn wanted_standby(view: &PoolView<'_>, desired: u32) -> u32 {
    let room = view.spec.max.saturating_sub(desired);
    view.spec.standby.min(room)
}

/// Draining members come back first, then those on standby are promoted: neither needs a call.
fn take_back(view: &PoolView<'_>, sizes: &Sizes, plan: &mut PoolPlan, at_work: u32) {
    let wanted = (plan.desired - at_work) as usize;
    let room = view.spec.max.saturating_sub(sizes.living()) as usize;
    plan.uncordon = victims::comebacks(view);
    if planted("s12") {
        plan.uncordon.clear();
    }
    plan.uncordon.truncate(wanted.min(room));
    if plan.uncordon.len() < wanted && sizes.standby > 0 {
        plan.promote = victims::promotable(view);
        plan.promote.truncate(wanted - plan.uncordon.len());
    }
}

/// Claims ready canisters for what is still missing, at work or on standby.
fn claim(view: &PoolView<'_>, sizes: &Sizes, plan: &mut PoolPlan, standby: u32) {
    let there = sizes.living() as usize + plan.uncordon.len();
    let wanted = ((plan.desired + standby) as usize).saturating_sub(there);
    if wanted == 0 {
        return;
    }
    let (allowed, full) = breaker::installs_allowed(view, sizes, plan.desired + standby);
    // Pools below their minimum come first; for its own minimum a pool takes what there is.
    let lacking = (wish::floor(view) as usize).saturating_sub(there);
    let for_us = view.ready.len().min(lacking.max(view.unreserved as usize));
    let take = wanted.min(allowed).min(for_us);
    plan.claim = view.ready[..take].to_vec();
    plan.unmet = (wanted - take) as u32;
    if plan.desired <= sizes.working {
        plan.reasons.push(Reason::StandbyShort);
    }
    if wanted > take {
        let reason = if take == allowed {
            full
        } else {
            Reason::NoReadyCanister
        };
        plan.reasons.push(reason);
    }
}

/// Cordons the least useful members, within the disruption budget.
fn shrink(view: &PoolView<'_>, sizes: &Sizes, plan: &mut PoolPlan, at_work: u32) {
    if let Some(until) = breaker::losing(view, sizes) {
        plan.reasons.push(Reason::BreakerOpen { until });
        return;
    }
    let leaving = sizes.draining + sizes.stopping + sizes.upgrading;
    let share =
        u64::from(sizes.in_service + leaving) * u64::from(view.spec.disruption_percent) / 100;
    let budget = if planted("s18") {
        u32::MAX
    } else {
        (share as u32).max(1).saturating_sub(leaving)
    };
    let spare = at_work.saturating_sub(wish::floor(view));
    let surplus = (at_work - plan.desired).min(spare);
    let mut victims = victims::victims(view);
    if surplus as usize > victims.len() {
        plan.reasons.push(Reason::Spared);
    }
    if surplus > budget {
        plan.reasons.push(Reason::DisruptionBudget);
    }
    victims.truncate(surplus.min(budget) as usize);
    plan.cordon = victims;
}

/// Recycles what has been too many on standby for as long as the window of scaling down.
fn release(view: &PoolView<'_>, sizes: &Sizes, plan: &mut PoolPlan, standby: u32) {
    let window = view.spec.scale_down.window;
    let surplus = (sizes.standby - standby) as usize;
    plan.release = victims::dispensable(view)
        .into_iter()
        .take(surplus)
        .filter(|(since, _)| view.now.since(*since) >= window)
        .map(|(_, id)| id)
        .collect();
    plan.reasons.push(Reason::StandbySurplus);
}

fn remember_step(view: &PoolView<'_>, sizes: &Sizes, plan: &mut PoolPlan) {
    let members = step(sizes, plan);
    if members != 0 {
        plan.record.steps.push(ScaleStep {
            at: view.now,
            members,
        });
    }
    let (up, down) = (&view.spec.scale_up, &view.spec.scale_down);
    let keep = up
        .period
        .max(up.cooldown)
        .max(down.period)
        .max(down.cooldown);
    plan.record
        .steps
        .retain(|step| view.now.since(step.at) <= keep);
    if plan.record.steps.len() > limits::POOL_HISTORY_MAX {
        merge_oldest(&mut plan.record.steps);
    }
    plan.record.desired = plan.desired;
    plan.record.unmet = plan.unmet;
    plan.record.reasons.clone_from(&plan.reasons);
}

/// Working members more or fewer than before; what goes to standby is no step.
fn step(sizes: &Sizes, plan: &PoolPlan) -> i32 {
    let count = |ids: &[CanisterId]| i32::try_from(ids.len()).unwrap_or(i32::MAX);
    if !plan.cordon.is_empty() {
        return -count(&plan.cordon);
    }
    let more = count(&plan.uncordon) + count(&plan.promote) + count(&plan.claim);
    let wanted = plan.desired.saturating_sub(sizes.working);
    more.min(i32::try_from(wanted).unwrap_or(i32::MAX))
}

/// Two steps of one direction become one, at the later time; if there are none, the oldest goes.
fn merge_oldest(steps: &mut Vec<ScaleStep>) {
    let pair = steps
        .windows(2)
        .position(|pair| (pair[0].members > 0) == (pair[1].members > 0));
    let at = pair.unwrap_or(0);
    let first = steps.remove(at);
    if pair.is_some() {
        steps[at].members += first.members;
    }
}

/// When the plan may turn out differently though nothing is reported.
fn wake(view: &PoolView<'_>, plan: &PoolPlan) -> Nanos {
    if plan.record.bootstrapped != view.record.bootstrapped {
        // From now on `min` counts, no longer `initial`.
        return view.now + Nanos(1);
    }
    if !plan.upgrade.is_empty() {
        // Those on standby take the places of those that are away.
        return view.now + Nanos(1);
    }
    let waits = plan.reasons.iter().filter_map(|reason| match reason {
        Reason::Stabilising { until }
        | Reason::RateLimited { until }
        | Reason::CoolingDown { until }
        | Reason::BreakerOpen { until }
        | Reason::BackingOff { until } => Some((*until).max(view.now + Nanos(1))),
        Reason::LaneFull => Some(view.now + limits::LANE_RETRY),
        Reason::AtReserve => Some(view.now + limits::BLOCKED_RETRY),
        _ => None,
    });
    let turns = view.spec.schedule.iter();
    let turns = turns.filter_map(|window| window.turns_at(view.now));
    let leases = view.record.leases_wanted_at + limits::LEASES_WANTED_LIFE;
    let leases = (view.record.leases_wanted > 0).then_some(leases);
    waits
        .chain(turns)
        .chain(leases)
        .chain(samples_turn(view))
        .chain(members_turn(view))
        .chain(upgrade::turn(view, plan))
        .filter(|at| *at > view.now)
        .min()
        .unwrap_or(Nanos::MAX)
}

/// When samples go stale.
fn samples_turn<'a>(view: &'a PoolView<'_>) -> impl Iterator<Item = Nanos> + 'a {
    let signals = view.spec.signals.iter().enumerate();
    signals.flat_map(move |(position, signal)| {
        let (total, members) = match signal.scope {
            Scope::Pool => (view.record.samples.get(position), &[][..]),
            Scope::Worker => (None, &view.members[..]),
        };
        let samples = members
            .iter()
            .filter_map(move |it| it.samples.get(position));
        let taken = total.into_iter().chain(samples).filter(|it| it.at.0 > 0);
        taken.map(move |sample| sample.at + signal.stale_after + Nanos(1))
    })
}

/// When members are warm, unprotected, or long enough on standby.
fn members_turn<'a>(view: &'a PoolView<'_>) -> impl Iterator<Item = Nanos> + 'a {
    view.members.iter().flat_map(move |member| {
        let warm = view.spec.signals.iter().map(|signal| signal.warm_up);
        let warm = warm.map(|warm_up| member.in_service_at + warm_up);
        let at_work = member.phase == Phase::InService;
        let standby =
            (member.phase == Phase::Standby).then(|| member.since + view.spec.scale_down.window);
        warm.chain([member.protected_until])
            .filter(move |_| at_work)
            .chain(standby)
    })
}
