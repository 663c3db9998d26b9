//! The management canister's arguments and replies as the suite uses them. Replies are tolerant:
//! every field is optional, so that older and newer platforms decode alike; what a case needs it
//! asks for with [`have`].

use candid::{CandidType, Decode, Encode, Nat};
use ic_principal::Principal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

use crate::check::{Checked, fail};

/// Encodes one argument.
pub(crate) fn encode<T: CandidType>(value: &T) -> Vec<u8> {
    Encode!(value).expect("bug: an argument of the suite cannot be encoded")
}

/// Decodes one reply.
#[track_caller]
pub(crate) fn decode<T: CandidType + DeserializeOwned>(bytes: &[u8]) -> Checked<T> {
    match Decode!(bytes, T) {
        Ok(value) => Ok(value),
        Err(error) => {
            let error = error.to_string();
            let first = error.lines().next().unwrap_or_default();
            fail(format_args!("the reply does not decode: {first}"))
        }
    }
}

/// What a reply must contain.
#[track_caller]
pub(crate) fn have<T>(field: Option<T>) -> Checked<T> {
    match field {
        Some(value) => Ok(value),
        None => fail("the reply lacks a field"),
    }
}

/// A number of a reply that fits 128 bits.
#[track_caller]
pub(crate) fn have_number(field: Option<Nat>) -> Checked<u128> {
    match u128::try_from(have(field)?.0) {
        Ok(number) => Ok(number),
        Err(_) => fail("the number exceeds 128 bits"),
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// `record { canister_id }`.
#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct About {
    pub(crate) canister_id: Principal,
}

/// The encoded `record { canister_id }`.
pub(crate) fn about(canister_id: Principal) -> Vec<u8> {
    encode(&About { canister_id })
}

#[derive(Debug, Clone, Default, CandidType, Deserialize)]
pub(crate) struct SettingsArg {
    pub(crate) controllers: Option<Vec<Principal>>,
    pub(crate) compute_allocation: Option<Nat>,
    pub(crate) memory_allocation: Option<Nat>,
    pub(crate) freezing_threshold: Option<Nat>,
    pub(crate) reserved_cycles_limit: Option<Nat>,
    pub(crate) wasm_memory_limit: Option<Nat>,
    pub(crate) wasm_memory_threshold: Option<Nat>,
    pub(crate) log_visibility: Option<Visibility>,
    pub(crate) status_visibility: Option<Visibility>,
    pub(crate) minimum_incoming_canister_call_cycles: Option<Nat>,
    pub(crate) environment_variables: Option<Vec<Variable>>,
}

#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
#[allow(non_camel_case_types, reason = "the names on the wire")]
pub(crate) enum Visibility {
    controllers,
    public,
    allowed_viewers(Vec<Principal>),
}

#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct CreateArg {
    pub(crate) settings: Option<SettingsArg>,
    pub(crate) sender_canister_version: Option<u64>,
}

#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct ProvisionalCreateArg {
    pub(crate) amount: Option<Nat>,
    pub(crate) settings: Option<SettingsArg>,
    pub(crate) specified_id: Option<Principal>,
}

#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct UpdateSettingsArg {
    pub(crate) canister_id: Principal,
    pub(crate) settings: SettingsArg,
    pub(crate) sender_canister_version: Option<u64>,
}

/// The encoded argument of `update_settings`.
pub(crate) fn settings_arg(canister_id: Principal, settings: SettingsArg) -> Vec<u8> {
    encode(&UpdateSettingsArg {
        canister_id,
        settings,
        sender_canister_version: None,
    })
}

#[derive(Debug, Clone, Copy, CandidType, Deserialize)]
#[allow(non_camel_case_types, reason = "the names on the wire")]
pub(crate) enum InstallMode {
    install,
    reinstall,
    upgrade(Option<UpgradeFlags>),
}

#[derive(Debug, Clone, Copy, CandidType, Deserialize)]
pub(crate) struct UpgradeFlags {
    pub(crate) skip_pre_upgrade: Option<bool>,
    pub(crate) wasm_memory_persistence: Option<Persistence>,
}

/// What becomes of the heap at an upgrade.
#[derive(Debug, Clone, Copy, CandidType, Deserialize)]
#[allow(non_camel_case_types, reason = "the names on the wire")]
pub(crate) enum Persistence {
    keep,
    replace,
}

/// An upgrade that says what becomes of the heap.
pub(crate) fn upgrade_with(persistence: Persistence) -> InstallMode {
    InstallMode::upgrade(Some(UpgradeFlags {
        skip_pre_upgrade: None,
        wasm_memory_persistence: Some(persistence),
    }))
}

