//! A parent has its children upgraded: what it may ask, when, and what it hears.

use crate::families::{Family, fleet, rested, why};
use crate::fixture::OPERATOR;
use crate::upgrades::{Next, Site, next, with_next};
use hatchery_core::{Answer, Ask, Command, CommandInput, Input, LeaseAsk, LeaseInput, Reply};
use hatchery_types::{
    CanisterId, FleetSpec, LeaseSpec, Nanos, OperationId, ParentSpec, Phase, Principal, UpgradeSpec,
};

/// A hub with children, and their role's next module, which no rule of the role brings them.
struct Scene {
    it: Family,
    site: Site,
    hub: CanisterId,
    children: Vec<CanisterId>,
}

fn on_the_way(children: usize, next: Next) -> Scene {
    under(fleet(), children, next)
}

fn under(mut spec: FleetSpec, children: usize, next: Next) -> Scene {
    spec.pools[0].disruption_percent = 50;
    spec.grants[0].each = 4;
    spec.grants[0].all = 6;
    let mut it = rested(spec.clone());
    let hub = it.hubs[0];
    let names = (0..children).map(|number| format!("child {number}"));
    let names: Vec<String> = names.collect();
    let children = names.iter().map(|name| it.child(hub, name)).collect();
    let site = Site::of(&it.root, next);
    it.root.stage_next();
    it.root.feed(&Input::Apply(Box::new(with_next(&spec))));
    it.root.tick();
    Scene {
        it,
        site,
        hub,
        children,
    }
}

impl Scene {
    fn seconds(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.it.root.second(&mut self.site, 2);
        }
    }

    fn ask(&mut self, operation: &str, ask: Ask) -> Reply {
        self.it.ask(self.hub, operation, ask)
    }

    fn upgrade(&mut self, operation: &str, child: usize) -> Reply {
        let ask = Ask::Upgrade(self.children[child]);
        self.ask(operation, ask)
    }

    fn all(&mut self, operation: &str) -> Reply {
        self.ask(operation, Ask::UpgradeAll("worker".to_owned()))
    }

    fn command(&mut self, operation: &str, command: Command) {
        let input = CommandInput {
            caller: OPERATOR,
            operation: OperationId(operation.to_owned()),
            command,
        };
        self.it.root.feed(&Input::Command(input));
    }
}

#[test]
fn a_child_goes_to_its_roles_module_when_its_parent_asks() {
    let mut scene = on_the_way(2, Next::Works);
    scene.seconds(60);
    assert_eq!(scene.it.root.on_next(), 0, "the role has no rule");
    for _ in 0..3 {
        let reply = scene.upgrade("up", 0);
        assert_eq!(reply, Reply::Command(Answer::InProgress));
    }
    assert_eq!(why(&scene.upgrade("up", 1)), "operation-conflict");
    assert_eq!(why(&scene.upgrade("other", 1)), "disruption-budget");
    // The same child under another id: the same upgrade.
    let again = scene.upgrade("again", 0);
    assert_eq!(again, Reply::Command(Answer::InProgress));
    let child = scene.children[0];
    let memory = scene.site.canisters[&child].memory;
    scene.seconds(30);
    let real = &scene.site.canisters[&child];
    assert_eq!((real.module, real.memory), (next(), memory), "kept");
    for operation in ["up", "again", "up"] {
        let reply = scene.upgrade(operation, 0);
        assert_eq!(reply, Reply::Command(Answer::Upgraded));
    }
    assert_eq!(why(&scene.upgrade("more", 0)), "up-to-date");
    assert_eq!(scene.it.root.on_next(), 1, "the other child was not named");
}

#[test]
fn all_children_of_a_role_go_within_the_budget() {
    let mut scene = on_the_way(4, Next::Works);
    let first = |begun, left| Reply::Command(Answer::Upgrading { begun, left });
    assert_eq!(scene.all("one"), first(1, 3), "the first goes alone");
    assert_eq!(why(&scene.all("two")), "disruption-budget");
    scene.seconds(30);
    assert_eq!(scene.all("two"), first(2, 1));
    scene.seconds(30);
    assert_eq!(scene.all("three"), first(1, 0));
    scene.seconds(30);
    assert_eq!(scene.it.root.on_next(), 4);
    assert_eq!(why(&scene.all("four")), "up-to-date");
    assert_eq!(scene.all("one"), first(1, 3), "the answer stays");
    let none = Ask::UpgradeAll("hub".to_owned());
    assert_eq!(why(&scene.ask("five", none)), "not-a-child");
}

#[test]
fn l06_l21_nobody_upgrades_anothers_child_and_no_earlier_tenant_ones_own() {
    let mut scene = on_the_way(1, Next::Works);
    let (child, other) = (scene.children[0], scene.it.hubs[1]);
    let foreign = scene.it.ask(other, "up", Ask::Upgrade(child));
    assert_eq!(why(&foreign), "not-a-child");
    let foreign = Ask::UpgradeAll("worker".to_owned());
    assert_eq!(why(&scene.it.ask(other, "all", foreign)), "not-a-child");
    assert_eq!(
        why(&scene.it.ask(child, "up", Ask::Upgrade(child))),
        "not-a-child"
    );
    let stale = scene.it.ask_as(scene.hub, 9, "up", Ask::Upgrade(child));
    assert_eq!(why(&stale), "stale-generation");
    let nobody = scene
        .it
        .ask(CanisterId(OPERATOR), "up", Ask::Upgrade(child));
    assert_eq!(why(&nobody), "unauthorised");
    scene.seconds(60);
    assert_eq!(scene.it.root.on_next(), 0);
}

