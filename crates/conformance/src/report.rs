//! What a whole run came to, for people and for programs.

use serde::Serialize;

use crate::case::{Case, Verdict};

/// One run of the suite.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// `engine` or `pocketic`.
    pub backend: String,
    /// Cases that passed.
    pub passed: usize,
    /// Cases that failed.
    pub failed: usize,
    /// Cases that this backend cannot show.
    pub skipped: usize,
    /// All of them, in the order of the table.
    pub cases: Vec<CaseReport>,
}

/// One case of a run.
#[derive(Debug, Clone, Serialize)]
pub struct CaseReport {
    /// Name of the case.
    pub name: &'static str,
    /// Where the behaviour is written down.
    pub citation: &'static str,
    /// `passed`, `failed` or `skipped`.
    pub result: &'static str,
    /// What was found instead, or why it was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Report {
    /// An empty report.
    pub fn new(backend: &str) -> Self {
        Report {
            backend: backend.to_owned(),
            passed: 0,
            failed: 0,
            skipped: 0,
            cases: Vec::new(),
        }
    }

    /// Adds a verdict.
    pub fn add(&mut self, case: &Case, verdict: Verdict) {
        let (result, detail) = match verdict {
            Verdict::Passed => ("passed", None),
            Verdict::Failed(detail) => ("failed", Some(detail)),
            Verdict::Skipped(detail) => ("skipped", Some(detail)),
        };
        match result {
            "passed" => self.passed += 1,
            "failed" => self.failed += 1,
            _ => self.skipped += 1,
        }
        self.cases.push(CaseReport {
            name: case.name,
            citation: case.citation,
            result,
            detail,
        });
    }

    /// The report in one line of JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("bug: a report cannot be written as JSON")
    }
}
