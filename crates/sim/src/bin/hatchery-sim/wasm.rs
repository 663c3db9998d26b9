//! The wasm level: seeds in, a table or one JSON object out.

use crate::progress::{bar, now};
use hatchery_sim::model::Failure;
use hatchery_sim::soak::{Modules, Soaked, soak};
use std::collections::BTreeMap;
use std::path::PathBuf;
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

/// Runs the seeds `first..first + seeds`.
pub(crate) fn run(first: u64, seeds: u64, threads: usize, is_json: bool) -> ExitCode {
    let modules = match load() {
        Ok(modules) => modules,
        Err(error) => {
            eprintln!("error: {error:#}");
            return ExitCode::from(2);
        }
    };
    let bar = bar(seeds, "seeds");
    let begun = now();
    let next = AtomicU64::new(first);
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
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
    tell(&tally, seeds, begun.elapsed().as_secs_f64(), is_json);
    if tally.failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn tell(tally: &Tally, seeds: u64, seconds: f64, is_json: bool) {
    for failure in tally.failures.iter().take(10) {
        eprintln!("{failure} --wasm\n");
    }
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
fn load() -> anyhow::Result<Modules> {
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
