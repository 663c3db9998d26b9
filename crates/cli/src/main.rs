//! `hatchery`: the operator's command line.
//!
//! Owns verbs, what they print and their exit codes; it sees what an operator sees, so it never
//! uses `hatchery-core`. Everything is said here and in the verbs' own modules: the libraries
//! behind them print nothing.

mod args;
mod check;
mod complaint;
mod demo;
mod plot;
mod wasm;
mod what_if;

use args::{Arguments, Verb};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let done = match Arguments::parse().verb {
        Verb::Demo(options) => demo::run(&options),
        Verb::Check(options) => check::run(&options),
        Verb::WhatIf(options) => what_if::run(&options),
        Verb::Version => {
            println!("hatchery {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", complaint::render(&error));
            complaint::exit_code(&error)
        }
    }
}
