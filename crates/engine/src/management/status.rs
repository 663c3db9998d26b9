//! What the management canister tells about a canister: status, history, metadata, metrics, logs.

use candid::Nat;
use ic_error_types::ErrorCode;
use ic_management_canister_types::{
    CanisterIdRecord, CanisterInfoArgs, CanisterInfoResult, CanisterLogFilter, CanisterLogRecord,
    CanisterMetadataArgs, CanisterMetadataResult, CanisterMetricsResult, CanisterStatusResult,
    CanisterStatusType, CyclesConsumed, FetchCanisterLogsArgs, FetchCanisterLogsResult,
    MemoryMetrics, NodeMetricsHistoryArgs, NodeMetricsHistoryResult, QueryStats, SubnetInfoArgs,
    SubnetInfoResult,
};
use ic_principal::Principal;

use super::settings::definite;
use super::visibility::Visibility;
use super::{Handled, Outcome, decode, encode, reply};
use crate::machine::Code;
use crate::reject::Reject;
use crate::subnet::{Canister, Request, Status, Subnet, Use, metadata_bytes};

/// Largest answer of `fetch_canister_logs`, as for any query.
const LOG_ANSWER_BYTES_MAX: usize = 2 << 20;

impl Subnet {
    pub(super) fn canister_status(&mut self, request: &Request) -> Handled {
        let sender = request.origin.principal();
        self.query_status(&sender, &request.arg).map(Outcome::Done)
    }

    pub(super) fn query_status(&self, sender: &Principal, arg: &[u8]) -> Result<Vec<u8>, Reject> {
        let args: CanisterIdRecord = decode(arg)?;
        let canister = self.existing(&args.canister_id)?;
        let may_read = canister.is_controller(sender)
            || *sender == canister.id
            || canister.settings.status_visibility.is_open_to(sender);
        if !may_read {
            return Err(Reject::not_controller(&canister.id, sender));
        }
        Ok(encode(&self.status_of(canister)))
    }

    fn status_of(&self, canister: &Canister) -> CanisterStatusResult {
        let status = match canister.status {
            Status::Running => CanisterStatusType::Running,
            Status::Stopping(_) => CanisterStatusType::Stopping,
            Status::Stopped => CanisterStatusType::Stopped,
        };
        let stopped = status == CanisterStatusType::Stopped;
        CanisterStatusResult {
            status,
            ready_for_migration: stopped && !canister.has_work(),
            version: canister.version,
            settings: definite(&canister.settings),
            module_hash: canister.module_hash().map(|hash| hash.to_vec()),
            memory_size: canister.memory_bytes().into(),
            memory_metrics: memory_metrics(canister),
            cycles: canister.balance.into(),
            reserved_cycles: Nat::default(),
            idle_cycles_burned_per_day: canister.idle_cycles_per_day(&self.context.prices).into(),
            query_stats: QueryStats {
                num_calls_total: canister.queries.calls.into(),
                num_instructions_total: canister.queries.instructions.into(),
                request_payload_bytes_total: canister.queries.request_bytes.into(),
                response_payload_bytes_total: canister.queries.response_bytes.into(),
            },
        }
    }

    /// Any canister may ask about any other.
    pub(super) fn canister_info(&mut self, request: &Request) -> Handled {
        let args: CanisterInfoArgs = decode(&request.arg)?;
        let canister = self.existing(&args.canister_id)?;
        let wanted = args.num_requested_changes.unwrap_or(0);
        reply(&CanisterInfoResult {
            total_num_changes: canister.history.total(),
            recent_changes: canister
                .history
                .last(usize::try_from(wanted).unwrap_or(usize::MAX)),
            module_hash: canister.module_hash().map(|hash| hash.to_vec()),
            controllers: canister.settings.controllers.clone(),
        })
    }

    pub(super) fn canister_metadata(&mut self, request: &Request) -> Handled {
        let args: CanisterMetadataArgs = decode(&request.arg)?;
        let canister = self.existing(&args.canister_id)?;
        let code = canister
            .code
            .as_ref()
            .ok_or_else(|| Reject::no_module(&canister.id))?;
        let section = code.module().metadata().get(&args.name);
        let section = section.filter(|section| {
            section.public || canister.is_controller(&request.origin.principal())
        });
        let section = section.ok_or_else(|| {
            Reject::new(
                ErrorCode::InvalidManagementPayload,
                format!(
                    "Canister {} has no custom section '{}' that the caller may read",
                    canister.id, args.name
                ),
            )
        })?;
        reply(&CanisterMetadataResult {
            value: section.content.clone(),
        })
    }

