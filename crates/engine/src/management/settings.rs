//! `update_settings` and the rules every setting obeys.

use std::collections::BTreeSet;

use candid::Nat;
use ic_error_types::ErrorCode;
use ic_management_canister_types::{
    CanisterSettings, ChangeDetails, ControllersChangeRecord, DefiniteCanisterSettings,
    EnvironmentVariable, UpdateSettingsArgs,
};
use sha2::{Digest, Sha256};

use super::visibility::Visibility;
use super::{Handled, decode, reply_nothing};
use crate::message::Prices;
use crate::reject::Reject;
use crate::subnet::{Canister, Request, Settings, Subnet, origin_of};

const CONTROLLERS_MAX: usize = 10;
const VARIABLES_MAX: usize = 20;
const VARIABLE_BYTES_MAX: usize = 128;
const COMPUTE_ALLOCATION_MAX: u64 = 100;
const MEMORY_BYTES_MAX: u64 = 1 << 48;
const LOG_MEMORY_BYTES_MAX: u64 = 2 << 20;

impl Subnet {
    pub(super) fn update_settings(&mut self, request: &Request) -> Handled {
        let args: UpdateSettingsArgs = decode(&request.arg)?;
        let by = origin_of(&request.origin, args.sender_canister_version);
        let time_ns = self.time_ns;
        let prices = self.context.prices.clone();
        let canister = self.controlled(&args.canister_id, &request.origin)?;
        let settings = merged(canister.settings.clone(), &args.settings)?;
        check_allocations(canister, &settings, &prices)?;
        canister.version += 1;
        if args.settings.controllers.is_some() {
            let controllers = settings.controllers.clone();
            let change = ChangeDetails::ControllersChange(ControllersChangeRecord { controllers });
            canister
                .history
                .record(time_ns, canister.version, by, change);
        }
        canister.logs.shrink(settings.log_memory_limit);
        canister.settings = settings;
        reply_nothing()
    }
}

/// An allocation may not grow so much that the canister would be frozen.
pub(super) fn check_allocations(
    canister: &mut Canister,
    wanted: &Settings,
    prices: &Prices,
) -> Result<(), Reject> {
    let current = &canister.settings;
    let error = if wanted.compute_allocation > current.compute_allocation {
        ErrorCode::InsufficientCyclesInComputeAllocation
    } else if wanted.memory_allocation > current.memory_allocation {
        ErrorCode::InsufficientCyclesInMemoryAllocation
    } else {
        return Ok(());
    };
    let current = std::mem::replace(&mut canister.settings, wanted.clone());
    let needed = canister.freezing_limit(prices);
    canister.settings = current;
    if canister.balance >= needed {
        return Ok(());
    }
    Err(Reject::new(
        error,
        format!(
            "The canister would be frozen by this allocation: it holds {} cycles and would need {needed}",
            canister.balance
        ),
    ))
}

/// `base` with everything that `wanted` names.
///
/// # Errors
/// A value outside of its bounds; nothing is changed then.
pub(super) fn merged(mut base: Settings, wanted: &CanisterSettings) -> Result<Settings, Reject> {
    if let Some(controllers) = &wanted.controllers {
        let distinct: BTreeSet<_> = controllers.iter().copied().collect();
        if distinct.len() > CONTROLLERS_MAX {
            return Err(out_of_bounds(
                "controllers",
                &format!("at most {CONTROLLERS_MAX}"),
            ));
        }
        base.controllers = distinct.into_iter().collect();
    }
    let numbers = [
        (
            &mut base.compute_allocation,
            &wanted.compute_allocation,
            "compute_allocation",
            COMPUTE_ALLOCATION_MAX,
        ),
        (
            &mut base.memory_allocation,
            &wanted.memory_allocation,
            "memory_allocation",
            MEMORY_BYTES_MAX,
        ),
        (
            &mut base.freezing_threshold_seconds,
            &wanted.freezing_threshold,
            "freezing_threshold",
            u64::MAX,
        ),
        (
            &mut base.log_memory_limit,
            &wanted.log_memory_limit,
            "log_memory_limit",
            LOG_MEMORY_BYTES_MAX,
        ),
        (
            &mut base.wasm_memory_limit,
            &wanted.wasm_memory_limit,
            "wasm_memory_limit",
            MEMORY_BYTES_MAX,
        ),
        (
            &mut base.wasm_memory_threshold,
            &wanted.wasm_memory_threshold,
            "wasm_memory_threshold",
            MEMORY_BYTES_MAX,
        ),
    ];
    for (setting, wanted, name, max) in numbers {
        if let Some(value) = wanted {
            *setting = bounded(value, name, max)?;
        }
    }
    if let Some(limit) = &wanted.reserved_cycles_limit {
        base.reserved_cycles_limit = u128_of(limit, "reserved_cycles_limit")?;
    }
    if let Some(minimum) = &wanted.minimum_incoming_canister_call_cycles {
        base.minimum_incoming_cycles = u128_of(minimum, "minimum_incoming_canister_call_cycles")?;
    }
    merge_visibilities(&mut base, wanted)?;
    if let Some(variables) = &wanted.environment_variables {
        base.environment = environment(variables)?;
    }
    Ok(base)
}

