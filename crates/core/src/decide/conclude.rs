//! What follows from an effect whose outcomes are all there: one function per kind of effect.
//!
//! Starts nothing: it only says where the row stands now and when it is due.

use super::service::{installed, measure, member_due, reported};
use super::{
    Draft, ask, departure, export, funding, mend, recover, search, standing, store, sweep,
    to_reset, trial, upgrade,
};
use crate::limits;
use crate::plant::planted;
use crate::record::{Exit, Row};
use crate::state::State;
use crate::{Account, Decision, Event};
use hatchery_types::{
    CanisterId, Cycles, Effect, EffectKind, FleetSpec, ModuleHash, Nanos, Observation, Outcome,
    Phase, Principal, REJECT_DESTINATION_INVALID, Reason, RunState, Value,
};
use ic_stable_structures::Memory;

/// Closes the effect and moves its row. A row that the effect no longer holds is left alone.
pub(super) fn conclude<M: Memory>(state: &State<M>, now: Nanos, effect: &Effect) -> Decision {
    let mut draft = Draft::new(state, now);
    draft.event(Event::EffectClosed(effect.id));
    let held = effect.canister.and_then(|canister| state.row(canister));
    let held = held.filter(|row| row.effect == Some(effect.id));
    let row = held.map(|row| Row {
        effect: None,
        ..row
    });
    let outcomes: Vec<&Outcome> = effect.outcomes.iter().flatten().collect();
    let case = Case {
        now,
        started_at: effect.started_at,
        root: state.header().root,
        spec: state.spec(),
        outcomes,
    };
    match (&effect.kind, row) {
        (EffectKind::Create { cycles }, _) => created(&mut draft, state, &case, *cycles),
        (EffectKind::StoreChunk { module, index }, _) => {
            store::stored(&mut draft, state, *module, *index, case.last());
        }
        (EffectKind::Info { canister }, _) if state.header().root == Some(*canister) => {
            standing::after_look(&mut draft, state, now, effect.incarnation, case.last());
        }
        (EffectKind::Info { .. }, Some(row)) => export::after_info(&mut draft, &case, row),
        (EffectKind::Info { canister }, None) => {
            search::after_info(&mut draft, state, now, *canister, case.last());
        }
        (EffectKind::CheckStore, _) => store::checked(&mut draft, state, case.last()),
        (EffectKind::ClearStore, _) => store::cleared(&mut draft, state, case.last()),
        (_, None) => {}
        (EffectKind::Reset { .. }, Some(row)) => {
            let exit = row.exit;
            let row = after_reset(state, &case, row);
            judge(&mut draft, state, now, &row);
            draft.row(departure::instead_of_ready(&case, row, exit));
        }
        (EffectKind::Install { module, .. }, Some(row)) => {
            after_install(&mut draft, state, &case, row, *module);
        }
        (EffectKind::Sweep { .. }, Some(row)) => sweep::after_sweep(&mut draft, &case, row),
        (
            kind @ (EffectKind::Save
            | EffectKind::FindSnapshot
            | EffectKind::Upgrade { .. }
            | EffectKind::Return { .. }
            | EffectKind::DropSnapshot { .. }),
            Some(row),
        ) => upgrade::after(&mut draft, state, &case, kind, row),
        (
            kind @ (EffectKind::Observe
            | EffectKind::Mend { .. }
            | EffectKind::Stop
            | EffectKind::Check),
            Some(row),
        ) if row.phase == Phase::Upgrading => {
            upgrade::after(&mut draft, state, &case, kind, row);
        }
        (EffectKind::Observe, Some(row)) if row.phase == Phase::Deleting => {
            sweep::after_look(&mut draft, &case, row);
        }
        (EffectKind::Observe, Some(row)) if row.phase == Phase::Recovering => {
            recover::after_look(&mut draft, &case, row);
        }
        (EffectKind::Observe | EffectKind::Mend { .. }, Some(row)) => {
            observe(&mut draft, state, &case, row);
        }
        (EffectKind::Check, Some(row)) => {
            ask::after_check(&mut draft, state, row, case.last());
        }
        (EffectKind::Pull { signal }, Some(row)) => {
            let spec = state.spec();
            draft.row(ask::after_pull(spec, now, row, signal, case.last()));
        }
        (EffectKind::Drain, Some(row)) => {
            draft.row(after_drain(&case, row));
        }
        (EffectKind::Stop, Some(row)) => after_stop(&mut draft, &case, row),
        (EffectKind::Delete, Some(row)) => after_delete(&mut draft, &case, row),
        (EffectKind::HandOver { .. }, Some(row)) => {
            export::after_hand_over(&mut draft, &case, row);
        }
        (EffectKind::TopUp { cycles }, Some(row)) => {
            draft.row(funding::after_top_up(&case, row, *cycles));
        }
    }
    draft.done()
}

