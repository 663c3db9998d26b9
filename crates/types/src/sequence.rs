//! The order in which a subnet gives ids to its canisters.
//!
//! Owns the arithmetic alone. An id is a counter in eight bytes, the most significant first, and
//! the two bytes `01 01`; a subnet counts up through the ranges it was given (replica,
//! `rs/types/base_types/src/canister_id.rs`, `From<u64> for CanisterId`). The end of a range looks
//! like ids that nobody has.

use crate::CanisterId;
use ic_principal::Principal;

/// What ends the id of a canister.
const TAIL: [u8; 2] = [1, 1];

impl CanisterId {
    /// Its place in the subnet's order; `None` for an id of another form.
    pub fn number(self) -> Option<u64> {
        let (number, tail) = self.0.as_slice().split_first_chunk::<8>()?;
        (tail == TAIL).then(|| u64::from_be_bytes(*number))
    }

    /// The id at that place.
    pub fn from_number(number: u64) -> Self {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        bytes[8..].copy_from_slice(&TAIL);
        CanisterId(Principal::from_slice(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_number_and_a_carry_moves_on() {
        for (number, bytes) in [
            (0, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]),
            (0x00ff, [0, 0, 0, 0, 0, 0, 0, 0xff, 1, 1]),
            (0x0100, [0, 0, 0, 0, 0, 0, 1, 0, 1, 1]),
            (0x0150_ffff, [0, 0, 0, 0, 1, 0x50, 0xff, 0xff, 1, 1]),
            (0x0151_0000, [0, 0, 0, 0, 1, 0x51, 0, 0, 1, 1]),
        ] {
            let id = CanisterId::from_number(number);
            assert_eq!(id.0.as_slice(), bytes);
            assert_eq!(id.number(), Some(number));
        }
        let registry = CanisterId::from_number(0).to_string();
        assert_eq!(registry, "rwlgt-iiaaa-aaaaa-aaaaa-cai");
    }

    #[test]
    fn ids_of_another_form_have_no_place() {
        for bytes in [&[][..], &[0; 9], &[0, 0, 0, 0, 0, 0, 0, 1, 1, 2], &[1; 29]] {
            assert_eq!(CanisterId(Principal::from_slice(bytes)).number(), None);
        }
    }
}
