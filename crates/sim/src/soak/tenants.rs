//! What members and those who use them do, done: they ask root for canisters of their own and end them,
//! are leased, ask to be spared, count, burn their cycles; and their role's modules.

use super::deed::Wish;
use super::keeper::{self, Version};
use super::watch::Watch;
use crate::world::{FleetWorld, calls::encode, relay};
use hatchery_api::{LeaseRequest, MemberRequest, Protect, ReleaseRequest};
use hatchery_types::{
    CanisterId, Cycles, FleetSpec, Generation, ModuleHash, Nanos, OperationId, Phase, RoleSpec,
    UpgradeSpec,
};

/// Their pool.
pub(super) const POOL: &str = "keepers";
/// Their role.
const ROLE: &str = "keeper";
/// A member asks to be spared for so long.
const SPARED: Nanos = Nanos::from_secs(120);

/// A member, in the tenancy that it says to be in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tenant(pub(super) CanisterId, pub(super) Generation);

/// A member asks.
pub(super) fn ask(
    world: &mut FleetWorld,
    watch: &mut Watch,
    tenant: Tenant,
    operation: &str,
    wish: Wish,
) {
    let request = MemberRequest {
        operation: OperationId(operation.to_owned()),
        generation: tenant.1,
        ask: wish.ask(POOL, ROLE),
    };
    watch.receipts.ask(world, tenant.0, &request);
}

/// The operator leases so many.
pub(super) fn lease(world: &mut FleetWorld, watch: &mut Watch, operation: &str, count: u32) {
    let request = LeaseRequest {
        operation: OperationId(operation.to_owned()),
        pool: POOL.to_owned(),
        count,
        ttl: None,
        known: Generation(0),
    };
    watch.receipts.lease(world, &request);
}

/// The operator gives leases back.
pub(super) fn release(world: &mut FleetWorld, watch: &mut Watch, canisters: &[CanisterId]) {
    let Some(first) = canisters.first() else {
        return;
    };
    let request = ReleaseRequest {
        operation: OperationId(format!("release-{first}-{}", world.engine.round())),
        pool: POOL.to_owned(),
        canisters: canisters.to_vec(),
    };
    watch.holders.release(world, &request);
}

/// A member asks to be spared.
pub(super) fn protect(world: &mut FleetWorld, watch: &mut Watch, tenant: Tenant) {
    let until = Nanos(world.engine.now_ns()) + SPARED;
    let Tenant(member, generation) = tenant;
    let argument = encode(&Protect { generation, until });
    let argument = relay::passed_on(world.root.0, "protect", &argument);
    let message = world.submit(world.operator, member.0, "relay", argument);
    if let Ok(message) = message {
        watch.holders.spare(member, until, message);
    }
}

/// A member counts, if it is at work: in the middle of its upgrade nobody gives it any, since what it
/// then counts goes with a module that does not work.
pub(super) fn count(world: &mut FleetWorld, watch: &mut Watch, tenant: Tenant) {
    let Tenant(member, generation) = tenant;
    let at_work = [Phase::InService, Phase::Standby, Phase::Leased];
    let rows = world.rows().unwrap_or_default();
    let mut ours = rows.iter().filter(|row| row.canister == member);
    if !ours.any(|row| at_work.contains(&row.phase)) {
        return;
    }
    let message = world.submit(world.operator, member.0, "count", Vec::new());
    if let Ok(message) = message {
        watch.memories.count(member, generation, message);
    }
}

/// A member burns cycles.
pub(super) fn burn(world: &mut FleetWorld, member: CanisterId, trillions: u64) {
    let amount = trillions.saturating_mul(Cycles::T as u64);
    let arg = amount.to_le_bytes().to_vec();
    let _refused = world.submit(world.operator, member.0, "burn", arg);
}

/// The role of the members.
pub(super) fn role(spec: &FleetSpec) -> &RoleSpec {
    spec.role(ROLE).expect("bug: a fleet without its role")
}

/// Uploads the version and names it as the role's; false: root takes nothing just now.
pub(super) fn set_version(
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

/// The module that the role is to have.
pub(super) fn wanted(spec: &FleetSpec) -> ModuleHash {
    role(spec).module
}
