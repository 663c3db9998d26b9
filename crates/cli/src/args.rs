//! What can be typed.

mod fleet;

pub(crate) use fleet::*;

use crate::show::paint::Colour;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Run and watch fleets of canisters on the Internet Computer.
///
/// Exit codes: 0 done; 1 something that must hold does not; 2 not a command; 3 a file or value
/// given is not one; 4 something must be built first; 5 the network cannot be reached or trusted;
/// 6 root or the platform refused; 7 the identity may not; 8 not confirmed; 70 a bug of ours; 130
/// stopped by a key.
#[derive(Debug, Parser)]
#[command(name = "hatchery", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Which fleet, as whom, and how answers look.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "For every command")]
pub(crate) struct Globals {
    /// Folder of the fleet: its fleet.toml, and what is kept in .hatchery
    #[arg(
        short = 'C',
        long,
        global = true,
        value_name = "FOLDER",
        default_value = "."
    )]
    pub(crate) folder: PathBuf,
    /// `local` (the one of `hatchery up` here), `ic`, or an address
    /// [default: `$HATCHERY_NETWORK`, else local]
    #[arg(short, long, global = true, value_name = "NETWORK")]
    pub(crate) network: Option<String>,
    /// The root canister [default: `$HATCHERY_ROOT`, else the one deployed from here]
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) root: Option<String>,
    /// The network's key in hexadecimal digits, where it is not known
    #[arg(long, global = true, value_name = "HEX")]
    pub(crate) root_key: Option<String>,
    /// A PEM file, a name in icp's store, or `anonymous`
    /// [default: `$HATCHERY_IDENTITY`, else on `local` its operator, else anonymous]
    #[arg(short, long, global = true, value_name = "WHO")]
    pub(crate) identity: Option<String>,
    /// Print the answer as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Do not ask before what cannot be undone
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) colour: Colour,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a whole fleet in this process and watch it follow a wave of work
    Demo(DemoOptions),
    /// Write a fleet.toml to start from
    Init(InitOptions),
    /// Run the fleet of this folder on a network of its own, and watch it
    Up(UpOptions),
    /// Say whether a fleet.toml makes sense, and where it does not
    Check(CheckOptions),
    /// Replay recorded signals through another spec, and show the difference
    WhatIf(WhatIfOptions),
    #[command(flatten)]
    Fleet(FleetVerb),
    /// Print the versions of this program and, where one answers, of root
    Version,
    /// Print completions for a shell
    Completions {
        /// Which
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
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
    /// Where the plot goes [default: demo.svg in the target folder, else here]
    #[arg(long, value_name = "PATH")]
    pub(crate) svg: Option<PathBuf>,
    /// Progress instead of the live view
    #[arg(long)]
    pub(crate) no_tui: bool,
    /// Another fleet than the demo's own; its first pool gets the work
    #[arg(long, value_name = "FLEET.TOML")]
    pub(crate) fleet: Option<PathBuf>,
    /// Write what was seen to an HTML page with a time slider
    #[arg(long, value_name = "FILE.HTML")]
    pub(crate) record: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) wasm: WasmOptions,
}

#[derive(Debug, Args)]
pub(crate) struct InitOptions {
    /// Name of the fleet [default: the folder's]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Also an example worker: it hashes documents and leaves politely
    #[arg(long)]
    pub(crate) example: bool,
    #[command(flatten)]
    pub(crate) wasm: WasmOptions,
}

#[derive(Debug, Args)]
pub(crate) struct UpOptions {
    /// Port to listen at; 0 is any free one [default: 4943, else a free one]
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// Lines instead of the live view
    #[arg(long)]
    pub(crate) no_tui: bool,
    /// Stop and save as soon as every pool has its workers
    #[arg(long)]
    pub(crate) once: bool,
    /// Say that it failed if the pools do not have their workers after so long
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "5m")]
    pub(crate) ready_within: u64,
    /// One more controller of root, such as your identity of icp or another identity
    #[arg(long, value_name = "PRINCIPAL")]
    pub(crate) controller: Vec<String>,
    /// Write what was seen to an HTML page with a time slider
    #[arg(long, value_name = "FILE.HTML")]
    pub(crate) record: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) wasm: WasmOptions,
}

#[derive(Debug, Args)]
pub(crate) struct CheckOptions {
    /// The file [default: fleet.toml in the folder]
    pub(crate) file: Option<PathBuf>,
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
}

/// Seconds of a time such as 90s, 30m, 24h or 7d.
pub(crate) fn seconds(text: &str) -> Result<u64, String> {
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
mod tests;
