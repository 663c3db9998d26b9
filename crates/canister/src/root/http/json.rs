//! JSON of the shapes on the wire, made from their Candid bytes.
//!
//! Candid is there anyway: its bytes are walked beside the type they were made from, which has the
//! names of the fields. So JSON costs the same few bytes of code however many shapes there are,
//! where a serialiser would cost some for each. What it writes is what `serde` makes of the same
//! shapes; a kind of value that no shape of ours has is a bug.

use crate::call;
use candid::types::{Field, Label, Type, TypeInner};
use candid::{CandidType, Principal};
use std::fmt::Write;

/// The JSON of a value: balances are texts of digits, hashes are hexadecimal, variants without
/// content are their names in kebab case.
pub(super) fn json<T: CandidType>(value: &T) -> String {
    let bytes = call::encode(value);
    let mut walk = Walk {
        rest: &bytes,
        out: String::new(),
    };
    walk.skip_types();
    walk.value(&T::ty());
    walk.out
}

/// Opcodes of the type table (Candid specification, "Binary format"): opt, vec, record, variant.
const OPT: u8 = 0x6e;
const VEC: u8 = 0x6d;
const RECORD: u8 = 0x6c;
const VARIANT: u8 = 0x6b;

/// Bytes yet to be read, and what was written of those before.
struct Walk<'a> {
    rest: &'a [u8],
    out: String,
}

impl<'a> Walk<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    /// LEB128, signed or not: of a signed one only the end is of interest.
    fn leb128(&mut self) -> u128 {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            number |= u128::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return number;
            }
        }
    }

    fn length(&mut self) -> usize {
        self.leb128() as usize
    }

    /// The magic number and the type table, whose content is known.
    fn skip_types(&mut self) {
        self.take(4);
        for _ in 0..self.length() {
            match self.byte() {
                OPT | VEC => {
                    self.leb128();
                }
                RECORD | VARIANT => {
                    for _ in 0..self.length() {
                        self.leb128();
                        self.leb128();
                    }
                }
                other => panic!("bug: a type of opcode {other:#x}"),
            }
        }
        for _ in 0..self.length() {
            self.leb128();
        }
    }

    fn value(&mut self, ty: &Type) {
        match ty.as_ref() {
            TypeInner::Null => self.out.push_str("null"),
            TypeInner::Bool => {
                let text = if self.byte() == 1 { "true" } else { "false" };
                self.out.push_str(text);
            }
            TypeInner::Nat8 => self.fixed(1),
            TypeInner::Nat16 => self.fixed(2),
            TypeInner::Nat32 => self.fixed(4),
            TypeInner::Nat64 => self.fixed(8),
            TypeInner::Nat => {
                let digits = self.leb128().to_string();
                self.text(&digits);
            }
            TypeInner::Text => {
                let length = self.length();
                let text = String::from_utf8_lossy(self.take(length));
                self.text(&text);
            }
            TypeInner::Principal => {
                self.byte();
                let length = self.length();
                let text = Principal::from_slice(self.take(length)).to_text();
                self.text(&text);
            }
            TypeInner::Opt(inner) => match self.byte() {
                0 => self.out.push_str("null"),
                _ => self.value(inner),
            },
            TypeInner::Vec(inner) => self.list(inner),
            TypeInner::Record(fields) => self.record(fields),
            TypeInner::Variant(fields) => self.variant(fields),
            TypeInner::Knot(id) => {
                let ty = candid::types::internal::find_type(id);
                self.value(&ty.expect("bug: a type that nobody knows"));
            }
            _ => panic!("bug: a shape without JSON"),
        }
    }

    /// A number of that many bytes, the lowest first.
    fn fixed(&mut self, bytes: usize) {
        let taken = self.take(bytes).iter().rev();
        let number = taken.fold(0, |number, byte| number << 8 | u64::from(*byte));
        self.write(format_args!("{number}"));
    }

    fn list(&mut self, inner: &Type) {
        let length = self.length();
        if matches!(inner.as_ref(), TypeInner::Nat8) {
            self.out.push('"');
            for byte in self.take(length) {
                self.write(format_args!("{byte:02x}"));
            }
            return self.out.push('"');
        }
        self.out.push('[');
        for index in 0..length {
            self.comma(index);
            self.value(inner);
        }
        self.out.push(']');
    }

    /// A record, or a tuple where its fields have no names.
    fn record(&mut self, fields: &[Field]) {
        let named = fields.iter().any(|it| matches!(&*it.id, Label::Named(_)));
        self.out.push(if named { '{' } else { '[' });
        for (index, field) in fields.iter().enumerate() {
            self.comma(index);
            if let Label::Named(name) = &*field.id {
                self.text(name);
                self.out.push(':');
            }
            self.value(&field.ty);
        }
        self.out.push(if named { '}' } else { ']' });
    }

    fn variant(&mut self, fields: &[Field]) {
        let field = &fields[self.length()];
        let Label::Named(name) = &*field.id else {
            panic!("bug: a variant without a name")
        };
        if matches!(field.ty.as_ref(), TypeInner::Null) {
            return self.text(&kebab(name));
        }
        self.out.push('{');
        self.text(name);
        self.out.push(':');
        self.value(&field.ty);
        self.out.push('}');
    }

    fn comma(&mut self, index: usize) {
        if index > 0 {
            self.out.push(',');
        }
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for character in text.chars() {
            match character {
                '"' | '\\' => self.out.extend(['\\', character]),
                '\0'..' ' => self.write(format_args!("\\u{:04x}", character as u32)),
                _ => self.out.push(character),
            }
        }
        self.out.push('"');
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        let written = self.out.write_fmt(text);
        debug_assert!(written.is_ok(), "bug: a String takes no text");
    }
}

