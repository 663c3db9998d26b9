//! The demo: a fleet under a wave of jobs that rises and falls, root upgraded by force in the middle
//! of it, checked from outside at every second. It shows nothing by itself: a front end does.

mod chaos;
mod client;
mod frame;
mod summary;
mod wave;

pub use client::{Client, Tally};
pub use frame::{Frame, FrameSummary};
pub use summary::{CanisterSummary, JobSummary, PoolSummary, Summary, WorkerSummary};
pub use wave::{Job, Wave};

use crate::world::{Door, FleetWorld, START_NS, Straight};
use anyhow::{Context, anyhow, bail};
use chaos::Chaos;
use hatchery_api::{Command, CommandRequest, fleet_toml};
use hatchery_types::{FleetSpec, ModuleHash, OperationId, Phase, PoolSpec};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The fleet of the demo, for those who bring none.
pub const FLEET_TOML: &str = include_str!("../../../../examples/demo/fleet.toml");
/// Under which name the user comes in.
const USER: &str = "a user of the fleet";
/// Rounds in a virtual second.
pub const ROUNDS_PER_SECOND: u64 = 2;
const ROUND_NS: u64 = 1_000_000_000 / ROUNDS_PER_SECOND;
/// The demo ends by itself when all is done and quiet, at the latest after so many seconds.
pub const SECONDS_MAX: u64 = 600;
/// How many installs or resets must be open for the forced upgrade.
const OPEN_MIN: usize = 3;
/// When spare canisters are recycled if that moment has not come.
const RECYCLES: [u64; 4] = [150, 170, 190, 210];
/// Quiet seconds before the end.
const QUIET_SECONDS: u64 = 5;

/// What a demo is made of.
#[derive(Debug, Clone)]
pub struct DemoConfig {
    /// Where all randomness comes from.
    pub seed: u64,
    /// Random legal faults.
    pub chaos: bool,
    /// Root's module.
    pub root_wasm: Vec<u8>,
    /// The worker's module, for every role.
    pub worker_wasm: Vec<u8>,
    /// The fleet.
    pub fleet_toml: String,
    /// Where compiled modules are kept between runs.
    pub cache_dir: Option<PathBuf>,
}

/// A demo under way.
#[derive(Debug)]
pub struct Demo {
    config: DemoConfig,
    world: FleetWorld,
    spec: FleetSpec,
    wave: Wave,
    client: Client,
    chaos: Chaos,
    second: u64,
    quiet: u64,
    event: u64,
    /// Effects open when root was upgraded by force.
    open_at_upgrade: Option<usize>,
    notice: Option<String>,
    /// What somebody else did since the last second.
    told: Option<String>,
    violations: BTreeSet<String>,
    frame: Frame,
    frames: Vec<FrameSummary>,
}

impl Demo {
    /// Starts the network, root, its modules and the fleet; `say` hears each step.
    ///
    /// # Errors
    /// The fleet is not one, or root cannot be started.
    pub fn start(config: DemoConfig, say: &mut dyn FnMut(&str)) -> anyhow::Result<Demo> {
        Demo::start_behind(config, START_NS, Box::new(Straight), say)
    }

    /// The same, begun at another time, where operator and user come in by another door.
    ///
    /// # Errors
    /// The fleet is not one, or root cannot be started.
    pub fn start_behind(
        config: DemoConfig,
        start_ns: u64,
        door: Box<dyn Door>,
        say: &mut dyn FnMut(&str),
    ) -> anyhow::Result<Demo> {
        say("starting an Internet Computer in this process");
        let me = door.user(USER);
        let (seed, cache_dir) = (config.seed, config.cache_dir.clone());
        let mut world =
            FleetWorld::start_behind(seed, cache_dir, &config.root_wasm, start_ns, door)?;
        say(&format!("root is {}", world.root));
        let module = world.upload_module(&config.worker_wasm)?;
        say(&format!(
            "worker module uploaded, {} KB",
            config.worker_wasm.len() / 1024
        ));
        let spec = read_fleet(&config.fleet_toml, module)?;
        let generation = world.apply(&spec)?;
        say(&format!(
            "fleet {} applied, generation {generation}",
            spec.name
        ));
        let pool = spec
            .pools
            .first()
            .context("the fleet has no worker pool")?
            .name
            .clone();
        Ok(Demo {
            wave: Wave::new(config.seed),
            client: Client::new(config.seed, &pool, me),
            chaos: Chaos::new(config.seed, config.chaos),
            world,
            spec,
            second: 0,
            quiet: 0,
            event: 0,
            open_at_upgrade: None,
            notice: None,
            told: None,
            violations: BTreeSet::new(),
            frame: Frame::default(),
            frames: Vec::new(),
            config,
        })
    }

