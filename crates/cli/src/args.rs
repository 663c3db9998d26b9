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
pub(crate) struct WasmOptions {
    /// Folder of the built canisters [default: `$HATCHERY_WASM_DIR`, else the target folder]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) wasm_dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
