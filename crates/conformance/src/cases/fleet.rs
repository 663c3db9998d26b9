//! What a manager of many canisters meets: rounds of large jobs, limits on calls under way, and
//! what is left when it is upgraded or stopped in the middle.

use candid::Nat;
use ic_principal::Principal;
use serde_bytes::ByteBuf;

use crate::backend::Plant;
use crate::case::cases;
use crate::check::{
    Checked, between, fail, number, refused, refused_with, replied, reply_seen, same, saw_reject,
    says,
};
use crate::management::{
    ChangeDetails, ChangeOrigin, CreateArg, InstallMode, Running, SettingsArg, UPGRADE_SKIPPING,
    Variable, about, encode, have, info_arg, install_arg,
};
use crate::modules::{universal, universal_twin};
use crate::program::{Call, call, manage, program};
use crate::world::{B, MANAGEMENT, T, World, after_calls};

cases! {
    "fleet":
    "locked cycles, measured on PocketIC 10" => five_trillion_carry_118_calls(Plant::Answer);
    "locked cycles, measured on PocketIC 10" => ten_trillion_carry_more_than_200_calls(Plant::Answer);
    "locked cycles, measured on PocketIC 10" => too_few_cycles_say_two(Plant::Answer);
    "locked cycles, measured on PocketIC 10" => locked_cycles_come_back(Plant::Answer);
    "forced upgrade, measured on PocketIC 10" => forced_upgrade_keeps_raw_callbacks(Plant::Answer);
    "forced upgrade, measured on PocketIC 10" => creation_behind_a_forced_upgrade_happens(Plant::Answer);
    "interface specification, canister_info" => lost_creation_is_found(Plant::Field("controllers"));
    "interface specification, canister_info" => next_id_is_not_there(Plant::Answer);
    "stopping a manager, measured on PocketIC 10" => own_chain_delays_the_stop(Plant::Field("status"));
    "stopping a manager, measured on PocketIC 10" => awaiting_ones_own_stop_blocks_it(Plant::Field("status"));
    "interface specification, canister_info" => strangers_are_refused_but_for_info(Plant::Field("module_hash"));
    "install bottleneck, measured on PocketIC 10" => installs_share_a_rounds_instructions(Plant::Answer);
    "install bottleneck, measured on PocketIC 10" => second_install_of_a_round_is_refused(Plant::Answer);
    "head of line, measured on PocketIC 10" => blocked_install_holds_back_its_senders_queue(Plant::Round);
    "interface specification, uninstall_code" => variables_survive_uninstall(Plant::Answer);
    "interface specification, delete_canister" => deletion_discards_cycles(Plant::Answer);
    "interface specification, call_perform" => refused_call_reaches_nobody(Plant::Answer);
    "interface specification, install_code" => install_refuses_what_is_not_empty(Plant::Answer);
}

/// A manager with plenty of cycles.
pub(super) fn manager(w: &mut World<'_>) -> Checked<Principal> {
    let id = w.canister()?;
    w.add_cycles(id, 10_000 * T)?;
    Ok(id)
}

/// How many calls a canister with so many liquid cycles can have under way.
pub(super) fn calls_carried(w: &mut World<'_>, liquid: u128) -> Checked<u64> {
    let id = w.canister()?;
    let zero = SettingsArg {
        freezing_threshold: Some(Nat::from(0u8)),
        ..SettingsArg::default()
    };
    w.set(id, zero)?;
    let calling = manage("canister_info", info_arg(id, 0)).answered(&program());
    let counting = program()
        .try_call(&calling)
        .code(&program().bump(1, 1))
        .when();
    // What the counting message itself is paid from comes on top.
    let body = program().times(500, &counting).read(1).reply();
    let now = w.cycles(id)?;
    w.act(
        id,
        &program()
            .amount(now.saturating_sub(liquid + 40 * B + 5_000_000))
            .burn()
            .discard(),
    )?;
    Ok(500u64.wrapping_sub(number(w.run(id, &body)?)?))
}

