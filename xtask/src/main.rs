//! Every command of this workspace: `cargo xtask <command>`.
//!
//! Starts programs and links none of our crates, so that it never waits for wasmtime. What it says
//! goes to standard error; standard output belongs to the programs it starts.

mod canisters;
mod checks;
mod docs;
mod plants_outside;
mod program;
mod simulations;
mod tidy;
mod workspace;

use std::process::ExitCode;
use workspace::Workspace;

/// A command: its name, its arguments, what it does.
struct Command {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&Workspace, &[String]) -> anyhow::Result<()>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "demo",
        arguments: "[--fast] [--seed N] [--chaos] [--json] ...",
        about: "build everything and show a living fleet",
        run: canisters::demo,
    },
    Command {
        name: "test",
        arguments: "[arguments of cargo test]",
        about: "build the canisters and run every test",
        run: canisters::test,
    },
    Command {
        name: "check",
        arguments: "",
        about: "formatting, clippy, tidy; dependencies when cargo-deny is there",
        run: checks::check,
    },
    Command {
        name: "ci",
        arguments: "",
        about: "what must pass before a merge: check, then test",
        run: checks::ci,
    },
    Command {
        name: "canisters",
        arguments: "",
        about: "build the root and worker canisters",
        run: canisters::build_command,
    },
    Command {
        name: "bench",
        arguments: "[--json] [engine|pool|workers|lifecycle]",
        about: "measure the engine, the warm pool, worker pools and what a life costs",
        run: canisters::bench,
    },
    Command {
        name: "sim",
        arguments: "[--wasm] [--seeds N] [--seed S] [--json] ...",
        about: "random worlds against the control plane, every fault, every checker",
        run: simulations::sim,
    },
    Command {
        name: "plant",
        arguments: "[--all | IDS] [--json]",
        about: "plants known bugs one by one; each must be found by a checker or a named test",
        run: simulations::plant,
    },
    Command {
        name: "lab",
        arguments: "[--json] [--write] [--tuning] ...",
        about: "our scaling policy beside others under fixed loads; pictures in target/lab",
        run: canisters::lab,
    },
    Command {
        name: "size",
        arguments: "[--json]",
        about: "sizes of the canisters, raw and gzipped, in bytes",
        run: canisters::size,
    },
    Command {
        name: "peers",
        arguments: "[--json]",
        about: "the network against icp, ic-agent and the agent for JavaScript, fetched with npm",
        run: checks::peers,
    },
    Command {
        name: "page",
        arguments: "",
        about: "root's dashboard in headless Chromium while the demo's fleet scales",
        run: checks::page,
    },
    Command {
        name: "conformance",
        arguments: "[--backend engine|pocketic] [--json] ...",
        about: "the shared cases on the engine, or on the server POCKET_IC_BIN names",
        run: checks::conformance,
    },
    Command {
        name: "docs",
        arguments: "[--write]",
        about: "check the book and the alert rules, and build the book with mdBook",
        run: docs::docs,
    },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_else(|| "help".to_owned());
    let rest: Vec<String> = arguments.collect();
    if matches!(name.as_str(), "help" | "-h" | "--help") {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprint!("error: there is no command `{name}`\n\n{}", help());
        return ExitCode::from(2);
    };
    match Workspace::find().and_then(|workspace| (command.run)(&workspace, &rest)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(program::exit_code(&error))
        }
    }
}

fn help() -> String {
    let lines: Vec<String> = COMMANDS
        .iter()
        .map(
            |Command {
                 name,
                 arguments,
                 about,
                 ..
             }| {
                let usage = format!("{name} {arguments}");
                format!("  {usage:<50}{about}\n")
            },
        )
        .collect();
    format!("usage: cargo xtask <command>\n\n{}", lines.concat())
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS, help};

    #[test]
    fn help_names_every_command() {
        let help = help();
        for command in COMMANDS {
            assert!(
                help.contains(&format!("\n  {} ", command.name)),
                "{}",
                command.name
            );
        }
    }
}
