//! Members of the real root ask for canisters of their own: what they get, and what is refused with
//! its reason and costs nothing.

use crate::authority::{Stage, stage};
use candid::{Encode, Principal};
use hatchery_api::{Answer, Ask, CommandAnswer, MemberRequest};
use hatchery_engine::trace::Event;
use hatchery_sim::world::{FleetWorld, relay};
use hatchery_types::{CanisterId, Generation, OperationId, Phase, Placeholder, Reason, RoleSpec};

const SECOND: u64 = 1_000_000_000;

/// Answers with its init argument.
const ECHO: &str = r#"
(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_arg_data_size" (func $size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $copy (param i32 i32 i32)))
  (memory 1)
  (global $kept (mut i32) (i32.const 0))
  (func (export "canister_init")
    (call $copy (i32.const 0) (i32.const 0) (call $size))
    (global.set $kept (call $size)))
  (func (export "canister_query argument")
    (call $append (i32.const 0) (global.get $kept))
    (call $reply)))
"#;

fn asked(operation: &str, generation: u64, ask: Ask) -> Vec<u8> {
    let request = MemberRequest {
        operation: OperationId(operation.to_owned()),
        generation: Generation(generation),
        ask,
    };
    Encode!(&request).expect("it encodes")
}

fn create(pool: &str) -> Ask {
    Ask::Create {
        pool: pool.to_owned(),
        parent: None,
        init_arg: None,
    }
}

fn answered(reply: Result<Vec<u8>, String>) -> Result<CommandAnswer, String> {
    let reply = reply.expect("root answers");
    let answer: Answer<CommandAnswer> = candid::decode_one(&reply).expect("its own shape");
    answer.map_err(|refused| refused.reason.name)
}

impl Stage {
    fn ask(
        &mut self,
        member: Principal,
        operation: &str,
        generation: u64,
        ask: Ask,
    ) -> Result<CommandAnswer, String> {
        let (root, bytes) = (self.world.root.0, asked(operation, generation, ask));
        let reply = relay::call(&mut self.world.engine, member, root, "request", &bytes);
        answered(reply)
    }

    /// A child that is there.
    fn child(&mut self, member: Principal, operation: &str) -> CanisterId {
        let taken = self.ask(member, operation, 1, create("workers"));
        assert_eq!(taken, Ok(CommandAnswer::InProgress));
        self.world.pass(20, SECOND);
        match self.ask(member, operation, 1, create("workers")) {
            Ok(CommandAnswer::Created { canister }) => canister,
            other => panic!("not created: {other:?}"),
        }
    }

    /// What root does to canisters in the time to come: nothing, after a refusal.
    fn calls_to_come(&mut self) -> Vec<String> {
        let root = self.world.root.0;
        self.world.engine.trace_keep(100_000);
        self.world.pass(20, SECOND);
        let calls = self.world.engine.trace().filter_map(|it| match &it.event {
            Event::Managed { sender, method, .. } if *sender == root => Some(method.clone()),
            _ => None,
        });
        let calls = calls.collect();
        self.world.engine.trace_off();
        calls
    }
}

fn count(world: &mut FleetWorld, phase: Phase) -> usize {
    let rows = world.rows().expect("root answers").into_iter();
    rows.filter(|row| row.phase == phase).count()
}

#[test]
fn a_member_gets_a_child_under_it_and_ends_it() {
    let mut stage = stage();
    let member = stage.members[0];
    let child = stage.child(member, "one");
    let rows = stage.world.rows().expect("root answers");
    let row = rows.iter().find(|row| row.canister == child);
    let row = row.expect("it has a row");
    assert_eq!(row.parent, Some(CanisterId(member)));
    assert_eq!(
        (row.phase, row.pool.as_deref()),
        (Phase::InService, Some("workers"))
    );
    // The child asks in turn: parents nest.
    let grandchild = stage.child(child.0, "one");
    let end = |canister| Ask::Recycle { canister };
    assert_eq!(
        stage.ask(member, "end", 1, end(grandchild)),
        Err(Reason::NotAChild.name().to_owned())
    );
    assert_eq!(
        stage.ask(member, "end", 1, end(child)),
        Err(Reason::HasChildren.name().to_owned())
    );
    assert_eq!(
        stage.ask(child.0, "end", 1, end(grandchild)),
        Ok(CommandAnswer::InProgress)
    );
    // It leaves untold at its deadline, and then is reset.
    stage.world.pass(400, SECOND);
    assert_eq!(
        stage.ask(child.0, "end", 1, end(grandchild)),
        Ok(CommandAnswer::Recycled)
    );
    assert_eq!(
        stage.world.root_violations().expect("root answers"),
        [""; 0]
    );
}

