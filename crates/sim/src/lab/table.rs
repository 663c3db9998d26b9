//! The figures as a table for people: one block a trace, one row a policy.

use super::figures::Figures;
use std::fmt::Write;

/// The table of `figures`, which are in order of traces.
pub fn table(figures: &[Figures]) -> String {
    let mut out = String::new();
    for block in figures.chunk_by(|one, other| one.trace == other.trace) {
        let first = &block[0];
        let per_seed = first.jobs / first.seeds.max(1);
        let heading = format!(
            "{} ({per_seed} jobs a seed, {} seeds)",
            first.trace, first.seeds
        );
        writeln!(out, "{heading}").expect("bug: a string is full");
        writeln!(
            out,
            "  {:<12}{:>9}{:>6}{:>16}{:>9}{:>11}{:>14}",
            "policy", "late", "lost", "worker-seconds", "actions", "reversals", "time to need"
        )
        .expect("bug: a string is full");
        for row in block {
            let need = format!("{:.1} s", row.time_to_need_s);
            writeln!(
                out,
                "  {:<12}{:>9}{:>6}{:>16}{:>9}{:>11}{need:>14}",
                row.policy, row.late, row.lost, row.worker_seconds, row.actions, row.reversals
            )
            .expect("bug: a string is full");
        }
        out.push('\n');
    }
    out
}
