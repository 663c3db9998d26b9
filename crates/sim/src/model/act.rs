//! What each action does to a world. Draws nothing: the same actions and fates give the same bytes.

use super::action::{Action, Load, Meddling, Numbers, REUSE};
use super::canister::Canister;
use super::fleet;
use super::world::{Failure, World};
use hatchery_core::{CommandInput, Input, Reply};
use hatchery_types::{CanisterId, Cycles, Generation, ModuleHash, RunState};

impl World {
    /// Lets one thing happen.
    ///
    /// # Errors
    /// The first violation it led to.
    pub fn act(&mut self, action: &Action) -> Result<(), Failure> {
        if self.is_stopping && is_call(action) {
            // The platform rejects calls to a canister that is stopping.
            return Ok(());
        }
        match action {
            Action::Pass(most) => self.pass(*most),
            Action::Jump(far) => {
                self.now = self.now + *far;
                Ok(())
            }
            Action::Tick => self.tick(),
            Action::Report(load) => self.report_load(load),
            Action::Work(jobs) => {
                self.work(jobs);
                Ok(())
            }
            Action::CallEnds(id) => {
                let canister = self.platform.canisters.get_mut(id);
                canister.into_iter().for_each(end_call);
                Ok(())
            }
            Action::Command(operation, command) => {
                let caller = fleet::operator();
                self.command(CommandInput {
                    caller,
                    operation: operation.clone(),
                    command: self.as_exported(command),
                })
            }
            Action::Lease(operation, pool, ask) => self.lease(operation, pool, ask),
            Action::Worker(operation, pool) => self.worker(operation, pool),
            Action::Request {
                caller,
                generation_off,
                operation,
                ask,
            } => self.request(*caller, *generation_off, operation, ask),
            Action::Protect(member, span) => self.protect(*member, *span),
            Action::ReportPool(pool, loads) => self.report_pool(pool, loads),
            Action::Respec(numbers) => self.respec(*numbers),
            Action::Remodule(role, module) => self.remodule(*role, *module),
            Action::StageBadly(module, index) => self.stage_badly(*module, *index),
            Action::Meddle(meddling, id) => {
                self.meddle(*meddling, *id);
                Ok(())
            }
            Action::Store(filled) => {
                self.platform.meddle_with_store(*filled);
                Ok(())
            }
            Action::Balance(cycles) => {
                self.platform.balance = *cycles;
                Ok(())
            }
            Action::Stopping(stopping) => {
                self.is_stopping = *stopping;
                self.tick_owed = true;
                Ok(())
            }
            Action::UpgradeForced => self.upgrade_by_force(),
            Action::UpgradePolite => {
                self.upgrade_politely();
                Ok(())
            }
            Action::Reinstall => self.reinstall(),
        }
    }

    /// A change of some canister behind root's back.
    fn meddle(&mut self, meddling: Meddling, id: CanisterId) {
        let sequence = self.platform.next_sequence();
        if meddling == Meddling::Deleted {
            self.platform.canisters.remove(&id);
            return;
        }
        let root = self.platform.root.0;
        let Some(canister) = self.platform.canisters.get_mut(&id) else {
            return;
        };
        canister.meddled = sequence;
        match meddling {
            Meddling::Deleted => {}
            Meddling::Uninstalled => canister.remove_code(),
            Meddling::ControllerAdded => {
                canister.controllers.push(fleet::stranger());
                canister.controllers.sort_unstable();
                canister.controllers.dedup();
            }
            Meddling::TakenOver => canister.controllers.retain(|id| *id != root),
            Meddling::Stopped => canister.run_state = RunState::Stopped,
            Meddling::Drained => canister.cycles = Cycles(Cycles::B),
            Meddling::ToppedUp => canister.cycles.0 += 10 * Cycles::T,
            Meddling::Snapshotted => canister.snapshot_bytes = 1_000,
            Meddling::Unsaved => {
                canister.saved = None;
                canister.snapshot_bytes = 0;
            }
            Meddling::Resettled => canister.settings_clean = false,
        }
    }

    fn report_load(&mut self, load: &Load) -> Result<(), Failure> {
        let member = load.member;
        let Some(canister) = self.platform.canisters.get(&member) else {
            return Ok(());
        };
        let generation = canister.generation.unwrap_or_default();
        let generation = Generation(generation.0.wrapping_add(load.generation_off));
        let value = load.value.unwrap_or(canister.work.jobs);
        let signal = if load.known {
            fleet::SIGNAL
        } else {
            "temperature"
        };
        let reply = self.message(&Input::Report {
            member,
            generation,
            signal: signal.to_owned(),
            value,
        })?;
        self.check_report(load, generation, value, &reply)
    }

