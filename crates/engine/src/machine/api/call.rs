//! System calls that build and send a call to another canister.

use super::{Api, Cx, PAYLOAD_BYTE_COST, amount, define};
use crate::machine::host::CallUnderConstruction;
use crate::message::Callback;
use ic_principal::Principal;

/// Bytes of a method name.
const MAX_METHOD_NAME_BYTES: u32 = 20_000;
/// Bytes of method name and argument together, within one subnet.
const MAX_REQUEST_BYTES: usize = 10 * 1024 * 1024;
/// Bytes of a principal.
const MAX_PRINCIPAL_BYTES: u32 = 29;
/// Longest life of a best-effort call.
const MAX_BEST_EFFORT_SECONDS: u32 = 300;

/// `call_perform`: the call was sent.
const SENT: u32 = 0;
/// `call_perform`: it was not, for want of a slot or of cycles.
const NOT_SENT: u32 = 2;

pub(super) fn define(api: &mut Api) {
    define!(api:
        call_new |cx, callee: u32, callee_size: u32, name: u32, name_size: u32,
                  reply_fun: u32, reply_env: u32, reject_fun: u32, reject_env: u32| -> () {
            cx.host_mut().discard_call();
            if name_size > MAX_METHOD_NAME_BYTES {
                return Err(cx.violation(format_args!(
                    "size of method_name {name_size} exceeds the allowed limit \
                     {MAX_METHOD_NAME_BYTES}"
                )));
            }
            let callee = cx.principal(callee, callee_size)?;
            let name = cx.read(name, name_size, 1)?;
            let callback = |function, environment| Callback { function, environment };
            cx.host_mut().call = Some(CallUnderConstruction {
                callee,
                method: String::from_utf8_lossy(&name).into_owned(),
                arg: Vec::new(),
                cycles: 0,
                best_effort_seconds: None,
                on_reply: callback(reply_fun, reply_env),
                on_reject: callback(reject_fun, reject_env),
                on_cleanup: None,
            });
            Ok(())
        }
        call_on_cleanup |cx, function: u32, environment: u32| -> () {
            if cx.call()?.on_cleanup.is_some() {
                return Err(cx.violation("can be called at most once between `ic0.call_new` and \
                                         `ic0.call_perform`"));
            }
            cx.call()?.on_cleanup = Some(Callback { function, environment });
            Ok(())
        }
        call_data_append |cx, src: u32, length: u32| -> () {
            let call = cx.call()?;
            let total = call.method.len() + call.arg.len() + length as usize;
            if total > MAX_REQUEST_BYTES {
                return Err(cx.violation(format_args!(
                    "payload size of {total} exceeds the allowed limit of {MAX_REQUEST_BYTES}"
                )));
            }
            let bytes = cx.read(src, length, PAYLOAD_BYTE_COST)?;
            cx.call()?.arg.extend(bytes);
            Ok(())
        }
        call_with_best_effort_response |cx, seconds: u32| -> () {
            if cx.call()?.best_effort_seconds.is_some() {
                return Err(cx.violation("can be called at most once between `ic0.call_new` and \
                                         `ic0.call_perform`"));
            }
            cx.call()?.best_effort_seconds = Some(seconds.min(MAX_BEST_EFFORT_SECONDS));
            Ok(())
        }
        call_cycles_add128 |cx, high: u64, low: u64| -> () {
            let cycles = amount(high, low);
            cx.call()?;
            let liquid = cx.host().liquid();
            if cycles > liquid {
                return Err(cx.violation(format_args!(
                    "cannot attach {cycles} cycles: the canister has {liquid} above its freezing \
                     limit"
                )));
            }
            cx.host_mut().balance -= cycles;
            cx.call()?.cycles += cycles;
            Ok(())
        }
        call_perform |cx| -> u32 {
            let sent = cx.host_mut().perform()?;
            Ok(if sent { SENT } else { NOT_SENT })
        }
    );
}

impl Cx<'_> {
    fn call(&mut self) -> wasmtime::Result<&mut CallUnderConstruction> {
        if self.host().call.is_none() {
            return Err(self.violation("called when no call is under construction."));
        }
        let call = self.host_mut().call.as_mut();
        Ok(call.expect("bug: the call was checked to be there"))
    }

    fn principal(&mut self, start: u32, length: u32) -> wasmtime::Result<Principal> {
        if length > MAX_PRINCIPAL_BYTES {
            return Err(self.violation("was given an invalid principal id"));
        }
        let bytes = self.read(start, length, 1)?;
        Principal::try_from_slice(&bytes)
            .map_err(|_| self.violation("was given an invalid principal id"))
    }
}
