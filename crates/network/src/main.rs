//! `hatchery-engine serve`: the network as a program of its own, and as the launcher that
//! `icp network start` calls when `ICP_CLI_NETWORK_LAUNCHER_PATH` names it. It decides nothing.

mod launcher;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Parser};
use hatchery_engine::Config;
use hatchery_network::{Network, Options, Time, engine_now};
use tokio::signal::unix::{SignalKind, signal};

/// Files that may be open at once, where the system lets us choose: one for each connection.
const OPEN_FILES: u64 = 8_192;
/// Time between two saves of a world in which something happened.
const SAVE_EVERY: Duration = Duration::from_mins(1);

/// An Internet Computer on this machine.
#[derive(Debug, Parser)]
#[command(name = "hatchery-engine", version)]
enum Command {
    /// Serve a network until SIGINT or SIGTERM.
    Serve(Serve),
}

#[derive(Debug, Args)]
struct Serve {
    /// Port to listen at; 0 is any free one.
    #[arg(long, default_value_t = 4943)]
    port: u16,
    /// Address to listen at. Whoever can reach it has this network's cycles.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,
    /// Folder that the network is restored from and saved to; without it, the network is
    /// forgotten.
    #[arg(long)]
    state_dir: Option<PathBuf>,
    /// Seed of a new network, which its root key follows from.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> ExitCode {
    let run = || {
        if launcher::is_launch(std::env::args()) {
            return launcher::run();
        }
        let Command::Serve(serve) = Command::parse();
        let network = start(&serve)?;
        println!("listening at {}", network.url());
        println!("root key {}", network.root_key_hex());
        until_told_to_stop(&network)?;
        network
            .stop()
            .context("the network did not stop as it should")
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(serve: &Serve) -> anyhow::Result<Network> {
    // Where it is not allowed, fewer connections are.
    drop(rlimit::increase_nofile_limit(OPEN_FILES));
    let options = Options {
        address: SocketAddr::from((serve.bind, serve.port)),
        time: Time::Wall,
        folder: serve.state_dir.clone(),
    };
    let config = Config {
        seed: serve.seed,
        cache_dir: serve.state_dir.as_ref().map(|dir| dir.join("compiled")),
        ..Config::default()
    };
    Ok(Network::start(&options, || engine_now(config))?)
}

/// Returns on SIGINT or SIGTERM; saves the world meanwhile.
fn until_told_to_stop(network: &Network) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        loop {
            tokio::select! {
                _ = interrupt.recv() => return Ok(()),
                _ = terminate.recv() => return Ok(()),
                () = tokio::time::sleep(SAVE_EVERY) => network.save()?,
            }
        }
    })
}