    pub(super) fn subnet_info(&mut self, request: &Request) -> Handled {
        let args: SubnetInfoArgs = decode(&request.arg)?;
        self.check_own_subnet(&args.subnet_id)?;
        reply(&SubnetInfoResult {
            replica_version: concat!("hatchery-engine-", env!("CARGO_PKG_VERSION")).to_owned(),
            registry_version: 1,
        })
    }

    /// Nobody proposes blocks here, so there is no history.
    pub(super) fn node_metrics_history(&mut self, request: &Request) -> Handled {
        let args: NodeMetricsHistoryArgs = decode(&request.arg)?;
        self.check_own_subnet(&args.subnet_id)?;
        reply(&NodeMetricsHistoryResult::new())
    }

    fn check_own_subnet(&self, subnet: &Principal) -> Result<(), Reject> {
        if *subnet == self.context.id {
            return Ok(());
        }
        Err(Reject::new(
            ErrorCode::SubnetNotFound,
            format!("there is no subnet {subnet} here"),
        ))
    }

    pub(super) fn canister_metrics(&mut self, request: &Request) -> Handled {
        let sender = request.origin.principal();
        self.query_metrics(&sender, &request.arg).map(Outcome::Done)
    }

    pub(super) fn query_metrics(&self, sender: &Principal, arg: &[u8]) -> Result<Vec<u8>, Reject> {
        let args: CanisterIdRecord = decode(arg)?;
        let canister = self.existing(&args.canister_id)?;
        if !canister.is_controller(sender) && *sender != canister.id {
            return Err(Reject::not_controller(&canister.id, sender));
        }
        let of = |used_for| Nat::from(canister.consumed.of(used_for));
        Ok(encode(&CanisterMetricsResult {
            cycles_consumed: CyclesConsumed {
                memory: of(Use::Memory),
                compute_allocation: of(Use::ComputeAllocation),
                ingress_induction: of(Use::Ingress),
                instructions: of(Use::Instructions),
                request_and_response_transmission: of(Use::Transmission),
                uninstall: of(Use::Uninstall),
                canister_creation: of(Use::Creation),
                http_outcalls: Nat::default(),
                burned_cycles: of(Use::Burned),
            },
        }))
    }

    pub(super) fn fetch_logs(&self, sender: &Principal, arg: &[u8]) -> Result<Vec<u8>, Reject> {
        let args: FetchCanisterLogsArgs = decode(arg)?;
        let canister = self.existing(&args.canister_id)?;
        let may_read =
            canister.is_controller(sender) || canister.settings.log_visibility.is_open_to(sender);
        if !may_read {
            return Err(Reject::new(
                ErrorCode::CanisterRejectedMessage,
                format!(
                    "Caller {sender} is not allowed to query the logs of canister {}",
                    canister.id
                ),
            ));
        }
        let matching = canister
            .logs
            .records()
            .filter(|record| is_wanted(record, args.filter.as_ref()));
        Ok(encode(&FetchCanisterLogsResult {
            canister_log_records: newest_that_fit(matching.cloned().collect()),
        }))
    }
}

fn memory_metrics(canister: &Canister) -> MemoryMetrics {
    let module = canister.code.as_ref().map(Code::module);
    MemoryMetrics {
        wasm_memory_size: canister.heap_bytes().into(),
        stable_memory_size: canister.stable_bytes().into(),
        global_memory_size: Nat::default(),
        wasm_binary_size: module.map_or(0, |module| module.raw_bytes()).into(),
        custom_sections_size: module.map_or(0, |module| metadata_bytes(module)).into(),
        canister_history_size: canister.history.bytes().into(),
        wasm_chunk_store_size: canister.chunk_store_bytes().into(),
        snapshots_size: canister.snapshot_bytes.into(),
        log_memory_store_size: canister.logs.bytes().into(),
    }
}

fn is_wanted(record: &CanisterLogRecord, filter: Option<&CanisterLogFilter>) -> bool {
    match filter {
        None => true,
        Some(CanisterLogFilter::ByIdx { start, end }) => (*start..*end).contains(&record.idx),
        Some(CanisterLogFilter::ByTimestampNanos { start, end }) => {
            (*start..*end).contains(&record.timestamp_nanos)
        }
    }
}

fn newest_that_fit(mut records: Vec<CanisterLogRecord>) -> Vec<CanisterLogRecord> {
    let mut bytes = 0;
    let fitting = records
        .iter()
        .rev()
        .take_while(|record| {
            bytes += record.content.len() + 64;
            bytes <= LOG_ANSWER_BYTES_MAX
        })
        .count();
    records.drain(..records.len() - fitting);
    records
}
