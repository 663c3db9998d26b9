//! What is told about a canister: its history, its metadata, its log.

use serde_bytes::ByteBuf;

use super::settings::threshold;
use crate::backend::Plant;
use crate::case::cases;
use crate::check::{Checked, Seen, fail, refused, refused_with, replied, same, says, seen};
use crate::management::{
    ChangeDetails, ChangeOrigin, DeploymentMode, InstallMode, MetadataArg, SettingsArg, Visibility,
    about, decode, encode, have, sha256,
};
use crate::modules::{universal, universal_twin, with_metadata};
use crate::program::{manage, program};
use crate::world::{MANAGEMENT, T, World, ask_management, owner, stranger};

cases! {
    "told":
    "interface specification, canister_info" => creation_is_recorded(Plant::Field("recent_changes"));
    "interface specification, canister_info" => deployments_are_recorded(Plant::Field("recent_changes"));
    "interface specification, canister_info" => controller_changes_are_recorded(Plant::Field("total_num_changes"));
    "interface specification, canister_info" => uninstallation_is_recorded(Plant::Field("recent_changes"));
    "interface specification, canister_info" => changes_by_canisters_name_the_canister(Plant::Field("recent_changes"));
    "interface specification, canister_info" => twenty_changes_are_kept(Plant::Field("total_num_changes"));
    "interface specification, canister_info" => other_settings_are_not_recorded(Plant::Field("total_num_changes"));
    "interface specification, canister_metadata" => public_metadata_is_for_all(Plant::Answer);
    "interface specification, canister_metadata" => private_metadata_is_for_controllers(Plant::Answer);
    "interface specification, canister_metadata" => missing_metadata_is_refused(Plant::Answer);
    "interface specification, fetch_canister_logs" => prints_are_logged(Plant::Answer);
    "interface specification, fetch_canister_logs" => traps_are_logged(Plant::Answer);
    "interface specification, fetch_canister_logs" => queries_leave_no_log(Plant::Field("idx"));
    "interface specification, fetch_canister_logs" => log_is_for_controllers(Plant::Answer);
    "interface specification, fetch_canister_logs" => log_can_be_public(Plant::Answer);
    "interface specification, fetch_canister_logs" => log_survives_an_upgrade(Plant::Answer);
    "interface specification, fetch_canister_logs" => reinstall_clears_the_log(Plant::Field("idx"));
}

/// The last recorded change and its origin, and how many there were.
fn last_change(
    w: &mut World<'_>,
    id: ic_principal::Principal,
) -> Checked<(ChangeDetails, ChangeOrigin, u64)> {
    let asker = w.canister()?;
    let info = w.info(asker, id)?;
    let changes = have(info.recent_changes)?;
    let last = have(changes.last().cloned())?;
    Ok((
        have(last.details)?,
        have(last.origin)?,
        have(info.total_num_changes)?,
    ))
}

fn creation_is_recorded(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(T)?;
    let (change, origin, total) = last_change(w, id)?;
    same(total, 1)?;
    same(origin, ChangeOrigin::from_user { user_id: owner() })?;
    same(
        change,
        ChangeDetails::creation {
            controllers: vec![owner()],
        },
    )
}

fn deployments_are_recorded(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let deployed = |mode, wasm: &[u8]| ChangeDetails::code_deployment {
        mode,
        module_hash: ByteBuf::from(sha256(wasm)),
    };
    same(
        last_change(w, id)?.0,
        deployed(DeploymentMode::install, universal()),
    )?;
    replied(w.try_install(id, InstallMode::reinstall, universal(), &program())?)?;
    same(
        last_change(w, id)?.0,
        deployed(DeploymentMode::reinstall, universal()),
    )?;
    w.upgrade(id, universal_twin(), &program())?;
    let (change, _, total) = last_change(w, id)?;
    same(total, 4)?;
    same(change, deployed(DeploymentMode::upgrade, universal_twin()))
}

fn controller_changes_are_recorded(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(10 * T)?;
    let both = SettingsArg {
        controllers: Some(vec![owner(), id]),
        ..SettingsArg::default()
    };
    w.set(id, both)?;
    let (change, _, total) = last_change(w, id)?;
    same(total, 2)?;
    match change {
        ChangeDetails::controllers_change { controllers } => same(
            controllers.contains(&id) && controllers.contains(&owner()),
            true,
        ),
        found => fail(format_args!("found {found:?}")),
    }
}

fn uninstallation_is_recorded(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.uninstall(id)?;
    let (change, origin, total) = last_change(w, id)?;
    same(total, 3)?;
    same(origin, ChangeOrigin::from_user { user_id: owner() })?;
    same(change, ChangeDetails::code_uninstall)
}

fn changes_by_canisters_name_the_canister(w: &mut World<'_>) -> Checked<()> {
    let parent = w.canister()?;
    let child = w.child_of(parent)?;
    seen(w.run(
        parent,
        &program().call(&manage("uninstall_code", about(child))),
    )?)?;
    match last_change(w, child)?.1 {
        ChangeOrigin::from_canister { canister_id, .. } => same(canister_id, parent),
        found @ ChangeOrigin::from_user { .. } => fail(format_args!("found {found:?}")),
    }
}

