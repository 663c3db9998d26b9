//! What an operator is told when something does not work: kind, message, hints, and an exit code
//! that is fixed by the kind. Errors inside are `anyhow`; this is their one edge.

use std::fmt;
use std::process::ExitCode;

/// Whose move it is, and the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Something that must hold does not.
    Failed = 1,
    /// A file or value given is not one.
    Input = 3,
    /// Something must be built first.
    Missing = 4,
    /// The network cannot be reached, or what answers there cannot be trusted.
    Unreachable = 5,
    /// Root or the platform says no.
    Refused = 6,
    /// The identity may not.
    Denied = 7,
    /// Nobody confirmed it.
    Unconfirmed = 8,
    /// A bug of ours.
    Internal = 70,
    /// Stopped by a key.
    Stopped = 130,
}

/// An error for people.
#[derive(Debug)]
pub(crate) struct Complaint {
    kind: Kind,
    message: String,
    hints: Vec<String>,
}

impl Complaint {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Complaint {
        Complaint {
            kind,
            message: message.into(),
            hints: Vec::new(),
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Complaint {
        self.hints.push(hint.into());
        self
    }
}

/// Whether an error is of this kind.
pub(crate) fn is(error: &anyhow::Error, kind: Kind) -> bool {
    kind_of(error) == kind
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Complaint {}

/// The error with its causes and hints; no newline at the end.
pub(crate) fn render(error: &anyhow::Error) -> String {
    let label = match kind_of(error) {
        Kind::Internal => "internal error",
        Kind::Stopped => "stopped",
        _ => "error",
    };
    let mut lines = vec![format!("{label}: {error}")];
    lines.extend(
        error
            .chain()
            .skip(1)
            .map(|cause| format!("caused by: {cause}")),
    );
    if let Some(complaint) = error.downcast_ref::<Complaint>() {
        lines.extend(complaint.hints.iter().map(|hint| format!("hint: {hint}")));
    }
    lines.join("\n")
}

pub(crate) fn exit_code(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(kind_of(error) as u8)
}

fn kind_of(error: &anyhow::Error) -> Kind {
    if let Some(complaint) = error.downcast_ref::<Complaint>() {
        return complaint.kind;
    }
    // A file that cannot be read or written is no bug of ours.
    let is_of_files = error.downcast_ref::<std::io::Error>().is_some();
    if is_of_files {
        Kind::Input
    } else {
        Kind::Internal
    }
}

#[cfg(test)]
mod tests {
    use super::{Complaint, Kind, kind_of, render};
    use anyhow::{Context, anyhow};

    #[test]
    fn a_complaint_is_shown_with_its_hints() {
        let complaint = Complaint::new(Kind::Missing, "there is no root.wasm").hint("build it");
        let error = anyhow::Error::from(complaint);
        assert_eq!(
            render(&error),
            "error: there is no root.wasm\nhint: build it"
        );
        assert_eq!(kind_of(&error), Kind::Missing);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_no_bug_of_ours() {
        let error = std::fs::write("", "").context("plot").expect_err("no path");
        assert_eq!(kind_of(&error), Kind::Input);
    }

    #[test]
    fn anything_else_is_a_bug_of_ours_with_its_causes() {
        let error = Err::<(), _>(anyhow!("no answer"))
            .context("status")
            .expect_err("an error");
        assert_eq!(
            render(&error),
            "internal error: status\ncaused by: no answer"
        );
    }
}
