//! Figures over time as an SVG: one panel above, one below, one time axis. Colors are told apart
//! without green against red, and the background is its own, so it reads on light and dark pages.
//!
//! What the figures are is the caller's.

use std::fmt::Write;

/// A picture of two panels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// Above all.
    pub title: String,
    /// What clock the axis shows, for its label.
    pub clock: &'static str,
    /// The small panel above.
    pub upper: Panel,
    /// The large one below.
    pub lower: Panel,
    /// Moments worth a mark.
    pub marks: Vec<Mark>,
}

/// Lines over one axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panel {
    /// What the figures count.
    pub name: String,
    /// Drawn in this order.
    pub lines: Vec<Line>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// For the legend, if the panel has several.
    pub name: String,
    /// Of the form `#15803d`.
    pub color: &'static str,
    /// How it is drawn.
    pub stroke: Stroke,
    /// Seconds since the start, in order, and the figure there.
    pub points: Vec<(u64, u64)>,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// Filled to the axis, straight between points.
    Area,
    /// Steps.
    Stairs,
    /// Thick steps: what the picture is about.
    Bold,
    /// Dashed steps: what is wanted, not what is.
    Dashed,
}

impl Stroke {
    fn attributes(self) -> &'static str {
        match self {
            Stroke::Area | Stroke::Stairs => "stroke-width=\"1.5\"",
            Stroke::Bold => "stroke-width=\"3\"",
            Stroke::Dashed => "stroke-width=\"1.5\" stroke-dasharray=\"5 3\"",
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub second: u64,
    /// Drawn through both panels, with its text.
    pub is_large: bool,
    /// What.
    pub text: String,
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 560.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 936.0;
/// Top and bottom of the upper panel.
const UPPER: (f64, f64) = (84.0, 224.0);
/// Top and bottom of the lower panel.
const LOWER: (f64, f64) = (274.0, 508.0);

impl Chart {
    /// The picture as a whole file.
    pub fn svg(&self) -> String {
        let panels = [&self.upper, &self.lower];
        let lines = panels.into_iter().flat_map(|panel| &panel.lines);
        let last = lines.filter_map(|line| line.points.last());
        let seconds = last.map(|(second, _)| *second).max().unwrap_or(0);
        let mut plot = Plot {
            out: String::new(),
            seconds: seconds.max(60),
        };
        plot.open(&self.title);
        let upper_top = plot.panel(UPPER, &self.upper, 4);
        plot.lines(UPPER, upper_top, &self.upper);
        let lower_top = plot.panel(LOWER, &self.lower, 7);
        plot.marks(&self.marks);
        plot.lines(LOWER, lower_top, &self.lower);
        plot.time_axis(self.clock);
        plot.out.push_str("</svg>\n");
        plot.out
    }
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
             fill=\"#0f172a\">{title}</text>"
        ));
    }

    /// Grid lines with their numbers, the panel's name and its legend; the figure at its top.
    fn panel(&mut self, place: (f64, f64), panel: &Panel, grid: u64) -> u64 {
        let figures = panel.lines.iter().flat_map(|line| &line.points);
        let most = figures.map(|(_, figure)| *figure).max().unwrap_or(0);
        let step = step(most, grid);
        let highest = most.div_ceil(step).max(1) * step;
        let above = place.0 - 10.0;
        self.line(&format!(
            "<text x=\"{LEFT}\" y=\"{above:.1}\" font-weight=\"600\">{}</text>",
            escape(&panel.name)
        ));
        for value in (0..=highest).step_by(step as usize) {
            let y = height(place, value, highest);
            let color = if value == 0 { "#64748b" } else { "#e2e8f0" };
            self.line(&format!(
                "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"{color}\"/><text x=\"{:.1}\" \
                 y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
                LEFT - 8.0,
                y + 4.0
            ));
        }
        if panel.lines.len() > 1 {
            self.legend(above, &panel.lines);
        }
        highest
    }

    fn lines(&mut self, place: (f64, f64), highest: u64, panel: &Panel) {
        for line in &panel.lines {
            match line.stroke {
                Stroke::Area => self.area(place, highest, line),
                _ => self.stairs(place, highest, line),
            }
        }
    }

    /// Filled to the axis.
    fn area(&mut self, place: (f64, f64), highest: u64, line: &Line) {
        let (Some(first), Some(last)) = (line.points.first(), line.points.last()) else {
            return;
        };
        let mut outline = String::new();
        for (second, figure) in &line.points {
            let y = height(place, *figure, highest);
            write!(outline, "L{:.1} {y:.1}", self.x(*second)).expect("bug: a string is full");
        }
        let (from, to, bottom) = (self.x(first.0), self.x(last.0), place.1);
        let (color, stroke) = (line.color, line.stroke.attributes());
        self.line(&format!(
            "<path d=\"M{from:.1} {bottom}{outline}L{to:.1} {bottom}Z\" fill=\"{color}\" \
             fill-opacity=\"0.25\" stroke=\"{color}\" {stroke} stroke-linejoin=\"round\"/>"
        ));
    }

    /// Figures that hold until they change.
    fn stairs(&mut self, place: (f64, f64), highest: u64, line: &Line) {
        let mut path = String::new();
        let mut before = None;
        for (second, figure) in &line.points {
            if before == Some(figure) {
                continue;
            }
            let (x, y) = (self.x(*second), height(place, *figure, highest));
            let point = match before {
                None => format!("M{x:.1} {y:.1}"),
                Some(_) => format!("H{x:.1}V{y:.1}"),
            };
            path.push_str(&point);
            before = Some(figure);
        }
        if let Some((second, _)) = line.points.last() {
            write!(path, "H{:.1}", self.x(*second)).expect("bug: a string is full");
        }
        let (color, stroke) = (line.color, line.stroke.attributes());
        self.line(&format!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" {stroke}><title>{}</title></path>",
            escape(&line.name)
        ));
    }

    /// Large ones through both panels with their text; the others as small triangles.
    fn marks(&mut self, marks: &[Mark]) {
        for mark in marks {
            let x = self.x(mark.second);
            let text = escape(&mark.text);
            if !mark.is_large {
                self.line(&format!(
                    "<path d=\"M{x:.1} {:.1}l-4 -7h8z\" fill=\"#b91c1c\"><title>{text}</title></path>",
                    LOWER.0
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
                UPPER.0,
                LOWER.1,
                UPPER.1 + 18.0
            ));
        }
    }

    fn time_axis(&mut self, clock: &str) {
        let (every, per_unit, unit) = match self.seconds {
            // Half minutes in a short run.
            0..=300 => (30, 60, "minutes"),
            301..=18_000 => (60 * step(self.seconds / 60, 12), 60, "minutes"),
            18_001..=172_800 => (7_200, 3_600, "hours"),
            _ => (86_400, 86_400, "days"),
        };
        for second in (0..=self.seconds).step_by(every as usize) {
            let (x, bottom) = (self.x(second), LOWER.1);
            let label = if per_unit == 60 {
                format!("{}:{:02}", second / 60, second % 60)
            } else {
                (second / per_unit).to_string()
            };
            self.line(&format!(
                "<path d=\"M{x:.1} {bottom}v5\" stroke=\"#64748b\"/><text x=\"{x:.1}\" \
                 y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
                bottom + 19.0
            ));
        }
        self.line(&format!(
            "<text x=\"{RIGHT}\" y=\"{:.1}\" text-anchor=\"end\">{clock}, {unit}</text>",
            LOWER.1 + 36.0
        ));
    }

    /// The names of the lines, at the right above their panel.
    fn legend(&mut self, y: f64, lines: &[Line]) {
        let width = |line: &Line| 46.0 + 6.0 * line.name.len() as f64;
        let mut x = RIGHT - lines.iter().map(width).sum::<f64>() + 10.0;
        for line in lines {
            let (color, stroke) = (line.color, line.stroke.attributes());
            self.line(&format!(
                "<path d=\"M{x:.1} {:.1}h18\" stroke=\"{color}\" {stroke}/><text x=\"{:.1}\" \
                 y=\"{y:.1}\">{}</text>",
                y - 4.0,
                x + 23.0,
                escape(&line.name)
            ));
            x += width(line);
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
    use super::{Chart, Line, Mark, Panel, Stroke, step};

    fn chart(seconds: u64, marks: Vec<Mark>) -> Chart {
        let line = |name: &str, stroke, figure: fn(u64) -> u64| Line {
            name: name.to_owned(),
            color: "#15803d",
            stroke,
            points: (1..=seconds)
                .map(|second| (second, figure(second)))
                .collect(),
        };
        Chart {
            title: "fleet demo".to_owned(),
            clock: "virtual time",
            upper: Panel {
                name: "load".to_owned(),
                lines: vec![line("load", Stroke::Area, |second| second)],
            },
            lower: Panel {
                name: "canisters".to_owned(),
                lines: vec![
                    line("in service", Stroke::Bold, |second| second / 30),
                    line("desired", Stroke::Dashed, |_| 3),
                ],
            },
            marks,
        }
    }

    #[test]
    fn the_picture_has_every_line_and_the_marks() {
        let mark = Mark {
            second: 60,
            is_large: true,
            text: "root <upgraded>".to_owned(),
        };
        let picture = chart(120, vec![mark]).svg();
        for part in ["in service", "desired", "load", "virtual time, minutes"] {
            assert!(picture.contains(part), "{part}");
        }
        assert!(picture.contains("root &lt;upgraded&gt;"));
        assert!(picture.ends_with("</svg>\n"));
    }

    #[test]
    fn stairs_change_only_where_the_figure_does() {
        let picture = chart(120, Vec::new()).svg();
        // In service: 0 to 4, so one start and four steps; the other line never changes.
        assert_eq!(
            picture.lines().map(|line| line.matches('V').count()).max(),
            Some(4)
        );
    }

    #[test]
    fn a_run_that_never_began_has_a_picture_too() {
        assert!(chart(0, Vec::new()).svg().contains("</svg>"));
    }

    #[test]
    fn a_long_run_has_hours_and_a_longer_one_days() {
        assert!(
            chart(86_400, Vec::new())
                .svg()
                .contains("virtual time, hours")
        );
        assert!(
            chart(604_800, Vec::new())
                .svg()
                .contains("virtual time, days")
        );
    }

    #[test]
    fn grid_lines_are_at_round_numbers() {
        assert_eq!(
            [0, 3, 12, 47, 130, 999].map(|most| step(most, 4)),
            [1, 1, 5, 20, 50, 500]
        );
    }
}
