//! What root says over HTTP: the dashboard at `/`, live JSON below `/live`, `/metrics`, `/health`.
//!
//! Owns the way from a URL to a response. All of it is reads: nothing here changes anything, since
//! a gateway calls as nobody in particular. The dashboard is certified; what changes with the state
//! is not, and says so.

mod certify;
mod health;
mod metrics;
mod page;
mod scrape;

use super::method::is_closed;
use super::{endpoint, explain, now, tick, view, warm_pool, with_state};
use certify::{ANY, CERTIFIED_HEADERS, EXACTLY, Entry, Site};
use hatchery_api::{
    CanistersRequest, EffectsRequest, EventsRequest, FleetStatus, HttpRequest, HttpResponse,
    PAGE_MAX, PoolStatus, WhyRequest,
};
use hatchery_core::{State, Vitals};
use hatchery_types::wire::json;
use hatchery_types::{
    CanisterId, Cycles, FleetSpec, Level, Nanos, Phase, Principal, Topic, Visibility, Wire,
};
use std::cell::OnceCell;

thread_local! {
    static FIXED: OnceCell<Fixed> = const { OnceCell::new() };
}

/// What does not change while this module runs.
struct Fixed {
    page: Response,
    missing: Response,
    site: Site,
}

/// A response before it is proved.
#[derive(Clone)]
struct Response {
    status: u16,
    kind: &'static str,
    policy: String,
    body: Vec<u8>,
    /// The path of the entry that says how it is certified.
    path: &'static [&'static str],
}

const PAGE: &[&str] = &["", EXACTLY];
const MISSING: &[&str] = &[ANY];
/// Not `/api`: gateways keep that for the platform's own interface.
const LIVE: &[&str] = &["live", ANY];
const METRICS: &[&str] = &["metrics", EXACTLY];
const HEALTH: &[&str] = &["health", EXACTLY];

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
/// The text format of Prometheus, version 0.0.4.
const METRICS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Nothing may be loaded, run or framed.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

impl Fixed {
    fn new() -> Self {
        let page = Response {
            status: 200,
            kind: "text/html; charset=utf-8",
            policy: page::policy(),
            body: page::html().into_bytes(),
            path: PAGE,
        };
        let missing = Response {
            path: MISSING,
            ..Response::live(404, TEXT, "there is nothing here\n".to_owned())
        };
        let site = Site::new(&[
            (PAGE, page.entry()),
            (MISSING, missing.entry()),
            (LIVE, Entry::Skipped),
            (METRICS, Entry::Skipped),
            (HEALTH, Entry::Skipped),
        ]);
        Fixed {
            page,
            missing,
            site,
        }
    }
}

impl Response {
    /// One that changes with the state.
    fn live(status: u16, kind: &'static str, body: String) -> Self {
        Response {
            status,
            kind,
            policy: NOTHING.to_owned(),
            body: body.into_bytes(),
            path: LIVE,
        }
    }

    fn at(self, path: &'static [&'static str]) -> Self {
        Response { path, ..self }
    }

    fn entry(&self) -> Entry {
        match self.path {
            PAGE | MISSING => certify::response(self.status, [self.kind, &self.policy], &self.body),
            _ => Entry::Skipped,
        }
    }

    fn prove(self, site: &Site) -> HttpResponse {
        let certificate = certificate();
        let mut headers = site.headers(self.path, self.entry(), certificate.as_deref());
        let fields = CERTIFIED_HEADERS.into_iter().zip([self.kind, &self.policy]);
        headers.extend(fields.map(|(name, value)| (name.to_owned(), value.to_owned())));
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ] {
            headers.push((name.to_owned(), value.to_owned()));
        }
        HttpResponse {
            status_code: self.status,
            headers,
            body: self.body,
        }
    }
}

/// Makes the dashboard provable; for a canister whose certified data is root's.
pub fn certify() {
    FIXED.with(|fixed| ic0::certified_data_set(fixed.get_or_init(Fixed::new).site.root()));
}

/// The response to a request, whatever its method: everything here is a read.
pub fn answer(request: &HttpRequest) -> HttpResponse {
    let (path, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
    FIXED.with(|fixed| {
        let fixed = fixed.get_or_init(Fixed::new);
        let response = match path {
            "/" => fixed.page.clone(),
            "/metrics" => {
                let text = with_state(|state| metrics::text(state, &live(state)));
                Response::live(200, METRICS_TEXT, text).at(METRICS)
            }
            "/health" => {
                let (status, text) = with_state(|state| health::text(state, &live(state)));
                Response::live(status, TEXT, text).at(HEALTH)
            }
            _ => match path.strip_prefix("/live/") {
                Some(what) => read(what, &Query(query)),
                None => fixed.missing.clone(),
            },
        };
        response.prove(&fixed.site)
    })
}

/// The certificate of this query; none in a replicated message.
fn certificate() -> Option<Vec<u8>> {
    (ic0::data_certificate_present() == 1).then(|| {
        let mut bytes = vec![0; ic0::data_certificate_size()];
        ic0::data_certificate_copy(&mut bytes, 0);
        bytes
    })
}

/// What the state does not know of itself.
struct Live {
    now: Nanos,
    vitals: Vitals,
    status: FleetStatus,
}

fn live(state: &State<super::Stable>) -> Live {
    let (now, vitals) = (now(), tick::vitals());
    Live {
        now,
        vitals,
        status: view::fleet_status(state, now, vitals, tick::armed_at()),
    }
}

/// The part of a URL behind its question mark.
struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        let fields = self.0.split('&').filter_map(|field| field.split_once('='));
        fields
            .filter(|(field, value)| *field == name && !value.is_empty())
            .map(|(_, value)| value)
            .next()
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }

    /// The one of `all` that is named.
    fn one_of<T: Copy>(&self, name: &str, all: &[T], names: fn(T) -> &'static str) -> Option<T> {
        let wanted = self.get(name)?;
        all.iter().copied().find(|it| names(*it) == wanted)
    }

    fn canister(&self, name: &str) -> Option<CanisterId> {
        principal(self.get(name)?).map(CanisterId)
    }
}

