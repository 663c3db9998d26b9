//! Building the canisters, and the commands that need them built.

use crate::program::{cargo, run};
use crate::workspace::{WASM_TARGET, Workspace, ensure_wasm_target};
use anyhow::{Context, bail, ensure};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;
use std::path::PathBuf;

/// Name and package of each canister.
const CANISTERS: [(&str, &str); 5] = [
    ("root", "hatchery-root"),
    ("worker", "hatchery-worker"),
    ("own_root", "hatchery-own-root"),
    ("hub", "hatchery-hub"),
    ("desk", "hatchery-desk"),
];

/// Where programs find the wasm files.
pub(crate) const WASM_FOLDER_VARIABLE: &str = "HATCHERY_WASM_DIR";

/// `cargo xtask canisters`.
pub(crate) fn build_command(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    refuse(arguments)?;
    build(workspace)?;
    for (name, path) in files(workspace) {
        eprintln!("{name}: {}", path.display());
    }
    Ok(())
}

/// `cargo xtask demo`: everything behind it goes to `hatchery demo`.
pub(crate) fn demo(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    build(workspace)?;
    say_first_build(workspace);
    run(workspace
        .program("hatchery")?
        .arg("demo")
        .args(arguments)
        .env(WASM_FOLDER_VARIABLE, workspace.wasm_folder()))
}

/// `cargo xtask test`: everything behind it goes to `cargo test`.
pub(crate) fn test(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    build(workspace)?;
    say_first_build(workspace);
    run(cargo(&workspace.root, &["test", "--workspace"])
        .args(arguments)
        .env(WASM_FOLDER_VARIABLE, workspace.wasm_folder()))
}

/// `cargo xtask bench`: the figures of the engine and of the warm pool; with `--json`, one object as the last line.
///
/// Built by the dev profile, which optimises: what is measured is what tests and demo run.
pub(crate) fn bench(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    build(workspace)?;
    say_first_build(workspace);
    run(workspace
        .program("hatchery-bench")?
        .args(arguments)
        .env(WASM_FOLDER_VARIABLE, workspace.wasm_folder()))
}

/// `cargo xtask lab`: figures of scaling policies, and a picture of every trace.
pub(crate) fn lab(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    say_first_build(workspace);
    let mut command = workspace.program("lab")?;
    if !arguments.iter().any(|argument| argument == "--svg") {
        command.arg("--svg").arg(workspace.target.join("lab"));
    }
    for argument in arguments {
        command.arg(argument);
        if argument == "--write" {
            command.arg(&workspace.root);
        }
    }
    run(&mut command)
}

/// `cargo xtask size`: bytes of each canister; with `--json`, one object as the last line.
pub(crate) fn size(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    let json = match arguments {
        [] => false,
        [flag] if flag == "--json" => true,
        _ => bail!("`cargo xtask size` takes `--json` and nothing else"),
    };
    build(workspace)?;
    let mut sizes = serde_json::Map::new();
    for (name, path) in files(workspace) {
        let wasm = std::fs::read(&path).with_context(|| format!("{}", path.display()))?;
        let (raw, gz) = (wasm.len(), gzipped_bytes(&wasm)?);
        if !json {
            println!("{name:<10}{raw:>10} bytes raw{gz:>10} bytes gzipped");
        }
        sizes.insert(name.to_owned(), serde_json::json!({ "raw": raw, "gz": gz }));
    }
    if json {
        println!("{}", serde_json::Value::from(sizes));
    }
    Ok(())
}

/// Root gzipped, its dashboard included.
const ROOT_GZIPPED_BYTES_MAX: usize = 500_000;

/// Fails if root, as it was built last, is larger than it may be.
pub(crate) fn check_size(workspace: &Workspace) -> anyhow::Result<()> {
    let path = workspace.wasm_folder().join("hatchery_root.wasm");
    let wasm = std::fs::read(&path).with_context(|| format!("{}", path.display()))?;
    let bytes = gzipped_bytes(&wasm)?;
    ensure!(
        bytes <= ROOT_GZIPPED_BYTES_MAX,
        "root has {bytes} bytes gzipped, {ROOT_GZIPPED_BYTES_MAX} at most"
    );
    eprintln!("root: {bytes} bytes gzipped of {ROOT_GZIPPED_BYTES_MAX}");
    Ok(())
}

/// Numbers in as few bytes as they need; and names by which instances of one generic stand side by
/// side, where a compressor sees that they are alike.
const SMALL: &str = "-C link-arg=--compress-relocations -C symbol-mangling-version=v0";

pub(crate) fn build(workspace: &Workspace) -> anyhow::Result<()> {
    ensure_wasm_target()?;
    let built = files(workspace).iter().all(|(_, path)| path.exists());
    let first = if built {
        ""
    } else {
        " (about a minute the first time)"
    };
    eprintln!("building the canisters{first} ...");
    let mut command = cargo(
        &workspace.root,
        &["build", "--target", WASM_TARGET, "--profile", "canister"],
    );
    for (_, package) in CANISTERS {
        command.args(["--package", package]);
    }
    run(command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", SMALL))
}

/// Where the canisters with plants are.
pub(crate) fn planted_folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("planted")
}

/// Builds root with plants into a folder of its own, beside the other canisters as they are; those
/// that are shipped are built again behind it, so that no plant is ever among them.
pub(crate) fn build_planted(workspace: &Workspace) -> anyhow::Result<()> {
    build(workspace)?;
    let folder = planted_folder(workspace);
    std::fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    let take = |workspace: &Workspace| -> anyhow::Result<()> {
        for (_, path) in files(workspace) {
            let name = path.file_name().context("a canister has a file name")?;
            std::fs::copy(&path, folder.join(name)).with_context(|| path.display().to_string())?;
        }
        Ok(())
    };
    take(workspace)?;
    eprintln!("building root with plants ...");
    let arguments = ["build", "--target", WASM_TARGET, "--profile", "canister"];
    let root = ["--package", "hatchery-root", "--features", "plant"];
    let built = run(cargo(&workspace.root, &arguments)
        .args(root)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", SMALL));
    let taken = built.and_then(|()| take(workspace));
    build(workspace)?;
    taken
}

fn say_first_build(workspace: &Workspace) {
    if !workspace.hatchery().exists() {
        eprintln!(
            "building the engine and the command line (compiling wasmtime takes several minutes \
             the first time) ..."
        );
    }
}

fn files(workspace: &Workspace) -> Vec<(&'static str, PathBuf)> {
    let folder = workspace.wasm_folder();
    let file = |package: &str| folder.join(format!("{}.wasm", package.replace('-', "_")));
    CANISTERS
        .iter()
        .map(|(name, package)| (*name, file(package)))
        .collect()
}

fn gzipped_bytes(bytes: &[u8]) -> anyhow::Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

fn refuse(arguments: &[String]) -> anyhow::Result<()> {
    match arguments {
        [] => Ok(()),
        [first, ..] => bail!("this command takes no arguments, found `{first}`"),
    }
}
