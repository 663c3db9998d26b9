//! One run: the jobs of a trace, a policy, and the clock between them.

use super::fleet::{Fleet, Stage};
use super::load::{self, Job, SECOND};
use super::policy::ours::{self, Ours};
use super::policy::{Policy, Scaler, Sight, scaler};
use super::tally::Tally;
use super::trace::Trace;
use crate::dice::Dice;
use hatchery_types::PoolSpec;

/// A sample older than this is missing, for every policy: the default of `stale_after`.
const STALE_AFTER: u64 = 180 * SECOND;

/// The state of one second, for pictures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moment {
    /// Workers that take jobs.
    pub serving: u32,
    /// Workers that start.
    pub starting: u32,
    /// Workers that finish.
    pub draining: u32,
    /// Jobs not yet served.
    pub unserved: u64,
}

/// The jobs of one trace and seed, the same for every policy.
pub(super) struct Workload<'a> {
    trace: &'a Trace,
    seed: u64,
    rates: Vec<f64>,
    jobs: Vec<Job>,
    /// Workers that the load needs at least, in each second.
    needed: Vec<u32>,
    /// Jobs at once in each second to come.
    future: Vec<f64>,
}

impl<'a> Workload<'a> {
    pub(super) fn new(trace: &'a Trace, seed: u64) -> Self {
        let rates = load::rates(trace, seed);
        let jobs = load::jobs(trace, seed, &rates);
        let offered = load::offered(trace, &rates);
        let slots = f64::from(trace.worker.slots);
        let needed = offered.iter().map(|load| (load / slots).ceil() as u32);
        let needed = needed.map(|count| count.min(trace.pool.max)).collect();
        let future = match trace.load.clients {
            Some(_) => rates.clone(),
            None => jobs_at_once(&jobs, rates.len()),
        };
        Workload {
            trace,
            seed,
            rates,
            jobs,
            needed,
            future,
        }
    }

    /// Workers that the load needs at least, in each second.
    pub(super) fn needed(&self) -> &[u32] {
        &self.needed
    }

    /// Runs it under a policy; `watch` is told the state of every second.
    pub(super) fn run(&self, policy: Policy, watch: &mut dyn FnMut(Moment)) -> Tally {
        match scaler(policy, self.trace, &self.future) {
            Some(scaler) => {
                let phase = Dice::new(self.seed, 20).below(scaler.period_s() * SECOND);
                let next = phase;
                self.drive(
                    Pilot::Loop {
                        scaler,
                        next,
                        owed: 0,
                    },
                    watch,
                )
            }
            None => self.run_spec(ours::spec(self.trace), watch),
        }
    }

    /// Runs it under our policy with a spec of its own.
    pub(super) fn run_spec(&self, spec: PoolSpec, watch: &mut dyn FnMut(Moment)) -> Tally {
        self.drive(Pilot::Ours(Box::new(Ours::new(spec))), watch)
    }

    fn drive(&self, mut pilot: Pilot, watch: &mut dyn FnMut(Moment)) -> Tally {
        let end = self.trace.duration_s * SECOND;
        let mut fleet = Fleet::new(self.trace, self.seed);
        let mut arrivals = self.jobs.iter();
        let mut arrival = arrivals.next();
        let mut second = 0;
        loop {
            let times = [
                arrival.map_or(u64::MAX, |job| job.at),
                fleet.next().unwrap_or(u64::MAX),
                pilot.wake(),
                second * SECOND,
            ];
            let now = times.into_iter().min().unwrap_or(u64::MAX);
            if now >= end {
                break;
            }
            fleet.now = now;
            if now == times[3] {
                self.look(&mut fleet, second as usize, watch);
                second += 1;
            } else if now == times[0] {
                if let Some(job) = std::mem::replace(&mut arrival, arrivals.next()) {
                    fleet.arrive(*job);
                }
            } else if now == times[1] {
                fleet.step();
                pilot.hear(&mut fleet);
            } else {
                pilot.act(&mut fleet, self.trace);
            }
        }
        fleet.close_the_books();
        // What arrived in time is served to the end; nobody is measured or moved any more.
        while fleet.unserved() > 0 && fleet.next().is_some() {
            fleet.step();
        }
        fleet.tally
    }