fn five_trillion_carry_118_calls(w: &mut World<'_>) -> Checked<()> {
    same(calls_carried(w, 5 * T)?, 118)
}

fn ten_trillion_carry_more_than_200_calls(w: &mut World<'_>) -> Checked<()> {
    between(calls_carried(w, 10 * T)?, 234, 238)?;
    between(calls_carried(w, 20 * T)?, 468, 476)
}

fn too_few_cycles_say_two(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let zero = SettingsArg {
        freezing_threshold: Some(Nat::from(0u8)),
        ..SettingsArg::default()
    };
    w.set(id, zero)?;
    let calling = manage("canister_info", info_arg(id, 0)).answered(&program());
    let rest = program().liquid().reply();
    let liquid = crate::check::amount(w.run(id, &rest)?)?;
    let body = program()
        .amount(liquid.saturating_sub(30 * B))
        .burn()
        .discard()
        .try_call(&calling)
        .reply();
    same(number(w.run(id, &body)?)?, 2)
}

fn locked_cycles_come_back(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let calling = manage("canister_info", info_arg(id, 0)).answered(&program());
    let before = w.cycles(id)?;
    w.act(id, &program().times(100, &program().call(&calling)))?;
    let during = w.cycles(id)?;
    between(before.saturating_sub(during), 4_200 * B, 4_300 * B)?;
    w.ticks(3)?;
    let after = w.cycles(id)?;
    same(before.saturating_sub(after) < 3 * B, true)?;
    says(w.ask(id, &program().say("alive"))?, "alive")
}

fn forced_upgrade_keeps_raw_callbacks(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let arg = info_arg(id, 0);
    let body = (0..20).fold(program(), |body, place| {
        body.call_entry(MANAGEMENT, "canister_info", &arg, (1, 100 + place))
    });
    w.submit(id, &body)?;
    w.tick()?;
    replied(w.try_install(id, UPGRADE_SKIPPING, universal(), &program())?)?;
    w.ticks(4)?;
    // All twenty arrived, with their own environments.
    let noted = replied(w.ask(id, &program().load(0, 8 + 20 * 8).reply())?)?;
    let noted: Vec<u64> = noted
        .chunks(8)
        .map(crate::check::number_of)
        .collect::<Checked<_>>()?;
    let mut environments = noted[1..].to_vec();
    environments.sort_unstable();
    same(noted[0], 20)?;
    same(environments, (100..120).collect())
}

fn creation_behind_a_forced_upgrade_happens(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let before = w.empty(T)?;
    lose_a_creation(w, id)?;
    let found = next_id(before, 1);
    // It was paid for, and it is controlled by its maker.
    same(w.cycles(found)?, 2_500 * B)?;
    let asking =
        program().call(&manage("canister_status", about(found)).on_reply(program().say("mine")));
    says(w.run(id, &asking)?, "mine")
}

/// A canister creates another and loses the answer to a forced upgrade.
fn lose_a_creation(w: &mut World<'_>, id: Principal) -> Checked<()> {
    let arg = encode(&CreateArg {
        settings: None,
        sender_canister_version: None,
    });
    let body = program().call(&manage("create_canister", arg).cycles(3 * T));
    w.submit(id, &body)?;
    w.tick()?;
    replied(w.try_install(id, UPGRADE_SKIPPING, universal_twin(), &program())?)?;
    w.ticks(4)
}

/// The id so many places behind another.
fn next_id(id: Principal, step: u64) -> Principal {
    let place = id.as_slice()[..8]
        .iter()
        .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    Principal::from_slice(&[&(place + step).to_be_bytes()[..], &[1, 1]].concat())
}

