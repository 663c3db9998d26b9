//! `hatchery up`: the fleet of a folder on a network of its own, which agents, `icp` and browsers
//! reach; it follows the folder's files, and keeps its state between runs.

pub(crate) mod host;
mod interrupt;
mod watch;

use crate::args::{Globals, UpOptions, WasmOptions};
use crate::complaint::render;
use crate::connection::network::{Home, LOCAL};
use crate::connection::{self, Client, identity};
use crate::demo::Clock;
use crate::fleet_file::{self, FleetFile};
use crate::follow;
use crate::show::{Paint, json};
use crate::verbs::apply::apply;
use crate::verbs::deploy::{self, RootPlan};
use crate::verbs::events::line;
use crate::wasm;
use anyhow::Context;
use candid::Principal;
use hatchery_api::FleetStatus;
use host::Host;
use interrupt::Interrupt;
use std::path::PathBuf;
use std::time::Duration;
use watch::Watch;

/// Between two looks at files, signals and events.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Between two saves of the network's state, in seconds.
const SAVE_EVERY: f64 = 60.0;

pub(crate) fn run(globals: &Globals, options: &UpOptions) -> anyhow::Result<()> {
    let clock = Clock::start();
    let mut up = Up::start(globals, options)?;
    let status = follow::until_ready(&up.client, options.ready_within, !globals.json)?;
    up.greet(&status, clock)?;
    if !options.once {
        up.follow()?;
    }
    up.host
        .save()
        .context("the network's state cannot be saved")
}

/// A fleet that runs here.
struct Up<'a> {
    globals: &'a Globals,
    wasm: &'a WasmOptions,
    interrupt: Interrupt,
    home: Home,
    client: Client,
    plan: RootPlan,
    watch: Watch,
    paint: Paint,
    /// Dropped last, so that it is there for all others.
    host: Host,
}

impl<'a> Up<'a> {
    /// Network, root, modules and spec, in this order.
    fn start(globals: &'a Globals, options: &'a UpOptions) -> anyhow::Result<Up<'a>> {
        let fleet = fleet_file::load(&globals.folder, &options.wasm)?;
        let module = deploy::root_module(&wasm::folder(&options.wasm))?;
        let controllers = options
            .controller
            .iter()
            .map(|text| connection::canister(text));
        let plan = RootPlan {
            module,
            cycles: None,
            controllers: controllers.collect::<anyhow::Result<_>>()?,
            force: false,
            reinstall: false,
        };
        let interrupt = Interrupt::listen()?;
        let home = Home::of(&globals.folder);
        let host = Host::start(&home, options.port)?;
        let operator = identity::of_folder(&home.operator())?;
        let client = Client::connect(host.place(), operator, home.root(LOCAL))?;
        let mut up = Up {
            globals,
            wasm: &options.wasm,
            interrupt,
            watch: Watch::over(files(globals, &options.wasm, &fleet)),
            paint: Paint::new(globals.colour),
            client: client.forget_a_root_that_is_gone()?,
            home,
            plan,
            host,
        };
        up.bring(&fleet)?;
        Ok(up)
    }

    /// Root, modules and spec as the files have them.
    fn bring(&mut self, fleet: &FleetFile) -> anyhow::Result<()> {
        let shown = !self.globals.json;
        let mut say = |line: &str| {
            if shown {
                eprintln!("{line}");
            }
        };
        let root = deploy::bring_root(&self.client, &self.home, &self.plan, &fleet.spec, &mut say)?;
        self.client.set_root(root);
        apply(&self.client, fleet, shown)?;
        Ok(())
    }

    /// Where everything is, once it is there.
    fn greet(&self, status: &FleetStatus, clock: Clock) -> anyhow::Result<()> {
        let root = self.client.root()?;
        let url = &self.client.place().url;
        if self.globals.json {
            json::print(&json::of(status));
            return Ok(());
        }
        let workers: u32 = status
            .pools
            .iter()
            .map(|pool| pool.in_service + pool.leased)
            .sum();
        let text = format!(
            "fleet {} is up after {:.1} s: {workers} workers in service",
            status.name,
            clock.seconds()
        );
        println!("{}", self.paint.good(&text));
        println!("  root      {root}");
        println!("  network   {url}");
        println!(
            "  operator  {} in {}",
            self.client.me(),
            self.home.operator().display()
        );
        println!("  page      {}", page(url, root));
        Ok(())
    }

    /// Tells what happens, and follows the files, until the end is asked for.
    fn follow(&mut self) -> anyhow::Result<()> {
        println!(
            "{}",
            self.paint
                .faint("Ctrl-C saves and ends it; other commands work in another terminal")
        );
        let mut last = self.client.events(u64::MAX, 1)?.newest;
        let mut saved = Clock::start();
        while !self.interrupt.is_asked() {
            follow::pause(LOOK_EVERY);
            self.follow_files();
            for event in self.client.all_events(last)? {
                last = event.number;
                println!("{}", line(&event, self.paint));
            }
            if saved.seconds() > SAVE_EVERY {
                self.host.save()?;
                saved = Clock::start();
            }
        }
        Ok(())
    }

    /// Brings what changed; a mistake is told, and the fleet goes on as it was.
    fn follow_files(&mut self) {
        let changed = self.watch.changed();
        if changed.is_empty() {
            return;
        }
        let names: Vec<String> = changed
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        println!(
            "{}",
            self.paint.bold(&format!("changed: {}", names.join(", ")))
        );
        if let Err(error) = self.bring_changed() {
            eprintln!("{}", render(&error));
        }
    }

    fn bring_changed(&mut self) -> anyhow::Result<()> {
        self.plan.module = deploy::root_module(&wasm::folder(self.wasm))?;
        let fleet = fleet_file::load(&self.globals.folder, self.wasm)?;
        self.watch = Watch::over(files(self.globals, self.wasm, &fleet));
        self.bring(&fleet)?;
        println!("{}", self.paint.good("applied"));
        Ok(())
    }
}

/// The files that make the fleet what it is.
fn files(globals: &Globals, wasm: &WasmOptions, fleet: &FleetFile) -> Vec<PathBuf> {
    let mut files = vec![
        globals.folder.join(fleet_file::NAME),
        wasm::folder(wasm).join(wasm::ROOT),
    ];
    files.extend(fleet.modules.values().map(|module| module.path.clone()));
    files
}

/// Root's page as a browser finds it on a network of this machine.
fn page(url: &str, root: Principal) -> String {
    let port = url.rsplit(':').next().unwrap_or("80");
    format!("http://{root}.localhost:{port}/")
}
