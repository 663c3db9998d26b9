//! Reject codes and error codes, where users and canisters see them.

use ic_principal::Principal;

use crate::backend::Plant;
use crate::case::cases;
use crate::check::{Checked, Seen, refused, refused_with, same, saw_reject, seen};
use crate::management::{InstallMode, SettingsArg, about, install_arg, settings_arg};
use crate::modules::universal;
use crate::program::{call_to, manage, program};
use crate::world::{MANAGEMENT, T, World, encode_nothing, owner, stranger};

cases! {
    "codes":
    "interface specification, Reject codes" => explicit_reject_is_four(Plant::Answer);
    "interface specification, Reject codes" => called_trap_is_five(Plant::Answer);
    "interface specification, Reject codes" => unreachable_is_five(Plant::Answer);
    "interface specification, Reject codes" => contract_violation_is_five(Plant::Answer);
    "interface specification, Reject codes" => heap_out_of_bounds_is_five(Plant::Answer);
    "interface specification, Reject codes" => missing_method_is_five(Plant::Answer);
    "interface specification, Reject codes" => missing_method_is_five_for_canisters(Plant::Answer);
    "interface specification, Reject codes" => missing_canister_is_three(Plant::Answer);
    "interface specification, Reject codes" => missing_canister_is_three_for_canisters(Plant::Answer);
    "interface specification, Reject codes" => empty_canister_is_five(Plant::Answer);
    "interface specification, Reject codes" => empty_canister_is_five_for_canisters(Plant::Answer);
    "interface specification, Reject codes" => stopped_canister_is_five(Plant::Answer);
    "interface specification, Reject codes" => stopped_canister_is_five_for_canisters(Plant::Answer);
    "interface specification, Reject codes" => trap_is_five_for_canisters(Plant::Answer);
    "interface specification, IC management canister" => strangers_cannot_manage(Plant::Answer);
    "interface specification, IC management canister" => stranger_canisters_cannot_manage(Plant::Answer);
    "interface specification, IC management canister" => unknown_management_method_is_refused(Plant::Answer);
    "interface specification, IC management canister" => malformed_management_argument_is_refused(Plant::Answer);
    "interface specification, IC management canister" => users_cannot_create_canisters(Plant::Answer);
    "interface specification, IC management canister" => users_cannot_draw_randomness(Plant::Answer);
    "interface specification, IC management canister" => users_cannot_ask_for_info(Plant::Answer);
    "interface specification, IC management canister" => managing_a_missing_canister_is_three(Plant::Answer);
    "interface specification, IC management canister, sender_canister_version" => wrong_sender_version_is_refused(Plant::Answer);
    "interface specification, IC management canister, sender_canister_version" => right_sender_version_is_accepted(Plant::Answer);
}

/// An id that nobody ever gets: it belongs to no subnet's range.
fn nobody(w: &mut World<'_>) -> Checked<Principal> {
    let id = w.canister()?;
    w.stop(id)?;
    crate::check::replied(w.manage("delete_canister", about(id))?)?;
    Ok(id)
}

fn explicit_reject_is_four(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.run(id, &program().bytes("no").reject())?, 4, 406)
}

fn called_trap_is_five(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.run(id, &program().fail())?, 5, 503)
}

fn unreachable_is_five(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.run(id, &program().unreachable())?, 5, 502)
}

fn contract_violation_is_five(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.run(id, &program().number(2).performance())?, 5, 504)
}

fn heap_out_of_bounds_is_five(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(
        w.run(id, &program().number(0xffff_fff0).memory_load8())?,
        5,
        502,
    )
}

fn missing_method_is_five(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.backend.update(owner(), id, "nope", Vec::new())?, 5, 536)
}

fn missing_method_is_five_for_canisters(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    saw_reject(
        w.run(caller, &program().call(&call_to(callee, "nope", "")))?,
        5,
    )
}

fn missing_canister_is_three(w: &mut World<'_>) -> Checked<()> {
    let id = nobody(w)?;
    refused(w.run(id, &program())?, 3, 301)
}

fn missing_canister_is_three_for_canisters(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, nobody(w)?);
    saw_reject(
        w.run(caller, &program().call(&call_to(callee, "run", "")))?,
        3,
    )
}

fn empty_canister_is_five(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(10 * T)?;
    refused(w.run(id, &program().say(""))?, 5, 537)
}

fn empty_canister_is_five_for_canisters(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.empty(10 * T)?);
    saw_reject(
        w.run(caller, &program().call(&call_to(callee, "run", "")))?,
        5,
    )
}