/// A plain upgrade.
pub(crate) const UPGRADE: InstallMode = InstallMode::upgrade(None);
/// An upgrade without `canister_pre_upgrade`.
pub(crate) const UPGRADE_SKIPPING: InstallMode = InstallMode::upgrade(Some(UpgradeFlags {
    skip_pre_upgrade: Some(true),
    wasm_memory_persistence: None,
}));

#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct InstallArg {
    pub(crate) mode: InstallMode,
    pub(crate) canister_id: Principal,
    pub(crate) wasm_module: ByteBuf,
    pub(crate) arg: ByteBuf,
    pub(crate) sender_canister_version: Option<u64>,
}

/// The encoded argument of `install_code`.
pub(crate) fn install_arg(
    canister_id: Principal,
    mode: InstallMode,
    wasm: &[u8],
    arg: &[u8],
) -> Vec<u8> {
    encode(&InstallArg {
        mode,
        canister_id,
        wasm_module: ByteBuf::from(wasm),
        arg: ByteBuf::from(arg),
        sender_canister_version: None,
    })
}

#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub(crate) struct ChunkHash {
    pub(crate) hash: ByteBuf,
}

#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct InstallChunkedArg {
    pub(crate) mode: InstallMode,
    pub(crate) target_canister: Principal,
    pub(crate) store_canister: Option<Principal>,
    pub(crate) chunk_hashes_list: Vec<ChunkHash>,
    pub(crate) wasm_module_hash: ByteBuf,
    pub(crate) arg: ByteBuf,
    pub(crate) sender_canister_version: Option<u64>,
}

/// The encoded argument of `install_chunked_code` in mode `install`.
pub(crate) fn chunked_arg(
    target_canister: Principal,
    store_canister: Option<Principal>,
    chunks: &[&[u8]],
    wasm: &[u8],
) -> Vec<u8> {
    encode(&InstallChunkedArg {
        mode: InstallMode::install,
        target_canister,
        store_canister,
        chunk_hashes_list: chunks
            .iter()
            .map(|chunk| ChunkHash {
                hash: ByteBuf::from(sha256(chunk)),
            })
            .collect(),
        wasm_module_hash: ByteBuf::from(sha256(wasm)),
        arg: ByteBuf::new(),
        sender_canister_version: None,
    })
}

#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct UploadArg {
    pub(crate) canister_id: Principal,
    pub(crate) chunk: ByteBuf,
}

/// The encoded argument of `upload_chunk`.
pub(crate) fn upload_arg(canister_id: Principal, chunk: &[u8]) -> Vec<u8> {
    encode(&UploadArg {
        canister_id,
        chunk: ByteBuf::from(chunk),
    })
}

#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct InfoArg {
    pub(crate) canister_id: Principal,
    pub(crate) num_requested_changes: Option<u64>,
}

/// The encoded argument of `canister_info`.
pub(crate) fn info_arg(canister_id: Principal, changes: u64) -> Vec<u8> {
    encode(&InfoArg {
        canister_id,
        num_requested_changes: Some(changes),
    })
}

#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct MetadataArg {
    pub(crate) canister_id: Principal,
    pub(crate) name: String,
}

#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct TakeSnapshotArg {
    pub(crate) canister_id: Principal,
    pub(crate) replace_snapshot: Option<ByteBuf>,
}

#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct LoadSnapshotArg {
    pub(crate) canister_id: Principal,
    pub(crate) snapshot_id: ByteBuf,
    pub(crate) sender_canister_version: Option<u64>,
}

#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct DeleteSnapshotArg {
    pub(crate) canister_id: Principal,
    pub(crate) snapshot_id: ByteBuf,
}

/// What `take_canister_snapshot` and `list_canister_snapshots` tell.
#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) id: Option<ByteBuf>,
    pub(crate) total_size: Option<u64>,
    pub(crate) taken_at_timestamp: Option<u64>,
}

/// The reply of `canister_status`.
#[derive(Debug, Clone, CandidType, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names on the wire")]
pub(crate) struct Status {
    pub(crate) status: Option<Running>,
    pub(crate) version: Option<u64>,
    pub(crate) settings: Option<Settings>,
    pub(crate) module_hash: Option<ByteBuf>,
    pub(crate) memory_size: Option<Nat>,
    pub(crate) memory_metrics: Option<MemoryMetrics>,
    pub(crate) cycles: Option<Nat>,
    pub(crate) reserved_cycles: Option<Nat>,
    pub(crate) idle_cycles_burned_per_day: Option<Nat>,
    pub(crate) query_stats: Option<QueryStats>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Deserialize)]
