//! The System API: what canister code can call. It owns entering and leaving a system call
//! (context check, price, access to the canister's heap); the functions are in its submodules, by
//! what they are about.

mod call;
mod canister;
pub(super) mod contract;
mod cost;
mod cycles;
mod message;
mod stable;
mod wide;

use wasmtime::{Caller, Engine, IntoFunc, Linker, Val};

use self::contract::Rule;
use super::host::Host;
use super::trap::Stop;

/// Instructions per byte of an answer or a request.
const PAYLOAD_BYTE_COST: u64 = 50;

/// A system call in progress.
struct Cx<'a> {
    caller: Caller<'a, Host>,
    name: &'static str,
}

/// Defines functions of `ic0`: name, then a closure of the call's context and its arguments.
macro_rules! define {
    ($api:ident: $($name:ident |$cx:ident $(, $arg:ident: $ty:ty)*| -> $out:ty $body:block)*) => {
        $(
            let rule = $crate::machine::api::contract::rule(stringify!($name))
                .expect("bug: a function without a rule");
            let call = move |caller: wasmtime::Caller<'_, $crate::machine::host::Host>, $($arg: $ty),*|
                -> wasmtime::Result<$out> {
                let mut $cx = $crate::machine::api::Cx::enter(caller, rule)?;
                let _ = &mut $cx;
                $body
            };
            $api.define(rule, call, move |caller, values, results| {
                let mut values = values.iter();
                let _ = &mut values;
                $(let $arg = <$ty as $crate::machine::api::wide::Slot>::take(values.next())?;)*
                let out = call(caller, $($arg),*)?;
                $crate::machine::api::wide::Slot::put(out, rule.result, results);
                Ok(())
            });
        )*
    };
}
use define;

/// The whole System API.
#[derive(Clone)]
pub(super) struct Api {
    /// For canisters with 32-bit memory.
    narrow: Linker<Host>,
    /// For canisters with 64-bit memory.
    wide: Linker<Host>,
}

impl Api {
    pub(super) fn new(engine: &Engine) -> Self {
        let mut api = Api {
            narrow: Linker::new(engine),
            wide: Linker::new(engine),
        };
        message::define(&mut api);
        cycles::define(&mut api);
        canister::define(&mut api);
        call::define(&mut api);
        stable::define(&mut api);
        cost::define(&mut api);
        api
    }

    /// The functions as a canister of that kind imports them.
    pub(super) fn linker(&self, wide: bool) -> &Linker<Host> {
        if wide { &self.wide } else { &self.narrow }
    }

    fn define<P, R>(
        &mut self,
        rule: &'static Rule,
        narrow: impl IntoFunc<Host, P, R>,
        wide: impl Fn(Caller<'_, Host>, &[Val], &mut [Val]) -> wasmtime::Result<()>
        + Send
        + Sync
        + 'static,
    ) {
        let ty = wide::type_of(self.wide.engine(), rule);
        let defined = self.narrow.func_wrap("ic0", rule.name, narrow).is_ok()
            && self.wide.func_new("ic0", rule.name, ty, wide).is_ok();
        assert!(defined, "bug: {} is defined twice", rule.name);
    }
}

impl<'a> Cx<'a> {
    fn enter(caller: Caller<'a, Host>, rule: &'static Rule) -> wasmtime::Result<Self> {
        let mut cx = Cx {
            caller,
            name: rule.name,
        };
        let mode = cx.host().mode;
        if !rule.allows(mode) {
            let mode = contract::mode_name(mode);
            return Err(cx.violation(format_args!("cannot be executed in {mode} mode")));
        }
        cx.charge(rule.cost)?;
        Ok(cx)
    }

    /// An error for a use against the contract, named after the function.
    fn violation(&self, what: impl std::fmt::Display) -> wasmtime::Error {
        Stop::contract(format_args!("\"ic0.{}\" {what}", self.name)).into()
    }

    fn host(&self) -> &Host {
        self.caller.data()
    }

    fn host_mut(&mut self) -> &mut Host {
        self.caller.data_mut()
    }

    /// Takes instructions off what is left of the message's limit.
    fn charge(&mut self, instructions: u64) -> wasmtime::Result<()> {
        let left = self.caller.get_fuel()?;
        if let Some(left) = left.checked_sub(instructions) {
            return self.caller.set_fuel(left);
        }
        self.caller.set_fuel(0)?;
        Err(wasmtime::Trap::OutOfFuel.into())
    }

