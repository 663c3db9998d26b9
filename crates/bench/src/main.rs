//! Measures what the engine promises: `hatchery-bench` prints a table, with `--json` one object as
//! the last line. It is the one library user that reads the wall clock; it judges nothing but
//! whether each figure is within its bound.

mod http;
mod measure;
mod module;

use std::process::ExitCode;

use measure::{Figure, measure};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = match arguments.as_slice() {
        [] => false,
        [flag] if flag == "--json" => true,
        _ => {
            eprintln!("usage: hatchery-bench [--json]");
            return ExitCode::from(2);
        }
    };
    let figures = measure();
    if json {
        println!("{}", object(&figures));
    } else {
        print!("{}", table(&figures));
    }
    ExitCode::SUCCESS
}

fn object(figures: &[Figure]) -> String {
    let fields: Vec<String> = figures
        .iter()
        .map(|figure| format!("\"{}\":{:.3}", figure.name, figure.value))
        .collect();
    format!("{{\"engine\":{{{}}}}}", fields.join(","))
}

fn table(figures: &[Figure]) -> String {
    let line = |figure: &Figure| {
        let within = if figure.is_within() {
            "ok"
        } else {
            "OUT OF BOUND"
        };
        format!(
            "{:<20}{:>14.3}  {:<12}{}\n",
            figure.name,
            figure.value,
            figure.bound_text(),
            within
        )
    };
    figures.iter().map(line).collect()
}
