//! Workers and the jobs they serve: queues, start-up, drains, and the word they send of their load.
//!
//! The platform's part, the same under every policy; how many workers there should be is not its
//! business. A job in a worker's queue stays there: a draining worker finishes what it has.

use super::load::{Client, Job, SECOND};
use super::tally::Tally;
use super::trace::Trace;
use crate::dice::Dice;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Installs at once, the default of a fleet's install lane.
pub(super) const LANES: u32 = 4;
/// A cordoned worker stays at least as long as a discovery answer may be used (the default).
pub(super) const VALID_FOR: u64 = 30 * SECOND;
/// A job that waited longer is late.
const LATE: u64 = 10 * SECOND;

/// Where a worker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its module is being installed, or it starts.
    Starting,
    /// It could take jobs, and is not wanted to.
    Standby,
    /// It takes jobs.
    InService,
    /// It finishes.
    Draining,
    /// It is no more.
    Gone,
}

/// One worker.
#[derive(Debug, Clone)]
pub(super) struct Worker {
    pub(super) stage: Stage,
    /// Since when it stands there.
    pub(super) since: u64,
    /// When it was claimed.
    claimed_at: u64,
    /// When it first took jobs.
    pub(super) in_service_at: u64,
    running: u32,
    queue: VecDeque<Job>,
    /// Its last word of its load that arrived.
    pub(super) sample: Option<u64>,
    /// When it arrived.
    pub(super) sample_at: u64,
}

impl Worker {
    fn load(&self) -> u64 {
        u64::from(self.running) + self.queue.len() as u64
    }
}

/// Something that happens at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// A slot is free again.
    Done { worker: usize, client: Option<u32> },
    /// An install is over, its lane free.
    Installed { worker: usize },
    /// It takes jobs from now on.
    Started { worker: usize },
    /// It looks at its own load.
    Report { worker: usize },
    /// Its word arrives.
    Heard { worker: usize, value: u64 },
    /// A cordoned worker may go as soon as it is idle.
    Released { worker: usize },
    /// A client sends its next job.
    Ask { client: u32 },
}

/// What a policy must hear of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct News {
    /// A sample arrived.
    pub(super) heard: bool,
    /// A worker changed its stage.
    pub(super) moved: bool,
}

/// All workers of one run.
pub(super) struct Fleet<'a> {
    trace: &'a Trace,
    end: u64,
    pub(super) now: u64,
    workers: Vec<Worker>,
    /// Numbers of workers that are not gone.
    present: Vec<usize>,
    serving: Vec<usize>,
    lanes_busy: u32,
    agenda: BinaryHeap<Reverse<(u64, u64, What)>>,
    written: u64,
    /// Jobs that found nobody in service.
    stranded: VecDeque<Job>,
    clients: Vec<Client>,
    /// Clients with a number below this ask.
    clients_wanted: u32,
    /// Clients that have a job or think of one.
    clients_awake: Vec<bool>,
    dice: Dice,
    pub(super) news: News,
    /// A worker that has started takes jobs while fewer than this do.
    pub(super) wanted: u32,
    pub(super) tally: Tally,
}

impl<'a> Fleet<'a> {
    /// A fleet with the trace's initial workers in service.
    pub(super) fn new(trace: &'a Trace, seed: u64) -> Self {
        let mut fleet = Fleet {
            trace,
            end: trace.duration_s * SECOND,
            now: 0,
            workers: Vec::new(),
            present: Vec::new(),
            serving: Vec::new(),
            lanes_busy: 0,
            agenda: BinaryHeap::new(),
            written: 0,
            stranded: VecDeque::new(),
            clients: Vec::new(),
            clients_wanted: 0,
            clients_awake: Vec::new(),
            dice: Dice::new(seed, 10),
            news: News::default(),
            wanted: u32::MAX,
            tally: Tally::default(),
        };
        if trace.load.clients.is_some() {
            let most = trace.load.points.iter().map(|(_, count)| *count as u32);
            let most = most.max().unwrap_or(0);
            fleet.clients = (0..most)
                .map(|number| Client::new(trace, seed, number))
                .collect();
            fleet.clients_awake = vec![false; most as usize];
        }
        for _ in 0..trace.pool.initial {
            let worker = fleet.add();
            fleet.serve(worker);
        }
        fleet
    }

