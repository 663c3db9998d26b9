//! Recorded signals of a pool: the JSON and CSV they are read from.

use serde::Deserialize;
use std::collections::BTreeMap;

/// Signals of one pool over time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// Which pool; none = the caller knows.
    pub pool: Option<String>,
    /// From a claim until the worker serves.
    #[serde(default = "start_up_s")]
    pub start_up_s: u64,
    /// Load that one worker carries, by signal; none = the target of the spec.
    #[serde(default)]
    pub carries: BTreeMap<String, u64>,
    /// Cycles that a worker burns in an hour; none = an idle one of 100 MiB.
    pub worker_cycles_per_hour: Option<u64>,
    /// In order of time.
    pub points: Vec<Point>,
}

/// The state at one time; it holds until the next.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// When, in seconds.
    pub at_s: u64,
    /// Workers that served.
    pub workers: Option<u32>,
    /// Totals over all members, by signal.
    pub signals: BTreeMap<String, u64>,
}

/// The text is not a recording, or not one for this spec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// Neither JSON of this shape nor CSV.
    #[error("line {line}: {message}")]
    Unreadable {
        /// Where.
        line: usize,
        /// What.
        message: String,
    },
    /// A point is not later than the one before.
    #[error("point {number} is not later than the one before it")]
    OutOfOrder {
        /// Which, from 1.
        number: usize,
    },
    /// Nothing passes between its points.
    #[error("it has no two points at different times")]
    TooShort,
    /// The spec follows other signals.
    #[error("it has none of the pool's signals: {wanted}")]
    NoSignal {
        /// The spec's.
        wanted: String,
    },
}

impl Recording {
    /// Reads JSON, or CSV with the columns `at_s`, `workers` and one for each signal.
    ///
    /// # Errors
    /// It is neither, or not in order of time.
    pub fn read(text: &str) -> Result<Recording, RecordingError> {
        let recording = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| unreadable(error.line(), &error))?
        } else {
            read_csv(text)?
        };
        let late = |two: &[Point]| two[0].at_s >= two[1].at_s;
        match recording.points.windows(2).position(late) {
            Some(before) => Err(RecordingError::OutOfOrder { number: before + 2 }),
            None => Ok(recording),
        }
    }

    /// Keeps what is not older than `seconds` before its end.
    pub fn keep_last(&mut self, seconds: u64) {
        let end = self.points.last().map_or(0, |point| point.at_s);
        let from = end.saturating_sub(seconds);
        self.points.retain(|point| point.at_s >= from);
    }
}

fn start_up_s() -> u64 {
    8
}

fn unreadable(line: usize, message: &(impl ToString + ?Sized)) -> RecordingError {
    RecordingError::Unreadable {
        line,
        message: message.to_string(),
    }
}

fn read_csv(text: &str) -> Result<Recording, RecordingError> {
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(number, line)| (number + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty());
    let (number, header) = lines.next().unwrap_or((1, ""));
    let columns: Vec<&str> = header.split(',').map(str::trim).collect();
    let [at_s, workers, signals @ ..] = columns.as_slice() else {
        return Err(unreadable(
            number,
            "the columns are at_s, workers and signals",
        ));
    };
    if (*at_s, *workers) != ("at_s", "workers") || signals.is_empty() {
        return Err(unreadable(
            number,
            "the columns are at_s, workers and signals",
        ));
    }
    let points: Result<Vec<Point>, RecordingError> = lines
        .map(|(number, line)| read_row(number, line, signals))
        .collect();
    Ok(Recording {
        pool: None,
        start_up_s: start_up_s(),
        carries: BTreeMap::new(),
        worker_cycles_per_hour: None,
        points: points?,
    })
}

fn read_row(number: usize, line: &str, signals: &[&str]) -> Result<Point, RecordingError> {
    let cells: Vec<&str> = line.split(',').map(str::trim).collect();
    if cells.len() != signals.len() + 2 {
        let message = format!("{} cells, not {}", cells.len(), signals.len() + 2);
        return Err(unreadable(number, &message));
    }
    let count = |cell: &str| -> Result<Option<u64>, RecordingError> {
        if cell.is_empty() {
            return Ok(None);
        }
        let parsed = cell.parse();
        let refused = |_| unreadable(number, &format!("`{cell}` is not a number"));
        parsed.map(Some).map_err(refused)
    };
    let mut values = BTreeMap::new();
    for (name, cell) in signals.iter().zip(&cells[2..]) {
        if let Some(value) = count(cell)? {
            values.insert((*name).to_owned(), value);
        }
    }
    let workers = count(cells[1])?.map(u32::try_from).transpose();
    Ok(Point {
        at_s: count(cells[0])?.ok_or_else(|| unreadable(number, "no time"))?,
        workers: workers.map_err(|_| unreadable(number, "too many workers"))?,
        signals: values,
    })
}
