//! What the live view draws: a picture of a story, nothing kept between pictures.

mod charts;
mod detail;
mod lists;

use super::Controls;
use super::story::{Story, minutes};
use crate::show::amount;
use hatchery_types::Phase;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Paragraph};

/// Where the fleet lives, and how it is watched.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// In a demo's own time: so many virtual seconds in a real one.
    Virtual(u32),
    /// On a network, in everybody's time.
    Real,
}

/// Most lines of pools.
const POOLS_MAX: usize = 6;

/// Least lines of charts, with their frame.
const CHARTS_MIN: u16 = 7;
/// Narrower terminals get shorter words.
const WIDE: u16 = 110;

const DESIRED: Color = Color::Yellow;
const IN_SERVICE: Color = Color::Green;
const READY: Color = Color::Cyan;
const DRAINING: Color = Color::Magenta;
const LOAD: Color = Color::LightBlue;
const FAINT: Style = Style::new().fg(Color::DarkGray);
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);

pub(crate) fn draw(frame: &mut Frame, story: &Story, pace: Pace, controls: &Controls) {
    // The lists share what the fixed parts leave, and the charts give way to them.
    let pools = story.pools.len().clamp(1, POOLS_MAX) as u16;
    let charts = (Phase::ALL.len() as u16 + 2).min((frame.area().height * 2 / 5).max(CHARTS_MIN));
    let [head, top, workers, events, why, foot, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(charts),
        Constraint::Fill(3),
        Constraint::Fill(2),
        Constraint::Length(pools),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    let [phases, right] =
        Layout::horizontal([Constraint::Length(30), Constraint::Fill(1)]).areas(top);
    let [load, members] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Fill(2)]).areas(right);

    frame.render_widget(header(story, pace, controls), head);
    charts::draw_phases(frame, phases, story);
    charts::draw_load(frame, load, story);
    charts::draw_members(frame, members, story);
    lists::draw_workers(frame, workers, story, controls);
    lists::draw_events(frame, events, story);
    draw_why(frame, why, story);
    draw_footer(frame, foot, story, pace);
    frame.render_widget(keys_line(pace, controls, keys.width >= WIDE), keys);
    if controls.is_open {
        detail::draw(frame, workers.union(events), story, controls);
    }
}

fn header(story: &Story, pace: Pace, controls: &Controls) -> Line<'static> {
    let mut spans = vec![
        Span::styled(
            " hatchery ",
            Style::new().fg(Color::Black).bg(IN_SERVICE).patch(BOLD),
        ),
        Span::raw(format!(" {} ", story.title())),
        Span::styled(format!("· {} ", minutes(story.seconds())), BOLD),
    ];
    match pace {
        Pace::Virtual(speed) => {
            let speed = if controls.paused {
                "paused".to_owned()
            } else {
                format!("{speed}x")
            };
            spans.push(Span::raw(format!(
                "virtual, {speed} · wave: {}",
                wave(story)
            )));
        }
        Pace::Real if controls.paused => spans.push(Span::styled("paused", BOLD)),
        Pace::Real => {}
    }
    Line::from(spans)
}

fn wave(story: &Story) -> String {
    let (lately, before) = story.jobs_lately();
    let trend = match lately.cmp(&before) {
        std::cmp::Ordering::Greater => "rising",
        std::cmp::Ordering::Equal => "steady",
        std::cmp::Ordering::Less => "falling",
    };
    if lately == 0 {
        return "no new jobs".to_owned();
    }
    format!("{}.{} jobs/s, {trend}", lately / 10, lately % 10)
}

/// Each pool with what it wants and why; a demo's one pool with its reasons alone.
fn draw_why(frame: &mut Frame, area: Rect, story: &Story) {
    if story.pools.is_empty() {
        frame.render_widget(reasons(story), area);
        return;
    }
    let lines = story.pools.iter().take(POOLS_MAX).map(|pool| {
        let figures = format!(
            "want {} · serve {} · leased {} · standby {} · drain {} · {} to {} ",
            pool.desired,
            pool.in_service,
            pool.leased,
            pool.standby,
            pool.draining,
            pool.min,
            pool.max
        );
        Line::from(vec![
            Span::styled(format!(" {:<12} ", pool.name), BOLD),
            Span::raw(figures),
            Span::styled(amount::reasons(&pool.reasons), FAINT),
        ])
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), area);
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

fn draw_footer(frame: &mut Frame, area: Rect, story: &Story, pace: Pace) {
    let now = &story.frame;
    let all_there = now.accounted == now.canisters && now.lost + now.stale == 0;
    let color = if all_there { IN_SERVICE } else { Color::Red };
    let stale = match now.stale {
        0 => String::new(),
        stale => format!("· gone unnoticed {stale} "),
    };
    let accounted = format!(
        " accounted {} / {} · lost {} {stale}",
        now.accounted, now.canisters, now.lost
    );
    let jobs = match pace {
        Pace::Virtual(_) => format!("· jobs {} / {} ", now.jobs_done, now.jobs_submitted),
        Pace::Real => String::new(),
    };
    let lasts = story.lasts_days().map(|days| format!(", lasts {days} d"));
    let line = Line::from(vec![
        Span::styled(accounted, Style::new().fg(color).patch(BOLD)),
        Span::raw(jobs),
        Span::raw(format!(
            "· effects {} · root {}{}",
            now.effects,
            now.root_cycles,
            lasts.unwrap_or_default()
        )),
    ]);
    frame.render_widget(Paragraph::new(line), area);
}

fn keys_line(pace: Pace, controls: &Controls, is_wide: bool) -> Line<'static> {
    if controls.is_typing {
        return Line::from(vec![
            Span::styled(" only canisters with: ", FAINT),
            Span::styled(format!("{}_", controls.filter), BOLD),
        ]);
    }
    let mut keys = " q quit  p pause  / filter  enter look".to_owned();
    if is_wide {
        keys += " into";
    }
    if let Pace::Virtual(_) = pace {
        keys += "  +/- speed";
    }
    let mut spans = vec![Span::styled(keys, FAINT)];
    if controls.may_harm {
        let harm = if is_wide {
            "   k kill a worker  d delete one  u upgrade root  f fail calls 10 s"
        } else {
            "  k kill  d delete  u upgrade  f fail"
        };
        spans.push(Span::styled(harm, Style::new().fg(Color::Red)));
    }
    Line::from(spans)
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
        Phase::Recovering | Phase::Upgrading => Color::Yellow,
    }
}

#[cfg(test)]
mod tests;
