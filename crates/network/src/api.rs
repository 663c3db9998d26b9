//! The interface of the platform over HTTP: which answer a question gets, in CBOR, or which status
//! and text when it gets none. It reads no socket and runs no engine.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use hatchery_engine::{Reject, RejectCode as EngineRejectCode};
use hyper::StatusCode;
use ic_transport_types::{
    EnvelopeContent, NodeSignature, QueryResponse, ReadStateResponse, RejectCode, RejectResponse,
    ReplyResponse, RequestId, TransportCallResponse,
};
use serde::Serialize;
use serde_bytes::Bytes;
use tokio::sync::oneshot;

use crate::cbor;
use crate::clock::Clock;
use crate::desk::{Call, CallAnswer, Job, Query, QueryAnswer, Sight};
use crate::envelope::Authentic;
use crate::key::Keys;
use crate::routes::{Route, Scope};
use crate::tree::Label;

/// How long a call is waited for before its sender is told to poll.
const CALL_WAIT: Duration = Duration::from_secs(10);
/// Paths in one `read_state`, and labels in one path (interface specification, "Read state").
const PATHS_MAX: usize = 1_000;
const LABELS_MAX: usize = 127;

/// An answer: status, whether the body is CBOR or text, body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) is_cbor: bool,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    fn cbor<T: Serialize>(value: &T) -> Reply {
        Reply {
            status: StatusCode::OK,
            is_cbor: true,
            body: cbor::encode(value),
        }
    }

    /// A refusal with its cause.
    pub(crate) fn text(status: StatusCode, text: impl Into<String>) -> Reply {
        Reply {
            status,
            is_cbor: false,
            body: text.into().into_bytes(),
        }
    }
}

/// What `GET /api/v2/status` answers.
#[derive(Serialize)]
struct About<'a> {
    ic_api_version: &'a str,
    impl_version: &'a str,
    replica_health_status: &'a str,
    root_key: &'a Bytes,
}

/// The interface of one network.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) jobs: Sender<Job>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) keys: Arc<Keys>,
}

impl Api {
    /// Answers a question whose body was read.
    pub(crate) async fn answer(&self, route: Route, body: &[u8]) -> Reply {
        let answered = match route {
            Route::Status => Ok(self.status()),
            Route::Call { scope, wait } => self.call(scope, wait, body).await,
            Route::Query(scope) => self.query(scope, body).await,
            Route::ReadState(scope) => self.read_state(scope, body).await,
            Route::Preflight => Ok(Reply::text(StatusCode::NO_CONTENT, "")),
            Route::WrongMethod => Err(Reply::text(
                StatusCode::METHOD_NOT_ALLOWED,
                "status is for GET; call, query and read_state are for POST",
            )),
            Route::BadPrincipal => Err(Reply::text(
                StatusCode::BAD_REQUEST,
                "the id in the path is not a principal",
            )),
            Route::Other | Route::Unknown => Err(Reply::text(
                StatusCode::NOT_FOUND,
                "there is nothing at this path",
            )),
        };
        answered.unwrap_or_else(|refusal| refusal)
    }

    fn status(&self) -> Reply {
        Reply::cbor(&About {
            ic_api_version: "0.66.0",
            impl_version: env!("CARGO_PKG_VERSION"),
            replica_health_status: "healthy",
            root_key: Bytes::new(self.keys.root_key()),
        })
    }

    async fn call(&self, scope: Scope, wait: bool, body: &[u8]) -> Result<Reply, Reply> {
        let authentic = self.authentic(body)?;
        check_scope(scope, &authentic)?;
        let Authentic { content, request } = authentic;
        let EnvelopeContent::Call {
            ingress_expiry,
            sender,
            canister_id,
            method_name,
            arg,
            ..
        } = content
        else {
            return Err(wrong_content("call"));
        };
        let call = Call {
            request,
            sender,
            expires_ns: ingress_expiry,
            canister: canister_id,
            method: method_name,
            arg,
        };
        let (answer, answered) = oneshot::channel();
        self.send(Job::Call { call, wait, answer })?;
        match tokio::time::timeout(CALL_WAIT, answered).await {
            Err(_) => Ok(accepted()),
            Ok(answer) => Ok(call_reply(answer.map_err(|_| stopped())?)),
        }
    }

    async fn query(&self, scope: Scope, body: &[u8]) -> Result<Reply, Reply> {
        let authentic = self.authentic(body)?;
        check_scope(scope, &authentic)?;
        let Authentic { content, request } = authentic;
        let EnvelopeContent::Query {
            sender,
            canister_id,
            method_name,
            arg,
            ..
        } = content
        else {
            return Err(wrong_content("query"));
        };
        let query = Query {
            sender,
            canister: canister_id,
            method: method_name,
            arg,
        };
        let answer = self.ask(|answer| Job::Query { query, answer }).await?;
        Ok(Reply::cbor(&self.signed(answer, &request)))
    }

    /// A query's answer with the node's signature.
    fn signed(&self, answer: QueryAnswer, request: &[u8; 32]) -> QueryResponse {
        let unsigned = match answer.result {
            Ok(arg) => QueryResponse::Replied {
                reply: ReplyResponse { arg },
                signatures: Vec::new(),
            },
            Err(reject) => QueryResponse::Rejected {
                reject: reject_response(reject),
                signatures: Vec::new(),
            },
        };
        let signable = unsigned.signable(RequestId::new(request), answer.time_ns);
        let signature = NodeSignature {
            timestamp: answer.time_ns,
            signature: self.keys.sign_response(&signable),
            identity: self.keys.node_id(),
        };
        let mut signed = unsigned;
        let (QueryResponse::Replied { signatures, .. }
        | QueryResponse::Rejected { signatures, .. }) = &mut signed;
        signatures.push(signature);
        signed
    }

