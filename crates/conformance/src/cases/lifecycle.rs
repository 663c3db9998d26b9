//! Start, stop, delete, uninstall, versions.

use crate::backend::Plant;
use crate::case::cases;
use crate::check::{
    Checked, Seen, differ, number, refused, replied, same, saw_reject, saw_reply, says, seen,
};
use crate::management::{Running, SettingsArg, about, have};
use crate::modules::universal;
use crate::program::{call, manage, program};
use crate::world::{T, World, after_calls, relay};

cases! {
    "lifecycle":
    "interface specification, stop_canister" => status_follows_stop_and_start(Plant::Field("status"));
    "interface specification, stop_canister" => stopping_twice_succeeds(Plant::Answer);
    "interface specification, start_canister" => starting_twice_succeeds(Plant::Answer);
    "interface specification, stop_canister" => stopped_canister_starts_again(Plant::Answer);
    "interface specification, stop_canister" => stop_waits_for_open_calls(Plant::Answer);
    "interface specification, stop_canister" => stopping_canister_refuses_users(Plant::Answer);
    "interface specification, stop_canister" => stopping_canister_refuses_canisters(Plant::Answer);
    "interface specification, stop_canister" => stopping_canister_may_go_on_calling(Plant::Answer);
    "interface specification, canister_status (System API)" => canister_sees_that_it_is_stopping(Plant::Answer);
    "interface specification, stop_canister" => all_waiting_stops_are_answered(Plant::Answer);
    "interface specification, start_canister" => start_cancels_a_waiting_stop(Plant::Answer);
    "interface specification, stop_canister; five minutes" => stop_times_out(Plant::Field("status"));
    "interface specification, stop_canister" => stopping_canister_can_be_upgraded(Plant::Answer);
    "interface specification, delete_canister" => running_canister_cannot_be_deleted(Plant::Answer);
    "interface specification, delete_canister" => deleted_canister_is_gone(Plant::Answer);
    "interface specification, delete_canister" => canister_cannot_delete_itself(Plant::Answer);
    "interface specification, create_canister" => ids_are_sequential_and_not_reused(Plant::Field("canister_id"));
    "interface specification, uninstall_code" => uninstall_empties_a_running_canister(Plant::Field("status"));
    "interface specification, uninstall_code" => uninstall_rejects_open_calls(Plant::Answer);
    "interface specification, uninstall_code" => uninstall_rejects_users_messages(Plant::Answer);
    "interface specification, uninstall_code" => uninstall_refunds_open_calls(Plant::Answer);
    "interface specification, uninstall_code" => callbacks_of_uninstalled_code_do_not_run(Plant::Answer);
    "interface specification, uninstall_code" => uninstall_keeps_cycles_and_controllers(Plant::Field("controllers"));
    "interface specification, uninstall_code" => uninstall_clears_stable_memory(Plant::Answer);
    "interface specification, Canister version" => version_starts_at_zero(Plant::Field("version"));
    "interface specification, Canister version" => messages_count_as_versions(Plant::Answer);
    "interface specification, Canister version" => management_counts_as_versions(Plant::Field("version"));
    "interface specification, Canister version" => trapped_message_is_no_version(Plant::Answer);
}

fn status_follows_stop_and_start(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    same(w.status(id)?.status, Some(Running::running))?;
    w.stop(id)?;
    same(w.status(id)?.status, Some(Running::stopped))?;
    w.start(id)?;
    same(w.status(id)?.status, Some(Running::running))
}

fn stopping_twice_succeeds(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.stop(id)?;
    says(
        w.manage("stop_canister", about(id))?,
        crate::world::encode_nothing(),
    )
}

fn starting_twice_succeeds(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    says(
        w.manage("start_canister", about(id))?,
        crate::world::encode_nothing(),
    )
}

fn stopped_canister_starts_again(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().bump(0, 3))?;
    w.stop(id)?;
    w.start(id)?;
    same(number(w.run(id, &program().read(0).reply())?)?, 3)
}

fn stop_waits_for_open_calls(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let busy = w.submit(id, &after_calls(id, 2, &program().say("answered")))?;
    w.tick()?;
    let stop = w.submit_manage("stop_canister", about(id))?;
    w.tick()?;
    w.still_open(&stop)?;
    replied(w.wait(&stop)?)?;
    says(w.answered(&busy)?, "answered")
}

fn stopping_canister_refuses_users(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.submit(id, &after_calls(id, 5, &program().say("")))?;
    w.tick()?;
    w.submit_manage("stop_canister", about(id))?;
    w.tick()?;
    refused(w.run(id, &program().say(""))?, 5, 509)
}

