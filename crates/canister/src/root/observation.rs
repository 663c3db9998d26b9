//! From a `canister_status` reply to what the fleet acts on.
//!
//! Owns the reading and the comparison with the warm pool's settings; what follows from an
//! observation is decided in `hatchery-core`.

use super::management::{CanisterStatus, ReportedSettings, Status, Variable, Visibility, defaults};
use hatchery_api::environment;
use hatchery_types::Principal;
use hatchery_types::{CanisterId, Cycles, Generation, Observation, RunState, Tenancy};

/// What a reply says; `None` if it lacks run state, controllers, balance or memory.
pub(crate) fn observation(status: CanisterStatus) -> Option<Observation> {
    let run_state = match status.status? {
        Status::Running => RunState::Running,
        Status::Stopping => RunState::Stopping,
        Status::Stopped => RunState::Stopped,
    };
    let settings = status.settings?;
    let settings_clean = is_clean(&settings);
    let tenancy = settings.environment_variables.as_deref().and_then(tenancy);
    let mut controllers = settings.controllers?;
    controllers.sort_unstable();
    let snapshot_bytes = status
        .memory_metrics
        .and_then(|metrics| metrics.snapshots_size);
    Some(Observation {
        run_state,
        module: status.module_hash,
        controllers,
        cycles: Cycles(status.cycles?),
        memory_bytes: bytes(status.memory_size?),
        settings_clean,
        snapshot_bytes: snapshot_bytes.map(bytes),
        queries: status
            .query_stats
            .and_then(|it| it.num_calls_total)
            .map(bytes),
        tenancy,
    })
}

/// What a root wrote into the environment variables of a member.
fn tenancy(variables: &[Variable]) -> Option<Tenancy> {
    let value = |name: &str| {
        let variable = variables.iter().find(|variable| variable.name == name)?;
        Some(variable.value.clone())
    };
    let canister = |name| Principal::from_text(value(name)?).ok().map(CanisterId);
    Some(Tenancy {
        root: canister(environment::ROOT)?,
        role: value(environment::ROLE),
        pool: value(environment::POOL),
        parent: canister(environment::PARENT),
        generation: Generation(value(environment::GENERATION)?.parse().ok()?),
    })
}

fn bytes(nat: u128) -> u64 {
    u64::try_from(nat).unwrap_or(u64::MAX)
}

