//! A hub's side of the fleet: reports for the pools it owns, the list of their workers, and picking
//! one of them.
//!
//! Owns the list, which root's answers keep up to date by what changed, and which is on the heap: a
//! hub that forgets it in an upgrade gets the whole again. What the pool should be is root's alone;
//! what a job is, and how it gets to a worker, is the hub's own affair.
//!
//! ```no_run
//! # use hatchery_types::Principal;
//! # use std::time::Duration;
//! # let root = Principal::management_canister();
//! fn backlog() -> u64 { 0 } // jobs that wait
//!
//! hatchery::hub::join(root, "workers"); // in `init`, and the same after an upgrade
//! hatchery::hub::report_every(Duration::from_secs(10), "workers", "backlog", backlog);
//! // For each job:
//! let worker = hatchery::hub::workers("workers", hatchery::hub::Workers::in_turn);
//! ```

use crate::call::{self, Answer, Call, Wait};
use hatchery_api::{ListingView, PoolReport, WorkersPage, WorkersRequest};
use hatchery_types::wire::{self, Work};
use hatchery_types::{CanisterId, Generation, Nanos, Principal, Wire};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

/// A report that root does not answer in this time is given up; the next one says more.
const WAIT_S: u32 = 30;
/// A page of 200 workers has about 4 KiB.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Work allowed for reading it.
const WORK: Work = Work {
    steps: 10_000,
    steps_per_byte: 4,
};
/// Pools that one hub may own.
pub const POOLS_MAX: usize = 16;
/// Workers that a hub keeps a list of.
pub const WORKERS_MAX: usize = 20_000;

thread_local! {
    static POOLS: RefCell<Vec<Pool>> = const { RefCell::new(Vec::new()) };
}

struct Pool {
    root: Principal,
    name: String,
    workers: Workers,
}

/// The workers of a pool that take new work, as root last told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workers {
    generation: Generation,
    members: Vec<CanisterId>,
    turn: usize,
    told_at: Nanos,
    valid_for: Nanos,
}

impl Workers {
    /// The workers, by id.
    pub fn all(&self) -> &[CanisterId] {
        &self.members
    }

    /// The list's generation at root.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// Whether root told of it lately: a worker that leaves is told to, this long after it is off
    /// the list, so a job sent by a fresh list is taken.
    pub fn is_fresh(&self, now: Nanos) -> bool {
        self.told_at.0 > 0 && now.since(self.told_at) <= self.valid_for
    }

    /// The next worker in turn.
    pub fn in_turn(&mut self) -> Option<Principal> {
        let count = self.members.len();
        self.turn = self.turn.wrapping_add(1) % count.max(1);
        self.members.get(self.turn).map(|worker| worker.0)
    }

    /// Of two workers that the bits of `random` choose, the one with the lower load; of equal ones
    /// the first. Two looks keep the longest queue far shorter than one does.
    pub fn of_two(&self, random: u64, load: impl Fn(Principal) -> u64) -> Option<Principal> {
        let count = self.members.len() as u64;
        if count == 0 {
            return None;
        }
        let first = (random >> 32) % count;
        // Another one than the first, where there is one.
        let step = 1 + (random & 0xffff_ffff) % (count - 1).max(1);
        let [first, second] =
            [first, (first + step) % count].map(|index| self.members[index as usize].0);
        Some(if load(second) < load(first) {
            second
        } else {
            first
        })
    }

    /// Takes what root told at `now`; false: the list is too long for that answer.
    fn learn(&mut self, now: Nanos, told: &ListingView) -> bool {
        if told.too_long {
            return false;
        }
        let before = if told.whole { &[][..] } else { &self.members };
        let mut members: BTreeSet<CanisterId> = before.iter().copied().collect();
        for worker in &told.left {
            members.remove(worker);
        }
        members.extend(&told.joined);
        self.members = members.into_iter().take(WORKERS_MAX).collect();
        self.generation = told.generation;
        self.told_at = now;
        self.valid_for = told.valid_for;
        true
    }

