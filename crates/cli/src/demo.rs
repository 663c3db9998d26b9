//! `hatchery demo`: runs the demo's fleet, shows it, and says what came of it. What happens in the
//! demo is `hatchery-sim`'s; how a run looks is in the modules below.

mod clock;
mod live;
mod progress;
mod report;

use crate::args::{DemoOptions, Globals};
use crate::complaint::{Complaint, Kind};
use crate::live::{Recording, Story};
use crate::{check, plot, wasm};
use anyhow::Context;
pub(crate) use clock::Clock;
use hatchery_api::fleet_toml;
use hatchery_sim::demo::{Demo, DemoConfig, FLEET_TOML};
use hatchery_types::ModuleHash;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

pub(crate) fn run(globals: &Globals, options: &DemoOptions) -> anyhow::Result<()> {
    let clock = Clock::start();
    let config = read_config(options)?;
    let is_live =
        std::io::stdout().is_terminal() && !(options.fast || globals.json || options.no_tui);
    let mut demo = Demo::start(config, &mut |line| eprintln!("{line} ..."))?;
    let mut story = Story::new(&demo, options.seed);
    let mut recording = Recording::new(options.record.clone(), story.title());
    let finished = if is_live {
        live::show(&mut demo, &mut story, &mut recording)?
    } else {
        progress::show(&mut demo, &mut story, &mut recording)?
    };

    let svg = options.svg.clone().unwrap_or_else(default_svg);
    write_svg(&svg, &story)?;
    if let Some(path) = recording.write()? {
        eprintln!("recording: {}", path.display());
    }
    if !finished {
        let message = format!(
            "after {} virtual seconds, nothing was verified",
            story.seconds()
        );
        return Err(Complaint::new(Kind::Stopped, message).into());
    }
    let mut summary = demo.finish()?;
    summary.wall_seconds = (clock.seconds() * 1_000.0).round() / 1_000.0;
    if globals.json {
        println!("{}", serde_json::to_string(&summary)?);
    } else {
        print!("{}", report::table(&story, &summary));
        println!("plot: {}", svg.display());
    }
    if summary.ok {
        return Ok(());
    }
    let broken = summary
        .what_fails()
        .into_iter()
        .chain(demo.violations().map(str::to_owned));
    let broken: Vec<String> = broken.collect();
    let message = format!("the fleet is not as it must be:\n  {}", broken.join("\n  "));
    let chaos = if options.chaos { " --chaos" } else { "" };
    let again = format!(
        "the same again: hatchery demo --fast --seed {}{chaos}",
        options.seed
    );
    let complaint = Complaint::new(Kind::Failed, message).hint(again);
    if options.fleet.is_some() {
        let needs = "the first pool of a fleet of your own must follow the load: a signal `depth`, \
                     `max` of 6 or more";
        return Err(complaint.hint(needs).into());
    }
    Err(complaint.into())
}

fn read_config(options: &DemoOptions) -> anyhow::Result<DemoConfig> {
    let fleet_toml = match &options.fleet {
        Some(file) => read_fleet(file)?,
        None => FLEET_TOML.to_owned(),
    };
    let folder = wasm::folder(&options.wasm);
    Ok(DemoConfig {
        seed: options.seed,
        chaos: options.chaos,
        root_wasm: wasm::read(&folder, wasm::ROOT)?,
        worker_wasm: wasm::read(&folder, wasm::WORKER)?,
        fleet_toml,
        cache_dir: Some(folder.join("compiled")),
    })
}

/// The text of a fleet that the demo can run: its modules are the demo's own, so any hash will do.
fn read_fleet(file: &Path) -> Result<String, Complaint> {
    let text = check::read_text(file)?;
    let spec = fleet_toml::parse(&text)
        .and_then(|draft| draft.resolve(|_, _| Ok(ModuleHash([1; 32]))))
        .map_err(|errors| check::refuse(file, &errors))?;
    if spec.pools.is_empty() {
        let message = format!("{} has no worker pool", file.display());
        return Err(Complaint::new(Kind::Input, message).hint("add a section `[pools.workers]`"));
    }
    Ok(text)
}

fn default_svg() -> PathBuf {
    wasm::target_folder().unwrap_or_default().join("demo.svg")
}

fn write_svg(path: &Path, story: &Story) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::write(
        path,
        plot::svg(story.title(), story.samples(), story.marks()),
    )
    .with_context(|| format!("the plot cannot be written to {}", path.display()))
}