    fn write(&mut self, at: u64, what: What) {
        self.written += 1;
        self.agenda.push(Reverse((at, self.written, what)));
    }

    /// When something happens next.
    pub(super) fn next(&self) -> Option<u64> {
        self.agenda.peek().map(|Reverse((at, ..))| *at)
    }

    /// What happens next, happens.
    pub(super) fn step(&mut self) {
        let Some(Reverse((at, _, what))) = self.agenda.pop() else {
            return;
        };
        self.now = at;
        match what {
            What::Done { worker, client } => self.done(worker, client),
            What::Installed { worker } => {
                self.lanes_busy -= 1;
                self.news.moved = true;
                let started = at + self.trace.worker.start_up_s * SECOND;
                self.write(started, What::Started { worker });
            }
            What::Started { worker } => {
                if self.workers[worker].stage == Stage::Starting {
                    self.land(worker);
                }
            }
            What::Report { worker } => self.report(worker),
            What::Heard { worker, value } => {
                self.news.heard = true;
                self.workers[worker].sample = Some(value);
                self.workers[worker].sample_at = at;
            }
            What::Released { worker } => self.let_go(worker),
            What::Ask { client } => self.ask(client),
        }
    }

    /// A job goes to the less loaded of two workers taken at random, as a hub of ours does it.
    pub(super) fn arrive(&mut self, job: Job) {
        self.tally.arrived += 1;
        self.hand_over(job);
    }

    fn hand_over(&mut self, job: Job) {
        let [one, other] = [0; 2].map(|_| self.dice.pick(&self.serving).copied());
        let (Some(one), Some(other)) = (one, other) else {
            self.stranded.push_back(job);
            return;
        };
        let lighter = if self.workers[other].load() < self.workers[one].load() {
            other
        } else {
            one
        };
        if self.workers[lighter].running < self.trace.worker.slots {
            self.begin(lighter, job);
        } else {
            self.workers[lighter].queue.push_back(job);
        }
    }

    fn begin(&mut self, worker: usize, job: Job) {
        self.tally.late += u64::from(self.now - job.at > LATE);
        self.workers[worker].running += 1;
        let client = job.client;
        self.write(self.now + job.service, What::Done { worker, client });
    }

    fn done(&mut self, worker: usize, client: Option<u32>) {
        self.tally.served += 1;
        self.workers[worker].running -= 1;
        if let Some(job) = self.workers[worker].queue.pop_front() {
            self.begin(worker, job);
        }
        self.let_go(worker);
        if let Some(client) = client {
            self.think(client);
        }
    }

    /// As many clients ask from now on.
    pub(super) fn want_clients(&mut self, count: f64) {
        self.clients_wanted = (count as u32).min(self.clients.len() as u32);
        for client in 0..self.clients_wanted {
            if !self.clients_awake[client as usize] {
                self.think(client);
            }
        }
    }

    fn think(&mut self, client: u32) {
        let awake = client < self.clients_wanted && self.now < self.end;
        self.clients_awake[client as usize] = awake;
        if awake {
            let pause = self.clients[client as usize].pause();
            self.write(self.now + pause, What::Ask { client });
        }
    }

    fn ask(&mut self, client: u32) {
        if self.now >= self.end {
            return;
        }
        let job = Job {
            at: self.now,
            service: self.clients[client as usize].service(),
            client: Some(client),
        };
        self.arrive(job);
    }

    fn add(&mut self) -> usize {
        let worker = self.workers.len();
        self.workers.push(Worker {
            stage: Stage::Starting,
            since: self.now,
            claimed_at: self.now,
            in_service_at: self.now,
            running: 0,
            queue: VecDeque::new(),
            sample: None,
            sample_at: 0,
        });
        self.present.push(worker);
        worker
    }

