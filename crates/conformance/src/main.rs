//! Runs the suite on a backend: `conformance [--backend engine|pocketic] [--plant NAME] [--json]`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Parser, ValueEnum};
use hatchery_conformance::{
    Backend, BackendError, Case, EngineBackend, PocketIcBackend, PocketIcServer, Report, Verdict,
    all,
};
use hatchery_engine::Config;

/// Runs the conformance suite.
#[derive(Debug, Parser)]
#[command(name = "conformance")]
struct Arguments {
    /// What the cases run on; `pocketic` starts the server named by `POCKET_IC_BIN`.
    #[arg(long, value_enum, default_value = "engine")]
    backend: BackendName,
    /// Run only cases whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// Run this case with its deviation planted; it must fail.
    #[arg(long, value_name = "NAME", conflicts_with = "plant_all")]
    plant: Option<String>,
    /// Run every case with its deviation planted; all must fail.
    #[arg(long)]
    plant_all: bool,
    /// Print the report as JSON in the last line.
    #[arg(long)]
    json: bool,
    /// List the cases and their sources, and run nothing.
    #[arg(long)]
    list: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BackendName {
    Engine,
    Pocketic,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let cases = chosen(&arguments)?;
    if arguments.list {
        for case in &cases {
            println!("{}\t{}", case.name, case.citation);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let planted = arguments.plant_all || arguments.plant.is_some();
    // Every case has a world of its own; compiled modules are shared by the run through a folder.
    let cache = std::env::temp_dir().join(format!("hatchery-conformance-{}", std::process::id()));
    let (name, mut make) = backends(arguments.backend, &cache)?;
    let mut report = Report::new(name);
    for case in &cases {
        let verdict = if planted {
            case.run_planted(&mut *make)
        } else {
            case.run(&mut *make)
        };
        if !arguments.json {
            tell(case, &verdict);
        }
        report.add(case, verdict);
    }
    drop(std::fs::remove_dir_all(&cache));
    if arguments.json {
        println!("{}", report.to_json());
    } else {
        println!(
            "{}: {} passed, {} failed, {} skipped",
            report.backend, report.passed, report.failed, report.skipped
        );
    }
    Ok(exit_code(&report, planted))
}

/// Planted cases must all fail, others must not.
fn exit_code(report: &Report, planted: bool) -> ExitCode {
    let bad = if planted {
        report.passed + report.skipped
    } else {
        report.failed
    };
    if bad == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn chosen(arguments: &Arguments) -> anyhow::Result<Vec<Case>> {
    let mut cases = all();
    if let Some(name) = &arguments.plant {
        cases.retain(|case| case.name == name);
    }
    if let Some(part) = &arguments.only {
        cases.retain(|case| case.name.contains(part.as_str()));
    }
    if cases.is_empty() {
        bail!("no such case; --list names them all");
    }
    Ok(cases)
}

type Make = Box<dyn FnMut() -> Result<Box<dyn Backend>, BackendError>>;

fn backends(name: BackendName, cache: &Path) -> anyhow::Result<(&'static str, Make)> {
    let config = Config {
        cache_dir: Some(cache.to_owned()),
        ..Config::default()
    };
    match name {
        BackendName::Engine => Ok((
            "engine",
            Box::new(move || Ok(Box::new(EngineBackend::new(config.clone())))),
        )),
        BackendName::Pocketic => {
            let server = PocketIcServer::from_environment()?;
            Ok((
                "pocketic",
                Box::new(move || Ok(Box::new(PocketIcBackend::new(server.clone())?))),
            ))
        }
    }
}

fn tell(case: &Case, verdict: &Verdict) {
    match verdict {
        Verdict::Passed => println!("passed   {}", case.name),
        Verdict::Failed(detail) => println!("FAILED   {}: {detail}", case.name),
        Verdict::Skipped(detail) => println!("skipped  {}: {detail}", case.name),
    }
}