fn twenty_changes_are_kept(w: &mut World<'_>) -> Checked<()> {
    let (asker, id) = (w.canister()?, w.canister()?);
    for _ in 0..25 {
        w.upgrade(id, universal(), &program())?;
    }
    let info = w.info(asker, id)?;
    same(have(info.recent_changes)?.len(), 20)?;
    same(info.total_num_changes, Some(27))
}

fn other_settings_are_not_recorded(w: &mut World<'_>) -> Checked<()> {
    let (asker, id) = (w.canister()?, w.empty(10 * T)?);
    w.set(id, threshold(5))?;
    same(w.info(asker, id)?.total_num_changes, Some(1))
}

fn metadata(canister_id: ic_principal::Principal, name: &str) -> Vec<u8> {
    encode(&MetadataArg {
        canister_id,
        name: name.into(),
    })
}

#[derive(candid::CandidType, serde::Deserialize)]
struct Section {
    value: ByteBuf,
}

fn public_metadata_is_for_all(w: &mut World<'_>) -> Checked<()> {
    let (asker, id) = (w.canister()?, w.canister_of(with_metadata())?);
    let asking = ask_management("canister_metadata", metadata(id, "open"));
    let section: Section = decode(&replied(w.run(asker, &program().call(&asking))?)?)?;
    same(section.value, ByteBuf::from(b"for all".as_slice()))
}

fn private_metadata_is_for_controllers(w: &mut World<'_>) -> Checked<()> {
    let (asker, id) = (w.canister()?, w.canister_of(with_metadata())?);
    let asking = program().call(&manage("canister_metadata", metadata(id, "closed")));
    match seen(w.run(asker, &asking)?)? {
        Seen::Reject(code) => same((4..=5).contains(&code), true)?,
        found @ Seen::Reply(_) => same(found, Seen::Reject(5))?,
    }
    let both = SettingsArg {
        controllers: Some(vec![owner(), asker]),
        ..SettingsArg::default()
    };
    w.set(id, both)?;
    let asking = ask_management("canister_metadata", metadata(id, "closed"));
    let section: Section = decode(&replied(w.run(asker, &program().call(&asking))?)?)?;
    same(section.value, ByteBuf::from(b"for controllers".as_slice()))
}

fn missing_metadata_is_refused(w: &mut World<'_>) -> Checked<()> {
    let (asker, id) = (w.canister()?, w.canister_of(with_metadata())?);
    let asking = program().call(&manage("canister_metadata", metadata(id, "none")));
    match seen(w.run(asker, &asking)?)? {
        Seen::Reject(code) => same((4..=5).contains(&code), true),
        found @ Seen::Reply(_) => same(found, Seen::Reject(5)),
    }
}

/// The contents of the log, as texts.
fn log(w: &mut World<'_>, id: ic_principal::Principal) -> Checked<Vec<Vec<u8>>> {
    let records = w.logs(id)?.canister_log_records;
    Ok(records
        .into_iter()
        .map(|record| record.content.into_vec())
        .collect())
}

fn prints_are_logged(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().bytes("first").print())?;
    w.act(id, &program().bytes("second").print())?;
    let places: Vec<u64> = w
        .logs(id)?
        .canister_log_records
        .iter()
        .map(|r| r.idx)
        .collect();
    same(places, vec![0, 1])?;
    same(log(w, id)?, vec![b"first".to_vec(), b"second".to_vec()])?;
    says(w.run(id, &program().bytes("x").print().say("ok"))?, "ok")
}

fn traps_are_logged(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(
        w.run(id, &program().bytes("before").print().fail())?,
        5,
        503,
    )?;
    let lines = log(w, id)?;
    same(lines.len() >= 2, true)?;
    same(crate::check::contains(&lines[1], b"on purpose"), true)?;
    says(w.run(id, &program().say("ok"))?, "ok")
}

fn queries_leave_no_log(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().bytes("update").print())?;
    replied(w.ask(id, &program().bytes("query").print().say(""))?)?;
    let records = w.logs(id)?.canister_log_records;
    same(records.iter().map(|r| r.idx).collect::<Vec<_>>(), vec![0])
}

fn log_is_for_controllers(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().bytes("secret").print())?;
    let answer = w
        .backend
        .query(stranger(), MANAGEMENT, "fetch_canister_logs", about(id))?;
    refused_with(answer, 4, &[406])
}

fn log_can_be_public(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let public = SettingsArg {
        log_visibility: Some(Visibility::public),
        ..SettingsArg::default()
    };
    w.set(id, public)?;
    w.act(id, &program().bytes("for all").print())?;
    let answer = w
        .backend
        .query(stranger(), MANAGEMENT, "fetch_canister_logs", about(id))?;
    let logs: crate::management::Logs = decode(&replied(answer)?)?;
    same(logs.canister_log_records.len(), 1)?;
    same(logs.canister_log_records[0].content.as_slice(), b"for all")
}

fn log_survives_an_upgrade(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().bytes("old").print())?;
    w.upgrade(id, universal(), &program().bytes("new").print())?;
    same(log(w, id)?, vec![b"old".to_vec(), b"new".to_vec()])
}

fn reinstall_clears_the_log(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().bytes("old").print())?;
    let init = program().bytes("new").print();
    replied(w.try_install(id, InstallMode::reinstall, universal(), &init)?)?;
    let records = w.logs(id)?.canister_log_records;
    same(records.len(), 1)?;
    same(records[0].content.as_slice(), b"new")?;
    // The numbers go on where they were.
    same(records[0].idx, 1)
}
