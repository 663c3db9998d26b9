//! Requests of members: children under a grant, who leaves first, and what is refused.

use crate::fixture::{OPERATOR, ROOT, Root, empty, module, refused, saw, spec};
use hatchery_core::{
    Answer, Ask, Command, CommandInput, EventFilter, Input, Reply, RequestInput, RowFilter,
};
use hatchery_types::{
    CanisterId, EffectKind, FleetSpec, Generation, GrantSpec, Observation, OperationId, Outcome,
    Phase, PoolSpec, REJECT_DESTINATION_INVALID, Reason, RoleSpec,
};

/// Hubs may have two workers each and three together, workers one each; three deep.
pub(crate) fn fleet() -> FleetSpec {
    let mut spec = spec(8, 0, 6);
    spec.pools[0].signals.clear();
    spec.roles.push(RoleSpec::new("hub", module()));
    spec.pools.push(PoolSpec {
        max: 4,
        ..PoolSpec::new("hubs", "hub", 2, 4)
    });
    spec.warm_pool.maximum = 100;
    for role in &mut spec.roles {
        role.reuse = hatchery_types::Reuse::Any;
    }
    let grant = |role: &str, each| GrantSpec {
        role: role.to_owned(),
        pool: "workers".to_owned(),
        each,
        all: 3,
        depth: 3,
        under_root: role == "hub",
    };
    spec.grants = vec![grant("hub", 2), grant("worker", 1)];
    spec
}

/// What goes before a request, and the request.
type Prepare = fn(&mut Family) -> Ask;

pub(crate) struct Family {
    pub(crate) root: Root,
    pub(crate) hubs: Vec<CanisterId>,
}

pub(crate) fn rested(spec: FleetSpec) -> Family {
    let mut root = Root::with(spec);
    root.settle();
    root.run(5);
    let hubs = root.state.members("hubs").map(|it| it.canister).collect();
    Family { root, hubs }
}

impl Family {
    pub(crate) fn ask_as(
        &mut self,
        caller: CanisterId,
        generation: u64,
        operation: &str,
        ask: Ask,
    ) -> Reply {
        let input = RequestInput {
            caller,
            generation: Generation(generation),
            operation: OperationId(operation.to_owned()),
            ask,
            vitals: self.root.vitals,
        };
        let decision = self.root.feed(&Input::Request(input));
        assert!(decision.effects.is_empty(), "effects are the tick's");
        decision.reply
    }

    pub(crate) fn ask(&mut self, caller: CanisterId, operation: &str, ask: Ask) -> Reply {
        let row = self.root.state.row(caller);
        let generation = row.map_or(0, |row| row.generation.0);
        self.ask_as(caller, generation, operation, ask)
    }

    /// A child that is there.
    pub(crate) fn child(&mut self, parent: CanisterId, operation: &str) -> CanisterId {
        let first = self.ask(parent, operation, create());
        assert_eq!(first, Reply::Command(Answer::InProgress));
        self.root.tick();
        self.root.settle();
        match self.ask(parent, operation, create()) {
            Reply::Command(Answer::Created(child)) => child,
            other => panic!("not created: {other:?}"),
        }
    }

    fn phase(&self, canister: CanisterId) -> Phase {
        self.root.state.row(canister).expect("it has a row").phase
    }

    fn recycle(&mut self, canister: CanisterId, operation: &str) -> Reply {
        let input = CommandInput {
            caller: OPERATOR,
            operation: OperationId(operation.to_owned()),
            command: Command::Recycle(canister),
        };
        self.root.feed(&Input::Command(input)).reply
    }

    /// Everything that a refusal must leave as it is.
    fn holdings(&self) -> (u64, u64, u32, hatchery_core::Ledger) {
        let state = &self.root.state;
        (
            state.counts().phase(Phase::Ready),
            state.rows_len(),
            state.kept_in("workers"),
            state.header().ledger,
        )
    }
}

fn create() -> Ask {
    create_under(None)
}

