//! How many workers policy wishes for, before windows and rates. Numbers alone.
//!
//! Precedence, written down once:
//!
//! 1. Every signal, the buffer, the schedule and leases that found nobody free each wish for a
//!    number of working members; leased ones count in all of them. **The largest wins**, so a
//!    signal without values, which wishes for what there is, never lets the pool shrink.
//! 2. **Bounds**: the floor is the largest of `min`, of a running window's `min` and, until so many
//!    were at work once, of `initial`; it raises the wish. `max` caps everything, the floor too.
//! 3. **Pace** (`pace.rs`): stabilisation windows, then rates and cooldowns hold the wish back in
//!    either direction. Reaching the floor is never held back.
//! 4. **Safety** (`pool.rs`): a pause, a switched-off pool and an open breaker stop what is
//!    voluntary; leased and protected members are never victims; the disruption budget, the lanes
//!    and root's reserve bound each step.

use super::view::{PoolView, Sizes};
use crate::limits;
use crate::plant::planted;
use crate::state::Member;
use hatchery_types::{BufferSpec, Missing, Nanos, Phase, Reason, Scope, SignalSpec};

/// A number of working members and the reasons for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sized {
    pub(super) members: u32,
    pub(super) reasons: Vec<Reason>,
}

impl Sized {
    fn new(members: u32, reason: Reason) -> Self {
        Sized {
            members,
            reasons: vec![reason],
        }
    }
}

/// What policy wishes now: the largest wish, within bounds.
pub(super) fn wish(view: &PoolView<'_>, sizes: &Sizes) -> Sized {
    let mut wished = largest(view, sizes);
    let floor = floor(view);
    if wished.members < floor {
        wished = Sized::new(floor, reason_of_floor(view, sizes, floor));
    }
    if wished.members > view.spec.max && !planted("s01") {
        wished.members = view.spec.max;
        wished.reasons.push(Reason::AtMaximum);
    }
    wished
}

/// `min` (of the spec or of a running window), those who stay whatever policy says, or `initial`
/// until that many were at work once.
pub(super) fn floor(view: &PoolView<'_>) -> u32 {
    let initial = if view.record.bootstrapped {
        0
    } else {
        view.spec.initial
    };
    let windows = view.spec.schedule.iter();
    let scheduled = windows
        .filter(|window| window.is_on(view.now))
        .map(|window| window.min)
        .max()
        .unwrap_or(0);
    let floor = view.spec.min.max(initial).max(scheduled).max(bound(view));
    floor.min(view.spec.max)
}

/// Living members that were asked for or have children: they stay.
fn bound(view: &PoolView<'_>) -> u32 {
    let bound = view
        .members
        .iter()
        .filter(|member| member.bound && member.phase.is_living());
    bound.count() as u32
}

fn reason_of_floor(view: &PoolView<'_>, sizes: &Sizes, floor: u32) -> Reason {
    let initial = !view.record.bootstrapped && view.spec.initial == floor;
    if sizes.working >= floor {
        Reason::AtMinimum
    } else if floor == view.spec.min.min(view.spec.max) {
        Reason::BelowMinimum
    } else if initial {
        Reason::BelowInitial
    } else if floor == bound(view) {
        Reason::Requested
    } else {
        Reason::Scheduled
    }
}

/// The wish that wants most; of equal ones the first.
fn largest(view: &PoolView<'_>, sizes: &Sizes) -> Sized {
    let many = view.spec.signals.len() > 1;
    let mut most = Sized {
        members: 0,
        reasons: Vec::new(),
    };
    let mut stale = Vec::new();
    for (position, signal) in view.spec.signals.iter().enumerate() {
        let mut wished = match signal.scope {
            Scope::Worker => wish_of_workers(view, sizes, position, signal),
            Scope::Pool => wish_of_total(view, sizes, position, signal),
        };
        if many && wished.reasons.contains(&Reason::SignalsMissing) {
            stale.push(Reason::Stale(signal.name.clone()));
        }
        if many {
            wished.reasons.push(Reason::DrivenBy(signal.name.clone()));
        }
        take_larger(&mut most, wished);
    }
    for wished in [
        wish_of_buffer(view, sizes),
        wish_of_schedule(view),
        wish_of_leases(view, sizes),
    ]
    .into_iter()
    .flatten()
    {
        take_larger(&mut most, wished);
    }
    most.members = most.members.max(sizes.leased);
    most.reasons.extend(stale);
    most
}

fn take_larger(most: &mut Sized, other: Sized) {
    if other.members > most.members || most.reasons.is_empty() {
        *most = other;
    }
}

