//! What a trace brings for one seed: rates over time, jobs, clients. Policies have no part in it.

use super::numbers::{ln, power, sine};
use super::trace::{Batch, Load, Service, Trace};
use crate::dice::Dice;

/// Nanoseconds in a second.
pub(super) const SECOND: u64 = 1_000_000_000;

/// A job before it is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Job {
    /// When it arrives.
    pub(super) at: u64,
    /// How long a slot has it.
    pub(super) service: u64,
    /// Who waits for it, among clients that do.
    pub(super) client: Option<u32>,
}

/// Streams of draws that do not disturb each other.
#[derive(Debug, Clone, Copy)]
enum Stream {
    Arrivals = 1,
    Noise = 2,
    Phase = 3,
    Client = 1_000,
}

/// Rates of each second of the trace.
pub(super) fn rates(trace: &Trace, seed: u64) -> Vec<f64> {
    let shift = Dice::new(seed, Stream::Phase as u64).below(60);
    let mut noise = Dice::new(seed, Stream::Noise as u64);
    let mut factor = 1.0;
    let rate = |second: u64| {
        if let Some(spec) = trace.load.noise
            && second.is_multiple_of(spec.hold_s.max(1))
        {
            factor = noise.between(spec.least_percent, spec.most_percent) as f64 / 100.0;
        }
        // The load begins up to a minute late, so that no loop is in step with it.
        shape(&trace.load, second.saturating_sub(shift)) * factor
    };
    (0..trace.duration_s).map(rate).collect()
}

fn shape(load: &Load, second: u64) -> f64 {
    let at = load.repeat_s.map_or(second, |repeat| second % repeat);
    let wave = load.sine.map_or(0.0, |spec| {
        spec.amplitude * sine(second as f64 / spec.period_s as f64)
    });
    let day = load.days.as_ref().map_or(1.0, |days| {
        days[(second / 86_400) as usize % days.len()] as f64 / 100.0
    });
    ((between(&load.points, at) + wave) * day).max(0.0)
}

fn between(points: &[(u64, f64)], at: u64) -> f64 {
    let next = points.partition_point(|(second, _)| *second <= at);
    let Some(&(to, high)) = points.get(next) else {
        return points[points.len() - 1].1;
    };
    let Some(&(from, low)) = next.checked_sub(1).and_then(|last| points.get(last)) else {
        return high;
    };
    low + (high - low) * (at - from) as f64 / (to - from) as f64
}

/// Jobs in service at once, if every job found a slot: the load of each second.
pub(super) fn offered(trace: &Trace, rates: &[f64]) -> Vec<f64> {
    let service_s = mean_ms(&trace.jobs.service) as f64 / 1_000.0;
    let bunch = trace.jobs.batch.map_or(1.0, mean_bunch);
    let one = |rate: &f64| match trace.load.clients {
        // Of a client's round, this share is service.
        Some(clients) => rate * service_s / (service_s + clients.think_ms as f64 / 1_000.0),
        None => rate * bunch * service_s,
    };
    rates.iter().map(one).collect()
}

/// All jobs in order of arrival; none when clients bring them.
pub(super) fn jobs(trace: &Trace, seed: u64, rates: &[f64]) -> Vec<Job> {
    if trace.load.clients.is_some() {
        return Vec::new();
    }
    let mut dice = Dice::new(seed, Stream::Arrivals as u64);
    let mut jobs = Vec::new();
    for (second, rate) in rates.iter().enumerate() {
        let mut at = gap(&mut dice, *rate);
        while at < 1.0 {
            let bunch = trace.jobs.batch.map_or(1, |batch| bunch(&mut dice, batch));
            for _ in 0..bunch {
                jobs.push(Job {
                    at: second as u64 * SECOND + (at * SECOND as f64) as u64,
                    service: service(&mut dice, &trace.jobs.service),
                    client: None,
                });
            }
            at += gap(&mut dice, *rate);
        }
    }
    jobs
}

/// Seconds to the next arrival.
fn gap(dice: &mut Dice, rate: f64) -> f64 {
    if rate <= 0.0 {
        return f64::INFINITY;
    }
    -ln(share(dice)) / rate
}

/// Uniform in (0, 1].
fn share(dice: &mut Dice) -> f64 {
    (dice.below(1 << 53) + 1) as f64 / (1u64 << 53) as f64
}

fn service(dice: &mut Dice, service: &Service) -> u64 {
    let milliseconds = match *service {
        Service::Exponential { mean_ms } => -ln(share(dice)) * mean_ms as f64,
        Service::Pareto {
            mean_ms,
            exponent,
            most_ms,
        } => {
            let least = mean_ms as f64 * (exponent - 1.0) / exponent;
            (least * power(share(dice), -1.0 / exponent)).min(most_ms as f64)
        }
    };
    (milliseconds * 1e6) as u64 + 1
}

fn mean_ms(service: &Service) -> u64 {
    match *service {
        Service::Exponential { mean_ms } | Service::Pareto { mean_ms, .. } => mean_ms,
    }
}

fn bunch(dice: &mut Dice, batch: Batch) -> u64 {
    (power(share(dice), -1.0 / batch.exponent) as u64).clamp(1, batch.most)
}

fn mean_bunch(batch: Batch) -> f64 {
    (1..=batch.most)
        .map(|size| power(size as f64, -batch.exponent))
        .sum()
}

/// One client of a trace whose load follows service.
#[derive(Debug, Clone)]
pub(super) struct Client {
    dice: Dice,
    think_ms: u64,
    service: Service,
}

impl Client {
    pub(super) fn new(trace: &Trace, seed: u64, number: u32) -> Client {
        Client {
            dice: Dice::new(seed, Stream::Client as u64 + u64::from(number)),
            think_ms: trace.load.clients.map_or(0, |clients| clients.think_ms),
            service: trace.jobs.service.clone(),
        }
    }

    /// How long it thinks before its next job.
    pub(super) fn pause(&mut self) -> u64 {
        (-ln(share(&mut self.dice)) * self.think_ms as f64 * 1e6) as u64
    }

    /// How long its next job takes.
    pub(super) fn service(&mut self) -> u64 {
        service(&mut self.dice, &self.service)
    }
}

#[cfg(test)]
mod tests {
    use super::{SECOND, jobs, mean_bunch, offered, rates};
    use crate::lab::trace::traces;

    #[test]
    fn the_jobs_of_a_trace_are_its_offered_load() {
        for trace in traces().expect("the files are traces") {
            if trace.load.clients.is_some() || trace.duration_s > 20_000 {
                continue;
            }
            let rates = rates(&trace, 3);
            let expected: f64 = offered(&trace, &rates).iter().sum();
            let jobs = jobs(&trace, 3, &rates);
            let served: u64 = jobs.iter().map(|job| job.service).sum();
            let ratio = served as f64 / SECOND as f64 / expected;
            assert!((0.85..1.15).contains(&ratio), "{}: {ratio}", trace.name);
            assert!(jobs.is_sorted_by_key(|job| job.at), "{}", trace.name);
        }
    }

    #[test]
    fn a_bunch_has_a_mean() {
        let batch = crate::lab::trace::Batch {
            exponent: 2.0,
            most: 3,
        };
        assert!((mean_bunch(batch) - (1.0 + 0.25 + 1.0 / 9.0)).abs() < 1e-12);
    }
}
