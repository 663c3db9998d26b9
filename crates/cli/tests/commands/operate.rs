//! Every command against a fleet that lives: what it reads, changes and refuses.

use crate::stage::{Stage, me};
use expect_test::expect_file;
use hatchery_engine::Principal;

#[test]
fn every_look_at_a_fleet() {
    let mut stage = Stage::deployed("look");
    for line in [
        "status",
        "pool status",
        "pool list",
        "pool list --phase failed",
        "workers list",
        "workers plan workers",
        "lease list",
        "modules list",
        "canisters",
        "canisters --phase in-service",
        "effects",
        "why",
        "cycles show",
        "doctor",
        "call plan (\"workers\")",
        "version",
    ] {
        stage.run(line);
    }
    let again = stage.quietly("replay workers");
    assert!(
        again.contains("the same again, wants 2, because"),
        "{again}"
    );
    assert!(again.contains("replayed by module "), "{again}");
    stage.run("workers create workers --dry-run");
    stage.run("top");
    // Figures differ from run to run; which there are does not.
    stage.run_names("metrics");
    for shell in ["bash", "zsh", "fish"] {
        let script = stage.quietly(&format!("completions {shell}"));
        for verb in ["demo", "deploy", "replay", "drain-surplus", "top-up"] {
            assert!(script.contains(verb), "{shell}: {verb}");
        }
    }
    stage.keep_identity_in_icps_store("keeper");
    stage.run("export -o export.json --identity keeper --colour never --folder .");
    let worker = first(&mut stage, "in-service");
    stage.run(&format!("canisters {worker}"));
    stage.run(&format!("why {worker}"));
    expect_file!["../golden/look.txt"].assert_eq(&stage.transcript());
}

#[test]
fn every_change_of_a_fleet() {
    let mut stage = Stage::deployed("change");
    stage.run("pool pause up");
    stage.run("pool resume");
    stage.run("pool create --operation one-more");
    stage.run("pool create --operation one-more");
    let ready = first(&mut stage, "ready");
    stage.run(&format!("pool delete {ready}"));
    stage.run(&format!("pool delete {ready} --yes"));
    let worker = first(&mut stage, "in-service");
    stage.run(&format!("pool recycle {worker}"));
    stage.quietly("status --until-ready 1m");
    stage.rest();
    stage.run("pool drain-surplus");
    stage.run("pool requeue");
    let foreign = foreign(&stage);
    stage.run(&format!("pool import {foreign} --now"));
    stage.run("lease take workers 2 --operation mine");
    let leased = first(&mut stage, "leased");
    stage.run("lease list");
    stage.run(&format!("lease renew workers {leased} --ttl 1h"));
    stage.run(&format!("lease release workers {leased}"));
    stage.run("workers report workers --total backlog=60");
    stage.run("workers create workers --operation another");
    stage.run("workers create workers --operation another");
    stage.run("cycles top-up 1T --yes");
    std::fs::copy(
        stage.folder().join("worker.wasm"),
        stage.folder().join("new.wasm"),
    )
    .expect("a copy");
    stage.run("modules stage new.wasm");
    stage.run("upgrade worker new.wasm");
    expect_file!["../golden/change.txt"].assert_eq(&stage.transcript());
}

