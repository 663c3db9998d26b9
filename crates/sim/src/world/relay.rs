//! A canister that passes on what users give it, so that whoever plays it can call root as any canister may.

use candid::Principal;
use hatchery_engine::{Engine, IngressStatus, MessageId};

/// `relay` takes callee, method and argument, the first two behind their lengths in one byte, and
/// answers with a 1 and the reply, or with a 0 and the reject's text. It works in the second page of
/// the memory and those after it. `IMPORTS` and `MORE` are whatever else the canister does.
const RELAY: &str = r#"
(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_arg_data_size" (func $size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $copy (param i32 i32 i32)))
  (import "ic0" "msg_reject_msg_size" (func $text_size (result i32)))
  (import "ic0" "msg_reject_msg_copy" (func $text_copy (param i32 i32 i32)))
  (import "ic0" "call_new" (func $new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_data_append" (func $data (param i32 i32)))
  (import "ic0" "call_perform" (func $perform (result i32)))
  IMPORTS
  (memory 64)
  (table 2 funcref)
  (elem (i32.const 0) $replied $rejected)
  (data (i32.const 65536) "\00\01")
  (func $replied (param i32)
    (call $copy (i32.const 65552) (i32.const 0) (call $size))
    (call $append (i32.const 65537) (i32.const 1))
    (call $append (i32.const 65552) (call $size))
    (call $reply))
  (func $rejected (param i32)
    (call $text_copy (i32.const 65552) (i32.const 0) (call $text_size))
    (call $append (i32.const 65536) (i32.const 1))
    (call $append (i32.const 65552) (call $text_size))
    (call $reply))
  (func (export "canister_update relay")
    (local $callee i32) (local $name i32) (local $name_at i32) (local $rest i32)
    (call $copy (i32.const 65552) (i32.const 0) (call $size))
    (local.set $callee (i32.load8_u (i32.const 65552)))
    (local.set $name_at (i32.add (i32.const 65554) (local.get $callee)))
    (local.set $name (i32.load8_u (i32.sub (local.get $name_at) (i32.const 1))))
    (local.set $rest (i32.add (local.get $name_at) (local.get $name)))
    (call $new (i32.const 65553) (local.get $callee) (local.get $name_at) (local.get $name)
      (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0))
    (call $data (local.get $rest)
      (i32.sub (i32.add (i32.const 65552) (call $size)) (local.get $rest)))
    (drop (call $perform)))
  MORE)
"#;

/// The module.
pub fn module() -> Vec<u8> {
    module_with("", "")
}

/// The module with more imports and more of what else a module has, both as WebAssembly text.
///
/// # Panics
/// When that is no WebAssembly text.
pub fn module_with(imports: &str, more: &str) -> Vec<u8> {
    let text = RELAY.replace("IMPORTS", imports).replace("MORE", more);
    wat::parse_str(text).expect("bug: a hand-written module is one")
}

/// The argument with which a relay makes that call.
pub fn passed_on(callee: Principal, method: &str, argument: &[u8]) -> Vec<u8> {
    let (callee, method) = (callee.as_slice(), method.as_bytes());
    let parts = [
        &[callee.len() as u8][..],
        callee,
        &[method.len() as u8],
        method,
    ];
    [&parts.concat(), argument].concat()
}

/// Hands in a call as the canister `from`.
///
/// # Panics
/// When `from` does not take messages.
pub fn submit(
    engine: &mut Engine,
    from: Principal,
    callee: Principal,
    method: &str,
    argument: &[u8],
) -> MessageId {
    let user = Principal::self_authenticating("somebody who uses a relay");
    let argument = passed_on(callee, method, argument);
    let message = engine.submit(user, from, "relay", argument);
    message.expect("relays take everything")
}

/// The reply to a call, or the reject's text.
///
/// # Errors
/// The call was rejected, not passed on, or not answered in 100 rounds.
pub fn answer(engine: &mut Engine, message: MessageId) -> Result<Vec<u8>, String> {
    for _ in 0..100 {
        match engine.status(&message) {
            IngressStatus::Replied(answer) => return told(&answer),
            IngressStatus::Rejected(reject) => return Err(format!("not passed on: {reject}")),
            _ => engine.tick(),
        }
    }
    Err("no answer after 100 rounds".to_owned())
}

/// Calls as the canister `from`; the reply, or the reject's text.
///
/// # Errors
/// As [`answer`].
///
/// # Panics
/// As [`submit`].
pub fn call(
    engine: &mut Engine,
    from: Principal,
    callee: Principal,
    method: &str,
    argument: &[u8],
) -> Result<Vec<u8>, String> {
    let message = submit(engine, from, callee, method, argument);
    answer(engine, message)
}

/// What a relay's answer tells of the call: the reply, or the reject's text.
///
/// # Errors
/// The reject's text.
pub fn told(answer: &[u8]) -> Result<Vec<u8>, String> {
    match answer.split_first() {
        Some((1, reply)) => Ok(reply.to_vec()),
        Some((_, text)) => Err(String::from_utf8_lossy(text).into_owned()),
        None => Err("the relay says nothing".to_owned()),
    }
}
