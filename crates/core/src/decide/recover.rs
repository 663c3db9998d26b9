//! Rows for canisters that root has none for: an operator names them, each is looked at, and what
//! it shows becomes its row.
//!
//! Nothing is reset, stopped or deleted on the way. What cannot be placed is Failed and waits for
//! an operator: it may be the one copy of somebody's data.

use super::Draft;
use super::command::{Act, Acted};
use super::conclude::{Case, is_gone, lost_control};
use super::service::to_work;
use crate::limits;
use crate::receipt::{Answer, Counted};
use crate::record::Row;
use crate::state::State;
use crate::storage::encode;
use crate::{Event, Purpose, Recover, SWEEPER_HASH, Search, Standing};
use hatchery_types::{
    CanisterId, FleetSpec, ModuleHash, Nanos, Observation, ParentSpec, Phase, Reason, Registered,
    RunState, Tenancy,
};
use ic_stable_structures::Memory;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// What a recover command writes and answers; or why it is refused, and the hint.
pub(super) fn recover<M: Memory>(state: &State<M>, now: Nanos, recover: &Recover) -> Act {
    if state.spec().is_none() {
        let text = "apply the fleet's spec first: what a canister runs is compared with it";
        return Err((Reason::NoSpec, text.to_owned()));
    }
    match recover {
        Recover::Canisters(canisters) if canisters.len() > limits::PAGE_MAX => {
            let text = format!("at most {} canisters a command", limits::PAGE_MAX);
            Err((Reason::OverLimit, text))
        }
        Recover::Canisters(canisters) => Ok(name(state, now, canisters)),
        Recover::Range { first, ids } => range(state, now, *first, *ids),
        Recover::Done => done(state),
    }
}

/// SHA-256 of what the command says. The numbers are in receipts: never reused.
pub(super) fn digest(recover: &Recover) -> ModuleHash {
    let bytes = match recover {
        Recover::Canisters(canisters) => encode(&(40u8, canisters)),
        Recover::Range { first, ids } => encode(&(41u8, first, ids)),
        Recover::Done => encode(&42u8),
    };
    ModuleHash(Sha256::digest(bytes).into())
}

/// A row for each id, to be looked at.
fn name<M: Memory>(state: &State<M>, now: Nanos, canisters: &[Registered]) -> Acted {
    let mut counted = Counted::default();
    let mut events = Vec::new();
    let mut seen = BTreeSet::new();
    for known in canisters.iter().filter(|it| seen.insert(it.canister)) {
        match named_row(state, now, known) {
            Ok(row) => {
                counted.added += 1;
                events.push(Event::RowChanged(Box::new(row)));
            }
            Err(reason) => counted.skipped.push((known.canister, reason)),
        }
    }
    counted.total = seen.len() as u32;
    Acted::done(events, Answer::Counted(counted))
}

fn named_row<M: Memory>(state: &State<M>, now: Nanos, known: &Registered) -> Result<Row, Reason> {
    let id = known.canister;
    let too_long = |name: &Option<String>| name.as_ref().is_some_and(|it| it.len() > NAME_BYTES);
    if state.row(id).is_some() {
        Err(Reason::AlreadyManaged)
    } else if id.number().is_none() || state.header().root == Some(id) {
        Err(Reason::UnknownCanister)
    } else if !has_room(state) || too_long(&known.role) || too_long(&known.pool) {
        Err(Reason::OverLimit)
    } else {
        let mut row = Row::new(id, Phase::Recovering, now, Reason::Recovered);
        row.role.clone_from(&known.role);
        row.pool.clone_from(&known.pool);
        row.parent = known.parent;
        row.module = known.module;
        row.generation = known.generation.unwrap_or_default();
        row.created_at = known.created_at.unwrap_or(now);
        Ok(row)
    }
}

/// Longest name of a role or pool that is taken in, in bytes; the spec's own are shorter.
const NAME_BYTES: usize = 100;

/// A command adds a page of rows at most, and a search a batch.
fn has_room<M: Memory>(state: &State<M>) -> bool {
    state.rows_len() + limits::PAGE_MAX as u64 <= limits::ROWS_MAX
}

/// Every id of a range is asked for; what root controls gets a row.
fn range<M: Memory>(state: &State<M>, now: Nanos, first: CanisterId, ids: u64) -> Act {
    let Some(next) = first.number() else {
        let text = format!("{first} is not the id of a canister");
        return Err((Reason::UnknownCanister, text));
    };
    if !(1..=limits::RANGE_IDS_MAX).contains(&ids) {
        let text = format!("{ids} ids: between 1 and {}", limits::RANGE_IDS_MAX);
        return Err((Reason::OverLimit, text));
    }
    if state.header().search.is_some() {
        let text = "a search is under way: ask again when the status shows none";
        return Err((Reason::WrongPhase, text.to_owned()));
    }
    let search = Search {
        purpose: Purpose::Range,
        next,
        end: next.saturating_add(ids),
        not_before: now,
        found: 0,
    };
    Ok(Acted::done(
        vec![Event::SearchChanged(Some(search))],
        Answer::Done,
    ))
}

