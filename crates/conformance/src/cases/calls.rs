//! Call contexts: who called, who answers, callbacks, cleanup, and calls that nobody answers.

use crate::backend::Plant;
use crate::case::cases;
use crate::check::{
    Checked, differ, number, number_of, refused, replied, same, saw_reject, saw_reply, says,
};
use crate::program::{call, call_to, program, tell_reject};
use crate::world::{World, after_calls, owner, relay};

cases! {
    "calls":
    "interface specification, Responding" => second_reply_traps(Plant::Answer);
    "interface specification, Responding" => reply_after_reject_traps(Plant::Answer);
    "interface specification, Responding" => no_reply_is_an_error_for_users(Plant::Answer);
    "interface specification, Responding" => no_reply_is_an_error_for_canisters(Plant::Answer);
    "interface specification, Call contexts" => open_call_delays_the_did_not_reply(Plant::Answer);
    "interface specification, Call contexts" => no_reply_after_the_last_callback(Plant::Answer);
    "interface specification, Call contexts" => answer_given_early_stands(Plant::Answer);
    "interface specification, Call contexts" => other_callback_may_still_answer(Plant::Answer);
    "interface specification, Call contexts" => all_callbacks_trapping_is_an_error(Plant::Answer);
    "interface specification, Inter-canister calls" => callback_sees_the_original_caller(Plant::Answer);
    "interface specification, Inter-canister calls" => callee_sees_the_canister_as_caller(Plant::Answer);
    "interface specification, Inter-canister calls" => user_is_seen_as_caller(Plant::Answer);
    "interface specification, Inter-canister calls" => argument_arrives_exactly(Plant::Answer);
    "interface specification, Inter-canister calls" => empty_argument_and_reply(Plant::Answer);
    "interface specification, Inter-canister calls" => reply_bytes_arrive_exactly(Plant::Answer);
    "interface specification, Inter-canister calls" => reject_callback_sees_code_four(Plant::Answer);
    "interface specification, Inter-canister calls" => reply_callback_sees_code_zero(Plant::Answer);
    "interface specification, Inter-canister calls" => reject_text_arrives(Plant::Answer);
    "interface specification, Inter-canister calls" => callbacks_share_the_heap(Plant::Answer);
    "interface specification, Inter-canister calls" => canister_calls_itself(Plant::Answer);
    "interface specification, Inter-canister calls" => calls_nest(Plant::Answer);
    "interface specification, Inter-canister calls" => new_call_replaces_an_unfinished_one(Plant::Answer);
    "interface specification, Inter-canister calls" => unperformed_call_is_not_made(Plant::Answer);
    "interface specification, Inter-canister calls" => data_without_a_call_traps(Plant::Answer);
    "interface specification, Inter-canister calls" => requests_to_one_callee_keep_their_order(Plant::Answer);
    "interface specification, Inter-canister calls" => trap_in_a_callback_keeps_its_earlier_calls(Plant::Answer);
    "interface specification, Inter-canister calls, cleanup" => cleanup_runs_after_a_trapped_reply_callback(Plant::Answer);
    "interface specification, Inter-canister calls, cleanup" => cleanup_runs_after_a_trapped_reject_callback(Plant::Answer);
    "interface specification, Inter-canister calls, cleanup" => cleanup_is_silent_when_callbacks_return(Plant::Answer);
    "interface specification, Inter-canister calls, cleanup" => trapped_cleanup_keeps_nothing(Plant::Answer);
    "interface specification, Inter-canister calls, cleanup" => cleanup_may_be_set_once(Plant::Answer);
    "interface specification, Inter-canister calls, cleanup" => cleanup_sees_the_reject_code(Plant::Answer);
    "interface specification, Inter-canister calls, cleanup" => cleanup_runs_after_exhausted_instructions(Plant::Answer);
    "interface specification, Responding" => appended_bytes_join(Plant::Answer);
    "interface specification, Responding" => appended_bytes_end_with_the_message(Plant::Answer);
    "interface specification, Responding" => reject_text_must_be_utf8(Plant::Answer);
}

fn second_reply_traps(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.run(id, &program().say("one").say("two"))?, 5, 504)
}

fn reply_after_reject_traps(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(
        w.run(id, &program().bytes("no").reject().reply_appended())?,
        5,
        504,
    )
}

fn no_reply_is_an_error_for_users(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.run(id, &program())?, 5, 506)
}

