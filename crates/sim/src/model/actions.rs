//! One random step of the world: time passes, answers arrive, workers report, operators ask, others
//! meddle.

use super::fleet;
use super::swarm::Fault;
use super::world::{Failure, World};
use hatchery_core::{Command, CommandInput, Input, Reply};
use hatchery_types::{
    CanisterId, Cycles, Direction, ExportTo, Generation, ModuleHash, Nanos, OperationId, RunState,
};

const SECOND: Nanos = Nanos::from_secs(1);
const LIQUID: Cycles = Cycles(2_000 * Cycles::T);

impl World {
    /// One random step.
    ///
    /// # Errors
    /// The first violation it led to.
    pub fn step(&mut self) -> Result<(), Failure> {
        self.step += 1;
        self.trouble()?;
        match self.dice.below(100) {
            0..55 => self.pass(Nanos::from_secs(60)),
            55..60 => self.tick(),
            60..80 => self.report_load(),
            80..88 => {
                self.work();
                Ok(())
            }
            88..95 => self.command(),
            95..97 => self.respec(),
            97 => self.stage_badly(),
            _ => self.pass(SECOND),
        }
    }

    /// Whatever the swarm has in store beside the faults of calls.
    fn trouble(&mut self) -> Result<(), Failure> {
        for fault in Fault::ALL.into_iter().filter(|fault| fault.is_meddling()) {
            if self.platform.swarm.strikes(fault) {
                self.meddle(fault);
            }
        }
        if self.platform.swarm.strikes(Fault::ClockJump) {
            self.now = self.now + Nanos::from_secs(self.dice.between(3_600, 30 * 3_600));
        }
        self.platform.liquid = LIQUID;
        if self.platform.swarm.strikes(Fault::RootPoor) {
            self.platform.liquid = Cycles(u128::from(self.dice.below(12_000)) * Cycles::B);
        }
        self.root_stopping = self.platform.swarm.strikes(Fault::RootStopping);
        if self.platform.swarm.strikes(Fault::Upgraded) {
            self.upgrade()?;
        }
        Ok(())
    }

    /// A change of some canister behind root's back.
    fn meddle(&mut self, fault: Fault) {
        let ids: Vec<CanisterId> = self.platform.canisters.keys().copied().collect();
        let Some(id) = self.dice.pick(&ids).copied() else {
            return;
        };
        let sequence = self.platform.next_sequence();
        if fault == Fault::Deleted {
            self.platform.canisters.remove(&id);
            return;
        }
        let root = self.platform.root.0;
        let canister = self
            .platform
            .canisters
            .get_mut(&id)
            .expect("bug: drawn from the keys");
        canister.meddled = sequence;
        match fault {
            Fault::Uninstalled => canister.remove_code(),
            Fault::ControllerAdded => {
                canister.controllers.push(fleet::stranger());
                canister.controllers.sort_unstable();
                canister.controllers.dedup();
            }
            Fault::TakenOver => canister.controllers.retain(|id| *id != root),
            Fault::Stopped => canister.run_state = RunState::Stopped,
            Fault::Drained => canister.cycles = Cycles(Cycles::B),
            Fault::Snapshotted => canister.snapshot_bytes = 1_000,
            fault => panic!("bug: {fault:?} is no meddling"),
        }
    }

    /// Somebody reports a load: mostly a member, mostly truthfully.
    fn report_load(&mut self) -> Result<(), Failure> {
        let ids: Vec<CanisterId> = self.platform.canisters.keys().copied().collect();
        let Some(member) = self.dice.pick(&ids).copied() else {
            return Ok(());
        };
        let canister = &self.platform.canisters[&member];
        let runs = canister.module.is_some() && canister.run_state == RunState::Running;
        if canister.work.habits.silent || !(runs || self.dice.chance(100)) {
            return Ok(());
        }
        let mut generation = canister.generation.unwrap_or_default();
        let mut value = canister.work.jobs;
        if self.platform.swarm.strikes(Fault::WrongGeneration) {
            generation = Generation(generation.0.wrapping_add(self.dice.between(1, 3)));
        }
        if self.platform.swarm.strikes(Fault::AbsurdValue) {
            value = [u64::MAX, (1 << 53) + 1, 1 << 60][self.dice.below(3) as usize];
        }
        let known = self.dice.chance(980);
        let signal = if known { fleet::SIGNAL } else { "temperature" }.to_owned();
        let reply = self.message(&Input::Report {
            member,
            generation,
            signal,
            value,
        })?;
        self.check_report(member, generation, value, known, &reply)
    }

    /// A report counts only from a member, of its own tenancy, with a value that makes sense.
    fn check_report(
        &mut self,
        member: CanisterId,
        generation: Generation,
        value: u64,
        known: bool,
        reply: &Reply,
    ) -> Result<(), Failure> {
        let taken = matches!(reply, Reply::Reported { refused: None, .. });
        let row = self.rows().get(&member);
        let may = row.is_some_and(|row| row.phase.is_member() && row.generation == generation);
        if taken && !(may && known && value <= 1 << 53) {
            return Err(self.failure(
                "report",
                format!("{member} {generation:?} {value} was taken"),
            ));
        }
        if taken && row.is_some_and(|row| row.sample != Some(value)) {
            self.note("report taken too soon after another");
        }
        self.tick_owed |= taken;
        self.note(if taken {
            "report taken"
        } else {
            "report refused"
        });
        Ok(())
    }

