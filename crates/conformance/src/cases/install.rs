//! Installing, reinstalling, upgrading; what stays and what goes; which modules are refused.

use serde_bytes::ByteBuf;

use crate::backend::Plant;
use crate::case::cases;
use crate::check::{Checked, number, refused, refused_with, replied, same, saw_reply, says};
use crate::management::{InstallMode, UPGRADE, UPGRADE_SKIPPING, sha256};
use crate::modules::{assemble, gzipped, universal, universal_twin, with_start};
use crate::program::{Program, program};
use crate::world::{T, World, owner};

cases! {
    "install":
    "interface specification, install_code" => install_needs_an_empty_canister(Plant::Answer);
    "interface specification, install_code" => init_runs_with_its_argument(Plant::Answer);
    "interface specification, install_code" => init_sees_the_installer_as_caller(Plant::Answer);
    "interface specification, install_code" => trapping_init_leaves_it_empty(Plant::Answer);
    "interface specification, install_code" => module_hash_is_of_the_bytes_sent(Plant::Field("module_hash"));
    "interface specification, install_code" => gzipped_module_keeps_its_hash(Plant::Field("module_hash"));
    "interface specification, install_code" => reinstall_clears_everything(Plant::Answer);
    "interface specification, install_code" => reinstall_works_on_an_empty_canister(Plant::Answer);
    "interface specification, install_code" => upgrade_keeps_stable_memory_only(Plant::Answer);
    "interface specification, install_code" => upgrade_needs_code(Plant::Answer);
    "interface specification, install_code" => upgrade_runs_pre_and_post(Plant::Answer);
    "interface specification, install_code" => upgrade_does_not_run_init(Plant::Answer);
    "interface specification, install_code" => trapping_pre_upgrade_changes_nothing(Plant::Answer);
    "interface specification, install_code" => trapping_post_upgrade_changes_nothing(Plant::Answer);
    "interface specification, install_code" => pre_upgrade_can_be_skipped(Plant::Answer);
    "interface specification, install_code" => upgrade_to_the_same_module_works(Plant::Answer);
    "interface specification, install_code" => upgrade_keeps_certified_data(Plant::Bytes("certified-bytes"));
    "interface specification, Canister version" => pre_upgrade_sees_the_old_version(Plant::Answer);
    "interface specification, WebAssembly module, start" => start_function_runs_at_install(Plant::Answer);
    "interface specification, WebAssembly module, start" => start_function_runs_at_upgrade(Plant::Answer);
    "interface specification, install_code; open call contexts" => callback_runs_in_the_new_module(Plant::Answer);
    "interface specification, install_code; open call contexts" => reinstall_keeps_open_calls(Plant::Answer);
    "interface specification, install_code; open call contexts" => old_index_of_another_type_traps(Plant::Answer);
    "interface specification, WebAssembly module" => unknown_import_is_refused(Plant::Answer);
    "interface specification, WebAssembly module" => import_of_another_type_is_refused(Plant::Answer);
    "interface specification, WebAssembly module" => import_from_elsewhere_is_refused(Plant::Answer);
    "interface specification, WebAssembly module" => export_of_another_type_is_refused(Plant::Answer);
    "interface specification, WebAssembly module" => one_name_in_two_kinds_is_refused(Plant::Answer);
    "interface specification, WebAssembly module" => unknown_canister_export_is_refused(Plant::Answer);
    "interface specification, WebAssembly module" => garbage_is_refused(Plant::Answer);
    "interface specification, WebAssembly module" => truncated_module_is_refused(Plant::Answer);
    "interface specification, WebAssembly module" => refused_module_changes_nothing(Plant::Answer);
    "interface specification, WebAssembly module" => method_names_may_hold_spaces(Plant::Answer);
}

fn install_needs_an_empty_canister(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(
        w.try_install(id, InstallMode::install, universal(), &program())?,
        5,
        514,
    )
}

/// An empty canister that gets the universal module with a program for init.
fn with_init(w: &mut World<'_>, init: &Program) -> Checked<ic_principal::Principal> {
    let id = w.empty(100 * T)?;
    replied(w.try_install(id, InstallMode::install, universal(), init)?)?;
    Ok(id)
}

fn init_runs_with_its_argument(w: &mut World<'_>) -> Checked<()> {
    let id = with_init(w, &program().bump(0, 11))?;
    same(w.counter(id, 0)?, 11)
}

fn init_sees_the_installer_as_caller(w: &mut World<'_>) -> Checked<()> {
    let id = with_init(w, &program().number(1).caller().cell_set())?;
    says(w.ask(id, &program().kept(1).reply())?, owner())
}

fn trapping_init_leaves_it_empty(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    refused(
        w.try_install(id, InstallMode::install, universal(), &program().fail())?,
        5,
        503,
    )?;
    same(w.status(id)?.module_hash, None)?;
    refused(w.run(id, &program().say(""))?, 5, 537)
}

