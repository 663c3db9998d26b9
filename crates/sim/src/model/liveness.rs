//! After the safety phase: faults stop, workers are honest, operators resume and requeue, and the
//! world must come to rest within a stated time or say what holds it back.

use super::canister::{Canister, Habits};
use super::fleet;
use super::mirror::Rows;
use super::world::{Failure, World};
use hatchery_core::{Command, CommandInput, Input, Reply, Row, warm_reason};
use hatchery_types::{CanisterId, Nanos, OperationId, Phase, Reason, RunState};

/// Virtual time for coming to rest: two rounds of the longest back-off and the ten minutes after
/// which an absent install counts as absent.
const PATIENCE: Nanos = Nanos::from_secs(3 * 3_600);
/// Steps for coming to rest, long searches among them; more means that something is tried again and
/// again without a wait.
const PASSES_MAX: u32 = 20_000;
/// What was not looked at for so long is looked at.
const DAY: Nanos = Nanos::from_secs(24 * 3_600);
/// All is at rest when it stays so for this long, which every sixth world shows.
const CALM: Nanos = Nanos::from_secs(300);
/// Steps between two looks while something is under way.
const LOOK_EVERY: u32 = 20;
/// No answer takes longer once faults have ended.
const LONGEST_CALL: Nanos = Nanos::from_secs(900);
/// How often a member reports.
const REPORT_EVERY: Nanos = Nanos::from_secs(120);
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
        self.recover_in_peace()?;
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
        // What failed by an answer that was still under way when faults ended is requeued once more.
        let mut requeue_at = Some(self.now + LONGEST_CALL);
        let mut passes = 0;
        let mut calm_since = None;
        let calm = [Nanos(0), CALM][usize::from(self.seed.is_multiple_of(6))];
        while self.now < end {
            passes += 1;
            if passes > PASSES_MAX {
                let what = unrest(self).unwrap_or_default();
                return Err(self.restless("spinning", &what));
            }
            if self.now >= report_at {
                report_at = self.now + REPORT_EVERY;
                self.report_all()?;
            }
            if requeue_at.is_some_and(|at| self.now >= at) {
                requeue_at = None;
                self.command_in_peace("late", Command::RequeueFailed(None))?;
                self.tick()?;
            }
            self.pass(report_at.since(self.now))?;
            // A world with something under way is rarely at rest: a look each time would cost more
            // than all the rest.
            if !self.platform.is_quiet() && !passes.is_multiple_of(LOOK_EVERY) {
                continue;
            }
            calm_since = unrest(self)
                .is_none()
                .then(|| calm_since.unwrap_or(self.now));
            if calm_since.is_some_and(|since| self.now.since(since) >= calm) {
                return self.look_at_all();
            }
        }
        match unrest(self) {
            None => self.look_at_all(),
            Some(what) => Err(self.restless("converges", &what)),
        }
    }

    /// What is not at rest, with what root says of it.
    fn restless(&self, checker: &str, what: &str) -> Failure {
        let warm = warm_reason(&self.state, self.now, &self.vitals());
        let pools = self.wanted.pools.iter();
        let pools = pools.filter_map(|pool| self.state.pool(&pool.name));
        let pools: Vec<_> = pools
            .map(|it| (&it.name, it.desired, it.unmet, &it.reasons))
            .collect();
        let open = self.what_is_open();
        self.failure(checker, format!("{what}: {warm:?}, {pools:?}, {open}"))
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
        self.command_in_peace("peace", Command::Resume(None))?;
        self.command_in_peace("again", Command::RequeueFailed(None))?;
        self.tick()
    }

    fn command_in_peace(&mut self, name: &str, command: Command) -> Result<(), Failure> {
        let input = CommandInput {
            caller: fleet::operator(),
            operation: OperationId(format!("{name}-{}", self.now.0)),
            command,
        };
        self.message(&Input::Command(input)).map(drop)
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
            let told = self.message(&Input::Report {
                member,
                generation,
                signal,
                value,
            })?;
            self.tick_owed |= matches!(told, Reply::Reported { refused: None, .. });
        }
        Ok(())
    }

    /// What is not yet as it should be.
    fn unrest(&self) -> Option<String> {
        let spec = match self.state.spec() {
            Some(spec) if *spec == self.wanted => spec,
            other => return Some(format!("another spec than was applied: {other:?}")),
        };
        let rows = self.read_rows();
        // Too many creations came to nothing known or usable: root buys no more, and says so.
        let held_back = [Reason::LostCreations, Reason::UnprovenCanisters];
        let buys = !held_back.contains(&warm_reason(&self.state, self.now, &self.vitals()));
        for pool in &spec.pools {
            let of_pool = |row: &&Row| row.pool.as_ref() == Some(&pool.name);
            let count = |phase: Phase| {
                rows.values()
                    .filter(of_pool)
                    .filter(|row| row.phase == phase)
                    .count()
            };
            let in_service = count(Phase::InService);
            // Who was asked for or has children stays, though `max` was lowered.
            let members = self.state.members(&pool.name);
            let stay = members
                .filter(|it| it.bound && it.phase.is_living())
                .count();
            let most = stay.max(pool.max as usize);
            let record = self.state.pool(&pool.name);
            let desired = record.map_or(pool.min, |record| record.desired) as usize;
            let desired = desired.max(pool.min as usize);
            if (in_service + count(Phase::Leased) < desired && buys) || in_service > most {
                let (min, max, name) = (pool.min, pool.max, &pool.name);
                return Some(format!("{name}: {in_service} in service of {min}..{max}"));
            }
        }
        let ready = self.rows().values();
        let ready = ready.filter(|row| row.phase == Phase::Ready).count();
        let (minimum, maximum) = (spec.warm_pool.minimum, spec.warm_pool.maximum);
        if (ready < minimum as usize && buys) || ready > maximum as usize {
            return Some(format!("{ready} ready of {minimum}..{maximum}"));
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
        self.unfinished(&rows).or_else(|| self.orphan(&rows))
    }

    /// What is still on its way, or was given up though it is there.
    fn unfinished(&self, rows: &Rows) -> Option<String> {
        let passing = [
            Phase::Creating,
            Phase::PendingReset,
            Phase::Resetting,
            Phase::Installing,
            Phase::Draining,
            Phase::Stopping,
            Phase::Deleting,
            Phase::Exporting,
            Phase::Upgrading,
        ];
        let is_ours = |row: &Row| self.platform.is_ours(row.canister);
        let stuck = rows.values().find(|row| match row.phase {
            Phase::Lost => row.reason == Reason::Gone && is_ours(row),
            Phase::Failed => !is_final(&row.reason),
            phase => passing.contains(&phase),
        });
        if let Some(row) = stuck {
            return Some(format!(
                "{} still {}: {}",
                row.canister, row.phase, row.reason
            ));
        }
        let journal = self.state.effects(None, u64::MAX as usize);
        let open = journal.iter().filter(|effect| !effect.given_up);
        let old = open
            .map(|effect| (self.now.since(effect.started_at), effect))
            .max_by_key(|it| it.0);
        let (age, effect) = old.filter(|(age, _)| *age > LONGEST_CALL)?;
        Some(format!("open for {age:?}: {effect:?}"))
    }

    /// What root bought, still controls, and has no row for.
    fn orphan(&self, rows: &Rows) -> Option<String> {
        let bought = self.platform.created_at.keys();
        let mut ours = bought.filter(|id| self.platform.is_ours(**id));
        let orphan = ours.find(|id| !rows.contains_key(id))?;
        Some(format!("{orphan} was bought and has no row"))
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

/// What no requeue mends: somebody else's canister, or one with too few cycles, too many to be
/// deleted, or another state than its snapshot's.
fn is_final(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::NotControlled
            | Reason::BelowFloor
            | Reason::AboveSweepLine
            | Reason::RollbackFailed
            | Reason::UnknownTenant
    )
}
