//! The management canister: who may call which method, and the way of a call through it. What each
//! method does is in the rooms beside this one.
//!
//! Calls are handled in their sender's order, senders in turn, until the round's instructions for
//! management are used; the answer arrives in the round after.

mod chunks;
mod install;
mod lifecycle;
mod metering;
mod settings;
mod snapshots;
mod status;
mod transfer;
mod visibility;

use candid::utils::decode_one_with_config;
use candid::{CandidType, DecoderConfig, Encode};
use ic_error_types::ErrorCode;
use ic_principal::Principal;
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub(crate) use install::LongInstall;
pub(crate) use snapshots::Snapshots;

use crate::faults::{Point, Verdict};
use crate::reject::Reject;
use crate::subnet::{Canister, Origin, Request, Subnet};
use crate::trace::Event;

/// What a method did.
pub(crate) enum Outcome {
    /// It is done; the answer leaves now.
    Done(Vec<u8>),
    /// The call was put aside and will be answered later.
    Later,
}

pub(crate) type Handled = Result<Outcome, Reject>;

impl Subnet {
    /// Checks an ingress message to the management canister and returns who pays for it.
    ///
    /// # Errors
    /// Methods that only canisters may call, and callers that do not control the canister.
    pub(crate) fn admit_management_ingress(
        &self,
        sender: &Principal,
        method: &str,
        arg: &[u8],
    ) -> Result<Option<Principal>, Reject> {
        match method {
            "provisional_create_canister_with_cycles" => return Ok(None),
            "provisional_top_up_canister" => {
                let target = effective_canister(arg)?;
                self.existing(&target)?;
                return Ok(None);
            }
            _ if !OPEN_TO_USERS.contains(&method) => {
                return Err(if is_method(method) {
                    only_canisters(method)
                } else {
                    unknown_method(method)
                });
            }
            _ => {}
        }
        let target = effective_canister(arg)?;
        let canister = self.existing(&target)?;
        if !canister.is_controller(sender) {
            return Err(Reject::not_controller(&target, sender));
        }
        Ok(Some(target))
    }

    /// Handles one call and answers it, unless it was put aside.
    pub(crate) fn handle_management(&mut self, mut request: Request) {
        self.start_ingress(&request.origin);
        let method = request.method.clone();
        let sender = request.origin.principal();
        let handled = match self.fault_on_management(&request) {
            Some(reject) => Err(reject),
            None => self.dispatch(&mut request),
        };
        let error = handled.as_ref().err().map(|reject| reject.error);
        self.record(|| Event::Managed {
            sender,
            method,
            target: effective_canister(&request.arg).ok(),
            error,
        });
        match handled {
            Ok(Outcome::Later) => {}
            Ok(Outcome::Done(reply)) => {
                self.answer_next_round(&request.origin, Ok(reply), request.cycles);
            }
            Err(reject) => self.answer_next_round(&request.origin, Err(reject), request.cycles),
        }
    }

    fn fault_on_management(&mut self, request: &Request) -> Option<Reject> {
        let Origin::Canister {
            caller,
            deadline_ns,
            ..
        } = &request.origin
        else {
            return None;
        };
        let callee = Principal::management_canister();
        match self.fault(Point::Enter, caller, &callee, &request.method, *deadline_ns)? {
            Verdict::Reject { code } => Some(crate::subnet::reject_by_fault(code)),
            _ => None,
        }
    }

