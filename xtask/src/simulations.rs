//! The simulations: random worlds against the control plane; and the bugs planted to see them fail.

use crate::canisters;
use crate::plants_outside;
use crate::program::{cargo, run};
use crate::workspace::Workspace;
use anyhow::{Context, bail};
use serde_json::{Value, json};

/// Seeds of the model that a merge must pass, of 5,000.
const SHARE_MODEL: &str = "1200";
/// Seeds of the wasm level that a merge must pass, of 200.
const SHARE_WASM: &str = "10";

/// `cargo xtask sim`: everything behind it goes to `hatchery-sim`.
pub(crate) fn sim(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    let mut command = workspace.program("hatchery-sim")?;
    if arguments.iter().any(|argument| argument == "--wasm") {
        canisters::build(workspace)?;
        command.env(canisters::WASM_FOLDER_VARIABLE, workspace.wasm_folder());
    }
    run(command.args(arguments))
}

/// The share of the simulations that `cargo xtask ci` runs.
pub(crate) fn share(workspace: &Workspace) -> anyhow::Result<()> {
    eprintln!("a share of the simulations ...");
    sim(workspace, &["--seeds", SHARE_MODEL].map(str::to_owned))?;
    sim(
        workspace,
        &["--wasm", "--seeds", SHARE_WASM].map(str::to_owned),
    )
}

/// `cargo xtask plant`: what the simulation does not find, the tests named after it must.
pub(crate) fn plant(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    let is_json = arguments.iter().any(|argument| argument == "--json");
    let mut flags = arguments.iter().filter(|it| it.starts_with("--"));
    if let Some(flag) = flags.find(|flag| !["--json", "--all"].contains(&flag.as_str())) {
        bail!("{flag} means nothing here: name ids, or say --all; --json for one object");
    }
    let named: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let mut result = hunt(workspace, named.iter().copied())?;
    let missed = match result["missed"].take() {
        Value::Array(missed) => missed,
        other => bail!("hatchery-sim names what it missed as {other}"),
    };
    let mut left = Vec::new();
    for id in missed.iter().filter_map(Value::as_str) {
        eprintln!("{id}: not found by the simulation; its named tests ...");
        if named_tests_fail(workspace, id)? {
            result["found_by"][id] = json!("named tests of hatchery-core");
        } else {
            left.push(id);
        }
    }
    if named.is_empty() {
        test_shrinking(workspace)?;
    }
    let outside = plants_outside::hunt(workspace, &named)?;
    let planted = result["planted"].as_u64().unwrap_or(0) + outside.len() as u64;
    for (id, finder) in outside {
        match finder {
            Some(finder) => result["found_by"][id] = json!(finder),
            None => left.push(id),
        }
    }
    result["planted"] = json!(planted);
    result["found"] = json!(planted - left.len() as u64);
    result["missed"] = json!(left);
    if is_json {
        println!("{result}");
    } else {
        for (id, finder) in result["found_by"].as_object().into_iter().flatten() {
            println!("{id:<5}{}", finder.as_str().unwrap_or_default());
        }
        println!(
            "planted {planted}, found {}, missed {left:?}",
            result["found"]
        );
    }
    if left.is_empty() {
        Ok(())
    } else {
        bail!("planted and not found: {}", left.join(", "))
    }
}

/// A seed that finds a planted bug is made small, and its script replays to the same failure.
fn test_shrinking(workspace: &Workspace) -> anyhow::Result<()> {
    eprintln!("a failing seed is made small ...");
    let feature = ["--features", "hatchery-sim/plant", "--test", "it"];
    let test = ["test", "--quiet", "--workspace"];
    run(cargo(&workspace.root, &test)
        .args(feature)
        .args(["--", "script::"]))
}

/// What the simulation finds, as its program tells it.
fn hunt<'a>(workspace: &Workspace, ids: impl Iterator<Item = &'a String>) -> anyhow::Result<Value> {
    let feature = ["--features", "hatchery-sim/plant"];
    let output = workspace
        .program_with("hatchery-sim", &feature)?
        .args(["plant", "--json"])
        .args(ids)
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cargo could not be started")?;
    if output.status.code() == Some(USAGE) {
        bail!("there is no such bug to plant, see above");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().context("hatchery-sim said nothing")?;
    serde_json::from_str(line).with_context(|| format!("hatchery-sim said `{line}`"))
}

/// The exit code of a program that was asked for what it does not know.
const USAGE: i32 = 2;

/// The tests named after a failure id fail with its bug planted, and only then.
fn named_tests_fail(workspace: &Workspace, id: &str) -> anyhow::Result<bool> {
    let tests = ["--package", "hatchery-core", "--features", "plant"];
    let tests = [&tests[..], &["--test", "it"]].concat();
    plants_outside::tests_fail(workspace, &tests, id)
}
