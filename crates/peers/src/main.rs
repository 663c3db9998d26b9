//! The network against the clients that people use: `hatchery-peers` runs every check of every peer
//! and prints what ran, failed and was skipped, with `--json` as one object. A peer that is skipped
//! is a failure, unless `OFFLINE=1` says that nothing can be fetched.

mod agent;
mod both;
mod canister;
mod icp;
mod javascript;
mod motoko;
mod operator;
mod packages;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use candid::Principal;
use hatchery_engine::{Config, InstallMode};
use hatchery_network::{Network, Options, engine_now};

use packages::Packages;
use report::Report;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, json) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [folder] => (PathBuf::from(folder), false),
        [folder, "--json"] => (PathBuf::from(folder), true),
        _ => {
            eprintln!("usage: hatchery-peers <folder for packages> [--json]");
            return ExitCode::from(2);
        }
    };
    let mut report = Report::default();
    if let Err(error) = run(&folder, &mut report) {
        eprintln!("error: {error:#}");
        return ExitCode::FAILURE;
    }
    if json {
        println!("{}", report.to_json());
    }
    let offline = std::env::var_os("OFFLINE").is_some_and(|value| value == "1");
    if report.has_failed() || (report.has_skipped() && !offline) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run(folder: &std::path::Path, report: &mut Report) -> anyhow::Result<()> {
    let network = Network::start(&Options::default(), || engine_now(Config::default()))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(agent::run(&network, report));
    match Packages::fetch(folder) {
        Ok(packages) => {
            let canister = counter(&network)?;
            javascript::run(&network, canister, &packages, report);
            icp::run(&network, &packages, report);
            motoko::run(&packages, report);
        }
        Err(error) => {
            report.skip(javascript::PEER, &error);
            report.skip(icp::PEER, &error);
            report.skip(motoko::PEER, &error);
        }
    }
    let balanced = network.visit(|engine| engine.cycles_account().is_balanced())?;
    anyhow::ensure!(balanced, "bug: cycles were lost or made");
    network.stop()?;
    Ok(())
}

/// A counter, made without any client.
fn counter(network: &Network) -> anyhow::Result<Principal> {
    let installed = network.visit(|engine| {
        let me = Principal::anonymous();
        let id = engine.create_canister(me, 100_000_000_000_000);
        let wasm = canister::module(1);
        let arg = b"DIDL\0\0".to_vec();
        let installed = engine.install(me, id, &wasm, arg, InstallMode::Install);
        installed.map(|()| id)
    })?;
    Ok(installed?)
}
