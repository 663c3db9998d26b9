//! The trace files: their shape, their rules, and the ones that come with the laboratory.
//!
//! What jobs a trace brings is [`super::load`]'s.

use serde::Deserialize;

/// One load and the workers that serve it; `crates/sim/traces/README.md` describes the file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// Name, that of the file.
    #[serde(skip)]
    pub name: String,
    /// One line for people.
    pub about: String,
    /// Measured seconds.
    pub duration_s: u64,
    /// What a job is.
    pub jobs: Jobs,
    /// What a worker is.
    pub worker: WorkerSpec,
    /// How load is told.
    pub signal: Signal,
    /// Bounds.
    pub pool: Bounds,
    /// Jobs over time.
    pub load: Load,
}

/// What a job is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    /// Time a job takes on a worker.
    pub service: Service,
    /// Jobs arrive in bunches.
    pub batch: Option<Batch>,
}

/// A distribution of service times.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Service {
    /// Without memory.
    Exponential {
        /// Mean.
        mean_ms: u64,
    },
    /// A heavy tail, cut off.
    Pareto {
        /// Mean before the cut.
        mean_ms: u64,
        /// The smaller, the heavier; above 1.
        exponent: f64,
        /// The cut.
        most_ms: u64,
    },
}

/// Sizes of bunches: of `k` or more with probability `k^-exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The smaller, the larger the bunches.
    pub exponent: f64,
    /// Largest bunch.
    pub most: u64,
}

/// What a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerSpec {
    /// Jobs served at once.
    pub slots: u32,
    /// An install takes this long and holds a lane.
    pub install_s: u64,
    /// Then it is not ready for this long.
    pub start_up_s: u64,
}

/// How load is told.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// Between two samples of one member.
    pub report_s: u64,
    /// From the member to the control plane.
    pub delay_s: u64,
    /// Jobs wanted per worker, running and waiting.
    pub target: u64,
}

/// Bounds of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Never fewer.
    pub min: u32,
    /// Never more.
    pub max: u32,
    /// In service at the start.
    pub initial: u32,
}

/// Jobs over time.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Seconds and jobs (bunches, clients) per second; straight lines between.
    pub points: Vec<(u64, f64)>,
    /// The points start over.
    pub repeat_s: Option<u64>,
    /// A wave on top.
    pub sine: Option<Sine>,
    /// A random factor on top.
    pub noise: Option<Noise>,
    /// A factor for each day in turn, per cent.
    pub days: Option<Vec<u64>>,
    /// The points are numbers of clients.
    pub clients: Option<Clients>,
}

/// A wave.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sine {
    /// Jobs per second up and down.
    pub amplitude: f64,
    /// Length.
    pub period_s: u64,
}

/// A random factor that holds for a while.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// How long.
    pub hold_s: u64,
    /// Smallest factor.
    pub least_percent: u64,
    /// Largest factor.
    pub most_percent: u64,
}

/// Clients that wait for their answer.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clients {
    /// Mean pause before the next job.
    pub think_ms: u64,
}

/// The file is not a trace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("trace {name}: {message}")]
pub struct TraceError {
    name: String,
    message: String,
}

impl Trace {
    /// Reads the text of a trace file.
    ///
    /// # Errors
    /// Not TOML, an unknown field, or values that make no load.
    pub fn read(name: &str, text: &str) -> Result<Trace, TraceError> {
        let refused = |message: String| TraceError {
            name: name.to_owned(),
            message,
        };
        let mut trace: Trace =
            toml_edit::de::from_str(text).map_err(|error| refused(error.to_string()))?;
        name.clone_into(&mut trace.name);
        match trace.fault() {
            None => Ok(trace),
            Some(fault) => Err(refused(fault.to_owned())),
        }
    }

    fn fault(&self) -> Option<&'static str> {
        let in_order = self.load.points.windows(2).all(|two| two[0].0 < two[1].0);
        let rates = self.load.points.iter().all(|(_, rate)| *rate >= 0.0);
        let bounds = self.pool.min <= self.pool.initial && self.pool.initial <= self.pool.max;
        let rules = [
            (self.duration_s > 0, "it has no duration"),
            (!self.load.points.is_empty(), "it has no points"),
            (in_order, "its points are not in order of time"),
            (rates, "a rate is negative"),
            (bounds, "min, initial and max are not in order"),
            (self.worker.slots > 0, "a worker has no slots"),
            (self.signal.target > 0, "the target is zero"),
            (self.signal.report_s > 0, "no time between reports"),
        ];
        rules
            .into_iter()
            .find(|(holds, _)| !holds)
            .map(|(_, fault)| fault)
    }
}

const FILES: &[(&str, &str)] = &[
    ("steady", include_str!("../../traces/steady.toml")),
    ("step", include_str!("../../traces/step.toml")),
    ("ramp", include_str!("../../traces/ramp.toml")),
    ("sine", include_str!("../../traces/sine.toml")),
    ("spike", include_str!("../../traces/spike.toml")),
    ("on-off-half", include_str!("../../traces/on-off-half.toml")),
    (
        "on-off-equal",
        include_str!("../../traces/on-off-equal.toml"),
    ),
    (
        "on-off-longer",
        include_str!("../../traces/on-off-longer.toml"),
    ),
    (
        "on-off-much-longer",
        include_str!("../../traces/on-off-much-longer.toml"),
    ),
    ("slow-start", include_str!("../../traces/slow-start.toml")),
    ("noisy", include_str!("../../traces/noisy.toml")),
    ("heavy-tail", include_str!("../../traces/heavy-tail.toml")),
    ("follow", include_str!("../../traces/follow.toml")),
    ("day", include_str!("../../traces/day.toml")),
    ("week", include_str!("../../traces/week.toml")),
];

/// The traces of the laboratory.
///
/// # Errors
/// A file is not a trace; a test reads them all.
pub fn traces() -> Result<Vec<Trace>, TraceError> {
    FILES
        .iter()
        .map(|(name, text)| Trace::read(name, text))
        .collect()
}

/// Seeds, fixed before any tuning.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seeds {
    /// A default may be tuned with these.
    pub tuning: Vec<u64>,
    /// Its figures come from these.
    pub judged: Vec<u64>,
}

/// The seeds of the laboratory.
///
/// # Errors
/// The file is not one of seeds; a test reads it.
pub fn seeds() -> Result<Seeds, TraceError> {
    let text = include_str!("../../traces/seeds.toml");
    toml_edit::de::from_str(text).map_err(|error| TraceError {
        name: "seeds".to_owned(),
        message: error.to_string(),
    })
}
