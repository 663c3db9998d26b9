//! The engine as its users see it: one subnet, its clock, its users' calls and its operator's
//! powers. It adds nothing to what [`crate::subnet`] does but convenience.

use std::path::{Path, PathBuf};

use ic_error_types::ErrorCode;
use ic_management_canister_types::{
    CanisterIdRecord, CanisterInstallMode, ChunkHash, InstallChunkedCodeArgs, InstallCodeArgs,
    UpgradeFlags, UploadChunkArgs,
};
use ic_principal::Principal;
use sha2::{Digest, Sha256};

use crate::faults::Faults;
use crate::management::encode;
use crate::reject::Reject;
use crate::saved::{self, Damaged, Reader, Saved, WorldError, Writer};
use crate::subnet::{CyclesAccount, IngressStatus, MessageId, Settings, Subnet, World, from_user};
use crate::trace::TraceEvent;
use crate::view::CanisterView;

/// Rounds that [`Engine::update`] waits for an answer.
const ANSWER_ROUNDS_MAX: u64 = 100;
/// Modules above this are installed in chunks.
const SINGLE_MESSAGE_WASM_BYTES_MAX: usize = 1_900_000;
const CHUNK_BYTES: usize = 1 << 20;

/// What a world starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The one seed: `raw_rand` and faults are drawn from it.
    pub seed: u64,
    /// Time of the first round in nanoseconds since 1970.
    pub start_time_ns: u64,
    /// Where compiled modules are kept between runs.
    pub cache_dir: Option<PathBuf>,
    /// Nodes of the subnet; prices scale with them.
    pub nodes: u32,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            seed: 0,
            start_time_ns: 1_620_328_630_000_000_000,
            cache_dir: None,
            nodes: 13,
        }
    }
}

/// How code is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallMode {
    /// Into an empty canister.
    Install,
    /// In place of what is there; memory is lost.
    Reinstall,
    /// In place of what is there; stable memory stays.
    Upgrade {
        /// The old code's `canister_pre_upgrade` does not run.
        skip_pre_upgrade: bool,
    },
}

impl From<InstallMode> for CanisterInstallMode {
    fn from(mode: InstallMode) -> Self {
        match mode {
            InstallMode::Install => CanisterInstallMode::Install,
            InstallMode::Reinstall => CanisterInstallMode::Reinstall,
            InstallMode::Upgrade { skip_pre_upgrade } => {
                CanisterInstallMode::Upgrade(Some(UpgradeFlags {
                    skip_pre_upgrade: Some(skip_pre_upgrade),
                    wasm_memory_persistence: None,
                }))
            }
        }
    }
}

/// An Internet Computer with one application subnet.
pub struct Engine {
    pub(crate) subnet: Subnet,
}

impl Engine {
    /// A new world. Equal configurations and equal calls give equal worlds.
    pub fn new(config: Config) -> Engine {
        Engine {
            subnet: Subnet::new(config),
        }
    }

    /// Time in nanoseconds since 1970: of the last round, or what it was advanced to since.
    pub fn now_ns(&self) -> u64 {
        self.subnet.now_ns()
    }

    /// Rounds executed so far.
    pub fn round(&self) -> u64 {
        self.subnet.round
    }

    /// Lets time pass without executing anything. The next round sees it; without it each round is
    /// one nanosecond later than the one before.
    pub fn advance_ns(&mut self, ns: u64) {
        self.subnet.advance_ns(ns);
    }

    /// Executes one round.
    pub fn tick(&mut self) {
        self.subnet.tick();
    }

