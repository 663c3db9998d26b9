//! One worker more, asked for by a parent or an operator: the same bounds and breaker as any plan.

use super::pool::PoolPlan;
use super::view::{PoolView, Sizes};
use super::{breaker, pace};
use crate::plant::planted;
use hatchery_types::{Nanos, Reason};

/// Claims one canister for the pool, or says why not. One that is `kept` is beside what policy
/// wishes, and changes no wish.
///
/// # Errors
/// What forbids it: scaling is off or paused, no module, the breaker, `max`, no ready canister.
pub(crate) fn plan_one_more(view: &PoolView<'_>, kept: bool) -> Result<PoolPlan, Reason> {
    let sizes = Sizes::of(view);
    let held = [
        (!view.spec.enabled, Reason::Disabled),
        (view.paused_up, Reason::Paused),
        (
            sizes.living() >= view.spec.max && !planted("s01"),
            Reason::AtMaximum,
        ),
    ];
    if let Some((_, reason)) = held.into_iter().find(|(holds, _)| *holds) {
        return Err(reason);
    }
    let (allowed, why_not) = breaker::installs_allowed(view, &sizes, sizes.living() + 1);
    if allowed == 0 {
        return Err(why_not);
    }
    let ready = view.ready.first().ok_or(Reason::NoReadyCanister)?;
    let there = sizes.in_service + sizes.leased;
    let desired = (there + sizes.coming() + 1).max(view.record.desired);
    let desired = desired.min(view.spec.max);
    let window = view.spec.scale_down.window.max(view.spec.scale_up.window);
    let mut record = view.record.clone();
    if !kept {
        pace::remember(&mut record.wishes, view.now, desired, window);
        record.desired = desired;
    }
    let below = sizes.working < view.spec.min;
    Ok(PoolPlan {
        desired,
        uncordon: Vec::new(),
        promote: Vec::new(),
        claim: vec![*ready],
        cordon: Vec::new(),
        release: Vec::new(),
        unmet: 0,
        reasons: vec![if below {
            Reason::BelowMinimum
        } else {
            Reason::Requested
        }],
        record,
        wake: Nanos::MAX,
        upgrade: Vec::new(),
    })
}
