//! Invariant 4: living members never exceed `max`; after `max` was lowered the excess only falls.

use super::{Checker, Scene};
use crate::model::Change;
use hatchery_core::Row;
use hatchery_types::Phase;
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
        let before = self.living.clone();
        let mut grown = Vec::new();
        for change in scene.changes {
            if let Some(pool) = pool_of(change.before.as_ref()) {
                *self.living.entry(pool.to_owned()).or_default() -= 1;
            }
            if let Some(pool) = pool_of(change.after.as_ref()) {
                *self.living.entry(pool.to_owned()).or_default() += 1;
                // Who is there already when root learns of it again is counted, and drained later.
                if phase_before(change) != Some(Phase::Recovering) {
                    grown.push(pool);
                }
            }
        }
        for name in grown {
            let spec = scene.state.spec().and_then(|spec| spec.pool(name));
            let max = spec.map_or(0, |pool| pool.max as usize);
            let count = self.living.get(name).copied().unwrap_or(0);
            let before = before.get(name).copied().unwrap_or(0);
            if count > max.max(before) {
                return Err(format!(
                    "{count} living in {name}, max {max}, before {before}"
                ));
            }
        }
        if scene.is_whole {
            self.check_count(scene)?;
        }
        Ok(())
    }
}

impl Bounded {
    /// The count kept is the count there is.
    fn check_count(&self, scene: &Scene<'_>) -> Result<(), String> {
        let mut living: BTreeMap<String, usize> = BTreeMap::new();
        for row in scene.rows.values() {
            if let Some(pool) = pool_of(Some(row)) {
                *living.entry(pool.to_owned()).or_default() += 1;
            }
        }
        let mut kept = self.living.clone();
        kept.retain(|_, count| *count > 0);
        if living == kept {
            Ok(())
        } else {
            Err(format!("{living:?} are living, events said {kept:?}"))
        }
    }
}

fn phase_before(change: &Change) -> Option<Phase> {
    change.before.as_ref().map(|row| row.phase)
}

/// The pool that a row counts in.
fn pool_of(row: Option<&Row>) -> Option<&str> {
    row.filter(|row| row.phase.is_living())
        .map(|row| row.pool.as_deref().unwrap_or_default())
}
