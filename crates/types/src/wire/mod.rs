//! Candid bytes of our shapes, driven by tables.
//!
//! Owns encoding and decoding (Candid specification, "Binary format" and "Coercion"). A shape says
//! what it looks like in a static table; one decoder, the same for all shapes, checks a message
//! against that table and lays its numbers out in the shape's own order; what is left to each type
//! is to pick them up. So a type costs root's wasm a few hundred bytes where a visitor for each
//! costs thousands, and no message can make decoding fail half way. Deliberately not a general
//! Candid library: no recursive shapes, no references but principals, no text form but
//! JSON for reading.

mod decode;
mod forms;
mod json;
mod number;
mod shape;
mod walk;

pub use decode::{Reader, Work};
pub use forms::Unread;
pub use hatchery_derive::Wire;
pub use json::json;
pub use number::{Number, number};
pub use shape::{Field, Shape};

/// A shape with a Candid form; derived.
pub trait Wire: Sized {
    /// What it looks like.
    const SHAPE: &'static Shape;
    /// Appends the value.
    fn write(&self, out: &mut Vec<u8>);
    /// Picks the value up from a message that was found to have this shape.
    fn read(from: &mut Reader<'_>) -> Self;
}

/// Candid for no values at all.
pub const NOTHING: &[u8] = b"DIDL\0\0";

/// A message of one value.
pub fn encode<T: Wire>(value: &T) -> Vec<u8> {
    let mut bytes = shape::header(T::SHAPE);
    value.write(&mut bytes);
    bytes
}

/// The first value of a message.
///
/// # Errors
/// What is wrong with the message, or that it asks for more than `work` allows.
pub fn decode<T: Wire>(bytes: &[u8], work: Work) -> Result<T, &'static str> {
    let mut reader = Reader::new(bytes, &[T::SHAPE], work)?;
    Ok(T::read(&mut reader))
}

#[cfg(test)]
mod tests;