/// The id in a text that we wrote ourselves: base32 behind four bytes of a checksum, which is not
/// looked at (interface specification, "Textual representation of principals").
fn principal(text: &str) -> Option<Principal> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0u32, 0);
    for digit in text.bytes().filter(|byte| *byte != b'-') {
        let value = match digit {
            b'a'..=b'z' => digit - b'a',
            b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u32::from(value);
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    Principal::try_from_slice(bytes.get(4..)?).ok()
}

/// What `/live/status` says: the answers of the queries `status` and `pool_status`, and what a page
/// needs beside them.
#[derive(Wire)]
struct Overview {
    version: String,
    now: Nanos,
    visibility: Visibility,
    reserve: Cycles,
    liquid: Cycles,
    calls: u32,
    newest_event: u64,
    health: Vec<String>,
    pool: PoolStatus,
    status: FleetStatus,
}

fn overview(state: &State<super::Stable>) -> Overview {
    let live = live(state);
    Overview {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        now: live.now,
        visibility: state
            .spec()
            .map_or(Visibility::Public, FleetSpec::visibility),
        reserve: state.spec().map_or(Cycles(0), |spec| spec.reserve),
        liquid: live.vitals.liquid,
        calls: state.counts().calls,
        newest_event: state.newest_event(),
        health: health::complaints(state, &live),
        pool: warm_pool::status(state, live.now, live.vitals, live.status.next_wake),
        status: live.status,
    }
}

/// Live JSON: the reads of `root.did` by their names.
fn read(what: &str, query: &Query<'_>) -> Response {
    let limit = query.number("limit").unwrap_or(0);
    let body = match what {
        "status" => return found(json(&with_state(overview))),
        "canisters" | "plan" | "why" | "events" | "effects" if with_state(is_closed) => {
            return refused(403, "this fleet shows its canisters to operators only");
        }
        "canisters" => json(&endpoint::canisters(&CanistersRequest {
            phase: query.one_of("phase", &Phase::ALL, Phase::name),
            parent: query.canister("parent"),
            after: query.canister("after"),
            limit,
            ..CanistersRequest::default()
        })),
        "plan" => match endpoint::plan(query.get("pool").unwrap_or_default()) {
            Ok(plan) => json(&plan),
            Err(error) => return refused(404, &error.detail),
        },
        "why" => match explain::why(&why_asked(query, limit)) {
            Ok(why) => json(&why),
            Err(error) => return refused(404, &error.detail),
        },
        "events" => {
            let newest = with_state(State::newest_event);
            let last: Option<u64> = query.number("last");
            let after = last.map(|count| newest.saturating_sub(count.min(u64::from(PAGE_MAX))));
            json(&endpoint::events(&EventsRequest {
                after: after.or_else(|| query.number("after")).unwrap_or(0),
                canister: query.canister("canister"),
                limit,
                topic: query.one_of("topic", &Topic::ALL, Topic::name),
                level: query.one_of("level", &Level::ALL, Level::name),
            }))
        }
        "effects" => json(&endpoint::effects(&EffectsRequest {
            after: query.number("after"),
            limit,
        })),
        _ => return refused(404, "there is nothing here"),
    };
    found(body)
}

/// Why a pool and its members are as they are: from a member on, when one is named.
fn why_asked(query: &Query<'_>, limit: u32) -> WhyRequest {
    let number = query.canister("canister").and_then(CanisterId::number);
    let before = number.and_then(|number| number.checked_sub(1));
    WhyRequest {
        pool: query.get("pool").unwrap_or_default().to_owned(),
        after: before.map(CanisterId::from_number),
        limit,
    }
}

fn found(body: String) -> Response {
    Response::live(200, JSON, body)
}

fn refused(status: u16, error: &str) -> Response {
    #[derive(Wire)]
    struct Refusal {
        error: String,
    }
    let error = error.to_owned();
    Response::live(status, JSON, json(&Refusal { error }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_by_name() {
        let query = Query("phase=ready&after=aaaaa-aa&limit=5&empty=&limit=9&x");
        assert_eq!(
            query.one_of("phase", &Phase::ALL, Phase::name),
            Some(Phase::Ready)
        );
        let management = CanisterId(Principal::management_canister());
        assert_eq!(query.canister("after"), Some(management));
        assert_eq!(query.number::<u32>("limit"), Some(5));
        let id = Principal::from_slice(&[0, 0, 0, 0, 1, 0x60, 0x27, 0xff, 1, 1]);
        assert_eq!(principal(&id.to_text()), Some(id));
        let long = Principal::self_authenticating([7]);
        assert_eq!(principal(&long.to_text()), Some(long));
        assert_eq!(principal("aa!"), None);
        assert_eq!(principal("aaaa"), None);
        for absent in ["empty", "x", "", "nothing"] {
            assert_eq!(query.get(absent), None, "{absent}");
        }
        assert_eq!(Query("limit=-1").number::<u32>("limit"), None);
    }

    #[test]
    fn what_is_fixed_is_certified_and_what_is_live_is_not() {
        let fixed = Fixed::new();
        assert!(matches!(fixed.page.entry(), Entry::Response(_)));
        assert!(matches!(fixed.missing.entry(), Entry::Response(_)));
        let live = Response::live(200, JSON, String::new());
        for response in [live.clone(), live.clone().at(METRICS), live.at(HEALTH)] {
            assert_eq!(response.entry(), Entry::Skipped);
        }
    }
}