    fn land(&mut self, worker: usize) {
        if self.serving.len() < self.wanted as usize {
            self.serve(worker);
        } else {
            self.set_stage(worker, Stage::Standby);
        }
    }

    fn serve(&mut self, worker: usize) {
        self.set_stage(worker, Stage::InService);
        self.workers[worker].in_service_at = self.now;
        self.serving.push(worker);
        // Members do not report in step.
        let phase = self.dice.below(self.trace.signal.report_s * SECOND);
        self.write(self.now + phase, What::Report { worker });
        while let Some(job) = self.stranded.pop_front() {
            self.hand_over(job);
        }
    }

    fn report(&mut self, worker: usize) {
        let signal = self.trace.signal;
        if self.workers[worker].stage == Stage::Gone || self.now >= self.end {
            return;
        }
        let value = self.workers[worker].load();
        let heard = self.now + signal.delay_s * SECOND;
        self.write(heard, What::Heard { worker, value });
        let next = self.now + signal.report_s * SECOND;
        self.write(next, What::Report { worker });
    }

    fn set_stage(&mut self, worker: usize, stage: Stage) {
        self.workers[worker].stage = stage;
        self.workers[worker].since = self.now;
        self.news.moved = true;
    }

    /// A draining worker goes when callers know and it has finished.
    fn let_go(&mut self, number: usize) {
        let worker = &self.workers[number];
        let told = self.now.saturating_sub(worker.since) >= VALID_FOR;
        if worker.stage == Stage::Draining && told && worker.load() == 0 {
            self.remove(number);
        }
    }

    fn remove(&mut self, worker: usize) {
        self.set_stage(worker, Stage::Gone);
        self.present.retain(|other| *other != worker);
        self.tally.worker_ns += self.now.min(self.end) - self.workers[worker].claimed_at;
    }

    /// Lanes in which an install may start.
    pub(super) fn lanes_free(&self) -> u32 {
        LANES - self.lanes_busy
    }

    /// A new worker is claimed and its install starts.
    pub(super) fn install(&mut self) -> usize {
        self.lanes_busy += 1;
        let worker = self.add();
        let installed = self.now + self.trace.worker.install_s * SECOND;
        self.write(installed, What::Installed { worker });
        self.news.moved = true;
        worker
    }

    /// A worker takes no more jobs and finishes; one that has never had any goes at once.
    pub(super) fn cordon(&mut self, worker: usize) {
        if self.workers[worker].stage != Stage::InService {
            self.remove(worker);
            return;
        }
        self.set_stage(worker, Stage::Draining);
        self.serving.retain(|other| *other != worker);
        self.write(self.now + VALID_FOR, What::Released { worker });
    }

    /// A worker on standby takes jobs.
    pub(super) fn promote(&mut self, worker: usize) {
        self.serve(worker);
    }

    /// A draining worker takes jobs again.
    pub(super) fn uncordon(&mut self, worker: usize) {
        self.set_stage(worker, Stage::InService);
        self.serving.push(worker);
    }

    /// Workers that are not gone, by number.
    pub(super) fn present(&self) -> impl Iterator<Item = (usize, &Worker)> {
        self.present
            .iter()
            .map(|number| (*number, &self.workers[*number]))
    }

    /// How many stand there.
    pub(super) fn count(&self, stage: Stage) -> u32 {
        let standing = self.present().filter(|(_, worker)| worker.stage == stage);
        standing.count() as u32
    }

    /// Measured time is over: what every worker that is still there has cost.
    pub(super) fn close_the_books(&mut self) {
        let end = self.end;
        let open = self.present.iter().map(|number| {
            let claimed_at = self.workers[*number].claimed_at;
            end.saturating_sub(claimed_at)
        });
        self.tally.worker_ns += open.sum::<u64>();
        self.present.clear();
    }

    /// Jobs that nobody has served yet.
    pub(super) fn unserved(&self) -> u64 {
        self.tally.arrived - self.tally.served
    }
}
