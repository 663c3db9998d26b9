//! Root's dashboard in a real browser, over the network's HTTP gateway, which verifies what root
//! certifies, while the demo's fleet scales.

mod browser;
mod prometheus;

use browser::Browser;
use hatchery_network::Lent;
use hatchery_sim::demo::{Demo, DemoConfig, FLEET_TOML};
use hatchery_types::wire;
use serde_json::Value;
use std::collections::BTreeMap;

/// Says that a missing browser is a failure: `cargo xtask page`.
const MUST: &str = "HATCHERY_MUST_BROWSE";
/// Virtual seconds between two looks; the demo lasts some minutes.
const BETWEEN_LOOKS: u64 = 20;

/// What the page shows after a look of its own: every field by its path, and each pool's headline.
const LOOK: &str = r#"(async () => {
    clearTimeout(timer);
    state.held = true;
    $('raw').open = true;
    await refresh();
    const fields = [...document.querySelectorAll('[data-path]')].map(it => [it.dataset.path, it.textContent]);
    const pools = [...document.querySelectorAll('#pools .card')].map(it => it.querySelector('h3').textContent + ': ' + it.querySelector('.big').textContent);
    const root = document.documentElement;
    return { fields: Object.fromEntries(fields), pools, rows: $('rows').tBodies[0].rows.length,
        events: $('events').tBodies[0].rows.length, overflow: root.scrollWidth - root.clientWidth };
})()"#;

/// The first of these programs that is installed.
pub(crate) fn installed(programs: &[&'static str]) -> Option<&'static str> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |name: &&str| std::env::split_paths(&path).any(|it| it.join(name).is_file());
    programs.iter().copied().find(is_there)
}

#[test]
fn the_page_shows_what_status_says_while_the_fleet_scales() {
    let Some(program) = browser::program() else {
        assert!(std::env::var_os(MUST).is_none(), "install chromium");
        eprintln!("skipped: chromium is not installed; `cargo xtask page` insists on it");
        return;
    };
    let config = DemoConfig {
        seed: 1,
        chaos: false,
        root_wasm: crate::load("hatchery_root"),
        worker_wasm: crate::load("hatchery_worker"),
        fleet_toml: FLEET_TOML.to_owned(),
        cache_dir: Some(crate::target().join("hatchery-cache")),
    };
    let mut demo = Demo::start(config, &mut |_| {}).expect("the demo starts");
    let root = demo.world().root;
    let mut network = Lent::start(&mut demo.world_mut().engine).expect("a port is free");
    let home = network.url();
    let folder = crate::target().join("page");
    let start = |demo: &mut Demo, network: &mut Lent| {
        let engine = &mut demo.world_mut().engine;
        let mut wait = |done: &mut dyn FnMut() -> bool| network.serve_until(engine, done);
        let mut browser = Browser::start(program, &folder, &home, &mut wait);
        let url = format!("{home}/?canisterId={root}");
        browser.order("Page.navigate", &serde_json::json!({"url": url}), &mut wait);
        let loaded = "new Promise(done => { const look = () => typeof state === 'object' && \
                      state.seen ? done(true) : setTimeout(look, 50); look(); })";
        browser.evaluate(loaded, &mut wait);
        browser
    };
    let mut browser = start(&mut demo, &mut network);
    let mut sizes = Vec::new();
    while !demo.is_over() {
        for _ in 0..BETWEEN_LOOKS {
            if !demo.is_over() {
                demo.step().expect("root answers");
            }
        }
        sizes.push(look(&mut demo, &mut network, &mut browser, sizes.len()));
    }
    let (least, most) = (sizes.iter().min(), sizes.iter().max());
    assert!(least < most, "the fleet did not scale: {sizes:?}");
    assert_eq!(browser.complaints, Vec::<String>::new());
}

/// Compares page and status once, at one of two widths in one of two schemes; members in service.
fn look(demo: &mut Demo, network: &mut Lent, browser: &mut Browser, turn: usize) -> u32 {
    let status = demo.world_mut().status().expect("root answers");
    let rows = demo.world_mut().rows().expect("root answers");
    let engine = &mut demo.world_mut().engine;
    let mut wait = |done: &mut dyn FnMut() -> bool| network.serve_until(engine, done);
    let (width, scheme) = ([1280, 390][turn % 2], ["light", "dark"][turn / 2 % 2]);
    let metrics = serde_json::json!({
        "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width == 390
    });
    browser.order("Emulation.setDeviceMetricsOverride", &metrics, &mut wait);
    let features = serde_json::json!({
        "features": [{"name": "prefers-color-scheme", "value": scheme}]
    });
    browser.order("Emulation.setEmulatedMedia", &features, &mut wait);
    let shown = browser.evaluate(LOOK, &mut wait);
    let picture = crate::target().join(format!("page/{width}-{scheme}.png"));
    std::fs::write(&picture, browser.picture(&mut wait)).expect("the target folder is writable");

    let mut expected = BTreeMap::new();
    let whole = serde_json::from_str(&wire::json(&status)).expect("JSON");
    flatten("", &whole, &mut expected);
    let fields = shown["fields"].as_object().expect("an object");
    for (path, value) in &expected {
        let field = fields.get(path).and_then(Value::as_str);
        assert!(agree(field, value), "{path}: {value} is shown as {field:?}");
    }
    assert_eq!(fields.len(), expected.len());
    for pool in &status.pools {
        let headline = format!(
            "{}: {} in service, {} desired, {} to {}",
            pool.name, pool.in_service, pool.desired, pool.min, pool.max
        );
        let pools = shown["pools"].as_array().expect("a list");
        assert!(
            pools.contains(&Value::from(headline.as_str())),
            "{headline}: {pools:?}"
        );
    }
    assert_eq!(shown["rows"], rows.len().min(25));
    assert!(shown["events"].as_u64() > Some(0));
    assert_eq!(shown["overflow"], 0, "at {width} pixels");
    status.pools.iter().map(|pool| pool.in_service).sum()
}

/// Every value by the path that the page has for it.
fn flatten(path: &str, value: &Value, into: &mut BTreeMap<String, Value>) {
    let below = |key: &str| match path {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    };
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                flatten(&below(key), value, into);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                flatten(&below(&index.to_string()), value, into);
            }
        }
        leaf => {
            into.insert(path.to_owned(), leaf.clone());
        }
    }
}

/// A number is shown as a double, which is how a browser reads it.
fn agree(shown: Option<&str>, value: &Value) -> bool {
    let Some(shown) = shown else { return false };
    match value {
        Value::String(text) => shown == text,
        Value::Number(number) => shown.parse().ok() == number.as_f64(),
        Value::Bool(flag) => shown.parse() == Ok(*flag),
        Value::Null => shown == "null",
        // Empty ones have no field, and `flatten` enters the others.
        Value::Array(_) | Value::Object(_) => false,
    }
}
