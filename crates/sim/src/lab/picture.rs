//! A picture of one run of a trace: jobs that wait above, workers below.

use super::policy::Policy;
use super::run::{Moment, Workload};
use super::trace::Trace;
use crate::plot::{Chart, Line, Panel, Stroke};

/// Points a line has at most; the most of each stretch is drawn.
const POINTS: usize = 900;

/// Our policy and another one under the same jobs, as an SVG file.
pub fn picture(trace: &Trace, seed: u64, beside: Policy) -> String {
    let workload = Workload::new(trace, seed);
    let [ours, other] = [Policy::Ours, beside].map(|policy| {
        let mut moments = Vec::new();
        workload.run(policy, &mut |moment| moments.push(moment));
        moments
    });
    let unserved =
        |moments: &[Moment]| -> Vec<u64> { moments.iter().map(|moment| moment.unserved).collect() };
    let workers = |moments: &[Moment]| -> Vec<u64> {
        let all = |moment: &Moment| moment.serving + moment.starting + moment.draining;
        moments
            .iter()
            .map(|moment| u64::from(all(moment)))
            .collect()
    };
    let needed = workload.needed().iter().map(|count| u64::from(*count));
    let needed: Vec<u64> = needed.collect();
    let chart = Chart {
        title: format!("{}: {}", trace.name, trace.about),
        clock: "time",
        upper: Panel {
            name: "jobs in the pool, running and waiting".to_owned(),
            lines: vec![
                line(beside.name(), "#ea580c", Stroke::Area, &unserved(&other)),
                line("hatchery", "#2563eb", Stroke::Area, &unserved(&ours)),
            ],
        },
        lower: Panel {
            name: "workers, those that start or finish included".to_owned(),
            lines: vec![
                line("needed", "#64748b", Stroke::Dashed, &needed),
                line(beside.name(), "#ea580c", Stroke::Stairs, &workers(&other)),
                line("hatchery", "#2563eb", Stroke::Bold, &workers(&ours)),
            ],
        },
        marks: Vec::new(),
    };
    chart.svg()
}

fn line(name: &str, color: &'static str, stroke: Stroke, figures: &[u64]) -> Line {
    let stretch = figures.len().div_ceil(POINTS).max(1);
    let highest = figures.chunks(stretch).enumerate().map(|(number, chunk)| {
        let most = chunk.iter().copied().max().unwrap_or(0);
        ((number * stretch) as u64, most)
    });
    Line {
        name: name.to_owned(),
        color,
        stroke,
        points: highest.collect(),
    }
}
