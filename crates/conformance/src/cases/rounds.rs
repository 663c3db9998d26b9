//! How many rounds a caller waits, and what happens within one.

use candid::Nat;
use serde_bytes::ByteBuf;

use crate::backend::Plant;
use crate::case::cases;
use crate::check::{Checked, Seen, number, number_of, replied, same, saw_reject, seen};
use crate::management::{
    CreateArg, InstallMode, LoadSnapshotArg, Running, SettingsArg, Status, TakeSnapshotArg,
    Variable, about, decode, encode, have, info_arg, install_arg, settings_arg,
};
use crate::modules::universal;
use crate::program::{Call, Program, call, manage, program};
use crate::world::{SECOND, T, World, after_calls, ask_management, encode_nothing, relay};

cases! {
    "rounds":
    "interface specification, Asynchronous calls; rounds as measured on PocketIC 10" => update_takes_one(Plant::Round);
    "rounds as measured on PocketIC 10" => call_to_a_canister_takes_none(Plant::Round);
    "rounds as measured on PocketIC 10" => nested_calls_take_none(Plant::Round);
    "rounds as measured on PocketIC 10" => self_call_takes_none(Plant::Round);
    "rounds as measured on PocketIC 10" => twenty_calls_in_turn_take_none(Plant::Round);
    "rounds as measured on PocketIC 10" => management_call_takes_two_more(Plant::Round);
    "rounds as measured on PocketIC 10" => each_further_management_call_takes_two(Plant::Round);
    "rounds as measured on PocketIC 10" => parallel_management_calls_take_two(Plant::Round);
    "rounds as measured on PocketIC 10" => creation_takes_two_more(Plant::Round);
    "rounds as measured on PocketIC 10" => settings_take_two_more(Plant::Round);
    "rounds as measured on PocketIC 10" => deposit_takes_two_more(Plant::Round);
    "rounds as measured on PocketIC 10" => install_takes_two_more(Plant::Round);
    "rounds as measured on PocketIC 10" => uninstall_takes_two_more(Plant::Round);
    "rounds as measured on PocketIC 10" => start_and_stop_take_two_more(Plant::Round);
    "rounds as measured on PocketIC 10" => deletion_takes_two_more(Plant::Round);
    "rounds as measured on PocketIC 10" => snapshots_take_two_more(Plant::Round);
    "rounds as measured on PocketIC 10" => randomness_takes_two_more(Plant::Round);
    "rounds as measured on PocketIC 10" => refused_management_call_takes_two_more(Plant::Round);
    "rounds as measured on PocketIC 10" => ingress_stop_of_an_idle_canister_takes_one(Plant::Round);
    "rounds as measured on PocketIC 10" => ingress_status_takes_one(Plant::Round);
    "interface specification, IC management canister; order of requests" => pipeline_of_three_takes_two_more(Plant::Round);
    "interface specification, IC management canister; order of requests" => pipeline_of_five_takes_two_more(Plant::Round);
    "interface specification, IC management canister; order of requests" => pipelined_install_sees_the_new_variables(Plant::Answer);
    "interface specification, start_canister" => pipelined_start_cancels_the_stop(Plant::Answer);
    "interface specification, Time" => time_moves_a_nanosecond_a_round(Plant::Answer);
    "interface specification, Time" => time_stands_still_in_a_round(Plant::Answer);
    "interface specification, Time" => time_is_what_it_is_set_to(Plant::Answer);
    "interface specification, raw_rand" => randomness_differs_and_has_32_bytes(Plant::Answer);
}

/// The rounds of a program that makes one management call.
#[track_caller]
fn takes(
    w: &mut World<'_>,
    id: ic_principal::Principal,
    calling: &Call,
    wanted: u64,
) -> Checked<()> {
    let (rounds, answer) = w.rounds(id, &program().call(calling))?;
    match seen(answer)? {
        Seen::Reply(_) => same(rounds, wanted),
        found @ Seen::Reject(_) => same(found, Seen::Reply(Vec::new())),
    }
}

fn update_takes_one(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let (rounds, _) = w.rounds(id, &program().say(""))?;
    same(rounds, 1)
}

fn call_to_a_canister_takes_none(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    takes(w, caller, &call(callee, &program().say("")), 1)
}

fn nested_calls_take_none(w: &mut World<'_>) -> Checked<()> {
    let (a, b, c) = (w.canister()?, w.canister()?, w.canister()?);
    takes(w, a, &call(b, &relay(c, &program().say(""))), 1)
}

fn self_call_takes_none(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    takes(w, id, &call(id, &program().say("")), 1)
}

