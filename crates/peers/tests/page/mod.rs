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

/// What the page shows of rollouts that the demo does not have: one that goes on, one that stopped,
/// one that is over.
const ROLLOUTS: &str = r"(() => {
    const to = { module: 'ab'.repeat(32), since: state.now - 9e10, done: 3, failures: 0, left: 4 };
    const show = (it, upgrading, ...reasons) => (rollout({ name: 'w', rollout: it, upgrading, reasons: reasons.map(name => ({ name })) }) || {}).textContent || '';
    return [show(to, 1), show({ ...to, failures: 2 }, 0, 'upgrade-stopped'), show({ ...to, left: 0 }, 0), show(null, 0)].join('|');
})()";
const ROLLOUTS_SHOWN: &str = "Rolloutto abababababab\u{2026} for 1 m 30 s3 of 7 done1 under way0 failed|\
    Rollout stoppedto abababababab\u{2026} for 1 m 30 s3 of 7 done0 under way2 failed||";

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
    let engine = &mut demo.world_mut().engine;
    let mut wait = |done: &mut dyn FnMut() -> bool| network.serve_until(engine, done);
    let rollouts = browser.evaluate(ROLLOUTS, &mut wait);
    assert_eq!(rollouts, ROLLOUTS_SHOWN);
    use_keys(&mut browser, &mut wait);
    let (least, most) = (sizes.iter().min(), sizes.iter().max());
    assert!(least < most, "the fleet did not scale: {sizes:?}");
    assert_eq!(browser.complaints, Vec::<String>::new());
}

/// Everything can be reached and used without a mouse.
fn use_keys(browser: &mut Browser, wait: &mut dyn FnMut(&mut dyn FnMut() -> bool)) {
    let press =
        |browser: &mut Browser, key: &str, wait: &mut dyn FnMut(&mut dyn FnMut() -> bool)| {
            let text = match key {
                "Enter" => "\r",
                key if key.len() == 1 => key,
                _ => "",
            };
            for kind in ["keyDown", "keyUp"] {
                let text = if kind == "keyDown" { text } else { "" };
                let code = if key == "Tab" { 9 } else { 13 };
                let mut event = serde_json::json!({"type": kind, "key": key, "text": text});
                if key.len() > 1 {
                    event["windowsVirtualKeyCode"] = code.into();
                }
                browser.order("Input.dispatchKeyEvent", &event, wait);
            }
        };
    // Where Tab leads, from the top once round.
    let focus = "document.activeElement.id || document.activeElement.textContent";
    browser.evaluate("document.activeElement.blur(), scrollTo(0, 0)", wait);
    let mut reached = Vec::new();
    for _ in 0..40 {
        press(browser, "Tab", wait);
        let id = browser.evaluate(focus, wait);
        reached.push(id.as_str().unwrap_or_default().to_owned());
        // What comes last; behind the page's end there is nothing to press keys in.
        if id == "filter" {
            break;
        }
    }
    for id in ["hold", "theme", "phase", "filter", "plan-workers"] {
        assert!(
            reached.iter().any(|it| it == id),
            "{id} is not in {reached:?}"
        );
    }
    assert!(
        reached.iter().any(|it| it.starts_with("row-")),
        "{reached:?}"
    );
    // `p` lets the page go on and holds it; `/` goes to the filter; Enter opens a row, with why.
    browser.evaluate("document.activeElement.blur()", wait);
    let is_held = "$('hold').getAttribute('aria-pressed') + ' ' + state.held";
    press(browser, "p", wait);
    let before = browser.evaluate(is_held, wait);
    press(browser, "p", wait);
    let after = browser.evaluate(is_held, wait);
    assert_ne!(before, after);
    press(browser, "/", wait);
    assert_eq!(browser.evaluate(focus, wait), "filter");
    let open = "(async () => { $('phase').value = 'in-service'; state.after = null; await rows(); \
                const row = state.rows[0].canister; $('row-' + row).focus(); return row; })()";
    let row = browser.evaluate(open, wait);
    press(browser, "Enter", wait);
    let told = "new Promise(done => { let looks = 0; const look = () => { \
                const why = Object.values(state.whys)[0]; if (why) return done(why[0]); \
                if (++looks > 200) return done('never told'); setTimeout(look, 50); }; look(); })";
    let why = browser.evaluate(told, wait);
    let why = why.as_str().unwrap_or_default();
    assert!(why.starts_with("its pool wants "), "{row}: {why}");
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
