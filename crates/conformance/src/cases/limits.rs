//! Queues, payloads, instructions and memory.

use candid::Nat;

use crate::backend::Plant;
use crate::case::cases;
use crate::check::{
    Checked, between, number, refused, refused_with, replied, same, saw_reply, says,
};
use crate::management::{InstallMode, SettingsArg, info_arg};
use crate::modules::{universal, with_low_memory_hook};
use crate::program::{Call, Program, call, manage, program};
use crate::world::{PAGE, T, World};

cases! {
    "limits":
    "interface specification, call_perform; 500 unanswered calls per callee" => call_501_to_a_canister_is_refused(Plant::Answer);
    "interface specification, call_perform; 500 unanswered calls per callee" => call_501_to_the_management_canister_is_refused(Plant::Answer);
    "interface specification, call_perform; 500 unanswered calls per callee" => the_limit_is_per_callee(Plant::Answer);
    "interface specification, call_perform" => refusal_ends_neither_message_nor_calls(Plant::Answer);
    "interface specification, call_perform" => answers_make_room(Plant::Answer);
    "interface specification, Inter-canister calls, payload limits" => request_of_three_mebibytes_arrives(Plant::Answer);
    "interface specification, Inter-canister calls, payload limits" => request_above_ten_mebibytes_traps(Plant::Answer);
    "interface specification, Responding" => reply_of_two_mebibytes_arrives(Plant::Answer);
    "interface specification, Responding" => longer_reply_traps(Plant::Answer);
    "interface specification, call_new" => method_name_of_20001_bytes_traps(Plant::Answer);
    "interface specification, Instruction limits" => update_has_an_instruction_limit(Plant::Answer);
    "interface specification, Instruction limits" => callback_has_a_limit_of_its_own(Plant::Answer);
    "interface specification, Instruction limits" => exhausted_canister_works_on(Plant::Answer);
    "interface specification, Performance counter" => performance_counter_counts_this_message(Plant::Answer);
    "interface specification, Performance counter" => performance_counter_counts_the_context(Plant::Answer);
    "interface specification, Performance counter" => performance_counter_starts_again_in_callbacks(Plant::Answer);
    "replica weights; October 2025" => a_million_turns_cost_what_they_should(Plant::Answer);
    "interface specification, Wasm memory limit" => growth_above_the_wasm_memory_limit_fails(Plant::Answer);
    "interface specification, Memory allocation" => memory_grows_within_the_allocation(Plant::Answer);
    "interface specification, Stable memory" => stable_memory_starts_empty_and_grows(Plant::Answer);
    "interface specification, Stable memory" => stable_access_out_of_bounds_traps(Plant::Answer);
    "interface specification, Stable memory" => stable_growth_beyond_all_bounds_says_minus_one(Plant::Answer);
    "interface specification, On low wasm memory" => low_memory_hook_runs_once(Plant::Answer);
}

/// A call that stays open for two rounds, and counts refusals at place 1.
fn counted(calling: &Call) -> Program {
    let refused = program().bump(1, 1);
    program().try_call(calling).code(&refused).when()
}

fn open_management_call(id: ic_principal::Principal) -> Call {
    manage("canister_info", info_arg(id, 0)).answered(&program())
}

fn call_501_to_a_canister_is_refused(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let calling = call(callee, &program().say("")).answered(&program());
    let body = program().times(501, &counted(&calling)).read(1).reply();
    same(number(w.run(caller, &body)?)?, 1)?;
    // `call_perform` said 2.
    let body = program()
        .times(500, &program().call(&calling))
        .try_call(&calling)
        .reply();
    same(number(w.run(caller, &body)?)?, 2)
}

fn call_501_to_the_management_canister_is_refused(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let calling = counted(&open_management_call(id));
    same(
        number(w.run(id, &program().times(510, &calling).read(1).reply())?)?,
        10,
    )
}

