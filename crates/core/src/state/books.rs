//! The writes behind `apply` that keep the books: every change of what a canister holds goes into
//! one sum of the ledger, and what root paid to keep canisters alive into today's account.

use super::State;
use crate::ledger::add;
use crate::metrics::{Ended, Operation};
use crate::plant::planted;
use crate::record::{LogEntry, Row, SweepStep};
use crate::{Account, Ledger};
use hatchery_types::{Cycles, EffectKind, Nanos, Outcome, Reason};
use ic_stable_structures::Memory;

impl<M: Memory> State<M> {
    /// One movement that no row shows.
    pub(super) fn book(&mut self, account: Account, cycles: Cycles) {
        self.change_header(|header| {
            let (ledger, discarded) = (&mut header.ledger, &mut header.discarded);
            ledger.book(account, cycles, discarded);
        });
    }

    /// What the change of a row says of cycles.
    pub(super) fn book_row(&mut self, now: Nanos, before: Option<&Row>, after: &Row) {
        let mut ledger = self.header().ledger;
        let is_paid = move_of(&mut ledger, before, after);
        if ledger != self.header().ledger {
            self.change_header(|header| header.ledger = ledger);
        }
        if let Some(cycles) = is_paid {
            let reason = Reason::ToppedUp(cycles);
            self.metrics
                .count(Operation::TopUp, Ended::Completed, reason.name());
            self.log.append(&LogEntry {
                at: now,
                canister: Some(after.canister),
                pool: after.pool.clone(),
                phase: Some(after.phase),
                reason,
                operation: None,
            });
        }
        let paid = before
            .filter(|before| before.funded_day == after.funded_day)
            .map_or(Cycles(0), |before| before.funded);
        if paid != after.funded {
            let (day, role) = (after.funded_day, after.role.as_deref());
            self.change_header(|header| header.funding.change(day, role, paid, after.funded));
        }
    }

    /// The cycles that leave with a canister.
    pub(super) fn book_removed(&mut self, cycles: Cycles, reason: &Reason) {
        if cycles.0 > 0 && !planted("p26") {
            self.change_header(|header| match reason {
                Reason::Exported => add(&mut header.given_away, cycles),
                _ => add(&mut header.discarded, cycles),
            });
        }
    }

    /// Cycles that came in, and cycles accounted for; equal when the books are right. A pass over
    /// every row.
    pub(super) fn balance(&self) -> (Cycles, Cycles) {
        let header = self.header();
        let Ledger {
            spent,
            swept,
            topped_up,
            received,
            burned,
            ..
        } = header.ledger;
        let sum = |parts: &[Cycles]| Cycles(parts.iter().map(|part| part.0).sum());
        let rows = self
            .rows
            .iter()
            .map(|entry| entry.value().read::<Row>().held().0);
        let held = Cycles(rows.sum());
        let out = [
            held,
            self.lost_cycles(),
            self.unconcluded(),
            burned,
            swept,
            header.discarded,
            header.given_away,
        ];
        (sum(&[spent, topped_up, received]), sum(&out))
    }

    /// Attached to creations that have been answered and have no row yet.
    fn unconcluded(&self) -> Cycles {
        let complete = self.index.complete.iter().filter_map(|id| self.effect(*id));
        let bought = complete.filter(|effect| {
            let is_creation = matches!(effect.kind, EffectKind::Create { .. });
            is_creation && matches!(effect.outcomes[0], Some(Outcome::Done(_)))
        });
        Cycles(bought.map(|effect| effect.kind.attached().0).sum())
    }

    /// An older root kept only some of the sums: what it cannot explain was received, or burned.
    pub(super) fn complete_ledger(&mut self) {
        if self.header().ledger.whole {
            return;
        }
        let (came, accounted) = self.balance();
        self.change_header(|header| {
            add(&mut header.ledger.received, accounted.less(came));
            add(&mut header.ledger.burned, came.less(accounted));
            header.ledger.whole = true;
        });
    }
}

/// Books the difference of what a canister holds; what was topped up, if that is it.
fn move_of(ledger: &mut Ledger, before: Option<&Row>, after: &Row) -> Option<Cycles> {
    let Some(before) = before else {
        // What was attached to its creation is in `spent`.
        add(&mut ledger.received, after.cycles.unwrap_or_default());
        return None;
    };
    let (had, has) = (before.held(), after.held());
    if after.deposited > before.deposited {
        let cycles = has.less(had);
        add(&mut ledger.topped_up, cycles);
        return Some(cycles);
    }
    let swept = before
        .sweep
        .is_some_and(|sweep| sweep.step == SweepStep::Sent);
    let gone = if swept {
        &mut ledger.swept
    } else {
        &mut ledger.burned
    };
    add(gone, had.less(has));
    add(&mut ledger.received, has.less(had));
    None
}
