//! The replay: recorded totals in, the core's plan between them, workers counted.

use super::recording::{Point, Recording};
use super::{Price, Side, is_total};
use hatchery_core::{Member, PoolPlan, PoolRecord, PoolView, Sample, limits, plan};
use hatchery_types::{CanisterId, ModuleHash, Nanos, Phase, PoolSpec, Principal};

const MODULE: ModuleHash = ModuleHash([1; 32]);
/// Installs at once and how long one holds its lane: the default of a fleet, and what one takes.
const LANES: usize = 4;
const INSTALL: Nanos = Nanos::from_secs(3);
/// A load that holds is told again this often.
const REPORT: Nanos = Nanos::from_secs(60);
/// A clock that is zero has not begun, so the replay begins later.
const BEGIN: Nanos = Nanos::from_secs(1_000_000);

struct Replay<'a> {
    spec: &'a PoolSpec,
    start_up: Nanos,
    record: PoolRecord,
    now: Nanos,
    members: Vec<Member>,
    next_number: u64,
    changes: u64,
    installs: u64,
}

/// Runs the recording through the spec.
pub(super) fn replay(recording: &Recording, spec: &PoolSpec, price: &Price) -> Side {
    let points = &recording.points;
    let begin = |point: &Point| BEGIN + Nanos::from_secs(point.at_s - points[0].at_s);
    let mut replay = Replay::new(recording, spec);
    let mut side = Side::default();
    for two in points.windows(2) {
        let end = begin(&two[1]);
        while replay.now < end {
            let until = end.min(replay.now + REPORT);
            replay.hear(&two[0]);
            replay.run(until, |ns, serving, paid| {
                price.pass(&mut side, ns, &two[0], serving, paid);
            });
        }
    }
    (side.changes, side.installs) = (replay.changes, replay.installs);
    price.sum_up(&mut side);
    side
}

impl<'a> Replay<'a> {
    /// With as many workers as were recorded first, or the spec's initial ones.
    fn new(recording: &Recording, spec: &'a PoolSpec) -> Self {
        let mut record = PoolRecord::new(&spec.name);
        record.bootstrapped = true;
        record.proven = Some(MODULE);
        let mut replay = Replay {
            spec,
            start_up: Nanos::from_secs(recording.start_up_s).max(INSTALL),
            record,
            now: BEGIN,
            members: Vec::new(),
            next_number: 0,
            changes: 0,
            installs: 0,
        };
        let recorded = recording.points.first().and_then(|point| point.workers);
        let initial = recorded.unwrap_or(spec.initial).clamp(spec.min, spec.max);
        for _ in 0..initial {
            replay.add(Phase::InService);
        }
        replay.record.desired = initial;
        replay
    }

    fn add(&mut self, phase: Phase) {
        let canister = canister(self.next_number);
        self.next_number += 1;
        let mut member = Member::new(canister, phase, self.now);
        member.module = Some(MODULE);
        self.members.push(member);
    }

    fn count(&self, phase: Phase) -> u32 {
        let standing = self.members.iter().filter(|member| member.phase == phase);
        standing.count() as u32
    }

    /// The totals of a point are what the members would have told, each its share.
    fn hear(&mut self, point: &Point) {
        let serving = u64::from(self.count(Phase::InService)).max(1);
        for (position, signal) in self.spec.signals.iter().enumerate() {
            let Some(total) = point.signals.get(&signal.name) else {
                continue;
            };
            if is_total(signal.scope) {
                let known = self.record.samples.len().max(position + 1);
                self.record.samples.resize(known, Sample::default());
                self.record.samples[position] = self.sample(*total);
                continue;
            }
            let sample = self.sample(total.div_ceil(serving));
            let mut rest = *total;
            for member in &mut self.members {
                if member.phase == Phase::InService {
                    let value = sample.value.min(rest);
                    rest -= value;
                    member.samples[position] = Sample { value, ..sample };
                }
            }
        }
    }

