//! A worker written in Motoko, compiled by npm's `motoko`: it links none of our code, and its pool
//! follows the number that root asks it for. What this compiler makes has 64-bit memory.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail, ensure};
use hatchery_sim::demo::{FLEET_TOML, read_fleet};
use hatchery_sim::world::FleetWorld;
use hatchery_types::{
    CanisterId, DrainSpec, FleetSpec, ModuleHash, Nanos, Phase, PoolSpec, PullSpec, RoleSpec,
    SignalSpec, Source,
};

use crate::packages::Packages;
use crate::report::Report;

pub(crate) const PEER: &str = "Motoko (npm motoko 4.10)";
const SECOND: u64 = 1_000_000_000;

/// Every check of this peer, on a fleet of its own.
pub(crate) fn run(packages: &Packages, report: &mut Report) {
    let Some(module) = report.note(&format!("{PEER}: compiles"), compiled(packages)) else {
        return;
    };
    let outcome = scales(&module);
    report.note(
        &format!("{PEER}: a pool follows a number it is asked for"),
        outcome,
    );
}

fn compiled(packages: &Packages) -> anyhow::Result<Vec<u8>> {
    let output = Command::new("node")
        .arg("compile.mjs")
        .current_dir(packages.folder())
        .output()
        .context("node could not be started")?;
    if !output.status.success() {
        bail!(
            "node: {}",
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(std::fs::read(packages.folder().join("load.wasm"))?)
}

/// One worker says 35, of which each is to have 10: there are four; when they are done, fewer.
fn scales(module: &[u8]) -> anyhow::Result<()> {
    let root = wasm()?;
    let mut world = FleetWorld::start(1, None, &root)?;
    let module = world.upload_module(module)?;
    world.apply(&fleet(module)?)?;
    world.pass(90, SECOND);
    let workers = at_work(&mut world)?;
    ensure!(
        workers.len() == 1,
        "{} workers before any load",
        workers.len()
    );
    tell(&mut world, workers[0], "take", &candid::encode_one(35_u64)?)?;
    world.pass(25, SECOND);
    let grown = at_work(&mut world)?;
    ensure!(grown.len() == 4, "{} workers for 35 jobs", grown.len());
    for worker in grown {
        tell(&mut world, worker, "finish", &candid::encode_args(())?)?;
    }
    world.pass(300, SECOND);
    let left = at_work(&mut world)?;
    ensure!(
        left.len() == 1,
        "{} workers after the load went",
        left.len()
    );
    Ok(())
}

/// A pool of the Motoko module that asks its members every ten seconds.
fn fleet(module: ModuleHash) -> anyhow::Result<FleetSpec> {
    let mut spec = read_fleet(FLEET_TOML, module)?;
    spec.roles = vec![RoleSpec {
        drain: DrainSpec {
            method: None,
            deadline: Nanos::from_secs(10),
        },
        pulls: vec![PullSpec {
            signal: "load".to_owned(),
            method: "load".to_owned(),
            field: None,
            multiply: 1,
            every: Nanos::from_secs(10),
        }],
        ..RoleSpec::new("motoko", module)
    }];
    let mut pool = PoolSpec::new("workers", "motoko", 1, 6);
    pool.scale_down.window = Nanos::from_secs(60);
    pool.valid_for = Nanos::from_secs(10);
    pool.signals = vec![SignalSpec {
        source: Source::Pulled,
        warm_up: Nanos(0),
        stale_after: Nanos::from_secs(60),
        ..SignalSpec::new("load", 10)
    }];
    spec.pools = vec![pool];
    Ok(spec)
}

fn at_work(world: &mut FleetWorld) -> anyhow::Result<Vec<CanisterId>> {
    let rows = world.rows()?;
    let at_work = rows.iter().filter(|row| row.phase == Phase::InService);
    Ok(at_work.map(|row| row.canister).collect())
}

fn tell(
    world: &mut FleetWorld,
    worker: CanisterId,
    method: &str,
    argument: &[u8],
) -> anyhow::Result<()> {
    let caller = world.operator;
    let answer = world
        .engine
        .update(caller, worker.0, method, argument.to_vec());
    answer.map(drop).with_context(|| format!("`{method}`"))
}

fn wasm() -> anyhow::Result<Vec<u8>> {
    let folder = std::env::var_os("HATCHERY_WASM_DIR").map(PathBuf::from);
    let built = || PathBuf::from("target/wasm32-unknown-unknown/canister");
    let path = folder.unwrap_or_else(built).join("hatchery_root.wasm");
    std::fs::read(&path)
        .with_context(|| format!("{}: `cargo xtask canisters` builds it", path.display()))
}