fn twenty_calls_in_turn_take_none(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = (0..20).fold(program().say("end"), |next, _| {
        program().call(&call(callee, &program().say("")).on_reply(next))
    });
    let (rounds, answer) = w.rounds(caller, &body)?;
    same(replied(answer)?, b"end".to_vec())?;
    same(rounds, 1)
}

fn management_call_takes_two_more(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    takes(w, id, &manage("canister_info", info_arg(id, 0)), 3)
}

fn each_further_management_call_takes_two(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    for calls in [2, 3, 5, 10] {
        let (rounds, _) = w.rounds(id, &after_calls(id, calls, &program().say("")))?;
        same(rounds, 1 + 2 * calls)?;
    }
    Ok(())
}

fn parallel_management_calls_take_two(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let done = program()
        .bump(0, 1)
        .read(0)
        .number(50)
        .equal()
        .code(&program().say("all"))
        .when();
    let calling = manage("canister_info", info_arg(id, 0)).answered(&done);
    let (rounds, answer) = w.rounds(id, &program().times(50, &program().call(&calling)))?;
    same(replied(answer)?, b"all".to_vec())?;
    same(rounds, 3)
}

fn creation_takes_two_more(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let arg = encode(&CreateArg {
        settings: None,
        sender_canister_version: None,
    });
    takes(w, id, &manage("create_canister", arg).cycles(T), 3)
}

fn settings_take_two_more(w: &mut World<'_>) -> Checked<()> {
    let parent = w.canister()?;
    let child = w.child_of(parent)?;
    let settings = SettingsArg {
        freezing_threshold: Some(Nat::from(1_000u32)),
        ..SettingsArg::default()
    };
    takes(
        w,
        parent,
        &manage("update_settings", settings_arg(child, settings)),
        3,
    )
}

fn deposit_takes_two_more(w: &mut World<'_>) -> Checked<()> {
    let (giver, taker) = (w.canister()?, w.canister()?);
    takes(
        w,
        giver,
        &manage("deposit_cycles", about(taker)).cycles(T),
        3,
    )
}

fn install_takes_two_more(w: &mut World<'_>) -> Checked<()> {
    let parent = w.canister()?;
    let child = w.empty_child_of(parent)?;
    let arg = install_arg(child, InstallMode::install, universal(), &[]);
    takes(w, parent, &manage("install_code", arg), 3)
}

fn uninstall_takes_two_more(w: &mut World<'_>) -> Checked<()> {
    let parent = w.canister()?;
    let child = w.child_of(parent)?;
    takes(w, parent, &manage("uninstall_code", about(child)), 3)
}

fn start_and_stop_take_two_more(w: &mut World<'_>) -> Checked<()> {
    let parent = w.canister()?;
    let child = w.child_of(parent)?;
    takes(w, parent, &manage("stop_canister", about(child)), 3)?;
    takes(w, parent, &manage("start_canister", about(child)), 3)
}

fn deletion_takes_two_more(w: &mut World<'_>) -> Checked<()> {
    let parent = w.canister()?;
    let child = w.child_of(parent)?;
    w.stop(child)?;
    takes(w, parent, &manage("delete_canister", about(child)), 3)
}

fn snapshots_take_two_more(w: &mut World<'_>) -> Checked<()> {
    let parent = w.canister()?;
    let child = w.child_of(parent)?;
    let arg = encode(&TakeSnapshotArg {
        canister_id: child,
        replace_snapshot: None,
    });
    takes(w, parent, &manage("take_canister_snapshot", arg), 3)?;
    let snapshot = have(w.snapshot(child)?.id)?;
    let arg = encode(&LoadSnapshotArg {
        canister_id: child,
        snapshot_id: snapshot,
        sender_canister_version: None,
    });
    takes(w, parent, &manage("load_canister_snapshot", arg), 3)
}

fn randomness_takes_two_more(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    takes(w, id, &manage("raw_rand", encode_nothing()), 3)
}

fn refused_management_call_takes_two_more(w: &mut World<'_>) -> Checked<()> {
    let (id, other) = (w.canister()?, w.canister()?);
    let (rounds, answer) = w.rounds(id, &program().call(&manage("stop_canister", about(other))))?;
    saw_reject(answer, 5)?;
    same(rounds, 3)
}

fn ingress_stop_of_an_idle_canister_takes_one(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let message = w.submit_manage("stop_canister", about(id))?;
    let (rounds, answer) = w.rounds_of(&message)?;
    replied(answer)?;
    same(rounds, 1)
}

fn ingress_status_takes_one(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let message = w.submit_manage("canister_status", about(id))?;
    let (rounds, answer) = w.rounds_of(&message)?;
    replied(answer)?;
    same(rounds, 1)
}

/// Calls sent in one message, of which the last one answers.
fn pipeline(calls: Vec<Call>, last: &Call) -> Program {
    calls
        .into_iter()
        .fold(program(), |body, step| {
            body.call(&step.answered(&program()))
        })
        .call(last)
}

