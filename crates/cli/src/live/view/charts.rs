//! Counts as bars, and figures over time.

use super::{
    BOLD, DESIRED, DRAINING, FAINT, IN_SERVICE, LOAD, READY, Story, color_of, minutes, panel,
};
use crate::plot::Sample;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Paragraph};

/// The time axis is at least so long.
const SECONDS_MIN: u64 = 60;
/// The members' title in full words fits into so much.
const TITLE_WIDTH: u16 = 44;
/// There is room for a label in the middle.
const MIDDLE_WIDTH: u16 = 20;

pub(super) fn draw_phases(frame: &mut Frame, area: Rect, story: &Story) {
    let width = usize::from(area.width.saturating_sub(22));
    let most = story
        .frame
        .phases
        .iter()
        .map(|(_, count)| *count)
        .max()
        .unwrap_or(0)
        .max(1);
    // Without room for all, those with canisters are enough.
    let fit = story.frame.phases.len() <= usize::from(area.height.saturating_sub(2));
    let shown = story.frame.phases.iter();
    let lines: Vec<Line> = shown
        .filter(|(_, count)| fit || *count > 0)
        .map(|(phase, count)| {
            let style = if *count == 0 {
                FAINT
            } else {
                Style::new().fg(color_of(*phase))
            };
            let length = (*count as usize * width).div_ceil(most as usize);
            Line::from(vec![
                Span::styled(format!(" {:<13}{count:>4} ", phase.name()), style),
                Span::styled("█".repeat(length), style),
            ])
        })
        .collect();
    frame.render_widget(
        Paragraph::new(lines).block(panel(" canisters by phase ")),
        area,
    );
}

pub(super) fn draw_load(frame: &mut Frame, area: Rect, story: &Story) {
    let load = points(story.samples(), |sample| sample.load);
    let title = named("load", story.frame.load, LOAD);
    draw_lines(frame, area, Line::from(title), story, &[(LOAD, load)]);
}

pub(super) fn draw_members(frame: &mut Frame, area: Rect, story: &Story) {
    let samples = story.samples();
    let now = &story.frame;
    // The last lies on top.
    let lines = [
        (READY, points(samples, |sample| sample.ready)),
        (DRAINING, points(samples, |sample| sample.draining)),
        (DESIRED, points(samples, |sample| sample.desired)),
        (IN_SERVICE, points(samples, |sample| sample.in_service)),
    ];
    let names = if area.width >= TITLE_WIDTH {
        ["in service", "desired", "draining", "ready"]
    } else {
        ["serve", "want", "drain", "ready"]
    };
    let title = [
        named(names[0], now.in_service, IN_SERVICE),
        named(names[1], now.desired, DESIRED),
        named(names[2], now.draining, DRAINING),
        named(names[3], now.ready, READY),
    ];
    draw_lines(frame, area, Line::from_iter(title), story, &lines);
}

/// A figure in the color of its line, so that the title is the legend.
fn named(name: &str, figure: u64, color: Color) -> Span<'static> {
    Span::styled(
        format!(" {name} {figure}"),
        Style::new().fg(color).patch(BOLD),
    )
}

fn draw_lines(
    frame: &mut Frame,
    area: Rect,
    title: Line<'_>,
    story: &Story,
    lines: &[(Color, Vec<(f64, f64)>)],
) {
    let highest = lines
        .iter()
        .flat_map(|(_, points)| points)
        .map(|(_, y)| *y)
        .fold(1.0, f64::max);
    let seconds = story.seconds().max(SECONDS_MIN);
    let datasets = lines
        .iter()
        .map(|(color, points)| {
            Dataset::default()
                .marker(Marker::Braille)
                .graph_type(GraphType::Line)
                .style(Style::new().fg(*color))
                .data(points)
        })
        .collect();
    let time = Axis::default()
        .style(FAINT)
        .bounds([0.0, seconds as f64])
        .labels(times(seconds, area.width));
    let count = Axis::default()
        .style(FAINT)
        .bounds([0.0, highest * 1.1])
        .labels(["0".to_owned(), format!("{highest:.0}")]);
    let block = panel(title);
    let chart = Chart::new(datasets).block(block).x_axis(time).y_axis(count);
    frame.render_widget(chart, area);
}

/// As many labels as stand apart.
fn times(seconds: u64, width: u16) -> Vec<String> {
    let middle = (width >= MIDDLE_WIDTH).then(|| minutes(seconds / 2));
    let labels = [Some("0:00".to_owned()), middle, Some(minutes(seconds))];
    labels.into_iter().flatten().collect()
}

fn points(samples: &[Sample], figure: fn(&Sample) -> u64) -> Vec<(f64, f64)> {
    samples
        .iter()
        .map(|sample| (sample.second as f64, figure(sample) as f64))
        .collect()
}
