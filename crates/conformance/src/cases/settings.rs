//! Settings, environment variables, history and what is told about a canister.

use candid::Nat;

use crate::backend::Plant;
use crate::case::cases;
use crate::check::{Checked, number, refused, refused_with, replied, same, says};
use crate::management::{
    InstallMode, SettingsArg, Variable, Visibility, about, have, have_number, settings_arg,
};
use crate::modules::{universal, universal_twin};
use crate::program::{manage, program};
use crate::world::{T, World, owner, stranger};

cases! {
    "settings":
    "interface specification, create_canister; defaults" => settings_have_their_defaults(Plant::Field("freezing_threshold"));
    "interface specification, update_settings" => settings_can_be_changed(Plant::Field("freezing_threshold"));
    "interface specification, update_settings" => unnamed_settings_stay(Plant::Field("compute_allocation"));
    "interface specification, update_settings" => ten_controllers_at_most(Plant::Field("controllers"));
    "interface specification, update_settings" => nobody_may_control_a_canister(Plant::Answer);
    "interface specification, update_settings" => new_controller_takes_over(Plant::Answer);
    "interface specification, update_settings" => compute_allocation_is_a_percentage(Plant::Field("compute_allocation"));
    "interface specification, Freezing threshold, update_settings" => allocation_that_would_freeze_is_refused(Plant::Answer);
    "interface specification, update_settings" => refused_settings_change_nothing(Plant::Field("freezing_threshold"));
    "interface specification, is_controller" => controllers_can_be_told(Plant::Answer);
    "interface specification, canister_status" => canister_asks_about_itself(Plant::Answer);
    "interface specification, canister_status" => memory_is_reported(Plant::Field("stable_memory_size"));
    "interface specification, canister_status" => empty_canister_has_no_memory(Plant::Field("memory_size"));
    "interface specification, canister_status" => query_statistics_are_reported_later(Plant::Field("num_calls_total"));
    "interface specification, Environment variables" => variables_are_seen(Plant::Answer);
    "interface specification, Environment variables" => variables_are_counted_and_named(Plant::Answer);
    "interface specification, Environment variables" => missing_variable_traps(Plant::Answer);
    "interface specification, Environment variables" => name_out_of_range_traps(Plant::Answer);
    "interface specification, Environment variables" => twenty_variables_at_most(Plant::Answer);
    "interface specification, Environment variables" => long_names_and_values_are_refused(Plant::Answer);
    "interface specification, Environment variables" => variables_survive_upgrade_and_reinstall(Plant::Answer);
    "interface specification, Environment variables" => variables_are_replaced_as_a_whole(Plant::Answer);
}

/// Nothing but a freezing threshold.
pub(super) fn threshold(seconds: u64) -> SettingsArg {
    SettingsArg {
        freezing_threshold: Some(Nat::from(seconds)),
        ..SettingsArg::default()
    }
}

fn settings_have_their_defaults(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(T)?;
    let settings = have(w.status(id)?.settings)?;
    same(settings.controllers, Some(vec![owner()]))?;
    same(have_number(settings.compute_allocation)?, 0)?;
    same(have_number(settings.memory_allocation)?, 0)?;
    same(have_number(settings.reserved_cycles_limit)?, 5 * T)?;
    same(settings.log_visibility, Some(Visibility::controllers))?;
    same(
        settings.environment_variables.unwrap_or_default(),
        Vec::new(),
    )?;
    same(have_number(settings.freezing_threshold)?, 2_592_000)
}

fn settings_can_be_changed(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    w.set(
        id,
        SettingsArg {
            compute_allocation: Some(Nat::from(3u8)),
            memory_allocation: Some(Nat::from(1_000_000u32)),
            reserved_cycles_limit: Some(Nat::from(7 * T)),
            wasm_memory_limit: Some(Nat::from(12_345_678u32)),
            log_visibility: Some(Visibility::public),
            ..threshold(1_234)
        },
    )?;
    let settings = have(w.status(id)?.settings)?;
    same(have_number(settings.compute_allocation)?, 3)?;
    same(have_number(settings.memory_allocation)?, 1_000_000)?;
    same(have_number(settings.reserved_cycles_limit)?, 7 * T)?;
    same(have_number(settings.wasm_memory_limit)?, 12_345_678)?;
    same(settings.log_visibility, Some(Visibility::public))?;
    same(have_number(settings.freezing_threshold)?, 1_234)
}

