//! Bad files and what an operator sees of them; good files and what they mean.

use super::{FleetDraft, TomlError, parse};
use expect_test::{Expect, expect};
use hatchery_types::{Cycles, FleetSpec, ModuleHash, Nanos, Placeholder, Reuse, WarmPoolSpec};

/// The smallest file with a pool. The tests replace a line of it.
const SMALL: &str = r#"name = "shop"
[warm_pool]
minimum = 5
maximum = 20
[roles.worker]
module = "worker.wasm"
[pools.workers]
role = "worker"
min = 1
max = 12
[pools.workers.signals.depth]
target = 10
"#;

fn hash_of(_role: &str, path: &str) -> Result<ModuleHash, String> {
    match path {
        "worker.wasm" => Ok(ModuleHash([7; 32])),
        _ => Err(format!("there is no file `{path}`")),
    }
}

fn read(text: &str) -> Result<FleetSpec, Vec<TomlError>> {
    parse(text)?.resolve(hash_of)
}

/// What the file with `line` replaced by `by` is refused with.
fn check(line: &str, by: &str, expected: &Expect) {
    assert!(
        SMALL.contains(line),
        "bug: the small file has no line {line:?}"
    );
    check_text(&SMALL.replacen(line, by, 1), expected);
}

fn check_text(text: &str, expected: &Expect) {
    let errors = read(text).expect_err("the file is bad");
    let shown: Vec<String> = errors
        .iter()
        .map(|error| error.render("fleet.toml") + "\n")
        .collect();
    expected.assert_eq(&shown.join("\n"));
}

#[test]
fn a_small_file_has_the_defaults_of_the_design() {
    let spec = read(SMALL).expect("the small file is good");
    assert_eq!(spec.warm_pool.cycles, Cycles(5 * Cycles::T));
    assert_eq!(
        (spec.lanes.create, spec.lanes.reset, spec.lanes.install),
        (10, 50, 4)
    );
    assert_eq!(spec.roles[0].init_arg, b"DIDL\x00\x00");
    let pool = &spec.pools[0];
    assert_eq!(
        (pool.min, pool.max, pool.initial, pool.disruption_percent),
        (1, 12, 1, 50)
    );
    assert_eq!(pool.valid_for, Nanos::from_secs(30));
    assert_eq!(pool.scale_up.window, Nanos(0));
    assert_eq!(pool.scale_down.window, Nanos::from_secs(300));
    assert_eq!(
        pool.signals.first().map(|signal| signal.tolerance_percent),
        Some(10)
    );
}

#[test]
fn the_warm_pool_has_the_defaults_of_the_design_or_what_the_file_says() {
    let spec = read(SMALL).expect("the small file is good");
    assert_eq!(spec.warm_pool, WarmPoolSpec::new(5, 20));
    let times = [spec.warm_pool.first_check, spec.warm_pool.watchdog].map(Nanos::as_secs);
    assert_eq!(times, [30, 1_800]);
    assert_eq!(spec.roles[0].reuse, Reuse::SameRole);
    let more = r#"
maximum = 20
target = "20%"
surplus = "aaaaa-aa"
first_check = "10s"
watchdog = "1h"
[[warm_pool.schedule]]
from = 2026-01-05T08:00:00Z
to = 2026-01-05T18:00:00Z
every = "24h"
minimum = 15
[roles.worker]
reuse = "never"
"#;
    let text = SMALL.replacen("maximum = 20\n[roles.worker]\n", &more[1..], 1);
    let errors = read(&text).expect_err("nobody gets it");
    assert_eq!(errors[0].position.line, 6);
    let spec = read(&text.replacen("aaaaa-aa", "ryjl3-tyaaa-aaaaa-aaaba-cai", 1)).expect("good");
    assert_eq!(spec.roles[0].reuse, Reuse::Never);
    let warm = spec.warm_pool;
    assert_eq!((warm.target_percent, warm.schedule[0].min), (20, 15));
    assert!(warm.release_to.is_some());
    let times = [warm.first_check, warm.watchdog].map(Nanos::as_secs);
    assert_eq!(times, [10, 3_600]);
}

