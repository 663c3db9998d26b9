//! A message commits whole or not at all.

use crate::backend::Plant;
use crate::case::cases;
use crate::check::{Checked, contains, number, refused, replied, same, saw_reject, says};
use crate::program::{call, program, tell_reject};
use crate::world::{SECOND, T, World, relay};

cases! {
    "atomicity":
    "interface specification, Message execution" => reply_commits_the_heap(Plant::Answer);
    "interface specification, Trapping" => trap_discards_the_heap(Plant::Answer);
    "interface specification, Trapping" => trap_discards_globals(Plant::Answer);
    "interface specification, Trapping" => trap_discards_stable_memory(Plant::Answer);
    "interface specification, Trapping" => trap_discards_memory_growth(Plant::Answer);
    "interface specification, Trapping" => trap_discards_the_timer(Plant::Answer);
    "interface specification, Trapping" => trap_discards_calls(Plant::Answer);
    "interface specification, Trapping" => trap_discards_the_reply(Plant::Answer);
    "interface specification, Trapping" => trap_discards_accepted_cycles(Plant::Balance);
    "interface specification, Certified data" => trap_discards_certified_data(Plant::Bytes("certified-first"));
    "interface specification, Trapping" => canister_works_on_after_a_trap(Plant::Answer);
    "interface specification, Message execution" => await_is_a_commit_point(Plant::Answer);
    "interface specification, Message execution" => reject_commits_state(Plant::Answer);
    "interface specification, Messaging guarantees" => missing_reply_commits_state(Plant::Answer);
    "interface specification, Trapping" => out_of_instructions_discards_state(Plant::Answer);
    "interface specification, Trapping" => forbidden_call_discards_state(Plant::Answer);
    "interface specification, Cycles" => trap_pays_for_its_instructions(Plant::Balance);
}

fn reply_commits_the_heap(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    says(w.run(id, &program().bump(0, 7).say("ok"))?, "ok")?;
    same(w.counter(id, 0)?, 7)
}

fn trap_discards_the_heap(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().bump(0, 7))?;
    refused(w.run(id, &program().bump(0, 5).fail())?, 5, 503)?;
    same(w.counter(id, 0)?, 7)
}

fn trap_discards_globals(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().number(41).global_set())?;
    refused(
        w.run(id, &program().number(42).global_set().fail())?,
        5,
        503,
    )?;
    same(number(w.ask(id, &program().global_get().reply())?)?, 41)
}

fn trap_discards_stable_memory(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().number(1).stable_grow().store(100, "before"))?;
    let dirty = program()
        .number(3)
        .stable_grow()
        .store(100, "after!")
        .fail();
    refused(w.run(id, &dirty)?, 5, 503)?;
    same(number(w.ask(id, &program().stable_size().reply())?)?, 1)?;
    says(w.ask(id, &program().load(100, 6).reply())?, "before")
}

fn trap_discards_memory_growth(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let before = number(w.ask(id, &program().memory_size().reply())?)?;
    refused(
        w.run(id, &program().number(5).memory_grow().fail())?,
        5,
        503,
    )?;
    same(
        number(w.ask(id, &program().memory_size().reply())?)?,
        before,
    )
}

fn trap_discards_the_timer(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let now = w.now()?;
    w.act(id, &program().timer_at(now + 1_000 * SECOND))?;
    refused(
        w.run(id, &program().timer_at(now + 5 * SECOND).fail())?,
        5,
        503,
    )?;
    let previous = program().number(0).timer_set().reply();
    same(number(w.run(id, &previous)?)?, now + 1_000 * SECOND)
}

fn trap_discards_calls(w: &mut World<'_>) -> Checked<()> {
    let caller = w.canister()?;
    let callee = w.canister()?;
    let calling = program()
        .call(&call(callee, &program().bump(0, 1).say("")))
        .fail();
    refused(w.run(caller, &calling)?, 5, 503)?;
    w.ticks(3)?;
    same(w.counter(callee, 0)?, 0)
}

