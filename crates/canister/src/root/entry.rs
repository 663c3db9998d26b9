//! From the platform's entry points to endpoints and back: guard, bounded decoding, answer.
//!
//! Owns no meaning: a malformed or unauthorised message is rejected here, all else is
//! `endpoint`'s.

use super::method::{Caller, Method};
use crate::call;
use candid::CandidType;
use candid::de::DecoderConfig;
use candid::utils::{ArgumentDecoder, decode_args_with_config};

/// Decoding work allowed beside what grows with the argument's size, in Candid's own units.
const DECODING_QUOTA: usize = 100_000;
/// Decoding work allowed per byte of the argument: a blob of n bytes costs about 4 n.
const DECODING_QUOTA_PER_BYTE: usize = 16;
/// Work allowed for what is skipped: unknown fields of a newer client, no more.
pub(crate) const SKIPPING_QUOTA: usize = 10_000;
/// What is skipped counts this many times as decoding work (`candid`'s own factor).
const SKIPPING_FACTOR: usize = 50;

/// Runs one method: rejects a caller who may not, an argument too long, or one that does not
/// decode; else answers with what `endpoint` returns.
pub(crate) fn serve<A, R>(method: &Method, endpoint: impl FnOnce(A) -> R)
where
    A: for<'a> ArgumentDecoder<'a>,
    R: CandidType,
{
    if let Err(text) = method.admit(Caller::of_message()) {
        return call::reject(text);
    }
    let Some(argument) = call::argument(method.argument_bytes_max) else {
        return call::reject("the argument is too long");
    };
    match decode_within(&argument, method.skipping_quota) {
        Ok(argument) => call::reply(&call::encode(endpoint(argument))),
        Err(error) => call::reject(&format!("the argument does not decode: {error}")),
    }
}

/// Decodes arguments within bounds that no hostile message exceeds.
pub(crate) fn decode<A>(bytes: &[u8]) -> Result<A, candid::Error>
where
    A: for<'a> ArgumentDecoder<'a>,
{
    decode_within(bytes, SKIPPING_QUOTA)
}

/// The same where a client always sends more than root reads.
fn decode_within<A>(bytes: &[u8], skipping_quota: usize) -> Result<A, candid::Error>
where
    A: for<'a> ArgumentDecoder<'a>,
{
    let expected = (skipping_quota - SKIPPING_QUOTA) * SKIPPING_FACTOR;
    let mut config = DecoderConfig::new();
    config.set_decoding_quota(DECODING_QUOTA + bytes.len() * DECODING_QUOTA_PER_BYTE + expected);
    config.set_skipping_quota(skipping_quota);
    decode_args_with_config(bytes, &config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hatchery_api::{CHUNK_BYTES_MAX, CanistersRequest, StageChunk};
    use hatchery_types::ModuleHash;

    #[test]
    fn a_full_chunk_decodes() {
        let bytes = vec![7; CHUNK_BYTES_MAX];
        let chunk = StageChunk {
            module: ModuleHash([1; 32]),
            index: 3,
            bytes,
        };
        let argument = candid::encode_one(&chunk).expect("encodes");
        assert!(argument.len() <= super::super::method::STAGE_CHUNK.argument_bytes_max);
        let (decoded,): (StageChunk,) = decode(&argument).expect("decodes");
        assert_eq!(decoded, chunk);
    }

    /// What a gateway passes on of a browser's request.
    #[derive(candid::CandidType, serde::Serialize)]
    struct FullRequest {
        method: String,
        url: String,
        headers: Vec<(String, String)>,
        #[serde(with = "serde_bytes")]
        body: Vec<u8>,
        certificate_version: Option<u16>,
    }

    #[test]
    fn a_request_with_long_headers_decodes() {
        let header = |index: u32| (format!("x-header-{index}"), "y".repeat(1_000));
        let full = FullRequest {
            method: "GET".to_owned(),
            url: "/api/status?x=1".to_owned(),
            headers: (0..40).map(header).collect(),
            body: vec![0; 1_000],
            certificate_version: Some(2),
        };
        let argument = candid::encode_one(&full).expect("encodes");
        let method = super::super::method::HTTP_REQUEST;
        assert!(argument.len() < method.argument_bytes_max);
        let (request,): (hatchery_api::HttpRequest,) =
            decode_within(&argument, method.skipping_quota).expect("decodes");
        assert_eq!(request.url, full.url);
    }

    /// `vec record {}` with that many elements, in a few bytes, as an unwanted argument.
    fn empty_records(count: [u8; 3]) -> Vec<u8> {
        [&b"DIDL\x02\x6c\x00\x6d\x00\x01\x01"[..], &count].concat()
    }

    #[test]
    fn l22_bombs_are_refused() {
        assert!(
            decode::<()>(&empty_records([0x8a, 0x80, 0x00])).is_ok(),
            "ten"
        );
        assert!(
            decode::<()>(&empty_records([0x80, 0x80, 0x40])).is_err(),
            "a million"
        );
        assert!(decode::<(CanistersRequest,)>(b"not candid").is_err());
    }
}
