//! Amounts with their unit in the type.

use core::fmt;
use core::ops::{Add, Sub};
use minicbor::{Decode, Encode, Encoder, decode, encode};

/// Cycles, the platform's fuel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
pub struct Cycles(pub u128);

impl Cycles {
    /// One trillion.
    pub const T: u128 = 1_000_000_000_000;
    /// One billion.
    pub const B: u128 = 1_000_000_000;

    /// `self - other`, at least zero.
    #[must_use]
    pub fn less(self, other: Cycles) -> Cycles {
        Cycles(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Cycles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            n if n >= Cycles::T => (Cycles::T, " T"),
            n if n >= Cycles::B => (Cycles::B, " B"),
            n if n >= 1_000_000 => (1_000_000, " M"),
            n => return write!(f, "{n}"),
        };
        let thousandths = self.0 / (unit / 1_000);
        write!(
            f,
            "{}.{:03}{name}",
            thousandths / 1_000,
            thousandths % 1_000
        )
    }
}

impl<C> Encode<C> for Cycles {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0.to_be_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Cycles {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        d.bytes()?
            .try_into()
            .map(|bytes| Cycles(u128::from_be_bytes(bytes)))
            .map_err(|_| decode::Error::message("not 16 bytes"))
    }
}

/// Nanoseconds: an instant since 1970 or a duration, as its name says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cfg_attr(
    feature = "candid",
    derive(candid::CandidType, serde::Deserialize, crate::Wire)
)]
#[cbor(transparent)]
pub struct Nanos(#[n(0)] pub u64);

impl Nanos {
    /// The end of time.
    pub const MAX: Nanos = Nanos(u64::MAX);

    /// That many seconds.
    pub const fn from_secs(seconds: u64) -> Nanos {
        Nanos(seconds.saturating_mul(1_000_000_000))
    }

    /// Whole seconds.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// Time passed since `earlier`; zero if the clock says it is yet to come.
    #[must_use]
    pub fn since(self, earlier: Nanos) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add for Nanos {
    type Output = Nanos;
    fn add(self, other: Nanos) -> Nanos {
        Nanos(self.0.saturating_add(other.0))
    }
}

impl Sub for Nanos {
    type Output = Nanos;
    fn sub(self, other: Nanos) -> Nanos {
        Nanos(self.0.saturating_sub(other.0))
    }
}