fn trap_discards_the_reply(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.run(id, &program().say("said").fail())?, 5, 503)
}

fn trap_discards_accepted_cycles(w: &mut World<'_>) -> Checked<()> {
    let caller = w.canister()?;
    let callee = w.canister()?;
    let before = w.cycles(callee)?;
    let taking = program().amount(T).accept().fail();
    let answer = w.run(
        caller,
        &program().call(&call(callee, &taking).cycles(2 * T)),
    )?;
    saw_reject(answer, 5)?;
    // Nothing came in, and a trapping message costs far less than a billion.
    let after = w.cycles(callee)?;
    let paid = before.wrapping_sub(after);
    let again = w.run(
        caller,
        &program().call(&call(callee, &taking).cycles(2 * T)),
    )?;
    saw_reject(again, 5)?;
    same(after.wrapping_sub(w.cycles(callee)?), paid)
}

fn trap_discards_certified_data(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().bytes("certified-first").certify())?;
    let second = program().bytes("certified-second").certify().fail();
    refused(w.run(id, &second)?, 5, 503)?;
    w.tick()?;
    let certificate = replied(w.ask(id, &program().certificate().reply())?)?;
    same(contains(&certificate, b"certified-first"), true)?;
    same(contains(&certificate, b"certified-second"), false)?;
    says(w.ask(id, &program().say("unchanged"))?, "unchanged")
}

fn canister_works_on_after_a_trap(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    for _ in 0..3 {
        refused(
            w.run(id, &program().number(9).touch().unreachable())?,
            5,
            502,
        )?;
    }
    says(
        w.run(
            id,
            &program().bytes("still ").bytes("here").concat().reply(),
        )?,
        "still here",
    )
}

fn await_is_a_commit_point(w: &mut World<'_>) -> Checked<()> {
    let caller = w.canister()?;
    let callee = w.canister()?;
    let failing = program().bump(1, 1).fail();
    let calling = program()
        .bump(0, 1)
        .call(&call(callee, &program().say("")).answered(&failing));
    refused(w.run(caller, &calling)?, 5, 503)?;
    same(w.counter(caller, 1)?, 0)?;
    same(w.counter(caller, 0)?, 1)
}

fn reject_commits_state(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(
        w.run(id, &program().bump(0, 3).bytes("no").reject())?,
        4,
        406,
    )?;
    same(w.counter(id, 0)?, 3)
}

fn missing_reply_commits_state(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.run(id, &program().bump(0, 3))?, 5, 506)?;
    same(w.counter(id, 0)?, 3)
}

fn out_of_instructions_discards_state(w: &mut World<'_>) -> Checked<()> {
    let caller = w.canister()?;
    let callee = w.canister()?;
    let endless = program().bump(0, 1).exhaust();
    let answer = w.run(caller, &relay(callee, &endless))?;
    saw_reject(answer, 5)?;
    same(w.counter(callee, 0)?, 0)
}

fn forbidden_call_discards_state(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.run(id, &program().bump(0, 1).method_name())?, 5, 504)?;
    same(w.counter(id, 0)?, 0)
}

fn trap_pays_for_its_instructions(w: &mut World<'_>) -> Checked<()> {
    let caller = w.canister()?;
    let callee = w.canister()?;
    let long = program().spin_for(1_000_000).fail();
    let short = program().spin_for(1).fail();
    let mut paid = Vec::new();
    for body in [long, short] {
        let before = w.cycles(callee)?;
        let answer = w.run(
            caller,
            &program().call(&call(callee, &body).on_reject(tell_reject())),
        )?;
        saw_reject(answer, 5)?;
        paid.push(before.wrapping_sub(w.cycles(callee)?));
    }
    // The two differ by the turns alone; the lengths of the programs are equal.
    same(paid[0] > paid[1] + 5_000_000, true)?;
    let before = w.cycles(callee)?;
    let body = program().spin_for(1).fail();
    saw_reject(w.run(caller, &relay(callee, &body))?, 5)?;
    same(before.wrapping_sub(w.cycles(callee)?), paid[1])
}