#[test]
fn a_module_that_is_no_good_is_told_and_after_two_no_further_child_gets_it() {
    let mut scene = on_the_way(3, Next::Traps);
    for child in 0..2 {
        let operation = format!("up {child}");
        assert_eq!(why(&scene.upgrade(&operation, child)), "taken");
        scene.seconds(40);
        assert_eq!(why(&scene.upgrade(&operation, child)), "rolled-back");
    }
    scene.site.expect_untouched();
    assert_eq!(why(&scene.upgrade("up 2", 2)), "upgrade-stopped");
    scene.site.next = Next::Works;
    scene.command("resume", Command::Resume(None));
    assert_eq!(why(&scene.upgrade("up 2", 2)), "taken");
    scene.seconds(40);
    assert_eq!(scene.upgrade("up 2", 2), Reply::Command(Answer::Upgraded));
    assert_eq!(why(&scene.upgrade("up 1", 1)), "rolled-back", "as it was");
}

#[test]
fn what_is_refused_says_why_and_leaves_nothing() {
    let mut scene = on_the_way(1, Next::Works);
    scene.command("pause", Command::Pause(None));
    assert_eq!(why(&scene.upgrade("up", 0)), "paused");
    scene.command("resume", Command::Resume(None));
    let child = scene.children[0];
    let generation = scene.it.root.state.row(child).expect("a row").generation;
    scene.it.root.feed(&Input::Protect {
        member: child,
        generation,
        until: scene.it.root.now + Nanos::from_secs(600),
    });
    assert_eq!(why(&scene.upgrade("up", 0)), "spared");
    assert_eq!(why(&scene.all("up")), "spared");
    let receipt = OperationId("up".to_owned());
    assert_eq!(scene.it.root.state.receipt(scene.hub.0, &receipt), None);
    scene.seconds(601);
    assert_eq!(why(&scene.upgrade("up", 0)), "taken");

    let mut scene = on_the_way(1, Next::Works);
    scene.ask("end", Ask::Recycle(scene.children[0]));
    assert_eq!(why(&scene.upgrade("up", 0)), "wrong-phase");

    let mut spec = fleet();
    spec.roles[0].upgrade = Some(UpgradeSpec::default());
    spec.pools[0].protection_max = Nanos::from_secs(7_200);
    let mut scene = under(spec, 1, Next::Works);
    assert_eq!(
        why(&scene.upgrade("up", 0)),
        "taken",
        "on its way by itself"
    );
    scene.seconds(40);
    assert_eq!(scene.upgrade("up", 0), Reply::Command(Answer::Upgraded));
}

/// A hub that is a member, with a pool of its own: it leases one of its workers, another holder the
/// other.
#[test]
fn s15_a_leased_child_is_upgraded_for_its_holder_alone() {
    let spec = fleet();
    let mut it = rested(spec.clone());
    let hub = it.hubs[0];
    let mut spec = spec;
    spec.pools[0].parent = Some(ParentSpec::Canister(hub));
    spec.pools[0].lease = Some(LeaseSpec::default());
    (spec.pools[0].min, spec.pools[0].initial) = (2, 2);
    it.root.feed(&Input::Apply(Box::new(spec.clone())));
    it.root.run(30);
    let own = lease(&mut it, hub.0, false);
    let others = lease(&mut it, OPERATOR, true);
    let mut site = Site::of(&it.root, Next::Works);
    it.root.stage_next();
    it.root.feed(&Input::Apply(Box::new(with_next(&spec))));
    it.root.tick();
    assert_eq!(why(&it.ask(hub, "others", Ask::Upgrade(others))), "spared");
    assert_eq!(why(&it.ask(hub, "own", Ask::Upgrade(own))), "taken");
    it.root.seconds(&mut site, 30);
    assert_eq!(
        it.ask(hub, "own", Ask::Upgrade(own)),
        Reply::Command(Answer::Upgraded)
    );
    let row = it.root.state.row(own).expect("a row");
    assert_eq!((row.phase, row.holder), (Phase::Leased, Some(hub)));
}

fn lease(it: &mut Family, caller: Principal, operator: bool) -> CanisterId {
    let input = LeaseInput {
        caller,
        operator,
        operation: OperationId("take".to_owned()),
        pool: "workers".to_owned(),
        ask: LeaseAsk::Take {
            count: 1,
            ttl: None,
        },
    };
    match it.root.feed(&Input::Lease(input)).reply {
        Reply::Lease(answer) => answer.granted[0].canister,
        other => panic!("{other:?}"),
    }
}

#[test]
fn l01_root_is_upgraded_by_force_meanwhile_and_the_answer_tells_the_truth() {
    let mut scene = on_the_way(1, Next::Works);
    assert_eq!(why(&scene.upgrade("up", 0)), "taken");
    for _ in 0..12 {
        scene.seconds(1);
        scene.it.root.open.clear();
        scene.it.root.upgrade();
        scene.it.root.tick();
    }
    scene.seconds(900);
    assert_eq!(scene.upgrade("up", 0), Reply::Command(Answer::Upgraded));
    let row = scene.it.root.state.row(scene.children[0]).expect("a row");
    assert_eq!((row.phase, row.module), (Phase::InService, Some(next())));
}