fn lost_creation_is_found(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let before = w.empty(T)?;
    lose_a_creation(w, id)?;
    let info = w.info(id, next_id(before, 1))?;
    let changes = have(info.recent_changes)?;
    let [creation] = changes.as_slice() else {
        return fail(format_args!("{} changes, wanted one", changes.len()));
    };
    match have(creation.origin.clone())? {
        ChangeOrigin::from_canister { canister_id, .. } => same(canister_id, id)?,
        found @ ChangeOrigin::from_user { .. } => return fail(format_args!("origin {found:?}")),
    }
    same(
        have(creation.details.clone())?,
        ChangeDetails::creation {
            controllers: vec![id],
        },
    )?;
    same(info.controllers, Some(vec![id]))
}

fn next_id_is_not_there(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let newest = w.empty(T)?;
    let asking = manage("canister_info", info_arg(next_id(newest, 1), 1));
    saw_reject(w.run(id, &program().call(&asking))?, 3)
}

fn own_chain_delays_the_stop(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let busy = w.submit(id, &after_calls(id, 4, &program().say("end")))?;
    w.tick()?;
    let stop = w.submit_manage("stop_canister", about(id))?;
    w.ticks(2)?;
    w.still_open(&stop)?;
    let (rounds, answer) = w.rounds_of(&stop)?;
    replied(answer)?;
    // The chain takes nine rounds; three are over.
    same(rounds, 6)?;
    says(w.answered(&busy)?, "end")?;
    same(w.status(id)?.status, Some(Running::stopped))
}

fn awaiting_ones_own_stop_blocks_it(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let own = SettingsArg {
        controllers: Some(vec![id, crate::world::owner()]),
        ..SettingsArg::default()
    };
    w.set(id, own)?;
    let message = w.submit(id, &program().call(&manage("stop_canister", about(id))))?;
    w.ticks(6)?;
    w.still_open(&message)?;
    w.pass(310)?;
    w.ticks(4)?;
    saw_reject(w.answered(&message)?, 2)?;
    // Nobody waits for the stop any more, but it is stopping still and then stopped.
    same(w.status(id)?.status == Some(Running::running), false)?;
    same(w.status(id)?.status, Some(Running::stopped))
}

fn strangers_are_refused_but_for_info(w: &mut World<'_>) -> Checked<()> {
    let (stranger, id) = (w.canister()?, w.canister()?);
    for method in ["canister_status", "uninstall_code", "stop_canister"] {
        saw_reject(
            w.run(stranger, &program().call(&manage(method, about(id))))?,
            5,
        )?;
    }
    let hash = w.info(stranger, id)?.module_hash;
    same(
        hash,
        Some(ByteBuf::from(crate::management::sha256(universal()))),
    )
}

/// Installs with an init that burns so many turns, from one message; rounds until all are there.
fn install_rounds(w: &mut World<'_>, installs: u64, turns: u64) -> Checked<u64> {
    let manager = manager(w)?;
    let ids = (0..installs)
        .map(|_| w.empty_child_of(manager))
        .collect::<Checked<Vec<_>>>()?;
    let done = program()
        .bump(0, 1)
        .read(0)
        .number(installs)
        .equal()
        .code(&program().say("all"))
        .when();
    let init = program().spin_for(turns).encoded();
    let body = ids.iter().fold(program(), |body, id| {
        let arg = install_arg(*id, InstallMode::install, universal(), &init);
        body.call(&manage("install_code", arg).answered(&done))
    });
    let (rounds, answer) = w.rounds(manager, &body)?;
    says(answer, "all")?;
    Ok(rounds)
}

fn installs_share_a_rounds_instructions(w: &mut World<'_>) -> Checked<()> {
    // The first use of the module is not measured: its compilation counts extra.
    install_rounds(w, 1, 1)?;
    // 24 installs of some 200 M instructions each: about 4.9 B, at 437.5 M a round and the last one
    // started below the limit, take between 8 and 12 rounds and two for the way.
    between(install_rounds(w, 24, 20_000_000)?, 9, 15)
}

