//! From the bytes as uploaded to a plain module. It owns the largest size; what is inside is
//! [`super::validate`]'s.

use std::io::Read;

use super::error::ModuleError;

/// Bytes of a module after decompression.
pub(super) const MAX_WASM_BYTES: u64 = 100 * 1024 * 1024;

/// The plain module: as it is, or unpacked from gzip.
pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<u8>, ModuleError> {
    if bytes.starts_with(b"\0asm") {
        return within_size(bytes.to_vec());
    }
    if !bytes.starts_with(&[0x1f, 0x8b, 0x08]) {
        return Err(ModuleError::new(
            "not a WebAssembly module: neither the wasm nor the gzip signature",
        ));
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes)
        .take(MAX_WASM_BYTES + 1)
        .read_to_end(&mut plain)
        .map_err(|error| ModuleError::new(format!("cannot unpack the gzip module: {error}")))?;
    within_size(plain)
}

fn within_size(plain: Vec<u8>) -> Result<Vec<u8>, ModuleError> {
    if plain.len() as u64 > MAX_WASM_BYTES {
        return Err(ModuleError::new(format!(
            "module is larger than {MAX_WASM_BYTES} bytes"
        )));
    }
    Ok(plain)
}
