//! From the platform's entry points to endpoints and back: guard, bounded decoding, answer.
//!
//! Owns no meaning: a malformed or unauthorised message is rejected here, all else is
//! `endpoint`'s.

use super::count_served;
use super::method::{Caller, Method};
use crate::call;
use hatchery_types::Wire;
use hatchery_types::wire::{Reader, Shape, Work};

/// Decoding work allowed: a value costs a step and, but for nulls and what is left out, a byte.
const WORK: Work = Work {
    steps: 10_000,
    steps_per_byte: 4,
};

/// The arguments of a method: none or one.
pub(crate) trait Arguments: Sized {
    /// What they look like.
    const SHAPES: &'static [&'static Shape];
    /// Picks them up.
    fn read(from: &mut Reader<'_>) -> Self;
}

impl Arguments for () {
    const SHAPES: &'static [&'static Shape] = &[];
    fn read(_: &mut Reader<'_>) -> Self {}
}

impl<A: Wire> Arguments for (A,) {
    const SHAPES: &'static [&'static Shape] = &[A::SHAPE];
    fn read(from: &mut Reader<'_>) -> Self {
        (A::read(from),)
    }
}

/// Runs one method: rejects a caller who may not, an argument too long, or one that does not
/// decode; else answers with what `endpoint` returns.
pub(crate) fn serve<A: Arguments, R: Wire>(method: &Method, endpoint: impl FnOnce(A) -> R) {
    let Some(argument) = admitted(method) else {
        return;
    };
    match Reader::new(&argument, A::SHAPES, WORK) {
        Ok(mut reader) => {
            call::reply(&call::encode(&endpoint(A::read(&mut reader))));
            count_served(method.name);
        }
        Err(error) => reject_argument(error),
    }
}

/// The argument of this message; `None` after a reject.
fn admitted(method: &Method) -> Option<Vec<u8>> {
    if let Err(text) = method.admit(Caller::of_message()) {
        call::reject(text);
        return None;
    }
    let argument = call::argument(method.argument_bytes_max);
    if argument.is_none() {
        call::reject(&method.too_long());
    }
    argument
}

fn reject_argument(error: &str) {
    call::reject(&format!("the argument does not decode: {error}"));
}

/// Decodes arguments within bounds that no hostile message exceeds.
pub(crate) fn decode<A: Arguments>(bytes: &[u8]) -> Result<A, &'static str> {
    let mut reader = Reader::new(bytes, A::SHAPES, WORK)?;
    Ok(A::read(&mut reader))
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