    fn dispatch(&mut self, request: &mut Request) -> Handled {
        let method = request.method.as_str();
        if !is_method(method) {
            return Err(unknown_method(method));
        }
        if matches!(request.origin, Origin::Ingress { .. }) && ONLY_CANISTERS.contains(&method) {
            return Err(only_canisters(method));
        }
        check_sender_version(request)?;
        match method {
            "create_canister" => self.create_canister(request),
            "provisional_create_canister_with_cycles" => self.provisional_create(request),
            "provisional_top_up_canister" => self.provisional_top_up(request),
            "update_settings" => self.update_settings(request),
            "install_code" => self.install_code(request),
            "install_chunked_code" => self.install_chunked_code(request),
            "upload_chunk" => self.upload_chunk(request),
            "stored_chunks" => self.stored_chunks(request),
            "clear_chunk_store" => self.clear_chunk_store(request),
            "uninstall_code" => self.uninstall_code(request),
            "start_canister" => self.start_canister(request),
            "stop_canister" => self.stop_canister(request),
            "delete_canister" => self.delete_canister(request),
            "canister_status" => self.canister_status(request),
            "canister_info" => self.canister_info(request),
            "canister_metadata" => self.canister_metadata(request),
            "canister_metrics" => self.canister_metrics(request),
            "deposit_cycles" => self.deposit_cycles(request),
            "raw_rand" => reply(&self.draw_random().to_vec()),
            "take_canister_snapshot" => self.take_canister_snapshot(request),
            "load_canister_snapshot" => self.load_canister_snapshot(request),
            "list_canister_snapshots" => self.list_canister_snapshots(request),
            "delete_canister_snapshot" => self.delete_canister_snapshot(request),
            "read_canister_snapshot_metadata" => self.read_snapshot_metadata(request),
            "read_canister_snapshot_data" => self.read_snapshot_data(request),
            "upload_canister_snapshot_metadata" => self.upload_snapshot_metadata(request),
            "upload_canister_snapshot_data" => self.upload_snapshot_data(request),
            "subnet_info" => self.subnet_info(request),
            "node_metrics_history" => self.node_metrics_history(request),
            _ => Err(not_here(method)),
        }
    }

    /// Queries to the management canister, from users and from composite queries.
    ///
    /// # Errors
    /// Methods that are no queries, and callers who may not read.
    pub(crate) fn management_query(
        &mut self,
        sender: &Principal,
        method: &str,
        arg: &[u8],
    ) -> Result<Vec<u8>, Reject> {
        match method {
            "canister_status" => self.query_status(sender, arg),
            "canister_metrics" => self.query_metrics(sender, arg),
            "fetch_canister_logs" => self.fetch_logs(sender, arg),
            "list_canisters" => Err(Reject::new(
                ErrorCode::CanisterRejectedMessage,
                "only admins of the subnet may list its canisters, and this one has none",
            )),
            _ => Err(Reject::new(
                ErrorCode::CanisterMethodNotFound,
                format!("Query method {method} not found."),
            )),
        }
    }

    /// # Errors
    /// There is no such canister.
    pub(crate) fn existing(&self, id: &Principal) -> Result<&Canister, Reject> {
        self.canisters.get(id).ok_or_else(|| Reject::not_found(id))
    }

    /// # Errors
    /// There is no such canister, or the sender does not control it.
    pub(crate) fn controlled(
        &mut self,
        id: &Principal,
        origin: &Origin,
    ) -> Result<&mut Canister, Reject> {
        let sender = origin.principal();
        let canister = self
            .canisters
            .get_mut(id)
            .ok_or_else(|| Reject::not_found(id))?;
        if canister.is_controller(&sender) {
            Ok(canister)
        } else {
            Err(Reject::not_controller(id, &sender))
        }
    }
}

/// Methods that a controller may also call by ingress.
const OPEN_TO_USERS: [&str; 21] = [
    "update_settings",
    "install_code",
    "install_chunked_code",
    "upload_chunk",
    "stored_chunks",
    "clear_chunk_store",
    "uninstall_code",
    "start_canister",
    "stop_canister",
    "delete_canister",
    "canister_status",
    "canister_metrics",
    "take_canister_snapshot",
    "load_canister_snapshot",
    "list_canister_snapshots",
    "delete_canister_snapshot",
    "read_canister_snapshot_metadata",
    "read_canister_snapshot_data",
    "upload_canister_snapshot_metadata",
    "upload_canister_snapshot_data",
    "rename_canister",
];

const ONLY_CANISTERS: [&str; 7] = [
    "create_canister",
    "canister_info",
    "canister_metadata",
    "deposit_cycles",
    "raw_rand",
    "subnet_info",
    "node_metrics_history",
];

