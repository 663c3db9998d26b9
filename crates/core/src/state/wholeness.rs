//! The writes behind `apply` that keep root whole: what it paid, the largest id it made, the
//! creations it lost.

use super::State;
use super::index::is_lost;
use crate::record::LogEntry;
use crate::storage::Record;
use hatchery_types::{CanisterId, Cycles, Effect, EffectId, EffectKind, Nanos, Outcome, Reason};
use ic_stable_structures::Memory;

/// Cycles that this outcome, the first one of its step, shows to be spent. An unknown one counts:
/// what was attached may never come back.
pub(super) fn spent_by(effect: &Effect, step: u8, outcome: &Outcome) -> Option<Cycles> {
    let EffectKind::Create { cycles } = effect.kind else {
        return None;
    };
    let first = effect.outcomes.get(usize::from(step)) == Some(&None);
    let gone = matches!(outcome, Outcome::Done(_) | Outcome::Unknown(_));
    (first && gone).then_some(cycles)
}

impl<M: Memory> State<M> {
    /// Root created this canister. Only such ids tell where the next ones will be: an imported one
    /// may be of another subnet.
    pub(super) fn note_id(&mut self, canister: CanisterId) {
        let newest = self.header().newest.and_then(CanisterId::number);
        if canister.number() > newest {
            self.change_header(|header| header.newest = Some(canister));
        }
    }

    /// A lost creation is not waited for any more; it stays in the journal, flagged.
    pub(super) fn give_up(&mut self, now: Nanos, id: EffectId) {
        let Some(mut effect) = self.effect(id).filter(is_lost) else {
            return;
        };
        effect.given_up = true;
        self.index.take_effect(id);
        self.index.put_effect(&effect, self.incarnation());
        self.effects.insert(id.0, Record::from(effect));
        self.log.append(&LogEntry {
            at: now,
            canister: None,
            pool: None,
            phase: None,
            reason: Reason::NotFound,
            operation: None,
        });
    }
}
