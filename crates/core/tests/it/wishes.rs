//! What policy wishes, sentence by sentence: one plan over one view each.

use crate::fixture::{canister, module, pool};
use hatchery_core::limits::LEASES_WANTED_LIFE;
use hatchery_core::{Member, PoolPlan, PoolRecord, PoolView, Sample, plan};
use hatchery_types::{
    BufferSpec, CanisterId, Missing, Nanos, Phase, PoolSpec, Reason, Scope, SignalSpec, WindowSpec,
};

const NOW: Nanos = Nanos::from_secs(10_000);

/// A pool of 0 to 20 that follows a depth of 4 a worker, with no window and no rate in the way.
struct Case {
    spec: PoolSpec,
    record: PoolRecord,
    members: Vec<Member>,
    now: Nanos,
}

impl Case {
    fn new() -> Self {
        let mut spec = pool(0, 20);
        spec.scale_up.max_workers = 100;
        spec.scale_down.window = Nanos(0);
        spec.scale_down.max_workers = 100;
        spec.disruption_percent = 100;
        let record = PoolRecord {
            bootstrapped: true,
            proven: Some(module()),
            ..PoolRecord::new("workers")
        };
        Case {
            spec,
            record,
            members: Vec::new(),
            now: NOW,
        }
    }

    /// Adds members in a phase; with a load, they have just reported it.
    fn with(mut self, count: u8, phase: Phase, load: Option<u64>) -> Self {
        for _ in 0..count {
            let id = canister(self.members.len() as u8 + 1);
            let mut member = Member::new(id, phase, Nanos::from_secs(1_000));
            member.module = Some(module());
            if let Some(value) = load {
                member.samples[0] = Sample { value, at: NOW };
            }
            self.members.push(member);
        }
        self.record.desired = self.members.len() as u32;
        self
    }

    fn plan(&self) -> PoolPlan {
        let ready: Vec<CanisterId> = (100..140).map(canister).collect();
        plan(&PoolView {
            now: self.now,
            spec: &self.spec,
            record: &self.record,
            members: self.members.clone(),
            ready,
            unreserved: u32::MAX,
            install_room: 40,
            payable: true,
            module: Some(module()),
            upgrade: None,
            paused_up: false,
            paused_down: false,
        })
    }

    /// Desired, and the names of the reasons.
    fn wants(&self, desired: u32, reasons: &str) {
        let plan = self.plan();
        let names: Vec<String> = plan.reasons.iter().map(short).collect();
        assert_eq!((plan.desired, names.join(", ")), (desired, reasons.into()));
    }
}

fn short(reason: &Reason) -> String {
    match reason {
        Reason::DrivenBy(_) | Reason::Stale(_) => reason.to_string(),
        _ => reason.name().to_owned(),
    }
}

fn total(name: &str, target: u64) -> SignalSpec {
    SignalSpec {
        scope: Scope::Pool,
        stale_after: Nanos::from_secs(60),
        ..SignalSpec::new(name, target)
    }
}

fn sampled(value: u64) -> Vec<Sample> {
    vec![Sample { value, at: NOW }]
}

#[test]
fn s08_between_min_and_max_the_pool_grows_with_its_load() {
    Case::new()
        .with(2, Phase::InService, Some(10))
        .wants(5, "above-target");
    Case::new()
        .with(5, Phase::InService, Some(1))
        .wants(2, "below-target");
    Case::new()
        .with(3, Phase::InService, Some(4))
        .wants(3, "within-tolerance");
    Case::new()
        .with(10, Phase::InService, Some(400))
        .wants(20, "above-target, at-maximum");
}

#[test]
fn a_total_wakes_a_pool_from_zero_and_lets_it_sleep() {
    let mut case = Case::new();
    case.spec.signals = vec![SignalSpec {
        activation: 3,
        ..total("backlog", 10)
    }];
    case.wants(0, "signals-missing");
    case.record.samples = sampled(3);
    case.wants(0, "below-target");
    case.record.samples = sampled(4);
    case.wants(1, "activated");
    case.record.samples = sampled(95);
    case.wants(10, "activated");
    let mut awake = case.with(10, Phase::InService, None);
    awake.wants(10, "within-tolerance");
    awake.record.samples = sampled(31);
    awake.wants(4, "below-target");
    awake.record.samples = sampled(2);
    awake.wants(0, "below-target");
}

