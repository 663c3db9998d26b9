//! The management canister's methods: minimal arguments, and replies that any replica can give.
//!
//! Owns wire shapes (interface specification, "The IC management canister"). Arguments carry only
//! the fields that are used; every field of a reply is optional, so that older and newer replicas
//! decode alike. What a reply means to the fleet is `observation`'s and `outcome`'s.

use hatchery_types::{CanisterId, ModuleHash, Principal, Wire, wire::Unread};

/// The management canister.
pub(crate) const MANAGEMENT: Principal = Principal::management_canister();

/// What the warm pool sets on every canister beside its controllers: the platform's defaults, said
/// out loud, since a default may differ between replicas (ic-management-canister-types 0.11,
/// `CanisterSettings`, October 2026). A replica ignores the fields it does not know.
pub(crate) mod defaults {
    /// Per cent of a core.
    pub(crate) const COMPUTE_ALLOCATION: u128 = 0;
    /// Bytes.
    pub(crate) const MEMORY_ALLOCATION: u128 = 0;
    /// Seconds: 30 days.
    pub(crate) const FREEZING_THRESHOLD: u128 = 2_592_000;
    /// Cycles.
    pub(crate) const RESERVED_CYCLES_LIMIT: u128 = 5_000_000_000_000;
    /// Bytes: 3 GiB.
    pub(crate) const WASM_MEMORY_LIMIT: u128 = 3_221_225_472;
    /// Bytes; 0 = the hook is never scheduled.
    pub(crate) const WASM_MEMORY_THRESHOLD: u128 = 0;
    /// Bytes.
    pub(crate) const LOG_MEMORY_LIMIT: u128 = 4_096;
    /// Cycles.
    pub(crate) const MINIMUM_INCOMING_CALL_CYCLES: u128 = 0;
}

/// Who may look at logs, snapshots or the status.
#[cfg_attr(test, derive(candid::CandidType))]
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub(crate) enum Visibility {
    #[serde(rename = "controllers")]
    Controllers,
    #[serde(rename = "public")]
    Public,
    #[serde(rename = "allowed_viewers")]
    AllowedViewers(Vec<Principal>),
}

/// An environment variable.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// Every setting of a canister, at the warm pool's values. A value is a subtype of an option of
/// it, so none is wrapped in one.
#[derive(Debug, Wire)]
pub(crate) struct WarmSettings {
    controllers: Vec<Principal>,
    compute_allocation: u128,
    memory_allocation: u128,
    freezing_threshold: u128,
    reserved_cycles_limit: u128,
    log_visibility: Visibility,
    log_memory_limit: u128,
    snapshot_visibility: Visibility,
    status_visibility: Visibility,
    wasm_memory_limit: u128,
    wasm_memory_threshold: u128,
    minimum_incoming_canister_call_cycles: u128,
    environment_variables: Vec<Variable>,
}

impl WarmSettings {
    /// With these controllers.
    pub(crate) fn new(controllers: Vec<Principal>) -> Self {
        WarmSettings {
            controllers,
            compute_allocation: defaults::COMPUTE_ALLOCATION,
            memory_allocation: defaults::MEMORY_ALLOCATION,
            freezing_threshold: defaults::FREEZING_THRESHOLD,
            reserved_cycles_limit: defaults::RESERVED_CYCLES_LIMIT,
            log_visibility: Visibility::Controllers,
            log_memory_limit: defaults::LOG_MEMORY_LIMIT,
            snapshot_visibility: Visibility::Controllers,
            status_visibility: Visibility::Controllers,
            wasm_memory_limit: defaults::WASM_MEMORY_LIMIT,
            wasm_memory_threshold: defaults::WASM_MEMORY_THRESHOLD,
            minimum_incoming_canister_call_cycles: defaults::MINIMUM_INCOMING_CALL_CYCLES,
            environment_variables: Vec::new(),
        }
    }
}

/// The settings that a member gets; the others stay as the warm pool's.
#[derive(Debug, Wire)]
pub(crate) struct MemberSettings {
    pub(crate) controllers: Vec<Principal>,
    pub(crate) environment_variables: Vec<Variable>,
}

/// The settings of a canister that leaves the fleet.
#[derive(Debug, Wire)]
pub(crate) struct HandOverSettings {
    pub(crate) controllers: Vec<Principal>,
}

/// Argument of `create_canister`.
#[derive(Debug, Wire)]
pub(crate) struct CreateCanister {
    pub(crate) settings: WarmSettings,
}

/// Argument of `update_settings`.
#[derive(Debug, Wire)]
pub(crate) struct UpdateSettings<S> {
    pub(crate) canister_id: CanisterId,
    pub(crate) settings: S,
}

/// Argument of the methods that take nothing but a canister; reply of `create_canister`.
#[cfg_attr(test, derive(candid::CandidType))]
#[derive(Debug, Wire)]
pub(crate) struct CanisterRecord {
    pub(crate) canister_id: CanisterId,
}

/// Mode `install`: the platform itself refuses a canister that is not empty.
#[derive(Debug, Wire)]
pub(crate) enum InstallMode {
    #[serde(rename = "install")]
    Install,
    #[serde(rename = "upgrade")]
    Upgrade(Option<UpgradeFlags>),
}

