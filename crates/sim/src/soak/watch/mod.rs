//! What must hold at the wasm level, seen from outside: the engine's canisters against root's pages,
//! root's own check, the moves in root's log against the state diagram, tenancies, answers.

mod holders;
mod memories;
mod receipts;
mod roster;

use crate::world::{CallError, Census, FleetWorld, Truth};
use candid::Principal;
use hatchery_api::{
    Answer, CommandAnswer, CommandRequest, EffectView, EventView, FleetStatus, RowView,
};
use hatchery_engine::{IngressStatus, MessageId};
use hatchery_types::{CanisterId, FleetSpec, Generation, ModuleHash, Phase};
use holders::Holders;
use memories::Memories;
use receipts::Receipts;
use roster::Roster;
use std::collections::{BTreeMap, BTreeSet};

/// Messages whose answers are waited for.
const PENDING_MAX: usize = 200;

/// What must be remembered between looks.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// The last event read.
    event: u64,
    roster: Roster,
    /// Operations of members and holders.
    pub(super) receipts: Receipts,
    /// Leases and protections.
    pub(super) holders: Holders,
    /// What members count.
    pub(super) memories: Memories,
    /// The tenancy of each canister.
    tenancies: BTreeMap<CanisterId, Generation>,
    /// Commands under way.
    pending: Vec<(String, MessageId)>,
    /// Commands whose answers nobody waited for.
    dropped: u64,
    /// First answer to each operation.
    answers: BTreeMap<String, Vec<u8>>,
    canisters: u64,
    /// How often each reason was given in the log.
    reasons: BTreeMap<String, u64>,
}

/// What a look found to be wrong.
#[derive(Debug)]
pub(super) struct Wrong {
    /// Who says so.
    pub(super) checker: &'static str,
    /// What, in words.
    pub(super) what: String,
}

/// In whose name something is wrong.
fn by(checker: &'static str) -> impl Fn(String) -> Wrong {
    move |what| Wrong { checker, what }
}

/// Everything that root is asked at one look.
struct Answers {
    rows: Vec<RowView>,
    census: Census,
    effects: Vec<EffectView>,
    violations: Vec<String>,
    events: Vec<EventView>,
    status: FleetStatus,
}

impl Answers {
    fn ask(world: &mut FleetWorld, spec: &FleetSpec, event: u64) -> Result<Self, CallError> {
        Ok(Answers {
            rows: world.rows()?,
            census: world.census(spec)?,
            effects: world.effects()?,
            violations: world.root_violations()?,
            events: world.events(event)?,
            status: world.status()?,
        })
    }
}

impl Watch {
    /// An answer to `request` will come by `message`; the same operation, the same answer.
    pub(super) fn expect(&mut self, request: &CommandRequest, message: MessageId) {
        if self.pending.len() < PENDING_MAX {
            self.pending.push((request.operation.0.clone(), message));
        } else {
            self.dropped += 1;
        }
    }

    /// Canisters of root at the last look.
    pub(super) fn canisters(&self) -> u64 {
        self.canisters
    }

    /// What was seen: reasons in the log, and what operations came to.
    pub(super) fn seen(&self) -> BTreeMap<String, u64> {
        let counts = self.receipts.count().into_iter();
        let mut seen = self.reasons.clone();
        seen.extend(counts.map(|(what, count)| (what.to_owned(), count)));
        seen
    }

    /// Answers that were never read; none = all were.
    pub(super) fn unread(&self) -> Option<String> {
        let unread = [
            ("commands", self.pending.len() as u64 + self.dropped),
            ("requests", self.receipts.unread()),
            ("protections", self.holders.unread()),
            ("counts", self.memories.unread()),
        ];
        let mut unread = unread.into_iter().filter(|(_, count)| *count > 0);
        let (what, count) = unread.next()?;
        Some(format!("{count} answers to {what} were never read"))
    }