    /// Takes a page of the list; the id to go on behind, if it goes on.
    fn learn_page(&mut self, now: Nanos, page: &WorkersPage) -> Option<CanisterId> {
        let of_another = page.generation != self.generation;
        if of_another {
            self.members.clear();
            self.generation = page.generation;
        }
        let known = self.members.last().copied();
        let new = page.workers.iter().map(|worker| worker.canister);
        self.members.extend(new.filter(|id| Some(*id) > known));
        self.told_at = now;
        self.valid_for = page.valid_for;
        let room = self.members.len() < WORKERS_MAX;
        page.next.filter(|_| room)
    }
}

/// Names a pool that this canister owns, and the root that keeps it; asks for its workers.
///
/// # Panics
/// With more than [`POOLS_MAX`] pools.
pub fn join(root: Principal, pool: &str) {
    POOLS.with_borrow_mut(|pools| {
        pools.retain(|known| known.name != pool);
        assert!(pools.len() < POOLS_MAX, "at most {POOLS_MAX} pools");
        pools.push(Pool {
            root,
            name: pool.to_owned(),
            workers: Workers::default(),
        });
    });
}

/// Looks at the workers of a pool; one that was not joined has none.
pub fn workers<R>(pool: &str, look: impl FnOnce(&mut Workers) -> R) -> R {
    POOLS.with_borrow_mut(
        |pools| match pools.iter_mut().find(|known| known.name == pool) {
            Some(known) => look(&mut known.workers),
            None => look(&mut Workers::default()),
        },
    )
}

/// Reports `measure()` as the pool's total `signal` now and then, and learns of its workers by the
/// answers.
pub fn report_every(
    interval: Duration,
    pool: &'static str,
    signal: &'static str,
    measure: fn() -> u64,
) {
    ic_cdk_timers::set_timer_interval(interval, move || async move {
        report(pool, &[(signal, measure())]);
    });
}

/// Reports totals of a pool now; a report that cannot be sent is dropped, since a newer one follows.
/// Without totals it only asks for what changed in the list of workers.
pub fn report(pool: &str, totals: &[(&str, u64)]) {
    let totals = totals
        .iter()
        .map(|(name, value)| ((*name).to_owned(), *value));
    let totals: Vec<(String, u64)> = totals.collect();
    POOLS.with_borrow(|pools| {
        let Some(place) = pools.iter().position(|known| known.name == pool) else {
            return;
        };
        let known = pools[place].workers.generation;
        let report = PoolReport {
            pool: pool.to_owned(),
            totals,
            members: Vec::new(),
            known,
        };
        send(&pools[place], "report_pool", &report, reported, place);
    });
}

fn send(pool: &Pool, method: &str, argument: &impl Wire, then: call::Callback, place: usize) {
    let argument = call::encode(argument);
    let call = Call {
        callee: pool.root,
        method,
        argument: &argument,
        cycles: 0,
        wait: Wait::Seconds(WAIT_S),
    };
    let _ = call.send(then, place as u32);
}

/// The part of an answer to a report that a hub acts on.
#[derive(Wire)]
struct Reported {
    listing: ListingView,
}

/// Why an answer is none.
#[derive(Wire)]
struct Refusal {
    detail: String,
}

extern "C" fn reported(place: usize) {
    let Some(told) = answer::<Reported>() else {
        return;
    };
    with_pool(place, |pool| {
        if !pool.workers.learn(now(), &told.listing) {
            ask_for_page(pool, None, place);
        }
    });
}

fn ask_for_page(pool: &Pool, after: Option<CanisterId>, place: usize) {
    let request = WorkersRequest {
        pool: pool.name.clone(),
        after,
        limit: 0,
    };
    send(pool, "workers", &request, paged, place);
}

extern "C" fn paged(place: usize) {
    let Some(page) = answer::<WorkersPage>() else {
        return;
    };
    with_pool(place, |pool| {
        if let Some(after) = pool.workers.learn_page(now(), &page) {
            ask_for_page(pool, Some(after), place);
        }
    });
}

