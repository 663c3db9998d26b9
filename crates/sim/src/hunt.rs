//! Whether a planted bug is found: worlds are run until a checker, the world at rest or an assertion
//! of core's complains.

use crate::model::{exhaust, simulate};
use hatchery_core::plant::plant;
use std::panic::{catch_unwind, set_hook, take_hook};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Seeds run for one plant.
const SEEDS: u64 = 300;
/// Steps of each.
const STEPS: u64 = 300;

/// Who found each plant, and where, in the order of `ids`; none = nobody did. Hunted on that many
/// threads; `done` hears of each as it ends.
pub fn hunt(
    ids: &[&str],
    threads: usize,
    done: &(dyn Fn(&str, Option<&str>) + Sync),
) -> Vec<Option<String>> {
    let hook = take_hook();
    set_hook(Box::new(|_| {}));
    let next = AtomicUsize::new(0);
    let found: Vec<OnceLock<Option<String>>> = ids.iter().map(|_| OnceLock::new()).collect();
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(id) = ids.get(number) else {
                return;
            };
            plant(Some(id));
            let finder = in_seeds().or_else(in_cases);
            done(id, finder.as_deref());
            let _first = found[number].set(finder);
        }
    };
    std::thread::scope(|scope| (0..threads.max(1)).for_each(|_| drop(scope.spawn(work))));
    set_hook(hook);
    found.into_iter().filter_map(OnceLock::into_inner).collect()
}

fn in_seeds() -> Option<String> {
    (0..SEEDS).find_map(|seed| match catch_unwind(|| simulate(seed, STEPS)) {
        Ok(Ok(_)) => None,
        Ok(Err(failure)) => Some(format!("{} at seed {seed}", failure.checker)),
        Err(_) => Some(format!("an assertion of core at seed {seed}")),
    })
}

fn in_cases() -> Option<String> {
    let Ok(result) = catch_unwind(|| exhaust(1)) else {
        return Some("an assertion of core in the exhaustive pass".to_owned());
    };
    let first = result.failures.into_iter().next();
    first.map(|(case, failure)| format!("{} in the case {case}", failure.checker))
}