    /// Looks at everything; false: root does not answer just now, and is looked at later.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn look(
        &mut self,
        world: &mut FleetWorld,
        spec: &FleetSpec,
        meddled: &BTreeSet<Principal>,
    ) -> Result<bool, Wrong> {
        self.check_answers(world).map_err(by("operations"))?;
        let Ok(answers) = Answers::ask(world, spec, self.event) else {
            return Ok(false);
        };
        let rows = answers.rows;
        self.canisters = rows.len() as u64;
        check_accounted(world, &rows, &answers.effects).map_err(by("accounted"))?;
        if let Some(first) = answers.violations.first() {
            return Err(by("root-check")(format!("root says: {first}")));
        }
        check_census(&answers.census, meddled).map_err(by("census"))?;
        self.check_moves(answers.events, spec)?;
        self.roster.look(spec, &rows).map_err(by("bounded"))?;
        roster::check_grants(spec, world.root, &rows).map_err(by("granted"))?;
        let receipts = self.receipts.look(world, &mut self.holders);
        receipts.map_err(by("operations"))?;
        self.holders.look(world, &rows);
        self.memories.look(world, &rows).map_err(by("memories"))?;
        check_budget(world, &answers.status, spec).map_err(by("conserved"))?;
        self.check_tenancies(&rows).map_err(by("generations"))?;
        Ok(true)
    }

    /// That spec is in force, or may be.
    pub(super) fn bound(&mut self, spec: &FleetSpec) {
        self.roster.bound(spec);
    }

    /// Each move in the log is one of the diagram's, within budgets, and of nobody who is spared.
    fn check_moves(&mut self, events: Vec<EventView>, spec: &FleetSpec) -> Result<(), Wrong> {
        for event in events {
            self.event = event.number;
            *self.reasons.entry(event.reason.name.clone()).or_default() += 1;
            let before = self.roster.moved(spec, &event).map_err(by("edges"))?;
            let moved = self.holders.moved(before, &event);
            moved.map_err(by("protected"))?;
        }
        Ok(())
    }

    /// A tenancy's number never falls.
    fn check_tenancies(&mut self, rows: &[RowView]) -> Result<(), String> {
        for row in rows {
            let last = self.tenancies.insert(row.canister, row.generation);
            let is_new = row.generation == Generation(0);
            if last.is_some_and(|last| last > row.generation) && !is_new {
                return Err(format!("{} fell back from {last:?}", row.canister));
            }
        }
        Ok(())
    }

    /// One operation, one answer.
    fn check_answers(&mut self, world: &mut FleetWorld) -> Result<(), String> {
        let mut waiting = Vec::new();
        for (operation, message) in std::mem::take(&mut self.pending) {
            match world.message_status(&message) {
                IngressStatus::Replied(answer) if is_final(&answer) => {
                    let first = self.answers.entry(operation.clone());
                    let first = first.or_insert_with(|| answer.clone());
                    if *first != answer {
                        return Err(format!("{operation} was answered in two ways"));
                    }
                }
                IngressStatus::Replied(_) | IngressStatus::Rejected(_) => {}
                _ => waiting.push((operation, message)),
            }
        }
        self.pending = waiting;
        Ok(())
    }
}

/// What root bought has a row, or a creation in the journal.
fn check_accounted(
    world: &FleetWorld,
    rows: &[RowView],
    effects: &[EffectView],
) -> Result<(), String> {
    let creations = effects.iter().filter(|effect| effect.kind == "create");
    let orphans = orphans(&world.truth(), world.root, rows);
    if orphans.len() > creations.count() {
        return Err(format!("bought, without row or creation: {orphans:?}"));
    }
    Ok(())
}

/// Of a canister that somebody else changed root learns when it looks; the roster knows the bounds
/// that were in force before, too.
fn check_census(census: &Census, meddled: &BTreeSet<Principal>) -> Result<(), String> {
    let is_excused = |text: &str| {
        let is_meddled = || meddled.iter().any(|id| text.starts_with(&id.to_string()));
        let of_ready = text.contains(" is Ready and ") && is_meddled();
        of_ready || (text.starts_with("more than ") && text.contains(" living in "))
    };
    let mut wrong = census.violations.iter();
    let wrong = wrong.find(|text| !is_excused(text));
    wrong.map_or(Ok(()), |wrong| Err(wrong.clone()))
}

/// What root pays in a day stays within its budget, and the engine's own account is exact.
fn check_budget(world: &FleetWorld, status: &FleetStatus, spec: &FleetSpec) -> Result<(), String> {
    let account = world.engine.cycles_account();
    if !account.is_balanced() {
        return Err(format!("cycles are not conserved: {account:?}"));
    }
    let paid = status.funding.paid_today;
    match spec.top_up {
        Some(rule) if paid > rule.all => Err(format!(
            "{paid} topped up today, the budget is {}",
            rule.all
        )),
        _ => Ok(()),
    }
}

/// It says what came of the operation, not that it is under way.
fn is_final(answer: &[u8]) -> bool {
    let answer: Result<Answer<CommandAnswer>, _> = candid::decode_one(answer);
    !matches!(answer, Ok(Ok(CommandAnswer::InProgress)))
}

/// What root bought and has no row for: each must be the result of a creation in the journal,
/// where those stay that root says are lost.
pub(super) fn orphans(truth: &[Truth], root: CanisterId, rows: &[RowView]) -> Vec<String> {
    let listed: BTreeSet<CanisterId> = rows.iter().map(|row| row.canister).collect();
    let bought = truth.iter().filter(|one| one.creator == root.0);
    let unlisted = bought.filter(|one| !listed.contains(&one.canister));
    unlisted.map(|one| one.canister.to_string()).collect()
}

/// Members that root says are in service, and that are gone, stopped or without their module.
pub(super) fn dead_members(truth: &[Truth], rows: &[RowView]) -> Vec<CanisterId> {
    let truth: BTreeMap<CanisterId, &Truth> = truth.iter().map(|one| (one.canister, one)).collect();
    let is_dead = |row: &&RowView| {
        let module: Option<ModuleHash> = row.module;
        let one = truth.get(&row.canister);
        one.is_none_or(|one| !one.running || one.module != module)
    };
    let at_work =
        |row: &&RowView| matches!(row.phase, Phase::InService | Phase::Standby | Phase::Leased);
    let at_work = rows.iter().filter(at_work);
    at_work.filter(is_dead).map(|row| row.canister).collect()
}
