//! Query methods in both modes, and composite queries.

use ic_principal::Principal;

use crate::backend::Plant;
use crate::case::cases;
use crate::check::{Checked, number, refused, refused_with, same, saw_reject, saw_reply, says};
use crate::management::about;
use crate::program::{call_to, manage, program};
use crate::world::{World, owner, relay};

cases! {
    "queries":
    "interface specification, Request: Query call" => query_state_is_discarded(Plant::Answer);
    "interface specification, Request: Query call" => query_costs_nothing(Plant::Balance);
    "interface specification, Request: Query call" => query_may_reject(Plant::Answer);
    "interface specification, Request: Query call" => query_may_trap(Plant::Answer);
    "interface specification, Request: Query call" => query_must_reply(Plant::Answer);
    "interface specification, Request: Query call" => query_sees_the_last_round(Plant::Answer);
    "interface specification, Request: Query call" => query_of_an_update_method_is_refused(Plant::Answer);
    "interface specification, Request: Query call" => query_of_a_stopped_canister_is_refused(Plant::Answer);
    "interface specification, Request: Query call" => query_of_an_empty_canister_is_refused(Plant::Answer);
    "interface specification, Request: Query call" => query_of_a_missing_canister_is_refused(Plant::Answer);
    "interface specification, Request: Query call" => query_has_an_instruction_limit(Plant::Answer);
    "interface specification, Entry points, query methods" => update_call_of_a_query_replies(Plant::Answer);
    "interface specification, Entry points, query methods" => update_call_of_a_query_keeps_no_state(Plant::Answer);
    "interface specification, Entry points, query methods" => canister_call_of_a_query_keeps_no_state(Plant::Answer);
    "interface specification, Canister version" => replicated_query_leaves_the_version(Plant::Answer);
    "interface specification, Replicated execution check" => replication_can_be_told(Plant::Answer);
    "interface specification, Composite queries" => composite_query_cannot_be_replicated(Plant::Answer);
    "interface specification, Composite queries" => canisters_cannot_call_composite_queries(Plant::Answer);
    "interface specification, Composite queries" => composite_query_calls_a_query(Plant::Answer);
    "interface specification, Composite queries" => composite_query_calls_a_composite_query(Plant::Answer);
    "interface specification, Composite queries" => composite_query_cannot_call_updates(Plant::Answer);
    "interface specification, Composite queries" => composite_callbacks_share_the_heap(Plant::Answer);
    "interface specification, Composite queries" => composite_state_is_discarded(Plant::Answer);
    "interface specification, Composite queries" => composite_query_sees_rejects(Plant::Answer);
    "interface specification, Composite queries" => composite_depth_is_limited(Plant::Answer);
    "interface specification, Request: Query call, canister_status" => status_can_be_queried(Plant::Answer);
}

fn query_state_is_discarded(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let body = program().bump(0, 9).number(5).global_set().read(0).reply();
    same(number(w.ask(id, &body)?)?, 9)?;
    same(w.counter(id, 0)?, 0)?;
    same(number(w.ask(id, &program().global_get().reply())?)?, 0)
}

fn query_costs_nothing(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let before = w.cycles(id)?;
    says(w.ask(id, &program().spin_for(100_000).say(""))?, "")?;
    same(w.cycles(id)?, before)
}

fn query_may_reject(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.ask(id, &program().bytes("no").reject())?, 4, 406)
}

fn query_may_trap(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.ask(id, &program().fail())?, 5, 503)
}

fn query_must_reply(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.ask(id, &program())?, 5, 506)
}

fn query_sees_the_last_round(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().bump(0, 4))?;
    same(w.counter(id, 0)?, 4)
}

fn query_of_an_update_method_is_refused(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let answer = w
        .backend
        .query(owner(), id, "run", program().say("").encoded())?;
    refused(answer, 5, 536)
}

fn query_of_a_stopped_canister_is_refused(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.stop(id)?;
    refused(w.ask(id, &program().say(""))?, 5, 508)
}

fn query_of_an_empty_canister_is_refused(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(10 * crate::world::T)?;
    refused(w.ask(id, &program().say(""))?, 5, 537)
}

fn query_of_a_missing_canister_is_refused(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.stop(id)?;
    w.manage("delete_canister", about(id))?.map_err(|_| ()).ok();
    refused(w.ask(id, &program().say(""))?, 3, 301)
}

fn query_has_an_instruction_limit(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    // 300 M turns of 13 instructions stay below 5 B, 400 M do not.
    says(
        w.ask(id, &program().spin_for(300_000_000).say("done"))?,
        "done",
    )?;
    refused(w.ask(id, &program().spin_for(600_000_000).say(""))?, 5, 522)
}

fn update_call_of_a_query_replies(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let answer = w
        .backend
        .update(owner(), id, "ask", program().say("yes").encoded())?;
    says(answer, "yes")
}