#[test]
fn of_several_signals_the_largest_wins_and_is_named() {
    let mut case = Case::new().with(4, Phase::InService, Some(8));
    case.spec.signals.push(total("backlog", 10));
    case.record.samples = vec![Sample::default(), Sample { value: 30, at: NOW }];
    case.wants(8, "above-target, driven-by (depth)");
    case.record.samples[1].value = 120;
    case.wants(12, "above-target, driven-by (backlog)");
}

#[test]
fn s10_a_missing_value_never_shrinks_a_pool_unless_the_spec_says_so() {
    let missing = Case::new().with(5, Phase::InService, None);
    missing.wants(5, "signals-missing");
    // Two silent ones count as the target: 3 x 0 + 2 x 4.
    let half = Case::new()
        .with(3, Phase::InService, Some(0))
        .with(2, Phase::InService, None);
    half.wants(2, "below-target");
    // And as nothing on the way up: 2 x 12 of load for five workers is what the target wants.
    let up = Case::new()
        .with(2, Phase::InService, Some(12))
        .with(3, Phase::InService, None);
    up.wants(6, "above-target");
    let mut hold = Case::new()
        .with(3, Phase::InService, Some(0))
        .with(2, Phase::InService, None);
    hold.spec.signals[0].missing = Missing::Hold;
    hold.wants(5, "signals-missing");
    let mut fallback = Case::new().with(5, Phase::InService, None);
    fallback.spec.signals[0].missing = Missing::Fallback(7);
    fallback.wants(7, "fallback");
    let mut other = Case::new().with(4, Phase::InService, Some(0));
    other.spec.signals.push(total("backlog", 10));
    other.wants(4, "signals-missing, driven-by (backlog), stale (backlog)");
}

#[test]
fn s10_samples_of_another_list_of_signals_do_not_count() {
    let mut case = Case::new().with(4, Phase::InService, Some(0));
    case.record.signals_at = NOW + Nanos(1);
    case.wants(4, "signals-missing");
}

#[test]
fn a_member_is_not_judged_before_its_warm_up() {
    let mut case = Case::new().with(4, Phase::InService, Some(0));
    case.spec.signals[0].warm_up = Nanos::from_secs(60);
    for member in &mut case.members[1..] {
        member.in_service_at = NOW;
    }
    // One idle worker; the other three count as busy as wanted.
    case.wants(3, "below-target");
}

#[test]
fn a_buffer_is_kept_free_beside_the_leased() {
    let mut case = Case::new().with(6, Phase::Leased, None);
    case.spec.signals.clear();
    case.wants(6, "satisfied");
    case.spec.buffer = Some(BufferSpec::Workers(3));
    case.wants(9, "buffered");
    case.spec.buffer = Some(BufferSpec::Percent(25));
    case.wants(8, "buffered");
    case.spec.buffer = Some(BufferSpec::Percent(90));
    case.wants(20, "buffered, at-maximum");
}

#[test]
fn a_schedule_raises_the_minimum_at_once_and_the_wish_at_pace() {
    let mut case = Case::new().with(2, Phase::InService, Some(4));
    let window = WindowSpec {
        from: NOW - Nanos::from_secs(100),
        to: NOW + Nanos::from_secs(100),
        every: Nanos::from_secs(1_000),
        min: 5,
        desired: 0,
    };
    case.spec.schedule = vec![window];
    case.spec.scale_up.max_workers = 0;
    case.spec.scale_up.max_percent = 1;
    case.wants(5, "scheduled");
    case.spec.schedule[0].min = 0;
    case.spec.schedule[0].desired = 5;
    case.wants(2, "scheduled, rate-limited");
    case.now = NOW + Nanos::from_secs(100);
    case.members
        .iter_mut()
        .for_each(|it| it.samples[0].at = case.now);
    case.wants(2, "within-tolerance");
    assert_eq!(case.plan().wake, case.now + Nanos::from_secs(60) + Nanos(1));
    case.now = NOW + Nanos::from_secs(950);
    assert!(case.spec.schedule[0].is_on(case.now), "it comes again");
}

