//! Freezing limits, prepayments, idle costs, and running out of cycles.

use candid::Nat;
use ic_principal::Principal;

use crate::backend::Plant;
use crate::case::cases;
use crate::check::{
    Checked, amount_of, between, refused, refused_with, replied, reply_seen, same, saw_reject, says,
};
use crate::management::{InstallMode, SettingsArg, decode, have_number};
use crate::modules::universal;
use crate::program::{call, program};
use crate::world::{B, T, World, ask_management, relay};

cases! {
    "freezing":
    "cycles cost table, storage" => storage_costs_by_the_second(Plant::Balance);
    "cycles cost table, compute allocation" => compute_allocation_costs_by_the_second(Plant::Balance);
    "interface specification, canister_status" => idle_burn_is_reported(Plant::Field("idle_cycles_burned_per_day"));
    "interface specification, Freezing threshold" => frozen_canister_refuses_users(Plant::Answer);
    "interface specification, Freezing threshold" => frozen_canister_refuses_canisters(Plant::Answer);
    "interface specification, Freezing threshold" => frozen_canister_gets_its_answers(Plant::Answer);
    "interface specification, Freezing threshold" => frozen_canister_cannot_call(Plant::Answer);
    "interface specification, Freezing threshold" => liquid_balance_is_above_the_freezing_limit(Plant::Answer);
    "interface specification, Freezing threshold" => frozen_canister_can_be_thawed(Plant::Answer);
    "execution prepayments; 40 B and 5 M for an update" => update_needs_its_prepayment(Plant::Answer);
    "execution prepayments; 300 B for an install" => install_needs_its_prepayment(Plant::Answer);
    "interface specification, Cycles; running out" => broke_canister_is_uninstalled(Plant::Answer);
}

fn storage_costs_by_the_second(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().number(1_600).stable_grow())?;
    let bytes = have_number(w.status(id)?.memory_size)?;
    w.pass(100)?;
    w.ticks(2)?;
    let before = w.cycles(id)?;
    w.pass(1_000_000)?;
    w.ticks(2)?;
    let paid = before.wrapping_sub(w.cycles(id)?);
    let wanted = bytes * 127_000 * 1_000_000 / (1 << 30);
    // To the second and to the byte; the charge comes every ten seconds.
    between(paid, wanted - wanted / 50_000, wanted + wanted / 50_000)?;
    let before = w.cycles(id)?;
    w.pass(1_000_000)?;
    w.ticks(2)?;
    same(before.wrapping_sub(w.cycles(id)?), paid)
}

fn compute_allocation_costs_by_the_second(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(1_000 * T)?;
    let settings = SettingsArg {
        compute_allocation: Some(Nat::from(10u8)),
        ..SettingsArg::default()
    };
    w.set(id, settings)?;
    w.pass(100)?;
    w.ticks(2)?;
    let before = w.cycles(id)?;
    w.pass(100_000)?;
    w.ticks(2)?;
    let paid = before.wrapping_sub(w.cycles(id)?);
    between(paid, 10 * T, 10 * T + T / 1_000)?;
    let before = w.cycles(id)?;
    w.pass(100_000)?;
    w.ticks(2)?;
    same(before.wrapping_sub(w.cycles(id)?), paid)
}

fn idle_burn_is_reported(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let status = w.status(id)?;
    let bytes = have_number(status.memory_size)?;
    let told = have_number(status.idle_cycles_burned_per_day)?;
    same(told, bytes * 127_000 * 86_400 / (1 << 30))
}

/// A canister whose freezing limit lies far above its balance.
fn frozen(w: &mut World<'_>) -> Checked<Principal> {
    let id = w.canister()?;
    freeze(w, id)?;
    Ok(id)
}

fn freeze(w: &mut World<'_>, id: Principal) -> Checked<()> {
    let settings = SettingsArg {
        freezing_threshold: Some(Nat::from(1_000_000_000_000_000u64)),
        ..SettingsArg::default()
    };
    w.set(id, settings)
}

fn frozen_canister_refuses_users(w: &mut World<'_>) -> Checked<()> {
    let id = frozen(w)?;
    refused(w.run(id, &program().say(""))?, 2, 207)
}

fn frozen_canister_refuses_canisters(w: &mut World<'_>) -> Checked<()> {
    let (caller, id) = (w.canister()?, frozen(w)?);
    saw_reject(w.run(caller, &relay(id, &program().say("")))?, 2)
}