/// What the conclusion may look at.
pub(super) struct Case<'a> {
    pub(super) now: Nanos,
    pub(super) started_at: Nanos,
    pub(super) root: Option<CanisterId>,
    pub(super) spec: Option<&'a FleetSpec>,
    outcomes: Vec<&'a Outcome>,
}

impl Case<'_> {
    pub(super) fn last(&self) -> &Outcome {
        self.outcomes.last().expect("bug: an effect without steps")
    }

    pub(super) fn observation(&self) -> Option<&Observation> {
        match self.last() {
            Outcome::Done(Value::Observed(observation)) => Some(observation),
            _ => None,
        }
    }

    /// What each step came to, in order.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().copied()
    }

    /// The first thing that went wrong.
    pub(super) fn trouble(&self) -> Option<Reason> {
        self.outcomes.iter().find_map(|outcome| reason_of(outcome))
    }

    /// A step says that there is no such canister, and no later one worked on it.
    pub(super) fn found_gone(&self) -> bool {
        let is_done = matches!(self.last(), Outcome::Done(_));
        !is_done && self.outcomes.iter().any(|outcome| is_gone(outcome))
    }
}

fn reason_of(outcome: &Outcome) -> Option<Reason> {
    match outcome {
        Outcome::Done(_) => None,
        Outcome::Refused(refusal) => Some(Reason::Refused(refusal.clone())),
        Outcome::NotExecuted(refusal) => Some(Reason::NotExecuted(refusal.clone())),
        Outcome::InProgress => Some(Reason::StopTimedOut),
        Outcome::Unknown(refusal) => Some(Reason::Unknown(refusal.clone())),
    }
}

/// There is no such canister any more.
pub(super) fn is_gone(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused(refusal) if refusal.code == REJECT_DESTINATION_INVALID)
}

/// `canister_status` is refused to all but controllers (interface specification,
/// `canister_status`), so a refusal of another kind than "gone" means control is lost.
pub(super) fn lost_control(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused(refusal) if refusal.code != REJECT_DESTINATION_INVALID)
}

fn created<M: Memory>(draft: &mut Draft, state: &State<M>, case: &Case<'_>, cycles: Cycles) {
    let now = case.now;
    match case.last() {
        Outcome::Done(Value::Created(canister)) => {
            if let Some(row) = state.row(*canister) {
                draft.event(Event::CyclesBooked(Account::Twice, cycles));
                draft.row(named_before(now, row));
            } else {
                let mut row = Row::new(*canister, Phase::Creating, now, Reason::Bought);
                row.deposited = cycles;
                draft.row(if planted("p16") {
                    row.moved(Phase::Ready, now, Reason::VerifiedEmpty)
                } else {
                    row
                });
            }
            if state.header().create_failures > 0 {
                let reason = None;
                draft.event(Event::CreationHeldBack {
                    failures: 0,
                    until: now,
                    reason,
                });
            }
        }
        // Those of one batch that fail together count once.
        _ if state.header().create_after > now => {}
        outcome => {
            let failures = state.header().create_failures.saturating_add(1);
            let until = now + limits::backoff(failures);
            let reason = reason_of(outcome);
            draft.event(Event::CreationHeldBack {
                failures,
                until,
                reason,
            });
        }
    }
}

/// A canister that was named to root before it was there: what was said of it so far is no more.
pub(super) fn named_before(now: Nanos, row: Row) -> Row {
    let row = Row {
        created_at: now,
        ..row
    };
    match row.phase {
        Phase::Lost => to_reset(row, now, Reason::Bought),
        _ => row,
    }
}

