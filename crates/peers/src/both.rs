//! One fleet, operated by the program `hatchery` and by `icp` on the same network: it is deployed by
//! the one, every verb of it is used over HTTP, and what one does the other sees.
//!
//! Owns which verbs are used, which is all of them: a test holds the list against the program's help.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail, ensure};
use candid::Principal;
use hatchery_network::Network;
use serde_json::Value;

use crate::icp::Icp;
use crate::packages::Packages;
use crate::report::Report;

const PEER: &str = "hatchery and icp";

/// Every verb once or more, in an order in which each has something to do. `READY`, `WORKER`,
/// `LEASED` and `LOST` stand for a canister in that phase, `ICP` for the other operator, `FOREIGN` for
/// a canister that root was made controller of.
const VERBS: &[&str] = &[
    "version",
    "completions bash",
    "check",
    "plan",
    "deploy --yes --controller ICP",
    "deploy --yes",
    "apply",
    "status",
    "status --until-ready 2m",
    "spec",
    "effects",
    "doctor",
    "metrics",
    "events --last 5",
    "why",
    "canisters",
    "canisters WORKER",
    "cycles show --by-phase",
    "cycles top-up 1T --yes",
    "call status",
    "replay workers 1",
    "pool status",
    "pool list",
    "pool pause up",
    "pool resume",
    "pool create",
    "pool create",
    "pool drain-surplus",
    "pool import FOREIGN --now",
    "pool delete READY --yes",
    "workers list",
    "workers plan",
    "workers report workers --total backlog=9",
    "workers create workers",
    "lease take workers 1",
    "lease list",
    "lease renew workers LEASED --ttl 1h",
    "lease release workers LEASED",
    "modules list",
    "modules stage worker.wasm",
    "upgrade worker worker.wasm",
    "pool recycle WORKER",
    "pool export RECYCLED --to ICP --yes",
    "pool forget LOST --yes",
    "pool requeue",
    "what-if --spec wave.toml --recording wave.csv",
    "export -o export.json",
    "deploy --reinstall both --no-wait",
    "recover --from export.json",
    "recover --done --yes",
    "status --until-ready 2m",
];
/// What runs a network of its own, or needs a terminal: `demo` and `up` are followed word for word in
/// the tutorial's test, `top` is drawn in the live view's, `init` begins this.
#[cfg(test)]
const ELSEWHERE: [&str; 4] = ["demo", "up", "top", "init"];

const RECORDING: &str = "at_s,workers,depth\n0,2,10\n600,2,60\n3600,10,10\n";
const SIGNAL: &str = "\n[pools.workers.signals.depth]\ntarget = 10\n";

/// The program in the folder of a fleet, on a network.
struct Fleet<'n> {
    program: PathBuf,
    folder: PathBuf,
    network: &'n Network,
    /// Who else operates.
    icp: String,
    recycled: String,
}

/// Every check of this peer.
pub(crate) fn run(network: &Network, packages: &Packages, icp: &Icp, report: &mut Report) {
    let mut note = |check: &str, outcome: anyhow::Result<()>| {
        report.note(&format!("{PEER}: {check}"), outcome);
    };
    let mut fleet = match Fleet::new(network, packages, icp) {
        Ok(fleet) => fleet,
        Err(error) => return note("init", Err(error)),
    };
    for line in VERBS {
        note(line, fleet.take(line));
    }
    note("icp pauses what hatchery deployed", fleet.pause_by(icp));
    note(
        "hatchery lets it go on, and icp sees it",
        fleet.resume_before(icp),
    );
    note(
        "icp creates a canister, and hatchery lists it",
        fleet.create_by(icp),
    );
}

impl<'n> Fleet<'n> {
    fn new(network: &'n Network, packages: &Packages, icp: &Icp) -> anyhow::Result<Fleet<'n>> {
        let folder = packages.folder().join("both");
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        let name = format!("hatchery{}", std::env::consts::EXE_SUFFIX);
        let program = std::env::current_exe()?.with_file_name(name);
        ensure!(program.exists(), "{} is not built", program.display());
        let said = icp.ask("identity principal", "-")?;
        let mut fleet = Fleet {
            program,
            folder,
            network,
            icp: said.lines().last().unwrap_or(&said).trim().to_owned(),
            recycled: String::new(),
        };
        fleet.make_key()?;
        fleet.hatchery("init --example --name both")?;
        let file = fleet.folder.join("fleet.toml");
        let text = std::fs::read_to_string(&file)?;
        std::fs::write(fleet.folder.join("wave.toml"), text + SIGNAL)?;
        std::fs::write(fleet.folder.join("wave.csv"), RECORDING)?;
        fleet.recycled.clear();
        Ok(fleet)
    }

    /// An operator of its own, as the program makes them.
    fn make_key(&self) -> anyhow::Result<()> {
        // Nobody's but the test's: an Ed25519 key of twos.
        let body = "MC4CAQAwBQYDK2VwBCIEIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC";
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        Ok(std::fs::write(self.folder.join("me.pem"), pem)?)
    }

    /// Uses a verb.
    fn take(&mut self, line: &str) -> anyhow::Result<()> {
        let mut words = Vec::new();
        for word in line.split(' ') {
            words.push(match word {
                "ICP" => self.icp.clone(),
                "READY" => self.first("ready")?,
                "WORKER" => self.first("in-service")?,
                "LEASED" => self.first("leased")?,
                "RECYCLED" => self.recycled.clone(),
                "FOREIGN" => self.foreign()?,
                "LOST" => self.lose()?,
                word => word.to_owned(),
            });
        }
        if line.starts_with("pool recycle") {
            self.recycled.clone_from(&words[2]);
        }
        self.hatchery(&words.join(" "))?;
        // What it began is over before the next.
        self.rest()
    }

    /// What the program prints.
    fn hatchery(&self, line: &str) -> anyhow::Result<String> {
        let output = Command::new(&self.program)
            .args(line.split(' '))
            .current_dir(&self.folder)
            .env("HATCHERY_NETWORK", self.network.url())
            .env("HATCHERY_IDENTITY", "me.pem")
            .env_remove("HATCHERY_ROOT")
            .output()
            .with_context(|| format!("{} could not be started", self.program.display()))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            bail!("`hatchery {line}`: {said}{error}");
        }
        Ok(said)
    }

