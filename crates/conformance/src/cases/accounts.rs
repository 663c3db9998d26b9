//! What is paid for, and what is told about it: message memory, chunks, snapshots, metrics,
//! statistics; settings that ask for cycles; and the few words about the subnet itself.

use candid::Nat;

use super::fleet::manager;
use crate::backend::Plant;
use crate::case::cases;
use crate::check::{
    Checked, Failure, amount_of, between, fail, refused_with, replied, reply_seen, same,
    saw_reject, saw_reply, says,
};
use crate::management::{
    CreateArg, Metrics, Persistence, ProvisionalCreateArg, SettingsArg, Status, SubnetArg,
    SubnetInfo, TakeSnapshotArg, UPGRADE, Visibility, about, decode, encode, have, have_number,
    upgrade_with, upload_arg,
};
use crate::modules::{universal, with_persistence};
use crate::program::{call, manage, program};
use crate::world::{B, T, World, stranger};

cases! {
    "accounts":
    "interface specification, Freezing threshold; a reserved response counts as memory" => guaranteed_calls_raise_the_freezing_limit(Plant::AnswerBefore(1));
    "cycles cost table; 200 M instructions a chunk" => chunk_costs_200_million(Plant::Balance);
    "cycles cost table; 2 B instructions a snapshot" => snapshot_costs_two_billion(Plant::Answer);
    "interface specification, create_canister; settings that would freeze" => creation_that_would_freeze_is_refused(Plant::Answer);
    "interface specification, create_canister; settings that would freeze" => refused_creation_gives_the_cycles_back(Plant::Answer);
    "interface specification, minimum_incoming_canister_call_cycles" => calls_with_too_few_cycles_are_refused(Plant::Answer);
    "interface specification, status_visibility" => status_can_be_public(Plant::Answer);
    "interface specification, canister_metrics" => metrics_tell_what_was_paid(Plant::Field("instructions"));
    "interface specification, canister_metrics" => metrics_are_for_controllers(Plant::Answer);
    "interface specification, canister_status; query statistics" => statistics_come_after_their_period(Plant::Answer);
    "interface specification, subnet_info" => subnet_tells_its_version(Plant::Answer);
    "interface specification, node_metrics_history" => node_metrics_are_of_the_own_subnet(Plant::Answer);
    "interface specification, install_code; wasm_memory_persistence" => upgrade_may_keep_the_heap(Plant::AnswerBefore(1));
    "interface specification, install_code; wasm_memory_persistence" => only_a_module_made_for_it_keeps_its_heap(Plant::Answer);
    "interface specification, load_canister_snapshot" => loading_is_recorded(Plant::Field("total_num_changes"));
    "interface specification, take_canister_snapshot" => snapshot_restores_certified_data_and_chunks(Plant::Answer);
    "interface specification, upload_chunk; a hundred chunks" => chunk_101_is_refused(Plant::AnswerBefore(1));
    "interface specification, Canister logs; 4 KiB by default" => log_keeps_the_newest(Plant::Answer);
    "interface specification, Canister version" => heartbeat_counts_as_a_version(Plant::Answer);
}

fn guaranteed_calls_raise_the_freezing_limit(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    // A year, so that two mebibytes weigh something.
    let year = SettingsArg {
        freezing_threshold: Some(Nat::from(31_536_000u64)),
        ..SettingsArg::default()
    };
    w.set(id, year)?;
    let asking = manage("canister_info", crate::management::info_arg(id, 0)).answered(&program());
    let frozen_by = |w: &mut World<'_>, calling: &crate::program::Call| -> Checked<u128> {
        let body = program()
            .times(10, &program().call(calling))
            .balance()
            .liquid()
            .concat()
            .reply();
        let found = replied(w.run(id, &body)?)?;
        w.ticks(3)?;
        Ok(amount_of(&found[..16])?.wrapping_sub(amount_of(&found[16..])?))
    };
    let plain = frozen_by(w, &asking.clone().best_effort(100))?;
    let reserved = frozen_by(w, &asking)?;
    // Ten responses of 2 MiB and a header, 127,000 a GiB and second.
    let response = (2u128 << 20) * 127_000 * 31_536_000 / (1 << 30);
    between(
        reserved.wrapping_sub(plain),
        10 * response,
        10 * response + response / 10,
    )?;
    says(w.ask(id, &program().say("alive"))?, "alive")
}

