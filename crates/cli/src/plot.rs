//! The plot of a run as an SVG: load above, workers below, one time axis. Colors are told apart
//! without green against red, and the background is its own, so it reads on light and dark pages.

use std::fmt::Write;

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

/// Something the demo did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// When.
    pub(crate) second: u64,
    /// The forced upgrade of root: drawn large.
    pub(crate) is_upgrade: bool,
    /// What.
    pub(crate) text: String,
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 560.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 936.0;
/// Top and bottom of the upper panel.
const LOAD: (f64, f64) = (84.0, 224.0);
/// Top and bottom of the lower panel.
const WORKERS: (f64, f64) = (274.0, 508.0);

/// A line of the lower panel.
struct Series {
    name: &'static str,
    color: &'static str,
    /// Stroke attributes beside the color.
    stroke: &'static str,
    figure: fn(&Sample) -> u64,
}

const SERIES: [Series; 4] = [
    Series {
        name: "ready",
        color: "#0891b2",
        stroke: "stroke-width=\"1.5\"",
        figure: |sample| sample.ready,
    },
    Series {
        name: "draining",
        color: "#9333ea",
        stroke: "stroke-width=\"1.5\"",
        figure: |sample| sample.draining,
    },
    Series {
        name: "in service",
        color: "#15803d",
        stroke: "stroke-width=\"3\"",
        figure: |sample| sample.in_service,
    },
    Series {
        name: "desired",
        color: "#ea580c",
        stroke: "stroke-width=\"1.5\" stroke-dasharray=\"5 3\"",
        figure: |sample| sample.desired,
    },
];

/// The plot of `samples`, one a second in order, as a whole file.
pub(crate) fn svg(title: &str, samples: &[Sample], marks: &[Mark]) -> String {
    let seconds = samples.last().map_or(0, |sample| sample.second).max(60);
    let mut plot = Plot {
        out: String::new(),
        seconds,
    };
    plot.open(title);
    let load_max = samples.iter().map(|sample| sample.load).max().unwrap_or(0);
    let load_step = step(load_max, 4);
    let load_top = load_max.div_ceil(load_step).max(1) * load_step;
    plot.panel(
        LOAD,
        "load: jobs waiting in the workers",
        load_top,
        load_step,
    );
    plot.area(LOAD, load_top, samples);

    let figures = samples
        .iter()
        .flat_map(|sample| SERIES.map(|series| (series.figure)(sample)));
    let most = figures.max().unwrap_or(0);
    let count_step = step(most, 7);
    let count_top = (most / count_step + 1) * count_step;
    plot.panel(WORKERS, "canisters", count_top, count_step);
    plot.marks(marks);
    for series in &SERIES {
        plot.stairs(WORKERS, count_top, samples, series);
    }
    plot.time_axis();
    plot.legend();
    plot.out.push_str("</svg>\n");
    plot.out
}

/// A round distance between grid lines, so that there are about `lines` up to `most`.
fn step(most: u64, lines: u64) -> u64 {
    let raw = most.div_ceil(lines).max(1);
    let magnitude = 10_u64.pow(raw.ilog10());
    [1, 2, 5, 10]
        .map(|factor| factor * magnitude)
        .into_iter()
        .find(|step| *step >= raw)
        .unwrap_or(raw)
}

struct Plot {
    out: String,
    seconds: u64,
}

impl Plot {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn x(&self, second: u64) -> f64 {
        LEFT + (RIGHT - LEFT) * second as f64 / self.seconds as f64
    }

