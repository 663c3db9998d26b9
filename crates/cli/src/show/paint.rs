//! Colour, only where a person reads it.

use clap::ValueEnum;
use hatchery_types::Phase;
use std::io::IsTerminal;

/// When there is colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless $`NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Puts colour around words, or leaves them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// For standard output.
    pub(crate) fn new(colour: Colour) -> Paint {
        let forbidden = || std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty());
        let on = match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => std::io::stdout().is_terminal() && !forbidden(),
        };
        Paint { on }
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    pub(crate) fn warn(self, text: &str) -> String {
        self.wrap("33", text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.wrap("31", text)
    }

    pub(crate) fn faint(self, text: &str) -> String {
        self.wrap("2", text)
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// The name of a phase in its colour.
    pub(crate) fn phase(self, phase: Phase) -> String {
        let name = phase.name();
        match phase {
            Phase::InService | Phase::Leased => self.good(name),
            Phase::Failed | Phase::Lost => self.bad(name),
            Phase::Ready | Phase::Standby => self.wrap("36", name),
            Phase::Draining | Phase::Stopping => self.wrap("35", name),
            _ => self.warn(name),
        }
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
