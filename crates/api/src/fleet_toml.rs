//! `fleet.toml`: the fleet spec as an operator writes it.
//!
//! Owns the file's fields, defaults and error places. What a spec must satisfy is `check_spec`'s
//! to say; which bytes a module's path stands for is the caller's, by a function: nothing here
//! reads a file.
//!
//! ```toml
//! name = "shop"                  # 1-40 of a-z, 0-9, -
//! reserve = "10T"                # root keeps this; default 10T
//! controllers = []               # of every canister beside root; default none
//! visibility = "public"          # or "operators": strangers see counts only; default public
//!
//! [lanes]                        # effects at once; defaults below
//! create = 10                    # default 10
//! reset = 50                     # default 50
//! install = 4                    # default 4
//!
//! [warm_pool]
//! minimum = 5
//! maximum = 20
//! cycles = "5T"                  # attached to a creation; default 5T
//! target = "0%"                  # of the fleet as it is wanted kept spare; default 0%
//! surplus = "delete"             # or the principal that gets what exceeds the maximum; default delete
//! floor = "1T"                   # of a ready canister; default 1T
//! sweep_above = "10T"            # its ceiling; default twice its cycles
//! first_check = "30s"            # after an upgrade of root; default 30s
//! watchdog = "30m"               # root looks around at least this often; default 30m
//!
//! [[warm_pool.schedule]]         # times at which more are kept; default none
//! from = 2026-01-05T08:00:00Z
//! to = 2026-01-05T18:00:00Z
//! every = "24h"                  # begins again after this long; default never
//! minimum = 20
//!
//! [roles.worker]
//! module = "worker.wasm"         # beside this file
//! init_arg = "(record {})"       # Candid text, or hex: and digits; default "()". Of each canister its own:
//!                                # principal "$self", "$parent", "$root", and the text "$pool"
//! children = "refuse"            # of a member with children, or "first": they leave first; default refuse
//! reuse = "same-role"            # who may have its canisters next: or "same-parent", "any", "never"; default same-role
//!
//! [roles.worker.drain]           # asked before a worker leaves; default: it is not
//! method = "hatchery_drain"      # default none
//! deadline = "5m"                # default 5m
//!
//! [roles.worker.health]          # any reply: it works; default: no check
//! method = "health"
//! grace = "1m"                   # default 1m
//!
//! [roles.worker.upgrade]         # its members go to its new module; default: they keep what they have
//! failures = 2                   # that end it; default 2
//! wait = "1h"                    # for leased and protected members; default 1h
//! keep_memory = false            # Motoko with orthogonal persistence needs true; default false
//!
//! [roles.worker.pull.depth]      # a number that root asks for, for a signal of that name
//! method = "stats"
//! field = "queue"                # of the record it answers; default: the answer is the number
//! multiply = 1                   # default 1
//! every = "1m"                   # default 1m
//!
//! [roles.worker.top_up]          # cycles for its members; default: they get none
//! below = "1T"                   # who has less gets some
//! to = "2T"                      # up to this
//! each = "5T"                    # most for one canister in a day
//! all = "50T"                    # most for the role in a day
//!
//! [top_up]                       # for spare canisters, and most for all; default: no top-ups for them, no bound
//! below = "1T"
//! to = "2T"
//! each = "5T"
//! all = "100T"
//!
//! [pools.workers]
//! role = "worker"
//! min = 1
//! max = 12
//! initial = 1                    # default min
//! disruption = "50%"             # default 50%
//! valid_for = "30s"              # default 30s
//!
//! standby = 0                    # kept installed, out of service; default 0
//! buffer = "20%"                 # kept free beside leased ones, a share or a number; default none
//! breaker = "50%"                # of the members failed lately: stop; default 50%
//! protection = "1h"              # longest that a member may ask to be spared; default 1h
//! enabled = true                 # false: left as it is; default true
//!
//! [pools.workers.parent]         # who leases and reports for it; default nobody
//! canister = "ryjl3-tyaaa-aaaaa-aaaba-cai" # or `role = "hub"`
//!
//! [pools.workers.signals.depth]  # at most 4; the one that wants most workers decides
//! target = 10                    # per worker
//! tolerance = "10%"              # default 10%
//! stale_after = "5m"             # default 5m
//! warm_up = "30s"                # default 30s
//! scope = "worker"               # or "pool": a total, reported by the parent; default worker
//! source = "pushed"              # or "pulled", "memory", "burn", "queries"; default pushed
//! missing = "cautious"           # or "hold", or a number of workers; default cautious
//! activation = 0                 # of a total: at or below it no worker is wanted; default 0
//!
//! [[pools.workers.schedule]]     # times at which more are wanted; default none
//! from = 2026-01-05T08:00:00Z
//! to = 2026-01-05T18:00:00Z
//! every = "24h"                  # begins again after this long; default never
//! min = 4                        # default 0
//! desired = 6                    # default 0
//!
//! [pools.workers.lease]          # default: nobody may lease
//! ttl = "10m"                    # default 10m
//! ttl_max = "24h"                # default 24h
//! call_max = 10                  # workers of one call; default 10
//! expired = "recycle"            # or "return"; default recycle
//! released = "return"            # or "recycle"; default return
//!
//! [[grants]]                     # who may have canisters of their own; default nobody
//! role = "worker"                # of those who ask
//! pool = "workers"               # whose workers they get, kept until they are recycled
//! each = 5                       # children of one parent
//! all = 100                      # children of all parents; default `each`
//! depth = 2                      # below root, whose own children are at 1; default 2
//! under_root = false             # they may put one under root too; default false
//!
//! [pools.workers.scale_up]       # how fast it grows; default as here
//! window = "0s"                  # the lowest wish of so long counts; default 0s
//! max_percent = "400%"           # of the workers, in a period; default 400%
//! max_workers = 10               # if that is more; default 10
//! period = "15s"                 # default 15s
//! cooldown = "0s"                # default 0s
//!
//! [pools.workers.scale_down]     # how fast it shrinks; default as here
//! window = "5m"                  # the highest wish of so long counts; default 5m
//! max_percent = "100%"           # default 100%
//! max_workers = 0                # default 0
//! period = "15s"                 # default 15s
//! cooldown = "0s"                # default 0s
//! ```