fn pipeline_of_three_takes_two_more(w: &mut World<'_>) -> Checked<()> {
    let parent = w.canister()?;
    let child = w.child_of(parent)?;
    let only = SettingsArg {
        controllers: Some(vec![parent]),
        ..SettingsArg::default()
    };
    let body = pipeline(
        vec![
            manage("update_settings", settings_arg(child, only)),
            manage("uninstall_code", about(child)),
        ],
        &ask_management("canister_status", about(child)),
    );
    let (rounds, answer) = w.rounds(parent, &body)?;
    let status: Status = decode(&replied(answer)?)?;
    same(status.module_hash, None)?;
    same(have(status.settings)?.controllers, Some(vec![parent]))?;
    same(rounds, 3)
}

fn variable(name: &str, value: &str) -> SettingsArg {
    SettingsArg {
        environment_variables: Some(vec![Variable {
            name: name.into(),
            value: value.into(),
        }]),
        ..SettingsArg::default()
    }
}

fn pipeline_of_five_takes_two_more(w: &mut World<'_>) -> Checked<()> {
    let parent = w.canister()?;
    let child = w.child_of(parent)?;
    let body = pipeline(
        vec![
            manage("update_settings", settings_arg(child, variable("A", "1"))),
            manage("uninstall_code", about(child)),
            manage("canister_status", about(child)),
            manage("update_settings", settings_arg(child, variable("A", "2"))),
            manage(
                "install_code",
                install_arg(child, InstallMode::install, universal(), &[]),
            ),
        ],
        &ask_management("canister_status", about(child)),
    );
    let (rounds, answer) = w.rounds(parent, &body)?;
    let status: Status = decode(&replied(answer)?)?;
    same(status.status, Some(Running::running))?;
    same(
        status.module_hash,
        Some(ByteBuf::from(crate::management::sha256(universal()))),
    )?;
    same(rounds, 3)
}

fn pipelined_install_sees_the_new_variables(w: &mut World<'_>) -> Checked<()> {
    let parent = w.canister()?;
    let child = w.empty_child_of(parent)?;
    let init = program().number(1).bytes("A").env_value().cell_set();
    let body = pipeline(
        vec![manage(
            "update_settings",
            settings_arg(child, variable("A", "one")),
        )],
        &manage(
            "install_code",
            install_arg(child, InstallMode::install, universal(), &init.encoded()),
        ),
    );
    seen(w.run(parent, &body)?)?;
    crate::check::says(w.ask(child, &program().kept(1).reply())?, "one")
}

fn pipelined_start_cancels_the_stop(w: &mut World<'_>) -> Checked<()> {
    let parent = w.canister()?;
    let child = w.child_of(parent)?;
    // The stop answers only at the end of the round; the start behind it comes first.
    let body = program()
        .call(&manage("stop_canister", about(child)))
        .call(&manage("start_canister", about(child)).answered(&program()));
    saw_reject(w.run(parent, &body)?, 5)
}

fn time_moves_a_nanosecond_a_round(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let first = number(w.run(id, &program().time().reply())?)?;
    let second = number(w.run(id, &program().time().reply())?)?;
    same(second, first + 1)
}

fn time_stands_still_in_a_round(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    // Both sides, and the callback, see the same time.
    let body = program().number(1).time().cell_set().call(
        &call(callee, &program().time().reply())
            .on_reply(program().arg().kept(1).concat().time().concat().reply()),
    );
    let times = replied(w.run(caller, &body)?)?;
    same(times.len(), 24)?;
    same(number_of(&times[..8])?, number_of(&times[8..16])?)?;
    same(number_of(&times[16..])?, number_of(&times[8..16])?)
}

fn time_is_what_it_is_set_to(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let before = w.now()?;
    w.pass(1_000)?;
    same(
        number(w.run(id, &program().time().reply())?)?,
        before + 1_000 * SECOND,
    )
}

fn randomness_differs_and_has_32_bytes(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let asking = program().call(&ask_management("raw_rand", encode_nothing()));
    let first: ByteBuf = decode(&replied(w.run(id, &asking)?)?)?;
    same(first.len(), 32)?;
    // The last sixteen bytes of two draws are compared by the canister itself.
    let offset = encode(&first).len() as u64 - 16;
    let tail = |body: Program| body.arg().number(offset).number(8).slice();
    let compare = tail(program()).kept(1).equal().reply();
    let again = manage("raw_rand", encode_nothing()).on_reply(compare);
    let keep = tail(program().number(1)).cell_set().call(&again);
    let body = program().call(&manage("raw_rand", encode_nothing()).on_reply(keep));
    same(number(w.run(id, &body)?)?, 0)
}
