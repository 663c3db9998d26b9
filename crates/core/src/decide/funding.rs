//! Cycles for canisters that run low: who needs some, what may be paid today, and how long root can
//! go on paying.
//!
//! A top-up is booked before its call is made and given back only when it certainly did not
//! happen, so no two of them together pass a budget. Owns no balance: those are observed.

use super::Draft;
use super::conclude::{Case, is_gone};
use super::lanes::Room;
use super::tick::expect_row;
use crate::ledger::DAY;
use crate::plant::planted;
use crate::record::Row;
use crate::state::State;
use crate::{Decision, Event, Funding, Purse, Vitals, limits};
use hatchery_types::{Cycles, EffectKind, FleetSpec, Nanos, Outcome, Phase, Reason, TopUpSpec};
use ic_stable_structures::Memory;

/// What root pays, what it burns, and how long that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FundingStatus {
    /// Topped up today.
    pub paid: Cycles,
    /// Canisters that wait for cycles.
    pub needy: u64,
    /// Burned a day by the members of each role, as observed.
    pub burn: Vec<(String, Cycles)>,
    /// Burned a day by root itself; none = not known yet.
    pub own_burn: Option<Cycles>,
    /// Hours until root is at its reserve, when it goes on like this; none = not known, or never.
    pub hours_left: Option<u64>,
    /// What it does, or what holds it back.
    pub reason: Reason,
}

/// The rule for a canister: its role's for a member, the fleet's for a spare one.
fn rule<'a>(spec: &'a FleetSpec, row: &Row) -> Option<&'a TopUpSpec> {
    let fleet = spec.top_up.as_ref()?;
    if is_fed(row.phase) {
        row.role
            .as_deref()
            .and_then(|role| spec.role(role))?
            .top_up
            .as_ref()
    } else if row.phase == Phase::PendingReset && row.reason == Reason::BelowFloor {
        Some(fleet)
    } else {
        None
    }
}

fn is_fed(phase: Phase) -> bool {
    phase.is_living() && phase != Phase::Installing
}

/// Notes whether the row needs cycles, and when.
pub(super) fn note_need(spec: Option<&FleetSpec>, now: Nanos, mut row: Row) -> Row {
    let needs = spec
        .and_then(|spec| rule(spec, &row))
        .is_some_and(|rule| row.cycles.is_some() && row.held() < rule.below);
    row.fund_at = if needs {
        row.fund_at.max(now)
    } else {
        Nanos(0)
    };
    row
}

/// When a member's balance is looked at again, so that it is not found empty: half the time that is
/// left at what it burns.
pub(super) fn look_due(spec: Option<&FleetSpec>, now: Nanos, row: &Row) -> Nanos {
    let Some(rule) = spec.and_then(|spec| rule(spec, row)) else {
        return Nanos::MAX;
    };
    match row.burn {
        None => now + limits::BURN_FIRST,
        Some(burn) => {
            let left = row.held().less(rule.below).0;
            let half = left.saturating_mul(u128::from(DAY.0)) / burn.0.max(1) / 2;
            let half = Nanos(u64::try_from(half).unwrap_or(u64::MAX));
            now + half.max(limits::BURN_LOOK)
        }
    }
}

/// What two balances of one tenancy show; deposits of root count, those of others hide it.
pub(super) fn measure_burn(row: &mut Row, seen: Cycles, now: Nanos) {
    let since = now.since(row.cycles_at);
    if row.cycles.is_some() && is_fed(row.phase) && since >= limits::RATE_GAP {
        row.burn = Some(a_day(row.held().less(seen), since));
    }
}

fn a_day(cycles: Cycles, since: Nanos) -> Cycles {
    Cycles(cycles.0.saturating_mul(u128::from(DAY.0)) / u128::from(since.0.max(1)))
}

/// The next canister that is to be topped up.
pub(super) fn fund_next<M: Memory>(
    state: &State<M>,
    now: Nanos,
    spec: &FleetSpec,
    vitals: &Vitals,
    room: &Room,
) -> Option<Decision> {
    let (due, canister) = *state.index.needy.first()?;
    if due > now {
        return None;
    }
    let mut draft = Draft::new(state, now);
    let row = note_need(Some(spec), now, expect_row(state, canister));
    let Some(rule) = rule(spec, &row).filter(|_| row.fund_at.0 > 0) else {
        draft.row(unasked(now, row));
        return Some(draft.done());
    };
    let wanted = rule.to.less(row.held());
    let cycles = wanted.min(left(state, now, spec, rule, &row));
    if cycles < limits::TOP_UP_WORTH.min(wanted) {
        draft.row(unfunded(now, row));
        return Some(draft.done());
    }
    let kind = EffectKind::TopUp { cycles };
    let spare = vitals.liquid.less(spec.reserve).less(limits::CALL_LOCK);
    if (spare < cycles && !planted("l14")) || !room.takes(state, spec, &kind) {
        return None;
    }
    draft.start_on(paid(now, row, cycles), kind);
    Some(draft.done())
}

/// What the budgets of the canister, its role and the fleet leave for it today.
fn left<M: Memory>(
    state: &State<M>,
    now: Nanos,
    spec: &FleetSpec,
    rule: &TopUpSpec,
    row: &Row,
) -> Cycles {
    let day = Funding::day_of(now);
    let funding = &state.header().funding;
    let got = if row.funded_day == day {
        row.funded
    } else {
        Cycles(0)
    };
    let mut lefts = vec![spec.top_up.map_or(Cycles(0), |fleet| fleet.all)];
    lefts[0] = lefts[0].less(funding.paid_on(day, None));
    if !planted("l15") {
        lefts.push(rule.each.less(got));
    }
    if is_fed(row.phase) {
        lefts.push(rule.all.less(funding.paid_on(day, row.role.as_deref())));
    }
    lefts.into_iter().min().unwrap_or_default()
}

