//! Bugs planted in root's wasm: a seed of the wasm level finds each, its story is made small, and the
//! script of that fails as the seed did. `cargo xtask plant` builds such a root.

use crate::wasm;
use anyhow::{Context, bail, ensure};
use hatchery_sim::soak::{Modules, Story, TRIALS_MAX, replay, shrink, tell};
use std::process::ExitCode;

/// Seeds run for one bug.
const SEEDS: u64 = 40;
/// Lines of a story that is small.
const LINES_MAX: usize = 8;

/// Which bugs to plant.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Their ids.
    #[arg(required = true)]
    ids: Vec<String>,
}

/// Hunts them; one that is not found, or whose script is long or does not fail, is a failure.
pub(crate) fn run(args: &Args) -> ExitCode {
    for id in &args.ids {
        match hunt(id) {
            Ok(found) => eprintln!("{id}: {found}"),
            Err(error) => {
                eprintln!("{id}: {error:#}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn hunt(id: &str) -> anyhow::Result<String> {
    let clean = wasm::load()?;
    let mut modules = clean.clone();
    let has_place = hatchery_types::plant::write(&mut modules.root, id);
    ensure!(has_place, "this root was not built with plants");
    let mut seeds = (0..SEEDS).map(|seed| tell(seed, &modules));
    let found = seeds.find_map(|(result, story)| Some((result.err()?, story)));
    let (failure, story) = found.with_context(|| format!("not found in {SEEDS} seeds"))?;
    let script = small_script(story, &failure.checker, &modules)?;
    let read = Story::read(&script).map_err(anyhow::Error::msg)?;
    if let Err(failure) = replay(&read, &clean) {
        bail!("without the bug its script fails, too: {failure}\n{script}");
    }
    Ok(format!("{failure}\n{script}"))
}

/// The script of a failing story made small, which fails by the same checker.
fn small_script(story: Story, checker: &str, modules: &Modules) -> anyhow::Result<String> {
    let failure = replay(&story, modules).err();
    let failure = failure.context("its story does not fail")?;
    let small = shrink(story, &failure, modules, TRIALS_MAX);
    let (_, small) = small.context("its story fails but once")?;
    let script = small.text();
    let lines = script.lines().count();
    ensure!(lines <= LINES_MAX, "its script is long:\n{script}");
    let read = Story::read(&script).map_err(anyhow::Error::msg)?;
    let again = replay(&read, modules).err();
    let again = again.with_context(|| format!("its script does not fail:\n{script}"))?;
    ensure!(
        again.checker == checker,
        "its script fails by {again}\n{script}"
    );
    Ok(script)
}
