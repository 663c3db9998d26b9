//! What is refused at install and how, and what a module says about itself.

use std::io::Write as _;

use hatchery_engine::machine::{Machine, MethodKind, ModuleError};
use hatchery_engine::message::Entry;
use ic_error_types::ErrorCode;

fn load(wat: &str) -> Result<(), ModuleError> {
    load_bytes(&wat::parse_str(wat).unwrap())
}

fn load_bytes(bytes: &[u8]) -> Result<(), ModuleError> {
    Machine::new(None).load(bytes).map(|_| ())
}

/// The module is refused, and the error names `named`.
fn refused(wat: &str, named: &str) {
    let error = load(wat).expect_err(named);
    assert_eq!(error.code, ErrorCode::CanisterInvalidWasm);
    assert!(
        error.text.contains(named),
        "'{}' does not name '{named}'",
        error.text
    );
}

#[test]
fn imports_that_are_not_here_are_named() {
    let import =
        |module: &str, name: &str| format!("(module (import \"{module}\" \"{name}\" (func)))");
    for name in [
        "msg_cycles_available",
        "msg_cycles_refunded",
        "msg_cycles_accept",
        "canister_cycle_balance",
        "call_cycles_add",
        "stable_size",
        "stable_grow",
        "stable_write",
        "stable_read",
        "mint_cycles128",
        "does_not_exist",
    ] {
        refused(&import("ic0", name), &format!("ic0.{name}"));
    }
    refused(&import("env", "abort"), "env.abort");
    refused("(module (import \"ic0\" \"time\" (memory 1)))", "ic0.time");
    refused("(module (import \"ic0\" \"time\" (func)))", "ic0.time");
    refused(
        "(module (import \"ic0\" \"msg_reply\" (func (param i32))))",
        "ic0.msg_reply",
    );
}

#[test]
fn what_canisters_must_not_use_is_refused() {
    refused("(module (memory 1) (memory 1))", "memories");
    refused("(module (memory 1 1 shared))", "threads");
    let operator =
        |body: &str| format!("(module (table 1 funcref) (elem $e func 0) (func $f {body}))");
    for (name, body) in [
        ("table.set", "(table.set (i32.const 0) (ref.null func))"),
        (
            "table.grow",
            "(drop (table.grow (ref.null func) (i32.const 1)))",
        ),
        (
            "table.fill",
            "(table.fill (i32.const 0) (ref.null func) (i32.const 1))",
        ),
        (
            "table.copy",
            "(table.copy (i32.const 0) (i32.const 0) (i32.const 1))",
        ),
        (
            "table.init",
            "(table.init $e (i32.const 0) (i32.const 0) (i32.const 1))",
        ),
    ] {
        refused(&operator(body), name);
    }
    refused(
        "(module (global (mut funcref) (ref.null func)))",
        "global 0",
    );
    refused("(module (table 1000001 funcref))", "table");
    refused(
        "(module (func (drop (i32x4.relaxed_trunc_f32x4_s (v128.const i64x2 0 0)))))",
        "relaxed SIMD",
    );
}

#[test]
fn exports_follow_the_rules() {
    let export = |name: &str| format!("(module (func (export \"{name}\")))");
    for good in [
        "canister_update a b <c>",
        "canister_update ",
        "other",
        "canister",
    ] {
        load(&export(good)).unwrap();
    }
    for bad in [
        "canister_updat x",
        "canister_update",
        "canister_",
        "canister_initialise",
    ] {
        refused(&export(bad), bad);
    }
    refused(
        "(module (func (export \"canister_init\") (param i32)))",
        "canister_init",
    );
    refused(
        "(module (func (export \"canister_query q\") (result i32) (i32.const 0)))",
        "canister_query q",
    );
    refused(
        "(module (memory (export \"canister_init\") 1))",
        "canister_init",
    );
    refused(
        "(module (func (export \"canister_query same\")) (func (export \"canister_update same\")))",
        "same",
    );
}

