//! The verbs that the other scripts leave out: every one is seen to work. That none is missing, in
//! this and in what it refuses, is looked at where the verbs are, beside the parser.

use crate::operate::{first, foreign};
use crate::stage::{Stage, me};
use expect_test::expect_file;

/// Signals of an hour: a wave that ends.
const RECORDING: &str = "at_s,workers,depth\n0,2,10\n600,2,60\n1200,10,60\n3600,10,10\n";
/// A pool that follows them.
const SIGNAL: &str = "\n[pools.workers.signals.depth]\ntarget = 10\n";

#[test]
fn every_other_verb_works() {
    let mut stage = Stage::new("every");
    stage.run("init -C other --name other");
    write_wave(&stage);
    stage.run("what-if --spec wave.toml --recording wave.csv");
    stage.quietly("deploy --yes");
    stage.rest();
    stage.run("spec");
    stage.run("events --last 3");
    stage.run("cycles show --by-phase");
    stage.run("replay workers 1");
    stage.run("replay workers 1 --by-root");
    // What had a role once can be exported.
    let worker = first(&mut stage, "in-service");
    stage.quietly(&format!("pool recycle {worker}"));
    stage.rest();
    stage.run(&format!("pool export {worker} --to {} --yes", me()));
    // Gone behind root's back: a reset finds out.
    let lost = first(&mut stage, "ready");
    let id = candid::Principal::from_text(&lost).expect("an id");
    let deleted = stage
        .network()
        .visit(move |engine| engine.delete_canister(id));
    assert!(deleted.expect("the network runs"));
    stage.quietly(&format!("pool recycle {lost} --no-wait"));
    stage.rest();
    stage.run(&format!("pool forget {lost} --yes"));
    expect_file!["../golden/every.txt"].assert_eq(&stage.transcript());
}

/// A recording, and the fleet that it is replayed through.
fn write_wave(stage: &Stage) {
    let folder = stage.folder();
    let text = std::fs::read_to_string(folder.join("fleet.toml")).expect("init wrote it");
    std::fs::write(folder.join("wave.csv"), RECORDING).expect("a file");
    std::fs::write(folder.join("wave.toml"), text + SIGNAL).expect("a file");
}

/// The demo's figures are another test's; here is that it prints them.
#[test]
fn the_demo_is_told_in_words() {
    let mut stage = Stage::new("demo");
    // Figures differ with root's code; which there are does not.
    stage.run_names("demo --fast --svg demo.svg");
    expect_file!["../golden/demo.txt"].assert_eq(&stage.transcript());
}

#[test]
fn changes_as_json_have_the_shape_of_the_interface() {
    let mut stage = Stage::deployed("json-of-changes");
    write_wave(&stage);
    let mut told = Vec::new();
    let mut tell = |stage: &mut Stage, label: &str, line: &str| {
        let shape = super::operate::shape(&stage.json(line));
        told.push(format!("{label}: {shape}\n"));
    };
    for line in [
        "init -C another",
        "demo --fast --svg demo.svg",
        "what-if --spec wave.toml --recording wave.csv",
        "deploy --yes",
        "apply",
        "pool pause",
        "pool resume",
        "pool requeue",
        "pool drain-surplus",
        "pool create",
        "lease take workers 1 --operation mine",
        "cycles top-up 1T --yes",
        "call status",
    ] {
        tell(&mut stage, line, line);
    }
    let leased = first(&mut stage, "leased");
    let renew = format!("lease renew workers {leased} --ttl 1h");
    tell(&mut stage, "lease renew", &renew);
    let release = format!("lease release workers {leased}");
    tell(&mut stage, "lease release", &release);
    stage.rest();
    let worker = first(&mut stage, "in-service");
    let recycle = format!("pool recycle {worker}");
    tell(&mut stage, "pool recycle", &recycle);
    stage.rest();
    // What had a role once can be exported.
    let export = format!("pool export {worker} --to {} --yes", me());
    tell(&mut stage, "pool export", &export);
    let foreign = foreign(&stage);
    tell(&mut stage, "pool import", &format!("pool import {foreign}"));
    stage.rest();
    let ready = first(&mut stage, "ready");
    let delete = format!("pool delete {ready} --yes");
    tell(&mut stage, "pool delete", &delete);
    let longer = [Stage::built("hatchery_worker.wasm"), vec![0, 3, 1, b'x', 7]].concat();
    std::fs::write(stage.folder().join("new.wasm"), longer).expect("a file");
    tell(&mut stage, "modules stage", "modules stage new.wasm");
    tell(&mut stage, "upgrade", "upgrade worker new.wasm");
    stage.rest();
    stage.quietly("export -o export.json");
    stage.quietly("deploy --reinstall shop --no-wait");
    tell(&mut stage, "recover", "recover --from export.json");
    stage.quietly("recover --done --yes");
    let lost = first(&mut stage, "ready");
    let id = candid::Principal::from_text(&lost).expect("an id");
    let deleted = stage
        .network()
        .visit(move |engine| engine.delete_canister(id));
    assert!(deleted.expect("the network runs"));
    stage.quietly(&format!("pool recycle {lost} --no-wait"));
    stage.rest();
    tell(
        &mut stage,
        "pool forget",
        &format!("pool forget {lost} --yes"),
    );
    expect_file!["../golden/json-of-changes.txt"].assert_eq(&told.concat());
}
