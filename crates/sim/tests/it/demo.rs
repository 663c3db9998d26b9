//! The demo meets every condition, plain and with faults, and says the same twice.

use crate::wasm;
use hatchery_sim::demo::{Demo, DemoConfig, FLEET_TOML, Summary};

/// Seeds with faults in this test; `HATCHERY_DEMO_SEEDS` asks for more.
const CHAOS_SEEDS: u64 = 20;

fn run(seed: u64, chaos: bool) -> (Summary, String) {
    let config = DemoConfig {
        seed,
        chaos,
        root_wasm: wasm::load("hatchery_root"),
        worker_wasm: wasm::load("hatchery_worker"),
        fleet_toml: FLEET_TOML.to_owned(),
        cache_dir: Some(wasm::cache()),
    };
    let mut demo = Demo::start(config, &mut |_| {}).expect("the demo starts");
    while !demo.is_over() {
        demo.step().expect("root answers");
    }
    let summary = demo.finish().expect("root answers");
    let violations: Vec<_> = demo.violations().collect();
    (summary, violations.join("\n"))
}

fn check(seed: u64, chaos: bool) {
    let (summary, violations) = run(seed, chaos);
    let fails = summary.what_fails();
    assert!(
        summary.ok && fails.is_empty(),
        "seed {seed}, chaos {chaos}: {fails:?}\n{violations}\n{summary:#?}"
    );
}

#[test]
fn demo_meets_every_condition() {
    (0..2).for_each(|seed| check(seed, false));
}

#[test]
fn demo_with_chaos_meets_every_condition() {
    let wanted = std::env::var("HATCHERY_DEMO_SEEDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let seeds = wanted.unwrap_or(CHAOS_SEEDS);
    std::thread::scope(|scope| {
        let odd = scope.spawn(move || (1..seeds).step_by(2).for_each(|seed| check(seed, true)));
        (0..seeds).step_by(2).for_each(|seed| check(seed, true));
        odd.join().expect("a seed failed, see above");
    });
}

#[test]
fn demo_says_the_same_twice() {
    for chaos in [false, true] {
        assert_eq!(run(7, chaos).0, run(7, chaos).0);
    }
}