/// Ready only after the observation; else again, from the start, after a wait.
fn after_reset<M: Memory>(state: &State<M>, case: &Case<'_>, row: Row) -> Row {
    let now = case.now;
    let row = observed(case, row);
    if let Some(observation) = case.observation() {
        return match flaw(case, &row, observation) {
            None => row.moved(Phase::Ready, now, Reason::VerifiedEmpty),
            Some(Reason::BelowFloor) if funding::may_feed_spare(state, now, case.spec, &row) => {
                let mut row = row.moved(Phase::PendingReset, now, Reason::BelowFloor);
                row.next_attempt = Nanos::MAX;
                funding::note_need(case.spec, now, row)
            }
            Some(Reason::NotEmpty)
                if observation.snapshot_bytes > Some(0) && upgrade::may_purge(&row) =>
            {
                upgrade::purged(now, row)
            }
            Some(flaw) => again(now, row, case.trouble().unwrap_or(flaw)),
        };
    }
    if case.found_gone() {
        return if case.started_at < row.created_at {
            to_reset(row, now, Reason::Bought)
        } else {
            row.moved(Phase::Lost, now, Reason::Gone)
        };
    }
    if lost_control(case.last()) {
        return row.moved(Phase::Failed, now, Reason::NotControlled);
    }
    let trouble = case
        .trouble()
        .expect("bug: no observation and nothing went wrong");
    again(now, row, trouble)
}

/// Notes for the breaker how a reset ended. What is wrong with one canister alone, such as its
/// controllers, its cycles or a snapshot, says nothing of others.
fn judge<M: Memory>(draft: &mut Draft, state: &State<M>, now: Nanos, row: &Row) {
    let failed = matches!(
        row.reason,
        Reason::Refused(_) | Reason::NotExecuted(_) | Reason::Unknown(_) | Reason::Unobservable
    );
    let before = state.header().resets;
    let after = before.after(now, failed);
    if (failed || row.phase == Phase::Ready) && after != before {
        draft.event(Event::ResetsJudged(after));
    }
}

/// Back to the reset queue after a wait; after too many refusals to Failed. What certainly did
/// not run is tried without end, ever more slowly.
fn again(now: Nanos, mut row: Row, reason: Reason) -> Row {
    let hopeless = matches!(reason, Reason::BelowFloor | Reason::Unobservable);
    let patient = matches!(reason, Reason::NotExecuted(_) | Reason::NotRunning) && !planted("l12");
    // An operator waits for this one: only what may still come by itself is tried again.
    let hurried = row.urgent && !patient && !matches!(reason, Reason::Unknown(_));
    let interrupted = row.urgent && matches!(reason, Reason::Unknown(_));
    row.since = now;
    row.phase = Phase::PendingReset;
    row = row.held_back(now, reason);
    if planted("p05") && interrupted {
        row.next_attempt = Nanos::MAX;
    }
    if planted("p04") {
        row.next_attempt = now;
    }
    if hopeless || hurried || (row.attempts >= limits::ATTEMPTS_MAX && !patient) {
        row.phase = Phase::Failed;
        row.urgent = false;
    }
    row
}

/// Takes over what an observation says of cycles and run state.
pub(super) fn observed(case: &Case<'_>, mut row: Row) -> Row {
    if let Some(observation) = case.observation() {
        funding::measure_burn(&mut row, observation.cycles, case.now);
        row.take_balance(observation.cycles, case.now);
        row.stopped = observation.run_state != RunState::Running;
    }
    row
}

/// What keeps an observed canister from being Ready.
fn flaw(case: &Case<'_>, row: &Row, seen: &Observation) -> Option<Reason> {
    let (Some(settings_clean), Some(snapshots)) = (seen.settings_clean, seen.snapshot_bytes) else {
        return Some(Reason::Unobservable);
    };
    let floor = case.spec.map_or(Cycles(0), |spec| spec.warm_pool.floor);
    let empty =
        seen.module.is_none() && snapshots == 0 && seen.memory_bytes <= limits::EMPTY_MEMORY_BYTES;
    let flaws = [
        (!controlled_as_wanted(case, seen), Reason::WrongControllers),
        (!empty, Reason::NotEmpty),
        (!settings_clean && !planted("p25"), Reason::WrongSettings),
        (row.stopped, Reason::NotRunning),
        (seen.cycles < floor && !planted("p20"), Reason::BelowFloor),
    ];
    flaws
        .into_iter()
        .find(|(is_so, _)| *is_so)
        .map(|(_, reason)| reason)
}

/// Root and the configured controllers, and nobody else.
fn controlled_as_wanted(case: &Case<'_>, seen: &Observation) -> bool {
    let configured = case.spec.map_or(&[][..], |spec| &spec.controllers);
    let root = case.root.map(|root| root.0);
    let wanted =
        |controller: &Principal| configured.contains(controller) || root == Some(*controller);
    let all_there = configured
        .iter()
        .chain(&root)
        .all(|one| seen.controllers.contains(one));
    all_there && (planted("p17") || seen.controllers.iter().all(wanted))
}

