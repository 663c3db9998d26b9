//! What a value looks like on the wire, and the head of a message that says so.

/// The form of a value. No shape contains itself.
#[derive(Debug)]
pub enum Shape {
    /// No value.
    Null,
    /// True or false.
    Bool,
    /// At most 2^128 - 1.
    Nat,
    /// Of 8 bits.
    Nat8,
    /// Of 16 bits.
    Nat16,
    /// Of 32 bits.
    Nat32,
    /// Of 64 bits.
    Nat64,
    /// UTF-8.
    Text,
    /// Anything, unread.
    Reserved,
    /// An id on the platform.
    Principal,
    /// Bytes; exactly that many, or any number for 0.
    Blob(u32),
    /// Perhaps a value.
    Opt(&'static Shape),
    /// Values in a row.
    Vec(&'static Shape),
    /// Fields by ascending id.
    Record(&'static [Field]),
    /// One of these, by ascending id; fewer than 128.
    Variant(&'static [Field]),
}

/// A field of a record, or a case of a variant.
#[derive(Debug)]
pub struct Field {
    /// Hash of its name, or place in a tuple.
    pub id: u32,
    /// Its name; empty in a tuple.
    pub name: &'static str,
    /// Its form.
    pub shape: &'static Shape,
}

/// Codes of types (Candid specification, "Types").
pub(super) mod code {
    pub(in super::super) const NULL: i32 = -1;
    pub(in super::super) const BOOL: i32 = -2;
    pub(in super::super) const NAT: i32 = -3;
    pub(in super::super) const INT: i32 = -4;
    pub(in super::super) const NAT8: i32 = -5;
    pub(in super::super) const NAT16: i32 = -6;
    pub(in super::super) const NAT32: i32 = -7;
    pub(in super::super) const NAT64: i32 = -8;
    pub(in super::super) const INT8: i32 = -9;
    pub(in super::super) const INT64: i32 = -12;
    pub(in super::super) const FLOAT32: i32 = -13;
    pub(in super::super) const FLOAT64: i32 = -14;
    pub(in super::super) const TEXT: i32 = -15;
    pub(in super::super) const RESERVED: i32 = -16;
    pub(in super::super) const OPT: i32 = -18;
    pub(in super::super) const VEC: i32 = -19;
    pub(in super::super) const RECORD: i32 = -20;
    pub(in super::super) const VARIANT: i32 = -21;
    pub(in super::super) const FUNC: i32 = -22;
    pub(in super::super) const SERVICE: i32 = -23;
    pub(in super::super) const PRINCIPAL: i32 = -24;
}

/// The first bytes of a message of one value: magic, type table, the value's type.
pub(super) fn header(shape: &'static Shape) -> Vec<u8> {
    let mut table = Table::default();
    let value = table.code_of(shape);
    let mut bytes = b"DIDL".to_vec();
    unsigned(&mut bytes, table.types.len() as u128);
    for (_, entry) in &table.types {
        bytes.extend_from_slice(entry);
    }
    bytes.push(1);
    signed(&mut bytes, value);
    bytes
}

/// A type table in the making: each shape that is composed of others, with its bytes.
#[derive(Default)]
struct Table {
    types: Vec<(*const Shape, Vec<u8>)>,
}

impl Table {
    /// The code by which a shape is named, its entry made if need be.
    fn code_of(&mut self, shape: &'static Shape) -> i32 {
        match shape {
            Shape::Null => code::NULL,
            Shape::Bool => code::BOOL,
            Shape::Nat => code::NAT,
            Shape::Nat8 => code::NAT8,
            Shape::Nat16 => code::NAT16,
            Shape::Nat32 => code::NAT32,
            Shape::Nat64 => code::NAT64,
            Shape::Text => code::TEXT,
            Shape::Reserved => code::RESERVED,
            Shape::Principal => code::PRINCIPAL,
            Shape::Blob(_)
            | Shape::Opt(_)
            | Shape::Vec(_)
            | Shape::Record(_)
            | Shape::Variant(_) => self.place_of(shape),
        }
    }

    /// The same table may stand at two addresses: then it is written twice, which Candid allows.
    fn place_of(&mut self, shape: &'static Shape) -> i32 {
        let known = self
            .types
            .iter()
            .position(|(it, _)| std::ptr::eq(*it, shape));
        let place = known.unwrap_or_else(|| {
            self.types.push((shape, Vec::new()));
            let place = self.types.len() - 1;
            self.types[place].1 = self.entry(shape);
            place
        });
        i32::try_from(place).expect("bug: more types than numbers")
    }

    fn entry(&mut self, shape: &'static Shape) -> Vec<u8> {
        let mut entry = Vec::new();
        match shape {
            Shape::Opt(inner) => self.wrap(&mut entry, code::OPT, inner),
            Shape::Vec(inner) => self.wrap(&mut entry, code::VEC, inner),
            Shape::Record(fields) => self.fields(&mut entry, code::RECORD, fields),
            Shape::Variant(fields) => self.fields(&mut entry, code::VARIANT, fields),
            _ => self.wrap(&mut entry, code::VEC, &Shape::Nat8),
        }
        entry
    }

    fn wrap(&mut self, entry: &mut Vec<u8>, composed: i32, inner: &'static Shape) {
        signed(entry, composed);
        let inner = self.code_of(inner);
        signed(entry, inner);
    }

    fn fields(&mut self, entry: &mut Vec<u8>, composed: i32, fields: &'static [Field]) {
        signed(entry, composed);
        unsigned(entry, fields.len() as u128);
        for field in fields {
            unsigned(entry, field.id.into());
            let code = self.code_of(field.shape);
            signed(entry, code);
        }
    }
}

/// LEB128 of a natural number.
#[inline(never)]
pub(super) fn unsigned(out: &mut Vec<u8>, mut number: u128) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Signed LEB128 of a type's code.
fn signed(out: &mut Vec<u8>, mut number: i32) {
    loop {
        let byte = number as u8 & 0x7f;
        number >>= 7;
        let is_last = (number == 0 && byte & 0x40 == 0) || (number == -1 && byte & 0x40 != 0);
        out.push(if is_last { byte } else { byte | 0x80 });
        if is_last {
            return;
        }
    }
}
