//! `hatchery-sim`: runs the simulations and says what they came to; `cargo xtask sim` and
//! `cargo xtask plant` start it.

mod model;
#[cfg(feature = "plant")]
mod plant;
#[cfg(feature = "plant")]
mod plant_wasm;
mod progress;
mod wasm;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Random worlds against the control plane, with every checker.
#[derive(Debug, Parser)]
#[command(name = "hatchery-sim", args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    sim: model::Args,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Hunt each planted bug with the simulation.
    #[cfg(feature = "plant")]
    Plant(plant::Args),
    /// Hunt each bug planted in root's wasm with seeds of the wasm level.
    #[cfg(feature = "plant")]
    PlantWasm(plant_wasm::Args),
}

fn main() -> ExitCode {
    let args = Args::parse();
    match args.what {
        None => model::run(&args.sim),
        #[cfg(feature = "plant")]
        Some(What::Plant(args)) => plant::run(&args),
        #[cfg(feature = "plant")]
        Some(What::PlantWasm(args)) => plant_wasm::run(&args),
    }
}