fn update_call_of_a_query_keeps_no_state(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let body = program().bump(0, 1).say("yes");
    says(w.backend.update(owner(), id, "ask", body.encoded())?, "yes")?;
    same(w.counter(id, 0)?, 0)
}

fn canister_call_of_a_query_keeps_no_state(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program().bump(0, 1).say("yes").encoded();
    saw_reply(
        w.run(caller, &program().call(&call_to(callee, "ask", body)))?,
        "yes",
    )?;
    same(w.counter(callee, 0)?, 0)
}

fn replicated_query_leaves_the_version(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let version = program().version().reply();
    let before = number(w.ask(id, &version)?)?;
    number(w.backend.update(owner(), id, "ask", version.encoded())?)?;
    same(number(w.ask(id, &version)?)?, before)
}

fn replication_can_be_told(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let body = program().replicated().reply();
    same(number(w.run(id, &body)?)?, 1)?;
    same(
        number(w.backend.update(owner(), id, "ask", body.encoded())?)?,
        1,
    )?;
    same(number(w.compose(id, &body)?)?, 0)?;
    same(number(w.ask(id, &body)?)?, 0)
}

fn composite_query_cannot_be_replicated(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let body = program().say("").encoded();
    refused_with(
        w.backend.update(owner(), id, "compose", body)?,
        5,
        &[527, 536],
    )
}

fn canisters_cannot_call_composite_queries(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let calling = call_to(callee, "compose", program().say("").encoded());
    saw_reject(w.run(caller, &program().call(&calling))?, 5)
}

fn composite_query_calls_a_query(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    w.act(callee, &program().bump(0, 3))?;
    let asked = program().read(0).caller().concat().reply().encoded();
    let found = w.compose(caller, &program().call(&call_to(callee, "ask", asked)))?;
    let wanted = [3u64.to_le_bytes().as_slice(), caller.as_slice()].concat();
    saw_reply(found, wanted)
}

fn composite_query_calls_a_composite_query(w: &mut World<'_>) -> Checked<()> {
    let (a, b, c) = (w.canister()?, w.canister()?, w.canister()?);
    let inner = program().call(&call_to(c, "ask", program().say("c").encoded()));
    let outer = program().call(&call_to(b, "compose", inner.encoded()));
    saw_reply(w.compose(a, &outer)?, "+c")
}

fn composite_query_cannot_call_updates(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    saw_reject(w.compose(caller, &relay(callee, &program().say("")))?, 5)
}

fn composite_callbacks_share_the_heap(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let calling = call_to(callee, "ask", program().say("").encoded())
        .answered(&program().bump(0, 1).read(0).reply());
    same(
        number(w.compose(caller, &program().bump(0, 6).call(&calling))?)?,
        7,
    )
}

fn composite_state_is_discarded(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    says(w.compose(id, &program().bump(0, 6).say("ok"))?, "ok")?;
    same(w.counter(id, 0)?, 0)
}

fn composite_query_sees_rejects(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let rejecting = call_to(callee, "ask", program().bytes("no").reject().encoded());
    saw_reject(w.compose(caller, &program().call(&rejecting))?, 4)?;
    let trapping = call_to(callee, "ask", program().fail().encoded());
    saw_reject(w.compose(caller, &program().call(&trapping))?, 5)
}

fn composite_depth_is_limited(w: &mut World<'_>) -> Checked<()> {
    let canisters: Vec<Principal> = (0..9).map(|_| w.canister()).collect::<Checked<_>>()?;
    let nested = |depth: usize| {
        (1..depth).rev().fold(program().say("end"), |inner, place| {
            let passing = call_to(canisters[place], "compose", inner.encoded())
                .on_reply(program().arg().reply());
            program().call(&passing)
        })
    };
    says(w.compose(canisters[0], &nested(4))?, "end")?;
    // Nine deep is beyond six: somewhere on the way a call is refused with code 5.
    let answer = w.compose(canisters[0], &nested(9))?;
    same(answer == Ok(b"end".to_vec()), false)?;
    same(
        answer.is_err() || answer.is_ok_and(|reply| reply.contains(&b'-')),
        true,
    )?;
    says(w.compose(canisters[0], &nested(5))?, "end")
}

fn status_can_be_queried(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let by_query = w.backend.query(
        owner(),
        crate::world::MANAGEMENT,
        "canister_status",
        about(id),
    )?;
    let by_query: crate::management::Status =
        crate::management::decode(&crate::check::replied(by_query)?)?;
    same(by_query.status, Some(crate::management::Running::running))?;
    // A composite query that asks about its own canister gets a reply as well.
    let asking = manage("canister_status", about(id)).answered(&program().say("told"));
    says(w.compose(id, &program().call(&asking))?, "told")
}
