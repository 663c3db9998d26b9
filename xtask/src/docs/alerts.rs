//! The alert rules: they name metrics that exist, reasons that exist, and a heading of the runbook,
//! which says of each what is seen, how to ask why, and what to do.

use super::{read, reference};
use crate::program::{output_of, run};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const RULES: &str = "docs/alerts/hatchery.rules.yml";
const RUNBOOK: &str = "docs/src/runbook.md";

/// What of the rules leads nowhere.
pub(super) fn faults(root: &Path) -> anyhow::Result<Vec<String>> {
    let rules = read(root, RULES)?;
    let runbook = read(root, RUNBOOK)?;
    let metrics: BTreeSet<String> = reference::metric_names(root)?.into_iter().collect();
    let reasons: BTreeSet<String> = reference::reason_names(root)?.into_iter().collect();
    let headings: BTreeSet<&str> = runbook
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .collect();
    let alerts: BTreeSet<&str> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    let mut faults = Vec::new();
    for alert in alerts.symmetric_difference(&headings) {
        faults.push(format!(
            "{RULES}, {RUNBOOK}: `{alert}` is in one of them only"
        ));
    }
    faults.extend(incomplete(&runbook));
    for name in words(&rules).filter(|word| word.starts_with("hatchery_")) {
        if !metrics.contains(name) {
            faults.push(format!("{RULES}: there is no metric `{name}`"));
        }
    }
    for name in rules.split("reason=\"").skip(1) {
        let name = name.split('"').next().unwrap_or_default();
        if !reasons.contains(name) {
            faults.push(format!("{RULES}: there is no reason `{name}`"));
        }
    }
    Ok(faults)
}

/// What an entry of the runbook has, in this order.
const PARTS: [&str; 3] = ["- **Symptom**: ", "- **Why**: ", "- **Action**: "];

/// Entries that lack a part, and whys that name no command.
fn incomplete(runbook: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for entry in runbook.split("\n### ").skip(1) {
        let mut lines = entry.lines().filter(|line| !line.is_empty());
        let name = lines.next().unwrap_or_default();
        let parts: Vec<&str> = lines.take_while(|line| !line.starts_with('#')).collect();
        let in_order = parts.len() == PARTS.len()
            && PARTS
                .iter()
                .zip(&parts)
                .all(|(part, it)| it.starts_with(part));
        if !in_order {
            faults.push(format!("{RUNBOOK}: `{name}` is not symptom, why, action"));
        } else if !parts[1].contains("`hatchery ") {
            faults.push(format!("{RUNBOOK}: the why of `{name}` names no command"));
        }
    }
    faults
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|it: char| !(it.is_ascii_alphanumeric() || it == '_'))
}

/// The rules by Prometheus' own tool, where it is installed.
pub(super) fn check_with_promtool(root: &Path) -> anyhow::Result<()> {
    if output_of("promtool", &["--version"]).is_none() {
        eprintln!("alert rules by promtool: skipped; install Prometheus (Debian: prometheus)");
        return Ok(());
    }
    let rules = root.join(RULES);
    run(Command::new("promtool").args(["check", "rules"]).arg(rules))
}

#[cfg(test)]
mod tests {
    use super::incomplete;

    #[test]
    fn an_entry_says_what_is_seen_why_and_what_to_do() {
        let good = "# R\n\n### A\n\n- **Symptom**: x\n- **Why**: `hatchery why`\n- **Action**: y\n";
        assert_eq!(incomplete(good), Vec::<String>::new());
        let bad = [
            good.replace("- **Action**: y\n", ""),
            good.replace("`hatchery why`", "guess"),
            good.replace("Symptom", "Sign"),
        ];
        for text in bad {
            assert_eq!(incomplete(&text).len(), 1, "{text}");
        }
    }
}
