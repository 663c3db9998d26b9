//! From a message to the numbers that a shape is made of, in the shape's own order.
//!
//! Owns every rule of coercion and every bound: a hostile message costs at most the work that its
//! reader grants (steps, depth), and fails before any value of ours exists.

use super::shape::{Field, Shape, code};
use super::walk::{Checked, Flaw, Type, Walk};

/// How much a message may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Values looked at beside what grows with the message.
    pub steps: usize,
    /// The same for each byte of the message.
    pub steps_per_byte: usize,
}

/// What a message holds, ready to be picked up by a type of the shape it was checked against.
#[derive(Debug)]
pub struct Reader<'a> {
    message: &'a [u8],
    /// Numbers, tags, lengths, and for bytes where they lie: offset × 2^32 + length.
    found: std::vec::IntoIter<u64>,
}

impl<'a> Reader<'a> {
    /// Checks that the first values of a message have these shapes; further ones are ignored.
    ///
    /// # Errors
    /// What is wrong with the message, or that it asks for more than `work` allows.
    pub fn new(
        message: &'a [u8],
        shapes: &[&'static Shape],
        work: Work,
    ) -> Result<Self, &'static str> {
        let mut decoder = Decoder {
            walk: Walk::new(message, work.steps + work.steps_per_byte * message.len()),
            found: Vec::new(),
        };
        match decoder.message(shapes) {
            Ok(()) => Ok(Reader {
                message,
                found: decoder.found.into_iter(),
            }),
            Err(Flaw::Shape(text) | Flaw::Message(text)) => Err(text),
        }
    }

    /// The next number, length or presence.
    #[inline(never)]
    pub fn number(&mut self) -> u64 {
        self.found
            .next()
            .expect("bug: a value that was not looked at")
    }

    /// Which case of a variant follows.
    pub fn tag(&mut self) -> u8 {
        self.number() as u8
    }

    /// The next text, blob or principal.
    pub fn bytes(&mut self) -> &'a [u8] {
        let place = self.number();
        let from = (place >> 32) as usize;
        &self.message[from..from + place as u32 as usize]
    }
}

struct Decoder<'a> {
    walk: Walk<'a>,
    found: Vec<u64>,
}

