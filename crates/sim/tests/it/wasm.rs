//! Where the canisters' modules are.

use std::path::{Path, PathBuf};

/// The bytes of a canister built by `cargo xtask`.
pub(crate) fn load(name: &str) -> Vec<u8> {
    let path = folder().join(format!("{name}.wasm"));
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask test`", path.display()))
}

fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("HATCHERY_WASM_DIR") {
        return folder.into();
    }
    target().join("wasm32-unknown-unknown/canister")
}

fn target() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    option_env!("CARGO_TARGET_DIR").map_or_else(|| here.join("../../target"), PathBuf::from)
}

/// Compiled modules are kept here between tests.
pub(crate) fn cache() -> PathBuf {
    target().join("hatchery-cache")
}
