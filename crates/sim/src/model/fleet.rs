//! The fleet the model runs: its spec, its module, its people. Small numbers, so that bounds are
//! met often.

use super::canister::canister_id;
use hatchery_types::{
    CanisterId, Cycles, DrainSpec, FleetSpec, GrantSpec, HealthSpec, LanesSpec, LeaseEnd,
    LeaseSpec, ModuleHash, Nanos, PoolSpec, Principal, PullSpec, RoleSpec, ScaleSpec, SignalSpec,
    Source, TopUpSpec, UpgradeSpec, WarmPoolSpec,
};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// The signal that members report.
pub(super) const SIGNAL: &str = "depth";
/// The signal that root asks the members for.
pub(super) const PULLED: &str = "queue";
/// The pools, by name.
pub(super) const POOLS: [&str; 2] = ["north", "south"];
/// How members get another module.
pub(super) const RULE: UpgradeSpec = UpgradeSpec {
    failures: 2,
    wait: Nanos::from_secs(90),
    keep_memory: false,
};
/// Longest life of a drain before work is cut.
pub(super) const DRAIN_DEADLINE: Nanos = Nanos::from_secs(120);

/// The operator.
pub(super) fn operator() -> Principal {
    Principal::from_slice(&[7; 29])
}

/// Somebody who has canisters of their own on the subnet.
pub(super) fn stranger() -> Principal {
    Principal::from_slice(&[9; 29])
}

/// A canister of another subnet: ids there are far from those of the fleet's own.
pub(super) fn far() -> CanisterId {
    canister_id(1 << 40)
}

/// The controllers beside root that operators want.
pub(super) fn controllers(second: bool) -> Vec<Principal> {
    let all = [operator(), Principal::from_slice(&[8; 29])];
    all[..=usize::from(second)].to_vec()
}

/// The module of the beginning.
pub(super) fn module() -> (ModuleHash, Vec<u8>) {
    MODULES[0].clone()
}

/// How many modules there are: the first two are good.
pub(super) const MODULES_LEN: usize = 4;
/// One that traps when a canister is upgraded to it.
pub(super) const TRAPS: usize = 2;
/// One that writes over the memory of what is upgraded to it, and answers no health check.
pub(super) const CORRUPTS: usize = 3;

/// Modules in the only sense the model needs: a header and one custom section.
static MODULES: LazyLock<[(ModuleHash, Vec<u8>); MODULES_LEN]> = LazyLock::new(|| {
    std::array::from_fn(|number| {
        let mut bytes = b"\0asm\x01\0\0\0".to_vec();
        bytes.extend([0, 120, 3]);
        bytes.extend([0x2a + number as u8; 119]);
        (ModuleHash(Sha256::digest(&bytes).into()), bytes)
    })
});

/// The hash of a module by its number.
pub(super) fn module_of(number: usize) -> ModuleHash {
    MODULES[number].0
}

/// The bytes of a module by its number.
pub(super) fn bytes_of(number: usize) -> &'static [u8] {
    &MODULES[number].1
}

/// Two pools, each of a role of its own, over a small warm pool.
pub(super) fn spec() -> FleetSpec {
    FleetSpec {
        visibility: None,
        name: "model".to_owned(),
        controllers: controllers(false),
        reserve: Cycles(10 * Cycles::T),
        lanes: LanesSpec {
            create: 2,
            reset: 3,
            install: 2,
        },
        warm_pool: WarmPoolSpec::new(3, 6),
        roles: vec![plain_role(), checked_role()],
        pools: vec![
            PoolSpec {
                role: "checked".to_owned(),
                ..pool(POOLS[0], 1, 5, 2, LeaseEnd::Return)
            },
            pool(POOLS[1], 0, 3, 1, LeaseEnd::Recycle),
        ],
        top_up: Some(TopUpSpec {
            below: Cycles(Cycles::T),
            to: Cycles(2 * Cycles::T),
            each: Cycles(4 * Cycles::T),
            all: Cycles(20 * Cycles::T),
        }),
        grants: vec![grant("checked", 2), grant("worker", 1)],
    }
}

/// Members may have a few in the second pool, three deep.
fn grant(role: &str, each: u32) -> GrantSpec {
    GrantSpec {
        role: role.to_owned(),
        pool: POOLS[1].to_owned(),
        each,
        all: 3,
        depth: 3,
        under_root: role == "checked",
    }
}

/// Its workers are checked before they count; their children leave before them.
fn checked_role() -> RoleSpec {
    RoleSpec {
        name: "checked".to_owned(),
        health: Some(HealthSpec {
            method: "health".to_owned(),
            grace: Nanos::from_secs(120),
        }),
        children_first: true,
        ..plain_role()
    }
}

fn plain_role() -> RoleSpec {
    RoleSpec {
        drain: DrainSpec {
            method: Some("hatchery_drain".to_owned()),
            deadline: DRAIN_DEADLINE,
        },
        pulls: vec![PullSpec {
            signal: PULLED.to_owned(),
            method: "stats".to_owned(),
            field: None,
            multiply: 1,
            every: Nanos::from_secs(60),
        }],
        top_up: Some(TopUpSpec {
            below: Cycles(2 * Cycles::T),
            to: Cycles(3 * Cycles::T),
            each: Cycles(5 * Cycles::T),
            all: Cycles(12 * Cycles::T),
        }),
        upgrade: Some(RULE),
        ..RoleSpec::new("worker", module().0)
    }
}

fn pool(name: &str, min: u32, max: u32, initial: u32, released: LeaseEnd) -> PoolSpec {
    let scale = |window, max_workers, cooldown| ScaleSpec {
        window: Nanos::from_secs(window),
        max_percent: 100,
        max_workers,
        period: Nanos::from_secs(10),
        cooldown: Nanos::from_secs(cooldown),
    };
    PoolSpec {
        initial,
        signals: vec![
            SignalSpec {
                warm_up: Nanos::from_secs(5),
                ..SignalSpec::new(SIGNAL, 10)
            },
            SignalSpec {
                source: Source::Pulled,
                ..SignalSpec::new(PULLED, 20)
            },
        ],
        standby: 1,
        scale_up: scale(0, 4, 0),
        scale_down: scale(20, 1, 5),
        disruption_percent: 30,
        valid_for: Nanos::from_secs(10),
        lease: Some(LeaseSpec {
            ttl: Nanos::from_secs(60),
            call_max: 3,
            released,
            ..LeaseSpec::default()
        }),
        ..PoolSpec::new(name, "worker", min, max)
    }
}
