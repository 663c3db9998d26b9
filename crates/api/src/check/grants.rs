//! Rules for grants: whose members may have canisters of their own.

use super::Findings;
use super::limits::{DEPTH, GRANT_MAX, GRANTS_MAX};
use hatchery_types::{FleetSpec, GrantSpec};

impl Findings {
    pub(super) fn check_grants(&mut self, spec: &FleetSpec) {
        if spec.grants.len() > GRANTS_MAX {
            let count = spec.grants.len();
            self.add(
                "grants",
                format!("{count} grants"),
                format!("at most {GRANTS_MAX}"),
            );
        }
        for (index, grant) in spec.grants.iter().enumerate() {
            let path = format!("grants.{index}");
            let same = |it: &&GrantSpec| (&it.role, &it.pool) == (&grant.role, &grant.pool);
            if spec.grants[..index].iter().any(|it| same(&it)) {
                self.add(
                    &path,
                    format!(
                        "a second grant of `{}` for role `{}`",
                        grant.pool, grant.role
                    ),
                    "make one of the two",
                );
            }
            self.check_grant(spec, &path, grant);
        }
    }

    fn check_grant(&mut self, spec: &FleetSpec, path: &str, grant: &GrantSpec) {
        if spec.role(&grant.role).is_none() {
            let message = format!("there is no role `{}`", grant.role);
            self.add(format!("{path}.role"), message, "name a role of this file");
        }
        if spec.pool(&grant.pool).is_none() {
            let message = format!("there is no pool `{}`", grant.pool);
            self.add(format!("{path}.pool"), message, "name a pool of this file");
        }
        let numbers = [
            ("each", grant.each, [1, GRANT_MAX]),
            ("all", grant.all, [1, GRANT_MAX]),
            ("depth", grant.depth, DEPTH),
        ];
        for (name, number, [least, most]) in numbers {
            if !(least..=most).contains(&number) {
                self.add(
                    format!("{path}.{name}"),
                    format!("`{name}` of {number}"),
                    format!("between {least} and {most}"),
                );
            }
        }
        if grant.all < grant.each {
            self.add(
                format!("{path}.all"),
                format!(
                    "{} is less than one parent may have, {}",
                    grant.all, grant.each
                ),
                "raise it, or lower `each`",
            );
        }
    }
}
