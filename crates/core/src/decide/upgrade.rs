//! The upgrade of one member: stopped, saved, replaced, started, checked; else brought back as it was
//! before it is listed again.
//!
//! Which member and when is `plan/upgrade.rs`'s. A member whose old state cannot be brought back
//! fails with its snapshot kept: root never wipes what it was to preserve.

use super::conclude::{Case, lost_control, observed};
use super::lanes::Room;
use super::service::{land, member_due};
use super::{Draft, store, to_reset};
use crate::plant::planted;
use crate::record::{PoolRecord, Row};
use crate::state::State;
use crate::upgrade::{Rollout, Upgrade, UpgradeStep};
use crate::{Event, limits};
use hatchery_types::{
    EffectKind, FleetSpec, ModuleHash, Nanos, Observation, Outcome, Phase, Reason, RoleSpec, Value,
};
use ic_stable_structures::Memory;

/// Takes a member out of service for its upgrade; callers may still hold a discovery answer that
/// names it, so it is stopped when those have run out.
pub(super) fn begin(now: Nanos, spec: &FleetSpec, row: Row) -> Row {
    let role = row.role.as_deref().and_then(|role| spec.role(role));
    let to = role
        .expect("bug: an upgrade of a member without a role")
        .module;
    let pool = row.pool.as_deref().and_then(|pool| spec.pool(pool));
    let listed = row.phase == Phase::InService;
    let valid_for = pool.filter(|_| listed).map(|pool| pool.valid_for);
    let mut row = row.moved(Phase::Upgrading, now, Reason::Outdated);
    row.next_attempt = now + valid_for.unwrap_or_default();
    row.upgrade = Some(Upgrade::new(to));
    row
}

/// The next call of an upgrade.
pub(super) fn go_on<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    spec: &FleetSpec,
    room: &Room,
    row: Row,
) {
    let now = draft.now;
    let upgrade = expect(&row).clone();
    let kind = match upgrade.step {
        UpgradeStep::Stop | UpgradeStep::Halt => EffectKind::Stop,
        UpgradeStep::Save => EffectKind::Save,
        UpgradeStep::Find => EffectKind::FindSnapshot,
        UpgradeStep::Replace if !is_wanted(state, &row, upgrade.to) => {
            return next(draft, row, UpgradeStep::Start);
        }
        UpgradeStep::Replace => EffectKind::Upgrade { module: upgrade.to },
        UpgradeStep::Look => EffectKind::Observe,
        UpgradeStep::Check if now < upgrade.until => EffectKind::Check,
        UpgradeStep::Check => {
            let row = failed(draft, state, row, Reason::StartFailed);
            return next(draft, row, UpgradeStep::Halt);
        }
        UpgradeStep::Restore => EffectKind::Return {
            snapshot: upgrade.snapshot,
        },
        UpgradeStep::Start => EffectKind::Return { snapshot: None },
        UpgradeStep::Drop => match upgrade.snapshot {
            Some(snapshot) if !planted("u03") => EffectKind::DropSnapshot { snapshot },
            _ => return finish(draft, state, row),
        },
    };
    if !room.takes(state, spec, &kind) {
        return draft.wait_for_lane(row);
    }
    draft.start_on(row, kind);
}

/// The role still wants that module, and it can be installed.
fn is_wanted<M: Memory>(state: &State<M>, row: &Row, to: ModuleHash) -> bool {
    let may = |role: &&RoleSpec| role.upgrade.is_some() || expect(row).asked;
    let role = role_of(state, row)
        .filter(|role| role.module == to)
        .filter(may);
    role.is_some() && state.index.installable.contains(&to)
}

/// Before a canister is reset, the snapshot of an upgrade that went wrong is deleted, and those that
/// a reset found are, one after the other.
pub(super) fn before_reset(row: &Row) -> Option<EffectKind> {
    let upgrade = row.upgrade.as_ref()?;
    match (&upgrade.snapshot, upgrade.step) {
        (Some(snapshot), _) => Some(EffectKind::DropSnapshot {
            snapshot: snapshot.clone(),
        }),
        (None, UpgradeStep::Find) => Some(EffectKind::FindSnapshot),
        (None, _) => None,
    }
}

