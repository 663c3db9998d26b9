//! Planted bugs of the shell and of the decoder, which no simulation of core sees: each is hunted by
//! the tests named after it, of its crate or of the worlds with a root that was built with plants.

use crate::canisters;
use crate::program::{cargo, run};
use crate::workspace::Workspace;
use anyhow::{Context, bail};
use std::path::Path;
use std::process::Stdio;

/// Where the tests are that find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finder {
    /// Those of a package, with features.
    Package(&'static str, &'static str),
    /// Those of the worlds, on root's wasm.
    Worlds,
}

/// Each id, and who finds it.
const OUTSIDE: [(&str, Finder); 8] = [
    ("l16", Finder::Worlds),
    ("l17", Finder::Worlds),
    ("l18", Finder::Worlds),
    ("l20", Finder::Package("hatchery", "plant")),
    ("l21", Finder::Package("hatchery", "plant")),
    ("l22", Finder::Package("hatchery-types", "candid,plant")),
    ("l23", Finder::Package("hatchery", "plant")),
    ("l24", Finder::Worlds),
];

/// Bugs of core that seeds of the wasm level find in root's wasm: one that a fault shows, one that a
/// deed does.
const OF_WASM: [&str; 2] = ["p12", "s15"];

/// Those of them that are wanted are found by seeds of the wasm level, made small, and replayed from
/// their scripts.
fn hunt_by_wasm(workspace: &Workspace, wanted: &[&str]) -> anyhow::Result<()> {
    eprintln!("planted in root's wasm: {} ...", wanted.join(", "));
    let folder = canisters::planted_folder(workspace);
    run(workspace
        .program_with("hatchery-sim", &["--features", "hatchery-sim/plant"])?
        .arg("plant-wasm")
        .args(wanted)
        .env(canisters::WASM_FOLDER_VARIABLE, folder))
}

/// Cargo's exit code when tests fail.
const TESTS_FAILED: i32 = 101;

/// Hunts those that are named, or all: each id with its finder, and those that nobody found. What the
/// wasm level must find, too, is an error if it does not.
pub(crate) fn hunt(
    workspace: &Workspace,
    named: &[&String],
) -> anyhow::Result<Vec<(&'static str, Option<String>)>> {
    let is_wanted = |id: &str| named.is_empty() || named.iter().any(|named| *named == id);
    let wanted: Vec<_> = OUTSIDE
        .into_iter()
        .filter(|(id, _)| is_wanted(id))
        .collect();
    let of_wasm: Vec<&str> = OF_WASM.into_iter().filter(|id| is_wanted(id)).collect();
    let in_worlds = wanted.iter().any(|(_, finder)| *finder == Finder::Worlds);
    if in_worlds || !of_wasm.is_empty() {
        canisters::build_planted(workspace)?;
    }
    if !of_wasm.is_empty() {
        hunt_by_wasm(workspace, &of_wasm)?;
    }
    let hunted = wanted.into_iter().map(|(id, finder)| {
        eprintln!("{id}: its named tests ...");
        let (found, who) = match finder {
            Finder::Package(package, features) => (
                tests_fail(
                    workspace,
                    &["--package", package, "--features", features, "--lib"],
                    id,
                )?,
                format!("named tests of {package}"),
            ),
            Finder::Worlds => (
                tests_fail(workspace, &["--workspace", "--test", "it"], id)?,
                "named tests on root's wasm".to_owned(),
            ),
        };
        Ok((id, found.then_some(who)))
    });
    hunted.collect()
}

/// The tests named after the id fail with its bug planted, and pass without it.
pub(crate) fn tests_fail(workspace: &Workspace, which: &[&str], id: &str) -> anyhow::Result<bool> {
    let build = [&["test", "--quiet"], which].concat();
    run(cargo(&workspace.root, &build).arg("--no-run"))?;
    let folder: &Path = &canisters::planted_folder(workspace);
    let code_with = |planted: Option<&str>| {
        let mut tests = cargo(&workspace.root, &build);
        tests.args(["--", &format!("{id}_")]);
        tests.env(canisters::WASM_FOLDER_VARIABLE, folder);
        tests.envs(planted.map(|id| ("HATCHERY_PLANT", id)));
        tests.stdout(Stdio::null()).stderr(Stdio::null());
        let status = tests.status().context("cargo could not be started")?;
        anyhow::Ok(status.code())
    };
    let (planted, without) = (code_with(Some(id))?, code_with(None)?);
    if without != Some(0) {
        bail!("the tests named after {id} fail without its bug, too");
    }
    Ok(planted == Some(TESTS_FAILED))
}
