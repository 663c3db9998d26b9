//! JSON of a shape, made from its Candid bytes.
//!
//! The bytes are walked beside the table they were made from, which has the names of the fields. So
//! JSON costs the same few bytes of code however many shapes there are, where a serialiser would
//! cost some for each.

use super::{Field, Shape, Wire};
use ic_principal::Principal;
use std::fmt::Write;

/// The JSON of a value: a record is an object, a tuple and a list are lists, an option is its value
/// or null; a variant is its name, or an object of its name and value; principals, blobs (in
/// hexadecimal digits) and `nat` (cycles: more than most readers' numbers hold) are texts.
pub fn json<T: Wire>(value: &T) -> String {
    let mut bytes = Vec::new();
    value.write(&mut bytes);
    let mut walk = Walk {
        rest: &bytes,
        out: String::new(),
    };
    walk.value(T::SHAPE);
    walk.out
}

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

    fn value(&mut self, shape: &Shape) {
        match shape {
            Shape::Null | Shape::Reserved => self.out.push_str("null"),
            Shape::Bool => {
                let text = if self.byte() == 1 { "true" } else { "false" };
                self.out.push_str(text);
            }
            Shape::Nat8 => self.fixed(1),
            Shape::Nat16 => self.fixed(2),
            Shape::Nat32 => self.fixed(4),
            Shape::Nat64 => self.fixed(8),
            Shape::Nat => {
                let digits = self.leb128().to_string();
                self.text(&digits);
            }
            Shape::Text => {
                let length = self.length();
                let text = String::from_utf8_lossy(self.take(length));
                self.text(&text);
            }
            Shape::Principal => {
                self.byte();
                let length = self.length();
                let text = Principal::from_slice(self.take(length)).to_text();
                self.text(&text);
            }
            Shape::Blob(_) => self.blob(),
            Shape::Opt(inner) => match self.byte() {
                0 => self.out.push_str("null"),
                _ => self.value(inner),
            },
            Shape::Vec(inner) => self.list(inner),
            Shape::Record(fields) => self.record(fields),
            Shape::Variant(cases) => self.variant(cases),
        }
    }

    /// A number of that many bytes, the lowest first.
    fn fixed(&mut self, bytes: usize) {
        let taken = self.take(bytes).iter().rev();
        let number = taken.fold(0, |number, byte| (number << 8) | u64::from(*byte));
        self.write(format_args!("{number}"));
    }

    fn blob(&mut self) {
        let length = self.length();
        self.out.push('"');
        for byte in self.take(length) {
            self.write(format_args!("{byte:02x}"));
        }
        self.out.push('"');
    }

    fn list(&mut self, inner: &Shape) {
        let length = self.length();
        self.out.push('[');
        for index in 0..length {
            self.comma(index);
            self.value(inner);
        }
        self.out.push(']');
    }

    /// A record, or a tuple where its fields have no names.
    fn record(&mut self, fields: &[Field]) {
        let named = fields.iter().all(|field| !field.name.is_empty());
        self.out.push(if named { '{' } else { '[' });
        for (index, field) in fields.iter().enumerate() {
            self.comma(index);
            if named {
                self.text(field.name);
                self.out.push(':');
            }
            self.value(field.shape);
        }
        self.out.push(if named { '}' } else { ']' });
    }

    fn variant(&mut self, cases: &[Field]) {
        let case = &cases[self.length()];
        if matches!(case.shape, Shape::Null) {
            return self.text(case.name);
        }
        self.out.push('{');
        self.text(case.name);
        self.out.push(':');
        self.value(case.shape);
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
