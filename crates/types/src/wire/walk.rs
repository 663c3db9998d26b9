//! A message's bytes: its type table, its numbers and texts, and passing over what nobody wants.
//!
//! Owns the binary format; what a value must look like is `decode`'s.

use super::shape::code;
use crate::plant::planted;

/// Deepest nesting looked into.
const DEPTH_MAX: u32 = 64;
/// Longest principal in bytes (interface specification, "Principals").
const PRINCIPAL_BYTES_MAX: usize = 29;

/// Why a value is not read.
pub(super) enum Flaw {
    /// It has another form: none, where it is optional.
    Shape(&'static str),
    /// The message is broken, or asks for too much.
    Message(&'static str),
}

pub(super) type Checked<T = ()> = Result<T, Flaw>;

const ENDS_EARLY: Flaw = Flaw::Message("the message ends early");

/// An entry of a message's type table. Numbers are codes or places in the table.
#[derive(Clone, Copy)]
pub(super) enum Type {
    Opt(i32),
    Vec(i32),
    /// These of the message's fields.
    Record(usize, usize),
    Variant(usize, usize),
    Func,
    Service,
    /// Of a newer Candid.
    Future,
    /// Named by its code alone.
    Plain(i32),
}

/// A place in a message, and what is known of the rest.
pub(super) struct Walk<'a> {
    pub(super) message: &'a [u8],
    pub(super) at: usize,
    types: Vec<Type>,
    /// Of all records and variants, each list by ascending id.
    pub(super) fields: Vec<(u32, i32)>,
    /// Steps left.
    steps: usize,
}

impl<'a> Walk<'a> {
    /// At the beginning.
    pub(super) fn new(message: &'a [u8], steps: usize) -> Self {
        let steps = if planted("l22") { steps * 1_000 } else { steps };
        Walk {
            message,
            at: 0,
            types: Vec::new(),
            fields: Vec::new(),
            steps,
        }
    }

    /// Reads the type table, which comes first.
    pub(super) fn table(&mut self) -> Checked {
        for _ in 0..self.length()? {
            let entry = match self.code()? {
                code::OPT => Type::Opt(self.code()?),
                code::VEC => Type::Vec(self.code()?),
                code::RECORD => {
                    let (from, to) = self.table_fields()?;
                    Type::Record(from, to)
                }
                code::VARIANT => {
                    let (from, to) = self.table_fields()?;
                    Type::Variant(from, to)
                }
                code::FUNC => {
                    for _ in 0..2 {
                        for _ in 0..self.length()? {
                            self.code()?;
                        }
                    }
                    let annotations = self.length()?;
                    self.take(annotations)?;
                    Type::Func
                }
                code::SERVICE => {
                    for _ in 0..self.length()? {
                        let name = self.length()?;
                        self.take(name)?;
                        self.code()?;
                    }
                    Type::Service
                }
                future if future < code::PRINCIPAL => {
                    let bytes = self.length()?;
                    self.take(bytes)?;
                    Type::Future
                }
                _ => return Err(Flaw::Message("a type that is none")),
            };
            self.types.push(entry);
        }
        Ok(())
    }

    fn table_fields(&mut self) -> Checked<(usize, usize)> {
        let from = self.fields.len();
        for index in 0..self.length()? {
            let id = self.length()? as u32;
            if index > 0 && self.fields.last().is_some_and(|(before, _)| *before >= id) {
                return Err(Flaw::Message("fields out of order"));
            }
            let code = self.code()?;
            self.fields.push((id, code));
        }
        Ok((from, self.fields.len()))
    }

    /// What a code or a place in the table means.
    pub(super) fn type_of(&self, code: i32) -> Checked<Type> {
        match usize::try_from(code) {
            Err(_) => Ok(Type::Plain(code)),
            Ok(place) => {
                let known = self.types.get(place).copied();
                known.ok_or(Flaw::Message("a type that is not in the table"))
            }
        }
    }

