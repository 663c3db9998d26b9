//! `deploy`, `plan`, `apply`, `upgrade`: a fleet from nothing, and its changes.

use crate::stage::Stage;
use expect_test::expect_file;

#[test]
fn a_fleet_is_deployed_changed_and_never_wiped() {
    let mut stage = Stage::new("deploy");
    stage.run("check");
    stage.run("status");
    stage.run("plan");
    stage.run("deploy");
    stage.run("deploy --yes");
    stage.run("plan");
    // The second finds all as it is.
    let before = stage.json("canisters");
    stage.run("deploy --yes");
    assert_eq!(rows_of(&before), rows_of(&stage.json("canisters")));

    let file = stage.folder().join("fleet.toml");
    let text = std::fs::read_to_string(&file).expect("init wrote it");
    let changed = text
        .replace("min = 2", "min = 3")
        .replace("ttl = \"10m\"", "ttl = \"20m\"");
    std::fs::write(&file, changed).expect("a file");
    stage.run("plan");
    stage.run("apply");
    stage.rest();
    stage.run("doctor");
    let broken = text.replace("max = 12", "max = 1");
    std::fs::write(&file, broken).expect("a file");
    stage.run("plan");
    // More than root can ever pay for.
    let dear = text.replace("min = 2", "min = 1_000");
    let dear = dear.replace("max = 12", "max = 1_000");
    std::fs::write(&file, dear).expect("a file");
    stage.run("plan");
    stage.run("apply");
    std::fs::write(&file, text.replace("[pools.workers", "[pools.hashers")).expect("a file");
    stage.run("apply");
    std::fs::write(&file, text).expect("a file");
    expect_file!["../golden/deploy.txt"].assert_eq(&stage.transcript());
}

#[test]
fn root_is_upgraded_and_reinstalled_only_by_name() {
    let mut stage = Stage::deployed("upgrade-root");
    let before = stage.json("canisters");
    // Another module by its hash alone: a custom section that nobody reads.
    let other = stage.folder().join("other");
    let wasm = Stage::built("hatchery_root.wasm");
    std::fs::create_dir_all(&other).expect("a folder");
    let longer = [wasm.as_slice(), &[0, 3, 1, b'x', 7]].concat();
    std::fs::write(other.join("hatchery_root.wasm"), longer).expect("a file");
    stage.run("deploy --wasm-dir other");
    assert_eq!(rows_of(&before), rows_of(&stage.json("canisters")));
    stage.run("deploy --force");
    assert_eq!(rows_of(&before), rows_of(&stage.json("canisters")));
    stage.run("deploy --reinstall");
    stage.run("deploy --reinstall shop2 --yes");
    assert_eq!(rows_of(&before), rows_of(&stage.json("canisters")));
    stage.quietly("export -o export.json");
    stage.run("deploy --reinstall shop --no-wait");
    stage.run("recover");
    stage.run("recover --from export.json");
    stage.run("recover --done --yes");
    stage.quietly("status --until-ready 2m");
    assert_eq!(rows_of(&before), rows_of(&stage.json("canisters")));
    expect_file!["../golden/root.txt"].assert_eq(&stage.transcript());
}

/// Whatever was said last before it ended: the same command again comes to the same root and fleet.
#[test]
fn a_deploy_that_is_killed_is_finished_by_the_next() {
    let mut stage = Stage::new("killed");
    let mut root = None;
    for said in [" created", " installed", "spec 1 applied"] {
        stage.kill_once_said("deploy --yes", said);
        let found = stage.root();
        assert_eq!(*root.get_or_insert(found.clone()), found, "after `{said}`");
    }
    stage.quietly("deploy --yes");
    stage.rest();
    let before = stage.json("canisters");
    let roots = stage.folder().join(".hatchery/roots.json");
    let kept = std::fs::read(&roots).expect("deployed");

    let other = stage.folder().join("other");
    std::fs::create_dir_all(&other).expect("a folder");
    let wasm = Stage::built("hatchery_root.wasm");
    for (step, said) in ["root paused", "root stopped", " upgraded", "root goes on"]
        .into_iter()
        .enumerate()
    {
        let longer = [wasm.as_slice(), &[0, 3, 1, b'x', step as u8]].concat();
        std::fs::write(other.join("hatchery_root.wasm"), longer).expect("a file");
        stage.kill_once_said("deploy --wasm-dir other", said);
        stage.quietly("deploy --wasm-dir other");
        assert_eq!(std::fs::read(&roots).expect("deployed"), kept);
        let status = stage.json("status");
        assert_eq!(status["paused"], false, "after `{said}`");
        assert_eq!(
            rows_of(&before),
            rows_of(&stage.json("canisters")),
            "after `{said}`"
        );
    }
}

/// A root whose creation was answered to nobody is found, not paid for twice.
#[test]
fn a_creation_that_nobody_heard_of_is_found() {
    let mut stage = Stage::new("unheard");
    let canisters = |stage: &Stage| {
        let count = stage.network().visit(|engine| engine.canisters().len());
        count.expect("the network runs")
    };
    let before = canisters(&stage);
    stage.kill_once_said("deploy --yes", " created");
    assert_eq!(canisters(&stage), before + 1);
    let root = stage.root();
    // As if the program had ended before it read the answer: the request is known, the id is not.
    std::fs::remove_file(stage.folder().join(".hatchery/roots.json")).expect("it is there");
    stage.quietly("deploy --yes --no-wait");
    assert_eq!(stage.root(), root);
}

/// Ids, phases and roles.
fn rows_of(rows: &serde_json::Value) -> Vec<String> {
    let rows = rows.as_array().expect("a list").iter();
    rows.map(|row| format!("{} {} {}", row["canister"], row["phase"], row["role"]))
        .collect()
}
