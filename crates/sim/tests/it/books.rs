//! Cycles on the real root: the engine's account is exact, and root's own books come within one per
//! cent of it.

use crate::world::{settle, start};
use hatchery_types::Phase;

const MINUTE: u64 = 60_000_000_000;

#[test]
fn a_spec_that_root_cannot_pay_for_is_refused_and_changes_nothing() {
    let (mut world, mut spec) = start();
    settle(&mut world, &spec);
    let before = world.status().expect("root answers");
    // 1,000 T are all that root ever had.
    spec.pools[0].max = 400;
    world.apply(&spec).expect("it only may grow");
    let generation = world.status().expect("root answers").generation;
    spec.pools[0].min = 300;
    spec.pools[0].initial = 300;
    let refused = world.apply(&spec).expect_err("it cannot be paid");
    let refused = refused.refused().expect("with a reason");
    assert_eq!(refused.reason.name, "unpayable");
    assert!(refused.detail.contains("Send it"), "{}", refused.detail);
    world.pass(20, 1_000_000_000);
    let after = world.status().expect("root answers");
    assert_eq!(after.generation, generation);
    assert_eq!(after.ledger.spent, before.ledger.spent, "nothing is bought");
    spec.pools[0].min = 10;
    spec.pools[0].initial = 10;
    world.apply(&spec).expect("that can be paid");
}

#[test]
fn cycles_are_conserved_and_what_is_derived_as_burned_is_within_one_per_cent() {
    let (mut world, spec) = start();
    settle(&mut world, &spec);
    assert!(world.engine.cycles_account().is_balanced());
    // Canisters come and go, and each is looked at again.
    let rows = world.rows().expect("root answers");
    let worker = rows.iter().find(|row| row.phase == Phase::InService);
    let canister = worker.expect("settled").canister;
    let request = hatchery_api::CommandRequest {
        operation: hatchery_types::OperationId("turn".to_owned()),
        command: hatchery_api::Command::Recycle { canister },
    };
    world.command(&request).expect("it is taken");
    world.pass(26 * 60, MINUTE);
    assert!(
        world.engine.cycles_account().is_balanced(),
        "exactly, always"
    );
    let ledger = world.status().expect("root answers").ledger;
    let rows = world.rows().expect("root answers");
    let held: u128 = rows
        .iter()
        .filter_map(|row| world.engine.canister(row.canister.0))
        .map(|canister| canister.cycles)
        .sum();
    let came = ledger.spent.0 + ledger.topped_up.0 + ledger.received.0;
    let left = ledger.swept.0 + ledger.discarded.0 + ledger.given_away.0;
    let burned = came - left - held;
    let off = burned.abs_diff(ledger.burned.0);
    assert!(
        burned > 0 && off * 100 <= burned,
        "{burned} are burned: {ledger:?}"
    );
}
