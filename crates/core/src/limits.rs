//! Every limit of the control plane in one place: nothing is unbounded.

use hatchery_types::{Cycles, Nanos};

/// Rows a root answers for.
pub const ROWS_MAX: u64 = 100_000;
/// Rows of workers on standby that are at hand without a look into stable memory.
pub const STANDBY_AT_HAND: usize = 1_000;
/// Counters of operations: further reasons are counted as one.
pub const COUNTERS_MAX: usize = 300;
/// Bytes of an init argument that comes with a request; a row keeps it.
pub const INIT_ARG_BYTES_MAX: usize = 4 * 1024;
/// Events kept; the oldest go first.
pub const LOG_MAX: u64 = 10_000;
/// Decisions kept of all pools together; the oldest go first.
pub const DECISIONS_MAX: u64 = 4_000;
/// Decisions of a pool after a whole view, before the next whole one.
pub const DECISIONS_PER_VIEW: u32 = 15;
/// Members that change between two decisions of a pool, before the next view is a whole one.
pub const DECISION_CHANGES_MAX: usize = 500;
/// Bytes of a recorded view; a larger one is not kept, and its plan cannot be replayed.
pub const DECISION_BYTES_MAX: usize = 128 * 1024;
/// Bytes of a page of decisions: an answer has at most 2 MiB.
pub const DECISIONS_PAGE_BYTES_MAX: usize = 1024 * 1024;
/// Receipts of operations kept in all.
pub const RECEIPTS_MAX: u64 = 10_000;
/// Receipts of one caller.
pub const RECEIPTS_PER_CALLER_MAX: u32 = 1_000;
/// A receipt is kept at least this long.
pub const RECEIPT_LIFE: Nanos = Nanos::from_secs(24 * 3_600);
/// Entries of an answer's list.
pub const PAGE_MAX: usize = 200;
/// Canisters that one command names: each costs about 400 k instructions.
pub const COMMAND_IDS_MAX: usize = 1_000;
/// A wish for a canister that could not be bought for this long is refused.
pub const PURCHASE_WAIT: Nanos = Nanos::from_secs(600);
/// Bytes of a chunk: the platform's chunk store takes 1 MiB (interface specification,
/// `upload_chunk`).
pub const CHUNK_BYTES_MAX: usize = 1024 * 1024;
/// Chunks of all modules together: the platform's chunk store holds 100.
pub const CHUNKS_MAX: usize = 100;
/// A module that no role names is kept this long, for a step back.
pub const UNNAMED_LIFE: Nanos = Nanos::from_secs(24 * 3_600);
/// Modules held, staged ones included.
pub const MODULES_MAX: u64 = 50;
/// Calls in flight that Hatchery allows itself: the platform refuses the 501st to one callee. The
/// tick calls root itself and the operator calls from outside, so neither needs a place here.
pub const CALLS_MAX: u32 = 500;
/// Calls that the liquid balance must still carry when everything else is in flight.
pub const CALLS_SPARE: u32 = 8;
/// What the platform locks for one call in flight: 40 B instructions of the callback, the largest
/// reply and the call itself, on 13 nodes, rounded up (measured: 42.1 B).
pub const CALL_LOCK: Cycles = Cycles(42_750_000_000);
/// Effects in the lane of small calls (observations, stops, deletes, hand-overs, chunks, infos).
pub const OTHER_LANE: u32 = 50;
/// Drains in flight; they wait for workers, and never in the way of the management canister.
pub const DRAIN_LANE: u32 = 50;
/// Creations started by one decision.
pub const CREATE_BATCH: u32 = 10;
/// Creations with an unknown outcome at which root stops buying.
pub const LOST_CREATIONS_MAX: usize = 10;
/// Creations that were searched for in vain and are remembered; the oldest go first.
pub const GIVEN_UP_MAX: usize = 100;
/// Ids behind the last known one that are asked for a lost creation.
pub const SEARCH_IDS: u64 = 1_000;
/// Ids of a range that an operator may have looked through by one command.
pub const RANGE_IDS_MAX: u64 = 10_000;
/// Ids asked for at once; the next batch waits for the answers.
pub const SEARCH_BATCH: usize = 40;
/// Ids that are passed over in one decision because they have rows.
pub const SEARCH_SKIPPED: u64 = 200;
/// Between two attempts to learn of an id.
pub const SEARCH_RETRY: Nanos = Nanos::from_secs(5);
/// Bought canisters that fail their verification at which root stops buying.
pub const UNPROVEN_MAX: u64 = 20;
/// The period in which that many may be lost.
pub const LOST_CREATIONS_PERIOD: Nanos = Nanos::from_secs(24 * 3_600);
/// Effect ids reserved at once, so that the header is written once for that many.
pub const EFFECT_IDS_RESERVED: u64 = 1_000;
/// Sweeps of one canister before it goes on as it is.
pub const SWEEPS_MAX: u32 = 3;
/// Between the install of the sweeper and the look at what it did.
pub const SWEEP_WAIT: Nanos = Nanos::from_secs(5);
/// What a canister keeps that is swept before it is deleted: the sweeper's one call locks 42.1 B.
pub const SWEEP_REST: Cycles = Cycles(60_000_000_000);
/// A canister with less is deleted as it is: the sweep itself burns a few billion cycles, and its
/// install is prepaid with 300 B.
pub const SWEEP_WORTH: Cycles = Cycles(400_000_000_000);
/// Refused attempts before a row is Failed.
pub const ATTEMPTS_MAX: u32 = 5;
/// Resets that failed, of the last 32, at which their breaker opens.
pub const BREAKER_FAILURES: u32 = 20;
/// Creations that failed in a row at which root says that their breaker is open.
pub const CREATE_FAILURES_MAX: u32 = 3;
/// First wait after a failure; it doubles with each further one.
pub const BACKOFF_FIRST: Nanos = Nanos::from_secs(2);
/// Longest wait after a failure.
pub const BACKOFF_MAX: Nanos = Nanos::from_secs(600);
/// "It is not there" counts only for effects older than this: an aborted install may resume.
pub const ABSENCE_AGE: Nanos = Nanos::from_secs(600);
/// How long answers to the calls of an earlier root are waited for.
pub const STALE_GRACE: Nanos = Nanos::from_secs(60);
/// Less than this is not worth a deposit: what is left of a budget waits for the next day.
pub const TOP_UP_WORTH: Cycles = Cycles(50_000_000_000);
/// A top-up that certainly did not happen is tried again after this.
pub const TOP_UP_RETRY: Nanos = Nanos::from_secs(60);
/// A member that root tops up is looked at no more often than this, however fast it burns.
pub const BURN_LOOK: Nanos = Nanos::from_secs(600);
/// The first look at what a new member of such a role burns.
pub const BURN_FIRST: Nanos = Nanos::from_secs(3_600);
/// Roles that left the spec and whose canisters nobody may have again, remembered: the latest.
pub const ROLES_NEVER_REUSED: usize = 100;
/// Between two looks of root into its own purse.
pub const PURSE_EVERY: Nanos = Nanos::from_secs(3_600);
/// Between two looks at a canister whose install has an unknown outcome.
pub const LOOK_AGAIN: Nanos = Nanos::from_secs(30);
/// Between two questions to a draining worker.
pub const DRAIN_POLL: Nanos = Nanos::from_secs(3);
/// A member in service is observed at least this often.
pub const OBSERVE_EVERY: Nanos = Nanos::from_secs(24 * 3_600);
/// Least time between two samples of one member.
pub const REPORT_GAP: Nanos = Nanos(500_000_000);
/// Largest value of a signal: what a double carries exactly.
pub const SIGNAL_MAX: u64 = 1 << 53;
/// Least time between two plans of a pool that only signals ask for.
pub const PLAN_GAP: Nanos = Nanos::from_secs(1);
/// A pool that found the install lane full looks again after this.
pub const LANE_RETRY: Nanos = Nanos::from_secs(2);
/// Wishes and steps remembered by a pool.
pub const POOL_HISTORY_MAX: usize = 32;
/// Neighbouring wishes are merged up to this part of the window; two neighbours together are longer,
/// so twice as many fit into [`POOL_HISTORY_MAX`].
pub const WISHES_PER_WINDOW: u64 = 15;
/// Signals of one pool.
pub const SIGNALS_MAX: usize = 4;
/// A lease that found no free worker counts as demand for this long.
pub const LEASES_WANTED_LIFE: Nanos = Nanos::from_secs(120);
/// Changes of a pool's list of workers that are remembered for those who know an older list.
pub const LISTING_CHANGES_MAX: usize = 256;
/// Questions to workers in flight: a worker that does not answer holds one for 30 s.
pub const ASK_LANE: u32 = 20;
/// Between two start-up checks of one worker.
pub const CHECK_POLL: Nanos = Nanos::from_secs(2);
/// Derived rates need observations at least this far apart.
pub const RATE_GAP: Nanos = Nanos::from_secs(300);
/// Answers to holders are kept for this long.
pub const LEASE_RECEIPT_LIFE: Nanos = Nanos::from_secs(3_600);
/// Answers to one holder.
pub const LEASE_RECEIPTS_PER_CALLER_MAX: usize = 4_000;
/// Answers to all holders.
pub const LEASE_RECEIPTS_MAX: usize = 20_000;
/// Answers forgotten by one decision of the tick.
pub const LEASE_RECEIPTS_FORGOTTEN: usize = 50;
/// A lease found this long after its end was not looked at in time: its holder gets as long again.
pub const LEASE_LATE: Nanos = Nanos::from_secs(60);
/// Least time between two reports of one parent for one pool.
pub const POOL_REPORT_GAP: Nanos = Nanos(500_000_000);
/// Members that failed at work within this time count for the breaker.
pub const LOSSES_PERIOD: Nanos = Nanos::from_secs(600);
/// Installs of a module that never started in a pool, before the breaker opens: this many, or
/// [`UNPROVEN_PERCENT`] of the workers wanted.
pub const UNPROVEN_INSTALLS: u32 = 2;
/// See [`UNPROVEN_INSTALLS`].
pub const UNPROVEN_PERCENT: u32 = 10;
/// Bytes of an empty canister's memory use that the platform itself may account for.
pub const EMPTY_MEMORY_BYTES: u64 = 64 * 1024;
/// Entries of a queue looked at for the next one that is not yet due.
pub const OVERDUE_LOOKED_AT: usize = 100;
/// When nothing can be paid or started, look again after this.
pub const BLOCKED_RETRY: Nanos = Nanos::from_secs(60);

/// Deepest place below root that a grant may name.
pub const DEPTH_MAX: u32 = 8;
/// Children moved by one decision.
pub const FAMILY_BATCH: usize = 100;
/// A parent that drains looks at its children this often.
pub const FAMILY_POLL: Nanos = Nanos::from_secs(3);

/// Wait before attempt number `attempts + 1`.
pub fn backoff(attempts: u32) -> Nanos {
    let doubled = BACKOFF_FIRST
        .0
        .saturating_mul(1 << attempts.saturating_sub(1).min(16));
    Nanos(doubled.min(BACKOFF_MAX.0))
}
