//! Single functions of the System API, and messages that a canister inspects before it takes them.

use crate::backend::Plant;
use crate::case::cases;
use crate::check::{
    Checked, amount, contains, differ, number, refused, refused_with, replied, same, saw_reply,
    says,
};
use crate::management::InstallMode;
use crate::modules::with_inspection;
use crate::program::{Program, program};
use crate::world::{T, World, owner, relay, stranger};

cases! {
    "api":
    "interface specification, canister_self" => own_id_is_told(Plant::Answer);
    "interface specification, subnet_self" => subnet_id_is_told(Plant::Answer);
    "interface specification, msg_arg_data_copy" => copying_beyond_the_argument_traps(Plant::Answer);
    "interface specification, canister_cycle_balance128" => balance_is_told(Plant::Answer);
    "interface specification, root_key" => root_key_is_a_der_key(Plant::Answer);
    "interface specification, Certified data" => certified_data_has_32_bytes_at_most(Plant::Answer);
    "interface specification, Certified data" => certificate_comes_with_queries_only(Plant::Answer);
    "interface specification, Certified data" => certificate_holds_the_data(Plant::Bytes("certified-here"));
    "interface specification, cost_sign_with_ecdsa" => unknown_curves_and_keys_have_codes(Plant::Answer);
    "interface specification, is_controller" => no_principal_is_too_long(Plant::Answer);
    "interface specification, memory.grow" => heap_grows_and_tells(Plant::Answer);
    "interface specification, Performance counter" => third_counter_traps(Plant::Answer);
    "interface specification, Message inspection" => unaccepted_message_is_refused(Plant::Answer);
    "interface specification, Message inspection" => accepted_message_is_executed(Plant::Answer);
    "interface specification, Message inspection" => accepting_twice_traps(Plant::Answer);
    "interface specification, Message inspection" => inspection_sees_the_caller(Plant::Answer);
    "interface specification, Message inspection" => inspection_sees_the_method(Plant::Answer);
    "interface specification, Message inspection" => inspection_sees_the_argument(Plant::Answer);
    "interface specification, Message inspection" => inspection_keeps_no_state(Plant::Answer);
    "interface specification, Message inspection" => trapped_inspection_refuses(Plant::Answer);
    "interface specification, Message inspection" => canisters_are_not_inspected(Plant::Answer);
    "interface specification, Message inspection" => queries_are_not_inspected(Plant::Answer);
    "interface specification, Message inspection" => refused_message_costs_nothing(Plant::Balance);
    "interface specification, Message inspection; 200 M instructions" => inspection_has_an_instruction_limit(Plant::Answer);
}

fn own_id_is_told(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    says(w.run(id, &program().self_id().reply())?, id)
}

fn subnet_id_is_told(w: &mut World<'_>) -> Checked<()> {
    let (one, other) = (w.canister()?, w.canister()?);
    let subnet = replied(w.run(one, &program().subnet().reply())?)?;
    differ(subnet.clone(), one.as_slice().to_vec())?;
    says(w.run(other, &program().subnet().reply())?, subnet)
}

fn copying_beyond_the_argument_traps(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(
        w.run(id, &program().number(0).number(1_000).arg_copy())?,
        5,
        504,
    )?;
    refused(
        w.run(id, &program().number(1_000).number(0).arg_copy())?,
        5,
        504,
    )
}

fn balance_is_told(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    // A query pays nothing and withholds nothing.
    let wanted = w.cycles(id)?;
    same(amount(w.ask(id, &program().balance().reply())?)?, wanted)
}

fn root_key_is_a_der_key(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let key = replied(w.run(id, &program().root_key().reply())?)?;
    // DER of a BLS key: 37 bytes in front of 96.
    same(key.len(), 133)?;
    same(key[..3].to_vec(), vec![0x30, 0x81, 0x82])?;
    says(w.run(id, &program().root_key().reply())?, key)
}

fn certified_data_has_32_bytes_at_most(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    says(
        w.run(id, &program().bytes([1; 32]).certify().say("fits"))?,
        "fits",
    )?;
    refused(
        w.run(id, &program().bytes([1; 33]).certify().say(""))?,
        5,
        504,
    )
}

fn certificate_comes_with_queries_only(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let present = program().certificate_present().reply();
    same(number(w.run(id, &present)?)?, 0)?;
    same(number(w.ask(id, &present)?)?, 1)
}

fn certificate_holds_the_data(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().bytes("certified-here").certify())?;
    w.tick()?;
    let certificate = replied(w.ask(id, &program().certificate().reply())?)?;
    same(contains(&certificate, b"certified-here"), true)?;
    says(w.ask(id, &program().say("done"))?, "done")
}

