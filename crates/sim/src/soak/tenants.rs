//! What members and those who use them do: ask root for canisters of their own and end them, be
//! leased, ask to be spared, count, burn their cycles; and the operators who roll out modules to them.

use super::keeper::{self, Version};
use super::watch::Watch;
use crate::dice::Dice;
use crate::world::{FleetWorld, calls::encode, relay};
use hatchery_api::{Ask, LeaseRequest, MemberRequest, Protect, ReleaseRequest, RowView};
use hatchery_types::{
    CanisterId, Cycles, FleetSpec, Generation, ModuleHash, Nanos, OperationId, Phase, RoleSpec,
    UpgradeSpec,
};
use std::collections::VecDeque;

/// Their pool.
pub(super) const POOL: &str = "keepers";
/// Their role.
const ROLE: &str = "keeper";
/// Requests that are remembered.
const ASKED_MAX: usize = 16;
/// A member asks to be spared for so long.
const SPARED: Nanos = Nanos::from_secs(120);

/// The members and their users.
#[derive(Debug)]
pub(super) struct Tenants {
    dice: Dice,
    operations: u64,
    versions: u64,
    /// How the role's members get another module by themselves, while they do.
    rule: Option<UpgradeSpec>,
    /// What members asked lately, to be asked again.
    asked: VecDeque<(CanisterId, MemberRequest)>,
}

impl Tenants {
    pub(super) fn new(seed: u64, spec: &FleetSpec) -> Self {
        Tenants {
            dice: Dice::new(seed, 23),
            operations: 0,
            versions: 0,
            rule: role(spec).upgrade,
            asked: VecDeque::new(),
        }
    }

    /// What happens in a round.
    pub(super) fn act(&mut self, world: &mut FleetWorld, watch: &mut Watch, spec: &FleetSpec) {
        if !self.dice.chance(160) {
            return;
        }
        let Ok(rows) = world.rows() else { return };
        let ours = rows.iter().filter(|row| row.pool.as_deref() == Some(POOL));
        let ours: Vec<&RowView> = ours.filter(|row| row.phase.is_member()).collect();
        let Some(member) = self.dice.pick(&ours).copied() else {
            return;
        };
        match self.dice.below(20) {
            0..4 => self.ask(world, watch, member, &ours, wanted(spec)),
            4 => self.ask_again(world, watch),
            5..8 => self.lease(world, watch),
            8 => release(world, watch, &ours),
            9 => protect(world, watch, member),
            10 => self.burn(world, member),
            _ => count(world, watch, member),
        }
    }

    /// A member asks: for a child, for the role's module on its children, or for the end of one.
    fn ask(
        &mut self,
        world: &mut FleetWorld,
        watch: &mut Watch,
        member: &RowView,
        ours: &[&RowView],
        wanted: ModuleHash,
    ) {
        let parent_of = |child: &RowView| ours.iter().find(|it| Some(it.canister) == child.parent);
        let children = ours.iter().filter(|it| parent_of(it).is_some());
        let (behind, others): (Vec<&RowView>, Vec<&RowView>) =
            children.partition(|child| child.module.is_some_and(|it| it != wanted));
        let is_behind = !behind.is_empty() && self.dice.chance(800);
        let of = if is_behind { &behind } else { &others };
        let number = self.dice.below(if is_behind { 2 } else { 8 });
        let child = self.dice.pick(of).copied().filter(|_| number < 4);
        let member = child.and_then(parent_of).copied().unwrap_or(member);
        let version = self.versions;
        let (operation, ask) = match child {
            None => {
                let ask = Ask::Create {
                    pool: POOL.to_owned(),
                    parent: None,
                    init_arg: None,
                };
                (format!("child-{}", number % 4), ask)
            }
            Some(child) => {
                let (canister, generation) = (child.canister, child.generation);
                let role = ROLE.to_owned();
                match number {
                    0 => (
                        format!("move-{canister}-{version}"),
                        Ask::Upgrade { canister },
                    ),
                    1 => (format!("move-all-{version}"), Ask::UpgradeAll { role }),
                    _ => (
                        format!("end-{canister}-{generation}"),
                        Ask::Recycle { canister },
                    ),
                }
            }
        };
        // At times in the name of another tenancy.
        let off = u64::from(self.dice.chance(50));
        let request = MemberRequest {
            operation: OperationId(operation),
            generation: Generation(member.generation.0 + off),
            ask,
        };
        watch.receipts.ask(world, member.canister, &request);
        if self.asked.len() == ASKED_MAX {
            self.asked.pop_front();
        }
        self.asked.push_back((member.canister, request));
    }

