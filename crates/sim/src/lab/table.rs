//! The figures as tables: for a terminal one block a trace, for the book one row a trace.

use super::figures::Figures;
use super::policy::Policy;
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

/// Two tables for the book: jobs that were late, and what workers cost beside the autoscaler's of
/// Kubernetes. A row a trace, a column a policy.
pub fn markdown(figures: &[Figures]) -> String {
    let late = |row: &Figures, _: &Figures| row.late.to_string();
    let cost = |row: &Figures, hpa: &Figures| {
        let percent = row.worker_seconds * 1_000 / hpa.worker_seconds.max(1);
        format!("{}.{} %", percent / 10, percent % 10)
    };
    let late = columns(figures, "jobs that waited longer than 10 s", late);
    let cost = columns(figures, "worker-seconds, HPA = 100 %", cost);
    format!("{late}\n{cost}")
}

fn columns(
    figures: &[Figures],
    title: &str,
    cell: impl Fn(&Figures, &Figures) -> String,
) -> String {
    let mut blocks = figures.chunk_by(|one, other| one.trace == other.trace);
    let Some(first) = blocks.clone().next() else {
        return String::new();
    };
    let names: Vec<&str> = first.iter().map(|row| row.policy.as_str()).collect();
    let mut lines = vec![
        format!("| {title} | {} |", names.join(" | ")),
        format!("|---|{}", "---:|".repeat(names.len())),
    ];
    let mut all: Vec<Figures> = first.to_vec();
    for (number, block) in blocks.by_ref().enumerate() {
        if number > 0 {
            let sums = all.iter_mut().zip(block);
            sums.for_each(|(sum, row)| sum.add(row));
        }
        lines.push(line(&block[0].trace, block, &cell));
    }
    lines.push(line("**all**", &all, &cell));
    lines.join("\n") + "\n"
}

fn line(name: &str, block: &[Figures], cell: impl Fn(&Figures, &Figures) -> String) -> String {
    let hpa = Policy::Hpa.name();
    let hpa = block.iter().find(|row| row.policy == hpa);
    let cells = block.iter().map(|row| cell(row, hpa.unwrap_or(row)));
    format!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "))
}
