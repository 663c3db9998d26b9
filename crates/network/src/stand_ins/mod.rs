//! Native stand-ins for what clients ask of the platform's own canisters: the cycles ledger and the
//! cycles minting canister. They answer users alone; no canister can call them.

mod cycles_ledger;
mod minting;

use candid::{CandidType, Encode};
use hatchery_engine::{Engine, ErrorCode, Principal, Reject};
use serde::Deserialize;

pub(crate) use cycles_ledger::CyclesLedger;

/// `um5iw-rqaaa-aaaaq-qaaba-cai`.
const CYCLES_LEDGER: Principal = Principal::from_slice(&[0, 0, 0, 0, 2, 16, 0, 2, 1, 1]);
/// `rkp4c-7iaaa-aaaaa-aaaca-cai`.
const MINTING: Principal = Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 4, 1, 1]);

type Answer = Result<Vec<u8>, Reject>;

/// The platform's canisters that the network plays itself.
#[derive(Debug, Default)]
pub(crate) struct StandIns {
    pub(crate) cycles_ledger: CyclesLedger,
}

impl StandIns {
    /// The answer to an update call; `None` when the callee is a canister of the engine.
    pub(crate) fn update(
        &mut self,
        engine: &mut Engine,
        sender: Principal,
        callee: &Principal,
        method: &str,
        arg: &[u8],
    ) -> Option<Answer> {
        if *callee == CYCLES_LEDGER {
            return Some(self.cycles_ledger.update(engine, sender, method, arg));
        }
        self.query(sender, callee, method, arg, engine)
    }

    /// The answer to a query; `None` when the callee is a canister of the engine.
    pub(crate) fn query(
        &self,
        _sender: Principal,
        callee: &Principal,
        method: &str,
        arg: &[u8],
        engine: &Engine,
    ) -> Option<Answer> {
        match *callee {
            CYCLES_LEDGER => Some(self.cycles_ledger.query(method, arg)),
            MINTING => Some(minting::query(method, engine)),
            _ => None,
        }
    }
}

fn decoded<T: CandidType + for<'a> Deserialize<'a>>(arg: &[u8]) -> Result<T, Reject> {
    // What an argument of this size can need; nested types could make it decode for ever.
    let quota = 4 * arg.len() + 10_000;
    let mut config = candid::DecoderConfig::new();
    config.set_decoding_quota(quota).set_skipping_quota(quota);
    candid::utils::decode_one_with_config(arg, &config).map_err(|error| {
        let text = format!("the argument cannot be decoded: {error}");
        Reject::new(ErrorCode::CanisterCalledTrap, text)
    })
}

fn encoded<T: CandidType>(value: &T) -> Vec<u8> {
    Encode!(value).expect("bug: our own types encode")
}

fn no_method(whose: &str, method: &str) -> Answer {
    Err(Reject::new(
        ErrorCode::CanisterMethodNotFound,
        format!("this network's stand-in for the {whose} has no method '{method}'"),
    ))
}

#[cfg(test)]
mod tests {
    use super::{CYCLES_LEDGER, MINTING};

    #[test]
    fn the_canisters_have_their_known_ids() {
        assert_eq!(CYCLES_LEDGER.to_text(), "um5iw-rqaaa-aaaaq-qaaba-cai");
        assert_eq!(MINTING.to_text(), "rkp4c-7iaaa-aaaaa-aaaca-cai");
    }
}