fn module_hash_is_of_the_bytes_sent(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    same(
        w.status(id)?.module_hash,
        Some(ByteBuf::from(sha256(universal()))),
    )
}

fn gzipped_module_keeps_its_hash(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister_of(gzipped())?;
    says(w.run(id, &program().say("runs"))?, "runs")?;
    same(
        w.status(id)?.module_hash,
        Some(ByteBuf::from(sha256(gzipped()))),
    )
}

fn reinstall_clears_everything(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(
        id,
        &program().bump(0, 5).number(1).stable_grow().store(0, "x"),
    )?;
    replied(w.try_install(id, InstallMode::reinstall, universal(), &program())?)?;
    same(w.counter(id, 0)?, 0)?;
    same(number(w.ask(id, &program().stable_size().reply())?)?, 0)
}

fn reinstall_works_on_an_empty_canister(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    replied(w.try_install(id, InstallMode::reinstall, universal(), &program())?)?;
    says(w.run(id, &program().say("runs"))?, "runs")
}

fn upgrade_keeps_stable_memory_only(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().bump(0, 5).number(9).global_set())?;
    w.act(id, &program().number(1).stable_grow().store(7, "kept"))?;
    w.upgrade(id, universal_twin(), &program())?;
    same(w.counter(id, 0)?, 0)?;
    same(number(w.ask(id, &program().global_get().reply())?)?, 0)?;
    says(w.ask(id, &program().load(7, 4).reply())?, "kept")
}

fn upgrade_needs_code(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    refused(w.try_install(id, UPGRADE, universal(), &program())?, 5, 537)
}

fn upgrade_runs_pre_and_post(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(
        id,
        &program().on_pre_upgrade(&program().number(1).stable_grow().store(0, "pre")),
    )?;
    w.upgrade(id, universal(), &program().store(3, "post"))?;
    says(w.ask(id, &program().load(0, 7).reply())?, "prepost")
}

fn upgrade_does_not_run_init(w: &mut World<'_>) -> Checked<()> {
    let id = with_init(w, &program().number(1).stable_grow().store(0, "init"))?;
    w.upgrade(id, universal(), &program().bump(0, 1))?;
    same(number(w.ask(id, &program().stable_size().reply())?)?, 1)?;
    same(w.counter(id, 0)?, 1)
}

fn trapping_pre_upgrade_changes_nothing(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(
        id,
        &program()
            .bump(0, 5)
            .on_pre_upgrade(&program().bump(0, 1).fail()),
    )?;
    refused(
        w.try_install(id, UPGRADE, universal_twin(), &program())?,
        5,
        503,
    )?;
    same(
        w.status(id)?.module_hash,
        Some(ByteBuf::from(sha256(universal()))),
    )?;
    same(w.counter(id, 0)?, 5)
}

fn trapping_post_upgrade_changes_nothing(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let pre = program().number(1).stable_grow().store(0, "pre");
    w.act(id, &program().bump(0, 5).on_pre_upgrade(&pre))?;
    refused(
        w.try_install(id, UPGRADE, universal_twin(), &program().fail())?,
        5,
        503,
    )?;
    same(
        w.status(id)?.module_hash,
        Some(ByteBuf::from(sha256(universal()))),
    )?;
    same(number(w.ask(id, &program().stable_size().reply())?)?, 0)?;
    same(w.counter(id, 0)?, 5)
}

fn pre_upgrade_can_be_skipped(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().on_pre_upgrade(&program().fail()))?;
    replied(w.try_install(id, UPGRADE_SKIPPING, universal(), &program())?)?;
    says(w.run(id, &program().say("runs"))?, "runs")
}

fn upgrade_to_the_same_module_works(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().bump(0, 5))?;
    w.upgrade(id, universal(), &program())?;
    same(w.counter(id, 0)?, 0)
}

fn upgrade_keeps_certified_data(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().bytes("certified-bytes").certify())?;
    w.upgrade(id, universal(), &program())?;
    w.tick()?;
    let certificate = replied(w.ask(id, &program().certificate().reply())?)?;
    // Byte by byte equality is not to be had; the last bytes are the signature.
    same(
        crate::check::contains(&certificate, b"certified-bytes"),
        true,
    )?;
    says(w.ask(id, &program().say("done"))?, "done")
}

fn pre_upgrade_sees_the_old_version(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let note = program().number(0).version().stable_write();
    w.act(id, &program().number(1).stable_grow().on_pre_upgrade(&note))?;
    let before = number(w.ask(id, &program().version().reply())?)?;
    w.upgrade(
        id,
        universal(),
        &program().number(8).version().stable_write(),
    )?;
    same(number(w.ask(id, &program().load(0, 8).reply())?)?, before)?;
    same(
        number(w.ask(id, &program().load(8, 8).reply())?)?,
        before + 1,
    )
}

