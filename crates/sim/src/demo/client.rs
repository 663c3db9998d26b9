//! The user of the fleet: finds workers by discovery, gives them jobs, collects and checks results,
//! and tries elsewhere when refused. It knows root's public queries and `worker.did`, nothing else.

use super::wave::Job;
use crate::dice::Dice;
use crate::world::FleetWorld;
use candid::{CandidType, Principal};
use hatchery_engine::{IngressStatus, MessageId};
use serde::Deserialize;
use serde_bytes::ByteBuf;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Seconds between two collections from one worker.
const COLLECT_EVERY: u64 = 2;
/// Seconds after which a job that brought nothing is asked about.
const ASK_AFTER: u64 = 20;
/// Jobs given in one second at most: what is left waits.
const SUBMIT_MAX: usize = 100;

#[derive(Debug, CandidType)]
struct JobArg {
    id: String,
    document: ByteBuf,
    times: u32,
}

#[derive(Debug, CandidType, Deserialize)]
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

#[derive(Debug, CandidType, Deserialize)]
enum Progress {
    #[serde(rename = "unknown")]
    Unknown,
    #[serde(rename = "queued")]
    Queued,
    #[serde(rename = "done")]
    Done(ByteBuf),
}

/// What became of the jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Came.
    pub submitted: u64,
    /// Collected, right.
    pub done: u64,
    /// Collected, wrong.
    pub wrong: u64,
    /// Times a job was tried elsewhere.
    pub retried: u64,
}

/// A user with jobs.
#[derive(Debug)]
pub struct Client {
    me: Principal,
    pool: String,
    dice: Dice,
    /// Every job not yet done.
    jobs: BTreeMap<u64, Job>,
    /// Jobs that no worker has.
    waiting: VecDeque<u64>,
    submitting: Vec<(MessageId, u64, Principal)>,
    /// Jobs by the worker that accepted them, each with the second of its acceptance.
    held: BTreeMap<Principal, BTreeMap<u64, u64>>,
    collecting: BTreeMap<Principal, MessageId>,
    /// Workers of the last discovery, with the load as far as we know.
    workers: Vec<(Principal, u64)>,
    workers_until_ns: u64,
    second: u64,
    tally: Tally,
}

impl Client {
    /// A user of that pool, who is `me`.
    pub fn new(seed: u64, pool: &str, me: Principal) -> Self {
        Client {
            me,
            pool: pool.to_owned(),
            dice: Dice::new(seed, 11),
            jobs: BTreeMap::new(),
            waiting: VecDeque::new(),
            submitting: Vec::new(),
            held: BTreeMap::new(),
            collecting: BTreeMap::new(),
            workers: Vec::new(),
            workers_until_ns: 0,
            second: 0,
            tally: Tally::default(),
        }
    }

    /// What became of the jobs so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Every job came back.
    pub fn is_idle(&self) -> bool {
        self.jobs.is_empty()
    }

    /// One second's calls: new jobs and those refused before, collections, questions.
    pub fn act(&mut self, second: u64, jobs: Vec<Job>, world: &mut FleetWorld) {
        self.second = second;
        for job in jobs {
            self.tally.submitted += 1;
            self.waiting.push_back(job.id);
            self.jobs.insert(job.id, job);
        }
        self.discover(world);
        for _ in 0..SUBMIT_MAX.min(self.waiting.len()) {
            let Some(worker) = self.pick_worker() else {
                break;
            };
            let Some(job) = self.waiting.pop_front() else {
                break;
            };
            self.submit(job, worker, world);
        }
        self.collect(world);
    }

    /// Asks root for workers when the last answer may not be used any more.
    fn discover(&mut self, world: &mut FleetWorld) {
        let now = world.engine.now_ns();
        if now < self.workers_until_ns {
            return;
        }
        self.workers.clear();
        // Root may be in the middle of its upgrade: then there is no worker this second.
        let Ok(page) = world.workers(&self.pool) else {
            return;
        };
        let known = page.workers.into_iter();
        self.workers = known
            .map(|worker| (worker.canister.0, worker.load.unwrap_or(0)))
            .collect();
        self.workers_until_ns = now + page.valid_for.0;
    }

    /// The less loaded of two random workers.
    fn pick_worker(&mut self) -> Option<Principal> {
        let count = self.workers.len() as u64;
        let first = self.dice.below(count) as usize;
        let second = self.dice.below(count) as usize;
        let load = |index: usize| self.workers.get(index).map(|(_, load)| *load);
        let index = if load(second) < load(first) {
            second
        } else {
            first
        };
        let (worker, load) = self.workers.get_mut(index)?;
        *load += 1;
        Some(*worker)
    }

    fn submit(&mut self, id: u64, worker: Principal, world: &mut FleetWorld) {
        let job = &self.jobs[&id];
        let document = ByteBuf::from(job.document.clone());
        let arg = encode(&JobArg {
            id: job.name(),
            document,
            times: job.times,
        });
        match world.submit(self.me, worker, "submit", arg) {
            Ok(message) => self.submitting.push((message, id, worker)),
            Err(_) => self.retry(id, worker),
        }
    }