/// Whether every setting but the controllers is at the warm pool's value; `None` when a replica
/// does not report one that it must. The five that came after the others need not be reported: a
/// replica that does not know a setting has nothing of it that a tenant could have changed.
fn is_clean(settings: &ReportedSettings) -> Option<bool> {
    let is = |value: Option<u128>, wanted: u128| value.map(|value| value == wanted);
    let private =
        |value: &Option<Visibility>| value.as_ref().map(|it| *it == Visibility::Controllers);
    let required = [
        is(settings.compute_allocation, defaults::COMPUTE_ALLOCATION),
        is(settings.memory_allocation, defaults::MEMORY_ALLOCATION),
        is(settings.freezing_threshold, defaults::FREEZING_THRESHOLD),
        is(
            settings.reserved_cycles_limit,
            defaults::RESERVED_CYCLES_LIMIT,
        ),
        is(settings.wasm_memory_limit, defaults::WASM_MEMORY_LIMIT),
        private(&settings.log_visibility),
        settings.environment_variables.as_ref().map(Vec::is_empty),
    ];
    let newer = [
        is(
            settings.wasm_memory_threshold,
            defaults::WASM_MEMORY_THRESHOLD,
        ),
        is(settings.log_memory_limit, defaults::LOG_MEMORY_LIMIT),
        is(
            settings.minimum_incoming_canister_call_cycles,
            defaults::MINIMUM_INCOMING_CALL_CYCLES,
        ),
        private(&settings.snapshot_visibility),
        private(&settings.status_visibility),
    ];
    let mut clean = newer.into_iter().flatten().all(|clean| clean);
    for setting in required {
        clean &= setting?;
    }
    Some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root::outcome::WORK;
    use candid::{CandidType, Nat};
    use hatchery_types::ModuleHash;
    use hatchery_types::wire;
    use ic_management_canister_types as platform;

    fn principal(number: u8) -> Principal {
        Principal::from_slice(&[number, 1])
    }

    fn settings() -> platform::DefiniteCanisterSettings {
        platform::DefiniteCanisterSettings {
            controllers: vec![principal(2), principal(1)],
            freezing_threshold: Nat::from(2_592_000_u64),
            reserved_cycles_limit: Nat::from(5_000_000_000_000_u64),
            wasm_memory_limit: Nat::from(3_221_225_472_u64),
            log_memory_limit: Nat::from(4_096_u64),
            ..Default::default()
        }
    }

    fn status(settings: platform::DefiniteCanisterSettings) -> platform::CanisterStatusResult {
        let nat = |n: u64| Nat::from(n);
        platform::CanisterStatusResult {
            status: platform::CanisterStatusType::Running,
            ready_for_migration: false,
            version: 7,
            settings,
            module_hash: None,
            memory_size: nat(500),
            memory_metrics: platform::MemoryMetrics {
                wasm_memory_size: nat(1),
                stable_memory_size: nat(2),
                global_memory_size: nat(3),
                wasm_binary_size: nat(4),
                custom_sections_size: nat(5),
                canister_history_size: nat(6),
                wasm_chunk_store_size: nat(7),
                snapshots_size: nat(8),
                log_memory_store_size: nat(9),
            },
            cycles: nat(4_500_000_000_000),
            reserved_cycles: nat(0),
            idle_cycles_burned_per_day: nat(0),
            query_stats: platform::QueryStats {
                num_calls_total: nat(0),
                num_instructions_total: nat(0),
                request_payload_bytes_total: nat(0),
                response_payload_bytes_total: nat(0),
            },
        }
    }

    fn observe(reply: impl CandidType) -> Option<Observation> {
        let bytes = candid::encode_one(reply).expect("encodes");
        observation(wire::decode(&bytes, WORK).expect("decodes"))
    }

    #[test]
    fn a_clean_canister_of_a_new_replica() {
        let expected = Observation {
            run_state: RunState::Running,
            module: None,
            controllers: vec![principal(1), principal(2)],
            cycles: Cycles(4_500_000_000_000),
            memory_bytes: 500,
            settings_clean: Some(true),
            snapshot_bytes: Some(8),
            queries: Some(0),
            tenancy: None,
        };
        assert_eq!(observe(status(settings())), Some(expected));
    }

    #[test]
    fn a_module_and_a_run_state_are_seen() {
        let mut reply = status(settings());
        reply.module_hash = Some(vec![9; 32]);
        reply.status = platform::CanisterStatusType::Stopped;
        let seen = observe(reply).expect("observed");
        assert_eq!(seen.module, Some(ModuleHash([9; 32])));
        assert_eq!(seen.run_state, RunState::Stopped);
    }

    #[test]
    fn l07_a_member_shows_whose_it_is() {
        let variable = |name: &str, value: &str| platform::EnvironmentVariable {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        let mut member = settings();
        member.environment_variables = vec![
            variable("OTHER", "x"),
            variable(environment::ROOT, &principal(1).to_text()),
            variable(environment::ROLE, "worker"),
            variable(environment::GENERATION, "7"),
        ];
        let expected = Tenancy {
            root: CanisterId(principal(1)),
            role: Some("worker".to_owned()),
            pool: None,
            parent: None,
            generation: Generation(7),
        };
        let seen = observe(status(member.clone())).expect("observed");
        assert_eq!(seen.tenancy, Some(expected));
        for bad in ["", "-1", "seven"] {
            member.environment_variables[3].value = bad.to_owned();
            let seen = observe(status(member.clone())).expect("observed");
            assert_eq!(seen.tenancy, None, "{bad:?} is no generation");
        }
    }

    #[test]
    fn p25_any_setting_of_the_last_tenant_is_seen() {
        type Settings = platform::DefiniteCanisterSettings;
        let changes: [fn(&mut Settings); 12] = [
            |s| s.compute_allocation = Nat::from(1_u8),
            |s| s.memory_allocation = Nat::from(1_u8),
            |s| s.freezing_threshold = Nat::from(1_u8),
            |s| s.reserved_cycles_limit = Nat::from(1_u8),
            |s| s.wasm_memory_limit = Nat::from(0_u8),
            |s| s.wasm_memory_threshold = Nat::from(1_u8),
            |s| s.log_memory_limit = Nat::from(1_u8),
            |s| s.minimum_incoming_canister_call_cycles = Nat::from(1_u8),
            |s| s.log_visibility = platform::LogVisibility::Public,
            |s| {
                let viewers = vec![Principal::anonymous()];
                s.snapshot_visibility = platform::SnapshotVisibility::AllowedViewers(viewers);
            },
            |s| s.status_visibility = platform::StatusVisibility::Public,
            |s| {
                let (name, value) = ("A".to_owned(), String::new());
                s.environment_variables = vec![platform::EnvironmentVariable { name, value }];
            },
        ];
        for (index, change) in changes.iter().enumerate() {
            let mut changed = settings();
            change(&mut changed);
            let seen = observe(status(changed)).expect("observed");
            assert_eq!(seen.settings_clean, Some(false), "change {index}");
        }
    }

    /// What a replica of 2024 reported, without environment variables.
    #[derive(CandidType)]
    struct OldSettings {
        controllers: Vec<Principal>,
        compute_allocation: u128,
        memory_allocation: u128,
        freezing_threshold: u128,
        reserved_cycles_limit: u128,
        log_visibility: Visibility,
        wasm_memory_limit: u128,
    }

    #[derive(CandidType)]
    struct OldStatus {
        status: Status,
        settings: OldSettings,
        module_hash: Option<ModuleHash>,
        memory_size: u128,
        cycles: u128,
    }

    #[test]
    fn an_old_replica_that_lacks_a_setting_is_unobservable() {
        let settings = OldSettings {
            controllers: vec![],
            compute_allocation: 0,
            memory_allocation: 0,
            freezing_threshold: 2_592_000,
            reserved_cycles_limit: 5_000_000_000_000,
            log_visibility: Visibility::Controllers,
            wasm_memory_limit: 3_221_225_472,
        };
        let status = Status::Running;
        let reply = OldStatus {
            status,
            settings,
            module_hash: None,
            memory_size: 1,
            cycles: 2,
        };
        let seen = observe(reply).expect("observed");
        assert_eq!((seen.settings_clean, seen.snapshot_bytes), (None, None));
    }

    /// What a replica reports that has everything but the settings that came last.
    #[derive(CandidType)]
    struct EarlierSettings {
        controllers: Vec<Principal>,
        compute_allocation: u128,
        memory_allocation: u128,
        freezing_threshold: u128,
        reserved_cycles_limit: u128,
        log_visibility: Visibility,
        wasm_memory_limit: u128,
        environment_variables: Vec<platform::EnvironmentVariable>,
    }

    #[derive(CandidType)]
    struct EarlierStatus {
        status: Status,
        settings: EarlierSettings,
        module_hash: Option<ModuleHash>,
        memory_size: u128,
        cycles: u128,
    }

    #[test]
    fn p25_a_setting_that_a_replica_does_not_know_yet_is_none_that_a_tenant_left() {
        let clean = |freezing_threshold| {
            let reply = EarlierStatus {
                status: Status::Running,
                settings: EarlierSettings {
                    controllers: vec![],
                    compute_allocation: 0,
                    memory_allocation: 0,
                    freezing_threshold,
                    reserved_cycles_limit: 5_000_000_000_000,
                    log_visibility: Visibility::Controllers,
                    wasm_memory_limit: 3_221_225_472,
                    environment_variables: vec![],
                },
                module_hash: None,
                memory_size: 1,
                cycles: 2,
            };
            observe(reply).expect("observed").settings_clean
        };
        assert_eq!(clean(2_592_000), Some(true), "five are not reported");
        assert_eq!(clean(1), Some(false), "what is reported counts");
    }

    #[test]
    fn a_reply_without_what_must_be_known_is_none() {
        #[derive(CandidType)]
        struct Nothing {}
        assert_eq!(observe(Nothing {}), None);
    }
}
