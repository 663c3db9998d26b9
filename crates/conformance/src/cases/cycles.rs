//! What things cost, what is withheld meanwhile, and what comes back.

use crate::backend::Plant;
use crate::case::cases;
use crate::check::{
    Checked, amount, amount_of, between, replied, reply_seen, same, saw_reject, saw_reply, says,
};
use crate::management::{About, CreateArg, about, decode, encode, have_number};
use crate::modules::assemble;
use crate::program::{call, call_to, manage, program};
use crate::world::{B, T, World, owner, relay};

cases! {
    "cycles":
    "interface specification, create_canister; 500 B on 13 nodes" => creation_costs_500_billion(Plant::Balance);
    "interface specification, create_canister" => creation_with_too_little_is_refused(Plant::Answer);
    "interface specification, ic0.cost_create_canister" => creation_cost_is_told(Plant::Answer);
    "interface specification, msg_cycles_accept128" => accepted_cycles_arrive(Plant::Answer);
    "interface specification, msg_cycles_accept128" => no_more_than_available_is_accepted(Plant::Answer);
    "interface specification, msg_cycles_available128" => available_cycles_fall_as_they_are_accepted(Plant::Answer);
    "interface specification, msg_cycles_available128" => nothing_is_available_after_the_answer(Plant::Answer);
    "interface specification, msg_cycles_refunded128" => rest_is_refunded(Plant::Answer);
    "interface specification, msg_cycles_refunded128" => refund_is_in_the_balance_before_the_callback(Plant::Answer);
    "interface specification, msg_cycles_refunded128" => reject_refunds_everything(Plant::Answer);
    "interface specification, msg_cycles_refunded128" => missing_canister_refunds_everything(Plant::Answer);
    "interface specification, msg_cycles_refunded128" => trapping_callee_refunds_everything(Plant::Answer);
    "interface specification, msg_cycles_accept128" => callback_may_accept(Plant::Answer);
    "interface specification, deposit_cycles" => deposit_arrives_exactly(Plant::Balance);
    "interface specification, deposit_cycles" => anybody_may_deposit_to_anybody(Plant::Balance);
    "interface specification, provisional_top_up_canister" => minted_cycles_arrive_exactly(Plant::Balance);
    "interface specification, call_cycles_add128" => attached_cycles_leave_at_once(Plant::Answer);
    "interface specification, call_cycles_add128" => attaching_more_than_there_is_traps(Plant::Answer);
    "interface specification, cycles_burn128" => burning_burns_exactly(Plant::Answer);
    "interface specification, cycles_burn128" => burning_stops_at_the_liquid_balance(Plant::Answer);
    "interface specification, ic0.cost_call" => cost_of_a_call_is_told(Plant::Answer);
    "interface specification, ic0.cost_call" => call_withholds_what_is_told(Plant::Answer);
    "cycles cost table, request bytes" => request_byte_costs_a_thousand(Plant::Answer);
    "cycles cost table, response bytes" => reply_byte_costs_the_caller_a_thousand(Plant::Balance);
    "cycles cost table, ingress" => ingress_byte_costs_two_thousand(Plant::Balance);
    "cycles cost table, update execution" => message_costs_five_million_and_its_instructions(Plant::Balance);
    "interface specification, canister_status" => balance_is_reported(Plant::Field("cycles"));
}

fn creation(attached: u128) -> crate::program::Program {
    let arg = encode(&CreateArg {
        settings: None,
        sender_canister_version: None,
    });
    program().call(&manage("create_canister", arg).cycles(attached))
}

fn creation_costs_500_billion(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let reply = reply_seen(w.run(id, &creation(3 * T))?)?;
    let child = decode::<About>(&reply)?.canister_id;
    same(w.cycles(child)?, 2_500 * B)
}

fn creation_with_too_little_is_refused(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    saw_reject(w.run(id, &creation(499 * B))?, 4)
}

fn creation_cost_is_told(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    same(
        amount(w.ask(id, &program().cost_create().reply())?)?,
        500 * B,
    )
}

fn accepted_cycles_arrive(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let taking = program()
        .balance()
        .amount(2 * T)
        .accept()
        .discard()
        .balance()
        .concat()
        .reply();
    let reply = reply_seen(w.run(
        caller,
        &program().call(&call(callee, &taking).cycles(2 * T)),
    )?)?;
    same(amount_of(&reply[16..])?, amount_of(&reply[..16])? + 2 * T)
}

fn no_more_than_available_is_accepted(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let taking = program().amount(u128::MAX).accept().reply();
    let body = program().call(&call(callee, &taking).cycles(B));
    saw_reply(w.run(caller, &body)?, B.to_le_bytes())
}

