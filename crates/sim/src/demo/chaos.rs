//! What goes wrong in a demo with chaos: legal faults on the calls of root and its workers, and
//! workers that vanish, are emptied or stopped behind root's back. All from the seed; it ends
//! before the wave does, so that the fleet can be asked to come to rest.

use crate::dice::Dice;
use crate::world::FleetWorld;
use candid::Principal;
use hatchery_api::DRAIN_METHOD;
use hatchery_engine::RejectCode;
use hatchery_engine::faults::{Rule, Verdict};
use hatchery_types::Phase;

/// Seconds in which faults may strike.
const BEGINS: u64 = 22;
const ENDS: u64 = 260;
/// Mishaps behind root's back happen between these seconds.
const MISHAPS: (u64, u64) = (60, 230);

/// Something done to one worker in service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mishap {
    Delete,
    Uninstall,
    Stop,
}

/// The faults of a seed.
#[derive(Debug)]
pub(super) struct Chaos {
    dice: Dice,
    mishaps: Vec<(u64, Mishap)>,
    enabled: bool,
}

impl Chaos {
    pub(super) fn new(seed: u64, enabled: bool) -> Self {
        let mut dice = Dice::new(seed, 12);
        let mut mishaps: Vec<_> = [Mishap::Delete, Mishap::Uninstall, Mishap::Stop]
            .into_iter()
            .map(|mishap| (dice.between(MISHAPS.0, MISHAPS.1), mishap))
            .collect();
        mishaps.sort_by_key(|(second, _)| *second);
        Chaos {
            dice,
            mishaps,
            enabled,
        }
    }

    /// What happens in this second; the text is for people.
    pub(super) fn act(&mut self, second: u64, world: &mut FleetWorld) -> Option<String> {
        if !self.enabled {
            return None;
        }
        if second == BEGINS {
            self.add_rules(world);
            return Some("faults begin".to_owned());
        }
        if second == ENDS {
            world.engine.faults().clear();
            return Some("faults end".to_owned());
        }
        let (_, mishap) = *self.mishaps.iter().find(|(at, _)| *at == second)?;
        self.strike(mishap, world)
    }

    fn add_rules(&mut self, world: &mut FleetWorld) {
        let root = world.root.0;
        let platform = Principal::management_canister();
        let transient = Verdict::Reject {
            code: RejectCode::SysTransient,
        };
        let mut share = |most: u64| self.dice.between(most / 4, most) as u32;
        let management = |verdict| Rule::new(verdict).caller(root).callee(platform);
        let rules = [
            management(transient.clone()).per_million(share(80_000)),
            management(Verdict::Delay { rounds: 3 }).per_million(share(80_000)),
            management(Verdict::DelayAnswer { rounds: 4 }).per_million(share(80_000)),
            management(Verdict::QueueFull).per_million(share(50_000)),
            Rule::new(Verdict::TrapCallee)
                .method(DRAIN_METHOD)
                .per_million(share(200_000)),
            Rule::new(Verdict::ExpireBestEffort)
                .caller(root)
                .per_million(share(200_000)),
            Rule::new(transient)
                .callee(root)
                .method("report")
                .per_million(share(100_000)),
            Rule::new(Verdict::TrapCallee)
                .callee(root)
                .method("report")
                .per_million(share(50_000)),
        ];
        for rule in rules {
            world.engine.faults().add(rule);
        }
    }

    fn strike(&mut self, mishap: Mishap, world: &mut FleetWorld) -> Option<String> {
        let rows = world.rows().ok()?;
        let in_service: Vec<Principal> = rows
            .iter()
            .filter(|row| row.phase == Phase::InService)
            .map(|row| row.canister.0)
            .collect();
        let worker = *self.dice.pick(&in_service)?;
        let (done, verb) = match mishap {
            Mishap::Delete => (world.engine.delete_canister(worker), "deleted"),
            Mishap::Uninstall => (world.engine.uninstall(worker), "uninstalled"),
            Mishap::Stop => (world.engine.stop(worker), "stopped"),
        };
        done.then(|| format!("worker {worker} {verb} behind root's back"))
    }
}
