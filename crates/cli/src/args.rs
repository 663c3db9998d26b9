//! What can be typed.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Run and watch fleets of canisters on the Internet Computer.
///
/// Exit codes: 0 done; 1 something that must hold does not; 2 not a command; 3 a file or value
/// given is not one; 4 something must be built first; 70 a bug of ours; 130 stopped by a key.
#[derive(Debug, Parser)]
#[command(name = "hatchery", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a whole fleet in this process and watch it follow a wave of work
    Demo(DemoOptions),
    /// Say whether a fleet.toml makes sense, and where it does not
    Check(CheckOptions),
    /// Replay recorded signals through another spec, and show the difference
    WhatIf(WhatIfOptions),
    /// Print the version
    Version,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag on its own")]
pub(crate) struct DemoOptions {
    /// As fast as it goes, with a progress bar instead of the live view
    #[arg(long)]
    pub(crate) fast: bool,
    /// Where all randomness comes from: the same seed shows the same run
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Random faults that the platform could have, and workers that vanish
    #[arg(long)]
    pub(crate) chaos: bool,
    /// Print the result as one JSON object, the last line of standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Where the plot goes [default: demo.svg in the target folder, else here]
    #[arg(long, value_name = "PATH")]
    pub(crate) svg: Option<PathBuf>,
    /// Progress instead of the live view
    #[arg(long)]
    pub(crate) no_tui: bool,
    /// Another fleet than the demo's own; its first pool gets the work
    #[arg(long, value_name = "FLEET.TOML")]
    pub(crate) fleet: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) wasm: WasmOptions,
}

#[derive(Debug, Args)]
pub(crate) struct CheckOptions {
    /// The file
    #[arg(default_value = "fleet.toml")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) wasm: WasmOptions,
}

#[derive(Debug, Args)]
pub(crate) struct WhatIfOptions {
    /// The fleet as it would be
    #[arg(long, value_name = "FLEET.TOML")]
    pub(crate) spec: PathBuf,
    /// Signals of a pool over time: JSON, or CSV with the columns `at_s`, `workers` and one for each
    /// signal
    #[arg(long, value_name = "FILE")]
    pub(crate) recording: PathBuf,
    /// Which pool [default: the recording's, else the spec's only one]
    #[arg(long, value_name = "NAME")]
    pub(crate) pool: Option<String>,
    /// The end of the recording alone, such as 24h or 30m
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(crate) since: Option<u64>,
    /// Print the result as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Seconds of a time such as 90s, 30m, 24h or 7d.
fn seconds(text: &str) -> Result<u64, String> {
    let units = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];
    let read = |(unit, seconds): (&str, u64)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(seconds)
    };
    let found = units.into_iter().find_map(read);
    found.ok_or_else(|| "a time is a number with s, m, h or d, such as 24h".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct WasmOptions {
    /// Folder of the built canisters [default: `$HATCHERY_WASM_DIR`, else the target folder]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) wasm_dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::{CommandFactory, Parser};
    use std::path::{Path, PathBuf};

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    /// Every line of a `sh` block that starts our program, with its page.
    fn lines_of_the_book() -> Vec<(PathBuf, String)> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut found = Vec::new();
        let mut paths = vec![root.join("docs/src"), root.join("README.md")];
        while let Some(path) = paths.pop() {
            if path.is_dir() {
                let entries = std::fs::read_dir(&path).expect("a folder");
                paths.extend(entries.map(|entry| entry.expect("an entry").path()));
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a page");
            let blocks = text.split("```sh\n").skip(1);
            let lines = blocks.flat_map(|block| block.split("```").next().unwrap_or("").lines());
            let ours = lines.filter(|line| line.starts_with("hatchery "));
            found.extend(ours.map(|line| (path.clone(), line.to_owned())));
        }
        found
    }

    #[test]
    fn what_the_book_says_to_type_can_be_typed() {
        let lines = lines_of_the_book();
        assert!(!lines.is_empty(), "the book shows no command");
        for (page, line) in lines {
            let parsed = Arguments::try_parse_from(line.split_whitespace());
            if let Err(error) = parsed {
                panic!("{}: `{line}`: {error}", page.display());
            }
        }
    }
}
