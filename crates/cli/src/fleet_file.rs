//! A fleet as its folder has it: `fleet.toml`, resolved, with the modules that its roles name.

use crate::args::WasmOptions;
use crate::check::{read_text, refuse};
use crate::wasm;
use hatchery_api::fleet_toml;
use hatchery_types::{FleetSpec, ModuleHash};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file's name in its folder.
pub(crate) const NAME: &str = "fleet.toml";

/// A fleet that makes sense.
#[derive(Debug, Clone)]
pub(crate) struct FleetFile {
    /// As it would be applied.
    pub(crate) spec: FleetSpec,
    /// Its modules.
    pub(crate) modules: BTreeMap<ModuleHash, Module>,
}

/// A module as a file has it.
#[derive(Debug, Clone)]
pub(crate) struct Module {
    /// The file.
    pub(crate) path: PathBuf,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

/// Reads the fleet of a folder; modules are looked for beside the file, then among the built
/// canisters.
///
/// # Errors
/// Everything that is wrong with the file, with its place.
pub(crate) fn load(folder: &Path, options: &WasmOptions) -> anyhow::Result<FleetFile> {
    let path = folder.join(NAME);
    let text = read_text(&path)?;
    let folders = [folder.to_owned(), wasm::folder(options)];
    let mut modules = BTreeMap::new();
    let spec = fleet_toml::parse(&text).and_then(|draft| {
        draft.resolve(|_, path| {
            let (path, bytes) = wasm::find_module(path, &folders)?;
            let hash = hash_of(&bytes);
            modules.insert(hash, Module { path, bytes });
            Ok(hash)
        })
    });
    let spec = spec.map_err(|errors| refuse(&path, &errors))?;
    Ok(FleetFile { spec, modules })
}

/// The name of a module.
pub(crate) fn hash_of(bytes: &[u8]) -> ModuleHash {
    ModuleHash(Sha256::digest(bytes).into())
}
