//! What one canister's work does to others: a busy target, a full round, a late delete.

use super::fleet::manager;
use crate::backend::Plant;
use crate::case::cases;
use crate::check::{Checked, between, refused_with, replied, reply_seen, same, saw_reject, says};
use crate::management::{Running, SettingsArg, about};
use crate::program::{call, manage, program};
use crate::world::{T, World, after_calls};

cases! {
    "crowd":
    "head of line, measured on PocketIC 10: a target in a long message" => busy_target_holds_back_its_callers_queue(Plant::RoundBefore(2));
    "deterministic time slicing; 2 B a round" => long_message_takes_its_rounds(Plant::Round);
    "work of a round, measured on PocketIC 10: 2 M a message, 5 B a round" => round_handles_2500_small_messages(Plant::AnswerBefore(1));
    "interface specification, IC management canister; order of requests" => pipelined_delete_is_too_early(Plant::Field("status"));
    "interface specification, stop_canister; open calls" => endless_call_outlives_the_stop(Plant::Field("status"));
    "locked cycles, measured on PocketIC 10: 21 T for 500 calls" => twenty_one_trillion_carry_500_calls(Plant::Answer);
}

fn busy_target_holds_back_its_callers_queue(w: &mut World<'_>) -> Checked<()> {
    let (held_manager, free_manager) = (manager(w)?, manager(w)?);
    let busy = w.child_of(held_manager)?;
    let idle = w.empty_child_of(held_manager)?;
    // 10 B instructions: five rounds.
    let long = w.submit(busy, &program().use_up(190).say("long"))?;
    w.tick()?;
    let body = program()
        .call(&manage("canister_status", about(busy)).answered(&program()))
        .call(&manage("canister_status", about(idle)).on_reply(program().say("status")));
    let held = w.submit(held_manager, &body)?;
    let free = w.submit(
        free_manager,
        &after_calls(free_manager, 1, &program().say("free")),
    )?;
    let (rounds, answer) = w.rounds_of(&free)?;
    says(answer, "free")?;
    same(rounds, 3)?;
    w.still_open(&held)?;
    let (more, answer) = w.rounds_of(&held)?;
    says(answer, "status")?;
    // Beside the three it takes anyway, as long as the target is busy.
    between(more, 2, 5)?;
    says(w.answered(&long)?, "long")
}

fn long_message_takes_its_rounds(w: &mut World<'_>) -> Checked<()> {
    let id = manager(w)?;
    // The second message waits until the first has had its five slices.
    let long = w.submit(id, &program().use_up(190).say("long"))?;
    w.tick()?;
    let (rounds, answer) = w.rounds(id, &program().say("next"))?;
    says(answer, "next")?;
    says(w.answered(&long)?, "long")?;
    between(rounds, 4, 6)
}

fn round_handles_2500_small_messages(w: &mut World<'_>) -> Checked<()> {
    let callee = w.canister()?;
    let one = call(callee, &program().bump(0, 1).say("")).answered(&program());
    let body = program().times(500, &program().call(&one)).say("sent");
    let callers = (0..6).map(|_| manager(w)).collect::<Checked<Vec<_>>>()?;
    let mut messages = Vec::new();
    for caller in &callers {
        messages.push(w.submit(*caller, &body)?);
    }
    w.tick()?;
    let handled = w.counter(callee, 0)?;
    between(handled, 1_400, 2_500)?;
    for message in &messages {
        replied(w.wait(message)?)?;
    }
    w.ticks(2)?;
    same(w.counter(callee, 0)?, 3_000)?;
    says(w.run(callee, &program().say("alive"))?, "alive")
}

fn pipelined_delete_is_too_early(w: &mut World<'_>) -> Checked<()> {
    let parent = manager(w)?;
    let child = w.child_of(parent)?;
    let body = program()
        .call(&manage("stop_canister", about(child)).answered(&program()))
        .call(&manage("delete_canister", about(child)));
    saw_reject(w.run(parent, &body)?, 5)?;
    w.tick()?;
    same(w.status(child)?.status, Some(Running::stopped))?;
    // Awaited, it goes.
    reply_seen(w.run(
        parent,
        &program().call(&manage("delete_canister", about(child))),
    )?)?;
    refused_with(w.manage("canister_status", about(child))?, 3, &[301])
}

fn endless_call_outlives_the_stop(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    // A call of itself that never ends: each answer asks again.
    let again = program().kept(1).exec();
    let asking = manage("canister_status", about(id)).answered(&again);
    let own = SettingsArg {
        controllers: Some(vec![crate::world::owner(), id]),
        ..SettingsArg::default()
    };
    w.set(id, own)?;
    w.add_cycles(id, 10_000 * T)?;
    let keeping = program().keep(1, program().call(&asking).encoded());
    w.act(id, &keeping)?;
    w.act(id, &program().kept(1).exec())?;
    let stop = w.submit_manage("stop_canister", about(id))?;
    w.ticks(5)?;
    w.still_open(&stop)?;
    w.pass(310)?;
    w.ticks(2)?;
    refused_with(w.answered(&stop)?, 2, &[206])?;
    same(w.status(id)?.status, Some(Running::stopping))
}

fn twenty_one_trillion_carry_500_calls(w: &mut World<'_>) -> Checked<()> {
    same(super::fleet::calls_carried(w, 21 * T + T / 10)?, 500)?;
    same(super::fleet::calls_carried(w, 21 * T - T / 10)? < 500, true)
}
