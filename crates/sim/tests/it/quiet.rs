//! Calls that never come back, callbacks that trap, and a root that stops meanwhile: on the real wasm.

use crate::wasm;
use crate::world::{settle, start};
use candid::{Encode, Principal};
use hatchery_api::{Command, CommandRequest};
use hatchery_engine::faults::{Rule, Verdict};
use hatchery_engine::trace::Event;
use hatchery_engine::{IngressStatus, MessageId};
use hatchery_sim::demo::{FLEET_TOML, read_fleet};
use hatchery_sim::world::FleetWorld;
use hatchery_types::{
    CanisterId, DrainSpec, FleetSpec, HealthSpec, Nanos, OperationId, Phase, PoolSpec, PullSpec,
    RoleSpec, SignalSpec, Source,
};

const SECOND: u64 = 1_000_000_000;
const MEMBERS: u32 = 100;
/// Root stops within so many seconds, whoever is silent (FAILURES, l24).
const STOPS_WITHIN: u64 = 60;

/// Answers every question, as long as answers get through.
const POLITE: &str = r#"
(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (memory 1)
  (data (i32.const 0) "DIDL\00\01\78\05\00\00\00\00\00\00\00")
  (func (export "canister_query load")
    (call $append (i32.const 0) (i32.const 15))
    (call $reply))
  (func (export "canister_query health") (call $reply))
  (func (export "canister_update leave") (call $reply)))
"#;

/// The engine's word for what an operator does to root.
#[derive(candid::CandidType)]
struct AboutRoot {
    canister_id: Principal,
}

fn manage(world: &mut FleetWorld, method: &str) -> MessageId {
    let about = AboutRoot {
        canister_id: world.root.0,
    };
    let argument = Encode!(&about).expect("it encodes");
    let platform = Principal::management_canister();
    let sent = world.submit(world.operator, platform, method, argument);
    sent.expect("it is taken in")
}

fn is_over(world: &mut FleetWorld, message: MessageId) -> bool {
    matches!(world.message_status(&message), IngressStatus::Replied(_))
}

/// Seconds until root is stopped.
fn stop(world: &mut FleetWorld) -> u64 {
    let message = manage(world, "stop_canister");
    for second in 0..=STOPS_WITHIN {
        if is_over(world, message) {
            return second;
        }
        world.pass(1, SECOND);
    }
    panic!("root does not stop within {STOPS_WITHIN} s");
}

fn begin_again(world: &mut FleetWorld) {
    let message = manage(world, "start_canister");
    world.pass(3, SECOND);
    assert!(is_over(world, message), "root starts");
}

fn count(world: &mut FleetWorld, phase: Phase) -> usize {
    let rows = world.rows().expect("root answers").into_iter();
    rows.filter(|row| row.phase == phase).count()
}

/// A hundred workers at work.
fn many() -> (FleetWorld, FleetSpec) {
    let root_wasm = wasm::load("hatchery_root");
    let mut world = FleetWorld::start(1, Some(wasm::cache()), &root_wasm).expect("root installs");
    let polite = wat::parse_str(POLITE).expect("it is a module");
    let module = world.upload_module(&polite).expect("the module is good");
    let mut spec = read_fleet(FLEET_TOML, module).expect("the demo's fleet is one");
    spec.roles = vec![RoleSpec {
        drain: DrainSpec {
            method: Some("leave".to_owned()),
            deadline: Nanos::from_secs(600),
        },
        health: Some(HealthSpec {
            method: "health".to_owned(),
            grace: Nanos::from_secs(300),
        }),
        pulls: vec![PullSpec {
            signal: "load".to_owned(),
            method: "load".to_owned(),
            field: None,
            multiply: 1,
            every: Nanos::from_secs(10),
        }],
        ..RoleSpec::new("polite", module)
    }];
    let mut pool = PoolSpec::new("workers", "polite", MEMBERS, MEMBERS + 20);
    pool.valid_for = Nanos::from_secs(5);
    pool.signals = vec![SignalSpec {
        source: Source::Pulled,
        ..SignalSpec::new("load", 5)
    }];
    spec.pools = vec![pool];
    spec.warm_pool.minimum = 5;
    world.apply(&spec).expect("the spec is good");
    for _ in 0..40 {
        world.pass(10, SECOND);
        if count(&mut world, Phase::InService) >= MEMBERS as usize {
            return (world, spec);
        }
    }
    panic!("the fleet does not settle: {:#?}", world.status());
}

