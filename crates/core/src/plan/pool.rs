//! What a pool does next, and why: one function for the dry run and for the tick.

use super::policy;
use crate::limits;
use crate::record::{PoolRecord, ScaleStep};
use crate::state::Member;
use hatchery_types::{CanisterId, ModuleHash, Nanos, Phase, PoolSpec, Reason};

/// Everything a plan may look at: bounded by the pool's own size.
#[derive(Debug, Clone)]
pub struct PoolView<'a> {
    /// The time.
    pub now: Nanos,
    /// What the pool should be.
    pub spec: &'a PoolSpec,
    /// What it remembers.
    pub record: &'a PoolRecord,
    /// Its members, living and leaving, by id.
    pub members: Vec<Member>,
    /// Ready canisters it may claim, oldest first.
    pub ready: Vec<CanisterId>,
    /// Installs that may start now.
    pub install_room: u32,
    /// Root's liquid cycles carry another install.
    pub payable: bool,
    /// The module of its role; none = not installable yet.
    pub module: Option<ModuleHash>,
    /// An operator paused growing.
    pub paused_up: bool,
    /// An operator paused shrinking.
    pub paused_down: bool,
}

impl PoolView<'_> {
    /// Members that count against `max`.
    pub fn living(&self) -> u32 {
        self.count(Phase::is_living)
    }

    fn count(&self, phase: impl Fn(Phase) -> bool) -> u32 {
        self.members
            .iter()
            .filter(|member| phase(member.phase))
            .count() as u32
    }
}

/// What to do with a pool now. Executing it is events, nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolPlan {
    /// Members wanted.
    pub desired: u32,
    /// Draining members to take back.
    pub uncordon: Vec<CanisterId>,
    /// Ready canisters to claim.
    pub claim: Vec<CanisterId>,
    /// Members to cordon.
    pub cordon: Vec<CanisterId>,
    /// Workers wanted for which no canister is ready.
    pub unmet: u32,
    /// Why this and not more, the wish's reasons first.
    pub reasons: Vec<Reason>,
    /// What the pool remembers afterwards.
    pub record: PoolRecord,
    /// When a wait of this plan ends; [`Nanos::MAX`] = none.
    pub wake: Nanos,
}

/// Plans one pool.
pub fn plan(view: &PoolView<'_>) -> PoolPlan {
    let mut record = view.record.clone();
    let in_service = view.count(|phase| phase == Phase::InService);
    record.bootstrapped |= in_service >= view.spec.initial;
    let mut wished = policy::wish(view);
    let window = view.spec.scale_down.window.max(view.spec.scale_up.window);
    policy::remember(&mut record.wishes, view.now, wished.members, window);
    policy::stabilise(view, &record.wishes, &mut wished);
    policy::limit_rate(view, &mut wished);
    let mut plan = PoolPlan {
        desired: wished.members,
        uncordon: Vec::new(),
        claim: Vec::new(),
        cordon: Vec::new(),
        unmet: 0,
        reasons: wished.reasons,
        record,
        wake: Nanos::MAX,
    };
    let living = view.living();
    if plan.desired > living {
        grow(view, &mut plan, living);
    } else if plan.desired < living {
        shrink(view, &mut plan, living);
    }
    if plan.reasons.is_empty() {
        plan.reasons.push(Reason::Satisfied);
    }
    remember_step(view, &mut plan);
    plan.wake = wake(view, &plan.reasons);
    if plan.record.bootstrapped != view.record.bootstrapped {
        // From now on `min` counts, no longer `initial`.
        plan.wake = view.now + Nanos(1);
    }
    plan
}

/// Takes draining members back first, then claims ready canisters.
fn grow(view: &PoolView<'_>, plan: &mut PoolPlan, living: u32) {
    if view.paused_up {
        plan.reasons.push(Reason::Paused);
        return;
    }
    let mut wanted = (plan.desired - living) as usize;
    let mut back: Vec<&Member> = view
        .members
        .iter()
        .filter(|member| member.phase == Phase::Draining && member.scaled_in)
        .filter(|member| view.module.is_none() || member.module == view.module)
        .collect();
    back.sort_by_key(|member| (std::cmp::Reverse(member.since), member.canister));
    plan.uncordon = back
        .iter()
        .take(wanted)
        .map(|member| member.canister)
        .collect();
    wanted -= plan.uncordon.len();
    if wanted == 0 {
        return;
    }
    let (allowed, full) = claims_allowed(view);
    let take = wanted.min(allowed).min(view.ready.len());
    plan.claim = view.ready[..take].to_vec();
    plan.unmet = (wanted - take) as u32;
    if wanted > take {
        let reason = if take == allowed {
            full
        } else {
            Reason::NoReadyCanister
        };
        plan.reasons.push(reason);
    }
}

