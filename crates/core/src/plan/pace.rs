//! How fast a pool may get where policy wishes it: windows, rates, cooldowns. Numbers alone.

use super::view::{PoolView, Sizes};
use super::wish::{Sized, floor};
use crate::limits;
use crate::plant::planted;
use crate::record::{ScaleStep, Wish};
use hatchery_types::{Nanos, Reason, ScaleSpec};

/// Remembers a wish; equal ones share an entry, old ones go. An entry speaks until the next one
/// begins; neighbours are merged while together they speak for no longer than a small part of the
/// window, so what is remembered lasts at most that part too long, however often wishes change.
pub(super) fn remember(wishes: &mut Vec<Wish>, now: Nanos, members: u32, window: Nanos) {
    let last = wishes.last();
    if last.is_none_or(|last| (last.low, last.high) != (members, members)) {
        wishes.push(Wish {
            at: now,
            low: members,
            high: members,
        });
        let slot = Nanos(window.0 / limits::WISHES_PER_WINDOW);
        if let Some(first) = wishes.len().checked_sub(3)
            && now.since(wishes[first].at) <= slot
        {
            merge(wishes, first);
        }
    }
    while wishes.len() > 1 && now.since(wishes[1].at) >= window {
        wishes.remove(0);
    }
    // Only after the window was changed.
    if wishes.len() > limits::POOL_HISTORY_MAX {
        merge(wishes, 0);
    }
}

/// The entry at `first` and the one behind it become one.
fn merge(wishes: &mut Vec<Wish>, first: usize) {
    let second = wishes.remove(first + 1);
    wishes[first].low = wishes[first].low.min(second.low);
    wishes[first].high = wishes[first].high.max(second.high);
}

/// Holds a wish back while the window remembers a milder one.
pub(super) fn stabilise(view: &PoolView<'_>, sizes: &Sizes, wishes: &[Wish], wished: &mut Sized) {
    let (working, spec) = (sizes.working, view.spec);
    if wished.members < working && !planted("s11") {
        let window = spec.scale_down.window;
        let mildest = in_window(wishes, view.now, window)
            .map(|wish| wish.high)
            .max();
        let held = mildest
            .unwrap_or(wished.members)
            .clamp(wished.members, working);
        hold(
            wished,
            held,
            lets_go(wishes, view.now, window, |wish| wish.high > wished.members),
        );
    } else if wished.members > working && working >= floor(view) {
        let window = spec.scale_up.window;
        let mildest = in_window(wishes, view.now, window)
            .map(|wish| wish.low)
            .min();
        let held = mildest
            .unwrap_or(wished.members)
            .clamp(working, wished.members);
        hold(
            wished,
            held,
            lets_go(wishes, view.now, window, |wish| wish.low < wished.members),
        );
    }
}

fn hold(wished: &mut Sized, held: u32, until: Nanos) {
    if held != wished.members {
        wished.members = held;
        wished.reasons.push(Reason::Stabilising { until });
    }
}

/// Wishes that were in force at some time within `window` before `now`.
fn in_window(wishes: &[Wish], now: Nanos, window: Nanos) -> impl Iterator<Item = &Wish> {
    let ends = wishes
        .iter()
        .skip(1)
        .map(|wish| wish.at)
        .chain([Nanos::MAX]);
    let spoken = wishes.iter().zip(ends);
    spoken
        .filter(move |(_, end)| now.since(*end) < window || *end > now)
        .map(|(wish, _)| wish)
}

/// When the first wish that holds back leaves the window.
fn lets_go(wishes: &[Wish], now: Nanos, window: Nanos, holds: impl Fn(&Wish) -> bool) -> Nanos {
    let ends = wishes.iter().skip(1).map(|wish| wish.at);
    let holding = wishes
        .iter()
        .zip(ends)
        .filter(|(wish, end)| holds(wish) && now.since(*end) < window);
    holding
        .map(|(_, end)| end + window)
        .min()
        .unwrap_or(now + window)
}

/// Caps a step by rate and cooldown. Reaching the floor is never held back.
pub(super) fn limit_rate(view: &PoolView<'_>, sizes: &Sizes, wished: &mut Sized) {
    let working = sizes.working;
    let floor = floor(view);
    if wished.members > working.max(floor) {
        let room = room(view, sizes, &view.spec.scale_up, |step| step.members);
        let most = working.saturating_add(room.members).max(floor);
        cap(wished, most < wished.members, most, room.reasons);
    } else if wished.members < working {
        let room = room(view, sizes, &view.spec.scale_down, |step| -step.members);
        let least = working.saturating_sub(room.members);
        cap(wished, least > wished.members, least, room.reasons);
    }
}

fn cap(wished: &mut Sized, applies: bool, members: u32, reasons: Vec<Reason>) {
    if applies {
        wished.members = members;
        wished.reasons.extend(reasons);
    }
}

/// How many members may still move in one direction, and what limits them. The share is of the
/// members there were when the period began.
fn room(
    view: &PoolView<'_>,
    sizes: &Sizes,
    scale: &ScaleSpec,
    moved: impl Fn(&ScaleStep) -> i32,
) -> Sized {
    let steps = view.record.steps.iter().filter(|step| moved(step) > 0);
    let last = steps.clone().map(|step| step.at).max();
    if let Some(until) = last
        .map(|at| at + scale.cooldown)
        .filter(|until| *until > view.now)
    {
        return Sized {
            members: 0,
            reasons: vec![Reason::CoolingDown { until }],
        };
    }
    let recent = steps.filter(|step| view.now.since(step.at) < scale.period);
    let spent = recent.clone().map(&moved).sum::<i32>().unsigned_abs();
    let began = recent.clone().map(|step| step.members).sum::<i32>();
    let before = u64::try_from(i64::from(sizes.working) - i64::from(began)).unwrap_or(0);
    let until = recent
        .map(|step| step.at + scale.period)
        .min()
        .unwrap_or(view.now);
    let share = before * u64::from(scale.max_percent) / 100;
    let allowed = u32::try_from(share)
        .unwrap_or(u32::MAX)
        .max(scale.max_workers);
    let until = until.max(view.now + Nanos(1));
    Sized {
        members: allowed.saturating_sub(spent),
        reasons: vec![Reason::RateLimited { until }],
    }
}