fn chunk_costs_200_million(w: &mut World<'_>) -> Checked<()> {
    let parent = manager(w)?;
    let child = w.empty_child_of(parent)?;
    let before = w.cycles(child)?;
    let upload = manage("upload_chunk", upload_arg(child, b"small"));
    reply_seen(w.run(parent, &program().call(&upload))?)?;
    same(before.wrapping_sub(w.cycles(child)?), 200_000_000)
}

fn snapshot_costs_two_billion(w: &mut World<'_>) -> Checked<()> {
    let parent = manager(w)?;
    let child = w.child_of(parent)?;
    let before = w.cycles(child)?;
    let arg = encode(&TakeSnapshotArg {
        canister_id: child,
        replace_snapshot: None,
    });
    reply_seen(w.run(
        parent,
        &program().call(&manage("take_canister_snapshot", arg)),
    )?)?;
    // And an instruction a byte of what is kept, which is less than a million.
    between(
        before.wrapping_sub(w.cycles(child)?),
        2_000_000_000,
        2_001_000_000,
    )?;
    says(w.run(parent, &program().say("alive"))?, "alive")
}

fn half_a_core() -> SettingsArg {
    SettingsArg {
        compute_allocation: Some(Nat::from(50u8)),
        ..SettingsArg::default()
    }
}

fn creation_that_would_freeze_is_refused(w: &mut World<'_>) -> Checked<()> {
    // Fifty percent cost 1,296 T for the thirty days of the freezing threshold.
    let create = |amount: u128| {
        encode(&ProvisionalCreateArg {
            amount: Some(Nat::from(amount)),
            settings: Some(half_a_core()),
            specified_id: None,
        })
    };
    let method = "provisional_create_canister_with_cycles";
    replied(w.manage(method, create(2_000 * T))?)?;
    refused_with(w.manage(method, create(100 * T))?, 5, &[530])
}

fn refused_creation_gives_the_cycles_back(w: &mut World<'_>) -> Checked<()> {
    let id = manager(w)?;
    let arg = encode(&CreateArg {
        settings: Some(half_a_core()),
        sender_canister_version: None,
    });
    let back = program().refunded().reply();
    let create = manage("create_canister", arg)
        .cycles(100 * T)
        .on_reply(program().say("created"))
        .on_reject(back);
    says(
        w.run(id, &program().call(&create))?,
        (100 * T).to_le_bytes(),
    )
}

/// The platform is older than the setting.
fn too_old<T>() -> Checked<T> {
    Err(Failure::Skipped(
        "this version of the platform does not know the setting",
    ))
}

fn calls_with_too_few_cycles_are_refused(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (manager(w)?, w.canister()?);
    let minimum = SettingsArg {
        minimum_incoming_canister_call_cycles: Some(Nat::from(B)),
        ..SettingsArg::default()
    };
    w.set(callee, minimum)?;
    if have(w.status(callee)?.settings)?
        .minimum_incoming_canister_call_cycles
        .is_none()
    {
        return too_old();
    }
    let with = |cycles: u128| program().call(&call(callee, &program().say("in")).cycles(cycles));
    saw_reply(w.run(caller, &with(B))?, "in")?;
    // Users attach nothing and are not meant.
    says(w.run(callee, &program().say("user"))?, "user")?;
    saw_reject(w.run(caller, &with(B - 1))?, 5)
}

fn status_can_be_public(w: &mut World<'_>) -> Checked<()> {
    let (asker, id) = (w.canister()?, w.canister()?);
    let asking = program().call(&manage("canister_status", about(id)));
    saw_reject(w.run(asker, &asking)?, 5)?;
    let open = SettingsArg {
        status_visibility: Some(Visibility::public),
        ..SettingsArg::default()
    };
    w.set(id, open)?;
    if have(w.status(id)?.settings)?.status_visibility.is_none() {
        return too_old();
    }
    let status: Status = decode(&reply_seen(w.run(asker, &asking)?)?)?;
    same(status.version.is_some(), true)?;
    let hidden = SettingsArg {
        status_visibility: Some(Visibility::controllers),
        ..SettingsArg::default()
    };
    w.set(id, hidden)?;
    saw_reject(w.run(asker, &asking)?, 5)
}

