//! `install_code` and `install_chunked_code`: the new code is prepared beside the old one and takes
//! its place in one step, or not at all.

use std::sync::Arc;

use candid::CandidType;
use ic_error_types::ErrorCode;
use ic_management_canister_types::{
    CanisterInstallMode, ChangeDetails, ChangeOrigin, CodeDeploymentMode, CodeDeploymentRecord,
    InstallChunkedCodeArgs, UpgradeFlags, WasmMemoryPersistence,
};
use ic_principal::Principal;
use serde::Deserialize;

use super::{Handled, Outcome, decode, empty};
use crate::machine::{Code, Image, Module};
use crate::message::{Effects, Entry, Execution, Mode};
use crate::reject::Reject;
use crate::saved::saved;
use crate::subnet::{LowMemoryHook, Origin, Request, Run, Subnet, Use, origin_of, prepay};

/// Instructions of an install or upgrade, its hooks together (ENGINE facts: instruction limits).
const INSTALL_INSTRUCTIONS_MAX: u64 = 300_000_000_000;
/// An install of more instructions goes on in the next rounds.
const SLICE_INSTRUCTIONS: u64 = 2_000_000_000;
/// Compiling costs this for each WebAssembly instruction,
const COMPILE_INSTRUCTIONS: u64 = 6_000;
/// and a hundredth of it when the module is known already.
const KNOWN_MODULE_DISCOUNT: u64 = 100;

/// The argument of `install_code`, as in the types crate but with a module that is decoded as one
/// run of bytes.
#[derive(CandidType, Deserialize)]
struct InstallCodeArgs {
    mode: CanisterInstallMode,
    canister_id: Principal,
    #[serde(with = "serde_bytes")]
    wasm_module: Vec<u8>,
    #[serde(with = "serde_bytes")]
    arg: Vec<u8>,
    sender_canister_version: Option<u64>,
}

/// What to install.
struct Installation {
    target: Principal,
    mode: CanisterInstallMode,
    wasm: Vec<u8>,
    arg: Vec<u8>,
    sender: Principal,
    by: ChangeOrigin,
}

/// What a module that turned out to be none costs: as if each byte of it, unpacked as its last four
/// bytes promise, were an instruction to compile (dfinity/ic, `rs/execution_environment/src/hypervisor.rs`).
fn refused_instructions(wasm: &[u8]) -> u64 {
    let promised = wasm
        .last_chunk()
        .map_or(0, |size| u32::from_le_bytes(*size));
    let bytes = if wasm.starts_with(&[0x1f, 0x8b, 0x08]) {
        u64::from(promised)
    } else {
        wasm.len() as u64
    };
    (bytes * COMPILE_INSTRUCTIONS).min(INSTALL_INSTRUCTIONS_MAX)
}

/// Code that is ready to take its place, and what its hooks asked for.
#[derive(Clone)]
pub(crate) struct Staged {
    target: Principal,
    deployed: CodeDeploymentMode,
    code: Image,
    certified_data: Option<Vec<u8>>,
    timer_ns: u64,
    cycles_burned: u128,
    logs: Vec<Vec<u8>>,
    by: ChangeOrigin,
}

/// An install that takes several rounds: it is prepared, and takes its place, or fails, when they
/// are over.
#[derive(Clone)]
pub(crate) struct LongInstall {
    request: Request,
    target: Principal,
    staged: Result<Box<Staged>, Reject>,
    rounds_left: u64,
}

impl LongInstall {
    pub(crate) fn target(&self) -> &Principal {
        &self.target
    }

    pub(crate) fn cycles(&self) -> u128 {
        self.request.cycles
    }
}

/// Why an install did not happen, and what it cost all the same.
struct Failed {
    reject: Reject,
    instructions: u64,
    logs: Vec<Vec<u8>>,
}

