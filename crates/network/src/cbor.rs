//! CBOR as the interface writes it: self-described. What is encoded is others' business.

use serde::Serialize;

/// `value` behind tag 55799.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut serializer = serde_cbor::Serializer::new(Vec::new());
    serializer
        .self_describe()
        .and_then(|()| value.serialize(&mut serializer))
        .expect("bug: our own types encode");
    serializer.into_inner()
}
