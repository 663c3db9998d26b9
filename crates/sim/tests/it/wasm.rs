//! Where the canisters' modules are.

use std::path::{Path, PathBuf};

/// The bytes of a canister built by `cargo xtask`.
pub(crate) fn load(name: &str) -> Vec<u8> {
    let path = folder().join(format!("{name}.wasm"));
    let module = std::fs::read(&path);
    let mut module = module
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask test`", path.display()));
    if let Ok(id) = std::env::var("HATCHERY_PLANT") {
        hatchery_types::plant::write(&mut module, &id);
    }
    module
}

/// What is shipped has no place for a planted bug.
#[test]
fn no_module_that_is_shipped_has_plants() {
    for name in ["hatchery_root", "hatchery_own_root", "hatchery_worker"] {
        let mut module = load(name);
        assert!(!hatchery_types::plant::write(&mut module, "---"), "{name}");
    }
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
