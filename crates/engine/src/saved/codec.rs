//! Values as bytes and back. It owns how numbers, texts, lists and shared memory are written; it
//! knows no type of the engine but those that many others are made of.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use candid::utils::decode_one_with_config;
use candid::{CandidType, DecoderConfig, Encode};
use ic_error_types::{ErrorCode, RejectCode};
use ic_principal::Principal;
use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

use super::WorldError;
use crate::machine::{Machine, Module, Page};

/// Work that decoding Candid may cost beside what its length explains.
const DECODING_BASE: usize = 1_000_000;
const DECODING_PER_BYTE: usize = 50;

/// The bytes are not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Damaged;

/// A value that a saved world is made of.
pub(crate) trait Saved: Sized {
    fn write(&self, to: &mut Writer);

    /// # Errors
    /// [`Damaged`]
    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged>;
}

/// Collects bytes, and apart from them the modules and pages they refer to.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    modules: Vec<Arc<Module>>,
    module_numbers: BTreeMap<[u8; 32], u32>,
    pages: Vec<Page>,
    /// By address: the pages are alive as long as the writer.
    page_numbers: BTreeMap<usize, u32>,
}

impl Writer {
    fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn module(&mut self, module: &Arc<Module>) {
        let next = self.modules.len() as u32;
        let number = *self.module_numbers.entry(module.hash()).or_insert(next);
        if number == next {
            self.modules.push(module.clone());
        }
        number.write(self);
    }

    pub(crate) fn page(&mut self, page: &Page) {
        let next = self.pages.len() as u32;
        let address = Arc::as_ptr(page) as usize;
        let number = *self.page_numbers.entry(address).or_insert(next);
        if number == next {
            self.pages.push(page.clone());
        }
        number.write(self);
    }

    /// Modules, pages, and what refers to them.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        let mut whole = Writer::default();
        (self.modules.len() as u64).write(&mut whole);
        for module in &self.modules {
            (module.wasm().len() as u64).write(&mut whole);
            whole.raw(module.wasm());
        }
        (self.pages.len() as u64).write(&mut whole);
        for page in &self.pages {
            whole.raw(&page[..]);
        }
        whole.raw(&self.bytes);
        whole.bytes
    }
}

/// Reads what a [`Writer`] wrote.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    modules: Vec<Arc<Module>>,
    pages: Vec<Page>,
    pub(crate) machine: &'a mut Machine,
}

impl<'a> Reader<'a> {
    /// Reads modules, which are compiled, and pages.
    pub(super) fn open(rest: &'a [u8], machine: &'a mut Machine) -> Result<Self, WorldError> {
        let mut reader = Reader {
            rest,
            modules: Vec::new(),
            pages: Vec::new(),
            machine,
        };
        for _ in 0..u64::read(&mut reader)? {
            let length = u64::read(&mut reader)?;
            let wasm = reader.raw(usize::try_from(length).map_err(|_| Damaged)?)?;
            let module = reader.machine.load(wasm)?;
            reader.modules.push(module);
        }
        for _ in 0..u64::read(&mut reader)? {
            let page = reader.array()?;
            reader.pages.push(Arc::new(page));
        }
        Ok(reader)
    }

    /// Nothing may be left over.
    pub(super) fn finish(self) -> Result<(), Damaged> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Damaged)
        }
    }

    fn raw(&mut self, length: usize) -> Result<&'a [u8], Damaged> {
        let (head, rest) = self.rest.split_at_checked(length).ok_or(Damaged)?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(Damaged)?;
        self.rest = rest;
        Ok(*head)
    }

    pub(crate) fn module(&mut self) -> Result<Arc<Module>, Damaged> {
        let number = u32::read(self)?;
        self.modules.get(number as usize).cloned().ok_or(Damaged)
    }

    pub(crate) fn page(&mut self) -> Result<Page, Damaged> {
        let number = u32::read(self)?;
        self.pages.get(number as usize).cloned().ok_or(Damaged)
    }
}

