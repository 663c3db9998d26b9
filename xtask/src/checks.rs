//! What can be said of the code without running it, and the whole of what a merge needs.

use crate::canisters;
use crate::program::{cargo, output_of, run};
use crate::simulations;
use crate::tidy;
use crate::workspace::{WASM_TARGET, Workspace, ensure_component, ensure_wasm_target};
use anyhow::bail;
use std::process::Command;

/// `cargo xtask check`.
pub(crate) fn check(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    if let [first, ..] = arguments {
        bail!("this command takes no arguments, found `{first}`");
    }
    ensure_component("fmt", "rustfmt")?;
    ensure_component("clippy", "clippy")?;
    ensure_wasm_target()?;
    let root = &workspace.root;

    eprintln!("formatting ...");
    run(&mut cargo(root, &["fmt", "--all", "--check"]))?;
    eprintln!("tidy ...");
    tidy::check(root)?;
    eprintln!("clippy (checking wasmtime takes a few minutes the first time) ...");
    run(&mut cargo(
        root,
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
    ))?;
    eprintln!("clippy, as the canisters are compiled ...");
    let canisters = ["--package", "hatchery-root", "--package", "hatchery-worker"];
    run(cargo(root, &["clippy", "--target", WASM_TARGET])
        .args(canisters)
        .args(["--", "-D", "warnings"]))?;
    check_dependencies(workspace)
}

/// `cargo xtask ci`: [`check`], then the tests by the README's own command, then [`peers`].
pub(crate) fn ci(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    check(workspace, arguments)?;
    canisters::test(workspace, &[])?;
    simulations::share(workspace)?;
    // The tests have built it: a build of its own would choose other features and compile wasmtime
    // again.
    meet_peers(workspace, &[])
}

fn check_dependencies(workspace: &Workspace) -> anyhow::Result<()> {
    if output_of("cargo", &["deny", "--version"]).is_none() {
        eprintln!("licences and sources: skipped; `cargo install cargo-deny` to check them");
        return Ok(());
    }
    eprintln!("licences and sources ...");
    run(&mut cargo(
        &workspace.root,
        &["deny", "check", "licenses", "sources", "bans"],
    ))
}

/// `cargo xtask conformance`: everything behind it goes to the program.
pub(crate) fn conformance(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    let program = ["run", "--quiet", "--package", "hatchery-conformance", "--"];
    run(cargo(&workspace.root, &program).args(arguments))
}

/// `cargo xtask peers`: real clients against the network; everything behind it goes to the program.
/// Packages are fetched once, into the target folder.
pub(crate) fn peers(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    canisters::build(workspace)?;
    let packages = [
        "--package",
        "hatchery-network",
        "--package",
        "hatchery-peers",
    ];
    run(cargo(&workspace.root, &["build"]).args(packages))?;
    meet_peers(workspace, arguments)
}

fn meet_peers(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    let program = format!("hatchery-peers{}", std::env::consts::EXE_SUFFIX);
    let program = workspace.target.join("debug").join(program);
    run(Command::new(program)
        .env(canisters::WASM_FOLDER_VARIABLE, workspace.target.join("wasm32-unknown-unknown/canister"))
        .arg(workspace.target.join("peers"))
        .args(arguments))
}