fn unknown_curves_and_keys_have_codes(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    same(
        number(w.run(id, &program().bytes("key").number(99).cost_ecdsa().reply())?)?,
        1,
    )?;
    same(
        number(
            w.run(
                id,
                &program()
                    .bytes("no such key")
                    .number(0)
                    .cost_ecdsa()
                    .reply(),
            )?,
        )?,
        2,
    )
}

fn no_principal_is_too_long(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused_with(
        w.run(id, &program().bytes([1; 30]).controlled_by())?,
        5,
        &[502, 504],
    )
}

fn heap_grows_and_tells(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let before = number(w.run(id, &program().memory_size().reply())?)?;
    same(
        number(w.run(id, &program().number(3).memory_grow().reply())?)?,
        before,
    )?;
    same(
        number(w.run(id, &program().memory_size().reply())?)?,
        before + 3,
    )
}

fn third_counter_traps(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.run(id, &program().number(2).performance())?, 5, 504)
}

/// A canister that inspects its messages with a program.
fn inspecting(w: &mut World<'_>, inspection: &Program) -> Checked<ic_principal::Principal> {
    let id = w.empty(100 * T)?;
    let init = program().on_inspect(inspection);
    replied(w.try_install(id, InstallMode::install, with_inspection(), &init)?)?;
    Ok(id)
}

fn unaccepted_message_is_refused(w: &mut World<'_>) -> Checked<()> {
    let id = inspecting(w, &program())?;
    refused(w.run(id, &program().say(""))?, 4, 406)
}

fn accepted_message_is_executed(w: &mut World<'_>) -> Checked<()> {
    let id = inspecting(w, &program().accept_message())?;
    says(w.run(id, &program().say("in"))?, "in")
}

fn accepting_twice_traps(w: &mut World<'_>) -> Checked<()> {
    let id = inspecting(w, &program().accept_message().accept_message())?;
    refused(w.run(id, &program().say(""))?, 5, 504)
}

fn inspection_sees_the_caller(w: &mut World<'_>) -> Checked<()> {
    // Accepts controllers only.
    let accept = program().accept_message();
    let id = inspecting(w, &program().caller().controlled_by().code(&accept).when())?;
    let body = program().say("in").encoded();
    says(w.backend.update(owner(), id, "run", body.clone())?, "in")?;
    refused(w.backend.update(stranger(), id, "run", body)?, 4, 406)
}

fn inspection_sees_the_method(w: &mut World<'_>) -> Checked<()> {
    let accept = program().accept_message();
    let is_run = program()
        .method_name()
        .bytes("run")
        .equal()
        .code(&accept)
        .when();
    let id = inspecting(w, &is_run)?;
    says(w.run(id, &program().say("in"))?, "in")?;
    refused(
        w.backend
            .update(owner(), id, "ask", program().say("").encoded())?,
        4,
        406,
    )
}

fn inspection_sees_the_argument(w: &mut World<'_>) -> Checked<()> {
    let accept = program().accept_message();
    let short = program().arg_size().number(100).less().code(&accept).when();
    let id = inspecting(w, &short)?;
    says(w.run(id, &program().say("short"))?, "short")?;
    refused(w.run(id, &program().say([7; 200]))?, 4, 406)
}

fn inspection_keeps_no_state(w: &mut World<'_>) -> Checked<()> {
    let id = inspecting(w, &program().bump(0, 1).accept_message())?;
    says(w.run(id, &program().say("in"))?, "in")?;
    same(w.counter(id, 0)?, 0)
}

fn trapped_inspection_refuses(w: &mut World<'_>) -> Checked<()> {
    let id = inspecting(w, &program().accept_message().fail())?;
    refused(w.run(id, &program().say(""))?, 5, 503)
}

fn canisters_are_not_inspected(w: &mut World<'_>) -> Checked<()> {
    let (caller, id) = (w.canister()?, inspecting(w, &program())?);
    saw_reply(w.run(caller, &relay(id, &program().say("in")))?, "in")
}

fn queries_are_not_inspected(w: &mut World<'_>) -> Checked<()> {
    let id = inspecting(w, &program())?;
    says(w.ask(id, &program().say("in"))?, "in")
}

fn refused_message_costs_nothing(w: &mut World<'_>) -> Checked<()> {
    let id = inspecting(w, &program())?;
    let before = w.cycles(id)?;
    refused(w.run(id, &program().say(""))?, 4, 406)?;
    same(w.cycles(id)?, before)
}

fn inspection_has_an_instruction_limit(w: &mut World<'_>) -> Checked<()> {
    let id = inspecting(w, &program().accept_message().spin_for(10_000_000))?;
    says(w.run(id, &program().say("in"))?, "in")?;
    let id = inspecting(w, &program().accept_message().spin_for(30_000_000))?;
    refused(w.run(id, &program().say(""))?, 5, 522)
}
