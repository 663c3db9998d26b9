//! A spec that root cannot pay for is told apart before it is applied, and no other is.

use crate::fixture::{Root, spec};
use hatchery_core::{Input, Vitals, unpayable};
use hatchery_types::{Cycles, FleetSpec};

/// A fleet of the counts, without load.
fn fleet(warm: u32, min: u32, initial: u32, max: u32) -> FleetSpec {
    let mut spec = spec(warm, min, max);
    spec.pools[0].initial = initial;
    spec.reserve = Cycles(10 * Cycles::T);
    spec
}

fn with(root: &Root, liquid: u128, spec: &FleetSpec) -> Option<String> {
    let vitals = Vitals {
        liquid: Cycles(liquid * Cycles::T),
        ..root.vitals
    };
    let said = unpayable(&root.state, &vitals, spec);
    said.map(|(reason, text)| format!("{}: {text}", reason.name()))
}

fn fresh() -> Root {
    let mut root = Root::with(fleet(0, 0, 0, 1));
    root.settle();
    root
}

#[test]
fn what_is_needed_at_least_counts_and_nothing_else() {
    let root = fresh();
    // Eight at 5 T and what a call holds, above a reserve of 10 T.
    let mut wanted = fleet(3, 2, 5, 100);
    // A pool that is new begins with its `initial`.
    "others".clone_into(&mut wanted.pools[0].name);
    let text = with(&root, 50, &wanted).expect("50 T are too little");
    assert!(
        text.starts_with("unpayable: pools.others (min 2, initial 5)"),
        "{text}"
    );
    for part in [
        "8 canisters",
        "warm_pool.minimum 3",
        "reserve of 10.000 T",
        "Send it",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(with(&root, 51, &wanted), None);
    let grows = fleet(0, 0, 0, 1_000_000);
    assert_eq!(with(&root, 0, &grows), None, "it only may grow");
    let mut off = fleet(0, 50, 50, 50);
    off.pools[0].enabled = false;
    assert_eq!(with(&root, 0, &off), None, "it is switched off");
}

#[test]
fn what_is_there_is_not_paid_for_again_and_less_is_always_taken() {
    let mut root = fresh();
    root.feed(&Input::Apply(Box::new(fleet(3, 2, 2, 10))));
    root.run(60);
    assert_eq!(root.state.rows_len(), 5);
    assert_eq!(with(&root, 0, &fleet(3, 2, 2, 10)), None);
    assert_eq!(
        with(&root, 0, &fleet(0, 5, 5, 10)),
        None,
        "spare ones may serve"
    );
    assert!(with(&root, 10, &fleet(3, 3, 3, 10)).is_some());
    // What is asked for now is not there yet: asking for a little less is no debt.
    root.feed(&Input::Apply(Box::new(fleet(50, 2, 2, 10))));
    assert_eq!(with(&root, 0, &fleet(40, 2, 2, 10)), None);
    assert_eq!(with(&root, 0, &fleet(50, 2, 2, 10)), None);
    assert!(with(&root, 0, &fleet(51, 2, 2, 10)).is_some());
}
