//! Identifiers, each a type of its own.

use core::fmt;
use ic_principal::Principal;
use minicbor::{Decode, Encode, Encoder, decode, encode};

/// A canister on the subnet of the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub struct CanisterId(pub Principal);

impl From<Principal> for CanisterId {
    fn from(principal: Principal) -> Self {
        CanisterId(principal)
    }
}

impl fmt::Display for CanisterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<C> Encode<C> for CanisterId {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bytes(self.0.as_slice())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for CanisterId {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Principal::try_from_slice(d.bytes()?)
            .map(CanisterId)
            .map_err(|_| decode::Error::message("not a principal"))
    }
}

/// SHA-256 of a wasm module's bytes as uploaded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleHash(pub [u8; 32]);

impl ModuleHash {
    /// The hash written in 64 hexadecimal digits; `None` for any other text.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks(2)) {
            let high = (pair[0] as char).to_digit(16)?;
            let low = (pair[1] as char).to_digit(16)?;
            *byte = (high * 16 + low) as u8;
        }
        Some(ModuleHash(hash))
    }
}

impl fmt::Display for ModuleHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ModuleHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<C> Encode<C> for ModuleHash {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for ModuleHash {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        d.bytes()?
            .try_into()
            .map(ModuleHash)
            .map_err(|_| decode::Error::message("not 32 bytes"))
    }
}

#[cfg(feature = "candid")]
mod wire {
    //! A module hash travels as a blob of 32 bytes.
    use super::ModuleHash;
    use candid::types::{Serializer, Type, TypeInner};

    impl candid::CandidType for ModuleHash {
        fn _ty() -> Type {
            TypeInner::Vec(TypeInner::Nat8.into()).into()
        }
        fn idl_serialize<S: Serializer>(&self, serializer: S) -> Result<(), S::Error> {
            serializer.serialize_blob(&self.0)
        }
    }

    struct Blob;

    impl serde::de::Visitor<'_> for Blob {
        type Value = ModuleHash;
        fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("a blob of 32 bytes")
        }
        fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<ModuleHash, E> {
            bytes
                .try_into()
                .map(ModuleHash)
                .map_err(|_| E::invalid_length(bytes.len(), &self))
        }
    }

    impl<'de> serde::Deserialize<'de> for ModuleHash {
        fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
            d.deserialize_bytes(Blob)
        }
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cfg_attr(feature = "candid", derive(candid::CandidType, serde::Deserialize, crate::Wire))]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// An effect in the journal; never used twice by one root.
    EffectId(u64)
}
number! {
    /// Fences stale members and stale requests: it only grows.
    Generation(u64)
}
number! {
    /// Installs and upgrades of root, counted.
    Incarnation(u32)
}

/// Chosen by the requester; the same id never causes two effects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
#[cbor(transparent)]
pub struct OperationId(#[n(0)] pub String);

impl OperationId {
    /// Longest id in bytes.
    pub const BYTES_MAX: usize = 64;

    /// Between 1 and [`Self::BYTES_MAX`] bytes.
    pub fn is_valid(&self) -> bool {
        (1..=Self::BYTES_MAX).contains(&self.0.len())
    }
}
