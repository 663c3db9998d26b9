//! Upgrades of root, by force and politely, brought to their end whatever rejects them on the way.

use super::Modules;
use crate::world::FleetWorld;
use candid::Principal;
use hatchery_engine::{Engine, IngressStatus, InstallMode, MessageId};

/// The upgrades of one seed.
#[derive(Debug)]
pub(super) struct Upgrades {
    /// Upgrades by force that are not answered yet.
    forcing: Vec<MessageId>,
    stage: Stage,
    /// Done by force.
    pub(super) forced: u64,
    /// Done politely.
    pub(super) polite: u64,
}

/// How far the polite upgrade is.
#[derive(Debug)]
enum Stage {
    Idle,
    Waiting,
    Stopping(MessageId),
    Installing(MessageId),
    Starting(MessageId),
}

impl Upgrades {
    pub(super) fn new() -> Self {
        Upgrades {
            forcing: Vec::new(),
            stage: Stage::Idle,
            forced: 0,
            polite: 0,
        }
    }

    /// By force; it is done in the rounds to come.
    pub(super) fn force(&mut self, world: &mut FleetWorld, modules: &Modules) {
        let message = world.submit_forced_upgrade(&modules.root);
        self.forcing.extend(message.ok());
    }

    /// Politely, from now on.
    pub(super) fn begin_politely(&mut self) {
        if matches!(self.stage, Stage::Idle) {
            self.stage = Stage::Waiting;
        }
    }

    /// None is under way.
    pub(super) fn are_over(&self) -> bool {
        matches!(self.stage, Stage::Idle) && self.forcing.is_empty()
    }

    /// What is under way goes on.
    pub(super) fn go_on(&mut self, world: &mut FleetWorld, modules: &Modules) {
        self.read_forced(world, modules);
        self.upgrade_politely(world, modules);
    }

    /// An upgrade by force counts when it is done; one that was rejected is tried again.
    fn read_forced(&mut self, world: &mut FleetWorld, modules: &Modules) {
        for message in std::mem::take(&mut self.forcing) {
            match came_to(world, message) {
                None => self.forcing.push(message),
                Some(true) => self.forced += 1,
                Some(false) => self.force(world, modules),
            }
        }
    }

    /// Stop, upgrade, start; each when the one before is done, and again when it was rejected: a stop
    /// does not end in time when the clock jumps.
    fn upgrade_politely(&mut self, world: &mut FleetWorld, modules: &Modules) {
        let about_root = candid::encode_one(CanisterRecord {
            canister_id: world.root.0,
        })
        .expect("bug: a record of one id encodes");
        let upgrade = InstallMode::Upgrade {
            skip_pre_upgrade: false,
        };
        let stop = |world: &mut FleetWorld| manage(world, "stop_canister", &about_root);
        let install = |world: &mut FleetWorld| {
            let arg = Engine::install_code_arg(world.root.0, &modules.root, Vec::new(), upgrade);
            manage(world, "install_code", &arg)
        };
        let start = |world: &mut FleetWorld| manage(world, "start_canister", &about_root);
        let is_done = match self.stage {
            Stage::Idle => None,
            Stage::Waiting => Some(false),
            Stage::Stopping(message) | Stage::Installing(message) | Stage::Starting(message) => {
                came_to(world, message)
            }
        };
        let Some(is_done) = is_done else { return };
        let next = match (&self.stage, is_done) {
            (Stage::Waiting, _) | (Stage::Stopping(_), false) => stop(world).map(Stage::Stopping),
            (Stage::Stopping(_), true) | (Stage::Installing(_), false) => {
                install(world).map(Stage::Installing)
            }
            (Stage::Installing(_), true) | (Stage::Starting(_), false) => {
                start(world).map(Stage::Starting)
            }
            (Stage::Starting(_), true) => {
                self.polite += 1;
                Some(Stage::Idle)
            }
            (Stage::Idle, _) => None,
        };
        if let Some(next) = next {
            self.stage = next;
        }
    }
}

#[derive(candid::CandidType)]
struct CanisterRecord {
    canister_id: Principal,
}

fn manage(world: &mut FleetWorld, method: &str, arg: &[u8]) -> Option<MessageId> {
    let management = Principal::management_canister();
    let operator = world.operator;
    world
        .submit(operator, management, method, arg.to_vec())
        .ok()
}

/// Whether it was done, or rejected; none = not answered yet.
fn came_to(world: &mut FleetWorld, message: MessageId) -> Option<bool> {
    match world.message_status(&message) {
        IngressStatus::Replied(_) => Some(true),
        IngressStatus::Rejected(_) | IngressStatus::Unknown => Some(false),
        IngressStatus::Received | IngressStatus::Processing => None,
    }
}
