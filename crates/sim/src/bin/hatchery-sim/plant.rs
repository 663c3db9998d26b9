//! Planted bugs: each is hunted, and who found it is told.

use crate::progress::bar;
use hatchery_core::plant::{PLANTS, PLANTS_OUTSIDE};
use hatchery_sim::hunt::hunt;
use std::process::ExitCode;

/// Which bugs to plant.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Their ids; all if none is named.
    ids: Vec<String>,
    /// One JSON object as the last line of standard output.
    #[arg(long)]
    json: bool,
}

/// Hunts them; one that is not found is a failure, and one that nobody knows is exit code 2. Those
/// that only tests find are not hunted here.
pub(crate) fn run(args: &Args) -> ExitCode {
    let known = || PLANTS.iter().chain(PLANTS_OUTSIDE).map(|(id, _)| *id);
    let mut unknown = args.ids.iter().filter(|id| known().all(|it| it != **id));
    if let Some(id) = unknown.next() {
        let known: Vec<&str> = known().collect();
        eprintln!(
            "error: no bug has the id {id}\nhint: there are {}",
            known.join(" ")
        );
        return ExitCode::from(2);
    }
    let wanted = |id: &str| args.ids.is_empty() || args.ids.iter().any(|wanted| wanted == id);
    let plants: Vec<_> = PLANTS.iter().filter(|(id, _)| wanted(id)).collect();
    let bar = bar(plants.len() as u64, "plants");
    let ids: Vec<&str> = plants.iter().map(|(id, _)| *id).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let finders = hunt(&ids, threads, &|id, hunted| {
        bar.inc(1);
        let (Ok(told) | Err(told)) = hunted;
        bar.suspend(|| eprintln!("{id:<5}{told}"));
    });
    let mut found = serde_json::Map::new();
    let mut missed = Vec::new();
    for (id, finder) in ids.into_iter().zip(finders) {
        match finder {
            Ok(finder) => drop(found.insert(id.to_owned(), finder.into())),
            Err(_) => missed.push(id),
        }
    }
    bar.finish_and_clear();
    if args.json {
        let object = serde_json::json!({
            "planted": plants.len(), "found": found.len(), "missed": missed, "found_by": found,
        });
        println!("{object}");
    }
    if missed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