fn stopping_canister_refuses_canisters(w: &mut World<'_>) -> Checked<()> {
    let (caller, id) = (w.canister()?, w.canister()?);
    w.submit(id, &after_calls(id, 5, &program().say("")))?;
    w.tick()?;
    w.submit_manage("stop_canister", about(id))?;
    w.tick()?;
    saw_reject(w.run(caller, &relay(id, &program().say("")))?, 5)
}

fn stopping_canister_may_go_on_calling(w: &mut World<'_>) -> Checked<()> {
    let (id, worker) = (w.canister()?, w.canister()?);
    // A chain of four calls; the stop comes after the first.
    let chain = after_calls(
        id,
        3,
        &program().call(&call(worker, &program().bump(0, 1).say("end"))),
    );
    let busy = w.submit(id, &chain)?;
    w.tick()?;
    let stop = w.submit_manage("stop_canister", about(id))?;
    w.ticks(3)?;
    w.still_open(&stop)?;
    replied(w.wait(&stop)?)?;
    same(w.counter(worker, 0)?, 1)?;
    saw_reply(w.answered(&busy)?, "end")
}

fn canister_sees_that_it_is_stopping(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    same(number(w.run(id, &program().status().reply())?)?, 1)?;
    let busy = w.submit(id, &after_calls(id, 2, &program().status().reply()))?;
    w.tick()?;
    let stop = w.submit_manage("stop_canister", about(id))?;
    replied(w.wait(&stop)?)?;
    same(number(w.answered(&busy)?)?, 2)
}

fn all_waiting_stops_are_answered(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.submit(id, &after_calls(id, 3, &program().say("")))?;
    w.tick()?;
    let first = w.submit_manage("stop_canister", about(id))?;
    w.tick()?;
    let second = w.submit_manage("stop_canister", about(id))?;
    w.tick()?;
    w.still_open(&first)?;
    replied(w.wait(&first)?)?;
    says(w.answered(&second)?, crate::world::encode_nothing())
}

fn start_cancels_a_waiting_stop(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.submit(id, &after_calls(id, 6, &program().say("")))?;
    w.tick()?;
    let stop = w.submit_manage("stop_canister", about(id))?;
    w.tick()?;
    w.start(id)?;
    refused(w.wait(&stop)?, 5, 511)
}

fn stop_times_out(w: &mut World<'_>) -> Checked<()> {
    let (id, endless) = (w.canister()?, w.canister()?);
    // The other canister is stopping itself and so keeps the call open for as long as we like.
    let held = relay(endless, &after_calls(endless, 40, &program().say("")));
    w.submit(id, &held)?;
    w.tick()?;
    let stop = w.submit_manage("stop_canister", about(id))?;
    w.tick()?;
    w.pass(290)?;
    w.tick()?;
    w.still_open(&stop)?;
    w.pass(20)?;
    w.ticks(2)?;
    refused(w.answered(&stop)?, 2, 206)?;
    same(w.status(id)?.status, Some(Running::stopping))
}

fn stopping_canister_can_be_upgraded(w: &mut World<'_>) -> Checked<()> {
    let (id, endless) = (w.canister()?, w.canister()?);
    w.submit(
        id,
        &relay(endless, &after_calls(endless, 10, &program().say(""))),
    )?;
    w.tick()?;
    w.submit_manage("stop_canister", about(id))?;
    w.tick()?;
    let answer = w.try_install(id, crate::management::UPGRADE, universal(), &program())?;
    says(answer, crate::world::encode_nothing())
}

fn running_canister_cannot_be_deleted(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused(w.manage("delete_canister", about(id))?, 5, 510)
}

fn deleted_canister_is_gone(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.stop(id)?;
    replied(w.manage("delete_canister", about(id))?)?;
    refused(w.manage("canister_status", about(id))?, 3, 301)
}

fn canister_cannot_delete_itself(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let settings = SettingsArg {
        controllers: Some(vec![id, crate::world::owner()]),
        ..SettingsArg::default()
    };
    w.set(id, settings)?;
    match seen(w.run(id, &program().call(&manage("delete_canister", about(id))))?)? {
        Seen::Reject(code) => same((4..=5).contains(&code), true),
        found @ Seen::Reply(_) => same(found, Seen::Reject(5)),
    }
}