fn after_install<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    case: &Case<'_>,
    row: Row,
    module: ModuleHash,
) {
    let now = case.now;
    let pool = row.pool.clone().unwrap_or_default();
    if case.trouble().is_none() {
        started(draft, state, installed(state, now, row), module);
        return;
    }
    if case.found_gone() {
        draft.row(row.moved(Phase::Lost, now, Reason::Gone));
        return;
    }
    let trouble = case.trouble().expect("bug: trouble was seen above");
    match case.last() {
        Outcome::Unknown(_) => {
            // It may have run or may yet: looked at until it is there or too old to come.
            let mut row = row.held_back(now, trouble);
            row.next_attempt = if planted("s02") { Nanos::MAX } else { now };
            row.module = Some(module);
            draft.row(row);
        }
        Outcome::NotExecuted(_) => {
            draft.row(to_reset(row, now, trouble));
            trial::hold_back(draft, state, &pool, now + limits::BACKOFF_FIRST);
        }
        _ if planted("p09") => {
            let next_attempt = Nanos::MAX;
            draft.row(Row {
                next_attempt,
                ..row
            });
        }
        _ => {
            draft.row(to_reset(row, now, trouble));
            trial::note_failed_start(draft, state, &pool, module);
            store::distrust(draft, state, module);
        }
    }
}

/// The row of a new worker; unless its start-up check is to come, its module has started.
fn started<M: Memory>(draft: &mut Draft, state: &State<M>, row: Row, module: ModuleHash) {
    if row.starts_until.0 == 0 {
        let pool = row.pool.clone().unwrap_or_default();
        trial::note_start(draft, state, &pool, module);
    }
    draft.row(row);
}

/// What an observation means for the row, and for its pool.
fn observe<M: Memory>(draft: &mut Draft, state: &State<M>, case: &Case<'_>, mut row: Row) {
    let (was, pool) = (row.phase, row.pool.clone().unwrap_or_default());
    if let (Phase::InService, Some(seen)) = (was, case.observation()) {
        measure(case.spec, case.now, &mut row, seen);
    }
    let row = after_observe(state, case, row);
    let row = funding::note_need(case.spec, case.now, row);
    let module = row
        .module
        .filter(|_| was == Phase::Installing && row.phase.is_living());
    match module {
        Some(module) if row.phase != was => started(draft, state, row, module),
        _ => {
            let at_work = matches!(was, Phase::InService | Phase::Leased);
            if at_work && !row.phase.is_member() {
                trial::note_loss(draft, state, &pool);
            }
            draft.row(row);
        }
    }
}

/// An observation of a canister that is not being reset.
fn after_observe<M: Memory>(state: &State<M>, case: &Case<'_>, row: Row) -> Row {
    let now = case.now;
    let row = observed(case, row);
    if planted("p21") && row.phase == Phase::InService && is_gone(case.last()) {
        return row.held_back(now, Reason::Gone);
    }
    if is_gone(case.last()) {
        return row.moved(Phase::Lost, now, Reason::Gone);
    }
    if lost_control(case.last()) {
        return row.moved(Phase::Lost, now, Reason::NotControlled);
    }
    if matches!(row.phase, Phase::Draining | Phase::Stopping) {
        // It began to leave while it was looked at: it goes on leaving.
        let next_attempt = now;
        return Row {
            next_attempt,
            ..row
        };
    }
    let Some(seen) = case.observation() else {
        let trouble = case
            .trouble()
            .expect("bug: no observation and nothing went wrong");
        return row.held_back(now, trouble);
    };
    let row = upgrade::taken_over(case.spec, row, seen);
    match row.phase {
        Phase::Creating => match flaw(case, &row, seen) {
            None => row.moved(Phase::Ready, now, Reason::VerifiedEmpty),
            Some(flaw) => to_reset(row, now, flaw),
        },
        // Settings that are still the warm pool's would mean a member without its variables.
        Phase::Installing
            if seen.module.is_some()
                && seen.module == row.module
                && seen.settings_clean != Some(true) =>
        {
            installed(state, now, row)
        }
        Phase::InService | Phase::Standby | Phase::Leased
            if seen.module == row.module && row.stopped && !planted("p19") =>
        {
            mend::wanted(case, row, Reason::NotRunning)
        }
        Phase::InService | Phase::Standby | Phase::Leased
            if seen.module == row.module && !controlled_as_wanted(case, seen) =>
        {
            mend::wanted(case, row, Reason::WrongControllers)
        }
        Phase::Installing
            if seen.module.is_none() && case.started_at.since(row.since) < limits::ABSENCE_AGE =>
        {
            Row {
                next_attempt: now + limits::LOOK_AGAIN,
                ..row
            }
        }
        Phase::InService | Phase::Standby | Phase::Leased
            if seen.module == row.module && !row.stopped =>
        {
            looked_at(case, row)
        }
        _ => {
            let reason = if row.stopped {
                Reason::NotRunning
            } else {
                Reason::WrongModule
            };
            to_reset(row, now, reason)
        }
    }
}