fn second_install_of_a_round_is_refused(w: &mut World<'_>) -> Checked<()> {
    if w.backend.name() == "pocketic" {
        return Err(crate::check::Failure::Skipped(
            "rate limits are off there by default",
        ));
    }
    let manager = manager(w)?;
    let id = w.empty_child_of(manager)?;
    let install = |mode| manage("install_code", install_arg(id, mode, universal(), &[]));
    let body = program()
        .call(&install(InstallMode::install).answered(&program()))
        .call(&install(InstallMode::reinstall));
    saw_reject(w.run(manager, &body)?, 2)
}

fn blocked_install_holds_back_its_senders_queue(w: &mut World<'_>) -> Checked<()> {
    let (manager, other) = (manager(w)?, manager(w)?);
    let (first, second) = (w.empty_child_of(manager)?, w.empty_child_of(manager)?);
    // The first install takes 4 B instructions, two rounds and more; the second waits for it, and
    // the status behind waits with it. The status of another sender does not.
    let long = program().spin_for(600_000_000).encoded();
    let body = program()
        .call(
            &manage(
                "install_code",
                install_arg(first, InstallMode::install, universal(), &long),
            )
            .answered(&program()),
        )
        .call(
            &manage(
                "install_code",
                install_arg(second, InstallMode::install, universal(), &[]),
            )
            .answered(&program()),
        )
        .call(&manage("canister_status", about(second)).on_reply(program().say("status")));
    let held = w.submit(manager, &body)?;
    let free = w.submit(other, &after_calls(other, 1, &program().say("free")))?;
    w.ticks(3)?;
    w.still_open(&held)?;
    says(w.wait(&free)?, "free")?;
    let (rounds, answer) = w.rounds_of(&held)?;
    says(answer, "status")?;
    between(rounds, 1, 12)?;
    // Without the long install the same takes three rounds.
    let third = w.empty_child_of(manager)?;
    let body = program()
        .call(
            &manage(
                "install_code",
                install_arg(third, InstallMode::install, universal(), &[]),
            )
            .answered(&program()),
        )
        .call(&manage("canister_status", about(third)).on_reply(program().say("status")));
    let (rounds, _) = w.rounds(manager, &body)?;
    same(rounds, 3)
}

fn variables_survive_uninstall(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let variables = SettingsArg {
        environment_variables: Some(vec![Variable {
            name: "TENANT".into(),
            value: "old".into(),
        }]),
        ..SettingsArg::default()
    };
    w.set(id, variables)?;
    w.uninstall(id)?;
    w.install(id, universal())?;
    says(
        w.ask(id, &program().bytes("TENANT").env_value().reply())?,
        "old",
    )
}

fn deletion_discards_cycles(w: &mut World<'_>) -> Checked<()> {
    let parent = manager(w)?;
    let child = w.empty_child_of(parent)?;
    w.stop(child)?;
    let before = w.cycles(parent)?;
    reply_seen(w.run(
        parent,
        &program().call(&manage("delete_canister", about(child))),
    )?)?;
    // None of its 100 T came to the parent, which paid its message.
    same(w.cycles(parent)? < before, true)?;
    refused(w.manage("canister_status", about(child))?, 3, 301)
}

fn refused_call_reaches_nobody(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (manager(w)?, w.canister()?);
    let calling: Call = call(callee, &program().bump(0, 1).say("")).answered(&program().bump(2, 1));
    let counted = program()
        .try_call(&calling)
        .code(&program().bump(1, 1))
        .when();
    w.act(caller, &program().times(700, &counted))?;
    w.ticks(3)?;
    same(w.counter(caller, 1)?, 200)?;
    same(w.counter(caller, 2)?, 500)?;
    same(w.counter(callee, 0)?, 500)
}

fn install_refuses_what_is_not_empty(w: &mut World<'_>) -> Checked<()> {
    let parent = manager(w)?;
    let child = w.child_of(parent)?;
    let arg = install_arg(child, InstallMode::install, universal_twin(), &[]);
    saw_reject(
        w.run(
            parent,
            &program().call(&manage("install_code", arg.clone())),
        )?,
        5,
    )?;
    refused_with(w.manage("install_code", arg)?, 5, &[514])
}