    /// Takes in a user's message for the next round.
    ///
    /// # Errors
    /// What the platform refuses at the door: no such canister (301), stopped or stopping (508,
    /// 509), no module (537), out of cycles (207), refused by `canister_inspect_message` (406), not
    /// a controller (512) or not for users (406) at the management canister.
    pub fn submit(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Result<MessageId, Reject> {
        self.subnet.submit(sender, canister, method, arg)
    }

    /// What became of a message.
    pub fn status(&self, id: &MessageId) -> IngressStatus {
        self.subnet.ingress_status(*id)
    }

    /// Submits a message and executes rounds until it is answered, at most 100.
    ///
    /// # Errors
    /// As [`Engine::submit`], and what the canister answered; `IngressMessageTimeout` when there
    /// was no answer in 100 rounds.
    pub fn update(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Result<Vec<u8>, Reject> {
        let id = self.submit(sender, canister, method, arg)?;
        self.await_answer(id)
    }

    fn await_answer(&mut self, id: MessageId) -> Result<Vec<u8>, Reject> {
        for _ in 0..ANSWER_ROUNDS_MAX {
            self.tick();
            if self.subnet.is_finished(id) {
                break;
            }
        }
        match self.status(&id) {
            IngressStatus::Replied(reply) => Ok(reply),
            IngressStatus::Rejected(reject) => Err(reject),
            IngressStatus::Received | IngressStatus::Processing | IngressStatus::Unknown => {
                Err(Reject::new(
                    ErrorCode::IngressMessageTimeout,
                    format!("no answer to the message after {ANSWER_ROUNDS_MAX} rounds"),
                ))
            }
        }
    }

    /// Answers a query against the state of the last round; nothing changes but statistics.
    ///
    /// # Errors
    /// What the platform refused or the canister rejected.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the same shape as update, so that callers can choose between them"
    )]
    pub fn query(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Result<Vec<u8>, Reject> {
        self.subnet.query(sender, canister, method, &arg, None)
    }

    /// A new empty canister with minted cycles, at once.
    pub fn create_canister(&mut self, controller: Principal, cycles: u128) -> Principal {
        let settings = Settings::new(vec![controller]);
        let id = self
            .subnet
            .create(settings, controller, from_user(controller));
        self.subnet.gift(&id, cycles);
        id
    }

    /// Installs code by ingress and waits for it; in chunks when the module is above 1.9 MB.
    ///
    /// # Errors
    /// As [`Engine::update`].
    pub fn install(
        &mut self,
        sender: Principal,
        canister: Principal,
        wasm: &[u8],
        arg: Vec<u8>,
        mode: InstallMode,
    ) -> Result<(), Reject> {
        let id = self.submit_install(sender, canister, wasm, arg, mode)?;
        self.await_answer(id).map(drop)
    }

    /// Submits the install without waiting for it. Chunks, where needed, are uploaded at once,
    /// which takes rounds.
    ///
    /// # Errors
    /// As [`Engine::submit`], and what an upload answered.
    pub fn submit_install(
        &mut self,
        sender: Principal,
        canister: Principal,
        wasm: &[u8],
        arg: Vec<u8>,
        mode: InstallMode,
    ) -> Result<MessageId, Reject> {
        let management = Principal::management_canister();
        if wasm.len() > SINGLE_MESSAGE_WASM_BYTES_MAX {
            let arg = self.upload(sender, canister, wasm, arg, mode)?;
            return self.submit(sender, management, "install_chunked_code", arg);
        }
        let arg = Engine::install_code_arg(canister, wasm, arg, mode);
        self.submit(sender, management, "install_code", arg)
    }

    /// The argument of an `install_code` by a user.
    pub fn install_code_arg(
        canister_id: Principal,
        wasm: &[u8],
        arg: Vec<u8>,
        mode: InstallMode,
    ) -> Vec<u8> {
        encode(&InstallCodeArgs {
            mode: mode.into(),
            canister_id,
            wasm_module: wasm.to_vec(),
            arg,
            sender_canister_version: None,
        })
    }

    fn upload(
        &mut self,
        sender: Principal,
        canister: Principal,
        wasm: &[u8],
        arg: Vec<u8>,
        mode: InstallMode,
    ) -> Result<Vec<u8>, Reject> {
        let management = Principal::management_canister();
        let clear = encode(&CanisterIdRecord {
            canister_id: canister,
        });
        self.update(sender, management, "clear_chunk_store", clear)?;
        let mut chunk_hashes_list = Vec::new();
        for chunk in wasm.chunks(CHUNK_BYTES) {
            let upload = encode(&UploadChunkArgs {
                canister_id: canister,
                chunk: chunk.to_vec(),
            });
            self.update(sender, management, "upload_chunk", upload)?;
            let hash = Sha256::digest(chunk).to_vec();
            chunk_hashes_list.push(ChunkHash { hash });
        }
        Ok(encode(&InstallChunkedCodeArgs {
            mode: mode.into(),
            target_canister: canister,
            store_canister: None,
            chunk_hashes_list,
            wasm_module_hash: Sha256::digest(wasm).to_vec(),
            arg,
            sender_canister_version: None,
        }))
    }

    /// All canisters in ascending order.
    pub fn canisters(&self) -> Vec<Principal> {
        self.subnet.canisters.keys().copied().collect()
    }

    /// A canister as it is now.
    pub fn canister(&self, id: Principal) -> Option<CanisterView> {
        let canister = self.subnet.canisters.get(&id)?;
        Some(CanisterView::of(canister, self.subnet.freezing_limit(&id)))
    }

    /// Mints cycles for a canister; `false` when there is no such canister.
    pub fn add_cycles(&mut self, id: Principal, cycles: u128) -> bool {
        self.subnet.gift(&id, cycles)
    }

    /// Where all cycles are.
    pub fn cycles_account(&self) -> CyclesAccount {
        self.subnet.cycles_account()
    }

    /// The fault rules.
    pub fn faults(&mut self) -> &mut Faults {
        &mut self.subnet.faults
    }

    /// Keeps the last `limit` events for [`Engine::trace`].
    pub fn trace_keep(&mut self, limit: usize) {
        self.subnet.trace.keep(limit);
    }

    /// Hands every event to `listener` as it happens.
    pub fn trace_stream(&mut self, listener: Box<dyn FnMut(&TraceEvent)>) {
        self.subnet.trace.stream(listener);
    }

    /// Stops tracing and forgets what was kept.
    pub fn trace_off(&mut self) {
        self.subnet.trace.off();
    }

    /// The events kept, oldest first.
    pub fn trace(&self) -> impl Iterator<Item = &TraceEvent> {
        self.subnet.trace.kept()
    }

    /// Deletes a canister behind everybody's back, whatever its status; `false` when there is no
    /// such canister. Its cycles are discarded, those who wait for it are rejected.
    pub fn delete_canister(&mut self, id: Principal) -> bool {
        let exists = self.subnet.canisters.contains_key(&id);
        if exists {
            self.subnet.remove(&id);
        }
        exists
    }

    /// Takes a canister's code away behind everybody's back; `false` when there is no such
    /// canister.
    pub fn uninstall(&mut self, id: Principal) -> bool {
        let exists = self.subnet.canisters.contains_key(&id);
        if exists {
            let by = from_user(Principal::management_canister());
            self.subnet.uninstall(&id, by);
        }
        exists
    }

    /// Replaces a canister's controllers behind everybody's back; `false` when there is no such
    /// canister.
    pub fn set_controllers(&mut self, id: Principal, controllers: Vec<Principal>) -> bool {
        self.subnet.take_over(&id, controllers)
    }

    /// A canister's stable memory as plain bytes; `None` when there is no such canister or it has
    /// no code.
    pub fn stable_memory(&self, id: Principal) -> Option<Vec<u8>> {
        self.subnet.stable_memory(&id)
    }

    /// Puts other bytes in place of a canister's stable memory, filled up with zeros to whole
    /// pages, behind everybody's back: its heap stays and knows nothing of it before an upgrade.
    /// `false` when there is no such canister, it has no code, or the bytes are too many.
    pub fn set_stable_memory(&mut self, id: Principal, bytes: &[u8]) -> bool {
        self.subnet.set_stable_memory(&id, bytes)
    }

    /// Begins to stop a canister behind everybody's back; `false` when there is no such canister.
    pub fn stop(&mut self, id: Principal) -> bool {
        self.subnet.halt(&id)
    }

    /// The whole world as it is now. Memory is shared with it until it changes.
    pub fn snapshot(&mut self) -> World {
        self.subnet.snapshot_world()
    }

    /// Goes back, or over, to `world`. Trace and compiled modules stay.
    pub fn restore(&mut self, world: &World) {
        self.subnet.restore_world(world);
    }

    /// Writes the whole world to a file, in place of what is there. Trace and compiled modules are
    /// no part of it. Equal worlds give equal files.
    ///
    /// # Errors
    /// [`WorldError::Io`]
    pub fn save(&mut self, path: impl AsRef<Path>) -> Result<(), WorldError> {
        saved::save(&self.snapshot(), path.as_ref())
    }

    /// The world in a file that [`Engine::save`] wrote. It goes on as if it had never stopped: with
    /// its own seed, time and nodes; of `config` only the folder of compiled modules counts.
    ///
    /// # Errors
    /// The file cannot be read, is none of ours, of another layout, or damaged.
    pub fn load(path: impl AsRef<Path>, config: &Config) -> Result<Engine, WorldError> {
        let subnet = saved::load(path.as_ref(), config)?;
        Ok(Engine { subnet })
    }

    /// The whole world as bytes: what [`Engine::save`] writes.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        saved::to_bytes(&self.snapshot())
    }