#[test]
fn a_module_tells_its_methods_hooks_and_metadata() {
    let wat = r#"(module
        (func (export "canister_update u")) (func (export "canister_query q"))
        (func (export "canister_composite_query c")) (func (export "canister_heartbeat"))
        (@custom "icp:public candid:service" "service : {}")
        (@custom "icp:private secret" "s") (@custom "other" "o"))"#;
    let bytes = wat::parse_str(wat).unwrap();
    let module = Machine::new(None).load(&bytes).unwrap();
    let kinds: Vec<_> = module
        .methods()
        .iter()
        .map(|(n, k)| (n.as_str(), *k))
        .collect();
    let expected = [
        ("c", MethodKind::CompositeQuery),
        ("q", MethodKind::Query),
        ("u", MethodKind::Update),
    ];
    assert_eq!(kinds, expected);
    assert!(module.has(&Entry::Heartbeat) && !module.has(&Entry::Init));
    assert!(module.has(&Entry::Query("q".into())) && !module.has(&Entry::Update("q".into())));
    let names: Vec<_> = module
        .metadata()
        .iter()
        .map(|(n, m)| (n.as_str(), m.public))
        .collect();
    assert_eq!(names, [("candid:service", true), ("secret", false)]);
    assert_eq!(module.metadata()["candid:service"].content, b"service : {}");
    assert_eq!(module.wasm_instructions(), 4);
    assert_eq!(module.raw_bytes(), bytes.len() as u64);
}

#[test]
fn gzip_is_unpacked_and_hashed_as_uploaded() {
    let plain = wat::parse_str("(module (func (export \"canister_query q\")))").unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&plain).unwrap();
    let packed = encoder.finish().unwrap();
    let mut machine = Machine::new(None);
    let one = machine.load(&plain).unwrap();
    let two = machine.load(&packed).unwrap();
    assert_eq!(one.methods(), two.methods());
    assert_ne!(one.hash(), two.hash());
    assert!(machine.load(&packed[..packed.len() - 9]).is_err());
}

#[test]
fn a_bomb_is_refused() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let chunk = vec![0; 1024 * 1024];
    for _ in 0..101 {
        encoder.write_all(&chunk).unwrap();
    }
    let error = load_bytes(&encoder.finish().unwrap()).unwrap_err();
    assert!(error.text.contains("larger"), "{error}");
}

/// A module with something in every section.
fn rich() -> Vec<u8> {
    wat::parse_str(
        r#"(module
          (import "ic0" "msg_reply" (func $reply))
          (memory 1 2) (table 3 funcref) (elem (i32.const 0) $a $b)
          (global (mut i32) (i32.const 7)) (data (i32.const 9) "data") (data "passive")
          (start $a)
          (func $a (call_indirect (i32.const 1)))
          (func $b (export "canister_update go") (call $reply)
            (memory.init 1 (i32.const 0) (i32.const 0) (i32.const 4)) (data.drop 1))
          (@custom "icp:public note" "text"))"#,
    )
    .unwrap()
}

#[test]
fn any_prefix_of_a_module_is_a_clean_answer() {
    let bytes = rich();
    load_bytes(&bytes).unwrap();
    let mut machine = Machine::new(None);
    for length in 0..bytes.len() {
        if let Err(error) = machine.load(&bytes[..length]) {
            assert_eq!(error.code, ErrorCode::CanisterInvalidWasm);
        }
    }
}

#[test]
fn any_bit_flip_is_a_clean_answer() {
    let bytes = rich();
    let mut machine = Machine::new(None);
    let (mut good, mut bad) = (0, 0);
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        match machine.load(&flipped) {
            Ok(module) => {
                drop(machine.start(&module));
                good += 1;
            }
            Err(error) => {
                assert!(!error.text.is_empty());
                bad += 1;
            }
        }
    }
    assert!(good > 100 && bad > 500, "{good} {bad}");
}

#[test]
fn segments_out_of_bounds_are_refused() {
    refused(
        "(module (memory 1) (data (i32.const 65535) \"ab\"))",
        "instantiated",
    );
    refused(
        "(module (table 1 funcref) (func $f) (elem (i32.const 1) $f))",
        "instantiated",
    );
}