#[test]
fn who_may_have_a_canister_is_one_of_four_words() {
    check(
        "module = \"worker.wasm\"",
        "module = \"worker.wasm\"\nreuse = \"always\"",
        &expect![[r#"
            fleet.toml:7:9: error: `reuse`: "always" is none of the words
              |
            7 | reuse = "always"
              |         ^^^^^^^^
            hint: write "same-role" or "same-parent" or "any" or "never"
        "#]],
    );
    check(
        "maximum = 20",
        "maximum = 20\nsurplus = \"sell\"",
        &expect![[r#"
            fleet.toml:5:11: error: `surplus`: "sell" is not a principal: Text must be in valid Base32 encoding.
              |
            5 | surplus = "sell"
              |           ^^^^^^
            hint: write "delete", or the principal that gets the surplus
        "#]],
    );
}

#[test]
fn the_demo_fleet_is_good() {
    let text = include_str!("../../../../examples/demo/fleet.toml");
    let draft: FleetDraft = parse(text).expect("the demo's fleet can be read");
    let spec = draft
        .resolve(|_, _| Ok(ModuleHash([7; 32])))
        .expect("the demo's fleet is good");
    assert_eq!(
        (spec.warm_pool.minimum, spec.pools[0].min, spec.pools[0].max),
        (5, 1, 12)
    );
}

#[test]
fn the_documented_file_is_good() {
    let spec = read(&documented()).expect("the documented file is good");
    assert_eq!(spec.pools[0].scale_down.window, Nanos::from_secs(300));
}

/// The file that the module's documentation shows.
pub(super) fn documented() -> String {
    let source = include_str!("../fleet_toml.rs");
    source
        .lines()
        .skip_while(|line| *line != "//! ```toml")
        .skip(1)
        .take_while(|line| *line != "//! ```")
        .map(|line| line.trim_start_matches("//!").trim_start().to_owned() + "\n")
        .collect()
}

#[test]
fn long_lines_are_cut() {
    let text = format!(
        "name = \"{}\"\n[warm_pool]\nminimum = 5\nmaximum = 20\n",
        "x".repeat(5_000)
    );
    let errors = read(&text).expect_err("the name is too long");
    let longest = errors[0]
        .render("f")
        .lines()
        .map(|line| line.chars().count())
        .max();
    assert!(longest < Some(130), "{longest:?}");
}

#[test]
fn modules_are_listed_with_their_places() {
    let draft = parse(SMALL).expect("the small file is good");
    let [module] = draft.modules() else {
        panic!("one module")
    };
    assert_eq!(
        (module.role.as_str(), module.path.as_str()),
        ("worker", "worker.wasm")
    );
    assert_eq!(module.position.to_string(), "6:10");
}

#[test]
fn init_arguments_are_candid_text_or_hex() {
    let with = |arg: &str| {
        let text = SMALL.replace(
            "[pools.workers]",
            &format!("init_arg = {arg}\n[pools.workers]"),
        );
        read(&text).map(|spec| spec.roles[0].init_arg.clone())
    };
    assert_eq!(
        with("\"hex:4449444c0000\"").as_deref(),
        Ok(&b"DIDL\x00\x00"[..])
    );
    let bytes = with("\"(record { report_every_s = 2 : nat64 })\"").expect("good Candid");
    let (decoded,): (candid_parser::candid::Reserved,) =
        candid::decode_args(&bytes).expect("bug: bytes of Candid text decode");
    assert_eq!(decoded, candid_parser::candid::Reserved);
    assert_eq!(bytes.last_chunk::<8>(), Some(&2u64.to_le_bytes()));
}

#[test]
fn an_init_argument_may_name_what_only_root_knows() {
    let line =
        "init_arg = '(principal \"$self\", record { of = principal \"$parent\" }, \"$pool\")'";
    let text = SMALL.replace("[pools.workers]\n", &format!("{line}\n[pools.workers]\n"));
    let bytes = read(&text).expect("good Candid").roles[0].init_arg.clone();
    let holds = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
    assert!(holds(Placeholder::Own.principal().as_slice()));
    assert!(holds(Placeholder::Parent.principal().as_slice()));
    assert!(!holds(Placeholder::Root.principal().as_slice()));
    assert!(holds(b"\x05$pool"));
}

#[test]
fn grants_and_what_children_do_come_with_defaults() {
    let more = r#"
[[grants]]
role = "worker"
pool = "workers"
each = 3

[[grants]]
role = "hub"
pool = "workers"
each = 3
all = 30
depth = 4
under_root = true

[roles.hub]
module = "worker.wasm"
children = "first"
"#;
    let spec = read(&(SMALL.to_owned() + more)).expect("the file is good");
    let numbers: Vec<_> = spec
        .grants
        .iter()
        .map(|it| (it.role.as_str(), it.each, it.all, it.depth, it.under_root))
        .collect();
    assert_eq!(
        numbers,
        [("worker", 3, 3, 2, false), ("hub", 3, 30, 4, true)]
    );
    let first: Vec<bool> = spec.roles.iter().map(|role| role.children_first).collect();
    assert_eq!(first, [false, true]);
}

#[test]
fn s17_min_above_max() {
    check(
        "min = 1",
        "min = 13",
        &expect![[r#"
            fleet.toml:9:7: error: `min` is more than `max` (13 > 12)
              |
            9 | min = 13
              |       ^^
            hint: lower `min` or raise `max`
        "#]],
    );
}

#[test]
fn s17_a_role_without_module() {
    check(
        "module = \"worker.wasm\"",
        "",
        &expect![[r#"
        fleet.toml:5:8: error: roles.worker has no `module`
          |
        5 | [roles.worker]
          |        ^^^^^^
        hint: add `module = "worker.wasm"`
    "#]],
    );
}

#[test]
fn s17_a_pool_without_role() {
    check(
        "role = \"worker\"",
        "",
        &expect![[r#"
        fleet.toml:7:8: error: pools.workers has no `role`
          |
        7 | [pools.workers]
          |        ^^^^^^^
        hint: add `role = "worker"`
    "#]],
    );
    check(
        "role = \"worker\"",
        "role = \"wroker\"",
        &expect![[r#"
        fleet.toml:8:8: error: there is no role `wroker`
          |
        8 | role = "wroker"
          |        ^^^^^^^^
        hint: did you mean `worker`?
    "#]],
    );
}

#[test]
fn s17_two_pools_with_one_name() {
    check(
        "[pools.workers.signals.depth]",
        "[pools.workers]",
        &expect![[r#"
            fleet.toml:11:8: error: duplicate key
               |
            11 | [pools.workers]
               |        ^^^^^^^
            hint: a field or section of this name is above: rename or remove one
        "#]],
    );
}

#[test]
fn s17_initial_above_max_and_zero_target() {
    check(
        "max = 12",
        "max = 12\ninitial = 20",
        &expect![[r#"
        fleet.toml:11:11: error: `initial` is more than `max` (20 > 12)
           |
        11 | initial = 20
           |           ^^
        hint: lower `initial` or raise `max`
    "#]],
    );
    check(
        "target = 10",
        "target = 0",
        &expect![[r#"
            fleet.toml:12:10: error: a target of 0
               |
            12 | target = 0
               |          ^
            hint: between 1 and 2^53: load is divided by it
        "#]],
    );
}

#[test]
fn unknown_fields() {
    check(
        "min = 1",
        "mim = 1",
        &expect![[r#"
        fleet.toml:7:8: error: pools.workers has no `min`
          |
        7 | [pools.workers]
          |        ^^^^^^^
        hint: add `min = 1`

        fleet.toml:9:1: error: unknown field `mim`
          |
        9 | mim = 1
          | ^^^
        hint: did you mean `min`?
    "#]],
    );
    check(
        "minimum = 5",
        "minimum = 5\nreplicas = 3",
        &expect![[r#"
            fleet.toml:4:1: error: unknown field `replicas`
              |
            4 | replicas = 3
              | ^^^^^^^^
            hint: known here: minimum, maximum, target, schedule, surplus, cycles, floor, sweep_above, first_check, watchdog
        "#]],
    );
    check(
        "[warm_pool]",
        "[warm_pools]",
        &expect![[r#"
            fleet.toml:1:1: error: there is no section `warm_pool`
              |
            1 | name = "shop"
              | ^
            hint: add `[warm_pool]`

            fleet.toml:2:2: error: unknown field `warm_pools`
              |
            2 | [warm_pools]
              |  ^^^^^^^^^^
            hint: did you mean `warm_pool`?
        "#]],
    );
}

#[test]
fn amounts_that_are_none() {
    check(
        "maximum = 20",
        "maximum = 20\ncycles = \"5 tons\"",
        &expect![[r#"
        fleet.toml:5:10: error: `cycles`: "5 tons" is not an amount of cycles
          |
        5 | cycles = "5 tons"
          |          ^^^^^^^^
        hint: write an amount as text: "5T", "300B", "1.5M" or "1_000_000"
    "#]],
    );
    check(
        "maximum = 20",
        "maximum = 20\ncycles = 5_000",
        &expect![[r#"
        fleet.toml:5:10: error: `cycles`: expected a text, found an integer
          |
        5 | cycles = 5_000
          |          ^^^^^
        hint: write an amount as text: "5T", "300B", "1.5M" or "1_000_000"
    "#]],
    );
    check(
        "maximum = 20",
        "maximum = 20\nfloor = \"300B\"",
        &expect![[r#"
        fleet.toml:5:9: error: 300.000 B is too little for an install
          |
        5 | floor = "300B"
          |         ^^^^^^
        hint: at least 301.000 B: an install prepays 300 B from the canister, above its freezing limit
    "#]],
    );
    check(
        "maximum = 20",
        "maximum = -20",
        &expect![[r#"
        fleet.toml:4:11: error: `maximum`: -20 is negative
          |
        4 | maximum = -20
          |           ^^^
        hint: 0 or more
    "#]],
    );
    check(
        "maximum = 20",
        "maximum = \"20\"",
        &expect![[r#"
        fleet.toml:4:11: error: `maximum`: expected a whole number, found a string
          |
        4 | maximum = "20"
          |           ^^^^
        hint: write a whole number, without quotes
    "#]],
    );
    check(
        "maximum = 20",
        "maximum = 5_000_000_000",
        &expect![[r#"
        fleet.toml:4:11: error: `maximum`: 5000000000 is too large
          |
        4 | maximum = 5_000_000_000
          |           ^^^^^^^^^^^^^
        hint: at most 4294967295
    "#]],
    );
}

#[test]
fn durations_and_shares_that_are_none() {
    check(
        "max = 12",
        "max = 12\nvalid_for = 30",
        &expect![[r#"
        fleet.toml:11:13: error: `valid_for`: expected a text, found an integer
           |
        11 | valid_for = 30
           |             ^^
        hint: write a duration as text: "30s", "5m" or "24h"
    "#]],
    );
    check(
        "max = 12",
        "max = 12\nvalid_for = \"soon\"",
        &expect![[r#"
        fleet.toml:11:13: error: `valid_for`: "soon" is not a duration
           |
        11 | valid_for = "soon"
           |             ^^^^^^
        hint: write a duration as text: "30s", "5m" or "24h"
    "#]],
    );
    check(
        "max = 12",
        "max = 12\ndisruption = 10",
        &expect![[r#"
        fleet.toml:11:14: error: `disruption`: expected a text, found an integer
           |
        11 | disruption = 10
           |              ^^
        hint: write a share as text: "10%"
    "#]],
    );
    check(
        "target = 10",
        "target = 10\ntolerance = \"100%\"",
        &expect![[r#"
            fleet.toml:13:13: error: a tolerance of 100 %
               |
            13 | tolerance = "100%"
               |             ^^^^^^
            hint: below 100 %, else pool `workers` never shrinks
        "#]],
    );
}

#[test]
fn principals_and_arguments_that_are_none() {
    check(
        "name = \"shop\"",
        "name = \"shop\"\ncontrollers = [\"me\"]",
        &expect![[r#"
        fleet.toml:2:15: error: `controllers`: "me" is not a principal: Text is too short.
          |
        2 | controllers = ["me"]
          |               ^^^^^^
        hint: write a list of principals: ["aaaaa-aa"]
    "#]],
    );
    check(
        "name = \"shop\"",
        "name = \"shop\"\ncontrollers = [\"2vxsx-fae\"]",
        &expect![[r#"
        fleet.toml:2:15: error: the anonymous principal is a controller
          |
        2 | controllers = ["2vxsx-fae"]
          |               ^^^^^^^^^^^^^
        hint: remove it: anybody in the world could delete the fleet's canisters
    "#]],
    );
    check(
        "[pools.workers]",
        "init_arg = \"(record {\"\n[pools.workers]",
        &expect![[r#"
        fleet.toml:7:12: error: `init_arg`: not Candid: Candid parser error: Unrecognized EOF found at 9
          |
        7 | init_arg = "(record {"
          |            ^^^^^^^^^^^
        hint: write Candid text such as "(record { limit = 5 : nat32 })", or "hex:" and digits
    "#]],
    );
    check(
        "[pools.workers]",
        "init_arg = \"hex:0g\"\n[pools.workers]",
        &expect![[r#"
        fleet.toml:7:12: error: `init_arg`: these are not pairs of hexadecimal digits
          |
        7 | init_arg = "hex:0g"
          |            ^^^^^^^^
        hint: write Candid text such as "(record { limit = 5 : nat32 })", or "hex:" and digits
    "#]],
    );
}

#[test]
fn a_module_that_is_not_there() {
    check(
        "module = \"worker.wasm\"",
        "module = \"werker.wasm\"",
        &expect![[r#"
            fleet.toml:6:10: error: there is no file `werker.wasm`
              |
            6 | module = "werker.wasm"
              |          ^^^^^^^^^^^^^
            hint: build the module, or correct the path
        "#]],
    );
}

#[test]
fn sections_that_are_none() {
    check(
        "[warm_pool]\nminimum = 5\nmaximum = 20",
        "warm_pool = 5",
        &expect![[r#"
            fleet.toml:2:1: error: `warm_pool` is a section, not an integer
              |
            2 | warm_pool = 5
              | ^^^^^^^^^
            hint: write it as `[warm_pool]`
        "#]],
    );
    check_text(
        "name = \"empty\"\n",
        &expect![[r#"
            fleet.toml:1:1: error: there is no section `warm_pool`
              |
            1 | name = "empty"
              | ^
            hint: add `[warm_pool]`
        "#]],
    );
    check_text(
        "",
        &expect![[r#"
            fleet.toml:1:1: error: the fleet has no `name`
              |
            1 | 
              | ^
            hint: add `name = "my-fleet"`

            fleet.toml:1:1: error: there is no section `warm_pool`
              |
            1 | 
              | ^
            hint: add `[warm_pool]`
        "#]],
    );
}

#[test]
fn what_is_not_toml() {
    check(
        "min = 1",
        "min = ",
        &expect![[r#"
            fleet.toml:9:7: error: string values must be quoted, expected literal string
              |
            9 | min =
              |       ^
            hint: the file is TOML: https://toml.io
        "#]],
    );
    check(
        "[pools.workers]",
        "[pools.workers",
        &expect![[r#"
        fleet.toml:7:15: error: unclosed table, expected `]`
          |
        7 | [pools.workers
          |               ^
        hint: the file is TOML: https://toml.io
    "#]],
    );
}

#[test]
fn columns_count_characters() {
    check(
        "name = \"shop\"",
        "name = \"größe\"  # ä",
        &expect![[r#"
        fleet.toml:1:8: error: "größe" is not a name for a fleet
          |
        1 | name = "größe"  # ä
          |        ^^^^^^^
        hint: use 1 to 40 of the letters a-z, digits and -
    "#]],
    );
    check(
        "[roles.worker]",
        "[roles.\"ö\"]\nmodul = \"ä\"\n[roles.worker]",
        &expect![[r#"
        fleet.toml:5:8: error: roles.ö has no `module`
          |
        5 | [roles."ö"]
          |        ^^^
        hint: add `module = "worker.wasm"`

        fleet.toml:6:1: error: unknown field `modul`
          |
        6 | modul = "ä"
          | ^^^^^
        hint: did you mean `module`?
    "#]],
    );
}

#[test]
fn everything_wrong_is_said_at_once_in_order_of_the_lines() {
    let text = SMALL
        .replace("minimum = 5", "minimum = \"5\"")
        .replace("min = 1", "mini = 1");
    check_text(
        &text,
        &expect![[r#"
        fleet.toml:3:11: error: `minimum`: expected a whole number, found a string
          |
        3 | minimum = "5"
          |           ^^^
        hint: write a whole number, without quotes

        fleet.toml:7:8: error: pools.workers has no `min`
          |
        7 | [pools.workers]
          |        ^^^^^^^
        hint: add `min = 1`

        fleet.toml:9:1: error: unknown field `mini`
          |
        9 | mini = 1
          | ^^^^
        hint: did you mean `min`?
    "#]],
    );
}
