//! Leases: workers handed to one holder until it gives them back or forgets to renew.
//!
//! Everything here is decided in the message that asks: a lease from standby needs no call. When
//! too few are free, what there is is handed out, and the pool wants the rest.

use super::parent::is_parent;
use super::service::{land, member_due};
use super::{Draft, refuse};
use crate::lease::{Grant, LeaseAnswer, LeaseAsk, LeaseInput, LeaseReceipt};
use crate::limits;
use crate::plan::in_order;
use crate::plant::planted;
use crate::record::{PoolRecord, Row};
use crate::state::{Member, State};
use crate::storage::encode;
use crate::{Decision, Event, Reply};
use hatchery_types::{CanisterId, LeaseEnd, LeaseSpec, ModuleHash, Nanos, Phase, PoolSpec, Reason};
use ic_stable_structures::Memory;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Checks who asks and the operation id, then acts, then leaves a receipt.
pub(super) fn lease<M: Memory>(state: &State<M>, now: Nanos, input: &LeaseInput) -> Decision {
    let pool = state.spec().and_then(|spec| spec.pool(&input.pool));
    let Some(pool) = pool else {
        return refuse(Reason::UnknownPool, format!("no pool `{}`", input.pool));
    };
    if !input.operator && !is_parent(state, pool, input.caller) {
        let text = "only the pool's parent and operators may lease";
        return refuse(Reason::Unauthorised, text);
    }
    let Some(rules) = &pool.lease else {
        let text = format!("pool `{}` has no section `lease`", pool.name);
        return refuse(Reason::NoLeases, text);
    };
    if !input.operation.is_valid() {
        let text = "an operation id has 1 to 64 bytes";
        return refuse(Reason::BadOperationId, text);
    }
    let payload = fingerprint(&encode(&(&input.pool, &input.ask)));
    let receipt = state.lease_receipt(input.caller, &input.operation);
    if let Some(receipt) = receipt.filter(|_| !planted("s04")) {
        return repeat(receipt, payload);
    }
    if !state.has_lease_room(input.caller) {
        let text = "too many operations within an hour; lease several workers at a time";
        return refuse(Reason::TooManyOperations, text);
    }
    if let Some((reason, text)) = objection(rules, &input.ask) {
        return refuse(reason, text);
    }
    let mut draft = Draft::new(state, now);
    let answer = act(&mut draft, state, pool, rules, input);
    draft.event(Event::LeaseAnswered {
        caller: input.caller,
        operation: input.operation.clone(),
        receipt: Box::new(LeaseReceipt {
            at: now,
            payload,
            answer: answer.clone(),
        }),
    });
    Decision {
        reply: Reply::Lease(answer),
        more: false,
        ..draft.done()
    }
}

/// Tells one request from another: a short one is its own fingerprint, since a hash would cost a
/// hand-out more than all else that is decided in it.
fn fingerprint(request: &[u8]) -> ModuleHash {
    let mut print = [0; 32];
    let (length, rest) = print.split_at_mut(1);
    if request.len() <= rest.len() {
        length[0] = request.len() as u8;
        rest[..request.len()].copy_from_slice(request);
    } else {
        length[0] = u8::MAX;
        rest.copy_from_slice(&Sha256::digest(request)[1..]);
    }
    ModuleHash(print)
}

/// The same operation again: the same answer, or a conflict.
fn repeat(receipt: LeaseReceipt, payload: ModuleHash) -> Decision {
    if receipt.payload != payload && !planted("s05") {
        let text = "the operation id was used for something else";
        return refuse(Reason::OperationConflict, text);
    }
    Decision {
        reply: Reply::Lease(receipt.answer),
        ..Decision::default()
    }
}

/// What the rules have against what is asked.
fn objection(rules: &LeaseSpec, ask: &LeaseAsk) -> Option<(Reason, String)> {
    let (count, ttl) = match ask {
        LeaseAsk::Take { count, ttl } => (*count as usize, *ttl),
        LeaseAsk::Renew { canisters, ttl } => (canisters.len(), *ttl),
        LeaseAsk::Release { canisters } => (canisters.len(), None),
    };
    let most = rules.call_max;
    if !(1..=most as usize).contains(&count) {
        return Some((
            Reason::OverLimit,
            format!("between 1 and {most} workers a call"),
        ));
    }
    let too_long = ttl.is_some_and(|ttl| ttl > rules.ttl_max || ttl.0 == 0);
    let longest = rules.ttl_max.as_secs();
    too_long.then(|| {
        (
            Reason::TtlTooLong,
            format!("between 1 and {longest} seconds"),
        )
    })
}

fn act<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    pool: &PoolSpec,
    rules: &LeaseSpec,
    input: &LeaseInput,
) -> LeaseAnswer {
    let now = draft.now;
    let until = |ttl: Option<Nanos>| now + ttl.unwrap_or(rules.ttl);
    match &input.ask {
        LeaseAsk::Take { count, ttl } => take(draft, state, pool, input, *count, until(*ttl)),
        LeaseAsk::Renew { canisters, ttl } => each(state, input, canisters, |mut row| {
            row.leased_until = until(*ttl);
            if row.phase == Phase::Leased {
                row.next_attempt = member_due(state.spec(), now, &row);
            }
            let grant = Grant::of(&row);
            draft.row(row);
            grant
        }),
        LeaseAsk::Release { canisters } => each(state, input, canisters, |row| {
            let until = now;
            let grant = Grant {
                until,
                ..Grant::of(&row)
            };
            draft.row(match row.phase {
                // It is given back when it is there again.
                Phase::Upgrading => Row {
                    leased_until: Nanos(0),
                    ..row
                },
                _ => end(state, now, row, rules.released, Reason::Released),
            });
            grant
        }),
    }
}

