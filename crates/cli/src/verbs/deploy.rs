//! `hatchery deploy`: a root, its modules, its spec, on any network.
//!
//! Owns the order: nothing is wiped, and what was interrupted is finished by the same command.

use super::apply::{READY_WITHIN_SECONDS, apply};
use super::cycles::{LEDGER, LedgerError, refused};
use crate::args::{DeployOptions, Globals};
use crate::complaint::{Complaint, Kind};
use crate::connection::client::{decode, encode, nothing};
use crate::connection::network::{Home, IC};
use crate::connection::{self, Client, identity};
use crate::fleet_file::{self, hash_of};
use crate::session::{Session, confirm, typed};
use crate::show::amount;
use crate::{follow, wasm};
use candid::{CandidType, Nat, Principal};
use flate2::Compression;
use flate2::write::GzEncoder;
use hatchery_api::{Answer, Command, CommandAnswer, CommandRequest, FleetStatus, InitArg};
use hatchery_types::{FleetSpec, ModuleHash, OperationId};
use ic_management_canister_types::{
    CanisterIdRecord, CanisterInstallMode, CanisterSettings, CanisterStatusResult,
    CanisterStatusType, InstallCodeArgs, UpgradeFlags,
};
use serde::Deserialize;
use std::io::Write;

/// What a new root gets beyond its reserve and its first canisters: calls under way lock some.
const HEADROOM: u128 = 20_000_000_000_000;
/// An ingress message takes 2 MiB; its envelope and argument some of it.
const MODULE_BYTES_MAX: usize = 2 * 1024 * 1024 - 64 * 1024;

/// How root is brought to a module.
#[derive(Debug, Clone)]
pub(crate) struct RootPlan {
    /// Gzipped.
    pub(crate) module: Vec<u8>,
    pub(crate) cycles: Option<u128>,
    pub(crate) controllers: Vec<Principal>,
    /// Do not stop root first.
    pub(crate) force: bool,
    /// Install it anew, with nothing left.
    pub(crate) reinstall: bool,
}

pub(crate) fn run(globals: &Globals, options: &DeployOptions) -> anyhow::Result<()> {
    let fleet = fleet_file::load(&globals.folder, &options.wasm)?;
    let module = root_module(&wasm::folder(&options.wasm))?;
    let mut session = Session::open(globals)?;
    refuse_anonymous(&session)?;
    if let Some(name) = &options.reinstall {
        confirm_reinstall(&session, &fleet.spec, name)?;
    }
    let plan = RootPlan {
        module,
        cycles: options.cycles,
        controllers: options
            .controller
            .iter()
            .map(|text| connection::canister(text))
            .collect::<anyhow::Result<_>>()?,
        force: options.force,
        reinstall: options.reinstall.is_some(),
    };
    if session.client.known_root().is_none() {
        let cycles = amount::cycles(first_cycles(&plan, &fleet.spec));
        let name = &session.client.place().name;
        confirm(globals, &format!("A new root on {name} gets {cycles}."))?;
    }
    let home = Home::of(&globals.folder);
    let mut say = |line: &str| {
        if !globals.json {
            eprintln!("{line}");
        }
    };
    let root = bring_root(&session.client, &home, &plan, &fleet.spec, &mut say)?;
    session.client.set_root(root);
    let generation = apply(&session.client, &fleet, !globals.json)?;
    say(&format!("spec {} applied", generation.0));
    let status = if options.no_wait {
        session.client.status()?
    } else {
        follow::until_ready(&session.client, READY_WITHIN_SECONDS, !globals.json)?
    };
    session.say(&status, |paint| {
        println!("{}", summary(&status, root, paint));
    });
    Ok(())
}

fn summary(status: &FleetStatus, root: Principal, paint: crate::show::Paint) -> String {
    let workers: u32 = status
        .pools
        .iter()
        .map(|pool| pool.in_service + pool.leased)
        .sum();
    let text = format!(
        "fleet {} runs: root {root}, {workers} workers in service",
        status.name
    );
    paint.good(&text)
}

/// The module of root, gzipped: as it is, it would hardly fit into a message.
///
/// # Errors
/// It is not built, or too large.
pub(crate) fn root_module(folder: &std::path::Path) -> anyhow::Result<Vec<u8>> {
    let bytes = wasm::read(folder, wasm::ROOT)?;
    let module = if bytes.starts_with(b"\0asm") {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&bytes)?;
        gzip.finish()?
    } else {
        bytes
    };
    if module.len() > MODULE_BYTES_MAX {
        let message = format!(
            "root's module has {} when gzipped",
            amount::bytes(module.len() as u64)
        );
        return Err(Complaint::new(Kind::Input, message)
            .hint("a message takes 2 MiB: build it with `cargo xtask canisters`")
            .into());
    }
    Ok(module)
}

