//! What can be said of the code without running it, and the whole of what a merge needs.

use crate::canisters;
use crate::program::{cargo, output_of, run};
use crate::simulations;
use crate::tidy;
use crate::workspace::{WASM_TARGET, Workspace, ensure_component, ensure_wasm_target};
use anyhow::bail;

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

/// `cargo xtask ci`: [`check`], then the tests by the README's own command, root's size, and
/// [`peers`].
pub(crate) fn ci(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    check(workspace, arguments)?;
    canisters::test(workspace, &[])?;
    canisters::check_size(workspace)?;
    simulations::share(workspace)?;
    peers(workspace, &[])
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
    run(workspace.program("conformance")?.args(arguments))
}

/// `cargo xtask peers`: real clients against the network; everything behind it goes to the program.
/// Packages are fetched once, into the target folder.
pub(crate) fn peers(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    canisters::build(workspace)?;
    workspace.program("hatchery-engine")?;
    workspace.program("hatchery")?;
    run(workspace
        .program("hatchery-peers")?
        .env(canisters::WASM_FOLDER_VARIABLE, workspace.wasm_folder())
        .arg(workspace.target.join("peers"))
        .args(arguments))
}

/// `cargo xtask page`: the browser's test, which a missing browser fails here and skips elsewhere.
pub(crate) fn page(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    if let [first, ..] = arguments {
        bail!("this command takes no arguments, found `{first}`");
    }
    canisters::build(workspace)?;
    // The whole workspace: with fewer packages cargo would choose other features and compile
    // wasmtime again.
    let test = ["test", "--workspace", "--test", "it", "the_page_"];
    run(cargo(&workspace.root, &test)
        .env(canisters::WASM_FOLDER_VARIABLE, workspace.wasm_folder())
        .env("HATCHERY_MUST_BROWSE", "1"))
}