/// Acts on each canister that the caller holds.
fn each<M: Memory>(
    state: &State<M>,
    input: &LeaseInput,
    canisters: &[CanisterId],
    mut act: impl FnMut(Row) -> Grant,
) -> LeaseAnswer {
    let mut answer = LeaseAnswer::default();
    let mut seen = BTreeSet::new();
    let holder = Some(CanisterId(input.caller));
    for id in canisters.iter().filter(|id| seen.insert(**id)) {
        let row = state.row(*id).filter(|row| {
            let held = matches!(row.phase, Phase::Leased | Phase::Upgrading);
            held && row.leased_until.0 > 0
                && row.holder == holder
                && row.pool.as_deref() == Some(input.pool.as_str())
        });
        match row {
            Some(row) => answer.granted.push(act(row)),
            None => answer.skipped.push((*id, Reason::NotLeased)),
        }
    }
    answer
}

/// Hands out workers: those on standby first, the longest there, then the least loaded at work.
fn take<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    pool: &PoolSpec,
    input: &LeaseInput,
    count: u32,
    until: Nanos,
) -> LeaseAnswer {
    let now = draft.now;
    let mut answer = LeaseAnswer::default();
    for canister in free(state, now, pool, count as usize) {
        let Some(row) = state.row(canister) else {
            continue;
        };
        let mut row = row.moved(Phase::Leased, now, Reason::Leased);
        row.holder = Some(CanisterId(input.caller));
        row.leased_until = until;
        row.next_attempt = member_due(state.spec(), now, &row);
        answer.granted.push(Grant::of(&row));
        draft.row(row);
    }
    answer.short = count - answer.granted.len() as u32;
    note_demand(draft, state, pool, &answer);
    answer
}

fn free<M: Memory>(state: &State<M>, now: Nanos, pool: &PoolSpec, count: usize) -> Vec<CanisterId> {
    let known = state.index.pools.get(&pool.name).into_iter();
    let standby = known.flat_map(|pool| &pool.standby);
    let mut free: Vec<CanisterId> = standby.take(count).map(|(_, id)| *id).collect();
    if free.len() < count {
        let load = pool.load().map(|(position, _)| position);
        let load = |member: &Member| load.map_or(0, |position| member.samples[position].value);
        let at_work = state
            .members(&pool.name)
            .filter(|member| member.phase == Phase::InService && member.protected_until <= now)
            .filter(|member| !member.bound);
        let at_work = in_order(at_work.map(|it| ([load(it), 0, 0], it.canister)).collect());
        let missing = count - free.len();
        free.extend(at_work.into_iter().take(missing));
    }
    free
}

/// The pool grows for those that went away empty-handed.
fn note_demand<M: Memory>(
    draft: &mut Draft,
    state: &State<M>,
    pool: &PoolSpec,
    answer: &LeaseAnswer,
) {
    let Some(record) = state.pool(&pool.name) else {
        return;
    };
    let now = draft.now;
    let stands = now.since(record.leases_wanted_at) < limits::LEASES_WANTED_LIFE;
    let before = if stands { record.leases_wanted } else { 0 };
    let served = before.saturating_sub(answer.granted.len() as u32);
    let wanted = served.max(answer.short).min(pool.max);
    if answer.short == 0 && wanted == record.leases_wanted {
        return;
    }
    draft.event(Event::PoolChanged(Box::new(PoolRecord {
        leases_wanted: wanted,
        leases_wanted_at: if answer.short > 0 {
            now
        } else {
            record.leases_wanted_at
        },
        ..record.clone()
    })));
}

/// A lease is over: the worker goes where the rules say.
fn end<M: Memory>(state: &State<M>, now: Nanos, row: Row, rule: LeaseEnd, why: Reason) -> Row {
    match rule {
        LeaseEnd::Recycle => row.moved(Phase::Draining, now, why),
        LeaseEnd::Return => land(state, now, row, why),
    }
}

/// A leased member is due: it was given back during its upgrade, its lease has ended, or it is only to
/// be looked at. Who could not renew because the subnet stood still gets a moment to do so.
pub(super) fn expire<M: Memory>(state: &State<M>, now: Nanos, row: &Row) -> Option<Row> {
    let pool = || state.spec()?.pool(row.pool.as_deref()?);
    let rules = || Some(pool()?.lease.unwrap_or_default());
    if row.leased_until.0 == 0 {
        let rule = rules()?.released;
        return Some(end(state, now, row.clone(), rule, Reason::Released));
    }
    if row.leased_until > now || planted("s16") {
        return None;
    }
    if now.since(row.leased_until) > limits::LEASE_LATE && !planted("s20") {
        let mut row = row.clone();
        row.leased_until = now + limits::LEASE_LATE;
        row.next_attempt = row.leased_until;
        return Some(row);
    }
    let rule = rules()?.expired;
    Some(end(state, now, row.clone(), rule, Reason::LeaseExpired))
}
