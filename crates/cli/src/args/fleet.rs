//! The commands that speak to a root.

use super::{WasmOptions, seconds};
use clap::{Args, Subcommand, ValueEnum};
use hatchery_types::{Direction, Level, Phase, Topic};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum FleetVerb {
    /// Install root or upgrade it, stage the modules, apply fleet.toml
    Deploy(DeployOptions),
    /// Show what applying fleet.toml would change, and what it costs
    Plan(PlanOptions),
    /// Stage the modules, apply fleet.toml, follow what comes of it
    Apply(ApplyOptions),
    /// The fleet at a glance
    Status(StatusOptions),
    /// The warm pool: look, fill, empty, pause
    #[command(subcommand)]
    Pool(PoolVerb),
    /// Worker pools and their members
    #[command(subcommand)]
    Workers(WorkersVerb),
    /// Workers handed to a holder
    #[command(subcommand)]
    Lease(LeaseVerb),
    /// Modules held by root
    #[command(subcommand)]
    Modules(ModulesVerb),
    /// Every canister that root answers for
    Canisters(CanistersOptions),
    /// What happened
    Events(EventsOptions),
    /// Calls under way
    Effects,
    /// Why a pool or a canister is as it is
    Why(WhyOptions),
    /// Cycles: held, spent, and how long they last
    #[command(subcommand)]
    Cycles(CyclesVerb),
    /// Move a role to another module
    Upgrade(UpgradeOptions),
    /// Look at everything and say what is wrong, and what to do
    Doctor,
    /// Root's figures in the text of Prometheus
    Metrics,
    /// A recorded decision of a pool again: the same view must give the same plan
    Replay(ReplayOptions),
    /// The fleet live
    Top(TopOptions),
    /// Print the registry, for `recover`
    Export(ExportOptions),
    /// Rebuild the rows of a root that lost its memory
    Recover(RecoverOptions),
    /// Print the spec as it was applied
    Spec,
    /// Call a method of root that has no command of its own
    Call(CallOptions),
}

#[derive(Debug, Args)]
pub(crate) struct DeployOptions {
    /// Cycles that a new root gets, such as 20T
    /// [default: its reserve and what the fleet starts with]
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    pub(crate) cycles: Option<u128>,
    /// One more controller of a new root
    #[arg(long, value_name = "PRINCIPAL")]
    pub(crate) controller: Vec<String>,
    /// Upgrade without stopping root first: calls under way are looked up afterwards
    #[arg(long)]
    pub(crate) force: bool,
    /// Forget all that root knows and install it anew; the fleet's name confirms it
    #[arg(long, value_name = "FLEET", num_args = 0..=1, default_missing_value = "")]
    pub(crate) reinstall: Option<String>,
    /// Do not wait until every pool has its workers
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) wasm: WasmOptions,
}

#[derive(Debug, Args)]
pub(crate) struct PlanOptions {
    /// Memory that a worker is expected to use, in MiB, for the price
    #[arg(long, value_name = "MIB", default_value_t = 100)]
    pub(crate) worker_mib: u64,
    #[command(flatten)]
    pub(crate) wasm: WasmOptions,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyOptions {
    /// Do not wait until every pool has its workers
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) wasm: WasmOptions,
}

#[derive(Debug, Args)]
pub(crate) struct StatusOptions {
    /// Wait until every pool has its workers, for at most this long
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(crate) until_ready: Option<u64>,
}