#[test]
fn l05_l06_l21_what_members_may_not_have_is_refused_and_costs_nothing() {
    let mut stage = stage();
    let [member, other] = [stage.members[0], stage.members[1]];
    let hub = stage.hubs[0];
    stage.child(member, "mine");
    stage.world.pass(60, SECOND);
    let before = stage.world.status().expect("root answers");
    let ready = count(&mut stage.world, Phase::Ready);
    let foreign = stage.spec.pools[1].name.clone();
    let named = Ask::Create {
        pool: "workers".to_owned(),
        parent: Some(CanisterId(other)),
        init_arg: None,
    };
    let long = Ask::Create {
        pool: "workers".to_owned(),
        parent: None,
        init_arg: Some(vec![0; 5_000]),
    };
    let refusals = [
        (
            stage.ask(member, "a", 2, create("workers")),
            "stale-generation",
        ),
        // The same operation in the name of an earlier tenant.
        (
            stage.ask(member, "mine", 0, create("workers")),
            "stale-generation",
        ),
        (
            stage.ask(member, "mine", 1, create(&foreign)),
            "operation-conflict",
        ),
        (stage.ask(member, "b", 1, create(&foreign)), "no-grant"),
        (stage.ask(member, "c", 1, named), "not-a-child"),
        (stage.ask(member, "d", 1, long), "over-limit"),
        (
            stage.ask(stage.stray, "mine", 1, create("workers")),
            "unauthorised",
        ),
        (stage.ask(hub, "mine", 1, create("workers")), "unauthorised"),
    ];
    for (answer, reason) in refusals {
        assert_eq!(answer, Err(reason.to_owned()));
    }
    assert_eq!(stage.calls_to_come(), [""; 0], "nothing is done");
    let after = stage.world.status().expect("root answers");
    assert_eq!(after.ledger.spent, before.ledger.spent, "nothing is paid");
    assert_eq!(count(&mut stage.world, Phase::Ready), ready);
    // Another's operation id is an id of one's own: a canister of its own, not the other's.
    let own = stage.child(other, "mine");
    let first = stage.ask(member, "mine", 1, create("workers"));
    assert_ne!(first, Ok(CommandAnswer::Created { canister: own }));
}

#[test]
fn l06_of_two_that_ask_at_once_for_the_last_one_is_refused() {
    let mut stage = stage();
    let [member, other] = [stage.members[0], stage.members[1]];
    stage.child(member, "one");
    stage.child(member, "two");
    stage.world.pass(60, SECOND);
    assert_eq!(
        stage.ask(member, "three", 1, create("workers")),
        Err(Reason::GrantUsedUp.name().to_owned()),
        "two are all that one may have"
    );
    // Three are all that all may have, and two are there: both ask in one round.
    let spent = stage.world.status().expect("root answers").ledger.spent;
    let root = stage.world.root.0;
    let child = stage.world.rows().expect("root answers").into_iter();
    let mut children = child.filter(|row| row.parent == Some(CanisterId(member)));
    let child = children.next().expect("it has two").canister.0;
    let bytes = asked("the last", 1, create("workers"));
    let engine = &mut stage.world.engine;
    let sent = [other, child].map(|from| relay::submit(engine, from, root, "request", &bytes));
    let answers = sent.map(|message| answered(relay::answer(engine, message)));
    let refused = Err(Reason::GrantUsedUp.name().to_owned());
    let lost = answers.iter().filter(|answer| **answer == refused).count();
    let won = answers
        .iter()
        .filter(|answer| **answer == Ok(CommandAnswer::InProgress));
    assert_eq!((won.count(), lost), (1, 1), "{answers:?}");
    stage.world.pass(10, SECOND);
    let status = stage.world.status().expect("root answers");
    // What was taken from the warm pool is bought anew, once.
    let each = stage.spec.warm_pool.cycles.0;
    assert!(
        status.ledger.spent.0 - spent.0 <= each,
        "{:?}",
        status.ledger
    );
}

