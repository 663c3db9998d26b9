//! What the demo's picture shows: the load above, the canisters below, and what the demo did.

use hatchery_sim::plot::{Chart, Line, Mark, Panel, Stroke};

/// The figures of one second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Virtual time since the start.
    pub(crate) second: u64,
    /// Sum of the members' signals.
    pub(crate) load: u64,
    /// Members wanted.
    pub(crate) desired: u64,
    /// Members that take work.
    pub(crate) in_service: u64,
    /// Empty canisters in the warm pool.
    pub(crate) ready: u64,
    /// Members that finish.
    pub(crate) draining: u64,
    /// Jobs given to the fleet so far.
    pub(crate) jobs: u64,
}

/// The plot of `samples`, one a second in order, as a whole SVG file.
pub(crate) fn svg(title: &str, samples: &[Sample], marks: &[Mark]) -> String {
    let line = |name: &str, color, stroke, figure: fn(&Sample) -> u64| Line {
        name: name.to_owned(),
        color,
        stroke,
        points: samples
            .iter()
            .map(|sample| (sample.second, figure(sample)))
            .collect(),
    };
    let load = line("load", "#2563eb", Stroke::Area, |sample| sample.load);
    let canisters = vec![
        line("ready", "#0891b2", Stroke::Stairs, |sample| sample.ready),
        line("draining", "#9333ea", Stroke::Stairs, |sample| {
            sample.draining
        }),
        line("in service", "#15803d", Stroke::Bold, |sample| {
            sample.in_service
        }),
        line("desired", "#ea580c", Stroke::Dashed, |sample| {
            sample.desired
        }),
    ];
    let chart = Chart {
        title: format!("Hatchery: {title}"),
        clock: "virtual time",
        upper: Panel {
            name: "load: jobs waiting in the workers".to_owned(),
            lines: vec![load],
        },
        lower: Panel {
            name: "canisters".to_owned(),
            lines: canisters,
        },
        marks: marks.to_vec(),
    };
    chart.svg()
}

#[cfg(test)]
mod tests {
    use super::{Sample, svg};

    #[test]
    fn the_plot_has_every_line() {
        let plot = svg("fleet demo", &[Sample::default()], &[]);
        for part in ["in service", "desired", "ready", "draining", "load"] {
            assert!(plot.contains(part), "{part}");
        }
    }
}