/// Not if that was tried just now, after too many attempts. Attempts that failed before for other
/// reasons do not count.
pub(super) fn may_purge(row: &Row) -> bool {
    row.attempts < limits::ATTEMPTS_MAX || row.reason != Reason::NotEmpty
}

/// A reset found snapshots: they are deleted, and it is reset once more.
pub(super) fn purged(now: Nanos, mut row: Row) -> Row {
    let module = row.module.unwrap_or(ModuleHash([0; 32]));
    (row.phase, row.since) = (Phase::PendingReset, now);
    row.upgrade = Some(Upgrade {
        step: UpgradeStep::Find,
        ..Upgrade::new(module)
    });
    row.held_back(now, Reason::NotEmpty)
}

/// What an effect on a member in its upgrade means; one that began before it says nothing.
pub(super) fn after<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    case: &Case<'_>,
    kind: &EffectKind,
    row: Row,
) {
    if case.found_gone() {
        draft.row(row.moved(Phase::Lost, case.now, Reason::Gone));
        return;
    }
    if row.phase != Phase::Upgrading {
        return before_reset_done(draft, case, kind, row);
    }
    match (expect(&row).step, kind) {
        (UpgradeStep::Stop, EffectKind::Stop) => after_stop(draft, state, case, row),
        (UpgradeStep::Halt, EffectKind::Stop) => after_halt(draft, case, row),
        (UpgradeStep::Save, EffectKind::Save) => after_save(draft, state, case, row),
        (UpgradeStep::Find, EffectKind::FindSnapshot) => after_find(draft, case, row),
        (UpgradeStep::Replace, EffectKind::Upgrade { .. })
        | (UpgradeStep::Look, EffectKind::Observe)
        | (UpgradeStep::Start, EffectKind::Return { .. }) => after_look(draft, state, case, row),
        (UpgradeStep::Restore, EffectKind::Return { .. }) => after_restore(draft, case, row),
        (UpgradeStep::Check, EffectKind::Check) => after_check(draft, state, case, row),
        (UpgradeStep::Drop, EffectKind::DropSnapshot { .. }) => {
            after_drop(draft, state, case, row);
        }
        _ => {
            draft.row(row);
        }
    }
}

fn after_stop<M: Memory>(draft: &mut Draft, state: &State<M>, case: &Case<'_>, mut row: Row) {
    match case.trouble() {
        None => {
            row.stopped = true;
            next(draft, row, UpgradeStep::Save);
        }
        Some(trouble) if *case.last() == Outcome::InProgress || is_last(&row) => {
            let row = failed(draft, state, row, trouble);
            next(draft, row, UpgradeStep::Start);
        }
        Some(trouble) => {
            draft.row(row.held_back(case.now, trouble));
        }
    }
}

/// A member that does not work is brought back all the same when it does not stop.
fn after_halt(draft: &mut Draft, case: &Case<'_>, row: Row) {
    match case.trouble() {
        Some(trouble) if *case.last() != Outcome::InProgress && !is_last(&row) => {
            draft.row(row.held_back(case.now, trouble));
        }
        _ => next(draft, row, UpgradeStep::Restore),
    }
}

fn after_save<M: Memory>(draft: &mut Draft, state: &State<M>, case: &Case<'_>, mut row: Row) {
    let taken = taken(case).first();
    match (case.last(), case.trouble()) {
        (Outcome::Done(_), _) if taken.is_some() => {
            expect_mut(&mut row).snapshot = taken.map(|(snapshot, _)| snapshot.clone());
            next(draft, row, UpgradeStep::Replace);
        }
        (Outcome::NotExecuted(_), Some(trouble)) if !is_last(&row) => {
            draft.row(row.held_back(case.now, trouble));
        }
        (Outcome::Unknown(_) | Outcome::Done(_), _) if !planted("l04") => {
            next(draft, row, UpgradeStep::Find);
        }
        (_, trouble) => {
            let row = failed(draft, state, row, trouble.unwrap_or(Reason::Unobservable));
            next(draft, row, UpgradeStep::Start);
        }
    }
}

