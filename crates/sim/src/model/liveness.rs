//! After the safety phase: faults stop, workers are honest, operators resume and requeue, and the
//! world must come to rest within a stated time or say what holds it back.

use super::canister::{Canister, Habits};
use super::fleet;
use super::mirror::Rows;
use super::world::{Failure, World};
use hatchery_core::{Command, CommandInput, Input, Row, warm_reason};
use hatchery_types::{CanisterId, Nanos, OperationId, Phase, Reason, RunState};

/// Virtual time for coming to rest: two rounds of the longest back-off and the ten minutes after
/// which an absent install counts as absent.
const PATIENCE: Nanos = Nanos::from_secs(3 * 3_600);
/// Steps for coming to rest; more means that something is tried again and again without a wait.
const PASSES_MAX: u32 = 5_000;
/// What was not looked at for so long is looked at.
const DAY: Nanos = Nanos::from_secs(24 * 3_600);
/// How often a member reports.
const REPORT_EVERY: Nanos = Nanos::from_secs(60);
/// What every honest member has to do: with ten wanted per worker, the pools grow to their middle.
const HONEST_JOBS: u64 = 8;

impl World {
    /// Ends the faults and waits until desired is observed. In every third world a spare canister is
    /// then deleted behind root's back, and a day later that is mended, too.
    ///
    /// # Errors
    /// What has not come to rest, or a violation on the way.
    pub fn converge(&mut self) -> Result<(), Failure> {
        self.make_peace()?;
        self.come_to_rest(World::unrest)?;
        if self.seed.is_multiple_of(3) && self.lose_spare() {
            self.now = self.now + DAY;
            self.come_to_rest(|world| world.spent().or_else(|| world.unrest()))?;
        }
        Ok(())
    }

    /// A spare canister is deleted behind root's back.
    fn lose_spare(&mut self) -> bool {
        let mut ready = self.rows().values();
        let spare = ready.find(|row| row.phase == Phase::Ready);
        let Some(spare) = spare.map(|row| row.canister) else {
            return false;
        };
        self.platform.canisters.remove(&spare);
        true
    }

    fn come_to_rest(&mut self, unrest: fn(&World) -> Option<String>) -> Result<(), Failure> {
        let end = self.now + PATIENCE;
        let mut report_at = self.now;
        let mut passes = 0;
        while self.now < end {
            passes += 1;
            if passes > PASSES_MAX {
                let open = self.what_is_open();
                return Err(self.failure(
                    "spinning",
                    format!("{passes} steps to come to rest: {open}"),
                ));
            }
            if self.now >= report_at {
                report_at = self.now + REPORT_EVERY;
                self.report_all()?;
            }
            self.pass(report_at.since(self.now))?;
            if unrest(self).is_none() {
                return self.look_at_all();
            }
        }
        match unrest(self) {
            None => self.look_at_all(),
            Some(what) => Err(self.failure("converges", what)),
        }
    }

    fn make_peace(&mut self) -> Result<(), Failure> {
        self.look_at_all()?;
        self.be_left_alone();
        // What keeps a canister from stopping may do so for ever: that is no fault that ends.
        for canister in self.platform.canisters.values_mut() {
            canister.work.habits = Habits::default();
            canister.work.jobs = HONEST_JOBS;
        }
        // A module that never works is no fault that ends either.
        let bad = [fleet::TRAPS, fleet::CORRUPTS].map(fleet::module_of);
        for role in 0..self.wanted.roles.len() {
            if bad.contains(&self.wanted.roles[role].module) {
                self.remodule(role, 1)?;
            }
        }
        for (name, command) in [
            ("peace", Command::Resume(None)),
            ("again", Command::RequeueFailed(None)),
        ] {
            let operation = OperationId(format!("{name}-{}", self.step));
            let caller = fleet::operator();
            self.message(&Input::Command(CommandInput {
                caller,
                operation,
                command,
            }))?;
        }
        self.tick()
    }

    fn report_all(&mut self) -> Result<(), Failure> {
        let members: Vec<CanisterId> = self.platform.canisters.keys().copied().collect();
        for member in members {
            let canister = self
                .platform
                .canisters
                .get_mut(&member)
                .expect("bug: drawn from keys");
            let runs = canister.module.is_some() && canister.run_state == RunState::Running;
            let Some(generation) = canister.generation.filter(|_| runs) else {
                continue;
            };
            canister.work.jobs = if canister.work.draining {
                0
            } else {
                HONEST_JOBS
            };
            let (value, signal) = (canister.work.jobs, fleet::SIGNAL.to_owned());
            self.message(&Input::Report {
                member,
                generation,
                signal,
                value,
            })?;
        }
        self.tick()
    }

