//! Executes canister code: one [`crate::message::Message`] in, one
//! [`crate::message::Execution`] out. It owns modules, instances, heaps and stable memory; it knows
//! nothing of queues, rounds, balances between messages or the management canister.
//!
//! ```text
//! bytes ─ validate ─ rewrite ─ compile ─► Module ─ start ─► Code ─ run(message) ─► Execution
//!                                                             │  ▲
//!                                                       image ▼  │ restore
//!                                                            Image ◄─► bytes
//! ```
//!
//! A [`Code`] is the committed state: pages of 4 KiB, shared with its images and, while equal,
//! with every canister of the same module. An instance of wasmtime is a cache of it: built when a
//! message comes, brought in line after it, thrown away when there are too many.
//!
//! Everything is deterministic: equal modules, states and messages give equal executions.

mod api;
mod code;
mod compile;
mod error;
mod execute;
mod host;
mod live;
mod module;
mod pages;
mod parts;
mod rewrite;
mod save;
mod stable;
mod trap;
mod trusted;
mod unpack;
mod validate;
mod weights;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use wasmtime::Engine;

pub(crate) use self::code::GlobalValue;
pub use self::code::{Code, Image};
pub use self::error::{ImageError, ModuleError};
pub use self::module::Module;
pub use self::pages::PAGE_BYTES;
pub(crate) use self::pages::Page;
pub(crate) use self::parts::Parts;
pub use self::stable::{MAX_STABLE_PAGES, OutOfBounds, StableMemory, WASM_PAGE_BYTES};
pub use self::validate::{Metadata, MethodKind};

use self::api::Api;
use self::compile::Compiler;
use self::live::{Instances, Live};

/// What a returned message leaves in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Its changes.
    OnReturn,
    /// Nothing: queries.
    Never,
}

/// Modules above which those that nobody uses are forgotten.
const MAX_IDLE_MODULES: usize = 64;

/// Runs canister code.
pub struct Machine {
    engine: Engine,
    api: Api,
    compiler: Compiler,
    modules: BTreeMap<[u8; 32], Arc<Module>>,
    instances: Instances,
    watches_heaps: bool,
}

impl Machine {
    /// A machine that keeps compiled modules in memory and, if given, in a folder.
    ///
    /// # Panics
    /// If wasmtime does not support this processor.
    pub fn new(cache_dir: Option<PathBuf>) -> Machine {
        let engine = Engine::new(&compile::config()).expect("wasmtime supports this processor");
        Machine {
            api: Api::new(&engine),
            compiler: Compiler::new(engine.clone(), cache_dir),
            engine,
            modules: BTreeMap::new(),
            instances: Instances::default(),
            watches_heaps: true,
        }
    }

    /// The same machine without the platform's means of noticing writes to a heap: equal results,
    /// at a cost per message that grows with the heap.
    #[must_use]
    pub fn portable(self) -> Machine {
        Machine {
            watches_heaps: false,
            ..self
        }
    }

    /// A second machine that shares everything compiled so far with this one, and no instance.
    #[must_use]
    pub fn sibling(&self) -> Machine {
        Machine {
            engine: self.engine.clone(),
            api: self.api.clone(),
            compiler: self.compiler.clone(),
            modules: self.modules.clone(),
            instances: Instances::default(),
            watches_heaps: self.watches_heaps,
        }
    }

    /// The module in these bytes (plain or gzip): checked, rewritten and compiled, or as it was
    /// before.
    ///
    /// # Errors
    /// [`ModuleError`] names the rule of the platform that the module breaks.
    pub fn load(&mut self, wasm: &[u8]) -> Result<Arc<Module>, ModuleError> {
        // Comparing a megabyte with the few modules of its length is far cheaper than hashing it.
        if let Some(module) = self.modules.values().find(|known| *known.wasm == *wasm) {
            return Ok(module.clone());
        }
        let hash: [u8; 32] = Sha256::digest(wasm).into();
        let plain = unpack::unpack(wasm)?;
        let facts = validate::validate(&plain)?;
        let compiled = self.compiler.compile(&rewrite::rewrite(&plain, &facts)?)?;
        let refused = |error: &dyn std::fmt::Display| {
            ModuleError::new(format!("module cannot be instantiated: {error}"))
        };
        let pre = self
            .api
            .linker(facts.is_wide())
            .instantiate_pre(&compiled)
            .map_err(|error| refused(&error))?;
        let mut live =
            Live::new(&self.engine, &pre, &facts.mutable_globals).map_err(|stop| refused(&stop))?;
        let initial = live.initial(facts.data.as_deref());
        let module = Arc::new(Module {
            hash,
            wasm: wasm.into(),
            facts,
            pre,
            initial,
        });
        self.remember(&module);
        Ok(module)
    }

    /// Keeps a module for the next canister; of many, only those in use.
    fn remember(&mut self, module: &Arc<Module>) {
        if self.modules.len() >= MAX_IDLE_MODULES {
            self.modules
                .retain(|_, module| Arc::strong_count(module) > 1);
        }
        self.modules.insert(module.hash, module.clone());
    }

    /// Code with a fresh heap and empty stable memory. Nothing runs: the start function runs with
    /// [`crate::message::Entry::Init`].
    pub fn start(&mut self, module: &Arc<Module>) -> Code {
        self.upgrade(module, StableMemory::default())
    }

    /// Code with a fresh heap and this stable memory. Nothing runs: the start function runs with
    /// [`crate::message::Entry::PostUpgrade`].
    pub fn upgrade(&mut self, module: &Arc<Module>, stable: StableMemory) -> Code {
        self.restore(&Image {
            module: module.clone(),
            heap: module.initial.clone(),
            stable,
        })
    }

    /// A snapshot of committed state.
    pub fn image(&mut self, code: &Code) -> Image {
        code.state.clone()
    }

    /// Code with the state of a snapshot, which may be another machine's.
    pub fn restore(&mut self, image: &Image) -> Code {
        let mut state = image.clone();
        state.module = self.at_home(&image.module);
        Code {
            id: NEXT_CODE.fetch_add(1, Ordering::Relaxed),
            state,
        }
    }

    /// The module as this machine compiled it.
    fn at_home(&mut self, module: &Arc<Module>) -> Arc<Module> {
        if Engine::same(module.pre.module().engine(), &self.engine) {
            return module.clone();
        }
        self.load(&module.wasm)
            .expect("bug: a module that was loaded once is refused")
    }
}

/// Ids are unique in the process and seen by nobody, so that no machine takes another's code for
/// its own.
static NEXT_CODE: AtomicU64 = AtomicU64::new(0);

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Machine({} modules)", self.modules.len())
    }
}