fn frozen_canister_gets_its_answers(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let message = w.submit(
        id,
        &crate::world::after_calls(id, 1, &program().say("thawed")),
    )?;
    w.tick()?;
    freeze(w, id)?;
    says(w.wait(&message)?, "thawed")
}

fn frozen_canister_cannot_call(w: &mut World<'_>) -> Checked<()> {
    let (id, other) = (w.canister()?, w.canister()?);
    let calling = call(other, &program().say("")).answered(&program());
    let late = program().try_call(&calling).reply();
    let message = w.submit(id, &crate::world::after_calls(id, 1, &late))?;
    w.tick()?;
    freeze(w, id)?;
    same(crate::check::number(w.wait(&message)?)?, 2)
}

fn liquid_balance_is_above_the_freezing_limit(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let settings = SettingsArg {
        freezing_threshold: Some(Nat::from(86_400_000u64)),
        ..SettingsArg::default()
    };
    w.set(id, settings)?;
    let burn = have_number(w.status(id)?.idle_cycles_burned_per_day)?;
    let found = replied(w.ask(id, &program().balance().liquid().concat().reply())?)?;
    let frozen = amount_of(&found[..16])?.wrapping_sub(amount_of(&found[16..])?);
    // A thousand days, to the rounding of a day's burn.
    between(frozen, burn * 1_000, (burn + 1) * 1_000)
}

fn frozen_canister_can_be_thawed(w: &mut World<'_>) -> Checked<()> {
    let id = frozen(w)?;
    let settings = SettingsArg {
        freezing_threshold: Some(Nat::from(0u8)),
        ..SettingsArg::default()
    };
    w.set(id, settings)?;
    says(w.run(id, &program().say("thawed"))?, "thawed")
}

/// A universal canister with exactly this balance and no freezing limit.
pub(super) fn poor(w: &mut World<'_>, cycles: u128) -> Checked<Principal> {
    let id = w.canister()?;
    let settings = SettingsArg {
        freezing_threshold: Some(Nat::from(0u8)),
        ..SettingsArg::default()
    };
    w.set(id, settings)?;
    // By a canister: a management call by ingress would be paid by the canister itself.
    let liquid = w.cycles(id)?;
    let burning = program()
        .amount(liquid.saturating_sub(cycles + 100 * B))
        .burn()
        .discard();
    w.act(id, &burning)?;
    // What is left is a little more than 100 B above the wish; a second burn takes the rest.
    let rest = w
        .cycles(id)?
        .saturating_sub(cycles)
        .saturating_sub(20_000_000);
    w.act(id, &program().amount(rest).burn().discard())?;
    Ok(id)
}

fn update_needs_its_prepayment(w: &mut World<'_>) -> Checked<()> {
    let caller = w.canister()?;
    let rich = poor(w, 41 * B)?;
    reply_seen(w.run(caller, &relay(rich, &program().say("")))?)?;
    let too_poor = poor(w, 39 * B)?;
    saw_reject(w.run(caller, &relay(too_poor, &program().say("")))?, 2)
}

fn install_needs_its_prepayment(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(299 * B)?;
    refused_with(
        w.try_install(id, InstallMode::install, universal(), &program())?,
        2,
        &[207],
    )?;
    let id = w.empty(400 * B)?;
    says(
        w.try_install(id, InstallMode::install, universal(), &program())?,
        crate::world::encode_nothing(),
    )
}

fn broke_canister_is_uninstalled(w: &mut World<'_>) -> Checked<()> {
    let (asker, id) = (w.canister()?, w.canister()?);
    let settings = SettingsArg {
        compute_allocation: Some(Nat::from(1u8)),
        freezing_threshold: Some(Nat::from(0u8)),
        ..SettingsArg::default()
    };
    w.set(id, settings)?;
    // 100 T at 10 M a second last 10 M seconds.
    w.pass(20_000_000)?;
    w.ticks(2)?;
    same(w.cycles(id)?, 0)?;
    w.add_cycles(asker, 1_000 * T)?;
    let asking = program().call(&ask_management(
        "canister_info",
        crate::management::info_arg(id, 1),
    ));
    let info: crate::management::Info = decode(&replied(w.run(asker, &asking)?)?)?;
    same(info.module_hash, None)?;
    refused_with(w.run(id, &program().say(""))?, 5, &[537])
}