/// Nothing is left for it today: a member waits for the next day; a spare canister is reset once
/// more, and fails.
fn unfunded(now: Nanos, row: Row) -> Row {
    match row.phase {
        Phase::PendingReset => unasked(now, row),
        _ => Row {
            fund_at: Funding::tomorrow(now),
            ..row
        },
    }
}

/// It waits for cycles no more.
fn unasked(now: Nanos, mut row: Row) -> Row {
    row.fund_at = Nanos(0);
    if row.phase == Phase::PendingReset {
        row.next_attempt = now;
    }
    row
}

/// Booked before the call is made.
fn paid(now: Nanos, mut row: Row, cycles: Cycles) -> Row {
    let day = Funding::day_of(now);
    if row.funded_day != day {
        row.funded_day = day;
        row.funded = Cycles(0);
    }
    row.funded.0 += cycles.0;
    row.fund_at = Nanos(0);
    row
}

/// A deposit that may have happened did; what certainly did not goes back into the budget.
pub(super) fn after_top_up(case: &Case<'_>, mut row: Row, cycles: Cycles) -> Row {
    let now = case.now;
    match case.last() {
        Outcome::Refused(_) | Outcome::NotExecuted(_) => {
            row.funded = row.funded.less(cycles);
            row = note_need(case.spec, now, row);
            row.fund_at = if row.fund_at.0 > 0 {
                now + limits::TOP_UP_RETRY
            } else {
                Nanos(0)
            };
        }
        Outcome::Unknown(_) if planted("l13") => row.funded = row.funded.less(cycles),
        _ => {
            row.deposited.0 = row.deposited.0.saturating_add(cycles.0);
            row = note_need(case.spec, now, row);
        }
    }
    let waits = matches!(row.phase, Phase::PendingReset | Phase::Draining);
    if waits || is_gone(case.last()) {
        row.next_attempt = now;
    }
    row
}

/// A spare canister below the floor that may get cycles waits for them before its next reset.
pub(super) fn may_feed_spare<M: Memory>(
    state: &State<M>,
    now: Nanos,
    spec: Option<&FleetSpec>,
    row: &Row,
) -> bool {
    let Some((spec, rule)) = spec.and_then(|spec| Some((spec, spec.top_up.as_ref()?))) else {
        return false;
    };
    let wanted = rule.to.less(row.held());
    row.held() < rule.below && left(state, now, spec, rule, row) >= wanted
}

/// Root looks into its own purse, at a quiet moment.
pub(super) fn look_into_purse<M: Memory>(
    state: &State<M>,
    now: Nanos,
    vitals: &Vitals,
) -> Option<Decision> {
    let (header, before) = (state.header(), state.header().purse);
    let due = before.map_or(Nanos(0), |purse| purse.at + limits::PURSE_EVERY);
    if due > now || state.counts().calls > 0 {
        return None;
    }
    let ledger = header.ledger;
    let paid = Cycles(ledger.spent.0.saturating_add(ledger.topped_up.0));
    let burn = before.and_then(|before| {
        let had = before.liquid.0 + ledger.swept.less(before.swept).0;
        let has = vitals.liquid.0 + paid.less(before.paid).0;
        // Somebody gave it cycles: what it burned does not show.
        let burned = had.checked_sub(has).map(Cycles);
        burned.map_or(before.burn, |burned| {
            Some(a_day(burned, now.since(before.at)))
        })
    });
    let mut draft = Draft::new(state, now);
    draft.event(Event::PurseNoted(Purse {
        at: now,
        liquid: vitals.liquid,
        paid,
        swept: ledger.swept,
        burn,
    }));
    Some(draft.done())
}

/// What root pays, what it burns, and how long that lasts.
pub fn funding_status<M: Memory>(state: &State<M>, now: Nanos, vitals: &Vitals) -> FundingStatus {
    let paid = state.header().funding.paid_on(Funding::day_of(now), None);
    let burn: Vec<(String, Cycles)> = state.index.burns().collect();
    let own_burn = state.header().purse.and_then(|purse| purse.burn);
    let spec = state.spec();
    let fed =
        |role: &str| spec.is_some_and(|spec| spec.role(role).is_some_and(|it| it.top_up.is_some()));
    let owed = burn
        .iter()
        .filter(|(role, _)| fed(role))
        .map(|(_, burn)| burn.0);
    let daily = owed.sum::<u128>() + own_burn.unwrap_or_default().0;
    let spare = vitals
        .liquid
        .less(spec.map_or(Cycles(0), |spec| spec.reserve));
    let hours_left = (own_burn.is_some() && daily > 0)
        .then(|| u64::try_from(spare.0.saturating_mul(24) / daily).unwrap_or(u64::MAX));
    let needy = state.index.needy.len() as u64;
    let first = state.index.needy.first();
    let waits = first.is_some_and(|(due, _)| *due > now + limits::TOP_UP_RETRY);
    let reason = if needy == 0 {
        Reason::Satisfied
    } else if spare < limits::TOP_UP_WORTH {
        Reason::AtReserve
    } else if waits {
        Reason::BudgetSpent
    } else {
        Reason::BelowFloor
    };
    FundingStatus {
        paid,
        needy,
        burn,
        own_burn,
        hours_left,
        reason,
    }
}
