//! The launcher protocol of `icp` 1.5, interface version 1.1.0: arguments in, one line of JSON in
//! `status.json` when the network is up, SIGINT to stop.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;

use super::{Serve, start, until_told_to_stop};

/// Where `icp` creates its first canisters: the first id there is.
const FIRST_CANISTER: &str = "i3flu-baaaa-aaaai-aaaaa-cai";

/// What `icp network start` passes. What is about networks of many subnets and about the platform's
/// own canisters is taken and has no effect.
#[derive(Debug, Parser)]
#[command(name = "hatchery-engine")]
struct Launch {
    #[arg(long)]
    interface_version: String,
    #[arg(long)]
    state_dir: PathBuf,
    #[arg(long)]
    status_dir: PathBuf,
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,
    #[arg(long, default_value_t = 0)]
    gateway_port: u16,
    #[arg(long)]
    config_port: Option<u16>,
    #[arg(long)]
    verbose: bool,
    #[arg(long)]
    ii: bool,
    #[arg(long)]
    nns: bool,
    #[arg(long)]
    artificial_delay_ms: Option<u64>,
    #[arg(long)]
    subnet: Vec<String>,
    #[arg(long)]
    domain: Vec<String>,
}

/// Whether the program is called as a launcher.
pub(super) fn is_launch(mut arguments: impl Iterator<Item = String>) -> bool {
    arguments.any(|argument| argument.starts_with("--interface-version"))
}

/// Serves, says where, and stops when told to.
pub(super) fn run() -> anyhow::Result<()> {
    let launch = Launch::parse();
    let network = start(&Serve {
        port: launch.gateway_port,
        bind: launch.bind,
        state_dir: Some(launch.state_dir),
        seed: 0,
    })?;
    let status = format!(
        "{{\"v\":\"1\",\"instance_id\":null,\"config_port\":null,\"gateway_port\":{},\
         \"root_key\":\"{}\",\"default_effective_canister_id\":\"{FIRST_CANISTER}\",\
         \"supported_features\":[]}}\n",
        network.address().port(),
        network.root_key_hex(),
    );
    let path = launch.status_dir.join("status.json");
    std::fs::write(&path, status).with_context(|| format!("{}", path.display()))?;
    until_told_to_stop(&network)?;
    Ok(network.stop()?)
}