impl Subnet {
    pub(super) fn install_code(&mut self, request: &Request) -> Handled {
        let args: InstallCodeArgs = decode(&request.arg)?;
        let installation = Installation {
            target: args.canister_id,
            mode: args.mode,
            wasm: args.wasm_module,
            arg: args.arg,
            sender: request.origin.principal(),
            by: origin_of(&request.origin, args.sender_canister_version),
        };
        self.install(request, installation)
    }

    pub(super) fn install_chunked_code(&mut self, request: &Request) -> Handled {
        let args: InstallChunkedCodeArgs = decode(&request.arg)?;
        self.controlled(&args.target_canister, &request.origin)?;
        let wasm = self.assembled(&args, &request.origin)?;
        let installation = Installation {
            target: args.target_canister,
            mode: args.mode,
            wasm,
            arg: args.arg,
            sender: request.origin.principal(),
            by: origin_of(&request.origin, args.sender_canister_version),
        };
        self.install(request, installation)
    }

    fn install(&mut self, request: &Request, installation: Installation) -> Handled {
        let target = installation.target;
        self.check_install(&installation, &request.origin)?;
        let prices = &self.context.prices;
        let prepaid = prices.message + prices.instruction * u128::from(INSTALL_INSTRUCTIONS_MAX);
        let freezing_limit = self.freezing_limit(&target);
        prepay(self.known_mut(&target), freezing_limit, prepaid)?;
        let round = self.round;
        self.known_mut(&target).installed_round = Some(round);
        let (staged, instructions) = match self.stage(installation) {
            Ok((staged, instructions)) => (Ok(Box::new(staged)), instructions),
            Err(failed) => {
                self.log(&target, failed.logs);
                (Err(failed.reject), failed.instructions)
            }
        };
        self.book_execution(&target, prepaid, instructions);
        self.management_spent += instructions;
        let rounds_left = instructions.saturating_sub(1) / SLICE_INSTRUCTIONS;
        if rounds_left == 0 {
            self.deploy(*staged?);
            return Ok(Outcome::Done(empty()));
        }
        self.long_install = Some(LongInstall {
            request: request.clone(),
            target,
            staged,
            rounds_left,
        });
        Ok(Outcome::Later)
    }

    /// One more round of a long install; at the last one the new code takes its place.
    pub(super) fn continue_long_install(&mut self) {
        let Some(mut long) = self.long_install.take() else {
            return;
        };
        long.rounds_left -= 1;
        if long.rounds_left > 0 {
            self.long_install = Some(long);
            return;
        }
        let result = match long.staged {
            _ if !self.canisters.contains_key(&long.target) => Err(Reject::not_found(&long.target)),
            Ok(staged) => {
                self.deploy(*staged);
                Ok(empty())
            }
            Err(reject) => Err(reject),
        };
        self.answer_next_round(&long.request.origin, result, long.request.cycles);
    }