/// How a struct or enum is saved: all its fields in this order, variants by their number.
macro_rules! saved {
    (struct $type:ty { $($field:ident),* $(,)? }) => {
        impl $crate::saved::Saved for $type {
            fn write(&self, to: &mut $crate::saved::Writer) {
                $( $crate::saved::Saved::write(&self.$field, to); )*
            }

            fn read(
                from: &mut $crate::saved::Reader<'_>,
            ) -> Result<Self, $crate::saved::Damaged> {
                Ok(Self { $( $field: $crate::saved::Saved::read(from)?, )* })
            }
        }
    };
    (number $type:ty) => {
        impl $crate::saved::Saved for $type {
            fn write(&self, to: &mut $crate::saved::Writer) {
                $crate::saved::Saved::write(&self.0, to);
            }

            fn read(
                from: &mut $crate::saved::Reader<'_>,
            ) -> Result<Self, $crate::saved::Damaged> {
                $crate::saved::Saved::read(from).map(Self)
            }
        }
    };
    (enum $type:ty { $(
        $number:literal => $variant:ident $( { $($field:ident),* } )? $( ( $($item:ident),* ) )?
    ),* $(,)? }) => {
        impl $crate::saved::Saved for $type {
            fn write(&self, to: &mut $crate::saved::Writer) {
                match self { $(
                    Self::$variant $( { $($field),* } )? $( ( $($item),* ) )? => {
                        $crate::saved::Saved::write(&($number as u8), to);
                        $( $( $crate::saved::Saved::write($field, to); )* )?
                        $( $( $crate::saved::Saved::write($item, to); )* )?
                    }
                )* }
            }

            fn read(
                from: &mut $crate::saved::Reader<'_>,
            ) -> Result<Self, $crate::saved::Damaged> {
                let number: u8 = $crate::saved::Saved::read(from)?;
                match number {
                    $( $number => {
                        $( $( let $field = $crate::saved::Saved::read(from)?; )* )?
                        $( $( let $item = $crate::saved::Saved::read(from)?; )* )?
                        Ok(Self::$variant $( { $($field),* } )? $( ( $($item),* ) )?)
                    } )*
                    _ => Err($crate::saved::Damaged),
                }
            }
        }
    };
}
pub(crate) use saved;

macro_rules! numbers {
    ($($type:ty),*) => { $(
        impl Saved for $type {
            fn write(&self, to: &mut Writer) {
                to.raw(&self.to_le_bytes());
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
                Ok(Self::from_le_bytes(from.array()?))
            }
        }
    )* };
}
numbers!(u8, u32, u64, u128);

impl Saved for usize {
    fn write(&self, to: &mut Writer) {
        (*self as u64).write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        usize::try_from(u64::read(from)?).map_err(|_| Damaged)
    }
}

impl Saved for bool {
    fn write(&self, to: &mut Writer) {
        u8::from(*self).write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        match u8::read(from)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Damaged),
        }
    }
}

impl<T: Saved + Default + Copy, const N: usize> Saved for [T; N] {
    fn write(&self, to: &mut Writer) {
        for item in self {
            item.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let mut items = [T::default(); N];
        for item in &mut items {
            *item = T::read(from)?;
        }
        Ok(items)
    }
}

fn write_bytes(bytes: &[u8], to: &mut Writer) {
    (bytes.len() as u64).write(to);
    to.raw(bytes);
}

fn read_bytes<'a>(from: &mut Reader<'a>) -> Result<&'a [u8], Damaged> {
    let length = u64::read(from)?;
    from.raw(usize::try_from(length).map_err(|_| Damaged)?)
}

