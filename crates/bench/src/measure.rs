//! Each figure: how it is measured and what it must be. Best of a few runs where the machine's other
//! work would disturb one.

use std::time::{Duration, Instant};

use hatchery_engine::{Config, Engine, InstallMode, Principal};

use crate::http;
use crate::module;

const CANISTERS: usize = 1_000;
const CYCLES: u128 = 100_000_000_000_000;
const CALLS: u32 = 20_000;

/// One measured figure and its bound.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
    bound: Bound,
}

enum Bound {
    Below(f64),
    AtLeast(f64),
}

impl Figure {
    pub(crate) fn is_within(&self) -> bool {
        match self.bound {
            Bound::Below(bound) => self.value < bound,
            Bound::AtLeast(bound) => self.value >= bound,
        }
    }

    pub(crate) fn bound_text(&self) -> String {
        match self.bound {
            Bound::Below(bound) => format!("< {bound}"),
            Bound::AtLeast(bound) => format!(">= {bound}"),
        }
    }
}

/// All figures (issue of the engine: "What must hold").
pub(crate) fn measure() -> Vec<Figure> {
    let below = |name, value, bound| Figure {
        name,
        value,
        bound: Bound::Below(bound),
    };
    let at_least = |name, value, bound| Figure {
        name,
        value,
        bound: Bound::AtLeast(bound),
    };
    // First, while little memory is in use and nothing else has been compiled.
    let large = module::large();
    let (mut world, world_s) = world(&large);
    let world_mib = resident_mib();
    let fork_s = best(5, || drop(world.fork()));
    drop(world);
    let instance_s = best(20, || drop(Engine::new(Config::default())));
    let (updates, queries) = calls(&large);
    let (http_updates, http_queries) = http::calls();
    vec![
        below("instance_ms", instance_s * 1e3, 1.0),
        at_least("updates_per_s", updates, 10_000.0),
        at_least("queries_per_s", queries, 50_000.0),
        below("world1000_s", world_s, 5.0),
        below("world1000_mib", world_mib, 2_048.0),
        below("fork_ms", fork_s * 1e3, 50.0),
        below("heap64_ratio", heap_ratio(), 2.0),
        at_least("http_updates_per_s", http_updates, 500.0),
        at_least("http_queries_per_s", http_queries, 3_000.0),
    ]
}

/// A thousand canisters created and installed, and the seconds it took.
fn world(wasm: &[u8]) -> (Engine, f64) {
    let mut engine = Engine::new(Config::default());
    let seconds = timed(|| {
        for _ in 0..CANISTERS {
            installed(&mut engine, wasm);
        }
    });
    (engine, seconds)
}

/// Updates and queries a second on one canister.
fn calls(wasm: &[u8]) -> (f64, f64) {
    let mut engine = Engine::new(Config::default());
    let id = installed(&mut engine, wasm);
    let update_s = best(3, || {
        for _ in 0..CALLS {
            update(&mut engine, id);
        }
    });
    let query_s = best(3, || {
        for _ in 0..CALLS {
            engine
                .query(user(), id, "peek", Vec::new())
                .expect("bug: the query is refused");
        }
    });
    (f64::from(CALLS) / update_s, f64::from(CALLS) / query_s)
}

/// A small update on a heap of 64 MiB against the same on 1 MiB.
fn heap_ratio() -> f64 {
    let seconds = |bytes: usize| {
        let mut engine = Engine::new(Config::default());
        let id = installed(&mut engine, &module::with_heap(bytes));
        update(&mut engine, id);
        best(5, || {
            for _ in 0..2_000 {
                update(&mut engine, id);
            }
        })
    };
    let small = seconds(1 << 20);
    seconds(64 << 20) / small
}

fn installed(engine: &mut Engine, wasm: &[u8]) -> Principal {
    let id = engine.create_canister(user(), CYCLES);
    engine
        .install(user(), id, wasm, Vec::new(), InstallMode::Install)
        .expect("bug: the module is refused");
    id
}

fn update(engine: &mut Engine, id: Principal) {
    engine
        .update(user(), id, "count", Vec::new())
        .expect("bug: the update is refused");
}

fn user() -> Principal {
    Principal::anonymous()
}

fn best(times: usize, mut run: impl FnMut()) -> f64 {
    (0..times)
        .map(|_| timed(&mut run))
        .fold(f64::INFINITY, f64::min)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn timed(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    let elapsed: Duration = start.elapsed();
    elapsed.as_secs_f64()
}

/// Largest resident memory of this process so far in MiB; infinite where the platform does not say,
/// so that nobody takes silence for a good figure.
fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .and_then(|kib| kib.trim().parse::<f64>().ok())
        .map_or(f64::MAX, |kib| kib / 1024.0)
}
