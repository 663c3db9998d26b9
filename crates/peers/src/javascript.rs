//! `@icp-sdk/core` 6.1 in node: what it prints becomes checks.

use std::process::Command;

use anyhow::{Context, anyhow, bail};
use candid::Principal;
use hatchery_network::Network;

use crate::packages::Packages;
use crate::report::Report;

pub(crate) const PEER: &str = "@icp-sdk/core 6.1";

/// Every check of this peer, on `canister`.
pub(crate) fn run(
    network: &Network,
    canister: Principal,
    packages: &Packages,
    report: &mut Report,
) {
    match output(network, canister, packages) {
        Ok(output) => {
            for line in output.lines() {
                note(line, report);
            }
        }
        Err(error) => {
            report.note::<()>(PEER, Err(error));
        }
    }
}

fn note(line: &str, report: &mut Report) {
    if let Some(check) = line.strip_prefix("ok ") {
        report.note(&format!("{PEER}: {check}"), Ok(()));
    } else if let Some((check, text)) = line
        .strip_prefix("failed ")
        .and_then(|rest| rest.split_once(": "))
    {
        let outcome: anyhow::Result<()> = Err(anyhow!("{text}"));
        report.note(&format!("{PEER}: {check}"), outcome);
    }
}

fn output(network: &Network, canister: Principal, packages: &Packages) -> anyhow::Result<String> {
    let output = Command::new("node")
        .arg("peer.mjs")
        .current_dir(packages.folder())
        .env("NETWORK_URL", network.url())
        .env("NETWORK_ROOT_KEY", network.root_key_hex())
        .env("CANISTER", canister.to_text())
        .output()
        .context("node could not be started")?;
    if !output.status.success() {
        bail!(
            "node: {}",
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}