/// What the owner is told of the cycles a canister has paid.
fn metrics(w: &mut World<'_>, id: ic_principal::Principal) -> Checked<[u128; 3]> {
    let answer = w.manage("canister_metrics", about(id))?;
    if let Err(reject) = &answer
        && reject.error.is_none_or(|error| error == 536)
    {
        return Err(Failure::Skipped(
            "this version of the platform does not know the method",
        ));
    }
    let told: Metrics = decode(&replied(answer)?)?;
    let told = have(told.cycles_consumed)?;
    Ok([
        have_number(told.instructions)?,
        have_number(told.ingress_induction)?,
        have_number(told.burned_cycles)?,
    ])
}

fn metrics_tell_what_was_paid(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let [instructions, _, burned] = metrics(w, id)?;
    let body = program().spin_for(1_000).amount(7 * B).burn().discard();
    // By a canister, so that the ingress is none of its own.
    let caller = manager(w)?;
    let before = w.cycles(id)?;
    saw_reply(
        w.run(caller, &program().call(&call(id, &body.say("in"))))?,
        "in",
    )?;
    let paid = before.wrapping_sub(w.cycles(id)?);
    let now = metrics(w, id)?;
    same(now[2].wrapping_sub(burned), 7 * B)?;
    same(now[0].wrapping_sub(instructions), paid.wrapping_sub(7 * B))
}

fn metrics_are_for_controllers(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    metrics(w, id)?;
    let answer = w.manage_as(stranger(), "canister_metrics", about(id))?;
    refused_with(answer, 5, &[512])
}

fn statistics_come_after_their_period(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    for _ in 0..5 {
        replied(w.ask(id, &program().say("four"))?)?;
    }
    // Nodes agree on them block by block; a period is some hundred blocks.
    for _ in 0..50 {
        w.pass(60)?;
        w.ticks(50)?;
        let told = have(w.status(id)?.query_stats)?;
        if have_number(told.num_calls_total)? >= 5 {
            same(have_number(told.response_payload_bytes_total)? >= 20, true)?;
            same(have_number(told.num_instructions_total)? > 0, true)?;
            return says(w.ask(id, &program().say("alive"))?, "alive");
        }
    }
    fail("five queries were never reported")
}

/// A question about a subnet.
fn about_subnet(subnet_id: ic_principal::Principal) -> Vec<u8> {
    encode(&SubnetArg {
        subnet_id,
        start_at_timestamp_nanos: 0,
    })
}

fn subnet_tells_its_version(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let subnet = replied(w.run(id, &program().subnet().reply())?)?;
    let subnet = ic_principal::Principal::from_slice(&subnet);
    let asking = |subnet| program().call(&manage("subnet_info", about_subnet(subnet)));
    let told: SubnetInfo = decode(&reply_seen(w.run(id, &asking(subnet))?)?)?;
    same(have(told.replica_version)?.is_empty(), false)?;
    saw_refusal(w.run(id, &asking(stranger()))?)
}

/// The canister must have seen a reject of a question about no subnet; versions differ in the code.
fn saw_refusal(answer: crate::backend::Answer) -> Checked<()> {
    match crate::check::seen(answer)? {
        crate::check::Seen::Reject(code) => between(code, 3, 5),
        found @ crate::check::Seen::Reply(_) => fail(format_args!("found {found:?}")),
    }
}

fn node_metrics_are_of_the_own_subnet(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let subnet = replied(w.run(id, &program().subnet().reply())?)?;
    let subnet = ic_principal::Principal::from_slice(&subnet);
    let asking = |subnet| program().call(&manage("node_metrics_history", about_subnet(subnet)));
    reply_seen(w.run(id, &asking(subnet))?)?;
    saw_refusal(w.run(id, &asking(stranger()))?)
}

