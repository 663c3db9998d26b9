//! One number out of a Candid reply, whatever else is in it.
//!
//! A worker in any language answers a question with a record of its own; root knows the name of
//! one field. So it reads the type table and walks the value to that field (Candid specification,
//! "Binary format"), without the rest of Candid. Every walk is bounded: by the bytes of the reply,
//! by a number of steps, and by a depth.

/// A number as the worker wrote it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    /// `nat`, `int` and their fixed sizes.
    Whole(i128),
    /// `float32` and `float64`.
    Float(f64),
}

/// Largest value of a signal: what a double carries exactly.
const VALUE_MAX: f64 = (1u64 << 53) as f64;

impl Number {
    /// The value of a signal; `None` if it is absurd: negative, not a number, or 2^53 and above.
    pub(crate) fn value(self, multiply: u32) -> Option<u64> {
        let value = match self {
            Number::Whole(whole) => whole.checked_mul(i128::from(multiply))? as f64,
            Number::Float(float) => (float * f64::from(multiply)).round(),
        };
        (0.0..VALUE_MAX).contains(&value).then_some(value as u64)
    }
}

/// Most values and types walked over.
const STEPS_MAX: u32 = 20_000;
/// Deepest nesting walked into.
const DEPTH_MAX: u32 = 32;
/// Most entries of a type table, and most fields of all its types together.
const TYPES_MAX: u64 = 500;

/// The number in `field` of the first value of a reply, or that value itself without a field.
pub(crate) fn read(reply: &[u8], field: Option<&str>) -> Option<Number> {
    let mut bytes = Bytes { rest: reply };
    if bytes.take(4)? != b"DIDL" {
        return None;
    }
    let types = read_types(&mut bytes)?;
    let values = bytes
        .unsigned()
        .filter(|count| (1..=TYPES_MAX).contains(count))?;
    let first = bytes.signed()?;
    for _ in 1..values {
        bytes.signed()?;
    }
    let mut walk = Walk {
        types: &types,
        bytes,
        steps: STEPS_MAX,
    };
    match field {
        None => walk.number(first, 0),
        Some(field) => walk.field(first, hash(field)),
    }
}

/// The hash of a field's name (Candid specification, "Shorthand: Symbolic Field Ids").
fn hash(name: &str) -> u64 {
    let bytes = name.bytes();
    let hash = bytes.fold(0u32, |hash, byte| {
        hash.wrapping_mul(223).wrapping_add(u32::from(byte))
    });
    u64::from(hash)
}

/// A type that is composed of others; the number is an opcode or a place in the table.
#[derive(Debug)]
enum Composed {
    Opt(i64),
    Vec(i64),
    Record(Vec<(u64, i64)>),
    Variant(Vec<(u64, i64)>),
    Reference,
}

mod opcode {
    pub(super) const OPT: i64 = -18;
    pub(super) const VEC: i64 = -19;
    pub(super) const RECORD: i64 = -20;
    pub(super) const VARIANT: i64 = -21;
    pub(super) const FUNC: i64 = -22;
    pub(super) const SERVICE: i64 = -23;
}

fn read_types(bytes: &mut Bytes<'_>) -> Option<Vec<Composed>> {
    let count = bytes.unsigned().filter(|count| *count <= TYPES_MAX)?;
    let mut fields = TYPES_MAX;
    let mut types = Vec::new();
    for _ in 0..count {
        types.push(match bytes.signed()? {
            opcode::OPT => Composed::Opt(bytes.signed()?),
            opcode::VEC => Composed::Vec(bytes.signed()?),
            opcode::RECORD => Composed::Record(read_fields(bytes, &mut fields)?),
            opcode::VARIANT => Composed::Variant(read_fields(bytes, &mut fields)?),
            opcode::FUNC => {
                for _ in 0..2 {
                    for _ in 0..bytes.unsigned().filter(|count| *count <= TYPES_MAX)? {
                        bytes.signed()?;
                    }
                }
                let annotations = bytes.unsigned()?;
                bytes.take(annotations)?;
                Composed::Reference
            }
            opcode::SERVICE => {
                for _ in 0..bytes.unsigned().filter(|count| *count <= TYPES_MAX)? {
                    let name = bytes.unsigned()?;
                    bytes.take(name)?;
                    bytes.signed()?;
                }
                Composed::Reference
            }
            _ => return None,
        });
    }
    Some(types)
}

