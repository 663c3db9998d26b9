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
    let mut outdated = outdated(view, plan, module);
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
    let budget = budget(view, sizes, plan, &rollout);
    if outdated.len() > budget {
        plan.reasons.push(Reason::DisruptionBudget);
    }
    let next = outdated.iter().take(budget).map(|member| member.canister);
    plan.upgrade = next.collect();
}

/// Members that may be taken away now.
fn budget(view: &PoolView<'_>, sizes: &Sizes, plan: &PoolPlan, rollout: &Rollout) -> usize {
    let leaving = sizes.draining + sizes.stopping;
    let away = leaving + sizes.upgrading + plan.cordon.len() as u32;
    let all = u64::from(sizes.living() + leaving);
    let share = (all * u64::from(view.spec.disruption_percent) / 100) as u32;
    let most = if rollout.done == 0 { 1 } else { share.max(1) };
    let most = if planted("u01") { u32::MAX } else { most };
    most.saturating_sub(away) as usize
}

/// Members with another module that the plan leaves where they are: those on standby first, then
/// those that came to their place first.
fn outdated<'a>(view: &'a PoolView<'_>, plan: &PoolPlan, module: ModuleHash) -> Vec<&'a Member> {
    let moved = |id: &CanisterId| {
        let lists = [&plan.cordon, &plan.promote, &plan.release];
        lists.iter().any(|list| list.contains(id))
    };
    let may = |member: &&Member| match member.phase {
        Phase::Standby => !member.starting,
        Phase::InService | Phase::Leased => true,
        _ => false,
    };
    let mut outdated: Vec<&Member> = view.members.iter().filter(may).collect();
    outdated.retain(|member| member.module != Some(module) && !moved(&member.canister));
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
