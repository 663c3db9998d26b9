//! Whether policy lets somebody have one more worker now, and which canister it would be.

use super::view::{PoolView, Sizes};
use super::{breaker, pool, victims, wish};
use hatchery_types::{CanisterId, Reason};

/// One more worker, as policy sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatePlan {
    /// Members that count against `max`.
    pub living: u32,
    /// Working members that policy wants.
    pub desired: u32,
    /// Why it may be created, or why not.
    pub verdict: Result<Reason, Reason>,
    /// Which canister it would be.
    pub canister: Option<CanisterId>,
    /// It is on standby: no call is needed.
    pub from_standby: bool,
}

/// Plans one more worker; `fresh` = one from standby will not do, since it is to be installed with
/// an argument of its own.
///
/// At most: never above `max`. Below the minimum: always, but for what forbids any install. Within
/// bounds: when the pool's plan wants more than there are.
pub fn plan_create(view: &PoolView<'_>, fresh: bool) -> CreatePlan {
    let sizes = Sizes::of(view);
    let planned = pool::plan(view);
    let wanted = wanted(view, &sizes, &planned);
    let standby = victims::promotable(view).first().copied();
    let standby = standby.filter(|_| !fresh);
    let mut plan = CreatePlan {
        living: sizes.living(),
        desired: planned.desired,
        canister: None,
        from_standby: standby.is_some(),
        verdict: wanted,
    };
    if plan.verdict.is_ok() {
        match standby.map_or_else(|| spare(view, &sizes, planned.desired), Ok) {
            Ok(canister) => plan.canister = Some(canister),
            Err(reason) => plan.verdict = Err(reason),
        }
    }
    plan
}

fn wanted(view: &PoolView<'_>, sizes: &Sizes, planned: &pool::PoolPlan) -> Result<Reason, Reason> {
    if !view.spec.enabled {
        Err(Reason::Disabled)
    } else if view.paused {
        Err(Reason::Paused)
    } else if sizes.in_service + sizes.leased + sizes.coming() >= view.spec.max {
        Err(Reason::AtMaximum)
    } else if sizes.working < wish::floor(view) {
        Ok(Reason::BelowMinimum)
    } else if planned.desired > sizes.working {
        Ok(planned.reasons.first().cloned().unwrap_or(Reason::Satisfied))
    } else {
        Err(Reason::NotAboveDemand)
    }
}

/// A ready canister whose install may start.
fn spare(view: &PoolView<'_>, sizes: &Sizes, desired: u32) -> Result<CanisterId, Reason> {
    if sizes.living() >= view.spec.max {
        return Err(Reason::AtMaximum);
    }
    let (allowed, full) = breaker::installs_allowed(view, sizes, desired);
    if allowed == 0 {
        return Err(full);
    }
    view.ready.first().copied().ok_or(Reason::NoReadyCanister)
}
