//! What the real root says over HTTP agrees with what it says in Candid, and shows strangers no
//! more than its spec allows.

use crate::world::{settle, start};
use candid::CandidType;
use hatchery_api::{EventsRequest, HttpResponse};
use hatchery_sim::world::{FleetWorld, stranger};
use hatchery_types::{Phase, Visibility, Wire, wire};
use serde_json::Value;

/// A request as a gateway passes it on, with more than root reads.
#[derive(CandidType, serde::Serialize)]
struct Request<'a> {
    method: &'a str,
    url: &'a str,
    headers: Vec<(&'a str, String)>,
    #[serde(with = "serde_bytes")]
    body: &'a [u8],
    certificate_version: Option<u16>,
}

fn get(world: &mut FleetWorld, url: &str) -> HttpResponse {
    let request = Request {
        method: "GET",
        url,
        headers: vec![("cookie", "c".repeat(4_000))],
        body: &[],
        certificate_version: Some(2),
    };
    let bytes = candid::encode_one(request).expect("encodes");
    let nobody = candid::Principal::anonymous();
    let answer = world
        .engine
        .query(nobody, world.root.0, "http_request", bytes);
    candid::decode_one(&answer.expect("root answers")).expect("a response")
}

fn text(world: &mut FleetWorld, url: &str) -> String {
    String::from_utf8(get(world, url).body).expect("a text")
}

fn json(world: &mut FleetWorld, url: &str) -> Value {
    serde_json::from_str(&text(world, url)).expect("JSON")
}

/// JSON of what was read in Candid.
fn same(value: &impl Wire) -> Value {
    serde_json::from_str(&wire::json(value)).expect("JSON")
}

fn header<'a>(response: &'a HttpResponse, name: &str) -> &'a str {
    let found = response
        .headers
        .iter()
        .find(|(it, _)| it.eq_ignore_ascii_case(name));
    found.map_or("", |(_, value)| value)
}

#[test]
fn http_says_what_candid_says() {
    let (mut world, spec) = start();
    settle(&mut world, &spec);

    let status = world.status().expect("root answers");
    let overview = json(&mut world, "/live/status");
    assert_eq!(overview["status"], same(&status));
    assert_eq!(overview["health"], Value::Array(vec![]));

    let rows = world.rows().expect("root answers");
    let page = json(&mut world, "/live/canisters?limit=200");
    assert_eq!(page["rows"], same(&rows));
    let ready = json(&mut world, "/live/canisters?phase=ready");
    let count = ready["rows"].as_array().map_or(0, Vec::len);
    assert_eq!(
        count,
        rows.iter().filter(|it| it.phase == Phase::Ready).count()
    );

    let plan = world.plan("workers").expect("root answers");
    let shown = json(&mut world, "/live/plan?pool=workers");
    assert_eq!(shown, same(&plan));
    let events = world.events(0).expect("root answers");
    let shown = json(&mut world, "/live/events?last=3");
    let last = events.len().saturating_sub(3);
    assert_eq!(shown["events"], same(&events[last..].to_vec()));

    let metrics = text(&mut world, "/metrics");
    for (phase, count) in &status.phases {
        let sample = format!("hatchery_canisters{{phase=\"{phase}\"}} {count}\n");
        assert!(metrics.contains(&sample), "{sample}{metrics}");
    }
    let counted = world.metrics().expect("root answers");
    assert!(!counted.counters.is_empty() && !counted.costs.is_empty());
    for it in &counted.counters {
        let (operation, ended, reason) = (&it.operation, &it.ended, &it.reason);
        let labels = format!("operation=\"{operation}\",outcome=\"{ended}\",reason=\"{reason}\"");
        let sample = format!("hatchery_operations_total{{{labels}}} {}\n", it.count);
        assert!(metrics.contains(&sample), "{sample}{metrics}");
    }
    let cycles = format!("hatchery_cycles {}\n", status.cycles.0);
    assert!(metrics.contains(&cycles), "{metrics}");
    let health = get(&mut world, "/health");
    assert_eq!((health.status_code, &*health.body), (200, &b"ok\n"[..]));
}

#[test]
fn the_page_is_certified_and_loads_nothing_from_elsewhere() {
    let (mut world, _) = start();
    let page = get(&mut world, "/?canisterId=aaaaa-aa");
    assert_eq!(page.status_code, 200);
    assert!(header(&page, "content-type").starts_with("text/html"));
    assert!(header(&page, "content-security-policy").starts_with("default-src 'none';"));
    assert!(header(&page, "ic-certificate").ends_with("version=2"));
    assert!(header(&page, "ic-certificateexpression").contains("response_certification"));
    let html = String::from_utf8(page.body).expect("a text");
    for elsewhere in ["https://", "src=", "@import", "url("] {
        assert!(!html.contains(elsewhere), "{elsewhere}");
    }
    for live in ["/live/status", "/metrics", "/health"] {
        let response = get(&mut world, live);
        let expression = header(&response, "ic-certificateexpression").to_owned();
        assert!(expression.contains("no_certification"), "{live}");
    }
    let missing = get(&mut world, "/nothing/here");
    assert_eq!(missing.status_code, 404);
    assert!(header(&missing, "ic-certificateexpression").contains("response_certification"));
}

#[test]
fn an_unhealthy_fleet_says_why() {
    let root_wasm = crate::wasm::load("hatchery_root");
    let mut world =
        FleetWorld::start(1, Some(crate::wasm::cache()), &root_wasm).expect("root installs");
    let health = get(&mut world, "/health");
    let words = String::from_utf8_lossy(&health.body).into_owned();
    assert_eq!(
        (health.status_code, &*words),
        (503, "no-spec: nothing is bought\n")
    );
    assert!(text(&mut world, "/metrics").contains("hatchery_healthy 0\n"));
}

#[test]
fn l21_strangers_see_what_the_spec_shows_them() {
    let (mut world, spec) = start();
    let events = || candid::encode_one(EventsRequest::default()).expect("encodes");
    let ask = |world: &mut FleetWorld, sender| {
        let root = world.root.0;
        world.engine.query(sender, root, "events", events()).is_ok()
    };
    assert!(ask(&mut world, stranger()));
    let closed = hatchery_types::FleetSpec {
        visibility: Some(Visibility::Operators),
        ..spec
    };
    world.apply(&closed).expect("the spec is good");
    assert!(!ask(&mut world, stranger()));
    assert!(!ask(&mut world, candid::Principal::anonymous()));
    let operator = world.operator;
    assert!(ask(&mut world, operator));
    for hidden in ["canisters", "events", "effects", "plan?pool=workers"] {
        let url = format!("/live/{hidden}");
        assert_eq!(get(&mut world, &url).status_code, 403, "{url}");
    }
    for shown in ["/", "/live/status", "/metrics"] {
        assert_eq!(get(&mut world, shown).status_code, 200, "{shown}");
    }
}
