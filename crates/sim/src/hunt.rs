//! Whether a planted bug is found: worlds are run until a checker, the world at rest or an assertion
//! of core's complains.

use crate::model::{exhaust, simulate};
use hatchery_core::plant::plant;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};

/// Seeds run for one plant.
const SEEDS: u64 = 300;
/// Steps of each.
const STEPS: u64 = 300;

/// Who found a plant, and where; none = nobody did.
pub fn hunt(id: &str) -> Option<String> {
    plant(Some(id));
    let hook = take_hook();
    set_hook(Box::new(|_| {}));
    let found = in_seeds().or_else(in_cases);
    set_hook(hook);
    plant(None);
    found
}

fn in_seeds() -> Option<String> {
    (0..SEEDS).find_map(|seed| match catch_unwind(|| simulate(seed, STEPS)) {
        Ok(Ok(_)) => None,
        Ok(Err(failure)) => Some(format!("{} at seed {seed}", failure.checker)),
        Err(_) => Some(format!("an assertion of core at seed {seed}")),
    })
}

fn in_cases() -> Option<String> {
    let Ok(result) = catch_unwind(AssertUnwindSafe(exhaust)) else {
        return Some("an assertion of core in the exhaustive pass".to_owned());
    };
    let first = result.failures.into_iter().next();
    first.map(|(case, failure)| format!("{} in the case {case}", failure.checker))
}
