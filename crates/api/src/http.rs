//! What an HTTP gateway asks of a canister, and what it gets (interface specification, "The HTTP
//! Gateway protocol"); the fields that root has no use for are left out of the answer.

use candid::CandidType;
use hatchery_types::Wire;
use serde::Deserialize;

/// A request: of what the gateway passes on (method, headers, body), root reads the address alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct HttpRequest {
    /// Path and query.
    pub url: String,
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize, Wire)]
pub struct HttpResponse {
    /// Status.
    pub status_code: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
}