    async fn read_state(&self, scope: Scope, body: &[u8]) -> Result<Reply, Reply> {
        let Authentic { content, .. } = self.authentic(body)?;
        let EnvelopeContent::ReadState { sender, paths, .. } = content else {
            return Err(wrong_content("read_state"));
        };
        let paths: Vec<Vec<Label>> = paths
            .into_iter()
            .map(|path| path.iter().map(|label| label.as_bytes().to_vec()).collect())
            .collect();
        check_paths(scope, &paths)?;
        let job = |answer| Job::ReadState {
            sender,
            paths,
            answer,
        };
        match self.ask(job).await? {
            Ok(certificate) => Ok(Reply::cbor(&ReadStateResponse { certificate })),
            Err(sight) => Err(Reply::text(
                StatusCode::FORBIDDEN,
                match sight {
                    Sight::PrivateMetadata => "these metadata are for controllers of the canister",
                    _ => "the request is another sender's",
                },
            )),
        }
    }

    fn authentic(&self, body: &[u8]) -> Result<Authentic, Reply> {
        Authentic::read(body, self.clock.now_ns()).map_err(|error| {
            let status = if error.is_forbidden() {
                StatusCode::FORBIDDEN
            } else {
                StatusCode::BAD_REQUEST
            };
            Reply::text(status, error.to_string())
        })
    }

    /// Sends a job and waits for its answer.
    pub(crate) async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<T>) -> Job,
    ) -> Result<T, Reply> {
        let (answer, answered) = oneshot::channel();
        self.send(job(answer))?;
        answered.await.map_err(|_| stopped())
    }

    fn send(&self, job: Job) -> Result<(), Reply> {
        self.jobs.send(job).map_err(|_| stopped())
    }
}

fn stopped() -> Reply {
    Reply::text(StatusCode::SERVICE_UNAVAILABLE, "the network is stopping")
}

fn accepted() -> Reply {
    Reply::text(StatusCode::ACCEPTED, "")
}

fn wrong_content(wanted: &str) -> Reply {
    let text = format!("this path is for requests of type {wanted}");
    Reply::text(StatusCode::BAD_REQUEST, text)
}

fn call_reply(answer: CallAnswer) -> Reply {
    match answer {
        CallAnswer::Certified(certificate) => {
            Reply::cbor(&TransportCallResponse::Replied { certificate })
        }
        CallAnswer::Refused(reject) => Reply::cbor(&TransportCallResponse::NonReplicatedRejection(
            reject_response(reject),
        )),
        CallAnswer::Accepted => accepted(),
        CallAnswer::Full => Reply::text(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many requests are remembered; try again when some have expired",
        ),
    }
}

fn reject_response(reject: Reject) -> RejectResponse {
    let reject_code = match reject.code {
        EngineRejectCode::SysFatal => RejectCode::SysFatal,
        // Users are never told "unknown" (6): only best-effort calls of canisters are.
        EngineRejectCode::SysTransient | EngineRejectCode::SysUnknown => RejectCode::SysTransient,
        EngineRejectCode::DestinationInvalid => RejectCode::DestinationInvalid,
        EngineRejectCode::CanisterReject => RejectCode::CanisterReject,
        EngineRejectCode::CanisterError => RejectCode::CanisterError,
    };
    RejectResponse {
        reject_code,
        error_code: Some(reject.error.to_string()),
        reject_message: reject.message,
    }
}

/// The path must name whom the call concerns (interface specification, "Effective canister id").
fn check_scope(scope: Scope, authentic: &Authentic) -> Result<(), Reply> {
    let concerned = authentic.concerned();
    match (scope, concerned) {
        (Scope::Canister(id), Some(concerned)) if id == concerned => Ok(()),
        (_, None) => Ok(()),
        (_, Some(concerned)) => {
            let text = format!("the path must name whom the call concerns, {concerned}");
            Err(Reply::text(StatusCode::BAD_REQUEST, text))
        }
    }
}

/// Only these can be asked for (interface specification, "Read state").
fn check_paths(scope: Scope, paths: &[Vec<Label>]) -> Result<(), Reply> {
    let bad = |text: String| Err(Reply::text(StatusCode::BAD_REQUEST, text));
    if paths.len() > PATHS_MAX || paths.iter().any(|path| path.len() > LABELS_MAX) {
        return bad(format!(
            "at most {PATHS_MAX} paths of at most {LABELS_MAX} labels can be read at once"
        ));
    }
    let mut request = None;
    for path in paths {
        let labels: Vec<&[u8]> = path.iter().map(Vec::as_slice).collect();
        let readable = match labels.as_slice() {
            [b"time"] | [b"subnet" | b"canister_ranges", ..] => true,
            [b"request_status", id] | [b"request_status", id, _] => {
                *request.get_or_insert(*id) == *id
            }
            [b"canister", id, b"module_hash" | b"controllers"]
            | [b"canister", id, b"metadata", _] => {
                matches!(scope, Scope::Canister(scope) if scope.as_slice() == *id)
            }
            _ => false,
        };
        if !readable {
            let path: Vec<String> = labels.iter().map(|label| escaped(label)).collect();
            return bad(format!("the path /{} cannot be read here", path.join("/")));
        }
    }
    Ok(())
}

fn escaped(label: &[u8]) -> String {
    label.escape_ascii().to_string()
}
