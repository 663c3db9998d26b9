//! What happens next, drawn: time passes, answers arrive, workers report, operators ask, others
//! meddle. Draws actions and performs none.

use super::action::{Action, Load, Meddling, Numbers};
use super::fleet;
use super::swarm::Fault;
use super::world::World;
use hatchery_core::limits::COMMAND_IDS_MAX;
use hatchery_core::{Command, UpgradeStep};
use hatchery_types::{
    CanisterId, Cycles, Direction, ExportTo, Nanos, OperationId, Phase, RunState,
};

const SECOND: Nanos = Nanos::from_secs(1);
const TEN_SECONDS: Nanos = Nanos::from_secs(10);
const MINUTE: Nanos = Nanos::from_secs(60);
/// What root has when nobody interferes.
pub(super) const RICH: Cycles = Cycles(2_000 * Cycles::T);
/// Operators top root up below this.
const LOW: Cycles = Cycles(500 * Cycles::T);

impl World {
    /// What the next step does: troubles of the swarm first, then one thing of the usual run.
    pub(super) fn draw(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.is_reinstalled_now() {
            actions.push(Action::Reinstall);
        }
        actions.extend(self.draw_recovery());
        self.draw_trouble(&mut actions);
        if self.platform.swarm.ambushes() {
            self.draw_ambush(&mut actions);
        }
        if self.platform.swarm.has_errands() {
            self.draw_errand(&mut actions);
        }
        match self.dice.below(100) {
            0..30 => {}
            30..33 => actions.push(Action::Tick),
            33..38 => self.draw_race(&mut actions),
            38..45 => self.draw_long_sleep(&mut actions),
            45 => self.draw_farewell(&mut actions),
            46 => self.draw_clearance(&mut actions),
            47..60 => actions.extend(self.draw_load()),
            60..68 => self.draw_holder(&mut actions),
            68..80 => self.draw_work(&mut actions),
            80..93 => self.draw_commands(&mut actions),
            93..96 => actions.push(Action::Respec(self.draw_numbers())),
            96..98 => self.draw_upgrade(&mut actions),
            _ => {
                let (module, index) = (self.dice.below(3) as u8, self.dice.below(2) as u32);
                actions.push(Action::StageBadly(module, index));
            }
        }
        let most = [SECOND, TEN_SECONDS, MINUTE][self.dice.below(3) as usize];
        for _ in 0..self.dice.below(4) {
            actions.push(Action::Pass(most));
        }
        actions
    }

    /// A member is harmed in the middle of its upgrade, by what each step of it rarely meets; or while
    /// it is mended.
    fn draw_ambush(&mut self, actions: &mut Vec<Action>) {
        let rows = self.rows().values();
        let away = rows.filter(|row| row.phase == Phase::Upgrading);
        let victims = away.filter_map(|row| {
            let upgrade = row.upgrade.as_ref()?;
            let (permille, harm): (u32, &[Meddling]) = match upgrade.step {
                UpgradeStep::Find => (500, &[Meddling::Deleted]),
                UpgradeStep::Look => (600, &[Meddling::TakenOver]),
                UpgradeStep::Check => (200, &[Meddling::Deleted]),
                // Root has nothing to go back to.
                UpgradeStep::Replace if upgrade.snapshot.is_some() => {
                    (80, &[Meddling::Unsaved, Meddling::Uninstalled])
                }
                _ => return None,
            };
            Some((row.canister, permille, harm))
        });
        let mended = self.platform.calls();
        let mended = mended.filter(|call| call.kind.name() == "mend");
        let harm: &[Meddling] = match self.step % 2 {
            0 => &[Meddling::TakenOver],
            _ => &[Meddling::Deleted],
        };
        let mended = mended.map(|call| (call.canister, 200, harm));
        let victims: Vec<_> = victims.chain(mended).collect();
        if let Some((id, permille, harm)) = self.dice.pick(&victims).copied()
            && self.dice.chance(permille)
        {
            actions.extend(harm.iter().map(|meddling| Action::Meddle(*meddling, id)));
        }
    }

