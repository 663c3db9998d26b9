//! The example worker: hashes documents many times over, reports its depth, leaves politely.
//!
//! Owns the endpoints of `worker.did` beside this crate and the timer that does the work.
//! The queue lives on the heap, so an upgrade is refused while there is work.

mod work;

use candid::CandidType;
use serde::Deserialize;
use serde_bytes::ByteBuf;
use std::cell::{Cell, RefCell};
use std::time::Duration;
use work::{Standing, Work};

/// Hashes done each second while there is work.
const HASHES_PER_SECOND: u32 = 1_000;
/// Seconds between two reports unless the init argument says otherwise.
const REPORT_EVERY_S: u64 = 120;
/// Longest time between two reports, in seconds.
const REPORT_EVERY_S_MAX: u64 = 3_600;
/// The signal this worker reports.
const SIGNAL: &str = "depth";

thread_local! {
    static WORK: RefCell<Work> = RefCell::default();
    static TIMER: Cell<Option<ic_cdk_timers::TimerId>> = const { Cell::new(None) };
}

#[derive(CandidType, Deserialize)]
struct InitArg {
    report_every_s: u64,
}

#[derive(CandidType, Deserialize)]
struct Job {
    id: String,
    document: ByteBuf,
    times: u32,
}

#[derive(CandidType, Deserialize)]
enum Submitted {
    #[serde(rename = "accepted")]
    Accepted,
    #[serde(rename = "draining")]
    Draining,
    #[serde(rename = "full")]
    Full,
    #[serde(rename = "duplicate")]
    Duplicate,
}

#[derive(CandidType, Deserialize)]
enum Progress {
    #[serde(rename = "unknown")]
    Unknown,
    #[serde(rename = "queued")]
    Queued,
    #[serde(rename = "done")]
    Done(ByteBuf),
}

#[ic_cdk::init]
fn init(arg: Option<InitArg>) {
    start(arg);
}

#[ic_cdk::post_upgrade]
fn post_upgrade(arg: Option<InitArg>) {
    start(arg);
}

fn start(arg: Option<InitArg>) {
    let seconds = arg.map_or(REPORT_EVERY_S, |arg| arg.report_every_s);
    let interval = Duration::from_secs(seconds.clamp(1, REPORT_EVERY_S_MAX));
    hatchery::worker::report_every(interval, SIGNAL, measure);
}

#[ic_cdk::pre_upgrade]
fn pre_upgrade() {
    assert!(is_idle(), "there is work: drain this worker first");
}

#[ic_cdk::update]
fn submit(job: Job) -> Submitted {
    check(&job);
    if hatchery::worker::is_draining() {
        return Submitted::Draining;
    }
    WORK.with_borrow_mut(|work| {
        if work.standing(&job.id) != Standing::Unknown {
            return Submitted::Duplicate;
        }
        if work.is_full() {
            return Submitted::Full;
        }
        work.push(job.id, job.document.into_vec(), job.times);
        keep_working();
        Submitted::Accepted
    })
}

/// Traps for a malformed job.
fn check(job: &Job) {
    let id_bytes = job.id.len();
    assert!(
        (1..=work::ID_BYTES_MAX).contains(&id_bytes),
        "id: 1 to 64 bytes"
    );
    assert!(
        job.document.len() <= work::DOCUMENT_BYTES_MAX,
        "document: at most 64 KiB"
    );
    assert!(
        (1..=work::TIMES_MAX).contains(&job.times),
        "times: 1 to 1_000_000"
    );
}

#[ic_cdk::query]
#[allow(
    clippy::needless_pass_by_value,
    reason = "ic-cdk hands arguments over by value"
)]
fn result(id: String) -> Progress {
    WORK.with_borrow(|work| match work.standing(&id) {
        Standing::Unknown => Progress::Unknown,
        Standing::Queued => Progress::Queued,
        Standing::Done(hash) => Progress::Done(ByteBuf::from(hash)),
    })
}

#[ic_cdk::update]
fn collect(ids: Vec<String>) -> Vec<(String, ByteBuf)> {
    let taken = WORK.with_borrow_mut(|work| work.collect(ids));
    taken
        .into_iter()
        .map(|(id, hash)| (id, ByteBuf::from(hash)))
        .collect()
}

#[ic_cdk::query]
fn depth() -> u64 {
    measure()
}

fn measure() -> u64 {
    WORK.with_borrow(Work::depth)
}

fn is_idle() -> bool {
    WORK.with_borrow(Work::is_empty)
}

/// Starts the working timer unless it runs.
fn keep_working() {
    if TIMER.get().is_none() {
        let second = Duration::from_secs(1);
        TIMER.set(Some(ic_cdk_timers::set_timer_interval(second, || async {
            work_a_second();
        })));
    }
}

fn work_a_second() {
    WORK.with_borrow_mut(|work| work.advance(HASHES_PER_SECOND));
    if measure() == 0
        && let Some(timer) = TIMER.take()
    {
        ic_cdk_timers::clear_timer(timer);
    }
}

hatchery::worker!(is_idle);
hatchery::candid_service!(include_str!("../worker.did"));
