//! A run as text: what happened, line by line, and what became of calls that did not go well. A
//! human reads it, a test replays it.
//!
//! ```text
//! seed 17
//! fate reset c5 1 #0 unknown-ran runs 1200 answers 500 lost
//! pass 60000
//! command "op-1" import c4 c5
//! meddle deleted c4
//! upgrade forced
//! split-ticks 40
//! rest
//! ```
//!
//! Times are in milliseconds; `c5` is the canister with number 5, `c0` root. A fate names a call by
//! its effect, target, position in the chain and count among its like; `split-ticks` says how many of
//! 1,000 ticks go on in another message, drawn from the seed; `rest` ends the faults.

use super::action::{Action, Load, Meddling, Numbers, REUSE};
use super::canister::Habits;
use super::fate::{CallName, Fate, Script};
use super::kinds::every_kind;
use super::swarm::{Fault, Swarm};
use super::world::{Failure, Report, Watch, World};
use hatchery_core::{Ask, Command, LeaseAsk, Recover};
use hatchery_types::{
    CanisterId, Cycles, Direction, ExportTo, Nanos, OperationId, Principal, Registered,
};
use std::fmt::Write;

/// A run that can be read and replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// The seed it began as.
    pub seed: u64,
    /// How often a tick is split, in permille.
    pub splits: u32,
    /// What became of calls.
    pub fates: Script,
    /// What happened, in order.
    pub actions: Vec<Action>,
    /// Then faults end and the world must come to rest.
    pub rests: bool,
}

impl Story {
    /// Lets it happen again.
    ///
    /// # Errors
    /// The first violation.
    pub fn replay(&self) -> Result<Report, Failure> {
        let mut swarm = Swarm::none(self.seed);
        swarm.set(Fault::TickSplit, self.splits);
        let mut world = World::unborn(self.seed, swarm, Watch::Closely);
        world.platform.follow(self.fates.clone());
        world.begin()?;
        for action in &self.actions {
            world.act(action)?;
        }
        if self.rests {
            world.converge()?;
        }
        Ok(world.report())
    }

    /// The text.
    pub fn text(&self) -> String {
        let mut text = format!("seed {}\n", self.seed);
        if self.splits > 0 {
            text += "split-ticks ";
            text += &self.splits.to_string();
            text.push('\n');
        }
        for (name, fate) in &self.fates {
            text += &fate_text(*name, *fate);
        }
        for action in &self.actions {
            text += &action_text(action);
            text.push('\n');
        }
        if self.rests {
            text += "rest\n";
        }
        text
    }

    /// Reads a text; lines that begin with `#` are for people.
    ///
    /// # Errors
    /// The first line that is none, with its number.
    pub fn read(text: &str) -> Result<Story, String> {
        let mut story = Story {
            seed: 0,
            splits: 0,
            fates: Script::new(),
            actions: Vec::new(),
            rests: false,
        };
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let read = story.read_line(line);
            read.ok_or_else(|| format!("line {}: `{line}` means nothing", number + 1))?;
        }
        Ok(story)
    }

    fn read_line(&mut self, line: &str) -> Option<()> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["seed", seed] => self.seed = seed.parse().ok()?,
            ["split-ticks", permille] => self.splits = permille.parse().ok()?,
            ["rest"] => self.rests = true,
            ["fate", rest @ ..] => {
                let (name, fate) = read_fate(rest)?;
                self.fates.insert(name, fate);
            }
            words => self.actions.push(read_action(words)?),
        }
        Some(())
    }
}

fn millis(time: Nanos) -> u64 {
    time.0 / 1_000_000
}

fn read_millis(word: &str) -> Option<Nanos> {
    Some(Nanos(word.parse::<u64>().ok()?.checked_mul(1_000_000)?))
}

fn name(id: CanisterId) -> String {
    let bytes = id.0.as_slice();
    let number = bytes.get(..8).and_then(|bytes| bytes.try_into().ok());
    format!("c{}", number.map_or(u64::MAX, u64::from_be_bytes))
}

fn names(ids: &[CanisterId]) -> String {
    let names: Vec<String> = ids.iter().map(|id| name(*id)).collect();
    names.join(" ")
}

fn read_id(word: &str) -> Option<CanisterId> {
    Some(super::canister_id(word.strip_prefix('c')?.parse().ok()?))
}

fn read_ids(words: &[&str]) -> Option<Vec<CanisterId>> {
    words.iter().map(|word| read_id(word)).collect()
}

