//! Canisters with 64-bit memory: wider types, the same behaviour.

use crate::backend::Plant;
use crate::case::cases;
use crate::check::{Checked, refused_with, says};
use crate::modules::{assemble, wide};
use crate::program::program;
use crate::world::{World, owner};

cases! {
    "wide":
    "interface specification, System API; 64-bit canisters" => wide_canister_keeps_and_answers(Plant::Answer);
    "interface specification, System API; 64-bit canisters" => wide_canister_calls_and_is_called_back(Plant::Answer);
    "interface specification, System API; 64-bit canisters" => wide_address_outside_the_heap_traps(Plant::Answer);
    "interface specification, WebAssembly module; imports" => wide_canister_needs_wide_imports(Plant::Answer);
}

fn wide_canister_keeps_and_answers(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister_of(wide())?;
    let mut run = |method, arg: &[u8]| w.backend.update(owner(), id, method, arg.to_vec());
    says(run("keep", b"8 bytes!")?, "")?;
    says(run("kept", b"")?, "8 bytes!")
}

fn wide_canister_calls_and_is_called_back(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister_of(wide())?;
    let mut run = |method, arg: &[u8]| w.backend.update(owner(), id, method, arg.to_vec());
    says(run("keep", b"8 bytes!")?, "")?;
    // The callback puts its environment, a capital E, before the answer.
    says(run("ask_myself", b"")?, "E8 bytes!")
}

fn wide_address_outside_the_heap_traps(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister_of(wide())?;
    let answer = w.backend.update(owner(), id, "outside", Vec::new())?;
    refused_with(answer, 5, &[502])
}

fn wide_canister_needs_wide_imports(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister_of(wide())?;
    let narrow = r#"(module
        (import "ic0" "msg_reply_data_append" (func (param i32 i32)))
        (memory i64 1))"#;
    let anew = crate::management::InstallMode::reinstall;
    let answer = w.try_install(id, anew, &assemble(narrow), &program())?;
    refused_with(answer, 5, &[505])
}
