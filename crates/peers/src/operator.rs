//! `icp` as the operator of a fleet: root through its Candid interface, as anybody can who never
//! heard of the program `hatchery`.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use candid::Principal;
use hatchery_engine::InstallMode;
use hatchery_network::Network;

use crate::icp::{Icp, PEER};
use crate::report::Report;

/// Cycles of a root that will buy a canister.
const CYCLES: u128 = 50_000_000_000_000;
/// A fleet of a warm pool alone.
const SPEC: &str = "(record {name=\"peer\";controllers=vec{};reserve=10_000_000_000_000:nat;\
lanes=record{create=2:nat32;reset=2:nat32;install=2:nat32};\
warm_pool=record{minimum=0:nat32;maximum=3:nat32;cycles=5_000_000_000_000:nat;\
floor=1_000_000_000_000:nat;sweep_above=null;target_percent=0:nat32;schedule=vec{};\
release_to=null;first_check=0:nat64;watchdog=0:nat64};roles=vec{};pools=vec{};\
visibility=null;top_up=null;grants=vec{}})";
const CREATE: &str = "(record{operation=\"one\";command=variant{CreateEmpty}})";
const PAUSE: &str = "(record{operation=\"halt\";command=variant{Pause=record{direction=null}}})";

/// Every check of a fleet that `icp` operates.
pub(crate) fn run(network: &Network, icp: &Icp, report: &mut Report) {
    let mut note = |check: &str, outcome: anyhow::Result<String>| {
        report.note(&format!("{PEER} operates root: {check}"), outcome)
    };
    let Some(root) = note("install", root(network, icp)) else {
        return;
    };
    let steps: [(&str, &str, &str, &str); 8] = [
        ("apply_spec", "apply_spec", SPEC, "Ok"),
        ("status", "status", "()", "\"peer\""),
        ("create", "command", CREATE, "InProgress"),
        ("create, again", "command", CREATE, "Created"),
        ("pool_list", "pool_list", "(record{limit=0:nat32})", "Ready"),
        ("pause", "command", PAUSE, "Done"),
        ("spec", "spec", "()", "\"peer\""),
        ("violations", "violations", "()", "vec {}"),
    ];
    for (check, method, argument, words) in steps {
        note(check, ask(icp, &root, method, argument, words));
    }
}

/// A root that `icp`'s identity controls.
fn root(network: &Network, icp: &Icp) -> anyhow::Result<String> {
    let said = icp.ask("identity principal", "-")?;
    let owner = said.lines().last().unwrap_or(&said).trim();
    let owner = Principal::from_text(owner).with_context(|| said.clone())?;
    let path = wasm();
    let module = std::fs::read(&path)
        .with_context(|| format!("{}: `cargo xtask canisters` builds it", path.display()))?;
    let root = network.visit(move |engine| {
        let root = engine.create_canister(owner, CYCLES);
        let arg = candid::encode_args(()).expect("bug: nothing encodes");
        engine
            .install(owner, root, &module, arg, InstallMode::Install)
            .map(|()| root)
    })??;
    Ok(root.to_text())
}

fn wasm() -> PathBuf {
    let folder = std::env::var_os("HATCHERY_WASM_DIR").map(PathBuf::from);
    let built = || PathBuf::from("target/wasm32-unknown-unknown/canister");
    folder.unwrap_or_else(built).join("hatchery_root.wasm")
}

/// Asks until the answer has the words: a creation takes a few rounds.
pub(crate) fn ask(
    icp: &Icp,
    root: &str,
    method: &str,
    argument: &str,
    words: &str,
) -> anyhow::Result<String> {
    // Queries are told apart by the interface that root carries.
    let mut said = String::new();
    for _ in 0..20 {
        said = icp.run(&["canister", "call", root, method, argument, "-e", "here"])?;
        if said.contains(words) {
            return Ok(said);
        }
    }
    ensure!(
        said.contains(words),
        "`{method}` does not say {words} but: {said}"
    );
    Ok(said)
}