    fn check_install(
        &mut self,
        installation: &Installation,
        origin: &Origin,
    ) -> Result<(), Reject> {
        let round = self.round;
        let id = &installation.target;
        let canister = self.controlled(id, origin)?;
        if canister.installed_round == Some(round) {
            return Err(Reject::new(
                ErrorCode::CanisterInstallCodeRateLimited,
                format!(
                    "Canister {id} is rate limited because it executed too many instructions in the previous install_code messages"
                ),
            ));
        }
        match (installation.mode, &canister.code) {
            (CanisterInstallMode::Install, Some(_)) => Err(Reject::new(
                ErrorCode::CanisterNonEmpty,
                format!(
                    "Canister {id} cannot be installed because the canister is not empty. Try installing with mode='reinstall' instead."
                ),
            )),
            (CanisterInstallMode::Upgrade(_), None) => Err(Reject::no_module(id)),
            (CanisterInstallMode::Upgrade(flags), Some(code))
                if persistence(flags).is_none() && keeps_memory(code.module()) =>
            {
                Err(Reject::new(
                    ErrorCode::CanisterContractViolation,
                    format!(
                        "Canister {id} keeps its main memory: an upgrade must say whether to keep or replace it (wasm_memory_persistence)"
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    fn stage(&mut self, installation: Installation) -> Result<(Staged, u64), Failed> {
        let module = self
            .machine
            .load(&installation.wasm)
            .map_err(|error| Failed {
                reject: Reject::new(
                    error.code,
                    format!(
                        "Error from Canister {}: Canister's Wasm module is not valid: {error}",
                        installation.target
                    ),
                ),
                instructions: refused_instructions(&installation.wasm),
                logs: Vec::new(),
            })?;
        let compiled = self.compile_instructions(&module);
        let mut hooks = Hooks {
            instructions: compiled,
            effects: Effects::default(),
        };
        let mut code = match installation.mode {
            CanisterInstallMode::Install | CanisterInstallMode::Reinstall => {
                self.machine.start(&module)
            }
            CanisterInstallMode::Upgrade(flags) => {
                self.stage_upgrade(&installation, &module, flags, &mut hooks)?
            }
        };
        self.run_hook(&installation, &mut code, &mut hooks)?;
        let image = self.machine.image(&code);
        Ok(staged(installation, image, hooks))
    }

    /// Runs `pre_upgrade` on a copy of the old code and starts the new one on its stable memory,
    /// and on its main memory if that is kept.
    fn stage_upgrade(
        &mut self,
        installation: &Installation,
        module: &Arc<Module>,
        flags: Option<UpgradeFlags>,
        hooks: &mut Hooks,
    ) -> Result<Code, Failed> {
        let keep = persistence(flags) == Some(WasmMemoryPersistence::Keep);
        if keep && !keeps_memory(module) {
            return Err(Failed {
                reject: Reject::new(
                    ErrorCode::CanisterContractViolation,
                    "wasm_memory_persistence = keep needs a module with the custom section enhanced-orthogonal-persistence",
                ),
                instructions: hooks.instructions,
                logs: Vec::new(),
            });
        }
        let target = installation.target;
        let mut old = self.copy_code(&target);
        let skip = flags.and_then(|flags| flags.skip_pre_upgrade) == Some(true);
        if !skip && old.module().has(&Entry::PreUpgrade) {
            let run = Run {
                instruction_limit: hooks.instructions_left(),
                ..Run::new(
                    Entry::PreUpgrade,
                    Mode::PreUpgrade,
                    installation.sender,
                    &[],
                )
            };
            let execution = self.run_apart(&target, Some(&mut old), &run);
            hooks.add(execution)?;
        }
        if keep {
            let old = self.machine.image(&old);
            return Ok(self.machine.upgrade_keeping(module, &old));
        }
        Ok(self.machine.upgrade(module, old.stable().clone()))
    }

    fn run_hook(
        &mut self,
        installation: &Installation,
        code: &mut Code,
        hooks: &mut Hooks,
    ) -> Result<(), Failed> {
        let entry = match installation.mode {
            CanisterInstallMode::Upgrade(_) => Entry::PostUpgrade,
            CanisterInstallMode::Install | CanisterInstallMode::Reinstall => Entry::Init,
        };
        // A timer that `pre_upgrade` set does not outlive it.
        hooks.effects.timer_ns = None;
        let run = Run {
            instruction_limit: hooks.instructions_left(),
            after_install: true,
            ..Run::new(entry, Mode::Init, installation.sender, &installation.arg)
        };
        let execution = self.run_apart(&installation.target, Some(code), &run);
        hooks.add(execution)
    }

    /// Puts prepared code in its place.
    fn deploy(&mut self, staged: Staged) {
        let time_ns = self.time_ns;
        let id = staged.target;
        let module_hash = staged.code.module().hash();
        self.known_modules.insert(module_hash);
        let canister = self
            .canisters
            .get_mut(&id)
            .expect("bug: a canister vanished while it was in use");
        if staged.deployed != CodeDeploymentMode::Upgrade {
            canister.certified_data.clear();
            canister.logs.clear();
        }
        canister.code = Some(self.machine.restore(&staged.code));
        canister.low_memory = LowMemoryHook::NotSatisfied;
        canister.tasks.clear();
        canister.version += 1;
        canister.installed_ns = time_ns;
        if let Some(certified_data) = staged.certified_data {
            canister.certified_data = certified_data;
        }
        self.ledger
            .burn(canister, Use::Burned, staged.cycles_burned);
        let deployment = ChangeDetails::CodeDeployment(CodeDeploymentRecord {
            mode: staged.deployed,
            module_hash: module_hash.to_vec(),
        });
        canister
            .history
            .record(time_ns, canister.version, staged.by, deployment);
        self.set_timer(&id, staged.timer_ns);
        self.log(&id, staged.logs);
        self.reindex(&id);
    }

    fn log(&mut self, id: &Principal, lines: Vec<Vec<u8>>) {
        let time_ns = self.time_ns;
        let canister = self.known_mut(id);
        for line in lines {
            canister
                .logs
                .add(time_ns, line, canister.settings.log_memory_limit);
        }
    }

    fn compile_instructions(&self, module: &Module) -> u64 {
        let full = module.wasm_instructions() * COMPILE_INSTRUCTIONS;
        if self.known_modules.contains(&module.hash()) {
            full / KNOWN_MODULE_DISCOUNT
        } else {
            full
        }
    }
}

fn persistence(flags: Option<UpgradeFlags>) -> Option<WasmMemoryPersistence> {
    flags.and_then(|flags| flags.wasm_memory_persistence)
}

/// Whether the module is made to keep its main memory through upgrades (interface specification,
/// section `install_code`).
fn keeps_memory(module: &Module) -> bool {
    module
        .metadata()
        .contains_key("enhanced-orthogonal-persistence")
}

/// What the hooks of one install used and asked for so far.
struct Hooks {
    instructions: u64,
    effects: Effects,
}

impl Hooks {
    fn instructions_left(&self) -> u64 {
        INSTALL_INSTRUCTIONS_MAX.saturating_sub(self.instructions)
    }

    fn add(&mut self, mut execution: Execution) -> Result<(), Failed> {
        self.instructions += execution.instructions;
        self.effects.logs.append(&mut execution.effects.logs);
        if let Err(trap) = execution.result {
            return Err(Failed {
                reject: Reject::new(trap.code, trap.message),
                instructions: self.instructions,
                logs: std::mem::take(&mut self.effects.logs),
            });
        }
        let effects = execution.effects;
        self.effects.cycles_burned += effects.cycles_burned;
        self.effects.timer_ns = effects.timer_ns.or(self.effects.timer_ns);
        if effects.certified_data.is_some() {
            self.effects.certified_data = effects.certified_data;
        }
        Ok(())
    }
}

fn staged(installation: Installation, code: Image, hooks: Hooks) -> (Staged, u64) {
    let deployed = match installation.mode {
        CanisterInstallMode::Install => CodeDeploymentMode::Install,
        CanisterInstallMode::Reinstall => CodeDeploymentMode::Reinstall,
        CanisterInstallMode::Upgrade(_) => CodeDeploymentMode::Upgrade,
    };
    let staged = Staged {
        target: installation.target,
        deployed,
        code,
        certified_data: hooks.effects.certified_data,
        timer_ns: hooks.effects.timer_ns.unwrap_or(0),
        cycles_burned: hooks.effects.cycles_burned,
        logs: hooks.effects.logs,
        by: installation.by,
    };
    (staged, hooks.instructions)
}

saved!(struct Staged {
    target, deployed, code, certified_data, timer_ns, cycles_burned, logs, by,
});
saved!(struct LongInstall { request, target, staged, rounds_left });
