//! A deed is done: the one way to it, whether it was drawn or read.

use super::deed::{Deed, Meddling, Order};
use super::tenants::{self, Tenant};
use super::{Modules, Soak};
use crate::world::stranger;
use hatchery_api::CommandRequest;
use hatchery_types::{CanisterId, FleetSpec, OperationId};

/// One second of virtual time.
const SECOND_NS: u64 = 1_000_000_000;

impl Soak {
    /// Does it, as far as the world lets it be done.
    pub(super) fn act(&mut self, deed: &Deed, modules: &Modules) {
        let (world, watch) = (&mut self.world, &mut self.watch);
        match deed {
            Deed::UpgradeForced => self.upgrades.force(world, modules),
            Deed::UpgradePolite => self.upgrades.begin_politely(),
            Deed::Jump(seconds) => {
                let jump = seconds.saturating_mul(SECOND_NS);
                world.engine.advance_ns(jump);
                self.struck("clock-jump");
            }
            Deed::Meddle(meddling, id) => self.meddle(*meddling, *id),
            Deed::Command {
                operation,
                times,
                order,
            } => (0..*times).for_each(|_| self.submit(operation, order)),
            Deed::Ask {
                member,
                generation,
                operation,
                wish,
            } => tenants::ask(world, watch, Tenant(*member, *generation), operation, *wish),
            Deed::Lease {
                operation,
                times,
                count,
            } => (0..*times).for_each(|_| tenants::lease(world, watch, operation, *count)),
            Deed::Release(ids) => tenants::release(world, watch, ids),
            Deed::Protect(member, generation) => {
                tenants::protect(world, watch, Tenant(*member, *generation));
            }
            Deed::Count(member, generation) => {
                tenants::count(world, watch, Tenant(*member, *generation));
            }
            Deed::Burn(member, trillions) => tenants::burn(world, *member, *trillions),
            Deed::RollOut { version, by_itself } => {
                let rule = self.rule.filter(|_| *by_itself);
                self.respec(|world, spec| tenants::set_version(world, spec, *version, rule));
            }
            Deed::Bounds {
                pool,
                min,
                max,
                standby,
            } => self.respec(|_, spec| {
                let Some(pool) = spec.pools.get_mut(*pool) else {
                    return false;
                };
                (pool.min, pool.max, pool.initial) = (*min, *max, *min);
                pool.standby = *standby;
                true
            }),
        }
    }

    /// Changes the spec and applies it; a root that does not take it keeps what it had.
    pub(super) fn respec(
        &mut self,
        change: impl FnOnce(&mut crate::world::FleetWorld, &mut FleetSpec) -> bool,
    ) {
        let before = self.spec.clone();
        if !change(&mut self.world, &mut self.spec) {
            return;
        }
        self.watch.bound(&self.spec);
        if self.world.apply(&self.spec).is_err() {
            self.spec = before;
        }
    }

    /// An operator's command; the answer is looked up later.
    pub(super) fn submit(&mut self, operation: &str, order: &Order) {
        let request = CommandRequest {
            operation: OperationId(operation.to_owned()),
            command: order.command(),
        };
        // A root that is stopping takes no message: an operator who hears so tries later.
        if let Ok(message) = self.world.submit_command(&request) {
            self.watch.expect(&request, message);
        }
    }

    /// Somebody changes a canister behind root's back; root itself is left alone.
    fn meddle(&mut self, meddling: Meddling, id: CanisterId) {
        let (root, operator) = (self.world.root.0, self.world.operator);
        let engine = &mut self.world.engine;
        let id = id.0;
        let done = id != root
            && match meddling {
                Meddling::Deleted => engine.delete_canister(id),
                Meddling::Uninstalled => engine.uninstall(id),
                Meddling::Stopped => engine.stop(id),
                Meddling::TakenOver => engine.set_controllers(id, vec![stranger()]),
                Meddling::ControllerAdded => {
                    engine.set_controllers(id, vec![root, operator, stranger()])
                }
                Meddling::ToppedUp => engine.add_cycles(id, 1_000_000_000_000),
            };
        if done {
            self.meddled.insert(id);
            self.struck(meddling.name());
        }
    }

    fn struck(&mut self, name: &str) {
        *self.soaked.faults.entry(name.to_owned()).or_default() += 1;
    }
}
