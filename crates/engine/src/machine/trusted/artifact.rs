//! Loads compiled modules back from cache files. It owns the file's layout and its check; where
//! files lie is the cache's business.
//!
//! ```text
//! ┌────────────────────────────┬──────────────────────────┐
//! │ sha256 of the rest │ 32 B  │ wasmtime's artifact      │
//! └────────────────────────────┴──────────────────────────┘
//! ```

use sha2::{Digest, Sha256};
use wasmtime::{Engine, Module};

const DIGEST_BYTES: usize = 32;

/// What to write to a cache file for this module; `None` if it cannot be serialised.
pub(in crate::machine) fn pack(module: &Module) -> Option<Vec<u8>> {
    let artifact = module.serialize().ok()?;
    let mut file = Sha256::digest(&artifact).to_vec();
    file.extend(artifact);
    Some(file)
}

/// The module in a cache file; `None` if the file is damaged or of another engine.
pub(in crate::machine) fn unpack(engine: &Engine, file: &[u8]) -> Option<Module> {
    let (digest, artifact) = file.split_at_checked(DIGEST_BYTES)?;
    if Sha256::digest(artifact).as_slice() != digest {
        return None;
    }
    // SAFETY: the bytes are, up to a collision of SHA-256, what `pack` wrote: the serialisation of
    // a module that this program compiled. Files of other versions or settings are refused by
    // wasmtime itself. The cache folder is the user's own, like the program.
    unsafe { Module::deserialize(engine, artifact) }.ok()
}
