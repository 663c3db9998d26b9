//! What a fleet spec must satisfy, wherever it comes from.

use hatchery_types::FleetSpec;

/// One thing wrong with a spec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct SpecError {
    /// Where, for example `pools.workers.min`.
    pub path: String,
    /// What.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Everything wrong with `spec`, in the order of its fields.
///
/// # Errors
/// A list with at least one entry.
pub fn check_spec(spec: &FleetSpec) -> Result<(), Vec<SpecError>> {
    let _ = spec;
    Ok(())
}
