//! Sizes and budgets at their edges: payloads, texts, memory limits, instructions shared by many.

use candid::Nat;

use crate::backend::Plant;
use crate::case::cases;
use crate::check::{Checked, between, number, refused, refused_with, replied, same, says};
use crate::management::{SettingsArg, about};
use crate::modules::{stable_writer, with_heartbeat};
use crate::program::{call, call_to, program};
use crate::world::{PAGE, World, ask_management, encode_nothing, owner};

cases! {
    "bounds":
    "interface specification, Request: Call; ingress of at most 2 MiB" => ingress_holds_two_mebibytes(Plant::Answer);
    "interface specification, Responding; 3 MiB in non-replicated execution" => query_reply_holds_three_mebibytes(Plant::AnswerBefore(1));
    "interface specification, Reject codes; reject texts are cut" => reject_text_is_cut_at_eight_kibibytes(Plant::Answer);
    "interface specification, Wasm memory limit" => memory_limit_leaves_callbacks_and_queries_alone(Plant::Answer);
    "interface specification, Wasm memory limit" => memory_limit_binds_tasks(Plant::Answer);
    "replica limits of October 2025: 2 GiB of stable memory written by a message" => message_writes_two_gibibytes_of_stable_memory_at_most(Plant::AnswerBefore(1));
    "interface specification, Composite queries; instructions are shared" => composite_queries_share_their_instructions(Plant::Answer);
    "measured on PocketIC 10: it starts on 6 May 2021" => clock_starts_in_may_2021(Plant::Answer);
}

fn ingress_holds_two_mebibytes(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let long = |bytes: usize| program().bytes(vec![7; bytes]).size().reply();
    let beyond = match w.try_submit(id, &long((2 << 20) + 1_000))? {
        Ok(message) => w.wait(&message)?,
        Err(reject) => Err(reject),
    };
    same(beyond.is_err(), true)?;
    let within = (2 << 20) - 1_000;
    same(number(w.run(id, &long(within))?)?, within as u64)
}

fn query_reply_holds_three_mebibytes(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let long = |bytes: u64| program().number(bytes).number(7).fill().reply();
    let reply = replied(w.ask(id, &long(3 << 20))?)?;
    same(reply.len(), 3 << 20)?;
    refused(w.ask(id, &long((3 << 20) + 1))?, 5, 504)?;
    says(w.ask(id, &program().say("alive"))?, "alive")
}

fn reject_text_is_cut_at_eight_kibibytes(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let rejecting = program()
        .number(20_000)
        .number(u64::from(b'x'))
        .fill()
        .reject();
    let told = call(callee, &rejecting).on_reject(program().reject_text().size().reply());
    let length = number(w.run(caller, &program().call(&told))?)?;
    between(length, 8_000, 8_192)
}

/// A setting that lets the heap have so many pages.
fn heap_of(pages: u64) -> SettingsArg {
    SettingsArg {
        wasm_memory_limit: Some(Nat::from(pages * PAGE)),
        ..SettingsArg::default()
    }
}

fn memory_limit_leaves_callbacks_and_queries_alone(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.set(id, heap_of(20))?;
    let grow = program().number(50).memory_grow().discard();
    refused_with(w.run(id, &grow.clone().say(""))?, 5, &[539])?;
    says(w.ask(id, &grow.clone().say("query"))?, "query")?;
    let calling = ask_management("canister_info", crate::management::info_arg(id, 0))
        .on_reply(grow.say("callback"));
    says(w.run(id, &program().call(&calling))?, "callback")?;
    // The heap is above its limit now: updates are refused, and what gets out of it works on.
    refused_with(w.run(id, &program().say(""))?, 5, &[539])?;
    w.set(id, heap_of(100))?;
    says(w.run(id, &program().say("again"))?, "again")
}

fn memory_limit_binds_tasks(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister_of(with_heartbeat())?;
    w.set(id, heap_of(20))?;
    let grow = program().number(50).memory_grow().discard().bump(0, 1);
    w.act(
        id,
        &program().on_timer(&grow).on_heartbeat(&grow).timer_in(1),
    )?;
    w.ticks(3)?;
    same(w.counter(id, 0)?, 0)?;
    w.set(id, heap_of(10_000))?;
    w.ticks(3)?;
    same(w.counter(id, 0)? >= 3, true)?;
    says(w.ask(id, &program().read(1).reply())?, 0u64.to_le_bytes())
}

fn message_writes_two_gibibytes_of_stable_memory_at_most(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister_of(stable_writer())?;
    let run =
        |w: &mut World<'_>, method: &str| w.backend.update(owner(), id, method, encode_nothing());
    says(run(w, "some")?, "")?;
    refused_with(run(w, "over")?, 5, &[524])?;
    says(run(w, "some")?, "")
}

fn composite_queries_share_their_instructions(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    // 53 M a turn, 5 B for all.
    let both = |turns: u64| {
        let inner = program().use_up(turns).say("end");
        let passing = call_to(callee, "compose", inner.encoded()).on_reply(program().say("end"));
        program().use_up(turns).call(&passing)
    };
    let answer = w.compose(caller, &both(60))?;
    same(answer == Ok(b"end".to_vec()), false)?;
    says(w.compose(caller, &both(30))?, "end")
}

fn clock_starts_in_may_2021(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let start = 1_620_328_630_000_000_000;
    // A few rounds have passed, a nanosecond each.
    between(w.now()?, start, start + 1_000)?;
    between(
        number(w.ask(id, &program().time().reply())?)?,
        start,
        start + 1_000,
    )?;
    replied(w.manage("canister_status", about(id))?)?;
    between(
        number(w.run(id, &program().time().reply())?)?,
        start,
        start + 1_000,
    )
}