fn available_cycles_fall_as_they_are_accepted(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let taking = program()
        .amount(2 * B)
        .accept()
        .discard()
        .available()
        .reply();
    let body = program().call(&call(callee, &taking).cycles(5 * B));
    saw_reply(w.run(caller, &body)?, (3 * B).to_le_bytes())
}

fn nothing_is_available_after_the_answer(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let late = program().say("").number(1).available().cell_set();
    let body = program().call(&call(callee, &late).cycles(5 * B));
    saw_reply(w.run(caller, &body)?, "")?;
    same(amount(w.ask(callee, &program().kept(1).reply())?)?, 0)
}

fn rest_is_refunded(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let taking = program().amount(B).accept().discard().say("");
    let calling = call(callee, &taking)
        .cycles(3 * B)
        .on_reply(program().refunded().reply());
    same(amount(w.run(caller, &program().call(&calling))?)?, 2 * B)
}

fn refund_is_in_the_balance_before_the_callback(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let calling = call(callee, &program().say(""))
        .cycles(10 * T)
        .on_reply(program().balance().reply());
    let before = w.cycles(caller)?;
    let during = amount(w.run(caller, &program().call(&calling))?)?;
    // What is missing is the prepayment of the callback itself and fees: below 42 billion.
    between(before.wrapping_sub(during), 1_000_000, 42 * B)
}

fn reject_refunds_everything(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let calling = call(callee, &program().bytes("no").reject())
        .cycles(3 * B)
        .on_reject(program().refunded().reply());
    same(amount(w.run(caller, &program().call(&calling))?)?, 3 * B)
}

fn missing_canister_refunds_everything(w: &mut World<'_>) -> Checked<()> {
    let (caller, gone) = (w.canister()?, w.canister()?);
    w.stop(gone)?;
    replied(w.manage("delete_canister", about(gone))?)?;
    let calling = call(gone, &program())
        .cycles(3 * B)
        .on_reject(program().refunded().reply());
    same(amount(w.run(caller, &program().call(&calling))?)?, 3 * B)
}

fn trapping_callee_refunds_everything(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let calling = call(callee, &program().amount(B).accept().fail())
        .cycles(3 * B)
        .on_reject(program().refunded().reply());
    same(amount(w.run(caller, &program().call(&calling))?)?, 3 * B)
}

fn callback_may_accept(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee, other) = (w.canister()?, w.canister()?, w.canister()?);
    let late = program().amount(2 * B).accept().reply();
    let slow = program().call(&call(other, &program().say("")).on_reply(late));
    let calling = call(callee, &slow).cycles(3 * B);
    saw_reply(
        w.run(caller, &program().call(&calling))?,
        (2 * B).to_le_bytes(),
    )
}

fn deposit_arrives_exactly(w: &mut World<'_>) -> Checked<()> {
    let (giver, taker) = (w.canister()?, w.canister()?);
    let before = w.cycles(taker)?;
    let giving = manage("deposit_cycles", about(taker)).cycles(7 * B + 1);
    reply_seen(w.run(giver, &program().call(&giving))?)?;
    same(w.cycles(taker)?, before + 7 * B + 1)
}

fn anybody_may_deposit_to_anybody(w: &mut World<'_>) -> Checked<()> {
    let (giver, taker) = (w.canister()?, w.empty(T)?);
    w.stop(taker)?;
    let before = w.cycles(taker)?;
    let giving = manage("deposit_cycles", about(taker)).cycles(B);
    reply_seen(w.run(giver, &program().call(&giving))?)?;
    same(w.cycles(taker)?, before + B)
}

fn minted_cycles_arrive_exactly(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(3 * T + 7)?;
    same(w.cycles(id)?, 3 * T + 7)?;
    w.add_cycles(id, 5)?;
    same(w.cycles(id)?, 3 * T + 12)
}

fn attached_cycles_leave_at_once(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program()
        .bytes(callee)
        .bytes("run")
        .code(&program())
        .code(&program())
        .call_new()
        .balance()
        .amount(4 * T)
        .call_cycles()
        .balance()
        .concat()
        .reply();
    let balances = replied(w.run(caller, &body)?)?;
    same(
        amount_of(&balances[..16])?.wrapping_sub(amount_of(&balances[16..])?),
        4 * T,
    )
}

fn attaching_more_than_there_is_traps(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program()
        .bump(0, 1)
        .bytes(callee)
        .bytes("run")
        .code(&program())
        .code(&program())
        .call_new()
        .amount(1_000 * T)
        .call_cycles()
        .say("");
    let answer = w.run(caller, &body)?;
    same(answer.is_err(), true)?;
    same(w.counter(caller, 0)?, 0)
}

fn burning_burns_exactly(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let body = program()
        .balance()
        .amount(2 * T)
        .burn()
        .concat()
        .balance()
        .concat()
        .reply();
    let found = replied(w.run(id, &body)?)?;
    same(amount_of(&found[16..32])?, 2 * T)?;
    same(
        amount_of(&found[..16])?.wrapping_sub(amount_of(&found[32..])?),
        2 * T,
    )
}

