//! JSON of the shapes on the wire: the few kinds of value they are made of, and no others.
//!
//! A serialiser of our own, since `serde_json` is 41 KB of a canister's code and this is three.
//! What no shape of ours has (floats, bytes, maps with other keys than texts) is an error.

use serde::ser::{self, Serialize};
use std::fmt::{self, Display, Write};

/// The JSON of a value.
pub(super) fn json(value: &impl Serialize) -> String {
    let mut writer = Writer { out: String::new() };
    let written = value.serialize(&mut writer);
    assert!(written.is_ok(), "bug: a shape that has no JSON");
    writer.out
}

struct Writer {
    out: String,
}

/// A value that no shape of ours has.
#[derive(Debug)]
struct Unsupported;

impl Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value without JSON")
    }
}

impl std::error::Error for Unsupported {}

impl ser::Error for Unsupported {
    fn custom<T: Display>(_: T) -> Self {
        Unsupported
    }
}

type Done = Result<(), Unsupported>;

impl Writer {
    fn raw(&mut self, text: &str) -> Done {
        self.out.write_str(text).map_err(|_| Unsupported)
    }

    fn number(&mut self, number: u64) -> Done {
        write!(self.out, "{number}").map_err(|_| Unsupported)
    }

    fn text(&mut self, text: &str) -> Done {
        self.out.push('"');
        for character in text.chars() {
            match character {
                '"' | '\\' => self.out.extend(['\\', character]),
                '\0'..' ' => {
                    write!(self.out, "\\u{:04x}", character as u32).map_err(|_| Unsupported)?;
                }
                _ => self.out.push(character),
            }
        }
        self.raw("\"")
    }
}

/// A list or an object under construction.
struct Parts<'a> {
    writer: &'a mut Writer,
    empty: bool,
    end: &'static str,
}

impl<'a> Parts<'a> {
    fn new(writer: &'a mut Writer, begin: &str, end: &'static str) -> Result<Self, Unsupported> {
        writer.raw(begin)?;
        Ok(Parts {
            writer,
            empty: true,
            end,
        })
    }

    fn next(&mut self) -> Done {
        if !std::mem::take(&mut self.empty) {
            self.writer.raw(",")?;
        }
        Ok(())
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.next()?;
        value.serialize(&mut *self.writer)
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Done {
        self.next()?;
        self.writer.text(name)?;
        self.writer.raw(":")?;
        value.serialize(&mut *self.writer)
    }

    fn finish(self) -> Done {
        self.writer.raw(self.end)
    }
}

macro_rules! list {
    ($($kind:ident $element:ident),*) => {$(
        impl ser::$kind for Parts<'_> {
            type Ok = ();
            type Error = Unsupported;
            fn $element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
                self.element(value)
            }
            fn end(self) -> Done {
                self.finish()
            }
        }
    )*};
}

list!(
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
);

macro_rules! object {
    ($($kind:ident),*) => {$(
        impl ser::$kind for Parts<'_> {
            type Ok = ();
            type Error = Unsupported;
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Done {
                self.field(name, value)
            }
            fn end(self) -> Done {
                self.finish()
            }
        }
    )*};
}

object!(SerializeStruct, SerializeStructVariant);

macro_rules! numbers {
    ($($method:ident $kind:ty),*) => {$(
        fn $method(self, number: $kind) -> Done {
            self.number(number.into())
        }
    )*};
}

macro_rules! unsupported {
    ($($method:ident $kind:ty),*) => {$(
        fn $method(self, _: $kind) -> Done {
            Err(Unsupported)
        }
    )*};
}

impl<'a> ser::Serializer for &'a mut Writer {
    type Ok = ();
    type Error = Unsupported;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = ser::Impossible<(), Unsupported>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    numbers!(serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64);
    unsupported!(
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64,
        serialize_f32 f32, serialize_f64 f64, serialize_bytes &[u8]
    );

    fn serialize_bool(self, value: bool) -> Done {
        self.raw(if value { "true" } else { "false" })
    }

    fn serialize_char(self, value: char) -> Done {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Done {
        self.text(value)
    }

    fn serialize_none(self) -> Done {
        self.raw("null")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Done {
        self.raw("null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Done {
        self.raw("null")
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Done {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Done {
        let mut parts = Parts::new(self, "{", "}")?;
        parts.field(variant, value)?;
        parts.finish()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>, Unsupported> {
        Parts::new(self, "[", "]")
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, Unsupported> {
        Parts::new(self, "[", "]")
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Unsupported> {
        Parts::new(self, "[", "]")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Unsupported> {
        self.raw("{")?;
        self.text(variant)?;
        Parts::new(self, ":[", "]}")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unsupported> {
        Err(Unsupported)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Unsupported> {
        Parts::new(self, "{", "}")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Unsupported> {
        self.raw("{")?;
        self.text(variant)?;
        Parts::new(self, ":{", "}}")
    }

    /// Without the formatting machinery of `serde`'s default.
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Done {
        self.text(&value.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::json;
    use serde::Serialize;

    #[derive(Serialize)]
    enum Kind {
        Unit,
        New(u32),
        Pair(u8, u8),
        Named { a: Option<bool> },
    }

    #[derive(Serialize)]
    struct All {
        text: &'static str,
        number: u64,
        none: Option<u8>,
        list: Vec<(String, u64)>,
        empty: Vec<u8>,
        kinds: [Kind; 4],
    }

    #[test]
    fn every_shape_is_what_serde_json_makes_of_it() {
        let all = All {
            text: "say \"ü\"\\\n\u{1}",
            number: u64::MAX,
            none: None,
            list: vec![("a".to_owned(), 1), ("b".to_owned(), 2)],
            empty: vec![],
            kinds: [
                Kind::Unit,
                Kind::New(1),
                Kind::Pair(2, 3),
                Kind::Named { a: Some(true) },
            ],
        };
        let ours: serde_json::Value = serde_json::from_str(&json(&all)).expect("it parses");
        assert_eq!(ours, serde_json::to_value(&all).expect("it serialises"));
    }

    #[test]
    fn ids_hashes_and_cycles_are_texts() {
        use hatchery_types::{CanisterId, Cycles, ModuleHash, Nanos, Phase, Principal};
        let value = (
            CanisterId(Principal::management_canister()),
            ModuleHash([0xab; 32]),
            Cycles(u128::MAX),
            Nanos(7),
            Phase::InService,
        );
        let expected = format!(
            r#"["aaaaa-aa","{}","340282366920938463463374607431768211455",7,"in-service"]"#,
            "ab".repeat(32)
        );
        assert_eq!(json(&value), expected);
    }
}
