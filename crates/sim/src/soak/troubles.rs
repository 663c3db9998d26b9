//! What goes wrong in a seed of the wasm level: legal faults of the platform, people who meddle,
//! upgrades of root by force and politely, a clock that jumps. All from the seed.

use super::Modules;
use crate::dice::Dice;
use crate::world::{FleetWorld, stranger};
use candid::Principal;
use hatchery_api::DRAIN_METHOD;
use hatchery_engine::faults::{Rule, Verdict};
use hatchery_engine::{Engine, InstallMode, MessageId, RejectCode};
use std::collections::{BTreeMap, BTreeSet};

/// Kinds of rules in one seed, of those there are.
const RULES: usize = 6;
/// Rounds in which root is upgraded: so many by force, then one politely.
const FORCED_MAX: u64 = 3;
/// The faults that are upgrades of root; they count when they are done.
pub(super) const FORCED: &str = "upgraded-forced";
pub(super) const POLITE: &str = "upgraded-polite";

/// The troubles of one seed.
#[derive(Debug)]
pub(super) struct Troubles {
    dice: Dice,
    /// Name of each rule in force, by index.
    rules: Vec<&'static str>,
    struck: BTreeMap<String, u64>,
    meddled: BTreeSet<Principal>,
    forced: Vec<u64>,
    /// Upgrades by force that are not answered yet.
    forcing: Vec<MessageId>,
    polite: u64,
    stage: Stage,
    meddling_permille: u32,
}

/// How far the polite upgrade is.
#[derive(Debug)]
enum Stage {
    Waiting,
    Stopping(MessageId),
    Installing(MessageId),
    Starting(MessageId),
    Over,
}

impl Troubles {
    pub(super) fn new(seed: u64, world: &mut FleetWorld) -> Self {
        let mut dice = Dice::new(seed, 22);
        let forced = (0..dice.between(1, FORCED_MAX))
            .map(|_| dice.between(60, 700))
            .collect();
        let mut troubles = Troubles {
            rules: Vec::new(),
            struck: BTreeMap::new(),
            meddled: BTreeSet::new(),
            forced,
            forcing: Vec::new(),
            polite: dice.between(200, 800),
            stage: Stage::Waiting,
            meddling_permille: [5, 15, 40][dice.below(3) as usize],
            dice,
        };
        troubles.add_rules(world);
        troubles
    }

    fn add_rules(&mut self, world: &mut FleetWorld) {
        let root = world.root.0;
        let platform = Principal::management_canister();
        let of_root = |verdict| Rule::new(verdict).caller(root).callee(platform);
        let reject = |code| Verdict::Reject { code };
        let mut kinds = vec![
            ("not-executed", of_root(reject(RejectCode::SysTransient))),
            ("refused", of_root(reject(RejectCode::CanisterReject))),
            ("slow-call", of_root(Verdict::Delay { rounds: 6 })),
            ("slow-answer", of_root(Verdict::DelayAnswer { rounds: 8 })),
            ("not-sent", of_root(Verdict::QueueFull)),
            (
                "drain-traps",
                Rule::new(Verdict::TrapCallee).method(DRAIN_METHOD),
            ),
            (
                "drain-expires",
                Rule::new(Verdict::ExpireBestEffort).caller(root),
            ),
            (
                "report-refused",
                Rule::new(reject(RejectCode::SysTransient))
                    .callee(root)
                    .method("report"),
            ),
            (
                "report-traps",
                Rule::new(Verdict::TrapCallee).callee(root).method("report"),
            ),
        ];
        while kinds.len() > RULES {
            let index = self.dice.below(kinds.len() as u64) as usize;
            kinds.remove(index);
        }
        for (name, rule) in kinds {
            let share = self.dice.between(5_000, 80_000) as u32;
            world.engine.faults().add(rule.per_million(share));
            self.rules.push(name);
        }
    }

    /// What happens before a round.
    pub(super) fn act(&mut self, round: u64, world: &mut FleetWorld, modules: &Modules) {
        if self.forced.contains(&round) {
            self.force(world, modules);
        }
        self.read_forced(world, modules);
        if round >= self.polite {
            self.upgrade_politely(world, modules);
        }
        if self.dice.chance(2) {
            let jump = self.dice.between(600, 7_200) * 1_000_000_000;
            world.engine.advance_ns(jump);
            self.count("clock-jump");
        }
        if self.dice.chance(self.meddling_permille) {
            self.meddle(world);
        }
    }

    fn force(&mut self, world: &mut FleetWorld, modules: &Modules) {
        let message = world.submit_forced_upgrade(&modules.root);
        self.forcing.extend(message.ok());
    }

    /// An upgrade by force counts when it is done; one that was rejected is tried again.
    fn read_forced(&mut self, world: &mut FleetWorld, modules: &Modules) {
        for message in std::mem::take(&mut self.forcing) {
            match came_to(world, message) {
                None => self.forcing.push(message),
                Some(true) => self.count(FORCED),
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
            Stage::Waiting => Some(false),
            Stage::Stopping(message) | Stage::Installing(message) | Stage::Starting(message) => {
                came_to(world, message)
            }
            Stage::Over => None,
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
                self.count(POLITE);
                Some(Stage::Over)
            }
            (Stage::Over, _) => None,
        };
        if let Some(next) = next {
            self.stage = next;
        }
    }

    /// Somebody changes a canister behind root's back.
    fn meddle(&mut self, world: &mut FleetWorld) {
        let root = world.root.0;
        let mut ids = world.engine.canisters();
        ids.retain(|id| *id != root);
        let Some(id) = self.dice.pick(&ids).copied() else {
            return;
        };
        let operator = world.operator;
        let engine = &mut world.engine;
        let (name, done) = match self.dice.below(6) {
            0 => ("deleted", engine.delete_canister(id)),
            1 => ("uninstalled", engine.uninstall(id)),
            2 => ("stopped", engine.stop(id)),
            3 => ("taken-over", engine.set_controllers(id, vec![stranger()])),
            4 => {
                let controllers = vec![root, operator, stranger()];
                ("controller-added", engine.set_controllers(id, controllers))
            }
            _ => ("topped-up", engine.add_cycles(id, 1_000_000_000_000)),
        };
        if done {
            self.meddled.insert(id);
            self.count(name);
        }
    }

    fn count(&mut self, name: &str) {
        *self.struck.entry(name.to_owned()).or_default() += 1;
    }

    /// Nothing goes wrong any more; upgrades under way are brought to their end.
    pub(super) fn stop(&mut self, world: &mut FleetWorld, modules: &Modules) {
        for rule in world.engine.faults().applied().to_vec() {
            let name = self.rules.get(rule.rule).copied().unwrap_or("unknown");
            self.count(name);
        }
        world.engine.faults().clear();
        for _ in 0..2_000 {
            if matches!(self.stage, Stage::Over) && self.forcing.is_empty() {
                return;
            }
            self.read_forced(world, modules);
            self.upgrade_politely(world, modules);
            world.pass(1, super::ROUND_NS);
        }
    }

    /// Canisters changed behind root's back.
    pub(super) fn meddled(&self) -> &BTreeSet<Principal> {
        &self.meddled
    }

    /// How often each fault struck.
    pub(super) fn struck(&self) -> BTreeMap<String, u64> {
        self.struck.clone()
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
    use hatchery_engine::IngressStatus;
    match world.message_status(&message) {
        IngressStatus::Replied(_) => Some(true),
        IngressStatus::Rejected(_) | IngressStatus::Unknown => Some(false),
        IngressStatus::Received | IngressStatus::Processing => None,
    }
}
