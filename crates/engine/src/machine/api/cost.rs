//! System calls that quote prices.

use super::{Api, Cx, define};
use crate::machine::trap::Stop;

/// Keys are named with at most so many bytes; a longer one is unknown.
const MAX_KEY_NAME_BYTES: u32 = 1_000;

/// The `cost_*` functions of signatures: quoted.
const QUOTED: u32 = 0;
/// Their answer to an unknown curve or algorithm.
const UNKNOWN_ALGORITHM: u32 = 1;
/// Their answer to an unknown key.
const UNKNOWN_KEY: u32 = 2;

pub(super) fn define(api: &mut Api) {
    define!(api:
        cost_call |cx, name_size: u64, payload_size: u64, dst: u32| -> () {
            let request = name_size.saturating_add(payload_size);
            let cost = cx.host().message().subnet.prices.call_prepayment(request);
            cx.write_cycles(dst, cost)
        }
        cost_create_canister |cx, dst: u32| -> () {
            let cost = cx.host().message().subnet.prices.create_canister;
            cx.write_cycles(dst, cost)
        }
        cost_http_request |cx, request_size: u64, max_response: u64, dst: u32| -> () {
            let nodes = u128::from(cx.host().message().subnet.nodes);
            let base = 3_000_000 + 60_000 * nodes;
            let bytes = 400 * u128::from(request_size) + 800 * u128::from(max_response);
            cx.write_cycles(dst, (base + bytes) * nodes)
        }
        cost_http_request_v2 |cx, _params: u32, _length: u32, _dst: u32| -> () {
            Err(Stop::trapped("ic0.cost_http_request_v2 is not modelled by this engine").into())
        }
        cost_sign_with_ecdsa |cx, src: u32, length: u32, curve: u32, dst: u32| -> u32 {
            cx.quote_key((src, length), curve == 0, dst)
        }
        cost_sign_with_schnorr |cx, src: u32, length: u32, algorithm: u32, dst: u32| -> u32 {
            cx.quote_key((src, length), algorithm <= 1, dst)
        }
        cost_vetkd_derive_key |cx, src: u32, length: u32, curve: u32, dst: u32| -> u32 {
            cx.quote_key((src, length), curve == 0, dst)
        }
    );
}

impl Cx<'_> {
    fn quote_key(
        &mut self,
        (src, length): (u32, u32),
        algorithm_known: bool,
        dst: u32,
    ) -> wasmtime::Result<u32> {
        if length > MAX_KEY_NAME_BYTES {
            self.slice(src, length)?;
            return Ok(UNKNOWN_KEY);
        }
        let name = self.read(src, length, 1)?;
        if !algorithm_known {
            return Ok(UNKNOWN_ALGORITHM);
        }
        let Some(cost) = key_price(&name) else {
            return Ok(UNKNOWN_KEY);
        };
        self.write_cycles(dst, cost)?;
        Ok(QUOTED)
    }
}

/// Price of one signature or derivation: test keys live on 13 nodes, the production key on 34.
fn key_price(name: &[u8]) -> Option<u128> {
    match name {
        b"dfx_test_key" | b"test_key_1" => Some(10_000_000_000),
        b"key_1" => Some(26_153_846_153),
        _ => None,
    }
}