    fn look(&self, fleet: &mut Fleet<'_>, second: usize, watch: &mut dyn FnMut(Moment)) {
        if self.trace.load.clients.is_some() {
            fleet.want_clients(self.rates[second]);
        }
        let serving = fleet.count(Stage::InService);
        fleet.tally.look(serving, self.needed[second]);
        watch(Moment {
            serving,
            starting: fleet.count(Stage::Starting),
            draining: fleet.count(Stage::Draining),
            unserved: fleet.unserved(),
        });
    }
}

/// Most jobs that would be in service at once in each second if every job found a slot.
fn jobs_at_once(jobs: &[Job], seconds: usize) -> Vec<f64> {
    let mut change = vec![0i64; seconds + 1];
    for job in jobs {
        let from = (job.at / SECOND) as usize;
        let until = ((job.at + job.service) / SECOND + 1) as usize;
        change[from.min(seconds)] += 1;
        change[until.min(seconds)] -= 1;
    }
    let mut at_once = 0;
    change[..seconds]
        .iter()
        .map(|change| {
            at_once += change;
            at_once as f64
        })
        .collect()
}

/// Who says how many workers there should be.
enum Pilot {
    /// The core's plan.
    Ours(Box<Ours>),
    /// A loop.
    Loop {
        scaler: Box<dyn Scaler>,
        next: u64,
        /// Workers wanted that wait for a lane.
        owed: u32,
    },
}

impl Pilot {
    fn wake(&self) -> u64 {
        match self {
            Pilot::Ours(ours) => ours.wake(),
            Pilot::Loop { next, .. } => *next,
        }
    }

    fn hear(&mut self, fleet: &mut Fleet<'_>) {
        match self {
            Pilot::Ours(ours) => ours.hear(fleet),
            Pilot::Loop { owed, .. } => start_owed(fleet, owed),
        }
    }

    fn act(&mut self, fleet: &mut Fleet<'_>, trace: &Trace) {
        match self {
            Pilot::Ours(ours) => ours.act(fleet),
            Pilot::Loop { scaler, next, owed } => {
                let living = fleet.count(Stage::InService) + fleet.count(Stage::Starting);
                let sight = sight(fleet, trace, living + *owed);
                let wanted = scaler.desired(&sight).clamp(trace.pool.min, trace.pool.max);
                *next += scaler.period_s() * SECOND;
                if wanted != sight.current {
                    fleet.tally.moved(fleet.now, wanted > sight.current);
                }
                *owed = wanted.saturating_sub(living);
                start_owed(fleet, owed);
                drop_surplus(fleet, living.saturating_sub(wanted));
            }
        }
    }
}

/// Installs start as lanes become free.
fn start_owed(fleet: &mut Fleet<'_>, owed: &mut u32) {
    while *owed > 0 && fleet.lanes_free() > 0 {
        fleet.install();
        *owed -= 1;
    }
}

/// Those that still start go first, then the youngest.
fn drop_surplus(fleet: &mut Fleet<'_>, surplus: u32) {
    let mut living: Vec<(bool, u64, usize)> = fleet
        .present()
        .filter(|(_, worker)| worker.stage != Stage::Draining)
        .map(|(number, worker)| {
            let serves = worker.stage == Stage::InService;
            (serves, u64::MAX - worker.in_service_at, number)
        })
        .collect();
    living.sort_unstable();
    for (_, _, worker) in living.into_iter().take(surplus as usize) {
        fleet.cordon(worker);
    }
}

fn sight(fleet: &Fleet<'_>, trace: &Trace, current: u32) -> Sight {
    let serving = fleet
        .present()
        .filter(|(_, worker)| worker.stage == Stage::InService);
    let fresh = |at: u64| fleet.now - at <= STALE_AFTER;
    Sight {
        now: fleet.now,
        current,
        samples: serving
            .map(|(_, worker)| worker.sample.filter(|_| fresh(worker.sample_at)))
            .collect(),
        target: trace.signal.target,
        slots: trace.worker.slots,
    }
}
