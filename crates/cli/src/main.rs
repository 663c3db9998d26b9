//! `hatchery`: the operator's command line.
//!
//! Owns verbs, what they print and their exit codes; it sees what an operator sees, so it never
//! uses `hatchery-core`. Everything is said here and in the verbs' own modules: the libraries
//! behind them print nothing.

mod args;
mod check;
mod complaint;
mod connection;
mod demo;
mod fleet_file;
mod follow;
mod init;
mod live;
mod plot;
mod session;
mod show;
mod up;
mod verbs;
mod version;
mod wasm;
mod what_if;

use args::{Arguments, Verb};
use clap::{CommandFactory, Parser};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Arguments { globals, verb } = Arguments::parse();
    let done = match &verb {
        Verb::Demo(options) => demo::run(&globals, options),
        Verb::Init(options) => init::run(&globals, options),
        Verb::Up(options) => up::run(&globals, options),
        Verb::Check(options) => check::run(&globals, options),
        Verb::WhatIf(options) => what_if::run(&globals, options),
        Verb::Fleet(verb) => verbs::run(&globals, verb),
        Verb::Version => {
            version::run(&globals);
            Ok(())
        }
        Verb::Completions { shell } => {
            let mut command = Arguments::command();
            clap_complete::generate(*shell, &mut command, "hatchery", &mut std::io::stdout());
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