    fn json(&self, line: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(
            &self.hatchery(&format!("{line} --json"))?,
        )?)
    }

    fn root(&self) -> anyhow::Result<String> {
        let roots = std::fs::read(self.folder.join(".hatchery/roots.json"))?;
        let roots: Value = serde_json::from_slice(&roots)?;
        let first = roots.as_object().and_then(|roots| roots.values().next());
        let root = first.and_then(Value::as_str).context("no root is known")?;
        Ok(root.to_owned())
    }

    /// The first canister in a phase.
    fn first(&self, phase: &str) -> anyhow::Result<String> {
        let rows = self.json(&format!("canisters --phase {phase}"))?;
        let id = rows[0]["canister"].as_str();
        Ok(id.with_context(|| format!("none is {phase}"))?.to_owned())
    }

    /// An empty canister that root controls.
    fn foreign(&self) -> anyhow::Result<String> {
        let root = Principal::from_text(self.root()?)?;
        let made = self.network.visit(move |engine| {
            let canister = engine.create_canister(root, 5_000_000_000_000);
            engine.set_controllers(canister, vec![root]);
            canister
        })?;
        Ok(made.to_text())
    }

    /// A canister that is gone behind root's back, once a reset has found it out.
    fn lose(&self) -> anyhow::Result<String> {
        self.hatchery("pool create")?;
        let lost = self.first("ready")?;
        let id = Principal::from_text(&lost)?;
        self.network
            .visit(move |engine| engine.delete_canister(id))?;
        self.hatchery(&format!("pool recycle {lost} --no-wait"))?;
        self.rest()?;
        Ok(lost)
    }

    /// Until nothing is under way; what never ends fails what comes next.
    fn rest(&self) -> anyhow::Result<()> {
        if self.root().is_err() {
            return Ok(());
        }
        for _ in 0..200 {
            if self.json("effects")? == Value::Array(Vec::new()) {
                break;
            }
        }
        Ok(())
    }

    fn pause_by(&self, icp: &Icp) -> anyhow::Result<()> {
        let halt =
            "(record{operation=\"icp-halts\";command=variant{Pause=record{direction=null}}})";
        ask(icp, &self.root()?, "command", halt, "Done")?;
        let status = self.json("status")?;
        ensure!(status["paused"] == true, "{status}");
        Ok(())
    }

    fn resume_before(&self, icp: &Icp) -> anyhow::Result<()> {
        self.hatchery("pool resume")?;
        ask(icp, &self.root()?, "status", "()", "paused = false")
    }

    fn create_by(&self, icp: &Icp) -> anyhow::Result<()> {
        let before = count(&self.json("canisters")?);
        let create = "(record{operation=\"icp-creates\";command=variant{CreateEmpty}})";
        ask(icp, &self.root()?, "command", create, "Created")?;
        let after = count(&self.json("canisters")?);
        ensure!(after > before, "{before} canisters, then {after}");
        Ok(())
    }
}

fn count(rows: &Value) -> usize {
    rows.as_array().map_or(0, Vec::len)
}

/// Asks until the answer has the words: a creation takes a few rounds.
fn ask(icp: &Icp, root: &str, method: &str, argument: &str, words: &str) -> anyhow::Result<()> {
    crate::operator::ask(icp, root, method, argument, words).map(drop)
}

#[cfg(test)]
mod tests {
    use super::{ELSEWHERE, VERBS};

    #[test]
    fn every_verb_is_used() {
        let help = include_str!("../../cli/tests/golden/help.txt");
        let prompts = help
            .lines()
            .filter_map(|line| line.strip_prefix("$ hatchery "));
        let all: Vec<&str> = prompts
            .filter_map(|line| line.strip_suffix(" --help"))
            .collect();
        let is_of = |line: &str, verb: &str| {
            let rest = line.strip_prefix(verb);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        let missing = all.iter().filter(|verb| {
            let used = VERBS.iter().any(|line| is_of(line, verb));
            !(used || ELSEWHERE.contains(verb))
        });
        assert_eq!(missing.collect::<Vec<_>>(), Vec::<&&str>::new());
        assert!(all.len() > 40);
    }
}
