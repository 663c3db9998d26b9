//! The wasm level: seeds in, a table or one JSON object out.

use crate::progress::{bar, now};
use hatchery_sim::model::Failure;
use hatchery_sim::soak::{Modules, Soaked, Story, TRIALS_MAX, replay, shrink, soak, tell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the seeds came to.
#[derive(Debug, Default)]
struct Tally {
    rounds: u64,
    canisters_least: Option<u64>,
    faults: BTreeMap<String, u64>,
    seen: BTreeMap<String, u64>,
    failures: Vec<Failure>,
}

impl Tally {
    fn add(&mut self, result: Result<Soaked, Failure>) {
        match result {
            Err(failure) => self.failures.push(failure),
            Ok(soaked) => {
                self.rounds += soaked.rounds;
                let least = self.canisters_least.unwrap_or(u64::MAX);
                self.canisters_least = Some(least.min(soaked.canisters));
                for (name, count) in soaked.faults {
                    *self.faults.entry(name).or_default() += count;
                }
                for (name, count) in soaked.seen {
                    *self.seen.entry(name).or_default() += count;
                }
            }
        }
    }
}

/// Which seeds, and how to tell of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// The first seed.
    pub(crate) first: u64,
    /// How many.
    pub(crate) seeds: u64,
    /// On how many threads.
    pub(crate) threads: usize,
    /// The script of a failing seed is printed as long as it is.
    pub(crate) is_long: bool,
    /// One JSON object as the last line.
    pub(crate) is_json: bool,
}

/// Runs the seeds; the first that fails is made small and printed as a script.
pub(crate) fn run(plan: Plan) -> ExitCode {
    let modules = match load() {
        Ok(modules) => modules,
        Err(error) => return unusable(&format!("{error:#}")),
    };
    let Plan { first, seeds, .. } = plan;
    let bar = bar(seeds, "seeds");
    let begun = now();
    let next = AtomicU64::new(first);
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..plan.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + seeds {
                        return;
                    }
                    let result = soak(seed, &modules);
                    tally.lock().expect("bug: a seed panicked").add(result);
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut tally = tally.into_inner().expect("bug: a seed panicked");
    tally.failures.sort_by_key(|failure| failure.seed);
    let seconds = begun.elapsed().as_secs_f64();
    for failure in tally.failures.iter().take(10) {
        eprintln!("{failure} --wasm\n");
    }
    if let Some(failure) = tally.failures.first() {
        let trials = if plan.is_long { 0 } else { TRIALS_MAX };
        tell_script(failure.seed, trials, &modules);
    }
    tell_tally(&tally, seeds, seconds, plan.is_json);
    if tally.failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn unusable(what: &str) -> ExitCode {
    eprintln!("error: {what}");
    ExitCode::from(2)
}

/// Prints the script of a failing seed, the smallest that so many replays find.
fn tell_script(seed: u64, trials: u32, modules: &Modules) {
    let (Err(failure), story) = tell(seed, modules) else {
        eprintln!("seed {seed} does not fail again");
        return;
    };
    if trials > 0 {
        eprintln!("making seed {seed} small, in some {trials} replays ...");
    }
    let small = shrink(story.clone(), &failure, modules, trials);
    let (failure, story) = small.unwrap_or((failure, story));
    eprintln!("# {}: {}", failure.checker, failure.what);
    eprintln!("{}", story.text());
}

/// Replays a script.
pub(crate) fn replay_script(path: &Path) -> ExitCode {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return unusable(&format!("{}: {error}", path.display())),
    };
    let story = match Story::read(&text) {
        Ok(story) => story,
        Err(error) => return unusable(&format!("{}: {error}", path.display())),
    };
    match load().map(|modules| replay(&story, &modules)) {
        Err(error) => unusable(&format!("{error:#}")),
        Ok(Err(failure)) => {
            println!("{}: {}", failure.checker, failure.what);
            ExitCode::FAILURE
        }
        Ok(Ok(_)) => {
            println!("nothing is wrong");
            ExitCode::SUCCESS
        }
    }
}

fn tell_tally(tally: &Tally, seeds: u64, seconds: f64, is_json: bool) {
    let stuck = |failure: &&Failure| failure.is_unconverged();
    let unconverged = tally.failures.iter().filter(stuck).count();
    let violations = tally.failures.len() - unconverged;
    let least = tally.canisters_least.unwrap_or(0);
    if is_json {
        let object = serde_json::json!({
            "level": "wasm",
            "seeds": seeds,
            "steps": tally.rounds,
            "seconds": seconds,
            "canisters_least": least,
            "faults": tally.faults,
            "seen": tally.seen,
            // Nobody judges them here: the model's runs do.
            "edges_missed": null,
            "violations": violations,
            "unconverged": unconverged,
            "failed_seeds": tally.failures.iter().map(|failure| failure.seed).collect::<Vec<_>>(),
        });
        println!("{object}");
        return;
    }
    println!(
        "{seeds} seeds, {} rounds, at least {least} canisters each, {seconds:.1} s",
        tally.rounds
    );
    for (fault, count) in &tally.faults {
        println!("  {fault:<20}{count:>10}");
    }
    println!("seen in root's log, and by who asked it:");
    for (what, count) in &tally.seen {
        println!("  {what:<20}{count:>10}");
    }
    println!("violations {violations}, unconverged {unconverged}");
}

/// The canisters that `cargo xtask` built.
pub(crate) fn load() -> anyhow::Result<Modules> {
    use anyhow::Context;
    let folder = std::env::var_os("HATCHERY_WASM_DIR")
        .map(PathBuf::from)
        .context("HATCHERY_WASM_DIR is not set: run `cargo xtask sim --wasm`")?;
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read(&path).with_context(|| path.display().to_string())
    };
    Ok(Modules {
        root: read("hatchery_root.wasm")?,
        worker: read("hatchery_worker.wasm")?,
        cache_dir: Some(folder.join("cache")),
    })
}
