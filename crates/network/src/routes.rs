//! Which question a method and a path are. It reads no body.

use hatchery_engine::Principal;
use hyper::Method;

/// What a request is about besides its own content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Canister(Principal),
    Subnet(Principal),
}

/// A question of the interface (interface specification, section "HTTPS interface").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Status,
    /// `wait`: the answer is that of the call (v3, v4); else it is polled for (v2).
    Call {
        scope: Scope,
        wait: bool,
    },
    Query(Scope),
    ReadState(Scope),
    /// A browser asks what it may send.
    Preflight,
    /// No path of the interface: perhaps a canister's own.
    Other,
    /// A path of the interface that is none.
    Unknown,
    /// A path of the interface with another method.
    WrongMethod,
    BadPrincipal,
}

/// The route of a request.
pub(crate) fn route(method: &Method, path: &str) -> Route {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let ["api", version, rest @ ..] = parts.as_slice() else {
        return Route::Other;
    };
    if method == Method::OPTIONS {
        return Route::Preflight;
    }
    let found = match (*version, rest) {
        ("v2", ["status"]) if method == Method::GET => return Route::Status,
        ("v2", ["status"]) => return Route::WrongMethod,
        (_, [kind, id, question]) => question_of(version, kind, id, question),
        _ => Route::Unknown,
    };
    match found {
        Route::Call { .. } | Route::Query(_) | Route::ReadState(_) if method != Method::POST => {
            Route::WrongMethod
        }
        found => found,
    }
}

fn question_of(version: &str, kind: &str, id: &str, question: &str) -> Route {
    let id = Principal::from_text(id).map_err(|_| Route::BadPrincipal);
    let scope = match (kind, id) {
        ("canister", Ok(id)) => Scope::Canister(id),
        ("subnet", Ok(id)) => Scope::Subnet(id),
        ("canister" | "subnet", Err(bad)) => return bad,
        _ => return Route::Unknown,
    };
    match (question, version) {
        ("call", "v2" | "v3" | "v4") => Route::Call {
            scope,
            wait: version != "v2",
        },
        ("query", "v2" | "v3") => Route::Query(scope),
        ("read_state", "v2" | "v3") => Route::ReadState(scope),
        _ => Route::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::{Route, Scope, route};
    use hatchery_engine::Principal;
    use hyper::Method;

    #[test]
    fn every_path_of_the_interface_has_its_route() {
        let id = Principal::management_canister();
        let canister = Scope::Canister(id);
        let post = |path: &str| route(&Method::POST, path);
        let call = |wait| Route::Call {
            scope: canister,
            wait,
        };
        assert_eq!(route(&Method::GET, "/api/v2/status"), Route::Status);
        assert_eq!(post("/api/v2/canister/aaaaa-aa/call"), call(false));
        assert_eq!(post("/api/v3/canister/aaaaa-aa/call"), call(true));
        assert_eq!(post("/api/v4/canister/aaaaa-aa/call"), call(true));
        for version in ["v2", "v3"] {
            let path = |question: &str| post(&format!("/api/{version}/{question}"));
            assert_eq!(path("canister/aaaaa-aa/query"), Route::Query(canister));
            assert_eq!(
                path("canister/aaaaa-aa/read_state"),
                Route::ReadState(canister)
            );
            let subnet = Scope::Subnet(id);
            assert_eq!(path("subnet/aaaaa-aa/read_state"), Route::ReadState(subnet));
        }
    }

    #[test]
    fn what_is_no_path_is_said_to_be_none() {
        let id = "aaaaa-aa";
        let post = |path: &str| route(&Method::POST, path);
        assert_eq!(post("/api/v9/canister/aaaaa-aa/call"), Route::Unknown);
        assert_eq!(post("/api/v2/canister/aaaaa-aa"), Route::Unknown);
        assert_eq!(post("/api/v2/status"), Route::WrongMethod);
        assert_eq!(post("/api/v2/canister/nobody/call"), Route::BadPrincipal);
        let get = route(&Method::GET, &format!("/api/v3/canister/{id}/query"));
        assert_eq!(get, Route::WrongMethod);
        assert_eq!(route(&Method::OPTIONS, "/api/v2/status"), Route::Preflight);
        assert_eq!(route(&Method::GET, "/index.html"), Route::Other);
    }
}