    fn sample(&self, value: u64) -> Sample {
        Sample {
            value: value.min(limits::SIGNAL_MAX),
            at: self.now,
        }
    }

    /// Goes on until then; `pass` is told each stretch with how many served and were paid.
    fn run(&mut self, until: Nanos, mut pass: impl FnMut(u64, u32, u32)) {
        let mut wake = self.now;
        while self.now < until {
            if wake <= self.now {
                wake = self.step();
            }
            let next = wake.min(self.next_move()).min(until);
            let serving = self.count(Phase::InService);
            pass(next.since(self.now).0, serving, self.members.len() as u32);
            self.now = next;
            if self.move_on() {
                wake = self.now;
            }
        }
    }

    /// Plans and does what the plan says; when to plan again.
    fn step(&mut self) -> Nanos {
        let plan = self.plan();
        let set = |members: &mut Vec<Member>, ids: &[CanisterId], phase, now| {
            for member in members.iter_mut().filter(|it| ids.contains(&it.canister)) {
                member.phase = phase;
                member.since = now;
                member.scaled_in = phase == Phase::Draining;
            }
        };
        let now = self.now;
        set(&mut self.members, &plan.uncordon, Phase::InService, now);
        set(&mut self.members, &plan.promote, Phase::InService, now);
        set(&mut self.members, &plan.cordon, Phase::Draining, now);
        self.members
            .retain(|member| !plan.release.contains(&member.canister));
        for _ in &plan.claim {
            self.add(Phase::Installing);
        }
        let moved = [&plan.uncordon, &plan.promote, &plan.cordon, &plan.claim];
        self.changes += u64::from(moved.iter().any(|ids| !ids.is_empty()));
        self.installs += plan.claim.len() as u64;
        self.record = plan.record;
        plan.wake.max(now + Nanos(1))
    }

    fn plan(&self) -> PoolPlan {
        let in_lane = |member: &&Member| {
            member.phase == Phase::Installing && self.now.since(member.since) < INSTALL
        };
        let free = LANES.saturating_sub(self.members.iter().filter(in_lane).count());
        let fresh = self.next_number..self.next_number + free as u64;
        plan(&PoolView {
            members: self.members.clone(),
            ready: fresh.map(canister).collect(),
            install_room: free as u32,
            module: Some(MODULE),
            ..PoolView::new(self.now, self.spec, &self.record)
        })
    }

    /// When a member starts, or has drained: its load is spread, so it is idle as soon as callers
    /// know.
    fn turn_of(&self, member: &Member) -> Option<Nanos> {
        match member.phase {
            Phase::Installing => Some(member.since + self.start_up),
            Phase::Draining => Some(member.since + self.spec.valid_for),
            _ => None,
        }
    }

    fn next_move(&self) -> Nanos {
        let turns = self.members.iter().filter_map(|it| self.turn_of(it));
        turns.min().unwrap_or(Nanos::MAX)
    }

    /// Members whose turn it is move; whether any did.
    fn move_on(&mut self) -> bool {
        let now = self.now;
        let due: Vec<CanisterId> = self
            .members
            .iter()
            .filter(|member| self.turn_of(member).is_some_and(|at| at <= now))
            .map(|member| member.canister)
            .collect();
        self.members
            .retain(|it| it.phase != Phase::Draining || !due.contains(&it.canister));
        let wanted = self.record.desired;
        for id in &due {
            let serving = self.count(Phase::InService);
            if let Some(member) = self.members.iter_mut().find(|it| it.canister == *id) {
                let to_work = serving < wanted;
                member.phase = if to_work {
                    Phase::InService
                } else {
                    Phase::Standby
                };
                member.since = now;
                member.in_service_at = now;
            }
        }
        !due.is_empty()
    }
}

fn canister(number: u64) -> CanisterId {
    CanisterId(Principal::from_slice(&number.to_be_bytes()))
}