/// `PendingReset` as `pending-reset`, which is how the vocabulary spells it.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(character.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{json, kebab};
    use candid::CandidType;
    use hatchery_api::ReasonView;
    use hatchery_types::{CanisterId, Cycles, ModuleHash, Nanos, Phase, Principal, Reason};
    use serde::Serialize;

    #[derive(CandidType, Serialize)]
    enum Kind {
        New(u32),
        Named { a: Option<bool> },
    }

    #[derive(CandidType, Serialize)]
    struct All {
        text: &'static str,
        number: u64,
        small: (u16, u32, u8),
        none: Option<u8>,
        list: Vec<(String, u64)>,
        empty: Vec<u32>,
        kinds: Vec<Kind>,
        canister: CanisterId,
        module: ModuleHash,
        cycles: Cycles,
        at: Option<Nanos>,
        phases: Vec<(Phase, u64)>,
        reason: ReasonView,
    }

    #[test]
    fn every_shape_is_what_serde_makes_of_it() {
        let all = All {
            text: "say \"ü\"\\\n\u{1}",
            number: u64::MAX,
            small: (1, 70_000, 255),
            none: None,
            list: vec![("a".to_owned(), 1), ("b".to_owned(), 300)],
            empty: vec![],
            kinds: vec![Kind::New(1), Kind::Named { a: Some(true) }],
            canister: CanisterId(Principal::management_canister()),
            module: ModuleHash([0xab; 32]),
            cycles: Cycles(u128::MAX),
            at: Some(Nanos(7)),
            phases: Phase::ALL.map(|phase| (phase, 1)).to_vec(),
            reason: ReasonView::from(&Reason::Paused),
        };
        let ours: serde_json::Value = serde_json::from_str(&json(&all)).expect("it parses");
        assert_eq!(ours, serde_json::to_value(&all).expect("it serialises"));
    }

    #[test]
    fn names_are_spelt_as_in_the_vocabulary() {
        for phase in Phase::ALL {
            assert_eq!(kebab(&format!("{phase:?}")), phase.name());
        }
    }
}
