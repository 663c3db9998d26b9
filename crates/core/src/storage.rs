//! Where records live in stable memory: keys, values, one memory per structure. Knows bytes, not
//! meaning.
//!
//! ```text
//! memory  structure      key                       value (CBOR)
//! 0       cell                                     Header            layout version inside
//! 1       cell                                     Option<FleetSpec>
//! 2       map            canister (1 + 29 bytes)   Row
//! 3       map            effect id (8)             Effect
//! 4       map            pool name                 PoolRecord
//! 5       map            module hash (32)          ModuleRecord
//! 6       map            module hash + index (36)  chunk bytes
//! 7       vector         number % 10,000           number (8), LogEntry
//! 8       map            caller + operation id     Receipt
//! 9       map            caller + operation id     LeaseReceipt
//! 10      map            number (8)                Decided
//! 11      cell                                     Metrics
//! ```
//!
//! Layout 2: receipts hold answers of every kind and those without one; layout 1 is read as it is.
//! Layout 3: the log is a ring; the map it was is copied over when it is opened.

use hatchery_types::{CanisterId, ModuleHash, OperationId, Principal};
use ic_stable_structures::{Memory, Storable, storable::Bound};
use std::borrow::Cow;

/// The version of the layout above; an older root refuses a newer one.
pub const LAYOUT: u32 = 3;
/// The first layout whose log is a ring.
pub(crate) const LAYOUT_OF_RING: u32 = 3;

/// The memories of one root, in the order of the table above.
pub struct Memories<M> {
    pub(crate) header: M,
    pub(crate) spec: M,
    pub(crate) rows: M,
    pub(crate) effects: M,
    pub(crate) pools: M,
    pub(crate) modules: M,
    pub(crate) chunks: M,
    pub(crate) log: M,
    pub(crate) receipts: M,
    pub(crate) leases: M,
    pub(crate) decisions: M,
    pub(crate) metrics: M,
}

impl<M: Memory> Memories<M> {
    /// How many memories root needs.
    pub const COUNT: u8 = 12;

    /// Asks `get` for memory 0, 1, … `COUNT - 1`; the same number must give the same memory after
    /// an upgrade.
    pub fn new(mut get: impl FnMut(u8) -> M) -> Self {
        Memories {
            header: get(0),
            spec: get(1),
            rows: get(2),
            effects: get(3),
            pools: get(4),
            modules: get(5),
            chunks: get(6),
            log: get(7),
            receipts: get(8),
            leases: get(9),
            decisions: get(10),
            metrics: get(11),
        }
    }
}

/// A value stored as CBOR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cbor<T>(pub(crate) T);

impl<T> Storable for Cbor<T>
where
    T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>,
{
    fn to_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Owned(encode(&self.0))
    }

    fn into_bytes(self) -> Vec<u8> {
        encode(&self.0)
    }

    fn from_bytes(bytes: Cow<[u8]>) -> Self {
        Cbor(minicbor::decode(&bytes).expect("bug: stable memory holds bytes of another shape"))
    }

    const BOUND: Bound = Bound::Unbounded;
}

/// A value of a map as its CBOR. One type for all maps: what differs between them is the key, so
/// maps with keys of one type share one compiled tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record(Vec<u8>);

impl Record {
    /// The value of these bytes.
    pub(crate) fn read<T: for<'b> minicbor::Decode<'b, ()>>(&self) -> T {
        minicbor::decode(&self.0).expect("bug: stable memory holds bytes of another shape")
    }
}

impl<T: minicbor::Encode<()>> From<T> for Record {
    fn from(value: T) -> Self {
        Record(encode(&value))
    }
}

impl Storable for Record {
    fn to_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }

    fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn from_bytes(bytes: Cow<[u8]>) -> Self {
        Record(bytes.into_owned())
    }

    const BOUND: Bound = Bound::Unbounded;
}

/// CBOR of a value in memory.
pub(crate) fn encode<T: minicbor::Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    minicbor::encode(value, &mut bytes).expect("bug: writing to a Vec does not fail");
    bytes
}

/// A principal as a key: length, then 29 bytes. Ids of one subnet keep their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PrincipalKey([u8; 30]);

impl From<Principal> for PrincipalKey {
    fn from(principal: Principal) -> Self {
        let slice = principal.as_slice();
        let mut bytes = [0; 30];
        bytes[0] = slice.len() as u8;
        bytes[1..=slice.len()].copy_from_slice(slice);
        PrincipalKey(bytes)
    }
}

impl From<CanisterId> for PrincipalKey {
    fn from(id: CanisterId) -> Self {
        id.0.into()
    }
}

macro_rules! fixed_key {
    ($key:ty, $size:literal) => {
        impl Storable for $key {
            fn to_bytes(&self) -> Cow<'_, [u8]> {
                Cow::Borrowed(&self.0)
            }
            fn into_bytes(self) -> Vec<u8> {
                self.0.to_vec()
            }
            fn from_bytes(bytes: Cow<[u8]>) -> Self {
                Self(
                    bytes
                        .as_ref()
                        .try_into()
                        .expect("bug: a key of another size"),
                )
            }
            const BOUND: Bound = Bound::Bounded {
                max_size: $size,
                is_fixed_size: true,
            };
        }
    };
}

fixed_key!(PrincipalKey, 30);
fixed_key!(HashKey, 32);
fixed_key!(ChunkKey, 36);

/// A module hash as a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HashKey(pub(crate) [u8; 32]);

/// Module hash and index of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ChunkKey([u8; 36]);

impl ChunkKey {
    pub(crate) fn new(module: ModuleHash, index: u32) -> Self {
        let mut bytes = [0; 36];
        bytes[..32].copy_from_slice(&module.0);
        bytes[32..].copy_from_slice(&index.to_be_bytes());
        ChunkKey(bytes)
    }
}

/// Caller and operation id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReceiptKey(Vec<u8>);

impl ReceiptKey {
    pub(crate) fn new(caller: Principal, operation: &str) -> Self {
        let mut bytes = PrincipalKey::from(caller).0.to_vec();
        bytes.extend_from_slice(operation.as_bytes());
        ReceiptKey(bytes)
    }

    /// The caller's part.
    pub(crate) fn caller(&self) -> [u8; 30] {
        self.0[..30]
            .try_into()
            .expect("bug: a receipt key without its caller")
    }

    /// Caller and operation id.
    pub(crate) fn parts(&self) -> (Principal, OperationId) {
        let size = usize::from(self.0[0]);
        let operation = String::from_utf8_lossy(&self.0[30..]).into_owned();
        (
            Principal::from_slice(&self.0[1..=size]),
            OperationId(operation),
        )
    }
}

impl Storable for ReceiptKey {
    fn to_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
    fn into_bytes(self) -> Vec<u8> {
        self.0
    }
    fn from_bytes(bytes: Cow<[u8]>) -> Self {
        ReceiptKey(bytes.into_owned())
    }
    const BOUND: Bound = Bound::Bounded {
        max_size: 30 + 64,
        is_fixed_size: false,
    };
}
