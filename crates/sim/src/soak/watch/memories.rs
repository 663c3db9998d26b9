//! What members keep: each counts as far as it said that it had, in heap and stable memory alike,
//! through upgrades that succeed and upgrades that do not, for as long as its tenancy lasts.

use crate::world::FleetWorld;
use hatchery_api::RowView;
use hatchery_engine::{IngressStatus, MessageId};
use hatchery_types::{CanisterId, Generation, Phase};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(in crate::soak) struct Memories {
    counting: Vec<(CanisterId, Generation, MessageId)>,
    counts: BTreeMap<CanisterId, (Generation, u64)>,
}

impl Memories {
    /// Answers that were not read.
    pub(super) fn unread(&self) -> u64 {
        self.counting.len() as u64
    }

    /// The member of that tenancy counts; its answer comes by `message`.
    pub(in crate::soak) fn count(
        &mut self,
        member: CanisterId,
        generation: Generation,
        message: MessageId,
    ) {
        self.counting.push((member, generation, message));
    }

    /// Reads what was counted, and asks all members at work what they know.
    pub(super) fn look(&mut self, world: &mut FleetWorld, rows: &[RowView]) -> Result<(), String> {
        let tenants = rows.iter().filter(|row| row.phase.is_member());
        let tenants: BTreeMap<CanisterId, &RowView> =
            tenants.map(|row| (row.canister, row)).collect();
        let is_of = |canister: &CanisterId, generation: &Generation| {
            tenants
                .get(canister)
                .is_some_and(|row| row.generation == *generation)
        };
        let is_at_work = |canister: &CanisterId| {
            matches!(
                tenants[canister].phase,
                Phase::InService | Phase::Standby | Phase::Leased
            )
        };
        for (member, generation, message) in std::mem::take(&mut self.counting) {
            match world.message_status(&message) {
                // In its upgrade nobody gives it work: what it counts then goes with a new module
                // that does not work.
                IngressStatus::Replied(answer)
                    if is_of(&member, &generation) && is_at_work(&member) =>
                {
                    let known = self.counts.entry(member).or_insert((generation, 0));
                    if known.0 != generation {
                        *known = (generation, 0);
                    }
                    known.1 = known.1.max(number(&answer));
                }
                IngressStatus::Replied(_) | IngressStatus::Rejected(_) => {}
                _ => self.counting.push((member, generation, message)),
            }
        }
        self.counts
            .retain(|canister, (generation, _)| is_of(canister, generation));
        for (canister, (_, count)) in &self.counts {
            // Who was stopped, emptied or drained of cycles by somebody else does not answer.
            let asked = is_at_work(canister)
                .then(|| world.ask(world.operator, canister.0, "counted", Vec::new()));
            let Some(Ok(answer)) = asked else { continue };
            let (heap, stable) = (number(&answer[..8]), number(&answer[8..]));
            if heap != stable || heap < *count {
                return Err(format!(
                    "{canister} counted to {count}, and knows {heap}, in stable memory {stable}"
                ));
            }
        }
        Ok(())
    }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("bug: a counter has eight bytes"))
}