/// How a command to root is given.
#[derive(Debug, Clone, Args)]
pub(crate) struct Given {
    /// Name of the operation: the same one again gets the same answer and no second effect
    /// [default: a fresh one]
    #[arg(long, value_name = "NAME")]
    pub(crate) operation: Option<String>,
    /// Do not wait for the end of what takes time
    #[arg(long)]
    pub(crate) no_wait: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PoolVerb {
    /// What it does, or what holds it back
    Status,
    /// Its canisters
    List(PoolListOptions),
    /// Create a canister now, whatever the minimum
    Create {
        #[command(flatten)]
        given: Given,
    },
    /// Take canisters that root controls into the pool
    Import {
        /// Which
        #[arg(required = true, value_name = "ID")]
        canisters: Vec<String>,
        /// One canister, at once and ahead of the queue
        #[arg(long)]
        now: bool,
        #[command(flatten)]
        given: Given,
    },
    /// Reset a canister into the pool; a member drains first
    Recycle {
        /// Which
        #[arg(value_name = "ID")]
        canister: String,
        #[command(flatten)]
        given: Given,
    },
    /// Send failed and lost canisters to the reset queue again
    Requeue {
        /// Which [default: every failed one]
        #[arg(value_name = "ID")]
        canisters: Vec<String>,
        #[command(flatten)]
        given: Given,
    },
    /// Release a ready canister
    Export {
        /// Which
        #[arg(value_name = "ID")]
        canister: String,
        /// `registry` (back into its role) or the principal that becomes its only controller
        #[arg(long, value_name = "TO")]
        to: String,
        #[command(flatten)]
        given: Given,
    },
    /// Stop and delete a canister that is nobody's member
    Delete {
        /// Which
        #[arg(value_name = "ID")]
        canister: String,
        #[command(flatten)]
        given: Given,
    },
    /// Strike a lost canister from the books
    Forget {
        /// Which
        #[arg(value_name = "ID")]
        canister: String,
        #[command(flatten)]
        given: Given,
    },
    /// Give back ready canisters above the maximum now
    DrainSurplus {
        #[command(flatten)]
        given: Given,
    },
    /// Stop voluntary actions
    Pause {
        /// One direction alone
        direction: Option<Way>,
    },
    /// End a pause
    Resume {
        /// One direction alone
        direction: Option<Way>,
    },
}

/// Growing or shrinking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    /// Creations and claims
    Up,
    /// Scale-in and giving back
    Down,
}

