//! Where things are, and the tools of the toolchain that the commands need.

use crate::program::{cargo, output_of, run};
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The target that canisters are compiled for.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The folders of this workspace.
pub(crate) struct Workspace {
    /// Where `Cargo.toml` is.
    pub(crate) root: PathBuf,
    /// Where cargo builds.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn find() -> anyhow::Result<Workspace> {
        let here = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| ".".into(), PathBuf::from);
        let output = cargo(&here, &["metadata", "--format-version", "1", "--no-deps"])
            .output()
            .context("cargo could not be started")?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim_end());
        }
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let folder = |key: &str| -> anyhow::Result<PathBuf> {
            let path = metadata[key]
                .as_str()
                .with_context(|| format!("cargo names no {key}"))?;
            Ok(PathBuf::from(path))
        };
        Ok(Workspace {
            root: folder("workspace_root")?,
            target: folder("target_directory")?,
        })
    }

    /// The folder of the built canisters: by target and profile, both fixed.
    pub(crate) fn wasm_folder(&self) -> PathBuf {
        self.target.join(WASM_TARGET).join("canister")
    }

    /// A program of this workspace, built, ready to be given its arguments.
    ///
    /// Every program is built out of the whole workspace, so that all of them and the tests share
    /// one choice of features: wasmtime is compiled once.
    ///
    /// # Errors
    /// It does not compile.
    pub(crate) fn program(&self, name: &str) -> anyhow::Result<Command> {
        self.program_with(name, &[])
    }

    /// [`Workspace::program`] with more arguments for the build.
    ///
    /// # Errors
    /// As [`Workspace::program`].
    pub(crate) fn program_with(&self, name: &str, more: &[&str]) -> anyhow::Result<Command> {
        let build = ["build", "--workspace", "--bin", name];
        run(cargo(&self.root, &build).args(more))?;
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        Ok(Command::new(self.target.join("debug").join(file)))
    }

    /// The built command line.
    pub(crate) fn hatchery(&self) -> PathBuf {
        let name = format!("hatchery{}", std::env::consts::EXE_SUFFIX);
        self.target.join("debug").join(name)
    }
}

/// Sees to it that the toolchain can compile canisters.
///
/// # Errors
/// It cannot, and cannot be taught: one line that says how.
pub(crate) fn ensure_wasm_target() -> anyhow::Result<()> {
    let libraries = output_of(
        "rustc",
        &["--print", "target-libdir", "--target", WASM_TARGET],
    );
    if libraries.is_some_and(|path| Path::new(path.trim()).is_dir()) {
        return Ok(());
    }
    let hint = format!(
        "the Rust target {WASM_TARGET} is missing: install rustup (https://rustup.rs), then \
         `rustup target add {WASM_TARGET}`"
    );
    rustup(&["target", "add", WASM_TARGET], hint)
}

/// Sees to it that `cargo <tool>` is there.
///
/// # Errors
/// As [`ensure_wasm_target`].
pub(crate) fn ensure_component(tool: &str, component: &str) -> anyhow::Result<()> {
    if output_of("cargo", &[tool, "--version"]).is_some() {
        return Ok(());
    }
    let hint = format!(
        "cargo {tool} is missing: install rustup (https://rustup.rs), then \
         `rustup component add {component}`"
    );
    rustup(&["component", "add", component], hint)
}

fn rustup(arguments: &[&str], hint: String) -> anyhow::Result<()> {
    if output_of("rustup", &["--version"]).is_none() {
        bail!(hint);
    }
    eprintln!(
        "installing what is missing: rustup {} ...",
        arguments.join(" ")
    );
    run(Command::new("rustup").args(arguments)).context(hint)
}
