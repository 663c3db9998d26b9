//! The simulations: seeds in, a table or one JSON object out.

use crate::progress::{bar, now, per_second};
use crate::wasm;
use hatchery_sim::checkers::edge_names;
use hatchery_sim::model::{Story, shrink};
use hatchery_sim::run::{Plan, SEEDS_FULL, STEPS_FULL, Tally, run as run_seeds};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Seeds of the full run of the wasm level.
const SEEDS_WASM: u64 = 200;

/// What to run and how to tell.
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The real root on the engine instead of core on a model of the platform.
    #[arg(long)]
    wasm: bool,
    /// How many seeds; by default the full run's: 5,000, with --wasm 200.
    #[arg(long)]
    seeds: Option<u64>,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Steps of each seed, before the faults stop.
    #[arg(long, default_value_t = STEPS_FULL)]
    steps: u64,
    /// No checkers: how fast core is by itself.
    #[arg(long)]
    bare: bool,
    /// Threads; one a core if not said.
    #[arg(long)]
    threads: Option<usize>,
    /// Print how often each edge of the state diagram was taken.
    #[arg(long)]
    edges: bool,
    /// Make the first failing seed small and print it as a script; implied by one seed alone, and by
    /// --wasm.
    #[arg(long, conflicts_with = "no_shrink")]
    shrink: bool,
    /// Do not make it small; with --wasm, print its script as long as it is.
    #[arg(long)]
    no_shrink: bool,
    /// Replay a script that was printed, one of --wasm with --wasm.
    #[arg(long)]
    script: Option<PathBuf>,
    /// One JSON object as the last line of standard output.
    #[arg(long)]
    json: bool,
}

/// Runs them; a violation, an unconverged world or a missed edge is a failure.
pub(crate) fn run(args: &Args) -> ExitCode {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = args.threads.unwrap_or(cores);
    match &args.script {
        Some(script) if args.wasm => return wasm::replay_script(script),
        Some(script) => return replay(script),
        None => {}
    }
    if args.wasm {
        return wasm::run(wasm::Plan {
            first: args.seed,
            seeds: args.seeds.unwrap_or(SEEDS_WASM),
            threads,
            is_long: args.no_shrink,
            is_json: args.json,
        });
    }
    let seeds = args.seeds.unwrap_or(SEEDS_FULL);
    let plan = Plan {
        first: args.seed,
        seeds,
        steps: args.steps,
        bare: args.bare,
    };
    let bar = bar(seeds, "seeds");
    let begun = now();
    let tally = run_seeds(plan, threads, &|| bar.inc(1));
    let took = begun.elapsed();
    bar.finish_and_clear();
    for failure in tally.failures.iter().take(10) {
        eprintln!("{failure}\n");
    }
    if (args.shrink || seeds == 1 && !args.no_shrink)
        && let Some(failure) = tally.failures.first()
    {
        tell_small(failure.seed, args.steps);
    }
    // A small run, and one without checkers, is not judged.
    let is_judged = tally.edges_least() > 0;
    let missed = is_judged.then(|| tally.edges_missed());
    if args.edges {
        for (edge, count) in edge_names(&tally.edges) {
            println!("{count:>10}  {edge}");
        }
    }
    if args.json {
        println!("{}", json(&tally, missed.as_deref(), took));
    } else {
        print!("{}", table(&tally, missed.as_deref(), took));
    }
    if tally.failures.is_empty() && missed.is_none_or(|missed| missed.is_empty()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Prints the smallest story found.
fn tell_small(seed: u64, steps: u64) {
    eprintln!("making seed {seed} small ...");
    let Some((failure, story)) = shrink(seed, steps) else {
        eprintln!("its story alone does not fail: repeat the seed");
        return;
    };
    eprintln!("# {}: {}", failure.checker, failure.what);
    eprintln!("{}", story.text());
}

/// Replays a script.
fn replay(path: &Path) -> ExitCode {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("error: {}: {error}", path.display());
            return ExitCode::from(2);
        }
    };
    match Story::read(&text).map(|story| story.replay()) {
        Err(error) => {
            eprintln!("error: {}: {error}", path.display());
            ExitCode::from(2)
        }
        Ok(Err(failure)) => {
            println!("{}: {}", failure.checker, failure.what);
            ExitCode::FAILURE
        }
        Ok(Ok(_report)) => {
            println!("nothing is wrong");
            ExitCode::SUCCESS
        }
    }
}

fn json(tally: &Tally, missed: Option<&[String]>, took: Duration) -> serde_json::Value {
    let faults: serde_json::Map<_, _> = tally
        .faults
        .iter()
        .map(|(fault, count)| (fault.name().to_owned(), (*count).into()))
        .collect();
    let unconverged = tally.unconverged();
    serde_json::json!({
        "level": "model",
        "seeds": tally.seeds,
        "steps": tally.steps,
        "decisions": tally.decisions,
        "decisions_per_second": per_second(tally.decisions, took),
        "seconds": took.as_secs_f64(),
        "faults": faults,
        "edges_least": tally.edges_least(),
        "edges_missed": missed,
        "violations": tally.failures.len() - unconverged,
        "unconverged": unconverged,
        "failed_seeds": tally.failures.iter().map(|failure| failure.seed).collect::<Vec<_>>(),
    })
}

fn table(tally: &Tally, missed: Option<&[String]>, took: Duration) -> String {
    let unconverged = tally.unconverged();
    let mut lines = vec![format!(
        "{} seeds, {} steps, {} decisions in {:.1} s ({} a second)\n",
        tally.seeds,
        tally.steps,
        tally.decisions,
        took.as_secs_f64(),
        per_second(tally.decisions, took)
    )];
    let faults = tally.faults.iter();
    lines.extend(faults.map(|(fault, count)| format!("  {:<20}{count:>10}", fault.name())));
    lines.push(format!(
        "\nviolations {}, unconverged {unconverged}, edges missed {}",
        tally.failures.len() - unconverged,
        missed.map_or("not judged".to_owned(), |missed| missed.len().to_string())
    ));
    lines.extend(missed.into_iter().flatten().map(|edge| format!("  {edge}")));
    lines.join("\n") + "\n"
}
