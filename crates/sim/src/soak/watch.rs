//! What must hold at the wasm level, seen from outside: the engine's canisters against root's pages,
//! root's own check, the moves in root's log against the state diagram, tenancies, answers.

use crate::checkers::is_move_listed;
use crate::world::{FleetWorld, Truth};
use candid::Principal;
use hatchery_api::{Answer, CommandAnswer, CommandRequest, RowView};
use hatchery_engine::{IngressStatus, MessageId};
use hatchery_types::{CanisterId, FleetSpec, Generation, ModuleHash, Phase};
use std::collections::{BTreeMap, BTreeSet};

/// Messages whose answers are waited for.
const PENDING_MAX: usize = 200;

/// What must be remembered between looks.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// The last event read.
    event: u64,
    /// Where each canister went last, by the log.
    phases: BTreeMap<CanisterId, Phase>,
    /// The tenancy of each canister.
    tenancies: BTreeMap<CanisterId, Generation>,
    /// Commands under way.
    pending: Vec<(String, MessageId)>,
    /// First answer to each operation.
    answers: BTreeMap<String, Vec<u8>>,
    canisters: u64,
}

impl Watch {
    /// An answer to `request` will come by `message`; the same operation, the same answer.
    pub(super) fn expect(&mut self, request: &CommandRequest, message: MessageId) {
        if self.pending.len() < PENDING_MAX {
            self.pending.push((request.operation.0.clone(), message));
        }
    }

    /// Canisters of root at the last look.
    pub(super) fn canisters(&self) -> u64 {
        self.canisters
    }

    /// Looks at everything. A root that does not answer just now is looked at later.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn look(
        &mut self,
        world: &mut FleetWorld,
        spec: &FleetSpec,
        meddled: &BTreeSet<Principal>,
    ) -> Result<(), String> {
        self.check_answers(world)?;
        let (Ok(rows), Ok(census)) = (world.rows(), world.census(spec)) else {
            return Ok(());
        };
        self.canisters = rows.len() as u64;
        if let Ok(effects) = world.effects() {
            let creations = effects.iter().filter(|effect| effect.kind == "create");
            let orphans = orphans(&world.truth(), world.root, &rows);
            if orphans.len() > creations.count() {
                return Err(format!("bought, without row or creation: {orphans:?}"));
            }
        }
        if let Ok(violations) = world.root_violations()
            && let Some(first) = violations.first()
        {
            return Err(format!("root says: {first}"));
        }
        // Of a canister that somebody else changed root learns when it looks.
        let is_known = |text: &&String| {
            let of_ready = text.contains(" is Ready and ");
            of_ready && !meddled.iter().any(|id| text.starts_with(&id.to_string()))
        };
        if let Some(wrong) = census.violations.iter().find(is_known) {
            return Err(wrong.clone());
        }
        self.check_moves(world)?;
        self.check_tenancies(&rows)
    }

    /// Each move in the log is one of the diagram's.
    fn check_moves(&mut self, world: &mut FleetWorld) -> Result<(), String> {
        let Ok(events) = world.events(self.event) else {
            return Ok(());
        };
        for event in events {
            self.event = event.number;
            let Some(canister) = event.canister else {
                continue;
            };
            let before = match event.phase {
                Some(phase) => self.phases.insert(canister, phase),
                None => self.phases.remove(&canister),
            };
            if before != event.phase && !is_move_listed(before, event.phase) {
                let (to, why) = (event.phase, event.reason.text);
                return Err(format!("{canister} went from {before:?} to {to:?}: {why}"));
            }
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

/// It says what came of the operation, not that it is under way.
fn is_final(answer: &[u8]) -> bool {
    let answer: Result<Answer<CommandAnswer>, _> = candid::decode_one(answer);
    !matches!(answer, Ok(Ok(CommandAnswer::InProgress)))
}

/// What root bought and has no row for: each must be the result of a creation in the journal.
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
    let at_work = rows.iter().filter(|row| row.phase == Phase::InService);
    at_work.filter(is_dead).map(|row| row.canister).collect()
}
