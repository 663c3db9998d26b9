//! The global timer and the heartbeat.

use crate::backend::Plant;
use crate::case::cases;
use crate::check::{Checked, number, refused, same, says};
use crate::management::InstallMode;
use crate::modules::{universal, with_heartbeat};
use crate::program::{Program, program};
use crate::world::{MANAGEMENT, SECOND, World};

cases! {
    "timers":
    "interface specification, Global timer" => timer_fires_in_the_round_after_its_time(Plant::Answer);
    "interface specification, Global timer" => timer_waits_for_its_time(Plant::Answer);
    "interface specification, Global timer" => timer_fires_once(Plant::Answer);
    "interface specification, Global timer" => timer_of_the_past_fires_at_once(Plant::Answer);
    "interface specification, Global timer" => zero_turns_the_timer_off(Plant::Answer);
    "interface specification, Global timer" => setting_returns_the_previous_time(Plant::Answer);
    "interface specification, Global timer" => timer_is_off_inside_its_own_run(Plant::Answer);
    "interface specification, Global timer" => timer_may_set_itself_again(Plant::Answer);
    "interface specification, Global timer" => trapped_timer_is_not_repeated(Plant::Answer);
    "interface specification, Global timer" => timer_runs_as_the_management_canister(Plant::Answer);
    "interface specification, Global timer" => timer_can_be_set_at_init(Plant::Answer);
    "interface specification, Global timer" => upgrade_turns_the_timer_off(Plant::Answer);
    "interface specification, Global timer" => reinstall_turns_the_timer_off(Plant::Answer);
    "interface specification, Global timer" => timer_waits_while_stopped(Plant::Answer);
    "interface specification, Heartbeat" => heartbeat_beats_every_round(Plant::Answer);
    "interface specification, Heartbeat" => heartbeat_rests_while_stopped(Plant::Answer);
    "interface specification, Canister version" => timer_counts_as_a_version(Plant::Answer);
}

/// A timer that counts to place 0.
fn counting() -> Program {
    program().on_timer(&program().bump(0, 1))
}

fn timer_fires_in_the_round_after_its_time(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &counting().timer_in(10 * SECOND))?;
    w.pass(10)?;
    w.tick()?;
    same(w.counter(id, 0)?, 1)
}

fn timer_waits_for_its_time(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &counting().timer_in(10 * SECOND))?;
    w.pass(9)?;
    w.ticks(3)?;
    same(w.counter(id, 0)?, 0)?;
    w.pass(1)?;
    w.tick()?;
    same(w.counter(id, 0)?, 1)
}

fn timer_fires_once(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &counting().timer_in(SECOND))?;
    w.pass(100)?;
    w.ticks(5)?;
    same(w.counter(id, 0)?, 1)
}

fn timer_of_the_past_fires_at_once(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &counting().timer_at(1))?;
    w.tick()?;
    same(w.counter(id, 0)?, 1)
}

fn zero_turns_the_timer_off(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &counting().timer_in(SECOND))?;
    w.act(id, &program().timer_at(0))?;
    w.pass(100)?;
    w.ticks(3)?;
    same(w.counter(id, 0)?, 0)
}

fn setting_returns_the_previous_time(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let far = w.now()? + 1_000_000 * SECOND;
    let set = program().number(far).timer_set().reply();
    same(number(w.run(id, &set)?)?, 0)?;
    same(number(w.run(id, &set)?)?, far)
}

fn timer_is_off_inside_its_own_run(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let note = program().number(1).number(0).timer_set().cell_set();
    w.act(id, &program().keep(1, [9; 8]).on_timer(&note).timer_at(1))?;
    w.tick()?;
    same(number(w.ask(id, &program().kept(1).reply())?)?, 0)
}

fn timer_may_set_itself_again(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let again = program().bump(0, 1).timer_in(SECOND);
    w.act(id, &program().on_timer(&again).timer_in(SECOND))?;
    for _ in 0..4 {
        w.pass(1)?;
        w.tick()?;
    }
    same(w.counter(id, 0)?, 4)
}

fn trapped_timer_is_not_repeated(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(
        id,
        &program().on_timer(&program().bump(0, 1).fail()).timer_at(1),
    )?;
    w.ticks(3)?;
    same(w.counter(id, 0)?, 0)?;
    same(
        number(w.run(id, &program().number(0).timer_set().reply())?)?,
        0,
    )
}

fn timer_runs_as_the_management_canister(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let note = program().number(1).caller().cell_set();
    w.act(id, &program().keep(1, "nobody").on_timer(&note).timer_at(1))?;
    w.tick()?;
    says(w.ask(id, &program().kept(1).reply())?, MANAGEMENT)
}

fn timer_can_be_set_at_init(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * crate::world::T)?;
    let init = counting().timer_in(5 * SECOND);
    crate::check::replied(w.try_install(id, InstallMode::install, universal(), &init)?)?;
    w.pass(5)?;
    w.tick()?;
    same(w.counter(id, 0)?, 1)
}

fn upgrade_turns_the_timer_off(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &counting().timer_in(SECOND))?;
    w.upgrade(id, universal(), &counting())?;
    w.pass(100)?;
    w.ticks(2)?;
    same(w.counter(id, 0)?, 0)
}

fn reinstall_turns_the_timer_off(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &counting().timer_in(SECOND))?;
    crate::check::replied(w.try_install(id, InstallMode::reinstall, universal(), &counting())?)?;
    w.pass(100)?;
    w.ticks(2)?;
    same(w.counter(id, 0)?, 0)
}

fn timer_waits_while_stopped(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &counting().timer_in(SECOND))?;
    w.stop(id)?;
    w.pass(10)?;
    w.ticks(2)?;
    w.start(id)?;
    w.ticks(2)?;
    same(w.counter(id, 0)?, 1)
}

fn heartbeat_beats_every_round(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister_of(with_heartbeat())?;
    w.act(id, &program().on_heartbeat(&program().bump(0, 1)))?;
    let before = w.counter(id, 0)?;
    w.ticks(10)?;
    same(w.counter(id, 0)?, before + 10)
}

fn heartbeat_rests_while_stopped(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister_of(with_heartbeat())?;
    w.act(id, &program().on_heartbeat(&program().bump(0, 1)))?;
    w.stop(id)?;
    w.ticks(10)?;
    refused(w.ask(id, &program().read(0).reply())?, 5, 508)?;
    w.start(id)?;
    // One beat at the stop's round and one at the start's are all there can be.
    let beats = w.counter(id, 0)?;
    same(beats <= 3, true)
}

fn timer_counts_as_a_version(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &counting().timer_in(SECOND))?;
    let version = program().version().reply();
    let before = number(w.ask(id, &version)?)?;
    w.pass(2)?;
    w.tick()?;
    same(number(w.ask(id, &version)?)?, before + 1)
}
