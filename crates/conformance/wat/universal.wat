;; The universal canister: it does what its argument says. A program is a row of one-byte
;; operations that work on a stack of byte strings; numbers are little-endian byte strings. The
;; operations stand in the table from 16 on, in the order of `operation.rs`, which writes the
;; `elem` row below. Entries 0..15 are what callbacks by number may hit:
;;   0 run a kept program, 1 note the environment in stable memory, 2 trap, 3 has another type.
(module
  (import "ic0" "msg_arg_data_size" (func $ic_arg_size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $ic_arg_copy (param i32 i32 i32)))
  (import "ic0" "msg_caller_size" (func $ic_caller_size (result i32)))
  (import "ic0" "msg_caller_copy" (func $ic_caller_copy (param i32 i32 i32)))
  (import "ic0" "msg_reject_code" (func $ic_reject_code (result i32)))
  (import "ic0" "msg_reject_msg_size" (func $ic_reject_size (result i32)))
  (import "ic0" "msg_reject_msg_copy" (func $ic_reject_copy (param i32 i32 i32)))
  (import "ic0" "msg_deadline" (func $ic_deadline (result i64)))
  (import "ic0" "msg_reply_data_append" (func $ic_append (param i32 i32)))
  (import "ic0" "msg_reply" (func $ic_reply))
  (import "ic0" "msg_reject" (func $ic_reject (param i32 i32)))
  (import "ic0" "msg_cycles_available128" (func $ic_available (param i32)))
  (import "ic0" "msg_cycles_refunded128" (func $ic_refunded (param i32)))
  (import "ic0" "msg_cycles_accept128" (func $ic_accept (param i64 i64 i32)))
  (import "ic0" "cycles_burn128" (func $ic_burn (param i64 i64 i32)))
  (import "ic0" "canister_self_size" (func $ic_self_size (result i32)))
  (import "ic0" "canister_self_copy" (func $ic_self_copy (param i32 i32 i32)))
  (import "ic0" "canister_cycle_balance128" (func $ic_balance (param i32)))
  (import "ic0" "canister_liquid_cycle_balance128" (func $ic_liquid (param i32)))
  (import "ic0" "canister_status" (func $ic_status (result i32)))
  (import "ic0" "canister_version" (func $ic_version (result i64)))
  (import "ic0" "subnet_self_size" (func $ic_subnet_size (result i32)))
  (import "ic0" "subnet_self_copy" (func $ic_subnet_copy (param i32 i32 i32)))
  (import "ic0" "msg_method_name_size" (func $ic_method_size (result i32)))
  (import "ic0" "msg_method_name_copy" (func $ic_method_copy (param i32 i32 i32)))
  (import "ic0" "accept_message" (func $ic_accept_message))
  (import "ic0" "call_new" (func $ic_call_new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_on_cleanup" (func $ic_call_on_cleanup (param i32 i32)))
  (import "ic0" "call_data_append" (func $ic_call_data_append (param i32 i32)))
  (import "ic0" "call_with_best_effort_response" (func $ic_best_effort (param i32)))
  (import "ic0" "call_cycles_add128" (func $ic_call_cycles (param i64 i64)))
  (import "ic0" "call_perform" (func $ic_call_perform (result i32)))
  (import "ic0" "stable64_size" (func $ic_stable_size (result i64)))
  (import "ic0" "stable64_grow" (func $ic_stable_grow (param i64) (result i64)))
  (import "ic0" "stable64_write" (func $ic_stable_write (param i64 i64 i64)))
  (import "ic0" "stable64_read" (func $ic_stable_read (param i64 i64 i64)))
  (import "ic0" "root_key_size" (func $ic_root_key_size (result i32)))
  (import "ic0" "root_key_copy" (func $ic_root_key_copy (param i32 i32 i32)))
  (import "ic0" "certified_data_set" (func $ic_certify (param i32 i32)))
  (import "ic0" "data_certificate_present" (func $ic_certificate_present (result i32)))
  (import "ic0" "data_certificate_size" (func $ic_certificate_size (result i32)))
  (import "ic0" "data_certificate_copy" (func $ic_certificate_copy (param i32 i32 i32)))
  (import "ic0" "time" (func $ic_time (result i64)))
  (import "ic0" "global_timer_set" (func $ic_timer_set (param i64) (result i64)))
  (import "ic0" "performance_counter" (func $ic_performance (param i32) (result i64)))
  (import "ic0" "is_controller" (func $ic_is_controller (param i32 i32) (result i32)))
  (import "ic0" "in_replicated_execution" (func $ic_replicated (result i32)))
  (import "ic0" "cost_call" (func $ic_cost_call (param i64 i64 i32)))
  (import "ic0" "cost_create_canister" (func $ic_cost_create (param i32)))
  (import "ic0" "cost_http_request" (func $ic_cost_http (param i64 i64 i32)))
  (import "ic0" "cost_sign_with_ecdsa" (func $ic_cost_ecdsa (param i32 i32 i32 i32) (result i32)))
  (import "ic0" "cost_sign_with_schnorr" (func $ic_cost_schnorr (param i32 i32 i32 i32) (result i32)))
  (import "ic0" "cost_vetkd_derive_key" (func $ic_cost_vetkd (param i32 i32 i32 i32) (result i32)))
  (import "ic0" "env_var_count" (func $ic_env_count (result i32)))
  (import "ic0" "env_var_name_size" (func $ic_env_name_size (param i32) (result i32)))
  (import "ic0" "env_var_name_copy" (func $ic_env_name_copy (param i32 i32 i32 i32)))
  (import "ic0" "env_var_name_exists" (func $ic_env_exists (param i32 i32) (result i32)))
  (import "ic0" "env_var_value_size" (func $ic_env_size (param i32 i32) (result i32)))
  (import "ic0" "env_var_value_copy" (func $ic_env_copy (param i32 i32 i32 i32 i32)))
  (import "ic0" "debug_print" (func $ic_print (param i32 i32)))
  (import "ic0" "trap" (func $ic_trap (param i32 i32)))

  (type $operation (func))
  (type $callback (func (param i32)))
  (memory (export "memory") 4)
  (table 160 funcref)
  (elem (i32.const 0) $resume $note $trap_callback $wrong_type)
  ;; OPERATIONS

  ;; Memory: 0..2048 counters of eight bytes, 2048..4096 cells (pointers to kept strings),
  ;; 4096..4160 scratch, 8192..40960 the stack (pointer and length each), from 65536 strings.
  (global $sp (mut i32) (i32.const 8192))
  (global $top (mut i32) (i32.const 65536))
  (global $kept_something (mut i32) (i32.const 0))
  ;; Next byte of the running program.
  (global $at (mut i32) (i32.const 0))
  ;; What programs see as a global of the module.
  (global $value (mut i64) (i64.const 0))

  ;; ---- strings ----
  (func $alloc (param $size i32) (result i32)
    (local $start i32)
    (local $pages i32)
    (local.set $start (global.get $top))
    (global.set $top (i32.and (i32.add (i32.add (local.get $start) (local.get $size)) (i32.const 15)) (i32.const -8)))
    (local.set $pages (i32.sub
      (i32.shr_u (i32.add (global.get $top) (i32.const 65535)) (i32.const 16))
      (memory.size)))
    (if (i32.gt_s (local.get $pages) (i32.const 0))
      (then (if (i32.eq (memory.grow (local.get $pages)) (i32.const -1)) (then (unreachable)))))
    (local.get $start))
  (func $push (param $start i32) (param $size i32)
    (i32.store (global.get $sp) (local.get $start))
    (i32.store offset=4 (global.get $sp) (local.get $size))
    (global.set $sp (i32.add (global.get $sp) (i32.const 8)))
    (if (i32.ge_u (global.get $sp) (i32.const 40960)) (then (unreachable))))
  (func $pop (result i32 i32)
    (if (i32.le_u (global.get $sp) (i32.const 8192)) (then (unreachable)))
    (global.set $sp (i32.sub (global.get $sp) (i32.const 8)))
    (i32.load (global.get $sp))
    (i32.load offset=4 (global.get $sp)))
  (func $push64 (param $number i64)
    (local $start i32)
    (local.set $start (call $alloc (i32.const 8)))
    (i64.store (local.get $start) (local.get $number))
    (call $push (local.get $start) (i32.const 8)))
  (func $push32 (param $number i32) (call $push64 (i64.extend_i32_u (local.get $number))))
  ;; A number of up to sixteen bytes at 4096, zeros behind.
  (func $pop_number
    (local $start i32)
    (local $size i32)
    (call $pop) (local.set $size) (local.set $start)
    (if (i32.gt_u (local.get $size) (i32.const 16)) (then (unreachable)))
    (i64.store (i32.const 4096) (i64.const 0))
    (i64.store (i32.const 4104) (i64.const 0))
    (memory.copy (i32.const 4096) (local.get $start) (local.get $size)))
  (func $pop64 (result i64) (call $pop_number) (i64.load (i32.const 4096)))
  (func $pop32 (result i32) (i32.wrap_i64 (call $pop64)))
  ;; The sixteen bytes at 4112 as a string.
  (func $push_cycles
    (local $start i32)
    (local.set $start (call $alloc (i32.const 16)))
    (memory.copy (local.get $start) (i32.const 4112) (i32.const 16))
    (call $push (local.get $start) (i32.const 16)))
  ;; A copy that outlives the message: length, then bytes.
  (func $keep (param $start i32) (param $size i32) (result i32)
    (local $copy i32)
    (global.set $kept_something (i32.const 1))
    (local.set $copy (call $alloc (i32.add (local.get $size) (i32.const 4))))
    (i32.store (local.get $copy) (local.get $size))
    (memory.copy (i32.add (local.get $copy) (i32.const 4)) (local.get $start) (local.get $size))
    (local.get $copy))
  (func $pop_kept (result i32) (call $pop) (call $keep))

  ;; ---- running ----
  (func $run (param $start i32) (param $size i32)
    (local $end i32)
    (local $after i32)
    (local $operation i32)
    (local.set $after (global.get $at))
    (global.set $at (local.get $start))
    (local.set $end (i32.add (local.get $start) (local.get $size)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (global.get $at) (local.get $end)))
        (local.set $operation (i32.load8_u (global.get $at)))
        (global.set $at (i32.add (global.get $at) (i32.const 1)))
        (call_indirect (type $operation) (i32.add (local.get $operation) (i32.const 16)))
        (br $next)))
    (global.set $at (local.get $after)))
  ;; Runs a program in a fresh stack; what it allocated is free again unless something was kept.
  (func $enter (param $start i32) (param $size i32) (param $top i32)
    (global.set $sp (i32.const 8192))
    (global.set $kept_something (i32.const 0))
    (call $run (local.get $start) (local.get $size))
    (if (i32.eqz (global.get $kept_something)) (then (global.set $top (local.get $top)))))
  (func $enter_arg
    (local $start i32)
    (local $size i32)
    (local.set $size (call $ic_arg_size))
    (local.set $start (call $alloc (local.get $size)))
    (call $ic_arg_copy (local.get $start) (i32.const 0) (local.get $size))
    (call $enter (local.get $start) (local.get $size) (local.get $start)))
  ;; A kept program; 0 = nothing.
  (func $resume (type $callback)
    (if (local.get 0)
      (then (call $enter (i32.add (local.get 0) (i32.const 4)) (i32.load (local.get 0)) (global.get $top)))))
  (func $enter_cell (param $cell i32)
    (call $resume (i32.load (i32.add (i32.const 2048) (i32.mul (local.get $cell) (i32.const 4))))))
  ;; Counts itself at stable 0 and writes its environment at 8 + 8 * place.
  (func $note (type $callback)
    (local $count i64)
    (if (i64.eqz (call $ic_stable_size)) (then (drop (call $ic_stable_grow (i64.const 1)))))
    (call $ic_stable_read (i64.const 4128) (i64.const 0) (i64.const 8))
    (local.set $count (i64.load (i32.const 4128)))
    (i64.store (i32.const 4128) (i64.add (local.get $count) (i64.const 1)))
    (call $ic_stable_write (i64.const 0) (i64.const 4128) (i64.const 8))
    (i64.store (i32.const 4128) (i64.extend_i32_u (local.get 0)))
    (call $ic_stable_write
      (i64.add (i64.const 8) (i64.mul (local.get $count) (i64.const 8)))
      (i64.const 4128) (i64.const 8)))
  (func $trap_callback (type $callback) (call $ic_trap (i32.const 0) (i32.const 0)))
  (func $wrong_type (type $operation))

  ;; ---- operations on strings and numbers ----
  (func $op_push
    (local $size i32)
    (local.set $size (i32.load (global.get $at)))
    (call $push (i32.add (global.get $at) (i32.const 4)) (local.get $size))
    (global.set $at (i32.add (i32.add (global.get $at) (i32.const 4)) (local.get $size))))
  (func $op_concat
    (local $a i32) (local $a_size i32) (local $b i32) (local $b_size i32) (local $start i32)
    (call $pop) (local.set $b_size) (local.set $b)
    (call $pop) (local.set $a_size) (local.set $a)
    (local.set $start (call $alloc (i32.add (local.get $a_size) (local.get $b_size))))
    (memory.copy (local.get $start) (local.get $a) (local.get $a_size))
    (memory.copy (i32.add (local.get $start) (local.get $a_size)) (local.get $b) (local.get $b_size))
    (call $push (local.get $start) (i32.add (local.get $a_size) (local.get $b_size))))
  (func $op_dup
    (local $start i32) (local $size i32)
    (call $pop) (local.set $size) (local.set $start)
    (call $push (local.get $start) (local.get $size))
    (call $push (local.get $start) (local.get $size)))
  (func $op_discard (call $pop) (drop) (drop))
  ;; string offset size -> part
  (func $op_slice
    (local $start i32) (local $size i32) (local $offset i32) (local $wanted i32)
    (local.set $wanted (call $pop32))
    (local.set $offset (call $pop32))
    (call $pop) (local.set $size) (local.set $start)
    (if (i32.gt_u (i32.add (local.get $offset) (local.get $wanted)) (local.get $size)) (then (unreachable)))
    (call $push (i32.add (local.get $start) (local.get $offset)) (local.get $wanted)))
  (func $op_size (call $pop) (call $push32) (drop))
  (func $op_add (call $push64 (i64.add (call $pop64) (call $pop64))))
  (func $op_multiply (call $push64 (i64.mul (call $pop64) (call $pop64))))
  ;; a b -> a < b
  (func $op_less (call $push32 (i64.gt_u (call $pop64) (call $pop64))))
  (func $op_equal (call $push32 (i64.eq (call $pop64) (call $pop64))))
  ;; count byte -> string
  (func $op_fill
    (local $byte i32) (local $size i32) (local $start i32)
    (local.set $byte (call $pop32))
    (local.set $size (call $pop32))
    (local.set $start (call $alloc (local.get $size)))
    (memory.fill (local.get $start) (local.get $byte) (local.get $size))
    (call $push (local.get $start) (local.get $size)))

  ;; ---- control ----
  (func $op_exec (call $pop) (call $run))
  ;; condition program ->
  (func $op_when
    (local $start i32) (local $size i32)
    (call $pop) (local.set $size) (local.set $start)
    (if (i64.ne (call $pop64) (i64.const 0)) (then (call $run (local.get $start) (local.get $size)))))
  ;; condition program otherwise ->
  (func $op_choose
    (local $start i32) (local $size i32) (local $other i32) (local $other_size i32)
    (call $pop) (local.set $other_size) (local.set $other)
    (call $pop) (local.set $size) (local.set $start)
    (if (i64.ne (call $pop64) (i64.const 0))
      (then (call $run (local.get $start) (local.get $size)))
      (else (call $run (local.get $other) (local.get $other_size)))))
  ;; times program ->
  (func $op_repeat
    (local $start i32) (local $size i32) (local $left i64)
    (call $pop) (local.set $size) (local.set $start)
    (local.set $left (call $pop64))
    (block $done
      (loop $again
        (br_if $done (i64.eqz (local.get $left)))
        (call $run (local.get $start) (local.get $size))
        (local.set $left (i64.sub (local.get $left) (i64.const 1)))
        (br $again))))
  (func $op_spin
    (local $left i64)
    (local.set $left (call $pop64))
    (block $done
      (loop $again
        (br_if $done (i64.eqz (local.get $left)))
        (local.set $left (i64.sub (local.get $left) (i64.const 1)))
        (br $again))))
  (func $op_forever (loop $again (br $again)))
  (func $op_unreachable (unreachable))

  ;; ---- state ----
  ;; place value -> : keeps a string in a cell
  (func $op_cell_set
    (local $kept i32)
    (local.set $kept (call $pop_kept))
    (i32.store (i32.add (i32.const 2048) (i32.mul (i32.and (call $pop32) (i32.const 511)) (i32.const 4))) (local.get $kept)))
  (func $op_cell_get
    (local $kept i32)
    (local.set $kept (i32.load (i32.add (i32.const 2048) (i32.mul (i32.and (call $pop32) (i32.const 511)) (i32.const 4)))))
    (if (local.get $kept)
      (then (call $push (i32.add (local.get $kept) (i32.const 4)) (i32.load (local.get $kept))))
      (else (call $push (i32.const 0) (i32.const 0)))))
  ;; place amount ->
  (func $op_count
    (local $amount i64) (local $place i32)
    (local.set $amount (call $pop64))
    (local.set $place (i32.mul (i32.and (call $pop32) (i32.const 255)) (i32.const 8)))
    (i64.store (local.get $place) (i64.add (i64.load (local.get $place)) (local.get $amount))))
  (func $op_counter
    (call $push64 (i64.load (i32.mul (i32.and (call $pop32) (i32.const 255)) (i32.const 8)))))
  (func $op_global_set (global.set $value (call $pop64)))
  (func $op_global_get (call $push64 (global.get $value)))
  (func $op_memory_size (call $push32 (memory.size)))
  (func $op_memory_grow (call $push32 (memory.grow (call $pop32))))
  (func $op_memory_load8
    (call $push32 (i32.load8_u (call $pop32))))
  ;; Pages of 4 KiB -> : writes one byte into each, from 128 KiB on (four pages of 64 KiB at least).
  (func $op_touch
    (local $left i32) (local $place i32)
    (local.set $left (call $pop32))
    (local.set $place (call $alloc (i32.mul (local.get $left) (i32.const 4096))))
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $left)))
        (i32.store8 (local.get $place) (i32.const 7))
        (local.set $place (i32.add (local.get $place) (i32.const 4096)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $again))))

  ;; ---- messages ----
  (func $op_arg
    (local $start i32) (local $size i32)
    (local.set $size (call $ic_arg_size))
    (local.set $start (call $alloc (local.get $size)))
    (call $ic_arg_copy (local.get $start) (i32.const 0) (local.get $size))
    (call $push (local.get $start) (local.get $size)))
  ;; offset size ->
  (func $op_arg_copy
    (local $size i32)
    (local.set $size (call $pop32))
    (call $ic_arg_copy (call $alloc (local.get $size)) (call $pop32) (local.get $size)))
  (func $op_caller
    (local $start i32)
    (local.set $start (call $alloc (i32.const 32)))
    (call $ic_caller_copy (local.get $start) (i32.const 0) (call $ic_caller_size))
    (call $push (local.get $start) (call $ic_caller_size)))
  (func $op_self_id
    (local $start i32)
    (local.set $start (call $alloc (i32.const 32)))
    (call $ic_self_copy (local.get $start) (i32.const 0) (call $ic_self_size))
    (call $push (local.get $start) (call $ic_self_size)))
  (func $op_subnet
    (local $start i32)
    (local.set $start (call $alloc (i32.const 32)))
    (call $ic_subnet_copy (local.get $start) (i32.const 0) (call $ic_subnet_size))
    (call $push (local.get $start) (call $ic_subnet_size)))
  (func $op_method_name
    (local $start i32)
    (local.set $start (call $alloc (call $ic_method_size)))
    (call $ic_method_copy (local.get $start) (i32.const 0) (call $ic_method_size))
    (call $push (local.get $start) (call $ic_method_size)))
  (func $op_reject_code (call $push32 (call $ic_reject_code)))
  (func $op_reject_text
    (local $start i32) (local $size i32)
    (local.set $size (call $ic_reject_size))
    (local.set $start (call $alloc (local.get $size)))
    (call $ic_reject_copy (local.get $start) (i32.const 0) (local.get $size))
    (call $push (local.get $start) (local.get $size)))
  (func $op_deadline (call $push64 (call $ic_deadline)))
  (func $op_append (call $pop) (call $ic_append))
  (func $op_reply_appended (call $ic_reply))
  (func $op_reply (call $pop) (call $ic_append) (call $ic_reply))
  (func $op_reject (call $pop) (call $ic_reject))
  (func $op_trap (call $pop) (call $ic_trap))
  (func $op_print (call $pop) (call $ic_print))
  (func $op_accept_message (call $ic_accept_message))

  ;; ---- cycles ----
  (func $op_available (call $ic_available (i32.const 4112)) (call $push_cycles))
  (func $op_refunded (call $ic_refunded (i32.const 4112)) (call $push_cycles))
  (func $op_accept
    (call $pop_number)
    (call $ic_accept (i64.load (i32.const 4104)) (i64.load (i32.const 4096)) (i32.const 4112))
    (call $push_cycles))
  (func $op_burn
    (call $pop_number)
    (call $ic_burn (i64.load (i32.const 4104)) (i64.load (i32.const 4096)) (i32.const 4112))
    (call $push_cycles))
  (func $op_balance (call $ic_balance (i32.const 4112)) (call $push_cycles))
  (func $op_liquid (call $ic_liquid (i32.const 4112)) (call $push_cycles))
  ;; name bytes, argument bytes -> cycles
  (func $op_cost_call
    (local $bytes i64)
    (local.set $bytes (call $pop64))
    (call $ic_cost_call (call $pop64) (local.get $bytes) (i32.const 4112))
    (call $push_cycles))
  (func $op_cost_create (call $ic_cost_create (i32.const 4112)) (call $push_cycles))
  ;; request bytes, longest response -> cycles
  (func $op_cost_http
    (local $bytes i64)
    (local.set $bytes (call $pop64))
    (call $ic_cost_http (call $pop64) (local.get $bytes) (i32.const 4112))
    (call $push_cycles))
  ;; key name, curve -> result
  (func $op_cost_ecdsa
    (local $start i32) (local $size i32) (local $curve i32)
    (local.set $curve (call $pop32))
    (call $pop) (local.set $size) (local.set $start)
    (call $push32 (call $ic_cost_ecdsa (local.get $start) (local.get $size) (local.get $curve) (i32.const 4112))))
  (func $op_cost_schnorr
    (local $start i32) (local $size i32) (local $curve i32)
    (local.set $curve (call $pop32))
    (call $pop) (local.set $size) (local.set $start)
    (call $push32 (call $ic_cost_schnorr (local.get $start) (local.get $size) (local.get $curve) (i32.const 4112))))
  (func $op_cost_vetkd
    (local $start i32) (local $size i32) (local $curve i32)
    (local.set $curve (call $pop32))
    (call $pop) (local.set $size) (local.set $start)
    (call $push32 (call $ic_cost_vetkd (local.get $start) (local.get $size) (local.get $curve) (i32.const 4112))))

  ;; ---- calls ----
  ;; callee, method, program on reply, program on reject ->
  (func $op_call_new
    (local $callee i32) (local $callee_size i32) (local $name i32) (local $name_size i32)
    (local $on_reply i32) (local $on_reject i32)
    (local.set $on_reject (call $pop_kept))
    (local.set $on_reply (call $pop_kept))
    (call $pop) (local.set $name_size) (local.set $name)
    (call $pop) (local.set $callee_size) (local.set $callee)
    (call $ic_call_new (local.get $callee) (local.get $callee_size) (local.get $name) (local.get $name_size)
      (i32.const 0) (local.get $on_reply) (i32.const 0) (local.get $on_reject)))
  ;; callee, method, function, environment -> : the same raw callback for reply and reject
  (func $op_call_raw
    (local $callee i32) (local $callee_size i32) (local $name i32) (local $name_size i32)
    (local $function i32) (local $environment i32)
    (local.set $environment (call $pop32))
    (local.set $function (call $pop32))
    (call $pop) (local.set $name_size) (local.set $name)
    (call $pop) (local.set $callee_size) (local.set $callee)
    (call $ic_call_new (local.get $callee) (local.get $callee_size) (local.get $name) (local.get $name_size)
      (local.get $function) (local.get $environment) (local.get $function) (local.get $environment)))
  (func $op_on_cleanup (call $ic_call_on_cleanup (i32.const 0) (call $pop_kept)))
  (func $op_call_append (call $pop) (call $ic_call_data_append))
  (func $op_best_effort (call $ic_best_effort (call $pop32)))
  (func $op_call_cycles
    (call $pop_number)
    (call $ic_call_cycles (i64.load (i32.const 4104)) (i64.load (i32.const 4096))))
  (func $op_perform (call $push32 (call $ic_call_perform)))

  ;; ---- stable memory ----
  (func $op_stable_size (call $push64 (call $ic_stable_size)))
  (func $op_stable_grow (call $push64 (call $ic_stable_grow (call $pop64))))
  ;; offset string ->
  (func $op_stable_write
    (local $start i32) (local $size i32)
    (call $pop) (local.set $size) (local.set $start)
    (call $ic_stable_write (call $pop64) (i64.extend_i32_u (local.get $start)) (i64.extend_i32_u (local.get $size))))
  ;; offset size -> string
  (func $op_stable_read
    (local $start i32) (local $size i32)
    (local.set $size (call $pop32))
    (local.set $start (call $alloc (local.get $size)))
    (call $ic_stable_read (i64.extend_i32_u (local.get $start)) (call $pop64) (i64.extend_i32_u (local.get $size)))
    (call $push (local.get $start) (local.get $size)))

  ;; ---- the canister and its surroundings ----
  (func $op_status (call $push32 (call $ic_status)))
  (func $op_version (call $push64 (call $ic_version)))
  (func $op_time (call $push64 (call $ic_time)))
  (func $op_timer_set (call $push64 (call $ic_timer_set (call $pop64))))
  (func $op_performance (call $push64 (call $ic_performance (call $pop32))))
  (func $op_controlled_by (call $pop) (call $ic_is_controller) (call $push32))
  (func $op_replicated (call $push32 (call $ic_replicated)))
  (func $op_certify (call $pop) (call $ic_certify))
  (func $op_certificate_present (call $push32 (call $ic_certificate_present)))
  (func $op_certificate
    (local $start i32) (local $size i32)
    (local.set $size (call $ic_certificate_size))
    (local.set $start (call $alloc (local.get $size)))
    (call $ic_certificate_copy (local.get $start) (i32.const 0) (local.get $size))
    (call $push (local.get $start) (local.get $size)))
  (func $op_root_key
    (local $start i32) (local $size i32)
    (local.set $size (call $ic_root_key_size))
    (local.set $start (call $alloc (local.get $size)))
    (call $ic_root_key_copy (local.get $start) (i32.const 0) (local.get $size))
    (call $push (local.get $start) (local.get $size)))
  (func $op_env_count (call $push32 (call $ic_env_count)))
  (func $op_env_name
    (local $index i32) (local $start i32) (local $size i32)
    (local.set $index (call $pop32))
    (local.set $size (call $ic_env_name_size (local.get $index)))
    (local.set $start (call $alloc (local.get $size)))
    (call $ic_env_name_copy (local.get $index) (local.get $start) (i32.const 0) (local.get $size))
    (call $push (local.get $start) (local.get $size)))
  (func $op_env_exists (call $pop) (call $ic_env_exists) (call $push32))
  (func $op_env_value
    (local $name i32) (local $name_size i32) (local $start i32) (local $size i32)
    (call $pop) (local.set $name_size) (local.set $name)
    (local.set $size (call $ic_env_size (local.get $name) (local.get $name_size)))
    (local.set $start (call $alloc (local.get $size)))
    (call $ic_env_copy (local.get $name) (local.get $name_size) (local.get $start) (i32.const 0) (local.get $size))
    (call $push (local.get $start) (local.get $size)))
  ;; One function alone, for the table of contexts.
  (func $op_env_name_size (drop (call $ic_env_name_size (call $pop32))))
  (func $op_env_value_size (call $pop) (call $ic_env_size) (drop))
  (func $op_arg_size (call $push32 (call $ic_arg_size)))

  ;; ---- entries ----
  (func (export "canister_update run") (call $enter_arg))
  (func (export "canister_query ask") (call $enter_arg))
  (func (export "canister_composite_query compose") (call $enter_arg))
  (func (export "canister_init") (call $enter_arg))
  (func (export "canister_post_upgrade") (call $enter_arg))
  (func (export "canister_pre_upgrade") (call $enter_cell (i32.const 500)))
  (func (export "canister_global_timer") (call $enter_cell (i32.const 501)))
  ;; EXPORTS
)
