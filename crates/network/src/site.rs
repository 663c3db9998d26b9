//! Who answers a request: the platform's interface, or a canister at its own address. It adds the
//! headers that browsers want.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::http::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Response, header};

use crate::api::{Api, Reply};
use crate::canister_http;
use crate::routes::{Route, route};

/// An answer as it goes out.
pub(crate) type Page = Response<Full<Bytes>>;

/// Pages of any origin may use the interface, as on the platform.
const CROSS_ORIGIN: [(header::HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "*"),
];

/// Everything behind the socket.
pub(crate) struct Site {
    pub(crate) api: Api,
}

impl Site {
    /// Answers a request whose body was read.
    pub(crate) async fn answer(&self, head: &Parts, body: &[u8]) -> Page {
        let route = route(&head.method, head.uri.path());
        if route == Route::Other
            && let Some(canister) = canister_http::canister_of(head)
        {
            let page = canister_http::answer(&self.api, canister, head, body).await;
            return page.unwrap_or_else(plain);
        }
        plain(self.api.answer(route, body).await)
    }
}

/// A reply of the network's own.
pub(crate) fn plain(reply: Reply) -> Page {
    let kind = if reply.is_cbor {
        "application/cbor"
    } else {
        "text/plain; charset=utf-8"
    };
    let mut page = Response::new(Full::new(Bytes::from(reply.body)));
    *page.status_mut() = reply.status;
    let headers = page.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in CROSS_ORIGIN {
        headers.insert(name, HeaderValue::from_static(value));
    }
    page
}