/// How an upgrade treats the memory.
#[derive(Debug, Wire)]
pub(crate) struct UpgradeFlags {
    pub(crate) wasm_memory_persistence: Persistence,
}

/// What becomes of the heap.
#[derive(Debug, Wire)]
pub(crate) enum Persistence {
    #[serde(rename = "keep")]
    Keep,
}

/// Argument of `load_canister_snapshot` and `delete_canister_snapshot`.
#[derive(Debug, Wire)]
pub(crate) struct SnapshotArgs {
    pub(crate) canister_id: CanisterId,
    pub(crate) snapshot_id: Vec<u8>,
}

/// Reply of `take_canister_snapshot`, and one of `list_canister_snapshots`.
#[derive(Debug, Wire)]
pub(crate) struct Snapshot {
    pub(crate) id: Option<Vec<u8>>,
    pub(crate) taken_at_timestamp: Option<u64>,
}

/// A chunk in a chunk store.
#[derive(Debug, Wire)]
pub(crate) struct ChunkHash {
    pub(crate) hash: ModuleHash,
}

/// Argument of `install_chunked_code`.
#[derive(Debug, Wire)]
pub(crate) struct InstallChunkedCode {
    pub(crate) mode: InstallMode,
    pub(crate) target_canister: CanisterId,
    pub(crate) store_canister: CanisterId,
    pub(crate) chunk_hashes_list: Vec<ChunkHash>,
    pub(crate) wasm_module_hash: ModuleHash,
    pub(crate) arg: Vec<u8>,
}

/// Argument of `install_code`.
#[derive(Debug, Wire)]
pub(crate) struct InstallCode {
    pub(crate) mode: InstallMode,
    pub(crate) canister_id: CanisterId,
    pub(crate) wasm_module: Vec<u8>,
    pub(crate) arg: Vec<u8>,
}

/// Argument of `upload_chunk`.
#[derive(Debug, Wire)]
pub(crate) struct UploadChunk {
    pub(crate) canister_id: CanisterId,
    pub(crate) chunk: Vec<u8>,
}

/// Argument of `canister_info`. A number is a subtype of an option of it.
#[derive(Debug, Wire)]
pub(crate) struct CanisterInfoArgs {
    pub(crate) canister_id: CanisterId,
    pub(crate) num_requested_changes: u64,
}

/// Changes that a canister's history keeps at least (interface specification, `canister_info`).
pub(crate) const HISTORY_KEPT: u64 = 20;

/// Reply of `canister_info`, as far as it is used.
#[derive(Debug, Wire)]
pub(crate) struct CanisterInfo {
    pub(crate) total_num_changes: Option<u64>,
    pub(crate) recent_changes: Option<Vec<Change>>,
    pub(crate) module_hash: Option<ModuleHash>,
    pub(crate) controllers: Option<Vec<Principal>>,
}

/// An entry of a canister's history.
#[derive(Debug, Wire)]
pub(crate) struct Change {
    pub(crate) timestamp_nanos: u64,
    pub(crate) origin: Option<Origin>,
    /// None: a change of a kind that is not used, or of one that is newer than this.
    pub(crate) details: Option<Details>,
}

/// Who made a change.
#[derive(Debug, Wire)]
pub(crate) enum Origin {
    #[serde(rename = "from_user")]
    User { user_id: Principal },
    #[serde(rename = "from_canister")]
    Canister { canister_id: Principal },
}

/// What changed.
#[derive(Debug, Wire)]
pub(crate) enum Details {
    #[serde(rename = "creation")]
    Creation(Unread),
    #[serde(rename = "code_deployment")]
    CodeDeployment(Unread),
}

/// Run state in a `canister_status` reply.
#[cfg_attr(test, derive(candid::CandidType))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub(crate) enum Status {
    #[serde(rename = "running")]
    Running,
    #[serde(rename = "stopping")]
    Stopping,
    #[serde(rename = "stopped")]
    Stopped,
}

/// Reply of `canister_status`, as far as it is used.
#[derive(Debug, Wire)]
pub(crate) struct CanisterStatus {
    pub(crate) status: Option<Status>,
    pub(crate) module_hash: Option<ModuleHash>,
    pub(crate) settings: Option<ReportedSettings>,
    pub(crate) memory_size: Option<u128>,
    pub(crate) memory_metrics: Option<MemoryMetrics>,
    pub(crate) cycles: Option<u128>,
    pub(crate) query_stats: Option<QueryStats>,
}

/// Part of a `canister_status` reply: queries answered since the canister was created.
#[derive(Debug, Wire)]
pub(crate) struct QueryStats {
    pub(crate) num_calls_total: Option<u128>,
}

/// Part of a `canister_status` reply.
#[derive(Debug, Wire)]
pub(crate) struct MemoryMetrics {
    pub(crate) snapshots_size: Option<u128>,
}