fn upgrade_may_keep_the_heap(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister_of(with_persistence())?;
    w.act(id, &program().bump(0, 7))?;
    let again = |w: &mut World<'_>, persistence| {
        w.try_install(
            id,
            upgrade_with(persistence),
            with_persistence(),
            &program(),
        )
    };
    replied(again(w, Persistence::keep)?)?;
    same(w.counter(id, 0)?, 7)?;
    replied(again(w, Persistence::replace)?)?;
    same(w.counter(id, 0)?, 0)?;
    says(w.run(id, &program().say("alive"))?, "alive")
}

fn only_a_module_made_for_it_keeps_its_heap(w: &mut World<'_>) -> Checked<()> {
    let (plain, kept) = (w.canister()?, w.canister_of(with_persistence())?);
    let keep = upgrade_with(Persistence::keep);
    let answer = w.try_install(plain, keep, universal(), &program())?;
    refused_with(answer, 5, &[504, 505, 540])?;
    // And an upgrade of one that is must say what it wants.
    let answer = w.try_install(kept, UPGRADE, with_persistence(), &program())?;
    refused_with(answer, 5, &[504, 505, 540])
}

fn loading_is_recorded(w: &mut World<'_>) -> Checked<()> {
    let (asker, id) = (w.canister()?, w.canister()?);
    let snapshot = have(w.snapshot(id)?.id)?;
    let before = have(w.info(asker, id)?.total_num_changes)?;
    let arg = encode(&crate::management::LoadSnapshotArg {
        canister_id: id,
        snapshot_id: snapshot,
        sender_canister_version: None,
    });
    replied(w.manage("load_canister_snapshot", arg)?)?;
    let info = w.info(asker, id)?;
    same(have(info.total_num_changes)?, before + 1)
}

fn snapshot_restores_certified_data_and_chunks(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().bytes("certified-then").certify())?;
    replied(w.manage("upload_chunk", upload_arg(id, b"chunk"))?)?;
    let chunks = replied(w.manage("stored_chunks", about(id))?)?;
    let snapshot = have(w.snapshot(id)?.id)?;
    w.act(id, &program().bytes("certified-later").certify())?;
    replied(w.manage("clear_chunk_store", about(id))?)?;
    let arg = encode(&crate::management::LoadSnapshotArg {
        canister_id: id,
        snapshot_id: snapshot,
        sender_canister_version: None,
    });
    replied(w.manage("load_canister_snapshot", arg)?)?;
    let certificate = replied(w.ask(id, &program().certificate().reply())?)?;
    same(
        crate::check::contains(&certificate, b"certified-then"),
        true,
    )?;
    same(replied(w.manage("stored_chunks", about(id))?)?, chunks)
}

fn chunk_101_is_refused(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(10_000 * T)?;
    for number in 0..100u64 {
        replied(w.manage("upload_chunk", upload_arg(id, &number.to_le_bytes()))?)?;
    }
    let answer = w.manage("upload_chunk", upload_arg(id, b"one too many"))?;
    refused_with(answer, 5, &[504])?;
    // One that is there already takes no place.
    replied(w.manage("upload_chunk", upload_arg(id, &7u64.to_le_bytes()))?)?;
    Ok(())
}

fn log_keeps_the_newest(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    for _ in 0..4 {
        w.act(
            id,
            &program().times(
                20,
                &program().number(90).number(u64::from(b'o')).fill().print(),
            ),
        )?;
    }
    w.act(id, &program().bytes("newest!").print())?;
    let records = w.logs(id)?.canister_log_records;
    let bytes: usize = records.iter().map(|record| record.content.len()).sum();
    between(bytes, 1_000, 4_096)?;
    let newest = records.last().map(|record| record.content.to_vec());
    same(newest, Some(b"newest!".to_vec()))
}

fn heartbeat_counts_as_a_version(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister_of(crate::modules::with_heartbeat())?;
    let version = |w: &mut World<'_>| -> Checked<u64> {
        crate::check::number(w.ask(id, &program().version().reply())?)
    };
    let before = version(w)?;
    w.ticks(5)?;
    same(version(w)?, before + 5)
}