fn merge_visibilities(base: &mut Settings, wanted: &CanisterSettings) -> Result<(), Reject> {
    merge_visibility(&mut base.log_visibility, wanted.log_visibility.as_ref())?;
    merge_visibility(
        &mut base.snapshot_visibility,
        wanted.snapshot_visibility.as_ref(),
    )?;
    merge_visibility(
        &mut base.status_visibility,
        wanted.status_visibility.as_ref(),
    )
}

fn merge_visibility<V: Visibility + Clone>(base: &mut V, wanted: Option<&V>) -> Result<(), Reject> {
    let Some(wanted) = wanted else {
        return Ok(());
    };
    if wanted.viewers().len() > CONTROLLERS_MAX {
        return Err(out_of_bounds(
            "allowed_viewers",
            &format!("at most {CONTROLLERS_MAX}"),
        ));
    }
    *base = wanted.clone();
    Ok(())
}

fn environment(variables: &[EnvironmentVariable]) -> Result<Vec<(String, String)>, Reject> {
    if variables.len() > VARIABLES_MAX {
        return Err(out_of_bounds(
            "environment_variables",
            &format!("at most {VARIABLES_MAX}"),
        ));
    }
    let mut names = BTreeSet::new();
    for variable in variables {
        if variable.name.len() > VARIABLE_BYTES_MAX || variable.value.len() > VARIABLE_BYTES_MAX {
            return Err(out_of_bounds(
                "environment_variables",
                &format!("names and values of at most {VARIABLE_BYTES_MAX} bytes"),
            ));
        }
        if !names.insert(&variable.name) {
            return Err(out_of_bounds("environment_variables", "each name once"));
        }
    }
    let pairs = variables.iter();
    Ok(pairs.map(|v| (v.name.clone(), v.value.clone())).collect())
}

/// What the creation record says of the variables: a hash over them in the order of their names.
pub(super) fn environment_hash(environment: &[(String, String)]) -> Option<Vec<u8>> {
    if environment.is_empty() {
        return None;
    }
    let mut pairs: Vec<[[u8; 32]; 2]> = environment
        .iter()
        .map(|(name, value)| [Sha256::digest(name).into(), Sha256::digest(value).into()])
        .collect();
    pairs.sort_unstable();
    let mut hash = Sha256::new();
    for [name, value] in pairs {
        hash.update(name);
        hash.update(value);
    }
    Some(hash.finalize().to_vec())
}

/// The settings as `canister_status` reports them.
pub(super) fn definite(settings: &Settings) -> DefiniteCanisterSettings {
    DefiniteCanisterSettings {
        controllers: settings.controllers.clone(),
        compute_allocation: settings.compute_allocation.into(),
        memory_allocation: settings.memory_allocation.into(),
        freezing_threshold: settings.freezing_threshold_seconds.into(),
        reserved_cycles_limit: settings.reserved_cycles_limit.into(),
        minimum_incoming_canister_call_cycles: settings.minimum_incoming_cycles.into(),
        log_visibility: settings.log_visibility.clone(),
        log_memory_limit: settings.log_memory_limit.into(),
        snapshot_visibility: settings.snapshot_visibility.clone(),
        status_visibility: settings.status_visibility.clone(),
        wasm_memory_limit: settings.wasm_memory_limit.into(),
        wasm_memory_threshold: settings.wasm_memory_threshold.into(),
        environment_variables: settings
            .environment
            .iter()
            .map(|(name, value)| EnvironmentVariable {
                name: name.clone(),
                value: value.clone(),
            })
            .collect(),
    }
}

fn bounded(value: &Nat, name: &str, max: u64) -> Result<u64, Reject> {
    u64::try_from(&value.0)
        .ok()
        .filter(|value| *value <= max)
        .ok_or_else(|| out_of_bounds(name, &format!("between 0 and {max}")))
}

/// An amount of cycles.
///
/// # Errors
/// It does not fit 128 bits.
pub(super) fn u128_of(value: &Nat, name: &str) -> Result<u128, Reject> {
    u128::try_from(&value.0).map_err(|_| out_of_bounds(name, "below 2^128"))
}

fn out_of_bounds(name: &str, bounds: &str) -> Reject {
    Reject::new(
        ErrorCode::InvalidManagementPayload,
        format!("{name} must be {bounds}"),
    )
}