#[test]
fn windows_turn_when_they_say() {
    let at = Nanos::from_secs;
    let window = |every| WindowSpec {
        from: at(100),
        to: at(150),
        every: at(every),
        min: 1,
        desired: 0,
    };
    for (every, now, on, turns) in [
        (0, 0, false, Some(100)),
        (0, 100, true, Some(150)),
        (0, 149, true, Some(150)),
        (0, 150, false, None),
        (60, 150, false, Some(160)),
        (60, 160, true, Some(210)),
        (60, 219, false, Some(220)),
    ] {
        let window = window(every);
        assert_eq!(
            (window.is_on(at(now)), window.turns_at(at(now))),
            (on, turns.map(at)),
            "{every} {now}"
        );
    }
}

#[test]
fn leases_that_found_nobody_count_for_a_while() {
    let mut case = Case::new();
    case.record.leases_wanted = 3;
    case.record.leases_wanted_at = NOW;
    case.wants(3, "leases-wanted");
    assert_eq!(case.plan().wake, NOW + LEASES_WANTED_LIFE);
    case.now = NOW + LEASES_WANTED_LIFE;
    case.wants(0, "satisfied");
}

#[test]
fn the_floor_beats_every_wish_and_max_beats_the_floor() {
    let mut case = Case::new().with(2, Phase::InService, Some(0));
    case.spec.min = 4;
    case.wants(4, "below-minimum");
    case.record.bootstrapped = false;
    case.spec.initial = 6;
    case.wants(6, "below-initial");
    case.spec.max = 3;
    case.spec.min = 0;
    case.spec.schedule = vec![WindowSpec {
        from: Nanos(0),
        to: Nanos::MAX,
        every: Nanos(0),
        min: 9,
        desired: 0,
    }];
    case.wants(3, "scheduled");
}

#[test]
fn reaching_the_floor_is_never_held_back() {
    let mut case = Case::new().with(1, Phase::InService, Some(0));
    case.spec.min = 4;
    case.spec.scale_up.window = Nanos::from_secs(600);
    case.spec.scale_up.max_percent = 1;
    case.spec.scale_up.max_workers = 0;
    case.spec.scale_up.cooldown = Nanos::from_secs(600);
    case.wants(4, "below-minimum");
    assert_eq!(case.plan().claim.len(), 3);
}

#[test]
fn a_switched_off_pool_is_left_as_it_is() {
    let mut case = Case::new().with(3, Phase::InService, Some(40));
    case.spec.enabled = false;
    case.wants(3, "disabled");
    let plan = case.plan();
    assert_eq!((plan.claim.len(), plan.cordon.len()), (0, 0));
    case.spec.min = 9;
    case.wants(3, "disabled");
}

#[test]
fn standby_is_kept_beside_those_at_work_and_promoted_first() {
    let mut case = Case::new().with(2, Phase::InService, Some(4));
    case.spec.standby = 2;
    let plan = case.plan();
    assert_eq!(
        (plan.desired, plan.claim.len(), plan.promote.len()),
        (2, 2, 0)
    );
    let mut case = case.with(2, Phase::Standby, None);
    case.record.desired = 2;
    assert!(case.plan().claim.is_empty());
    for member in &mut case.members {
        member.samples[0].value = 6;
    }
    let plan = case.plan();
    assert_eq!(
        (plan.desired, plan.promote.len(), plan.claim.len()),
        (3, 1, 1)
    );
    assert_eq!(plan.promote, vec![canister(3)], "the longest there");
    case.members[2].starting = true;
    assert_eq!(
        case.plan().promote,
        vec![canister(4)],
        "one that has started"
    );
}

#[test]
fn standby_counts_against_max() {
    let mut case = Case::new().with(3, Phase::InService, Some(4));
    case.spec.standby = 4;
    case.spec.max = 5;
    assert_eq!(case.plan().claim.len(), 2);
}

#[test]
fn too_many_on_standby_go_after_the_window() {
    let mut case = Case::new()
        .with(1, Phase::InService, Some(4))
        .with(3, Phase::Standby, None);
    case.record.desired = 1;
    case.spec.standby = 1;
    case.spec.scale_down.window = Nanos::from_secs(300);
    case.members[3].since = NOW - Nanos::from_secs(10);
    let plan = case.plan();
    assert_eq!(
        plan.release,
        vec![canister(2)],
        "the youngest stays within the window"
    );
    assert_eq!(plan.wake, NOW + Nanos::from_secs(60) + Nanos(1));
    case.members[1].since = NOW;
    case.members[2].since = NOW;
    assert!(case.plan().release.is_empty());
}

