//! The modules that the cases install: the universal canister with more or fewer hooks, and small
//! ones for a single purpose. All are assembled here, once per process.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::OnceLock;

use crate::program::operations_row;

const UNIVERSAL: &str = include_str!("../wat/universal.wat");

/// The universal canister: updates `run`, query `ask`, composite query `compose`, init,
/// pre-upgrade, post-upgrade, timer.
pub(crate) fn universal() -> &'static [u8] {
    static WASM: OnceLock<Vec<u8>> = OnceLock::new();
    WASM.get_or_init(|| universal_with(""))
}

/// The same behaviour with another hash.
pub(crate) fn universal_twin() -> &'static [u8] {
    static WASM: OnceLock<Vec<u8>> = OnceLock::new();
    WASM.get_or_init(|| universal_with(r#"(func (export "canister_query twin"))"#))
}

/// The universal canister with a heartbeat.
pub(crate) fn with_heartbeat() -> &'static [u8] {
    static WASM: OnceLock<Vec<u8>> = OnceLock::new();
    WASM.get_or_init(|| {
        universal_with(r#"(func (export "canister_heartbeat") (call $enter_cell (i32.const 502)))"#)
    })
}

/// The universal canister that inspects its ingress messages.
pub(crate) fn with_inspection() -> &'static [u8] {
    static WASM: OnceLock<Vec<u8>> = OnceLock::new();
    WASM.get_or_init(|| {
        universal_with(
            r#"(func (export "canister_inspect_message") (call $enter_cell (i32.const 503)))"#,
        )
    })
}

/// The universal canister with the hook for low memory.
pub(crate) fn with_low_memory_hook() -> &'static [u8] {
    static WASM: OnceLock<Vec<u8>> = OnceLock::new();
    WASM.get_or_init(|| {
        universal_with(
            r#"(func (export "canister_on_low_wasm_memory") (call $enter_cell (i32.const 504)))"#,
        )
    })
}

/// The universal canister with a start function that counts to place 200 and to the global.
pub(crate) fn with_start() -> &'static [u8] {
    static WASM: OnceLock<Vec<u8>> = OnceLock::new();
    WASM.get_or_init(|| {
        universal_with(
            r"(func $begin
                (i64.store (i32.const 1600) (i64.add (i64.load (i32.const 1600)) (i64.const 1)))
                (global.set $value (i64.const 77)))
              (start $begin)",
        )
    })
}

/// The universal canister with a public and a private metadata section.
pub(crate) fn with_metadata() -> &'static [u8] {
    static WASM: OnceLock<Vec<u8>> = OnceLock::new();
    WASM.get_or_init(|| {
        let mut wasm = universal().to_vec();
        section(&mut wasm, "icp:public open", b"for all");
        section(&mut wasm, "icp:private closed", b"for controllers");
        wasm
    })
}

/// The universal canister, made to keep its heap through upgrades.
pub(crate) fn with_persistence() -> &'static [u8] {
    static WASM: OnceLock<Vec<u8>> = OnceLock::new();
    WASM.get_or_init(|| {
        let mut wasm = universal().to_vec();
        section(
            &mut wasm,
            "icp:private enhanced-orthogonal-persistence",
            b"",
        );
        wasm
    })
}

/// About a megabyte of code: 466,000 instructions, as many as in the module of the measurements.
pub(crate) fn megabyte() -> &'static [u8] {
    static WASM: OnceLock<Vec<u8>> = OnceLock::new();
    WASM.get_or_init(|| {
        let mut text = String::from("(module (memory 1) (data (i32.const 0) \"");
        text.extend(std::iter::repeat_n('x', 60_000));
        text.push_str("\")");
        for function in 0..1_000 {
            text.push_str("(func (param i32) (result i32)");
            for step in 0..77 {
                write!(
                    text,
                    "(local.set 0 (i32.xor (i32.rotl (local.get 0) (i32.const 5)) (i32.const {})))",
                    1_000_000 + function * 77 + step
                )
                .expect("bug: writing to a text cannot fail");
            }
            text.push_str("(local.get 0))");
        }
        text.push(')');
        assemble(&text)
    })
}

/// A module whose `canister_init` uses 16,500 instructions a turn, quickly; the number of turns is
/// its argument, eight bytes.
pub(crate) fn long_init() -> &'static [u8] {
    static WASM: OnceLock<Vec<u8>> = OnceLock::new();
    WASM.get_or_init(|| {
        assemble(
            r#"(module
              (import "ic0" "msg_arg_data_copy" (func $copy (param i32 i32 i32)))
              (memory 1)
              (func (export "canister_init") (local $left i64)
                (call $copy (i32.const 0) (i32.const 0) (i32.const 8))
                (local.set $left (i64.load (i32.const 0)))
                (loop $again
                  (memory.fill (i32.const 16384) (i32.const 7) (i32.const 16384))
                  (local.set $left (i64.sub (local.get $left) (i64.const 1)))
                  (br_if $again (i64.ne (local.get $left) (i64.const 0))))))"#,
        )
    })
}

