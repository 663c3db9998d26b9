//! The example hub: takes jobs and spreads them over the workers of its pool, two random choices
//! for each; reports the jobs under way, so that root scales the pool.
//!
//! Owns the endpoints of `hub.did`. The jobs are those of the example worker, and so are their
//! results: who submitted one collects it from the worker it was given to.

use candid::{CandidType, Principal};
use hatchery::hub::{self, Workers};
use ic_cdk::call::Call;
use serde::Deserialize;
use serde_bytes::ByteBuf;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

/// The pool it owns, and the total it reports of it.
const POOL: &str = "workers";
const SIGNAL: &str = "jobs";
/// Between two reports.
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// Workers that are tried for one job.
const TRIES: usize = 3;
/// What a worker may take to answer, in seconds.
const WAIT_S: u32 = 30;

thread_local! {
    /// Jobs given to each worker.
    static GIVEN: RefCell<BTreeMap<Principal, u64>> = const { RefCell::new(BTreeMap::new()) };
    /// Jobs given since the last report.
    static RECENT: Cell<u64> = const { Cell::new(0) };
}

#[derive(Clone, Copy, CandidType, Deserialize)]
struct InitArg {
    root: Principal,
}

#[derive(CandidType, Deserialize)]
struct Job {
    id: String,
    document: ByteBuf,
    times: u32,
}

#[derive(CandidType, Deserialize)]
enum Submitted {
    #[serde(rename = "given")]
    Given(Principal),
    #[serde(rename = "busy")]
    Busy,
}

/// What a worker says to a job.
#[derive(CandidType, Deserialize)]
enum Taken {
    #[serde(rename = "accepted")]
    Accepted,
    #[serde(rename = "draining")]
    Draining,
    #[serde(rename = "full")]
    Full,
    #[serde(rename = "duplicate")]
    Duplicate,
}

#[ic_cdk::init]
fn init(arg: InitArg) {
    start(arg);
}

#[ic_cdk::post_upgrade]
fn post_upgrade(arg: InitArg) {
    start(arg);
}

fn start(arg: InitArg) {
    hub::join(arg.root, POOL);
    hub::report_every(REPORT_EVERY, POOL, SIGNAL, || RECENT.replace(0));
}

#[ic_cdk::update]
async fn submit(job: Job) -> Submitted {
    for attempt in 0..TRIES {
        let Some(worker) = pick(attempt) else {
            break;
        };
        let call = Call::bounded_wait(worker, "submit").change_timeout(WAIT_S);
        let answer = call.with_arg(&job).await;
        let taken = answer.ok().and_then(|answer| answer.candid::<Taken>().ok());
        if matches!(taken, Some(Taken::Accepted | Taken::Duplicate)) {
            RECENT.set(RECENT.get() + 1);
            GIVEN.with_borrow_mut(|given| *given.entry(worker).or_default() += 1);
            return Submitted::Given(worker);
        }
    }
    Submitted::Busy
}

/// Of two random workers the one that got fewer jobs; after a refusal, the next in turn.
fn pick(attempt: usize) -> Option<Principal> {
    if attempt > 0 {
        return hub::workers(POOL, Workers::in_turn);
    }
    let counted = GIVEN.with_borrow(|given| given.values().sum::<u64>());
    let random = (ic_cdk::api::time() ^ counted).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let load = |worker| GIVEN.with_borrow(|given| given.get(&worker).copied().unwrap_or(0));
    hub::workers(POOL, |workers| workers.of_two(random, load))
}

#[ic_cdk::query]
fn workers() -> Vec<(Principal, u64)> {
    let given = |worker| GIVEN.with_borrow(|given| given.get(&worker).copied().unwrap_or(0));
    hub::workers(POOL, |workers| {
        let all = workers.all().iter();
        all.map(|worker| (worker.0, given(worker.0))).collect()
    })
}

hatchery::candid_service!(include_str!("../hub.did"));
