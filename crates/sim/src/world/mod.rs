//! The wasm level: the real root on the engine, with typed calls to it as an operator makes them.
//! It reads nothing of root that an operator could not read; what it checks from outside is in
//! [`census`].

pub(crate) mod calls;
mod census;
mod door;
pub mod memory;
pub mod relay;

pub use calls::CallError;
pub use census::{Census, Truth, take_census};
pub use door::{Door, Straight};

use candid::Principal;
use hatchery_api::{CHUNK_BYTES_MAX, CommitModule, InitArg, StageChunk};
use hatchery_engine::{Config, Engine, ErrorCode, IngressStatus, InstallMode, MessageId, Reject};
use hatchery_types::{CanisterId, Cycles, FleetSpec, Generation, ModuleHash};
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::PathBuf;

/// When the virtual clock begins: 6 May 2021, as the reference server's does.
pub const START_NS: u64 = 1_620_328_630_000_000_000;
/// Under which name the operator comes in.
const OPERATOR: &str = "the operator of a simulated world";
/// Rounds that an answer is waited for.
const ANSWER_ROUNDS_MAX: u64 = 100;
/// What root is given to begin with.
pub const ROOT_CYCLES: Cycles = Cycles(1_000 * Cycles::T);

/// Root on an engine, and who asks it.
pub struct FleetWorld {
    /// The network.
    pub engine: Engine,
    /// The controller of root.
    pub operator: Principal,
    /// The root canister.
    pub root: CanisterId,
    /// The way in of all users' messages.
    pub(crate) door: Box<dyn Door>,
}

impl fmt::Debug for FleetWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "FleetWorld of {} at round {}",
            self.root,
            self.engine.round()
        )
    }
}

impl FleetWorld {
    /// An engine with a fresh root, without spec or modules.
    ///
    /// # Errors
    /// Root's wasm cannot be installed.
    pub fn start(
        seed: u64,
        cache_dir: Option<PathBuf>,
        root_wasm: &[u8],
    ) -> Result<Self, CallError> {
        FleetWorld::start_behind(seed, cache_dir, root_wasm, START_NS, Box::new(Straight))
    }

    /// The same, begun at another time, where users come in by another door.
    ///
    /// # Errors
    /// Root's wasm cannot be installed.
    pub fn start_behind(
        seed: u64,
        cache_dir: Option<PathBuf>,
        root_wasm: &[u8],
        start_time_ns: u64,
        door: Box<dyn Door>,
    ) -> Result<Self, CallError> {
        let config = Config {
            seed,
            start_time_ns,
            cache_dir,
            nodes: 13,
        };
        let mut engine = Engine::new(config);
        let operator = door.user(OPERATOR);
        let root = engine.create_canister(operator, ROOT_CYCLES.0);
        let arg = calls::encode(&Some(InitArg::default()));
        engine
            .install(operator, root, root_wasm, arg, InstallMode::Install)
            .map_err(|reject| CallError::rejected("install_code", &reject))?;
        Ok(FleetWorld {
            engine,
            operator,
            root: CanisterId(root),
            door,
        })
    }

    /// A network where root is already, asked by its operator straight.
    pub fn over(engine: Engine, root: CanisterId) -> Self {
        let door: Box<dyn Door> = Box::new(Straight);
        FleetWorld {
            engine,
            operator: door.user(OPERATOR),
            root,
            door,
        }
    }

    /// Uploads a module in chunks and closes it: root can install it from then on.
    ///
    /// # Errors
    /// Root refuses a chunk or the whole.
    pub fn upload_module(&mut self, wasm: &[u8]) -> Result<ModuleHash, CallError> {
        let module = ModuleHash(Sha256::digest(wasm).into());
        self.upload_as(module, wasm)?;
        Ok(module)
    }

    /// Uploads bytes under a hash that may not be theirs.
    ///
    /// # Errors
    /// Root refuses a chunk or the whole.
    pub fn upload_as(&mut self, module: ModuleHash, wasm: &[u8]) -> Result<Generation, CallError> {
        let mut chunks = 0;
        for bytes in wasm.chunks(CHUNK_BYTES_MAX) {
            self.stage_chunk(&StageChunk {
                module,
                index: chunks,
                bytes: bytes.to_vec(),
            })?;
            chunks += 1;
        }
        self.commit_module(&CommitModule { module, chunks })
    }

    /// Lets virtual time pass, one round every `round_ns`.
    pub fn pass(&mut self, rounds: u64, round_ns: u64) {
        for _ in 0..rounds {
            self.engine.advance_ns(round_ns);
            self.engine.tick();
        }
    }

    /// Hands in a user's message for the next round.
    ///
    /// # Errors
    /// It is not taken in.
    pub fn submit(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Result<MessageId, Reject> {
        self.door
            .submit(&mut self.engine, sender, canister, method, arg)
    }

    /// What became of a user's message.
    pub fn message_status(&mut self, message: &MessageId) -> IngressStatus {
        self.door.status(&mut self.engine, message)
    }

    /// Asks a query as a user.
    ///
    /// # Errors
    /// What the platform refused or the canister rejected.
    pub fn ask(
        &mut self,
        sender: Principal,
        canister: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Result<Vec<u8>, Reject> {
        self.door
            .query(&mut self.engine, sender, canister, method, arg)
    }

    /// Hands in a message to root and executes rounds until it is answered.
    fn await_root(
        &mut self,
        sender: Principal,
        method: &str,
        arg: Vec<u8>,
    ) -> Result<Vec<u8>, Reject> {
        let message = self.submit(sender, self.root.0, method, arg)?;
        for _ in 0..ANSWER_ROUNDS_MAX {
            self.engine.tick();
            match self.message_status(&message) {
                IngressStatus::Replied(reply) => return Ok(reply),
                IngressStatus::Rejected(reject) => return Err(reject),
                _ => {}
            }
        }
        let text = format!("no answer to the message after {ANSWER_ROUNDS_MAX} rounds");
        Err(Reject::new(ErrorCode::IngressMessageTimeout, text))
    }

    /// Upgrades root to `wasm` by force: calls may be open, `pre_upgrade` does not run. It happens
    /// in the rounds to come.
    ///
    /// # Errors
    /// The platform does not take the message in.
    pub fn submit_forced_upgrade(&mut self, wasm: &[u8]) -> Result<MessageId, CallError> {
        let mode = InstallMode::Upgrade {
            skip_pre_upgrade: true,
        };
        let arg = Engine::install_code_arg(self.root.0, wasm, Vec::new(), mode);
        let management = Principal::management_canister();
        self.submit(self.operator, management, "install_code", arg)
            .map_err(|reject| CallError::rejected("install_code", &reject))
    }

    /// Looks at everything from outside: the engine's canisters against root's pages.
    ///
    /// # Errors
    /// A query of root fails.
    pub fn census(&mut self, spec: &FleetSpec) -> Result<Census, CallError> {
        let rows = self.rows()?;
        let effects = self.effects()?;
        let creations = effects
            .iter()
            .filter(|effect| effect.kind == "create")
            .count();
        Ok(take_census(
            &self.truth(),
            self.root,
            spec,
            &rows,
            creations,
        ))
    }
}

/// The principal that controls root in every world.
pub fn operator() -> Principal {
    Straight.user(OPERATOR)
}

/// A principal that controls nothing.
pub fn stranger() -> Principal {
    Principal::self_authenticating(b"a stranger in a simulated world")
}
