//! The decision log on the real root: why a pool is what it is, and the same plan again in another
//! network that holds nothing but root's module.

use crate::wasm;
use hatchery_api::{DecisionView, PAGE_MAX, ReplayRequest};
use hatchery_sim::demo::{FLEET_TOML, read_fleet};
use hatchery_sim::world::FleetWorld;

const HALF_SECOND: u64 = 500_000_000;

/// The views that lead to a decision, the whole one first.
fn views_of(decisions: &[DecisionView], position: usize) -> ReplayRequest {
    let whole = match decisions[position].base {
        0 => decisions[position].number,
        base => base,
    };
    let older = decisions[position..].iter();
    let mut views: ReplayRequest = older
        .take_while(|it| it.number >= whole)
        .map(|it| it.view.clone())
        .collect();
    views.reverse();
    views
}

#[test]
fn another_root_makes_the_same_plans_from_the_recorded_views() {
    let root_wasm = wasm::load("hatchery_root");
    let mut world = FleetWorld::start(1, Some(wasm::cache()), &root_wasm).expect("root installs");
    let module = world
        .upload_module(&wasm::load("hatchery_worker"))
        .expect("the module is good");
    let mut spec = read_fleet(FLEET_TOML, module).expect("the demo's fleet is one");
    world.apply(&spec).expect("the spec is good");
    let pool = spec.pools[0].name.clone();
    for min in [spec.pools[0].initial, 4, 1, 5, 2] {
        spec.pools[0].min = min;
        world.apply(&spec).expect("the spec is good");
        world.pass(80, HALF_SECOND);
    }
    let decisions = world.decisions(&pool).expect("root answers");
    assert!(decisions.len() > 5, "{} decisions", decisions.len());
    assert!(
        decisions.iter().any(|it| it.base > 0),
        "some tell only what changed"
    );

    let mut other = FleetWorld::start(2, Some(wasm::cache()), &root_wasm).expect("root installs");
    for (position, decision) in decisions.iter().enumerate() {
        let again = other
            .replay(&views_of(&decisions, position))
            .expect("root answers");
        assert_eq!(again.plan, decision.plan, "decision {}", decision.number);
        assert_eq!(
            again.digest, decision.digest,
            "decision {}",
            decision.number
        );
    }
    let nonsense = other.replay(&vec![b"nonsense".to_vec()]);
    assert!(nonsense.is_err_and(|error| error.refused().is_some()));
}

#[test]
fn a_pool_says_why_and_so_does_every_member() {
    let root_wasm = wasm::load("hatchery_root");
    let mut world = FleetWorld::start(1, Some(wasm::cache()), &root_wasm).expect("root installs");
    let module = world
        .upload_module(&wasm::load("hatchery_worker"))
        .expect("the module is good");
    let spec = read_fleet(FLEET_TOML, module).expect("the demo's fleet is one");
    world.apply(&spec).expect("the spec is good");
    world.pass(120, HALF_SECOND);
    let pool = &spec.pools[0].name;
    let why = world.why(pool).expect("root answers");
    assert!(!why.reasons.is_empty());
    assert!(why.decided_at.is_some() && why.did.is_some());
    assert!(!why.members.is_empty() && why.members.len() <= PAGE_MAX as usize);
    assert!(
        why.members
            .iter()
            .all(|it| it.victim.is_some() || it.spared.is_some())
    );
    assert!(world.why("nobody").is_err());
}