/// A canister that a range search found under root's control.
pub(super) fn found<M: Memory>(draft: &mut Draft, state: &State<M>, now: Nanos, id: CanisterId) {
    if has_room(state) {
        draft.row(Row::new(id, Phase::Recovering, now, Reason::Recovered));
    }
}

/// Root does its work again: what has no row by now is not the fleet's.
fn done<M: Memory>(state: &State<M>) -> Act {
    let looked_at = state.counts().phase(Phase::Recovering);
    if state.header().standing != Standing::Recovering {
        return Err((
            Reason::WrongPhase,
            "root is not recovering: its memory is whole, and there is nothing to be done"
                .to_owned(),
        ));
    }
    if looked_at > 0 || state.header().search.is_some() {
        let text = format!(
            "{looked_at} canisters are still to be looked at, or a search is under way: ask again \
             when the status shows neither"
        );
        return Err((Reason::WrongPhase, text));
    }
    Ok(Acted::done(
        vec![Event::StandingChanged(Standing::Sound)],
        Answer::Done,
    ))
}

/// A named canister was looked at: its row, or none if it is not the fleet's.
pub(super) fn after_look(draft: &mut Draft, case: &Case<'_>, row: Row) {
    let now = case.now;
    if let Some(seen) = case.observation() {
        let row = rebuilt(case, row, seen);
        draft.row(row);
    } else if is_gone(case.last()) {
        draft.event(Event::RowRemoved(row.canister, Reason::Gone));
    } else if lost_control(case.last()) {
        draft.event(Event::RowRemoved(row.canister, Reason::NotControlled));
    } else {
        let trouble = case
            .trouble()
            .expect("bug: no observation and nothing went wrong");
        draft.row(row.held_back(now, trouble));
    }
}

/// The row that an observation stands for: a member goes on where it is, an empty canister is
/// verified by a reset, and what fits no pool of the spec is left alone.
fn rebuilt(case: &Case<'_>, mut row: Row, seen: &Observation) -> Row {
    let now = case.now;
    row.stopped = seen.run_state != RunState::Running;
    row.take_balance(seen.cycles, now);
    if let Some(tenancy) = seen
        .tenancy
        .as_ref()
        .filter(|it| Some(it.root) == case.root)
    {
        take_over(&mut row, tenancy);
    }
    let Some(module) = seen.module.filter(|module| *module != SWEEPER_HASH) else {
        return row.moved(Phase::PendingReset, now, Reason::Recovered);
    };
    let fits = case.spec.is_some_and(|spec| fits(spec, &row, module));
    row.module = Some(module);
    // Who asked for whom is not known any more: rather none too many than one too few is taken.
    let grants = case.spec.map_or(&[][..], |spec| &spec.grants);
    let pool = row.pool.as_deref();
    let pool = pool.and_then(|pool| case.spec.and_then(|spec| spec.pool(pool)));
    let owner = row.parent.map(ParentSpec::Canister);
    let is_pools_own = pool.is_some_and(|pool| pool.parent.is_some() && pool.parent == owner);
    let is_granted = grants.iter().any(|it| Some(&it.pool) == row.pool.as_ref());
    row.kept = is_granted && !is_pools_own;
    match (fits, row.stopped) {
        // Only root stops members, on their way back to the warm pool.
        (true, true) => row.moved(Phase::PendingReset, now, Reason::NotRunning),
        (true, false) => to_work(case.spec, now, row, Reason::Recovered),
        (false, _) => row.moved(Phase::Failed, now, Reason::UnknownTenant),
    }
}

/// The environment variables count more than what was told.
fn take_over(row: &mut Row, tenancy: &Tenancy) {
    row.role.clone_from(&tenancy.role);
    row.pool.clone_from(&tenancy.pool);
    row.parent = tenancy.parent;
    row.generation = row.generation.max(tenancy.generation);
}

/// The row's pool is of the row's role, whose module runs there.
fn fits(spec: &FleetSpec, row: &Row, module: ModuleHash) -> bool {
    let pool = row.pool.as_deref().and_then(|pool| spec.pool(pool));
    let role = row.role.as_deref().and_then(|role| spec.role(role));
    match (pool, role) {
        (Some(pool), Some(role)) => pool.role == role.name && role.module == module,
        _ => false,
    }
}