fn start_function_runs_at_install(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister_of(with_start())?;
    same(w.counter(id, 200)?, 1)?;
    same(number(w.ask(id, &program().global_get().reply())?)?, 77)
}

fn start_function_runs_at_upgrade(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.upgrade(id, with_start(), &program().bump(200, 10))?;
    same(w.counter(id, 200)?, 11)
}

fn callback_runs_in_the_new_module(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    // Entry 1 of the table notes its environment in stable memory, in both modules.
    let arg = crate::management::info_arg(id, 0);
    let body = program().call_entry(crate::world::MANAGEMENT, "canister_info", &arg, (1, 4_711));
    let message = w.submit(id, &body)?;
    w.tick()?;
    w.upgrade(id, universal_twin(), &program())?;
    w.ticks(3)?;
    refused(w.answered(&message)?, 5, 506)?;
    says(
        w.ask(id, &program().load(0, 16).reply())?,
        [1u64.to_le_bytes(), 4_711u64.to_le_bytes()].concat(),
    )
}

fn reinstall_keeps_open_calls(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let arg = crate::management::info_arg(id, 0);
    let body = program().call_entry(crate::world::MANAGEMENT, "canister_info", &arg, (1, 99));
    w.submit(id, &body)?;
    w.tick()?;
    replied(w.try_install(id, InstallMode::reinstall, universal(), &program())?)?;
    w.ticks(3)?;
    same(number(w.ask(id, &program().load(8, 8).reply())?)?, 99)
}

fn old_index_of_another_type_traps(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    // Entry 3 has no parameter, entry 120 is not there: the callback traps, the caller sees it.
    for entry in [3, 120] {
        let arg = crate::management::info_arg(id, 0);
        let body =
            program().call_entry(crate::world::MANAGEMENT, "canister_info", &arg, (entry, 0));
        refused_with(w.run(id, &body)?, 5, &[502, 504, 513])?;
    }
    Ok(())
}

/// The module must be refused as invalid.
#[track_caller]
fn refuses(w: &mut World<'_>, wasm: &[u8]) -> Checked<()> {
    let id = w.empty(100 * T)?;
    refused(
        w.try_install(id, InstallMode::install, wasm, &program())?,
        5,
        505,
    )
}

fn unknown_import_is_refused(w: &mut World<'_>) -> Checked<()> {
    refuses(
        w,
        &assemble(r#"(module (import "ic0" "no_such_function" (func)))"#),
    )
}

fn import_of_another_type_is_refused(w: &mut World<'_>) -> Checked<()> {
    refuses(
        w,
        &assemble(r#"(module (import "ic0" "msg_reply" (func (param i32))))"#),
    )
}

fn import_from_elsewhere_is_refused(w: &mut World<'_>) -> Checked<()> {
    refuses(
        w,
        &assemble(r#"(module (import "env" "memory" (memory 1)))"#),
    )
}

fn export_of_another_type_is_refused(w: &mut World<'_>) -> Checked<()> {
    refuses(
        w,
        &assemble(r#"(module (func (export "canister_update a") (param i32)))"#),
    )
}

fn one_name_in_two_kinds_is_refused(w: &mut World<'_>) -> Checked<()> {
    let text = r#"(module (func (export "canister_update a")) (func (export "canister_query a")))"#;
    refuses(w, &assemble(text))
}

fn unknown_canister_export_is_refused(w: &mut World<'_>) -> Checked<()> {
    refuses(w, &assemble(r#"(module (func (export "canister_dance")))"#))
}

fn garbage_is_refused(w: &mut World<'_>) -> Checked<()> {
    refuses(w, b"this is no module at all")
}

fn truncated_module_is_refused(w: &mut World<'_>) -> Checked<()> {
    refuses(w, &universal()[..universal().len() - 10])
}

fn refused_module_changes_nothing(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().bump(0, 3))?;
    refused(w.try_install(id, UPGRADE, b"garbage", &program())?, 5, 505)?;
    refused(
        w.try_install(id, InstallMode::reinstall, b"garbage", &program())?,
        5,
        505,
    )?;
    same(w.counter(id, 0)?, 3)
}

fn method_names_may_hold_spaces(w: &mut World<'_>) -> Checked<()> {
    let wasm = assemble(
        r#"(module (import "ic0" "msg_reply" (func $reply))
             (func (export "canister_update <an> internal: name") (call $reply)))"#,
    );
    let id = w.canister_of(&wasm)?;
    let caller = w.canister()?;
    says(
        w.backend
            .update(owner(), id, "<an> internal: name", Vec::new())?,
        "",
    )?;
    let calling = crate::program::call_to(id, "<an> internal: name", "");
    saw_reply(w.run(caller, &program().call(&calling))?, "")
}