    /// A role goes to another module, only one whose workers are checked to one that corrupts; or
    /// somebody meddles with a member on its way.
    fn draw_upgrade(&mut self, actions: &mut Vec<Action>) {
        let away = self.rows().values();
        let away: Vec<CanisterId> = away
            .filter(|row| row.phase == Phase::Upgrading)
            .map(|row| row.canister)
            .collect();
        let knows = |meddling: &Meddling| self.platform.swarm.knows(Fault::Meddled(*meddling));
        if Meddling::ALL.iter().any(knows)
            && !self.platform.swarm.ambushes()
            && let Some(id) = self.dice.pick(&away).copied()
        {
            // The last pair leaves root nothing to go back to.
            let harm: &[Meddling] = match self.dice.below(6) {
                0 => &[Meddling::Deleted],
                1 => &[Meddling::TakenOver],
                2 => &[Meddling::Uninstalled],
                3 => &[Meddling::Unsaved],
                _ => &[Meddling::Unsaved, Meddling::Uninstalled],
            };
            let harm = harm.iter().map(|meddling| Action::Meddle(*meddling, id));
            return actions.extend(harm);
        }
        let role = self.dice.below(2) as usize;
        let modules = if role == 0 {
            3
        } else {
            fleet::MODULES_LEN as u64
        };
        let module = self.dice.below(modules) as usize;
        actions.push(Action::Remodule(role, module));
    }

    /// Whatever the swarm has in store beside the faults of calls.
    fn draw_trouble(&mut self, actions: &mut Vec<Action>) {
        for meddling in Meddling::ALL {
            if self.platform.swarm.strikes(Fault::Meddled(meddling)) {
                let victim = self.draw_existing();
                actions.extend(victim.map(|id| Action::Meddle(meddling, id)));
            }
        }
        if self.platform.swarm.strikes(Fault::ClockJump) {
            let seconds = self.dice.between(3_600, 30 * 3_600);
            actions.push(Action::Jump(Nanos::from_secs(seconds)));
        }
        self.draw_balance(actions);
        if self.is_stopping && self.dice.chance(300) {
            actions.push(Action::Stopping(false));
        } else if self.platform.swarm.strikes(Fault::RootStopping) {
            actions.push(Action::Stopping(true));
        }
        if self.platform.swarm.strikes(Fault::StoreCleared) {
            actions.push(Action::Store(false));
        }
        if self.platform.swarm.strikes(Fault::StoreFilled) {
            actions.push(Action::Store(true));
        }
        if self.platform.swarm.strikes(Fault::UpgradedForced) {
            actions.push(Action::UpgradeForced);
        }
        if self.platform.swarm.strikes(Fault::UpgradedPolite) {
            actions.push(Action::UpgradePolite);
        }
    }

    fn draw_balance(&mut self, actions: &mut Vec<Action>) {
        if self.platform.swarm.strikes(Fault::RootPoor) {
            let balance = Cycles(u128::from(self.dice.below(12_000)) * Cycles::B);
            actions.push(Action::Balance(balance));
        } else if self.platform.balance < LOW && self.dice.chance(200) {
            actions.push(Action::Balance(RICH));
        }
    }

    /// Somebody reports a load: mostly a member, mostly truthfully.
    fn draw_load(&mut self) -> Option<Action> {
        let member = self.draw_existing()?;
        let canister = &self.platform.canisters[&member];
        let runs = canister.module.is_some() && canister.run_state == RunState::Running;
        if canister.work.habits.silent || !(runs || self.dice.chance(100)) {
            return None;
        }
        let swarm = &mut self.platform.swarm;
        let generation_off = if swarm.strikes(Fault::WrongGeneration) {
            self.dice.between(1, 3)
        } else {
            0
        };
        let value = self.platform.swarm.strikes(Fault::AbsurdValue).then(|| {
            let absurd = [u64::MAX, (1 << 53) + 1, 1 << 60];
            absurd[self.dice.below(3) as usize]
        });
        let known = self.dice.chance(980);
        Some(Action::Report(Load {
            member,
            generation_off,
            value,
            known,
        }))
    }

    /// Members get work and finish some; open calls end.
    fn draw_work(&mut self, actions: &mut Vec<Action>) {
        let wave = [0, 2, 12, 40][(self.step / 64 % 4) as usize];
        let mut jobs = Vec::new();
        for (id, canister) in &self.platform.canisters {
            let most = self.dice.below(wave + 1);
            if canister.module.is_some() {
                let left = canister.work.jobs / 2;
                let accepts = !canister.work.draining;
                jobs.push((*id, if accepts { most.max(left) } else { left }));
            }
            if canister.run_state == RunState::Stopping && self.dice.chance(50) {
                actions.push(Action::CallEnds(*id));
            }
        }
        actions.push(Action::Work(jobs));
    }

