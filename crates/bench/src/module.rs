//! The module that is measured: about a megabyte of code, an update and a query that reply, and a
//! heap of a wanted size. It needs no canister of ours to be built.

use std::fmt::Write as _;

/// Functions beside the entry points, and steps in each: 1 MB in all.
const FUNCTIONS: usize = 1_000;
const STEPS: usize = 80;

/// A module of about 1 MB.
pub(crate) fn large() -> Vec<u8> {
    let mut code = String::new();
    for function in 0..FUNCTIONS {
        code.push_str("(func (param i32) (result i32)");
        for step in 0..STEPS {
            let constant = 1_000_000 + function * STEPS + step;
            write!(
                code,
                "(local.set 0 (i32.xor (i32.rotl (local.get 0) (i32.const 5)) (i32.const {constant})))"
            )
            .expect("bug: writing to a text cannot fail");
        }
        code.push_str("(local.get 0))");
    }
    module(1 << 20, &code)
}

/// A small module with so many bytes of heap, all of them written.
pub(crate) fn with_heap(bytes: usize) -> Vec<u8> {
    let fill = format!(
        "(func (export \"canister_init\") (memory.fill (i32.const 0) (i32.const 7) (i32.const {bytes})))"
    );
    module(bytes, &fill)
}

fn module(heap_bytes: usize, more: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (import "ic0" "msg_reply" (func $reply))
            (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
            (memory {pages})
            (func $count
              (i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (i32.const 1)))
              (call $append (i32.const 64) (i32.const 4))
              (call $reply))
            (func (export "canister_update count") (call $count))
            (func (export "canister_query peek")
              (call $append (i32.const 64) (i32.const 4))
              (call $reply))
            {more})"#,
        pages = heap_bytes / 65_536
    );
    wat::parse_str(text).expect("bug: the module is not valid")
}
