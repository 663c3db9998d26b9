//! Envelopes under random bytes: decoded or refused, without a panic and in bounded time.
//! `HATCHERY_FUZZ_SECONDS=600 cargo test -p hatchery-network fuzz` goes on for ten minutes.

#[path = "../../../engine/tests/fuzz/mutator.rs"]
mod mutator;

use hatchery_network::envelope::Authentic;
use ic_transport_types::{Envelope, EnvelopeContent};

/// The time at which the seeds are valid.
pub(crate) const NOW_NS: u64 = 1_800_000_000_000_000_000;

#[test]
fn fuzz_envelope() {
    mutator::fuzz("envelope", 3_000, envelope);
}

fn envelope(bytes: &[u8]) {
    if let Ok(envelope) = serde_cbor::from_slice::<Envelope<'_>>(bytes) {
        // What is hashed before any signature is looked at.
        let request = envelope.content.to_request_id();
        for signed in envelope.sender_delegation.iter().flatten() {
            assert_eq!(signed.delegation.signable().len(), 59);
        }
        let unsigned = Authentic {
            request: *request,
            content: envelope.content.into_owned(),
        };
        let _ = unsigned.concerned();
    }
    if let Ok(authentic) = Authentic::read(bytes, NOW_NS) {
        assert_eq!(*authentic.content.to_request_id(), authentic.request);
        if let EnvelopeContent::Call { ingress_expiry, .. } = authentic.content {
            assert!(ingress_expiry >= NOW_NS);
        }
    }
}
