//! Places in a `fleet.toml` and errors that point at them; what is wrong is found elsewhere.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// A place for people: both numbers start at 1, columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// One thing wrong with a `fleet.toml`, with the line it stands in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {message}")]
pub struct TomlError {
    /// Where it starts.
    pub position: Position,
    /// What.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// The line of the file.
    line: String,
    /// How many characters of the line are meant, at least 1.
    width: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A line is shown up to this many characters, or to half as many behind the place.
const LINE_MAX: usize = 100;

impl Position {
    /// The place of a byte of `text`.
    pub(super) fn of(text: &str, byte: usize) -> Position {
        let before = &text[..byte];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl TomlError {
    pub(super) fn at(
        text: &str,
        place: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> TomlError {
        let position = Position::of(text, place.start);
        let line = text
            .lines()
            .nth(position.line - 1)
            .unwrap_or_default()
            .to_owned();
        let meant = text[place]
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .count();
        let (message, hint) = (message.into(), hint.into());
        TomlError {
            position,
            message,
            hint,
            line,
            width: meant.max(1),
        }
    }

    /// The error as a terminal shows it, five lines without a newline at the end.
    ///
    /// ```text
    /// fleet.toml:12:7: error: `min` is more than `max` (5 > 3)
    ///    |
    /// 12 | min = 5
    ///    |       ^
    /// hint: lower `min` or raise `max`
    /// ```
    pub fn render(&self, file: &str) -> String {
        let TomlError {
            position,
            message,
            hint,
            line,
            width,
        } = self;
        let number = position.line.to_string();
        let gutter = " ".repeat(number.len());
        let shown = (position.column + LINE_MAX / 2).max(LINE_MAX);
        let line: String = line
            .replace('\t', " ")
            .trim_end()
            .chars()
            .take(shown)
            .collect();
        let before = " ".repeat(position.column - 1);
        let carets = "^".repeat((*width).min(shown + 1 - position.column));
        format!(
            "{file}:{position}: error: {message}\n\
             {gutter} |\n\
             {number} | {line}\n\
             {gutter} | {before}{carets}\n\
             hint: {hint}"
        )
    }
}

/// Where the value of each path stands, for example `pools.workers.min`.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(BTreeMap<String, Range<usize>>);

impl Places {
    pub(super) fn insert(&mut self, path: String, place: Range<usize>) {
        self.0.insert(path, place);
    }

    /// The place of `path`, or of the nearest section around it that the file has.
    pub(super) fn nearest(&self, path: &str) -> Range<usize> {
        let mut path = path;
        loop {
            if let Some(place) = self.0.get(path) {
                return place.clone();
            }
            match path.rfind('.') {
                Some(dot) => path = &path[..dot],
                None => return 0..0,
            }
        }
    }
}