fn create_under(parent: Option<CanisterId>) -> Ask {
    Ask::Create {
        pool: "workers".to_owned(),
        parent,
        init_arg: None,
    }
}

pub(crate) fn why(reply: &Reply) -> &'static str {
    match reply {
        Reply::Refused(reason, _) => reason.name(),
        Reply::Command(_) => "taken",
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_child_stays_whatever_policy_says_until_its_parent_recycles_it() {
    let mut it = rested(fleet());
    let hub = it.hubs[0];
    let child = it.child(hub, "one");
    let row = it.root.state.row(child).expect("it has a row");
    assert_eq!((row.phase, row.parent), (Phase::InService, Some(hub)));
    it.root.run(400);
    assert_eq!(it.phase(child), Phase::InService, "the pool's minimum is 0");
    assert_eq!(
        why(&it.ask(it.hubs[1], "two", Ask::Recycle(child))),
        "not-a-child"
    );
    assert_eq!(why(&it.ask(hub, "two", Ask::Recycle(child))), "taken");
    it.root.tick();
    it.root.settle();
    it.root.run(20);
    let recycled = it.ask(hub, "two", Ask::Recycle(child));
    assert_eq!(recycled, Reply::Command(Answer::Recycled));
    assert_eq!(it.root.state.kept_in("workers"), 0);
}

#[test]
fn l01_the_answer_is_the_same_while_it_runs_and_after_whatever_was_heard() {
    let mut it = rested(fleet());
    let hub = it.hubs[0];
    for _ in 0..3 {
        let reply = it.ask(hub, "one", create());
        assert_eq!(reply, Reply::Command(Answer::InProgress));
        it.root.tick();
    }
    let installs = it
        .root
        .take(|kind| matches!(kind, EffectKind::Install { .. }));
    assert_eq!(installs.len(), 1);
    // Nobody hears of the install: a new root looks, and tells the truth.
    it.root.upgrade();
    it.root.tick();
    assert_eq!(
        it.ask(hub, "one", create()),
        Reply::Command(Answer::InProgress)
    );
    it.root.later(61);
    for look in it.root.take(|kind| matches!(kind, EffectKind::Observe)) {
        let seen = Observation {
            module: Some(module()),
            settings_clean: Some(false),
            ..empty()
        };
        it.root.answer(&look, &[saw(seen)]);
    }
    let child = installs[0].canister.expect("an install has a target");
    for _ in 0..2 {
        let reply = it.ask(hub, "one", create());
        assert_eq!(reply, Reply::Command(Answer::Created(child)));
    }
    assert_eq!(it.root.state.kept_in("workers"), 1);
    let other = create_under(Some(CanisterId(ROOT)));
    assert_eq!(why(&it.ask(hub, "one", other)), "operation-conflict");
}

#[test]
fn l02_one_member_cannot_fill_the_receipts() {
    let mut it = rested(fleet());
    let [hub, other] = [it.hubs[0], it.hubs[1]];
    it.root.large = true;
    let mut taken = 0;
    for number in 0..1_100 {
        let child = it.hubs[1];
        // What is refused leaves no receipt, so each asks for what may be had.
        let reply = it.ask(hub, &format!("create {number}"), create());
        taken += u32::from(why(&reply) == "taken");
        let _ = child;
        let kept: Vec<CanisterId> = it.root.state.children(hub, None).collect();
        it.root.tick();
        it.root.settle();
        for child in kept {
            let reply = it.ask(hub, &format!("end {number} {child}"), Ask::Recycle(child));
            taken += u32::from(why(&reply) == "taken");
        }
        it.root.run(2);
        if taken == 1_000 {
            break;
        }
    }
    assert_eq!(taken, 1_000);
    assert_eq!(
        why(&it.ask(hub, "one more", create())),
        "too-many-operations"
    );
    assert_eq!(why(&it.ask(other, "another's", create())), "taken");
}

#[test]
fn l05_whatever_is_refused_has_cost_nothing() {
    let refusals: [(&str, Prepare); 5] = [
        ("no-ready-canister", |it| {
            let mut spec = fleet();
            spec.warm_pool.minimum = 0;
            spec.warm_pool.maximum = 0;
            it.root.feed(&Input::Apply(Box::new(spec)));
            it.root.run(30);
            create()
        }),
        ("at-maximum", |it| {
            let mut spec = fleet();
            spec.pools[0].max = 0;
            it.root.feed(&Input::Apply(Box::new(spec)));
            create()
        }),
        ("paused", |it| {
            let input = CommandInput {
                caller: OPERATOR,
                operation: OperationId("pause".to_owned()),
                command: Command::Pause(None),
            };
            it.root.feed(&Input::Command(input));
            create()
        }),
        ("over-limit", |_| Ask::Create {
            pool: "workers".to_owned(),
            parent: None,
            init_arg: Some(vec![0; 5_000]),
        }),
        ("unknown-pool", |_| Ask::Create {
            pool: "nobody's".to_owned(),
            parent: None,
            init_arg: None,
        }),
    ];
    for (reason, prepare) in refusals {
        let mut it = rested(fleet());
        let ask = prepare(&mut it);
        it.root.tick();
        let (hub, before) = (it.hubs[0], it.holdings());
        assert_eq!(why(&it.ask(hub, "one", ask)), reason);
        assert_eq!(it.holdings(), before, "{reason}");
        let receipt = it.root.state.receipt(hub.0, &OperationId("one".to_owned()));
        assert_eq!(receipt, None, "{reason}");
        it.root.tick();
        assert!(it.root.open.is_empty(), "{reason}: {:?}", it.root.open);
    }
}

#[test]
fn l06_grants_say_who_may_have_how_many_where() {
    let mut it = rested(fleet());
    let [hub, other] = [it.hubs[0], it.hubs[1]];
    let child = it.child(hub, "one");
    let before = it.holdings();
    let hubs = Ask::Create {
        pool: "hubs".to_owned(),
        parent: None,
        init_arg: None,
    };
    assert_eq!(why(&it.ask(hub, "a hub", hubs)), "no-grant");
    assert_eq!(
        why(&it.ask(child, "under root", create_under(Some(CanisterId(ROOT))))),
        "no-grant"
    );
    assert_eq!(
        why(&it.ask(hub, "under another", create_under(Some(other)))),
        "not-a-child"
    );
    assert_eq!(it.holdings(), before, "nothing is paid");

    // Two deep, by the hub under its child; three deep is the end.
    assert_eq!(
        why(&it.ask(hub, "below", create_under(Some(child)))),
        "taken"
    );
    it.root.tick();
    it.root.settle();
    let below = it
        .root
        .state
        .children(child, None)
        .next()
        .expect("it is there");
    let before = it.holdings();
    assert_eq!(why(&it.ask(child, "a second", create())), "grant-used-up");
    assert_eq!(why(&it.ask(below, "four deep", create())), "too-deep");
    // Both ask before either is there: one takes the last.
    assert_eq!(it.holdings(), before);
    assert_eq!(why(&it.ask(hub, "the last", create())), "taken");
    assert_eq!(why(&it.ask(other, "the last", create())), "grant-used-up");
    it.root.run(5);
    assert_eq!(it.root.state.kept_in("workers"), 3);
}

#[test]
fn l06_a_spec_with_a_grant_of_nobody_or_for_nothing_is_refused() {
    for change in [
        (|spec: &mut FleetSpec| spec.grants[0].role.push('x')) as fn(&mut FleetSpec),
        |spec| spec.grants[0].pool.push('x'),
    ] {
        let mut it = rested(fleet());
        let mut wrong = fleet();
        change(&mut wrong);
        let reply = it.root.feed(&Input::Apply(Box::new(wrong))).reply;
        assert_eq!(why(&reply), "bad-spec");
    }
}

#[test]
fn l21_only_the_tenant_itself_is_answered() {
    let mut it = rested(fleet());
    let [hub, other] = [it.hubs[0], it.hubs[1]];
    let child = it.child(hub, "one");
    let before = it.holdings();
    assert_eq!(why(&it.ask_as(hub, 9, "two", create())), "stale-generation");
    assert_eq!(why(&it.ask_as(hub, 9, "one", create())), "stale-generation");
    let spare = it
        .root
        .state
        .rows(&RowFilter::of(Some(Phase::Ready)), None, 1)
        .0[0]
        .canister;
    for nobody in [spare, CanisterId(OPERATOR), CanisterId(ROOT)] {
        assert_eq!(why(&it.ask(nobody, "one", create())), "unauthorised");
    }
    assert_eq!(
        why(&it.ask(other, "mine", Ask::Recycle(child))),
        "not-a-child"
    );
    assert_eq!(
        why(&it.ask(other, "mine", Ask::Recycle(hub))),
        "not-a-child"
    );
    assert_eq!(it.holdings(), before, "nothing is paid");
    // Another's operation id is an id of one's own.
    assert_eq!(
        it.ask(other, "one", create()),
        Reply::Command(Answer::InProgress)
    );
}

/// Who comes after a tenant in the same canister has none of its operations.
#[test]
fn l21_a_recycled_canister_does_not_get_the_answers_of_its_last_tenant() {
    let mut spec = fleet();
    spec.warm_pool.minimum = 0;
    let mut it = rested(spec);
    let hub = it.hubs[0];
    it.root.run(100);
    let mut with_one = fleet();
    with_one.warm_pool.minimum = 1;
    it.root.feed(&Input::Apply(Box::new(with_one)));
    it.root.run(10);
    let child = it.child(hub, "one");
    it.ask(hub, "end", Ask::Recycle(child));
    it.root.run(60);
    it.recycle(hub, "away");
    it.root.run(60);
    let row = it.root.state.row(hub).expect("it has a row");
    if row.phase == Phase::Ready {
        // It is nobody's now.
        assert_eq!(why(&it.ask_as(hub, 1, "one", create())), "unauthorised");
    }
    for round in 0..20 {
        if it.phase(hub) == Phase::InService {
            break;
        }
        let others: Vec<CanisterId> = it
            .root
            .state
            .members("hubs")
            .map(|it| it.canister)
            .collect();
        it.recycle(others[0], &format!("turn {round}"));
        it.root.run(60);
    }
    assert_eq!(it.phase(hub), Phase::InService, "it has a tenant again");
    assert_eq!(why(&it.ask_as(hub, 1, "one", create())), "stale-generation");
    assert_eq!(why(&it.ask(hub, "one", create())), "operation-conflict");
}

#[test]
fn p18_a_parent_is_not_recycled_before_its_children() {
    let mut it = rested(fleet());
    let hub = it.hubs[0];
    let child = it.child(hub, "one");
    assert_eq!(why(&it.recycle(hub, "a")), "has-children");
    assert_eq!(it.phase(hub), Phase::InService);
    // Nor does policy take it.
    let mut small = fleet();
    (small.pools[1].min, small.pools[1].initial) = (0, 0);
    it.root.feed(&Input::Apply(Box::new(small)));
    it.root.run(400);
    assert_eq!(it.phase(hub), Phase::InService);
    assert_ne!(it.phase(it.hubs[1]), Phase::InService);
    it.ask(hub, "end", Ask::Recycle(child));
    it.root.run(60);
    assert_eq!(why(&it.recycle(hub, "b")), "taken");
}

#[test]
fn p18_leaves_go_before_branches_where_the_spec_says_so() {
    let mut spec = fleet();
    for role in &mut spec.roles {
        role.children_first = true;
    }
    let mut it = rested(spec);
    let hub = it.hubs[0];
    let child = it.child(hub, "one");
    let leaf = it.child(child, "one");
    it.root.story();
    assert_eq!(why(&it.recycle(hub, "a")), "taken");
    it.root.run(400);
    let story = it.root.story();
    let reset = |canister| {
        let line = format!("{} resetting", crate::fixture::name(canister));
        story
            .find(&line)
            .unwrap_or_else(|| panic!("{line}:\n{story}"))
    };
    assert!(reset(leaf) < reset(child), "{story}");
    assert!(reset(child) < reset(hub), "{story}");
}

#[test]
fn s19_children_of_a_parent_that_is_gone_are_roots() {
    let mut it = rested(fleet());
    let hub = it.hubs[0];
    let child = it.child(hub, "one");
    it.root.now = it.root.now + hatchery_types::Nanos::from_secs(25 * 3_600);
    it.root.tick();
    for look in it.root.take(|kind| matches!(kind, EffectKind::Observe)) {
        let gone = look.canister == Some(hub);
        if gone {
            it.root
                .answer(&look, &[refused(REJECT_DESTINATION_INVALID)]);
        } else {
            it.root.open.push(look);
        }
    }
    assert_eq!(it.phase(hub), Phase::Lost);
    let row = it.root.state.row(child).expect("it has a row");
    assert_eq!(
        (row.parent, row.phase),
        (Some(CanisterId(ROOT)), Phase::InService)
    );
    it.root.settle();
    it.root.run(400);
    let row = it.root.state.row(child).expect("it has a row");
    assert_eq!(
        (row.phase, row.mend),
        (Phase::InService, false),
        "{}",
        row.reason
    );
    assert_eq!(it.root.state.kept_in("workers"), 1);
}

#[test]
fn an_install_that_is_refused_gives_the_place_back() {
    let mut it = rested(fleet());
    let hub = it.hubs[0];
    it.ask(hub, "one", create());
    it.root.tick();
    let installs = it
        .root
        .take(|kind| matches!(kind, EffectKind::Install { .. }));
    assert_eq!(it.root.state.kept_in("workers"), 1);
    it.root.answer(
        &installs[0],
        &[Outcome::Done(hatchery_types::Value::Nothing), refused(5)],
    );
    assert_eq!(it.root.state.kept_in("workers"), 0);
    let reply = it.ask(hub, "one", create());
    assert!(
        matches!(reply, Reply::Refused(Reason::Refused(_), _)),
        "{reply:?}"
    );
}

#[test]
fn l10_canisters_are_listed_by_parent_and_the_rest_in_pages_and_each_has_its_history() {
    let mut it = rested(fleet());
    let hub = it.hubs[0];
    let children = [it.child(hub, "one"), it.child(hub, "two")];
    let state = &it.root.state;
    let page = |filter: &RowFilter, after, limit| {
        let (rows, next) = state.rows(filter, after, limit);
        let ids: Vec<CanisterId> = rows.iter().map(|row| row.canister).collect();
        (ids, next)
    };
    let of_hub = RowFilter {
        parent: Some(hub),
        ..RowFilter::default()
    };
    assert_eq!(page(&of_hub, None, 9), (children.to_vec(), None));
    assert_eq!(
        page(&of_hub, None, 1),
        (vec![children[0]], Some(children[0]))
    );
    assert_eq!(
        page(&of_hub, Some(children[0]), 1),
        (vec![children[1]], None)
    );
    let in_pool = RowFilter {
        pool: Some("hubs".to_owned()),
        role: Some("hub".to_owned()),
        module: Some(module()),
        ..RowFilter::default()
    };
    assert_eq!(page(&in_pool, None, 9), (it.hubs.clone(), None));
    assert_eq!(state.children(hub, Some(children[0])).count(), 1);

    let (mut events, mut after) = (Vec::new(), 0);
    loop {
        let (page, next) = state.history(&EventFilter::of(Some(children[0])), after, 2);
        assert!(page.len() <= 2);
        events.extend(page);
        match next {
            Some(next) => after = next,
            None => break,
        }
    }
    let all = state.log(0, usize::MAX);
    let ours: Vec<_> = all
        .into_iter()
        .filter(|(_, entry)| entry.canister == Some(children[0]))
        .collect();
    assert!(events.len() > 3, "{events:?}");
    assert_eq!(events, ours);
}
