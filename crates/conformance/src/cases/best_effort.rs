//! Calls that wait for a limited time.

use crate::backend::Plant;
use crate::case::cases;
use crate::check::{Checked, between, number, refused, same, saw_reject, saw_reply, says};
use crate::management::about;
use crate::program::{call, manage, program, tell_reject};
use crate::world::{SECOND, World, after_calls, relay};

cases! {
    "best_effort":
    "interface specification, Bounded-wait calls" => callee_sees_the_deadline(Plant::Answer);
    "interface specification, Bounded-wait calls" => timeout_is_capped_at_300_seconds(Plant::Answer);
    "interface specification, msg_deadline" => guaranteed_call_has_no_deadline(Plant::Answer);
    "interface specification, msg_deadline" => user_message_has_no_deadline(Plant::Answer);
    "interface specification, Bounded-wait calls" => answer_in_time_is_an_answer(Plant::Answer);
    "interface specification, Bounded-wait calls" => reject_in_time_is_a_reject(Plant::Answer);
    "interface specification, Reject codes, SYS_UNKNOWN" => expired_call_is_unknown(Plant::Answer);
    "interface specification, Reject codes, SYS_UNKNOWN" => callee_of_an_expired_call_goes_on(Plant::Answer);
    "interface specification, Reject codes, SYS_UNKNOWN" => expired_management_call_is_unknown(Plant::AnswerBefore(1));
    "interface specification, Bounded-wait calls" => expired_call_refunds_nothing(Plant::Answer);
    "interface specification, call_with_best_effort_response" => timeout_may_be_set_once(Plant::Answer);
    "interface specification, Bounded-wait calls" => late_reply_is_dropped(Plant::Answer);
}

fn callee_sees_the_deadline(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program().call(
        &call(callee, &program().deadline().reply())
            .best_effort(60)
            .on_reply(program().arg().reply()),
    );
    let now = w.now()?;
    between(
        number(w.run(caller, &body)?)?,
        now + 59 * SECOND,
        now + 61 * SECOND,
    )
}

fn timeout_is_capped_at_300_seconds(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program().call(
        &call(callee, &program().deadline().reply())
            .best_effort(100_000)
            .on_reply(program().arg().reply()),
    );
    let now = w.now()?;
    between(
        number(w.run(caller, &body)?)?,
        now + 299 * SECOND,
        now + 301 * SECOND,
    )
}

fn guaranteed_call_has_no_deadline(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    saw_reply(
        w.run(caller, &relay(callee, &program().deadline().reply()))?,
        [0; 8],
    )
}

fn user_message_has_no_deadline(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    same(number(w.run(id, &program().deadline().reply())?)?, 0)
}

fn answer_in_time_is_an_answer(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program().call(&call(callee, &program().say("in time")).best_effort(10));
    saw_reply(w.run(caller, &body)?, "in time")
}

fn reject_in_time_is_a_reject(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program().call(&call(callee, &program().bytes("no").reject()).best_effort(10));
    saw_reject(w.run(caller, &body)?, 4)
}

fn expired_call_is_unknown(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let slow = after_calls(callee, 3, &program().say("late"));
    let message = w.submit(
        caller,
        &program().call(&call(callee, &slow).best_effort(10)),
    )?;
    w.tick()?;
    w.still_open(&message)?;
    w.pass(12)?;
    saw_reject(w.wait(&message)?, 6)
}

fn callee_of_an_expired_call_goes_on(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let slow = after_calls(callee, 3, &program().bump(0, 1).say("late"));
    let message = w.submit(
        caller,
        &program().call(&call(callee, &slow).best_effort(10)),
    )?;
    w.tick()?;
    w.pass(12)?;
    saw_reject(w.wait(&message)?, 6)?;
    w.ticks(8)?;
    same(w.counter(callee, 0)?, 1)
}

fn expired_management_call_is_unknown(w: &mut World<'_>) -> Checked<()> {
    let parent = w.canister()?;
    let child = w.child_of(parent)?;
    // The child has a call open that takes eleven rounds; until then it cannot stop.
    let busy = w.submit(child, &after_calls(child, 5, &program().say("done")))?;
    w.tick()?;
    let stopping = manage("stop_canister", about(child)).best_effort(10);
    let message = w.submit(parent, &program().call(&stopping))?;
    w.ticks(2)?;
    w.still_open(&message)?;
    w.pass(12)?;
    w.tick()?;
    w.tick()?;
    saw_reject(w.answered(&message)?, 6)?;
    // The busy message is none of this; it is answered in its time.
    says(w.wait(&busy)?, "done")
}

fn expired_call_refunds_nothing(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let slow = after_calls(callee, 3, &program().say("late"));
    let calling = call(callee, &slow)
        .best_effort(10)
        .cycles(1_000_000_000)
        .on_reject(program().refunded().reply());
    let message = w.submit(caller, &program().call(&calling))?;
    w.tick()?;
    w.pass(12)?;
    same(crate::check::amount(w.wait(&message)?)?, 0)
}

fn timeout_may_be_set_once(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let body = program()
        .bytes(id)
        .bytes("run")
        .code(&program())
        .code(&program())
        .call_new()
        .number(5)
        .best_effort()
        .number(5)
        .best_effort();
    refused(w.run(id, &body)?, 5, 504)
}

fn late_reply_is_dropped(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    // The late reply is dropped: the reject callback runs once, the reply callback never.
    let slow = after_calls(callee, 2, &program().say("late"));
    let calling = call(callee, &slow)
        .best_effort(5)
        .on_reply(program().bump(0, 1))
        .on_reject(program().bump(1, 1).then(&tell_reject()));
    let message = w.submit(caller, &program().call(&calling))?;
    w.tick()?;
    w.pass(7)?;
    saw_reject(w.wait(&message)?, 6)?;
    w.ticks(8)?;
    same(w.counter(caller, 0)?, 0)?;
    // Meanwhile an ordinary call is answered as ever.
    saw_reply(w.run(caller, &relay(callee, &program().say("")))?, "")?;
    same(w.counter(caller, 1)?, 1)
}
