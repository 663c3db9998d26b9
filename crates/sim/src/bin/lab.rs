//! `lab`: the autoscaling laboratory's figures, as a table or one JSON object a line, and pictures.
//!
//! `cargo xtask lab` starts it.

use anyhow::{Context, bail};
use hatchery_sim::lab::{Figures, Policy, Trace, measure, picture, seeds, table, traces};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const USAGE: &str = "usage: lab [--json] [--tuning] [--trace NAME]... [--policy NAME]... \
                     [--svg FOLDER]\n\
                     figures are of the judged seeds; with --tuning, of those a default may be \
                     tuned with";

struct Options {
    json: bool,
    tuning: bool,
    traces: Vec<String>,
    policies: Vec<String>,
    svg: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let options = options(std::env::args().skip(1))?;
    let traces: Vec<Trace> = traces()?
        .into_iter()
        .filter(|trace| options.traces.is_empty() || options.traces.contains(&trace.name))
        .collect();
    let policies: Vec<Policy> = Policy::ALL
        .into_iter()
        .filter(|policy| {
            options.policies.is_empty() || options.policies.iter().any(|name| name == policy.name())
        })
        .collect();
    if traces.is_empty() || policies.is_empty() {
        bail!("there is no such trace or policy\n{USAGE}");
    }
    let seeds = seeds()?;
    let seeds = if options.tuning {
        seeds.tuning
    } else {
        seeds.judged
    };
    let figures = figures(&traces, &seeds, &policies);
    if options.json {
        for row in &figures {
            println!("{}", serde_json::to_string(row)?);
        }
    } else {
        print!("{}", table(&figures));
    }
    if let Some(folder) = options.svg {
        std::fs::create_dir_all(&folder)?;
        for trace in &traces {
            let file = folder.join(format!("{}.svg", trace.name));
            std::fs::write(&file, picture(trace, seeds[0], Policy::Hpa))
                .with_context(|| format!("{}", file.display()))?;
        }
        eprintln!("pictures: {}", folder.display());
    }
    Ok(())
}

/// Of every trace and policy, summed over the seeds. Runs go side by side; figures do not depend
/// on which ends first.
fn figures(traces: &[Trace], seeds: &[u64], policies: &[Policy]) -> Vec<Figures> {
    let runs: Vec<(usize, u64)> = seeds
        .iter()
        .flat_map(|seed| (0..traces.len()).rev().map(|trace| (trace, *seed)))
        .collect();
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Vec<Figures>)>> = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((trace, seed)) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let figures = measure(&traces[*trace], *seed, policies);
                    let mut done = done.lock().expect("bug: a run panicked");
                    done.push((*trace, figures));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("bug: a run panicked");
    done.sort_by_key(|(trace, _)| *trace);
    let mut sums: Vec<Figures> = Vec::new();
    for row in done.into_iter().flat_map(|(_, figures)| figures) {
        let same = |sum: &&mut Figures| sum.trace == row.trace && sum.policy == row.policy;
        match sums.iter_mut().find(same) {
            Some(sum) => sum.add(&row),
            None => sums.push(row),
        }
    }
    sums
}

fn options(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut options = Options {
        json: false,
        tuning: false,
        traces: Vec::new(),
        policies: Vec::new(),
        svg: None,
    };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().context(USAGE);
        match argument.as_str() {
            "--json" => options.json = true,
            "--tuning" => options.tuning = true,
            "--trace" => options.traces.push(value()?),
            "--policy" => options.policies.push(value()?),
            "--svg" => options.svg = Some(PathBuf::from(value()?)),
            _ => bail!("{USAGE}"),
        }
    }
    Ok(options)
}
