//! Operators' commands and members' reports: carried out once, answered the same, or refused.

use crate::fixture::{Root, canister, counted, refused, spec};
use hatchery_core::{Command, CommandInput, Input, Reply};
use hatchery_types::{
    CanisterId, EffectKind, Generation, OperationId, Outcome, Phase, Principal, Reason, Value,
};

#[test]
fn s04_the_same_operation_gets_the_same_answer_and_s05_another_payload_a_conflict() {
    let mut root = Root::with(spec(0, 0, 1));
    let import = Command::ImportQueued(vec![canister(5), canister(5)]);
    let first = root.command("a", import.clone());
    assert!(counted(&first).added == 1);
    assert_eq!(root.command("a", import), first);
    let other = root.command("a", Command::Pause(None));
    assert!(matches!(
        other,
        Reply::Refused(Reason::OperationConflict, _)
    ));
    assert!(!root.state.header().paused);
}

#[test]
fn operation_ids_and_lists_are_bounded() {
    let mut root = Root::with(spec(0, 0, 1));
    for bad in [String::new(), "x".repeat(65)] {
        let reply = root.command(&bad, Command::Pause(None));
        assert!(matches!(reply, Reply::Refused(Reason::BadOperationId, _)));
    }
    let ids: Vec<CanisterId> = (0..1_001).map(|n| canister(n as u8)).collect();
    let reply = root.command("many", Command::ImportQueued(ids));
    assert!(matches!(reply, Reply::Refused(Reason::OverLimit, _)));
}

#[test]
fn l02_one_caller_cannot_fill_the_receipts() {
    let mut root = Root::with(spec(0, 0, 1));
    let ask = |root: &mut Root, caller: u8, operation: u32| {
        let input = CommandInput {
            caller: Principal::from_slice(&[caller, 2]),
            operation: OperationId(operation.to_string()),
            command: Command::Resume(None),
        };
        hatchery_core::decide(&root.state, root.now, &Input::Command(input))
    };
    for operation in 0..1_000 {
        let decision = ask(&mut root, 1, operation);
        for event in decision.events {
            root.state.apply(root.now, event);
        }
    }
    let reply = ask(&mut root, 1, 1_000).reply;
    assert!(matches!(
        reply,
        Reply::Refused(Reason::TooManyOperations, _)
    ));
    assert!(
        matches!(ask(&mut root, 2, 0).reply, Reply::Command(_)),
        "others are not hindered"
    );
}

#[test]
fn p03_an_import_of_what_is_here_changes_nothing() {
    let mut root = Root::with(spec(0, 0, 1));
    root.import(canister(5));
    let again = root.command(
        "again",
        Command::ImportQueued(vec![canister(5), canister(6)]),
    );
    let answer = counted(&again);
    assert_eq!((answer.added, answer.requeued), (1, 0));
    assert_eq!(answer.skipped, [(canister(5), Reason::AlreadyManaged)]);
    let user = CanisterId(Principal::from_slice(&[5; 29]));
    let itself = CanisterId(crate::fixture::ROOT);
    let neither = root.command("neither", Command::ImportQueued(vec![user, itself]));
    assert_eq!(counted(&neither).skipped.len(), 2);
}

#[test]
fn failed_rows_are_requeued_some_or_all() {
    let mut root = Root::with(spec(0, 0, 1));
    for number in [5, 6, 7] {
        root.import(canister(number));
        let reset = root
            .take(|kind| matches!(kind, EffectKind::Reset { .. }))
            .remove(0);
        root.answer(&reset, &[refused(5), refused(5), refused(5)]);
    }
    let one = root.command(
        "one",
        Command::RequeueFailed(Some(vec![canister(5), canister(9)])),
    );
    let one = counted(&one);
    assert_eq!(
        (one.requeued, one.total, one.skipped),
        (1, 2, vec![(canister(9), Reason::UnknownCanister)])
    );
    let all = root.command("all", Command::RequeueFailed(None));
    let all = counted(&all);
    assert_eq!((all.requeued, all.total), (2, 2));
    root.settle();
    assert_eq!(root.state.counts().phase(Phase::Ready), 3);
}