/// Settings as `canister_status` reports them.
#[derive(Debug, Wire)]
pub(crate) struct ReportedSettings {
    pub(crate) controllers: Option<Vec<Principal>>,
    pub(crate) compute_allocation: Option<u128>,
    pub(crate) memory_allocation: Option<u128>,
    pub(crate) freezing_threshold: Option<u128>,
    pub(crate) reserved_cycles_limit: Option<u128>,
    pub(crate) log_visibility: Option<Visibility>,
    pub(crate) log_memory_limit: Option<u128>,
    pub(crate) snapshot_visibility: Option<Visibility>,
    pub(crate) status_visibility: Option<Visibility>,
    pub(crate) wasm_memory_limit: Option<u128>,
    pub(crate) wasm_memory_threshold: Option<u128>,
    pub(crate) minimum_incoming_canister_call_cycles: Option<u128>,
    pub(crate) environment_variables: Option<Vec<Variable>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call;
    use candid::decode_one;
    use ic_management_canister_types as platform;

    const CANISTER: CanisterId = CanisterId(Principal::anonymous());

    #[test]
    fn the_platform_reads_a_creation_and_its_settings() {
        let settings = WarmSettings::new(vec![CANISTER.0]);
        let argument = call::encode(&CreateCanister { settings });
        let read: platform::CreateCanisterArgs = decode_one(&argument).expect("decodes");
        let settings = read.settings.expect("there are settings");
        assert_eq!(settings.controllers, Some(vec![CANISTER.0]));
        assert_eq!(settings.freezing_threshold, Some(2_592_000_u32.into()));
        let private = Some(platform::LogVisibility::Controllers);
        assert_eq!(settings.log_visibility, private);
        assert_eq!(settings.environment_variables, Some(vec![]));
    }

    #[test]
    fn the_platform_reads_an_installation() {
        let hash = ModuleHash([7; 32]);
        let argument = call::encode(&InstallChunkedCode {
            mode: InstallMode::Install,
            target_canister: CANISTER,
            store_canister: CANISTER,
            chunk_hashes_list: vec![ChunkHash { hash }],
            wasm_module_hash: hash,
            arg: vec![1, 2],
        });
        let read: platform::InstallChunkedCodeArgs = decode_one(&argument).expect("decodes");
        assert_eq!(read.mode, platform::CanisterInstallMode::Install);
        assert_eq!(read.store_canister, Some(CANISTER.0));
        assert_eq!(read.chunk_hashes_list[0].hash, hash.0);
        assert_eq!(
            (read.wasm_module_hash, read.arg),
            (hash.0.to_vec(), vec![1, 2])
        );
    }

    #[test]
    fn the_platform_reads_upgrades_and_snapshots() {
        use platform::{CanisterInstallMode, UpgradeFlags as Flags, WasmMemoryPersistence};
        let hash = ModuleHash([7; 32]);
        let mode_of = |mode| {
            let argument = call::encode(&InstallChunkedCode {
                mode,
                target_canister: CANISTER,
                store_canister: CANISTER,
                chunk_hashes_list: vec![ChunkHash { hash }],
                wasm_module_hash: hash,
                arg: vec![],
            });
            decode_one::<platform::InstallChunkedCodeArgs>(&argument)
                .expect("decodes")
                .mode
        };
        let plain = mode_of(InstallMode::Upgrade(None));
        assert_eq!(plain, CanisterInstallMode::Upgrade(None));
        let wasm_memory_persistence = Persistence::Keep;
        let keep = InstallMode::Upgrade(Some(UpgradeFlags {
            wasm_memory_persistence,
        }));
        let flags = Flags {
            skip_pre_upgrade: None,
            wasm_memory_persistence: Some(WasmMemoryPersistence::Keep),
        };
        assert_eq!(mode_of(keep), CanisterInstallMode::Upgrade(Some(flags)));
        let argument = call::encode(&SnapshotArgs {
            canister_id: CANISTER,
            snapshot_id: vec![1, 2],
        });
        let read: platform::LoadCanisterSnapshotArgs = decode_one(&argument).expect("decodes");
        assert_eq!(read.snapshot_id, vec![1, 2]);
        let read: platform::DeleteCanisterSnapshotArgs = decode_one(&argument).expect("decodes");
        assert_eq!(
            (read.canister_id, read.snapshot_id),
            (CANISTER.0, vec![1, 2])
        );
        let record = call::encode(&CanisterRecord {
            canister_id: CANISTER,
        });
        let read: platform::TakeCanisterSnapshotArgs = decode_one(&record).expect("decodes");
        assert_eq!(read.canister_id, CANISTER.0);
    }

    #[test]
    fn the_platform_reads_the_other_arguments() {
        let argument = call::encode(&CanisterInfoArgs {
            canister_id: CANISTER,
            num_requested_changes: HISTORY_KEPT,
        });
        let read: platform::CanisterInfoArgs = decode_one(&argument).expect("decodes");
        assert_eq!(read.num_requested_changes, Some(HISTORY_KEPT));
        let chunk = vec![3; 9];
        let argument = call::encode(&UploadChunk {
            canister_id: CANISTER,
            chunk: chunk.clone(),
        });
        let read: platform::UploadChunkArgs = decode_one(&argument).expect("decodes");
        assert_eq!(read.chunk, chunk);
    }
}
