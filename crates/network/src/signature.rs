//! Signatures of users by the kind of their DER key: Ed25519, ECDSA on P-256 and on secp256k1.
//! Whose key it is, and what is signed, is decided elsewhere.
//!
//! Source: interface specification, section "Signatures".

use k256::ecdsa::signature::Verifier;
use p256::pkcs8::DecodePublicKey;

/// In front of the 32 bytes of an Ed25519 key.
const ED25519_DER_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
/// Object identifiers 1.3.6.1.4.1.56387.1.1 and .2 as DER holds them.
const WEBAUTHN_OID: [u8; 10] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb8, 0x43, 0x01, 0x01];
const CANISTER_OID: [u8; 10] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb8, 0x43, 0x01, 0x02];
/// Where the identifier is in such a key.
const OID_PLACE: std::ops::Range<usize> = 0..32;

/// Why a signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// It is not this key's signature of this message.
    #[error("it does not verify")]
    Wrong,
    /// The key is none, or of a kind that nobody uses here.
    #[error("the key is no DER key of Ed25519, ECDSA P-256 or ECDSA secp256k1")]
    UnknownKey,
    /// The key is of a kind the platform knows and this network does not.
    #[error("keys of WebAuthn and signatures by canisters are not supported by this network")]
    UnsupportedKey,
}

/// Whether `signature` is that of `message` under `key`.
pub(crate) fn verify(key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
    if let Some(raw) = key.strip_prefix(&ED25519_DER_PREFIX) {
        let key = ic_ed25519::PublicKey::deserialize_raw(raw);
        let key = key.map_err(|_| BadSignature::UnknownKey)?;
        return key
            .verify_signature(message, signature)
            .map_err(|_| BadSignature::Wrong);
    }
    if let Ok(key) = k256::ecdsa::VerifyingKey::from_public_key_der(key) {
        let signature = k256::ecdsa::Signature::from_slice(signature);
        let signature = signature.map_err(|_| BadSignature::Wrong)?;
        let low = signature.normalize_s().unwrap_or(signature);
        return key.verify(message, &low).map_err(|_| BadSignature::Wrong);
    }
    if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_der(key) {
        let signature = p256::ecdsa::Signature::from_slice(signature);
        let signature = signature.map_err(|_| BadSignature::Wrong)?;
        return key
            .verify(message, &signature)
            .map_err(|_| BadSignature::Wrong);
    }
    let head = key.get(OID_PLACE).unwrap_or(key);
    let names = |oid: [u8; 10]| head.windows(oid.len()).any(|window| window == oid);
    if names(WEBAUTHN_OID) || names(CANISTER_OID) {
        return Err(BadSignature::UnsupportedKey);
    }
    Err(BadSignature::UnknownKey)
}
