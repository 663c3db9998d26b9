//! What stops a pool from doing the same harm many times: installs that keep failing, members that
//! keep dying.
//!
//! A module that never started in the pool is tried on a few canisters at a time; when so many
//! installs failed in a row, the breaker is open, and after a wait one install tries again (half
//! open). One start closes it. Members that fail at work open it too.

use super::view::{PoolView, Sizes};
use crate::limits;
use crate::plant::planted;
use crate::record::Sample;
use hatchery_types::{Nanos, Reason};

/// Installs that may start now, and what forbids more.
pub(super) fn installs_allowed(view: &PoolView<'_>, sizes: &Sizes, wanted: u32) -> (usize, Reason) {
    let until = view.record.backoff_until;
    let Some(module) = view.module else {
        return (0, Reason::ModuleMissing);
    };
    let failures = if view.record.failing == Some(module) && !planted("s14") {
        view.record.failures
    } else {
        0
    };
    let budget = unproven_installs(wanted);
    let open = failures >= budget || losing(view, sizes).is_some();
    if until > view.now && !planted("s14") {
        let reason = if open {
            Reason::BreakerOpen { until }
        } else {
            Reason::BackingOff { until }
        };
        return (0, reason);
    }
    if !view.payable {
        return (0, Reason::AtReserve);
    }
    // A full lane is looked at again by itself; a probe under way wakes the pool when it ends.
    let room = |most: u32, why: Reason| {
        let most = most.saturating_sub(sizes.coming());
        if most > view.install_room {
            (view.install_room as usize, Reason::LaneFull)
        } else {
            (most as usize, why)
        }
    };
    let until = view.now + limits::LANE_RETRY;
    if open {
        room(1, Reason::BreakerOpen { until })
    } else if failures > 0 || view.record.proven != Some(module) {
        room(budget - failures, Reason::Probing)
    } else {
        (view.install_room as usize, Reason::LaneFull)
    }
}

/// Installs of a module that never started, for a pool that wants so many workers.
fn unproven_installs(wanted: u32) -> u32 {
    let share = u64::from(wanted) * u64::from(limits::UNPROVEN_PERCENT) / 100;
    u32::try_from(share)
        .unwrap_or(u32::MAX)
        .max(limits::UNPROVEN_INSTALLS)
}

/// More members failed at work lately than the spec's share of those that there were; until when
/// that counts. A pool that shrinks by its own plan does not make its losses greater.
pub(super) fn losing(view: &PoolView<'_>, sizes: &Sizes) -> Option<Nanos> {
    let lately = |loss: &&Sample| view.now.since(loss.at) < limits::LOSSES_PERIOD;
    let recent = || view.record.losses.iter().filter(lately);
    let losses = recent().count() as u64;
    let there = u64::from(sizes.in_service + sizes.leased) + losses;
    let all = recent().map(|loss| loss.value).fold(there, u64::max);
    let share = view.spec.breaker_percent;
    let too_many = share > 0 && losses * 100 > all * u64::from(share);
    let counts = too_many && losses >= u64::from(limits::UNPROVEN_INSTALLS);
    let oldest = recent().next().filter(|_| counts);
    oldest.map(|loss| loss.at + limits::LOSSES_PERIOD)
}
