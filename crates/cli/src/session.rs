//! What every command that speaks to a root has at hand: the way there, and how answers look.

use crate::args::Globals;
use crate::complaint::{Complaint, Kind};
use crate::connection::{self, Client};
use crate::show::{Paint, json};
use candid::CandidType;
use std::io::{BufRead, IsTerminal};

/// One command's surroundings.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    pub(crate) globals: &'a Globals,
    pub(crate) client: Client,
    pub(crate) paint: Paint,
}

impl<'a> Session<'a> {
    /// Connects as the options say.
    ///
    /// # Errors
    /// As [`connection::open`].
    pub(crate) fn open(globals: &'a Globals) -> anyhow::Result<Session<'a>> {
        Ok(Session {
            globals,
            client: connection::open(globals)?,
            paint: Paint::new(globals.colour),
        })
    }

    /// Prints an answer: as JSON if that is wanted, else as `text` does.
    pub(crate) fn say<T: CandidType>(&self, answer: &T, text: impl FnOnce(Paint)) {
        if self.globals.json {
            json::print(&json::of(answer));
        } else {
            text(self.paint);
        }
    }

    /// Asks before something that cannot be undone.
    ///
    /// # Errors
    /// Nobody said yes.
    pub(crate) fn confirm(&self, what: &str) -> Result<(), Complaint> {
        confirm(self.globals, what)
    }
}

/// Asks before something that cannot be undone, unless `--yes` is given.
///
/// # Errors
/// Nobody said yes.
pub(crate) fn confirm(globals: &Globals, what: &str) -> Result<(), Complaint> {
    if globals.yes {
        return Ok(());
    }
    if let Some(answer) = typed(&format!("{what} Go on? [y/N] "))
        && matches!(answer.as_str(), "y" | "Y" | "yes")
    {
        return Ok(());
    }
    Err(
        Complaint::new(Kind::Unconfirmed, format!("not done: {what}"))
            .hint("give --yes to do it without being asked"),
    )
}

/// What a person types after a question; none when there is no person.
pub(crate) fn typed(question: &str) -> Option<String> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    eprint!("{question}");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).ok()?;
    Some(line.trim().to_owned())
}
