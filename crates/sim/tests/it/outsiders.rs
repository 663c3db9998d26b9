//! What others do to the fleet's canisters behind root's back, on the real root: seen within a day,
//! told by the row, and made good.

use hatchery_api::RowView;
use hatchery_sim::world::{FleetWorld, stranger};
use hatchery_types::{CanisterId, Phase};

/// Members at work.
const MEMBERS: u32 = 4;
const MINUTE: u64 = 60_000_000_000;
/// A day and what it takes to act on what was seen.
const MINUTES: u64 = 26 * 60;

fn at_work(world: &mut FleetWorld) -> Vec<CanisterId> {
    let rows = world.rows().expect("root answers");
    let at_work = rows.iter().filter(|row| row.phase == Phase::InService);
    at_work.map(|row| row.canister).collect()
}

fn row_of(world: &mut FleetWorld, canister: CanisterId) -> Option<RowView> {
    let rows = world.rows().expect("root answers");
    rows.into_iter().find(|row| row.canister == canister)
}

#[test]
fn p21_what_outsiders_do_to_members_is_seen_and_made_good() {
    let (mut world, mut spec) = crate::world::start();
    spec.pools[0].min = MEMBERS;
    spec.pools[0].initial = MEMBERS;
    world.apply(&spec).expect("the spec is good");
    crate::world::settle(&mut world, &spec);
    let members = at_work(&mut world);
    let [deleted, uninstalled, taken, shared] = members[..] else {
        panic!("{MEMBERS} members were wanted, there are {members:?}")
    };
    let root = world.root.0;
    world.engine.delete_canister(deleted.0);
    world.engine.uninstall(uninstalled.0);
    world.engine.set_controllers(taken.0, vec![stranger()]);
    world
        .engine
        .set_controllers(shared.0, vec![root, stranger()]);
    world.pass(MINUTES, MINUTE);

    let now = at_work(&mut world);
    assert_eq!(now.len(), MEMBERS as usize, "replaced: {now:?}");
    for gone in [deleted, taken] {
        assert!(!now.contains(&gone), "{gone} is listed");
        let row = row_of(&mut world, gone);
        assert!(
            row.as_ref().is_none_or(|row| row.phase == Phase::Lost),
            "{row:?}"
        );
    }
    for member in now {
        let truth = world.engine.canister(member.0).expect("there");
        assert_eq!(
            truth.module_hash.map(hatchery_types::ModuleHash),
            Some(spec.roles[0].module),
            "{member}"
        );
        assert!(!truth.controllers.contains(&stranger()), "{member}");
    }
    let census = world.census(&spec).expect("root answers");
    assert!(census.violations.is_empty(), "{census:?}");
}