    /// A report counts only from a member, of its own tenancy, with a value that makes sense.
    fn check_report(
        &mut self,
        load: &Load,
        generation: Generation,
        value: u64,
        reply: &Reply,
    ) -> Result<(), Failure> {
        let taken = matches!(reply, Reply::Reported { refused: None, .. });
        let row = self.state.row(load.member);
        let may = row.is_some_and(|row| row.phase.is_member() && row.generation == generation);
        if taken && !(may && load.known && value <= 1 << 53) {
            let what = format!("{} {generation:?} {value} was taken", load.member);
            return Err(self.failure("report", what));
        }
        self.tick_owed |= taken;
        self.note(if taken {
            "report taken"
        } else {
            "report refused"
        });
        Ok(())
    }

    fn work(&mut self, jobs: &[(CanisterId, u64)]) {
        for (id, jobs) in jobs {
            let canister = self.platform.canisters.get_mut(id);
            if let Some(canister) = canister.filter(|canister| canister.module.is_some()) {
                canister.work.jobs = *jobs;
            }
        }
    }

    fn command(&mut self, input: CommandInput) -> Result<(), Failure> {
        let is_valid = input.operation.is_valid();
        let input = Input::Command(input);
        let reply = self.message(&input)?;
        self.tick_owed = true;
        if !is_valid && !matches!(reply, Reply::Refused(..)) {
            return Err(self.failure("command", format!("{input:?} got {reply:?}")));
        }
        Ok(())
    }

    fn respec(&mut self, numbers: Numbers) -> Result<(), Failure> {
        let pool = &mut self.wanted.pools[numbers.pool];
        (pool.min, pool.max, pool.initial) = (numbers.min, numbers.max, numbers.initial);
        pool.standby = numbers.standby;
        self.wanted.warm_pool.minimum = numbers.minimum;
        self.wanted.warm_pool.maximum = numbers.maximum;
        self.wanted.warm_pool.target_percent = numbers.target;
        let heir = CanisterId(fleet::stranger());
        self.wanted.warm_pool.release_to = (numbers.surplus > 0).then_some(heir);
        let ceiling = Cycles(10 * Cycles::T);
        self.wanted.warm_pool.sweep_above = (numbers.surplus < 2).then_some(ceiling);
        self.wanted.roles[1].reuse = REUSE[numbers.reuse];
        self.wanted.roles[0].upgrade = numbers.rule.then_some(fleet::RULE);
        self.wanted.lanes.reset = numbers.resets;
        self.wanted.controllers = fleet::controllers(numbers.second_controller);
        self.apply_wanted()
    }

    /// A role gets another module, staged anew: one that no role named may be gone.
    pub(super) fn remodule(&mut self, role: usize, module: usize) -> Result<(), Failure> {
        self.stage(module)?;
        self.wanted.roles[role].module = fleet::module_of(module);
        self.apply_wanted()
    }

    /// An operator stages a module by its number.
    pub(super) fn stage(&mut self, number: usize) -> Result<(), Failure> {
        let module = fleet::module_of(number);
        self.message(&Input::StageChunk {
            module,
            index: 0,
            bytes: fleet::bytes_of(number).to_vec(),
        })?;
        let chunks = 1;
        self.message(&Input::CommitModule { module, chunks })?;
        Ok(())
    }

    fn apply_wanted(&mut self) -> Result<(), Failure> {
        let before = self.state.spec_generation();
        self.message(&Input::Apply(Box::new(self.wanted.clone())))?;
        self.platform.obey(&self.wanted.controllers);
        self.tick_owed = true;
        if self.state.spec_generation() <= before {
            return Err(self.failure("spec", "a new spec without a new generation".to_owned()));
        }
        Ok(())
    }

    fn stage_badly(&mut self, module: u8, index: u32) -> Result<(), Failure> {
        let module = ModuleHash([module; 32]);
        let bytes = b"\0asm\x01\0\0\0 not what was announced".to_vec();
        self.message(&Input::StageChunk {
            module,
            index,
            bytes,
        })?;
        let chunks = index + 1;
        let reply = self.message(&Input::CommitModule { module, chunks })?;
        if !matches!(reply, Reply::Refused(..)) {
            return Err(self.failure("module", format!("a bad module was committed: {reply:?}")));
        }
        self.note("bad module refused");
        Ok(())
    }
}

/// It begins with a call to root.
fn is_call(action: &Action) -> bool {
    matches!(
        action,
        Action::Report(_)
            | Action::Command(..)
            | Action::Lease(..)
            | Action::Worker(..)
            | Action::Request { .. }
            | Action::Protect(..)
            | Action::ReportPool(..)
            | Action::Respec(_)
            | Action::Remodule(..)
            | Action::StageBadly(..)
    )
}

/// The call that kept it from stopping is over.
fn end_call(canister: &mut Canister) {
    canister.work.call_open = false;
    if canister.run_state == RunState::Stopping {
        canister.run_state = RunState::Stopped;
    }
}
