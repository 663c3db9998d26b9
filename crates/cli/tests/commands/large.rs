//! Ten thousand canisters: what asks about the fleet asks little, however large it is.

use crate::stage::{Stage, me};
use crate::toll::Toll;
use hatchery_engine::InstallMode;
use hatchery_sim::world::memory;
use hatchery_types::CanisterId;

const MEMBERS: u64 = 10_000;

/// Commands, with the most requests and kilobytes of answers that each may take. One of them is for
/// the keys of the subnet's nodes, which an agent checks queries by.
const LOOKS: [(&str, u64, u64); 9] = [
    ("status", 2, 10),
    ("pool status", 2, 10),
    ("cycles show", 3, 20),
    ("doctor", 16, 200),
    ("why", 14, 400),
    ("workers plan", 4, 20),
    ("effects", 2, 10),
    ("events --last 50", 4, 50),
    ("metrics", 2, 60),
];

#[test]
fn a_look_at_ten_thousand_canisters_is_a_few_requests() {
    let mut stage = Stage::deployed("large");
    let root = candid::Principal::from_text(stage.root()).expect("an id");
    let module = Stage::built("hatchery_root.wasm");
    let grown = stage.network().visit(move |engine| {
        memory::grow(engine, CanisterId(root), MEMBERS);
        let mode = InstallMode::Upgrade {
            skip_pre_upgrade: true,
        };
        engine.install(me(), root, &module, Vec::new(), mode)
    });
    grown.expect("the network runs").expect("root is upgraded");
    let status = stage.json("status");
    let phases = status["phases"].as_array().expect("a list").iter();
    let all: u64 = phases.filter_map(|phase| phase[1].as_u64()).sum();
    assert!(all >= MEMBERS, "{status}");

    let toll = Toll::before(&stage.network().url());
    let mut told = Vec::new();
    for (line, ..) in LOOKS {
        let (_, out, err) = stage.output(&format!("{line} --root {root} --network {}", toll.url()));
        let (requests, bytes) = toll.take();
        assert!(!out.is_empty(), "{line}: {err}");
        told.push((line, requests, bytes));
    }
    println!("| command | requests | bytes |\n|---|---|---|");
    for (line, requests, bytes) in &told {
        println!("| `hatchery {line}` | {requests} | {bytes} |");
    }
    for ((_, requests_most, kilobytes_most), (line, requests, bytes)) in LOOKS.into_iter().zip(told)
    {
        assert!(
            (1..=requests_most).contains(&requests),
            "{line}: {requests} requests"
        );
        assert!(bytes <= kilobytes_most * 1_000, "{line}: {bytes} bytes");
    }
}