/// A module with a heap above 2 GiB and an update `over` that writes all of it, and a page more than
/// a message may write, to stable memory.
pub(crate) fn stable_writer() -> &'static [u8] {
    static WASM: OnceLock<Vec<u8>> = OnceLock::new();
    WASM.get_or_init(|| {
        assemble(
            r#"(module
              (import "ic0" "stable64_grow" (func $grow (param i64) (result i64)))
              (import "ic0" "stable64_write" (func $write (param i64 i64 i64)))
              (import "ic0" "msg_reply" (func $reply))
              (memory 32769)
              (func (export "canister_update some")
                (drop (call $grow (i64.const 32769)))
                (call $write (i64.const 0) (i64.const 0) (i64.const 1048576))
                (call $reply))
              (func (export "canister_update over")
                (call $write (i64.const 0) (i64.const 0) (i64.const 2147487744))
                (call $reply)))"#,
        )
    })
}

/// A canister with 64-bit memory: it keeps eight bytes, asks itself for them and answers with them
/// behind the environment of its callback.
pub(crate) fn wide() -> &'static [u8] {
    static WASM: OnceLock<Vec<u8>> = OnceLock::new();
    WASM.get_or_init(|| {
        assemble(
            r#"(module
              (import "ic0" "msg_arg_data_copy" (func $argument (param i64 i64 i64)))
              (import "ic0" "msg_arg_data_size" (func $size (result i64)))
              (import "ic0" "msg_reply_data_append" (func $append (param i64 i64)))
              (import "ic0" "msg_reply" (func $reply))
              (import "ic0" "canister_self_size" (func $self_size (result i64)))
              (import "ic0" "canister_self_copy" (func $self (param i64 i64 i64)))
              (import "ic0" "call_new" (func $new (param i64 i64 i64 i64 i64 i64 i64 i64)))
              (import "ic0" "call_perform" (func $perform (result i32)))
              (memory i64 1)
              (table i64 2 funcref)
              (elem (i64.const 1) $answered)
              (data (i64.const 0) "kept")
              (func (export "canister_update keep")
                (call $argument (i64.const 64) (i64.const 0) (call $size))
                (call $reply))
              (func (export "canister_query kept")
                (call $append (i64.const 64) (i64.const 8))
                (call $reply))
              (func $answered (param $environment i64)
                (i64.store8 (i64.const 128) (local.get $environment))
                (call $argument (i64.const 129) (i64.const 0) (call $size))
                (call $append (i64.const 128) (i64.add (i64.const 1) (call $size)))
                (call $reply))
              (func (export "canister_update ask_myself")
                (call $self (i64.const 32) (i64.const 0) (call $self_size))
                (call $new (i64.const 32) (call $self_size) (i64.const 0) (i64.const 4)
                  (i64.const 1) (i64.const 69) (i64.const 1) (i64.const 69))
                (drop (call $perform)))
              (func (export "canister_update outside")
                (call $append (i64.const -8) (i64.const 8))
                (call $reply)))"#,
        )
    })
}

/// The universal canister in gzip.
pub(crate) fn gzipped() -> &'static [u8] {
    static WASM: OnceLock<Vec<u8>> = OnceLock::new();
    WASM.get_or_init(|| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder
            .write_all(universal())
            .expect("bug: writing to memory cannot fail");
        encoder
            .finish()
            .expect("bug: writing to memory cannot fail")
    })
}

fn universal_with(exports: &str) -> Vec<u8> {
    let text = UNIVERSAL
        .replace(";; OPERATIONS", &operations_row())
        .replace(";; EXPORTS", exports);
    assemble(&text)
}

/// A module from its text.
pub(crate) fn assemble(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("bug: a module of the suite does not assemble")
}

/// Appends a custom section.
fn section(wasm: &mut Vec<u8>, name: &str, content: &[u8]) {
    let size = 1 + name.len() + content.len();
    assert!(size < 128 && name.len() < 128, "bug: one-byte sizes only");
    wasm.extend([0, size as u8, name.len() as u8]);
    wasm.extend_from_slice(name.as_bytes());
    wasm.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_modules_assemble_and_differ() {
        let modules = [
            universal(),
            universal_twin(),
            with_heartbeat(),
            with_inspection(),
            with_low_memory_hook(),
            with_start(),
            with_metadata(),
            with_persistence(),
            megabyte(),
            long_init(),
            stable_writer(),
            gzipped(),
        ];
        for (place, module) in modules.iter().enumerate() {
            assert!(!modules[..place].contains(module), "module {place}");
        }
    }
}