fn read_fields(bytes: &mut Bytes<'_>, left: &mut u64) -> Option<Vec<(u64, i64)>> {
    let count = bytes.unsigned()?;
    *left = left.checked_sub(count)?;
    (0..count)
        .map(|_| Some((bytes.unsigned()?, bytes.signed()?)))
        .collect()
}

struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        let count = usize::try_from(count).ok()?;
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    /// LEB128 of at most 128 bits, of its sign when it is signed.
    fn leb(&mut self, signed: bool) -> Option<i128> {
        let (mut value, mut shift) = (0i128, 0u32);
        loop {
            let byte = self.byte()?;
            if shift > 119 {
                return None;
            }
            value |= i128::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                let negative = signed && byte & 0x40 != 0;
                return Some(if negative {
                    value - (1i128 << shift)
                } else {
                    value
                });
            }
        }
    }

    fn unsigned(&mut self) -> Option<u64> {
        u64::try_from(self.leb(false)?).ok()
    }

    fn signed(&mut self) -> Option<i64> {
        i64::try_from(self.leb(true)?).ok()
    }

    /// A number of a primitive type; `None` for what is no number.
    fn primitive(&mut self, opcode: i64) -> Option<Number> {
        let whole = match opcode {
            -3 => self.leb(false)?,
            -4 => self.leb(true)?,
            -5 => i128::from(self.byte()?),
            -6 => i128::from(u16::from_le_bytes(self.array()?)),
            -7 => i128::from(u32::from_le_bytes(self.array()?)),
            -8 => i128::from(u64::from_le_bytes(self.array()?)),
            -9 => i128::from(i8::from_le_bytes(self.array()?)),
            -10 => i128::from(i16::from_le_bytes(self.array()?)),
            -11 => i128::from(i32::from_le_bytes(self.array()?)),
            -12 => i128::from(i64::from_le_bytes(self.array()?)),
            -13 => return Some(Number::Float(f32::from_le_bytes(self.array()?).into())),
            -14 => return Some(Number::Float(f64::from_le_bytes(self.array()?))),
            _ => return None,
        };
        Some(Number::Whole(whole))
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N as u64)?.try_into().ok()
    }

    /// Passes a value of a primitive type.
    fn skip_primitive(&mut self, opcode: i64) -> Option<()> {
        match opcode {
            // null, reserved
            -1 | -16 => Some(()),
            // bool
            -2 => self.byte().map(|_| ()),
            // text
            -15 => {
                let length = self.unsigned()?;
                self.take(length).map(|_| ())
            }
            // principal
            -24 => match self.byte()? {
                1 => {
                    let length = self.unsigned()?;
                    self.take(length).map(|_| ())
                }
                _ => None,
            },
            -4 | -3 => self.big(),
            number => self.primitive(number).map(|_| ()),
        }
    }

    /// Passes a `nat` or an `int` of any length.
    fn big(&mut self) -> Option<()> {
        while self.byte()? & 0x80 != 0 {}
        Some(())
    }
}

struct Walk<'a> {
    types: &'a [Composed],
    bytes: Bytes<'a>,
    steps: u32,
}

