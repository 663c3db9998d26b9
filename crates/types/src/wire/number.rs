//! One number out of a Candid reply, whatever else is in it.
//!
//! A worker in any language answers a question with a record of its own; root knows the name of
//! one field, and passes over the rest.

use super::shape::code;
use super::walk::{Checked, Flaw, Type, Walk, size_of};

/// A number as the worker wrote it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// `nat`, `int` and their fixed sizes.
    Whole(i128),
    /// `float32` and `float64`.
    Float(f64),
}

/// Largest value of a signal: what a double carries exactly.
const VALUE_MAX: f64 = (1u64 << 53) as f64;

impl Number {
    /// The value of a signal; `None` if it is absurd: negative, not a number, or 2^53 and above.
    pub fn value(self, multiply: u32) -> Option<u64> {
        let value = match self {
            Number::Whole(whole) => whole.checked_mul(i128::from(multiply))? as f64,
            Number::Float(float) => (float * f64::from(multiply)).round(),
        };
        (0.0..VALUE_MAX).contains(&value).then_some(value as u64)
    }
}

/// Most values walked over.
const STEPS_MAX: usize = 20_000;

/// The number in `field` of the first value of a reply, or that value itself without a field; one
/// in an `opt` counts.
pub fn number(reply: &[u8], field: Option<&str>) -> Option<Number> {
    let mut walk = Walk::new(reply, STEPS_MAX);
    find(&mut walk, field).ok()
}

fn find(walk: &mut Walk<'_>, field: Option<&str>) -> Checked<Number> {
    if walk.take(4)? != b"DIDL" {
        return Err(Flaw::Message("not Candid"));
    }
    walk.table()?;
    let (mut first, values) = (code::NULL, walk.length()?);
    for value in 0..values {
        let code = walk.code()?;
        if value == 0 {
            first = code;
        }
    }
    let Some(field) = field else {
        return of_type(walk, first, 0);
    };
    let Type::Record(from, to) = walk.type_of(first)? else {
        return Err(Flaw::Shape("no record"));
    };
    let wanted = id_of(field);
    for place in from..to {
        let (id, code) = walk.fields[place];
        if id == wanted {
            return of_type(walk, code, 0);
        }
        walk.skip(code, 0)?;
    }
    Err(Flaw::Shape("no such field"))
}

/// The id of a field's name (Candid specification, "Shorthand: Symbolic Field Ids").
fn id_of(name: &str) -> u32 {
    let bytes = name.bytes();
    bytes.fold(0, |id: u32, byte| {
        id.wrapping_mul(223).wrapping_add(u32::from(byte))
    })
}

/// A number, or one that is there in an `opt`.
fn of_type(walk: &mut Walk<'_>, code: i32, depth: u32) -> Checked<Number> {
    walk.step(depth)?;
    match walk.type_of(code)? {
        Type::Opt(inner) if walk.byte()? == 1 => of_type(walk, inner, depth + 1),
        Type::Plain(code::NAT) => match i128::try_from(walk.natural()?) {
            Ok(whole) => Ok(Number::Whole(whole)),
            Err(_) => Err(Flaw::Message("a number beyond 127 bits")),
        },
        Type::Plain(code::INT) => walk.integer().map(Number::Whole),
        Type::Plain(code) => fixed(walk, code),
        _ => Err(Flaw::Shape("no number")),
    }
}

fn fixed(walk: &mut Walk<'_>, code: i32) -> Checked<Number> {
    let is_number = !matches!(code, code::BOOL);
    let size = size_of(code).filter(|_| is_number);
    let size = size.ok_or(Flaw::Shape("no number"))?;
    let bytes = walk.take(size)?.iter().rev();
    let bits = bytes.fold(0, |bits, byte| (bits << 8) | u64::from(*byte));
    Ok(match code {
        code::FLOAT32 => Number::Float(f32::from_bits(bits as u32).into()),
        code::FLOAT64 => Number::Float(f64::from_bits(bits)),
        code::INT64..=code::INT8 => {
            let unused = 64 - 8 * size as u32;
            Number::Whole(((bits << unused).cast_signed() >> unused).into())
        }
        _ => Number::Whole(bits.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use candid::{CandidType, Principal};

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
        maybe: Option<u128>,
        nothing: Option<u8>,
        depth: u128,
        change: i128,
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
            maybe: Some(5),
            nothing: None,
            depth: 1_000_000,
            change: -77,
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
        for (field, expected) in [
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
            assert_eq!(number(&reply, Some(field)), expected, "{field}");
        }
        let bare = candid::encode_one(300u128).expect("encodes");
        assert_eq!(number(&bare, None), Some(Number::Whole(300)));
        assert_eq!(number(&bare, Some("depth")), None);
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
            let _ = number(&reply[..length], Some("inner"));
        }
        for position in 0..reply.len() {
            for bit in 0..8 {
                let mut mangled = reply.clone();
                mangled[position] ^= 1 << bit;
                let _ = number(&mangled, Some("inner"));
            }
        }
        // A list of a thousand million nulls, and a type that is an option of itself.
        let nulls = b"DIDL\x02\x6c\x02\x00\x01\x01\x7d\x6d\x7f\x01\x00\x80\x94\xeb\xdc\x03";
        assert_eq!(number(nulls, Some("zz")), None);
        let mut deep = b"DIDL\x01\x6e\x00\x01\x00".to_vec();
        deep.extend([1; 1_000]);
        assert_eq!(number(&deep, None), None);
    }
}
