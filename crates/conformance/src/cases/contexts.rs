//! The System API context by context: every function is allowed exactly where the specification's
//! table says so. Functions that replicas of 2025 do not know are left out.

use ic_principal::Principal;

use crate::backend::{Answer, Plant};
use crate::case::cases;
use crate::check::{Checked, fail, refused, same};
use crate::management::{InstallMode, UPGRADE};
use crate::modules::{universal, with_heartbeat, with_inspection};
use crate::program::{Program, call, call_to, program};
use crate::world::{T, World, owner};

cases! {
    "contexts":
    "interface specification, Overview of imports, U" => update(Plant::Answer);
    "interface specification, Overview of imports, RQ" => replicated_query(Plant::Answer);
    "interface specification, Overview of imports, NRQ" => non_replicated_query(Plant::Answer);
    "interface specification, Overview of imports, CQ" => composite_query(Plant::Answer);
    "interface specification, Overview of imports, Ry" => reply_callback(Plant::Answer);
    "interface specification, Overview of imports, Rt" => reject_callback(Plant::Answer);
    "interface specification, Overview of imports, CRy" => composite_reply_callback(Plant::Answer);
    "interface specification, Overview of imports, CRt" => composite_reject_callback(Plant::Answer);
    "interface specification, Overview of imports, C" => cleanup_callback(Plant::Answer);
    "interface specification, Overview of imports, I" => init(Plant::Answer);
    "interface specification, Overview of imports, I" => post_upgrade(Plant::Answer);
    "interface specification, Overview of imports, G" => pre_upgrade(Plant::Answer);
    "interface specification, Overview of imports, F" => inspect_message(Plant::Answer);
    "interface specification, Overview of imports, T" => global_timer(Plant::Answer);
    "interface specification, Overview of imports, T" => heartbeat(Plant::AnswerBefore(2));
}

/// Everywhere but in the start function.
const ALL: &str = "I G U RQ NRQ CQ Ry Rt CRy CRt C F T";
const ARGUMENT: &str = "I U RQ NRQ CQ Ry CRy F";
const ANSWER: &str = "U RQ NRQ CQ Ry Rt CRy CRt";
const CALLS: &str = "U CQ Ry Rt CRy CRt T";
const CYCLES_IN: &str = "U RQ Ry Rt";