fn fate_text(call: CallName, fate: Fate) -> String {
    let mut text = format!(
        "fate {} {} {} #{}",
        call.kind,
        name(call.canister),
        call.index,
        call.count
    );
    let said = [
        (fate.habits.never_idle, "never-idle"),
        (fate.habits.silent, "silent"),
        (fate.lost, "lost"),
    ];
    let said = said
        .iter()
        .filter(|(is_so, _)| *is_so)
        .map(|(_, word)| *word);
    let fault = fate.fault.map(Fault::name);
    for word in fault.into_iter().chain(said) {
        text.push(' ');
        text += word;
    }
    let (runs, answers) = (millis(fate.runs_after), millis(fate.answers_after));
    writeln!(text, " runs {runs} answers {answers}").expect("a String takes text");
    text
}

fn read_fate(words: &[&str]) -> Option<(CallName, Fate)> {
    let [kind, canister, index, count, rest @ ..] = words else {
        return None;
    };
    let kinds = every_kind();
    let kind = kinds.iter().find(|one| one.name() == *kind)?.name();
    let call = CallName {
        kind,
        canister: read_id(canister)?,
        index: index.parse().ok()?,
        count: count.strip_prefix('#')?.parse().ok()?,
    };
    let mut fate = Fate {
        habits: Habits::default(),
        ..Fate::GOOD
    };
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        match *word {
            "never-idle" => fate.habits.never_idle = true,
            "silent" => fate.habits.silent = true,
            "lost" => fate.lost = true,
            "runs" => fate.runs_after = read_millis(words.next()?)?,
            "answers" => fate.answers_after = read_millis(words.next()?)?,
            fault => fate.fault = Some(Fault::named(fault)?),
        }
    }
    Some((call, fate))
}

fn action_text(action: &Action) -> String {
    match action {
        Action::Pass(most) => format!("pass {}", millis(*most)),
        Action::Jump(far) => format!("jump {}", millis(*far)),
        Action::Tick => "tick".to_owned(),
        Action::Report(load) => load_text(load),
        Action::Work(jobs) => {
            format!("work{}", loads_text(jobs))
        }
        Action::CallEnds(id) => format!("call-ends {}", name(*id)),
        Action::Command(operation, command) => {
            format!("command \"{}\" {}", operation.0, command_text(command))
        }
        Action::Lease(operation, pool, ask) => {
            format!("lease \"{}\" {pool} {}", operation.0, ask_text(ask))
        }
        Action::Worker(operation, pool) => format!("worker \"{}\" {pool}", operation.0),
        Action::Request {
            caller,
            generation_off,
            operation,
            ask,
        } => {
            let (caller, operation) = (name(*caller), &operation.0);
            let ask = request_text(ask);
            format!("request {caller} {generation_off} \"{operation}\" {ask}")
        }
        Action::Protect(member, span) => format!("protect {} {}", name(*member), millis(*span)),
        Action::ReportPool(pool, loads) => format!("report-pool {pool}{}", loads_text(loads)),
        Action::Respec(numbers) => numbers_text(numbers),
        Action::Remodule(role, module) => format!("module {role} {module}"),
        Action::StageBadly(module, index) => format!("stage-badly {module} {index}"),
        Action::Meddle(meddling, id) => format!("meddle {} {}", meddling.name(), name(*id)),
        Action::Balance(cycles) => format!("balance {}", cycles.0),
        Action::Stopping(stopping) => format!("stopping {stopping}"),
        Action::Store(filled) => format!("store-cleared filled {filled}"),
        Action::UpgradeForced => "upgrade forced".to_owned(),
        Action::UpgradePolite => "upgrade polite".to_owned(),
        Action::Reinstall => "reinstall".to_owned(),
    }
}

fn loads_text(loads: &[(CanisterId, u64)]) -> String {
    let texts: Vec<String> = loads
        .iter()
        .map(|(id, load)| format!(" {}={load}", name(*id)))
        .collect();
    texts.concat()
}

fn ask_text(ask: &LeaseAsk) -> String {
    let for_long = |ttl: &Option<Nanos>| {
        ttl.map_or_else(|| "default".to_owned(), |ttl| millis(ttl).to_string())
    };
    match ask {
        LeaseAsk::Take { count, ttl } => format!("take {count} {}", for_long(ttl)),
        LeaseAsk::Renew { canisters, ttl } => {
            format!("renew {} {}", for_long(ttl), names(canisters))
        }
        LeaseAsk::Release { canisters } => format!("release {}", names(canisters)),
    }
}

fn read_ask(words: &[&str]) -> Option<LeaseAsk> {
    let for_long = |word: &str| match word {
        "default" => Some(None),
        word => Some(Some(read_millis(word)?)),
    };
    Some(match words {
        ["take", count, ttl] => LeaseAsk::Take {
            count: count.parse().ok()?,
            ttl: for_long(ttl)?,
        },
        ["renew", ttl, ids @ ..] => LeaseAsk::Renew {
            canisters: read_ids(ids)?,
            ttl: for_long(ttl)?,
        },
        ["release", ids @ ..] => LeaseAsk::Release {
            canisters: read_ids(ids)?,
        },
        _ => return None,
    })
}