/// Root's answer, if it is one.
fn answer<T: Wire>() -> Option<T> {
    let Answer::Reply(bytes) = call::answer(ANSWER_BYTES_MAX) else {
        return None;
    };
    let answered: Result<T, Refusal> = wire::decode(&bytes, WORK).ok()?;
    answered.ok()
}

fn with_pool(place: usize, act: impl FnOnce(&mut Pool)) {
    POOLS.with_borrow_mut(|pools| {
        if let Some(pool) = pools.get_mut(place) {
            act(pool);
        }
    });
}

fn now() -> Nanos {
    Nanos(ic0::time())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hatchery_api::WorkerView;

    fn worker(number: u8) -> CanisterId {
        CanisterId(Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, number, 1, 1]))
    }

    fn told(generation: u64, whole: bool, joined: &[u8], left: &[u8]) -> ListingView {
        let ids = |numbers: &[u8]| numbers.iter().map(|number| worker(*number)).collect();
        ListingView {
            generation: Generation(generation),
            whole,
            joined: ids(joined),
            left: ids(left),
            too_long: false,
            valid_for: Nanos::from_secs(30),
        }
    }

    fn knowing(numbers: &[u8]) -> Workers {
        let mut workers = Workers::default();
        assert!(workers.learn(Nanos(1), &told(1, true, numbers, &[])));
        workers
    }

    #[test]
    fn what_changed_is_taken_and_a_whole_list_forgets_what_was() {
        let mut workers = knowing(&[3, 1, 2]);
        workers.learn(Nanos(2), &told(4, false, &[7], &[2]));
        assert_eq!(workers.all(), [1, 3, 7].map(worker));
        assert_eq!(workers.generation(), Generation(4));
        workers.learn(Nanos(3), &told(9, true, &[5], &[]));
        assert_eq!(workers.all(), [worker(5)]);
        assert!(workers.is_fresh(Nanos(3)) && !workers.is_fresh(Nanos::from_secs(31)));
        assert!(!Workers::default().is_fresh(Nanos(0)));
    }

    #[test]
    fn a_long_list_comes_in_pages_and_another_generation_begins_anew() {
        let page = |generation, workers: &[u8], next: Option<u8>| WorkersPage {
            generation: Generation(generation),
            valid_for: Nanos(1),
            workers: workers
                .iter()
                .map(|number| WorkerView {
                    canister: worker(*number),
                    load: None,
                })
                .collect(),
            next: next.map(worker),
        };
        let mut workers = knowing(&[9]);
        let too_long = ListingView {
            too_long: true,
            ..told(5, true, &[], &[])
        };
        assert!(!workers.learn(Nanos(1), &too_long));
        assert_eq!(
            workers.learn_page(Nanos(1), &page(5, &[1, 2], Some(2))),
            Some(worker(2))
        );
        assert_eq!(workers.learn_page(Nanos(1), &page(5, &[3], None)), None);
        assert_eq!(workers.all(), [1, 2, 3].map(worker));
        workers.learn_page(Nanos(1), &page(6, &[4], None));
        assert_eq!(workers.all(), [worker(4)]);
    }

    #[test]
    fn turns_go_round() {
        let mut workers = knowing(&[1, 2, 3]);
        let turns: BTreeSet<_> = (0..3).map(|_| workers.in_turn()).collect();
        assert_eq!(turns.len(), 3);
        assert_eq!(Workers::default().in_turn(), None);
    }

    #[test]
    fn of_two_the_lighter_is_picked_and_they_are_two() {
        let workers = knowing(&[1, 2, 3, 4]);
        let load = |id: Principal| u64::from(id.as_slice()[7]);
        let mut picked = BTreeSet::new();
        for seed in 0..200_u64 {
            let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            picked.insert(workers.of_two(random, load).expect("there are some"));
        }
        assert!(
            !picked.contains(&worker(4).0),
            "the heaviest is never the lighter of two"
        );
        assert_eq!(picked.len(), 3);
        assert_eq!(knowing(&[6]).of_two(7, load), Some(worker(6).0));
        assert_eq!(Workers::default().of_two(7, load), None);
    }
}