    /// Members get work and finish some.
    fn work(&mut self) {
        let wave = [0, 2, 12, 40][(self.step / 64 % 4) as usize];
        let ids: Vec<CanisterId> = self.platform.canisters.keys().copied().collect();
        for id in ids {
            let most = self.dice.below(wave + 1);
            let canister = self
                .platform
                .canisters
                .get_mut(&id)
                .expect("bug: drawn from the keys");
            if canister.module.is_some() {
                let accepts = !canister.work.draining;
                let left = canister.work.jobs / 2;
                canister.work.jobs = if accepts { most.max(left) } else { left };
            }
            if canister.run_state == RunState::Stopping && self.dice.chance(300) {
                canister.work.call_open = false;
                canister.run_state = RunState::Stopped;
            }
        }
    }

    fn command(&mut self) -> Result<(), Failure> {
        // Few ids: they repeat, with the same command and with others.
        let operation = match self.dice.below(40) {
            0 => String::new(),
            1 => "x".repeat(OperationId::BYTES_MAX + 1),
            number => format!("op-{}-{number}", self.step / 100),
        };
        let command = self.draw_command();
        let caller = fleet::operator();
        let input = CommandInput {
            caller,
            operation: OperationId(operation),
            command,
        };
        let reply = self.message(&Input::Command(input.clone()))?;
        self.tick_owed = true;
        if !input.operation.is_valid() && !matches!(reply, Reply::Refused(..)) {
            return Err(self.failure("command", format!("{input:?} got {reply:?}")));
        }
        if self.dice.chance(300) {
            self.note("operation repeated");
            return self.message(&Input::Command(input)).map(drop);
        }
        Ok(())
    }

    fn draw_command(&mut self) -> Command {
        match self.dice.below(16) {
            0..4 => {
                let count = self.dice.between(1, 4);
                Command::ImportQueued((0..count).map(|_| self.draw_canister()).collect())
            }
            4..6 => Command::Recycle(self.draw_canister()),
            6 => Command::RequeueFailed(None),
            7 => Command::RequeueFailed(Some(vec![self.draw_canister(), self.draw_canister()])),
            8 => Command::Pause(self.draw_direction()),
            9 => Command::ImportImmediate(self.draw_canister()),
            10 => Command::CreateEmpty,
            11 => Command::Export(self.draw_canister(), ExportTo::Registry),
            12 => {
                let heir = ExportTo::Principal(fleet::stranger());
                Command::Export(self.draw_canister(), heir)
            }
            13 => Command::Delete(self.draw_canister()),
            14 => {
                // An operator forgets what is really lost.
                let id = self.draw_canister();
                if self.platform.is_ours(id) {
                    Command::Recycle(id)
                } else {
                    Command::Forget(id)
                }
            }
            _ if self.dice.chance(200) => Command::DrainSurplus,
            _ => Command::Resume(self.draw_direction()),
        }
    }

    fn draw_direction(&mut self) -> Option<Direction> {
        match self.dice.below(3) {
            0 => Some(Direction::Up),
            1 => Some(Direction::Down),
            _ => None,
        }
    }

    /// Somebody's canister: the fleet's, a stranger's, one that is not.
    fn draw_canister(&mut self) -> CanisterId {
        super::canister_id(self.dice.between(0, 24))
    }

    /// Bounds move; a spec is always a legal one.
    fn respec(&mut self) -> Result<(), Failure> {
        let index = self.dice.below(self.wanted.pools.len() as u64) as usize;
        let max = self.dice.between(1, 6) as u32;
        let min = self.dice.below(u64::from(max) + 1) as u32;
        let initial = self.dice.between(u64::from(min), u64::from(max)) as u32;
        let pool = &mut self.wanted.pools[index];
        (pool.min, pool.max, pool.initial) = (min, max, initial);
        let minimum = self.dice.below(4) as u32;
        self.wanted.warm_pool.minimum = minimum;
        self.wanted.warm_pool.maximum = minimum + self.dice.below(5) as u32;
        self.wanted.lanes.reset = self.wanted.lanes.reset.max(self.dice.between(2, 5) as u32);
        let spec = Box::new(self.wanted.clone());
        let before = self.state.spec_generation();
        self.message(&Input::Apply(spec))?;
        self.tick_owed = true;
        if self.state.spec_generation() <= before {
            return Err(self.failure("spec", "a new spec without a new generation".to_owned()));
        }
        Ok(())
    }

    /// A module that must not get in: wrong hash, wrong order, not wasm.
    fn stage_badly(&mut self) -> Result<(), Failure> {
        let module = ModuleHash([self.dice.below(3) as u8; 32]);
        let index = self.dice.below(2) as u32;
        let bytes = b"\0asm\x01\0\0\0 not what was announced".to_vec();
        self.message(&Input::StageChunk {
            module,
            index,
            bytes,
        })?;
        let reply = self.message(&Input::CommitModule {
            module,
            chunks: index + 1,
        })?;
        if !matches!(reply, Reply::Refused(..)) {
            return Err(self.failure("module", format!("a bad module was committed: {reply:?}")));
        }
        self.note("bad module refused");
        Ok(())
    }
}