    /// The world in bytes that [`Engine::to_bytes`] wrote.
    ///
    /// # Errors
    /// As [`Engine::load`]. Bytes that are not our own but have the right checksum are read
    /// without a panic; whether their world makes sense shows only when it runs.
    pub fn from_bytes(bytes: &[u8], config: &Config) -> Result<Engine, WorldError> {
        let subnet = saved::from_bytes(bytes, config)?;
        Ok(Engine { subnet })
    }

    /// For fuzzing [`Engine::from_bytes`]: any bytes behind a header and checksum that fit them.
    #[doc(hidden)]
    pub fn sealed(body: &[u8]) -> Vec<u8> {
        saved::sealed(body)
    }

    /// A second world that starts as this one is now. Its trace is off.
    #[must_use]
    pub fn fork(&mut self) -> Engine {
        let world = self.snapshot();
        let machine = self.subnet.machine.sibling();
        Engine {
            subnet: Subnet::of_world(machine, &world),
        }
    }
}

/// Where compiled modules are kept is no part of a world.
impl Saved for Config {
    fn write(&self, to: &mut Writer) {
        self.seed.write(to);
        self.start_time_ns.write(to);
        self.nodes.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Ok(Config {
            seed: Saved::read(from)?,
            start_time_ns: Saved::read(from)?,
            cache_dir: None,
            nodes: Saved::read(from)?,
        })
    }
}
