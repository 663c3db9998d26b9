//! What happens in a seed, drawn: what goes wrong, what operators order, what members ask for and what
//! is done to them. It looks at the fleet to choose whom, and does nothing itself.

use super::deed::{Deed, Meddling, Order, Wish};
use super::faults::{self, Fault};
use super::keeper::Version;
use super::tenants::{POOL, wanted};
use crate::dice::Dice;
use crate::world::FleetWorld;
use candid::Principal;
use hatchery_api::RowView;
use hatchery_types::{CanisterId, FleetSpec, Generation, Phase};
use std::collections::{BTreeSet, VecDeque};

/// Rounds in which root is upgraded: so many by force, then one politely.
const FORCED_MAX: u64 = 3;
/// Requests that are remembered, to be made again.
const ASKED_MAX: usize = 16;

/// The dice of a seed, and what they must remember.
#[derive(Debug)]
pub(super) struct Drawer {
    /// What operators do.
    people: Dice,
    /// What goes wrong.
    trouble: Dice,
    /// What members and their users do.
    members: Dice,
    forced: BTreeSet<u64>,
    polite: u64,
    meddling_permille: u32,
    operations: u64,
    versions: u64,
    /// What members asked lately, to be asked again.
    asked: VecDeque<Deed>,
}

/// What may be drawn in a round, in that order.
type Stage = fn(&mut Drawer, u64, &mut FleetWorld, &FleetSpec) -> Option<Deed>;

impl Drawer {
    /// The stages of a round.
    pub(super) const STAGES: [Stage; 8] = [
        |it, round, _, _| it.forced.contains(&round).then_some(Deed::UpgradeForced),
        |it, round, _, _| (round == it.polite).then_some(Deed::UpgradePolite),
        |it, _, _, _| it.draw_jump(),
        |it, _, world, _| it.draw_meddling(world),
        |it, _, world, _| it.draw_command(world),
        |it, _, world, spec| it.draw_member(world, spec),
        |it, _, _, _| it.draw_version(),
        |it, _, _, _| it.draw_bounds(),
    ];

    pub(super) fn new(seed: u64) -> Self {
        let mut trouble = Dice::new(seed, 22);
        let forced = 0..trouble.between(1, FORCED_MAX);
        Drawer {
            people: Dice::new(seed, 21),
            members: Dice::new(seed, 23),
            forced: forced.map(|_| trouble.between(60, 700)).collect(),
            polite: trouble.between(200, 800),
            meddling_permille: [5, 15, 40][trouble.below(3) as usize],
            trouble,
            operations: 0,
            versions: 0,
            asked: VecDeque::new(),
        }
    }

    /// The faults of so many rounds.
    pub(super) fn draw_faults(&mut self, rounds: u64) -> Vec<Fault> {
        faults::draw(&mut self.trouble, rounds)
    }

    fn draw_jump(&mut self) -> Option<Deed> {
        let is_due = self.trouble.chance(2);
        is_due.then(|| Deed::Jump(self.trouble.between(600, 7_200)))
    }

    fn draw_meddling(&mut self, world: &FleetWorld) -> Option<Deed> {
        if !self.trouble.chance(self.meddling_permille) {
            return None;
        }
        let mut ids = world.engine.canisters();
        ids.retain(|id| *id != world.root.0);
        let id = self.trouble.pick(&ids).copied()?;
        let meddling = self.trouble.pick(&Meddling::ALL).copied()?;
        Some(Deed::Meddle(meddling, CanisterId(id)))
    }

    fn draw_command(&mut self, world: &mut FleetWorld) -> Option<Deed> {
        if !self.people.chance(40) {
            return None;
        }
        let rows = world.rows().ok()?;
        let any: Vec<CanisterId> = rows.iter().map(|row| row.canister).collect();
        let all: Vec<Principal> = world.engine.canisters();
        let id = self.people.pick(&any).copied()?;
        let imported = self.people.pick(&all).copied().map(CanisterId)?;
        let order = match self.people.below(16) {
            0..4 => Order::Recycle(id),
            4..7 => Order::Import(vec![imported, id]),
            7 => Order::ImportNow(imported),
            8 => Order::CreateEmpty,
            9 => Order::Delete(id),
            10 => Order::Export(id),
            11 => Order::DrainSurplus,
            12 => Order::Pause,
            13 | 14 => Order::Resume,
            _ => Order::Requeue,
        };
        Some(Deed::Command {
            operation: self.operation("op"),
            times: 1 + u64::from(self.people.chance(300)),
            order,
        })
    }