    /// What is not yet as it should be.
    fn unrest(&self) -> Option<String> {
        let spec = self.state.spec()?;
        let vitals = self.vitals();
        let rows = self.read_rows();
        // Too many creations came to nothing known or usable, or they are searched for: root buys
        // no more, and says so.
        let held_back = [
            Reason::LostCreations,
            Reason::SearchingLost,
            Reason::UnprovenCanisters,
        ];
        if held_back.contains(&warm_reason(&self.state, self.now, &vitals)) {
            return None;
        }
        for pool in &spec.pools {
            let living = |phase: Phase| {
                let members = rows.values();
                members
                    .filter(|row| row.phase == phase && row.pool.as_ref() == Some(&pool.name))
                    .count()
            };
            let in_service = living(Phase::InService);
            // Who was asked for or has children stays, though `max` was lowered.
            let members = self.state.members(&pool.name);
            let stay = members
                .filter(|it| it.bound && it.phase.is_living())
                .count();
            let most = stay.max(pool.max as usize);
            if in_service < pool.min as usize || in_service > most {
                let why = self.state.pool(&pool.name).map(|record| &record.reasons);
                let (min, max, name) = (pool.min, pool.max, &pool.name);
                let open = self.what_is_open();
                return Some(format!(
                    "{name}: {in_service} in service of {min}..{max}: {why:?}, {open}"
                ));
            }
        }
        let ready = self
            .rows()
            .values()
            .filter(|row| row.phase == Phase::Ready)
            .count();
        if ready < spec.warm_pool.minimum as usize || ready > spec.warm_pool.maximum as usize {
            let (minimum, maximum) = (spec.warm_pool.minimum, spec.warm_pool.maximum);
            let pools = spec.pools.iter();
            let why: Vec<_> = pools
                .filter_map(|pool| self.state.pool(&pool.name))
                .map(|record| (&record.name, record.unmet, &record.reasons))
                .collect();
            return Some(format!(
                "{ready} ready of {minimum}..{maximum}: {:?}, {why:?}, {}",
                warm_reason(&self.state, self.now, &vitals),
                self.what_is_open()
            ));
        }
        let dead = rows.values().find(|row| !self.is_alive(row));
        if let Some(row) = dead {
            return Some(format!(
                "{} is said to be in service, and is not: {row:?}, {:?}",
                row.canister,
                self.platform.canisters.get(&row.canister)
            ));
        }
        if let Some(what) = self.outdated(&rows) {
            return Some(what);
        }
        let passing = [
            Phase::Creating,
            Phase::PendingReset,
            Phase::Resetting,
            Phase::Stopping,
            Phase::Deleting,
            Phase::Exporting,
            Phase::Upgrading,
        ];
        let stuck = self
            .rows()
            .values()
            .find(|row| passing.contains(&row.phase));
        stuck.map(|row| format!("{} still {}: {}", row.canister, row.phase, row.reason))
    }

    /// A canister that root takes for a spare one, and that is none.
    fn spent(&self) -> Option<String> {
        let root = self.platform.root.0;
        let is_spare = |it: &Canister| it.is_controlled_by(root) && it.module.is_none();
        let spent = self.rows().values().find(|row| {
            let canister = self.platform.canisters.get(&row.canister);
            row.phase == Phase::Ready && !canister.is_some_and(is_spare)
        })?;
        Some(format!(
            "{} is said to be ready, and is not",
            spent.canister
        ))
    }

    /// Members that could run their role's module by now, and do not; unless root says that it has
    /// given up.
    fn outdated(&self, rows: &Rows) -> Option<String> {
        let spec = self.state.spec()?;
        let outdated = rows.values().find(|row| {
            let role = row.role.as_deref().and_then(|role| spec.role(role));
            let free = matches!(row.phase, Phase::Standby | Phase::InService);
            let pool = row.pool.as_deref().and_then(|pool| self.state.pool(pool));
            let stopped = pool.is_none_or(|it| it.reasons.contains(&Reason::UpgradeStopped));
            let by_itself = role.is_some_and(|role| role.upgrade.is_some());
            free && by_itself && !stopped && role.map(|role| role.module) != row.module
        })?;
        Some(format!(
            "{} runs an old module: {outdated:?}",
            outdated.canister
        ))
    }

    /// A member in service is there, runs its module, and no controller that the spec dropped is
    /// left.
    fn is_alive(&self, row: &Row) -> bool {
        let canister = self.platform.canisters.get(&row.canister);
        row.phase != Phase::InService
            || canister.is_some_and(|canister| {
                let runs = canister.run_state == RunState::Running;
                let dropped = fleet::controllers(true)
                    .into_iter()
                    .filter(|one| !self.wanted.controllers.contains(one))
                    .any(|one| canister.is_controlled_by(one));
                runs && canister.module == row.module && !dropped
            })
    }

    fn what_is_open(&self) -> String {
        let effects = self.state.effects(None, 10);
        let rows = self.read_rows();
        let rows: Vec<_> = rows
            .values()
            .map(|row| format!("{} {}", row.phase, row.reason))
            .collect();
        format!("open {effects:?}, rows {rows:?}")
    }
}