fn refuse_anonymous(session: &Session<'_>) -> Result<(), Complaint> {
    let place = session.client.place();
    if session.client.me() != Principal::anonymous() || place.name != IC {
        return Ok(());
    }
    Err(
        Complaint::new(Kind::Denied, "nobody's root would be everybody's")
            .hint("deploy as somebody: --identity, or $HATCHERY_IDENTITY"),
    )
}

/// The name of the fleet, typed, is what confirms a reinstall: `--yes` does not.
fn confirm_reinstall(
    session: &Session<'_>,
    spec: &FleetSpec,
    given: &str,
) -> Result<(), Complaint> {
    let name = &spec.name;
    let name_typed = match given {
        "" => typed(&format!(
            "Root of `{name}` on {} forgets everything. Type the fleet's name to go on: ",
            session.client.place().name
        )),
        given => Some(given.to_owned()),
    };
    match name_typed {
        Some(typed) if typed == *name => Ok(()),
        _ => Err(Complaint::new(
            Kind::Unconfirmed,
            format!("not reinstalled: the name typed is not `{name}`"),
        )
        .hint("an upgrade wipes nothing: leave --reinstall away. `hatchery export` first, in any case")),
    }
}

fn first_cycles(plan: &RootPlan, spec: &FleetSpec) -> u128 {
    let workers: u32 = spec
        .pools
        .iter()
        .map(|pool| pool.initial.max(pool.min) + pool.standby)
        .sum();
    let canisters = u128::from(spec.warm_pool.minimum + workers);
    let needed = spec.reserve.0 + canisters * spec.warm_pool.cycles.0 + HEADROOM;
    plan.cycles.unwrap_or(needed)
}

/// Creates root if there is none, installs it if it is empty, upgrades it if it is another, and
/// leaves it running.
///
/// # Errors
/// The platform or root refuses.
pub(crate) fn bring_root(
    client: &Client,
    home: &Home,
    plan: &RootPlan,
    spec: &FleetSpec,
    say: &mut dyn FnMut(&str),
) -> anyhow::Result<Principal> {
    let root = if let Some(root) = client.known_root() {
        root
    } else {
        let root = create(client, home, plan, spec)?;
        home.set_root(&client.place().name, root)?;
        say(&format!("root {root} created"));
        root
    };
    // Remembered also when it was named: the next command finds it.
    home.set_root(&client.place().name, root)?;
    let root_of = RootOf { client, root };
    let module: ModuleHash = hash_of(&plan.module);
    match client.certified(root)?.module {
        None => {
            root_of.install(&plan.module, CanisterInstallMode::Install)?;
            say(&format!("root {root} installed"));
        }
        Some(_) if plan.reinstall => {
            root_of.manage("stop_canister")?;
            root_of.install(&plan.module, CanisterInstallMode::Reinstall)?;
            root_of.manage("start_canister")?;
            say(&format!(
                "root {root} installed anew: `hatchery recover` names its canisters"
            ));
        }
        Some(there) if there == module.0 => root_of.finish_interrupted(home, say)?,
        Some(_) => {
            root_of.upgrade(home, plan, say)?;
            say(&format!("root {root} upgraded"));
        }
    }
    home.set_creation(&client.place().name, None)?;
    Ok(root)
}

/// Upgrades root as it is, calls open or not; where it runs, not in its queue.
///
/// # Errors
/// The platform refuses.
pub(crate) fn upgrade_by_force(client: &Client, module: &[u8]) -> anyhow::Result<()> {
    let root = client.root()?;
    let mode = CanisterInstallMode::Upgrade(Some(UpgradeFlags {
        skip_pre_upgrade: Some(true),
        wasm_memory_persistence: None,
    }));
    RootOf { client, root }.install(module, mode)
}

/// A root that is there.
struct RootOf<'c> {
    client: &'c Client,
    root: Principal,
}

#[derive(CandidType)]
struct CreateCanister {
    from_subaccount: Option<Vec<u8>>,
    created_at_time: Option<u64>,
    amount: Nat,
    creation_args: Option<CreationArgs>,
}

#[derive(CandidType)]
struct CreationArgs {
    settings: Option<CanisterSettings>,
}

#[derive(CandidType, Deserialize)]
struct Created {
    canister_id: Principal,
}

/// A canister from the cycles ledger, as `icp` does it. The request is written down first and taken
/// up again by the next deploy, so that a root whose answer nobody heard is found and not paid for
/// twice: the ledger knows a request by its time.
fn create(
    client: &Client,
    home: &Home,
    plan: &RootPlan,
    spec: &FleetSpec,
) -> anyhow::Result<Principal> {
    let network = &client.place().name;
    let request = match home.creation(network) {
        Some(request) => request,
        None => creation(client, plan, spec),
    };
    home.set_creation(network, Some(&request))?;
    let bytes = client.update_bytes(LEDGER, "create_canister", request)?;
    let answer: Result<Created, LedgerError> = decode("create_canister", &bytes)?;
    match answer {
        Ok(created) => Ok(created.canister_id),
        Err(LedgerError::Duplicate {
            canister_id: Some(root),
            ..
        }) => Ok(root),
        Err(error) => {
            home.set_creation(network, None)?;
            Err(refused("create_canister", error).into())
        }
    }
}