fn unnamed_settings_stay(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    let two = SettingsArg {
        compute_allocation: Some(Nat::from(2u8)),
        ..SettingsArg::default()
    };
    w.set(id, two)?;
    w.set(id, threshold(99))?;
    let settings = have(w.status(id)?.settings)?;
    same(have_number(settings.freezing_threshold)?, 99)?;
    same(have_number(settings.compute_allocation)?, 2)
}

fn ten_controllers_at_most(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    let many = |count: u8| SettingsArg {
        controllers: Some(
            (1..count)
                .map(|n| ic_principal::Principal::self_authenticating([n, 1]))
                .chain([owner()])
                .collect(),
        ),
        ..SettingsArg::default()
    };
    w.set(id, many(10))?;
    same(
        w.manage("update_settings", settings_arg(id, many(11)))?
            .is_err(),
        true,
    )?;
    same(
        have(have(w.status(id)?.settings)?.controllers)?.contains(&owner()),
        true,
    )?;
    same(have(have(w.status(id)?.settings)?.controllers)?.len(), 10)
}

fn nobody_may_control_a_canister(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let none = SettingsArg {
        controllers: Some(Vec::new()),
        ..SettingsArg::default()
    };
    w.set(id, none)?;
    says(w.run(id, &program().say("lives"))?, "lives")?;
    refused(w.manage("canister_status", about(id))?, 5, 512)
}

fn new_controller_takes_over(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let other = SettingsArg {
        controllers: Some(vec![stranger()]),
        ..SettingsArg::default()
    };
    w.set(id, other)?;
    replied(w.manage_as(stranger(), "canister_status", about(id))?)?;
    refused(w.manage("stop_canister", about(id))?, 5, 512)
}

fn compute_allocation_is_a_percentage(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(1_000 * T)?;
    same(
        w.manage("update_settings", settings_arg(id, allocation(101)))?
            .is_err(),
        true,
    )?;
    w.set(id, allocation(10))?;
    same(
        have_number(have(w.status(id)?.settings)?.compute_allocation)?,
        10,
    )
}

fn allocation(percent: u8) -> SettingsArg {
    SettingsArg {
        compute_allocation: Some(Nat::from(percent)),
        ..SettingsArg::default()
    }
}

fn allocation_that_would_freeze_is_refused(w: &mut World<'_>) -> Checked<()> {
    // 10 % cost 100 M a second: 259 T for the thirty days of the freezing threshold.
    let id = w.empty(100 * T)?;
    refused_with(
        w.manage("update_settings", settings_arg(id, allocation(10)))?,
        5,
        &[530],
    )
}

fn refused_settings_change_nothing(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(100 * T)?;
    let wrong = SettingsArg {
        compute_allocation: Some(Nat::from(101u8)),
        ..threshold(5)
    };
    same(
        w.manage("update_settings", settings_arg(id, wrong))?
            .is_err(),
        true,
    )?;
    same(
        have_number(have(w.status(id)?.settings)?.freezing_threshold)?,
        2_592_000,
    )
}

fn controllers_can_be_told(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    same(
        number(w.run(id, &program().caller().controlled_by().reply())?)?,
        1,
    )?;
    same(
        number(w.run(id, &program().self_id().controlled_by().reply())?)?,
        0,
    )?;
    let answer = w.backend.update(
        stranger(),
        id,
        "run",
        program().caller().controlled_by().reply().encoded(),
    )?;
    same(number(answer)?, 0)
}

fn canister_asks_about_itself(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let asking = manage("canister_status", about(id)).on_reply(program().say("told"));
    says(w.run(id, &program().call(&asking))?, "told")
}

fn memory_is_reported(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.act(id, &program().number(3).stable_grow())?;
    let status = w.status(id)?;
    let metrics = have(status.memory_metrics)?;
    // Four pages of heap, three of stable memory.
    same(have_number(metrics.wasm_memory_size)?, 4 * 65_536)?;
    same(have_number(status.memory_size)? > 7 * 65_536, true)?;
    same(have_number(metrics.stable_memory_size)?, 3 * 65_536)
}

