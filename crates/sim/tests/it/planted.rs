//! Every checker of the model is seen to fail: each on a state or an answer spoilt by hand.

use hatchery_core::{Command, CommandInput, Decision, Event, Input, Reply, Row, Vitals};
use hatchery_sim::model::{Fault, Swarm, World, canister_id};
use hatchery_types::{CanisterId, Cycles, Effect, OperationId, Phase, Principal, Reason, Refusal};

/// A world without faults, some hundred steps old: everything is in use.
fn world() -> World {
    let in_use = |world: &World| {
        let there = |phase| world.rows().values().any(|row| row.phase == phase);
        there(Phase::Ready) && there(Phase::InService)
    };
    let mut worlds = (5..50).map(old_world);
    worlds.find(in_use).expect("one of so many is in use")
}

fn old_world(seed: u64) -> World {
    let mut world = World::new(seed, Swarm::only(seed, &[] as &[Fault], 0)).expect("no fault");
    for _ in 0..300 {
        world.step().expect("no fault");
    }
    world.converge().expect("no fault");
    world
}

fn tick() -> Input {
    Input::Tick(Vitals {
        liquid: Cycles(Cycles::T),
        stopping: false,
    })
}

fn row_in(world: &World, phase: Phase) -> Row {
    let mut rows = world.rows().values();
    rows.find(|row| row.phase == phase)
        .unwrap_or_else(|| panic!("no row is {phase}"))
        .clone()
}

/// Who complains first when these events are applied.
fn complains(world: &mut World, events: Vec<Event>) -> String {
    let decision = Decision {
        events,
        ..Decision::default()
    };
    world
        .plant(&tick(), &decision)
        .expect_err("nobody complained")
        .checker
}

fn changed(row: Row) -> Event {
    Event::RowChanged(Box::new(row))
}

#[test]
fn a_row_removed_through_a_back_door_is_missed() {
    let mut world = world();
    let row = row_in(&world, Phase::Ready);
    let removed = Event::RowRemoved(row.canister, Reason::Gone);
    assert_eq!(complains(&mut world, vec![removed]), "accounted");
}

#[test]
fn a_second_chain_is_noticed() {
    let mut world = world();
    let row = row_in(&world, Phase::Ready);
    let kind = hatchery_types::EffectKind::Observe;
    let id = hatchery_types::EffectId(1_000_000);
    let effect = Effect {
        id,
        behind: None,
        given_up: false,
        outcomes: vec![None],
        kind,
        canister: Some(row.canister),
        started_at: world.now,
        incarnation: world.state().incarnation(),
    };
    let started = Event::EffectStarted(Box::new(effect));
    assert_eq!(complains(&mut world, vec![started]), "exclusive");
}

#[test]
fn a_hand_out_of_what_is_not_ready_is_noticed() {
    let mut world = world();
    let row = row_in(&world, Phase::InService);
    let again = Row {
        phase: Phase::Installing,
        ..row
    };
    assert_eq!(complains(&mut world, vec![changed(again)]), "hand-out");
}

#[test]
fn a_member_too_many_is_noticed() {
    let mut world = world();
    let member = row_in(&world, Phase::InService);
    let more = (100..120).map(|number| {
        changed(Row {
            canister: canister_id(number),
            effect: None,
            ..member.clone()
        })
    });
    let events = more.collect();
    assert_eq!(complains(&mut world, events), "bounded");
}

#[test]
fn a_ready_canister_that_is_not_empty_is_noticed() {
    let mut world = world();
    let row = row_in(&world, Phase::InService);
    let ready = Row {
        phase: Phase::Ready,
        ..row
    };
    assert_eq!(complains(&mut world, vec![changed(ready)]), "ready");
}

#[test]
fn a_busy_member_stopped_is_noticed() {
    let mut world = world();
    let row = row_in(&world, Phase::InService);
    let draining = Row {
        phase: Phase::Draining,
        since: world.now,
        ..row
    };
    let planned = Event::PoolPlanned {
        pool: draining.pool.clone().expect("a member has a pool"),
        record: None,
        wake: hatchery_types::Nanos::MAX,
    };
    let decision = Decision {
        events: vec![changed(draining.clone()), planned],
        ..Decision::default()
    };
    world
        .plant(&tick(), &decision)
        .expect("a cordon is no fault");
    let stopping = Row {
        phase: Phase::Stopping,
        ..draining
    };
    assert_eq!(complains(&mut world, vec![changed(stopping)]), "drained");
}

#[test]
fn an_answer_without_words_is_noticed() {
    let mut world = world();
    let input = command("planted", vec![canister_id(1), canister_id(2)]);
    let reply = Reply::Command(hatchery_core::Answer::Counted(
        hatchery_core::Counted::default(),
    ));
    let failure = world.plant(
        &input,
        &Decision {
            reply,
            ..Decision::default()
        },
    );
    assert_eq!(
        failure.expect_err("two canisters, no word on them").checker,
        "explained"
    );
}

#[test]
fn another_answer_to_the_same_operation_is_noticed() {
    let mut world = world();
    let input = command("planted", Vec::new());
    world.message(&input).expect("no fault");
    let reply = Reply::Command(hatchery_core::Answer::Counted(hatchery_core::Counted {
        added: 1,
        ..Default::default()
    }));
    let failure = world.plant(
        &input,
        &Decision {
            reply,
            ..Decision::default()
        },
    );
    assert_eq!(
        failure.expect_err("the answer was another").checker,
        "operations"
    );
}

#[test]
fn a_text_without_limit_is_noticed() {
    let mut world = world();
    let row = row_in(&world, Phase::Ready);
    let refusal = Refusal {
        code: 5,
        text: "long ".repeat(1_000),
    };
    let told = Row {
        reason: Reason::Refused(refusal),
        ..row
    };
    assert_eq!(complains(&mut world, vec![changed(told)]), "limited");
}

fn command(operation: &str, ids: Vec<CanisterId>) -> Input {
    Input::Command(CommandInput {
        caller: Principal::from_slice(&[7; 29]),
        operation: OperationId(operation.to_owned()),
        command: Command::ImportQueued(ids),
    })
}