    /// The same request as some time ago; who asked may be somebody else's by now.
    fn ask_again(&mut self, world: &mut FleetWorld, watch: &mut Watch) {
        let index = self.dice.below(ASKED_MAX as u64) as usize;
        if let Some((member, request)) = self.asked.get(index) {
            watch.receipts.ask(world, *member, request);
        }
    }

    fn lease(&mut self, world: &mut FleetWorld, watch: &mut Watch) {
        self.operations += 1;
        let request = LeaseRequest {
            operation: OperationId(format!("lease-{}", self.operations)),
            pool: POOL.to_owned(),
            count: self.dice.between(1, 3) as u32,
            ttl: None,
            known: Generation(0),
        };
        for _ in 0..=u64::from(self.dice.chance(200)) {
            watch.receipts.lease(world, &request);
        }
    }

    /// A share of its cycles is gone, at times all that it may spend.
    fn burn(&mut self, world: &mut FleetWorld, member: &RowView) {
        let amount = [1, 3, 100][self.dice.below(3) as usize] * Cycles::T as u64;
        let arg = amount.to_le_bytes().to_vec();
        let _refused = world.submit(world.operator, member.canister.0, "burn", arg);
    }

    /// The role goes to another module, good or not; at times members go there only when their parents
    /// ask for it.
    pub(super) fn roll_out(&mut self, world: &mut FleetWorld, spec: &mut FleetSpec) -> bool {
        if !self.dice.chance(5) {
            return false;
        }
        self.versions += 1;
        let version = match self.dice.below(6) {
            0 => Version::Traps,
            1 => Version::Sick,
            2 => Version::Corrupts,
            _ => Version::Good(self.versions),
        };
        let rule = self.rule.filter(|_| self.dice.chance(400));
        set_version(world, spec, version, rule)
    }

    /// All members go to a module that is good; false: root takes nothing just now.
    pub(super) fn settle(&self, world: &mut FleetWorld, spec: &mut FleetSpec) -> bool {
        set_version(world, spec, Version::Good(100), self.rule)
    }
}

/// The role of the members.
fn role(spec: &FleetSpec) -> &RoleSpec {
    spec.role(ROLE).expect("bug: a fleet without its role")
}

/// Uploads the version and names it as the role's; false: root takes nothing just now.
fn set_version(
    world: &mut FleetWorld,
    spec: &mut FleetSpec,
    version: Version,
    rule: Option<UpgradeSpec>,
) -> bool {
    let Ok(module) = world.upload_module(&keeper::module(version)) else {
        return false;
    };
    let role = spec.roles.iter_mut().find(|role| role.name == ROLE);
    let role = role.expect("bug: a fleet without its role");
    (role.module, role.upgrade) = (module, rule);
    true
}

/// The first version.
pub(super) fn install_first(world: &mut FleetWorld, spec: &mut FleetSpec) {
    let rule = role(spec).upgrade;
    set_version(world, spec, Version::Good(0), rule);
}

/// The module that the role is to have.
pub(super) fn wanted(spec: &FleetSpec) -> ModuleHash {
    role(spec).module
}

fn release(world: &mut FleetWorld, watch: &mut Watch, ours: &[&RowView]) {
    let leased = ours.iter().filter(|row| row.phase == Phase::Leased);
    let canisters: Vec<CanisterId> = leased.map(|row| row.canister).take(2).collect();
    let Some(first) = canisters.first() else {
        return;
    };
    let request = ReleaseRequest {
        operation: OperationId(format!("release-{first}-{}", world.engine.round())),
        pool: POOL.to_owned(),
        canisters,
    };
    watch.holders.release(world, &request);
}

fn protect(world: &mut FleetWorld, watch: &mut Watch, member: &RowView) {
    let until = Nanos(world.engine.now_ns()) + SPARED;
    let generation = member.generation;
    let argument = encode(&Protect { generation, until });
    let argument = relay::passed_on(world.root.0, "protect", &argument);
    let message = world.submit(world.operator, member.canister.0, "relay", argument);
    if let Ok(message) = message {
        watch.holders.spare(member.canister, until, message);
    }
}

fn count(world: &mut FleetWorld, watch: &mut Watch, member: &RowView) {
    let message = world.submit(world.operator, member.canister.0, "count", Vec::new());
    if let Ok(message) = message {
        watch
            .memories
            .count(member.canister, member.generation, message);
    }
}
