//! Root's timers and its one tick, on the real wasm.

use crate::wasm;
use crate::world::{settle, start};
use hatchery_engine::InstallMode;
use hatchery_engine::trace::Event;
use hatchery_types::Phase;

const SECOND: u64 = 1_000_000_000;
const TICK: &str = "hatchery_tick";

/// Whatever asks for a tick while one is under way gets one after it.
#[test]
fn l16_one_tick_at_a_time_and_none_is_lost() {
    let (mut world, spec) = start();
    world.engine.trace_keep(1_000_000);
    // Buys, resets, installs and reports: everything that asks for a tick.
    settle(&mut world, &spec);
    world.pass(600, SECOND / 2);
    let root = world.root.0;
    let (mut under_way, mut ticks) = (0, 0);
    for entry in world.engine.trace() {
        match &entry.event {
            Event::Sent {
                from, to, method, ..
            } if (*from, *to, method.as_str()) == (root, root, TICK) => {
                under_way += 1;
                ticks += 1;
            }
            Event::Executed {
                canister, entry, ..
            } if *canister == root
                && (entry == "reply hatchery_tick" || entry == "reject hatchery_tick") =>
            {
                under_way -= 1;
            }
            _ => {}
        }
        assert!((0..=1).contains(&under_way), "{under_way} at {entry}");
    }
    assert!(ticks > 20, "{ticks} ticks");
    assert_eq!(under_way, 0, "each was answered");
}

/// Nothing calls root after its upgrade: its own timers bring it back to work.
#[test]
fn l17_timers_are_armed_again_after_an_upgrade() {
    let (mut world, spec) = start();
    settle(&mut world, &spec);
    let module = wasm::load("hatchery_root");
    let mode = InstallMode::Upgrade {
        skip_pre_upgrade: false,
    };
    let root = world.root.0;
    // A worker is gone, and nobody says so: root's own look at it is a day away.
    let rows = world.rows().expect("root answers");
    let worker = rows.iter().find(|row| row.phase == Phase::InService);
    let worker = worker.expect("settled").canister;
    world
        .engine
        .install(world.operator, root, &module, Vec::new(), mode)
        .expect("nothing is open");
    assert!(world.engine.delete_canister(worker.0));
    world.engine.trace_keep(1_000_000);
    let hour = 3_600;
    world.pass(hour, SECOND);
    let ticks: Vec<u64> = world
        .engine
        .trace()
        .filter(|it| {
            matches!(&it.event, Event::Sent { to, method, .. } if *to == root && method == TICK)
        })
        .map(|it| it.time_ns)
        .collect();
    assert!(ticks.len() >= 3, "the first check and the watchdog");
    let rows = world.rows().expect("root answers");
    let row = rows.iter().find(|row| row.canister == worker);
    assert_ne!(
        row.map(|row| row.phase),
        Some(Phase::InService),
        "root looked"
    );
    let at_work = rows.iter().filter(|row| row.phase == Phase::InService);
    assert!(at_work.count() >= spec.pools[0].min as usize);
}
