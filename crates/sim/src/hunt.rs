//! Whether a planted bug is found: worlds are run until a checker, the world at rest or an assertion
//! of core's complains. A find counts only if the same world is clean without the bug.

use crate::model::{exhaust, simulate};
use hatchery_core::plant::plant;
use std::cell::RefCell;
use std::panic::{PanicHookInfo, UnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Seeds run for one plant.
const SEEDS: u64 = 300;
/// Steps of each.
const STEPS: u64 = 300;
/// Where assertions of core are; one elsewhere is a bug of the simulator.
const CORE: &str = "crates/core/src/";

/// Who found a plant and where, or why nobody did.
pub type Hunted = Result<String, String>;

/// What became of each plant, in the order of `ids`. Hunted on that many threads; `done` hears of
/// each as it ends.
pub fn hunt(ids: &[&str], threads: usize, done: &(dyn Fn(&str, &Hunted) + Sync)) -> Vec<Hunted> {
    let hook = take_hook();
    set_hook(Box::new(note_panic));
    let next = AtomicUsize::new(0);
    let found: Vec<OnceLock<Hunted>> = ids.iter().map(|_| OnceLock::new()).collect();
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(id) = ids.get(number) else {
                return;
            };
            let hunted = hunt_one(id);
            done(id, &hunted);
            let _first = found[number].set(hunted);
        }
    };
    std::thread::scope(|scope| (0..threads.max(1)).for_each(|_| drop(scope.spawn(work))));
    set_hook(hook);
    found.into_iter().filter_map(OnceLock::into_inner).collect()
}

fn hunt_one(id: &str) -> Hunted {
    for seed in 0..SEEDS {
        if let Some(finder) = complaint(Some(id), || in_seed(seed))? {
            return match complaint(None, || in_seed(seed))? {
                None => Ok(format!("{finder} at seed {seed}")),
                Some(other) => Err(format!("seed {seed} fails without it: {other}")),
            };
        }
    }
    let Some(finder) = complaint(Some(id), in_cases)? else {
        return Err("not found by the simulation".to_owned());
    };
    match complaint(None, in_cases)? {
        None => Ok(finder),
        Some(other) => Err(format!("without it, too: {other}")),
    }
}

fn in_seed(seed: u64) -> Option<String> {
    let failure = simulate(seed, STEPS).err()?;
    Some(failure.checker)
}

fn in_cases() -> Option<String> {
    let (case, failure) = exhaust(1).failures.into_iter().next()?;
    Some(format!("{} in the case {case}", failure.checker))
}

/// Who complains of a run with that bug planted.
///
/// # Errors
/// The simulator itself panicked, and where.
fn complaint(
    id: Option<&str>,
    run: impl FnOnce() -> Option<String> + UnwindSafe,
) -> Result<Option<String>, String> {
    plant(id);
    let ran = catch_unwind(run);
    plant(None);
    if let Ok(complaint) = ran {
        return Ok(complaint);
    }
    let place = PANICKED.take();
    if place.starts_with(CORE) {
        Ok(Some(format!("an assertion of core ({place})")))
    } else {
        Err(format!("the simulator panicked in {place}"))
    }
}

thread_local! {
    /// Where this thread panicked last.
    static PANICKED: RefCell<String> = const { RefCell::new(String::new()) };
}

fn note_panic(panic: &PanicHookInfo<'_>) {
    let place = panic
        .location()
        .map(|at| format!("{}:{}", at.file(), at.line()));
    PANICKED.set(place.unwrap_or_default());
}
