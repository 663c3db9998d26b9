//! The result of a run as a table.

use crate::live::story::{Story, minutes};
use hatchery_sim::demo::Summary;

pub(super) fn table(story: &Story, summary: &Summary) -> String {
    let Summary {
        pool,
        workers,
        jobs,
        canisters,
        ..
    } = summary;
    let verdict = if summary.ok {
        "everything is as it must be"
    } else {
        "NOT as it must be"
    };
    let time = format!(
        "{} virtual in {:.1} s, {} rounds",
        minutes(summary.virtual_seconds),
        summary.wall_seconds,
        summary.rounds
    );
    let root = match summary.effects_open_at_upgrade {
        0 => "not upgraded".to_owned(),
        open => format!("upgraded by force while {open} effects were open"),
    };
    let lines = [
        ("time", time),
        ("root", root),
        (
            "workers",
            format!(
                "{} to {}, peak {}, now {}",
                workers.min, workers.max, workers.peak, workers.last
            ),
        ),
        (
            "warm pool",
            format!(
                "minimum {}, {} ready, {} failed",
                pool.minimum, pool.ready, pool.failed
            ),
        ),
        (
            "jobs",
            format!(
                "{} submitted, {} done, {} wrong, {} lost",
                jobs.submitted, jobs.done, jobs.wrong, jobs.lost
            ),
        ),
        (
            "canisters",
            format!(
                "{} created, {} accounted, {} orphans",
                canisters.created, canisters.accounted, canisters.orphans
            ),
        ),
        ("violations", summary.violations.to_string()),
    ];
    let lines: Vec<String> = lines
        .iter()
        .map(|(name, text)| format!("  {name:<12}{text}\n"))
        .collect();
    format!("{}: {verdict}\n{}", story.title(), lines.concat())
}
