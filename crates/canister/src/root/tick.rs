//! When root plans: a self-call at once, or a timer later.
//!
//! Owns the loop of a tick and its share of a message's instructions. A tick runs in a message of
//! its own, so that a trap in planning undoes no recorded outcome. What is asked for while a tick
//! is under way is asked for again after it; the flags for that are on the heap, and losing them
//! in an upgrade costs one tick more.

use super::{effects, feed, method, now, with_state};
use crate::call::{self, Call, Wait};
use hatchery_core::{Input, Vitals, next_wake};
use hatchery_types::plant::planted;
use hatchery_types::{Cycles, Nanos, WarmPoolSpec};
use ic_cdk_timers::TimerId;
use std::cell::Cell;
use std::time::Duration;

/// A tick goes on in another message beyond this: with the decision after it, a message stays below
/// the 2 B that the platform runs in one slice of a round.
const INSTRUCTIONS_MAX: u64 = 1_800_000_000;
/// When calls could not be sent, or root is stopping: look again after this.
const BLOCKED_RETRY: Nanos = Nanos::from_secs(2);
/// A tick that trapped is tried again after this.
const TRAP_RETRY: Nanos = Nanos::from_secs(60);
/// `canister_status` of a running and of a stopping canister (interface specification, "Canister
/// status").
const RUNNING: u32 = 1;
const STOPPING: u32 = 2;

thread_local! {
    /// A tick was sent and its answer has not come.
    static UNDER_WAY: Cell<bool> = const { Cell::new(false) };
    /// Another tick is wanted after the one under way.
    static AGAIN: Cell<bool> = const { Cell::new(false) };
    /// The timer that goes off however quiet root is, and how often.
    static WATCHDOG: Cell<Option<(TimerId, Duration)>> = const { Cell::new(None) };
    /// The timer that is set, and for when.
    static ARMED: Cell<Option<(TimerId, Nanos)>> = const { Cell::new(None) };
}

/// Wants a tick as soon as this message is over: in the same round, if the platform has time.
pub(crate) fn ask() {
    if ic0::canister_status() != RUNNING {
        // A stopping canister takes no call, not even its own; the timer waits for its start.
        return arm(now() + BLOCKED_RETRY);
    }
    if UNDER_WAY.get() && !planted("l16") {
        return AGAIN.set(true);
    }
    let call = Call {
        callee: call::myself(),
        method: method::TICK.name,
        argument: &[],
        cycles: 0,
        wait: Wait::Unbounded,
    };
    match call.send_with_cleanup(ended, Some(lost), 0) {
        Ok(()) => UNDER_WAY.set(true),
        Err(_) => arm(now() + BLOCKED_RETRY),
    }
}

/// The callback of the self-call: a tick that trapped is not repeated at once.
extern "C" fn ended(_env: usize) {
    UNDER_WAY.set(false);
    let trapped = ic0::msg_reject_code() != 0;
    let again = AGAIN.replace(false);
    if trapped {
        arm(now() + TRAP_RETRY);
    } else if again {
        ask();
    }
}

/// The callback trapped, and what it did is undone: the next to ask sends a tick again.
extern "C" fn lost(_env: usize) {
    UNDER_WAY.set(false);
}

/// One tick: decide, apply, call, until nothing is left or the share of the message is spent.
pub(crate) fn tick() {
    AGAIN.set(false);
    match run() {
        End::Done => arm_next(Nanos(0)),
        End::Blocked => arm(now() + BLOCKED_RETRY),
        End::More => ask(),
    }
}

/// How a tick ended.
enum End {
    /// Nothing is left to do now.
    Done,
    /// A call could not be sent: going on would only burn the rest of the list.
    Blocked,
    /// The share of the message is spent.
    More,
}

fn run() -> End {
    loop {
        let decision = feed(&Input::Tick(vitals()));
        let mut all_sent = true;
        for effect in &decision.effects {
            all_sent &= effects::execute(effect);
        }
        if !all_sent {
            return End::Blocked;
        }
        if !decision.more {
            return End::Done;
        }
        if ic0::performance_counter(0) > INSTRUCTIONS_MAX {
            return End::More;
        }
    }
}

/// What root knows of itself.
pub(crate) fn vitals() -> Vitals {
    Vitals {
        liquid: Cycles(ic0::canister_liquid_cycle_balance128()),
        stopping: ic0::canister_status() == STOPPING,
    }
}

/// Starts the timers of a fresh root.
pub(crate) fn wake_after_install() {
    keep_watch();
    arm(now());
}

/// Starts the timers of an upgraded root.
pub(crate) fn wake_after_upgrade() {
    if planted("l17") {
        return;
    }
    keep_watch();
    arm(now() + of_spec(|warm| warm.first_check, WarmPoolSpec::FIRST_CHECK));
}

/// A time that the spec sets.
fn of_spec(time: impl Fn(&WarmPoolSpec) -> Nanos, default: Nanos) -> Nanos {
    let set = with_state(|state| state.spec().map(|spec| time(&spec.warm_pool)));
    set.filter(|time| time.0 > 0).unwrap_or(default)
}

/// An interval timer never gets lost, whatever becomes of the messages it starts; a tick that is
/// said to be under way since the last time is not. A new spec may set another interval.
pub(crate) fn keep_watch() {
    let every = of_spec(|warm| warm.watchdog, WarmPoolSpec::WATCHDOG);
    let every = Duration::from_nanos(every.0);
    match WATCHDOG.get() {
        Some((_, set)) if set == every => return,
        Some((timer, _)) => ic_cdk_timers::clear_timer(timer),
        None => {}
    }
    let timer = ic_cdk_timers::set_timer_interval(every, || async {
        UNDER_WAY.set(false);
        ask();
    });
    WATCHDOG.set(Some((timer, every)));
}

/// Arms the timer for what the state waits for, no sooner than `gap` from now.
fn arm_next(gap: Nanos) {
    let now = now();
    if let Some(wake) = with_state(|state| next_wake(state, now)) {
        arm(wake.max(now + gap));
    }
}

/// When the timer goes off; `None`: no sooner than the watchdog.
pub(crate) fn armed_at() -> Option<Nanos> {
    ARMED.get().map(|(_, at)| at)
}

/// Arms the timer for `at`, unless it goes off before that anyway.
pub(crate) fn arm(at: Nanos) {
    let now = now();
    let at = at.max(now);
    if let Some((timer, armed)) = ARMED.get() {
        // One that is long past and did not run was lost on its way: its self-call was refused.
        if armed <= at && now < armed + BLOCKED_RETRY {
            return;
        }
        ic_cdk_timers::clear_timer(timer);
    }
    let delay = Duration::from_nanos(at.since(now).0);
    if WATCHDOG.get().is_some_and(|(_, every)| delay >= every) {
        return ARMED.set(None);
    }
    let timer = ic_cdk_timers::set_timer(delay, async {
        ARMED.set(None);
        ask();
    });
    ARMED.set(Some((timer, at)));
}
