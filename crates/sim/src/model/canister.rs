//! The truth about one canister of the model platform; nobody but the platform writes it.

use hatchery_types::{
    CanisterId, Cycles, Generation, ModuleHash, Nanos, Observation, Principal, RunState,
};

/// A canister as it is, whatever root believes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canister {
    /// Sorted.
    pub controllers: Vec<Principal>,
    /// Installed module.
    pub module: Option<ModuleHash>,
    /// Run state.
    pub run_state: RunState,
    /// Balance.
    pub cycles: Cycles,
    /// Every setting but the controllers is the warm pool's.
    pub settings_clean: bool,
    /// Bytes of snapshots that others took.
    pub snapshot_bytes: u64,
    /// The snapshot that root took.
    pub saved: Option<Saved>,
    /// Where its memory came from: the number of the install that made it; 0 = it is corrupt.
    pub memory: u64,
    /// Generation in its environment variables.
    pub generation: Option<Generation>,
    /// What the installed worker has to do.
    pub work: Work,
    /// Sequence number of the last status read by root.
    pub observed: u64,
    /// Sequence number of the last change behind root's back.
    pub meddled: u64,
    /// Of those changes, the last that ends a member: uninstalled, stopped or taken over.
    pub harmed: u64,
    /// Sequence number of the last install that ran.
    pub installed: u64,
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Its name.
    pub id: Vec<u8>,
    /// When it was taken.
    pub at: Nanos,
    /// Of which module.
    pub module: ModuleHash,
    /// And of which memory.
    pub memory: u64,
}

/// What an installed worker has to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Jobs it has.
    pub jobs: u64,
    /// It was told to drain.
    pub draining: bool,
    /// A call is open that keeps it from stopping.
    pub call_open: bool,
    /// What is wrong with it, for as long as it is installed.
    pub habits: Habits,
}

/// Bad habits of a worker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Habits {
    /// It will not say that it is idle.
    pub never_idle: bool,
    /// It never reports its load.
    pub silent: bool,
}

/// Memory of a canister without code, in bytes.
pub(super) const EMPTY_BYTES: u64 = 0;
/// Memory of an installed worker, in bytes.
pub(super) const WORKER_BYTES: u64 = 2_000_000;
/// What an install withholds from the target until it ends (300 billion instructions).
pub(super) const INSTALL_PREPAID: Cycles = Cycles(300 * Cycles::B);

impl Canister {
    /// A canister as `create_canister` leaves it.
    pub fn created(mut controllers: Vec<Principal>, cycles: Cycles) -> Self {
        controllers.sort_unstable();
        Canister {
            controllers,
            module: None,
            run_state: RunState::Running,
            cycles,
            settings_clean: true,
            snapshot_bytes: 0,
            saved: None,
            memory: 0,
            generation: None,
            work: Work::default(),
            observed: 0,
            meddled: 0,
            harmed: 0,
            installed: 0,
        }
    }

    /// Whether `principal` controls it.
    pub fn is_controlled_by(&self, principal: Principal) -> bool {
        self.controllers.contains(&principal)
    }

    /// What `canister_status` says; `whole` = false leaves out what an older replica does not report.
    pub fn observe(&self, whole: bool) -> Observation {
        Observation {
            run_state: self.run_state,
            module: self.module,
            controllers: self.controllers.clone(),
            cycles: self.cycles,
            memory_bytes: if self.module.is_some() {
                WORKER_BYTES
            } else {
                EMPTY_BYTES
            },
            settings_clean: whole.then_some(self.settings_clean),
            snapshot_bytes: whole.then_some(self.snapshots()),
            queries: None,
            tenancy: None,
        }
    }

    /// Bytes of all snapshots.
    fn snapshots(&self) -> u64 {
        self.snapshot_bytes + self.saved.as_ref().map_or(0, |_| WORKER_BYTES)
    }

    /// Ends everything the code had: uninstalled, or emptied before a new tenant.
    pub fn remove_code(&mut self) {
        self.module = None;
        self.work = Work::default();
        if self.run_state == RunState::Stopping {
            self.run_state = RunState::Stopped;
        }
    }

    /// Why it is not an empty canister of the warm pool; `None` if it is.
    pub fn why_not_empty(&self, controllers: &[Principal], floor: Cycles) -> Option<String> {
        let wrong = if self.module.is_some() {
            "a module is installed"
        } else if self.run_state != RunState::Running {
            "not running"
        } else if self.controllers != controllers {
            "other controllers"
        } else if !self.settings_clean {
            "settings of a tenant"
        } else if self.snapshots() != 0 {
            "snapshots"
        } else if self.cycles < floor {
            "below the floor"
        } else {
            return None;
        };
        Some(wrong.to_owned())
    }
}

/// The id with that number on the model subnet: ids are sequential, as on the platform
/// (interface specification, "Principals": class 1, opaque).
pub fn canister_id(number: u64) -> CanisterId {
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes[8] = 1;
    bytes[9] = 1;
    CanisterId(Principal::from_slice(&bytes))
}

/// How long `stop_canister` waits before it gives up (interface specification, method
/// `stop_canister`; five minutes by the replica).
pub(super) const STOP_TIMEOUT: Nanos = Nanos::from_secs(300);