fn the_limit_is_per_callee(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let to_canister = counted(&call(callee, &program().say("")).answered(&program()));
    let to_management = counted(&open_management_call(caller));
    let body = program()
        .times(500, &to_canister)
        .times(500, &to_management)
        .read(1)
        .reply();
    same(number(w.run(caller, &body)?)?, 0)
}

fn refusal_ends_neither_message_nor_calls(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let calling = call(callee, &program().bump(0, 1).say("")).answered(&program());
    let body = program()
        .times(505, &program().call(&calling))
        .say("went on");
    says(w.run(caller, &body)?, "went on")?;
    w.ticks(3)?;
    same(w.counter(callee, 0)?, 500)
}

fn answers_make_room(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let calling = counted(&call(callee, &program().say("")).answered(&program()));
    w.act(caller, &program().times(500, &calling))?;
    w.ticks(3)?;
    w.act(caller, &program().times(500, &calling))?;
    same(w.counter(caller, 1)?, 0)
}

fn request_of_three_mebibytes_arrives(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let size = 3 << 20;
    // The callee's program is its argument: a short one in front, padding as a string behind.
    let mut front = program().arg_size().reply().encoded();
    front.push(program().push().encoded()[0]);
    front.extend((size as u32 - front.len() as u32 - 4).to_le_bytes());
    let arg = program()
        .bytes(&front)
        .number(size - front.len() as u64)
        .number(0)
        .fill()
        .concat();
    let body = program().call(&call(callee, &program()).arg(arg));
    saw_reply(w.run(caller, &body)?, size.to_le_bytes())
}

fn request_above_ten_mebibytes_traps(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let arg = program().number((10 << 20) + 1).number(0).fill();
    let body = program().call(&call(callee, &program()).arg(arg));
    refused(w.run(caller, &body)?, 5, 504)
}

fn reply_of_two_mebibytes_arrives(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let long = program().number(2 << 20).number(7).fill().reply();
    let body = program().call(&call(callee, &long).on_reply(program().arg_size().reply()));
    same(number(w.run(caller, &body)?)?, 2 << 20)
}

fn longer_reply_traps(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(
        w.run(
            id,
            &program().number((2 << 20) + 1).number(7).fill().reply(),
        )?,
        5,
        504,
    )
}

fn method_name_of_20001_bytes_traps(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let body = program()
        .bytes(id)
        .number(20_001)
        .number(u64::from(b'a'))
        .fill()
        .code(&program())
        .code(&program())
        .call_new();
    refused(w.run(id, &body)?, 5, 504)
}

fn update_has_an_instruction_limit(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.run(id, &program().exhaust())?, 5, 522)
}

fn callback_has_a_limit_of_its_own(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program().call(&call(callee, &program().say("")).on_reply(program().exhaust()));
    refused(w.run(caller, &body)?, 5, 522)
}

fn exhausted_canister_works_on(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.run(id, &program().bump(0, 1).exhaust())?, 5, 522)?;
    same(
        number(w.run(id, &program().bump(0, 1).read(0).reply())?)?,
        1,
    )
}

fn performance_counter_counts_this_message(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let body = |turns| program().spin_for(turns).number(0).performance().reply();
    let none = number(w.run(id, &body(0))?)?;
    let some = number(w.run(id, &body(1_000))?)?;
    let more = number(w.run(id, &body(2_000))?)?;
    same(some > none, true)?;
    // Equal work costs equally much.
    same(more.wrapping_sub(some), some.wrapping_sub(none))
}

fn performance_counter_counts_the_context(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let both = program()
        .number(1)
        .performance()
        .number(0)
        .performance()
        .concat()
        .reply();
    let body = program()
        .spin_for(100_000)
        .call(&call(callee, &program().say("")).on_reply(both));
    let counters = replied(w.run(caller, &body)?)?;
    let context = crate::check::number_of(&counters[..8])?;
    let message = crate::check::number_of(&counters[8..])?;
    between(message, 1_000, 100_000)?;
    between(context.wrapping_sub(message), 1_000_000, 2_000_000)
}