    fn operation(&mut self, what: &str) -> String {
        self.operations += 1;
        format!("{what}-{}", self.operations)
    }

    fn draw_bounds(&mut self) -> Option<Deed> {
        if !self.people.chance(4) {
            return None;
        }
        // Not the keepers', who are few.
        let pool = self.people.below(2) as usize;
        let min = self.people.between(30, 50) as u32;
        Some(Deed::Bounds {
            pool,
            min,
            max: min + self.people.between(5, 25) as u32,
            standby: self.people.below(5) as u32,
        })
    }

    /// The role goes to another module, good or not; at times members go there only when their parents
    /// ask for it.
    fn draw_version(&mut self) -> Option<Deed> {
        if !self.members.chance(5) {
            return None;
        }
        self.versions += 1;
        let version = match self.members.below(6) {
            0 => Version::Traps,
            1 => Version::Sick,
            2 => Version::Corrupts,
            _ => Version::Good(self.versions),
        };
        let by_itself = self.members.chance(400);
        Some(Deed::RollOut { version, by_itself })
    }

    fn draw_member(&mut self, world: &mut FleetWorld, spec: &FleetSpec) -> Option<Deed> {
        if !self.members.chance(160) {
            return None;
        }
        let rows = world.rows().ok()?;
        let ours = rows.iter().filter(|row| row.pool.as_deref() == Some(POOL));
        let ours: Vec<&RowView> = ours.filter(|row| row.phase.is_member()).collect();
        let member = self.members.pick(&ours).copied()?;
        Some(match self.members.below(20) {
            0..4 => self.draw_wish(member, &ours, spec),
            4 => self.draw_again()?,
            5..8 => Deed::Lease {
                operation: self.operation("lease"),
                count: self.members.between(1, 3) as u32,
                times: 1 + u64::from(self.members.chance(200)),
            },
            8 => release(&ours)?,
            9 => Deed::Protect(member.canister, member.generation),
            // A share of its cycles, at times all that it may spend.
            10 => Deed::Burn(member.canister, [1, 3, 100][self.members.below(3) as usize]),
            _ => Deed::Count(member.canister, member.generation),
        })
    }

    /// A member asks: for a child, for the role's module on its children, or for the end of one.
    fn draw_wish(&mut self, member: &RowView, ours: &[&RowView], spec: &FleetSpec) -> Deed {
        let parent_of = |child: &RowView| ours.iter().find(|it| Some(it.canister) == child.parent);
        let children = ours.iter().filter(|it| parent_of(it).is_some());
        let wanted = wanted(spec);
        let (behind, others): (Vec<&RowView>, Vec<&RowView>) =
            children.partition(|child| child.module.is_some_and(|it| it != wanted));
        let is_behind = !behind.is_empty() && self.members.chance(800);
        let of = if is_behind { &behind } else { &others };
        let number = self.members.below(if is_behind { 2 } else { 8 });
        let child = self.members.pick(of).copied().filter(|_| number < 4);
        let member = child.and_then(parent_of).copied().unwrap_or(member);
        let version = self.versions;
        let (operation, wish) = match child.map(|child| (child.canister, child.generation)) {
            None => (format!("child-{}", number % 4), Wish::Child),
            Some((id, _)) if number == 0 => (format!("move-{id}-{version}"), Wish::Move(id)),
            Some(_) if number == 1 => (format!("move-all-{version}"), Wish::MoveAll),
            Some((id, generation)) => (format!("end-{id}-{generation}"), Wish::End(id)),
        };
        // At times in the name of another tenancy.
        let off = u64::from(self.members.chance(50));
        let deed = Deed::Ask {
            member: member.canister,
            generation: Generation(member.generation.0 + off),
            operation,
            wish,
        };
        if self.asked.len() == ASKED_MAX {
            self.asked.pop_front();
        }
        self.asked.push_back(deed.clone());
        deed
    }

    /// The same request as some time ago; who asked may be somebody else's by now.
    fn draw_again(&mut self) -> Option<Deed> {
        let index = self.members.below(ASKED_MAX as u64) as usize;
        self.asked.get(index).cloned()
    }
}

/// Leases that are given back.
fn release(ours: &[&RowView]) -> Option<Deed> {
    let leased = ours.iter().filter(|row| row.phase == Phase::Leased);
    let canisters: Vec<CanisterId> = leased.map(|row| row.canister).take(2).collect();
    (!canisters.is_empty()).then_some(Deed::Release(canisters))
}