#[test]
fn l06_a_member_upgrades_its_own_child_and_nobody_elses() {
    let mut stage = stage();
    let [member, other] = [stage.members[0], stage.members[1]];
    let (child, spared) = (stage.child(member, "one"), stage.child(member, "two"));
    let mut next = relay::module();
    next.extend([0, 3, 1, b'n', 0]);
    stage.spec.roles[0].module = stage.world.upload_module(&next).expect("it is good");
    stage.world.apply(&stage.spec).expect("the spec is good");
    stage.world.pass(30, SECOND);
    let up = |canister| Ask::Upgrade { canister };
    let foreign = stage.ask(other, "up", 1, up(child));
    assert_eq!(foreign, Err(Reason::NotAChild.name().to_owned()));
    for _ in 0..2 {
        let taken = stage.ask(member, "up", 1, up(child));
        assert_eq!(taken, Ok(CommandAnswer::InProgress));
    }
    let second = stage.ask(member, "too", 1, up(spared));
    assert_eq!(second, Err(Reason::DisruptionBudget.name().to_owned()));
    stage.world.pass(90, SECOND);
    for _ in 0..2 {
        let done = stage.ask(member, "up", 1, up(child));
        assert_eq!(done, Ok(CommandAnswer::Upgraded));
    }
    let runs = |stage: &mut Stage, id| {
        let rows = stage.world.rows().expect("root answers").into_iter();
        rows.filter(|row| row.canister == id)
            .find_map(|row| row.module)
    };
    let wanted = Some(stage.spec.roles[0].module);
    assert_eq!(runs(&mut stage, child), wanted);
    assert_ne!(runs(&mut stage, spared), wanted, "its role has no rule");
    let again = stage.ask(member, "again", 1, up(child));
    assert_eq!(again, Err(Reason::UpToDate.name().to_owned()));
    let role = "relay".to_owned();
    let rest = stage.ask(member, "rest", 1, Ask::UpgradeAll { role });
    assert_eq!(rest, Ok(CommandAnswer::Upgrading { begun: 1, left: 0 }));
    stage.world.pass(90, SECOND);
    assert_eq!(runs(&mut stage, spared), wanted);
    assert_eq!(
        stage.world.root_violations().expect("root answers"),
        [""; 0]
    );
}

#[test]
fn a_role_tells_each_canister_who_it_is() {
    let mut stage = stage();
    let echo = wat::parse_str(ECHO).expect("it is a module");
    let module = stage.world.upload_module(&echo).expect("it is good");
    let stand_in = Placeholder::principal;
    let of = |own, parent, root, pool: &str| {
        Encode!(&own, &parent, &root, &pool.to_owned()).expect("it encodes")
    };
    let mut role = RoleSpec::new("echo", module);
    role.init_arg = of(
        stand_in(Placeholder::Own),
        stand_in(Placeholder::Parent),
        stand_in(Placeholder::Root),
        Placeholder::POOL,
    );
    stage.spec.roles.push(role);
    let mut pool = hatchery_types::PoolSpec::new("echoes-of-all", "echo", 0, 3);
    pool.standby = 0;
    stage.spec.pools.push(pool);
    let mut grant = stage.spec.grants[0].clone();
    grant.pool = "echoes-of-all".to_owned();
    stage.spec.grants.push(grant);
    stage.world.apply(&stage.spec).expect("the spec is good");
    stage.world.pass(30, SECOND);
    let member = stage.members[0];
    let taken = stage.ask(member, "echo", 1, create("echoes-of-all"));
    assert_eq!(taken, Ok(CommandAnswer::InProgress));
    stage.world.pass(30, SECOND);
    let child = match stage.ask(member, "echo", 1, create("echoes-of-all")) {
        Ok(CommandAnswer::Created { canister }) => canister.0,
        other => panic!("not created: {other:?}"),
    };
    let nothing = Encode!().expect("it encodes");
    let told = stage.world.ask(member, child, "argument", nothing);
    let told = told.expect("it answers");
    assert_eq!(told, of(child, member, stage.world.root.0, "echoes-of-all"));
}