    fn open(&mut self, title: &str) {
        let title = escape(title);
        self.line(&format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             width=\"{WIDTH}\" height=\"{HEIGHT}\" font-family=\"system-ui, Helvetica, Arial, \
             sans-serif\" font-size=\"12\" fill=\"#334155\">"
        ));
        self.line(&format!("<title>{title}</title>"));
        self.line(&format!(
            "<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"8\" fill=\"#ffffff\" \
             stroke=\"#cbd5e1\"/>"
        ));
        self.line(&format!(
            "<text x=\"{LEFT}\" y=\"32\" font-size=\"18\" font-weight=\"600\" \
             fill=\"#0f172a\">Hatchery: {title}</text>"
        ));
    }

    /// Grid lines with their numbers, and the panel's name.
    fn panel(&mut self, (top, bottom): (f64, f64), name: &str, highest: u64, step: u64) {
        self.line(&format!(
            "<text x=\"{LEFT}\" y=\"{:.1}\" font-weight=\"600\">{name}</text>",
            top - 10.0
        ));
        for value in (0..=highest).step_by(step as usize) {
            let y = height((top, bottom), value, highest);
            let color = if value == 0 { "#64748b" } else { "#e2e8f0" };
            self.line(&format!(
                "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"{color}\"/><text x=\"{:.1}\" \
                 y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
                LEFT - 8.0,
                y + 4.0
            ));
        }
    }

    /// The load, filled.
    fn area(&mut self, panel: (f64, f64), highest: u64, samples: &[Sample]) {
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
            return;
        };
        let mut outline = String::new();
        for sample in samples {
            let y = height(panel, sample.load, highest);
            write!(outline, "L{:.1} {y:.1}", self.x(sample.second)).expect("bug: a string is full");
        }
        let (from, to, bottom) = (self.x(first.second), self.x(last.second), panel.1);
        self.line(&format!(
            "<path d=\"M{from:.1} {bottom}{outline}L{to:.1} {bottom}Z\" fill=\"#3b82f6\" \
             fill-opacity=\"0.25\" stroke=\"#2563eb\" stroke-width=\"1.5\" \
             stroke-linejoin=\"round\"/>"
        ));
    }

    /// Counts: they hold until they change.
    fn stairs(&mut self, panel: (f64, f64), highest: u64, samples: &[Sample], series: &Series) {
        let mut path = String::new();
        let mut before = None;
        for sample in samples {
            let value = (series.figure)(sample);
            if before == Some(value) {
                continue;
            }
            let (x, y) = (self.x(sample.second), height(panel, value, highest));
            let point = match before {
                None => format!("M{x:.1} {y:.1}"),
                Some(_) => format!("H{x:.1}V{y:.1}"),
            };
            path.push_str(&point);
            before = Some(value);
        }
        if let Some(last) = samples.last() {
            write!(path, "H{:.1}", self.x(last.second)).expect("bug: a string is full");
        }
        let Series {
            name,
            color,
            stroke,
            ..
        } = series;
        self.line(&format!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" {stroke}><title>{name}</title></path>"
        ));
    }

    /// The upgrade through both panels with its text; the others as small triangles.
    fn marks(&mut self, marks: &[Mark]) {
        for mark in marks {
            let x = self.x(mark.second);
            let text = escape(&mark.text);
            if !mark.is_upgrade {
                self.line(&format!(
                    "<path d=\"M{x:.1} {:.1}l-4 -7h8z\" fill=\"#b91c1c\"><title>{text}</title></path>",
                    WORKERS.0
                ));
                continue;
            }
            // The text stands on the side where there is room.
            let (anchor, at) = if x > f64::midpoint(LEFT, RIGHT) {
                ("end", x - 6.0)
            } else {
                ("start", x + 6.0)
            };
            self.line(&format!(
                "<path d=\"M{x:.1} {:.1}V{}\" stroke=\"#b91c1c\" stroke-width=\"1.5\" \
                 stroke-dasharray=\"2 3\"/><text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" \
                 fill=\"#b91c1c\" font-weight=\"600\" paint-order=\"stroke\" stroke=\"#ffffff\" \
                 stroke-width=\"3\">{text}</text>",
                LOAD.0,
                WORKERS.1,
                LOAD.1 + 18.0
            ));
        }
    }

    fn time_axis(&mut self) {
        // Half minutes in a short run.
        let every = if self.seconds <= 300 {
            30
        } else {
            60 * step(self.seconds / 60, 12)
        };
        for second in (0..=self.seconds).step_by(every as usize) {
            let (x, bottom) = (self.x(second), WORKERS.1);
            let label = format!("{}:{:02}", second / 60, second % 60);
            self.line(&format!(
                "<path d=\"M{x:.1} {bottom}v5\" stroke=\"#64748b\"/><text x=\"{x:.1}\" \
                 y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
                bottom + 19.0
            ));
        }
        self.line(&format!(
            "<text x=\"{RIGHT}\" y=\"{:.1}\" text-anchor=\"end\">virtual time, minutes</text>",
            WORKERS.1 + 36.0
        ));
    }

    fn legend(&mut self) {
        let y = WORKERS.0 - 10.0;
        let mut x = RIGHT - 346.0;
        for Series {
            name,
            color,
            stroke,
            ..
        } in &SERIES
        {
            self.line(&format!(
                "<path d=\"M{x:.1} {:.1}h18\" stroke=\"{color}\" {stroke}/><text x=\"{:.1}\" \
                 y=\"{y:.1}\">{name}</text>",
                y - 4.0,
                x + 23.0
            ));
            x += 46.0 + 6.0 * name.len() as f64;
        }
    }
}

fn height((top, bottom): (f64, f64), value: u64, highest: u64) -> f64 {
    bottom - (bottom - top) * value as f64 / highest.max(1) as f64
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::{Mark, Sample, step, svg};

    fn samples() -> Vec<Sample> {
        (1..=120)
            .map(|second| Sample {
                second,
                load: second,
                in_service: second / 30,
                ..Sample::default()
            })
            .collect()
    }

    #[test]
    fn the_plot_has_every_line_and_the_upgrade() {
        let mark = Mark {
            second: 60,
            is_upgrade: true,
            text: "root <upgraded>".to_owned(),
        };
        let plot = svg("fleet demo", &samples(), &[mark]);
        for part in [
            "in service",
            "desired",
            "ready",
            "draining",
            "load",
            "virtual time",
        ] {
            assert!(plot.contains(part), "{part}");
        }
        assert!(plot.contains("root &lt;upgraded&gt;"));
        assert!(plot.ends_with("</svg>\n"));
    }

    #[test]
    fn stairs_change_only_where_the_figure_does() {
        let plot = svg("fleet demo", &samples(), &[]);
        // In service: 0 to 4, so one start and four steps; the other lines never change.
        assert_eq!(
            plot.lines().map(|line| line.matches('V').count()).max(),
            Some(4)
        );
    }

    #[test]
    fn a_run_that_never_began_has_a_plot_too() {
        assert!(svg("fleet demo", &[], &[]).contains("</svg>"));
    }

    #[test]
    fn grid_lines_are_at_round_numbers() {
        assert_eq!(
            [0, 3, 12, 47, 130, 999].map(|most| step(most, 4)),
            [1, 1, 5, 20, 50, 500]
        );
    }
}