#[test]
fn l24_a_hundred_workers_that_never_answer_do_not_keep_root_from_stopping() {
    let (mut world, mut spec) = many();
    for method in ["load", "health", "leave"] {
        let mute = Rule::new(Verdict::DelayAnswer { rounds: 100_000 })
            .caller(world.root.0)
            .method(method);
        world.engine.faults().add(mute);
    }
    // All three are asked: for loads, of new workers, of those that leave.
    (spec.pools[0].min, spec.pools[0].initial) = (MEMBERS + 4, MEMBERS + 4);
    world.apply(&spec).expect("the spec is good");
    let rows = world.rows().expect("root answers");
    let at_work = rows.iter().filter(|row| row.phase == Phase::InService);
    for row in at_work.take(10) {
        let canister = row.canister;
        let operation = OperationId(format!("away {canister}"));
        let command = Command::Recycle { canister };
        let taken = world.command(&CommandRequest { operation, command });
        taken.expect("it leaves");
    }
    let mut most = 0;
    let mut asked = std::collections::BTreeSet::new();
    for _ in 0..60 {
        world.pass(1, SECOND);
        let effects = world.effects().expect("root answers");
        most = most.max(effects.len());
        asked.extend(effects.into_iter().map(|effect| effect.kind));
    }
    for kind in ["pull", "check", "drain"] {
        assert!(asked.contains(kind), "{kind} of {asked:?}");
    }
    assert!(most <= 100, "{most} calls at once");
    stop(&mut world);
    world.engine.faults().clear();
    begin_again(&mut world);
    world.pass(60, SECOND);
    assert!(count(&mut world, Phase::InService) + 10 >= MEMBERS as usize);
}

#[test]
fn l26_a_root_that_stops_starts_nothing_and_finishes_what_is_open() {
    let (mut world, mut spec) = start();
    settle(&mut world, &spec);
    spec.warm_pool.minimum += 5;
    spec.warm_pool.maximum += 5;
    world.apply(&spec).expect("the spec is good");
    let root = world.root.0;
    // Answers wait, so that root is stopping for a while.
    let slow = Rule::new(Verdict::DelayAnswer { rounds: 10 }).caller(root);
    world.engine.faults().add(slow);
    world.pass(3, SECOND);
    let open = world.effects().expect("root answers").len();
    assert!(open > 0, "root is at work");
    let message = manage(&mut world, "stop_canister");
    world.pass(1, SECOND);
    world.engine.trace_keep(1_000_000);
    for _ in 0..STOPS_WITHIN {
        world.pass(1, SECOND);
    }
    assert!(is_over(&mut world, message), "root is stopped");
    let begun = world
        .engine
        .trace()
        .filter(|it| matches!(&it.event, Event::Sent { from, .. } if *from == root));
    assert_eq!(begun.count(), 0, "a stopping root starts nothing");
    world.engine.trace_off();
    world.engine.faults().clear();
    begin_again(&mut world);
    settle(&mut world, &spec);
    let status = world.status().expect("root answers");
    assert_eq!(status.lost_creations, 0);
    let census = world.census(&spec).expect("root answers");
    assert!(
        census.orphans.is_empty() && census.violations.is_empty(),
        "{census:?}"
    );
    assert_eq!(census.created, census.accounted, "nothing was lost");
}

#[test]
fn l18_callbacks_that_trap_leave_the_journal_right() {
    let (mut world, spec) = start();
    for method in ["canister_status", "uninstall_code", "install_chunked_code"] {
        let trap = Rule::new(Verdict::TrapCallback)
            .caller(world.root.0)
            .callee(Principal::management_canister())
            .method(method)
            .at_most(2);
        world.engine.faults().add(trap);
    }
    settle(&mut world, &spec);
    let struck = world.engine.faults().applied().len();
    assert!(struck >= 4, "{struck} callbacks trapped");
    let wrong = world.root_violations().expect("root answers");
    assert_eq!(wrong, [""; 0]);
    let census = world.census(&spec).expect("root answers");
    assert!(
        census.orphans.is_empty() && census.violations.is_empty(),
        "{census:?}"
    );
    let rows = world.rows().expect("root answers");
    let ids: std::collections::BTreeSet<CanisterId> = rows.iter().map(|row| row.canister).collect();
    assert_eq!(ids.len(), rows.len());
}
