//! Which members of a pool go to its role's module next: those on standby first, then those at work,
//! within the disruption budget. Leased and protected ones wait, up to a deadline.
//!
//! The first member goes alone: until one works with the new module, the budget is one.

use super::pool::PoolPlan;
use super::view::{PoolView, Sizes};
use crate::plant::planted;
use crate::state::Member;
use crate::upgrade::Rollout;
use hatchery_types::{CanisterId, ModuleHash, Nanos, Phase, Reason};

/// Adds the next upgrades to the plan, or why there are none.
pub(super) fn upgrade(view: &PoolView<'_>, sizes: &Sizes, plan: &mut PoolPlan) {
    let (Some(rule), Some(module)) = (view.upgrade, view.module) else {
        return;
    };
    let mut outdated = outdated(view, module);
    let moved = [&plan.cordon, &plan.promote, &plan.release];
    outdated.retain(|member| !moved.iter().any(|ids| ids.contains(&member.canister)));
    if outdated.is_empty() {
        return;
    }
    plan.reasons.push(Reason::Outdated);
    let known = plan.record.rollout.filter(|it| it.module == module);
    let rollout = *plan
        .record
        .rollout
        .insert(known.unwrap_or_else(|| Rollout::new(module, view.now)));
    if view.paused_up || view.paused_down {
        return plan.reasons.push(Reason::Paused);
    }
    if rollout.failures >= rule.failures {
        return plan.reasons.push(Reason::UpgradeStopped);
    }
    let until = rollout.since + rule.wait;
    if view.now < until {
        let all = outdated.len();
        outdated.retain(|member| !is_busy(view, member));
        if outdated.len() < all {
            plan.reasons.push(Reason::UpgradeWaits { until });
        }
    }
    let budget = budget(view, sizes, plan.cordon.len(), &rollout);
    if outdated.len() > budget {
        plan.reasons.push(Reason::DisruptionBudget);
    }
    let next = outdated.iter().take(budget).map(|member| member.canister);
    plan.upgrade = next.collect();
}

/// What a parent's word begins.
pub(crate) struct Asked {
    /// Members to upgrade.
    pub(crate) begin: Vec<CanisterId>,
    /// Members that it names and that wait.
    pub(crate) left: u32,
    /// Why they wait; or why there are none.
    pub(crate) why: Reason,
    /// How far the pool is.
    pub(crate) rollout: Rollout,
}

/// Upgrades members that their parent names, with the budget and the end of any upgrade; a role
/// without a rule has the usual one. Who is leased or protected waits, but for the parent's `own`
/// leases.
pub(crate) fn plan_asked(
    view: &PoolView<'_>,
    is_named: impl Fn(CanisterId) -> bool,
    is_own: impl Fn(CanisterId) -> bool,
) -> Asked {
    let module = view.module.unwrap_or(ModuleHash([0; 32]));
    let known = view.record.rollout.filter(|it| it.module == module);
    let rollout = known.unwrap_or_else(|| Rollout::new(module, view.now));
    let rule = view.upgrade.unwrap_or_default();
    let mut waiting = outdated(view, module);
    waiting.retain(|member| is_named(member.canister));
    let all = waiting.len();
    let held = [
        (view.module.is_none(), Reason::ModuleMissing),
        (waiting.is_empty(), Reason::UpToDate),
        (!view.spec.enabled, Reason::Disabled),
        (view.paused_up || view.paused_down, Reason::Paused),
        (rollout.failures >= rule.failures, Reason::UpgradeStopped),
    ];
    let held = held.into_iter().find(|(holds, _)| *holds);
    let until = view.upgrade.map(|rule| rollout.since + rule.wait);
    if until.is_none_or(|until| view.now < until) {
        waiting.retain(|member| !is_busy(view, member) || is_own(member.canister));
    }
    let (budget, why) = match (held, until) {
        (Some((_, reason)), _) => (0, reason),
        (None, Some(until)) if waiting.is_empty() => (0, Reason::UpgradeWaits { until }),
        (None, None) if waiting.is_empty() => (0, Reason::Spared),
        (None, _) => {
            let budget = budget(view, &Sizes::of(view), 0, &rollout);
            (budget, Reason::DisruptionBudget)
        }
    };
    let begin = waiting.iter().take(budget).map(|member| member.canister);
    let begin: Vec<CanisterId> = begin.collect();
    Asked {
        left: (all - begin.len()) as u32,
        begin,
        why,
        rollout,
    }
}

/// Members that may be taken away now.
fn budget(view: &PoolView<'_>, sizes: &Sizes, cordoned: usize, rollout: &Rollout) -> usize {
    let leaving = sizes.draining + sizes.stopping;
    let away = leaving + sizes.upgrading + cordoned as u32;
    let all = u64::from(sizes.living() + leaving);
    let share = (all * u64::from(view.spec.disruption_percent) / 100) as u32;
    let most = if rollout.done == 0 { 1 } else { share.max(1) };
    let most = if planted("u01") { u32::MAX } else { most };
    most.saturating_sub(away) as usize
}

/// Members with another module: those on standby first, then those that came to their place first.
fn outdated<'a>(view: &'a PoolView<'_>, module: ModuleHash) -> Vec<&'a Member> {
    let may = |member: &&Member| match member.phase {
        Phase::Standby => !member.starting,
        Phase::InService | Phase::Leased => true,
        _ => false,
    };
    let mut outdated: Vec<&Member> = view.members.iter().filter(may).collect();
    outdated.retain(|member| member.module != Some(module));
    outdated.sort_by_key(|it| (it.phase != Phase::Standby, it.since, it.canister));
    outdated
}

fn is_busy(view: &PoolView<'_>, member: &Member) -> bool {
    member.phase == Phase::Leased || member.protected_until > view.now
}

/// When leased and protected members wait no longer.
pub(super) fn turn(view: &PoolView<'_>, plan: &PoolPlan) -> Option<Nanos> {
    let (rule, rollout) = (view.upgrade?, plan.record.rollout?);
    Some(rollout.since + rule.wait)
}