fn no_reply_is_an_error_for_canisters(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    saw_reject(w.run(caller, &relay(callee, &program()))?, 5)
}

fn open_call_delays_the_did_not_reply(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    // The first message and the first callback say nothing; the last one answers.
    let last = program().say("at last");
    let middle = program().call(&call(callee, &program().say("")).answered(&last));
    let body = program().call(&call(callee, &program().say("")).answered(&middle));
    says(w.run(caller, &body)?, "at last")
}

fn no_reply_after_the_last_callback(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program().call(&call(callee, &program().say("")).answered(&program()));
    refused(w.run(caller, &body)?, 5, 506)
}

fn answer_given_early_stands(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program()
        .call(&call(callee, &program().say("")).answered(&program().fail()))
        .say("early");
    says(w.run(caller, &body)?, "early")
}

fn other_callback_may_still_answer(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program()
        .call(&call(callee, &program().say("")).answered(&program().fail()))
        .call(&call(callee, &program().say("")).answered(&program().say("second")));
    says(w.run(caller, &body)?, "second")
}

fn all_callbacks_trapping_is_an_error(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let failing = call(callee, &program().say("")).answered(&program().fail());
    refused(
        w.run(caller, &program().call(&failing).call(&failing))?,
        5,
        503,
    )
}

fn callback_sees_the_original_caller(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body =
        program().call(&call(callee, &program().say("")).answered(&program().caller().reply()));
    says(w.run(caller, &body)?, owner())
}

fn callee_sees_the_canister_as_caller(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    saw_reply(
        w.run(caller, &relay(callee, &program().caller().reply()))?,
        caller,
    )
}

fn user_is_seen_as_caller(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    says(w.run(id, &program().caller().reply())?, owner())
}

fn argument_arrives_exactly(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let body = program().bytes([0, 255, 1, 254]).discard().arg().reply();
    says(w.run(id, &body)?, body.encoded())
}

fn empty_argument_and_reply(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    // The empty program replies nothing; its caller gets a reject. A reply of no bytes is a reply.
    saw_reject(
        w.run(caller, &program().call(&call_to(callee, "run", [])))?,
        5,
    )?;
    saw_reply(
        w.run(caller, &relay(callee, &program().reply_appended()))?,
        "",
    )
}

fn reply_bytes_arrive_exactly(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let bytes: Vec<u8> = (0..=255).collect();
    saw_reply(
        w.run(caller, &relay(callee, &program().say(&bytes)))?,
        &bytes,
    )
}

fn reject_callback_sees_code_four(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    saw_reject(
        w.run(caller, &relay(callee, &program().bytes("no").reject()))?,
        4,
    )
}

fn reply_callback_sees_code_zero(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body =
        program().call(&call(callee, &program().say("")).on_reply(program().reject_code().reply()));
    same(number(w.run(caller, &body)?)?, 0)
}

fn reject_text_arrives(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program().call(
        &call(callee, &program().bytes("my own words").reject())
            .on_reject(program().reject_text().reply()),
    );
    says(w.run(caller, &body)?, "my own words")
}

fn callbacks_share_the_heap(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program()
        .bump(0, 5)
        .call(&call(callee, &program().say("")).answered(&program().read(0).reply()));
    same(number(w.run(caller, &body)?)?, 5)
}

fn canister_calls_itself(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    saw_reply(w.run(id, &relay(id, &program().caller().reply()))?, id)
}

fn calls_nest(w: &mut World<'_>) -> Checked<()> {
    let (a, b, c) = (w.canister()?, w.canister()?, w.canister()?);
    saw_reply(
        w.run(a, &relay(b, &relay(c, &program().say("deep"))))?,
        "+deep",
    )
}

fn new_call_replaces_an_unfinished_one(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program()
        .bytes(callee)
        .bytes("run")
        .code(&program().say("old"))
        .code(&program().say("old"))
        .call_new()
        .bytes(program().bump(0, 1).say("").encoded())
        .call_append()
        .call(&call(callee, &program().say("")).answered(&program().say("new")));
    says(w.run(caller, &body)?, "new")?;
    same(w.counter(callee, 0)?, 0)
}

fn unperformed_call_is_not_made(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program()
        .bytes(callee)
        .bytes("run")
        .code(&program())
        .code(&program())
        .call_new()
        .bytes(program().bump(0, 1).say("").encoded())
        .call_append()
        .say("");
    says(w.run(caller, &body)?, "")?;
    w.ticks(2)?;
    same(w.counter(callee, 0)?, 0)
}