fn performance_counter_starts_again_in_callbacks(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program().spin_for(1_000_000).call(
        &call(callee, &program().say("")).on_reply(program().number(0).performance().reply()),
    );
    between(number(w.run(caller, &body)?)?, 100, 100_000)
}

fn a_million_turns_cost_what_they_should(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let body = |turns| program().spin_for(turns).number(0).performance().reply();
    let none = number(w.run(id, &body(0))?)?;
    let million = number(w.run(id, &body(1_000_000))?)?;
    // A turn is local.get, i64.eqz, br_if (2), local.get, i64.const, i64.sub, local.set, br (2):
    // ten by the replica's weights; within 2 %.
    between(million.wrapping_sub(none), 9_800_000, 10_200_000)
}

fn growth_above_the_wasm_memory_limit_fails(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let limit = SettingsArg {
        wasm_memory_limit: Some(Nat::from(100 * PAGE)),
        ..SettingsArg::default()
    };
    w.set(id, limit)?;
    // 4 pages are there.
    says(
        w.run(
            id,
            &program().number(50).memory_grow().discard().say("fits"),
        )?,
        "fits",
    )?;
    refused_with(
        w.run(id, &program().number(100).memory_grow().discard().say(""))?,
        5,
        &[539],
    )
}

fn memory_grows_within_the_allocation(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let allocation = SettingsArg {
        memory_allocation: Some(Nat::from(400 * PAGE)),
        ..SettingsArg::default()
    };
    w.set(id, allocation)?;
    let before = number(w.ask(id, &program().memory_size().reply())?)?;
    same(
        number(w.run(id, &program().number(10).memory_grow().reply())?)?,
        before,
    )?;
    same(
        number(w.ask(id, &program().memory_size().reply())?)?,
        before + 10,
    )
}

fn stable_memory_starts_empty_and_grows(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    same(number(w.run(id, &program().stable_size().reply())?)?, 0)?;
    same(
        number(w.run(id, &program().number(3).stable_grow().reply())?)?,
        0,
    )?;
    same(
        number(w.run(id, &program().number(4).stable_grow().reply())?)?,
        3,
    )?;
    same(number(w.run(id, &program().stable_size().reply())?)?, 7)
}

fn stable_access_out_of_bounds_traps(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().number(1).stable_grow())?;
    refused(w.run(id, &program().store(PAGE - 1, "ab"))?, 5, 502)?;
    refused(w.run(id, &program().load(PAGE, 1))?, 5, 502)?;
    says(
        w.run(
            id,
            &program().store(PAGE - 2, "ab").load(PAGE - 2, 2).reply(),
        )?,
        "ab",
    )
}

fn stable_growth_beyond_all_bounds_says_minus_one(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let body = program().number(1 << 40).stable_grow().reply();
    same(number(w.run(id, &body)?)?, u64::MAX)
}

fn low_memory_hook_runs_once(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    let init = program().on_low_memory(&program().bump(0, 1));
    replied(w.try_install(id, InstallMode::install, with_low_memory_hook(), &init)?)?;
    let settings = SettingsArg {
        wasm_memory_limit: Some(Nat::from(100 * PAGE)),
        wasm_memory_threshold: Some(Nat::from(60 * PAGE)),
        ..SettingsArg::default()
    };
    w.set(id, settings)?;
    w.ticks(2)?;
    same(w.counter(id, 0)?, 0)?;
    // 4 pages and 50 leave 46 below the limit: less than the threshold of 60.
    w.act(id, &program().number(50).memory_grow().discard())?;
    w.ticks(3)?;
    same(w.counter(id, 0)?, 1)?;
    // The plain module has no hook, and nothing runs.
    let plain = w.canister_of(universal())?;
    w.act(plain, &program().on_low_memory(&program().bump(0, 1)))?;
    same(w.counter(plain, 0)?, 0)
}
