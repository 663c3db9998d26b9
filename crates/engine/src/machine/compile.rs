//! From a rewritten module to machine code, once per module hash: engine settings, and the cache on
//! disk. It owns file names and when a file is trusted; it knows nothing of canisters.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::{Config, Engine, OptLevel, Strategy};

use super::error::ModuleError;
use super::trusted::artifact;
use super::weights;

/// Stack that canister code may use. It must fit, with our own frames, into the 2 MiB of a test
/// thread: exhausting it is then a trap of the canister and never the end of the process.
const MAX_WASM_STACK_BYTES: usize = 1024 * 1024;

/// Changes whenever our rewrite or settings change what a cached artifact means.
const CACHE_LAYOUT: &str = "2";

/// The engine's settings: deterministic, metered, the features that canisters have.
pub(super) fn config() -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .cranelift_nan_canonicalization(true)
        .consume_fuel(true)
        .operator_cost(weights::operator_cost())
        .max_wasm_stack(MAX_WASM_STACK_BYTES)
        .wasm_simd(true)
        .wasm_bulk_memory(true)
        .wasm_tail_call(true)
        .wasm_multi_value(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(true)
        .wasm_multi_memory(false)
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false)
        .guard_before_linear_memory(false);
    config
}

/// Compiles modules or takes them from the cache folder.
#[derive(Clone)]
pub(super) struct Compiler {
    engine: Engine,
    folder: Option<PathBuf>,
}

impl Compiler {
    pub(super) fn new(engine: Engine, folder: Option<PathBuf>) -> Self {
        Compiler { engine, folder }
    }

    /// Machine code for a rewritten module. A damaged or foreign cache file is replaced; a cache
    /// that cannot be written costs time only.
    pub(super) fn compile(&self, rewritten: &[u8]) -> Result<wasmtime::Module, ModuleError> {
        let path = self.folder.as_deref().map(|folder| path(folder, rewritten));
        if let Some(path) = &path
            && let Ok(file) = std::fs::read(path)
            && let Some(module) = artifact::unpack(&self.engine, &file)
        {
            return Ok(module);
        }
        let module = wasmtime::Module::new(&self.engine, rewritten)
            .map_err(|error| ModuleError::new(format!("module does not compile: {error}")))?;
        if let Some(path) = &path
            && let Some(file) = artifact::pack(&module)
        {
            store(path, &file);
        }
        Ok(module)
    }
}

/// The cache file of a module: what was compiled, by which version of ours and of wasmtime.
fn path(folder: &Path, rewritten: &[u8]) -> PathBuf {
    let mut hasher = Sha256::new();
    hasher.update(CACHE_LAYOUT);
    hasher.update(env!("CARGO_PKG_VERSION"));
    hasher.update(rewritten);
    let mut name = String::new();
    for byte in hasher.finalize() {
        write!(name, "{byte:02x}").expect("bug: writing to a text cannot fail");
    }
    folder.join(format!("{name}.module"))
}

/// Writes beside and renames, so that another process never reads half a file. Failure is no
/// error: the cache is an optimisation.
fn store(path: &Path, file: &[u8]) {
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    let written = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(&beside, file))
        .and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
}