impl Decoder<'_> {
    fn message(&mut self, shapes: &[&'static Shape]) -> Checked {
        if self.walk.take(4)? != b"DIDL" {
            return Err(Flaw::Message("not Candid"));
        }
        self.walk.table()?;
        let count = self.walk.length()?;
        let mut codes = Vec::new();
        for _ in 0..count {
            codes.push(self.walk.code()?);
        }
        for (index, shape) in shapes.iter().enumerate() {
            match codes.get(index) {
                Some(code) => self.value(*code, shape, 0)?,
                None => self.absent(shape)?,
            }
        }
        for code in codes.iter().skip(shapes.len()) {
            self.walk.skip(*code, 0)?;
        }
        Ok(())
    }

    /// Looks at a value that has the type `code` and shall have this shape.
    fn value(&mut self, code: i32, shape: &'static Shape, depth: u32) -> Checked {
        self.walk.step(depth)?;
        let (ty, depth) = (self.walk.type_of(code)?, depth + 1);
        match (shape, ty) {
            (Shape::Reserved, _) => self.walk.skip(code, depth),
            (Shape::Opt(inner), _) => self.optional(code, ty, inner, depth),
            (Shape::Null, Type::Plain(code::NULL)) => Ok(()),
            (Shape::Bool, Type::Plain(code::BOOL)) => match self.walk.byte()? {
                byte @ 0..=1 => {
                    self.find(byte.into());
                    Ok(())
                }
                _ => Err(Flaw::Message("neither true nor false")),
            },
            (Shape::Nat, Type::Plain(code::NAT)) => {
                let number = self.walk.natural()?;
                self.find((number >> 64) as u64);
                self.find(number as u64);
                Ok(())
            }
            (Shape::Nat8, Type::Plain(code::NAT8)) => self.fixed(1),
            (Shape::Nat16, Type::Plain(code::NAT16)) => self.fixed(2),
            (Shape::Nat32, Type::Plain(code::NAT32)) => self.fixed(4),
            (Shape::Nat64, Type::Plain(code::NAT64)) => self.fixed(8),
            (Shape::Text, Type::Plain(code::TEXT)) => {
                let (from, length) = self.walk.span()?;
                match std::str::from_utf8(&self.walk.message[from..from + length]) {
                    Ok(_) => {
                        self.find_span(from, length);
                        Ok(())
                    }
                    Err(_) => Err(Flaw::Message("a text that is not UTF-8")),
                }
            }
            (Shape::Principal, Type::Plain(code::PRINCIPAL)) => {
                let (from, length) = self.walk.principal()?;
                self.find_span(from, length);
                Ok(())
            }
            (Shape::Blob(size), Type::Vec(code::NAT8)) => {
                let (from, length) = self.walk.span()?;
                if *size != 0 && *size as usize != length {
                    return Err(Flaw::Message("a blob of another size"));
                }
                self.find_span(from, length);
                Ok(())
            }
            (Shape::Vec(inner), Type::Vec(code)) => {
                let length = self.walk.length()?;
                self.find(length as u64);
                (0..length).try_for_each(|_| self.value(code, inner, depth))
            }
            (Shape::Record(wanted), Type::Record(from, to)) => self.record(wanted, from, to, depth),
            (Shape::Variant(cases), Type::Variant(from, to)) => {
                let (id, code) = self.walk.case(from, to)?;
                let known = cases.binary_search_by_key(&id, |case| case.id);
                let known = known.map_err(|_| Flaw::Shape("an unknown case of a variant"))?;
                self.find(known as u64);
                self.value(code, cases[known].shape, depth)
            }
            _ => Err(Flaw::Shape("a value has another type")),
        }
    }

    /// An option is filled by an option or by a value itself; what does not fit is none.
    fn optional(&mut self, code: i32, ty: Type, inner: &'static Shape, depth: u32) -> Checked {
        match ty {
            Type::Plain(code::NULL | code::RESERVED) => {
                self.find(0);
                Ok(())
            }
            Type::Opt(code) => match self.walk.byte()? {
                0 => {
                    self.find(0);
                    Ok(())
                }
                1 => self.attempt(code, inner, depth),
                _ => Err(Flaw::Message("an option that is neither there nor not")),
            },
            _ if is_optional(inner) => {
                self.walk.skip(code, depth)?;
                self.find(0);
                Ok(())
            }
            _ => self.attempt(code, inner, depth),
        }
    }

    fn attempt(&mut self, code: i32, inner: &'static Shape, depth: u32) -> Checked {
        let (at, found) = (self.walk.at, self.found.len());
        self.find(1);
        match self.value(code, inner, depth) {
            Err(Flaw::Shape(_)) => {
                self.walk.at = at;
                self.found.truncate(found);
                self.walk.skip(code, depth)?;
                self.find(0);
                Ok(())
            }
            other => other,
        }
    }

    /// Both lists of fields ascend.
    fn record(&mut self, wanted: &'static [Field], from: usize, to: usize, depth: u32) -> Checked {
        let mut wanted = wanted.iter().peekable();
        for place in from..to {
            let (id, code) = self.walk.fields[place];
            while let Some(field) = wanted.next_if(|field| field.id < id) {
                self.absent(field.shape)?;
            }
            match wanted.next_if(|field| field.id == id) {
                Some(field) => self.value(code, field.shape, depth)?,
                None => self.walk.skip(code, depth)?,
            }
        }
        wanted.try_for_each(|field| self.absent(field.shape))
    }

    /// A field or an argument that the sender does not know.
    fn absent(&mut self, shape: &Shape) -> Checked {
        self.walk.step(0)?;
        match shape {
            Shape::Opt(_) => {
                self.find(0);
                Ok(())
            }
            Shape::Null | Shape::Reserved => Ok(()),
            _ => Err(Flaw::Shape("a field is missing")),
        }
    }

    fn fixed(&mut self, size: usize) -> Checked {
        let bytes = self.walk.take(size)?.iter().rev();
        let number = bytes.fold(0, |number, byte| (number << 8) | u64::from(*byte));
        self.find(number);
        Ok(())
    }

    fn find_span(&mut self, from: usize, length: usize) {
        self.find(((from as u64) << 32) | length as u64);
    }

    #[inline(never)]
    fn find(&mut self, number: u64) {
        self.found.push(number);
    }
}

fn is_optional(shape: &Shape) -> bool {
    matches!(shape, Shape::Opt(_) | Shape::Null | Shape::Reserved)
}