    /// Passes over a value.
    pub(super) fn skip(&mut self, code: i32, depth: u32) -> Checked {
        self.step(depth)?;
        let depth = depth + 1;
        match self.type_of(code)? {
            Type::Plain(code::NULL | code::RESERVED) => Ok(()),
            Type::Plain(code::NAT | code::INT) => {
                while self.byte()? & 0x80 != 0 {}
                Ok(())
            }
            Type::Plain(code::TEXT) => self.span().map(drop),
            Type::Plain(code::PRINCIPAL) | Type::Service => self.principal().map(drop),
            Type::Plain(code) => {
                let size = size_of(code).ok_or(Flaw::Message("a value of no type"))?;
                self.take(size).map(drop)
            }
            Type::Opt(code) => match self.byte()? {
                0 => Ok(()),
                1 => self.skip(code, depth),
                _ => Err(Flaw::Message("an option that is neither there nor not")),
            },
            Type::Vec(code) => {
                let length = self.length()?;
                match size_of(code) {
                    Some(size) => self.take(length.saturating_mul(size)).map(drop),
                    None => (0..length).try_for_each(|_| self.skip(code, depth)),
                }
            }
            Type::Record(from, to) => {
                (from..to).try_for_each(|place| self.skip(self.fields[place].1, depth))
            }
            Type::Variant(from, to) => {
                let (_, code) = self.case(from, to)?;
                self.skip(code, depth)
            }
            Type::Func => {
                if self.byte()? != 1 {
                    return Err(Flaw::Message("an opaque reference"));
                }
                self.principal()?;
                self.span().map(drop)
            }
            Type::Future => {
                let bytes = self.length()?;
                self.length()?;
                self.take(bytes).map(drop)
            }
        }
    }

    /// Which case of a variant with these fields follows.
    pub(super) fn case(&mut self, from: usize, to: usize) -> Checked<(u32, i32)> {
        let case = self.length()?;
        let known = self.fields[from..to].get(case).copied();
        known.ok_or(Flaw::Message("a variant without that case"))
    }

    /// An id: where it lies.
    pub(super) fn principal(&mut self) -> Checked<(usize, usize)> {
        if self.byte()? != 1 {
            return Err(Flaw::Message("an opaque reference"));
        }
        let (from, length) = self.span()?;
        match length {
            0..=PRINCIPAL_BYTES_MAX => Ok((from, length)),
            _ => Err(Flaw::Message("a principal that is too long")),
        }
    }

    /// A length and that many bytes: where they lie.
    pub(super) fn span(&mut self) -> Checked<(usize, usize)> {
        let length = self.length()?;
        let from = self.at;
        self.take(length)?;
        Ok((from, length))
    }

    /// Counts a value.
    #[inline(never)]
    pub(super) fn step(&mut self, depth: u32) -> Checked {
        if self.steps == 0 || depth > DEPTH_MAX {
            return Err(Flaw::Message("the message asks for too much work"));
        }
        self.steps -= 1;
        Ok(())
    }

    /// The next bytes.
    #[inline(never)]
    pub(super) fn take(&mut self, count: usize) -> Checked<&'a [u8]> {
        let message: &'a [u8] = self.message;
        let rest = &message[self.at..];
        let taken = rest.get(..count).ok_or(ENDS_EARLY)?;
        self.at += count;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Checked<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    /// A natural number in LEB128.
    #[inline(never)]
    pub(super) fn natural(&mut self) -> Checked<u128> {
        let mut number = 0;
        for shift in (0..128).step_by(7) {
            let byte = self.byte()?;
            let bits = u128::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Flaw::Message("a number beyond 128 bits"))
    }

    /// A whole number in signed LEB128, of at most 126 bits.
    pub(super) fn integer(&mut self) -> Checked<i128> {
        let mut number = 0;
        for shift in (0..126).step_by(7) {
            let byte = self.byte()?;
            number |= i128::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let unused = 121 - shift;
                return Ok(number << unused >> unused);
            }
        }
        Err(Flaw::Message("a number beyond 126 bits"))
    }

    /// A length, a count or an id.
    pub(super) fn length(&mut self) -> Checked<usize> {
        let number = u32::try_from(self.natural()?);
        number
            .map(|it| it as usize)
            .map_err(|_| Flaw::Message("a length beyond 32 bits"))
    }

    /// A type's code or place, in signed LEB128.
    #[inline(never)]
    pub(super) fn code(&mut self) -> Checked<i32> {
        let mut number = 0_i64;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            number |= i64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let unused = 57 - shift;
                let number = i32::try_from(number << unused >> unused);
                return number.map_err(|_| Flaw::Message("a type that is none"));
            }
        }
        Err(Flaw::Message("a type that is none"))
    }
}

/// Bytes of a value of a type that always has as many.
pub(super) fn size_of(code: i32) -> Option<usize> {
    match code {
        code::BOOL | code::NAT8 | code::INT8 => Some(1),
        code::NAT64..code::NAT8 => Some(1 << (code::NAT8 - code)),
        code::INT64..=code::INT8 => Some(1 << (code::INT8 - code)),
        code::FLOAT32 => Some(4),
        code::FLOAT64 => Some(8),
        _ => None,
    }
}
