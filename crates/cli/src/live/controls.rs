//! The keys of the live view, and what they have set so far.

use super::story::Story;
use hatchery_api::RowView;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// Harm done on purpose, on an embedded network alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mischief {
    /// A worker loses its code.
    Kill,
    /// Root is upgraded while its calls are open.
    Upgrade,
    /// A canister is deleted behind root's back.
    Delete,
    /// The platform refuses root's calls for ten seconds.
    Fail,
}

/// What a key asks of the one who owns the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The end.
    Quit,
    /// More virtual seconds in a real one.
    Faster,
    /// Fewer.
    Slower,
    /// Harm.
    Harm(Mischief),
}

/// What the keys have set.
#[expect(clippy::struct_excessive_bools, reason = "each is switched on its own")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Controls {
    /// Pictures stand still.
    pub(crate) paused: bool,
    /// Only canisters that have this word somewhere.
    pub(crate) filter: String,
    /// Keys go to the filter.
    pub(crate) is_typing: bool,
    /// Which of the canisters shown is marked.
    pub(crate) marked: usize,
    /// It is looked into.
    pub(crate) is_open: bool,
    /// The network is embedded, so it may be harmed.
    pub(crate) may_harm: bool,
}

impl Controls {
    /// On a network that may be harmed or not.
    pub(crate) fn new(may_harm: bool) -> Controls {
        Controls {
            may_harm,
            ..Controls::default()
        }
    }

    /// Takes a key.
    pub(crate) fn hear(&mut self, event: &Event) -> Option<Asked> {
        let Event::Key(KeyEvent {
            code,
            modifiers,
            kind: KeyEventKind::Press,
            ..
        }) = event
        else {
            return None;
        };
        if *code == KeyCode::Char('c') && modifiers.contains(KeyModifiers::CONTROL) {
            return Some(Asked::Quit);
        }
        if self.is_typing {
            self.type_into_filter(*code);
            return None;
        }
        match code {
            KeyCode::Esc if self.is_open => self.is_open = false,
            KeyCode::Esc if !self.filter.is_empty() => self.filter.clear(),
            KeyCode::Char('q') | KeyCode::Esc => return Some(Asked::Quit),
            KeyCode::Char('p' | ' ') => self.paused = !self.paused,
            KeyCode::Char('/') => self.is_typing = true,
            KeyCode::Enter => self.is_open = !self.is_open,
            KeyCode::Down | KeyCode::Char('j') => self.marked = self.marked.saturating_add(1),
            KeyCode::Up => self.marked = self.marked.saturating_sub(1),
            KeyCode::Char('+' | '=') => return Some(Asked::Faster),
            KeyCode::Char('-') => return Some(Asked::Slower),
            KeyCode::Char(letter) if self.may_harm => return harm(*letter).map(Asked::Harm),
            _ => {}
        }
        None
    }

    fn type_into_filter(&mut self, code: KeyCode) {
        match code {
            KeyCode::Char(letter) => self.filter.push(letter),
            KeyCode::Backspace => drop(self.filter.pop()),
            KeyCode::Esc => {
                self.filter.clear();
                self.is_typing = false;
            }
            KeyCode::Enter => self.is_typing = false,
            _ => {}
        }
        self.marked = 0;
    }

    /// The canisters that are shown, each with its age, and which of them is marked.
    pub(crate) fn shown<'s>(&self, story: &'s Story) -> (Vec<(&'s RowView, u64)>, usize) {
        let mut rows = story.rows();
        rows.retain(|(row, _)| self.fits(row));
        let marked = self.marked.min(rows.len().saturating_sub(1));
        (rows, marked)
    }

    fn fits(&self, row: &RowView) -> bool {
        let has = |text: &str| text.contains(&self.filter);
        let has_some = |text: &Option<String>| text.as_deref().is_some_and(has);
        self.filter.is_empty()
            || has(row.phase.name())
            || has(&row.canister.to_string())
            || has(&row.reason.text)
            || has_some(&row.pool)
            || has_some(&row.role)
            || has_some(&row.effect)
    }
}

fn harm(letter: char) -> Option<Mischief> {
    match letter {
        'k' => Some(Mischief::Kill),
        'u' => Some(Mischief::Upgrade),
        'd' => Some(Mischief::Delete),
        'f' => Some(Mischief::Fail),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Controls, Mischief};
    use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

    fn press(controls: &mut Controls, code: KeyCode) -> Option<Asked> {
        controls.hear(&Event::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    #[test]
    fn letters_go_where_the_cursor_is() {
        let mut controls = Controls::new(true);
        let kill = Some(Asked::Harm(Mischief::Kill));
        assert_eq!(press(&mut controls, KeyCode::Char('k')), kill);
        assert_eq!(press(&mut controls, KeyCode::Char('/')), None);
        for letter in ['q', 'k'] {
            assert_eq!(press(&mut controls, KeyCode::Char(letter)), None);
        }
        assert_eq!(controls.filter, "qk");
        press(&mut controls, KeyCode::Enter);
        assert_eq!(press(&mut controls, KeyCode::Esc), None);
        assert_eq!(controls.filter, "");
        assert_eq!(press(&mut controls, KeyCode::Esc), Some(Asked::Quit));
    }

    #[test]
    fn a_network_that_is_not_ours_is_not_harmed() {
        let mut controls = Controls::new(false);
        for letter in ['k', 'u', 'd', 'f'] {
            assert_eq!(press(&mut controls, KeyCode::Char(letter)), None);
        }
    }
}