impl From<Way> for Direction {
    fn from(way: Way) -> Direction {
        match way {
            Way::Up => Direction::Up,
            Way::Down => Direction::Down,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct PoolListOptions {
    /// Only in this phase
    #[arg(long, value_parser = phase)]
    pub(crate) phase: Option<Phase>,
    /// Only of this role, now or last
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<String>,
    /// Only with a reason of this code
    #[arg(long, value_name = "CODE")]
    pub(crate) reason: Option<u16>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WorkersVerb {
    /// Workers of a pool that take new work, as callers see them
    List {
        /// Which pool [default: every one]
        pool: Option<String>,
    },
    /// What the next tick would do with a pool, and why
    Plan {
        /// Which pool [default: every one]
        pool: Option<String>,
    },
    /// One more worker, whatever the load
    Create {
        /// In which pool
        pool: String,
        /// Only say what would be done, or why it would be refused
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        given: Given,
    },
    /// Report a pool's signals in its parent's place
    Report {
        /// Which pool
        pool: String,
        /// A total, such as backlog=120
        #[arg(long, value_name = "SIGNAL=VALUE", value_parser = pair)]
        total: Vec<(String, u64)>,
        /// A member's value, such as ID:depth=7
        #[arg(long, value_name = "ID:SIGNAL=VALUE")]
        member: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum LeaseVerb {
    /// Take workers of a pool
    Take {
        /// Which pool
        pool: String,
        /// How many
        #[arg(default_value_t = 1)]
        count: u32,
        /// For how long [default: the pool's own time]
        #[arg(long, value_name = "TIME", value_parser = seconds)]
        ttl: Option<u64>,
        /// Name of the operation [default: a fresh one]
        #[arg(long, value_name = "NAME")]
        operation: Option<String>,
    },
    /// Keep leased workers for longer
    Renew {
        /// Of which pool
        pool: String,
        /// Which
        #[arg(required = true, value_name = "ID")]
        canisters: Vec<String>,
        /// For how long from now [default: the pool's own time]
        #[arg(long, value_name = "TIME", value_parser = seconds)]
        ttl: Option<u64>,
        /// Name of the operation [default: a fresh one]
        #[arg(long, value_name = "NAME")]
        operation: Option<String>,
    },
    /// Give leased workers back
    Release {
        /// Of which pool
        pool: String,
        /// Which
        #[arg(required = true, value_name = "ID")]
        canisters: Vec<String>,
        /// Name of the operation [default: a fresh one]
        #[arg(long, value_name = "NAME")]
        operation: Option<String>,
    },
    /// Leases there are
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModulesVerb {
    /// Modules that root holds, with the roles that use them
    List,
    /// Upload a module; an upload that was interrupted goes on where it was
    Stage {
        /// The file, wasm or gzipped wasm
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CanistersOptions {
    /// Only in this phase
    #[arg(long, value_parser = phase)]
    pub(crate) phase: Option<Phase>,
    /// Only with this role, now or last
    #[arg(long, value_name = "NAME")]
    pub(crate) role: Option<String>,
    /// Only of this pool, now or last
    #[arg(long, value_name = "NAME")]
    pub(crate) pool: Option<String>,
    /// Only children of this one
    #[arg(long, value_name = "ID")]
    pub(crate) parent: Option<String>,
    /// Only with this module, now or last
    #[arg(long, value_name = "SHA256")]
    pub(crate) module: Option<String>,
    /// All that is known of one
    #[arg(value_name = "ID")]
    pub(crate) canister: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct EventsOptions {
    /// Only behind this number
    #[arg(long, value_name = "N")]
    pub(crate) after: Option<u64>,
    /// The last so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) last: u64,
    /// Only of this canister, all that is kept
    #[arg(long, value_name = "ID")]
    pub(crate) canister: Option<String>,
    /// Only what is about this: fleet, warm-pool, workers, scaling, leases, upgrades, requests,
    /// cycles, recovery, operations
    #[arg(long, value_parser = topic)]
    pub(crate) topic: Option<Topic>,
    /// Only what matters so much, or more: info, warning, error
    #[arg(long, value_parser = level)]
    pub(crate) level: Option<Level>,
    /// Go on as they come, until Ctrl-C
    #[arg(short, long)]
    pub(crate) follow: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WhyOptions {
    /// A pool's name or a canister's id [default: every pool and the warm pool]
    pub(crate) what: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CyclesVerb {
    /// What is held, what was spent, how long it lasts
    Show {
        /// Also what is held in which phase, which takes reading every row
        #[arg(long)]
        by_phase: bool,
    },
    /// Give root cycles from the caller's balance in the cycles ledger
    TopUp {
        /// Such as 10T
        #[arg(value_parser = amount)]
        amount: u128,
    },
}

#[derive(Debug, Args)]
pub(crate) struct UpgradeOptions {
    /// Which role
    pub(crate) role: String,
    /// The new module
    pub(crate) module: PathBuf,
    /// Do not wait until every worker has it
    #[arg(long)]
    pub(crate) no_wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayOptions {
    /// Of which pool
    pub(crate) pool: String,
    /// Which [default: the newest]
    #[arg(value_name = "NUMBER")]
    pub(crate) decision: Option<u64>,
    /// Let root itself make the plan again, instead of root's module in an engine here
    #[arg(long, conflicts_with = "wasm_dir")]
    pub(crate) by_root: bool,
    #[command(flatten)]
    pub(crate) wasm: WasmOptions,
}

#[derive(Debug, Args)]
pub(crate) struct TopOptions {
    /// Write what was seen to an HTML page with a time slider
    #[arg(long, value_name = "FILE.HTML")]
    pub(crate) record: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportOptions {
    /// Where it goes [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RecoverOptions {
    /// What `hatchery export` wrote
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// Canisters by their ids alone
    #[arg(value_name = "ID")]
    pub(crate) canisters: Vec<String>,
    /// Look through ids, from this one on
    #[arg(long, value_name = "ID", requires = "ids")]
    pub(crate) first: Option<String>,
    /// So many of them
    #[arg(long, value_name = "N", requires = "first")]
    pub(crate) ids: Option<u64>,
    /// That was all: root does its work again
    #[arg(long)]
    pub(crate) done: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CallOptions {
    /// The method, as root.did has it
    pub(crate) method: String,
    /// Its argument in Candid's text form
    #[arg(default_value = "()")]
    pub(crate) argument: String,
}

/// An amount of cycles such as 500B, 5T or 1000000.
fn amount(text: &str) -> Result<u128, String> {
    let wrong = || "an amount is a number with B or T, such as 5T".to_owned();
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'T' | b't') => (&text[..text.len() - 1], 1_000_000_000_000),
        Some(b'B' | b'b') => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    let number: u128 = digits.trim().parse().map_err(|_| wrong())?;
    number.checked_mul(unit).ok_or_else(wrong)
}

/// The phase of that name.
fn phase(text: &str) -> Result<Phase, String> {
    named("phase", text, &Phase::ALL, Phase::name)
}

/// The topic of that name.
fn topic(text: &str) -> Result<Topic, String> {
    named("topic", text, &Topic::ALL, Topic::name)
}

/// The level of that name.
fn level(text: &str) -> Result<Level, String> {
    named("level", text, &Level::ALL, Level::name)
}

fn named<T: Copy>(
    what: &str,
    text: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<T, String> {
    let found = all.iter().copied().find(|it| name(*it) == text);
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|it| name(*it)).collect();
        format!("a {what} is one of {}", names.join(", "))
    })
}

/// A name and its value.
fn pair(text: &str) -> Result<(String, u64), String> {
    let wrong = || "a value is named, such as backlog=120".to_owned();
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    Ok((name.to_owned(), value.parse().map_err(|_| wrong())?))
}