/// A snapshot taken since the upgrade began is of the stopped member, whoever took it. Requests to
/// one callee keep their order: what is not there now was not taken, or is deleted.
fn after_find(draft: &mut Draft, case: &Case<'_>, mut row: Row) {
    if lost_control(case.last()) {
        draft.row(row.moved(Phase::Lost, case.now, Reason::NotControlled));
        return;
    }
    if let Some(trouble) = case.trouble() {
        draft.row(row.held_back(case.now, trouble));
        return;
    }
    let since = row.since;
    let upgrade = expect_mut(&mut row);
    match &upgrade.snapshot {
        Some(ours) if taken(case).iter().any(|(snapshot, _)| snapshot == ours) => {
            upgrade.step = UpgradeStep::Drop;
            draft.row(row.held_back(case.now, Reason::NotEmpty));
        }
        Some(_) => {
            upgrade.snapshot = None;
            next(draft, row, UpgradeStep::Drop);
        }
        None => {
            let found = taken(case).iter().find(|(_, at)| *at >= since);
            upgrade.snapshot = found.map(|(snapshot, _)| snapshot.clone());
            let found = upgrade.snapshot.is_some();
            let step = [UpgradeStep::Save, UpgradeStep::Replace][usize::from(found)];
            next(draft, row, step);
        }
    }
}

/// The snapshots that the platform told of.
fn taken<'a>(case: &'a Case<'_>) -> &'a [(Vec<u8>, Nanos)] {
    match case.last() {
        Outcome::Done(Value::Saved(snapshots)) => snapshots,
        _ => &[],
    }
}

/// Which module runs decides. The status that came with an upgrade may be older than the upgrade,
/// which may have resumed; one of unknown outcome may still run for ten minutes.
fn after_look<M: Memory>(draft: &mut Draft, state: &State<M>, case: &Case<'_>, mut row: Row) {
    let now = case.now;
    if lost_control(case.last()) {
        draft.row(row.moved(Phase::Lost, now, Reason::NotControlled));
        return;
    }
    let first = case.outcomes().next();
    let ran = matches!(first, Some(Outcome::Done(_)));
    let unsure = ran || matches!(first, Some(Outcome::Unknown(_)));
    if unsure && expect(&row).step == UpgradeStep::Replace {
        expect_mut(&mut row).until = case.started_at + limits::ABSENCE_AGE;
    }
    let Some(seen) = case.observation() else {
        let trouble = case.trouble().unwrap_or(Reason::Unobservable);
        let mut row = row.held_back(now, trouble);
        if expect(&row).step == UpgradeStep::Replace {
            expect_mut(&mut row).step = UpgradeStep::Look;
        }
        draft.row(row);
        return;
    };
    row = observed(case, row);
    let upgrade = expect(&row);
    if seen.module == Some(upgrade.to) && !upgrade.failed {
        replaced(draft, state, row);
    } else if seen.module != row.module {
        meddled(draft, state, row);
    } else if case.started_at < upgrade.until && !upgrade.failed {
        row.next_attempt = now
            + if ran {
                limits::CHECK_POLL
            } else {
                limits::LOOK_AGAIN
            };
        expect_mut(&mut row).step = UpgradeStep::Look;
        draft.row(row);
    } else {
        unchanged(draft, state, case, row);
    }
}

/// The new module is there: started if it is not, then checked.
fn replaced<M: Memory>(draft: &mut Draft, state: &State<M>, mut row: Row) {
    if row.stopped {
        return start_again(draft, row);
    }
    let role = role_of(state, &row);
    match role.and_then(|role| role.health.as_ref()) {
        Some(health) => {
            expect_mut(&mut row).until = draft.now + health.grace;
            next(draft, row, UpgradeStep::Check);
        }
        None => healthy(draft, state, row),
    }
}

