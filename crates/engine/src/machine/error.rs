//! Why bytes are refused as a module or as a saved image. Traps of running code are
//! [`crate::message::Trap`].

use ic_error_types::ErrorCode;

/// Why a module is refused at install; the code is always `CanisterInvalidWasm`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ModuleError {
    /// The platform's code.
    pub code: ErrorCode,
    /// What is wrong, naming the offending import, export or section.
    pub text: String,
}

impl ModuleError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        ModuleError {
            code: ErrorCode::CanisterInvalidWasm,
            text: text.into(),
        }
    }
}

/// Why bytes are not an image of this module.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The bytes end early, or a field has an impossible value.
    #[error("image is truncated or malformed")]
    Malformed,
    /// The bytes were written by a layout this version does not know.
    #[error("image has layout version {0}, which is not known")]
    Version(u8),
    /// The bytes were written for another module.
    #[error("image belongs to another module")]
    OtherModule,
}
