//! Starting programs: their exit codes pass through; what they print is theirs.

use anyhow::Context;
use std::path::Path;
use std::process::Command;

/// A program ended with another code than 0.
#[derive(Debug)]
struct Failed {
    line: String,
    code: u8,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` failed (exit code {})", self.line, self.code)
    }
}

impl std::error::Error for Failed {}

/// The exit code that `error` asks for: that of the program that failed, else 1.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    error
        .downcast_ref::<Failed>()
        .map_or(1, |failed| failed.code)
}

/// The cargo that runs this.
pub(crate) fn cargo(folder: &Path, arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(folder).args(arguments);
    command
}

/// Runs `command` with our terminal as its own.
///
/// # Errors
/// It could not be started, or it failed.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let line = line(command);
    let status = command
        .status()
        .with_context(|| format!("`{line}` could not be started"))?;
    if status.success() {
        return Ok(());
    }
    // No code: a signal ended it. Zero would be success.
    let code = status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .filter(|code| *code != 0);
    Err(Failed {
        line,
        code: code.unwrap_or(1),
    }
    .into())
}

/// What a program prints on standard output; `None` if it cannot be started or fails.
pub(crate) fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_stem().unwrap_or(command.get_program());
    let words = std::iter::once(name).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::{exit_code, run};
    use std::process::Command;

    #[test]
    fn exit_codes_pass_through() {
        let error = run(Command::new("sh").args(["-c", "exit 7"])).expect_err("it fails");
        assert_eq!(exit_code(&error), 7);
        assert_eq!(error.to_string(), "`sh -c exit 7` failed (exit code 7)");
    }

    #[test]
    fn what_cannot_be_started_is_an_error_too() {
        let error = run(&mut Command::new("no-such-program-anywhere")).expect_err("it fails");
        assert_eq!(exit_code(&error), 1);
    }
}
