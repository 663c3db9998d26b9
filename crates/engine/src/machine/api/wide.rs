//! System calls of canisters with 64-bit memory: the same functions behind wider types. Their heaps
//! are held to 4 GiB here (6 GiB on the platform), so an address that does not fit 32 bits is out of
//! bounds.

use wasmtime::{Engine, FuncType, Val, ValType};

use super::contract::{self, Rule};
use crate::machine::trap::Stop;

/// The type of a function as a canister with 64-bit memory imports it.
pub(super) fn type_of(engine: &Engine, rule: &Rule) -> FuncType {
    let types = |letters: &str| -> Vec<ValType> {
        let wide = contract::letters(letters, true);
        let types = wide.chars().map(|letter| match letter {
            'i' => ValType::I32,
            _ => ValType::I64,
        });
        types.collect()
    };
    FuncType::new(engine, types(rule.params), types(rule.result))
}

/// A value as the functions have it, from and to what such a canister gives and takes.
pub(super) trait Slot: Sized {
    /// Out of a parameter.
    fn take(value: Option<&Val>) -> Result<Self, Stop>;
    /// Into the result, of the type in that letter of the contract.
    fn put(self, letter: &str, results: &mut [Val]);
}

impl Slot for u32 {
    fn take(value: Option<&Val>) -> Result<Self, Stop> {
        match value {
            Some(Val::I32(value)) => Ok(value.cast_unsigned()),
            value => {
                u32::try_from(u64::take(value)?).map_err(|_| Stop::trapped("heap out of bounds"))
            }
        }
    }

    fn put(self, letter: &str, results: &mut [Val]) {
        results[0] = match letter {
            "i" => Val::I32(self.cast_signed()),
            _ => Val::I64(i64::from(self)),
        };
    }
}

impl Slot for u64 {
    fn take(value: Option<&Val>) -> Result<Self, Stop> {
        match value {
            Some(Val::I64(value)) => Ok(value.cast_unsigned()),
            other => panic!("bug: a call has {other:?} where its type has an i64"),
        }
    }

    fn put(self, _letter: &str, results: &mut [Val]) {
        results[0] = Val::I64(self.cast_signed());
    }
}

impl Slot for () {
    fn take(_value: Option<&Val>) -> Result<Self, Stop> {
        Ok(())
    }

    fn put(self, _letter: &str, _results: &mut [Val]) {}
}