/// A member is as it should be; one in service that stopped reporting is noted.
fn looked_at(case: &Case<'_>, row: Row) -> Row {
    let now = case.now;
    let silent = reported(case.spec, &row).is_some_and(|(position, signal)| {
        let last = row.sample_of(position).map_or(Nanos(0), |it| it.at);
        now.since(last) > signal.stale_after
    });
    let reason = match row.phase {
        Phase::InService if silent => Reason::Silent,
        Phase::InService => Reason::Installed,
        Phase::Leased => Reason::Leased,
        _ => Reason::Standby,
    };
    let row = Row {
        mend: false,
        settled_at: case.started_at,
        ..row
    };
    Row {
        next_attempt: member_due(case.spec, now, &row),
        attempts: 0,
        reason,
        ..row
    }
}

fn after_drain(case: &Case<'_>, row: Row) -> Row {
    let now = case.now;
    if row.phase != Phase::Draining {
        // Load returned meanwhile; the member's next report tells it to take work again.
        return row;
    }
    if case.started_at < row.since {
        // An answer to an earlier cordon says nothing of this one.
        return Row {
            next_attempt: now,
            ..row
        };
    }
    match case.last() {
        Outcome::Done(Value::Drained(true)) => row.moved(Phase::Stopping, now, Reason::Idle),
        _ => Row {
            next_attempt: now + limits::DRAIN_POLL,
            ..row
        },
    }
}

/// A canister that does not stop in time, or not at all, is emptied all the same: uninstalling
/// rejects what it has open, and the reset finds out who controls it.
fn after_stop(draft: &mut Draft, case: &Case<'_>, mut row: Row) {
    let now = case.now;
    let outcome = case.last();
    let deleting = row.phase == Phase::Deleting;
    if is_gone(outcome) {
        gone(draft, case, row);
        return;
    }
    let done = matches!(outcome, Outcome::Done(_));
    row.stopped |= done || *outcome == Outcome::InProgress;
    // It is to be deleted all the same once the reset has ended what keeps it from stopping.
    let emptied = |row: Row, reason| {
        let exit = deleting.then_some(Exit::Delete);
        Row {
            exit,
            ..to_reset(row, now, reason)
        }
    };
    let row = match case.trouble() {
        None if deleting => Row {
            next_attempt: now,
            ..row
        },
        None => to_reset(row, now, Reason::Recycled),
        Some(trouble) if planted("p22") && *outcome == Outcome::InProgress => {
            row.held_back(now, trouble)
        }
        Some(_) if row.stopped => emptied(row, Reason::Recycled),
        Some(trouble) if row.attempts + 1 >= limits::ATTEMPTS_MAX => emptied(row, trouble),
        Some(trouble) => row.held_back(now, trouble),
    };
    draft.row(row);
}

/// The platform says there is no such canister. It may have been created since it was asked.
pub(super) fn gone(draft: &mut Draft, case: &Case<'_>, row: Row) {
    if row.phase != Phase::Deleting {
        draft.row(row.moved(Phase::Lost, case.now, Reason::Gone));
    } else if case.started_at < row.created_at {
        draft.row(row.held_back(case.now, Reason::Gone));
    } else {
        draft.event(Event::RowRemoved(row.canister, Reason::Gone));
    }
}

fn after_delete(draft: &mut Draft, case: &Case<'_>, mut row: Row) {
    let now = case.now;
    match case.last() {
        Outcome::Done(_) => {
            draft.event(Event::RowRemoved(row.canister, Reason::Deleted));
        }
        outcome if is_gone(outcome) => gone(draft, case, row),
        outcome => {
            let trouble = reason_of(outcome).expect("bug: success was handled above");
            row.stopped = false;
            draft.row(row.held_back(now, trouble));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_canister_and_a_lost_one_are_told_apart() {
        let refused = |code| Outcome::Refused(hatchery_types::Refusal::new(code, ""));
        assert!(is_gone(&refused(3)) && !lost_control(&refused(3)));
        assert!(lost_control(&refused(5)) && !is_gone(&refused(5)));
    }
}
