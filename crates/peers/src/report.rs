//! What ran, what failed, what was skipped; told as it happens, and as one object at the end.

use serde_json::{Value, json};

/// The checks so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    ran: Vec<String>,
    failed: Vec<String>,
    skipped: Vec<String>,
}

impl Report {
    /// Notes how a check went; `None` when it failed.
    pub(crate) fn note<T>(&mut self, check: &str, outcome: anyhow::Result<T>) -> Option<T> {
        match outcome {
            Ok(value) => {
                eprintln!("ok       {check}");
                self.ran.push(check.to_owned());
                Some(value)
            }
            Err(error) => {
                eprintln!("FAILED   {check}: {error:#}");
                self.failed.push(format!("{check}: {error:#}"));
                None
            }
        }
    }

    /// Notes that a peer was not there.
    pub(crate) fn skip(&mut self, peer: &str, why: &anyhow::Error) {
        eprintln!("skipped  {peer}: {why:#}");
        self.skipped.push(format!("{peer}: {why:#}"));
    }

    pub(crate) fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    pub(crate) fn has_skipped(&self) -> bool {
        !self.skipped.is_empty()
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({ "ran": self.ran, "failed": self.failed, "skipped": self.skipped })
    }
}
