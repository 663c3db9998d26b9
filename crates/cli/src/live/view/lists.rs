//! The canisters with their reasons, and what happened lately.

use super::super::story::short_id;
use super::{BOLD, Controls, FAINT, Story, color_of, minutes, panel};
use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Table, TableState};

pub(super) fn draw_workers(frame: &mut Frame, area: Rect, story: &Story, controls: &Controls) {
    let (shown, marked) = controls.shown(story);
    let count = shown.len();
    let rows = shown.into_iter().map(|(row, age)| {
        let load = row.load.filter(|_| row.phase.is_member());
        let phase = Style::new().fg(color_of(row.phase));
        Row::new([
            Cell::from(format!(" {}", short_id(row.canister))),
            Cell::from(Span::styled(row.phase.name(), phase)),
            Cell::from(load.map(|load| format!("{load:>4}")).unwrap_or_default()),
            Cell::from(format!("{:>6}", minutes(age))),
            Cell::from(row.effect.clone().unwrap_or_default()),
            Cell::from(row.reason.text.clone()),
        ])
    });
    let widths = [
        Constraint::Length(13),
        Constraint::Length(13),
        Constraint::Length(5),
        Constraint::Length(7),
        Constraint::Length(9),
        Constraint::Fill(1),
    ];
    let head = Row::new([" canister", "phase", "load", "   age", "doing", "reason"]).style(FAINT);
    let title = match controls.filter.as_str() {
        "" => " canisters ".to_owned(),
        word => format!(" canisters with `{word}`: {count} "),
    };
    let table = Table::new(rows, widths)
        .header(head)
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED))
        .block(panel(title));
    let is_marked = controls.marked > 0 || controls.is_open;
    let mut state = TableState::new().with_selected(is_marked.then_some(marked));
    frame.render_stateful_widget(table, area, &mut state);
}

pub(super) fn draw_events(frame: &mut Frame, area: Rect, story: &Story) {
    let room = usize::from(area.height.saturating_sub(2));
    let lines: Vec<Line> = story
        .latest_events(room)
        .map(|event| {
            let time = Span::styled(format!(" {:>5}  ", minutes(event.second)), FAINT);
            if event.is_notice {
                let notice = Style::new().fg(Color::Yellow).patch(BOLD);
                return Line::from(vec![
                    time,
                    Span::styled(format!("▶ {}", event.text), notice),
                ]);
            }
            Line::from(vec![
                time,
                Span::raw(format!("{:<12}", event.subject)),
                Span::raw(format!("{:<14}", event.phase)),
                Span::raw(event.text.clone()),
            ])
        })
        .collect();
    frame.render_widget(Paragraph::new(lines).block(panel(" events ")), area);
}
