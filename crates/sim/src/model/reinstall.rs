//! Root reinstalled by mistake: its memory is gone, its canisters are not. An operator who has the
//! last export names them again, and says when that is done.

use super::action::Action;
use super::fleet;
use super::mirror::{Mirror, Rows};
use super::world::{Failure, World};
use crate::checkers;
use hatchery_core::{Command, Input, Recover, Row, held_back};
use hatchery_types::{CanisterId, Nanos, OperationId, Phase, Reason, Registered};

/// Every so many seeds know one reinstall.
const SEEDS_BETWEEN: u64 = 8;
/// It comes at one of so many steps.
const STEPS: u64 = 400;
/// Of so many canisters one is not in the operator's export.
const UNEXPORTED: u64 = 7;
/// Steps for the end of a recovery when faults have ended.
const PASSES_MAX: u32 = 5_000;

impl World {
    /// Whether root is reinstalled in this step.
    pub(super) fn is_reinstalled_now(&self) -> bool {
        let at = 60 + self.seed / SEEDS_BETWEEN % STEPS;
        self.seed % SEEDS_BETWEEN == 5 && self.step == at
    }

    /// Memory and heap are gone, and whatever waited for an answer. The operator applies the spec
    /// again and stages its modules.
    pub(super) fn reinstall(&mut self) -> Result<(), Failure> {
        let exported = |row: &&Row| row.canister.number().is_none_or(|it| it % UNEXPORTED != 0);
        let rows = self.rows().values().filter(exported);
        self.exported = rows.map(|row| (row.canister, registered(row))).collect();
        self.forget_everything();
        self.platform.forget_root();
        let root = self.platform.root;
        self.message(&Input::Started { root })?;
        self.message(&Input::Apply(Box::new(self.wanted.clone())))?;
        for number in 0..fleet::MODULES_LEN {
            let module = fleet::module_of(number);
            if self.wanted.roles.iter().any(|role| role.module == module) {
                self.stage(number)?;
            }
        }
        self.note("reinstalled");
        self.look_at_all()
    }

    /// What the operator does about it; nothing as long as calls of the root that was are under way,
    /// for they change what would be looked at.
    pub(super) fn draw_recovery(&mut self) -> Option<Action> {
        if !self.may_recover() {
            return None;
        }
        let command = match self.dice.below(3) {
            0 => {
                let some = self.unnamed();
                let some = some.into_iter().filter(|_| self.dice.chance(500));
                let mut ids: Vec<CanisterId> = some.collect();
                ids.extend(self.draw_existing());
                ids.extend(self.exported.keys().take(3));
                name(ids)
            }
            1 => {
                let first = super::canister_id(1);
                let ids = self.dice.between(20, 60);
                Command::Recover(Recover::Range { first, ids })
            }
            _ if self.is_whole_again() => Command::Recover(Recover::Done),
            _ => return None,
        };
        Some(Action::Command(self.next_recovery(), command))
    }

    /// The operator's list knows more than ids.
    pub(super) fn as_exported(&self, command: &Command) -> Command {
        let Command::Recover(Recover::Canisters(known)) = command else {
            return command.clone();
        };
        let known = known.iter().map(|bare| {
            let exported = self.exported.get(&bare.canister);
            exported.unwrap_or(bare).clone()
        });
        Command::Recover(Recover::Canisters(known.collect()))
    }

    /// A recovery is brought to its end.
    pub(super) fn recover_in_peace(&mut self) -> Result<(), Failure> {
        for _ in 0..PASSES_MAX {
            if held_back(&self.state).is_none() {
                return Ok(());
            }
            if self.may_recover() {
                let unnamed = self.unnamed();
                let command = match unnamed.is_empty() {
                    true if self.is_whole_again() => Some(Command::Recover(Recover::Done)),
                    true => None,
                    false => Some(name(unnamed)),
                };
                if let Some(command) = command {
                    let operation = self.next_recovery();
                    self.act(&Action::Command(operation, command))?;
                }
            }
            self.pass(Nanos::from_secs(60))?;
        }
        Err(self.failure("converges", "root is recovering for ever".to_owned()))
    }

    fn next_recovery(&self) -> OperationId {
        OperationId(format!("recover-{}", self.decisions))
    }

    fn may_recover(&self) -> bool {
        held_back(&self.state) == Some(Reason::Recovering)
            && !self.is_stopping
            && !self.platform.is_haunted()
    }

    /// What root controls and has no row for.
    fn unnamed(&self) -> Vec<CanisterId> {
        let all = self.platform.canisters.keys().copied();
        let known = |id: &CanisterId| self.rows().contains_key(id);
        all.filter(|id| self.platform.is_ours(*id) && !known(id))
            .collect()
    }

    fn is_whole_again(&self) -> bool {
        let waits = |rows: &Rows| rows.values().any(|row| row.phase == Phase::Recovering);
        self.unnamed().is_empty() && !waits(self.rows()) && self.state.header().search.is_none()
    }

    fn forget_everything(&mut self) {
        self.renew_memory();
        self.mirror = Mirror::default();
        self.checkers = checkers::all();
        self.is_stopping = false;
        self.tick_owed = true;
    }
}

fn name(ids: Vec<CanisterId>) -> Command {
    let known = ids.into_iter().map(Registered::bare).collect();
    Command::Recover(Recover::Canisters(known))
}

fn registered(row: &Row) -> Registered {
    Registered {
        canister: row.canister,
        phase: Some(row.phase),
        role: row.role.clone(),
        pool: row.pool.clone(),
        parent: row.parent,
        module: row.module,
        generation: Some(row.generation),
        created_at: Some(row.created_at),
    }
}
