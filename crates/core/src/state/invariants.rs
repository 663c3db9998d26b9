//! What must hold of every state: checked by the simulators after every step, and by root on
//! demand. A pass over everything, so never on a hot path.

use super::State;
use crate::limits;
use crate::record::Row;
use hatchery_types::{CanisterId, Effect, EffectKind, Lane, Phase};
use ic_stable_structures::Memory;
use std::collections::BTreeMap;
use std::fmt;

/// A broken invariant: its number in the design and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Number of the invariant.
    pub invariant: u8,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invariant {}: {}", self.invariant, self.found)
    }
}

/// Every violation in `state`.
pub fn check<M: Memory>(state: &State<M>) -> Vec<Violation> {
    let mut found = Findings::default();
    let rows: Vec<Row> = state
        .rows
        .iter()
        .map(|entry| entry.value().read())
        .collect();
    check_chains(state, &rows, &mut found);
    check_members(&rows, &mut found);
    check_reasons(state, &mut found);
    check_limits(state, &mut found);
    check_books(state, &mut found);
    check_index(state, &mut found);
    found.0
}

#[derive(Default)]
struct Findings(Vec<Violation>);

impl Findings {
    fn expect(&mut self, invariant: u8, holds: bool, found: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Violation {
                invariant,
                found: found(),
            });
        }
    }
}

/// 2: at most one chain a canister, and row and journal agree on it.
fn check_chains<M: Memory>(state: &State<M>, rows: &[Row], found: &mut Findings) {
    let mut chains: BTreeMap<CanisterId, u32> = BTreeMap::new();
    for entry in state.effects.iter() {
        let effect: Effect = entry.value().read();
        let Some(canister) = effect.canister else {
            continue;
        };
        *chains.entry(canister).or_default() += 1;
        let holder = state.row(canister).and_then(|row| row.effect);
        found.expect(2, holder == Some(effect.id), || {
            format!(
                "{canister} is held by {holder:?}, the journal has effect {}",
                effect.id
            )
        });
    }
    for row in rows {
        let chains = chains.get(&row.canister).copied().unwrap_or(0);
        found.expect(2, chains == u32::from(row.effect.is_some()), || {
            format!(
                "{} has {chains} chains, its row says {:?}",
                row.canister, row.effect
            )
        });
    }
}

/// 3: a member has a role and a pool; 5: a ready canister has neither effect nor flaw.
fn check_members(rows: &[Row], found: &mut Findings) {
    for row in rows {
        let named = row.role.is_some() && row.pool.is_some() && row.module.is_some();
        found.expect(3, !row.phase.is_member() || named, || {
            format!(
                "{} is {} without role, pool or module",
                row.canister, row.phase
            )
        });
        found.expect(
            3,
            (row.phase == Phase::Leased) == row.holder.is_some() || row.phase == Phase::Upgrading,
            || {
                format!(
                    "{} is {}, its holder is {:?}",
                    row.canister, row.phase, row.holder
                )
            },
        );
        let upgrades = row.upgrade.is_some();
        found.expect(3, upgrades || row.phase != Phase::Upgrading, || {
            format!("{} is {} without a record of it", row.canister, row.phase)
        });
        found.expect(
            3,
            (row.phase == Phase::Exporting) == row.export_to.is_some(),
            || format!("{} is {} to {:?}", row.canister, row.phase, row.export_to),
        );
        found.expect(
            5,
            row.phase != Phase::Ready || (!row.stopped && row.effect.is_none() && !upgrades),
            || {
                format!(
                    "{} is ready, yet stopped, in an effect or saved",
                    row.canister
                )
            },
        );
    }
}

/// 11: a planned pool says why it is where it is.
fn check_reasons<M: Memory>(state: &State<M>, found: &mut Findings) {
    for pool in state.index.pools.values() {
        let Some(record) = &pool.record else { continue };
        let planned = pool.planned_at.is_some();
        found.expect(11, !planned || !record.reasons.is_empty(), || {
            format!("pool {} gives no reason", record.name)
        });
    }
}

/// 6: what came in is held, burned, swept back, discarded or given away.
fn check_books<M: Memory>(state: &State<M>, found: &mut Findings) {
    let (came, accounted) = state.balance();
    found.expect(6, came == accounted, || {
        format!("{came} came in, {accounted} are accounted for")
    });
}

/// 12: every collection is within its limit.
fn check_limits<M: Memory>(state: &State<M>, found: &mut Findings) {
    let counts = state.counts();
    let sizes = [
        ("rows", state.rows.len(), limits::ROWS_MAX),
        ("decisions", state.decisions.len(), limits::DECISIONS_MAX),
        ("receipts", state.receipts.len(), limits::RECEIPTS_MAX),
        (
            "answers to holders",
            state.leases.len(),
            limits::LEASE_RECEIPTS_MAX as u64,
        ),
        ("modules", state.modules.len(), limits::MODULES_MAX),
        (
            "calls in flight",
            u64::from(counts.calls),
            u64::from(limits::CALLS_MAX),
        ),
        (
            "small effects",
            u64::from(counts.lane(Lane::Other)),
            u64::from(limits::OTHER_LANE),
        ),
        (
            "drains",
            u64::from(counts.lane(Lane::Drain)),
            u64::from(limits::DRAIN_LANE),
        ),
        (
            "lost creations",
            state.lost_creations(),
            limits::LOST_CREATIONS_MAX as u64 + 500,
        ),
    ];
    for (what, size, limit) in sizes {
        found.expect(12, size <= limit, || {
            format!("{size} {what}, the limit is {limit}")
        });
    }
    for record in state.index.records() {
        let history = record.wishes.len().max(record.steps.len());
        found.expect(12, history <= limits::POOL_HISTORY_MAX, || {
            format!("pool {} remembers {history} entries", record.name)
        });
    }
}

/// The index is what a rebuild would give.
fn check_index<M: Memory>(state: &State<M>, found: &mut Findings) {
    let rebuilt = state.rebuilt_index();
    let differs = rebuilt.difference(&state.index);
    found.expect(12, differs.is_none(), || {
        format!("the index differs: {}", differs.unwrap_or(""))
    });
    let at_hand = state.index.at_hand.iter();
    for (id, row) in at_hand {
        let kept = state.rows.get(&(*id).into()).map(|row| row.read());
        found.expect(12, kept.as_ref() == Some(row), || {
            format!("the row of {id} at hand is not the one kept")
        });
    }
    found.expect(12, state.rebuilt_receipts() == state.receipt_index, || {
        "the index of receipts differs".to_owned()
    });
    let creations = state.effects.iter().filter(|entry| {
        matches!(
            entry.value().read::<Effect>().kind,
            EffectKind::Create { .. }
        )
    });
    let known = u64::from(state.counts().lane(Lane::Create)) + state.lost_creations();
    found.expect(1, creations.count() as u64 == known, || {
        format!("{known} creations are counted, the journal has others")
    });
}