/// Functions: name, contexts, a program that uses it and what it needs.
fn functions() -> Vec<(&'static str, &'static str, Program)> {
    let begun = || {
        program()
            .bytes(Principal::management_canister())
            .bytes("x")
            .code(&program())
            .code(&program())
            .call_new()
    };
    vec![
        ("msg_arg_data_size", ARGUMENT, program().arg_size()),
        (
            "msg_arg_data_copy",
            ARGUMENT,
            program().number(0).number(0).arg_copy(),
        ),
        ("msg_caller_copy", ALL, program().caller()),
        (
            "msg_reject_code",
            "Ry Rt CRy CRt C",
            program().reject_code(),
        ),
        ("msg_reject_msg_size", "Rt CRt", program().reject_text()),
        (
            "msg_reply_data_append",
            ANSWER,
            program().bytes("").append(),
        ),
        ("msg_reply", ANSWER, program().reply_appended()),
        ("msg_reject", ANSWER, program().bytes("no").reject()),
        ("msg_cycles_available128", CYCLES_IN, program().available()),
        ("msg_cycles_refunded128", "Ry Rt", program().refunded()),
        (
            "msg_cycles_accept128",
            CYCLES_IN,
            program().amount(0).accept(),
        ),
        (
            "cycles_burn128",
            "I G U RQ Ry Rt C T",
            program().amount(0).burn(),
        ),
        ("canister_self_copy", ALL, program().self_id()),
        ("canister_cycle_balance128", ALL, program().balance()),
        ("canister_liquid_cycle_balance128", ALL, program().liquid()),
        ("canister_status", ALL, program().status()),
        ("canister_version", ALL, program().version()),
        ("subnet_self_copy", ALL, program().subnet()),
        ("msg_method_name_copy", "F", program().method_name()),
        ("accept_message", "F", program().accept_message()),
        ("call_new", CALLS, begun()),
        (
            "call_on_cleanup",
            CALLS,
            begun().code(&program()).on_cleanup(),
        ),
        ("call_data_append", CALLS, begun().bytes("").call_append()),
        (
            "call_with_best_effort_response",
            CALLS,
            begun().number(1).best_effort(),
        ),
        (
            "call_cycles_add128",
            "U Ry Rt T",
            begun().amount(0).call_cycles(),
        ),
        ("stable64_size", ALL, program().stable_size()),
        ("stable64_grow", ALL, program().number(0).stable_grow()),
        ("stable64_write", ALL, program().store(0, "")),
        ("stable64_read", ALL, program().load(0, 0)),
        ("root_key_copy", "I G U RQ Ry Rt C T", program().root_key()),
        (
            "certified_data_set",
            "I G U Ry Rt T",
            program().bytes("").certify(),
        ),
        (
            "data_certificate_present",
            ALL,
            program().certificate_present(),
        ),
        ("time", ALL, program().time()),
        (
            "global_timer_set",
            "I G U Ry Rt C T",
            program().number(0).timer_set(),
        ),
        (
            "performance_counter",
            ALL,
            program().number(0).performance(),
        ),
        ("is_controller", ALL, program().self_id().controlled_by()),
        ("in_replicated_execution", ALL, program().replicated()),
        ("cost_call", ALL, program().number(0).number(0).cost_call()),
        ("cost_create_canister", ALL, program().cost_create()),
        (
            "cost_http_request",
            ALL,
            program().number(0).number(0).cost_http(),
        ),
        (
            "cost_sign_with_ecdsa",
            ALL,
            program().bytes("key").number(0).cost_ecdsa(),
        ),
        (
            "cost_sign_with_schnorr",
            ALL,
            program().bytes("key").number(0).cost_schnorr(),
        ),
        (
            "cost_vetkd_derive_key",
            ALL,
            program().bytes("key").number(0).cost_vetkd(),
        ),
        ("env_var_count", ALL, program().env_count()),
        (
            "env_var_name_exists",
            ALL,
            program().bytes("A").env_exists(),
        ),
        ("debug_print", ALL, program().bytes("x").print()),
        // At the end, because a planted answer to it shows in every context.
        ("msg_deadline", ANSWER, program().deadline()),
    ]
}

/// Whether the table allows the function in a context.
fn allows(contexts: &str, context: &str) -> bool {
    contexts.split(' ').any(|one| one == context)
}