fn creation(client: &Client, plan: &RootPlan, spec: &FleetSpec) -> Vec<u8> {
    let mut controllers = vec![client.me()];
    controllers.extend(&plan.controllers);
    let request = CreateCanister {
        from_subaccount: None,
        created_at_time: Some(amount::now().0),
        amount: Nat::from(first_cycles(plan, spec)),
        creation_args: Some(CreationArgs {
            settings: Some(CanisterSettings {
                controllers: Some(controllers),
                ..CanisterSettings::default()
            }),
        }),
    };
    encode(&request)
}

impl RootOf<'_> {
    fn install(&self, module: &[u8], mode: CanisterInstallMode) -> anyhow::Result<()> {
        let arg = match mode {
            CanisterInstallMode::Upgrade(_) => Vec::new(),
            _ => encode(&Some(InitArg::default())),
        };
        let args = InstallCodeArgs {
            mode,
            canister_id: self.root,
            wasm_module: module.to_vec(),
            arg,
            sender_canister_version: None,
        };
        self.client.manage(self.root, "install_code", &args)?;
        Ok(())
    }

    /// Pause, stop, upgrade, start, go on. Every step can be taken again.
    fn upgrade(
        &self,
        home: &Home,
        plan: &RootPlan,
        say: &mut dyn FnMut(&str),
    ) -> anyhow::Result<()> {
        let mode = CanisterInstallMode::Upgrade(Some(UpgradeFlags {
            skip_pre_upgrade: plan.force.then_some(true),
            wasm_memory_persistence: None,
        }));
        if plan.force {
            return self.install(&plan.module, mode);
        }
        if self.state()? != CanisterStatusType::Stopped && !self.is_paused()? {
            mark(home, self.root)?;
            self.command(Command::Pause { direction: None })?;
            say("root paused");
        }
        self.stop()?;
        say("root stopped: nothing is under way");
        let installed = self.install(&plan.module, mode);
        self.manage("start_canister")?;
        installed?;
        self.resume(home, say)
    }

    /// The platform ends a stop that takes five minutes (interface specification,
    /// `stop_canister`); root is then as it was before.
    fn stop(&self) -> anyhow::Result<()> {
        let Err(error) = self.manage("stop_canister") else {
            return Ok(());
        };
        self.manage("start_canister")?;
        let message = format!("root did not stop, and runs on as it was, paused: {error}");
        Err(Complaint::new(Kind::Refused, message)
            .hint("`hatchery effects` shows what it waits for; --force upgrades it as it is")
            .into())
    }

    /// Same module, perhaps left stopped or paused by a deploy that was interrupted.
    fn finish_interrupted(&self, home: &Home, say: &mut dyn FnMut(&str)) -> anyhow::Result<()> {
        if home.path(MARK).exists() && self.state()? != CanisterStatusType::Running {
            self.manage("start_canister")?;
            say("root started: an earlier deploy was interrupted");
        }
        self.resume(home, say)
    }

    fn resume(&self, home: &Home, say: &mut dyn FnMut(&str)) -> anyhow::Result<()> {
        if home.path(MARK).exists() {
            self.command(Command::Resume { direction: None })?;
            std::fs::remove_file(home.path(MARK))?;
            say("root goes on");
        }
        Ok(())
    }

    fn is_paused(&self) -> anyhow::Result<bool> {
        let bytes = self.client.query_bytes(self.root, "status", nothing())?;
        Ok(decode::<FleetStatus>("status", &bytes)?.paused)
    }

    fn command(&self, command: Command) -> anyhow::Result<()> {
        let operation = OperationId(identity::fresh());
        let request = encode(&CommandRequest { operation, command });
        let bytes = self.client.update_bytes(self.root, "command", request)?;
        let answer: Answer<CommandAnswer> = decode("command", &bytes)?;
        answer.map(drop).map_err(|refused| {
            Complaint::new(Kind::Refused, refused.reason.text)
                .hint(refused.detail)
                .into()
        })
    }

    fn manage(&self, method: &str) -> anyhow::Result<Vec<u8>> {
        let canister_id = self.root;
        self.client
            .manage(self.root, method, &CanisterIdRecord { canister_id })
    }

    fn state(&self) -> anyhow::Result<CanisterStatusType> {
        let bytes = self.manage("canister_status")?;
        Ok(decode::<CanisterStatusResult>("canister_status", &bytes)?.status)
    }
}

/// Says that it was a deploy that paused root, should it be interrupted.
const MARK: &str = "paused-by-deploy";

fn mark(home: &Home, root: Principal) -> anyhow::Result<()> {
    home.make()?;
    Ok(std::fs::write(home.path(MARK), root.to_text())?)
}