fn empty_canister_has_no_memory(w: &mut World<'_>) -> Checked<()> {
    let id = w.empty(T)?;
    let small = have_number(w.status(id)?.memory_size)?;
    // Newer platforms count the history and the like: some kilobytes at the most.
    same(small < 65_536, true)?;
    let other = w.empty(T)?;
    same(have_number(w.status(other)?.memory_size)?, small)
}

fn query_statistics_are_reported_later(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    for _ in 0..5 {
        replied(w.ask(id, &program().say(""))?)?;
    }
    same(
        have_number(have(w.status(id)?.query_stats)?.num_calls_total)?,
        0,
    )
}

fn variables(pairs: &[(&str, &str)]) -> SettingsArg {
    SettingsArg {
        environment_variables: Some(
            pairs
                .iter()
                .map(|(name, value)| Variable {
                    name: (*name).into(),
                    value: (*value).into(),
                })
                .collect(),
        ),
        ..SettingsArg::default()
    }
}

fn variables_are_seen(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.set(id, variables(&[("ROLE", "worker"), ("EMPTY", "")]))?;
    same(
        number(w.run(id, &program().bytes("ROLE").env_exists().reply())?)?,
        1,
    )?;
    same(
        number(w.ask(id, &program().bytes("NONE").env_exists().reply())?)?,
        0,
    )?;
    says(
        w.ask(id, &program().bytes("EMPTY").env_value().reply())?,
        "",
    )?;
    says(
        w.run(id, &program().bytes("ROLE").env_value().reply())?,
        "worker",
    )
}

fn variables_are_counted_and_named(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    same(number(w.ask(id, &program().env_count().reply())?)?, 0)?;
    w.set(id, variables(&[("A", "1"), ("B", "2")]))?;
    same(number(w.ask(id, &program().env_count().reply())?)?, 2)?;
    let names = program()
        .number(0)
        .env_name()
        .number(1)
        .env_name()
        .concat()
        .reply();
    let names = replied(w.ask(id, &names)?)?;
    same(names == b"AB" || names == b"BA", true)
}

fn missing_variable_traps(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    refused_with(
        w.run(id, &program().bytes("NONE").env_value_size())?,
        5,
        &[502, 504],
    )
}

fn name_out_of_range_traps(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.set(id, variables(&[("A", "1")]))?;
    replied(w.ask(id, &program().number(0).env_name_size().say(""))?)?;
    refused_with(
        w.run(id, &program().number(1).env_name_size())?,
        5,
        &[502, 504],
    )
}

fn twenty_variables_at_most(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let names: Vec<String> = (0..21).map(|n| format!("V{n}")).collect();
    let pairs: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    w.set(id, variables(&pairs[..20]))?;
    same(
        w.manage("update_settings", settings_arg(id, variables(&pairs)))?
            .is_err(),
        true,
    )?;
    same(number(w.ask(id, &program().env_count().reply())?)?, 20)
}

fn long_names_and_values_are_refused(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    let (fits, long) = ("x".repeat(128), "x".repeat(129));
    w.set(id, variables(&[(&fits, &fits)]))?;
    for pair in [("A", long.as_str()), (long.as_str(), "a")] {
        same(
            w.manage("update_settings", settings_arg(id, variables(&[pair])))?
                .is_err(),
            true,
        )?;
    }
    says(
        w.ask(id, &program().bytes(&fits).env_value().reply())?,
        &fits,
    )
}

fn variables_survive_upgrade_and_reinstall(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.set(id, variables(&[("A", "stays")]))?;
    w.upgrade(id, universal_twin(), &program())?;
    says(
        w.ask(id, &program().bytes("A").env_value().reply())?,
        "stays",
    )?;
    replied(w.try_install(id, InstallMode::reinstall, universal(), &program())?)?;
    says(
        w.ask(id, &program().bytes("A").env_value().reply())?,
        "stays",
    )
}

fn variables_are_replaced_as_a_whole(w: &mut World<'_>) -> Checked<()> {
    let id = w.canister()?;
    w.set(id, variables(&[("A", "1"), ("B", "2")]))?;
    w.set(id, variables(&[("C", "3")]))?;
    same(number(w.ask(id, &program().env_count().reply())?)?, 1)?;
    says(w.ask(id, &program().bytes("C").env_value().reply())?, "3")
}