/// Methods of the platform that this engine does not have.
const NOT_HERE: [&str; 14] = [
    "rename_canister",
    "list_canisters",
    "subnet_metrics",
    "http_request",
    "flexible_http_request",
    "ecdsa_public_key",
    "sign_with_ecdsa",
    "schnorr_public_key",
    "sign_with_schnorr",
    "vetkd_public_key",
    "vetkd_derive_key",
    "fetch_canister_logs",
    "bitcoin_get_balance",
    "bitcoin_get_utxos",
];

fn is_method(method: &str) -> bool {
    OPEN_TO_USERS.contains(&method)
        || ONLY_CANISTERS.contains(&method)
        || NOT_HERE.contains(&method)
        || method.starts_with("provisional_")
}

fn unknown_method(method: &str) -> Reject {
    Reject::new(
        ErrorCode::CanisterMethodNotFound,
        format!("Management canister has no method '{method}'"),
    )
}

fn not_here(method: &str) -> Reject {
    Reject::new(
        ErrorCode::UnknownManagementMessage,
        format!("Management method '{method}' is not available on this network"),
    )
}

fn only_canisters(method: &str) -> Reject {
    Reject::new(
        ErrorCode::CanisterRejectedMessage,
        format!("Only canisters can call ic00 method {method}"),
    )
}

#[derive(CandidType, Deserialize)]
struct EffectiveCanister {
    canister_id: Option<Principal>,
    target_canister: Option<Principal>,
}

/// The canister a call is about.
fn effective_canister(arg: &[u8]) -> Result<Principal, Reject> {
    let fields: EffectiveCanister = decode(arg)?;
    fields
        .canister_id
        .or(fields.target_canister)
        .ok_or_else(|| Reject::bad_payload("neither canister_id nor target_canister is given"))
}

#[derive(CandidType, Deserialize)]
struct SenderVersion {
    sender_canister_version: Option<u64>,
}

/// The version a canister says it has, if it says so.
pub(crate) fn stated_version(request: &Request) -> Option<u64> {
    decode::<SenderVersion>(&request.arg)
        .ok()?
        .sender_canister_version
}

/// A canister that states its version must state the right one (interface specification, section
/// "IC management canister").
fn check_sender_version(request: &Request) -> Result<(), Reject> {
    if !matches!(request.origin, Origin::Canister { .. }) {
        return Ok(());
    }
    match stated_version(request) {
        Some(stated) if stated != request.sender_version => Err(Reject::new(
            ErrorCode::CanisterContractViolation,
            format!(
                "sender_canister_version is {stated}, the sender's version is {}",
                request.sender_version
            ),
        )),
        _ => Ok(()),
    }
}

/// Work that decoding may cost beside what the length of the argument explains.
const DECODING_BASE: usize = 1_000_000;
const DECODING_PER_BYTE: usize = 50;

/// Decodes the first argument; whatever is malformed, or costs far more than its length, is the
/// caller's error.
pub(crate) fn decode<T: CandidType + DeserializeOwned>(arg: &[u8]) -> Result<T, Reject> {
    let mut config = DecoderConfig::new();
    config.set_decoding_quota(DECODING_BASE + DECODING_PER_BYTE * arg.len());
    decode_one_with_config(arg, &config).map_err(Reject::bad_payload)
}

pub(crate) fn encode<T: CandidType>(value: &T) -> Vec<u8> {
    Encode!(value).expect("bug: a reply of the management canister cannot be encoded")
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the last words of methods that may refuse"
)]
pub(crate) fn reply<T: CandidType>(value: &T) -> Handled {
    Ok(Outcome::Done(encode(value)))
}

/// The empty reply `()`.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the last words of methods that may refuse"
)]
pub(crate) fn reply_nothing() -> Handled {
    Ok(Outcome::Done(empty()))
}

fn empty() -> Vec<u8> {
    candid::encode_args(()).expect("bug: no arguments cannot be encoded")
}
