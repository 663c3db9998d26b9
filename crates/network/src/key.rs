//! The subnet's keys: BLS for certificates, Ed25519 for its one node's query signatures. Both follow
//! from the world's seed, so that a restored network keeps its root key; neither is a secret.

use hatchery_engine::Principal;
use ic_ed25519::PublicKey;
use ic_verify_bls_signature::PrivateKey;
use sha2::{Digest, Sha256};

/// In front of the 96 bytes of a BLS key (interface specification, section "Certificate").
const BLS_DER_PREFIX: [u8; 37] = [
    0x30, 0x81, 0x82, 0x30, 0x1d, 0x06, 0x0d, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xdc, 0x7c, 0x05,
    0x03, 0x01, 0x02, 0x01, 0x06, 0x0c, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xdc, 0x7c, 0x05, 0x03,
    0x02, 0x01, 0x03, 0x61, 0x00,
];

/// Signs for the subnet.
pub(crate) struct Keys {
    subnet: PrivateKey,
    root_key: Vec<u8>,
    node: ic_ed25519::PrivateKey,
}

impl Keys {
    /// The keys of the world with this seed.
    pub(crate) fn of_seed(seed: u64) -> Self {
        // Not above the curve's order, which is a little less than 2^255.
        let mut scalar = derived(b"subnet", seed);
        scalar[0] &= 0x3f;
        let subnet = PrivateKey::deserialize(&scalar).expect("bug: below 2^254 is a key");
        let point = subnet.public_key().serialize();
        Keys {
            subnet,
            root_key: [&BLS_DER_PREFIX[..], &point[..]].concat(),
            node: ic_ed25519::PrivateKey::deserialize_raw_32(&derived(b"node", seed)),
        }
    }

    /// The root key in DER, 133 bytes.
    pub(crate) fn root_key(&self) -> &[u8] {
        &self.root_key
    }

    /// The subnet's id: that of its own key, since it is the root subnet.
    pub(crate) fn subnet_id(&self) -> Principal {
        Principal::self_authenticating(&self.root_key)
    }

    /// The node's id.
    pub(crate) fn node_id(&self) -> Principal {
        Principal::self_authenticating(self.node_key())
    }

    /// The node's key in DER, 44 bytes.
    pub(crate) fn node_key(&self) -> Vec<u8> {
        PublicKey::convert_raw32_to_der(self.node.public_key().serialize_raw())
    }

    /// The signature of a certificate whose tree has this root, 48 bytes.
    pub(crate) fn sign_root(&self, root: &[u8; 32]) -> Vec<u8> {
        let message = [&b"\x0Dic-state-root"[..], root].concat();
        self.subnet.sign(&message).serialize().to_vec()
    }

    /// The node's signature on a query response, 64 bytes.
    pub(crate) fn sign_response(&self, signable: &[u8]) -> Vec<u8> {
        self.node.sign_message(signable).to_vec()
    }
}

fn derived(whose: &[u8], seed: u64) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"hatchery-network key of the ");
    hash.update(whose);
    hash.update(seed.to_le_bytes());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::Keys;
    use ic_verify_bls_signature::verify_bls_signature;

    #[test]
    fn signatures_verify_under_the_root_key_and_no_other() {
        let (keys, other) = (Keys::of_seed(0), Keys::of_seed(1));
        let signature = keys.sign_root(&[7; 32]);
        let message = [&b"\x0Dic-state-root"[..], &[7; 32]].concat();
        let verify = |key: &[u8]| verify_bls_signature(&signature, &message, &key[37..]);
        assert_eq!(verify(keys.root_key()), Ok(()));
        assert_eq!(verify(other.root_key()), Err(()));
    }
}
