//! What is counted of the worker pools' operations, and that it outlives an upgrade.

use crate::fixture::{Root, refused, spec};
use expect_test::{Expect, expect};
use hatchery_core::{Checkpoint, Event, Input};
use hatchery_types::{EffectKind, FleetSpec, PoolSpec};
use std::fmt::Write;

fn check(root: &Root, expected: &Expect) {
    let mut told = String::new();
    for ((operation, ended, reason), count) in &root.state.metrics().counters {
        let (operation, ended) = (operation.name(), ended.name());
        writeln!(told, "{operation} {ended} {reason}: {count}").expect("a String takes text");
    }
    expected.assert_eq(&told);
}

#[test]
fn a_pool_that_starts_is_counted_from_its_configuration_to_its_registration() {
    let mut root = Root::with(spec(1, 1, 3));
    root.settle();
    check(
        &root,
        &expect![[r#"
        bootstrap-config started satisfied: 1
        bootstrap-config completed satisfied: 1
        bootstrap-pool started below-initial: 1
        bootstrap-pool completed signals-missing: 1
        bootstrap-pool failed module-missing: 1
        bootstrap-pool failed no-ready-canister: 1
        plan started satisfied: 4
        plan completed below-minimum: 1
        plan completed signals-missing: 1
        plan failed module-missing: 1
        plan failed no-ready-canister: 1
        create started claimed: 1
        create completed installed: 1
        register started installed: 1
        register completed installed: 1
    "#]],
    );
    let counted = root.state.metrics().clone();
    root.upgrade();
    assert_eq!(*root.state.metrics(), counted, "kept over an upgrade");
}

#[test]
fn what_fails_and_what_is_skipped_is_counted_with_its_reason() {
    let mut root = Root::with(spec(1, 1, 3));
    root.settle_but_installs();
    let install = root.take(|kind| matches!(kind, EffectKind::Install { .. }));
    root.answer(&install[0], &[refused(5), refused(5)]);
    let without = |pools: Vec<PoolSpec>| FleetSpec {
        pools,
        ..spec(1, 1, 3)
    };
    let disabled = PoolSpec {
        enabled: false,
        ..spec(1, 1, 3).pools.remove(0)
    };
    root.feed(&Input::Apply(Box::new(without(vec![disabled]))));
    root.tick();
    check(
        &root,
        &expect![[r#"
            bootstrap-config started satisfied: 2
            bootstrap-config completed satisfied: 1
            bootstrap-config skipped disabled: 1
            bootstrap-pool started below-initial: 1
            bootstrap-pool failed module-missing: 2
            bootstrap-pool failed no-ready-canister: 1
            plan started satisfied: 5
            plan completed below-minimum: 1
            plan skipped disabled: 1
            plan failed module-missing: 2
            plan failed no-ready-canister: 1
            create started claimed: 1
            create failed refused: 1
            reset started refused: 1
        "#]],
    );
}

#[test]
fn steps_are_told_apart_by_what_they_decide_and_their_costs_add_up() {
    let mut root = Root::with(spec(1, 1, 3));
    root.state
        .apply(root.now, Event::Measured(Checkpoint::Plan, 7));
    root.state
        .apply(root.now, Event::Measured(Checkpoint::Plan, 3));
    root.tick();
    let cost = root.state.metrics().costs[&Checkpoint::Plan];
    assert_eq!((cost.count, cost.instructions, cost.most), (2, 10, 7));
    let mut steps = Vec::new();
    for _ in 0..5 {
        while let Some(effect) = root.open.pop() {
            root.open.push(effect);
            root.settle_one();
            for _ in 0..100 {
                let decision = root.feed(&Input::Tick(root.vitals));
                steps.extend(Checkpoint::of(&decision));
                if !decision.more {
                    break;
                }
            }
        }
    }
    for step in [Checkpoint::Create, Checkpoint::Register, Checkpoint::Plan] {
        assert!(steps.contains(&step), "{step:?} is not among {steps:?}");
    }
}
