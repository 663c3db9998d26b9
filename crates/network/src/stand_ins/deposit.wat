;; The cycles ledger as canisters see it: `deposit` takes all cycles and writes them down, one page
;; of stable memory each: bytes of the argument (u32), cycles (u128), the argument.
(module
  (import "ic0" "msg_arg_data_size" (func $size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $copy (param i32 i32 i32)))
  (import "ic0" "msg_cycles_accept128" (func $accept (param i64 i64 i32)))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "stable64_grow" (func $grow (param i64) (result i64)))
  (import "ic0" "stable64_write" (func $write (param i64 i64 i64)))
  (memory (export "memory") 2)
  (data (i32.const 0) "$REPLY")
  (func (export "canister_update deposit")
    (local $page i64)
    ;; What does not fit in a page with its head is no deposit.
    (if (i32.gt_u (call $size) (i32.const 65000)) (then (unreachable)))
    (local.set $page (call $grow (i64.const 1)))
    (if (i64.eq (local.get $page) (i64.const -1)) (then (unreachable)))
    (i32.store (i32.const 1024) (call $size))
    (call $accept (i64.const -1) (i64.const -1) (i32.const 1028))
    (call $copy (i32.const 1044) (i32.const 0) (call $size))
    (call $write
      (i64.mul (local.get $page) (i64.const 65536))
      (i64.const 1024)
      (i64.add (i64.extend_i32_u (call $size)) (i64.const 20)))
    (call $append (i32.const 0) (i32.const $REPLY_BYTES))
    (call $reply)))