    /// One virtual second.
    ///
    /// # Errors
    /// Root does not answer its queries.
    pub fn step(&mut self) -> anyhow::Result<&Frame> {
        self.notice = self.chaos.act(self.second, &mut self.world);
        self.make_busy()?;
        let jobs = self.wave.jobs_of(self.second);
        self.client.act(self.second, jobs, &mut self.world);
        for _ in 0..ROUNDS_PER_SECOND {
            self.world.pass(1, ROUND_NS);
            self.client.hear(&mut self.world);
            self.upgrade_when_busy()?;
        }
        self.second += 1;
        self.look()?;
        Ok(&self.frame)
    }

    /// With faults about, installs may never be open together. Then the operator recycles some
    /// spare canisters at once: their resets are.
    fn make_busy(&mut self) -> anyhow::Result<()> {
        if self.open_at_upgrade.is_some() || !RECYCLES.contains(&self.second) {
            return Ok(());
        }
        let rows = self.world.rows()?;
        let spare = rows
            .iter()
            .filter(|row| row.phase == Phase::Ready)
            .map(|row| row.canister);
        for canister in spare.take(OPEN_MIN + 1) {
            let operation = OperationId(format!("recycle-{canister}-{}", self.second));
            let command = Command::Recycle { canister };
            self.world
                .submit_command(&CommandRequest { operation, command })?;
        }
        self.notice = Some("the operator recycles spare canisters".to_owned());
        Ok(())
    }

    /// Upgrades root as it is; how many effects are open.
    ///
    /// # Errors
    /// Root does not answer, or the message is refused.
    pub fn upgrade_by_force(&mut self) -> anyhow::Result<usize> {
        let open = self.world.effects()?.len();
        self.world.submit_forced_upgrade(&self.config.root_wasm)?;
        Ok(open)
    }

    /// Somebody else did something: it is in the next frame.
    pub fn tell(&mut self, notice: String) {
        self.told = Some(notice);
    }

    /// In the wave: at the first moment with enough installs or resets open, root is upgraded by
    /// force.
    fn upgrade_when_busy(&mut self) -> anyhow::Result<()> {
        if self.open_at_upgrade.is_some() || !self.wave.is_on(self.second) {
            return Ok(());
        }
        let effects = self.world.effects()?;
        let busy = effects
            .iter()
            .filter(|effect| matches!(effect.kind.as_str(), "install" | "reset"));
        if busy.count() >= OPEN_MIN {
            self.world.submit_forced_upgrade(&self.config.root_wasm)?;
            let open = effects.len();
            self.open_at_upgrade = Some(open);
            self.notice = Some(format!("root upgraded by force, {open} effects open"));
        }
        Ok(())
    }