#[test]
fn s15_leased_and_protected_members_are_never_victims() {
    let mut case = Case::new()
        .with(3, Phase::InService, Some(0))
        .with(2, Phase::Leased, None);
    case.members[0].protected_until = NOW + Nanos(1);
    case.members[2].protected_until = NOW;
    let plan = case.plan();
    assert_eq!(plan.desired, 2);
    assert_eq!(plan.cordon, vec![canister(2), canister(3)]);
    assert!(plan.reasons.contains(&Reason::Spared));
    assert_eq!(plan.wake, NOW + Nanos(1), "then it may go");
}

#[test]
fn s13_the_victims_are_silent_then_outdated_then_idle_then_young() {
    let mut case = Case::new().with(5, Phase::InService, Some(2));
    case.members[4].silent = true;
    case.members[3].module = None;
    case.members[2].samples[0].value = 1;
    case.members[1].in_service_at = NOW - Nanos::from_secs(100);
    case.spec.signals[0].target = 100;
    case.spec.min = 1;
    assert_eq!(case.plan().cordon, [5, 4, 3, 2].map(canister).to_vec());
}

#[test]
fn s20_after_an_hour_without_ticks_nothing_moves_at_once() {
    let mut case = Case::new().with(8, Phase::InService, Some(0));
    case.spec.scale_down.window = Nanos::from_secs(300);
    for member in &mut case.members {
        member.samples[0] = Sample { value: 4, at: NOW };
    }
    case.record = case.plan().record;
    // The subnet stood still for an hour: every sample is stale, so the pool stays.
    case.now = NOW + Nanos::from_secs(3_600);
    case.wants(8, "signals-missing");
    case.record = case.plan().record;
    // The first reports say idle: the window begins now, not an hour ago.
    case.now = case.now + Nanos::from_secs(1);
    for member in &mut case.members {
        member.samples[0] = Sample {
            value: 0,
            at: case.now,
        };
    }
    case.wants(8, "below-target, stabilising");
}

#[test]
fn s14_a_module_that_never_started_is_tried_on_a_few() {
    let mut case = Case::new();
    case.spec.min = 20;
    case.record.proven = None;
    let plan = case.plan();
    assert_eq!(plan.claim.len(), 2);
    assert!(plan.reasons.contains(&Reason::Probing));
    case.record.failing = Some(module());
    case.record.failures = 2;
    assert_eq!(case.plan().claim.len(), 1, "half open");
    case.record.backoff_until = NOW + Nanos(5);
    let plan = case.plan();
    assert!(plan.claim.is_empty());
    let until = case.record.backoff_until;
    assert!(plan.reasons.contains(&Reason::BreakerOpen { until }));
    assert_eq!(plan.wake, until);
    // Another module gets its own chance.
    case.record.failing = None;
    case.record.backoff_until = Nanos(0);
    assert_eq!(case.plan().claim.len(), 2);
}

#[test]
fn s14_members_that_die_stop_what_is_voluntary() {
    let mut case = Case::new().with(4, Phase::InService, Some(0));
    let losses = |count, value| vec![Sample { value, at: NOW }; count];
    case.record.losses = losses(3, 7);
    assert_eq!(case.plan().cordon.len(), 4, "three of seven");
    case.record.losses = losses(5, 12);
    assert_eq!(
        case.plan().cordon.len(),
        4,
        "five of twelve, before it shrank"
    );
    case.record.losses = losses(5, 9);
    let plan = case.plan();
    let until = NOW + hatchery_core::limits::LOSSES_PERIOD;
    assert!(plan.cordon.is_empty());
    assert!(plan.reasons.contains(&Reason::BreakerOpen { until }));
    case.spec.min = 10;
    assert_eq!(case.plan().claim.len(), 1, "one at a time");
    case.spec.breaker_percent = 0;
    assert_eq!(case.plan().claim.len(), 6, "no breaker");
}