mod error;
mod pools;
mod read;
mod sections;
mod values;

pub use error::{Position, TomlError};

use crate::check_spec;
use error::Places;
use hatchery_types::{FleetSpec, ModuleHash};
use read::Reader;
use std::ops::Range;
use toml_edit::Document;

/// Reads the text of a `fleet.toml`.
///
/// # Errors
/// Everything that is not TOML, not a field, or not a value of its field's kind, in order of
/// lines. TOML itself is reported up to its first error. What the values must satisfy together is
/// reported by [`FleetDraft::resolve`].
pub fn parse(text: &str) -> Result<FleetDraft, Vec<TomlError>> {
    let document = Document::parse(text).map_err(|error| {
        let place = error.span().unwrap_or(0..0);
        let hint = match error.message() {
            "duplicate key" => "a field or section of this name is above: rename or remove one",
            _ => "the file is TOML: https://toml.io",
        };
        vec![TomlError::at(text, place, error.message(), hint)]
    })?;
    let mut reader = Reader::new(text);
    let (spec, modules) = sections::read_fleet(&mut reader, document.as_table());
    let (errors, places) = reader.finish();
    if errors.is_empty() {
        Ok(FleetDraft {
            text: text.to_owned(),
            spec,
            modules,
            places,
        })
    } else {
        Err(errors)
    }
}

/// A `fleet.toml` that could be read: a spec whose modules are still paths.
#[derive(Debug, Clone)]
pub struct FleetDraft {
    text: String,
    /// Its module hashes are not set yet.
    spec: FleetSpec,
    modules: Vec<ModulePath>,
    places: Places,
}

/// The module of a role, as the file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModulePath {
    /// Which role.
    pub role: String,
    /// The text in the file.
    pub path: String,
    /// Where it stands.
    pub position: Position,
    place: Range<usize>,
}

impl FleetDraft {
    /// The modules that roles name, in order of the file.
    pub fn modules(&self) -> &[ModulePath] {
        &self.modules
    }

    /// Name of the fleet, not yet checked.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// The spec, with the hash of every module as `hash_of(role, path)` gives it, checked by
    /// [`check_spec`].
    ///
    /// # Errors
    /// What `hash_of` says of a module that cannot be had, and every broken rule, each with the
    /// place of the value it is about.
    pub fn resolve(
        &self,
        mut hash_of: impl FnMut(&str, &str) -> Result<ModuleHash, String>,
    ) -> Result<FleetSpec, Vec<TomlError>> {
        let mut spec = self.spec.clone();
        let mut errors = Vec::new();
        for (role, named) in spec.roles.iter_mut().zip(&self.modules) {
            role.module = hash_of(&named.role, &named.path).unwrap_or_else(|message| {
                let hint = "build the module, or correct the path";
                errors.push(TomlError::at(
                    &self.text,
                    named.place.clone(),
                    message,
                    hint,
                ));
                UNRESOLVED
            });
        }
        if let Err(broken) = check_spec(&spec) {
            errors.extend(broken.into_iter().map(|error| {
                let place = self.places.nearest(&error.path);
                TomlError::at(&self.text, place, error.message, error.hint)
            }));
        }
        if errors.is_empty() {
            return Ok(spec);
        }
        errors.sort_by_key(|error| error.position);
        Err(errors)
    }
}

/// Stands in for a module that could not be had, so that the other rules are still checked.
const UNRESOLVED: ModuleHash = ModuleHash([0xff; 32]);

#[cfg(test)]
mod agrees;
#[cfg(test)]
mod tests;