#[test]
fn every_refusal_has_a_cause_and_a_hint() {
    let mut stage = Stage::deployed("refuse");
    let ready = first(&mut stage, "ready");
    for line in [
        "status --network testnet",
        "status --network http://10.0.0.1:4943",
        "status --network local",
        "status --root abc",
        "status --root aaaaa-aa",
        "status --root ryjl3-tyaaa-aaaaa-aaaba-cai",
        "status --identity nobody",
        "status --identity fleet.toml",
        "spec --identity anonymous",
        "pool create --identity anonymous",
        "pool list --phase asleep",
        "pool forget aaaaa-aa --yes",
        "workers list hashers",
        "workers create hashers",
        "replay hashers",
        "replay workers 9999",
        "metrics --network http://127.0.0.1:9",
        "completions tcl",
        "up --once -C nowhere",
        "lease take hashers",
        "canisters ryjl3-tyaaa-aaaaa-aaaba-cai",
        "why hashers",
        "modules stage fleet.toml",
        "modules stage none.wasm",
        "upgrade hasher worker.wasm",
        "call plan (3)",
        "call dance",
        "recover --from fleet.toml",
        "init",
        "deploy --cycles many",
        "check none.toml",
        "demo --fast --fleet none.toml",
        "what-if --spec fleet.toml --recording none.csv",
        "pool status --network http://127.0.0.1:9",
        "pool import none",
        "pool requeue none",
        "lease release hashers ryjl3-tyaaa-aaaaa-aaaba-cai",
        "pool recycle ryjl3-tyaaa-aaaaa-aaaba-cai",
        "pool requeue ryjl3-tyaaa-aaaaa-aaaba-cai",
        "pool export ryjl3-tyaaa-aaaaa-aaaba-cai --to registry",
        "pool drain-surplus --identity anonymous",
        "pool pause sideways",
        "pool resume --identity anonymous",
        "workers plan hashers",
        "workers report hashers --total backlog=3",
        "workers report workers --total backlog",
        "lease renew workers ryjl3-tyaaa-aaaaa-aaaba-cai --ttl 1h",
        "lease renew workers ryjl3-tyaaa-aaaaa-aaaba-cai --ttl long",
        "lease list --identity fleet.toml",
        "modules list --root abc",
        "events --topic weather",
        "events --last many",
        "effects all",
        "cycles show --root aaaaa-aa",
        "cycles top-up 900000000T --yes",
        "cycles top-up lots",
        "doctor --network http://127.0.0.1:9",
        "export -o none/export.json",
        "version now",
        "replay workers 1 --wasm-dir .",
    ] {
        stage.run(line);
    }
    stage.run(&format!("lease release workers {ready}"));
    stage.run(&format!("pool forget {ready} --yes"));
    expect_file!["../golden/refuse.txt"].assert_eq(&stage.transcript());
}

#[test]
fn answers_as_json_have_the_shape_of_the_interface() {
    let mut stage = Stage::deployed("json");
    let lines = [
        "status",
        "pool status",
        "pool list",
        "workers list",
        "workers plan",
        "lease list",
        "modules list",
        "canisters",
        "events --last 1",
        "effects",
        "why",
        "cycles show",
        "doctor",
        "plan",
        "export",
        "spec",
        "version",
        "check",
        "pool create",
        "lease take workers 1",
        "workers report workers",
        "workers create workers",
        "metrics",
        "replay workers 1",
    ];
    let shapes = lines.map(|line| format!("{line}: {}\n", shape(&stage.json(line))));
    expect_file!["../golden/json.txt"].assert_eq(&shapes.concat());
}

/// The names and kinds of an answer. What of a status comes and goes with the moment is left as it is
/// at rest.
pub(crate) fn shape(answer: &serde_json::Value) -> String {
    let mut answer = answer.clone();
    if answer.get("next_wake").is_some() {
        answer["next_wake"] = serde_json::json!(0);
    }
    if answer.get("effects").is_some() {
        answer["effects"] = serde_json::json!([]);
    }
    shape_of(&answer)
}

/// The names and kinds of a value, lists by their first.
fn shape_of(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "text".to_owned(),
        Value::Array(items)
            if items.len() == 2 && !items[0].is_object() && items[1].is_object() =>
        {
            format!("[{}, {}]", shape_of(&items[0]), shape_of(&items[1]))
        }
        Value::Array(items) => format!("[{}]", items.first().map(shape_of).unwrap_or_default()),
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}: {}", shape_of(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// The first canister in a phase, as soon as there is one.
pub(crate) fn first(stage: &mut Stage, phase: &str) -> String {
    let line = format!("canisters --phase {phase}");
    let rows = stage.until(&line, |rows| rows[0]["canister"].is_string());
    let first = rows[0]["canister"].as_str();
    first.expect("was waited for").to_owned()
}

/// An empty canister that root and the operator control.
pub(crate) fn foreign(stage: &Stage) -> Principal {
    let root =
        std::fs::read_to_string(stage.folder().join(".hatchery/roots.json")).expect("deployed");
    let roots: serde_json::Value = serde_json::from_str(&root).expect("JSON");
    let root = roots
        .as_object()
        .and_then(|roots| roots.values().next()?.as_str());
    let root = Principal::from_text(root.expect("one root")).expect("an id");
    let me = me();
    let made = stage.network().visit(move |engine| {
        let canister = engine.create_canister(me, 5_000_000_000_000);
        engine.set_controllers(canister, vec![me, root]);
        canister
    });
    made.expect("the network runs")
}
