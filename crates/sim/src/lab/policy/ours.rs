//! Hatchery's policy: the core's own `plan` over a view of the simulated pool, with the defaults
//! that `fleet.toml` gives, executed as the tick executes it.

use crate::lab::fleet::{Fleet, News, Stage, Worker};
use crate::lab::trace::Trace;
use hatchery_api::fleet_toml;
use hatchery_core::{Member, PoolPlan, PoolRecord, PoolView, Sample, limits, plan};
use hatchery_types::{CanisterId, ModuleHash, Nanos, Phase, PoolSpec, Principal};

const MODULE: ModuleHash = ModuleHash([1; 32]);

/// What root remembers of the pool, and when it plans next.
pub(crate) struct Ours {
    spec: PoolSpec,
    record: PoolRecord,
    wake: u64,
    planned_at: u64,
    /// Numbers for canisters that are ready to be claimed.
    fresh: u64,
}

/// The pool of a trace as an operator would write it, defaults for all the rest.
pub(crate) fn spec(trace: &Trace) -> PoolSpec {
    let text = format!(
        "name = \"lab\"\n[warm_pool]\nminimum = 1\nmaximum = {max}\n[roles.worker]\nmodule = \"w\"\n\
         [pools.lab]\nrole = \"worker\"\nmin = {min}\nmax = {max}\n\
         [pools.lab.signals.depth]\ntarget = {target}\n",
        min = trace.pool.min,
        max = trace.pool.max,
        target = trace.signal.target,
    );
    let fleet = fleet_toml::parse(&text).and_then(|draft| draft.resolve(|_, _| Ok(MODULE)));
    fleet
        .expect("bug: the laboratory's own spec is refused")
        .pools
        .remove(0)
}

impl Ours {
    pub(crate) fn new(spec: PoolSpec) -> Self {
        let mut record = PoolRecord::new(&spec.name);
        record.bootstrapped = true;
        record.proven = Some(MODULE);
        Ours {
            spec,
            record,
            wake: 0,
            planned_at: 0,
            fresh: 0,
        }
    }

    /// When it plans next.
    pub(crate) fn wake(&self) -> u64 {
        self.wake
    }

    /// A sample brings the plan forward, but for the least gap; a move at once.
    pub(crate) fn hear(&mut self, fleet: &mut Fleet<'_>) {
        if fleet.news.heard {
            let next = self.planned_at + limits::PLAN_GAP.0;
            self.wake = self.wake.min(next.max(fleet.now));
        }
        if fleet.news.moved {
            self.wake = self.wake.min(fleet.now);
        }
        fleet.news = News::default();
    }

    /// Plans and does what the plan says.
    pub(crate) fn act(&mut self, fleet: &mut Fleet<'_>) {
        let now = fleet.now;
        let plan = self.plan(fleet);
        let grown = plan.uncordon.len() + plan.promote.len() + plan.claim.len();
        if grown > 0 || !plan.cordon.is_empty() {
            fleet.tally.moved(now, grown > 0);
        }
        for canister in &plan.uncordon {
            fleet.uncordon(number_of(*canister));
        }
        for canister in &plan.promote {
            fleet.promote(number_of(*canister));
        }
        fleet.wanted = plan.desired;
        for _ in &plan.claim {
            fleet.install();
        }
        for canister in plan.cordon.iter().chain(&plan.release) {
            fleet.cordon(number_of(*canister));
        }
        // Root's own moves are part of the plan.
        fleet.news.moved = false;
        self.planned_at = now;
        self.wake = plan.wake.0.max(now + 1);
        self.record = plan.record;
    }

    fn plan(&mut self, fleet: &Fleet<'_>) -> PoolPlan {
        let install_room = fleet.lanes_free();
        let ready = (0..u64::from(install_room)).map(|lane| canister(self.fresh + lane));
        let view = PoolView {
            members: fleet.present().filter_map(member).collect(),
            ready: ready.collect(),
            install_room,
            module: Some(MODULE),
            ..PoolView::new(Nanos(fleet.now), &self.spec, &self.record)
        };
        plan(&view)
    }
}

fn member((number, worker): (usize, &Worker)) -> Option<Member> {
    let phase = match worker.stage {
        Stage::Starting => Phase::Installing,
        Stage::Standby => Phase::Standby,
        Stage::InService => Phase::InService,
        Stage::Draining => Phase::Draining,
        Stage::Gone => return None,
    };
    let mut member = Member::new(canister(number as u64), phase, Nanos(worker.since));
    member.in_service_at = Nanos(worker.in_service_at);
    member.module = Some(MODULE);
    member.scaled_in = phase == Phase::Draining;
    if let Some(value) = worker.sample {
        let at = Nanos(worker.sample_at);
        member.samples[0] = Sample { value, at };
    }
    Some(member)
}

fn canister(number: u64) -> CanisterId {
    CanisterId(Principal::from_slice(&number.to_be_bytes()))
}

fn number_of(canister: CanisterId) -> usize {
    let bytes = canister.0.as_slice().try_into();
    u64::from_be_bytes(bytes.expect("bug: a canister of another world")) as usize
}
