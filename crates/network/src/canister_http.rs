//! Canisters in a browser: `http://<id>.localhost:<port>/` and `/?canisterId=<id>` as calls of
//! `http_request`, repeated as `http_request_update` where the canister wants it. What a canister
//! certifies is verified as on the platform; what it does not certify passes. Answers are whole:
//! one that continues in a streaming callback is refused.
//!
//! Source: HTTP gateway protocol specification.

use candid::{CandidType, Decode, Encode, Reserved};
use hatchery_engine::{Principal, Reject};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Response, StatusCode, header};
use ic_response_verification::types::VerificationInfo;
use serde::Deserialize;
use serde_bytes::ByteBuf;

use crate::api::{Api, Reply};
use crate::desk::{Job, Query};
use crate::site::Page;

/// How old a certificate may be.
const CERTIFICATE_AGE_NS_MAX: u128 = 300_000_000_000;
const SUFFIX: &str = ".localhost";

#[derive(Clone, CandidType)]
struct HttpRequest {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: ByteBuf,
    certificate_version: Option<u16>,
}

#[derive(CandidType, Deserialize)]
struct HttpResponse {
    status_code: u16,
    headers: Vec<(String, String)>,
    body: ByteBuf,
    upgrade: Option<bool>,
    streaming_strategy: Option<Reserved>,
}

/// The canister a request is for, by its host, its query or the page that it belongs to.
pub(crate) fn canister_of(head: &Parts) -> Option<Principal> {
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let by_host = host
        .strip_suffix(SUFFIX)
        .and_then(|id| Principal::from_text(id).ok());
    by_host
        .or_else(|| parameter(head.uri.query()?))
        .or_else(|| parameter(text(header::REFERER)?.split_once('?')?.1))
}

fn parameter(query: &str) -> Option<Principal> {
    let mut pairs = query
        .split(['&', '#'])
        .filter_map(|pair| pair.split_once('='));
    let (_, id) = pairs.find(|(name, _)| *name == "canisterId")?;
    Principal::from_text(id).ok()
}

/// The canister's answer.
pub(crate) async fn answer(
    api: &Api,
    canister: Principal,
    head: &Parts,
    body: &[u8],
) -> Result<Page, Reply> {
    let request = request_of(head, body);
    let arg = Encode!(&request).expect("bug: our own types encode");
    let query = Query {
        sender: Principal::anonymous(),
        canister,
        method: "http_request".to_owned(),
        arg: arg.clone(),
    };
    let answer = api.ask(|answer| Job::Query { query, answer }).await?;
    let response = decoded(canister, answer.result)?;
    if response.upgrade != Some(true) {
        verify(api, canister, &request, &response, answer.time_ns)?;
        return page(response);
    }
    let method = "http_request_update".to_owned();
    let update = |answer| Job::Update {
        canister,
        method,
        arg,
        answer,
    };
    page(decoded(canister, api.ask(update).await?)?)
}

fn request_of(head: &Parts, body: &[u8]) -> HttpRequest {
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let headers = head.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    HttpRequest {
        method: head.method.as_str().to_owned(),
        url: path.to_owned(),
        headers: headers.collect(),
        body: ByteBuf::from(body),
        certificate_version: Some(2),
    }
}

fn decoded(canister: Principal, answer: Result<Vec<u8>, Reject>) -> Result<HttpResponse, Reply> {
    let refused = |text: String| {
        let text = format!("canister {canister}: {text}");
        Reply::text(StatusCode::BAD_GATEWAY, text)
    };
    let reply = answer.map_err(|reject| refused(reject.to_string()))?;
    let response = Decode!(&reply, HttpResponse)
        .map_err(|error| refused(format!("the answer is no HTTP response: {error}")))?;
    if response.streaming_strategy.is_some() {
        let text = "the answer continues in a streaming callback, which is not supported";
        return Err(refused(text.to_owned()));
    }
    Ok(response)
}

/// Whether the canister's certificate, if it sends one, certifies the answer.
fn verify(
    api: &Api,
    canister: Principal,
    request: &HttpRequest,
    response: &HttpResponse,
    time_ns: u64,
) -> Result<(), Reply> {
    let certifies = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("ic-certificate");
    if response.headers.iter().find(certifies).is_none() {
        return Ok(());
    }
    verified(api, canister, request, response, time_ns)
        .map(drop)
        .map_err(|error| {
            let text =
                format!("the answer of canister {canister} is not what it certified: {error}");
            Reply::text(StatusCode::BAD_GATEWAY, text)
        })
}

fn verified(
    api: &Api,
    canister: Principal,
    request: &HttpRequest,
    response: &HttpResponse,
    time_ns: u64,
) -> Result<VerificationInfo, String> {
    use ic_http_certification::{HttpRequest, HttpResponse, Method, StatusCode};
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|e| e.to_string())?;
    let status = StatusCode::from_u16(response.status_code).map_err(|e| e.to_string())?;
    let asked = HttpRequest::builder()
        .with_method(method)
        .with_url(&request.url)
        .with_headers(request.headers.clone())
        .with_body(request.body.to_vec())
        .with_certificate_version(2)
        .build();
    let answered = HttpResponse::builder()
        .with_status_code(status)
        .with_headers(response.headers.clone())
        .with_body(response.body.to_vec())
        .build();
    ic_response_verification::verify_request_response_pair(
        asked,
        answered,
        canister.as_slice(),
        u128::from(time_ns),
        CERTIFICATE_AGE_NS_MAX,
        api.keys.root_key(),
        1,
    )
    .map_err(|error| error.to_string())
}

fn page(response: HttpResponse) -> Result<Page, Reply> {
    let mut page = Response::builder().status(response.status_code);
    for (name, value) in &response.headers {
        // The length and the framing are the connection's.
        let framing = ["content-length", "transfer-encoding", "connection"];
        if !framing.iter().any(|it| name.eq_ignore_ascii_case(it)) {
            page = page.header(name, value);
        }
    }
    page.body(Full::new(Bytes::from(response.body.into_vec())))
        .map_err(|error| {
            let text = format!("the canister's answer is no HTTP response: {error}");
            Reply::text(StatusCode::BAD_GATEWAY, text)
        })
}
