//! The limits a fleet spec is held to, each with where it comes from; what breaks them is found in
//! the parent module.

use hatchery_types::{Cycles, Nanos};

/// Longest name of a fleet, role, pool or signal, in characters.
pub const NAME_MAX: usize = 40;
/// Most roles of a fleet.
pub const ROLES_MAX: usize = 100;
/// Most worker pools of a fleet.
pub const POOLS_MAX: usize = 1_000;
/// Most workers of one pool.
pub const WORKERS_MAX: u32 = 1_000;
/// Most spare canisters.
pub const WARM_MAX: u32 = 10_000;
/// Largest share of the fleet that is kept spare, in per cent.
pub const TARGET_PERCENT_MAX: u32 = 90;
/// Earliest and latest look around after an upgrade of root.
pub const FIRST_CHECK: [Nanos; 2] = [Nanos::from_secs(1), Nanos::from_secs(3_600)];
/// Shortest and longest time between two looks around.
pub const WATCHDOG: [Nanos; 2] = [Nanos::from_secs(60), Nanos::from_secs(DAY)];
/// Most effects of a lane at once: the platform takes 500 calls in flight to one callee, and all
/// lanes call the management canister.
pub const LANE_MAX: u32 = 500;
/// Most controllers beside root: the platform takes 10 (interface specification, "Canister
/// settings").
pub const CONTROLLERS_MAX: usize = 9;
/// The platform's fee for a new canister on 13 nodes, taken from the attached cycles.
pub const CREATION_FEE: Cycles = Cycles(500 * Cycles::B);
/// A ready canister holds at least this: an install prepays 300 B from its target, and 1 B covers
/// the message fee and the freezing limit of an empty canister (30 days of up to 3 MiB).
pub const FLOOR_MIN: Cycles = Cycles(301 * Cycles::B);
/// Every call in flight locks about this much of root's balance: the prepayment of its callback
/// and of the largest reply.
pub const CALL_PREPAYMENT: Cycles = Cycles(42_100_000_000);
/// Calls kept back for the tick and the operator, beside the lanes.
pub const CALLS_KEPT: u32 = 8;
/// Longest init argument of one role, in bytes.
pub const INIT_ARG_BYTES_MAX: usize = 64 * 1024;
/// All init arguments together, in bytes: a spec travels in one message of at most 2 MiB.
pub const INIT_ARGS_BYTES_MAX: usize = 1024 * 1024;
/// Longest name of a drain method, in bytes.
pub const METHOD_BYTES_MAX: usize = 100;
/// Shortest and longest drain deadline.
pub const DRAIN_DEADLINE: [Nanos; 2] = [Nanos::from_secs(1), Nanos::from_secs(DAY)];
/// Shortest and longest life of a discovery answer.
pub const VALID_FOR: [Nanos; 2] = [Nanos::from_secs(1), Nanos::from_secs(600)];
/// Shortest and longest age at which a sample counts as missing.
pub const STALE_AFTER: [Nanos; 2] = [Nanos::from_secs(1), Nanos::from_secs(DAY)];
/// Shortest and longest period of a rate.
pub const PERIOD: [Nanos; 2] = [Nanos::from_secs(1), Nanos::from_secs(DAY)];
/// Longest window, cooldown or warm-up.
pub const PAUSE_MAX: Nanos = Nanos::from_secs(DAY);
/// The tolerance around a target lies below this, in per cent.
pub const TOLERANCE_BELOW: u32 = 100;
/// Largest rate, in per cent of the members.
pub const RATE_PERCENT_MAX: u32 = 1_000;
/// Largest wanted value per worker: what a report may carry, 2^53.
pub const PER_WORKER_MAX: u64 = 1 << 53;

/// Most grants of one fleet.
pub const GRANTS_MAX: usize = 50;
/// Most children that a grant may name, of one parent or of all.
pub const GRANT_MAX: u32 = 100_000;
/// Least and largest depth that a grant may name; a child of root is at 1.
pub const DEPTH: [u32; 2] = [1, 8];

/// Most signals of one pool, and most numbers that root asks one worker for.
pub const SIGNALS_MAX: usize = 4;
/// Most windows of one pool's schedule.
pub const WINDOWS_MAX: usize = 50;
/// Shortest and longest time between two beginnings of a window: a year at most.
pub const EVERY: [Nanos; 2] = [Nanos::from_secs(60), Nanos::from_secs(366 * DAY)];
/// Shortest and longest lease.
pub const TTL: [Nanos; 2] = [Nanos::from_secs(10), Nanos::from_secs(30 * DAY)];
/// Most workers leased by one call.
pub const LEASE_CALL_MAX: u32 = 100;
/// Shortest and longest grace of a start-up check.
pub const GRACE: [Nanos; 2] = [Nanos::from_secs(1), Nanos::from_secs(3_600)];
/// Shortest and longest time between two questions to one worker: each is a call that root pays.
pub const PULL_EVERY: [Nanos; 2] = [Nanos::from_secs(10), Nanos::from_secs(DAY)];
/// Largest factor of a number that root asks for.
pub const MULTIPLY_MAX: u32 = 1_000_000;
/// The platform publishes query statistics about every 30 minutes, derived burn needs two
/// observations: samples of these must live at least this long.
pub const MEASURED_STALE_MIN: Nanos = Nanos::from_secs(1_800);

const DAY: u64 = 24 * 60 * 60;
