//! The log as it is read: what an event is about, how much it matters, which operation it tells of.

use crate::fixture::{OPERATOR, Root, canister, spec};
use hatchery_core::{Command, CommandInput, EventFilter, Input, LogEntry};
use hatchery_types::{
    CanisterId, Cycles, Level, Nanos, OperationId, Phase, Reason, Refusal, Topic,
};

fn entry(phase: Option<Phase>, reason: Reason) -> LogEntry {
    LogEntry {
        at: Nanos(1),
        canister: Some(canister(3)),
        pool: None,
        phase,
        reason,
        operation: None,
    }
}

#[test]
fn an_event_says_what_it_is_about_and_how_much_it_matters() {
    let refused = || Reason::Refused(Refusal::new(5, "no"));
    let cases = [
        (
            Some(Phase::Creating),
            Reason::Bought,
            Topic::WarmPool,
            Level::Info,
        ),
        (
            Some(Phase::PendingReset),
            refused(),
            Topic::WarmPool,
            Level::Warning,
        ),
        (
            Some(Phase::Failed),
            refused(),
            Topic::WarmPool,
            Level::Error,
        ),
        (
            Some(Phase::Lost),
            Reason::Gone,
            Topic::WarmPool,
            Level::Error,
        ),
        (
            Some(Phase::InService),
            Reason::Installed,
            Topic::Workers,
            Level::Info,
        ),
        (
            Some(Phase::Draining),
            Reason::DrainDeadline,
            Topic::Workers,
            Level::Warning,
        ),
        (
            Some(Phase::Draining),
            Reason::ScaledIn,
            Topic::Scaling,
            Level::Info,
        ),
        (
            Some(Phase::Leased),
            Reason::Leased,
            Topic::Leases,
            Level::Info,
        ),
        (
            Some(Phase::Draining),
            Reason::LeaseExpired,
            Topic::Leases,
            Level::Warning,
        ),
        (
            Some(Phase::Upgrading),
            refused(),
            Topic::Upgrades,
            Level::Warning,
        ),
        (
            Some(Phase::InService),
            Reason::Upgraded,
            Topic::Upgrades,
            Level::Info,
        ),
        (
            Some(Phase::Failed),
            Reason::RollbackFailed,
            Topic::Upgrades,
            Level::Error,
        ),
        (
            Some(Phase::Installing),
            Reason::Requested,
            Topic::Requests,
            Level::Info,
        ),
        (
            Some(Phase::InService),
            Reason::ToppedUp(Cycles(1)),
            Topic::Cycles,
            Level::Info,
        ),
        (None, Reason::Deleted, Topic::WarmPool, Level::Info),
    ];
    for (phase, reason, topic, level) in cases {
        let entry = entry(phase, reason);
        assert_eq!((entry.topic(), entry.level()), (topic, level), "{entry:?}");
    }
    let found = LogEntry {
        canister: None,
        ..entry(None, Reason::NotFound)
    };
    assert_eq!(
        (found.topic(), found.level()),
        (Topic::Recovery, Level::Warning)
    );
}

/// All that the filter lets pass, in pages of two; a page may be empty.
fn read(root: &Root, filter: &EventFilter) -> Vec<(u64, LogEntry)> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let (page, next) = root.state.history(filter, after, 2);
        assert!(page.len() <= 2);
        all.extend(page);
        match next {
            Some(next) => after = next,
            None => return all,
        }
    }
}

#[test]
fn l09_l10_the_log_is_read_by_topic_level_and_canister_in_pages_before_and_after_an_upgrade() {
    let mut root = Root::with(spec(2, 1, 3));
    root.settle();
    let command = |operation: &str, command| {
        Input::Command(CommandInput {
            caller: OPERATOR,
            operation: OperationId(operation.to_owned()),
            command,
        })
    };
    let member = root.state.rows(
        &hatchery_core::RowFilter::of(Some(Phase::InService)),
        None,
        1,
    );
    let member: CanisterId = member.0[0].canister;
    root.feed(&command("stop", Command::Pause(None)));
    root.feed(&command("go", Command::Resume(None)));
    root.feed(&command("back", Command::Recycle(member)));
    root.feed(&command("in vain", Command::Recycle(canister(99))));
    root.settle();
    root.run(400);
    let of = |topic| EventFilter {
        topic: Some(topic),
        ..EventFilter::default()
    };
    let told: Vec<String> = read(&root, &of(Topic::Operations))
        .into_iter()
        .map(|(_, it)| {
            let id = it.operation.expect("an operation").0;
            let about = it.canister.map(|it| it == member);
            format!("{id}: {} {about:?}", it.reason.name())
        })
        .collect();
    assert_eq!(
        told,
        [
            "stop: answered None",
            "go: answered None",
            "back: taken Some(true)",
            "back: answered Some(true)",
        ],
        "what is refused leaves nothing behind"
    );
    let all = read(&root, &EventFilter::default());
    assert_eq!(all.len() as u64, root.state.newest_event());
    let topics = Topic::ALL.map(|topic| read(&root, &of(topic)));
    assert_eq!(topics.iter().map(Vec::len).sum::<usize>(), all.len());
    let own = read(&root, &EventFilter::of(Some(member)));
    assert!(own.len() > 5 && own.iter().all(|(_, it)| it.canister == Some(member)));
    let grave = EventFilter {
        level: Some(Level::Warning),
        ..EventFilter::default()
    };
    let grave = |root: &Root| read(root, &grave);
    assert!(
        grave(&root)
            .iter()
            .all(|(_, it)| it.level() >= Level::Warning)
    );
    let before = (grave(&root), topics);
    root.upgrade();
    let after = Topic::ALL.map(|topic| read(&root, &of(topic)));
    assert_eq!((grave(&root), after), before);
}