impl<'a> Walk<'a> {
    fn composed(&self, of: i64) -> Option<&'a Composed> {
        self.types.get(usize::try_from(of).ok()?)
    }

    /// The number of the field with that hash, of a record.
    fn field(&mut self, of: i64, wanted: u64) -> Option<Number> {
        let Composed::Record(fields) = self.composed(of)? else {
            return None;
        };
        for (hash, of) in fields {
            if *hash == wanted {
                return self.number(*of, 0);
            }
            self.skip(*of, 0)?;
        }
        None
    }

    /// A number, or one that is there in an `opt`.
    fn number(&mut self, of: i64, depth: u32) -> Option<Number> {
        if of < 0 {
            return self.bytes.primitive(of);
        }
        match self.composed(of)? {
            Composed::Opt(inner) if depth < DEPTH_MAX && self.bytes.byte()? == 1 => {
                self.number(*inner, depth + 1)
            }
            _ => None,
        }
    }

    fn skip(&mut self, of: i64, depth: u32) -> Option<()> {
        self.steps = self.steps.checked_sub(1)?;
        if of < 0 {
            return self.bytes.skip_primitive(of);
        }
        if depth == DEPTH_MAX {
            return None;
        }
        match self.composed(of)? {
            Composed::Opt(inner) => match self.bytes.byte()? {
                0 => Some(()),
                _ => self.skip(*inner, depth + 1),
            },
            // A blob or a list of bytes is passed at once.
            Composed::Vec(-5 | -9) => {
                let length = self.bytes.unsigned()?;
                self.bytes.take(length).map(|_| ())
            }
            Composed::Vec(inner) => {
                for _ in 0..self.bytes.unsigned()? {
                    self.skip(*inner, depth + 1)?;
                }
                Some(())
            }
            Composed::Record(fields) => {
                for (_, of) in fields {
                    self.skip(*of, depth + 1)?;
                }
                Some(())
            }
            Composed::Variant(arms) => {
                let arm = usize::try_from(self.bytes.unsigned()?).ok()?;
                let (_, of) = arms.get(arm)?;
                self.skip(*of, depth + 1)
            }
            Composed::Reference => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candid::{CandidType, Int, Nat, Principal};

    #[derive(CandidType)]
    enum Mood {
        Calm,
        Busy { since: u64 },
    }

    #[derive(CandidType)]
    struct Stats {
        name: String,
        tags: Vec<String>,
        blob: Vec<u8>,
        owner: Principal,
        mood: Mood,
        maybe: Option<Nat>,
        nothing: Option<u8>,
        depth: Nat,
        change: Int,
        share: f64,
        small: i16,
        big: u64,
        flag: bool,
        inner: (u32, String),
    }

    fn reply() -> Vec<u8> {
        let stats = Stats {
            name: "motoko".to_owned(),
            tags: vec!["a".to_owned(), "bc".to_owned()],
            blob: vec![1; 300],
            owner: Principal::from_slice(&[1, 2, 3]),
            mood: Mood::Busy { since: 7 },
            maybe: Some(Nat::from(5u8)),
            nothing: None,
            depth: Nat::from(1_000_000u64),
            change: Int::from(-77),
            share: 0.75,
            small: -2,
            big: u64::MAX,
            flag: true,
            inner: (9, "x".to_owned()),
        };
        let _ = Mood::Calm;
        candid::encode_args((stats, 5u8)).expect("encodes")
    }

    #[test]
    fn one_field_of_any_record_is_found() {
        let reply = reply();
        for (field, number) in [
            ("depth", Some(Number::Whole(1_000_000))),
            ("change", Some(Number::Whole(-77))),
            ("share", Some(Number::Float(0.75))),
            ("small", Some(Number::Whole(-2))),
            ("big", Some(Number::Whole(u64::MAX.into()))),
            ("maybe", Some(Number::Whole(5))),
            ("nothing", None),
            ("name", None),
            ("inner", None),
            ("missing", None),
        ] {
            assert_eq!(read(&reply, Some(field)), number, "{field}");
        }
        let bare = candid::encode_one(Nat::from(300u64)).expect("encodes");
        assert_eq!(read(&bare, None), Some(Number::Whole(300)));
        assert_eq!(read(&bare, Some("depth")), None);
    }

    #[test]
    fn s10_absurd_numbers_have_no_value() {
        for (number, multiply, value) in [
            (Number::Whole(12), 1, Some(12)),
            (Number::Whole(-1), 1, None),
            (Number::Whole(1 << 53), 1, None),
            (Number::Whole((1 << 53) - 1), 1, Some((1 << 53) - 1)),
            (Number::Whole(i128::MAX), 2, None),
            (Number::Float(0.75), 100, Some(75)),
            (Number::Float(f64::NAN), 1, None),
            (Number::Float(f64::INFINITY), 1, None),
            (Number::Float(-0.6), 1, None),
            (Number::Float(1e300), 1, None),
        ] {
            assert_eq!(number.value(multiply), value, "{number:?} x {multiply}");
        }
    }

    #[test]
    fn l22_no_reply_makes_it_fail_or_run_long() {
        let reply = reply();
        for length in 0..reply.len() {
            let _ = read(&reply[..length], Some("inner"));
        }
        for position in 0..reply.len() {
            for bit in 0..8 {
                let mut mangled = reply.clone();
                mangled[position] ^= 1 << bit;
                let _ = read(&mangled, Some("inner"));
            }
        }
        // A list of a thousand million nulls, and a type that is an option of itself.
        let nulls = b"DIDL\x02\x6c\x02\x00\x01\x01\x7d\x6d\x7f\x01\x00\x80\x94\xeb\xdc\x03";
        assert_eq!(read(nulls, Some("zz")), None);
        let mut deep = b"DIDL\x01\x6e\x00\x01\x00".to_vec();
        deep.extend([1; 1_000]);
        assert_eq!(read(&deep, None), None);
    }
}