/// The horizontal autoscaler's formula: missing samples count as nothing on the way up and as the
/// target on the way down; members not yet judged count like missing ones.
fn wish_of_workers(
    view: &PoolView<'_>,
    sizes: &Sizes,
    position: usize,
    signal: &SignalSpec,
) -> Sized {
    let (mut judged, mut load, mut missing) = (0u32, 0u128, 0u32);
    for member in &view.members {
        if member.phase != Phase::InService || !is_warm(view.now, signal, member) {
            continue;
        }
        match view.fresh(signal, member.samples.get(position)) {
            Some(value) => {
                judged += 1;
                load += u128::from(value);
            }
            None => missing += 1,
        }
    }
    let serving = sizes.serving();
    let (members, reason) = match signal.missing {
        _ if judged == 0 && missing == 0 => (serving, Reason::Satisfied),
        Missing::Fallback(workers) if judged == 0 => (workers, Reason::Fallback),
        _ if judged == 0 => (serving, Reason::SignalsMissing),
        Missing::Hold if missing > 0 => (serving, Reason::SignalsMissing),
        _ => follow(signal, serving, judged, load),
    };
    Sized::new(members.saturating_add(sizes.leased), reason)
}

/// Workers for a load that `judged` of `serving` workers have.
fn follow(signal: &SignalSpec, serving: u32, judged: u32, load: u128) -> (u32, Reason) {
    let target = u128::from(signal.target.max(1));
    match compare(signal, load, target * u128::from(judged)) {
        Ratio::Above if planted("s08") => (serving, Reason::AboveTarget),
        Ratio::Above => (workers_for(load, target).max(serving), Reason::AboveTarget),
        Ratio::Below => {
            let unjudged = u128::from(serving.saturating_sub(judged));
            let wanted = workers_for(load + unjudged * target, target);
            (wanted.min(serving), Reason::BelowTarget)
        }
        Ratio::Within => (serving, Reason::WithinTolerance),
    }
}

/// A total: divided by its target, and nothing at or below its activation.
fn wish_of_total(
    view: &PoolView<'_>,
    sizes: &Sizes,
    position: usize,
    signal: &SignalSpec,
) -> Sized {
    let serving = sizes.serving();
    let total = view.fresh(signal, view.record.samples.get(position));
    let (members, reason) = match (total, signal.missing) {
        (None, Missing::Fallback(workers)) => (workers, Reason::Fallback),
        (None, _) => (serving, Reason::SignalsMissing),
        (Some(total), _) if total <= signal.activation => (0, Reason::BelowTarget),
        (Some(total), _) => {
            let target = u128::from(signal.target.max(1));
            let load = u128::from(total);
            let wanted = workers_for(load, target).max(1);
            match compare(signal, load, target * u128::from(serving)) {
                _ if serving == 0 => (wanted, Reason::Activated),
                Ratio::Above => (wanted.max(serving), Reason::AboveTarget),
                Ratio::Below => (wanted.min(serving), Reason::BelowTarget),
                Ratio::Within => (serving, Reason::WithinTolerance),
            }
        }
    };
    Sized::new(members.saturating_add(sizes.leased), reason)
}

enum Ratio {
    Below,
    Within,
    Above,
}

/// Where a load lies around what is wanted, given the tolerance.
fn compare(signal: &SignalSpec, load: u128, wanted: u128) -> Ratio {
    let tolerance = u128::from(signal.tolerance_percent);
    if load * 100 > wanted * (100 + tolerance) {
        Ratio::Above
    } else if load * 100 < wanted * 100u128.saturating_sub(tolerance).max(1) {
        Ratio::Below
    } else {
        Ratio::Within
    }
}

fn workers_for(load: u128, target: u128) -> u32 {
    u32::try_from(load.div_ceil(target)).unwrap_or(u32::MAX)
}

/// Past its warm-up: it may be judged.
fn is_warm(now: Nanos, signal: &SignalSpec, member: &Member) -> bool {
    now.since(member.in_service_at) >= signal.warm_up
}

/// Free workers beside the leased ones.
fn wish_of_buffer(view: &PoolView<'_>, sizes: &Sizes) -> Option<Sized> {
    let leased = u64::from(sizes.leased);
    let wanted = match view.spec.buffer? {
        BufferSpec::Workers(free) => leased + u64::from(free),
        BufferSpec::Percent(percent) => {
            (leased * 100).div_ceil(u64::from(100u32.saturating_sub(percent).max(1)))
        }
    };
    let members = u32::try_from(wanted).unwrap_or(u32::MAX);
    Some(Sized::new(members, Reason::Buffered))
}

/// The most that a running window wishes for.
fn wish_of_schedule(view: &PoolView<'_>) -> Option<Sized> {
    let running = view.spec.schedule.iter();
    let members = running
        .filter(|window| window.is_on(view.now))
        .map(|window| window.desired)
        .max()?;
    Some(Sized::new(members, Reason::Scheduled))
}

/// Leases that lately found nobody free.
fn wish_of_leases(view: &PoolView<'_>, sizes: &Sizes) -> Option<Sized> {
    let record = view.record;
    let lately = view.now.since(record.leases_wanted_at) < limits::LEASES_WANTED_LIFE;
    let members = sizes.leased.saturating_add(record.leases_wanted);
    (record.leases_wanted > 0 && lately).then(|| Sized::new(members, Reason::LeasesWanted))
}
