;; Deposits what its canister holds above a remainder to root, once, by itself, and does nothing
;; else. `sweeper.wasm` beside it is this text; a test compares them.
;;
;; Argument of the install: the remainder in 16 bytes, the least significant first, then the
;; Candid argument of `deposit_cycles`. The install sets the timer for now; the timer makes the
;; call. What becomes of it shows in the balance.
;;
;; memory   0 .. 14   the method's name
;;         16 .. 32   liquid balance
;;         32 .. 48   remainder
;;         48 ..      argument of the call
(module
  (import "ic0" "msg_arg_data_size" (func $argument_size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $argument_copy (param i32 i32 i32)))
  (import "ic0" "time" (func $time (result i64)))
  (import "ic0" "global_timer_set" (func $timer_set (param i64) (result i64)))
  (import "ic0" "canister_liquid_cycle_balance128" (func $liquid (param i32)))
  (import "ic0" "call_new" (func $call_new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_data_append" (func $call_data (param i32 i32)))
  (import "ic0" "call_cycles_add128" (func $call_cycles (param i64 i64)))
  (import "ic0" "call_perform" (func $call_perform (result i32)))

  (memory 1 1)
  (data (i32.const 0) "deposit_cycles")
  (table 1 1 funcref)
  (elem (i32.const 0) $answered)
  (global $size (mut i32) (i32.const 0))

  (func (export "canister_init")
    (global.set $size (call $argument_size))
    (call $argument_copy (i32.const 32) (i32.const 0) (global.get $size))
    (drop (call $timer_set (call $time))))

  (func (export "canister_global_timer")
    (local $low i64)
    (local $high i64)
    (call $liquid (i32.const 16))
    (local.set $low
      (i64.sub (i64.load (i32.const 16)) (i64.load (i32.const 32))))
    (local.set $high
      (i64.sub
        (i64.sub (i64.load (i32.const 24)) (i64.load (i32.const 40)))
        (i64.extend_i32_u
          (i64.lt_u (i64.load (i32.const 16)) (i64.load (i32.const 32))))))
    (if (i64.lt_s (local.get $high) (i64.const 0))
      (then (return)))
    ;; The management canister is the principal without bytes.
    (call $call_new
      (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 14)
      (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0))
    (call $call_data
      (i32.const 48)
      (i32.sub (global.get $size) (i32.const 16)))
    (call $call_cycles (local.get $high) (local.get $low))
    (drop (call $call_perform)))

  ;; Reply and reject alike.
  (func $answered (param i32)))