#[test]
fn a_pause_stops_buying_and_claiming_and_says_so() {
    let mut root = Root::with(spec(0, 0, 1));
    root.command("pause", Command::Pause(None));
    root.feed(&Input::Apply(Box::new(spec(3, 1, 1))));
    root.tick();
    assert!(root.open.is_empty());
    let reason = hatchery_core::warm_reason(&root.state, root.now, &root.vitals);
    assert_eq!(reason, Reason::Paused);
    root.command("resume", Command::Resume(None));
    root.settle();
    assert_eq!(root.state.workers("workers", None, 10).len(), 1);
}

#[test]
fn l14_at_its_reserve_root_buys_nothing_and_says_so() {
    let mut root = Root::with(spec(3, 0, 1));
    root.settle();
    root.vitals.liquid = hatchery_types::Cycles(14 * hatchery_types::Cycles::T);
    root.feed(&Input::Apply(Box::new(spec(9, 0, 1))));
    root.tick();
    assert!(root.open.is_empty());
    let reason = hatchery_core::warm_reason(&root.state, root.now, &root.vitals);
    assert_eq!(reason, Reason::AtReserve);
}

#[test]
fn a_report_is_taken_only_from_the_member_it_speaks_of() {
    let mut root = Root::with(spec(1, 1, 2));
    root.settle();
    let member = root.state.workers("workers", None, 1)[0].0;
    root.run(1);
    let report = |member, generation, signal: &str, value| Input::Report {
        member,
        generation: Generation(generation),
        signal: signal.to_owned(),
        value,
    };
    let cases = [
        (
            report(canister(99), 1, "depth", 1),
            false,
            Some("unauthorised"),
        ),
        (report(member, 0, "depth", 1), false, Some("unauthorised")),
        (report(member, 1, "width", 1), true, Some("unknown-signal")),
        (
            report(member, 1, "depth", u64::MAX),
            true,
            Some("absurd-signal"),
        ),
        (report(member, 1, "depth", 1), true, None),
        (report(member, 1, "depth", 1), true, Some("rate-limited")),
    ];
    for (input, accepting, refused) in cases {
        let reply = root.feed(&input).reply;
        let Reply::Reported {
            accepting: found,
            refused: why,
        } = reply
        else {
            panic!("{reply:?}")
        };
        assert_eq!(
            (found, why.as_ref().map(Reason::name)),
            (accepting, refused),
            "{input:?}"
        );
    }
}

#[test]
fn a_pool_with_members_cannot_vanish_from_the_spec() {
    let mut root = Root::with(spec(1, 1, 2));
    root.settle();
    let mut without = spec(1, 0, 1);
    without.pools.clear();
    let reply = root.feed(&Input::Apply(Box::new(without.clone()))).reply;
    assert!(matches!(reply, Reply::Refused(Reason::WrongPhase, _)));
    root.feed(&Input::Apply(Box::new(spec(1, 0, 0))));
    root.run(60);
    let reply = root.feed(&Input::Apply(Box::new(without))).reply;
    assert!(matches!(reply, Reply::Applied(_)), "{reply:?}");
}

#[test]
fn s14_a_bad_module_opens_the_breaker_and_is_tried_ever_more_slowly() {
    let mut root = Root::with(spec(5, 5, 12));
    let (mut failed, mut before_open) = (0, 0);
    for _ in 0..600 {
        for install in root.take(|kind| matches!(kind, EffectKind::Install { .. })) {
            root.answer(&install, &[Outcome::Done(Value::Nothing), refused(5)]);
            failed += 1;
        }
        root.settle_but_installs();
        root.later(1);
        let open = |it: &Reason| matches!(it, Reason::BreakerOpen { .. });
        let pool = root.state.pool("workers").expect("a pool of the spec");
        if before_open == 0 && pool.reasons.iter().any(open) {
            before_open = failed;
        }
    }
    assert_eq!(before_open, 2, "the larger of two and ten per cent");
    assert!(
        (4..=14).contains(&failed),
        "{failed} installs of a bad module in ten minutes"
    );
    let reasons = root.state.pool("workers").map(|pool| pool.reasons.clone());
    let reasons: Vec<_> = reasons.iter().flatten().map(Reason::name).collect();
    assert!(reasons.contains(&"breaker-open"), "{reasons:?}");
}