/// Every function must be allowed in the context exactly when the table says so; `try_in` runs a
/// program there and says whether it went through.
#[track_caller]
fn as_in_the_table(
    w: &mut World<'_>,
    context: &str,
    try_in: &mut dyn FnMut(&mut World<'_>, &Program) -> Checked<bool>,
) -> Checked<()> {
    let mut wrong = Vec::new();
    for (name, contexts, using) in functions() {
        if try_in(w, &using)? != allows(contexts, context) {
            wrong.push(name);
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        fail(format_args!(
            "in {context} these are not as in the table: {wrong:?}"
        ))
    }
}

/// Whether the function is allowed, by how its message was answered: forbidden is IC0504.
#[track_caller]
fn allowed(answer: &Answer) -> Checked<bool> {
    match answer {
        Ok(_) => Ok(true),
        Err(reject) => match (reject.code, reject.error) {
            (5, Some(504) | None) => Ok(false),
            // The reject that was asked for, a message that was not accepted, or no answer at all.
            (4, Some(406) | None) | (5, Some(506)) => Ok(true),
            _ => fail(format_args!("neither allowed nor forbidden: {reject:?}")),
        },
    }
}

fn update(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    as_in_the_table(w, "U", &mut |w, using| allowed(&w.run(id, using)?))
}

fn replicated_query(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    as_in_the_table(w, "RQ", &mut |w, using| {
        allowed(&w.backend.update(owner(), id, "ask", using.encoded())?)
    })
}

fn non_replicated_query(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    as_in_the_table(w, "NRQ", &mut |w, using| allowed(&w.ask(id, using)?))
}

fn composite_query(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    as_in_the_table(w, "CQ", &mut |w, using| allowed(&w.compose(id, using)?))
}

fn reply_callback(w: &mut World<'_>) -> Checked<()> {
    let (id, other) = (w.canister()?, w.canister()?);
    as_in_the_table(w, "Ry", &mut |w, using| {
        let calling = call(other, &program().say("")).on_reply(using.clone());
        allowed(&w.run(id, &program().call(&calling))?)
    })
}

fn reject_callback(w: &mut World<'_>) -> Checked<()> {
    let (id, other) = (w.canister()?, w.canister()?);
    as_in_the_table(w, "Rt", &mut |w, using| {
        let calling = call(other, &program().bytes("no").reject()).on_reject(using.clone());
        allowed(&w.run(id, &program().call(&calling))?)
    })
}

fn composite_reply_callback(w: &mut World<'_>) -> Checked<()> {
    let (id, other) = (w.canister()?, w.canister()?);
    as_in_the_table(w, "CRy", &mut |w, using| {
        let calling = call_to(other, "ask", program().say("").encoded()).on_reply(using.clone());
        allowed(&w.compose(id, &program().call(&calling))?)
    })
}

fn composite_reject_callback(w: &mut World<'_>) -> Checked<()> {
    let (id, other) = (w.canister()?, w.canister()?);
    as_in_the_table(w, "CRt", &mut |w, using| {
        let calling = call_to(other, "ask", program().bytes("no").reject().encoded())
            .on_reject(using.clone());
        allowed(&w.compose(id, &program().call(&calling))?)
    })
}

fn cleanup_callback(w: &mut World<'_>) -> Checked<()> {
    let (id, other) = (w.canister()?, w.canister()?);
    let mut so_far = 0;
    as_in_the_table(w, "C", &mut |w, using| {
        // The mark stays only when the cleanup returns.
        let calling = call(other, &program().bytes("no").reject())
            .answered(&program().fail())
            .on_cleanup(using.clone().bump(0, 1));
        refused(w.run(id, &program().call(&calling))?, 5, 503)?;
        let marks = w.counter(id, 0)?;
        let went_through = marks > so_far;
        so_far = marks;
        Ok(went_through)
    })
}

fn init(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(1_000 * T)?;
    as_in_the_table(w, "I", &mut |w, using| {
        allowed(&w.try_install(id, InstallMode::reinstall, universal(), using)?)
    })
}

fn post_upgrade(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    as_in_the_table(w, "I", &mut |w, using| {
        allowed(&w.try_install(id, UPGRADE, universal(), using)?)
    })
}

fn pre_upgrade(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    as_in_the_table(w, "G", &mut |w, using| {
        w.act(id, &program().on_pre_upgrade(using))?;
        allowed(&w.try_install(id, UPGRADE, universal(), &program())?)
    })
}

fn inspect_message(w: &mut World<'_>) -> Checked<()> {
    // The program comes with init, since messages are inspected from then on.
    as_in_the_table(w, "F", &mut |w, using| {
        let id = w.empty(100 * T)?;
        let init = program().on_inspect(using);
        let installed = w.try_install(id, InstallMode::install, with_inspection(), &init)?;
        same(installed.is_ok(), true)?;
        let answer = w.run(id, &program().say(""))?;
        // Allowed, but for `accept_message` itself, means refused for want of it: IC0406.
        allowed(&answer)
    })
}

fn global_timer(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let mut so_far = 0;
    as_in_the_table(w, "T", &mut |w, using| {
        w.act(
            id,
            &program().on_timer(&using.clone().bump(0, 1)).timer_at(1),
        )?;
        w.tick()?;
        let marks = w.counter(id, 0)?;
        let went_through = marks > so_far;
        so_far = marks;
        Ok(went_through)
    })
}

fn heartbeat(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister_of(with_heartbeat())?;
    let mut so_far = 0;
    as_in_the_table(w, "T", &mut |w, using| {
        w.act(id, &program().on_heartbeat(&using.clone().bump(0, 1)))?;
        w.ticks(2)?;
        let marks = w.counter(id, 0)?;
        let went_through = marks > so_far;
        w.act(id, &program().on_heartbeat(&program()))?;
        so_far = w.counter(id, 0)?;
        Ok(went_through)
    })
}
