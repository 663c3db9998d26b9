//! A list longer than one command may name: root is asked in parts, and again gets the same answer.

use crate::stage::Stage;
use hatchery_api::COMMAND_IDS_MAX;
use hatchery_sim::world::memory::nobody;
use serde_json::json;

#[test]
fn a_long_import_is_given_in_parts_once() {
    let mut stage = Stage::deployed("parts");
    let count = u64::from(2 * COMMAND_IDS_MAX + 300);
    let list = |count: u64| {
        let ids: Vec<String> = (0..count)
            .map(|number| nobody(number).to_string())
            .collect();
        ids.join(" ")
    };
    // The first is named twice.
    let all = format!("{} {}", list(count), list(1));
    let rows = |stage: &mut Stage| -> u64 {
        let status = stage.json("status");
        let phases = status["phases"].as_array().expect("a list").iter();
        phases.filter_map(|phase| phase[1].as_u64()).sum()
    };
    let before = rows(&mut stage);
    let first = stage.json(&format!("pool import {all} --operation long"));
    let queued = &first["Queued"];
    assert_eq!(queued["added"], count, "{queued}");
    assert_eq!(queued["total"], count);
    assert_eq!(rows(&mut stage), before + count);

    let again = stage.json(&format!("pool import {all} --operation long"));
    assert_eq!(again, first, "the same again");
    assert_eq!(rows(&mut stage), before + count);

    let other = list(count + 1);
    let (code, _, err) = stage.output(&format!("pool import {other} --operation long"));
    assert_eq!(code, 6, "{err}");
    assert!(err.contains("was used for another command"), "{err}");
    assert!(
        err.contains("2000 canisters were taken before")
            && err.contains("`--operation long` goes on from there"),
        "{err}"
    );
    // Under another name each is there already, or is sent to the reset once more.
    let known = &stage.json(&format!("pool import {all}"))["Queued"];
    let skipped = known["skipped"].as_array().expect("a list").len() as u64;
    let requeued = known["requeued"].as_u64().expect("a count");
    assert_eq!((skipped + requeued, &known["added"]), (count, &json!(0)));
    assert_eq!(rows(&mut stage), before + count);
}