/// Claims that may start now, and what forbids more.
fn claims_allowed(view: &PoolView<'_>) -> (usize, Reason) {
    let until = view.record.backoff_until;
    // After a failed install one canister at a time shows whether the module starts at all.
    let probing = view.record.failures > 0;
    let installing = view.count(|phase| phase == Phase::Installing);
    if view.module.is_none() {
        (0, Reason::ModuleMissing)
    } else if until > view.now {
        (0, Reason::BackingOff { until })
    } else if !view.payable {
        (0, Reason::AtReserve)
    } else if probing {
        let until = view.now + limits::LANE_RETRY;
        let room = 1u32.saturating_sub(installing).min(view.install_room);
        (room as usize, Reason::BackingOff { until })
    } else {
        (view.install_room as usize, Reason::LaneFull)
    }
}

/// Cordons the least useful members, within the disruption budget.
fn shrink(view: &PoolView<'_>, plan: &mut PoolPlan, living: u32) {
    if view.paused_down {
        plan.reasons.push(Reason::Paused);
        return;
    }
    let in_service = view.count(|phase| phase == Phase::InService);
    let leaving = view.count(|phase| matches!(phase, Phase::Draining | Phase::Stopping));
    let share = u64::from(in_service + leaving) * u64::from(view.spec.disruption_percent) / 100;
    let budget = (share as u32).max(1).saturating_sub(leaving);
    let surplus = (living - plan.desired).min(in_service.saturating_sub(view.spec.min));
    let mut victims: Vec<&Member> = view
        .members
        .iter()
        .filter(|member| member.phase == Phase::InService)
        .collect();
    victims.sort_by_key(|member| victim_order(view, member));
    let take = surplus.min(budget) as usize;
    plan.cordon = victims
        .iter()
        .take(take)
        .map(|member| member.canister)
        .collect();
    if surplus > budget {
        plan.reasons.push(Reason::DisruptionBudget);
    }
}

/// Silent ones first, then outdated modules, then the least loaded, then the youngest; a load that
/// is not known counts as busy.
fn victim_order(
    view: &PoolView<'_>,
    member: &Member,
) -> (bool, bool, u64, std::cmp::Reverse<Nanos>, CanisterId) {
    let current = view.module.is_none() || member.module == view.module;
    let stale_after = view.spec.target.as_ref().map(|target| target.stale_after);
    let fresh = stale_after.is_none_or(|after| view.now.since(member.sample_at) <= after);
    let load = member.sample.filter(|_| fresh).unwrap_or(u64::MAX);
    let youngest_first = std::cmp::Reverse(member.in_service_at);
    (
        !member.silent,
        current,
        load,
        youngest_first,
        member.canister,
    )
}

fn remember_step(view: &PoolView<'_>, plan: &mut PoolPlan) {
    let count = |ids: &[CanisterId]| i32::try_from(ids.len()).unwrap_or(i32::MAX);
    let members = count(&plan.uncordon) + count(&plan.claim) - count(&plan.cordon);
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

fn wake(view: &PoolView<'_>, reasons: &[Reason]) -> Nanos {
    let waits = reasons.iter().filter_map(|reason| match reason {
        Reason::Stabilising { until }
        | Reason::RateLimited { until }
        | Reason::CoolingDown { until }
        | Reason::BackingOff { until } => Some((*until).max(view.now + Nanos(1))),
        Reason::LaneFull => Some(view.now + limits::LANE_RETRY),
        Reason::AtReserve => Some(view.now + limits::BLOCKED_RETRY),
        _ => None,
    });
    let target = view.spec.target.as_ref();
    let judged = target.into_iter().flat_map(|target| {
        let fresh_until = view.members.iter().filter(|member| member.sample.is_some());
        let stale = fresh_until.map(|member| member.sample_at + target.stale_after + Nanos(1));
        let warm = view
            .members
            .iter()
            .filter(|member| member.phase == Phase::InService);
        stale.chain(warm.map(|member| member.in_service_at + target.warm_up))
    });
    waits
        .chain(judged.filter(|at| *at > view.now))
        .min()
        .unwrap_or(Nanos::MAX)
}
