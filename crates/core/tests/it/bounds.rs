//! What outlives an upgrade, what one message may hold, and what becomes of calls that were not sent.

use crate::fixture::{OPERATOR, Root, canister, counted, spec};
use hatchery_core::{Command, CommandInput, Event, Input, lanes};
use hatchery_types::{
    CanisterId, Cycles, EffectKind, Lane, Nanos, OperationId, Outcome, Phase, Principal, Refusal,
};

fn give(root: &mut Root, operation: &str, command: Command) -> hatchery_core::Reply {
    let input = CommandInput {
        caller: OPERATOR,
        operation: OperationId(operation.to_owned()),
        command,
    };
    root.feed(&Input::Command(input)).reply
}

#[test]
fn l09_log_metrics_and_decisions_outlive_an_upgrade() {
    let mut root = Root::with(spec(2, 1, 3));
    root.settle();
    root.run(5);
    let kept = |root: &Root| {
        let state = &root.state;
        let decisions = state.decisions_of("workers", None, 100).0;
        let numbers: Vec<u64> = decisions.iter().map(|it| it.0).collect();
        (state.log(0, 1_000), state.metrics().clone(), numbers)
    };
    let before = kept(&root);
    assert!(before.0.len() > 5 && !before.1.counters.is_empty() && !before.2.is_empty());
    root.upgrade();
    assert_eq!(kept(&root), before);
    let newest = root.state.newest_event();
    give(&mut root, "one", Command::Pause(None));
    root.report(canister(11), 100);
    root.run(60);
    let numbers: Vec<u64> = root.state.log(0, 1_000).iter().map(|it| it.0).collect();
    assert!(numbers.is_sorted() && numbers.iter().all(|number| *number > 0));
    assert!(root.state.newest_event() >= newest, "numbers only grow");
}

/// A big batch is taken in small decisions, each of which fits a message; the lanes carry it on.
#[test]
fn l11_a_big_batch_goes_on_bit_by_bit() {
    let mut wide = spec(0, 0, 1);
    wide.lanes.create = 400;
    let mut root = Root::with(wide.clone());
    root.large = true;
    let ids = |from: u16, count: u16| -> Vec<CanisterId> {
        let id = |n: u16| {
            let [high, low] = n.to_be_bytes();
            CanisterId(Principal::from_slice(&[0, 0, 0, 0, 0, 0, high, low, 1, 1]))
        };
        (from..from + count).map(id).collect()
    };
    let reply = give(&mut root, "many", Command::ImportQueued(ids(1_000, 1_000)));
    assert_eq!(counted(&reply).added, 1_000);
    let mut most = 0;
    let mut ticks = 0;
    loop {
        let decision = root.feed(&Input::Tick(root.vitals));
        most = most.max(decision.events.len());
        ticks += 1;
        if !decision.more {
            break;
        }
    }
    assert!(
        most <= 10 && ticks >= 50,
        "{most} events, {ticks} decisions"
    );
    let resets = root.take(|kind| matches!(kind, EffectKind::Reset { .. }));
    assert_eq!(resets.len(), 50, "as many as the lane holds");
    // The same for what is bought.
    wide.warm_pool.minimum = 300;
    wide.warm_pool.maximum = 2_000;
    let mut root = Root::with(spec(0, 0, 1));
    root.vitals.liquid = Cycles(100_000 * Cycles::T);
    root.feed(&Input::Apply(Box::new(wide)));
    let bought = |root: &mut Root| {
        let decision = root.feed(&Input::Tick(root.vitals));
        let starts = |event: &&Event| matches!(event, Event::EffectStarted(_));
        (decision.events.iter().filter(starts).count(), decision.more)
    };
    let mut all = 0;
    loop {
        let (count, more) = bought(&mut root);
        assert!(count <= 10, "{count} at once");
        all += count;
        if !more {
            break;
        }
    }
    assert_eq!(all, 300);
}

#[test]
fn l12_what_was_not_sent_is_tried_later_and_never_given_up_and_lanes_narrow() {
    let mut root = Root::with(spec(0, 0, 1));
    // So few that the breaker of resets stays shut.
    let ids = (20..22).map(canister).collect();
    give(&mut root, "many", Command::ImportQueued(ids));
    root.tick();
    let full = Outcome::NotExecuted(Refusal::new(2, "the queue is full"));
    let steps = vec![full; 3];
    for round in 0..8 {
        let resets = root.take(|kind| matches!(kind, EffectKind::Reset { .. }));
        assert!(!resets.is_empty(), "round {round}: nothing is tried");
        for reset in resets {
            root.answer(&reset, &steps);
        }
        assert!(root.open.is_empty(), "not at once");
        let failed = root.state.counts().phase(Phase::Failed);
        assert_eq!(failed, 0, "round {round}");
        root.later(1_300);
    }
    root.settle();
    assert_eq!(root.state.counts().phase(Phase::Ready), 2);
    // What calls in flight lock is out of the balance: few cycles, few calls.
    let open = |root: &Root, liquid: u128| {
        let mut vitals = root.vitals;
        vitals.liquid = Cycles(liquid);
        let lanes = lanes(&root.state, &vitals);
        let reset = lanes.iter().find(|it| it.lane == Lane::Reset);
        reset.map_or(0, |lane| lane.open)
    };
    let lock = hatchery_core::limits::CALL_LOCK.0;
    assert_eq!(open(&root, 1_000 * Cycles::T), 50);
    assert_eq!(open(&root, 28 * lock), 5, "20 calls beside 8 that are kept");
    assert_eq!(open(&root, 8 * lock), 0);
    assert!(root.now > Nanos(0));
}