fn data_without_a_call_traps(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.run(id, &program().bytes("x").call_append())?, 5, 504)?;
    refused(w.run(id, &program().perform())?, 5, 504)
}

fn requests_to_one_callee_keep_their_order(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    // The callee appends each digit to what it keeps; the last call answers with all of it.
    let mut body = program();
    for digit in 0..9u8 {
        let note = program()
            .number(1)
            .kept(1)
            .bytes([b'0' + digit])
            .concat()
            .cell_set()
            .say("");
        body = body.call(&call(callee, &note).answered(&program()));
    }
    body = body.call(&call(callee, &program().kept(1).reply()));
    saw_reply(w.run(caller, &body)?, "012345678")
}

fn trap_in_a_callback_keeps_its_earlier_calls(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body =
        program().call(&call(callee, &program().bump(0, 1).say("")).answered(&program().fail()));
    refused(w.run(caller, &body)?, 5, 503)?;
    same(w.counter(callee, 0)?, 1)
}

fn cleanup_runs_after_a_trapped_reply_callback(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program().call(
        &call(callee, &program().say(""))
            .on_reply(program().bump(0, 1).fail())
            .on_cleanup(program().bump(1, 1)),
    );
    refused(w.run(caller, &body)?, 5, 503)?;
    same(w.counter(caller, 0)?, 0)?;
    same(w.counter(caller, 1)?, 1)
}

fn cleanup_runs_after_a_trapped_reject_callback(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program().call(
        &call(callee, &program().fail())
            .on_reject(program().bump(0, 1).fail())
            .on_cleanup(program().bump(1, 1)),
    );
    refused(w.run(caller, &body)?, 5, 503)?;
    same(w.counter(caller, 0)?, 0)?;
    same(w.counter(caller, 1)?, 1)
}

fn cleanup_is_silent_when_callbacks_return(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body =
        program().call(&call(callee, &program().say("fine")).on_cleanup(program().bump(1, 1)));
    saw_reply(w.run(caller, &body)?, "fine")?;
    same(w.counter(caller, 1)?, 0)
}

fn trapped_cleanup_keeps_nothing(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program().call(
        &call(callee, &program().say(""))
            .on_reply(program().fail())
            .on_cleanup(program().bump(1, 1).fail()),
    );
    refused(w.run(caller, &body)?, 5, 503)?;
    same(w.counter(caller, 1)?, 0)
}

fn cleanup_may_be_set_once(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program()
        .bytes(callee)
        .bytes("run")
        .code(&program())
        .code(&program())
        .call_new()
        .code(&program())
        .on_cleanup()
        .code(&program())
        .on_cleanup();
    refused(w.run(caller, &body)?, 5, 504)
}

fn cleanup_sees_the_reject_code(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let note = program().number(1).reject_code().cell_set();
    let body = program().call(
        &call(callee, &program().bytes("no").reject())
            .on_reject(program().fail())
            .on_cleanup(note),
    );
    refused(w.run(caller, &body)?, 5, 503)?;
    let kept = replied(w.ask(caller, &program().kept(1).reply())?)?;
    same(number_of(&kept)?, 4)
}

fn cleanup_runs_after_exhausted_instructions(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program().call(
        &call(callee, &program().say(""))
            .on_reply(program().exhaust())
            .on_cleanup(program().bump(1, 1).spin_for(1_000_000)),
    );
    refused(w.run(caller, &body)?, 5, 522)?;
    same(w.counter(caller, 1)?, 1)
}

fn appended_bytes_join(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let body = program()
        .bytes("a")
        .append()
        .bytes("b")
        .append()
        .reply_appended();
    says(w.run(id, &body)?, "ab")
}

fn appended_bytes_end_with_the_message(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program()
        .bytes("lost")
        .append()
        .call(&call(callee, &program().say("")).answered(&program().say("kept")));
    says(w.run(caller, &body)?, "kept")
}

fn reject_text_must_be_utf8(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    differ(
        w.run(callee, &program().bytes([0xff, 0xfe]).reject())?
            .map_err(|r| r.code),
        Err(4),
    )?;
    // A message that waits for the management canister first is refused alike.
    let late = after_calls(callee, 1, &program().bytes([0xff]).reject());
    let body = program().call(&call(callee, &late).on_reject(tell_reject()));
    saw_reject(w.run(caller, &body)?, 5)
}