    /// Reads root and looks from outside.
    fn look(&mut self) -> anyhow::Result<()> {
        let census = self.world.census(&self.spec)?;
        self.violations.extend(census.violations.iter().cloned());
        self.violations.extend(self.world.root_violations()?);
        let mut frame = Frame::read(&mut self.world, &census, self.event)?;
        frame.virtual_seconds = self.second;
        frame.jobs_submitted = self.client.tally().submitted;
        frame.jobs_done = self.client.tally().done;
        let notices = [self.told.take(), self.notice.take()];
        let notices: Vec<String> = notices.into_iter().flatten().collect();
        frame.notice = (!notices.is_empty()).then(|| notices.join("; "));
        self.event = frame.events.last().map_or(self.event, |event| event.number);
        self.frames.push(FrameSummary::from(&frame));
        let quiet = self.is_quiet(&frame);
        self.quiet = if quiet { self.quiet + 1 } else { 0 };
        self.frame = frame;
        Ok(())
    }

    fn is_quiet(&self, frame: &Frame) -> bool {
        let pool = self.pool();
        self.wave.is_over(self.second)
            && self.client.is_idle()
            && frame.in_service == u64::from(pool.min)
            && frame.draining == 0
            && frame.effects == 0
            && frame.ready >= u64::from(self.spec.warm_pool.minimum)
    }

    /// Everything is done and quiet, or time is up.
    pub fn is_over(&self) -> bool {
        self.quiet >= QUIET_SECONDS || self.second >= SECONDS_MAX
    }

    /// The last frame.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// A few figures of every second so far, for the plot.
    pub fn frames(&self) -> &[FrameSummary] {
        &self.frames
    }

    /// The world, to look at.
    pub fn world(&self) -> &FleetWorld {
        &self.world
    }

    /// The world, to ask it something between two steps.
    pub fn world_mut(&mut self) -> &mut FleetWorld {
        &mut self.world
    }

    /// The spec in force.
    pub fn spec(&self) -> &FleetSpec {
        &self.spec
    }

    /// What broke an invariant so far, each once.
    pub fn violations(&self) -> impl Iterator<Item = &str> {
        self.violations.iter().map(String::as_str)
    }

    fn pool(&self) -> &PoolSpec {
        &self.spec.pools[0]
    }

    /// The final checks from outside.
    ///
    /// # Errors
    /// Root does not answer its queries.
    pub fn finish(&mut self) -> anyhow::Result<Summary> {
        if self.frames.is_empty() {
            bail!("the demo has not run");
        }
        let census = self.world.census(&self.spec)?;
        self.violations.extend(census.violations.iter().cloned());
        let pool = self.pool();
        let warm = self.spec.warm_pool.minimum;
        let jobs = self.client.tally();
        let mut summary = Summary {
            ok: false,
            seed: self.config.seed,
            virtual_seconds: self.second,
            wall_seconds: 0.0,
            rounds: self.world.engine.round(),
            effects_open_at_upgrade: self.open_at_upgrade.unwrap_or(0) as u64,
            pool: PoolSummary {
                minimum: warm,
                ready: self.frame.ready,
                failed: self.frame.failed,
            },
            workers: WorkerSummary {
                min: pool.min,
                max: pool.max,
                peak: self
                    .frames
                    .iter()
                    .map(|frame| frame.in_service)
                    .max()
                    .unwrap_or(0),
                last: self.frame.in_service,
            },
            jobs: JobSummary {
                submitted: jobs.submitted,
                done: jobs.done,
                wrong: jobs.wrong,
                lost: jobs.submitted - jobs.done - jobs.wrong,
            },
            canisters: CanisterSummary {
                created: census.created,
                accounted: census.accounted,
                orphans: census.orphans.len() as u64,
            },
            violations: self.violations.len() as u64,
        };
        summary.ok = summary.what_fails().is_empty();
        Ok(summary)
    }
}

/// The fleet in `text`, every role with the demo's module.
///
/// # Errors
/// Every complaint about the text, one a line.
pub fn read_fleet(text: &str, module: ModuleHash) -> anyhow::Result<FleetSpec> {
    let complain = |errors: Vec<fleet_toml::TomlError>| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow!("fleet.toml: {}", lines.join("\n"))
    };
    let draft = fleet_toml::parse(text).map_err(complain)?;
    draft.resolve(|_, _| Ok(module)).map_err(complain)
}
