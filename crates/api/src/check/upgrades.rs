//! Rules for how members get another module: one that would never be tried, or would leave somebody
//! waiting for ever, is refused.

use super::Findings;
use hatchery_types::{Nanos, UpgradeSpec};

/// Leased and protected members are not left alone for longer than this.
const WAIT_MAX: Nanos = Nanos::from_secs(7 * 24 * 3_600);

impl Findings {
    pub(super) fn check_upgrade(&mut self, path: &str, rule: &UpgradeSpec) {
        if rule.failures == 0 {
            self.add(
                format!("{path}.failures"),
                "no member would ever be upgraded",
                "at least 1, or leave the section out",
            );
        }
        if rule.wait > WAIT_MAX {
            self.add(
                format!("{path}.wait"),
                format!("leased members would wait for {} s", rule.wait.as_secs()),
                "at most 7d",
            );
        }
    }
}