/// The old module is there, with its memory: the platform undoes an upgrade that fails.
fn unchanged<M: Memory>(draft: &mut Draft, state: &State<M>, case: &Case<'_>, row: Row) {
    let upgrade = expect(&row);
    let cancelled = upgrade.step == UpgradeStep::Start && !upgrade.failed;
    let row = if cancelled {
        row
    } else {
        if !upgrade.failed {
            store::distrust(draft, state, upgrade.to);
        }
        let trouble = case.trouble().unwrap_or(Reason::WrongModule);
        failed(draft, state, row, trouble)
    };
    if row.stopped {
        return start_again(draft, row);
    }
    next(draft, row, UpgradeStep::Drop);
}

/// Neither module is there: somebody meddled.
fn meddled<M: Memory>(draft: &mut Draft, state: &State<M>, row: Row) {
    let row = failed(draft, state, row, Reason::WrongModule);
    if expect(&row).snapshot.is_some() {
        return next(draft, row, UpgradeStep::Halt);
    }
    let now = draft.now;
    draft.row(to_reset(row, now, Reason::WrongModule));
}

fn start_again(draft: &mut Draft, row: Row) {
    let mut row = row.held_back(draft.now, Reason::NotRunning);
    expect_mut(&mut row).step = UpgradeStep::Start;
    draft.row(row);
}

/// Any reply means that it works.
fn after_check<M: Memory>(draft: &mut Draft, state: &State<M>, case: &Case<'_>, mut row: Row) {
    if matches!(case.last(), Outcome::Done(_)) || planted("u02") {
        return healthy(draft, state, row);
    }
    row.next_attempt = expect(&row).until.min(case.now + limits::CHECK_POLL);
    draft.row(row);
}

fn healthy<M: Memory>(draft: &mut Draft, state: &State<M>, mut row: Row) {
    let to = expect(&row).to;
    row.module = Some(to);
    let proven = |record: &mut PoolRecord, rollout: &mut Rollout| {
        rollout.done = rollout.done.saturating_add(1);
        record.proven = Some(to);
        record.failing = None;
        record.failures = 0;
        record.backoff_until = Nanos(0);
    };
    judge(draft, state, &row, proven);
    next(draft, row, UpgradeStep::Drop);
}

/// Loading the same snapshot again changes nothing, while nobody gives the member work.
fn after_restore(draft: &mut Draft, case: &Case<'_>, row: Row) {
    if lost_control(case.last()) {
        draft.row(row.moved(Phase::Lost, case.now, Reason::NotControlled));
        return;
    }
    let row = observed(case, row);
    let loaded = case
        .outcomes()
        .next()
        .is_some_and(|first| matches!(first, Outcome::Done(_)));
    let back = case.observation().is_some_and(|it| it.module == row.module);
    if loaded && back && !row.stopped {
        return next(draft, row, UpgradeStep::Drop);
    }
    let trouble = case.trouble().unwrap_or(Reason::WrongModule);
    // Only what was looked at since is given up.
    let seen = case.observation().is_some();
    let hopeless = seen && matches!(trouble, Reason::Refused(_)) && is_last(&row);
    draft.row(if hopeless {
        // An operator looks at it; the snapshot is kept.
        row.moved(Phase::Failed, case.now, Reason::RollbackFailed)
    } else {
        row.held_back(case.now, trouble)
    });
}

/// A refusal may say that there is no such snapshot any more: it is looked for.
fn after_drop<M: Memory>(draft: &mut Draft, state: &State<M>, case: &Case<'_>, row: Row) {
    match (case.last(), case.trouble()) {
        (Outcome::Refused(_), _) => {
            // The attempts go on being counted: it is asked for ever more slowly.
            let mut row = row;
            row.next_attempt = case.now;
            expect_mut(&mut row).step = UpgradeStep::Find;
            draft.row(row);
        }
        (_, Some(trouble)) => {
            draft.row(row.held_back(case.now, trouble));
        }
        _ => finish(draft, state, row),
    }
}

