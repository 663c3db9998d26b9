//! `hatchery up`: the fleet of a folder on a network of its own, which agents, `icp` and browsers
//! reach; it follows the folder's files, and keeps its state between runs.

mod host;
mod interrupt;
mod mischief;
mod watch;

use crate::args::{Globals, UpOptions, WasmOptions};
use crate::complaint::render;
use crate::connection::network::{Home, LOCAL};
use crate::connection::{self, Client, identity};
use crate::demo::Clock;
use crate::fleet_file::{self, FleetFile};
use crate::follow;
use crate::live::fleet::{Now, Source};
use crate::live::harm::{self, Account};
use crate::live::{self, Mischief, Recording, Story};
use crate::show::{Paint, amount, json};
use crate::verbs::apply::apply;
use crate::verbs::deploy::{self, RootPlan};
use crate::verbs::events::line;
use crate::verbs::top::Reader;
use crate::wasm;
use anyhow::Context;
use candid::Principal;
use hatchery_api::FleetStatus;
use hatchery_types::Nanos;
use host::Host;
use interrupt::Interrupt;
use std::io::IsTerminal;
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
    let is_live = std::io::stdout().is_terminal() && !(options.no_tui || globals.json);
    match (options.once, is_live) {
        (true, _) => {}
        (false, true) => up.show(options)?,
        (false, false) => up.follow()?,
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
    /// Not on a terminal that shows a picture: said with the next one.
    is_live: bool,
    notices: Vec<String>,
    saved: Clock,
    failing_since: Option<Clock>,
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
            is_live: false,
            notices: Vec::new(),
            saved: Clock::start(),
            failing_since: None,
            home,
            plan,
            host,
        };
        up.bring(&fleet)?;
        Ok(up)
    }

    /// Root, modules and spec as the files have them.
    fn bring(&mut self, fleet: &FleetFile) -> anyhow::Result<()> {
        let (is_live, is_told) = (self.is_live, !self.globals.json);
        let notices = &mut self.notices;
        let mut say = |line: &str| match is_live {
            true => notices.push(line.to_owned()),
            false if is_told => eprintln!("{line}"),
            false => {}
        };
        let root = deploy::bring_root(&self.client, &self.home, &self.plan, &fleet.spec, &mut say)?;
        self.client.set_root(root);
        apply(&self.client, fleet, is_told && !is_live)?;
        Ok(())
    }

    /// Says it where it can be seen.
    fn say(&mut self, text: String) {
        if self.is_live {
            self.notices.push(text);
        } else {
            println!("{}", self.paint.bold(&text));
        }
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
        while !self.interrupt.is_asked() {
            follow::pause(LOOK_EVERY);
            self.tend()?;
            for event in self.client.all_events(last)? {
                last = event.number;
                println!("{}", line(&event, self.paint));
            }
        }
        Ok(())
    }

    /// The live view, until a key ends it.
    fn show(&mut self, options: &UpOptions) -> anyhow::Result<()> {
        self.is_live = true;
        let title = Reader::new(&self.client)?.title()?;
        let mut story = Story::empty(&title);
        let mut recording = Recording::new(options.record.clone(), &title);
        let began = amount::now();
        let mut living = Living {
            up: self,
            account: Account::default(),
            looks: 0,
            began,
            last_event: 0,
        };
        let shown = live::fleet::show(&mut living, &mut story, &mut recording);
        self.is_live = false;
        if let Some(path) = recording.write()? {
            println!("recording: {}", path.display());
        }
        shown
    }

    /// What is to be done now and then: changed files, faults that end, a save.
    fn tend(&mut self) -> anyhow::Result<()> {
        self.follow_files();
        let is_over = |clock: Clock| clock.seconds() > mischief::FAIL_SECONDS;
        if self.failing_since.is_some_and(is_over) {
            self.failing_since = None;
            mischief::calls_work_again(&self.host)?;
            self.say("calls work again".to_owned());
        }
        if self.saved.seconds() > SAVE_EVERY {
            self.host.save()?;
            self.saved = Clock::start();
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
        self.say(format!("changed: {}", names.join(", ")));
        match self.bring_changed() {
            Ok(()) => self.say("applied".to_owned()),
            Err(error) if self.is_live => self.notices.push(render(&error).replace('\n', " ")),
            Err(error) => eprintln!("{}", render(&error)),
        }
    }

    fn bring_changed(&mut self) -> anyhow::Result<()> {
        self.plan.module = deploy::root_module(&wasm::folder(self.wasm))?;
        let fleet = fleet_file::load(&self.globals.folder, self.wasm)?;
        self.watch = Watch::over(files(self.globals, self.wasm, &fleet));
        self.bring(&fleet)
    }
}

/// Fleets up to this are counted at every look.
const COUNTED_ALWAYS: u64 = 2_000;
/// Larger ones at every one of so many.
const COUNTED_EVERY: u32 = 10;

/// The fleet as the live view reads it.
struct Living<'u, 'a> {
    up: &'u mut Up<'a>,
    account: Account,
    looks: u32,
    began: Nanos,
    last_event: u64,
}

impl Living<'_, '_> {
    /// Canisters against rows; of a large fleet not at every look.
    fn count(&mut self) -> anyhow::Result<Account> {
        let small = self.account.canisters <= COUNTED_ALWAYS;
        if small || self.looks.is_multiple_of(COUNTED_EVERY) {
            let parties = mischief::parties(&self.up.client)?;
            let host = &self.up.host;
            self.account = host.visit(move |engine| harm::account(engine, parties))??;
        }
        self.looks = self.looks.wrapping_add(1);
        Ok(self.account)
    }
}

impl Source for Living<'_, '_> {
    fn read(&mut self) -> anyhow::Result<Now> {
        self.up.tend()?;
        let account = self.count()?;
        let mut reader = Reader::at(&self.up.client, self.began, self.last_event);
        let mut now = reader.read(Some(account))?;
        self.last_event = reader.last_event();
        let notices = std::mem::take(&mut self.up.notices);
        now.frame.notice = (!notices.is_empty()).then(|| notices.join("; "));
        Ok(now)
    }

    fn harm(&mut self, mischief: Mischief) {
        let up = &mut *self.up;
        let done = mischief::act(mischief, &up.host, &up.client, &up.plan.module);
        if mischief == Mischief::Fail && done.is_ok() {
            up.failing_since = Some(Clock::start());
        }
        let text = done.unwrap_or_else(|error| render(&error).replace('\n', " "));
        up.notices.push(text);
    }

    fn may_harm(&self) -> bool {
        true
    }

    fn is_over(&self) -> bool {
        self.up.interrupt.is_asked()
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