fn stopped_canister_is_five(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.stop(id)?;
    refused(w.run(id, &program().say(""))?, 5, 508)
}

fn stopped_canister_is_five_for_canisters(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    w.stop(callee)?;
    let body = program().say("").encoded();
    saw_reject(
        w.run(caller, &program().call(&call_to(callee, "run", body)))?,
        5,
    )
}

fn trap_is_five_for_canisters(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let body = program().fail().encoded();
    saw_reject(
        w.run(caller, &program().call(&call_to(callee, "run", body)))?,
        5,
    )
}

fn strangers_cannot_manage(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    for method in [
        "stop_canister",
        "start_canister",
        "uninstall_code",
        "delete_canister",
    ] {
        refused(w.manage_as(stranger(), method, about(id))?, 5, 512)?;
    }
    let settings = settings_arg(id, SettingsArg::default());
    refused(
        w.manage_as(stranger(), "update_settings", settings)?,
        5,
        512,
    )?;
    let install = install_arg(id, InstallMode::reinstall, universal(), &[]);
    refused(w.manage_as(stranger(), "install_code", install)?, 5, 512)
}

fn stranger_canisters_cannot_manage(w: &mut World<'_>) -> Checked<()> {
    let (caller, other) = (w.canister()?, w.canister()?);
    for method in ["stop_canister", "uninstall_code", "canister_status"] {
        saw_reject(
            w.run(caller, &program().call(&manage(method, about(other))))?,
            5,
        )?;
    }
    Ok(())
}

fn unknown_management_method_is_refused(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let answer = w.run(id, &program().call(&manage("no_such_method", about(id))))?;
    match seen(answer)? {
        Seen::Reject(code) => same((3..=5).contains(&code), true),
        found @ Seen::Reply(_) => same(found, Seen::Reject(5)),
    }
}

fn malformed_management_argument_is_refused(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let body = program().call(&manage("deposit_cycles", "no Candid"));
    saw_reject(w.run(id, &body)?, 4)
}

fn users_cannot_create_canisters(w: &mut World<'_>) -> Checked<()> {
    let answer = w
        .backend
        .update(owner(), MANAGEMENT, "create_canister", encode_nothing())?;
    refused(answer, 4, 406)
}

fn users_cannot_draw_randomness(w: &mut World<'_>) -> Checked<()> {
    let answer = w
        .backend
        .update(owner(), MANAGEMENT, "raw_rand", encode_nothing())?;
    refused(answer, 4, 406)
}

fn users_cannot_ask_for_info(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.manage("canister_info", about(id))?, 4, 406)
}

fn managing_a_missing_canister_is_three(w: &mut World<'_>) -> Checked<()> {
    let (caller, gone) = (w.canister()?, nobody(w)?);
    for method in [
        "canister_status",
        "start_canister",
        "canister_info",
        "deposit_cycles",
    ] {
        saw_reject(
            w.run(caller, &program().call(&manage(method, about(gone))))?,
            3,
        )?;
    }
    refused_with(w.manage("canister_status", about(gone))?, 3, &[301])
}

/// `uninstall_code` with a stated version.
#[derive(candid::CandidType)]
struct Stated {
    canister_id: Principal,
    sender_canister_version: Option<u64>,
}

/// A call of `uninstall_code` about a child that states a version: the own one and `off` more.
fn stating(w: &mut World<'_>, off: u64) -> Checked<crate::backend::Answer> {
    let parent = w.canister()?;
    let child = w.empty_child_of(parent)?;
    // The version stands in the last eight bytes of the argument.
    let arg = crate::management::encode(&Stated {
        canister_id: child,
        sender_canister_version: Some(u64::MAX),
    });
    let place = arg.windows(8).position(|window| window == [0xff; 8]);
    let Some(place) = place else {
        return crate::check::fail("bug: the version is not in the argument");
    };
    let built = program()
        .bytes(&arg[..place])
        .version()
        .number(off)
        .add()
        .concat()
        .bytes(&arg[place + 8..])
        .concat();
    w.run(
        parent,
        &program().call(&manage("uninstall_code", "").arg(built)),
    )
}

fn wrong_sender_version_is_refused(w: &mut World<'_>) -> Checked<()> {
    let answer = stating(w, 7)?;
    match seen(answer)? {
        Seen::Reject(code) => same((4..=5).contains(&code), true),
        found @ Seen::Reply(_) => same(found, Seen::Reject(5)),
    }
}

fn right_sender_version_is_accepted(w: &mut World<'_>) -> Checked<()> {
    let answer = stating(w, 0)?;
    same(seen(answer)?, Seen::Reply(encode_nothing()))
}
