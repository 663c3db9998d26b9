//! One canister looked into: all that its row says, and what happened to it lately.

use super::super::story::short_id;
use super::{BOLD, Controls, FAINT, Story, color_of, minutes, panel};
use crate::show::amount;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph, Wrap};

pub(super) fn draw(frame: &mut Frame, area: Rect, story: &Story, controls: &Controls) {
    let (shown, marked) = controls.shown(story);
    let Some((row, age)) = shown.get(marked) else {
        return;
    };
    let some = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let cycles = row.cycles.map_or("-".to_owned(), |it| amount::cycles(it.0));
    let module = row.module.map_or("-".to_owned(), amount::hash);
    let fields = [
        ("reason", row.reason.text.clone()),
        ("age", minutes(*age)),
        ("role", some(&row.role)),
        ("pool", some(&row.pool)),
        ("module", module),
        ("generation", row.generation.0.to_string()),
        ("cycles", cycles),
        ("attempts", row.attempts.to_string()),
        ("doing", some(&row.effect)),
        ("load", row.load.map_or("-".to_owned(), |it| it.to_string())),
        ("holder", amount::id(row.holder)),
    ];
    let mut lines: Vec<Line> = fields
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| {
            Line::from(vec![
                Span::styled(format!(" {name:<12}"), FAINT),
                Span::raw(text),
            ])
        })
        .collect();
    lines.push(Line::default());
    let name = short_id(row.canister);
    let happened = story
        .latest_events(usize::MAX)
        .filter(|event| event.subject == name);
    let happened: Vec<Line> = happened
        .map(|event| {
            let (second, phase) = (minutes(event.second), &event.phase);
            Line::raw(format!(" {second:>6}  {phase:<14}{}", event.text))
        })
        .collect();
    lines.extend(happened.into_iter().rev());
    let title = Line::from(vec![
        Span::styled(format!(" {} ", row.canister), BOLD),
        Span::styled(row.phase.name(), Style::new().fg(color_of(row.phase))),
        Span::raw(" · esc closes "),
    ]);
    frame.render_widget(Clear, area);
    let text = Paragraph::new(lines).wrap(Wrap { trim: false });
    frame.render_widget(text.block(panel(title)), area);
}
