//! Measures what the engine and the warm pool promise: `hatchery-bench` prints a table, with `--json`
//! one object as the last line. It is the one library user that reads the wall clock; it judges
//! nothing but whether each figure is within its bound.

mod http;
mod lifecycle;
mod measure;
mod module;
mod pool;
mod workers;

use std::path::Path;
use std::process::ExitCode;

use measure::{Figure, measure};
use pool::Modules;

/// Where the canisters' modules are.
const WASM_FOLDER_VARIABLE: &str = "HATCHERY_WASM_DIR";

/// What is measured, in this order.
const GROUPS: [&str; 4] = ["engine", "pool", "workers", "lifecycle"];

/// Figures under one name.
type Group = (&'static str, Vec<Figure>);

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    arguments.retain(|argument| argument != "--json");
    let wanted = match arguments.as_slice() {
        [] => None,
        [group] if GROUPS.contains(&group.as_str()) => Some(group.as_str()),
        _ => {
            eprintln!("usage: hatchery-bench [--json] [{}]", GROUPS.join("|"));
            return ExitCode::from(2);
        }
    };
    let Some(modules) = modules() else {
        eprintln!(
            "{WASM_FOLDER_VARIABLE} must name the folder of the canisters: run `cargo xtask bench`"
        );
        return ExitCode::from(2);
    };
    let groups: Vec<Group> = GROUPS
        .into_iter()
        .filter(|group| wanted.is_none_or(|wanted| wanted == *group))
        .map(|group| match group {
            "pool" => (group, pool::measure(&modules)),
            "workers" => (group, workers::measure(&modules)),
            "lifecycle" => (group, lifecycle::measure(&modules)),
            _ => (group, measure()),
        })
        .collect();
    if json {
        println!("{}", object(&groups));
    } else {
        print!("{}", table(&groups));
    }
    ExitCode::SUCCESS
}

fn modules() -> Option<Modules> {
    let folder = std::env::var_os(WASM_FOLDER_VARIABLE)?;
    let read = |name: &str| std::fs::read(Path::new(&folder).join(name)).ok();
    Some(Modules {
        root: read("hatchery_root.wasm")?,
        worker: read("hatchery_worker.wasm")?,
    })
}

fn object(groups: &[Group]) -> String {
    let group = |(name, figures): &Group| {
        let fields: Vec<String> = figures
            .iter()
            .map(|figure| format!("\"{}\":{:.3}", figure.name, figure.value))
            .collect();
        format!("\"{name}\":{{{}}}", fields.join(","))
    };
    let groups: Vec<String> = groups.iter().map(group).collect();
    format!("{{{}}}", groups.join(","))
}

fn table(groups: &[Group]) -> String {
    let line = |figure: &Figure| {
        let within = if figure.is_within() {
            "ok"
        } else {
            "OUT OF BOUND"
        };
        format!(
            "  {:<34}{:>18.3}  {:<14}{}\n",
            figure.name,
            figure.value,
            figure.bound_text(),
            within
        )
    };
    let group = |(name, figures): &Group| {
        let lines: Vec<String> = figures.iter().map(line).collect();
        format!("{name}\n{}", lines.concat())
    };
    groups.iter().map(group).collect::<Vec<_>>().concat()
}
