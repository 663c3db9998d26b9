//! Rules for what root pays to keep canisters alive: a rule that could never be followed, or never
//! be paid, is refused.

use super::Findings;
use hatchery_types::{FleetSpec, TopUpSpec};

impl Findings {
    pub(super) fn check_top_ups(&mut self, spec: &FleetSpec) {
        if let Some(fleet) = &spec.top_up {
            self.check_top_up("top_up", fleet);
            if fleet.below < spec.warm_pool.floor {
                self.add(
                    "top_up.below",
                    format!("{} is less than the warm pool's floor", fleet.below),
                    format!(
                        "at least {}: a spare canister with less fails",
                        spec.warm_pool.floor
                    ),
                );
            }
        }
        for role in &spec.roles {
            let Some(rule) = &role.top_up else { continue };
            let path = format!("roles.{}.top_up", role.name);
            self.check_top_up(&path, rule);
            match &spec.top_up {
                None => self.add(
                    path,
                    "the fleet has no budget to top up from",
                    "add a [top_up] with what root may pay a day in all",
                ),
                Some(fleet) if fleet.all < rule.all => self.add(
                    format!("{path}.all"),
                    format!("{} is more than the fleet's {}", rule.all, fleet.all),
                    "lower it, or raise top_up.all",
                ),
                Some(_) => {}
            }
        }
    }

    fn check_top_up(&mut self, path: &str, rule: &TopUpSpec) {
        if rule.to <= rule.below {
            self.add(
                format!("{path}.to"),
                format!("{} is not above {}", rule.to, rule.below),
                "raise it above `below`",
            );
        } else if rule.each < rule.to.less(rule.below) {
            self.add(
                format!("{path}.each"),
                format!("{} a day does not reach from `below` to `to`", rule.each),
                format!("at least {}", rule.to.less(rule.below)),
            );
        }
        if rule.all < rule.each {
            self.add(
                format!("{path}.all"),
                format!(
                    "{} is less than one canister may get, {}",
                    rule.all, rule.each
                ),
                "raise it, or lower `each`",
            );
        }
    }
}