    /// The worker did not take the job: elsewhere, after asking root again.
    fn retry(&mut self, job: u64, worker: Principal) {
        self.tally.retried += 1;
        self.waiting.push_back(job);
        self.workers.retain(|(other, _)| *other != worker);
        self.workers_until_ns = 0;
    }

    /// Hands back what is done, from every worker that has jobs of ours.
    fn collect(&mut self, world: &mut FleetWorld) {
        let workers: Vec<Principal> = self.held.keys().copied().collect();
        for (index, worker) in workers.into_iter().enumerate() {
            let turn = (self.second + index as u64).is_multiple_of(COLLECT_EVERY);
            if !turn || self.collecting.contains_key(&worker) {
                continue;
            }
            self.ask_about_old(worker, world);
            let names: Vec<String> = self
                .held
                .get(&worker)
                .into_iter()
                .flatten()
                .map(|(id, _)| self.jobs[id].name())
                .collect();
            if names.is_empty() {
                self.held.remove(&worker);
                continue;
            }
            match world.submit(self.me, worker, "collect", encode(&names)) {
                Ok(message) => drop(self.collecting.insert(worker, message)),
                Err(_) => self.give_up_if_gone(worker, world),
            }
        }
    }

    /// A worker may have been emptied under our jobs: it does not know them any more.
    fn ask_about_old(&mut self, worker: Principal, world: &mut FleetWorld) {
        let held = self.held.get(&worker).into_iter().flatten();
        let old: Vec<u64> = held
            .filter(|(_, since)| *since + ASK_AFTER <= self.second)
            .map(|(id, _)| *id)
            .collect();
        for id in old {
            let name = self.jobs[&id].name();
            let answer = world.ask(self.me, worker, "result", encode(&name));
            let progress = answer
                .ok()
                .and_then(|bytes| candid::decode_one(&bytes).ok());
            if matches!(progress, Some(Progress::Unknown)) {
                self.take_back(worker, id);
            }
        }
    }

    fn take_back(&mut self, worker: Principal, id: u64) {
        if let Some(held) = self.held.get_mut(&worker) {
            held.remove(&id);
        }
        self.retry(id, worker);
    }

    /// A worker that cannot even be queried has lost our jobs: elsewhere with them.
    fn give_up_if_gone(&mut self, worker: Principal, world: &mut FleetWorld) {
        if world
            .ask(self.me, worker, "depth", encode_nothing())
            .is_ok()
        {
            return;
        }
        for (id, _) in self.held.remove(&worker).unwrap_or_default() {
            self.retry(id, worker);
        }
    }

    /// Reads the answers that have arrived.
    pub fn hear(&mut self, world: &mut FleetWorld) {
        for (message, id, worker) in std::mem::take(&mut self.submitting) {
            match outcome(world, message) {
                None => self.submitting.push((message, id, worker)),
                Some(answer) => self.hear_submitted(id, worker, answer),
            }
        }
        for (worker, message) in std::mem::take(&mut self.collecting) {
            match outcome(world, message) {
                None => drop(self.collecting.insert(worker, message)),
                Some(Ok(bytes)) => self.hear_collected(worker, &bytes),
                Some(Err(())) => self.give_up_if_gone(worker, world),
            }
        }
    }

    fn hear_submitted(&mut self, id: u64, worker: Principal, answer: Result<Vec<u8>, ()>) {
        let answer = answer
            .ok()
            .and_then(|bytes| candid::decode_one(&bytes).ok());
        match answer {
            Some(Submitted::Accepted | Submitted::Duplicate) => {
                self.held.entry(worker).or_default().insert(id, self.second);
            }
            Some(Submitted::Draining | Submitted::Full) | None => self.retry(id, worker),
        }
    }

    fn hear_collected(&mut self, worker: Principal, bytes: &[u8]) {
        let results: Vec<(String, ByteBuf)> = candid::decode_one(bytes).unwrap_or_default();
        let by_name: BTreeMap<String, u64> = self
            .held
            .get(&worker)
            .into_iter()
            .flatten()
            .map(|(id, _)| (self.jobs[id].name(), *id))
            .collect();
        for (name, hash) in results {
            // A result nobody asked for is a wrong one.
            let Some(job) = by_name.get(&name).and_then(|id| self.jobs.remove(id)) else {
                self.tally.wrong += 1;
                continue;
            };
            if let Some(held) = self.held.get_mut(&worker) {
                held.remove(&job.id);
            }
            if job.expected() == hash.as_ref() {
                self.tally.done += 1;
            } else {
                self.tally.wrong += 1;
            }
        }
    }

    /// Workers that have jobs of ours.
    pub fn holders(&self) -> BTreeSet<Principal> {
        self.held.keys().copied().collect()
    }
}

/// The end of a message, if it has one.
fn outcome(world: &mut FleetWorld, message: MessageId) -> Option<Result<Vec<u8>, ()>> {
    match world.message_status(&message) {
        IngressStatus::Replied(bytes) => Some(Ok(bytes)),
        IngressStatus::Rejected(_) | IngressStatus::Unknown => Some(Err(())),
        _ => None,
    }
}

fn encode<T: CandidType>(value: &T) -> Vec<u8> {
    candid::encode_one(value).expect("bug: our own types encode")
}

fn encode_nothing() -> Vec<u8> {
    candid::encode_args(()).expect("bug: nothing encodes")
}
