//! Where the built canisters are.

use crate::args::WasmOptions;
use crate::complaint::{Complaint, Kind};
use std::path::{Path, PathBuf};

/// Names the folder when no option does; `cargo xtask` sets it.
const FOLDER_VARIABLE: &str = "HATCHERY_WASM_DIR";
/// Programs lie in `target/debug`, tests in `target/debug/deps`.
const DEPTH_MAX: usize = 3;
/// The module of root.
pub(crate) const ROOT: &str = "hatchery_root.wasm";
/// The module of the example worker.
pub(crate) const WORKER: &str = "hatchery_worker.wasm";

/// The folder of the built canisters; it need not exist.
pub(crate) fn folder(options: &WasmOptions) -> PathBuf {
    let given = options.wasm_dir.clone();
    given
        .or_else(|| std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from))
        .or_else(|| target_folder().map(|target| target.join("wasm32-unknown-unknown/canister")))
        .or_else(folder_of_the_program)
        .unwrap_or_else(|| PathBuf::from("."))
}

/// The folder of the program, if the canisters were put beside it.
fn folder_of_the_program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?.to_owned();
    folder.join(ROOT).is_file().then_some(folder)
}

/// The target folder of the build this program comes from, if it still lies there.
pub(crate) fn target_folder() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    // Cargo marks its folder so; tests lie one folder deeper than programs.
    let mut folders = program.ancestors().skip(1).take(DEPTH_MAX);
    let target = folders.find(|folder| folder.join("CACHEDIR.TAG").is_file())?;
    Some(target.to_owned())
}

/// The bytes of a built canister.
///
/// # Errors
/// It is not there, or not wasm.
pub(crate) fn read(folder: &Path, name: &str) -> Result<Vec<u8>, Complaint> {
    let path = folder.join(name);
    let build = "build the canisters with `cargo xtask canisters`, or name their folder with \
                 --wasm-dir";
    let bytes = std::fs::read(&path).map_err(|error| {
        let message = format!("{} cannot be read: {error}", path.display());
        Complaint::new(Kind::Missing, message).hint(build)
    })?;
    if is_module(&bytes) {
        return Ok(bytes);
    }
    Err(Complaint::new(Kind::Missing, format!("{} is not wasm", path.display())).hint(build))
}

/// The first file of that path that one of the folders has, if it is a module.
///
/// # Errors
/// What to tell of a module that cannot be had.
pub(crate) fn find_module(path: &str, folders: &[PathBuf]) -> Result<(PathBuf, Vec<u8>), String> {
    let found = folders.iter().find_map(|folder| {
        let file = folder.join(path);
        std::fs::read(&file).ok().map(|bytes| (file, bytes))
    });
    match found {
        None => {
            let places: Vec<String> = folders.iter().map(|folder| shown(folder)).collect();
            Err(format!("no file `{path}` in {}", places.join(" or ")))
        }
        Some((_, bytes)) if !is_module(&bytes) => Err(format!("`{path}` is not a wasm module")),
        Some(found) => Ok(found),
    }
}

fn shown(folder: &Path) -> String {
    match folder.display().to_string() {
        empty if empty.is_empty() => ".".to_owned(),
        path => path,
    }
}

/// Wasm, plain or gzipped, by its first bytes.
pub(crate) fn is_module(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm") || bytes.starts_with(&[0x1f, 0x8b, 0x08])
}
