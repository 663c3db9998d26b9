//! Properties of scaling: within bounds, no flapping, and the plan is what is done.

use crate::fixture::{Root, canister, module, spec};
use hatchery_core::limits::SIGNALS_MAX;
use hatchery_core::{Member, PoolRecord, PoolView, Sample, State, plan, plan_pool};
use hatchery_types::{CanisterId, Nanos, Phase, PoolSpec, Reason, ScaleSpec};
use proptest::prelude::*;

/// The same cases in every run.
fn fixed(cases: u32) -> ProptestConfig {
    let rng_seed = proptest::test_runner::RngSeed::Fixed(7);
    ProptestConfig {
        cases,
        rng_seed,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn pool_spec() -> impl Strategy<Value = PoolSpec> {
    let scale = (0u64..120, 0u32..200, 1u32..5, 1u64..60, 0u64..60);
    (
        0u32..5,
        0u32..10,
        1u64..50,
        0u32..30,
        scale.clone(),
        scale,
        1u32..100,
        0u32..3,
    )
        .prop_map(
            |(min, more, per_worker, tolerance, up, down, disruption_percent, standby)| {
                let scale = |(window, max_percent, max_workers, period, cooldown)| ScaleSpec {
                    window: Nanos::from_secs(window),
                    max_percent,
                    max_workers,
                    period: Nanos::from_secs(period),
                    cooldown: Nanos::from_secs(cooldown),
                };
                let mut pool = spec(0, min, min + more).pools.remove(0);
                pool.signals[0].target = per_worker;
                pool.signals[0].tolerance_percent = tolerance;
                pool.standby = standby;
                PoolSpec {
                    scale_up: scale(up),
                    scale_down: scale(down),
                    disruption_percent,
                    ..pool
                }
            },
        )
}

fn members() -> impl Strategy<Value = Vec<Member>> {
    let phases = [
        Phase::Installing,
        Phase::Standby,
        Phase::InService,
        Phase::Leased,
        Phase::Draining,
        Phase::Stopping,
    ];
    let member = (
        prop::sample::select(phases.to_vec()),
        0u64..200,
        0u64..900,
        any::<bool>(),
    );
    prop::collection::vec(member, 0..14).prop_map(|members| {
        let numbered = (1u8..).zip(members);
        let member = |(number, (phase, load, age, flag))| Member {
            module: Some(module()),
            samples: samples(load, Nanos::from_secs(1_000 - age / 9)),
            scaled_in: flag,
            starting: flag && phase == Phase::Standby && age < 100,
            protected_until: Nanos::from_secs(if flag && age < 300 { 2_000 } else { 0 }),
            ..Member::new(canister(number), phase, Nanos::from_secs(1_000 - age))
        };
        numbered.map(member).collect()
    })
}

fn samples(value: u64, at: Nanos) -> [Sample; SIGNALS_MAX] {
    let mut samples = [Sample::default(); SIGNALS_MAX];
    samples[0] = Sample { value, at };
    samples
}

fn record(bootstrapped: bool, failures: u32) -> PoolRecord {
    let root = Root::with(spec(0, 0, 1));
    let record = root
        .state
        .pool("workers")
        .expect("the pool is planned")
        .clone();
    PoolRecord {
        bootstrapped,
        failures,
        failing: Some(module()),
        signals_at: Nanos(0),
        ..record
    }
}

proptest! {
    #![proptest_config(fixed(2_000))]

    #[test]
    fn a_plan_stays_within_bounds_and_explains_itself(
        spec in pool_spec(),
        members in members(),
        ready in 0u8..6,
        install_room in 0u32..5,
        payable in any::<bool>(),
        paused in any::<bool>(),
        bootstrapped in any::<bool>(),
        failures in 0u32..3,
    ) {
        let record = record(bootstrapped, failures);
        let ready: Vec<CanisterId> =
            (100..100 + ready).map(canister).take(install_room as usize).collect();
        let view = PoolView {
            now: Nanos::from_secs(1_000),
            spec: &spec,
            record: &record,
            members: members.clone(),
            unreserved: u32::MAX,
            ready: ready.clone(),
            install_room,
            payable,
            module: Some(module()),
            upgrade: None,
            paused_up: paused,
            paused_down: paused,
        };
        let plan = plan(&view);
        let living = view.living() as usize;
        let after = living + plan.claim.len() + plan.uncordon.len();
        let at_work = members
            .iter()
            .filter(|m| matches!(m.phase, Phase::InService | Phase::Leased))
            .count();
        prop_assert!(plan.desired <= spec.max.max(living as u32));
        prop_assert!(plan.desired >= spec.min.min(spec.max));
        if !plan.claim.is_empty() || !plan.uncordon.is_empty() {
            prop_assert!(after as u32 <= spec.max, "grows beyond max");
        }
        let grows = !plan.promote.is_empty() || !plan.uncordon.is_empty();
        prop_assert!(!grows || plan.cordon.is_empty(), "grows and shrinks at once");
        prop_assert!(plan.claim.is_empty() || plan.release.is_empty(), "claims and recycles at once");
        if !plan.cordon.is_empty() {
            prop_assert!(at_work - plan.cordon.len() >= spec.min as usize, "below min");
        }
        for id in &plan.cordon {
            let member = members.iter().find(|m| m.canister == *id).expect("a member");
            prop_assert!(member.phase == Phase::InService && member.protected_until.as_secs() <= 1_000);
        }
        prop_assert!(!plan.reasons.is_empty());
        let there = at_work + plan.promote.len() + plan.uncordon.len() + plan.claim.len();
        let coming = members.iter().filter(|m| m.phase == Phase::Installing || m.starting).count();
        if plan.desired as usize > there + coming {
            let says = |reason: &Reason| matches!(
                reason,
                Reason::Paused | Reason::BackingOff { .. } | Reason::BreakerOpen { .. }
                    | Reason::Probing | Reason::LaneFull
                    | Reason::NoReadyCanister | Reason::ModuleMissing | Reason::AtReserve
            );
            prop_assert!(plan.reasons.iter().any(says), "short without a reason: {:?}", plan);
        }
        prop_assert!(!paused || (plan.claim.is_empty() && plan.cordon.is_empty()));
        let least = plan.cordon.iter().filter_map(|id| load_of(&members, *id)).max();
        let spared = members
            .iter()
            .filter(|m| m.phase == Phase::InService && m.protected_until.as_secs() <= 1_000);
        let spared = spared.filter(|m| !plan.cordon.contains(&m.canister));
        let lightest_spared = spared.filter_map(|m| load_of(&members, m.canister)).min();
        prop_assert!(lightest_spared.is_none() || lightest_spared >= least);
    }
}

/// The load that counts: a stale sample says no more than that the member may be busy.
fn load_of(members: &[Member], id: CanisterId) -> Option<u64> {
    let member = members.iter().find(|member| member.canister == id)?;
    let sample = member.samples[0];
    let fresh = sample.at + Nanos::from_secs(60) >= Nanos::from_secs(1_000);
    Some(if fresh { sample.value } else { u64::MAX })
}

/// The members of a pool by phase, for comparing a plan with what the tick did.
fn in_phase<M: ic_stable_structures::Memory>(state: &State<M>, phase: Phase) -> Vec<CanisterId> {
    let members = state
        .members("workers")
        .filter(|member| member.phase == phase);
    members.map(|member| member.canister).collect()
}

proptest! {
    #![proptest_config(fixed(150))]

    #[test]
    fn s13_the_plan_is_what_the_tick_does(loads in prop::collection::vec(0u64..60, 5..25)) {
        let mut root = Root::with(spec(3, 1, 8));
        root.settle();
        for load in loads {
            for (worker, _) in root.state.workers("workers", None, 20) {
                report_quietly(&mut root, worker, load);
            }
            root.now = root.now + Nanos::from_secs(5);
            let before = in_phase(&root.state, Phase::Draining);
            let plan = plan_pool(&root.state, root.now, &root.vitals, "workers").expect("a pool of the spec");
            let again = plan_pool(&root.state, root.now, &root.vitals, "workers");
            prop_assert_eq!(Some(&plan), again.as_ref(), "asking changes nothing");
            let done = root.first_plan();
            let cordoned: Vec<CanisterId> = in_phase(&root.state, Phase::Draining)
                .into_iter()
                .filter(|id| !before.contains(id))
                .collect();
            if done {
                let mut planned = plan.cordon.clone();
                planned.sort();
                prop_assert_eq!(planned, cordoned);
                for id in &plan.claim {
                    let row = root.state.row(*id).expect("a claimed canister has a row");
                    prop_assert_eq!(row.phase, Phase::Installing);
                }
            }
            root.tick();
            root.settle();
        }
    }
}

fn report_quietly(root: &mut Root, member: CanisterId, value: u64) {
    let generation = root
        .state
        .row(member)
        .expect("a worker has a row")
        .generation;
    let signal = "depth".to_owned();
    root.feed(&hatchery_core::Input::Report {
        member,
        generation,
        signal,
        value,
    });
}

#[test]
fn s11_load_that_oscillates_within_the_window_causes_no_flapping() {
    let mut root = Root::with(spec(3, 1, 8));
    root.settle();
    let mut reversals = 0;
    let (mut size, mut direction) = (1, 0);
    for second in 0..600u64 {
        // On and off at half the window of 30 s.
        let total = if (second / 15) % 2 == 0 { 24 } else { 2 };
        let workers = root.state.workers("workers", None, 20);
        for (worker, _) in &workers {
            root.report(*worker, total / workers.len() as u64);
        }
        root.run(1);
        let now = root.state.workers("workers", None, 20).len();
        if now != size {
            let turned = if now > size { 1 } else { -1 };
            reversals += u32::from(direction == -turned);
            direction = turned;
            size = now;
        }
    }
    assert_eq!(reversals, 0, "the pool keeps the size that the peaks need");
}

#[test]
fn s11_an_old_peak_is_forgotten_though_wishes_change_all_the_time() {
    let mut root = Root::with(spec(3, 1, 8));
    root.settle();
    let mut tell = |seconds: u64, load: fn(u64) -> u64| {
        for second in 0..seconds {
            for (worker, _) in root.state.workers("workers", None, 20) {
                root.report(worker, load(second));
            }
            root.run(1);
        }
        root.state.workers("workers", None, 20).len()
    };
    let many = tell(60, |_| 40);
    assert_eq!(many, 8, "a peak");
    // Another wish every second: as many as are remembered fill no more than the window of 30 s.
    assert_eq!(tell(28, |second| 1 + 2 * (second % 2)), many, "held");
    assert!(tell(8, |second| 1 + 2 * (second % 2)) < many, "let go");
}

#[test]
fn s12_load_that_returns_during_a_drain_takes_the_member_back() {
    let mut root = Root::with(spec(3, 1, 8));
    root.settle();
    for _ in 0..20 {
        for (worker, _) in root.state.workers("workers", None, 20) {
            root.report(worker, 8);
        }
        root.run(1);
    }
    let many = root.state.workers("workers", None, 20).len();
    while in_phase(&root.state, Phase::Draining).is_empty() {
        for (worker, _) in root.state.workers("workers", None, 20) {
            root.report(worker, 0);
        }
        root.run(1);
    }
    let draining = in_phase(&root.state, Phase::Draining);
    root.story();
    for (worker, _) in root.state.workers("workers", None, 20) {
        root.report(worker, 40);
    }
    root.run(2);
    for id in draining {
        assert_eq!(
            root.state.row(id).map(|row| row.phase),
            Some(Phase::InService)
        );
    }
    assert!(root.state.workers("workers", None, 20).len() >= many);
    let story = root.story();
    let back = story.find("load-returned").expect("the member came back");
    assert!(
        story.find("! install").is_none_or(|install| back < install),
        "{story}"
    );
}

#[test]
fn s18_a_lowered_max_drains_down_in_budgeted_steps() {
    let mut root = Root::with(spec(8, 8, 8));
    root.settle();
    root.run(3);
    let mut lowered = spec(3, 1, 3);
    lowered.pools[0].disruption_percent = 10;
    root.feed(&hatchery_core::Input::Apply(Box::new(lowered)));
    let mut most = 0;
    for _ in 0..200 {
        for (worker, _) in root.state.workers("workers", None, 20) {
            root.report(worker, 4);
        }
        root.run(1);
        most = most.max(in_phase(&root.state, Phase::Draining).len());
    }
    assert_eq!(root.state.workers("workers", None, 20).len(), 3);
    assert_eq!(most, 1, "ten per cent of eight, at least one");
}

#[test]
fn s01_s03_members_never_exceed_max_and_departed_ones_do_not_count() {
    let mut root = Root::with(spec(2, 2, 2));
    root.settle();
    for round in 0..10 {
        let (worker, _) = root.state.workers("workers", None, 2)[0];
        root.command(
            &format!("r{round}"),
            hatchery_core::Command::Recycle(worker),
        );
        root.run(15);
        assert_eq!(root.state.workers("workers", None, 20).len(), 2);
    }
}

/// The place of a worker that leaves is free at once: its successor is installed while it drains.
#[test]
fn s03_a_worker_that_drains_holds_up_no_successor() {
    let mut root = Root::with(spec(2, 2, 2));
    root.settle();
    let (worker, _) = root.state.workers("workers", None, 2)[0];
    root.command("one", hatchery_core::Command::Recycle(worker));
    root.tick();
    assert_eq!(in_phase(&root.state, Phase::Draining), [worker]);
    assert_eq!(in_phase(&root.state, Phase::Installing).len(), 1);
}

#[test]
fn s13_those_that_leave_are_those_that_the_plan_names() {
    let mut root = Root::with(spec(3, 1, 8));
    root.settle();
    for _ in 0..4 {
        for (worker, _) in root.state.workers("workers", None, 20) {
            report_quietly(&mut root, worker, 30);
        }
        root.run(10);
    }
    assert_eq!(root.state.workers("workers", None, 20).len(), 8);
    let mut left = 0;
    for turn in 0..40 {
        for (place, (worker, _)) in root.state.workers("workers", None, 20).iter().enumerate() {
            report_quietly(&mut root, *worker, (place as u64 * 7 + turn) % 3);
        }
        root.now = root.now + Nanos::from_secs(3);
        let before = in_phase(&root.state, Phase::Draining);
        let plan = plan_pool(&root.state, root.now, &root.vitals, "workers");
        let mut planned = plan.expect("a pool of the spec").cordon;
        if !root.first_plan() {
            continue;
        }
        planned.sort();
        let mut draining = in_phase(&root.state, Phase::Draining);
        draining.retain(|id| !before.contains(id));
        assert_eq!(planned, draining);
        left += draining.len();
        root.tick();
        root.settle();
    }
    assert!(left >= 3, "only {left} left");
}