fn burning_stops_at_the_liquid_balance(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let body = program()
        .liquid()
        .amount(u128::MAX)
        .burn()
        .concat()
        .liquid()
        .concat()
        .reply();
    let found = replied(w.run(id, &body)?)?;
    same(amount_of(&found[..16])?, amount_of(&found[16..32])?)?;
    same(amount_of(&found[32..])?, 0)
}

/// What a call with so many bytes of name and argument withholds, on 13 nodes.
fn withheld(bytes: u128) -> u128 {
    260_000 + 1_000 * bytes + 1_000 * 2 * 1_024 * 1_024 + 5_000_000 + 40 * B
}

fn cost_of_a_call_is_told(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let cost = |name: u64, bytes: u64| program().number(name).number(bytes).cost_call().reply();
    same(amount(w.ask(id, &cost(0, 0))?)?, withheld(0))?;
    same(amount(w.ask(id, &cost(10, 1_000))?)?, withheld(1_010))
}

fn call_withholds_what_is_told(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let calling = call_to(callee, "run", [0; 100])
        .cycles(B)
        .answered(&program());
    let body = program()
        .balance()
        .call(&calling)
        .balance()
        .concat()
        .reply();
    let balances = replied(w.run(caller, &body)?)?;
    let gone = amount_of(&balances[..16])?.wrapping_sub(amount_of(&balances[16..])?);
    same(gone, withheld(103) + B)
}

fn request_byte_costs_a_thousand(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let cost = |bytes: u64| program().number(0).number(bytes).cost_call().reply();
    let less = amount(w.ask(id, &cost(1_000))?)?;
    same(amount(w.ask(id, &cost(1_001))?)?.wrapping_sub(less), 1_000)
}

/// A module that answers at once with as many bytes as a number in its argument says.
fn answering() -> Vec<u8> {
    assemble(
        r#"(module
             (import "ic0" "msg_arg_data_copy" (func $arg (param i32 i32 i32)))
             (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
             (import "ic0" "msg_reply" (func $reply))
             (memory 2)
             (func (export "canister_update answer")
               (call $arg (i32.const 0) (i32.const 0) (i32.const 4))
               (call $append (i32.const 16) (i32.load (i32.const 0)))
               (call $reply))
             (func (export "canister_update ignore") (call $reply)))"#,
    )
}

fn reply_byte_costs_the_caller_a_thousand(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister_of(&answering())?);
    let paid = |w: &mut World<'_>, bytes: u32| -> Checked<u128> {
        let calling = call_to(callee, "answer", bytes.to_le_bytes()).on_reply(program().say(""));
        let before = w.cycles(caller)?;
        says(w.run(caller, &program().call(&calling))?, "")?;
        Ok(before.wrapping_sub(w.cycles(caller)?))
    };
    let first = paid(w, 1_000)?;
    let second = paid(w, 5_000)?;
    same(second.wrapping_sub(first), 4_000_000)
}

fn ingress_byte_costs_two_thousand(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister_of(&answering())?;
    let paid = |w: &mut World<'_>, bytes: usize| -> Checked<u128> {
        let before = w.cycles(id)?;
        says(w.backend.update(owner(), id, "ignore", vec![0; bytes])?, "")?;
        Ok(before.wrapping_sub(w.cycles(id)?))
    };
    let first = paid(w, 100)?;
    // 1.2 M and the bytes for the message, 5 M and a few instructions for its execution.
    between(
        first,
        1_200_000 + 5_000_000 + 200_000,
        1_200_000 + 5_000_000 + 1_000_000,
    )?;
    let second = paid(w, 1_100)?;
    same(second.wrapping_sub(first), 2_000_000)
}

fn message_costs_five_million_and_its_instructions(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program().number(0).performance().reply();
    // The first message writes to memory that is fresh.
    reply_seen(w.run(caller, &relay(callee, &body))?)?;
    let before = w.cycles(callee)?;
    let told = reply_seen(w.run(caller, &relay(callee, &body))?)?;
    let paid = before.wrapping_sub(w.cycles(callee)?);
    // The counter is read a little before the end.
    let told = u128::from(crate::check::number_of(&told)?);
    between(paid, 5_000_000 + told, 5_000_000 + told + 20_000)?;
    let before = w.cycles(callee)?;
    reply_seen(w.run(caller, &relay(callee, &body))?)?;
    same(before.wrapping_sub(w.cycles(callee)?), paid)
}

fn balance_is_reported(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let told = have_number(w.status(id)?.cycles)?;
    // The status itself is a message that the canister pays for, before or after it is answered.
    let balance = w.cycles(id)?;
    same(told.abs_diff(balance) % 10_000_000, 0)?;
    same(told, balance)
}