fn request_text(ask: &Ask) -> String {
    match ask {
        Ask::Create { pool, parent, .. } => {
            let parent = parent.map_or("self".to_owned(), name);
            format!("create {pool} {parent}")
        }
        Ask::Recycle(child) => format!("recycle {}", name(*child)),
        Ask::Upgrade(child) => format!("upgrade {}", name(*child)),
        Ask::UpgradeAll(role) => format!("upgrade-all {role}"),
    }
}

fn read_request(words: &[&str]) -> Option<Ask> {
    Some(match words {
        ["create", pool, parent] => Ask::Create {
            pool: (*pool).to_owned(),
            parent: match *parent {
                "self" => None,
                id => Some(read_id(id)?),
            },
            init_arg: None,
        },
        ["recycle", id] => Ask::Recycle(read_id(id)?),
        ["upgrade", id] => Ask::Upgrade(read_id(id)?),
        ["upgrade-all", role] => Ask::UpgradeAll((*role).to_owned()),
        _ => return None,
    })
}

fn read_operation(word: &str) -> Option<OperationId> {
    let text = word.strip_prefix('"')?.strip_suffix('"')?;
    Some(OperationId(text.to_owned()))
}

fn load_text(load: &Load) -> String {
    let mut words = vec!["report".to_owned(), name(load.member)];
    words.extend(load.value.map(|value| format!("value {value}")));
    if load.generation_off > 0 {
        words.push(format!("generation-off {}", load.generation_off));
    }
    if !load.known {
        words.push("unknown-signal".to_owned());
    }
    words.join(" ")
}

fn numbers_text(numbers: &Numbers) -> String {
    format!(
        "spec pool {} min {} max {} initial {} standby {} minimum {} maximum {} resets {} second {} \
         target {} surplus {} reuse {} rule {}",
        numbers.pool,
        numbers.min,
        numbers.max,
        numbers.initial,
        numbers.standby,
        numbers.minimum,
        numbers.maximum,
        numbers.resets,
        u32::from(numbers.second_controller),
        numbers.target,
        numbers.surplus,
        numbers.reuse,
        u32::from(numbers.rule)
    )
}

fn command_text(command: &Command) -> String {
    let way = |direction: &Option<Direction>| match direction {
        None => "",
        Some(Direction::Up) => " up",
        Some(Direction::Down) => " down",
    };
    match command {
        Command::CreateEmpty => "create-empty".to_owned(),
        Command::ImportImmediate(id) => format!("import-now {}", name(*id)),
        Command::ImportQueued(ids) => format!("import {}", names(ids)),
        Command::Recycle(id) => format!("recycle {}", name(*id)),
        Command::RequeueFailed(None) => "requeue-all".to_owned(),
        Command::RequeueFailed(Some(ids)) => format!("requeue {}", names(ids)),
        Command::Export(id, ExportTo::Registry) => format!("export {} home", name(*id)),
        Command::Export(id, ExportTo::Principal(to)) => format!("export {} {to}", name(*id)),
        Command::Delete(id) => format!("delete {}", name(*id)),
        Command::Forget(id) => format!("forget {}", name(*id)),
        Command::DrainSurplus => "drain-surplus".to_owned(),
        Command::Pause(direction) => format!("pause{}", way(direction)),
        Command::Resume(direction) => format!("resume{}", way(direction)),
        Command::Recover(Recover::Canisters(known)) => {
            let ids: Vec<CanisterId> = known.iter().map(|known| known.canister).collect();
            format!("recover {}", names(&ids))
        }
        Command::Recover(Recover::Range { first, ids }) => {
            format!("recover-range {} {ids}", name(*first))
        }
        Command::Recover(Recover::Done) => "recover-done".to_owned(),
    }
}

fn read_command(words: &[&str]) -> Option<Command> {
    Some(match words {
        ["create-empty"] => Command::CreateEmpty,
        ["import-now", id] => Command::ImportImmediate(read_id(id)?),
        ["import", ids @ ..] => Command::ImportQueued(read_ids(ids)?),
        ["recycle", id] => Command::Recycle(read_id(id)?),
        ["requeue-all"] => Command::RequeueFailed(None),
        ["requeue", ids @ ..] => Command::RequeueFailed(Some(read_ids(ids)?)),
        ["export", id, "home"] => Command::Export(read_id(id)?, ExportTo::Registry),
        ["export", id, to] => {
            let to = Principal::from_text(to).ok()?;
            Command::Export(read_id(id)?, ExportTo::Principal(to))
        }
        ["delete", id] => Command::Delete(read_id(id)?),
        ["forget", id] => Command::Forget(read_id(id)?),
        ["drain-surplus"] => Command::DrainSurplus,
        ["pause"] => Command::Pause(None),
        ["pause", way] => Command::Pause(Some(read_direction(way)?)),
        ["resume"] => Command::Resume(None),
        ["resume", way] => Command::Resume(Some(read_direction(way)?)),
        ["recover", ids @ ..] => {
            let known = read_ids(ids)?.into_iter().map(Registered::bare);
            Command::Recover(Recover::Canisters(known.collect()))
        }
        ["recover-range", first, ids] => Command::Recover(Recover::Range {
            first: read_id(first)?,
            ids: ids.parse().ok()?,
        }),
        ["recover-done"] => Command::Recover(Recover::Done),
        _ => return None,
    })
}

