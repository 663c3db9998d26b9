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
    let lines: Vec<Line> = story
        .frame
        .phases
        .iter()
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
    let title = [
        named("in service", now.in_service, IN_SERVICE),
        named("desired", now.desired, DESIRED),
        named("draining", now.draining, DRAINING),
        named("ready", now.ready, READY),
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
        .labels(["0:00".to_owned(), minutes(seconds / 2), minutes(seconds)]);
    let count = Axis::default()
        .style(FAINT)
        .bounds([0.0, highest * 1.1])
        .labels(["0".to_owned(), format!("{highest:.0}")]);
    let block = panel(title);
    let chart = Chart::new(datasets).block(block).x_axis(time).y_axis(count);
    frame.render_widget(chart, area);
}

fn points(samples: &[Sample], figure: fn(&Sample) -> u64) -> Vec<(f64, f64)> {
    samples
        .iter()
        .map(|sample| (sample.second as f64, figure(sample) as f64))
        .collect()
}
