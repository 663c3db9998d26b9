//! The canister that all peers talk to: a counter that also refuses, logs, certifies and answers
//! browsers. WebAssembly text with Candid bytes put in; no compiler needed.

use std::fmt::Write as _;

use candid::{CandidType, Encode};

/// Its interface, as its metadata say it.
pub(crate) const CANDID: &str = "service : (opt nat64) -> {
  inc : () -> (nat64);
  get : () -> (nat64) query;
  refuse : () -> ();
  http_request : (record { url : text }) -> (record { status_code : nat16; headers : vec record { text; text }; body : blob }) query;
}
";

#[derive(CandidType)]
struct Page {
    status_code: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// The module; a module with another `version` has other bytes and does the same.
pub(crate) fn module(version: u32) -> Vec<u8> {
    let page = Page {
        status_code: 200,
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        body: b"<h1>counter</h1>".to_vec(),
    };
    let page = Encode!(&page).expect("bug: our own types encode");
    let text = include_str!("counter.wat")
        .replace("$PAGE_BYTES", &page.len().to_string())
        .replace("$PAGE", &escaped(&page))
        .replace("$CANDID", &escaped(CANDID.as_bytes()))
        .replace("$VERSION", &version.to_string());
    wat::parse_str(text).expect("bug: the counter is valid")
}

/// As a string of WebAssembly text.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "\\{byte:02x}").expect("bug: writing to a text cannot fail");
    }
    text
}