#[allow(non_camel_case_types, reason = "the names on the wire")]
pub(crate) enum Running {
    running,
    stopping,
    stopped,
}

#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct Settings {
    pub(crate) controllers: Option<Vec<Principal>>,
    pub(crate) compute_allocation: Option<Nat>,
    pub(crate) memory_allocation: Option<Nat>,
    pub(crate) freezing_threshold: Option<Nat>,
    pub(crate) reserved_cycles_limit: Option<Nat>,
    pub(crate) wasm_memory_limit: Option<Nat>,
    pub(crate) wasm_memory_threshold: Option<Nat>,
    pub(crate) log_visibility: Option<Visibility>,
    pub(crate) status_visibility: Option<Visibility>,
    pub(crate) minimum_incoming_canister_call_cycles: Option<Nat>,
    pub(crate) environment_variables: Option<Vec<Variable>>,
}

#[derive(Debug, Clone, CandidType, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names on the wire")]
pub(crate) struct MemoryMetrics {
    pub(crate) wasm_memory_size: Option<Nat>,
    pub(crate) stable_memory_size: Option<Nat>,
    pub(crate) wasm_chunk_store_size: Option<Nat>,
    pub(crate) snapshots_size: Option<Nat>,
}

#[derive(Debug, Clone, CandidType, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names on the wire")]
pub(crate) struct QueryStats {
    pub(crate) num_calls_total: Option<Nat>,
    pub(crate) num_instructions_total: Option<Nat>,
    pub(crate) request_payload_bytes_total: Option<Nat>,
    pub(crate) response_payload_bytes_total: Option<Nat>,
}

/// The reply of `canister_info`.
#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct Info {
    pub(crate) total_num_changes: Option<u64>,
    pub(crate) recent_changes: Option<Vec<Change>>,
    pub(crate) module_hash: Option<ByteBuf>,
    pub(crate) controllers: Option<Vec<Principal>>,
}

#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct Change {
    pub(crate) timestamp_nanos: Option<u64>,
    pub(crate) canister_version: Option<u64>,
    pub(crate) origin: Option<ChangeOrigin>,
    pub(crate) details: Option<ChangeDetails>,
}

#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
#[allow(non_camel_case_types, reason = "the names on the wire")]
pub(crate) enum ChangeOrigin {
    from_user {
        user_id: Principal,
    },
    from_canister {
        canister_id: Principal,
        canister_version: Option<u64>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
#[allow(non_camel_case_types, reason = "the names on the wire")]
pub(crate) enum ChangeDetails {
    creation {
        controllers: Vec<Principal>,
    },
    code_uninstall,
    code_deployment {
        mode: DeploymentMode,
        module_hash: ByteBuf,
    },
    load_snapshot {
        canister_version: u64,
    },
    controllers_change {
        controllers: Vec<Principal>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Deserialize)]
#[allow(non_camel_case_types, reason = "the names on the wire")]
pub(crate) enum DeploymentMode {
    install,
    reinstall,
    upgrade,
}

/// The reply of `canister_metrics`.
#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct Metrics {
    pub(crate) cycles_consumed: Option<Consumed>,
}

/// Cycles a canister has paid since it was created, by what they were paid for.
#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct Consumed {
    pub(crate) memory: Option<Nat>,
    pub(crate) compute_allocation: Option<Nat>,
    pub(crate) ingress_induction: Option<Nat>,
    pub(crate) instructions: Option<Nat>,
    pub(crate) request_and_response_transmission: Option<Nat>,
    pub(crate) burned_cycles: Option<Nat>,
}

/// The argument of `subnet_info` and `node_metrics_history`, which take no more and no less.
#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct SubnetArg {
    pub(crate) subnet_id: Principal,
    pub(crate) start_at_timestamp_nanos: u64,
}

/// The reply of `subnet_info`.
#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct SubnetInfo {
    pub(crate) replica_version: Option<String>,
}

/// The reply of `fetch_canister_logs`.
#[derive(Debug, Clone, CandidType, Deserialize)]
pub(crate) struct Logs {
    pub(crate) canister_log_records: Vec<LogRecord>,
}

#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub(crate) struct LogRecord {
    pub(crate) idx: u64,
    pub(crate) timestamp_nanos: u64,
    pub(crate) content: ByteBuf,
}
