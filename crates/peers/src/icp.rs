//! The `icp` program 1.5: a small project from nothing to deleted, as a developer does it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use hatchery_network::Network;

use crate::both;
use crate::canister;
use crate::operator;
use crate::packages::Packages;
use crate::report::Report;

pub(crate) const PEER: &str = "icp 1.5.0";

/// The canister of every project.
const COUNTER: &str = "canisters:\n  - name: counter\n    build:\n      steps:\n        - type: pre-built\n          path: counter.wasm\n";

/// The program in a project of its own, with a home of its own.
pub(crate) struct Icp {
    program: PathBuf,
    project: PathBuf,
    home: PathBuf,
}

/// Every check of this peer.
pub(crate) fn run(network: &Network, packages: &Packages, report: &mut Report) {
    let icp = match Icp::new(network, packages) {
        Ok(icp) => icp,
        Err(error) => {
            report.note::<()>(PEER, Err(error));
            return;
        }
    };
    let url = network.url();
    for (check, arguments, words) in CHECKS {
        let line = arguments.replace("URL", &url);
        let outcome = icp.ask(&line, words);
        report.note(&format!("{PEER}: {check}"), outcome);
    }
    report.note(&format!("{PEER}: upgrade"), icp.upgrade());
    operator::run(network, &icp, report);
    both::run(network, packages, &icp, report);
    let launched = launch(packages);
    report.note(&format!("{PEER}: network start, deploy, stop"), launched);
    for (check, arguments, words) in LAST_CHECKS {
        report.note(&format!("{PEER}: {check}"), icp.ask(arguments, words));
    }
}

/// Name, arguments, words that the output must contain.
type Check = (&'static str, &'static str, &'static str);

const CHECKS: &[Check] = &[
    ("network ping", "network ping URL", "healthy"),
    ("identity", "identity principal", "-"),
    ("cycles balance", "cycles balance -e here", "cycles"),
    (
        "canister create",
        "canister create counter -e here",
        "Created canister",
    ),
    ("deploy", "deploy -e here", "Deployed"),
    ("call", "canister call counter inc () -e here", "1"),
    ("call again", "canister call counter inc () -e here", "2"),
    ("query", "canister call counter get () --query -e here", "2"),
    ("status", "canister status counter -e here", "Running"),
    (
        "metadata",
        "canister metadata counter candid:service -e here",
        "inc",
    ),
    ("logs", "canister logs counter -e here", "counted"),
    ("stop", "canister stop counter -e here", ""),
    (
        "status, stopped",
        "canister status counter -e here",
        "Stopped",
    ),
    ("start", "canister start counter -e here", ""),
    (
        "settings update",
        "canister settings update counter --freezing-threshold 3000000 -e here",
        "",
    ),
    (
        "settings show",
        "canister settings show counter -e here",
        "3_000_000",
    ),
    (
        "top-up",
        "canister top-up counter --amount 1t -e here",
        "Topped up",
    ),
];

const LAST_CHECKS: &[Check] = &[
    ("stop before delete", "canister stop counter -e here", ""),
    ("delete", "canister delete counter -e here", "Recovered"),
];

/// A network that `icp` starts itself, with our program in place of its launcher.
fn launch(packages: &Packages) -> anyhow::Result<()> {
    let project = empty(&packages.folder().join("launched"))?;
    // Free a moment ago; nobody takes it in between but by chance.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let yaml = format!(
        "{COUNTER}networks:\n  - name: local\n    mode: managed\n    gateway:\n      port: {port}\n"
    );
    std::fs::write(project.join("icp.yaml"), yaml)?;
    std::fs::write(project.join("counter.wasm"), canister::module(1))?;
    let icp = Icp {
        program: packages.icp(),
        home: empty(&packages.folder().join("launched-home"))?,
        project,
    };
    icp.ask("network start -d", "Network started")?;
    let used = icp.use_launched();
    // Whatever happened, the network is not left behind.
    icp.ask("network stop", "stopped")?;
    used
}

impl Icp {
    fn use_launched(&self) -> anyhow::Result<()> {
        self.ask("deploy", "Deployed")?;
        self.ask("canister call counter inc ()", "1")?;
        Ok(())
    }

    /// A project with one built canister and a network of its own to connect to.
    fn new(network: &Network, packages: &Packages) -> anyhow::Result<Icp> {
        let project = empty(&packages.folder().join("project"))?;
        let yaml = format!(
            "{COUNTER}networks:\n  - name: here\n    mode: connected\n    url: {}\n    root-key: {}\n\
             environments:\n  - name: here\n    network: here\n    canisters: [counter]\n",
            network.url(),
            network.root_key_hex()
        );
        std::fs::write(project.join("icp.yaml"), yaml)?;
        std::fs::write(project.join("counter.wasm"), canister::module(1))?;
        let icp = Icp {
            program: packages.icp(),
            home: empty(&packages.folder().join("home"))?,
            project,
        };
        icp.ask("identity new peer --storage plaintext", "")?;
        icp.ask("identity default peer", "")?;
        Ok(icp)
    }

    /// What the program prints, which must contain `words`.
    pub(crate) fn ask(&self, arguments: &str, words: &str) -> anyhow::Result<String> {
        let said = self.run(&arguments.split_whitespace().collect::<Vec<_>>())?;
        ensure!(
            said.contains(words),
            "`icp {arguments}` does not say \"{words}\" but: {said}"
        );
        Ok(said)
    }

    /// What the program prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(&self.program)
            .args(arguments)
            .current_dir(&self.project)
            .env("ICP_HOME", &self.home)
            .env("ICP_TELEMETRY_DISABLED", "1")
            .env("ICP_CLI_NETWORK_LAUNCHER_PATH", launcher()?)
            .output()
            .with_context(|| format!("{} could not be started", self.program.display()))?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).trim_end().to_owned();
        if !output.status.success() {
            bail!("`icp {}`: {said}", arguments.join(" "));
        }
        Ok(said)
    }

    /// Another module, the same count.
    fn upgrade(&self) -> anyhow::Result<()> {
        std::fs::write(self.project.join("counter.wasm"), canister::module(2))?;
        self.ask("deploy -y -e here", "")?;
        self.ask("canister call counter get () --query -e here", "2")?;
        Ok(())
    }
}

/// Our program, which is built beside this one.
fn launcher() -> anyhow::Result<PathBuf> {
    let name = format!("hatchery-engine{}", std::env::consts::EXE_SUFFIX);
    let launcher = std::env::current_exe()?.with_file_name(name);
    ensure!(
        launcher.exists(),
        "{} is not built: `cargo xtask peers` builds it",
        launcher.display()
    );
    Ok(launcher)
}

/// An empty folder at `path`.
fn empty(path: &Path) -> anyhow::Result<PathBuf> {
    if path.exists() {
        std::fs::remove_dir_all(path)?;
    }
    std::fs::create_dir_all(path)?;
    Ok(path.to_path_buf())
}