fn ids_are_sequential_and_not_reused(w: &mut World<'_>) -> Checked<()> {
    let first = w.empty(T)?;
    w.stop(first)?;
    replied(w.manage("delete_canister", about(first))?)?;
    let second = w.empty(T)?;
    differ(first, second)?;
    // Ids are eight bytes of a number, then 1 and 1.
    let place = |id: ic_principal::Principal| {
        id.as_slice()
            .iter()
            .take(8)
            .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    same(place(second), place(first) + 1)
}

fn uninstall_empties_a_running_canister(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let before = w.status(id)?;
    differ(before.module_hash.clone(), None)?;
    same(
        before.module_hash,
        Some(serde_bytes::ByteBuf::from(crate::management::sha256(
            universal(),
        ))),
    )?;
    w.uninstall(id)?;
    let after = w.status(id)?;
    same(after.module_hash, None)?;
    same(after.status, Some(Running::running))
}

fn uninstall_rejects_open_calls(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let slow = after_calls(callee, 5, &program().say("never"));
    let message = w.submit(caller, &relay(callee, &slow))?;
    w.tick()?;
    w.uninstall(callee)?;
    saw_reject(w.wait(&message)?, 4)
}

fn uninstall_rejects_users_messages(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let message = w.submit(id, &after_calls(id, 5, &program().say("never")))?;
    w.tick()?;
    w.uninstall(id)?;
    refused(w.wait(&message)?, 4, 406)
}

fn uninstall_refunds_open_calls(w: &mut World<'_>) -> Checked<()> {
    let (caller, callee) = (w.canister()?, w.canister()?);
    let slow = after_calls(callee, 5, &program().say("never"));
    let calling = call(callee, &slow)
        .cycles(3 * T)
        .on_reject(program().refunded().reply());
    let message = w.submit(caller, &program().call(&calling))?;
    w.tick()?;
    w.uninstall(callee)?;
    same(crate::check::amount(w.wait(&message)?)?, 3 * T)
}

fn callbacks_of_uninstalled_code_do_not_run(w: &mut World<'_>) -> Checked<()> {
    let (id, worker) = (w.canister()?, w.canister()?);
    let next = program().call(&call(worker, &program().bump(0, 1).say("")));
    let message = w.submit(id, &after_calls(id, 1, &next))?;
    w.tick()?;
    w.uninstall(id)?;
    refused(w.wait(&message)?, 4, 406)?;
    w.install(id, universal())?;
    w.ticks(4)?;
    same(w.counter(worker, 0)?, 0)
}

fn uninstall_keeps_cycles_and_controllers(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let before = w.cycles(id)?;
    let settings = w.status(id)?.settings;
    w.uninstall(id)?;
    // A management message by ingress costs a few million cycles.
    let after = w.cycles(id)?;
    same(before.wrapping_sub(after) < 1_000_000_000, true)?;
    same(
        have(w.status(id)?.settings)?.controllers,
        have(settings)?.controllers,
    )
}

fn uninstall_clears_stable_memory(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().number(2).stable_grow().store(0, "kept?"))?;
    w.uninstall(id)?;
    w.install(id, universal())?;
    same(number(w.ask(id, &program().stable_size().reply())?)?, 0)
}

fn version_starts_at_zero(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(10 * T)?;
    if let Some(version) = w.status(id)?.version {
        return same(version, 0);
    }
    // Replicas before 2026 do not report it; the first module sees one installation.
    w.install(id, universal())?;
    same(number(w.ask(id, &program().version().reply())?)?, 1)
}

fn messages_count_as_versions(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let version = program().version().reply();
    let before = number(w.ask(id, &version)?)?;
    w.act(id, &program())?;
    same(number(w.ask(id, &version)?)?, before + 1)?;
    // An update and its callback are two.
    replied(w.run(id, &after_calls(id, 1, &program().say("")))?)?;
    same(number(w.ask(id, &version)?)?, before + 3)
}

fn management_counts_as_versions(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let version = program().version().reply();
    let before = number(w.ask(id, &version)?)?;
    w.set(id, SettingsArg::default())?;
    same(number(w.ask(id, &version)?)?, before + 1)?;
    w.upgrade(id, universal(), &program())?;
    same(number(w.ask(id, &version)?)?, before + 2)?;
    w.stop(id)?;
    w.start(id)?;
    // Stopping is one, stopped is one, started is one.
    same(number(w.ask(id, &version)?)?, before + 5)?;
    w.uninstall(id)?;
    same(w.status(id)?.version.unwrap_or(before + 6), before + 6)
}

fn trapped_message_is_no_version(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let version = program().version().reply();
    let before = number(w.ask(id, &version)?)?;
    refused(w.run(id, &program().fail())?, 5, 503)?;
    let after = number(w.ask(id, &version)?)?;
    same(after.wrapping_sub(before) <= 1, true)
}