    /// Instructions of this message so far.
    fn used(&self) -> wasmtime::Result<u64> {
        let left = self.caller.get_fuel()?;
        Ok(self.host().message().instruction_limit.saturating_sub(left))
    }

    /// Bytes of the heap.
    fn slice(&self, start: u32, length: u32) -> wasmtime::Result<&[u8]> {
        let heap = self.host().memory.map_or(&[][..], |m| m.data(&self.caller));
        let start = start as usize;
        heap.get(start..start + length as usize)
            .ok_or_else(|| Stop::trapped("heap out of bounds").into())
    }

    /// Charges for bytes and copies them out of the heap.
    fn read(&mut self, start: u32, length: u32, byte_cost: u64) -> wasmtime::Result<Vec<u8>> {
        self.charge(u64::from(length) * byte_cost)?;
        Ok(self.slice(start, length)?.to_vec())
    }

    /// Lets `fill` write a part of the heap with the host's data at hand.
    fn write_with(
        &mut self,
        start: u32,
        length: u32,
        fill: impl FnOnce(&mut [u8], &mut Host) -> Result<(), Stop>,
    ) -> wasmtime::Result<()> {
        let out_of_bounds = || Stop::trapped("heap out of bounds");
        let start = start as usize;
        let end = start + length as usize;
        let Some(memory) = self.host().memory else {
            return if end == 0 {
                Ok(fill(&mut [], self.host_mut())?)
            } else {
                Err(out_of_bounds().into())
            };
        };
        let (heap, host) = memory.data_and_store_mut(&mut self.caller);
        let target = heap.get_mut(start..end).ok_or_else(out_of_bounds)?;
        Ok(fill(target, host)?)
    }

    /// Writes a number of cycles as 16 bytes, little-endian.
    fn write_cycles(&mut self, dst: u32, cycles: u128) -> wasmtime::Result<()> {
        self.write_with(dst, 16, |target, _| {
            target.copy_from_slice(&cycles.to_le_bytes());
            Ok(())
        })
    }

    /// The `*_copy` functions: `size` bytes from `offset` of what `source` shows, charged by byte.
    fn copy_out(
        &mut self,
        (dst, offset, size): (u32, u32, u32),
        source: impl for<'h> FnOnce(&'h Host) -> &'h [u8],
    ) -> wasmtime::Result<()> {
        self.charge(u64::from(size))?;
        let name = self.name;
        self.write_with(dst, size, |target, host| {
            let source = source(host);
            let offset = offset as usize;
            let Some(part) = source.get(offset..offset + size as usize) else {
                return Err(Stop::contract(format_args!(
                    "ic0.{name}: offset {offset} and size {size} exceed the {} bytes that are there",
                    source.len()
                )));
            };
            target.copy_from_slice(part);
            Ok(())
        })
    }
}

/// The two halves of a 128-bit amount.
fn amount(high: u64, low: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

/// Sizes of what the host shows; all of it is far below 4 GiB.
fn size(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("bug: more than 4 GiB shown to a canister")
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::{ExternType, ValType};

    fn letters(types: impl Iterator<Item = ValType>) -> String {
        types
            .map(|ty| if matches!(ty, ValType::I32) { 'i' } else { 'I' })
            .collect()
    }

    #[test]
    fn every_rule_has_its_function_with_its_type() {
        let engine = Engine::new(&crate::machine::compile::config()).unwrap();
        let api = Api::new(&engine);
        let mut store = wasmtime::Store::new(&engine, Host::new());
        for wide in [false, true] {
            let linker = api.linker(wide);
            for rule in contract::RULES {
                let item = linker.get(&mut store, "ic0", rule.name).expect(rule.name);
                let ExternType::Func(ty) = item.ty(&store) else {
                    panic!("{} is not a function", rule.name)
                };
                let wanted = |types| contract::letters(types, wide);
                assert_eq!(letters(ty.params()), wanted(rule.params), "{}", rule.name);
                assert_eq!(letters(ty.results()), wanted(rule.result), "{}", rule.name);
            }
            assert_eq!(linker.iter(&mut store).count(), contract::RULES.len());
        }
    }
}