impl Saved for String {
    fn write(&self, to: &mut Writer) {
        write_bytes(self.as_bytes(), to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let bytes = read_bytes(from)?.to_vec();
        String::from_utf8(bytes).map_err(|_| Damaged)
    }
}

impl Saved for Principal {
    fn write(&self, to: &mut Writer) {
        write_bytes(self.as_slice(), to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Principal::try_from_slice(read_bytes(from)?).map_err(|_| Damaged)
    }
}

/// Reads as many values as the list says; it grows with what was really read.
fn read_list<T: Saved, L: Default + Extend<T>>(from: &mut Reader<'_>) -> Result<L, Damaged> {
    let mut list = L::default();
    for _ in 0..u64::read(from)? {
        list.extend(std::iter::once(T::read(from)?));
    }
    Ok(list)
}

fn write_list<'a, T: Saved + 'a>(list: impl ExactSizeIterator<Item = &'a T>, to: &mut Writer) {
    (list.len() as u64).write(to);
    for item in list {
        item.write(to);
    }
}

macro_rules! lists {
    ($($list:ident $(: $bound:ident)?),*) => { $(
        impl<T: Saved $(+ $bound)?> Saved for $list<T> {
            fn write(&self, to: &mut Writer) {
                write_list(self.iter(), to);
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
                read_list(from)
            }
        }
    )* };
}
lists!(Vec, VecDeque, BTreeSet: Ord);

impl<K: Saved + Ord, V: Saved> Saved for BTreeMap<K, V> {
    fn write(&self, to: &mut Writer) {
        (self.len() as u64).write(to);
        for (key, value) in self {
            key.write(to);
            value.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let mut map = BTreeMap::new();
        for _ in 0..u64::read(from)? {
            let key = K::read(from)?;
            map.insert(key, V::read(from)?);
        }
        Ok(map)
    }
}

impl<T: Saved> Saved for Option<T> {
    fn write(&self, to: &mut Writer) {
        self.is_some().write(to);
        if let Some(value) = self {
            value.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let is_some = bool::read(from)?;
        is_some.then(|| T::read(from)).transpose()
    }
}

impl<T: Saved> Saved for Box<T> {
    fn write(&self, to: &mut Writer) {
        T::write(self, to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        T::read(from).map(Box::new)
    }
}

impl<T: Saved, E: Saved> Saved for Result<T, E> {
    fn write(&self, to: &mut Writer) {
        self.is_ok().write(to);
        match self {
            Ok(value) => value.write(to),
            Err(error) => error.write(to),
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Ok(if bool::read(from)? {
            Ok(T::read(from)?)
        } else {
            Err(E::read(from)?)
        })
    }
}

impl<A: Saved, B: Saved> Saved for (A, B) {
    fn write(&self, to: &mut Writer) {
        self.0.write(to);
        self.1.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Ok((A::read(from)?, B::read(from)?))
    }
}

impl<A: Saved, B: Saved, C: Saved> Saved for (A, B, C) {
    fn write(&self, to: &mut Writer) {
        self.0.write(to);
        self.1.write(to);
        self.2.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Ok((A::read(from)?, B::read(from)?, C::read(from)?))
    }
}

/// Types of the management canister's interface are saved as their Candid.
macro_rules! by_candid {
    ($($type:ident),* $(,)?) => { $(
        impl Saved for ic_management_canister_types::$type {
            fn write(&self, to: &mut Writer) {
                write_candid(self, to);
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
                read_candid(from)
            }
        }
    )* };
}

fn write_candid(value: &impl CandidType, to: &mut Writer) {
    let bytes = Encode!(value).expect("bug: a saved value cannot be encoded");
    write_bytes(&bytes, to);
}

fn read_candid<T: CandidType + DeserializeOwned>(from: &mut Reader<'_>) -> Result<T, Damaged> {
    let bytes = read_bytes(from)?;
    let mut config = DecoderConfig::new();
    config.set_decoding_quota(DECODING_BASE + DECODING_PER_BYTE * bytes.len());
    decode_one_with_config(bytes, &config).map_err(|_| Damaged)
}

by_candid!(
    CanisterLogRecord,
    Change,
    ChangeOrigin,
    CodeDeploymentMode,
    LogVisibility,
    SnapshotVisibility,
    StatusVisibility,
);

impl Saved for ErrorCode {
    fn write(&self, to: &mut Writer) {
        // The name; Candid and serde know it by the same.
        format!("{self:?}").write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let name = String::read(from)?;
        let name: StrDeserializer<'_, serde::de::value::Error> = name.as_str().into_deserializer();
        ErrorCode::deserialize(name).map_err(|_| Damaged)
    }
}

impl Saved for RejectCode {
    fn write(&self, to: &mut Writer) {
        (*self as u64).write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        RejectCode::try_from(u64::read(from)?).map_err(|_| Damaged)
    }
}
