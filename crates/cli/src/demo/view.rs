//! What the live view draws: a picture of a story, nothing kept between pictures.

mod charts;
mod lists;

use super::story::{Story, minutes};
use hatchery_types::Phase;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Paragraph};

/// How fast the run goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Virtual seconds in a real one.
    pub(super) speed: u32,
    pub(super) paused: bool,
}

const DESIRED: Color = Color::Yellow;
const IN_SERVICE: Color = Color::Green;
const READY: Color = Color::Cyan;
const DRAINING: Color = Color::Magenta;
const LOAD: Color = Color::LightBlue;
const FAINT: Style = Style::new().fg(Color::DarkGray);
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);

pub(super) fn draw(frame: &mut Frame, story: &Story, pace: Pace) {
    // The lists share what the fixed parts leave.
    let [head, top, workers, events, why, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(Phase::ALL.len() as u16 + 2),
        Constraint::Fill(3),
        Constraint::Fill(2),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    let [phases, right] =
        Layout::horizontal([Constraint::Length(30), Constraint::Fill(1)]).areas(top);
    let [load, members] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Fill(2)]).areas(right);

    frame.render_widget(header(story, pace), head);
    charts::draw_phases(frame, phases, story);
    charts::draw_load(frame, load, story);
    charts::draw_members(frame, members, story);
    lists::draw_workers(frame, workers, story);
    lists::draw_events(frame, events, story);
    frame.render_widget(reasons(story), why);
    draw_footer(frame, foot, story);
}

fn header(story: &Story, pace: Pace) -> Line<'static> {
    let speed = if pace.paused {
        "paused".to_owned()
    } else {
        format!("{}x", pace.speed)
    };
    let (lately, before) = story.jobs_lately();
    let trend = match lately.cmp(&before) {
        std::cmp::Ordering::Greater => "rising",
        std::cmp::Ordering::Equal => "steady",
        std::cmp::Ordering::Less => "falling",
    };
    let wave = if lately == 0 {
        "no new jobs".to_owned()
    } else {
        format!("{}.{} jobs/s, {trend}", lately / 10, lately % 10)
    };
    Line::from(vec![
        Span::styled(
            " hatchery ",
            Style::new().fg(Color::Black).bg(IN_SERVICE).patch(BOLD),
        ),
        Span::raw(format!(" {} ", story.title())),
        Span::styled(format!("· {} ", minutes(story.seconds())), BOLD),
        Span::raw(format!("virtual, {speed} · wave: {wave}")),
    ])
}

fn reasons(story: &Story) -> Line<'static> {
    let mut names: Vec<&str> = story
        .frame
        .pool_reasons
        .iter()
        .map(|reason| reason.name.as_str())
        .collect();
    names.dedup();
    let text = if names.is_empty() {
        "-".to_owned()
    } else {
        names.join(", ")
    };
    Line::from(vec![Span::styled(" why      ", FAINT), Span::raw(text)])
}

fn draw_footer(frame: &mut Frame, area: Rect, story: &Story) {
    let now = &story.frame;
    let all_there = now.accounted == now.canisters && now.lost == 0;
    let color = if all_there { IN_SERVICE } else { Color::Red };
    let accounted = format!(
        " accounted {} / {} · lost {} ",
        now.accounted, now.canisters, now.lost
    );
    let left = Line::from(vec![
        Span::styled(accounted, Style::new().fg(color).patch(BOLD)),
        Span::raw(format!(
            "· jobs {} / {} ",
            now.jobs_done, now.jobs_submitted
        )),
        Span::raw(format!(
            "· effects {} · root {}",
            now.effects, now.root_cycles
        )),
    ]);
    let keys = Line::from(Span::styled("q quit  p pause  +/- speed ", FAINT)).right_aligned();
    let [text, help] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(27)]).areas(area);
    frame.render_widget(Paragraph::new(left), text);
    frame.render_widget(Paragraph::new(keys), help);
}

fn panel<'t>(title: impl Into<Line<'t>>) -> Block<'t> {
    Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(FAINT)
        .title(title.into().patch_style(BOLD))
}

/// The color of a phase, the same everywhere.
fn color_of(phase: Phase) -> Color {
    match phase {
        Phase::Creating => Color::Blue,
        Phase::PendingReset => Color::Gray,
        Phase::Resetting => Color::LightBlue,
        Phase::Ready => READY,
        Phase::Installing => DESIRED,
        Phase::InService => IN_SERVICE,
        Phase::Standby => Color::Cyan,
        Phase::Leased => Color::LightGreen,
        Phase::Draining => DRAINING,
        Phase::Stopping => Color::LightMagenta,
        Phase::Deleting | Phase::Exporting => Color::DarkGray,
        Phase::Failed | Phase::Lost => Color::Red,
    }
}

#[cfg(test)]
mod tests;