/// On its way to a reset: the row is due again at once, or the deletion after a wait.
fn before_reset_done(draft: &mut Draft, case: &Case<'_>, kind: &EffectKind, mut row: Row) {
    let now = case.now;
    let trouble = case.trouble();
    let refused = matches!(case.last(), Outcome::Refused(_));
    let gives_up = refused && row.attempts + 1 >= limits::ATTEMPTS_MAX;
    if let (Some(trouble), false) = (trouble, gives_up) {
        draft.row(row.held_back(now, trouble));
        return;
    }
    let upgrade = expect_mut(&mut row);
    let found = taken(case).first().map(|(snapshot, _)| snapshot.clone());
    upgrade.snapshot = found.filter(|_| *kind == EffectKind::FindSnapshot);
    let more = upgrade.snapshot.is_some() || matches!(kind, EffectKind::DropSnapshot { .. });
    if gives_up || !more || upgrade.step != UpgradeStep::Find {
        // What is left the reset's own look tells.
        row.upgrade = None;
    }
    if gives_up {
        row.reason = Reason::NotEmpty;
    }
    row.next_attempt = now;
    draft.row(row);
}

/// Back where it is wanted: to its holder, at work, or on standby.
fn finish<M: Memory>(draft: &mut Draft, state: &State<M>, mut row: Row) {
    let now = draft.now;
    let upgrade = row.upgrade.take();
    let upgrade = upgrade.expect("bug: an upgrade without its record");
    let reason = if row.module == Some(upgrade.to) {
        Reason::Upgraded
    } else if upgrade.failed {
        Reason::RolledBack
    } else {
        Reason::Outdated
    };
    let mut row = if row.holder.is_some() {
        let mut row = row.moved(Phase::Leased, now, reason.clone());
        row.next_attempt = member_due(state.spec(), now, &row);
        row
    } else {
        land(state, now, row, reason.clone())
    };
    row.reason = reason;
    draft.row(row);
}

/// It is counted once for an upgrade.
fn failed<M: Memory>(draft: &mut Draft, state: &State<M>, mut row: Row, reason: Reason) -> Row {
    row.reason = reason;
    if std::mem::replace(&mut expect_mut(&mut row).failed, true) {
        return row;
    }
    judge(draft, state, &row, |_, rollout| {
        rollout.failures = rollout.failures.saturating_add(1);
    });
    row
}

/// A member at work that is seen with its role's module has it, whoever upgraded it.
pub(super) fn taken_over(spec: Option<&FleetSpec>, mut row: Row, seen: &Observation) -> Row {
    let role = row.role.as_deref().and_then(|role| spec?.role(role));
    let there = matches!(row.phase, Phase::InService | Phase::Standby | Phase::Leased);
    if there && seen.module.is_some() && seen.module == role.map(|role| role.module) {
        row.module = seen.module;
    }
    row
}

/// Notes in the pool's record how an upgrade ended.
fn judge<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    row: &Row,
    note: impl FnOnce(&mut PoolRecord, &mut Rollout),
) {
    let Some(record) = state.pool(row.pool.as_deref().unwrap_or_default()) else {
        return;
    };
    let (mut record, to) = (record.clone(), expect(row).to);
    let known = record.rollout.filter(|it| it.module == to);
    let mut rollout = known.unwrap_or_else(|| Rollout::new(to, draft.now));
    note(&mut record, &mut rollout);
    if known.is_some() || record.rollout.is_none() {
        record.rollout = Some(rollout);
    }
    draft.event(Event::PoolChanged(Box::new(record)));
}

fn next(draft: &mut Draft, mut row: Row, step: UpgradeStep) {
    expect_mut(&mut row).step = step;
    row.attempts = 0;
    row.next_attempt = draft.now;
    draft.row(row);
}

fn is_last(row: &Row) -> bool {
    row.attempts + 1 >= limits::ATTEMPTS_MAX
}

fn role_of<'a, M: Memory>(state: &'a State<M>, row: &Row) -> Option<&'a RoleSpec> {
    state.spec()?.role(row.role.as_deref()?)
}

fn expect(row: &Row) -> &Upgrade {
    let upgrade = row.upgrade.as_ref();
    upgrade.expect("bug: a member is upgraded without a record of it")
}

fn expect_mut(row: &mut Row) -> &mut Upgrade {
    let upgrade = row.upgrade.as_mut();
    upgrade.expect("bug: a member is upgraded without a record of it")
}
