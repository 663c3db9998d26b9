//! Invariant 4: living members never exceed `max`; after `max` was lowered the excess only falls.

use super::{Checker, Scene};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Bounded {
    living: BTreeMap<String, usize>,
}

impl Checker for Bounded {
    fn name(&self) -> &'static str {
        "bounded"
    }

    fn check(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        let mut living: BTreeMap<String, usize> = BTreeMap::new();
        for row in scene.after.values().filter(|row| row.phase.is_living()) {
            *living
                .entry(row.pool.clone().unwrap_or_default())
                .or_default() += 1;
        }
        for (name, count) in &living {
            let max = scene
                .state
                .spec()
                .and_then(|spec| spec.pool(name))
                .map_or(0, |pool| pool.max);
            let before = self.living.get(name).copied().unwrap_or(0);
            if *count > (max as usize).max(before) {
                return Err(format!(
                    "{count} living in {name}, max {max}, before {before}"
                ));
            }
        }
        self.living = living;
        Ok(())
    }
}
