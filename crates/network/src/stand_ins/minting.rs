//! What clients ask of the cycles minting canister: on which subnets canisters are created. It mints
//! nothing.

use hatchery_engine::{Engine, Principal};

use super::{Answer, encoded, no_method};

#[derive(candid::CandidType)]
struct SubnetTypes {
    data: Vec<(String, Vec<Principal>)>,
}

pub(super) fn query(method: &str, engine: &Engine) -> Answer {
    match method {
        "get_default_subnets" => Ok(encoded(&vec![engine.subnet_id()])),
        "get_subnet_types_to_subnets" => Ok(encoded(&SubnetTypes { data: Vec::new() })),
        _ => no_method("cycles minting canister", method),
    }
}