    fn draw_commands(&mut self, actions: &mut Vec<Action>) {
        // Few ids: they repeat, with the same command and with others.
        let operation = OperationId(match self.dice.below(40) {
            0 => String::new(),
            1 => "x".repeat(OperationId::BYTES_MAX + 1),
            number => format!("op-{}-{number}", self.step / 100),
        });
        let command = self.draw_command();
        let action = Action::Command(operation, command);
        if self.dice.chance(300) {
            self.note("operation repeated");
            actions.push(action.clone());
        }
        actions.push(action);
    }

    fn draw_command(&mut self) -> Command {
        match self.dice.below(18) {
            0 if self.dice.chance(50) => {
                let many =
                    (0..=COMMAND_IDS_MAX as u64).map(|number| super::canister_id(1_000 + number));
                Command::ImportQueued(many.collect())
            }
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
            11 => Command::Export(self.draw_spare(), ExportTo::Registry),
            12 => Command::Export(self.draw_spare(), ExportTo::Principal(fleet::stranger())),
            13 => Command::Delete(self.draw_canister()),
            14 => self.draw_forget(),
            15 => Command::DrainSurplus,
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

    /// A ready canister that had a role, if there is one.
    fn draw_spare(&mut self) -> CanisterId {
        let spare = self
            .rows()
            .values()
            .find(|row| row.phase == Phase::Ready && row.role.is_some())
            .map(|row| row.canister);
        spare.unwrap_or_else(|| self.draw_canister())
    }

    /// An operator forgets only what is really lost.
    fn draw_forget(&mut self) -> Command {
        let id = self.draw_canister();
        if self.platform.is_ours(id) {
            Command::Recycle(id)
        } else {
            Command::Forget(id)
        }
    }

    /// Two things at once to a canister that has a call under way, a rare one if there is one.
    fn draw_race(&mut self, actions: &mut Vec<Action>) {
        let calls: Vec<(&'static str, CanisterId)> = self
            .platform
            .calls()
            .map(|call| (call.kind.name(), call.canister))
            .collect();
        let is_usual = |kind: &str| {
            matches!(
                kind,
                "reset" | "install" | "create" | "observe" | "pull" | "check" | "drain"
            )
        };
        let is_away = |id: &CanisterId| {
            let row = self.rows().get(id);
            row.is_some_and(|row| row.phase == Phase::Upgrading)
        };
        // What looks at a member in its upgrade is rarer than any kind of call.
        let rarest = calls
            .iter()
            .filter(|(kind, id)| is_usual(kind) && is_away(id));
        let rarest: Vec<_> = rarest.copied().collect();
        let rare = calls.iter().filter(|(kind, _)| !is_usual(kind));
        let rare: Vec<_> = rare.copied().collect();
        let choice = [&rarest, &rare].into_iter().find(|calls| !calls.is_empty());
        let choice = choice.unwrap_or(&calls);
        let Some((_, id)) = self.dice.pick(choice).copied() else {
            return;
        };
        let knows = |meddling: &Meddling| self.platform.swarm.knows(Fault::Meddled(*meddling));
        if Meddling::ALL.iter().any(knows) {
            let meddling = [Meddling::Deleted, Meddling::TakenOver][self.dice.below(2) as usize];
            actions.push(Action::Meddle(meddling, id));
        }
        let operation = OperationId(format!("race-{}", self.step));
        actions.push(Action::Command(operation, Command::Recycle(id)));
    }

    /// A worker on standby is changed, and a day passes until somebody looks at it; or it is
    /// changed and released while somebody looks.
    fn draw_long_sleep(&mut self, actions: &mut Vec<Action>) {
        let idle = [Phase::Standby, Phase::Leased];
        let standby = self.rows().values().filter(|row| idle.contains(&row.phase));
        let standby: Vec<CanisterId> = standby.map(|row| row.canister).collect();
        let Some(id) = self.dice.pick(&standby).copied() else {
            return;
        };
        let any = [
            Meddling::Deleted,
            Meddling::TakenOver,
            Meddling::Stopped,
            Meddling::Uninstalled,
            Meddling::Uninstalled,
        ];
        let is_released = self.dice.chance(500);
        let kinds = if is_released { 2 } else { 5 };
        let meddling = any[self.dice.below(kinds) as usize];
        let knows = |meddling: &Meddling| self.platform.swarm.knows(Fault::Meddled(*meddling));
        let day = Action::Jump(Nanos::from_secs(25 * 3_600));
        let meddle = Action::Meddle(meddling, id);
        if !Meddling::ALL.iter().any(knows) {
            return;
        }
        if !is_released {
            actions.extend([meddle, day]);
            return;
        }
        let mut numbers = self.draw_numbers();
        let pool = self.rows()[&id].pool.clone();
        let pools = self.wanted.pools.iter();
        numbers.pool = pools
            .take_while(|it| Some(&it.name) != pool.as_ref())
            .count();
        numbers.standby = 0;
        let respec = Action::Respec(numbers);
        let look = if self.dice.chance(500) {
            [day, Action::Tick]
        } else {
            // Found stopped, it is to be mended.
            [Action::Meddle(Meddling::Stopped, id), day]
        };
        actions.extend(look);
        actions.extend([Action::Pass(TEN_SECONDS), meddle, respec, Action::Tick]);
    }

    /// A canister is handed over or deleted, and something happens to it, or only time passes.
    fn draw_farewell(&mut self, actions: &mut Vec<Action>) {
        let id = self.draw_spare();
        let operation = OperationId(format!("farewell-{}", self.step));
        let command = if self.dice.chance(300) {
            Command::Delete(id)
        } else {
            Command::Export(id, ExportTo::Principal(fleet::stranger()))
        };
        actions.extend([Action::Command(operation, command), Action::Tick]);
        actions.extend([Action::Pass(TEN_SECONDS), Action::Pass(TEN_SECONDS)]);
        if self.platform.swarm.knows(Fault::Meddled(Meddling::Deleted)) {
            actions.push(Action::Meddle(Meddling::Deleted, id));
        }
        let ten_minutes = Action::Jump(Nanos::from_secs(660));
        actions.extend([ten_minutes, Action::Tick]);
    }

    /// The warm pool is emptied: its canisters are swept and given to somebody else.
    fn draw_clearance(&mut self, actions: &mut Vec<Action>) {
        let numbers = Numbers {
            minimum: 0,
            maximum: 0,
            target: 0,
            surplus: 1,
            ..self.draw_numbers()
        };
        actions.extend([Action::Respec(numbers), Action::Tick]);
        actions.extend([TEN_SECONDS; 4].map(Action::Pass));
    }

    /// One of the canisters that exist.
    pub(super) fn draw_existing(&mut self) -> Option<CanisterId> {
        let busy = self.draw_busy();
        let index = self.dice.below(self.platform.canisters.len() as u64) as usize;
        busy.filter(|id| self.platform.canisters.contains_key(id))
            .or_else(|| self.platform.canisters.keys().nth(index).copied())
    }

    /// Somebody's canister: the fleet's, a stranger's, one that is not.
    fn draw_canister(&mut self) -> CanisterId {
        if let Some(id) = self.draw_busy() {
            return id;
        }
        if self.dice.chance(500) {
            let row = self.dice.below(self.rows().len() as u64) as usize;
            if let Some(id) = self.rows().keys().nth(row) {
                return *id;
            }
        }
        match self.dice.between(0, 24) {
            24 => fleet::far(),
            number => super::canister_id(number),
        }
    }

    /// Now and then one with a chain in flight: that is where races are.
    fn draw_busy(&mut self) -> Option<CanisterId> {
        if !self.dice.chance(300) {
            return None;
        }
        let busy = self.platform.calls().map(|call| call.canister);
        let busy: Vec<CanisterId> = busy.collect();
        self.dice.pick(&busy).copied()
    }

    /// Bounds move; a spec is always a legal one.
    pub(super) fn draw_numbers(&mut self) -> Numbers {
        let pool = self.dice.below(self.wanted.pools.len() as u64) as usize;
        let max = self.dice.between(1, 6) as u32;
        let min = self.dice.below(u64::from(max) + 1) as u32;
        let initial = self.dice.between(u64::from(min), u64::from(max)) as u32;
        let minimum = self.dice.below(4) as u32;
        let maximum = minimum + self.dice.below(5) as u32;
        let resets = self.wanted.lanes.reset.max(self.dice.between(2, 5) as u32);
        Numbers {
            pool,
            min,
            max,
            initial,
            standby: self.dice.below(3) as u32,
            minimum,
            maximum,
            resets,
            second_controller: self.dice.chance(250),
            target: [0, 0, 20, 50][self.dice.below(4) as usize],
            surplus: [0, 0, 1, 2][self.dice.below(4) as usize],
            reuse: self.dice.below(4) as usize,
            rule: self.dice.chance(700),
        }
    }
}