fn read_direction(word: &str) -> Option<Direction> {
    match word {
        "up" => Some(Direction::Up),
        "down" => Some(Direction::Down),
        _ => None,
    }
}

fn read_action(words: &[&str]) -> Option<Action> {
    Some(match words {
        ["pass", most] => Action::Pass(read_millis(most)?),
        ["jump", far] => Action::Jump(read_millis(far)?),
        ["tick"] => Action::Tick,
        ["report", member, rest @ ..] => Action::Report(read_load(read_id(member)?, rest)?),
        ["work", jobs @ ..] => Action::Work(read_jobs(jobs)?),
        ["call-ends", id] => Action::CallEnds(read_id(id)?),
        ["command", operation, rest @ ..] => {
            Action::Command(read_operation(operation)?, read_command(rest)?)
        }
        ["lease", operation, pool, rest @ ..] => Action::Lease(
            read_operation(operation)?,
            (*pool).to_owned(),
            read_ask(rest)?,
        ),
        ["worker", operation, pool] => {
            Action::Worker(read_operation(operation)?, (*pool).to_owned())
        }
        ["request", caller, off, operation, rest @ ..] => Action::Request {
            caller: read_id(caller)?,
            generation_off: off.parse().ok()?,
            operation: read_operation(operation)?,
            ask: read_request(rest)?,
        },
        ["protect", member, span] => Action::Protect(read_id(member)?, read_millis(span)?),
        ["report-pool", pool, loads @ ..] => {
            Action::ReportPool((*pool).to_owned(), read_jobs(loads)?)
        }
        ["module", role, module] => Action::Remodule(role.parse().ok()?, module.parse().ok()?),
        ["spec", rest @ ..] => Action::Respec(read_numbers(rest)?),
        ["stage-badly", module, index] => {
            Action::StageBadly(module.parse().ok()?, index.parse().ok()?)
        }
        ["meddle", what, id] => {
            let mut all = Meddling::ALL.into_iter();
            Action::Meddle(all.find(|one| one.name() == *what)?, read_id(id)?)
        }
        ["balance", cycles] => Action::Balance(Cycles(cycles.parse().ok()?)),
        ["stopping", stopping] => Action::Stopping(stopping.parse().ok()?),
        ["store-cleared", "filled", filled] => Action::Store(filled.parse().ok()?),
        ["upgrade", "forced"] => Action::UpgradeForced,
        ["upgrade", "polite"] => Action::UpgradePolite,
        ["reinstall"] => Action::Reinstall,
        _ => return None,
    })
}

fn read_load(member: CanisterId, words: &[&str]) -> Option<Load> {
    let mut load = Load {
        member,
        generation_off: 0,
        value: None,
        known: true,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "value" => load.value = Some(words.next()?.parse().ok()?),
            "generation-off" => load.generation_off = words.next()?.parse().ok()?,
            "unknown-signal" => load.known = false,
            _ => return None,
        }
    }
    Some(load)
}

fn read_jobs(words: &[&str]) -> Option<Vec<(CanisterId, u64)>> {
    let read = |word: &&str| {
        let (id, jobs) = word.split_once('=')?;
        Some((read_id(id)?, jobs.parse().ok()?))
    };
    words.iter().map(read).collect()
}

fn read_numbers(words: &[&str]) -> Option<Numbers> {
    let number = |key: &str| -> Option<u32> {
        let position = words.iter().position(|word| *word == key)?;
        words.get(position + 1)?.parse().ok()
    };
    Some(Numbers {
        pool: number("pool")? as usize,
        min: number("min")?,
        max: number("max")?,
        initial: number("initial")?,
        standby: number("standby")?,
        minimum: number("minimum")?,
        maximum: number("maximum")?,
        resets: number("resets")?,
        second_controller: number("second")? > 0,
        target: number("target")?,
        surplus: number("surplus")?,
        reuse: number("reuse")? as usize % REUSE.len(),
        rule: number("rule").is_none_or(|rule| rule > 0),
    })
}
