//! The forms of numbers, texts, lists and of the words that are ids.

use super::shape::unsigned;
use super::{Reader, Shape, Wire};
use crate::ModuleHash;
use ic_principal::Principal;

macro_rules! fixed {
    ($($number:ty, $shape:ident);* $(;)?) => {
        $(impl Wire for $number {
            const SHAPE: &'static Shape = &Shape::$shape;
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
            fn read(from: &mut Reader<'_>) -> Self {
                from.number() as $number
            }
        })*
    };
}

fixed! { u16, Nat16; u32, Nat32; u64, Nat64 }

impl Wire for u128 {
    const SHAPE: &'static Shape = &Shape::Nat;
    fn write(&self, out: &mut Vec<u8>) {
        unsigned(out, *self);
    }
    fn read(from: &mut Reader<'_>) -> Self {
        let high = u128::from(from.number());
        high << 64 | u128::from(from.number())
    }
}

impl Wire for bool {
    const SHAPE: &'static Shape = &Shape::Bool;
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn read(from: &mut Reader<'_>) -> Self {
        from.number() != 0
    }
}

/// Nothing: what a value without information looks like.
impl Wire for () {
    const SHAPE: &'static Shape = &Shape::Null;
    fn write(&self, _: &mut Vec<u8>) {}
    fn read(_: &mut Reader<'_>) -> Self {}
}

/// A value of any type that nobody looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread;

impl Wire for Unread {
    const SHAPE: &'static Shape = &Shape::Reserved;
    fn write(&self, _: &mut Vec<u8>) {}
    fn read(_: &mut Reader<'_>) -> Self {
        Unread
    }
}

impl Wire for String {
    const SHAPE: &'static Shape = &Shape::Text;
    fn write(&self, out: &mut Vec<u8>) {
        write_bytes(self.as_bytes(), out);
    }
    fn read(from: &mut Reader<'_>) -> Self {
        let text = String::from_utf8(from.bytes().to_vec());
        text.expect("bug: a text that was not looked at")
    }
}

/// A blob.
impl Wire for Vec<u8> {
    const SHAPE: &'static Shape = &Shape::Blob(0);
    fn write(&self, out: &mut Vec<u8>) {
        write_bytes(self, out);
    }
    fn read(from: &mut Reader<'_>) -> Self {
        from.bytes().to_vec()
    }
}

/// A module hash travels as a blob of 32 bytes.
impl Wire for ModuleHash {
    const SHAPE: &'static Shape = &Shape::Blob(32);
    fn write(&self, out: &mut Vec<u8>) {
        write_bytes(&self.0, out);
    }
    fn read(from: &mut Reader<'_>) -> Self {
        let bytes = from.bytes().try_into();
        ModuleHash(bytes.expect("bug: a hash that was not looked at"))
    }
}

impl Wire for Principal {
    const SHAPE: &'static Shape = &Shape::Principal;
    fn write(&self, out: &mut Vec<u8>) {
        out.push(1);
        write_bytes(self.as_slice(), out);
    }
    fn read(from: &mut Reader<'_>) -> Self {
        Principal::from_slice(from.bytes())
    }
}

impl<T: Wire> Wire for Option<T> {
    const SHAPE: &'static Shape = &Shape::Opt(T::SHAPE);
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.is_some()));
        if let Some(value) = self {
            value.write(out);
        }
    }
    fn read(from: &mut Reader<'_>) -> Self {
        (from.number() != 0).then(|| T::read(from))
    }
}

impl<T: Wire> Wire for Vec<T> {
    const SHAPE: &'static Shape = &Shape::Vec(T::SHAPE);
    fn write(&self, out: &mut Vec<u8>) {
        unsigned(out, self.len() as u128);
        for value in self {
            value.write(out);
        }
    }
    fn read(from: &mut Reader<'_>) -> Self {
        let length = from.number() as usize;
        let mut values = Vec::with_capacity(length);
        for _ in 0..length {
            values.push(T::read(from));
        }
        values
    }
}

impl<T: Wire> Wire for Box<T> {
    const SHAPE: &'static Shape = T::SHAPE;
    fn write(&self, out: &mut Vec<u8>) {
        T::write(self, out);
    }
    fn read(from: &mut Reader<'_>) -> Self {
        Box::new(T::read(from))
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    const SHAPE: &'static Shape = &Shape::Record(&[
        super::Field {
            id: 0,
            name: "",
            shape: A::SHAPE,
        },
        super::Field {
            id: 1,
            name: "",
            shape: B::SHAPE,
        },
    ]);
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }
    fn read(from: &mut Reader<'_>) -> Self {
        (A::read(from), B::read(from))
    }
}

/// The hashes of "Ok" and "Err", in their order.
const OK: u32 = 17_724;
const ERR: u32 = 3_456_837;

impl<T: Wire, E: Wire> Wire for Result<T, E> {
    const SHAPE: &'static Shape = &Shape::Variant(&[
        super::Field {
            id: OK,
            name: "Ok",
            shape: T::SHAPE,
        },
        super::Field {
            id: ERR,
            name: "Err",
            shape: E::SHAPE,
        },
    ]);
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.is_err()));
        match self {
            Ok(value) => value.write(out),
            Err(error) => error.write(out),
        }
    }
    fn read(from: &mut Reader<'_>) -> Self {
        match from.tag() {
            0 => Ok(T::read(from)),
            _ => Err(E::read(from)),
        }
    }
}

#[inline(never)]
fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    unsigned(out, bytes.len() as u128);
    out.extend_from_slice(bytes);
}
